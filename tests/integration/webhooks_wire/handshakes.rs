//! What senders post that is no event: a token that comes first, a header that is sent back, pings.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Program, problem};
use crate::webhooks::{Hr, now, write};

const TOKEN: &str = "zq7-verification-token";
const CHALLENGE: &str = "zq7-challenge";

const GUSTO: &str = r#"
[[sources]]
name = "gusto"
preset = "gusto"

[[sources.rules]]
when = "type == 'employee.terminated'"
do = "disable"
profile = { employeeid = "body.entity_uuid" }

[[sources]]
name = "bob"
preset = "hibob"
zone = "UTC"
"#;

fn first_post(token: &str) -> String {
    json!({"verification_token": token}).to_string()
}

fn signature(algorithm: hmac::Algorithm, key: &str, body: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), body.as_bytes())
        .as_ref()
        .to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_comes_first_is_shown_to_the_operator_once() {
    let program = Program::start(GUSTO, &[], &[]);
    for _ in 0..3 {
        let told = program.post("/webhooks/gusto", &[], &first_post(TOKEN)).await;
        assert_eq!((told.status, told.text.as_str()), (200, ""));
    }
    let line = program.service.stdout.line_with(TOKEN);
    assert_eq!(line.trim(), TOKEN, "on a line of its own");
    assert!(
        program
            .service
            .stdout
            .text()
            .contains("The source gusto was told its secret")
    );
    // Whatever else comes before the secret is known proves nothing.
    let event = json!({"uuid": "u-1", "event_type": "employee.terminated", "entity_uuid": "zq7-e", "timestamp": now()})
        .to_string();
    let proof = hexadecimal(&signature(hmac::HMAC_SHA256, TOKEN, &event));
    let signed = [("x-gusto-signature", proof.as_str())];
    for (path, body) in [
        ("/webhooks/gusto", event.as_str()),
        ("/webhooks/gusto", r#"{"verification_token": ""}"#),
        ("/webhooks/gusto", r#"{"verification_token": 7}"#),
        ("/webhooks/gusto", r#"{"verification_token": "zq7", "more": 1}"#),
        ("/webhooks/bob", &first_post(TOKEN)),
        ("/webhooks/nothing", &first_post(TOKEN)),
    ] {
        let refused = program.post(path, &signed, body).await;
        assert_eq!(refused.status, 401, "{path}, {body}: {}", refused.text);
    }
    // Tokens that anybody posts don't scroll the right one away.
    for number in 0..30 {
        let told = program
            .post("/webhooks/gusto", &[], &first_post(&format!("zq7-other-{number}")))
            .await;
        assert_eq!(told.status, 200);
    }
    let stdout = program.service.stdout.text();
    let shown = |text: &str| stdout.lines().filter(|line| line.contains(text)).count();
    assert_eq!(shown(TOKEN), 1, "{stdout}");
    assert!((1..30).contains(&shown("zq7-other-")), "{stdout}");
    assert_eq!(
        program.get("/events?verdict=accepted").await.json()["events"],
        json!([])
    );

    // The operator does as told: from then on the token proves events, and is no word any more.
    write(&program.folder().join("token"), TOKEN);
    let named = GUSTO.replace("preset = \"gusto\"", "preset = \"gusto\"\nsecret_files = [\"token\"]");
    write(&program.folder().join("sources.toml"), &named);
    let mut taken = program.post("/webhooks/gusto", &signed, &event).await;
    for _ in 0..500 {
        if taken.status == 202 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        taken = program.post("/webhooks/gusto", &signed, &event).await;
    }
    assert_eq!(taken.status, 202, "{}", taken.text);
    let late = program.post("/webhooks/gusto", &[], &first_post(TOKEN)).await;
    assert_eq!(late.status, 401, "{}", late.text);
    let told = program.told().await;
    assert!(
        told.log
            .contains("a source was told its secret, which is shown on stdout once")
    );
    told.assert_without(&["zq7"]);
}

#[tokio::test]
async fn pings_are_answered_and_kept_by_nothing() {
    let sources = "[[sources]]\nname = \"bob\"\npreset = \"hibob\"\nsecret_files = [\"secret\"]\nzone = \"UTC\"\n\
                   [[sources]]\nname = \"new\"\npreset = \"hibob\"\nzone = \"UTC\"\n\
                   [[sources]]\nname = \"house\"\npreset = \"greenhouse\"\nsecret_files = [\"secret\"]\n";
    let hr = Hr::with(sources, &[("secret", TOKEN)], &[]).await;
    let bob = |body: &str| STANDARD.encode(signature(hmac::HMAC_SHA512, TOKEN, body));
    let house = |body: &str| format!("sha256 {}", hexadecimal(&signature(hmac::HMAC_SHA256, TOKEN, body)));
    for (source, r#type, body, status) in [
        ("bob", "text/plain", "Ping test", 200),
        ("bob", "application/json", r#"{"text":"Ping test"}"#, 200),
        ("house", "application/json", r#"{"action":"ping","payload":{}}"#, 200),
        // The first word of a sender, before its secret is known; its events are none.
        ("new", "text/plain", "Ping test", 200),
        ("new", "application/json", r#"{"text":"Ping test"}"#, 200),
        (
            "new",
            "application/json",
            r#"{"type":"employee.left","triggeredAt":"2026-11-02T00:00:00Z","data":{"ids":["1"]}}"#,
            401,
        ),
    ] {
        let signature = if source == "house" {
            ("signature", house(body))
        } else {
            ("bob-signature", bob(body))
        };
        let fields = [
            ("content-type".to_owned(), r#type.to_owned()),
            (signature.0.to_owned(), signature.1),
        ];
        let answer = hr.post(source, &fields, body).await;
        assert_eq!(answer.status, status, "{source}, {body}: {}", answer.text);
        let unsigned = hr.post(source, &fields[..1], body).await;
        assert_eq!(
            unsigned.status,
            if source == "new" { status } else { 401 },
            "{source}, {body}"
        );
    }
    assert!(
        hr.events("")
            .await
            .iter()
            .all(|event| event["verdict"] == "quarantined")
    );
    assert_eq!(hr.get("/operations").await["operations"], json!([]));
}

/// Factorial's challenge is its proof: it is sent back to what knows it, and to nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_is_sent_back_to_the_sender_that_is_proven_by_it() {
    let sources =
        "[[sources]]\nname = \"factorial\"\npreset = \"factorial\"\nsecret_files = [\"secret\"]\nzone = \"UTC\"\n";
    let program = Program::start(sources, &[("secret", CHALLENGE)], &[]);
    let name = "x-factorial-wh-challenge";
    let body = json!({"id": 1042, "email": "zq7@example.com", "first_name": "Zq7", "last_name": "Zq7", "terminated_on": "2026-11-01"}).to_string();
    let taken = program
        .post("/webhooks/factorial/employee-terminated", &[(name, CHALLENGE)], &body)
        .await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    assert_eq!(taken.header(name), Some(CHALLENGE));
    let id = taken.json()["events"][0].as_str().unwrap().to_owned();
    let event = program.get(&format!("/events/{id}")).await;
    assert_eq!(event.json()["event"]["type"], "employee-terminated");
    assert!(!event.text.contains(CHALLENGE), "{}", event.text);
    // The same again is the same event, and its sender hears its challenge again.
    let again = program
        .post("/webhooks/factorial/employee-terminated", &[(name, CHALLENGE)], &body)
        .await;
    assert_eq!((again.json(), again.header(name)), (taken.json(), Some(CHALLENGE)));

    let unknown = program.post("/webhooks/nothing", &[(name, CHALLENGE)], &body).await;
    for fields in [
        vec![(name, "zq7-challengf")],
        vec![(name, "")],
        Vec::new(),
        vec![(name, CHALLENGE), (name, CHALLENGE)],
    ] {
        let refused = program
            .post("/webhooks/factorial/employee-terminated", &fields, &body)
            .await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        assert_eq!((refused.header(name), problem(&refused)), (None, problem(&unknown)));
    }
    let asked = program.get("/webhooks/factorial").await;
    assert_eq!((asked.status, asked.header(name)), (401, None));
    let events: Value = program.get("/events?verdict=accepted").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    program.told().await.assert_without(&["zq7"]);
}
