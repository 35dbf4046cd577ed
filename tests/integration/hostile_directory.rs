//! The directory as an attacker, or as a broken proxy in front of one: each answer that is none
//! gets its documented failure, nothing is believed or carried elsewhere, and the next good answer
//! works.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::{
    expected::{person, profile},
    harness::{Answer, World},
    raw_directory::{self, RawDirectory, Reply, response, service_provider_config},
};

/// A directory whose first answer but for the probe is `bad`; later it lists the person `test`.
async fn bad_once(bad: Reply) -> (RawDirectory, World) {
    bad_at_first(bad, 1).await
}

/// The same with so many bad answers.
async fn bad_at_first(bad: Reply, times: usize) -> (RawDirectory, World) {
    let bad = Mutex::new(vec![bad; times]);
    let directory = RawDirectory::start(move |line| {
        if line.contains("ServiceProviderConfig") {
            return service_provider_config();
        }
        let bad = bad.lock().unwrap().pop();
        bad.unwrap_or_else(|| listing(&[person("u-1", "test")]))
    })
    .await;
    let world = World::holding_with(json!({}), &[("AWS_ILM_URL", &directory.url())]).await;
    (directory, world)
}

fn listing(people: &[Value]) -> Reply {
    raw_directory::json(&json!({"totalResults": people.len(), "Resources": people}))
}

async fn get(world: &World) -> Answer {
    world
        .command("iam-get-user", &json!({"user-profile": {"username": "test"}}))
        .await
}

/// `megabytes` of zeros, packed: RFC 1951's fixed codes, each pair of which repeats 258 bytes,
/// between RFC 1952's header and nothing.
fn bomb(megabytes: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut push = |text: &str| bits.extend(text.bytes().map(|bit| bit == b'1'));
    // The last block, of fixed codes, and a first zero to repeat.
    push("110");
    push("00110000");
    for _ in 0..megabytes * 1024 * 1024 / 258 {
        // Length 258, distance 1.
        push("11000101");
        push("00000");
    }
    push("0000000");
    let bytes = bits.chunks(8).map(|byte| {
        byte.iter()
            .enumerate()
            .fold(0, |sum, (place, bit)| sum | u8::from(*bit) << place)
    });
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        .into_iter()
        .chain(bytes)
        .collect()
}

