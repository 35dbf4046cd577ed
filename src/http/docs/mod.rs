//! Swagger UI on the service's own document: the files of its distribution, but for its page, and
//! with a style beside its own.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::problem::Problem;

/// The page. Swagger UI's own has another title, and no size for phones.
const INDEX: &str = include_str!("index.html");

/// What differs from Swagger UI's style.
const STYLE: &str = include_str!("aws-ilm.css");

/// The routes of the pages, below `/docs/`.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    // Without its standalone layout there is no box to load other documents with. A schema is open
    // as far as a profile's fields with their descriptions.
    let config = Config::from("/openapi.json")
        .use_base_layout()
        .default_models_expand_depth(0)
        .default_model_expand_depth(5);
    let config = Arc::new(config);
    Router::new()
        .route("/docs", get(|| async { Redirect::to("/docs/") }))
        .route("/docs/", get(|| async { index() }))
        .route(
            "/docs/{*rest}",
            get(move |name: Result<Path<String>, PathRejection>| async move {
                name.map_or_else(
                    |_| Problem::no_such_route(None).into_response(),
                    |Path(name)| file(&name, config),
                )
            }),
        )
}

fn index() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], INDEX).into_response()
}

fn file(name: &str, config: Arc<Config<'static>>) -> Response {
    match name {
        "index.html" => index(),
        "aws-ilm.css" => ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response(),
        _ => match utoipa_swagger_ui::serve(name, config) {
            Ok(Some(file)) => of_distribution(file),
            Ok(None) => Problem::no_such_route(None).into_response(),
            Err(error) => {
                tracing::error!(%error, "a file of Swagger UI can't be served");
                Problem::internal().into_response()
            }
        },
    }
}

fn of_distribution(file: SwaggerFile<'static>) -> Response {
    let mut response = ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response();
    if file.gzpipped {
        let gzip = header::HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    response
}
