//! iam-disable-user.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{but, done, failed, mapped, person, profile, skipped, user_envelope},
    harness::{Answer, World},
};

async fn disable(world: &World, profile: &Value) -> Answer {
    world
        .command("iam-disable-user", &json!({"user-profile": profile}))
        .await
}

#[tokio::test]
async fn an_active_person_is_made_inactive_and_nothing_else() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let asked = but(profile("test"), json!({"title": "Boss", "displayname": "Else"}));
    let answer = disable(&world, &asked).await;
    let user = world.user("u-1");
    assert_eq!(
        (user["active"].as_bool(), user["displayName"].as_str()),
        (Some(false), Some("Test User"))
    );
    let vendor = done("disable", &user, &json!("test@example.com"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": false}],
    });
    assert_eq!(
        world.writes(),
        [("PATCH".to_owned(), "/Users/u-1".to_owned(), Some(body))]
    );
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
}

#[tokio::test]
async fn somebody_inactive_is_skipped_and_shown() {
    let idle = but(person("u-1", "idle"), json!({"active": false}));
    let world = World::holding(json!({"users": [idle]})).await;
    let before = world.sandbox.dump();
    let asked = json!({"username": "idle"});
    let answer = disable(&world, &asked).await;
    let vendor = skipped("disable", "User is already disabled.", &Value::Null, &world.user("u-1"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    world.assert_calls(&[("ListUsers", 1)]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn nobody_there_is_skipped_by_name_and_by_id() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let before = world.sandbox.dump();
    for (asked, details, call) in [
        (profile("nobody"), mapped("nobody"), "ListUsers"),
        // An unknown id is no user, whatever the name says.
        (but(profile("test"), json!({"id": "u-9"})), mapped("test"), "GetUser"),
    ] {
        let answer = disable(&world, &asked).await;
        let vendor = skipped("disable", "User does not exist", &asked["email"], &details);
        assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
        world.assert_calls(&[(call, 1)]);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn somebody_who_leaves_on_the_way_is_skipped() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 404 }).on("PatchUser"));
    let answer = disable(&world, &profile("test")).await;
    let vendor = skipped(
        "disable",
        "User does not exist",
        &json!("test@example.com"),
        &world.user("u-1"),
    );
    assert_eq!(
        (answer.status, answer.text),
        (200, user_envelope(&profile("test"), &vendor))
    );
}

#[tokio::test]
async fn switched_off_it_skips_without_a_call() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_DISABLE_USER_ENABLED", "false")]).await;
    let answer = disable(&world, &profile("test")).await;
    let vendor = skipped(
        "disable",
        "Command is disabled.",
        &json!("test@example.com"),
        &mapped("test"),
    );
    assert_eq!(
        (answer.status, answer.text),
        (200, user_envelope(&profile("test"), &vendor))
    );
    // What can't be an id is a fault all the same.
    let answer = disable(&world, &but(profile("test"), json!({"id": "u/1"}))).await;
    assert_eq!((answer.status, answer.vendor()["errorCode"].as_u64()), (400, Some(400)));
    world.assert_calls(&[]);
    assert_eq!(world.user("u-1")["active"], true);
}

#[tokio::test]
async fn it_looks_for_what_is_true_now_only() {
    let world = World::holding(json!({"users": [person("u-1", "before")]})).await;
    let answer = disable(
        &world,
        &json!({"username": "now", "olduserdata": {"username": "before"}}),
    )
    .await;
    assert_eq!(answer.vendor()["reason"], "User does not exist");
    assert_eq!(world.user("u-1")["active"], true);
}

#[tokio::test]
async fn without_a_key_it_fails_without_a_call() {
    let world = World::start().await;
    let asked = json!({"title": "Boss"});
    let answer = disable(&world, &asked).await;
    let message = "user-profile needs at least one of: id, username";
    let vendor = failed("disable", 400, message, &Value::Null, &json!({"title": "Boss"}));
    assert_eq!((answer.status, answer.text), (400, user_envelope(&asked, &vendor)));
    world.assert_calls(&[]);
}

#[tokio::test]
async fn an_answer_that_shows_them_still_active_is_a_mismatch() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let body = person("u-1", "test").to_string();
    let raw = FaultKind::Raw {
        status: 200,
        content_type: "application/json".into(),
        body,
    };
    world.sandbox.script(Fault::new(raw).on("PatchUser"));
    let answer = disable(&world, &profile("test")).await;
    assert_eq!((answer.status, answer.vendor()["errorCode"].as_u64()), (502, Some(502)));
    assert!(
        answer.vendor()["errorMessage"]
            .as_str()
            .unwrap()
            .starts_with("mismatch"),
        "{}",
        answer.text
    );
}
