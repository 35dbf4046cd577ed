//! What a key is.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{is_repeated, keyed};
use crate::{
    harness::answer,
    operations::{Stored, person},
};

/// Hostile input 80, a key of 256 characters, an empty one, a doubled one, blanks, quotes that do
/// not end: 400, which names the field and the rule.
#[tokio::test]
async fn what_is_no_key_is_refused_by_name() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let arguments = json!({"user-profile": {"username": "kim"}});
    let (long, long_quoted) = ("x".repeat(256), format!("\"{}\"", "x".repeat(256)));
    for key in [
        "",
        "\"\"",
        "a b",
        "\"a",
        "\"a\"b\"",
        "a,b",
        "a;b",
        "\"a\";b=1",
        "a\\b",
        &long,
        &long_quoted,
    ] {
        let refused = stored.once("iam-disable-user", key, &arguments).await;
        assert_eq!(refused.status, 400, "{key}: {}", refused.text);
        assert_eq!(refused.json()["type"], "/problems/bad-header");
        assert_eq!(refused.json()["errors"][0]["header"], "Idempotency-Key");
        assert!(refused.text.contains("1 to 255"), "{}", refused.text);
    }
    let twice = keyed(&stored.world, "/commands/iam-disable-user", "a", &arguments).header("idempotency-key", "a");
    let twice = answer(twice).await;
    assert_eq!(twice.status, 400, "{}", twice.text);
    assert!(twice.text.contains("given twice"));
    assert_eq!(stored.world.user("kim")["active"], true);
    assert_eq!(stored.operations().await, 0);
}

/// Hostile input 80, a key with NUL in it: 400.
#[tokio::test]
async fn a_key_with_nul_is_refused() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let mut socket = TcpStream::connect(stored.world.address).await.unwrap();
    let body = r#"{"user-profile": {"username": "kim"}}"#;
    let head = format!(
        "POST /commands/iam-disable-user HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
        stored.world.address,
        body.len()
    );
    for part in [head.as_bytes(), b"Idempotency-Key: a\0b\r\n\r\n", body.as_bytes()] {
        socket.write_all(part).await.unwrap();
    }
    let mut read = Vec::new();
    // What was not read of the body may reset the connection behind the answer.
    let _ = socket.read_to_end(&mut read).await;
    let read = String::from_utf8_lossy(&read);
    assert!(read.starts_with("HTTP/1.1 400"), "{read}");
    assert_eq!(stored.world.user("kim")["active"], true);
}

/// Hostile input 80, a key bare and in quotes: it is the same key.
#[tokio::test]
async fn quoted_and_bare_it_is_the_same_key() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let arguments = json!({"user-profile": {"username": "kim"}});
    let longest = "x".repeat(255);
    for (first, again) in [
        (
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        ),
        ("\"a,;\\\\b\"", "\"a,;\\\\b\""),
        (&longest, &longest),
    ] {
        let answered = stored.once("iam-disable-user", first, &arguments).await;
        assert_eq!(
            (answered.status, is_repeated(&answered)),
            (200, false),
            "{}",
            answered.text
        );
        assert!(
            is_repeated(&stored.once("iam-disable-user", again, &arguments).await),
            "{again}"
        );
    }
}
