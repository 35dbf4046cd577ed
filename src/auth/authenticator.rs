//! From the credentials of a request to the identity that they prove.

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

/// Holds all callers as they are configured at the moment, and identifies them.
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

/// The credentials of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The credentials in its header section.
    pub presented: Option<PresentedCredentials<'a>>,
    /// The names that its connection's client certificate proves.
    pub certificate: Option<&'a CertificateNames>,
}

/// The credentials in a header section. `Debug` shows none of them: they are secret.
#[derive(Clone, Copy)]
pub enum PresentedCredentials<'a> {
    /// An API key, in its own field.
    Key(&'a str),
    /// An API key or a token, with the scheme `Bearer` (RFC 6750 section 2.1).
    Bearer(&'a str),
    /// Credentials that are doubled, malformed, or of another scheme.
    Malformed,
}

impl std::fmt::Debug for PresentedCredentials<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("PresentedCredentials")
    }
}

/// Says why credentials prove no caller. For the log: the answer doesn't say, since that would help
/// an attacker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The request has no credentials.
    #[error("no credentials")]
    NoCredentials,
    /// The credentials are doubled, malformed, or of another scheme.
    #[error("unusable credentials")]
    Malformed,
    /// No caller has this key.
    #[error("unknown key")]
    UnknownKey,
    /// The key is past its date. Holds the caller's name.
    #[error("expired key of {0}")]
    ExpiredKey(Box<str>),
    /// The token is not valid.
    #[error("token: {0}")]
    Token(TokenDefect),
    /// The token is valid, and meets no caller's rule.
    #[error("a token of no caller")]
    UnmatchedToken,
    /// The certificate is valid, and has no caller's name.
    #[error("a certificate of no caller")]
    UnmatchedCertificate,
    /// The keys of the token's issuer can't be fetched at the moment, so the token can't be
    /// verified.
    #[error("the keys of the token's issuer can't be had")]
    KeysUnavailable,
}

impl Authenticator {
    /// Makes an authenticator of these callers and issuers.
    ///
    /// # Errors
    /// When an issuer can't be set up.
    pub fn new(callers: Vec<Caller>, issuers: Vec<Issuer>) -> Result<Self, jwt::VerifierError> {
        let register = Register {
            callers: registered(callers, &[]),
            verifier: Arc::new(Verifier::new(issuers)?),
        };
        Ok(Self {
            register: RwLock::new(Arc::new(register)),
            replaced: Notify::new(),
            generation: AtomicU64::new(0),
        })
    }

    /// Replaces all callers and issuers. A caller that keeps its name and quota keeps its meter, so
    /// that a reload gives no requests back.
    ///
    /// # Errors
    /// When an issuer can't be set up; then nothing is replaced.
    pub fn replace(&self, callers: Vec<Caller>, issuers: Vec<Issuer>) -> Result<(), jwt::VerifierError> {
        let before = self.register();
        let register = Register {
            callers: registered(callers, &before.callers),
            verifier: Arc::new(before.verifier.renewed(issuers)?),
        };
        *self.register.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(register);
        self.generation.fetch_add(1, Ordering::Release);
        self.replaced.notify_one();
        Ok(())
    }

    /// The generation of the callers, which grows at each [`Self::replace`]: an [`Identity`] of an
    /// earlier one has to be proven again.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Keeps the keys of the current issuers fresh. Never returns; ends when it is dropped.
    pub async fn watch(&self) {
        loop {
            let verifier = Arc::clone(&self.register().verifier);
            tokio::select! {
                () = verifier.watch() => {}
                () = self.replaced.notified() => {}
            }
        }
    }

