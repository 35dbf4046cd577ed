//! What is told of each attempt of a request to a directory: never its target, which names people.

use tokio::time::Instant;
use tracing::Span;

use super::{ErrorKind, Request, ScimError, answer::Answer, transport::Transport};
use crate::telemetry::{
    metrics::{self, ClientRequest},
    traces,
};

/// An attempt that is being made.
pub(super) struct ObservedAttempt<'a> {
    transport: &'a Transport,
    request: &'a Request,
    began: Instant,
    /// What its exchange is a part of.
    pub(super) span: Span,
}

impl<'a> ObservedAttempt<'a> {
    pub(super) fn begin(transport: &'a Transport, request: &'a Request) -> Self {
        Self {
            transport,
            request,
            began: Instant::now(),
            span: traces::call(
                request.api.name(),
                request.method.as_str(),
                transport.base.host_str().unwrap_or_default(),
                &transport.name,
            ),
        }
    }

    /// Tells how it ended.
    pub(super) fn end(self, answer: &Result<Answer, ScimError>) {
        let base = &self.transport.base;
        let (status, request_id) = match answer {
            Ok(answer) => (Some(answer.status.as_u16()), answer.request_id()),
            Err(error) => (error.status(), error.request_id.clone()),
        };
        let error = answer.as_ref().err().and_then(|error| error_type(error.kind));
        traces::call_ended(&self.span, status, error, request_id.as_deref());
        metrics::client_request(ClientRequest {
            instance: &self.transport.name,
            api: self.request.api.name(),
            method: self.request.method.as_str(),
            host: base.host_str().unwrap_or_default(),
            port: base.port_or_known_default().unwrap_or_default(),
            status,
            error,
            took: self.began.elapsed(),
        });
    }
}

/// What went wrong, where no status says it.
fn error_type(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Connect => Some("connect"),
        ErrorKind::Timeout => Some("timeout"),
        ErrorKind::Broken => Some("broken"),
        ErrorKind::Unreadable => Some("unreadable"),
        ErrorKind::Expired => Some("expired"),
        ErrorKind::Congested => Some("congested"),
        ErrorKind::CircuitOpen => Some("circuit_open"),
        ErrorKind::Throttled | ErrorKind::Absent | ErrorKind::WrongUrl | ErrorKind::Status(_) => None,
    }
}
