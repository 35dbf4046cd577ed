//! JSON Web Tokens as a proof of who asks (RFC 7519), made by issuers that the operator named:
//! bearer tokens of OpenID Connect and OAuth 2.0.
//!
//! The crate `jsonwebtoken` verifies signatures and the claims `exp`, `nbf`, `iss` and `aud`. What
//! is added here is what it leaves to its users (RFC 8725): algorithms are pinned for each issuer,
//! keys come from the issuer and never from the token, and whatever two readers could take
//! differently is refused.

mod claims;
mod error;
#[cfg(test)]
mod tests;
mod token;

use std::{sync::Arc, time::Duration};

use jsonwebtoken::{Validation, get_current_timestamp};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

pub use super::jwks::{AddressError, Algorithm, AlgorithmError, KeySource};
use super::jwks::{Key, KeyLookupError, KeyMatchError, KeySourceError, Keys, Object};
pub use claims::Claims;
pub use error::{TokenDefect, TokenError};
use token::Unverified;

/// The most that clocks may differ by. RFC 7519 section 4.1.4 thinks of no more than a few minutes.
const MOST_SKEW: Duration = Duration::from_secs(5 * 60);

/// The last second of the year 9999, where RFC 3339's dates end. What lies beyond is no time that
/// somebody meant, but milliseconds, or a number that was made to be too large.
const LAST_TIME: f64 = 253_402_300_799.0;

/// Somebody whose tokens are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Exactly what its tokens have as `iss`. For discovery it is a URL; else it may be any text.
    pub issuer: String,
    /// Who we are to it: one of these must be in `aud` (RFC 7519 section 4.1.3). At least one.
    pub audiences: Vec<String>,
    /// Where its keys are.
    pub keys: KeySource,
    /// What it signs with. At least one.
    pub algorithms: Vec<Algorithm>,
    /// How far its clock and ours may differ; five minutes at the most.
    pub clock_skew: Duration,
}

/// What is wrong with an issuer's settings. Says what to do, so that it can stand behind the name
/// of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// There is no issuer.
    #[error("give the issuer exactly as its tokens have it in iss")]
    NoIssuer,
    /// There is no audience, or one is empty: tokens for anybody would be accepted.
    #[error("give at least one audience, and no empty one; tokens made for others would be accepted without")]
    NoAudience,
    /// No algorithm is pinned.
    #[error("give at least one algorithm that the issuer signs with")]
    NoAlgorithm,
    /// Clocks may differ by more than is safe.
    #[error("allow at most five minutes between the clocks")]
    ClockSkew,
    /// The keys' address can't be used.
    #[error(transparent)]
    Keys(#[from] AddressError),
}

impl Issuer {
    /// Checks the settings; asks nobody. [`KeySource::check`] does so for the keys alone.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), IssuerError> {
        if self.issuer.is_empty() {
            return Err(IssuerError::NoIssuer);
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(IssuerError::NoAudience);
        }
        if self.algorithms.is_empty() {
            return Err(IssuerError::NoAlgorithm);
        }
        if self.clock_skew > MOST_SKEW {
            return Err(IssuerError::ClockSkew);
        }
        Ok(self.keys.check(&self.issuer)?)
    }
}

/// Why there can be no [`Verifier`].
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// An issuer's settings are wrong.
    #[error("issuer {issuer}: {fault}")]
    Issuer {
        /// Whose.
        issuer: String,
        /// What is wrong.
        fault: IssuerError,
    },
    /// Two issuers have one name, so that their tokens can't be told apart.
    #[error("issuer {0} is given twice")]
    Twice(String),
    /// The system has no certificate authorities, or TLS can't be set up for another reason.
    #[error("no client for HTTPS can be made")]
    Client(#[source] reqwest::Error),
}

/// Verifies tokens of all issuers, with their keys.
///
/// ```text
/// let verifier = Arc::new(Verifier::new(issuers)?);
/// tokio::spawn({ let verifier = Arc::clone(&verifier); async move { verifier.watch().await } });
/// let claims = verifier.verify(token).await?;
/// ```
#[derive(Debug)]
pub struct Verifier {
    trusted: Vec<Trusted>,
}

#[derive(Debug)]
struct Trusted {
    issuer: Issuer,
    keys: Arc<Keys>,
}

impl Verifier {
    /// A verifier that has no keys yet: it gets them with [`Verifier::watch`], or when the first
    /// token needs them. Asks nobody.
    ///
    /// rustls's crypto provider must be installed before, as `main` does.
    ///
    /// # Errors
    /// When an issuer's settings are wrong, when an issuer is given twice, or when TLS can't be set
    /// up.
    pub fn new(issuers: Vec<Issuer>) -> Result<Self, VerifierError> {
        Self::with_keys_of(&[], issuers)
    }

    /// A verifier for other settings. An issuer whose keys are to be got from where they were got
    /// so far keeps those that it has.
    ///
    /// # Errors
    /// The same as for [`Verifier::new`].
    pub fn renewed(&self, issuers: Vec<Issuer>) -> Result<Self, VerifierError> {
        Self::with_keys_of(&self.trusted, issuers)
    }

