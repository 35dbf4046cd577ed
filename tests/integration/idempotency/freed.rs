//! When a key keeps no answer: the same request is done again under it.

use std::time::Duration;

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::is_repeated;
use crate::operations::{FILE, Stored, person, profile, set_away, store_is};

fn update(name: &str, title: &str) -> Value {
    json!({"user-profile": {"username": name, "title": title}, "allow-enable": false})
}

fn down(api: &str) -> Fault {
    Fault::new(FaultKind::Status { status: 503 }).on(api).forever()
}

const LATER: [(&str, &str); 2] = [
    ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
    ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "10m, 10m"),
];

#[tokio::test]
async fn a_failure_that_passes_leaves_the_key_free_for_the_same_request_alone() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    stored.world.sandbox.script(down("PatchUser"));
    let failed = stored.once("iam-update-user", "k", &update("kim", "Clerk")).await;
    assert_eq!(failed.status, 502, "{}", failed.text);
    assert_eq!(
        failed.header("idempotency-key-expires-at"),
        None,
        "the key keeps no answer"
    );
    stored.world.sandbox.clear_faults();
    let other = stored.once("iam-update-user", "k", &update("kim", "Chief")).await;
    assert_eq!(other.status, 422, "{}", other.text);
    let done = stored.once("iam-update-user", "k", &update("kim", "Clerk")).await;
    assert_eq!((done.status, is_repeated(&done)), (200, false), "{}", done.text);
    assert_eq!(stored.world.user("kim")["title"], "Clerk");
    assert!(is_repeated(
        &stored.once("iam-update-user", "k", &update("kim", "Clerk")).await
    ));
    assert_eq!(stored.operations().await, 2);
}

