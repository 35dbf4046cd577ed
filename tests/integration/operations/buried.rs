//! What waits behind an operation that is buried.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{Stored, person};

const BLOCKING: [(&str, &str); 3] = [
    ("AWS_ILM_RETRY_SCHEDULE", "20ms"),
    ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "20ms"),
    ("AWS_ILM_AFTER_BURIED", "block"),
];

fn update(title: &str) -> Value {
    json!({"user-profile": {"username": "kim", "title": title}, "allow-enable": true})
}

/// A buried update of Kim, and one that waits behind it.
async fn buried_with_one_behind(stored: &Stored) -> (String, String) {
    let down = Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever();
    stored.world.sandbox.script(down);
    let buried = stored.accepted("iam-update-user", &update("First")).await;
    assert_eq!(stored.ended(&buried).await["state"], "buried");
    stored.world.sandbox.clear_faults();
    let behind = stored.accepted("iam-update-user", &update("Second")).await;
    // What another person waits for shows that the worker has passed by.
    let other = json!({"user-profile": {"username": "lou", "title": "Other"}});
    let other = stored.accepted("iam-update-user", &other).await;
    assert_eq!(stored.ended(&other).await["state"], "done");
    let waiting = stored.operation(&behind).await;
    assert_eq!(
        (&waiting["state"], &waiting["attempts"]),
        (&json!("waiting"), &json!([]))
    );
    (buried, behind)
}

async fn change(stored: &Stored, id: &str, action: &str) {
    let changed = stored
        .world
        .post(&format!("/operations/{id}/{action}"), &json!({}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}

#[tokio::test]
async fn with_block_what_is_behind_waits_until_the_buried_one_has_succeeded() {
    let stored = Stored::holding(json!([person("kim", true), person("lou", true)]), &BLOCKING).await;
    let (buried, behind) = buried_with_one_behind(&stored).await;
    change(&stored, &buried, "retry").await;
    assert_eq!(stored.ended(&buried).await["state"], "done");
    assert_eq!(stored.ended(&behind).await["state"], "done");
    assert_eq!(
        stored.world.user("kim")["title"],
        "Second",
        "in the order in which they were accepted"
    );
}

#[tokio::test]
async fn with_block_what_is_behind_goes_on_once_the_buried_one_is_cancelled() {
    let stored = Stored::holding(json!([person("kim", true), person("lou", true)]), &BLOCKING).await;
    let (buried, behind) = buried_with_one_behind(&stored).await;
    change(&stored, &buried, "cancel").await;
    assert_eq!(stored.operation(&buried).await["state"], "cancelled");
    assert_eq!(stored.ended(&behind).await["state"], "done");
    assert_eq!(stored.world.user("kim")["title"], "Second");
}

#[tokio::test]
async fn with_block_a_disable_overtakes_what_is_buried() {
    let stored = Stored::holding(json!([person("kim", true), person("lou", true)]), &BLOCKING).await;
    let (buried, behind) = buried_with_one_behind(&stored).await;
    let disable = json!({"user-profile": {"username": "kim"}});
    let disabled = stored.world.command("iam-disable-user", &disable).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text);
    assert_eq!(stored.world.user("kim")["active"], false);
    change(&stored, &buried, "cancel").await;
    let behind = stored.ended(&behind).await;
    assert_eq!(
        (&behind["state"], &behind["reason"]),
        (&json!("done"), &json!("overtaken"))
    );
    let kim = stored.world.user("kim");
    assert_eq!((&kim["title"], &kim["active"]), (&json!("Second"), &json!(false)));
}

#[tokio::test]
async fn a_buried_operation_is_seen_to_by_cancelling_it() {
    let settings = [("AWS_ILM_RETRY_SCHEDULE", "20ms")];
    let stored = Stored::holding(json!([person("kim", true)]), &settings).await;
    let down = Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever();
    stored.world.sandbox.script(down);
    let buried = stored.accepted("iam-update-user", &update("First")).await;
    assert_eq!(stored.ended(&buried).await["state"], "buried");
    change(&stored, &buried, "cancel").await;
    assert_eq!(stored.operation(&buried).await["state"], "cancelled");
    let again = stored
        .world
        .post(&format!("/operations/{buried}/cancel"), &json!({}))
        .await;
    assert_eq!(again.status, 409, "{}", again.text);
}
