//! What the audit line of a write says of whom it was done to.

use aws_ilm::sandbox::Seed;
use serde_json::{Value, json};

use super::audit::{line, one_caller};
use crate::{
    expected::{but, crowd, person, profile},
    harness::answer,
    process::Running,
};

#[tokio::test]
async fn the_line_of_a_write_names_the_directorys_id_and_the_key_that_found_it() {
    let (directory, hr, config) = one_caller().await;
    let seed = json!({"users": [
        person("u-1", "test"),
        but(person("u-2", "numbered"), json!({"externalId": "E2"})),
        person("u-3", "before"),
        but(person("u-4", "idle"), json!({"active": false})),
    ]});
    directory.sandbox.load(Seed::from_json(&seed.to_string()).unwrap());
    let (service, address) = Running::serve(&["--config", config.path()], &[("AWS_ILM_LOG_FORMAT", "json")]);
    let none = Value::Null;
    for (id, command, profile, expected) in [
        (
            "by-name",
            "iam-update-user",
            json!({"username": "test", "title": "A"}),
            json!(["u-1", "userName", none]),
        ),
        (
            "by-id",
            "iam-update-user",
            json!({"id": "u-1", "title": "B"}),
            json!(["u-1", "id", none]),
        ),
        (
            "by-number",
            "iam-disable-user",
            json!({"username": "gone", "employeeid": "E2"}),
            json!(["u-2", "employee id", none]),
        ),
        (
            "by-old-name",
            "iam-update-user",
            json!({"username": "after", "olduserdata": {"username": "before"}}),
            json!(["u-3", "old userName", none]),
        ),
        (
            "again",
            "iam-disable-user",
            json!({"username": "idle"}),
            json!(["u-4", "userName", none]),
        ),
        (
            "refused",
            "iam-update-user",
            json!({"username": "numbered", "employeeid": "zq9"}),
            json!(["u-2", "userName", none]),
        ),
        (
            "nobody",
            "iam-disable-user",
            json!({"id": "u-9", "username": "gone", "employeeid": "zq9", "olduserdata": {"username": "went"}}),
            json!([none, none, "id, userName, employee id, old userName"]),
        ),
    ] {
        let request = crate::harness::caller().post(format!("http://{address}/commands/{command}"));
        let request = request.header("x-api-key", &hr).header("x-request-id", id);
        answer(request.json(&json!({"user-profile": profile}))).await;
        let line = line(&service, id).await;
        let told = ["directory_id", "found_by", "looked_by"].map(|name| line[name].clone());
        assert_eq!(json!(told), expected, "{id}: {line}");
    }
    // Who was made has an id, and was found by nothing.
    let request = crate::harness::caller().post(format!("http://{address}/commands/iam-create-user"));
    let request = request.header("x-api-key", &hr).header("x-request-id", "new");
    answer(request.json(&json!({"user-profile": profile("jane")}))).await;
    let line = line(&service, "new").await;
    assert_eq!(
        (&line["directory_id"], line.get("found_by")),
        (&directory.user("jane")["id"], None)
    );
    assert!(!service.stderr.text().contains("zq9"), "a key's value is in the log");
}

#[tokio::test]
async fn the_line_of_a_group_names_the_directorys_id_and_the_key_that_found_it() {
    let (directory, hr, config) = one_caller().await;
    let mut seed = crowd(2, 1);
    seed["groups"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "g-2", "displayName": "zqTaken"}));
    directory.sandbox.load(Seed::from_json(&seed.to_string()).unwrap());
    let (service, address) = Running::serve(&["--config", config.path()], &[("AWS_ILM_LOG_FORMAT", "json")]);
    let none = Value::Null;
    let add = |scim: Value, members: &str| json!({"scim": scim, "memberIdsToAdd": members});
    for (id, command, arguments, expected) in [
        (
            "members-by-id",
            "iam-update-group",
            add(json!({"id": "g-1"}), "m-1"),
            json!(["g-1", "id", none]),
        ),
        (
            "members-by-name",
            "iam-update-group",
            add(json!({"displayName": "zqTaken"}), "m-1"),
            json!(["g-2", "displayName", none]),
        ),
        (
            "a-bad-member",
            "iam-update-group",
            add(json!({"displayName": "zqTaken"}), "m-0, zqMember"),
            json!(["g-2", "displayName", none]),
        ),
        (
            "renamed",
            "iam-update-group",
            json!({"scim": {"id": "g-1", "displayName": "Renamed"}}),
            json!(["g-1", "id", none]),
        ),
        (
            "refused",
            "iam-update-group",
            json!({"scim": {"id": "g-1", "displayName": "zqTaken"}}),
            json!(["g-1", "id", none]),
        ),
        (
            "another-name",
            "iam-delete-group",
            json!({"scim": {"id": "g-1", "displayName": "zqOther"}}),
            json!(["g-1", "id", none]),
        ),
        (
            "not-there",
            "iam-delete-group",
            json!({"scim": {"id": "zqId"}}),
            json!([none, none, "id"]),
        ),
        (
            "members-of-none",
            "iam-update-group",
            add(json!({"id": "zqId"}), "m-0"),
            json!([none, none, "id"]),
        ),
        (
            "no-such-name",
            "iam-update-group",
            add(json!({"displayName": "zqNone"}), "m-0"),
            json!([none, none, "displayName"]),
        ),
        (
            "no-id",
            "iam-delete-group",
            json!({"scim": {"id": "zq/Id"}}),
            json!([none, none, none]),
        ),
        (
            "a-taken-name",
            "iam-create-group",
            json!({"scim": {"displayName": "zqTaken"}}),
            json!([none, none, none]),
        ),
        (
            "deleted",
            "iam-delete-group",
            json!({"scim": {"id": "g-1"}}),
            json!(["g-1", "id", none]),
        ),
    ] {
        let request = crate::harness::caller().post(format!("http://{address}/commands/{command}"));
        let request = request.header("x-api-key", &hr).header("x-request-id", id);
        answer(request.json(&arguments)).await;
        let line = line(&service, id).await;
        let told = ["directory_id", "found_by", "looked_by"].map(|name| line[name].clone());
        assert_eq!(json!(told), expected, "{id}: {line}");
    }
    // What was made has an id, also where a member could not be added.
    for (id, members) in [("made", json!([])), ("made-in-part", json!(["zqMember"]))] {
        let request = crate::harness::caller().post(format!("http://{address}/commands/iam-create-group"));
        let request = request.header("x-api-key", &hr).header("x-request-id", id);
        answer(request.json(&json!({"scim": {"displayName": id, "members": members}}))).await;
        let line = line(&service, id).await;
        let made = directory.group(id)["id"].clone();
        assert!(made.is_string());
        assert_eq!((&line["directory_id"], line.get("found_by")), (&made, None), "{line}");
    }
    assert!(!service.stderr.text().contains("zq"), "a key's value is in the log");
}
