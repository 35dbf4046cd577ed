//! iam-update-group.

mod refused;

use aws_ilm::sandbox::{Fault, FaultKind, ForeignIds, Options, Seed, UnknownMember};
use serde_json::{Value, json};

use crate::{
    expected::{crowd, group, group_envelope, ids, person, without_request_ids},
    harness::{Answer, Setup, World},
};

async fn update(world: &World, scim: &Value, add: &Value, remove: &Value) -> Answer {
    let arguments = json!({"scim": scim, "memberIdsToAdd": add, "memberIdsToDelete": remove});
    world.command("iam-update-group", &arguments).await
}

fn g1() -> Value {
    json!({"id": "g-1"})
}

fn members(world: &World) -> Vec<String> {
    let group = world.group("g-1");
    let members = group["members"].as_array().unwrap().iter();
    members
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

/// The members in `details` that have this result.
fn with_result(answer: &Answer, result: &str) -> Vec<String> {
    let document = answer.json();
    let told = document["UpdateGroup"]["details"]["members"]
        .as_array()
        .unwrap()
        .clone();
    let wanted = told.iter().filter(|member| member["result"] == result);
    wanted
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn adds_and_removals_go_into_one_patch_and_the_headers_are_told() {
    let world = World::holding(crowd(4, 2)).await;
    let asked = json!({"id": "g-1", "displayName": "only echoed"});
    let answer = update(&world, &asked, &json!(["m-2", "m-3", "m-2"]), &json!(["m-0"])).await;
    let details = answer.json()["UpdateGroup"]["details"].clone();
    assert!(details["x-amzn-RequestId"].is_string(), "{details}");
    let result = json!({"id": "g-1", "displayName": "only echoed", "details": details});
    assert_eq!(
        (answer.status, answer.text),
        (200, group_envelope("UpdateGroup", &result))
    );
    assert_eq!(members(&world), ["m-1", "m-2", "m-3"]);
    assert_eq!(world.group("g-1")["displayName"], "The best group");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            {"op": "add", "path": "members", "value": [{"value": "m-2"}, {"value": "m-3"}]},
            {"op": "remove", "path": "members", "value": [{"value": "m-0"}]},
        ],
    });
    assert_eq!(
        world.writes(),
        [("PATCH".to_owned(), "/Groups/g-1".to_owned(), Some(body))]
    );
    world.assert_calls(&[("PatchGroup", 1)]);
}

#[tokio::test]
async fn a_group_is_found_by_its_name_where_members_change() {
    let mut seed = crowd(2, 0);
    let groups = seed["groups"].as_array_mut().unwrap();
    groups.push(group("g-2", "Réseau"));
    let world = World::holding(seed).await;
    let asked = json!({"displayName": "\u{2009}THE BEST GROUP\u{a0}"});
    let answer = update(&world, &asked, &json!("m-1"), &json!(null)).await;
    let result = &answer.json()["UpdateGroup"];
    assert_eq!(
        (answer.status, &result["id"], &result["displayName"]),
        (200, &json!("g-1"), &json!("THE BEST GROUP"))
    );
    assert_eq!(members(&world), ["m-1"]);
    world.assert_calls(&[("ListGroups", 1), ("PatchGroup", 1)]);
    let answer = update(&world, &json!({"displayName": "No such"}), &json!("m-1"), &json!(null)).await;
    let result = &answer.json()["UpdateGroup"];
    assert_eq!(
        (answer.status, &result["id"], &result["errorMessage"]),
        (404, &Value::Null, &json!("Group Not Found"))
    );
    world.assert_calls(&[("ListGroups", 1)]);
    // A rename needs the id.
    let answer = update(&world, &json!({"displayName": "Réseau"}), &json!([]), &json!(null)).await;
    let message = "scim.id is needed where no members are given: the id of the group to rename";
    assert_eq!(
        (answer.status, &answer.json()["UpdateGroup"]["errorMessage"]),
        (400, &json!(message))
    );
    world.assert_calls(&[]);
}

#[tokio::test]
async fn ids_of_awss_form_know_no_letter_case() {
    const GROUP: &str = "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11";
    const USER: &str = "b4d8a2c0-60e4-7018-4ca0-bdcf71ae5066";
    let world = World::holding(json!({"users": [person(USER, "kim")], "groups": [group(GROUP, "A")]})).await;
    let asked = json!({"id": GROUP.to_uppercase()});
    let answer = update(&world, &asked, &json!([USER.to_uppercase()]), &json!(null)).await;
    assert_eq!(
        (answer.status, &answer.json()["UpdateGroup"]["id"]),
        (200, &json!(GROUP)),
        "{}",
        answer.text
    );
    assert_eq!(world.group(GROUP)["members"], json!([{"value": USER}]));
}

