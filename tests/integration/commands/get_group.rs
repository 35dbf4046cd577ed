//! iam-get-group.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{crowd, group, group_envelope},
    harness::{Answer, World},
};

async fn get(world: &World, scim: &Value) -> Answer {
    world.command("iam-get-group", &json!({"scim": scim})).await
}

/// The group as answers show it: without the members that only the dump has.
fn shown(world: &World, key: &str) -> Value {
    let mut group = world.group(key);
    group.as_object_mut().unwrap().remove("members");
    group
}

#[tokio::test]
async fn it_is_found_by_id_or_name_and_its_members_are_named() {
    let world = World::holding(crowd(3, 2)).await;
    let before = world.sandbox.dump();
    let members = json!([{"value": "m-0", "display": "Test User"}, {"value": "m-1", "display": "Test User"}]);
    for (asked, calls) in [
        (json!({"id": "g-1"}), &[("GetGroup", 1), ("ListUsers", 1)][..]),
        // The id wins.
        (
            json!({"id": "g-1", "displayName": "Nobody's"}),
            &[("GetGroup", 1), ("ListUsers", 1)],
        ),
        (
            json!({"displayName": "The best group"}),
            &[("ListGroups", 1), ("ListUsers", 1)],
        ),
        (
            json!({"displayName": "the BEST group"}),
            &[("ListGroups", 1), ("ListUsers", 1)],
        ),
        (
            json!({"displayname": "The best group"}),
            &[("ListGroups", 1), ("ListUsers", 1)],
        ),
    ] {
        let answer = get(&world, &asked).await;
        let mut details = shown(&world, "g-1");
        if asked.get("id").is_none() {
            // AWS's ListGroups shows an empty list there; GetGroup leaves the key out.
            details["members"] = json!([]);
        }
        let result = json!({"id": "g-1", "displayName": "The best group", "details": details, "members": members});
        assert_eq!(
            (answer.status, answer.text),
            (200, group_envelope("GetGroup", &result)),
            "{asked}"
        );
        world.assert_calls(calls);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn members_are_read_to_the_last_page_unless_they_are_not_wanted() {
    for (count, pages) in [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3)] {
        let world = World::holding(crowd(count + 1, count)).await;
        let answer = get(&world, &json!({"id": "g-1"})).await;
        let members = answer.json()["GetGroup"]["members"].clone();
        let ids: Vec<_> = members
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, crate::expected::ids(0..count));
        world.assert_calls(&[("GetGroup", 1), ("ListUsers", pages)]);
    }
    let world = World::holding(crowd(2, 2)).await;
    for no in [json!(false), json!("false")] {
        let answer = world
            .command("iam-get-group", &json!({"scim": {"id": "g-1"}, "includeMembers": no}))
            .await;
        let result = json!({"id": "g-1", "displayName": "The best group", "details": shown(&world, "g-1")});
        assert_eq!(answer.text, group_envelope("GetGroup", &result));
        world.assert_calls(&[("GetGroup", 1)]);
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_404_that_echoes_what_was_asked() {
    let world = World::start().await;
    for (asked, id, name) in [
        (json!({"id": "g-404"}), json!("g-404"), Value::Null),
        (
            json!({"displayName": "No such group"}),
            Value::Null,
            json!("No such group"),
        ),
        (
            json!({"displayName": "a\" or displayName eq \"The best group"}),
            Value::Null,
            json!("a\" or displayName eq \"The best group"),
        ),
    ] {
        let answer = get(&world, &asked).await;
        let result = json!({"success": false, "id": id, "displayName": name, "errorCode": 404, "errorMessage": "Group Not Found"});
        assert_eq!((answer.status, answer.text), (404, group_envelope("GetGroup", &result)));
    }
    world.assert_calls(&[("GetGroup", 1), ("ListGroups", 2)]);
}

#[tokio::test]
async fn what_cant_be_asked_is_a_400_without_a_call() {
    let world = World::start().await;
    for (asked, message) in [
        (json!({}), "scim needs an id or a displayName"),
        (
            json!({"id": "", "displayName": ""}),
            "scim needs an id or a displayName",
        ),
        (
            json!({"id": "../Users/1"}),
            "scim.id must be 1 to 64 letters, digits, `_` or `-`",
        ),
        (
            json!({"id": 7}),
            "scim.id must be text, not a number; send it in quotes",
        ),
        (
            json!({"displayName": ["a", "b"]}),
            "scim.displayName must be text, not a list of several values; send the one that counts",
        ),
    ] {
        let answer = get(&world, &asked).await;
        let result = &answer.json()["GetGroup"];
        assert_eq!(
            (answer.status, &result["errorCode"], &result["errorMessage"]),
            (400, &json!(400), &json!(message)),
            "{asked}"
        );
    }
    let answer = get(&world, &json!({"displayName": "a\u{0}"})).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    world.assert_calls(&[]);
}

#[tokio::test]
async fn another_group_or_two_are_not_believed() {
    let world = World::holding(json!({"groups": [group("g-1", "A")]})).await;
    let list = |groups: Vec<Value>| json!({"totalResults": 1, "Resources": groups});
    for (api, asked, body, status, word) in [
        (
            "ListGroups",
            json!({"displayName": "A"}),
            list(vec![group("g-1", "A"), group("g-2", "A")]),
            409,
            "ambiguous",
        ),
        (
            "ListGroups",
            json!({"displayName": "A"}),
            list(vec![group("g-1", "B")]),
            502,
            "mismatch",
        ),
        ("GetGroup", json!({"id": "g-1"}), group("g-2", "A"), 502, "mismatch"),
    ] {
        let raw = FaultKind::Raw {
            status: 200,
            content_type: "application/json".into(),
            body: body.to_string(),
        };
        world.sandbox.script(Fault::new(raw).on(api));
        let answer = get(&world, &asked).await;
        let result = &answer.json()["GetGroup"];
        assert_eq!(
            (answer.status, result["errorCode"].as_u64()),
            (status, Some(status.into())),
            "{}",
            answer.text
        );
        assert!(
            result["errorMessage"].as_str().unwrap().starts_with(word),
            "{}",
            answer.text
        );
    }
}