/// A creation whose answer was lost every time is found again by the next request with its key,
/// and taken for its own.
#[tokio::test]
async fn a_lost_creation_is_found_again_under_its_key() {
    let stored = Stored::holding(json!([]), &[("AWS_ILM_COMMAND_TIMEOUT", "2s")]).await;
    stored
        .world
        .sandbox
        .script(Fault::new(FaultKind::AnswerLost).on("CreateUser").forever());
    stored.world.sandbox.script(down("ListUsers"));
    let arguments = json!({"user-profile": profile("ada")});
    let failed = stored.once("iam-create-user", "hire", &arguments).await;
    assert!(matches!(failed.status, 502..=504), "{}", failed.text);
    stored.world.sandbox.clear_faults();
    assert_ne!(
        stored.world.user("ada"),
        Value::Null,
        "it was made, and its answer got lost"
    );
    let done = stored.once("iam-create-user", "hire", &arguments).await;
    assert_eq!((done.status, is_repeated(&done)), (200, false), "{}", done.text);
    assert_eq!(done.vendor()["action"], "create", "its own, and no update of another's");
    assert_eq!(stored.world.sandbox.dump()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_did_not_get_its_turn_leaves_the_key_free() {
    let mut settings = LATER.to_vec();
    settings.push(("AWS_ILM_COMMAND_TIMEOUT", "300ms"));
    let stored = Stored::holding(json!([person("kim", true)]), &settings).await;
    stored.world.sandbox.script(down("PatchUser"));
    let older = stored.accepted("iam-update-user", &update("kim", "First")).await;
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    let behind = stored.once("iam-update-user", "k", &update("kim", "Second")).await;
    assert_eq!(behind.status, 409, "{}", behind.text);
    assert_eq!(behind.json()["type"], "/problems/behind-operation");
    stored.world.sandbox.clear_faults();
    stored
        .world
        .post(&format!("/operations/{older}/cancel"), &json!({}))
        .await;
    let done = stored.once("iam-update-user", "k", &update("kim", "Second")).await;
    assert_eq!((done.status, is_repeated(&done)), (200, false), "{}", done.text);
    assert_eq!(stored.world.user("kim")["title"], "Second");
}

/// A disable that was behind others stays, and with it its key: in use until it has ended.
#[tokio::test]
async fn a_disable_that_stays_keeps_its_key() {
    let mut settings = LATER.to_vec();
    settings.push(("AWS_ILM_COMMAND_TIMEOUT", "300ms"));
    let stored = Stored::holding(json!([person("kim", true)]), &settings).await;
    // Whom it means is not certain while the person can't be looked up.
    stored.world.sandbox.script(down("ListUsers"));
    let older = stored.accepted("iam-update-user", &update("kim", "First")).await;
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    let disable = json!({"user-profile": {"username": "kim"}});
    let behind = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!(behind.json()["type"], "/problems/behind-operation", "{}", behind.text);
    let in_use = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!(in_use.status, 409, "{}", in_use.text);
    assert_eq!(in_use.json()["type"], "/problems/idempotency-key-in-use");
    assert!(in_use.header("retry-after").is_some());
    stored.world.sandbox.clear_faults();
    stored
        .world
        .post(&format!("/operations/{older}/cancel"), &json!({}))
        .await;
    let id = behind.json()["operation"].as_str().unwrap().to_owned();
    assert_eq!(stored.ended(&id).await["state"], "done");
    let again = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!((again.status, is_repeated(&again)), (200, true), "{}", again.text);
    assert_eq!(again.vendor()["active"], false);
}

/// A disable that overtakes runs again in its own turn, and finds nothing to do: what is given
/// again is what it was answered at first.
#[tokio::test]
async fn a_disable_is_answered_again_as_at_first() {
    let stored = Stored::holding(json!([person("kim", true)]), &LATER).await;
    stored.world.sandbox.script(down("PatchUser"));
    let older = stored.accepted("iam-update-user", &update("kim", "First")).await;
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    let disable = json!({"user-profile": {"username": "kim"}});
    let first = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!(
        (first.status, &first.vendor()["skipped"]),
        (200, &json!(false)),
        "{}",
        first.text
    );
    let while_open = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!((is_repeated(&while_open), &while_open.text), (true, &first.text));
    stored
        .world
        .post(&format!("/operations/{older}/retry"), &json!({}))
        .await;
    let list = stored.world.get("/operations?command=iam-disable-user").await.json();
    stored.ended(list["operations"][0]["id"].as_str().unwrap()).await;
    let after = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!((is_repeated(&after), &after.text), (true, &first.text));
}

#[tokio::test]
async fn while_the_store_is_away_nothing_with_a_key_goes_on() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    store_is(&stored, "ok").await;
    set_away(stored.folder(), true);
    let disable = json!({"user-profile": {"username": "kim"}});
    for refused in [
        stored.once("iam-disable-user", "k", &disable).await,
        stored.defer_once("iam-disable-user", "k", &disable).await,
    ] {
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(refused.json()["type"], "/problems/store-unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    assert_eq!(stored.world.user("kim")["active"], true);
    let bare = stored.world.command("iam-disable-user", &disable).await;
    assert_eq!(bare.status, 200, "without a key a disable goes on: {}", bare.text);
    set_away(stored.folder(), false);
    store_is(&stored, "ok").await;
    let done = stored.once("iam-disable-user", "k", &disable).await;
    assert_eq!((done.status, is_repeated(&done)), (200, false), "{}", done.text);
}

/// A key whose time is over means nothing: the request is done again, and the row goes.
#[tokio::test]
async fn an_expired_key_means_nothing() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let arguments = update("kim", "Clerk");
    stored.once("iam-update-user", "k", &arguments).await;
    let store = rusqlite::Connection::open(stored.folder().join(FILE)).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store.execute("UPDATE idempotency SET expires_at = 1", []).unwrap();
    let anew = stored.once("iam-update-user", "k", &arguments).await;
    assert_eq!((anew.status, is_repeated(&anew)), (200, false), "{}", anew.text);
    assert!(is_repeated(&stored.once("iam-update-user", "k", &arguments).await));
}