#[tokio::test]
async fn an_id_that_is_not_awss_is_unknown_whatever_the_directory_answers() {
    for foreign_ids in [ForeignIds::NotFound, ForeignIds::BadRequest] {
        let world = World::with(Setup {
            sandbox: Options {
                foreign_ids,
                ..Options::default()
            },
            ..Setup::default()
        })
        .await;
        for (command, arguments) in [
            ("iam-get-group", json!({"scim": {"id": "4711"}})),
            ("iam-delete-group", json!({"scim": {"id": "4711", "displayName": "A"}})),
            (
                "iam-update-group",
                json!({"scim": {"id": "4711"}, "memberIdsToAdd": "123456"}),
            ),
        ] {
            let answer = world.command(command, &arguments).await;
            assert_eq!(answer.status, 404, "{command}: {}", answer.text);
            assert!(answer.text.contains("Group Not Found"), "{}", answer.text);
        }
        // Seeds have ids of their own form: what is there is found.
        let answer = world.command("iam-get-group", &json!({"scim": {"id": "121212"}})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn who_is_in_or_out_already_is_no_fault() {
    let world = World::holding(crowd(2, 1)).await;
    let answer = update(&world, &g1(), &json!(["m-0"]), &json!(["m-1"])).await;
    assert_eq!((answer.status, members(&world)), (200, ids(0..1)));
}

#[tokio::test]
async fn without_members_it_renames() {
    for none in [json!(null), json!([]), json!(""), json!("[]")] {
        let world = World::holding(crowd(1, 1)).await;
        let asked = json!({"id": "g-1", "displayName": "New", "externalId": "G7"});
        let answer = update(&world, &asked, &none, &none).await;
        let details = answer.json()["UpdateGroup"]["details"].clone();
        let result = json!({"id": "g-1", "displayName": "New", "details": details});
        assert_eq!(
            (answer.status, answer.text),
            (200, group_envelope("UpdateGroup", &result))
        );
        let group = world.group("g-1");
        assert_eq!(
            (&group["displayName"], &group["externalId"]),
            (&json!("New"), &json!("G7"))
        );
        assert_eq!(members(&world), ids(0..1));
        world.assert_calls(&[("PatchGroup", 1)]);
    }
}

#[tokio::test]
async fn a_rename_to_a_taken_name_or_of_nothing_fails() {
    let mut seed = crowd(0, 0);
    seed["groups"].as_array_mut().unwrap().push(group("g-2", "Taken"));
    let world = World::holding(seed).await;
    let before = world.sandbox.dump();
    let answer = update(
        &world,
        &json!({"id": "g-1", "displayName": "Taken"}),
        &json!(null),
        &json!(null),
    )
    .await;
    let document = answer.json();
    let result = &document["UpdateGroup"];
    assert_eq!((answer.status, &result["errorCode"]), (409, &json!(409)));
    let message = without_request_ids(result["errorMessage"].as_str().unwrap());
    assert!(
        message.ends_with("(AWS request id X); a group of this displayName exists: g-2"),
        "{message}"
    );
    world.assert_calls(&[("PatchGroup", 1), ("ListGroups", 1)]);
    let answer = update(
        &world,
        &json!({"id": "g-9", "displayName": "New"}),
        &json!(null),
        &json!(null),
    )
    .await;
    let message = "Group Not Found";
    let result =
        json!({"success": false, "id": "g-9", "displayName": "New", "errorCode": 404, "errorMessage": message});
    assert_eq!(
        (answer.status, answer.text),
        (404, group_envelope("UpdateGroup", &result))
    );
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn what_it_cant_do_is_a_400_without_a_call() {
    let world = World::holding(crowd(1, 1)).await;
    let nothing = "nothing to change: give memberIdsToAdd, memberIdsToDelete, scim.displayName or scim.externalId";
    let malformed = "must be 1 to 64 letters, digits, `_` or `-`";
    let wanted = "the directory's id is wanted (IAM.Vendor.id of iam-get-user)";
    let none = json!(null);
    for (scim, add, remove, message) in [
        (
            json!({}),
            json!(["m-0"]),
            none.clone(),
            "scim needs an id or a displayName".to_owned(),
        ),
        (
            json!({"displayName": "The best group"}),
            none.clone(),
            none.clone(),
            "scim.id is needed where no members are given: the id of the group to rename".to_owned(),
        ),
        (g1(), none.clone(), none.clone(), nothing.to_owned()),
        (g1(), json!([]), json!(""), nothing.to_owned()),
        (
            json!({"id": "g/1"}),
            json!(["m-0"]),
            none.clone(),
            format!("scim.id {malformed}"),
        ),
        (
            g1(),
            json!(["m-0", "a b"]),
            none.clone(),
            format!("memberIdsToAdd[1] {malformed}; U+0020 SPACE at position 2 can't stand in it; {wanted}"),
        ),
        (
            g1(),
            none.clone(),
            json!("../x"),
            format!("memberIdsToDelete[0] {malformed}; {wanted}"),
        ),
        (
            g1(),
            json!(["m-0"]),
            json!(["m-0"]),
            "m-0 is in memberIdsToAdd and in memberIdsToDelete; leave it in one".to_owned(),
        ),
        (
            json!({"id": "g-1", "displayName": 7}),
            none.clone(),
            none,
            "scim.displayName must be text, not a number; send it in quotes".to_owned(),
        ),
    ] {
        let answer = update(&world, &scim, &add, &remove).await;
        let result = &answer.json()["UpdateGroup"];
        assert_eq!(
            (answer.status, &result["errorCode"], &result["errorMessage"]),
            (400, &json!(400), &json!(message))
        );
    }
    world.assert_calls(&[]);
}
