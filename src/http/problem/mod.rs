//! The answer to a request that never became a command: RFC 9457 `application/problem+json`.
//!
//! A [`ProblemType`] is the reason, a [`Problem`] the reason with its particulars. Status, title
//! and `type` follow from the reason alone, so one reason never has two statuses. `type` is a
//! full-path relative reference, as RFC 9457 section 3.1.1 asks of relative ones. It is an
//! identifier for programs to branch on (it never changes once released), and the address of a page
//! about it.
//!
//! Answers may end up in logs and tickets of others, so a detail names fields, parameters and
//! headers, and never a value that the caller sent.

mod reasons;
mod webhooks;

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use crate::http::problem_type::ProblemType;
use crate::json::{JsonError, JsonErrorKind};

/// The media type of every problem (RFC 9457 section 6.1).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused before any command ran, in the form of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "type": "/problems/unknown-argument",
    "title": "Unknown argument",
    "status": 400,
    "detail": "The argument `user-profil` is not known; there are `user-profile`, `allow-enable`.",
    "requestId": "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81",
    "errors": [{"pointer": "/user-profil", "detail": "the argument `user-profil` is not known; there are `user-profile`, `allow-enable`"}]
}))]
pub struct Problem {
    /// The kind of problem: `/problems/` and its name. Stable, for programs; and the address of
    /// a page that says what it means and what to do.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    kind: &'static str,
    /// The kind of problem in words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status, once more.
    status: u16,
    /// What was wrong this time, and what would be right: whole sentences, which name the part of
    /// the request that is at fault.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// The id under which this request stands in the logs; also in the `x-request-id` header field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    request_id: Option<Box<str>>,
    /// The parts of the request at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FaultyPart>,
    /// The id of the operation that the request became.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    operation: Option<Box<str>>,
    #[serde(skip)]
    problem_type: ProblemType,
    /// The header field that RFC 9110 asks for with the status. Boxed, so that the whole type stays
    /// small enough to be returned in a `Result`.
    #[serde(skip)]
    field: Option<Box<(HeaderName, HeaderValue)>>,
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
    fn new(problem_type: ProblemType, detail: impl Into<Box<str>>) -> Self {
        Self {
            kind: problem_type.uri(),
            title: problem_type.title(),
            status: problem_type.status().as_u16(),
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            operation: None,
            problem_type,
            field: None,
        }
    }

    /// What was wrong, in whole sentences.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The reason.
    pub fn problem_type(&self) -> ProblemType {
        self.problem_type
    }

    /// The same problem, bearing the id of the request that it answers.
    pub fn with_request_id(mut self, id: &str) -> Self {
        self.request_id = Some(id.into());
        self
    }

    fn at_pointer(self, pointer: &str, detail: &str) -> Self {
        self.with_faulty(detail, |part| part.pointer = Some(pointer.to_owned()))
    }

    fn at_parameter(self, name: String, detail: &str) -> Self {
        self.with_faulty(detail, |part| part.parameter = Some(name))
    }

    fn at_header(self, name: &'static str, detail: &str) -> Self {
        self.with_faulty(detail, |part| part.header = Some(name.to_owned()))
    }

    fn with_faulty(mut self, detail: &str, place: impl FnOnce(&mut FaultyPart)) -> Self {
        let mut part = FaultyPart {
            pointer: None,
            parameter: None,
            header: None,
            detail: detail.to_owned(),
        };
        place(&mut part);
        self.errors.push(part);
        self
    }

    fn with_field(mut self, name: HeaderName, value: &'static str) -> Self {
        self.field = Some(Box::new((name, HeaderValue::from_static(value))));
        self
    }

