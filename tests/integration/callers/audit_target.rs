//! What the audit line of a write says of whom it was done to.

use aws_ilm::sandbox::Seed;
use serde_json::{Value, json};

use super::audit::{line, one_caller};
use crate::{
    expected::{but, person, profile},
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
