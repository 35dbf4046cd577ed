//! What a request may be: its host, method, path, length and place on its connection.

use super::{COMMAND, GOOD, JSON, Options, Service};

/// - Hostile input 42, no Host, two Hosts: 400.
/// - Hostile input 43, a target with another host: 421, asked nobody.
#[test]
fn host_is_there_once_and_is_ours() {
    let service = Service::start();
    for (head, status, kind) in [
        ("GET /health HTTP/1.1\r\n", 400, "bad-header"),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n",
            400,
            "bad-header",
        ),
        ("GET /health HTTP/1.1\r\nHost:\r\n", 400, "bad-header"),
        ("GET /health HTTP/1.1\r\nHost: evil.example\r\n", 421, "misdirected"),
        (
            "GET http://evil.example/health HTTP/1.1\r\nHost: evil.example\r\n",
            421,
            "misdirected",
        ),
        (
            "GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n",
            421,
            "misdirected",
        ),
        (
            "GET http://localhost/health HTTP/1.1\r\nHost: evil.example\r\n",
            421,
            "misdirected",
        ),
        ("GET http://localhost/health HTTP/1.1\r\n", 400, "bad-header"),
        ("GET /nothing HTTP/1.1\r\nHost: evil.example\r\n", 421, "misdirected"),
    ] {
        service.ask(format!("{head}\r\n")).problem(status, kind);
    }
    for head in [
        "GET /health HTTP/1.1\r\nHost: LOCALHOST:1234\r\n",
        "GET /health HTTP/1.1\r\nHost: [::1]:80\r\n",
        "GET /health HTTP/1.1\r\nHost: Ilm.Example\r\n",
        "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n",
    ] {
        assert_eq!(service.ask(format!("{head}\r\n")).body, "up", "{head}");
    }
    let open = Service::with(Options {
        check_host: false,
        ..Options::default()
    });
    assert_eq!(
        open.ask("GET /health HTTP/1.1\r\nHost: anything.example\r\n\r\n").body,
        "up"
    );
    open.ask("GET /health HTTP/1.1\r\n\r\n").problem(400, "bad-header");
}

/// - Hostile input 45, methods that are not offered: 405 with Allow; HEAD without a body.
/// - Hostile input 46, a method in a header field: ignored.
/// - Hostile input 47, paths that are nearly ours: 404.
/// - Hostile input 52, an origin: no CORS header.
#[test]
fn methods_and_paths_that_are_not_offered() {
    let service = Service::start();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let answer = service.ask(format!("{method} {COMMAND} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.field("allow"), "POST", "{method}");
    }
    let answer = service.post("/health", JSON, GOOD);
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.field("allow"), "GET,HEAD");
    let answer = service.ask("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n");
    assert_eq!((answer.status, answer.field("allow")), (405, "GET, HEAD, POST"));
    for path in [
        "/",
        "//health",
        "/./health",
        "/Health",
        "/health;x=1",
        "/health/",
        "/health%2f",
        "/%68ealth",
        "/.git/config",
    ] {
        service.get(path).problem(404, "no-such-route");
    }
    service
        .ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .problem(404, "no-such-route");
    // A method can't be smuggled in a header field.
    let answer = service.ask(format!(
        "GET {COMMAND} HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: POST\r\n\r\n"
    ));
    answer.problem(405, "method-not-allowed");
    let answer = service.ask("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n");
    assert!(
        answer
            .fields
            .iter()
            .all(|(name, _)| !name.starts_with("access-control-"))
    );
}

/// Hostile input 45, methods that are not offered: 405 with Allow; HEAD without a body.
#[test]
fn head_has_no_body() {
    let service = Service::start();
    for path in ["/health", "/nothing", COMMAND] {
        let mut connection = service.connect();
        connection.send(format!(
            "HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ));
        let told = connection.until_closed();
        assert!(told.starts_with("HTTP/1.1 "), "{told}");
        assert!(
            told.ends_with("\r\n\r\n") && told.matches("\r\n\r\n").count() == 1,
            "{told}"
        );
    }
}

/// Hostile input 44, too many or too long header fields, too long a target: 431, 414.
#[test]
fn long_targets_and_headers_are_refused() {
    let service = Service::start();
    service
        .get(&format!("/path/{}", "x".repeat(9_000)))
        .problem(414, "target-too-long");
    assert_eq!(service.get(&format!("/path/{}", "x".repeat(70 * 1024))).status, 414);
    assert_eq!(service.get(&format!("/path/{}", "x".repeat(8_000))).status, 200);
    let with = |fields: String| service.ask(format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
    assert_eq!(with(format!("X: {}\r\n", "x".repeat(31 * 1024))).status, 200);
    with(format!("X: {}\r\n", "x".repeat(33 * 1024))).problem(431, "headers-too-large");
    assert_eq!(with(format!("X: {}\r\n", "x".repeat(64 * 1024))).status, 431);
    assert_eq!(with("X: y\r\n".repeat(101)).status, 431);
}

/// - Hostile input 39, a length and chunks: the chunks decide; closed; nothing smuggled.
/// - Hostile input 40, two lengths, a strange coding, a space before a colon, folding, NUL, a
///   strange version, TLS: 400, closed.
#[test]
fn ambiguous_lengths_smuggle_nothing() {
    let service = Service::start();
    let smuggled = "GET /path/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for fields in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 6\r\nContent-Length: 7\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length : 6\r\n",
        "Content-Length: +6\r\n",
        "X: a\r\n folded\r\n",
        "X: a\0b\r\n",
    ] {
        let mut connection = service.connect();
        connection.send(format!(
            "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}{fields}\r\n0\r\n\r\n{smuggled}"
        ));
        let told = connection.until_closed();
        assert!(!told.contains("smuggled"), "{fields:?}: {told}");
        assert!(!told.contains(" 200 "), "{fields:?}: {told}");
        assert!(told.matches("HTTP/1.1 ").count() <= 1, "{fields:?}: {told}");
    }
}

/// Hostile input 51, 1,000 requests at once on one connection: answered in order.
#[test]
fn pipelined_requests_are_answered_in_order() {
    let service = Service::start();
    let mut connection = service.connect();
    let requests: String = (0..200)
        .map(|n| format!("GET /path/{n} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .collect();
    connection.send(requests);
    for n in 0..200 {
        assert_eq!(connection.answer().unwrap().body, n.to_string());
    }
}
