//! What a disable that overtakes holds to when it fails at first.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{Stored, person};

/// What waits for its next try waits longer than a test lasts; a disable does not.
const DISABLES_SOON: [(&str, &str); 2] = [
    ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
    (
        "AWS_ILM_DISABLE_RETRY_SCHEDULE",
        "100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms, 100ms",
    ),
];

/// Nothing that waits for its next try gets it in a test.
const LATER: [(&str, &str); 2] = [
    ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
    ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "10m, 10m"),
];

fn down(api: &str) -> Fault {
    Fault::new(FaultKind::Status { status: 503 }).on(api).forever()
}

/// An older update of Kim that may enable, and waits for its next try.
async fn waiting_update(stored: &Stored) -> String {
    stored.world.sandbox.script(down("PatchUser"));
    let update = json!({"user-profile": {"username": "kim", "title": "Older"}, "allow-enable": true});
    let older = stored.accepted("iam-update-user", &update).await;
    until_due(stored, &older).await;
    older
}

/// Waits until an operation waits for its next try.
async fn until_due(stored: &Stored, id: &str) -> Value {
    loop {
        let operation = stored.operation(id).await;
        if !operation["dueAt"].is_null() {
            return operation;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_accepted_after_a_disable_does_not_keep_it_from_overtaking_at_its_next_try() {
    let stored = Stored::holding(json!([person("kim", true)]), &DISABLES_SOON).await;
    let older = waiting_update(&stored).await;
    let disable = json!({"user-profile": {"username": "kim"}});
    let disable = stored.accepted("iam-disable-user", &disable).await;
    until_due(&stored, &disable).await;
    let rename = json!({"user-profile": {"olduserdata": {"username": "kim"}, "username": "kim.lee"}});
    let newer = stored.accepted("iam-update-user", &rename).await;
    stored.world.sandbox.clear_faults();
    while stored.world.user("kim")["active"] == true {
        tokio::task::yield_now().await;
    }
    assert_eq!(stored.operation(&older).await["state"], "waiting");
    assert_eq!(stored.operation(&newer).await["state"], "waiting");
}

#[tokio::test]
async fn a_disable_that_failed_when_its_answer_got_lost_is_not_undone_by_what_is_older() {
    let stored = Stored::holding(json!([person("kim", true)]), &LATER).await;
    let older = waiting_update(&stored).await;
    stored.world.sandbox.clear_faults();
    stored
        .world
        .sandbox
        .script(Fault::new(FaultKind::AnswerLost).on("PatchUser").forever());
    stored.world.sandbox.script(down("GetUser"));
    let disable = json!({"user-profile": {"username": "kim"}});
    let disable = stored.accepted("iam-disable-user", &disable).await;
    let failed = until_due(&stored, &disable).await;
    assert_eq!(failed["state"], "waiting", "{failed}");
    assert_eq!(stored.world.user("kim")["active"], false, "its write has arrived");
    stored.world.sandbox.clear_faults();
    let retried = stored
        .world
        .post(&format!("/operations/{older}/retry"), &json!({}))
        .await;
    assert_eq!(retried.status, 200, "{}", retried.text);
    let older = stored.ended(&older).await;
    assert_eq!(
        (&older["reason"], &older["overtakenBy"]),
        (&json!("overtaken"), &json!(disable))
    );
    let kim = stored.world.user("kim");
    assert_eq!((&kim["title"], &kim["active"]), (&json!("Older"), &json!(false)));
}
