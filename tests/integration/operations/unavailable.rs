//! What becomes of commands while the store can't be written, and afterwards.

use std::{path::Path, time::Duration};

use aws_ilm::{
    sandbox::{Fault, FaultKind},
    store::sqlite::Sqlite,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{FILE, Stored, new_folder, person, profile};

/// Takes the store's most important table away, as a disk that is full or broken would, or gives it
/// back.
pub(crate) fn set_away(folder: &Path, is_away: bool) {
    let (from, to) = if is_away {
        ("operation", "away")
    } else {
        ("away", "operation")
    };
    let store = Connection::open(folder.join(FILE)).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store
        .execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
        .unwrap();
}

pub(crate) async fn store_is(stored: &Stored, status: &str) {
    let waited = async {
        loop {
            let answer = stored.world.get("/health/ready").await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            if answer.json()["store"] == status {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap();
}

fn update(name: &str) -> Value {
    json!({"user-profile": {"username": name, "title": "Changed"}, "allow-enable": false})
}

fn disable(name: &str) -> Value {
    json!({"user-profile": {"username": name}})
}

#[tokio::test]
async fn while_the_store_is_away_only_reads_and_disables_go_on() {
    let people = ["kim", "lou", "mel"].map(|name| person(name, true));
    let stored = Stored::holding(json!(people), &[]).await;
    store_is(&stored, "ok").await;
    set_away(&stored.folder, true);
    let refused = [
        stored.defer("iam-update-user", "", &update("kim")).await,
        stored.world.command("iam-update-user", &update("kim")).await,
        stored
            .world
            .command("iam-create-user", &json!({"user-profile": profile("new")}))
            .await,
        stored
            .defer("iam-disable-user", "?notBefore=2035-01-01T00:00:00Z", &disable("mel"))
            .await,
    ];
    for refused in refused {
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(refused.json()["type"], "/problems/store-unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    assert!(stored.world.writes().is_empty());
    store_is(&stored, "degraded").await;
    let disabled = stored.world.command("iam-disable-user", &disable("kim")).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text);
    let at_once = stored.defer("iam-disable-user", "", &disable("lou")).await;
    assert_eq!(at_once.status, 200, "{}", at_once.text);
    assert_eq!(
        at_once.header("preference-applied"),
        None,
        "nothing is promised for later"
    );
    for (name, is_active) in [("kim", false), ("lou", false), ("mel", true)] {
        assert_eq!(stored.world.user(name)["active"], is_active, "{name}");
    }
    assert_eq!(stored.world.command("iam-get-user", &disable("mel")).await.status, 200);

    set_away(&stored.folder, false);
    store_is(&stored, "ok").await;
    let accepted = stored.accepted("iam-update-user", &update("mel")).await;
    assert_eq!(stored.ended(&accepted).await["state"], "done");
}

#[tokio::test]
async fn a_service_starts_while_its_store_can_not_be_written_and_takes_it_up_later() {
    let folder = new_folder();
    drop(Sqlite::open(&folder.join(FILE), "a test").unwrap());
    set_away(&folder, true);
    let people = ["kim", "lou"].map(|name| person(name, true));
    let stored = Stored::within(folder, json!(people), &[]).await;
    store_is(&stored, "degraded").await;
    assert_eq!(stored.defer("iam-update-user", "", &update("kim")).await.status, 503);
    let disabled = stored.world.command("iam-disable-user", &disable("lou")).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text);
    set_away(&stored.folder, false);
    store_is(&stored, "ok").await;
    let accepted = stored.accepted("iam-update-user", &update("kim")).await;
    assert_eq!(stored.ended(&accepted).await["state"], "done");
}

#[tokio::test]
async fn what_was_accepted_before_a_disable_that_went_on_without_the_store_enables_nobody() {
    let later = [("AWS_ILM_RETRY_SCHEDULE", "10m, 10m")];
    let stored = Stored::holding(json!([person("kim", true)]), &later).await;
    let down = Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever();
    stored.world.sandbox.script(down);
    let enabling = json!({"user-profile": {"username": "kim", "title": "Older"}, "allow-enable": true});
    let older = stored.accepted("iam-update-user", &enabling).await;
    // It waits for its next try, for longer than this test lasts.
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    set_away(&stored.folder, true);
    let disabled = stored.world.command("iam-disable-user", &disable("kim")).await;
    assert_eq!(disabled.status, 200, "{}", disabled.text);
    set_away(&stored.folder, false);
    store_is(&stored, "ok").await;
    let retried = stored
        .world
        .post(&format!("/operations/{older}/retry"), &json!({}))
        .await;
    assert_eq!(retried.status, 200, "{}", retried.text);
    let older = stored.ended(&older).await;
    assert_eq!(
        (&older["state"], &older["reason"]),
        (&json!("done"), &json!("overtaken")),
        "{older}"
    );
    assert_eq!(older["overtakenBy"], Value::Null, "it is no operation");
    let kim = stored.world.user("kim");
    assert_eq!((&kim["title"], &kim["active"]), (&json!("Older"), &json!(false)));
    // What is accepted from now on may enable.
    let newer = stored.accepted("iam-update-user", &enabling).await;
    assert_eq!(stored.ended(&newer).await["state"], "done");
    assert_eq!(stored.world.user("kim")["active"], true);
}
