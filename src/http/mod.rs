//! The HTTP face: what every request meets before a command runs, and how answers and refusals are told.
//!
//! In the order in which a request meets them: [`server`] (sockets) and [`connections`], then [`layers`] with [`observe`] and
//! [`host`], then the extractors of [`extract`] and [`negotiate`], then the routes: `commands`, [`health`], and the document of
//! `openapi`. Whatever refuses does so with a [`problem`], for a [`cause`].

pub mod cause;
mod commands;
pub mod connections;
pub mod extract;
pub mod health;
pub mod host;
pub mod instances;
pub mod layers;
pub mod negotiate;
pub mod observe;
mod openapi;
pub mod problem;
pub mod server;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use axum::{Router, http::header, response::Redirect, routing::get};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use self::layers::LayerOptions;
use crate::service::Service;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    /// Runs the commands.
    pub service: Arc<Service>,
    /// Set when shutdown begins.
    pub stopping: Arc<AtomicBool>,
    /// What callers are told to wait while the service stops.
    pub stopping_retry: Duration,
}

/// All routes with all layers around them.
pub fn router(app: App, options: LayerOptions) -> Router {
    let (routes, document) = documented();
    let document: Arc<str> = json(&document).into();
    let serve_document = move || {
        let document = Arc::clone(&document);
        async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) }
    };
    let pages = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    let routes = routes
        .route("/openapi.json", get(serve_document))
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
        .with_state(app)
        .merge(pages);
    layers::assemble(routes, options)
}

/// The OpenAPI document as it is served.
pub fn document() -> String {
    json(&documented().1)
}

fn documented() -> (Router<App>, OpenApi) {
    let routes = OpenApiRouter::with_openapi(openapi::base())
        .merge(commands::routes())
        .merge(instances::routes())
        .merge(health::routes());
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
