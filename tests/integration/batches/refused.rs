//! Batches that are refused: nothing of them is stored.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{NDJSON, disable, faults, update};
use crate::{
    harness::World,
    operations::{Stored, person},
};

async fn stores_nothing(stored: &Stored) {
    assert_eq!(stored.operations().await, 0);
    assert!(stored.world.writes().is_empty());
}

#[tokio::test]
async fn each_faulty_element_is_named_and_nothing_is_stored() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let with = |name: &str, value: Value| {
        let mut element = disable("kim");
        element[name] = value;
        element
    };
    let elements = json!([
        disable("kim"),
        {"command": "iam-disable-user", "arguments": {"user-profil": {}}},
        {"command": "iam-delete-user", "arguments": {}},
        {"command": "iam-get-user", "arguments": {"user-profile": {}}},
        {"command": "iam-disable-user"},
        with("instance", json!("nowhere")),
        with("notBefore", json!("tomorrow")),
        with("purpose", json!("a b")),
        with("dryRun", json!(true)),
        "iam-disable-user",
        {"command": "iam-update-user", "arguments": {"user-profile": [], "allow-enable": false}},
        disable("kim"),
    ]);
    let refused = stored.batch(&elements).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(refused.json()["type"], "/problems/bad-batch");
    let found: Vec<String> = faults(&refused).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(
        found,
        [
            "/1/arguments/user-profil",
            "/2/command",
            "/3/command",
            "/4/arguments",
            "/5/instance",
            "/6/notBefore",
            "/7/purpose",
            "/8/dryRun",
            "/9",
            "/10/arguments/user-profile",
        ]
    );
    stores_nothing(&stored).await;
    // The one that was faulty alone is the same fault.
    let single = stored.batch(&json!([elements[6]])).await;
    assert!(
        single.json()["detail"].as_str().unwrap().contains("/0/notBefore"),
        "{}",
        single.text
    );
}

/// A byte order mark, a last line that was cut, a text that is none, keys given twice, nesting
/// without an end, a number that would change: 400, by the number of the element.
#[tokio::test]
async fn an_element_is_read_as_strictly_as_any_body() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let good = disable("kim").to_string();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let rows = [
        (format!("\u{feff}{good}\n{good}"), "/0", "byte order mark"),
        (format!("{good}\n{}", &good[..good.len() - 5]), "/1", "EOF"),
        (format!("{good}\n{good}x"), "/1", "trailing"),
        (
            format!("{good}\n{}", good.replacen('{', "{\"command\": \"a\", ", 1)),
            "/1/command",
            "twice",
        ),
        (
            format!("{good}\n{}", good.replace("\"kim\"", &deep)),
            "/1/arguments",
            "recursion",
        ),
        (
            format!("{good}\n{}", good.replace("\"kim\"", "12345678901234567890123")),
            "/1/arguments",
            "number too large",
        ),
        (format!("{good}\n\u{2018}"), "/1", "double quotes"),
    ];
    for (body, pointer, detail) in rows {
        let refused = stored.batch_of(NDJSON, body.clone()).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text);
        let (found, told) = faults(&refused).remove(0);
        assert!(
            found.starts_with(pointer) && told.contains(detail),
            "{body}: {}",
            refused.text
        );
    }
    stores_nothing(&stored).await;
}

/// What is no array of elements, or not to its end: 400.
#[tokio::test]
async fn an_array_is_read_to_its_end() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let good = disable("kim").to_string();
    let rows = [
        (format!("[{good}, {good}"), "not-json", "does not end"),
        (format!("[{good}, "), "not-json", "does not end"),
        (format!("[{good},]"), "not-json", "missing"),
        (format!("[{good}] x"), "not-json", "behind the end"),
        (good.clone(), "not-json", "no array"),
        (format!("\u{feff}[{good}]"), "not-json", "no array"),
        (String::new(), "not-json", "no array"),
        ("[]".to_owned(), "bad-batch", "no element"),
        (format!("[{good}, {{]"), "not-json", "does not end"),
        (format!("[{good}, {{}}}}]"), "bad-batch", "/1"),
    ];
    for (body, problem, detail) in rows {
        let refused = stored.batch_of("application/json", body.clone()).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text);
        assert_eq!(
            refused.json()["type"],
            format!("/problems/{problem}"),
            "{body}: {}",
            refused.text
        );
        assert!(refused.text.contains(detail), "{body}: {}", refused.text);
    }
    let empty = stored.batch_of(NDJSON, "\n\n").await;
    assert_eq!(
        (empty.status, &empty.json()["type"]),
        (400, &json!("/problems/bad-batch"))
    );
    stores_nothing(&stored).await;
}

/// 10,001 elements, 16 MiB and a byte, an element of a command's longest body and more: refused,
/// however they come. One of 1 MiB is a command like any other.
#[tokio::test]
async fn sizes_are_bounded() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let line = format!("{}\n", disable("kim"));
    let too_many = stored.batch_of(NDJSON, line.repeat(10_001)).await;
    assert_eq!(too_many.status, 413, "{}", too_many.text);
    assert!(too_many.text.contains("10000"), "{}", too_many.text);

    let most = 16 * 1024 * 1024;
    let too_long = stored.batch_of(NDJSON, " ".repeat(most + 1)).await;
    assert_eq!(too_long.status, 413, "{}", too_long.text);
    let untold = of_untold_length(&stored, most + 1).await;
    assert!(untold.starts_with("HTTP/1.1 413"), "{untold}");

    let of_length = |length: usize| {
        let without = update("kim", "").to_string().len();
        update("kim", &"x".repeat(length - without)).to_string()
    };
    let longest = 1024 * 1024;
    let too_large = stored
        .batch_of(NDJSON, format!("{line}{}", of_length(longest + 1)))
        .await;
    assert_eq!(too_large.status, 400, "{}", too_large.text);
    assert_eq!(faults(&too_large)[0].0, "/1");
    stores_nothing(&stored).await;
    let taken = stored.batch_of(NDJSON, of_length(longest)).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
}

/// What a batch of blanks is answered whose length is not told beforehand.
async fn of_untold_length(stored: &Stored, length: usize) -> String {
    let socket = TcpStream::connect(stored.world.address).await.unwrap();
    let (mut reading, mut writing) = socket.into_split();
    let head = format!(
        "POST /batches HTTP/1.1\r\nHost: {}\r\nContent-Type: {NDJSON}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{length:x}\r\n",
        stored.world.address,
    );
    let written = tokio::spawn(async move {
        writing.write_all(head.as_bytes()).await.unwrap();
        // It may be refused before its end.
        let _ = writing.write_all(&vec![b'\n'; length]).await;
        let _ = writing.write_all(b"\r\n0\r\n\r\n").await;
        // An end of it would be taken for a caller that has hung up.
        writing
    });
    let mut answer = Vec::new();
    let _ = reading.read_to_end(&mut answer).await;
    drop(written.await.unwrap());
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_a_batch_does_not_take_is_refused() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let elements = json!([disable("kim")]);
    for query in ["?dryRun=true", "?instance=a", "?x"] {
        let refused = stored.world.post(&format!("/batches{query}"), &elements).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
    }
    for media_type in ["text/csv", "text/plain", "application/ndjson"] {
        let refused = stored.batch_of(media_type, elements.to_string()).await;
        assert_eq!(refused.status, 415, "{media_type}: {}", refused.text);
    }
    stores_nothing(&stored).await;
    let world = World::start().await;
    let without = world.post("/batches", &elements).await;
    assert_eq!(
        (without.status, &without.json()["type"]),
        (501, &json!("/problems/no-store"))
    );
}
