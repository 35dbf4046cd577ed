//! From what a request presents to who is asking.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{
    caller::{Caller, Identity, Proof, RegisteredCaller},
    certificate::CertificateNames,
    jwt::{self, Issuer, TokenDefect, Verifier},
    key::{ApiKey, Digest},
    quota::Meter,
};

/// All callers, as they are configured at the moment.
#[derive(Debug)]
pub struct Authenticator {
    register: RwLock<Arc<Register>>,
    replaced: Notify,
    generation: AtomicU64,
}

#[derive(Debug)]
struct Register {
    callers: Vec<Arc<RegisteredCaller>>,
    verifier: Arc<Verifier>,
}

/// What a request presents to prove who is asking.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// What its header section holds, if anything.
    pub presented: Option<PresentedCredentials<'a>>,
    /// What its connection's client certificate proves, if there is one.
    pub certificate: Option<&'a CertificateNames>,
}

/// What a header section holds of credentials. No `Debug`: they are secret.
#[derive(Clone, Copy)]
pub enum PresentedCredentials<'a> {
    /// An API key, in the field of its own.
    Key(&'a str),
    /// An API key or a token, as a bearer's (RFC 6750 section 2.1).
    Bearer(&'a str),
    /// Something that is no use: doubled, malformed, or of another scheme.
    Malformed,
}

impl std::fmt::Debug for PresentedCredentials<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("Presented")
    }
}

/// Why nobody was recognised. For the log: callers are told nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// There were no credentials.
    #[error("no credentials")]
    Nothing,
    /// They were doubled, malformed, or of another scheme.
    #[error("unusable credentials")]
    Malformed,
    /// No caller has this key.
    #[error("unknown key")]
    UnknownKey,
    /// The time of this caller's key is over.
    #[error("expired key of {0}")]
    ExpiredKey(Box<str>),
    /// The token is no good.
    #[error("token: {0}")]
    Token(TokenDefect),
    /// The token is good, and is no caller's.
    #[error("a token of no caller")]
    StrangeToken,
    /// The certificate is good, and is no caller's.
    #[error("a certificate of no caller")]
    StrangeCertificate,
    /// The keys of the token's issuer can't be had at the moment, so nothing can be said of the
    /// token.
    #[error("the keys of the token's issuer can't be had")]
    KeysUnavailable,
}

impl Authenticator {
    /// Knows these callers, and verifies tokens of these issuers.
    ///
    /// # Errors
    /// When an issuer can't be set up.
    pub fn new(callers: Vec<Caller>, issuers: Vec<Issuer>) -> Result<Self, jwt::VerifierError> {
        let register = Register {
            callers: known(callers, &[]),
            verifier: Arc::new(Verifier::new(issuers)?),
        };
        Ok(Self {
            register: RwLock::new(Arc::new(register)),
            replaced: Notify::new(),
            generation: AtomicU64::new(0),
        })
    }

    /// Knows these from now on, and nobody else. What a caller of the same name and quota has used
    /// of it stays used.
    ///
    /// # Errors
    /// When an issuer can't be set up; then all stays as it was.
    pub fn replace(&self, callers: Vec<Caller>, issuers: Vec<Issuer>) -> Result<(), jwt::VerifierError> {
        let before = self.register();
        let register = Register {
            callers: known(callers, &before.callers),
            verifier: Arc::new(before.verifier.renewed(issuers)?),
        };
        *self.register.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(register);
        self.generation.fetch_add(1, Ordering::Release);
        self.replaced.notify_one();
        Ok(())
    }

    /// A number that is another one once the callers have been replaced: whoever was recognised
    /// before has to be looked at again.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Keeps the keys of the issuers fresh, whoever they are at the moment. Never returns; ends
    /// when it is dropped.
    pub async fn watch(&self) {
        loop {
            let verifier = Arc::clone(&self.register().verifier);
            tokio::select! {
                () = verifier.watch() => {}
                () = self.replaced.notified() => {}
            }
        }
    }

    /// Says who is asking.
    ///
    /// What the header section holds goes before a certificate: whoever presents both means the
    /// former, and one that is wrong is not made good by the other.
    ///
    /// # Errors
    /// When nobody was recognised.
    pub async fn identify(&self, credentials: Credentials<'_>) -> Result<Identity, AuthenticationError> {
        let register = self.register();
        match (credentials.presented, credentials.certificate) {
            (Some(PresentedCredentials::Malformed), _) => Err(AuthenticationError::Malformed),
            (Some(PresentedCredentials::Key(text)), _) => register.by_key(text),
            (Some(PresentedCredentials::Bearer(text)), _) if ApiKey::is_like_one(text) => register.by_key(text),
            (Some(PresentedCredentials::Bearer(text)), _) => register.by_token(text).await,
            (None, Some(certificate)) => register.by_certificate(certificate),
            (None, None) => Err(AuthenticationError::Nothing),
        }
    }

