//! What a dry run tells of fields that do nothing, and whether anything would change.

use serde_json::{Value, json};

use super::seed;
use crate::{
    examples::{demonstration, examples},
    expected::{but, profile},
    harness::World,
};

#[tokio::test]
async fn it_lists_what_fills_nothing_and_says_whether_anything_would_change() {
    let mapper = format!(
        "{}/tests/integration/mappers/glued-outgoing.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let (built_in, glued) = ([], [("AWS_ILM_MAPPER_OUT", mapper.as_str())]);
    let foreign = [("AWS_ILM_PROFILE_ID", "foreign")];
    let about = |profile: Value| json!({"user-profile": profile});
    let g1 = |more: Value| but(json!({"id": "g-1"}), more);
    for (what, settings, command, arguments, ignored, changes) in [
        (
            "a misspelt field",
            &built_in[..],
            "iam-update-user",
            about(json!({"username": "test", "lastName": "X"})),
            json!(["lastName"]),
            false,
        ),
        (
            "display names, losers and empty ones; what commands read themselves is none",
            &built_in,
            "iam-update-user",
            about(json!({
                "Username": "test", "Mobile Phone": "7", "title": "Boss", "Title": "Clerk", "department": "", "active": true,
                "olduserdata": {"lastName": "X"}, "id": "u-1",
            })),
            json!(["Title", "department"]),
            true,
        ),
        (
            "ids of another system",
            &foreign,
            "iam-get-user",
            about(json!({"username": "test", "id": "7"})),
            json!(["id"]),
            false,
        ),
        (
            "the mapping of creations, which fills no title",
            &glued,
            "iam-create-user",
            about(but(profile("jane"), json!({"title": "Boss"}))),
            json!(["displayname", "title"]),
            true,
        ),
        (
            "that of updates, which does",
            &glued,
            "iam-update-user",
            about(json!({"username": "test", "title": "Boss"})),
            json!([]),
            true,
        ),
        (
            "a skip",
            &built_in,
            "iam-disable-user",
            about(json!({"username": "idle", "reason": "left"})),
            json!(["reason"]),
            false,
        ),
        (
            "a failure",
            &built_in,
            "iam-disable-user",
            about(json!({"user name": " ", "reason": "left"})),
            json!(["reason"]),
            false,
        ),
        (
            "a group by id",
            &built_in,
            "iam-get-group",
            json!({"scim": g1(json!({"displayName": "A"}))}),
            json!(["displayName"]),
            false,
        ),
        (
            "a new group",
            &built_in,
            "iam-create-group",
            json!({"scim": {"id": "g-7", "displayname": "New", "description": "D"}}),
            json!(["id", "description"]),
            true,
        ),
        (
            "members of a group that is there stand elsewhere",
            &built_in,
            "iam-update-group",
            json!({"scim": g1(json!({"displayName": "New", "members": ["u-1"]}))}),
            json!(["members"]),
            true,
        ),
        (
            "a name beside members",
            &built_in,
            "iam-update-group",
            json!({"scim": g1(json!({"displayName": "New"})), "memberIdsToAdd": "u-1"}),
            json!(["displayName"]),
            true,
        ),
        (
            "a deletion",
            &built_in,
            "iam-delete-group",
            json!({"scim": g1(json!({"externalId": "G"}))}),
            json!(["externalId"]),
            true,
        ),
        ("no document", &built_in, "test-module", json!({}), json!([]), false),
    ] {
        let world = World::holding_with(seed(), settings).await;
        let told = world.dry_run(command, &arguments).await.json();
        let told = &told["dryRun"];
        assert_eq!(
            (&told["ignored"], &told["changes"]),
            (&ignored, &json!(changes)),
            "{what}: {told}"
        );
    }
}

#[tokio::test]
async fn a_dry_run_has_just_the_keys_that_the_document_names() {
    let document: Value = serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap();
    for (command, arguments) in examples() {
        let content = &document["paths"][format!("/commands/{command}")]["post"]["responses"]["200"]["content"];
        let referred = |schema: &Value| {
            let place = schema["$ref"].as_str().unwrap().trim_start_matches('#');
            document.pointer(place).unwrap().clone()
        };
        let answer = referred(&content["application/json"]["schema"]);
        let forms = answer["oneOf"].as_array().unwrap().iter().map(referred);
        let schema = forms
            .into_iter()
            .find_map(|form| form["properties"].get("dryRun").cloned());
        let schema = schema.unwrap();
        let world = demonstration().await;
        let told = world.dry_run(command, &arguments).await.json();
        let keys: Vec<_> = told["dryRun"].as_object().unwrap().keys().collect();
        assert_eq!(json!(keys), schema["required"], "{command}");
        let mut named: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let mut keys = keys.clone();
        named.sort();
        keys.sort();
        assert_eq!(named, keys, "{command}");
    }
}
