//! A store as the first release leaves it: `stored/v1/store.sql` is a dump of the file of a service
//! on the sandbox that was sent some commands and stopped. It is never renewed: a later release has
//! to go on with it.

use serde_json::{Value, json};

use super::new_folder;
use crate::{
    harness::{answer, caller},
    process::{Running, run},
};

const DUMP: &str = include_str!("../stored/v1/store.sql");

#[tokio::test]
async fn a_store_of_the_first_release_is_read_and_gone_on_with() {
    let folder = new_folder();
    let file = folder.join("store.db").display().to_string();
    let store = rusqlite::Connection::open(&file).unwrap();
    store.execute_batch(DUMP).unwrap();
    // What was for later is due, and keys are kept.
    let due =
        "UPDATE operation SET not_before = 0 WHERE state = 'scheduled'; UPDATE idempotency SET expires_at = 1 << 45;";
    store.execute_batch(due).unwrap();
    store.close().unwrap();
    let check = run(&["store", "check", &file], &[]);
    assert_eq!(check.code, Some(0), "{check:?}");

    let (_service, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_STORE_PATH", &file)]);
    let url = format!("http://{address}");
    let list = answer(caller().get(format!("{url}/operations"))).await.json();
    let mut told = Vec::new();
    for operation in list["operations"].as_array().unwrap().iter().rev() {
        let id = operation["id"].as_str().unwrap();
        let ended = answer(caller().get(format!("{url}/operations/{id}/wait"))).await.json();
        let text = |name: &str| ended[name].as_str().unwrap_or("-").to_owned();
        told.push([text("command"), text("state"), text("purpose")].join(" "));
    }
    let expected = [
        "iam-update-user done -",
        "iam-disable-user done leave",
        "iam-create-user failed -",
        "iam-disable-user skipped -",
        "iam-delete-group failed -",
        "iam-update-user cancelled -",
        "iam-update-user done year",
        "iam-update-group done -",
    ];
    assert_eq!(told, expected);

    // A request with a key of then is answered as it was then.
    let body =
        json!({"user-profile": {"username": "test", "title": "Lead", "employeeid": "E-1"}, "allow-enable": true});
    let request = caller()
        .post(format!("{url}/commands/iam-update-user"))
        .header("prefer", "respond-async")
        .header("idempotency-key", "golden-1");
    let again = answer(request.json(&body)).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (202, Some("true")),
        "{}",
        again.text
    );
    let first: Value = list["operations"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(again.json()["id"], first["id"]);
    std::fs::remove_dir_all(folder).unwrap();
}
