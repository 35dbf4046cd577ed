//! The HTTP face: the layers that every request passes before a command runs, and the form of
//! answers and refusals.
//!
//! In the order in which a request meets them: [`layers`] with `unread`, [`observe`], [`host`] and
//! [`guard`] (with [`credentials`], [`principal`] and [`address`]), then the extractors of
//! [`query`], [`negotiate`], [`idempotency`], [`body`] and [`arguments`], then the [`routes`], the
//! document of `openapi`, and `docs`, which shows it. A refusal is a [`problem`].

pub mod address;
pub mod arguments;
pub mod body;
pub mod credentials;
mod docs;
pub mod guard;
pub mod host;
pub mod idempotency;
pub mod layers;
pub mod negotiate;
pub mod observe;
mod openapi;
pub mod principal;
pub mod problem;
pub mod problem_type;
pub mod query;
pub mod routes;
mod sentence;
mod state;
mod unread;

use std::sync::Arc;

use axum::{Router, body::Bytes, http::header, response::Redirect, routing::get};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use self::state::App;
use self::{
    body::{BodyLimits, BodyReader},
    guard::Guard,
    host::HostRule,
    layers::LayerOptions,
};

/// All routes with all layers around them.
pub fn router(app: App, options: LayerOptions) -> Router {
    let (routes, document) = documented();
    // Shared by all readers, however slow, and not copied for each.
    let document = Bytes::from(json(&document));
    let serve_document = move || {
        let document = document.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], document) }
    };
    let routes = routes
        .merge(routes::problems::routes())
        .route("/openapi.json", get(serve_document))
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
        .with_state(app)
        .merge(docs::routes());
    layers::assemble(routes, options)
}

/// The routes of metrics and health alone, open to everybody who reaches them. On loopback a page
/// in a browser there reaches them by DNS rebinding, so that other names are not answered.
pub fn watched_router(app: App, is_on_loopback: bool) -> Router {
    let (routes, _) = routes::watched()
        .fold(OpenApiRouter::new(), OpenApiRouter::merge)
        .split_for_parts();
    let options = LayerOptions {
        host_rule: if is_on_loopback {
            HostRule::loopback_and([""; 0])
        } else {
            HostRule::any()
        },
        cors_origins: Vec::new(),
        guard: Guard::open(),
        body_reader: Arc::new(BodyReader::new(BodyLimits::default())),
    };
    layers::assemble(routes.with_state(app), options)
}

/// The OpenAPI document as it is served.
pub fn document() -> String {
    json(&documented().1)
}

fn documented() -> (Router<App>, OpenApi) {
    let base = OpenApiRouter::with_openapi(openapi::base());
    let routes = routes::all().fold(base, OpenApiRouter::merge);
    let (routes, mut document) = routes.split_for_parts();
    openapi::complete(&mut document);
    (routes, document)
}

fn json(document: &OpenApi) -> String {
    // It is made of strings, numbers and maps with string keys: all of that is JSON.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Two types of one schema name are merged without a word: the first stays, and the other's
    /// operation documents a shape that it does not have.
    #[test]
    fn no_schema_of_a_route_is_lost_to_another_of_the_same_name() {
        let schemas = |document: &OpenApi| {
            let document = serde_json::to_value(document).unwrap();
            document["components"]["schemas"]
                .as_object()
                .cloned()
                .unwrap_or_default()
        };
        let merged = schemas(&documented().1);
        let mut seen = 0;
        for own in routes::all().map(OpenApiRouter::into_openapi).chain([openapi::base()]) {
            let paths: Vec<_> = own.paths.paths.keys().cloned().collect();
            for (name, schema) in schemas(&own) {
                assert_eq!(
                    merged.get(&name).unwrap_or(&Value::Null),
                    &schema,
                    "{name} of {paths:?}"
                );
                seen += 1;
            }
        }
        assert!(seen >= merged.len(), "{seen} of {}", merged.len());
    }
}
