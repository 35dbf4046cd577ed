//! The same request under the same key, and others under it.

use std::time::Duration;

use aws_ilm::sandbox::{Fault, FaultKind};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::{is_repeated, keyed};
use crate::{
    callers::{self, ALL, caller},
    harness::{World, answer},
    operations::{Stored, new_folder, person, profile},
};

#[tokio::test]
async fn an_answer_is_given_again_and_nothing_is_done_again() {
    let stored = Stored::holding(json!([]), &[]).await;
    let arguments = json!({"user-profile": profile("ada")});
    let first = stored.once("iam-create-user", "hire-1", &arguments).await;
    assert_eq!((first.status, is_repeated(&first)), (200, false), "{}", first.text);
    assert_eq!(stored.world.writes().len(), 1);
    let expires: Timestamp = first.header("idempotency-key-expires-at").unwrap().parse().unwrap();
    let in_a_week = Timestamp::now().saturating_add((7 * 24).hours()).unwrap();
    assert!(
        (in_a_week - expires).total(jiff::Unit::Minute).unwrap().abs() < 5.0,
        "{expires}"
    );
    stored.world.calls();

    let again = stored.once("iam-create-user", "\"hire-1\"", &arguments).await;
    assert_eq!((again.status, is_repeated(&again)), (200, true));
    assert_eq!(again.text, first.text, "byte for byte");
    assert_eq!(
        again.header("idempotency-key-expires-at"),
        first.header("idempotency-key-expires-at")
    );
    stored.world.assert_calls(&[]);
    assert_eq!(stored.operations().await, 1);

    let table =
        keyed(&stored.world, "/commands/iam-create-user", "hire-1", &arguments).header("accept", "text/markdown");
    let table = answer(table).await;
    assert!(
        is_repeated(&table) && table.text.starts_with("### Create User Results"),
        "{}",
        table.text
    );
    stored.world.assert_calls(&[]);
}

#[tokio::test]
async fn a_failure_that_lasts_is_an_answer_too() {
    let stored = Stored::holding(json!([]), &[]).await;
    let arguments = json!({"scim": {"id": "g-gone"}});
    let first = stored.once("iam-delete-group", "k", &arguments).await;
    assert_eq!(first.status, 404, "{}", first.text);
    stored.world.calls();
    let again = stored.once("iam-delete-group", "k", &arguments).await;
    assert_eq!(
        (again.status, is_repeated(&again), &again.text),
        (404, true, &first.text)
    );
    let lenient =
        keyed(&stored.world, "/commands/iam-delete-group", "k", &arguments).header("prefer", "handling=lenient");
    let lenient = answer(lenient).await;
    assert_eq!((lenient.status, &lenient.text), (200, &first.text));
    assert_eq!(lenient.header("preference-applied"), Some("handling=lenient"));
    stored.world.assert_calls(&[]);
}

#[tokio::test]
async fn a_deferred_command_gets_its_202_whatever_has_become_of_it() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let arguments = json!({"user-profile": {"username": "kim"}});
    let first = stored.defer_once("iam-disable-user", "leave-1", &arguments).await;
    assert_eq!((first.status, is_repeated(&first)), (202, false), "{}", first.text);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(stored.ended(&id).await["state"], "done");
    stored.world.calls();
    let again = stored.defer_once("iam-disable-user", "leave-1", &arguments).await;
    assert_eq!(
        (again.status, is_repeated(&again), &again.text),
        (202, true, &first.text)
    );
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("preference-applied"), Some("respond-async"));
    stored.world.assert_calls(&[]);
}

#[tokio::test]
async fn a_restart_changes_no_answer() {
    let people = json!([person("kim", true), person("lou", true)]);
    let kim = json!({"user-profile": {"username": "kim", "title": "Clerk"}, "allow-enable": false});
    let lou = json!({"user-profile": {"username": "lou"}});
    let stored = Stored::holding(people.clone(), &[]).await;
    let answered = stored.once("iam-update-user", "a", &kim).await;
    let deferred = stored.defer_once("iam-disable-user", "b", &lou).await;
    let id = deferred.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(stored.ended(&id).await["state"], "done");
    let stored = stored.restarted(people).await;
    let again = stored.once("iam-update-user", "a", &kim).await;
    assert_eq!(
        (again.status, is_repeated(&again), &again.text),
        (200, true, &answered.text)
    );
    let again = stored.defer_once("iam-disable-user", "b", &lou).await;
    assert_eq!(
        (again.status, is_repeated(&again), &again.text),
        (202, true, &deferred.text)
    );
    stored.world.assert_calls(&[]);
}

/// Hostile input 81, a caller who hangs up: its command ends, and its answer is had by its key.
#[tokio::test]
async fn an_answer_that_was_not_waited_for_is_had_again() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let slow = FaultKind::Slow {
        milliseconds: 300,
        work_late: true,
    };
    stored.world.sandbox.script(Fault::new(slow).on("PatchUser").times(1));
    let arguments = json!({"user-profile": {"username": "kim", "title": "Clerk"}, "allow-enable": false});
    let given_up = tokio::spawn(keyed(&stored.world, "/commands/iam-update-user", "k", &arguments).send());
    // Hangs up once the write is under way, so that a slow machine hangs up no request unsent.
    let is_written = || {
        stored
            .world
            .sandbox
            .requests()
            .iter()
            .any(|request| request.api == "PatchUser")
    };
    while !is_written() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    given_up.abort();
    let answered = loop {
        let answered = stored.once("iam-update-user", "k", &arguments).await;
        if answered.status != 409 {
            break answered;
        }
        assert_eq!(answered.json()["type"], "/problems/idempotency-key-in-use");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(
        (answered.status, is_repeated(&answered)),
        (200, true),
        "{}",
        answered.text
    );
    assert_eq!(stored.world.writes().len(), 1);
}

