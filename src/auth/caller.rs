//! Callers, as their operator names them, and the identity of one who has proven to be one of them.

use std::{sync::Arc, time::Instant};

use aws_lc_rs::digest;

use super::{
    certificate::CertificateName,
    jwt::Claims,
    key::{ApiKey, hexadecimal},
    quota::{Meter, Quota, QuotaPermit, Standing},
    rights::Rights,
};

/// Somebody who may ask: a system, or people of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// The name in the log; unique.
    pub name: String,
    /// Its API keys: several, so that one can be exchanged while another is in use.
    pub keys: Vec<ApiKey>,
    /// The bearer tokens that are its own.
    pub tokens: Option<TokenRule>,
    /// The names in client certificates that are its own; any of them proves it.
    pub certificates: Vec<CertificateName>,
    /// What it may do.
    pub rights: Rights,
    /// How much it may ask for.
    pub quota: Quota,
}

/// Which bearer tokens are a caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRule {
    /// The issuer, one of those that are configured.
    pub issuer: String,
    /// Claims with their values, all of which the token must hold. Never empty: a rule that asks
    /// for nothing would let in everybody who has an account at the issuer.
    pub claims: Vec<(String, String)>,
}

impl TokenRule {
    /// Whether a verified token is one of those.
    pub fn covers(&self, claims: &Claims) -> bool {
        claims.issuer() == self.issuer
            && !self.claims.is_empty()
            && self.claims.iter().all(|(name, value)| claims.holds(name, value))
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: the service has no callers, and its operator lets in everybody who can reach it.
    Unasked,
    /// With an API key.
    ApiKey,
    /// With a bearer token of an issuer.
    Token,
    /// With a client certificate.
    Certificate,
}

impl Proof {
    /// The word for it in the log.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unasked => "none",
            Self::ApiKey => "api-key",
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

/// Somebody who asks, and has proven to be a caller.
#[derive(Debug, Clone)]
pub struct Identity {
    caller: Arc<RegisteredCaller>,
    proof: Proof,
    key: Option<Box<str>>,
    subject: Option<Box<str>>,
}

/// A caller, with what it has used of its quota.
#[derive(Debug)]
pub(super) struct RegisteredCaller {
    pub(super) caller: Caller,
    pub(super) meter: Option<Arc<Meter>>,
}

impl Identity {
    /// Whoever asks a service that has no callers: everything is allowed, and nothing is counted.
    pub fn anonymous() -> Self {
        let caller = Caller {
            name: "-".to_owned(),
            keys: Vec::new(),
            tokens: None,
            certificates: Vec::new(),
            rights: Rights::all(),
            quota: Quota {
                requests_per_second: f64::MAX,
                concurrent_requests: usize::MAX,
            },
        };
        Self {
            caller: Arc::new(RegisteredCaller { caller, meter: None }),
            proof: Proof::Unasked,
            key: None,
            subject: None,
        }
    }

    pub(super) fn proven(caller: &Arc<RegisteredCaller>, proof: Proof) -> Self {
        Self {
            caller: Arc::clone(caller),
            proof,
            key: None,
            subject: None,
        }
    }

    pub(super) fn by_key(caller: &Arc<RegisteredCaller>, key: &ApiKey) -> Self {
        Self {
            key: Some(key.digest.hint().into_boxed_str()),
            ..Self::proven(caller, Proof::ApiKey)
        }
    }

    pub(super) fn by_token(caller: &Arc<RegisteredCaller>, claims: &Claims) -> Self {
        Self {
            subject: claims.subject().map(|subject| pseudonym(claims.issuer(), subject)),
            ..Self::proven(caller, Proof::Token)
        }
    }

    /// The caller's name.
    pub fn name(&self) -> &str {
        &self.caller.caller.name
    }

    /// How it was proven.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// Which of the caller's keys it was: the first eight digits of its digest.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Which of the people behind one caller it is, without naming them: 16 hexadecimal digits that
    /// stay the same for the same `iss` and `sub` of a token.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What it may do.
    pub fn rights(&self) -> &Rights {
        &self.caller.caller.rights
    }

    /// How much it may ask for; `None` when nothing is counted.
    pub fn quota(&self) -> Option<Quota> {
        Some(self.caller.meter.as_ref()?.quota())
    }

    /// Takes one request out of its quota, see [`Meter::take`]; `None` when nothing is counted.
    pub fn take(&self, now: Instant) -> Option<(Result<QuotaPermit, std::time::Duration>, Standing)> {
        Some(self.caller.meter.as_ref()?.take(now))
    }
}

/// The issuer knows its people by subject and may use an e-mail address for it; the log is to tell
/// them apart and not to name them. Whoever has the subject can compute it:
/// `printf '%s %s' ISS SUB | sha256sum | cut -c1-16`.
fn pseudonym(issuer: &str, subject: &str) -> Box<str> {
    let digest = digest::digest(&digest::SHA256, format!("{issuer} {subject}").as_bytes());
    hexadecimal(&digest.as_ref()[..8]).into_boxed_str()
}
