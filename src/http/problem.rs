//! What a request is told that never became a command: RFC 9457 `application/problem+json`.
//!
//! A [`ProblemType`] is the reason, a [`Problem`] the reason with its particulars. Status, title and type
//! follow from the cause alone, so one cause never has two statuses. `type` is `/problems/{cause}`:
//! a full-path relative reference, as RFC 9457 section 3.1.1 asks of relative ones. It is an
//! identifier for programs to branch on (it never changes once released), not a page.
//!
//! Answers may end up in logs and tickets of others, so a detail names fields, parameters and
//! headers, and never a value that the caller sent.

use std::{borrow::Cow, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use crate::http::problem_type::ProblemType;
use crate::json::{JsonError, JsonErrorKind, shown_name};

/// How to prove who one is. Other ways have no scheme that could be named here.
const CHALLENGE: &str = "Bearer realm=\"aws-ilm\"";

/// The media type of every problem (RFC 9457 section 6.1).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused before any command ran, in the form of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "type": "/problems/unknown-argument",
    "title": "Unknown argument",
    "status": 400,
    "detail": "unknown argument `user-profil`; taken here: `user-profile`, `allow-enable`",
    "requestId": "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81",
    "errors": [{"pointer": "/user-profil", "detail": "unknown argument `user-profil`; taken here: `user-profile`, `allow-enable`"}]
}))]
pub struct Problem {
    /// The kind of problem: `/problems/` and its name. Stable; meant for programs.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    kind: &'static str,
    /// The kind of problem in words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status, once more.
    status: u16,
    /// What was wrong this time, and what would be right.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// The id under which this request stands in the logs; also in the `x-request-id` header field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    request_id: Option<Box<str>>,
    /// The parts of the request at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FaultyPart>,
    #[serde(skip)]
    cause: ProblemType,
    #[serde(skip)]
    allow: Option<&'static str>,
    /// Whole seconds; the whole type stays small enough to be returned in a `Result` without a box.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// One part of a request that is at fault: in the body, the query or the header section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultyPart {
    /// Where in the body, as an RFC 6901 JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// Which query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Which header field.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    /// What is wrong with it.
    detail: String,
}

impl Problem {
    fn new(cause: ProblemType, detail: impl Into<Box<str>>) -> Self {
        let (kind, title) = cause.type_and_title();
        Self {
            kind,
            title,
            status: cause.status().as_u16(),
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            cause,
            allow: None,
            retry_after: None,
        }
    }

    /// The body is not one JSON document; `pointer` and `detail` say where and why.
    pub fn not_json(pointer: &str, detail: &str) -> Self {
        Self::new(ProblemType::NotJson, detail).at_pointer(pointer, detail)
    }

    /// The body names an argument that does not exist.
    pub fn unknown_argument(pointer: &str, detail: &str) -> Self {
        Self::new(ProblemType::UnknownArgument, detail).at_pointer(pointer, detail)
    }

    /// An argument has the wrong type or form. `detail` must not quote the value.
    pub fn bad_argument(pointer: &str, detail: &str) -> Self {
        Self::new(ProblemType::BadArgument, detail).at_pointer(pointer, detail)
    }

    /// A required argument is missing; `pointer` is where it should stand.
    pub fn missing_argument(pointer: &str, detail: &str) -> Self {
        Self::new(ProblemType::MissingArgument, detail).at_pointer(pointer, detail)
    }

    /// A query parameter is at fault. `name` may come from the caller and is cut and escaped;
    /// `detail` must not quote the value.
    pub fn bad_parameter(name: &str, detail: &str) -> Self {
        let name = shown_name(name);
        let mut problem = Self::new(ProblemType::BadParameter, format!("query parameter `{name}`: {detail}"));
        problem.errors.push(FaultyPart {
            pointer: None,
            parameter: Some(name),
            header: None,
            detail: detail.to_owned(),
        });
        problem
    }

    /// A header field is missing, doubled or malformed. `detail` must not quote its value.
    pub fn bad_header(name: &'static str, detail: &str) -> Self {
        Self::new(ProblemType::BadHeader, format!("header field `{name}`: {detail}")).at_header(name, detail)
    }

    /// No or no known credentials. Says nothing about why: a guesser learns nothing from it.
    pub fn unauthorised() -> Self {
        let detail = "credentials that are known here are needed: an API key or a token in `Authorization: Bearer`, a key in `X-API-Key`, or a \
                      client certificate";
        Self::new(ProblemType::Unauthorised, detail)
    }

    /// Too many credentials from one address were none, until `retry_after` has passed.
    pub fn too_many_failures(retry_after: Duration) -> Self {
        let detail = "there were too many failed attempts from this address";
        Self::new(ProblemType::TooManyRequests, detail).retry_after(retry_after)
    }

    /// The keys of the token's issuer can't be had; worth another try after `retry_after`.
    pub fn keys_unavailable(retry_after: Duration) -> Self {
        let detail = "the keys of the token's issuer can't be had at the moment; nothing was done";
        Self::new(ProblemType::KeysUnavailable, detail).retry_after(retry_after)
    }

