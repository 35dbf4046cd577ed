//! Secrets that stand in paths: what they open, what a wrong one is told, and that none is written
//! anywhere.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Program, field_names, problem};
use crate::{
    harness::Answer,
    webhooks::{KEY, now, signed},
};

const SECRET: &str = "zq7-path-secret-4c1d";
const WRONG: &str = "zq7-wrong-secret-88aa";
/// A secret that is written otherwise in a path.
const ENCODED: &str = "zq7/path secret%é";

/// Three sources: the path is the proof, it stands beside one, and it stands beside `none`.
const SOURCES: &str = r#"
[[sources]]
name = "path"
verifier = { proof = "path", duplicates = "digest" }
secret_files = ["secret", "encoded"]
type = "body.type"

[[sources.rules]]
when = "type == 'left'"
do = "disable"
profile = { username = "body.who" }

[[sources]]
name = "both"
preset = "standard-webhooks"
zone = "UTC"
secret_files = ["key"]
path_secret_files = ["secret"]

[[sources]]
name = "unsigned"
verifier = "none"
path_secret_files = ["secret"]
type = "body.type"

[[sources.rules]]
when = "type == 'left'"
do = "disable"
profile = { username = "body.who" }
"#;

fn program() -> Program {
    let key = format!(
        "whsec_{}",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, KEY)
    );
    Program::start(SOURCES, &[("secret", SECRET), ("encoded", ENCODED), ("key", &key)], &[])
}

/// The event of an answer that took one.
async fn event(program: &Program, taken: &Answer) -> Value {
    assert_eq!(taken.status, 202, "{}", taken.text);
    let id = taken.json()["events"][0].as_str().unwrap().to_owned();
    program.get(&format!("/events/{id}")).await.json()
}

fn left(who: &str) -> String {
    json!({"type": "left", "who": who}).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_in_a_path_opens_it_and_is_written_nowhere() {
    let program = program();
    let encoded = "zq7%2Fpath%20secret%25%C3%A9";
    let mut kept = Vec::new();
    for (path, r#type) in [
        (format!("/webhooks/path/~{SECRET}"), json!("left")),
        (format!("/webhooks/path/%7E{SECRET}"), json!("left")),
        (format!("/webhooks/path/~{SECRET}/left"), json!("left")),
        (format!("/webhooks/path/~{SECRET}/left?at={SECRET}"), json!("left")),
        (format!("/webhooks/path/~{encoded}/left"), json!("left")),
        (format!("/webhooks/unsigned/~{SECRET}"), json!("left")),
        (format!("/webhooks/unsigned/~{SECRET}/other"), json!("other")),
    ] {
        let body = left(&format!("someone-{}", kept.len()));
        let taken = program.post(&path, &[], &body).await;
        let event = event(&program, &taken).await;
        assert_eq!(event["event"]["type"], r#type, "{path}");
        let verdict = if r#type == "other" { "ignored" } else { "accepted" };
        assert_eq!(event["event"]["verdict"], verdict, "{path}");
        kept.push(event.to_string());
    }
    // A path that the source has besides its proof opens nothing by itself.
    let body = left("kim");
    let fields = signed(KEY, "msg_1", now(), &body);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let path = format!("/webhooks/both/~{SECRET}");
    assert_eq!(program.post(&path, &[], &body).await.status, 401);
    kept.push(
        event(&program, &program.post(&path, &fields, &body).await)
            .await
            .to_string(),
    );
    assert_eq!(program.post("/webhooks/both", &fields, &body).await.status, 401);

    assert!(kept.iter().all(|event| !event.contains("zq7")), "{kept:?}");
    let listed = program.get("/events?limit=500").await.text;
    assert!(!listed.contains("zq7"), "{listed}");
    let told = program.told().await;
    assert!(told.log.contains("/webhooks/{source}/{secret}/{type}"), "{}", told.log);
    assert!(told.metrics.contains("/webhooks/{source}/{secret}/{type}"));
    assert!(told.traces.contains("/webhooks/{source}/{secret}/{type}"));
    told.assert_without(&["zq7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_of_a_path_is_told_what_an_unknown_source_is_told() {
    let program = program();
    let body = left("kim");
    let unknown = program.post(&format!("/webhooks/nothing/~{SECRET}"), &[], &body).await;
    assert_eq!(unknown.status, 401, "{}", unknown.text);
    for path in [
        "/webhooks/nothing".to_owned(),
        "/webhooks/nothing/left".to_owned(),
        "/webhooks/path".to_owned(),
        "/webhooks/path/left".to_owned(),
        "/webhooks/path/~".to_owned(),
        format!("/webhooks/path/{SECRET}"),
        format!("/webhooks/path/{SECRET}/left"),
        format!("/webhooks/path/left/~{SECRET}"),
        format!("/webhooks/path/~~{SECRET}"),
        format!("/webhooks/path/~{WRONG}"),
        format!("/webhooks/path/~{WRONG}/left"),
        format!("/webhooks/path/~{}", SECRET.to_uppercase()),
        format!("/webhooks/path/~{SECRET}%00"),
        format!("/webhooks/path/~{}", &SECRET[..SECRET.len() - 1]),
        format!("/webhooks/path/~{}", SECRET.repeat(100)),
        "/webhooks/unsigned".to_owned(),
        format!("/webhooks/unsigned/~{WRONG}"),
        format!("/webhooks/unsigned/~{WRONG}/left"),
        format!("/webhooks/both/~{SECRET}"),
        format!("/webhooks/both/~{WRONG}/left"),
    ] {
        let refused = program.post(&path, &[], &body).await;
        assert_eq!(refused.status, 401, "{path}: {}", refused.text);
        assert_eq!(problem(&refused), problem(&unknown), "{path}");
        assert_eq!(field_names(&refused), field_names(&unknown), "{path}");
    }
    // What is kept of them in quarantine shows the secret to no caller.
    let mut quarantined = Vec::new();
    for _ in 0..500 {
        let listed = program.get("/events?verdict=quarantined").await.json();
        quarantined.clone_from(listed["events"].as_array().unwrap());
        if !quarantined.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!quarantined.is_empty());
    for event in quarantined {
        let id = event["id"].as_str().unwrap();
        let shown = program.get(&format!("/events/{id}")).await.text;
        assert!(!shown.contains("zq7"), "{shown}");
    }
    let told = program.told().await;
    told.assert_without(&["zq7"]);
}
