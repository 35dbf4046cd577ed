//! The recorded examples of what is no command: each request with the answer that it gets.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    harness::{Answer, answer},
    normalised::normalised,
    operations::{Stored, person},
};

/// Set to 1, it writes the answers into the files instead of comparing them.
const RENEW: &str = "AWS_ILM_RENEW_EXAMPLES";

/// Each operation's name, with the body that was sent and the answer.
async fn exchanges() -> Vec<(&'static str, Value, Answer)> {
    let stored = Stored::holding(json!([person("ada", true)]), &[]).await;
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
    vec![
        ("batch-accept", elements, accepted),
        ("batch", Value::Null, batch),
        ("batch-operations", Value::Null, operations),
        ("operations-retry", json!({}), retry),
        ("operations-cancel", json!({}), cancel),
        ("operations-move", to, moved),
    ]
}

#[tokio::test]
async fn each_answer_is_the_recorded_one() {
    let is_renewed = std::env::var(RENEW).is_ok_and(|value| value == "1");
    for (name, request, answer) in exchanges().await {
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
