//! What goes with an accepted command to its end.

use std::sync::Arc;

use crate::{
    audit::{self, AuditEvent, AuditTarget},
    http::{body::BodyReservation, principal::Principal},
    service::{CommandObserver, Completed, Instance},
};

/// Goes with an accepted command to its end: keeps what its body holds, and writes the audit line
/// of one that changes a directory.
pub(super) struct AuditGuard {
    pub(super) principal: Principal,
    pub(super) instance: Arc<Instance>,
    /// Whether nothing is to be written of it, or has been already.
    pub(super) is_told: bool,
    pub(super) has_begun: bool,
    pub(super) _reservation: BodyReservation,
}

impl AuditGuard {
    fn audit(&mut self, target: AuditTarget<'_>, outcome: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            let audit_event = AuditEvent {
                instance: Some(self.instance.name()),
                ..self.principal.audit_event()
            };
            audit::performed(audit_event, target, outcome);
        }
    }
}

impl AuditGuard {
    /// Writes that the command was stored: its own end is told when it is carried out.
    pub(super) fn is_deferred(&mut self, operation: &str, is_repeated: bool) {
        let target = AuditTarget {
            operation: Some(operation),
            ..AuditTarget::default()
        };
        self.audit(target, if is_repeated { "accepted before" } else { "accepted" });
    }
}

impl CommandObserver for AuditGuard {
    fn on_start(&mut self) {
        self.has_begun = true;
        if !self.is_told {
            // What the audit line tells comes at the end; should the process be killed before, this
            // is what is left.
            let (command, instance) = (self.principal.audit_event().command, self.instance.name());
            tracing::info!(
                command,
                instance,
                caller = self.principal.identity().name(),
                "a command that changes the directory begins"
            );
        }
    }

    fn on_finish(&mut self, completed: &Completed) {
        let lookup = completed.outcome.lookup();
        let target = AuditTarget {
            directory_id: lookup.and_then(|lookup| lookup.id.as_deref()),
            found_by: lookup.and_then(|lookup| lookup.found),
            looked_by: lookup.map_or(&[], |lookup| &lookup.tried),
            operation: None,
        };
        self.audit(target, completed.outcome.label());
    }
}

impl Drop for AuditGuard {
    fn drop(&mut self) {
        let outcome = match (self.has_begun, std::thread::panicking()) {
            (false, _) => "not run",
            (true, true) => "broke off, what it did is not known",
            (true, false) => "cut off, what it did is not known",
        };
        self.audit(AuditTarget::default(), outcome);
    }
}
