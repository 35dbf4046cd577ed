//! A dry run reads and does not write, and tells what the real run then does.

mod ignored;

use serde_json::{Value, json};

use crate::{
    expected::{ENTERPRISE, but, crowd, ids, person, profile},
    harness::World,
};

/// An answer without what only the real run can have: made ids, times, request ids, headers.
fn comparable(envelope: &Value, created: bool) -> Value {
    let mut envelope = envelope.clone();
    let key = envelope.as_object().unwrap().keys().next().unwrap().clone();
    let result = if key == "IAM" {
        &mut envelope["IAM"]["Vendor"]
    } else {
        &mut envelope[&key]
    };
    if key == "UpdateGroup" || key == "DeleteGroup" {
        if result["success"] == true {
            assert!(result["details"].is_object());
            result["details"] = json!("headers");
        }
        return envelope;
    }
    if let Some(details) = result["details"].as_object_mut() {
        details.remove("meta");
        if created {
            details.remove("id");
            result["id"] = Value::Null;
        }
    }
    let message = result["errorMessage"]
        .as_str()
        .map(crate::expected::without_request_ids);
    if let Some(message) = message {
        result["errorMessage"] = message.into();
    }
    envelope
}

fn seed() -> Value {
    let mut seed = crowd(3, 2);
    seed["users"].as_array_mut().unwrap().extend([
        but(
            person("u-1", "test"),
            json!({
                "name": {"givenName": "Test", "familyName": "User", "formatted": "T U"}, "title": "Clerk",
                "phoneNumbers": [{"value": "1", "type": "mobile"}], ENTERPRISE: {"department": "C", "division": "V"},
            }),
        ),
        but(person("u-2", "idle"), json!({"active": false})),
    ]);
    seed
}

/// Looks at a command in one world, runs it in that world, and holds the two against each other.
async fn rehearse(what: &str, environment: &[(&'static str, &str)], command: &str, arguments: &Value) {
    let world = World::holding_with(seed(), environment).await;
    let before = world.sandbox.dump();
    let rehearsed = world.dry_run(command, arguments).await;
    assert_eq!(world.sandbox.dump(), before, "{what}: nothing changes");
    let looked = world.calls();
    assert!(
        looked
            .keys()
            .all(|api| api.starts_with("Get") || api.starts_with("List")),
        "{what}: only reads, not {looked:?}"
    );

    let real = world.command(command, arguments).await;
    assert_eq!(
        rehearsed.status, real.status,
        "{what}: {} {}",
        rehearsed.text, real.text
    );
    let document = rehearsed.json();
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["dryRun"]);
    let told = document["dryRun"].as_object().unwrap();
    assert_eq!(
        told.keys().collect::<Vec<_>>(),
        ["requests", "envelope", "ignored", "changes"]
    );
    let sent: Vec<Value> = world
        .writes()
        .into_iter()
        .map(|(method, path, body)| json!({"method": method, "path": path, "body": body}))
        .collect();
    assert_eq!(
        told["requests"].to_string(),
        Value::from(sent.clone()).to_string(),
        "{what}"
    );
    assert_eq!(told["changes"], !sent.is_empty(), "{what}");
    let created = sent.iter().any(|request| request["method"] == "POST");
    if told["envelope"].get("TestModule").is_none() && told["envelope"].get("User Profile").is_none() {
        assert_eq!(
            comparable(&told["envelope"], created),
            comparable(&real.json(), created),
            "{what}"
        );
    } else {
        assert_eq!(told["envelope"], real.json(), "{what}");
    }
}

#[tokio::test]
async fn user_commands_rehearsed_are_what_they_then_do() {
    let about = |profile: Value| json!({"user-profile": profile});
    let full = json!({
        "username": "test", "surname": "Else", "email": "new@x", "mobilephone": "2", "department": "D", "title": "Boss",
    });
    for (what, command, arguments) in [
        ("get", "iam-get-user", about(profile("test"))),
        ("get nobody", "iam-get-user", about(profile("nobody"))),
        (
            "create",
            "iam-create-user",
            about(but(profile("jane"), json!({"department": "D", "mobilephone": "7"}))),
        ),
        (
            "create inactive",
            "iam-create-user",
            json!({"user-profile": profile("jane"), "allow-enable": false}),
        ),
        ("create somebody there", "iam-create-user", about(full.clone())),
        (
            "create somebody unchanged",
            "iam-create-user",
            about(json!({"username": "test"})),
        ),
        (
            "create by unknown id",
            "iam-create-user",
            about(but(profile("jane"), json!({"id": "u-9"}))),
        ),
        (
            "create with too little",
            "iam-create-user",
            about(json!({"username": "jane"})),
        ),
        ("create without a key", "iam-create-user", about(json!({}))),
        ("update", "iam-update-user", about(full)),
        (
            "begin an extension",
            "iam-update-user",
            about(json!({"username": "idle", "department": "D"})),
        ),
        (
            "update of nothing",
            "iam-update-user",
            about(json!({"username": "test"})),
        ),
        (
            "clear",
            "iam-update-user",
            json!({"user-profile": {"username": "test", "surname": "Else"}, "clear": "title, Mobile Phone, department, division"}),
        ),
        ("update of nobody", "iam-update-user", about(profile("jane"))),
        (
            "rename and enable",
            "iam-update-user",
            about(json!({"username": "busy", "olduserdata": {"username": "idle"}})),
        ),
        ("disable", "iam-disable-user", about(profile("test"))),
        ("disable again", "iam-disable-user", about(profile("idle"))),
        ("disable nobody", "iam-disable-user", about(profile("nobody"))),
    ] {
        rehearse(what, &[], command, &arguments).await;
    }
    for (variable, command, name) in [
        ("AWS_ILM_CREATE_USER_ENABLED", "iam-create-user", "jane"),
        ("AWS_ILM_CREATE_USER_ENABLED", "iam-update-user", "jane"),
        ("AWS_ILM_UPDATE_USER_ENABLED", "iam-update-user", "test"),
        ("AWS_ILM_ENABLE_USER_ENABLED", "iam-update-user", "idle"),
        ("AWS_ILM_DISABLE_USER_ENABLED", "iam-disable-user", "test"),
        ("AWS_ILM_CREATE_IF_NOT_EXISTS", "iam-update-user", "jane"),
    ] {
        rehearse(variable, &[(variable, "false")], command, &about(profile(name))).await;
    }
}

#[tokio::test]
async fn group_and_instance_commands_rehearsed_are_what_they_then_do() {
    let g1 = || json!({"id": "g-1"});
    for (what, command, arguments) in [
        ("get", "iam-get-group", json!({"scim": g1()})),
        (
            "get nothing",
            "iam-get-group",
            json!({"scim": {"displayName": "No such group"}}),
        ),
        (
            "create",
            "iam-create-group",
            json!({"scim": {"displayName": "New", "externalId": "G7"}}),
        ),
        (
            "members by the group's name",
            "iam-update-group",
            json!({"scim": {"displayName": "The best group"}, "memberIdsToAdd": ["u-1"]}),
        ),
        (
            "delete by id and name",
            "iam-delete-group",
            json!({"scim": {"id": "g-1", "displayName": "The best group"}}),
        ),
        ("create nothing", "iam-create-group", json!({"scim": {}})),
        (
            "rename",
            "iam-update-group",
            json!({"scim": {"id": "g-1", "displayName": "New"}}),
        ),
        (
            "members",
            "iam-update-group",
            json!({"scim": g1(), "memberIdsToAdd": ["u-1", "u-2"], "memberIdsToDelete": "m-0"}),
        ),
        ("change nothing", "iam-update-group", json!({"scim": g1()})),
        (
            "change what is not there",
            "iam-update-group",
            json!({"scim": {"id": "g-9", "displayName": "New"}}),
        ),
        ("delete", "iam-delete-group", json!({"scim": g1()})),
        (
            "delete what is not there",
            "iam-delete-group",
            json!({"scim": {"id": "g-9"}}),
        ),
        ("test", "test-module", json!({})),
        ("fields", "get-mapping-fields", json!({})),
    ] {
        rehearse(what, &[], command, &arguments).await;
    }
}

#[tokio::test]
async fn many_members_are_rehearsed_in_the_same_chunks() {
    let world = World::holding(crowd(250, 0)).await;
    let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids(0..250)});
    let rehearsed = world.dry_run("iam-update-group", &arguments).await.json();
    world.assert_calls(&[("GetGroup", 1)]);
    assert_eq!(world.command("iam-update-group", &arguments).await.status, 200);
    let sent: Vec<_> = world.writes().into_iter().map(|(_, _, body)| body.unwrap()).collect();
    let told: Vec<_> = rehearsed["dryRun"]["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["body"].clone())
        .collect();
    assert_eq!((told.len(), told), (3, sent));
}

