//! The guard in front of every route. Everything is closed that is not on the list of [`OPEN`]
//! routes, so that a route that is added is closed as well.
//!
//! The guard finds the caller of a request, takes from its quota, and leaves a [`Principal`] in the
//! request. What the principal may do is checked once, where a command (or a look at something) is
//! accepted, by the principal's own methods; these write the audit line too, so that no refusal can
//! be forgotten there.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;

use super::{
    credentials::RequestCredentials,
    observe::{CallerName, Unlogged},
    principal::{KEYS_RETRY, Origin, Principal, Recognised},
    problem::Problem,
    routes::problems,
};
use crate::{
    audit,
    auth::{AuthenticationError, Authenticator, Failures, Identity, Quota, Standing, Verdict},
};

/// The routes that are open to every client, whichever callers are configured.
pub const OPEN: [&str; 4] = ["/health/live", "/health/ready", problems::LIST, problems::PAGE];

/// The routes that the verifiers of sources guard.
pub const WEBHOOKS: [&str; 3] = [
    "/webhooks/{source}",
    "/webhooks/{source}/{type}",
    "/webhooks/{source}/{secret}/{type}",
];

/// The routes that are open as long as the operator does not close them.
pub const PUBLIC_PAGES: [&str; 5] = ["/openapi.json", "/", "/docs", "/docs/", "/docs/{*rest}"];

/// The header field of what a caller is given.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The header field of what is left of it.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What the guard decides by.
#[derive(Debug, Clone)]
pub struct Guard {
    authenticator: Option<Arc<Authenticator>>,
    anonymous: Identity,
    failures: Arc<Failures>,
    trusted_proxies: Arc<[IpNet]>,
    public_docs: bool,
}

impl Guard {
    /// Lets in the callers that the authenticator recognises; every request, where there is none.
    pub fn new(authenticator: Option<Arc<Authenticator>>, trusted_proxies: &[IpNet], public_docs: bool) -> Self {
        Self {
            authenticator,
            anonymous: Identity::anonymous(),
            failures: Arc::default(),
            trusted_proxies: trusted_proxies.into(),
            public_docs,
        }
    }

    /// Lets in every request, with every right.
    pub fn open() -> Self {
        Self::new(None, &[], true)
    }

    /// Whether only callers are let in.
    pub fn is_closed(&self) -> bool {
        self.authenticator.is_some()
    }

    /// The failed authentications that it slows.
    pub fn failures(&self) -> &Arc<Failures> {
        &self.failures
    }

    fn is_open(&self, route: Option<&str>) -> bool {
        route.is_some_and(|route| OPEN.contains(&route) || (self.public_docs && PUBLIC_PAGES.contains(&route)))
    }
}

fn is_webhook(route: Option<&str>) -> bool {
    route.is_some_and(|route| WEBHOOKS.contains(&route))
}

/// The layer: a request goes on as a caller's, or not at all.
pub async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    if guard.is_open(request.extensions().get().map(MatchedPath::as_str)) {
        return next.run(request).await;
    }
    let origin = Origin::of(&request, &guard.trusted_proxies);
    if is_webhook(request.extensions().get().map(MatchedPath::as_str)) {
        request.extensions_mut().insert(origin);
        return next.run(request).await;
    }
    let Some(authenticator) = &guard.authenticator else {
        let principal = Principal::anonymous(guard.anonymous.clone(), origin);
        request.extensions_mut().insert(principal);
        return next.run(request).await;
    };
    let caller = match Recognised::find(authenticator, RequestCredentials::of(&request)).await {
        Ok(caller) => caller,
        Err(refusal) => return guard.turn_away(&origin, &refusal),
    };
    let identity = caller.identity.clone();
    let (permit, standing) = identity.take(Instant::now()).unzip();
    let mut response = match permit.transpose() {
        Ok(permit) => {
            request.extensions_mut().insert(Principal::new(caller, origin, permit));
            next.run(request).await
        }
        Err(wait) => {
            audit::refused(origin.audit_event(Some(&identity)), "over its quota");
            Problem::too_many_requests(wait).into_response()
        }
    };
    if let (Some(quota), Some(standing)) = (identity.quota(), standing) {
        insert_rate_limit(quota, standing, response.headers_mut());
    }
    response.extensions_mut().insert(CallerName(identity.name().into()));
    response
}

impl Guard {
    /// Answers a request whose credentials prove no caller.
    fn turn_away(&self, origin: &Origin, refusal: &AuthenticationError) -> Response {
        let verdict = self.failures.record(origin.address, Instant::now());
        let mut response = match (refusal, verdict) {
            // No fault of the caller's: it need not wait for its own failures.
            (AuthenticationError::KeysUnavailable, _) => Problem::keys_unavailable(KEYS_RETRY).into_response(),
            (_, Verdict::Reported) => Problem::unauthorised().into_response(),
            (_, Verdict::Slowed(wait)) => Problem::too_many_failures(wait).into_response(),
        };
        match verdict {
            Verdict::Reported => audit::refused(origin.audit_event(None), &refusal.to_string()),
            Verdict::Slowed(_) => drop(response.extensions_mut().insert(Unlogged)),
        }
        response
    }
}

/// Writes the caller's quota and what is left of it (draft-ietf-httpapi-ratelimit-headers-10): `q`
/// requests in `w` seconds, `r` of them left, one more in `t` seconds.
fn insert_rate_limit(quota: Quota, standing: Standing, headers: &mut HeaderMap) {
    let policy = format!("\"caller\";q={};w={}", quota.burst(), quota.window());
    let reset = standing.reset.as_secs_f64().ceil();
    let limit = format!("\"caller\";r={};t={reset}", standing.remaining);
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_listed_routes_are_open() {
        let closed = Guard::new(None, &[], false);
        let open = Guard::open();
        for (route, without_docs, with_docs) in [
            (Some("/health/live"), true, true),
            (Some("/health/ready"), true, true),
            (Some("/problems"), true, true),
            (Some("/problems/{type}"), true, true),
            (Some("/openapi.json"), false, true),
            (Some("/docs/{*rest}"), false, true),
            (Some("/instances"), false, false),
            (Some("/commands/iam-get-user"), false, false),
            (None, false, false),
        ] {
            assert_eq!(closed.is_open(route), without_docs, "{route:?}");
            assert_eq!(open.is_open(route), with_docs, "{route:?}");
        }
    }

    #[test]
    fn the_rate_limit_is_written_in_whole_seconds() {
        let quota = Quota {
            requests_per_second: 0.5,
            concurrent_requests: 1,
        };
        let standing = Standing {
            remaining: 0,
            reset: Duration::from_millis(1200),
        };
        let mut headers = HeaderMap::new();
        insert_rate_limit(quota, standing, &mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"caller\";q=1;w=2");
        assert_eq!(headers["ratelimit"], "\"caller\";r=0;t=2");
    }
}
