//! iam-create-group.

use serde_json::{Value, json};

use crate::{
    expected::{but, crowd, group, group_envelope, ids, without_request_ids},
    harness::{Answer, World},
};

async fn create(world: &World, scim: &Value) -> Answer {
    world.command("iam-create-group", &json!({"scim": scim})).await
}

#[tokio::test]
async fn a_new_group_is_posted_and_told_as_the_directory_has_it() {
    let world = World::holding(json!({})).await;
    // What AWS keeps of a group is its name and externalId; the rest is not sent.
    let asked = json!({"displayName": "\u{a0}The group ", "externalId": "G7", "id": "g-mine", "members": [], "x": 1});
    let answer = create(&world, &asked).await;
    let mut details = world.group("The group");
    details.as_object_mut().unwrap().remove("members");
    let result = json!({"id": details["id"], "displayName": "The group", "details": details});
    assert_eq!(
        (answer.status, answer.text),
        (200, group_envelope("CreateGroup", &result))
    );
    assert_eq!(details["externalId"], "G7");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "The group", "externalId": "G7",
    });
    assert_eq!(world.writes(), [("POST".to_owned(), "/Groups".to_owned(), Some(body))]);
    world.assert_calls(&[("CreateGroup", 1)]);
}

#[tokio::test]
async fn members_of_a_new_group_are_added_to_it() {
    let world = World::holding(crowd(250, 0)).await;
    let objects: Vec<_> = ids(0..250).into_iter().map(|id| json!({"value": id})).collect();
    for (name, members, count, patches) in [
        (
            "Two",
            json!(["m-0", {"value": "m-1\u{2009}", "display": "One"}, " "]),
            2,
            1,
        ),
        ("Text", json!("m-0, m-1"), 2, 1),
        ("All", json!(objects), 250, 3),
    ] {
        let answer = create(&world, &json!({"displayName": name, "members": members})).await;
        let group = world.group(name);
        assert_eq!(
            (answer.status, &answer.json()["CreateGroup"]["id"]),
            (200, &group["id"])
        );
        assert_eq!(group["members"].as_array().unwrap().len(), count, "{name}");
        world.assert_calls(&[("CreateGroup", 1), ("PatchGroup", patches)]);
    }
}

/// The group is there: without its id in the answer it would be lost, and a second create a
/// conflict.
#[tokio::test]
async fn a_group_whose_members_failed_is_told_with_its_id() {
    let world = World::holding(crowd(2, 0)).await;
    let answer = create(
        &world,
        &json!({"displayName": "New", "members": ["m-0", "jane", "m-1"]}),
    )
    .await;
    let (document, group) = (answer.json(), world.group("New"));
    let result = &document["CreateGroup"];
    assert_eq!((answer.status, &result["success"]), (404, &json!(false)));
    assert_eq!((&result["id"], &result["displayName"]), (&group["id"], &json!("New")));
    assert_eq!(group["members"], json!([{"value": "m-0"}, {"value": "m-1"}]));
    let message = without_request_ids(result["errorMessage"].as_str().unwrap());
    assert!(
        message.ends_with(
            "; 2 of 3 done; failed: jane; jane looks like a user name: the directory's id is wanted (IAM.Vendor.id of \
             iam-get-user)"
        ),
        "{message}"
    );
    let told = result["details"]["members"].as_array().unwrap().iter();
    let results: Vec<_> = told.map(|member| (&member["value"], &member["result"])).collect();
    assert_eq!(
        results,
        [
            (&json!("m-0"), &json!("done")),
            (&json!("jane"), &json!("failed")),
            (&json!("m-1"), &json!("done"))
        ]
    );
}

#[tokio::test]
async fn a_taken_name_or_external_id_is_a_conflict() {
    let taken = but(group("g-1", "The best group"), json!({"externalId": "G1"}));
    let world = World::holding(json!({"groups": [taken]})).await;
    let before = world.sandbox.dump();
    for (asked, whose) in [
        (
            json!({"displayName": "The best group"}),
            "a group of this displayName exists: g-1",
        ),
        (
            json!({"displayName": "Other", "externalId": "G1"}),
            "another group has this externalId",
        ),
    ] {
        let answer = create(&world, &asked).await;
        let message = format!("Refused to create a new, duplicate resource. (AWS request id X); {whose}");
        let result =
            json!({"success": false, "displayName": asked["displayName"], "errorCode": 409, "errorMessage": message});
        assert_eq!(
            (answer.status, without_request_ids(&answer.text)),
            (409, group_envelope("CreateGroup", &result))
        );
        // Whose it is costs one look, by name.
        world.assert_calls(&[("CreateGroup", 1), ("ListGroups", 1)]);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn a_group_that_cant_be_sent_is_a_400_without_a_call() {
    let world = World::start().await;
    for (asked, message) in [
        (json!({}), "scim.displayName is needed: the name of the new group"),
        (
            json!({"displayName": ""}),
            "scim.displayName is needed: the name of the new group",
        ),
        (
            json!({"id": "g-1", "displayName": null}),
            "scim.displayName is needed: the name of the new group",
        ),
        (
            json!({"displayName": 7}),
            "scim.displayName must be text, not a number; send it in quotes",
        ),
        (
            json!({"displayName": "Administrator"}),
            "scim.displayName: AWS keeps this name for itself; choose another",
        ),
        (
            json!({"displayName": "a\u{0}"}),
            "scim.displayName: U+0000 NULL at position 2 can't stand in it; take it out, it is a control character",
        ),
        (
            json!({"displayName": "A", "members": ["jane.doe@example.com"]}),
            "scim.members[0] must be 1 to 64 letters, digits, `_` or `-`; the directory's id is wanted (IAM.Vendor.id of \
             iam-get-user)",
        ),
        (
            json!({"displayName": "A", "members": [7]}),
            "scim.members: every member must be an id, or an object that holds one under `value`",
        ),
        (
            json!({"displayName": "A", "externalId": "G 1"}),
            "scim.externalId: U+0020 SPACE at position 2 can't stand in it; take it out, it is a space",
        ),
    ] {
        let answer = create(&world, &asked).await;
        let text =
            |name: &str| Some(asked[name].clone()).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        let result = json!({
            "success": false, "id": text("id"), "displayName": text("displayName"), "errorCode": 400, "errorMessage": message,
        });
        assert_eq!(
            (answer.status, answer.text),
            (400, group_envelope("CreateGroup", &result)),
            "{asked}"
        );
    }
    world.assert_calls(&[]);
}