    /// The caller lacks a right; `missing` names that right ("to run iam-get-user") and nothing
    /// about what exists.
    pub fn forbidden(missing: &str) -> Self {
        Self::new(ProblemType::Forbidden, format!("the caller lacks the right {missing}"))
    }

    /// No route has this path.
    pub fn no_such_route() -> Self {
        Self::new(
            ProblemType::NoSuchRoute,
            "there is nothing under this path; /openapi.json lists what there is",
        )
    }

    /// No instance uses a mapper of the name asked for.
    pub fn no_such_mapper() -> Self {
        Self::new(
            ProblemType::NoSuchMapper,
            "no instance uses a mapper of this name, this way round; GET /mappers lists those in use",
        )
    }

    /// No instance of the name asked for, or none that this caller may know of.
    pub fn no_such_instance() -> Self {
        let mut problem = Self::new(ProblemType::NoSuchInstance, "there is no instance of this name");
        problem.errors.push(FaultyPart {
            pointer: None,
            parameter: Some("instance".to_owned()),
            header: None,
            detail: "names no configured instance".to_owned(),
        });
        problem
    }

    /// The method is not offered. `allow` lists those that are; the router fills it in where `None`
    /// is given.
    pub fn method_not_allowed(allow: Option<&'static str>) -> Self {
        let mut problem = Self::new(
            ProblemType::MethodNotAllowed,
            "the method is not offered here; the Allow header field lists those that are",
        );
        problem.allow = allow;
        problem
    }

    /// No representation on offer satisfies `Accept`; `offered` lists what there is.
    pub fn not_acceptable(offered: &str) -> Self {
        let detail = format!("only {offered} can be given");
        Self::new(ProblemType::NotAcceptable, detail.clone()).at_header("Accept", &detail)
    }

    /// The body did not arrive whole within `limit`.
    pub fn request_timeout(limit: Duration) -> Self {
        Self::new(
            ProblemType::RequestTimeout,
            format!("the body did not arrive whole within {} s", limit.as_secs_f64()),
        )
    }

    /// The body is longer than `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(ProblemType::BodyTooLarge, format!("a body has at most {limit} bytes"))
    }

    /// The request target is longer than `limit` bytes.
    pub fn target_too_long(limit: usize) -> Self {
        Self::new(
            ProblemType::TargetTooLong,
            format!("a request target has at most {limit} bytes"),
        )
    }

    /// The body is not declared as JSON in UTF-8.
    pub fn unsupported_media_type(detail: &str) -> Self {
        Self::new(ProblemType::UnsupportedMediaType, detail).at_header("Content-Type", detail)
    }

    /// The body is compressed.
    pub fn unsupported_encoding() -> Self {
        let detail = "a body is taken uncompressed only";
        Self::new(ProblemType::UnsupportedEncoding, detail).at_header("Content-Encoding", detail)
    }

    /// The request names a host that this service is not.
    pub fn misdirected() -> Self {
        let detail = "this service does not answer to that host name; its operator can allow it";
        Self::new(ProblemType::Misdirected, detail).at_header("Host", detail)
    }

    /// The caller is over its limit until `retry_after` has passed.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::new(ProblemType::TooManyRequests, "too many requests from this caller").retry_after(retry_after)
    }

    /// The header section is longer than `limit` bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        Self::new(
            ProblemType::HeadersTooLarge,
            format!("a header section has at most {limit} bytes"),
        )
    }

    /// A fault of ours. Says nothing about what happened: the log does, under the request id.
    pub fn internal() -> Self {
        Self::new(
            ProblemType::Internal,
            "something went wrong here; the logs say what, under the request id",
        )
    }

    /// As much is being worked on as can be; worth another try after `retry_after`.
    pub fn busy(retry_after: Duration) -> Self {
        Self::new(
            ProblemType::Busy,
            "as much is being worked on as can be; nothing was done",
        )
        .retry_after(retry_after)
    }

    /// The service is stopping; another replica, or this one after `retry_after`, can be asked.
    pub fn shutting_down(retry_after: Duration) -> Self {
        Self::new(
            ProblemType::ShuttingDown,
            "the service is shutting down; nothing was done",
        )
        .retry_after(retry_after)
    }

    /// The reason.
    pub fn cause(&self) -> ProblemType {
        self.cause
    }

    /// The same problem, bearing the id of the request that it answers.
    pub fn with_request_id(mut self, id: &str) -> Self {
        self.request_id = Some(id.into());
        self
    }

    fn at_pointer(mut self, pointer: &str, detail: &str) -> Self {
        let (pointer, detail) = (Some(pointer.to_owned()), detail.to_owned());
        self.errors.push(FaultyPart {
            pointer,
            parameter: None,
            header: None,
            detail,
        });
        self
    }

    fn at_header(mut self, name: &'static str, detail: &str) -> Self {
        let (header, detail) = (Some(name.to_owned()), detail.to_owned());
        self.errors.push(FaultyPart {
            pointer: None,
            parameter: None,
            header,
            detail,
        });
        self
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        // Never "at once": that would be an invitation to knock without pause.
        self.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX).max(1));
        self
    }

    /// The header fields that RFC 9110 asks for with this status.
    fn header_fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let (name, value): (HeaderName, Cow<'static, str>) = match self.cause {
            // Section 15.5.2 wants a challenge with every 401, RFC 6750 section 3 a parameter in
            // it.
            ProblemType::Unauthorised => (header::WWW_AUTHENTICATE, CHALLENGE.into()),
            // Section 15.5.6. axum's router adds its own list when there is none yet.
            ProblemType::MethodNotAllowed => match self.allow {
                Some(allow) => (header::ALLOW, allow.into()),
                None => return fields,
            },
            // Section 15.5.16: Accept for a type, Accept-Encoding for a coding.
            ProblemType::UnsupportedMediaType => (header::ACCEPT, "application/json".into()),
            ProblemType::UnsupportedEncoding => (header::ACCEPT_ENCODING, "identity".into()),
            // Sections 10.2.3 and 15.6.4; RFC 6585 section 4.
            ProblemType::TooManyRequests
            | ProblemType::KeysUnavailable
            | ProblemType::Busy
            | ProblemType::ShuttingDown => (header::RETRY_AFTER, self.retry_after.unwrap_or(1).to_string().into()),
            ProblemType::NotJson
            | ProblemType::UnknownArgument
            | ProblemType::BadArgument
            | ProblemType::MissingArgument
            | ProblemType::BadParameter
            | ProblemType::BadHeader
            | ProblemType::Forbidden
            | ProblemType::NoSuchRoute
            | ProblemType::NoSuchMapper
            | ProblemType::NoSuchInstance
            | ProblemType::NotAcceptable
            | ProblemType::RequestTimeout
            | ProblemType::BodyTooLarge
            | ProblemType::TargetTooLong
            | ProblemType::Misdirected
            | ProblemType::HeadersTooLarge
            | ProblemType::Internal => return fields,
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            fields.insert(name, value);
        }
        fields
    }
}