    fn with_keys_of(before: &[Trusted], issuers: Vec<Issuer>) -> Result<Self, VerifierError> {
        let mut trusted: Vec<Trusted> = Vec::with_capacity(issuers.len());
        for issuer in issuers {
            let fault = |fault| VerifierError::Issuer {
                issuer: issuer.issuer.clone(),
                fault,
            };
            issuer.check().map_err(fault)?;
            if trusted.iter().any(|other| other.issuer.issuer == issuer.issuer) {
                return Err(VerifierError::Twice(issuer.issuer));
            }
            let same = |old: &&Trusted| old.issuer.issuer == issuer.issuer && old.issuer.keys == issuer.keys;
            let keys = match before.iter().find(same) {
                Some(old) => Arc::clone(&old.keys),
                None => Arc::new(
                    Keys::new(&issuer.issuer, &issuer.keys).map_err(|unready| match unready {
                        KeySourceError::Address(address) => fault(address.into()),
                        KeySourceError::Client(error) => VerifierError::Client(error),
                    })?,
                ),
            };
            trusted.push(Trusted { issuer, keys });
        }
        Ok(Self { trusted })
    }

    /// Verifies a token, as it stands after `Bearer` in the header `Authorization`.
    ///
    /// At most once in 30 seconds and issuer this waits for the issuer's keys, up to five seconds:
    /// when a token names a key that is not known, or when there are no keys yet. Else it waits for
    /// nothing.
    ///
    /// # Errors
    /// When the token proves nothing, or when its issuer's keys can't be got.
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let unverified = Unverified::read(token)?;
        let mut trusted = self.trusted.iter();
        // What the token says of its issuer only chooses among those who are trusted; its signature
        // has to bear it out.
        let trusted = trusted.find(|trusted| trusted.issuer.issuer == unverified.issuer);
        trusted
            .ok_or(TokenDefect::UnknownIssuer)?
            .verify(token, &unverified)
            .await
    }

    /// Keeps the keys of all issuers fresh: gets them at once, those at URLs again before they go
    /// stale, those in files every second. Never returns; ends when it is dropped.
    pub async fn watch(&self) {
        let mut tasks = JoinSet::new();
        for trusted in &self.trusted {
            tasks.spawn(Arc::clone(&trusted.keys).keep_fresh());
        }
        while tasks.join_next().await.is_some() {}
        std::future::pending().await
    }
}

impl Trusted {
    async fn verify(&self, token: &str, unverified: &Unverified) -> Result<Claims, TokenError> {
        let pinned = |algorithm: &Algorithm| self.issuer.algorithms.contains(algorithm);
        let algorithm = unverified.algorithm.filter(pinned).ok_or(TokenDefect::Algorithm)?;
        let id = unverified.key_id.as_deref();
        let key = self.key(algorithm, id).await?;
        let verdict = self.judge(token, algorithm, &key);
        if id.is_some() || verdict != Err(TokenDefect::Signature) {
            return Ok(verdict?);
        }
        // A key without an id can have been replaced without our noticing.
        self.keys.refresh().await;
        let key = self.key(algorithm, id).await?;
        Ok(self.judge(token, algorithm, &key)?)
    }

    async fn key(&self, algorithm: Algorithm, id: Option<&str>) -> Result<Arc<Key>, TokenError> {
        let found = self.keys.find(algorithm, id).await;
        found.map_err(|missing| match missing {
            KeyLookupError::Key(KeyMatchError::Unknown) => TokenDefect::UnknownKey.into(),
            KeyLookupError::Key(KeyMatchError::Ambiguous) => TokenDefect::AmbiguousKey.into(),
            KeyLookupError::Keys => TokenError::KeysUnavailable,
        })
    }

    /// Verifies the signature, and then the claims.
    fn judge(&self, token: &str, algorithm: Algorithm, key: &Key) -> Result<Claims, TokenDefect> {
        let Self { issuer, .. } = self;
        // One algorithm: the one that the key was chosen for.
        let mut validation = Validation::new(algorithm.into());
        validation.leeway = issuer.clock_skew.as_secs();
        // RFC 7519 section 4.1.4: not to be accepted on its `exp` or after. The crate accepts it in
        // that second.
        validation.reject_tokens_expiring_in_less_than = 1;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&issuer.issuer]);
        validation.set_audience(&issuer.audiences);
        let Object(claims) = jsonwebtoken::decode(token, key.decoding(), &validation)
            .map_err(|error| TokenDefect::of(&error))?
            .claims;
        self.judge_further(claims)
    }

    /// What the crate doesn't look at, or takes less strictly.
    fn judge_further(&self, claims: Map<String, Value>) -> Result<Claims, TokenDefect> {
        for name in ["exp", "nbf"] {
            time(&claims, name)?;
        }
        // RFC 7519 section 4.1.6 doesn't ask for this, but a token from the future was made by a
        // wrong clock, or by somebody in advance.
        let latest = get_current_timestamp().saturating_add(self.issuer.clock_skew.as_secs());
        if time(&claims, "iat")?.is_some_and(|issued| issued > latest as f64) {
            return Err(TokenDefect::IssuedInFuture);
        }
        if claims.contains_key("cnf") {
            return Err(TokenDefect::Bound);
        }
        let subject = match claims.get("sub") {
            Some(Value::String(subject)) => Some(subject.clone()),
            Some(_) => return Err(TokenDefect::Claim("sub")),
            None => None,
        };
        Ok(Claims::new(&self.issuer.issuer, subject.as_deref(), claims))
    }
}

/// A claim that is a time, in seconds since 1970, with or without fractions (`NumericDate`, RFC
/// 7519 section 2).
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<f64>, TokenDefect> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let time = value.as_f64().filter(|time| (0.0..=LAST_TIME).contains(time));
    time.map(Some).ok_or(TokenDefect::Claim(name))
}
