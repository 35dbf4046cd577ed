//! The id, the span and the one access line of every request.
//!
//! The line never holds the raw path, the query, header fields or the body: they may name people.
//! It has the route's template, and what the handler left in an [`AccessRecord`].

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use crate::{
    audit::RequestId,
    http::problem::{Problem, ProblemType},
    telemetry::{
        metrics::{self, ServerRequest},
        traces,
    },
};

/// The header field in which a request's id comes and goes.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What stands for a method that is not known.
const OTHER: &str = "other";

/// The caller's id where the request has exactly one usable one, else a new one.
pub fn request_id_of(headers: &HeaderMap) -> RequestId {
    let mut fields = headers.get_all(REQUEST_ID).iter();
    match (fields.next().and_then(|field| field.to_str().ok()), fields.next()) {
        (Some(text), None) => RequestId::parse(text).unwrap_or_else(RequestId::generate),
        (_, _) => RequestId::generate(),
    }
}

/// What a handler adds to the access line, left in its response's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRecord {
    /// The command's name.
    pub command: Option<&'static str>,
    /// The instance's configured name; never a name that the caller made up.
    pub instance: Option<String>,
    /// How the command ended, in one word.
    pub outcome: Option<&'static str>,
    /// How many calls the directory got.
    pub upstream_calls: Option<u64>,
    /// Whether it was a dry run.
    pub dry_run: Option<bool>,
}

/// The configured name of the caller that was answered, left in a response's extensions.
#[derive(Debug, Clone)]
pub struct CallerName(pub Arc<str>);

/// Keeps a response's access line out of the log, left in its extensions: a flood is counted and
/// not logged one by one.
#[derive(Debug, Clone, Copy)]
pub struct Unlogged;

/// The outermost layer: gives the request its id and its span, writes the id into the answer, and
/// the access line into the log.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let id = request_id_of(request.headers());
    let version = request.version();
    let mut line = AccessLine::begin(&request, id.clone());
    let span = if traces::is_on() {
        let route = line.route.as_ref().map(MatchedPath::as_str);
        traces::request(id.as_str(), line.method, route, request.headers())
    } else {
        tracing::info_span!("request", request_id = %id)
    };
    line.trace_id = traces::id_of(&span);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    traces::answered(&span, response.status().as_u16());
    let problem = response.extensions_mut().remove::<Problem>();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    line.end(&mut response, problem.as_ref());
    match problem {
        Some(problem) => with_request_id(problem, &id, version, response),
        None => response,
    }
}

/// Writes a problem once more, now with the request's id.
fn with_request_id(problem: Problem, id: &RequestId, version: Version, mut response: Response) -> Response {
    // HTTP/2 has no such field (RFC 9113 section 8.2.2); there the stream alone is at fault.
    if problem.problem_type().closes_connection() && version <= Version::HTTP_11 {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let Ok(body) = serde_json::to_vec(&problem.with_request_id(id.as_str())) else {
        return response;
    };
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
    response
}

/// One line a request, written when it is answered; or, when the caller hung up before, on being
/// dropped.
struct AccessLine {
    id: RequestId,
    method: &'static str,
    route: Option<MatchedPath>,
    begin: Instant,
    /// The trace that the request belongs to, where traces are sent.
    trace_id: Option<String>,
    on_finish: bool,
}

impl AccessLine {
    fn begin(request: &Request, id: RequestId) -> Self {
        let route = request.extensions().get().cloned();
        Self {
            id,
            method: known_method(request.method()),
            route,
            begin: Instant::now(),
            trace_id: None,
            on_finish: false,
        }
    }

    fn end(mut self, response: &mut Response, problem: Option<&Problem>) {
        self.on_finish = true;
        let problem_type = problem.map(Problem::problem_type);
        let failed = problem_type.filter(|problem| problem.status().is_server_error());
        self.count(Some(response.status().as_u16()), failed.map(ProblemType::name));
        if response.extensions_mut().remove::<Unlogged>().is_some() {
            return;
        }
        let record = response.extensions_mut().remove::<AccessRecord>().unwrap_or_default();
        self.write(
            Some(response.status().as_u16()),
            response.extensions().get().map(|CallerName(name)| &**name),
            &record,
            problem.map(|problem| problem.problem_type().uri()),
        );
    }

    fn count(&self, status: Option<u16>, error: Option<&'static str>) {
        metrics::server_request(ServerRequest {
            // The semantic conventions' word for a method that is made up.
            method: if self.method == OTHER { "_OTHER" } else { self.method },
            route: self.route.as_ref().map(MatchedPath::as_str),
            status,
            error,
            took: self.begin.elapsed(),
        });
    }

    fn write(&self, status: Option<u16>, caller: Option<&str>, record: &AccessRecord, problem: Option<&'static str>) {
        tracing::info!(
            target: "access",
            request_id = self.id.as_str(),
            trace_id = self.trace_id,
            method = self.method,
            route = self.route.as_ref().map_or("-", MatchedPath::as_str),
            status,
            caller,
            duration_ms = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX),
            command = record.command,
            instance = record.instance,
            outcome = record.outcome,
            upstream_calls = record.upstream_calls,
            dry_run = record.dry_run,
            problem,
            "{}", if self.on_finish { "answered" } else { "the caller hung up" }
        );
    }
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        if !self.on_finish {
            self.count(None, None);
            self.write(None, None, &AccessRecord::default(), None);
        }
    }
}

/// A caller can make up a method; only those of RFC 9110 and PATCH are logged by name.
fn known_method(method: &Method) -> &'static str {
    let known = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    known
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_usable_id_is_taken_over_and_anything_else_replaced() {
        let of = |ids: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for id in ids {
                headers.append(REQUEST_ID, HeaderValue::from_bytes(id).unwrap());
            }
            request_id_of(&headers)
        };
        assert_eq!(of(&[b"r-1"]).as_str(), "r-1");
        let refused: [&[&[u8]]; 4] = [&[], &[b"a b"], &[b"\xc3\xa9"], &[b"a", b"a"]];
        for ids in refused {
            assert_eq!(of(ids).as_str().len(), 36, "{ids:?}");
        }
    }

    #[test]
    fn a_made_up_method_is_not_told() {
        assert_eq!(known_method(&Method::PATCH), "PATCH");
        assert_eq!(known_method(&Method::from_bytes(b"BJENSEN").unwrap()), "other");
    }
}
