//! The proven caller of a request, in the hands of the handler that answers it: to be asked for the
//! rights that the answer takes.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    http::request::Parts,
};
use ipnet::IpNet;

use super::{address::address_of, credentials::RequestCredentials, problem::Problem};
use crate::{
    audit::{self, AuditEvent, RequestId},
    auth::{AuthenticationError, Authenticator, Identity, OperationRight, QuotaPermit},
};

/// How long a caller is asked to wait for the keys of an issuer.
pub(super) const KEYS_RETRY: Duration = Duration::from_secs(5);

/// Within this time after a caller was recognised its credentials are not checked again, unless the
/// callers were replaced.
const FRESH: Duration = Duration::from_secs(1);

/// The caller of a request, as far as that is proven.
#[derive(Debug, Clone)]
pub struct Principal {
    identity: Identity,
    origin: Origin,
    /// `None` where the service has no callers.
    recognition: Option<Arc<Recognition>>,
    /// The place in the caller's quota, kept as long as anything that was accepted for the request
    /// is at work.
    _permit: Option<Arc<QuotaPermit>>,
}

/// What an audit line says of every request.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) address: IpAddr,
    request_id: RequestId,
    route: Box<str>,
}

/// A caller that was recognised, before anything was counted of its quota.
pub(super) struct Recognised {
    pub(super) identity: Identity,
    recognition: Recognition,
}

/// How and when a caller was recognised. Its body may take long to arrive, and the caller may have
/// been removed, or its credentials have expired, by then.
#[derive(Debug)]
struct Recognition {
    authenticator: Arc<Authenticator>,
    credentials: RequestCredentials,
    generation: u64,
    at: Instant,
}

impl Origin {
    pub(super) fn of(request: &Request, trusted_proxies: &[IpNet]) -> Self {
        let extensions = request.extensions();
        let route = extensions.get::<MatchedPath>().map_or("-", MatchedPath::as_str);
        Self {
            address: address_of(extensions, request.headers(), trusted_proxies),
            request_id: extensions.get().cloned().unwrap_or_else(RequestId::generate),
            route: route.into(),
        }
    }

    /// What an audit line says of a request of this caller.
    pub(super) fn audit_event<'a>(&'a self, caller: Option<&'a Identity>) -> AuditEvent<'a> {
        AuditEvent {
            request_id: &self.request_id,
            caller,
            address: self.address,
            route: &self.route,
            command: self.route.strip_prefix("/commands/"),
            instance: None,
        }
    }
}

impl Recognised {
    /// Finds the caller that a request's credentials prove.
    ///
    /// # Errors
    /// When they prove none.
    pub(super) async fn find(
        authenticator: &Arc<Authenticator>,
        credentials: RequestCredentials,
    ) -> Result<Self, AuthenticationError> {
        // Before the look-up: callers that are replaced during it are looked up again.
        let generation = authenticator.generation();
        let identity = credentials.identify(authenticator).await?;
        let recognition = Recognition {
            authenticator: Arc::clone(authenticator),
            credentials,
            generation,
            at: Instant::now(),
        };
        Ok(Self { identity, recognition })
    }
}

impl Principal {
    /// The caller of a service that has no callers.
    pub(super) fn anonymous(identity: Identity, origin: Origin) -> Self {
        Self {
            identity,
            origin,
            recognition: None,
            _permit: None,
        }
    }

    pub(super) fn new(caller: Recognised, origin: Origin, permit: Option<QuotaPermit>) -> Self {
        Self {
            identity: caller.identity,
            origin,
            recognition: Some(Arc::new(caller.recognition)),
            _permit: permit.map(Arc::new),
        }
    }

    /// The caller with its name, proof and rights.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether an instance of this name is there, for this principal.
    pub fn can_see(&self, instance: &str) -> bool {
        self.identity.rights().instances.include(instance)
    }

    /// Re-authenticates the caller if the callers were replaced, or credentials may have expired,
    /// while the body was uploading. Its rights are then what they are now.
    ///
    /// # Errors
    /// When the credentials prove no caller any more.
    pub async fn reauthenticate(&mut self) -> Result<(), Problem> {
        let Some(recognition) = &self.recognition else {
            return Ok(());
        };
        if recognition.generation == recognition.authenticator.generation() && recognition.at.elapsed() < FRESH {
            return Ok(());
        }
        match recognition.credentials.identify(&recognition.authenticator).await {
            Ok(identity) => {
                self.identity = identity;
                Ok(())
            }
            Err(refusal) => {
                let reason = format!("{refusal}, by the time that the request had arrived");
                audit::refused(self.audit_event(), &reason);
                Err(if matches!(refusal, AuthenticationError::KeysUnavailable) {
                    Problem::keys_unavailable(KEYS_RETRY)
                } else {
                    Problem::unauthorised()
                })
            }
        }
    }

    /// Requires the right to run a command, on whichever instance.
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

    /// Requires the right to an instance that was named, or to the default one; `None` is one that
    /// was named and is not there.
    ///
    /// # Errors
    /// When the right is missing. For an instance that was named the problem is the same as for one
    /// that is not there.
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

    /// Audits that an instance was hidden from the principal, or that it named one that is not
    /// there. It is the same line, so that neither the time it takes nor the answer shows which it
    /// was.
    pub fn audit_hidden(&self, instance: Option<&str>) {
        if self.recognition.is_some() {
            audit::refused(
                AuditEvent {
                    instance,
                    ..self.audit_event()
                },
                "lacks the right to the instance",
            );
        }
    }

    /// Requires the right to see how the service is doing.
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

    /// Requires the right to read the metrics.
    ///
    /// # Errors
    /// When it is missing: 403, naming it.
    pub fn require_metrics(&self) -> Result<(), Problem> {
        if self.identity.rights().metrics {
            return Ok(());
        }
        audit::refused(self.audit_event(), "lacks the right to the metrics");
        Err(Problem::forbidden("to the metrics"))
    }

    /// Requires the right to sources and what they sent.
    ///
    /// # Errors
    /// When it is missing: 403, naming it.
    pub fn require_sources(&self) -> Result<(), Problem> {
        if self.identity.rights().sources {
            return Ok(());
        }
        audit::refused(self.audit_event(), "lacks the right to sources");
        Err(Problem::forbidden("to sources"))
    }

    /// Requires the right to release what is held.
    ///
    /// # Errors
    /// When it is missing: 403, naming it.
    pub fn require_release(&self) -> Result<(), Problem> {
        if self.identity.rights().release {
            return Ok(());
        }
        audit::refused(self.audit_event(), "lacks the right to release operations");
        Err(Problem::forbidden("to release operations"))
    }

    /// The configured name of the caller; none where the service has no callers.
    pub fn caller_name(&self) -> Option<&str> {
        self.recognition.as_ref().map(|_| self.identity.name())
    }

    /// Requires a right to the operations of others.
    ///
    /// # Errors
    /// When it is missing: 403, naming it.
    pub fn require_operations(&self, right: OperationRight) -> Result<(), Problem> {
        if self.identity.rights().operations >= right {
            return Ok(());
        }
        audit::refused(self.audit_event(), "lacks the right to manage operations of others");
        Err(Problem::forbidden("to manage the operations of others"))
    }

    /// What an audit line says of the principal.
    pub fn audit_event(&self) -> AuditEvent<'_> {
        self.origin.audit_event(Some(&self.identity))
    }
}

/// Refuses with a fault of ours where the guard was left out: a request without a proven caller
/// must not be taken for one that every right belongs to.
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(Problem::internal)
    }
}