/// - Hostile input 84, a redirect, to the metadata service or elsewhere: 502; the token stays.
/// - Hostile input 85, an id that is a path, from the directory: 502.
/// - Hostile input 86, a packed bomb, a body of a gigabyte: 502, cut.
/// - Hostile input 87, floods of header fields, bytes that are not Unicode: 502 or ignored.
/// - Hostile input 90, answers of the wrong length, interim ones without end: their failure; the
///   next one works.
#[tokio::test]
async fn every_answer_that_is_none_gets_its_failure_and_the_next_one_works() {
    let json_type = ("Content-Type", "application/json");
    let sound = json!({"Resources": [person("u-1", "test")]}).to_string();
    let many: Vec<_> = (0..100).map(|_| ("Set-Cookie", "a=b")).chain([json_type]).collect();
    let bytes = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
    let interim = format!(
        "{}HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{sound}",
        "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50),
        sound.len()
    );
    let rows: Vec<(&str, Reply, u16, u64)> = vec![
        (
            "a page of HTML",
            response("200 OK", &[("Content-Type", "text/html")], b"<html>sign in</html>"),
            502,
            502,
        ),
        ("nothing", response("200 OK", &[json_type], b""), 502, 502),
        ("a 204", response("204 No Content", &[], b""), 502, 502),
        (
            "a 204 with a body",
            bytes("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
            502,
            502,
        ),
        (
            "half of JSON",
            response("200 OK", &[json_type], &sound.as_bytes()[..20]),
            502,
            502,
        ),
        (
            "not Unicode",
            response("200 OK", &[json_type], b"{\"Resources\": [\"\xff\"]}"),
            502,
            502,
        ),
        (
            "a list of text",
            response("200 OK", &[json_type], b"[\"u-1\"]"),
            502,
            502,
        ),
        (
            "no list",
            response("200 OK", &[json_type], b"{\"Resources\": 7}"),
            502,
            502,
        ),
        (
            "a gzip bomb",
            response("200 OK", &[json_type, ("Content-Encoding", "gzip")], &bomb(64)),
            502,
            502,
        ),
        (
            "what is no gzip",
            response("200 OK", &[json_type, ("Content-Encoding", "gzip")], b"no"),
            502,
            502,
        ),
        ("a body without end", Reply::Endless, 502, 502),
        (
            "an id that is a path",
            listing(&[person("../Users/1", "test")]),
            502,
            502,
        ),
        ("another person", listing(&[person("u-1", "tester")]), 502, 502),
        (
            "two people",
            listing(&[person("u-1", "test"), person("u-2", "test")]),
            409,
            409,
        ),
        (
            "a redirect",
            response("302 Found", &[("Location", "http://127.0.0.1:9/")], b""),
            502,
            302,
        ),
        (
            "a body cut short",
            bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"),
            504,
            504,
        ),
        ("half a head", bytes("HTTP/1.1 200 OK\r\nContent-Ty"), 504, 504),
        ("no HTTP", bytes("SSH-2.0-OpenSSH_9.9\r\n"), 502, 502),
        ("nothing at all", bytes(""), 504, 504),
        ("a strange status", response("299 Odd", &[json_type], b"{}"), 502, 502),
        ("interim answers first", bytes(&interim), 200, 0),
        ("a teapot", response("418 I'm a teapot", &[json_type], b"{}"), 502, 418),
        (
            "a hundred cookies",
            response("200 OK", &many, sound.as_bytes()),
            502,
            502,
        ),
        (
            "some cookies",
            response("200 OK", &many[50..], sound.as_bytes()),
            200,
            0,
        ),
    ];
    let looks = |directory: &RawDirectory| directory.heads().iter().filter(|head| head.contains("/Users?")).count();
    for (what, bad, status, code) in rows {
        // A broken connection is ridden out, unless it breaks each time.
        let is_broken = status == 504;
        if is_broken {
            let (directory, world) = bad_at_first(bad.clone(), 2).await;
            let answer = get(&world).await;
            assert_eq!(
                (answer.status, &answer.vendor()["id"], looks(&directory)),
                (200, &json!("u-1"), 3),
                "{what}: {}",
                answer.text
            );
        }
        let times = if is_broken { 5 } else { 1 };
        let (directory, world) = bad_at_first(bad, times).await;
        let answer = get(&world).await;
        assert_eq!(looks(&directory), times, "{what}");
        let vendor = answer.vendor();
        assert_eq!(
            (answer.status, vendor["errorCode"].as_u64().unwrap_or(0)),
            (status, code),
            "{what}: {}",
            answer.text
        );
        assert_eq!(vendor["success"], status == 200, "{what}");
        let next = get(&world).await;
        assert_eq!(
            (next.status, &next.vendor()["id"]),
            (200, &json!("u-1")),
            "after {what}: {}",
            next.text
        );
    }
}

/// Hostile input 84, a redirect, to the metadata service or elsewhere: 502; the token stays.
#[tokio::test]
async fn the_token_follows_no_redirect() {
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let elsewhere = RawDirectory::start(|_| listing(&[person("u-1", "test")])).await;
        let location = elsewhere.url() + "Users";
        let redirect = response(status, &[("Location", &location)], b"");
        let directory = RawDirectory::start(move |line| {
            if line.contains("ServiceProviderConfig") {
                service_provider_config()
            } else {
                redirect.clone()
            }
        })
        .await;
        let world = World::holding_with(json!({}), &[("AWS_ILM_URL", &directory.url())]).await;
        let about = json!({"user-profile": profile("test")});
        for command in [
            "iam-get-user",
            "iam-create-user",
            "iam-update-user",
            "iam-disable-user",
            "test-module",
        ] {
            let arguments = if command == "test-module" {
                json!({})
            } else {
                about.clone()
            };
            let answer = world.command(command, &arguments).await;
            assert_eq!(answer.status, 502, "{command}: {}", answer.text);
            assert!(!answer.text.contains(&location), "{}", answer.text);
        }
        assert!(
            directory
                .heads()
                .iter()
                .all(|head| head.to_lowercase().contains("authorization: bearer sandbox-token"))
        );
        assert_eq!(elsewhere.heads(), Vec::<String>::new());
    }
}

