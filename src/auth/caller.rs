//! Callers as they are configured, and the identity that a request has proven.

use std::{sync::Arc, time::Instant};

use aws_lc_rs::digest;

use super::{
    certificate::CertificateName,
    jwt::Claims,
    key::{ApiKey, hexadecimal},
    quota::{Meter, Quota, QuotaPermit, Standing},
    rights::Rights,
};

/// A configured caller: a system, or people of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// The name in the log; unique.
    pub name: String,
    /// Its API keys: several, so that one can be replaced while another is in use.
    pub keys: Vec<ApiKey>,
    /// The rule that its bearer tokens meet.
    pub tokens: Option<TokenRule>,
    /// The names in client certificates that prove it; any of them does.
    pub certificates: Vec<CertificateName>,
    /// What it may do.
    pub rights: Rights,
    /// How many requests it may send.
    pub quota: Quota,
}

/// Tells a caller's bearer tokens from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRule {
    /// The issuer, one of those that are configured.
    pub issuer: String,
    /// Claims with their values, all of which the token must hold. Never empty: an empty rule would
    /// let in every account of the issuer.
    pub claims: Vec<(String, String)>,
}

impl TokenRule {
    /// Whether a verified token meets the rule.
    pub fn covers(&self, claims: &Claims) -> bool {
        claims.issuer() == self.issuer
            && !self.claims.is_empty()
            && self.claims.iter().all(|(name, value)| claims.holds(name, value))
    }
}

/// How an identity was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: the service has no callers, and its operator lets in every request that reaches
    /// it.
    None,
    /// With an API key.
    ApiKey,
    /// With a bearer token of an issuer.
    Token,
    /// With a client certificate.
    Certificate,
}

impl Proof {
    /// The word for the log.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api-key",
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

/// The caller that a request has proven to come from.
#[derive(Debug, Clone)]
pub struct Identity {
    caller: Arc<RegisteredCaller>,
    proof: Proof,
    key: Option<Box<str>>,
    subject: Option<Box<str>>,
}

/// A caller with its meter.
#[derive(Debug)]
pub(super) struct RegisteredCaller {
    pub(super) caller: Caller,
    pub(super) meter: Option<Arc<Meter>>,
}

impl Identity {
    /// The identity of every request to a service that has no callers: everything is allowed, and
    /// nothing is metered.
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
            proof: Proof::None,
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

    /// How the identity was proven.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The hint of the API key that proved it: the first eight digits of its digest.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// A pseudonym of the token's subject, which tells the people behind one caller apart without
    /// naming them: 16 hexadecimal digits, the same for the same `iss` and `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What the caller may do.
    pub fn rights(&self) -> &Rights {
        &self.caller.caller.rights
    }

    /// How many requests the caller may send; `None` when they are not metered.
    pub fn quota(&self) -> Option<Quota> {
        Some(self.caller.meter.as_ref()?.quota())
    }

    /// Takes one request out of the caller's quota, see [`Meter::take`]; `None` when requests are
    /// not metered.
    pub fn take(&self, now: Instant) -> Option<(Result<QuotaPermit, std::time::Duration>, Standing)> {
        Some(self.caller.meter.as_ref()?.take(now))
    }
}

/// Shortens a digest of issuer and subject: a subject may be an e-mail address, and the log must
/// not name people. To compute it from a subject:
/// `printf '%s %s' ISS SUB | sha256sum | cut -c1-16`.
fn pseudonym(issuer: &str, subject: &str) -> Box<str> {
    let digest = digest::digest(&digest::SHA256, format!("{issuer} {subject}").as_bytes());
    hexadecimal(&digest.as_ref()[..8]).into_boxed_str()
}
