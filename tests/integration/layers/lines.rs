//! What is told of a request: its id, the access line, a panic.

use super::{JSON, Service, access_line, log};

/// Hostile input 103, a panic in a handler: 500; others go on.
#[test]
fn a_panic_is_told_without_its_message_and_disturbs_nobody() {
    let service = Service::start();
    let mut connection = service.connect();
    for _ in 0..2 {
        connection.send("GET /panic HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: p-1\r\n\r\n");
        let answer = connection.answer().unwrap();
        let problem = answer.problem(500, "internal");
        assert_eq!(problem["requestId"], "p-1");
        assert!(!answer.body.contains("hunter2"));
        connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(connection.answer().unwrap().body, "up");
    }
    assert_eq!(access_line("p-1")["fields"]["status"], 500);
    let logged = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    assert!(!logged.contains("hunter2"));
}

#[test]
fn a_request_id_is_taken_over_or_made() {
    let service = Service::start();
    let with = |id: &str| service.ask(format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{id}\r\n"));
    assert_eq!(with("X-Request-Id: Az-09_.x\r\n").field("x-request-id"), "Az-09_.x");
    for id in [
        "",
        "X-Request-Id: a b\r\n",
        "X-Request-Id: a\r\nX-Request-Id: b\r\n",
        "X-Request-Id: <script>\r\n",
    ] {
        let answer = with(id);
        assert_eq!(answer.field("x-request-id").len(), 36, "{answer:?}");
        assert_eq!(
            answer.fields.iter().filter(|(name, _)| name == "x-request-id").count(),
            1
        );
    }
}

#[test]
fn one_access_line_a_request_and_nobody_named_in_it() {
    let service = Service::start();
    let body = r#"{"user-profile":{"email":"bjensen@example.com"}}"#;
    service.post(
        "/commands/bjensen?instance=bjensen",
        &format!("{JSON}X-Request-Id: line-1\r\n"),
        body,
    );
    let line = access_line("line-1");
    let fields = &line["fields"];
    assert_eq!(fields["route"], "/commands/{name}");
    assert_eq!(fields["method"], "POST");
    assert_eq!(fields["status"], 200);
    assert_eq!(fields["command"], "iam-get-user");
    assert_eq!(fields["instance"], "first");
    assert_eq!(fields["outcome"], "done");
    assert_eq!(fields["upstream_calls"], 3);
    assert_eq!(fields["dry_run"], false);
    assert!(fields["duration_ms"].is_u64());
    service
        .ask("BJENSEN /bjensen HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: line-2\r\n\r\n")
        .problem(404, "no-such-route");
    let line = access_line("line-2");
    assert_eq!(line["fields"]["route"], "-");
    assert_eq!(line["fields"]["method"], "other");
    assert_eq!(line["fields"]["problem"], "/problems/no-such-route");
    let text = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    for id in ["line-1", "line-2"] {
        assert_eq!(
            text.lines()
                .filter(|line| line.contains("\"access\"") && line.contains(id))
                .count(),
            1
        );
    }
    assert!(!text.to_lowercase().contains("bjensen"));
}

#[test]
fn a_caller_who_hangs_up_leaves_a_line_too() {
    let service = Service::start();
    let mut connection = service.connect();
    connection.send("GET /wait HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone-1\r\n\r\n");
    service.until_waiting(1);
    drop(connection);
    let line = access_line("gone-1");
    assert_eq!(line["fields"]["message"], "the caller hung up");
    assert!(line["fields"]["status"].is_null());
}