/// Hostile input 91, an error that quotes markup, line ends, the token: plain, bounded, masked.
#[tokio::test]
async fn what_a_directory_says_of_an_error_is_plain_bounded_and_without_the_token() {
    let detail = format!(
        "\u{1b}[31m<script>alert(1)</script>\r\nforged: line sandbox-token {}",
        "x".repeat(5_000)
    );
    let error = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "detail": detail});
    let reply = response(
        "400 Bad Request",
        &[("x-amzn-RequestId", "r-1")],
        error.to_string().as_bytes(),
    );
    let (_directory, world) = bad_once(reply.clone()).await;
    let answer = get(&world).await;
    let message = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
    assert_eq!((answer.status, answer.vendor()["errorCode"].as_u64()), (400, Some(400)));
    assert!(
        message.starts_with("[31m<script>alert(1)</script>  forged: line *** xxx"),
        "{message}"
    );
    assert!(
        message.ends_with("x (AWS request id r-1)") && message.chars().count() <= 1_030,
        "{message}"
    );
    assert!(!message.contains(char::is_control) && !answer.text.contains("sandbox-token"));

    let (_directory, world) = bad_once(reply).await;
    let table = world
        .markdown("iam-get-user", &json!({"user-profile": {"username": "test"}}))
        .await;
    assert!(
        !table.text.contains("<script>") && table.text.lines().count() == 4,
        "{}",
        table.text
    );
}

/// Hostile input 92, pages without end: 502.
#[tokio::test]
async fn pages_that_lead_in_a_circle_end() {
    let cursors = Mutex::new(["a", "b", "a", "b"].iter().cycle());
    let directory = RawDirectory::start(move |line| {
        if line.contains("ServiceProviderConfig") {
            return service_provider_config();
        }
        if line.contains("/Groups/") {
            return raw_directory::json(&json!({"id": "g-1", "displayName": "A"}));
        }
        let cursor = cursors.lock().unwrap().next().unwrap();
        raw_directory::json(&json!({"itemsPerPage": 1, "nextCursor": cursor, "Resources": [person("u-1", "test")]}))
    })
    .await;
    let world = World::holding_with(json!({}), &[("AWS_ILM_URL", &directory.url())]).await;
    let answer = world.command("iam-get-group", &json!({"scim": {"id": "g-1"}})).await;
    let document = answer.json();
    let result = &document["GetGroup"];
    assert_eq!(
        (answer.status, &result["errorCode"], &result["members"]),
        (502, &json!(502), &Value::Null),
        "{}",
        answer.text
    );
    assert_eq!(result["errorMessage"], "the directory's pages of members do not end");
    assert_eq!(
        directory.heads().iter().filter(|head| head.contains("/Users?")).count(),
        3
    );
}

/// Hostile input 88, a creation answered with another or an inactive person: 502.
#[tokio::test]
async fn a_creation_answered_with_somebody_else_or_inactive_is_a_mismatch() {
    let inactive = {
        let mut user = person("u-1", "test");
        user["active"] = json!(false);
        user
    };
    for answered in [person("u-1", "other"), inactive] {
        let directory = RawDirectory::start(move |line| {
            if line.contains("ServiceProviderConfig") {
                service_provider_config()
            } else {
                raw_directory::json(&answered)
            }
        })
        .await;
        let world = World::holding_with(json!({}), &[("AWS_ILM_URL", &directory.url())]).await;
        let answer = world
            .command("iam-create-user", &json!({"user-profile": profile("test")}))
            .await;
        assert_eq!(
            (answer.status, answer.vendor()["errorCode"].as_u64()),
            (502, Some(502)),
            "{}",
            answer.text
        );
        assert!(
            answer.vendor()["errorMessage"]
                .as_str()
                .unwrap()
                .starts_with("mismatch"),
            "{}",
            answer.text
        );
    }
}
