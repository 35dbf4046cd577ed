//! Retrying, cancelling and moving many operations: counted first, changed when that is confirmed.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{Stored, new_folder, person};
use crate::{
    callers::{self, caller},
    harness::{Answer, World, answer},
};

fn disable(name: &str) -> Value {
    json!({"user-profile": {"username": name}})
}

/// Stores disables of these people for a day far ahead.
async fn scheduled(stored: &Stored, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        let accepted = stored
            .defer("iam-disable-user", "?notBefore=2035-01-01T00:00:00Z", &disable(name))
            .await;
        ids.push(accepted.json()["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn state(stored: &Stored, id: &str) -> String {
    stored.operation(id).await["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn many_are_counted_first_and_just_those_are_cancelled() {
    let stored = Stored::holding(
        json!([person("kim", true), person("lou", true), person("mel", true)]),
        &[],
    )
    .await;
    let first = scheduled(&stored, &["kim", "lou", "mel"]).await;
    let counted = stored
        .world
        .post("/operations/cancel?command=iam-disable-user", &json!({}))
        .await;
    assert_eq!(counted.status, 200, "{}", counted.text);
    let counted = counted.json();
    assert_eq!(
        (&counted["matched"], &counted["changed"], &counted["more"]),
        (&json!(3), &Value::Null, &json!(false))
    );
    assert!(counted["expiresAt"].is_string());
    assert_eq!(
        state(&stored, &first[0]).await,
        "scheduled",
        "counted, and not cancelled"
    );
    // One ends before the count is confirmed, and one comes after it.
    stored
        .world
        .post(&format!("/operations/{}/cancel", first[0]), &json!({}))
        .await;
    let second = scheduled(&stored, &["kim"]).await;
    let token = json!({"token": counted["token"]});
    let other = stored
        .world
        .post("/operations/cancel?command=iam-update-user", &token)
        .await;
    assert_eq!(
        (other.status, &other.json()["type"]),
        (410, &json!("/problems/selection-gone"))
    );
    let other = stored
        .world
        .post("/operations/retry?command=iam-disable-user", &token)
        .await;
    assert_eq!(other.status, 410, "another change is not what was confirmed");
    let cancelled = stored
        .world
        .post("/operations/cancel?command=iam-disable-user", &token)
        .await
        .json();
    assert_eq!(
        (
            &cancelled["matched"],
            &cancelled["changed"],
            &cancelled["left"],
            &cancelled["token"]
        ),
        (&json!(3), &json!(2), &json!(1), &Value::Null)
    );
    assert_eq!(state(&stored, &first[1]).await, "cancelled");
    assert_eq!(state(&stored, &second[0]).await, "scheduled", "it was not counted");
    let twice = stored
        .world
        .post("/operations/cancel?command=iam-disable-user", &token)
        .await;
    assert_eq!(twice.status, 410, "a token is good once: {}", twice.text);
    let none = stored
        .world
        .post("/operations/cancel?command=iam-delete-group", &json!({}))
        .await
        .json();
    assert_eq!((&none["matched"], &none["token"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn many_are_moved_to_another_time() {
    let stored = Stored::holding(json!([person("kim", true), person("lou", true)]), &[]).await;
    let ids = scheduled(&stored, &["kim", "lou"]).await;
    let to = |time: &str, token: &Value| json!({"notBefore": time, "token": token});
    let counted = stored
        .world
        .post("/operations/move", &to("2036-01-01T00:00:00Z", &Value::Null))
        .await
        .json();
    assert_eq!(counted["matched"], 2);
    let elsewhere = stored
        .world
        .post("/operations/move", &to("2034-01-01T00:00:00Z", &counted["token"]))
        .await;
    assert_eq!(elsewhere.status, 410, "another time is not what was confirmed");
    let moved = stored
        .world
        .post("/operations/move", &to("2036-01-01T00:00:00Z", &counted["token"]))
        .await
        .json();
    assert_eq!((&moved["changed"], &moved["left"]), (&json!(2), &json!(0)));
    for id in &ids {
        assert_eq!(stored.operation(id).await["notBefore"], "2036-01-01T00:00:00.000Z");
    }
    let now = "2026-01-01T00:00:00Z";
    let counted = stored
        .world
        .post("/operations/move", &to(now, &Value::Null))
        .await
        .json();
    stored.world.post("/operations/move", &to(now, &counted["token"])).await;
    for id in &ids {
        assert_eq!(stored.ended(id).await["state"], "done");
    }
    for time in ["soon", "9999-01-01T00:00:00Z"] {
        let refused = stored.world.post("/operations/move", &to(time, &Value::Null)).await;
        assert_eq!(
            (refused.status, &refused.json()["errors"][0]["pointer"]),
            (400, &json!("/notBefore"))
        );
    }
}

#[tokio::test]
async fn what_failed_is_retried_and_what_was_cancelled_only_where_it_is_asked_for() {
    let stored = Stored::holding(
        json!([person("kim", true), person("lou", true), person("mel", true)]),
        &[("AWS_ILM_DISABLE_RETRY_SCHEDULE", "1ms")],
    )
    .await;
    stored
        .world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever());
    let mut buried = Vec::new();
    for name in ["kim", "lou"] {
        buried.push(stored.accepted("iam-disable-user", &disable(name)).await);
    }
    for id in &buried {
        assert_eq!(stored.ended(id).await["state"], "buried");
    }
    stored.world.sandbox.clear_faults();
    let cancelled = scheduled(&stored, &["mel"]).await;
    stored
        .world
        .post(&format!("/operations/{}/cancel", cancelled[0]), &json!({}))
        .await;
    let counted = stored.world.post("/operations/retry", &json!({})).await.json();
    assert_eq!(counted["matched"], 2, "what was cancelled stays so");
    let retried = stored
        .world
        .post("/operations/retry", &json!({"token": counted["token"]}))
        .await
        .json();
    assert_eq!(retried["changed"], 2);
    for id in &buried {
        assert_eq!(stored.ended(id).await["state"], "done");
    }
    let counted = stored
        .world
        .post("/operations/retry?state=cancelled", &json!({}))
        .await
        .json();
    assert_eq!(counted["matched"], 1);
}

async fn cancel(world: &World, key: &str, query: &str, body: &Value) -> Answer {
    let request = world.http.post(world.url(&format!("/operations/cancel{query}")));
    answer(request.header("x-api-key", key).json(body)).await
}

/// The answer to a key that has leaked: all that its caller has stored is cancelled, by one that
/// may manage, and by no other.
#[tokio::test]
async fn what_a_caller_has_stored_is_cancelled_by_one_that_may() {
    let keys = [(); 3].map(|()| callers::key());
    let [leaked, operator, other] = keys.each_ref().map(|(key, _)| key);
    let digests = keys.each_ref().map(|(_, digest)| &**digest);
    let rights = "commands = [\"*\"]\ninstances = [\"*\"]";
    let file = caller("leaked", &[digests[0]], rights)
        + &caller("operator", &[digests[1]], &format!("{rights}\noperations = \"manage\""))
        + &caller("other", &[digests[2]], &format!("{rights}\noperations = \"read\""));
    let folder = new_folder();
    let path = folder.join("store.db").display().to_string();
    let (world, _file) = callers::world(&file, &[("AWS_ILM_STORE_PATH", &path)]).await;
    for key in [leaked, leaked, other] {
        let request = world
            .http
            .post(world.url("/commands/iam-disable-user?notBefore=2035-01-01T00:00:00Z"));
        let request = request.header("prefer", "respond-async").header("x-api-key", key);
        assert_eq!(answer(request.json(&disable("test"))).await.status, 202);
    }
    for key in [other, leaked] {
        let query = if key == other {
            "?caller=leaked"
        } else {
            "?caller=other"
        };
        let refused = cancel(&world, key, query, &json!({})).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    let own = cancel(&world, other, "", &json!({})).await.json();
    assert_eq!(own["matched"], 1, "without the right, its own alone");
    let counted = cancel(&world, operator, "?caller=leaked", &json!({})).await.json();
    assert_eq!(counted["matched"], 2);
    let token = json!({"token": counted["token"]});
    let stolen = cancel(&world, leaked, "?caller=leaked", &token).await;
    assert_eq!(stolen.status, 410, "a token is one caller's: {}", stolen.text);
    let cancelled = cancel(&world, operator, "?caller=leaked", &token).await.json();
    assert_eq!((&cancelled["changed"], &cancelled["left"]), (&json!(2), &json!(0)));
    let left = cancel(&world, operator, "", &json!({})).await.json();
    assert_eq!(left["matched"], 1, "the others' stay");
    let _ = std::fs::remove_dir_all(folder);
}