    fn register(&self) -> Arc<Register> {
        Arc::clone(&self.register.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Register {
    fn by_key(&self, text: &str) -> Result<Identity, AuthenticationError> {
        if !ApiKey::is_like_one(text) {
            return Err(AuthenticationError::UnknownKey);
        }
        let digest = Digest::of(text);
        let mut found = None;
        // All of them, whichever it is: how long it takes says nothing.
        for caller in &self.callers {
            for key in caller.caller.keys.iter().filter(|key| key.is(&digest)) {
                found = Some((caller, key));
            }
        }
        let (caller, key) = found.ok_or(AuthenticationError::UnknownKey)?;
        if key.has_expired(Timestamp::now()) {
            return Err(AuthenticationError::ExpiredKey(caller.caller.name.as_str().into()));
        }
        Ok(Identity::by_key(caller, key))
    }

    /// The first caller, in the order of the configuration, whose rule the token meets.
    async fn by_token(&self, text: &str) -> Result<Identity, AuthenticationError> {
        let claims = self.verifier.verify(text).await.map_err(|refusal| match refusal {
            jwt::TokenError::Invalid(reason) => AuthenticationError::Token(reason),
            jwt::TokenError::KeysUnavailable => AuthenticationError::KeysUnavailable,
        })?;
        let mut callers = self.callers.iter();
        let caller = callers.find(|caller| caller.caller.tokens.as_ref().is_some_and(|rule| rule.covers(&claims)));
        let caller = caller.ok_or(AuthenticationError::StrangeToken)?;
        Ok(Identity::by_token(caller, &claims))
    }

    fn by_certificate(&self, certificate: &CertificateNames) -> Result<Identity, AuthenticationError> {
        let mut callers = self.callers.iter();
        let caller = callers.find(|caller| caller.caller.certificates.iter().any(|name| certificate.prove(name)));
        let caller = caller.ok_or(AuthenticationError::StrangeCertificate)?;
        Ok(Identity::proven(caller, Proof::Certificate))
    }
}

fn known(callers: Vec<Caller>, before: &[Arc<RegisteredCaller>]) -> Vec<Arc<RegisteredCaller>> {
    callers
        .into_iter()
        .map(|caller| {
            let same =
                |known: &&Arc<RegisteredCaller>| known.caller.name == caller.name && known.caller.quota == caller.quota;
            let used = before.iter().find(same).and_then(|known| known.meter.clone());
            let meter = used.unwrap_or_else(|| Arc::new(Meter::new(caller.quota)));
            Arc::new(RegisteredCaller {
                caller,
                meter: Some(meter),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{
        super::{NewKey, Quota, Rights},
        *,
    };

    fn caller(name: &str, keys: Vec<ApiKey>) -> Caller {
        Caller {
            name: name.to_owned(),
            keys,
            tokens: None,
            certificates: Vec::new(),
            rights: Rights::default(),
            quota: Quota {
                requests_per_second: 1.0,
                concurrent_requests: 1,
            },
        }
    }

    fn key(expires: Option<Timestamp>) -> (String, ApiKey) {
        let new = NewKey::generate().unwrap();
        let key = ApiKey {
            digest: new.digest,
            expires,
        };
        (new.shown_once().to_owned(), key)
    }

    async fn asks(
        authenticator: &Authenticator,
        presented: Option<PresentedCredentials<'_>>,
    ) -> Result<String, AuthenticationError> {
        let credentials = Credentials {
            presented,
            certificate: None,
        };
        let identity = authenticator.identify(credentials).await?;
        Ok(identity.name().to_owned())
    }

    #[tokio::test]
    async fn a_key_proves_its_caller_in_either_field() {
        let (first, first_key) = key(None);
        let (second, second_key) = key(Some(Timestamp::MAX));
        let (expired, expired_key) = key(Some(Timestamp::now()));
        let (strange, _) = key(None);
        let callers = vec![
            caller("hr", vec![first_key, second_key]),
            caller("soar", vec![expired_key]),
        ];
        let authenticator = Authenticator::new(callers, Vec::new()).unwrap();
        for text in [&first, &second] {
            for presented in [PresentedCredentials::Key(text), PresentedCredentials::Bearer(text)] {
                assert_eq!(asks(&authenticator, Some(presented)).await.as_deref(), Ok("hr"));
            }
        }
        for (presented, refusal) in [
            (None, AuthenticationError::Nothing),
            (Some(PresentedCredentials::Malformed), AuthenticationError::Malformed),
            (
                Some(PresentedCredentials::Key(&expired)),
                AuthenticationError::ExpiredKey("soar".into()),
            ),
            (
                Some(PresentedCredentials::Key(&strange)),
                AuthenticationError::UnknownKey,
            ),
            (
                Some(PresentedCredentials::Key(&first.to_uppercase())),
                AuthenticationError::UnknownKey,
            ),
            (
                Some(PresentedCredentials::Key(&first[..first.len() - 1])),
                AuthenticationError::UnknownKey,
            ),
            (
                Some(PresentedCredentials::Key(&format!("{first}0"))),
                AuthenticationError::UnknownKey,
            ),
            (Some(PresentedCredentials::Key("")), AuthenticationError::UnknownKey),
        ] {
            assert_eq!(asks(&authenticator, presented).await, Err(refusal));
        }
    }

    #[tokio::test]
    async fn whoever_is_replaced_is_gone_and_what_was_used_stays_used() {
        let (text, api_key) = key(None);
        let authenticator = Authenticator::new(vec![caller("hr", vec![api_key.clone()])], Vec::new()).unwrap();
        let credentials = Credentials {
            presented: Some(PresentedCredentials::Key(&text)),
            certificate: None,
        };
        let identity = authenticator.identify(credentials).await.unwrap();
        let now = Instant::now();
        assert!(identity.take(now).unwrap().0.is_ok());
        authenticator
            .replace(vec![caller("hr", vec![api_key])], Vec::new())
            .unwrap();
        let again = authenticator.identify(credentials).await.unwrap();
        assert!(again.take(now).unwrap().0.is_err());
        authenticator.replace(Vec::new(), Vec::new()).unwrap();
        assert_eq!(
            authenticator.identify(credentials).await.unwrap_err(),
            AuthenticationError::UnknownKey
        );
    }
}
