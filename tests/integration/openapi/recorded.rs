//! The recorded examples of what is no command: each request with the answer that it gets.

use std::{fs, path::PathBuf};

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, answer},
    hr::held,
    normalised::normalised,
    operations::{Stored, person},
    webhooks,
};

/// Set to 1, it writes the answers into the files instead of comparing them.
const RENEW: &str = "AWS_ILM_RENEW_EXAMPLES";

/// Each operation's name, with the body that was sent and the answer.
async fn exchanges() -> Vec<(&'static str, Value, Answer)> {
    let stored = Stored::holding(
        json!([person("ada", true), person("grace", true)]),
        &[("AWS_ILM_RETRY_SCHEDULE", "20ms")],
    )
    .await;
    let post = async |path: &str, body: &Value| answer(stored.world.http.post(stored.world.url(path)).json(body)).await;
    let ada = json!({"user-profile": {"username": "ada"}});
    let elements = json!([
        {"command": "iam-disable-user", "arguments": ada, "purpose": "leave"},
        {"command": "iam-delete-group", "arguments": {"scim": {"id": "121212"}}},
        {"command": "iam-disable-user", "arguments": ada, "notBefore": "2035-01-31T17:00:00+11:00"},
    ]);
    let accepted = post("/batches", &elements).await;
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    for operation in &accepted.json()["operations"].as_array().unwrap()[..2] {
        stored.ended(operation.as_str().unwrap()).await;
    }
    let batch = stored.world.get(&format!("/batches/{id}")).await;
    let operations = stored.world.get(&format!("/batches/{id}/operations?limit=1")).await;
    let retry = post("/operations/retry", &json!({})).await;
    let cancel = post("/operations/cancel", &json!({})).await;
    let to = json!({"notBefore": "2036-01-31T17:00:00+11:00"});
    let moved = post("/operations/move", &to).await;
    let mut exchanges = stored_ones(&stored).await;
    exchanges.extend([
        ("batch-accept", elements, accepted),
        ("batch", Value::Null, batch),
        ("batch-operations", Value::Null, operations),
        ("operations-retry", json!({}), retry),
        ("operations-cancel", json!({}), cancel),
        ("operations-move", to, moved),
    ]);
    exchanges
}

/// The same of single operations, and of what the service can do.
async fn stored_ones(stored: &Stored) -> Vec<(&'static str, Value, Answer)> {
    let post = async |path: &str, body: &Value| answer(stored.world.http.post(stored.world.url(path)).json(body)).await;
    let grace = json!({"user-profile": {"username": "grace"}});
    let deferred = stored
        .defer(
            "iam-disable-user",
            "?notBefore=2035-01-31T06:00:00Z&purpose=leave",
            &grace,
        )
        .await;
    let scheduled = format!("/operations/{}", deferred.json()["id"].as_str().unwrap());
    let to = json!({"notBefore": "2035-02-28T17:00:00+11:00"});
    let moved = answer(stored.world.http.patch(stored.world.url(&scheduled)).json(&to)).await;
    let operations = stored.world.get("/operations?limit=1").await;
    let cancelled = post(&format!("{scheduled}/cancel"), &json!({})).await;

    let update = json!({"user-profile": {"username": "grace", "title": "Rear admiral"}, "allow-enable": false});
    let done = stored.accepted("iam-update-user", &update).await;
    let waited = stored.world.get(&format!("/operations/{done}/wait?timeout=30")).await;
    let down = Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever();
    stored.world.sandbox.script(down);
    let update = json!({"user-profile": {"username": "grace", "title": "Commodore"}, "allow-enable": false});
    let buried = stored.accepted("iam-update-user", &update).await;
    stored.ended(&buried).await;
    let shown = stored.world.get(&format!("/operations/{buried}")).await;
    let retried = post(&format!("/operations/{buried}/retry"), &json!({})).await;
    stored.world.sandbox.clear_faults();
    let capabilities = stored.world.get("/capabilities").await;
    vec![
        ("deferred", grace, deferred),
        ("operations", Value::Null, operations),
        ("operation", Value::Null, shown),
        ("operation-wait", Value::Null, waited),
        ("operation-retry", Value::Null, retried),
        ("operation-cancel", Value::Null, cancelled),
        ("operation-move", to, moved),
        ("capabilities", Value::Null, capabilities),
    ]
}

#[tokio::test]
async fn each_answer_is_the_recorded_one() {
    let is_renewed = std::env::var(RENEW).is_ok_and(|value| value == "1");
    let mut exchanges = exchanges().await;
    exchanges.extend(webhooks::recorded::exchanges().await);
    exchanges.push(held::exchange().await);
    for (name, request, answer) in exchanges {
        let mut response = normalised(&answer.json());
        // Numbers that a cursor names differ with what was stored before.
        if response.get("next").is_some_and(Value::is_string) {
            response["next"] = json!("1");
        }
        let mut text = serde_json::to_string_pretty(&json!({"request": request, "response": response})).unwrap();
        text.push('\n');
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("openapi/recorded/{name}.json"));
        if is_renewed {
            fs::write(file, text).unwrap();
            continue;
        }
        let stale = "is stale; renew them all with AWS_ILM_RENEW_EXAMPLES=1 cargo test --test integration recorded";
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{} {stale}", file.display());
    }
}
