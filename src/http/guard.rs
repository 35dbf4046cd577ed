//! Who is let in. Everything is closed that is not on the list of [`OPEN`] routes, so that a route
//! that is added is closed as well.
//!
//! The guard stands in front of every route. It finds out who asks, counts what they ask for, and
//! leaves an [`Principal`] in the request. What the principal may do is checked once, where a command (or a
//! look at something) is accepted, by the principal's own methods; these write the audit line too, so
//! that no refusal can be forgotten there.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipnet::IpNet;

use crate::{
    audit::{self, RequestId},
    auth::{AuthenticationError, Authenticator, Failures, Identity, PresentedCredentials, Quota, Standing, Verdict},
    http::{
        address::address_of,
        observe::{CallerName, Unlogged},
        principal::{KEYS_RETRY, OwnedCredentials, Principal, Reauthentication},
        problem::Problem,
    },
};

/// The routes that are open to everybody, whoever is configured.
pub const OPEN: [&str; 2] = ["/health/live", "/health/ready"];

/// The routes that are open as long as the operator does not close them.
pub const PUBLIC_PAGES: [&str; 5] = ["/openapi.json", "/", "/docs", "/docs/", "/docs/{*rest}"];

/// The header field of an API key.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The header field of what a caller is given.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The header field of what is left of it.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What the guard goes by.
#[derive(Debug, Clone)]
pub struct Guard {
    authenticator: Option<Arc<Authenticator>>,
    anonymous: Identity,
    failures: Arc<Failures>,
    trusted_proxies: Arc<[IpNet]>,
    public_docs: bool,
}

impl Guard {
    /// Lets in whom the authenticator recognises; everybody, where there is none.
    pub fn new(authenticator: Option<Arc<Authenticator>>, trusted_proxies: &[IpNet], public_docs: bool) -> Self {
        Self {
            authenticator,
            anonymous: Identity::anonymous(),
            failures: Arc::default(),
            trusted_proxies: trusted_proxies.into(),
            public_docs,
        }
    }

    /// Lets in everybody, with every right.
    pub fn open() -> Self {
        Self::new(None, &[], true)
    }

    /// Whether only callers are let in.
    pub fn is_closed(&self) -> bool {
        self.authenticator.is_some()
    }

    /// The failures that it slows.
    pub fn failures(&self) -> &Arc<Failures> {
        &self.failures
    }

    fn is_open(&self, route: Option<&str>) -> bool {
        route.is_some_and(|route| OPEN.contains(&route) || (self.public_docs && PUBLIC_PAGES.contains(&route)))
    }
}

/// The layer: a request goes on as somebody's, or not at all.
pub async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    if guard.is_open(route.as_ref().map(MatchedPath::as_str)) {
        return next.run(request).await;
    }
    let mut principal = Principal {
        identity: guard.anonymous.clone(),
        address: address_of(request.extensions(), request.headers(), &guard.trusted_proxies),
        request_id: request_id(request.extensions()),
        route: route.as_ref().map_or("-", MatchedPath::as_str).into(),
        reauthentication: None,
        _held: None,
    };
    let Some(authenticator) = &guard.authenticator else {
        request.extensions_mut().insert(principal);
        return next.run(request).await;
    };
    let reauthentication = Reauthentication {
        generation: authenticator.generation(),
        authenticator: Arc::clone(authenticator),
        presented: presented(request.headers()).map(OwnedCredentials::of),
        client: request.extensions().get().cloned(),
        recognised: Instant::now(),
    };
    match reauthentication.identify().await {
        Ok(identity) => principal.identity = identity,
        Err(refusal) => return guard.turn_away(&principal, refusal),
    }
    principal.reauthentication = Some(Arc::new(reauthentication));
    let Some((taken, standing)) = principal.identity.take(Instant::now()) else {
        // Nothing is counted of this caller.
        request.extensions_mut().insert(principal);
        return next.run(request).await;
    };
    let mut response = match taken {
        Ok(held) => {
            principal._held = Some(Arc::new(held));
            request.extensions_mut().insert(principal.clone());
            next.run(request).await
        }
        Err(wait) => {
            audit::refused(principal.audit_event(), "over its quota");
            Problem::too_many_requests(wait).into_response()
        }
    };
    if let Some(quota) = principal.identity.quota() {
        tell(quota, standing, response.headers_mut());
    }
    response
        .extensions_mut()
        .insert(CallerName(principal.identity.name().into()));
    response
}

