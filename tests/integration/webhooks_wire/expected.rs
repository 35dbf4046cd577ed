//! Senders that wait for a 100 (Continue), as Paylocity's does, and bodies that are too large.

use std::net::SocketAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, timeout},
};

use super::Program;
use crate::webhooks::{Hr, KEY, now, signed};

/// Nothing takes this long; a test that waits it out has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const RULE: &str = "[[sources.rules]]\nwhen = \"true\"\ndo = \"disable\"\nprofile = { username = \"body.who\" }\n";

fn sources() -> String {
    let of = |name: &str, proof: &str| {
        format!(
            "[[sources]]\nname = \"{name}\"\nsecret_files = [\"secret\"]\nverifier = {{ proof = {proof}, duplicates = \"digest\" }}\n{RULE}\n"
        )
    };
    let named = [
        of("basic", "\"basic\""),
        of("bearer", "\"bearer\""),
        of("header", "{ header = \"x-proof\" }"),
        of("path", "\"path\""),
        "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"key\"]\npath_secret_files = [\"secret\"]\nzone = \"UTC\"\n".to_owned(),
    ];
    named.concat()
}

async fn start() -> Hr {
    let key = format!("whsec_{}", STANDARD.encode(KEY));
    Hr::with(&sources(), &[("secret", "user:right"), ("key", &key)], &[]).await
}

/// Sends a header section, and gives the first that is answered to it.
async fn head(address: SocketAddr, path: &str, fields: &str, length: usize) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /webhooks/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\nConnection: close\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8())
            .await
            .expect("nothing is answered")
            .unwrap();
        told.push(byte);
    }
    (stream, String::from_utf8(told).unwrap())
}

async fn rest(mut stream: TcpStream) -> String {
    let mut told = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut told)).await;
    read.expect("the connection was left open").unwrap();
    told
}

#[tokio::test]
async fn a_header_that_proves_nothing_is_refused_without_its_body() {
    let hr = start().await;
    let address = hr.stored.world.address;
    let basic = |text: &str| format!("Authorization: Basic {}\r\n", STANDARD.encode(text));
    let wrong = [
        ("basic", basic("user:wrong")),
        ("basic", String::new()),
        ("basic", "Authorization: Bearer user:right\r\n".to_owned()),
        ("basic", basic("user:right").repeat(2)),
        ("bearer", "Authorization: Bearer user:wrong\r\n".to_owned()),
        ("bearer", basic("user:right")),
        ("header", "X-Proof: user:wrong\r\n".to_owned()),
        ("header", String::new()),
        ("path/~user:wrong", String::new()),
        ("path", String::new()),
        ("hr/~user:wrong", String::new()),
        ("basic/~user:right", basic("user:right")),
    ];
    for (path, fields) in wrong {
        let (stream, told) = head(address, path, &fields, 1_000_000).await;
        assert!(told.starts_with("HTTP/1.1 401 "), "{path}, {fields}: {told}");
        let body = rest(stream).await;
        assert!(body.contains("/problems/webhook-unproven"), "{path}: {body}");
    }
    assert_eq!(hr.events("").await, Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_header_that_is_right_has_its_body_asked_for_and_taken() {
    let hr = start().await;
    let address = hr.stored.world.address;
    let basic = format!("Authorization: Basic {}\r\n", STANDARD.encode("user:right"));
    let mut count = 0;
    for (path, fields) in [
        ("basic", basic.as_str()),
        ("bearer", "Authorization: Bearer user:right\r\n"),
        ("header", "X-Proof: user:right\r\n"),
        ("path/~user:right", ""),
    ] {
        let body = json!({"who": "kim"}).to_string();
        let (mut stream, told) = head(address, path, fields, body.len()).await;
        assert_eq!(told, "HTTP/1.1 100 Continue\r\n\r\n", "{path}");
        assert_eq!(hr.events("").await.len(), count, "{path}");
        stream.write_all(body.as_bytes()).await.unwrap();
        let told = rest(stream).await;
        assert!(told.starts_with("HTTP/1.1 202 "), "{path}: {told}");
        count += 1;
        assert_eq!(hr.events("?verdict=accepted").await.len(), count, "{path}");
    }
}

/// A signature is over the body, so that is asked for; and for a name that there is not as well.
#[tokio::test]
async fn a_body_that_is_signed_is_asked_for_before_it_is_judged() {
    let hr = start().await;
    let address = hr.stored.world.address;
    let body = json!({"type": "employee.promoted"}).to_string();
    let fields = |key: &str| -> String {
        let fields = signed(key, "msg_1", now(), &body).into_iter();
        fields.map(|(name, value)| format!("{name}: {value}\r\n")).collect()
    };
    for (path, fields, status) in [
        ("hr/~user:right", fields(KEY), "202"),
        ("hr/~user:right", fields("another secret"), "401"),
        ("nothing", fields(KEY), "401"),
        ("nothing", String::new(), "401"),
    ] {
        let (mut stream, told) = head(address, path, &fields, body.len()).await;
        assert_eq!(told, "HTTP/1.1 100 Continue\r\n\r\n", "{path}");
        stream.write_all(body.as_bytes()).await.unwrap();
        let told = rest(stream).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {told}");
    }
    // What says itself that it is too long is not asked for.
    let (stream, told) = head(address, "hr/~user:right", &fields(KEY), 50_000_000).await;
    assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
    assert!(rest(stream).await.contains("/problems/body-too-large"));
}

/// Sends as much of a body as is taken, and gives what is answered.
async fn flood(address: SocketAddr, head: &str, piece: &[u8], times: usize) -> (usize, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut from, mut to) = stream.split();
    let mut told = String::new();
    let mut sent = 0;
    let writing = async {
        for _ in 0..times {
            if to.write_all(piece).await.is_err() {
                break;
            }
            sent += piece.len();
        }
    };
    // A reset behind the answer is an end as well.
    let reading = async {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut part).await {
            told.push_str(&String::from_utf8_lossy(&part[..count]));
        }
    };
    let both = timeout(PATIENCE, async { tokio::join!(writing, reading) });
    both.await.expect("the connection was left open");
    (sent, told)
}

