//! The audit log: one line for every refusal and for every write, under the target `audit`, which
//! no log filter takes out.
//!
//! It has the caller (by its configured name), how that was proven, from which address, what was
//! wanted on which instance, what was decided, and what came of it. It holds no personal data but
//! the network address and, of a token, a pseudonym of its subject: no profile, no name, no claim,
//! no key.

mod request_id;

use std::net::IpAddr;

pub use request_id::RequestId;

use crate::{auth::Identity, telemetry::traces};

/// The request and its caller, as far as they are known when a line is written.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvent<'a> {
    /// Under which id the request stands in the log.
    pub request_id: &'a RequestId,
    /// The caller; `None` where it proved nothing.
    pub caller: Option<&'a Identity>,
    /// From where.
    pub address: IpAddr,
    /// The route's template.
    pub route: &'a str,
    /// The command's name.
    pub command: Option<&'a str>,
    /// The configured name of the instance; never a name that the caller made up.
    pub instance: Option<&'a str>,
}

/// Writes one line at this level, with these fields more. A macro, since each is an event of its
/// own for `tracing`.
macro_rules! write_line {
    ($level:ident, $audit_event:expr, $($more:tt)*) => {{
        let AuditEvent { request_id, caller, address, route, command, instance } = $audit_event;
        // Outside the request's span, which has the id as well.
        tracing::$level!(
            target: "audit",
            parent: None::<tracing::Id>,
            request_id = request_id.as_str(),
            trace_id = traces::current_id(),
            caller = caller.map_or("-", Identity::name),
            proof = caller.map_or("none", |caller| caller.proof().label()),
            key = caller.and_then(Identity::key),
            subject = caller.and_then(Identity::subject),
            %address, route, command, instance, $($more)*
        );
    }};
}

/// Writes that a request was refused, and why.
pub fn refused(audit_event: AuditEvent<'_>, reason: &str) {
    write_line!(warn, audit_event, decision = "refused", reason, "refused");
}

/// Writes that a webhook of this source was stored, or an event of it read again, under these ids.
pub fn received<'a>(audit_event: AuditEvent<'_>, source: &str, events: impl Iterator<Item = &'a str>) {
    let events: Vec<_> = events.collect();
    let events = events.join(" ");
    write_line!(
        info,
        audit_event,
        source_name = source,
        decision = "allowed",
        events,
        "received"
    );
}

/// Writes that a caller decided on an operation that was held.
pub fn decided(audit_event: AuditEvent<'_>, operation: &str, instance: &str, decided: &'static str) {
    let audit_event = AuditEvent {
        instance: Some(instance),
        ..audit_event
    };
    write_line!(info, audit_event, decision = "allowed", operation, decided);
}

/// What a write was done to: the directory's id, and by which key it was found; never the key's
/// value.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditTarget<'a> {
    /// The directory's id of the user or group.
    pub directory_id: Option<&'a str>,
    /// The key that found it.
    pub found_by: Option<&'a str>,
    /// The keys that were tried; told where none found it.
    pub looked_by: &'a [&'static str],
    /// The id of the operation that the command was stored as.
    pub operation: Option<&'a str>,
}

impl AuditTarget<'_> {
    /// The keys that were tried in vain.
    fn tried(&self) -> Option<String> {
        let is_absent = self.directory_id.is_none() && !self.looked_by.is_empty();
        is_absent.then(|| self.looked_by.join(", "))
    }
}

/// Writes that a command that changes a directory was accepted, to what it was done, and how it
/// ended.
pub fn performed(audit_event: AuditEvent<'_>, target: AuditTarget<'_>, outcome: &str) {
    let looked_by = target.tried();
    let AuditTarget {
        directory_id,
        found_by,
        operation,
        ..
    } = target;
    write_line!(
        info,
        audit_event,
        decision = "allowed",
        outcome,
        directory_id,
        found_by,
        looked_by,
        operation,
        "performed"
    );
}

/// Writes that a stored operation was carried out, to what, and how it ended. Its caller was let in
/// when it was accepted.
pub fn carried_out(caller: Option<&str>, command: &str, instance: &str, target: AuditTarget<'_>, outcome: &str) {
    let looked_by = target.tried();
    let AuditTarget {
        directory_id,
        found_by,
        operation,
        ..
    } = target;
    tracing::info!(
        target: "audit",
        trace_id = traces::current_id(),
        caller = caller.unwrap_or("-"),
        command,
        instance,
        decision = "allowed",
        outcome,
        directory_id,
        found_by,
        looked_by,
        operation,
        "performed"
    );
}

/// Writes that a client certificate did not verify, so that there is no request at all.
pub fn handshake_refused(address: IpAddr, reason: &str) {
    tracing::warn!(target: "audit", %address, proof = "certificate", decision = "refused", reason, "refused");
}

/// Writes how many failed authentications have no line of their own.
pub fn slowed(failures: u64) {
    tracing::warn!(
        target: "audit",
        decision = "refused", failures, "failed authentications were slowed and are not told one by one"
    );
}
