//! Who sent a request, in the hands of whoever answers it: to be asked for the rights that it
//! takes.

use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::FromRequestParts, http::request::Parts};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    audit::{self, AuditEvent, RequestId},
    auth::{
        AuthenticationError, Authenticator, CertificateNames, Credentials, Identity, PresentedCredentials, QuotaPermit,
    },
    http::problem::Problem,
    net::tls::ClientCertificate,
};

/// How long a caller is asked to wait for the keys of an issuer.
pub(super) const KEYS_RETRY: Duration = Duration::from_secs(5);

/// For so long whoever was recognised needs no second look, unless the callers were replaced.
const FRESH: Duration = Duration::from_secs(1);

/// Whoever sent a request, as far as that is proven.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(super) identity: Identity,
    pub(super) address: IpAddr,
    pub(super) request_id: RequestId,
    pub(super) route: Box<str>,
    /// What it takes to recognise it once more; `None` where nobody has to be.
    pub(super) reauthentication: Option<Arc<Reauthentication>>,
    /// Its place in the caller's quota: kept as long as anything that was accepted for it is at
    /// work.
    pub(super) _held: Option<Arc<QuotaPermit>>,
}

impl Principal {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether an instance of this name is there, for this principal.
    pub fn can_see(&self, instance: &str) -> bool {
        self.identity.rights().instances.include(instance)
    }

    /// Makes sure that it is still somebody, and still the same, when what it sent has arrived: if
    /// the callers were replaced meanwhile, or if it took so long that a key, a token or a
    /// certificate may have ceased to be good, it is recognised anew, and its rights are what they
    /// are now.
    ///
    /// # Errors
    /// When it is not recognised any more.
    pub async fn reauthenticate(&mut self) -> Result<(), Problem> {
        let Some(reauthentication) = &self.reauthentication else {
            return Ok(());
        };
        if reauthentication.is_fresh() {
            return Ok(());
        }
        match reauthentication.identify().await {
            Ok(identity) => {
                self.identity = identity;
                Ok(())
            }
            Err(refusal) => {
                audit::refused(
                    self.audit_event(),
                    &format!("{refusal}, by the time that the request had arrived"),
                );
                Err(match refusal {
                    AuthenticationError::KeysUnavailable => Problem::keys_unavailable(KEYS_RETRY),
                    AuthenticationError::NoCredentials
                    | AuthenticationError::Malformed
                    | AuthenticationError::UnknownKey
                    | AuthenticationError::ExpiredKey(_)
                    | AuthenticationError::Token(_)
                    | AuthenticationError::UnmatchedToken
                    | AuthenticationError::UnmatchedCertificate => Problem::unauthorised(),
                })
            }
        }
    }

    /// Asks for the right to run a command, wherever.
    ///
    /// # Errors
    /// When it is missing: 403, naming it.
    pub fn require_command(&self, command: &str, writes: bool) -> Result<(), Problem> {
        if self.identity.rights().may_run(command, writes) {
            return Ok(());
        }
        audit::refused(
            AuditEvent {
                command: Some(command),
                ..self.audit_event()
            },
            "lacks the right to the command",
        );
        Err(Problem::forbidden(&format!("to run {command}")))
    }

    /// Asks for the right to an instance that was named, or to the default one; `None` is one that
    /// was named and is not there.
    ///
    /// # Errors
    /// When the right is missing. An instance that was named is then told to be not there, in the
    /// words that one that is not there is told in.
    pub fn require_instance(&self, instance: Option<&str>, is_named: bool) -> Result<(), Problem> {
        if instance.is_some_and(|instance| self.can_see(instance)) {
            return Ok(());
        }
        self.audit_hidden(instance);
        Err(if is_named {
            Problem::no_such_instance()
        } else {
            Problem::forbidden("to the default instance; name one of its own with `?instance=`")
        })
    }

    /// Writes down that something was kept from the principal because of the instance that it belongs
    /// to, or that names one that is not there. It is the same line, so that the time it takes
    /// tells the two apart as little as the answer does.
    pub fn audit_hidden(&self, instance: Option<&str>) {
        if self.reauthentication.is_some() {
            audit::refused(
                AuditEvent {
                    instance,
                    ..self.audit_event()
                },
                "lacks the right to the instance",
            );
        }
    }

    /// Asks for the right to see how the service is doing.
    ///
    /// # Errors
    /// When it is missing: 403, naming it.
    pub fn require_administration(&self) -> Result<(), Problem> {
        if self.identity.rights().administration {
            return Ok(());
        }
        audit::refused(self.audit_event(), "lacks the right of administration");
        Err(Problem::forbidden("of administration"))
    }

    /// What an audit line says of the principal.
    pub fn audit_event(&self) -> AuditEvent<'_> {
        AuditEvent {
            caller: Some(&self.identity),
            ..self.anonymous_event()
        }
    }

    pub(super) fn anonymous_event(&self) -> AuditEvent<'_> {
        AuditEvent {
            request_id: &self.request_id,
            caller: None,
            address: self.address,
            route: &self.route,
            command: self.route.strip_prefix("/commands/"),
            instance: None,
        }
    }
}

/// What was presented, and to whom and when: a body may take long to arrive, and its sender may
/// have been taken out meanwhile.
pub(super) struct Reauthentication {
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) generation: u64,
    pub(super) presented: Option<OwnedCredentials>,
    pub(super) client: Option<ClientCertificate>,
    pub(super) recognised: Instant,
}

/// What a header section presented, kept beyond it.
pub(super) enum OwnedCredentials {
    Key(SecretString),
    Bearer(SecretString),
    Malformed,
}

impl OwnedCredentials {
    pub(super) fn of(presented: PresentedCredentials<'_>) -> Self {
        match presented {
            PresentedCredentials::Key(text) => Self::Key(text.into()),
            PresentedCredentials::Bearer(text) => Self::Bearer(text.into()),
            PresentedCredentials::Malformed => Self::Malformed,
        }
    }

    fn presented(&self) -> PresentedCredentials<'_> {
        match self {
            Self::Key(text) => PresentedCredentials::Key(text.expose_secret()),
            Self::Bearer(text) => PresentedCredentials::Bearer(text.expose_secret()),
            Self::Malformed => PresentedCredentials::Malformed,
        }
    }
}

impl Reauthentication {
    fn is_fresh(&self) -> bool {
        self.generation == self.authenticator.generation() && self.recognised.elapsed() < FRESH
    }

    pub(super) async fn identify(&self) -> Result<Identity, AuthenticationError> {
        let certificate = self.client.as_ref().and_then(names_of);
        let credentials = Credentials {
            presented: self.presented.as_ref().map(OwnedCredentials::presented),
            certificate: certificate.as_ref(),
        };
        self.authenticator.identify(credentials).await
    }
}

/// The names that a certificate proves, as long as it verifies.
fn names_of(certificate: &ClientCertificate) -> Option<CertificateNames> {
    CertificateNames::from_der(certificate.verified()?)
        .inspect_err(|error| tracing::debug!("a client's certificate proves nothing: {error}"))
        .ok()
}

impl fmt::Debug for Reauthentication {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Renewal")
    }
}

/// Refuses with a fault of ours where the guard was left out: better nobody than anybody.
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(Problem::internal)
    }
}
