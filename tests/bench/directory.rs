//! Stands in for a SCIM directory and finds the same user whatever the filter is. It runs as a
//! process of its own, so that a measurement of its clients counts none of its instructions.
//! `tests/bench/instructions.py` builds and runs it.
//!
//!     bench-directory 127.0.0.1:PORT

#![allow(clippy::unwrap_used, reason = "a measurement stops where it can't go on")]

use std::env;

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use tokio::net::TcpListener;

const USERS: &str = r#"{"totalResults":1,"itemsPerPage":1,"startIndex":1,"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[{"id":"123456","meta":{"resourceType":"User","created":"2026-01-15T09:30:00Z","lastModified":"2026-01-15T09:30:00Z"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test","name":{"givenName":"test","familyName":"test"},"displayName":"test","emails":[{"value":"john.doe@example.com","type":"work","primary":true}],"active":true}]}"#;
/// Proves to the service that this is a SCIM endpoint (RFC 7643 section 5).
const CONFIG: &str =
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],"patch":{"supported":true}}"#;

#[tokio::main]
async fn main() {
    let answer = |body: &'static str| get(move || async move { ([(CONTENT_TYPE, "application/scim+json")], body) });
    let router = Router::new()
        .route("/{tenant}/scim/v2/Users", answer(USERS))
        .route("/{tenant}/scim/v2/ServiceProviderConfig", answer(CONFIG));
    let listen = env::args().nth(1).unwrap();
    axum::serve(TcpListener::bind(listen).await.unwrap(), router)
        .await
        .unwrap();
}
