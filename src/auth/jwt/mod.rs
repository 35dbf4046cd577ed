//! JSON Web Tokens that prove a caller (RFC 7519), made by issuers that the operator named: bearer
//! tokens of OpenID Connect and OAuth 2.0.
//!
//! The crate `jsonwebtoken` verifies signatures and the claims `exp`, `nbf`, `iss` and `aud`. Added
//! here is what it leaves to its users (RFC 8725): algorithms are pinned for each issuer, keys come
//! from the issuer and never from the token, and a token that two readers could understand
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
use super::jwks::{IssuerKeys, Key, KeyLookupError, KeyMatchError, KeySourceError};
use crate::json::StrictObject;
pub use claims::Claims;
pub use error::{TokenDefect, TokenError};
use token::{Purpose, Unverified};

/// The most that clocks may differ by. RFC 7519 section 4.1.4 allows "no more than a few minutes".
const MAX_SKEW: Duration = Duration::from_secs(5 * 60);

/// The last second of the year 9999, where RFC 3339's dates end. A number beyond is milliseconds
/// taken for seconds, or an attack.
const LAST_TIME: f64 = 253_402_300_799.0;

/// The longest id of a security event token, in bytes: it is remembered.
const MAX_EVENT_ID: usize = 256;

/// An issuer whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Exactly what its tokens have as `iss`. For discovery it is a URL; else it may be any text.
    pub issuer: String,
    /// The names that it knows this service by: one of these must be in `aud` (RFC 7519 section
    /// 4.1.3). At least one.
    pub audiences: Vec<String>,
    /// The source of its keys.
    pub keys: KeySource,
    /// The algorithms that it signs with. At least one.
    pub algorithms: Vec<Algorithm>,
    /// How far its clock and ours may differ; at most five minutes.
    pub clock_skew: Duration,
}

/// Says what is wrong with an issuer's settings. The message says what to do, so that it can follow
/// the name of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The issuer is empty.
    #[error("give the issuer exactly as its tokens have it in iss")]
    NoIssuer,
    /// There is no audience, or one is empty: tokens for other services would be accepted.
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
    /// Checks the settings; sends nothing. [`KeySource::check`] does so for the keys alone.
    ///
    /// # Errors
    /// The first fault.
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
        if self.clock_skew > MAX_SKEW {
            return Err(IssuerError::ClockSkew);
        }
        Ok(self.keys.check(&self.issuer)?)
    }
}

/// Says why a [`Verifier`] can't be made.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// An issuer's settings are wrong.
    #[error("issuer {issuer}: {error}")]
    Issuer {
        /// The issuer's name.
        issuer: String,
        /// The fault in its settings.
        error: IssuerError,
    },
    /// Two issuers have one name, so that a token's `iss` would not say which is meant.
    #[error("issuer {0} is given twice")]
    Repeated(String),
    /// The system has no certificate authorities, or TLS can't be set up for another reason.
    #[error("no client for HTTPS can be made")]
    Client(#[source] reqwest::Error),
}

/// Verifies tokens of all configured issuers, with their keys.
///
/// ```text
/// let verifier = Arc::new(Verifier::new(issuers)?);
/// tokio::spawn({ let verifier = Arc::clone(&verifier); async move { verifier.watch().await } });
/// let claims = verifier.verify(token).await?;
/// ```
#[derive(Debug)]
pub struct Verifier {
    trusted: Vec<TrustedIssuer>,
}

#[derive(Debug)]
struct TrustedIssuer {
    issuer: Issuer,
    keys: Arc<IssuerKeys>,
}

impl Verifier {
    /// Makes a verifier that has no keys yet: they are fetched by [`Verifier::watch`], or when the
    /// first token needs them. Sends nothing.
    ///
    /// rustls's crypto provider must be installed before, as `main` does.
    ///
    /// # Errors
    /// When an issuer's settings are wrong, when an issuer is given twice, or when TLS can't be set
    /// up.
    pub fn new(issuers: Vec<Issuer>) -> Result<Self, VerifierError> {
        Self::with_keys_of(&[], issuers)
    }