/// Only the directory could give the new group its id: the requests that need one have a word in
/// its place.
#[tokio::test]
async fn members_of_a_new_group_are_rehearsed_after_it() {
    let world = World::holding(crowd(1, 0)).await;
    let before = world.sandbox.dump();
    let arguments = json!({"scim": {"displayName": "New", "members": ["m-0"]}});
    let rehearsed = world.dry_run("iam-create-group", &arguments).await.json();
    let requests = rehearsed["dryRun"]["requests"].as_array().unwrap();
    let [creation, addition] = &requests[..] else {
        panic!("{rehearsed}")
    };
    assert_eq!(
        (&creation["method"], &addition["method"]),
        (&json!("POST"), &json!("PATCH"))
    );
    assert!(
        addition["path"]
            .as_str()
            .unwrap()
            .ends_with("Groups/id-of-the-new-group"),
        "{addition}"
    );
    assert_eq!(
        addition["body"]["Operations"],
        json!([{"op": "add", "path": "members", "value": [{"value": "m-0"}]}])
    );
    let result = &rehearsed["dryRun"]["envelope"]["CreateGroup"];
    assert_eq!((&result["success"], &result["id"]), (&json!(true), &Value::Null));
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn members_against_a_missing_group_and_a_taken_group_name_fail_as_they_would() {
    let world = World::holding(crowd(1, 0)).await;
    let before = world.sandbox.dump();
    let arguments = json!({"scim": {"id": "g-9"}, "memberIdsToAdd": ["m-0"]});
    let answer = world.dry_run("iam-update-group", &arguments).await;
    let result = &answer.json()["dryRun"]["envelope"]["UpdateGroup"];
    assert_eq!((answer.status, &result["errorCode"]), (404, &json!(404)));
    let answer = world
        .dry_run("iam-create-group", &json!({"scim": {"displayName": "The best group"}}))
        .await;
    let result = &answer.json()["dryRun"]["envelope"]["CreateGroup"];
    assert_eq!((answer.status, &result["errorCode"]), (409, &json!(409)));
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn its_markdown_names_the_requests_before_the_table() {
    let world = World::holding(seed()).await;
    let request = world
        .http
        .post(world.url("/commands/iam-disable-user?dryRun=true"))
        .header("accept", "text/markdown");
    let answer = crate::harness::answer(request.json(&json!({"user-profile": {"username": "test"}}))).await;
    assert!(
        answer
            .text
            .starts_with("### Dry run\n- PATCH /Users/u-1\n\n### Disable User Results (AWS-ILM)\n|brand|"),
        "{}",
        answer.text
    );
    assert_eq!(world.user("u-1")["active"], true);
}
