//! Every layer that a request passes on its way to a handler, in order, with the reason for its
//! place.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};

use crate::{
    commands,
    diagnostic::nearest,
    http::{
        body::BodyReader,
        credentials::API_KEY,
        guard::{self, Guard, RATE_LIMIT, RATE_LIMIT_POLICY, guard},
        host::{ForeignHost, HostRule},
        idempotency::{IDEMPOTENCY_KEY, KEY_EXPIRES_AT, REPLAYED},
        negotiate::{PREFER, PREFERENCE_APPLIED},
        observe::{REQUEST_ID, observe},
        problem::{Problem, ProblemType},
        routes::problems,
        unread::drain_unread,
    },
    net::server::MAX_HEADERS,
};

/// The longest request target, in bytes. RFC 9110 section 4.1 wants at least 8,000 to be supported.
pub const MAX_TARGET: usize = 8 * 1024;

/// How long a browser may remember which pages may call.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// Where Swagger UI lives, and the pages of problem types. Only there a browser may apply styles
/// and run scripts, of our own origin.
const PAGES: [&str; 2] = ["/docs", problems::LIST];

/// An answer of the interface loads nothing, and no page may frame it.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Swagger UI comes from files of our own origin; it sets style attributes, has its icons in
/// `data:` URLs, and calls our routes. The pages of problem types have their style in them.
const PAGES_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What the layers need to know.
#[derive(Debug, Clone)]
pub struct LayerOptions {
    /// Which host names are answered.
    pub host_rule: HostRule,
    /// The origins of web pages from which browsers may call.
    pub cors_origins: Vec<HeaderValue>,
    /// Lets callers in.
    pub guard: Guard,
    /// Reads bodies within the limits that all share.
    pub body_reader: Arc<BodyReader>,
}

/// Puts every layer around the routes. Call it last: routes that are added afterwards would stand
/// outside.
pub fn assemble(routes: Router, options: LayerOptions) -> Router {
    let cors = cors(options.cors_origins);
    let body_reader = Arc::clone(&options.body_reader);
    let routes = routes
        // What no route or no method answers is a problem like any other, so that it passes the
        // layers below too.
        .fallback(|uri: Uri| async move { Problem::no_such_route(near(&uri).as_deref()) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed(None) })
        // From here on from the inside out; a request meets them from the bottom up.
        // 7. The reader of bodies, whose budget all requests share.
        .layer(Extension(options.body_reader))
        // 6. The caller is authenticated before anything else of its request is looked into.
        .layer(from_fn_with_state(Arc::new(options.guard), guard));
    // A browser asks beforehand without credentials (Fetch standard, "CORS-preflight fetch"), so
    // this stands outside the guard.
    let routes = match cors {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes
        // 5. Whose name was asked for: before anything that a foreign page could make a browser do.
        .layer(from_fn_with_state(Arc::new(options.host_rule), check_host))
        // 4. Sizes before anything reads what might be huge.
        .layer(from_fn(check_sizes))
        // 3. A panic anywhere inside becomes a problem, which the layers outside dress and count
        //    like any other.
        .layer(CatchPanicLayer::custom(answer_panic))
        // 2. The browser's orders on every answer there is, refusals and panics included.
        .layer(from_fn(dress))
        // 1. Every answer gets its id, every request its one line.
        .layer(from_fn(observe))
        // 0. Outermost: an answer waits for a moment, made and logged, until a body that nothing
        //    inside has read is out of its way.
        .layer(from_fn_with_state(body_reader, drain_unread))
}

/// Allows these pages' origins to call; no layer at all where there are none.
fn cors(origins: Vec<HeaderValue>) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let sent = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::ACCEPT,
        API_KEY,
        REQUEST_ID,
        PREFER,
        IDEMPOTENCY_KEY,
    ];
    let read = [
        header::RETRY_AFTER,
        header::WWW_AUTHENTICATE,
        REQUEST_ID,
        RATE_LIMIT,
        RATE_LIMIT_POLICY,
        PREFERENCE_APPLIED,
        KEY_EXPIRES_AT,
        REPLAYED,
    ];
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(sent)
        .expose_headers(read)
        .max_age(PREFLIGHT_AGE);
    Some(cors)
}

/// Refuses what was meant for another host. A probe of an orchestrator sends the address that it
/// has of us, so that health is answered under any name; to a foreign one it tells no details.
async fn check_host(State(rule): State<Arc<HostRule>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get().map(MatchedPath::as_str);
    let is_health = route.is_some_and(|route| guard::OPEN.contains(&route));
    match rule.check(request.version(), request.uri(), request.headers()) {
        Ok(()) => {}
        Err(problem) if is_health && problem.problem_type() == ProblemType::Misdirected => {
            request.extensions_mut().insert(ForeignHost);
        }
        Err(problem) => return problem.into_response(),
    }
    next.run(request).await
}

async fn check_sizes(request: Request, next: Next) -> Response {
    let target = request.uri();
    let authority = target.authority().map_or(0, |authority| authority.as_str().len());
    let path = target.path_and_query().map_or(0, |path| path.as_str().len());
    if authority + path > MAX_TARGET {
        return Problem::target_too_long(MAX_TARGET).into_response();
    }
    if size_of(request.headers()) > MAX_HEADERS {
        return Problem::headers_too_large(MAX_HEADERS).into_response();
    }
    // A CONNECT has no path that a route could refuse, and we are no proxy (RFC 9110 section
    // 9.3.6).
    if request.method() == Method::CONNECT {
        return Problem::method_not_allowed(Some("GET, HEAD, POST")).into_response();
    }
    next.run(request).await
}

/// The command's path that was meant, if it can be told.
fn near(uri: &Uri) -> Option<String> {
    let name = uri.path().trim_end_matches('/').rsplit('/').next()?;
    let commands = commands::NAMES.into_iter().map(|(command, _)| command);
    Some(format!("/commands/{}", nearest(&name.to_ascii_lowercase(), commands)?))
}

async fn dress(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = PAGES
        .iter()
        .filter_map(|folder| path.strip_prefix(folder))
        .any(|rest| rest.is_empty() || rest.starts_with('/'));
    let mut response = next.run(request).await;
    // A refusal under their path is none of the pages.
    let is_page = is_page && !(response.status().is_client_error() || response.status().is_server_error());
    let fields = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            if is_page { PAGES_POLICY } else { API_POLICY },
        ),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    // Answers hold people's data; nothing on the way may keep them. The pages are public and may
    // say otherwise.
    if !is_page && !fields.contains_key(header::CACHE_CONTROL) {
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Answers without the panic's message, and doesn't log it here: it may quote what was being worked
/// on. The panic hook logs where it was.
fn answer_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked; its request is answered with 500");
    Problem::internal().into_response()
}

fn size_of(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum()
}