/// Hostile input 71, a body of 50 MB, whether its length is said or not: 413, the connection is
/// closed, and no more is kept of it than the cap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_fifty_megabytes_is_refused_in_bounded_memory() {
    let key = format!("whsec_{}", STANDARD.encode(KEY));
    let program = Program::start(
        &sources(),
        &[("secret", "user:right"), ("key", &key)],
        &[("AWS_ILM_LOG_FILTER", "info")],
    );
    let (size, piece) = (50 * 1024 * 1024, [b' '; 64 * 1024]);
    let taken = program
        .post("/webhooks/path/~user:right", &[], r#"{"who": "kim"}"#)
        .await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let before = program.service.memory();
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend(piece);
    chunk.extend(b"\r\n");
    for path in ["path/~user:right", "path/~user:wrong", "hr/~user:right", "nothing"] {
        let head = |length: &str| {
            format!(
                "POST /webhooks/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            )
        };
        let (_, told) = flood(
            program.address,
            &head(&format!("Content-Length: {size}")),
            &piece,
            size / piece.len(),
        )
        .await;
        assert!(told.starts_with("HTTP/1.1 413 "), "{path}: {told}");
        assert!(told.contains("connection: close"), "{path}: {told}");
        let (sent, told) = flood(
            program.address,
            &head("Transfer-Encoding: chunked"),
            &chunk,
            size / piece.len(),
        )
        .await;
        assert!(told.starts_with("HTTP/1.1 413 "), "{path}, {sent} bytes: {told}");
        assert!(sent < size, "{path}: all of it was read");
    }
    if let (Some(before), Some(after)) = (before, program.service.memory()) {
        println!("{before} KiB before, {after} KiB after eight bodies of 50 MB");
        assert!(after < before + 32 * 1024, "{before} KiB before, {after} KiB after");
    }
    let events = program.get("/events").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
}
