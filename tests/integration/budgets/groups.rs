//! What group commands cost.

use serde_json::{Value, json};

use super::cost;
use crate::{
    expected::{crowd, ids},
    harness::World,
};

#[tokio::test]
async fn a_group_costs_one_call_and_one_a_page_of_members() {
    for (members, pages) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (250, 3)] {
        let world = World::holding(crowd(members, members)).await;
        for asked in [json!({"id": "g-1"}), json!({"displayName": "The best group"})] {
            assert_eq!(
                cost(&world, "iam-get-group", &json!({"scim": asked})).await,
                1 + pages,
                "{members}"
            );
        }
        let without = json!({"scim": {"id": "g-1"}, "includeMembers": false});
        assert_eq!(cost(&world, "iam-get-group", &without).await, 1);
    }
}

#[tokio::test]
async fn member_changes_cost_one_call_a_hundred() {
    for (adds, removals, calls) in [
        (1, 0, 1),
        (0, 1, 1),
        (100, 0, 1),
        (101, 0, 2),
        (250, 0, 3),
        (0, 250, 3),
        (60, 40, 1),
        (60, 41, 2),
        (150, 100, 3),
        (99, 201, 3),
    ] {
        let world = World::holding(crowd(adds + removals, removals)).await;
        let arguments = json!({
            "scim": {"id": "g-1"}, "memberIdsToDelete": ids(0..removals), "memberIdsToAdd": ids(removals..removals + adds),
        });
        assert_eq!(
            cost(&world, "iam-update-group", &arguments).await,
            calls,
            "{adds} {removals}"
        );
        // No request holds more than AWS takes, adds come first, and no member is reported twice or
        // left out.
        let world_after: Vec<_> = world.group("g-1")["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(world_after, ids(removals..removals + adds));
    }
}

#[tokio::test]
async fn each_request_holds_at_most_a_hundred_changes_with_the_adds_first() {
    let world = World::holding(crowd(300, 150)).await;
    let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToDelete": ids(0..150), "memberIdsToAdd": ids(150..300)});
    assert_eq!(world.command("iam-update-group", &arguments).await.status, 200);
    let told: Vec<Vec<(Value, usize)>> = world
        .writes()
        .into_iter()
        .map(|(_, _, body)| {
            let body = body.unwrap();
            let operations = body["Operations"].as_array().unwrap().iter();
            operations
                .map(|operation| (operation["op"].clone(), operation["value"].as_array().unwrap().len()))
                .collect()
        })
        .collect();
    let expected = [
        vec![(json!("add"), 100)],
        vec![(json!("add"), 50), (json!("remove"), 50)],
        vec![(json!("remove"), 100)],
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn other_group_commands_cost_one_call() {
    let world = World::holding(crowd(1, 1)).await;
    for (command, scim) in [
        ("iam-create-group", json!({"displayName": "New"})),
        (
            "iam-update-group",
            json!({"id": "g-1", "displayName": "Renamed", "externalId": "G1"}),
        ),
        ("iam-delete-group", json!({"id": "g-1"})),
    ] {
        assert_eq!(cost(&world, command, &json!({"scim": scim})).await, 1, "{command}");
    }
}

#[tokio::test]
async fn a_group_found_or_checked_by_name_and_whose_a_name_is_cost_one_call_more() {
    let mut seed = crowd(2, 1);
    seed["groups"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "g-2", "displayName": "Taken"}));
    let world = World::holding(seed).await;
    for (what, command, arguments, calls) in [
        (
            "members by name",
            "iam-update-group",
            json!({"scim": {"displayName": "Taken"}, "memberIdsToAdd": "m-1"}),
            2,
        ),
        (
            "a new group with members",
            "iam-create-group",
            json!({"scim": {"displayName": "New", "members": ["m-0", "m-1"]}}),
            2,
        ),
        (
            "a deletion with the name",
            "iam-delete-group",
            json!({"scim": {"id": "g-1", "displayName": "The best group"}}),
            2,
        ),
    ] {
        assert_eq!(cost(&world, command, &arguments).await, calls, "{what}");
    }
    for (command, arguments) in [
        ("iam-create-group", json!({"scim": {"displayName": "Taken"}})),
        ("iam-update-group", json!({"scim": {"id": "g-2", "displayName": "New"}})),
    ] {
        world.calls();
        assert_eq!(world.command(command, &arguments).await.status, 409, "{command}");
        assert_eq!(world.calls().values().sum::<u64>(), 2, "{command}");
    }
}

#[tokio::test]
async fn thousands_of_members_are_added_shown_and_removed() {
    let world = World::holding(crowd(3_000, 0)).await;
    let add = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids(0..3_000)});
    assert_eq!(cost(&world, "iam-update-group", &add).await, 30);
    let shown = world
        .command("iam-get-group", &json!({"scim": {"id": "g-1"}}))
        .await
        .json();
    assert_eq!(shown["GetGroup"]["members"].as_array().unwrap().len(), 3_000);
    world.assert_calls(&[("GetGroup", 1), ("ListUsers", 30)]);
    let remove = json!({"scim": {"id": "g-1"}, "memberIdsToDelete": ids(0..3_000).join(",")});
    assert_eq!(cost(&world, "iam-update-group", &remove).await, 30);
    assert_eq!(world.group("g-1")["members"], json!([]));
}
