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
async fn nobody_there_is_skipped_after_every_key_was_tried() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let before = world.sandbox.dump();
    for (asked, details, calls) in [
        (profile("nobody"), mapped("nobody"), &[("ListUsers", 1)][..]),
        (
            but(profile("nobody"), json!({"id": "u-9"})),
            mapped("nobody"),
            &[("GetUser", 1), ("ListUsers", 1)],
        ),
        (json!({"id": "u-9"}), json!({}), &[("GetUser", 1)]),
    ] {
        let answer = disable(&world, &asked).await;
        let vendor = skipped("disable", "User does not exist", &asked["email"], &details);
        assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
        world.assert_calls(calls);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn an_unknown_id_of_awss_form_lets_no_name_be_disabled_unless_the_employee_ids_agree() {
    const GONE: &str = "90677c608a-7afcdc23-0bd4-4fb7-b2ff-10ccffdff447";
    let there = but(person("u-1", "test"), json!({"externalId": "E1"}));
    let world = World::holding(json!({"users": [there]})).await;
    let before = world.sandbox.dump();
    let answer = disable(&world, &but(profile("test"), json!({"id": GONE}))).await;
    let message = "ambiguous: the directory does not know the id, whose account may be deleted and its name given \
                   again, and the userName is that of user u-1 (userName test); send the id of the user that is \
                   meant, or none";
    assert_eq!(
        (answer.status, &answer.vendor()["errorMessage"]),
        (409, &json!(message))
    );
    assert_eq!(world.sandbox.dump(), before);
    let asked = but(profile("test"), json!({"id": GONE, "employeeid": "E1"}));
    assert_eq!(disable(&world, &asked).await.status, 200);
    assert_eq!(world.user("u-1")["active"], false);
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
async fn an_old_name_is_tried_after_the_name_of_now() {
    let world = World::holding(json!({"users": [person("u-1", "before"), person("u-2", "now")]})).await;
    let asked = json!({"username": "now", "olduserdata": {"username": "before"}});
    assert_eq!(disable(&world, &asked).await.vendor()["id"], "u-2");
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
    let asked = json!({"username": "later", "olduserdata": {"username": "before"}});
    assert_eq!(disable(&world, &asked).await.vendor()["id"], "u-1");
    world.assert_calls(&[("ListUsers", 2), ("PatchUser", 1)]);
    assert_eq!(world.user("u-1")["active"], false);
}

#[tokio::test]
async fn without_a_key_it_fails_without_a_call() {
    let world = World::start().await;
    let asked = json!({"title": "Boss"});
    let answer = disable(&world, &asked).await;
    let message = "user-profile needs at least one of: id, username, employeeid, also in olduserdata";
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
