//! More than there is room for.

use serde_json::json;

use crate::{
    expected::{but, crowd, profile},
    harness::{Setup, World},
};

/// - Hostile input 7, an id of NUL, a space, nothing, too much: 400; a whole megabyte 413; no call.
/// - Hostile input 28, a body over the limit, declared or in chunks without end: 413, closed.
#[tokio::test]
async fn a_body_that_holds_a_megabyte_is_refused() {
    let world = World::start().await;
    let answer = world
        .command("iam-delete-group", &json!({"scim": {"id": "a".repeat(1 << 20)}}))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["type"]),
        (413, &json!("/problems/body-too-large"))
    );
    assert_eq!(answer.header("connection"), Some("close"));
    world.assert_calls(&[]);
}

/// Hostile input 31, 10,000 members: in chunks of 100, none is lost.
#[tokio::test]
async fn ten_thousand_members_are_all_added() {
    let world = World::holding(crowd(10_000, 0)).await;
    let ids: Vec<_> = (0..10_000).map(|number| format!("m-{number}")).collect();
    let answer = world
        .command(
            "iam-update-group",
            &json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids}),
        )
        .await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text);
    assert_eq!(world.group("g-1")["members"].as_array().unwrap().len(), 10_000);
    world.assert_calls(&[("PatchGroup", 100)]);
}

/// Hostile input 32, a name of half a megabyte, 2,000 e-mails: 400, no call.
#[tokio::test]
async fn values_that_are_too_large_are_refused_without_a_call() {
    let world = World::start().await;
    let large = "x".repeat(500_000);
    let many: Vec<_> = (0..2_000).map(|number| format!("e{number}@example.com")).collect();
    for (command, arguments) in [
        ("iam-create-group", json!({"scim": {"displayName": large}})),
        ("iam-get-group", json!({"scim": {"displayName": large}})),
        (
            "iam-update-group",
            json!({"scim": {"id": "121212", "displayName": large}}),
        ),
        ("iam-get-user", json!({"user-profile": {"username": large}})),
        ("iam-disable-user", json!({"user-profile": {"username": large}})),
    ] {
        let answer = world.command(command, &arguments).await;
        assert_eq!(answer.status, 400, "{command}: {:.300}", answer.text);
    }
    world.assert_calls(&[]);
    // A user that can't be created is looked up, and nothing is written.
    for changes in [json!({"displayname": large}), json!({"email": many})] {
        let asked = but(profile("test"), changes);
        let answer = world.command("iam-create-user", &json!({"user-profile": asked})).await;
        assert_eq!(answer.status, 400, "{:.300}", answer.text);
    }
    assert!(world.writes().is_empty());
}

/// A rehearsal waits for no directory; others are served all the same.
#[tokio::test]
async fn a_large_rehearsal_leaves_others_their_turn() {
    let world = World::with(Setup::default()).await;
    let ids: Vec<_> = (0..10_000).map(|number| format!("m-{number}")).collect();
    let arguments = json!({"scim": {"id": "121212"}, "memberIdsToAdd": ids});
    let rehearsal = world.dry_run("iam-update-group", &arguments);
    let mut served = 0;
    let asking = async {
        loop {
            assert_eq!(world.get("/health/live").await.status, 200);
            served += 1;
        }
    };
    tokio::select! {
        answer = rehearsal => assert_eq!(answer.status, 200, "{:.300}", answer.text),
        () = asking => {}
    }
    // Of one thread, on which everything here runs. Without a turn in between, one or two come
    // before it and none after.
    assert!(served >= 10, "{served}");
}