/// Hostile input 79, a key with another body: 422, and nothing is done; with the same body in
/// another order of its fields it is the same request.
#[tokio::test]
async fn a_key_is_one_requests() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let arguments = json!({"user-profile": {"username": "kim", "title": "Clerk"}, "allow-enable": false});
    let first = stored.once("iam-update-user", "k", &arguments).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let reordered = json!({"allow-enable": false, "user-profile": {"title": "Clerk", "username": "kim"}});
    assert!(is_repeated(&stored.once("iam-update-user", "k", &reordered).await));
    stored.world.calls();
    let other = json!({"user-profile": {"username": "kim", "title": "Chief"}, "allow-enable": false});
    let disable = json!({"user-profile": {"username": "kim"}});
    let others = [
        stored.once("iam-update-user", "k", &other).await,
        stored.once("iam-disable-user", "k", &disable).await,
        stored.defer_once("iam-update-user", "k", &arguments).await,
        answer(
            keyed(&stored.world, "/commands/iam-update-user?purpose=x", "k", &arguments)
                .header("prefer", "respond-async"),
        )
        .await,
        answer(keyed(
            &stored.world,
            "/batches",
            "k",
            &json!([{"command": "iam-disable-user", "arguments": disable}]),
        ))
        .await,
    ];
    for refused in others {
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["type"], "/problems/idempotency-key-reused");
        assert_eq!(refused.json()["errors"][0]["header"], "Idempotency-Key");
    }
    let lenient = keyed(&stored.world, "/commands/iam-update-user", "k", &other).header("prefer", "handling=lenient");
    let lenient = answer(lenient).await;
    assert_eq!(
        (lenient.status, &lenient.vendor()["success"]),
        (200, &json!(false)),
        "{}",
        lenient.text
    );
    stored.world.assert_calls(&[]);
    assert_eq!(stored.operations().await, 1);
}

/// Hostile input 79, a key of another caller: it is another key.
#[tokio::test]
async fn a_key_is_one_callers() {
    let folder = new_folder();
    let (hr, hr_digest) = callers::key();
    let (it, it_digest) = callers::key();
    let file = caller("hr", &[&hr_digest], ALL) + &caller("it", &[&it_digest], ALL);
    let path = folder.join("store.db").display().to_string();
    let (world, _file) = callers::world(&file, &[("AWS_ILM_STORE_PATH", &path)]).await;
    let send = async |key: &str, title: &str| {
        let arguments = json!({"user-profile": {"username": "test", "title": title}, "allow-enable": false});
        answer(keyed(&world, "/commands/iam-update-user", "same", &arguments).header("x-api-key", key)).await
    };
    for (key, title) in [(&hr, "Clerk"), (&it, "Chief")] {
        let first = send(key, title).await;
        assert_eq!((first.status, is_repeated(&first)), (200, false), "{}", first.text);
    }
    for (key, title) in [(&hr, "Clerk"), (&it, "Chief")] {
        let again = send(key, title).await;
        assert!(is_repeated(&again));
        assert_eq!(again.vendor()["details"]["title"], title);
    }
    assert_eq!(send(&hr, "Chief").await.status, 422);
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test]
async fn without_a_store_a_key_is_refused_where_something_is_written() {
    let world = World::start().await;
    let arguments = json!({"user-profile": {"username": "test"}});
    let refused = answer(keyed(&world, "/commands/iam-disable-user", "k", &arguments)).await;
    assert_eq!(refused.status, 501, "{}", refused.text);
    assert_eq!(refused.json()["type"], "/problems/no-store");
    world.assert_calls(&[]);
    for path in ["/commands/iam-get-user", "/commands/iam-disable-user?dryRun=true"] {
        let passed_over = answer(keyed(&world, path, "k", &arguments)).await;
        assert_eq!(passed_over.status, 200, "{path}: {}", passed_over.text);
        assert_eq!(passed_over.header("idempotency-key-expires-at"), None);
    }
}

#[tokio::test]
async fn reads_and_dry_runs_pass_a_key_over() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let arguments = json!({"user-profile": {"username": "kim"}});
    for path in ["/commands/iam-get-user", "/commands/iam-disable-user?dryRun=true"] {
        for _ in 0..2 {
            let answered = answer(keyed(&stored.world, path, "k", &arguments)).await;
            assert_eq!(
                (answered.status, is_repeated(&answered)),
                (200, false),
                "{}",
                answered.text
            );
        }
    }
    let first = stored.once("iam-disable-user", "k", &arguments).await;
    assert_eq!((first.status, is_repeated(&first)), (200, false), "the key is unused");
}
