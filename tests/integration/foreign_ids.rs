//! Ids that are not of AWS's form and not there: what AWS answers to them was never seen, so 404
//! and 400 come to the same.

use aws_ilm::sandbox::{self, ForeignIds, Seed};
use serde_json::{Value, json};

use crate::{
    expected::{crowd, profile},
    harness::{Setup, World},
};

/// A world for each of the two answers.
async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for foreign_ids in [ForeignIds::NotFound, ForeignIds::BadRequest] {
        let setup = Setup {
            sandbox: sandbox::Options {
                seed: Seed::from_json(&crowd(2, 1).to_string()).unwrap(),
                foreign_ids,
                ..sandbox::Options::default()
            },
            ..Setup::default()
        };
        worlds.push(World::with(setup).await);
    }
    worlds
}

#[tokio::test]
async fn a_user_commands_unknown_id_is_passed_over() {
    for (command, arguments, status, id) in [
        (
            "iam-get-user",
            json!({"user-profile": {"id": "123", "username": "member0"}}),
            200,
            json!("m-0"),
        ),
        (
            "iam-update-user",
            json!({"user-profile": {"id": "123", "username": "member0", "title": "Boss", "olduserdata": {"id": "124"}}}),
            200,
            json!("m-0"),
        ),
        (
            "iam-disable-user",
            json!({"user-profile": {"id": "123", "username": "member0"}}),
            200,
            json!("m-0"),
        ),
        ("iam-get-user", json!({"user-profile": {"id": "123"}}), 404, Value::Null),
    ] {
        for world in worlds().await {
            let answer = world.command(command, &arguments).await;
            assert_eq!(
                (answer.status, &answer.vendor()["id"]),
                (status, &id),
                "{}",
                answer.text
            );
        }
    }
    for world in worlds().await {
        let mut hire = profile("lee");
        hire["id"] = json!("123");
        let answer = world.command("iam-create-user", &json!({"user-profile": hire})).await;
        assert_eq!((answer.status, &answer.vendor()["action"]), (200, &json!("create")));
    }
}

#[tokio::test]
async fn a_group_commands_unknown_id_is_a_group_that_is_not_there() {
    let group = || json!({"id": "123"});
    for (what, command, arguments, calls) in [
        ("get", "iam-get-group", json!({"scim": group()}), 1),
        ("delete", "iam-delete-group", json!({"scim": group()}), 1),
        (
            "delete with a name",
            "iam-delete-group",
            json!({"scim": {"id": "123", "displayName": "The best group"}}),
            1,
        ),
        (
            "rename",
            "iam-update-group",
            json!({"scim": {"id": "123", "displayName": "New"}}),
            2,
        ),
        (
            "members: the group is read once, and none of them is tried alone",
            "iam-update-group",
            json!({"scim": group(), "memberIdsToAdd": "m-0, m-1", "memberIdsToDelete": "m-2"}),
            2,
        ),
    ] {
        let mut told = Vec::new();
        for world in worlds().await {
            let answer = world.command(command, &arguments).await;
            let result = answer.json().as_object().unwrap().values().next().unwrap().clone();
            assert_eq!(
                (answer.status, &result["errorCode"]),
                (404, &json!(404)),
                "{what}: {}",
                answer.text
            );
            let message = result["errorMessage"].as_str().unwrap();
            assert!(message.starts_with("Group Not Found"), "{what}: {message}");
            if let Some(members) = result["details"]["members"].as_array() {
                assert!(
                    members.iter().all(|member| member["result"] == "not tried"),
                    "{}",
                    answer.text
                );
            }
            let sent: u64 = world.calls().values().sum();
            assert!(sent <= calls, "{what}: {sent} calls");
            told.push(message.to_owned());
        }
        assert_eq!(told[0], told[1], "{what}");
    }
}

#[tokio::test]
async fn a_group_of_such_an_id_that_is_there_is_found() {
    for world in worlds().await {
        let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ["m-1", "nobody"]});
        let answer = world.command("iam-update-group", &arguments).await;
        let details = answer.json()["UpdateGroup"]["details"]["members"].clone();
        assert_eq!(
            (answer.status, &details[0]["result"]),
            (404, &json!("done")),
            "{}",
            answer.text
        );
        assert_eq!(details[1]["result"], "failed");
        for (command, arguments) in [
            ("iam-update-group", json!({"scim": {"id": "g-1", "displayName": "New"}})),
            ("iam-delete-group", json!({"scim": {"id": "g-1", "displayName": "New"}})),
        ] {
            assert_eq!(world.command(command, &arguments).await.status, 200, "{command}");
        }
    }
}