    /// RFC 9110 sections 10.2.3 and 15.6.4; RFC 6585 section 4.
    fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        // Never "at once": that would be an invitation to knock without pause.
        let value = HeaderValue::from(seconds.max(1));
        self.field = Some(Box::new((header::RETRY_AFTER, value)));
        self
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
        let mut response = (self.problem_type.status(), body).into_response();
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(field) = &self.field {
            let (name, value) = (**field).clone();
            fields.insert(name, value);
        }
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
                "detail": "Unknown argument `a`.", "requestId": "r-1",
                "errors": [{"pointer": "/a", "detail": "unknown argument `a`"}],
            })
        );
    }

    #[test]
    fn every_type_has_an_error_status_and_a_uri_of_its_own() {
        let uris: HashSet<_> = ProblemType::ALL.iter().map(|each| each.uri()).collect();
        assert_eq!(uris.len(), ProblemType::ALL.len());
        for each in ProblemType::ALL {
            let status = each.status();
            assert!(status.is_client_error() || status.is_server_error(), "{each:?}");
            assert!(
                each.uri().starts_with("/problems/") && !each.title().is_empty(),
                "{each:?}"
            );
            let response = Problem::new(*each, "x").into_response();
            assert_eq!(
                (response.status(), &response.headers()["content-type"]),
                (status, &MEDIA_TYPE.parse().unwrap())
            );
        }
    }

    #[test]
    fn every_detail_is_a_sentence_that_names_the_part_at_fault() {
        let second = Duration::from_secs(1);
        let problems = [
            Problem::not_json("", "the document is empty"),
            Problem::not_json("/user-profile", "a key is given twice in one object"),
            Problem::from(JsonError {
                kind: JsonErrorKind::UnknownField,
                pointer: "/x".to_owned(),
                message: "the argument `x` is not known; there is none here".to_owned(),
            }),
            Problem::bad_argument("", "an object is wanted, a list was given"),
            Problem::bad_argument("/allow-enable", "must be true or false"),
            Problem::bad_argument("/user-profile/a", "a text is wanted, a list was given"),
            Problem::missing_argument("/user-profile", "the argument `user-profile` is missing"),
            Problem::bad_parameter("dryrun", "is not known; there are `instance` and `dryRun`"),
            Problem::bad_header("Host", "is missing"),
            Problem::unauthorised(),
            Problem::forbidden("to run iam-get-user"),
            Problem::no_such_route(None),
            Problem::no_such_route(Some("/commands/iam-get-user")),
            Problem::no_such_problem_type(),
            Problem::no_such_mapper(),
            Problem::no_such_instance(),
            Problem::method_not_allowed(None),
            Problem::request_timeout(second),
            Problem::body_too_large(1),
            Problem::target_too_long(1),
            Problem::unsupported_media_type("is missing; application/json is taken"),
            Problem::unsupported_encoding(),
            Problem::misdirected(),
            Problem::misdirected_target(),
            Problem::too_many_requests(second),
            Problem::too_many_failures(second),
            Problem::headers_too_large(1),
            Problem::internal(),
            Problem::keys_unavailable(second),
            Problem::busy(second),
            Problem::shutting_down(second),
            Problem::no_such_operation(),
            Problem::operation_state("done", "can't be cancelled"),
            Problem::behind_operation("x", true, second),
            Problem::behind_operation("x", false, second),
            Problem::key_in_use(second),
            Problem::key_reused(),
            Problem::bad_batch(&[]),
            Problem::empty_batch(),
            Problem::batch_too_large(1),
            Problem::no_such_batch(),
            Problem::selection_gone(),
            Problem::no_store(),
            Problem::store_unavailable(),
            Problem::bad_webhook("the body is no text in UTF-8"),
            Problem::webhook_unproven(),
            Problem::event_reused("The id of event 1 is that of another event, which stands."),
            Problem::no_such_event(),
            Problem::event_state("The event is accepted."),
            Problem::no_such_source(),
        ];
        for problem in &problems {
            let detail = &*problem.detail;
            assert!(detail.starts_with(|first: char| first.is_ascii_uppercase()), "{detail}");
            assert!(detail.ends_with(['.', '?']) && !detail.ends_with(".."), "{detail}");
            for part in &problem.errors {
                let pointer = part.pointer.as_deref().map(|pointer| pointer.trim_start_matches('/'));
                let name = pointer
                    .or(part.parameter.as_deref())
                    .or(part.header.as_deref())
                    .unwrap_or_default();
                assert!(detail.contains(if name.is_empty() { "body" } else { name }), "{detail}");
            }
        }
        let types: HashSet<_> = problems.iter().map(Problem::problem_type).collect();
        assert_eq!(types.len(), ProblemType::ALL.len(), "a type without an example here");
    }

    #[test]
    fn types_stand_in_the_order_of_their_statuses() {
        assert!(ProblemType::ALL.is_sorted_by_key(|each| each.status()));
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