impl Guard {
    /// Answers somebody who was not recognised.
    fn turn_away(&self, principal: &Principal, refusal: AuthenticationError) -> Response {
        let verdict = self.failures.record(principal.address, Instant::now());
        let mut response = match (&refusal, verdict) {
            // No fault of the caller's: it is not told to wait for its own failures.
            (AuthenticationError::KeysUnavailable, _) => Problem::keys_unavailable(KEYS_RETRY).into_response(),
            (_, Verdict::Reported) => Problem::unauthorised().into_response(),
            (_, Verdict::Slowed(wait)) => Problem::too_many_failures(wait).into_response(),
        };
        match verdict {
            Verdict::Reported => audit::refused(principal.anonymous_event(), &refusal.to_string()),
            Verdict::Slowed(_) => drop(response.extensions_mut().insert(Unlogged)),
        }
        response
    }
}

fn request_id(extensions: &Extensions) -> RequestId {
    extensions.get().cloned().unwrap_or_else(RequestId::generate)
}

/// What the header section holds of credentials. Two of them are none: whatever stands before us
/// may have gone by the other one.
fn presented(headers: &HeaderMap) -> Option<PresentedCredentials<'_>> {
    let mut keys = headers.get_all(API_KEY).iter();
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    match (keys.next(), authorizations.next(), keys.next(), authorizations.next()) {
        (None, None, ..) => None,
        (Some(key), None, None, _) => Some(
            key.to_str()
                .map_or(PresentedCredentials::Malformed, PresentedCredentials::Key),
        ),
        (None, Some(authorization), _, None) => {
            let bearer = authorization.to_str().ok().and_then(bearer);
            Some(bearer.map_or(PresentedCredentials::Malformed, PresentedCredentials::Bearer))
        }
        (Some(_), Some(_), ..) | (Some(_), None, Some(_), _) | (None, Some(_), _, Some(_)) => {
            Some(PresentedCredentials::Malformed)
        }
    }
}

/// The credentials of `Bearer` (RFC 6750 section 2.1): the scheme in any letter case, one space
/// (the RFC lets there be more, and no client sends more), and the letters of a `b64token`.
fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let is_bearer = scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && token.bytes().all(is_token);
    is_bearer.then_some(token)
}

/// How a caller stands (draft-ietf-httpapi-ratelimit-headers-10): `q` requests in `w` seconds, `r`
/// of them left, one more in `t` seconds.
fn tell(quota: Quota, standing: Standing, headers: &mut HeaderMap) {
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
    fn credentials_are_one_field_of_one_form() {
        for (fields, expected) in [
            (&[][..], None),
            (&[("x-api-key", "abc")], Some("key abc")),
            (&[("x-api-key", "")], Some("key ")),
            (&[("authorization", "Bearer abc")], Some("bearer abc")),
            (
                &[("authorization", "bEARER a.b-c_d~e+f/g==")],
                Some("bearer a.b-c_d~e+f/g=="),
            ),
            (&[("authorization", "Bearer")], Some("-")),
            (&[("authorization", "Bearer ")], Some("-")),
            (&[("authorization", "Bearer  abc")], Some("-")),
            (&[("authorization", "Bearer a b")], Some("-")),
            (&[("authorization", "Bearer a,b")], Some("-")),
            (&[("authorization", "Basic abc")], Some("-")),
            (&[("authorization", "")], Some("-")),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
                Some("-"),
            ),
            (&[("x-api-key", "a"), ("x-api-key", "a")], Some("-")),
            (&[("authorization", "Bearer a"), ("x-api-key", "a")], Some("-")),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            let found = presented(&headers).map(|presented| match presented {
                PresentedCredentials::Key(text) => format!("key {text}"),
                PresentedCredentials::Bearer(text) => format!("bearer {text}"),
                PresentedCredentials::Malformed => "-".to_owned(),
            });
            assert_eq!(found.as_deref(), expected, "{fields:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_bytes(b"Bearer \xff").unwrap());
        assert!(matches!(presented(&headers), Some(PresentedCredentials::Malformed)));
    }

    #[test]
    fn only_listed_routes_are_open() {
        let closed = Guard::new(None, &[], false);
        let open = Guard::open();
        for (route, without_docs, with_docs) in [
            (Some("/health/live"), true, true),
            (Some("/health/ready"), true, true),
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
    fn the_standing_is_told_in_whole_seconds() {
        let quota = Quota {
            requests_per_second: 0.5,
            concurrent_requests: 1,
        };
        let standing = Standing {
            remaining: 0,
            reset: Duration::from_millis(1200),
        };
        let mut headers = HeaderMap::new();
        tell(quota, standing, &mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"caller\";q=1;w=2");
        assert_eq!(headers["ratelimit"], "\"caller\";r=0;t=2");
    }
}