    /// Identifies the caller that the credentials prove.
    ///
    /// Credentials in the header section go before a certificate: they are chosen for the request,
    /// and a wrong one must not be made good by the connection's certificate.
    ///
    /// # Errors
    /// When they prove no caller.
    pub async fn identify(&self, credentials: Credentials<'_>) -> Result<Identity, AuthenticationError> {
        let register = self.register();
        match (credentials.presented, credentials.certificate) {
            (Some(PresentedCredentials::Malformed), _) => Err(AuthenticationError::Malformed),
            (Some(PresentedCredentials::Key(text)), _) => register.by_key(text),
            (Some(PresentedCredentials::Bearer(text)), _) if ApiKey::has_form(text) => register.by_key(text),
            (Some(PresentedCredentials::Bearer(text)), _) => register.by_token(text).await,
            (None, Some(certificate)) => register.by_certificate(certificate),
            (None, None) => Err(AuthenticationError::NoCredentials),
        }
    }

    fn register(&self) -> Arc<Register> {
        Arc::clone(&self.register.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Register {
    fn by_key(&self, text: &str) -> Result<Identity, AuthenticationError> {
        if !ApiKey::has_form(text) {
            return Err(AuthenticationError::UnknownKey);
        }
        let digest = Digest::of(text);
        let mut found = None;
        // Compares every digest, so that timing does not reveal a match.
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

    /// Finds the first caller, in the order of the configuration, whose rule the token meets.
    async fn by_token(&self, text: &str) -> Result<Identity, AuthenticationError> {
        let claims = self.verifier.verify(text).await.map_err(|error| match error {
            jwt::TokenError::Invalid(defect) => AuthenticationError::Token(defect),
            jwt::TokenError::KeysUnavailable => AuthenticationError::KeysUnavailable,
        })?;
        let mut callers = self.callers.iter();
        let caller = callers.find(|caller| caller.caller.tokens.as_ref().is_some_and(|rule| rule.covers(&claims)));
        let caller = caller.ok_or(AuthenticationError::UnmatchedToken)?;
        Ok(Identity::by_token(caller, &claims))
    }

    fn by_certificate(&self, certificate: &CertificateNames) -> Result<Identity, AuthenticationError> {
        let mut callers = self.callers.iter();
        let caller = callers.find(|caller| caller.caller.certificates.iter().any(|name| certificate.prove(name)));
        let caller = caller.ok_or(AuthenticationError::UnmatchedCertificate)?;
        Ok(Identity::proven(caller, Proof::Certificate))
    }
}

/// Gives each caller a meter: its own from before, if its name and quota are the same.
fn registered(callers: Vec<Caller>, before: &[Arc<RegisteredCaller>]) -> Vec<Arc<RegisteredCaller>> {
    callers
        .into_iter()
        .map(|caller| {
            let same =
                |old: &&Arc<RegisteredCaller>| old.caller.name == caller.name && old.caller.quota == caller.quota;
            let kept = before.iter().find(same).and_then(|old| old.meter.clone());
            let meter = kept.unwrap_or_else(|| Arc::new(Meter::new(caller.quota)));
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

    async fn identify(
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
        let (unknown, _) = key(None);
        let callers = vec![
            caller("hr", vec![first_key, second_key]),
            caller("soar", vec![expired_key]),
        ];
        let authenticator = Authenticator::new(callers, Vec::new()).unwrap();
        for text in [&first, &second] {
            for presented in [PresentedCredentials::Key(text), PresentedCredentials::Bearer(text)] {
                assert_eq!(identify(&authenticator, Some(presented)).await.as_deref(), Ok("hr"));
            }
        }
        for (presented, error) in [
            (None, AuthenticationError::NoCredentials),
            (Some(PresentedCredentials::Malformed), AuthenticationError::Malformed),
            (
                Some(PresentedCredentials::Key(&expired)),
                AuthenticationError::ExpiredKey("soar".into()),
            ),
            (
                Some(PresentedCredentials::Key(&unknown)),
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
            assert_eq!(identify(&authenticator, presented).await, Err(error));
        }
    }

    #[tokio::test]
    async fn a_replaced_caller_is_gone_and_a_kept_one_keeps_its_meter() {
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
