//! iam-create-group.

use serde_json::{Value, json};

use crate::{
    expected::{but, group, group_envelope, without_request_ids},
    harness::{Answer, World},
};

async fn create(world: &World, scim: &Value) -> Answer {
    world.command("iam-create-group", &json!({"scim": scim})).await
}

#[tokio::test]
async fn a_new_group_is_posted_and_told_as_the_directory_has_it() {
    let world = World::holding(json!({})).await;
    // What AWS keeps of a group is its name and externalId; the rest is not sent.
    let asked =
        json!({"displayName": "The group", "externalId": "G7", "id": "g-mine", "members": [{"value": "u-1"}], "x": 1});
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
            "scim.displayName: control and invisible characters can't stand in it; take them out",
        ),
        (
            json!({"displayName": "A", "externalId": "G 1"}),
            "scim.externalId: white space can't stand in it; take it out",
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
