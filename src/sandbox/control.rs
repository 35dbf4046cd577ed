//! The control endpoints, beside the SCIM base and without a token: tests and demonstrations use
//! them.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{Router, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Sandbox, Seed};

/// `GET`/`PUT /sandbox/state`, `POST`/`DELETE /sandbox/faults`, `GET`/`DELETE /sandbox/calls`.
pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/sandbox/state", get(dump).put(load))
        .route("/sandbox/faults", post(script).delete(clear_faults))
        .route("/sandbox/calls", get(calls).delete(reset_calls))
        // A state of many thousand people is larger than axum's two megabytes.
        .layer(axum::extract::DefaultBodyLimit::max(256 * 1024 * 1024))
}

async fn dump(State(sandbox): State<Sandbox>) -> Response {
    Json(sandbox.dump()).into_response()
}

async fn load(State(sandbox): State<Sandbox>, seed: Result<Json<Seed>, JsonRejection>) -> Response {
    match seed {
        Ok(Json(seed)) => {
            sandbox.load(seed);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(rejection) => refused(&rejection),
    }
}

/// The form of a fault, for who has missed it.
const FORM: &str = "a fault is {\"kind\": KIND}, or a list of them, with \"api\" (like \"CreateUser\"), \"times\" (a number or \"forever\"), \
                    \"skip\" and \"probability\" as you like; KIND is \"hang_up\", \"answer_lost\", {\"throttle\": {\"retry_after\": \"3\"}}, \
                    {\"status\": {\"status\": 500}}, {\"fail_after_work\": {\"status\": 504}}, \
                    {\"slow\": {\"milliseconds\": 200, \"work_late\": false}} or \
                    {\"raw\": {\"status\": 200, \"content_type\": \"text/html\", \"body\": \"\"}}";

/// Takes one fault or a list of them: all of it, or nothing.
async fn script(State(sandbox): State<Sandbox>, script: Result<Json<Value>, JsonRejection>) -> Response {
    let faults = match script {
        Ok(Json(Value::Array(faults))) => faults,
        Ok(Json(fault)) => vec![fault],
        Err(rejection) => return refused(&rejection),
    };
    let faults: Result<Vec<_>, _> = faults.into_iter().map(Fault::deserialize).collect();
    match faults {
        Ok(faults) => faults.into_iter().for_each(|fault| sandbox.script(fault)),
        Err(error) => {
            let told = json!({"error": format!("this is no fault ({error}); {FORM}")});
            return (StatusCode::BAD_REQUEST, Json(told)).into_response();
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear_faults();
    StatusCode::NO_CONTENT
}

async fn calls(State(sandbox): State<Sandbox>) -> Response {
    Json(json!({"calls": sandbox.calls(), "requests": sandbox.requests()})).into_response()
}

async fn reset_calls(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.reset_calls();
    StatusCode::NO_CONTENT
}

fn refused(rejection: &JsonRejection) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": rejection.body_text()}))).into_response()
}