impl From<JsonError> for Problem {
    fn from(fault: JsonError) -> Self {
        match fault.kind {
            JsonErrorKind::Syntax => Self::not_json(&fault.pointer, &fault.message),
            JsonErrorKind::UnknownField => Self::unknown_argument(&fault.pointer, &fault.message),
            JsonErrorKind::MissingField => Self::missing_argument(&fault.pointer, &fault.message),
            JsonErrorKind::BadValue => Self::bad_argument(&fault.pointer, &fault.message),
        }
    }
}

/// The problem also travels in the response's extensions: the outermost layer, which knows the
/// request id, writes it anew with it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("strings and numbers always serialise");
        let mut response = (self.cause.status(), self.header_fields(), body).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use axum::body::to_bytes;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn a_problem_is_told_in_the_form_of_rfc_9457() {
        let response = Problem::unknown_argument("/a", "unknown argument `a`")
            .with_request_id("r-1")
            .into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "/problems/unknown-argument", "title": "Unknown argument", "status": 400,
                "detail": "unknown argument `a`", "requestId": "r-1",
                "errors": [{"pointer": "/a", "detail": "unknown argument `a`"}],
            })
        );
    }

    #[test]
    fn every_cause_is_listed_once_under_its_own_type_with_an_error_status() {
        let types: HashSet<_> = ProblemType::ALL.iter().map(|cause| cause.type_and_title().0).collect();
        assert_eq!(types.len(), ProblemType::ALL.len());
        for cause in ProblemType::ALL {
            assert!(
                cause.status().is_client_error() || cause.status().is_server_error(),
                "{cause:?}"
            );
            let response = Problem::new(cause, "x").into_response();
            assert_eq!(
                (response.status(), &response.headers()["content-type"]),
                (cause.status(), &MEDIA_TYPE.parse().unwrap())
            );
        }
    }

    #[test]
    fn header_fields_that_rfc_9110_wants_are_there() {
        for (problem, name, value) in [
            (Problem::method_not_allowed(Some("GET, HEAD")), "allow", "GET, HEAD"),
            (Problem::unsupported_media_type("x"), "accept", "application/json"),
            (Problem::unsupported_encoding(), "accept-encoding", "identity"),
            (Problem::unauthorised(), "www-authenticate", "Bearer realm=\"aws-ilm\""),
            (Problem::busy(Duration::ZERO), "retry-after", "1"),
            (
                Problem::too_many_requests(Duration::from_millis(1500)),
                "retry-after",
                "2",
            ),
            (Problem::shutting_down(Duration::from_secs(5)), "retry-after", "5"),
        ] {
            assert_eq!(problem.into_response().headers()[name], value);
        }
    }

    #[test]
    fn a_callers_name_can_neither_break_a_line_nor_fill_a_page() {
        let problem = Problem::bad_parameter(&format!("a\r\nX: 1{}", "y".repeat(1000)), "unknown");
        assert!(problem.detail.len() < 200);
        assert!(!problem.detail.contains(['\r', '\n']));
    }
}