    /// Makes a verifier for other settings. An issuer with the same source of keys keeps its cached
    /// keys.
    ///
    /// # Errors
    /// The same as for [`Verifier::new`].
    pub fn renewed(&self, issuers: Vec<Issuer>) -> Result<Self, VerifierError> {
        Self::with_keys_of(&self.trusted, issuers)
    }

    fn with_keys_of(before: &[TrustedIssuer], issuers: Vec<Issuer>) -> Result<Self, VerifierError> {
        let mut trusted: Vec<TrustedIssuer> = Vec::with_capacity(issuers.len());
        for issuer in issuers {
            let in_issuer = |error| VerifierError::Issuer {
                issuer: issuer.issuer.clone(),
                error,
            };
            issuer.check().map_err(in_issuer)?;
            if trusted.iter().any(|other| other.issuer.issuer == issuer.issuer) {
                return Err(VerifierError::Repeated(issuer.issuer));
            }
            let same = |old: &&TrustedIssuer| old.issuer.issuer == issuer.issuer && old.issuer.keys == issuer.keys;
            let keys = match before.iter().find(same) {
                Some(old) => Arc::clone(&old.keys),
                None => {
                    let keys = IssuerKeys::new(&issuer.issuer, &issuer.keys);
                    Arc::new(keys.map_err(|error| match error {
                        KeySourceError::Address(error) => in_issuer(error.into()),
                        KeySourceError::Client(error) => VerifierError::Client(error),
                    })?)
                }
            };
            trusted.push(TrustedIssuer { issuer, keys });
        }
        Ok(Self { trusted })
    }

    /// Verifies a token, as it stands after `Bearer` in the header `Authorization`.
    ///
    /// Waits for nothing but the issuer's keys, up to five seconds and at most once in 30 seconds
    /// for an issuer: when a token names a key that is not cached, or when no keys are.
    ///
    /// # Errors
    /// When the token proves nothing, or when its issuer's keys can't be fetched.
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.verify_for(token, Purpose::Caller).await
    }

    /// Verifies a security event token (RFC 8417), as it stands in a body of the type
    /// `application/secevent+jwt`. It tells of an event and proves no caller.
    ///
    /// Its `typ` has to say that it is one; it needs `iat`, `jti` and `events`. `exp` is not used
    /// (RFC 8417 section 2.2): what happened does not end.
    ///
    /// # Errors
    /// The same as for [`Verifier::verify`].
    pub async fn verify_event(&self, token: &str) -> Result<Claims, TokenError> {
        self.verify_for(token, Purpose::Event).await
    }

    async fn verify_for(&self, token: &str, purpose: Purpose) -> Result<Claims, TokenError> {
        let unverified = Unverified::read(token, purpose)?;
        let mut trusted = self.trusted.iter();
        // The unverified `iss` only chooses among trusted issuers; the signature has to be that
        // issuer's.
        let trusted = trusted.find(|trusted| trusted.issuer.issuer == unverified.issuer);
        trusted
            .ok_or(TokenDefect::UnknownIssuer)?
            .verify(token, &unverified, purpose)
            .await
    }

    /// Keeps the keys of all issuers fresh: fetches them at once, from URLs again before they go
    /// stale, from files when they change. Never returns; ends when it is dropped.
    pub async fn watch(&self) {
        let mut tasks = JoinSet::new();
        for trusted in &self.trusted {
            tasks.spawn(Arc::clone(&trusted.keys).keep_fresh());
        }
        while tasks.join_next().await.is_some() {}
        std::future::pending().await
    }
}

