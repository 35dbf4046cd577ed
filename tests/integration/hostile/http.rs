//! The HTTP of it, on the real routes: what is no HTTP, paths and methods that are nearly ours, and
//! what every answer says to browsers.

use serde_json::{Value, json};

use super::{closing, raw, status};
use crate::{
    harness::{World, answer},
    raw_directory::{RawDirectory, service_provider_config},
};

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
];

fn text(told: Vec<u8>) -> String {
    String::from_utf8_lossy(&told).into_owned()
}

/// Hostile input 40, two lengths, a strange coding, a space before a colon, folding, NUL, a strange
/// version, TLS: 400, closed.
#[tokio::test]
async fn what_is_no_http_is_closed() {
    let world = World::start().await;
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 64]].concat();
    let head = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";
    let post = "POST /commands/iam-get-user HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("TLS", hello),
        (
            "another version",
            b"GET /health/live HTTP/9.9\r\nHost: localhost\r\n\r\n".to_vec(),
        ),
        ("no version", b"GET /health/live\r\n\r\n".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec()),
        ("zeros", vec![0; 100]),
        ("a zero in a field", format!("{head}X: a\0b\r\n\r\n").into_bytes()),
        (
            "a zero in a target",
            b"GET /health\0/live HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        ),
        ("a space before a colon", format!("{head}X : a\r\n\r\n").into_bytes()),
        ("a folded field", format!("{head}X: a\r\n b\r\n\r\n").into_bytes()),
        (
            "a bare carriage return",
            format!("{head}X: a\rGET / HTTP/1.1\r\n\r\n").into_bytes(),
        ),
        ("a field without a name", format!("{head}: a\r\n\r\n").into_bytes()),
        (
            "two lengths",
            format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "a length list",
            format!("{post}Content-Length: 2, 3\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "a negative length",
            format!("{post}Content-Length: -2\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "a length of 2^64",
            format!("{post}Content-Length: 18446744073709551616\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "an unknown coding",
            format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n").into_bytes(),
        ),
        (
            "chunks before the last coding",
            format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n").into_bytes(),
        ),
        (
            "a chunk of 2^68",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n").into_bytes(),
        ),
        (
            "a negative chunk",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n{{}}\r\n0\r\n\r\n").into_bytes(),
        ),
        (
            "a chunk that does not end",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}x\r\n0\r\n\r\n").into_bytes(),
        ),
    ];
    for (what, bytes) in rows {
        let told = raw(world.address, &bytes).await;
        assert_eq!(status(&told), Some(400), "{what}: {}", text(told));
    }
    // The largest length that is one is too large, and no memory is set aside for it.
    let told = raw(
        world.address,
        format!("{post}Content-Length: 18446744073709551614\r\n\r\n{{}}"),
    )
    .await;
    assert!(matches!(status(&told), Some(413 | 431)), "{}", text(told));
    assert_eq!(world.get("/health/live").await.status, 200);
    world.assert_calls(&[]);
}

/// Hostile input 41, bare line feeds: taken as ended; nothing smuggled.
#[tokio::test]
async fn bare_line_feeds_smuggle_nothing() {
    let world = World::start().await;
    let smuggled = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for begin in [
        "POST /health/live HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: LENGTH\n\n",
        "POST /health/live HTTP/1.1\r\nHost: localhost\nConnection: close\r\nContent-Length: LENGTH\r\n\n",
        "POST /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: a\nContent-Length: LENGTH\r\n\r\n",
    ] {
        let begin = begin.replace("LENGTH", &smuggled.len().to_string());
        let told = text(raw(world.address, format!("{begin}{smuggled}")).await);
        assert!(
            told.matches("HTTP/1.1 ").count() <= 1 && !told.contains("ready"),
            "{begin:?}: {told}"
        );
    }
}

/// Hostile input 43, a target with another host: 421, asked nobody.
#[tokio::test]
async fn nobody_is_asked_on_behalf_of_a_target() {
    let elsewhere = RawDirectory::start(|_| service_provider_config()).await;
    let world = World::start().await;
    let there = elsewhere.address;
    for (request, expected) in [
        (
            format!("GET http://{there}/x HTTP/1.1\r\nHost: {there}\r\nConnection: close\r\n\r\n"),
            404,
        ),
        (
            format!("GET http://{there}/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
            421,
        ),
        (
            "GET http://evil.example/openapi.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
                .to_owned(),
            421,
        ),
        (
            format!("CONNECT {there} HTTP/1.1\r\nHost: {there}\r\nConnection: close\r\n\r\n"),
            405,
        ),
        (
            format!("GET /x HTTP/1.1\r\nHost: {there}\r\nConnection: close\r\nUpgrade: h2c\r\n\r\n"),
            404,
        ),
        (
            format!("GET //{there}/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
            404,
        ),
    ] {
        let told = raw(world.address, &request).await;
        assert_eq!(status(&told), Some(expected), "{request}: {}", text(told));
    }
    assert_eq!(elsewhere.heads(), Vec::<String>::new());
}

/// Hostile input 45, methods that are not offered: 405 with Allow; HEAD without a body.
#[tokio::test]
async fn every_route_says_which_methods_it_has() {
    let world = World::start().await;
    let document = world.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let others = [("/openapi.json", json!({"get": {}})), ("/docs/", json!({"get": {}}))];
    for (path, offered) in paths
        .iter()
        .map(|(path, item)| (path.as_str(), item.clone()))
        .chain(others)
    {
        let target = ["{name}", "{id}", "{source}", "{secret}", "{type}"]
            .iter()
            .fold(path.to_owned(), |path, parameter| path.replace(parameter, "x"));
        assert!(
            !target.contains('{'),
            "{path} has a parameter that this test does not know"
        );
        let offers = |method: &str| match method {
            "HEAD" => offered.get("get").is_some(),
            other => offered.get(other.to_lowercase()).is_some(),
        };
        let expected: Vec<_> = METHODS.into_iter().filter(|method| offers(method)).collect();
        for method in METHODS.into_iter().filter(|method| !offers(method)) {
            let told = text(raw(world.address, closing(method, &target, "Content-Length: 0\r\n")).await);
            let (head, body) = told.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 405 "), "{method} {path}: {told}");
            let allow = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("allow: ").map(str::to_uppercase))
                .unwrap();
            let mut allowed: Vec<_> = allow.split(',').map(str::trim).collect();
            allowed.sort_by_key(|method| METHODS.iter().position(|known| known == method));
            assert_eq!(allowed, expected, "{method} {path}");
            assert!(method == "HEAD" || head.contains("application/problem+json"), "{head}");
            assert_eq!(method == "HEAD", body.is_empty());
        }
    }
    world.assert_calls(&[]);
}

/// - Hostile input 47, paths that are nearly ours: 404.
/// - Hostile input 60, routes that scanners try: 401; to a caller 404.
#[tokio::test]
async fn paths_that_are_nearly_ours_are_not() {
    let world = World::start().await;
    for target in [
        "//commands//iam-get-user",
        "/commands/./iam-get-user",
        "/commands/../commands/iam-get-user",
        "/Commands/iam-get-user",
        "/commands/IAM-get-user",
        "/commands/iam-get-user;x=1",
        "/commands/iam-get-user/",
        "/commands%2fiam-get-user",
        "/commands/iam%2dget%2duser",
        "/commands/iam-get-user%00",
        "/commands/iam-get-user%20",
        "/commands/iam-get-user.json",
        "/commands/",
        "/commands",
        "/health",
        "/health/live/",
        "/docs/../health/live",
        "/docs/%2e%2e/health/live",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/docs/nothing.js",
        "/debug/pprof",
        "/.git/config",
        "/.env",
        "/actuator/env",
        "/server-status",
        "/__sandbox/state",
        "/%",
        "/%zz",
    ] {
        for method in ["GET", "POST"] {
            let told = text(raw(world.address, closing(method, target, "Content-Length: 0\r\n")).await);
            // The pages' own paths have GET alone.
            let is_page = target.starts_with("/docs/") && method == "POST";
            let expected = if is_page { "HTTP/1.1 405 " } else { "HTTP/1.1 404 " };
            assert!(
                told.starts_with(expected) && told.contains("application/problem+json"),
                "{method} {target}: {told}"
            );
        }
    }
    world.assert_calls(&[]);
}

/// - Hostile input 35, what a spreadsheet would run: plain in JSON; no CSV is given.
/// - Hostile input 52, an origin: no CORS header.
#[tokio::test]
async fn every_answer_has_the_browsers_orders() {
    let world = World::start().await;
    let origin = "Origin: https://evil.example\r\n";
    let body = |fields: &str, body: &str| {
        let length = body.len();
        format!(
            "POST /commands/iam-get-user HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{origin}{fields}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let json = "Content-Type: application/json\r\n";
    let found = r#"{"user-profile":{"username":"test"}}"#;
    let preflight =
        format!("{origin}Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n");
    for (expected, request) in [
        (200, closing("GET", "/health/live", origin)),
        (200, closing("GET", "/health/ready", origin)),
        (200, closing("GET", "/instances", origin)),
        (200, closing("GET", "/mappers", origin)),
        (200, closing("GET", "/openapi.json", origin)),
        (307, closing("GET", "/", origin)),
        (303, closing("GET", "/docs", origin)),
        (200, closing("GET", "/docs/", origin)),
        (200, closing("GET", "/docs/swagger-ui-bundle.js", origin)),
        (404, closing("GET", "/docs/nothing", origin)),
        (404, closing("GET", "/nothing", origin)),
        (405, closing("DELETE", "/docs/", origin)),
        (405, closing("GET", "/commands/iam-get-user", origin)),
        (405, closing("OPTIONS", "/commands/iam-get-user", &preflight)),
        (404, closing("OPTIONS", "*", &preflight)),
        (
            405,
            "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (400, "GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned()),
        (
            421,
            "GET /openapi.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(),
        ),
        (414, closing("GET", &format!("/{}", "x".repeat(9_000)), "")),
        (
            431,
            closing("GET", "/health/live", &format!("X: {}\r\n", "x".repeat(40_000))),
        ),
        (200, body(json, found)),
        (200, body(&format!("{json}Accept: text/markdown\r\n"), found)),
        (404, body(json, r#"{"user-profile":{"username":"nobody"}}"#)),
        (400, body(json, "{")),
        (400, body(json, r#"{"x":1}"#)),
        (413, body(&format!("{json}X-Long: yes\r\n"), &" ".repeat(1_100_000))),
        (415, body("", found)),
        (415, body(&format!("{json}Content-Encoding: gzip\r\n"), found)),
        // JSON, and least of all a spreadsheet.
        (200, body(&format!("{json}Accept: text/csv\r\n"), found)),
        (200, body(&format!("{json}Accept: text/html\r\n"), found)),
    ] {
        let told = text(raw(world.address, &request).await);
        let head = told.split("\r\n\r\n").next().unwrap().to_lowercase();
        let line = request.lines().next().unwrap();
        assert!(head.starts_with(&format!("http/1.1 {expected} ")), "{line}: {head}");
        for field in [
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert_eq!(head.matches(field).count(), 1, "{line} lacks {field}: {head}");
        }
        let is_page = line.contains(" /docs") && expected < 400;
        let policies: Vec<_> = head
            .lines()
            .filter(|field| field.starts_with("content-security-policy: "))
            .collect();
        assert_eq!(policies.len(), 1, "{line}: {head}");
        for order in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policies[0].contains(order), "{line}: {head}");
        }
        assert!(!policies[0].contains("script-src") || is_page, "{line}: {head}");
        assert!(
            !policies[0].contains("unsafe-eval") && !policies[0].contains("script-src 'self' 'unsafe-inline'"),
            "{head}"
        );
        assert!(
            !head.contains("access-control-") && !head.contains("\nserver:") && !head.contains("x-powered-by"),
            "{line}: {head}"
        );
        assert!(is_page || head.contains("cache-control: no-store"), "{line}: {head}");
        assert!(head.contains("x-request-id: "), "{line}: {head}");
    }
}

/// Hostile input 49, header fields that name another address: change nothing.
#[tokio::test]
async fn forwarded_fields_change_nothing() {
    let world = World::start().await;
    let ask = async |fields: &[(&str, &str)]| {
        let request = world.http.post(world.url("/commands/iam-get-user"));
        let request = fields
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = answer(request.json(&json!({"user-profile": {"username": "test"}}))).await;
        (answer.status, answer.text)
    };
    let plain = ask(&[]).await;
    for fields in [
        &[
            ("x-forwarded-for", "127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1;host=evil.example"),
        ][..],
        &[
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("x-original-url", "/commands/iam-disable-user"),
        ],
        &[
            ("x-http-method-override", "DELETE"),
            ("x-method-override", "DELETE"),
            ("x-rewrite-url", "/health/live"),
        ],
    ] {
        assert_eq!(ask(fields).await, plain, "{fields:?}");
    }
    let ready: Value = world.get("/health/ready").await.json();
    assert_eq!(ready["status"], "ready");
}
