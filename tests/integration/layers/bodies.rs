//! Bodies and arguments: JSON with faults, media types, sizes, memory.

use std::time::Duration;

use aws_ilm::http::body::BodyLimits;
use serde_json::json;

use super::{BODY_LIMIT, COMMAND, GOOD, JSON, Options, Service, posted};

#[test]
fn a_good_request_reaches_its_handler() {
    let service = Service::start();
    let fields =
        "Content-Type: application/json; charset=UTF-8\r\nAccept: text/markdown\r\nPrefer: handling=lenient\r\n";
    let answer = service.post(
        "/commands/x?instance=a%20b&dryRun=true",
        fields,
        r#"{"user-profile":{"b":1,"a":2},"allow-enable":false}"#,
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "name": "x", "instance": "a b", "dryRun": true, "profile": {"b": 1, "a": 2}, "allowEnable": false,
            "as": "Markdown", "handling": "Lenient",
        })
    );
    assert_eq!(answer.field("cache-control"), "no-store");
    assert_eq!(answer.field("x-frame-options"), "DENY");
    assert_eq!(answer.field("referrer-policy"), "no-referrer");
    assert!(
        answer
            .field("content-security-policy")
            .starts_with("default-src 'none'; frame-ancestors 'none'")
    );
    let docs = service.get("/docs/");
    assert!(docs.field("content-security-policy").contains("script-src 'self'"));
    assert_eq!(docs.field("cache-control"), "");
}

#[test]
fn faults_in_arguments_are_problems_with_a_pointer() {
    let service = Service::start();
    for (body, kind, pointer) in [
        ("", "not-json", ""),
        ("{", "not-json", ""),
        (r#"{"user-profile":{}} x"#, "not-json", ""),
        (r#"{"user-profile":{"a":1,"a":2}}"#, "not-json", "/user-profile/a"),
        (
            r#"{"user-profile":{"employeenumber":99999999999999999999}}"#,
            "not-json",
            "/user-profile/employeenumber",
        ),
        (r#"["a"]"#, "bad-argument", ""),
        ("null", "bad-argument", ""),
        (
            r#"{"user-profile":{},"allow-enable":"hunter2"}"#,
            "bad-argument",
            "/allow-enable",
        ),
        (
            r#"{"user-profile":{},"allow-enabled":true}"#,
            "unknown-argument",
            "/allow-enabled",
        ),
        ("{}", "missing-argument", "/user-profile"),
    ] {
        let answer = service.post(COMMAND, JSON, body);
        let problem = answer.problem(400, kind);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        assert!(!answer.body.contains("hunter2"));
    }
    let deep = "[".repeat(30_000);
    service.post(COMMAND, JSON, &deep).problem(400, "not-json");
    let problem = service
        .post("/commands/x?dryrun=true", JSON, GOOD)
        .problem(400, "bad-parameter");
    assert_eq!(problem["errors"][0]["parameter"], "dryrun");
}

/// - Hostile input 29, a body of no type, another type, another charset: 415 with Accept.
/// - Hostile input 30, a packed body: 415, not unpacked.
#[test]
fn bodies_that_are_not_declared_as_plain_json_are_refused() {
    let service = Service::start();
    for fields in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json; charset=utf-16\r\n",
    ] {
        let answer = service.post(COMMAND, fields, GOOD);
        answer.problem(415, "unsupported-media-type");
        assert_eq!(answer.field("accept"), "application/json");
    }
    for coding in ["gzip", "deflate", "br", "identity, gzip"] {
        let answer = service.post(COMMAND, &format!("{JSON}Content-Encoding: {coding}\r\n"), GOOD);
        answer.problem(415, "unsupported-encoding");
        assert_eq!(answer.field("accept-encoding"), "identity");
    }
    let unknown = service.post(COMMAND, &format!("{JSON}Accept: text/html\r\n"), GOOD);
    assert_eq!(
        (unknown.status, unknown.field("content-type")),
        (200, "application/json")
    );
}

#[test]
fn a_command_without_needs_takes_no_body_too() {
    let service = Service::start();
    for request in [
        posted("/optional", "", ""),
        posted("/optional", JSON, "{}"),
        "POST /optional HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
    ] {
        assert_eq!(service.ask(&request).status, 200, "{request}");
    }
    service.post("/optional", JSON, "").problem(400, "not-json");
    service
        .post("/optional", "", "{}")
        .problem(415, "unsupported-media-type");
    service
        .post("/optional", JSON, r#"{"x":1}"#)
        .problem(400, "unknown-argument");
}

/// Hostile input 28, a body over the limit, declared or in chunks without end: 413, closed.
#[test]
fn an_overlong_body_gets_its_413_whole_and_the_connection_ends() {
    let service = Service::start();
    // Declared: answered before anything is sent, and also when all of it is.
    let head = format!(
        "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {}\r\n\r\n",
        3 * 1024 * 1024
    );
    let mut connection = service.connect();
    connection.send(&head);
    let answer = connection.answer().unwrap();
    answer.problem(413, "body-too-large");
    assert_eq!(answer.field("connection"), "close");
    let mut connection = service.connect();
    connection.send(&head);
    connection.send(vec![b' '; 3 * 1024 * 1024]);
    connection.answer().unwrap().problem(413, "body-too-large");
    assert_eq!(connection.until_closed(), "");
    // One byte over.
    service
        .post(
            COMMAND,
            JSON,
            &format!("{GOOD}{}", " ".repeat(BODY_LIMIT + 1 - GOOD.len())),
        )
        .problem(413, "body-too-large");
    assert_eq!(
        service
            .post(COMMAND, JSON, &format!("{GOOD}{}", " ".repeat(BODY_LIMIT - GOOD.len())))
            .status,
        200
    );
    // Chunks without an end.
    let mut connection = service.connect();
    connection.send(format!(
        "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n"
    ));
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..8 {
        connection.send(&chunk);
    }
    connection.answer().unwrap().problem(413, "body-too-large");
    connection.until_closed();
    // A client that sends `Expect: 100-continue` is refused before it sends its body.
    let mut connection = service.connect();
    connection.send(head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    connection.answer().unwrap().problem(413, "body-too-large");
    connection.until_closed();
}

/// Hostile input 37, header sections and bodies that drip: closed, 408.
#[test]
fn a_body_that_drips_ends_at_its_deadline() {
    let intake = BodyLimits {
        body_timeout: Duration::from_millis(200),
        max_body: BODY_LIMIT,
        ..BodyLimits::default()
    };
    let service = Service::with(Options {
        intake,
        ..Options::default()
    });
    let mut connection = service.connect();
    connection.send(format!(
        "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 100\r\n\r\n{{"
    ));
    let answer = connection.answer().unwrap();
    answer.problem(408, "request-timeout");
    assert_eq!(answer.field("connection"), "close");
    connection.until_closed();
    assert_eq!(service.get("/health").body, "up");
}

#[test]
fn memory_for_bodies_is_bounded() {
    let intake = BodyLimits {
        max_buffered: 1024,
        max_body: BODY_LIMIT,
        ..BodyLimits::default()
    };
    let service = Service::with(Options {
        intake,
        ..Options::default()
    });
    let answer = service.post(COMMAND, JSON, &format!("{GOOD}{}", " ".repeat(20_000)));
    answer.problem(503, "busy");
    assert_eq!(answer.field("retry-after"), "1");
    assert_eq!(service.post(COMMAND, JSON, GOOD).status, 200);
}