impl TrustedIssuer {
    async fn verify(&self, token: &str, unverified: &Unverified, purpose: Purpose) -> Result<Claims, TokenError> {
        let pinned = |algorithm: &Algorithm| self.issuer.algorithms.contains(algorithm);
        let algorithm = unverified.algorithm.filter(pinned).ok_or(TokenDefect::Algorithm)?;
        let id = unverified.key_id.as_deref();
        let key = self.find_key(algorithm, id).await?;
        let claims = self.verify_with(&key, token, algorithm, purpose);
        if id.is_some() || claims != Err(TokenDefect::Signature) {
            return Ok(claims?);
        }
        // The issuer may have replaced the key: without an id, the old one is found all the same.
        self.keys.refresh().await;
        let key = self.find_key(algorithm, id).await?;
        Ok(self.verify_with(&key, token, algorithm, purpose)?)
    }

    async fn find_key(&self, algorithm: Algorithm, id: Option<&str>) -> Result<Arc<Key>, TokenError> {
        let found = self.keys.find(algorithm, id).await;
        found.map_err(|error| match error {
            KeyLookupError::NoMatch(KeyMatchError::Unknown) => TokenDefect::UnknownKey.into(),
            KeyLookupError::NoMatch(KeyMatchError::Ambiguous) => TokenDefect::AmbiguousKey.into(),
            KeyLookupError::Unavailable => TokenError::KeysUnavailable,
        })
    }

    /// Verifies the signature, and then the claims.
    fn verify_with(
        &self,
        key: &Key,
        token: &str,
        algorithm: Algorithm,
        purpose: Purpose,
    ) -> Result<Claims, TokenDefect> {
        let Self { issuer, .. } = self;
        // Exactly the algorithm that the key was chosen for.
        let mut validation = Validation::new(algorithm.into());
        validation.leeway = issuer.clock_skew.as_secs();
        // RFC 7519 section 4.1.4: not to be accepted on its `exp` or after. The crate accepts it in
        // that second.
        validation.reject_tokens_expiring_in_less_than = 1;
        validation.validate_nbf = true;
        if purpose == Purpose::Event {
            validation.validate_exp = false;
            validation.reject_tokens_expiring_in_less_than = 0;
            validation.set_required_spec_claims(&["iss", "aud"]);
        } else {
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        }
        validation.set_issuer(&[&issuer.issuer]);
        validation.set_audience(&issuer.audiences);
        let StrictObject(claims) = jsonwebtoken::decode(token, key.decoding(), &validation)
            .map_err(|error| TokenDefect::of(&error))?
            .claims;
        if purpose == Purpose::Event {
            check_event(&claims)?;
        }
        self.check_claims(claims)
    }

    /// Checks the claims that the crate doesn't look at, or checks less strictly.
    fn check_claims(&self, claims: Map<String, Value>) -> Result<Claims, TokenDefect> {
        for name in ["exp", "nbf"] {
            time(&claims, name)?;
        }
        // RFC 7519 section 4.1.6 doesn't ask for this, but a token from the future was made with a
        // wrong clock, or in advance for later use.
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

/// Checks the claims that every security event token has (RFC 8417 section 2.2).
fn check_event(claims: &Map<String, Value>) -> Result<(), TokenDefect> {
    time(claims, "iat")?.ok_or(TokenDefect::Claim("iat"))?;
    let id = claims.get("jti").and_then(Value::as_str);
    if id.is_none_or(|id| id.is_empty() || id.len() > MAX_EVENT_ID) {
        return Err(TokenDefect::Claim("jti"));
    }
    let events = claims.get("events").and_then(Value::as_object);
    if events.is_none_or(Map::is_empty) {
        return Err(TokenDefect::Claim("events"));
    }
    Ok(())
}

/// Reads a claim that is a time, in seconds since 1970, with or without fractions (`NumericDate`,
/// RFC 7519 section 2).
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<f64>, TokenDefect> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let time = value.as_f64().filter(|time| (0.0..=LAST_TIME).contains(time));
    time.map(Some).ok_or(TokenDefect::Claim(name))
}
