//! iam-delete-group.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{crowd, group, group_envelope},
    harness::{Answer, World},
};

async fn delete(world: &World, scim: &Value) -> Answer {
    world.command("iam-delete-group", &json!({"scim": scim})).await
}

#[tokio::test]
async fn the_group_is_gone_and_the_answers_headers_are_told() {
    let world = World::holding(crowd(2, 2)).await;
    let answer = delete(&world, &json!({"id": " g-1\u{a0}"})).await;
    let details = answer.json()["DeleteGroup"]["details"].clone();
    assert!(
        details["x-amzn-RequestId"].is_string() && details["Date"].is_string(),
        "{details}"
    );
    let result = json!({"id": "g-1", "details": details});
    assert_eq!(
        (answer.status, answer.text),
        (200, group_envelope("DeleteGroup", &result))
    );
    assert_eq!(world.group("g-1"), Value::Null);
    assert_eq!(world.sandbox.dump()["users"].as_array().unwrap().len(), 2);
    world.assert_calls(&[("DeleteGroup", 1)]);
}

/// An id that was copied from another line, with the name beside it that is meant.
#[tokio::test]
async fn nothing_is_deleted_under_another_groups_name() {
    let world = World::holding(json!({"groups": [group("g-1", "Ré\u{301}seau"), group("g-2", "Admins")]})).await;
    let before = world.sandbox.dump();
    let answer = delete(&world, &json!({"id": "g-1", "displayName": "Admins"})).await;
    let message = "the group of this id is named \"Ré\u{301}seau\", not as scim.displayName says; nothing was deleted";
    let result = json!({
        "success": false, "id": "g-1", "displayName": "Admins", "errorCode": 409, "errorMessage": message,
    });
    assert_eq!(
        (answer.status, answer.text),
        (409, group_envelope("DeleteGroup", &result))
    );
    assert_eq!(world.sandbox.dump(), before);
    world.assert_calls(&[("GetGroup", 1)]);
    // Letter case and normal form aside it is the same name.
    let answer = delete(&world, &json!({"id": "g-1", "displayName": "RÉ\u{301}SEAU "})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        (world.group("g-1"), world.group("g-2")["id"].clone()),
        (Value::Null, json!("g-2"))
    );
    world.assert_calls(&[("GetGroup", 1), ("DeleteGroup", 1)]);
}

#[tokio::test]
async fn what_is_not_there_is_a_404() {
    let world = World::start().await;
    let before = world.sandbox.dump();
    let answer = delete(&world, &json!({"id": "g-404"})).await;
    let result = json!({"success": false, "id": "g-404", "errorCode": 404, "errorMessage": "Group Not Found"});
    assert_eq!(
        (answer.status, answer.text),
        (404, group_envelope("DeleteGroup", &result))
    );
    world.assert_calls(&[("DeleteGroup", 1)]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn only_a_sound_id_will_do() {
    let world = World::start().await;
    let before = world.sandbox.dump();
    for (asked, message) in [
        (json!({}), "scim.id is needed: the id of the group"),
        (
            json!({"displayName": "The best group"}),
            "scim.id is needed: the id of the group",
        ),
        (
            json!({"id": "..%2FUsers%2F123456"}),
            "scim.id must be 1 to 64 letters, digits, `_` or `-`",
        ),
        (
            json!({"id": ".."}),
            "scim.id must be 1 to 64 letters, digits, `_` or `-`",
        ),
        (
            json!({"id": "121212/../../Users/123456"}),
            "scim.id must be 1 to 64 letters, digits, `_` or `-`",
        ),
        (
            json!({"id": 121_212}),
            "scim.id must be text, not a number; send it in quotes",
        ),
    ] {
        let answer = delete(&world, &asked).await;
        let text = |name: &str| Some(asked[name].clone()).filter(Value::is_string);
        let result = json!({
            "success": false, "id": text("id"), "displayName": text("displayName"), "errorCode": 400, "errorMessage": message,
        });
        assert_eq!(
            (answer.status, answer.text),
            (400, group_envelope("DeleteGroup", &result))
        );
    }
    world.assert_calls(&[]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn a_deletion_told_again_after_a_lost_answer_has_succeeded() {
    for kind in [
        FaultKind::AnswerLost,
        FaultKind::FailAfterWork { status: 500 },
        FaultKind::HangUp,
    ] {
        let world = World::holding(crowd(1, 1)).await;
        world.sandbox.script(Fault::new(kind.clone()).on("DeleteGroup"));
        let answer = delete(&world, &json!({"id": "g-1"})).await;
        let result = &answer.json()["DeleteGroup"];
        assert_eq!(
            (answer.status, &result["success"], &result["id"]),
            (200, &json!(true), &json!("g-1")),
            "{kind:?}"
        );
        assert_eq!(world.group("g-1"), Value::Null);
        world.assert_calls(&[("DeleteGroup", 2)]);
    }
}
