//! What goes over the wire around an answer: status, headers, and AWS's error body.
//!
//! The shape of the error body is the one captured in public issue threads between 2022 and 2026
//! (awslabs/ssosync, slashdevops/idp-scim-sync #57, goauthentik/authentik #12321,
//! mitodl/keycloak-scim #73): a misspelt `schema` beside `schemas`, `status` as a string, a time
//! stamp with a space and no zone, and no `scimType`.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use jiff::Timestamp;
use serde_json::{Value, json};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An answer to an operation that was carried out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body),
        }
    }

    pub(super) fn created(body: Value) -> Self {
        Self {
            status: StatusCode::CREATED,
            body: Some(body),
        }
    }

    pub(super) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
        }
    }
}

/// An operation that was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    pub(super) retry_after: Option<String>,
}

impl ErrorResponse {
    /// The 400 that AWS gives for nearly everything.
    pub(super) fn unparsable() -> Self {
        Self::invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    }

    /// A 400 with one of the few more telling texts.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401: AWS does not tell a wrong token from a wrong tenant.
    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The request lacks valid authentication credentials.",
        )
    }

    /// 404, for a resource and for an endpoint alike. The text is ours: none was ever captured.
    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "The specified user, group or endpoint was not found.",
        )
    }

    /// 409 in AWS's captured words.
    pub(super) fn duplicate() -> Self {
        Self::new(StatusCode::CONFLICT, "Refused to create a new, duplicate resource.")
    }

    /// 429 without `Retry-After`: AWS documents none. The text is ours.
    pub(super) fn throttled() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Rate exceeded.")
    }

    /// A refusal with any status, for faults and for what AWS does not document.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
        }
    }
}

/// A marker in a response's extensions: close the connection instead of sending this response.
#[derive(Debug, Clone, Copy)]
pub(super) struct HangUp;

/// Puts a result of an operation on the wire.
pub(super) fn respond(result: Result<Answer, ErrorResponse>) -> Response<Body> {
    let request_id = uuid::Uuid::new_v4().to_string();
    match result {
        Ok(Answer {
            status,
            body: Some(body),
        }) => json_response(status, &body, &request_id),
        Ok(Answer { status, body: None }) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            set_request_id(&mut response, &request_id);
            response
        }
        Err(refusal) => {
            let mut response = json_response(refusal.status, &error_body(&refusal, &request_id), &request_id);
            if let Some(value) = refusal.retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            response
        }
    }
}

/// A response that need not be SCIM at all: a proxy's HTML page, an empty 200.
pub(super) fn respond_raw(status: StatusCode, content_type: &str, body: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    set_request_id(&mut response, &uuid::Uuid::new_v4().to_string());
    response
}

/// No response: the server sees the marker and drops the connection.
pub(super) fn hang_up() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

fn json_response(status: StatusCode, body: &Value, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    // Every sample in the guide answers `application/json`, never `application/scim+json`.
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    set_request_id(&mut response, request_id);
    response
}

fn set_request_id(response: &mut Response<Body>, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

fn error_body(refusal: &ErrorResponse, request_id: &str) -> Value {
    json!({
        "schema": [ERROR_SCHEMA],
        "schemas": [ERROR_SCHEMA],
        "detail": refusal.detail,
        "status": refusal.status.as_str(),
        "exceptionRequestId": request_id,
        "timeStamp": Timestamp::now().strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_awss_shape() {
        let body = error_body(&ErrorResponse::duplicate(), "r-1");
        assert_eq!(body["schema"], body["schemas"]);
        assert_eq!(body["status"], "409");
        assert_eq!(body["exceptionRequestId"], "r-1");
        assert!(body.get("scimType").is_none());
        let stamp = body["timeStamp"].as_str().unwrap();
        assert_eq!(stamp.len(), "2024-04-05 06:32:12.227".len(), "{stamp}");
    }
}
