//! `aws-ilm operations`.

use serde_json::{Value, json};

use super::Service;
use crate::harness::{answer, caller};

const LATER: &str = "?notBefore=2034-01-01T00:00:00Z";

/// Stores a command; its operation's id.
async fn accepted(service: &Service, command: &str, query: &str, profile: Value) -> String {
    let url = format!("{}/commands/{command}{query}", service.url());
    let request = caller().post(url).header("prefer", "respond-async");
    let answer = answer(request.json(&json!({"user-profile": profile}))).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn operations_are_listed_shown_and_waited_for() {
    let service = Service::start();
    let done = accepted(
        &service,
        "iam-update-user",
        "",
        json!({"username": "test", "title": "Lead"}),
    )
    .await;
    let failed = accepted(&service, "iam-create-user", "", json!({"username": "new"})).await;
    let waited = service.run(&["operations", "wait", &done, &failed]);
    assert_eq!(waited.code, Some(1), "one was not done: {waited:?}");
    assert!(waited.stdout.contains(&format!("{done} done\n")), "{waited:?}");
    assert!(waited.stdout.contains(&format!("{failed} failed: ")), "{waited:?}");
    let listed = service.run(&["operations", "list", "--state", "done", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let operations: Vec<Value> = listed
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0]["id"], *done);
    let table = service.run(&["operations", "list"]);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{table:?}");
    assert!(
        lines[0].starts_with("ID ") && lines[1].starts_with(&failed),
        "{table:?}"
    );
    let shown = service.run(&["operations", "show", &failed]);
    assert!(
        shown.stdout.contains("ATTEMPT") && shown.stdout.contains("user name new"),
        "{shown:?}"
    );
    let unknown = service.run(&["operations", "show", "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
}

#[tokio::test]
async fn operations_are_retried_and_cancelled_by_their_ids() {
    let service = Service::start();
    let scheduled = accepted(&service, "iam-disable-user", LATER, json!({"username": "test"})).await;
    let cancelled = service.run(&["operations", "cancel", &scheduled]);
    assert_eq!(
        (cancelled.code, cancelled.stdout.as_str()),
        (Some(0), &*format!("{scheduled} cancelled\n"))
    );
    let again = service.run(&["operations", "cancel", &scheduled]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.stderr.contains(&scheduled) && again.stderr.contains("can't be cancelled"),
        "{again:?}"
    );
    let failed = accepted(&service, "iam-create-user", "", json!({"username": "new"})).await;
    assert_eq!(service.run(&["operations", "wait", &failed]).code, Some(1));
    let retried = service.run(&["operations", "retry", &failed]);
    assert_eq!(retried.code, Some(0), "{retried:?}");
}

#[tokio::test]
async fn all_that_match_are_counted_first_and_cancelled_when_told() {
    let service = Service::start();
    for _ in 0..3 {
        accepted(&service, "iam-disable-user", LATER, json!({"username": "test"})).await;
    }
    let other = accepted(
        &service,
        "iam-update-user",
        LATER,
        json!({"username": "test", "title": "x"}),
    )
    .await;
    let nothing = service.run(&["operations", "cancel"]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    let counted = service.run(&["operations", "cancel", "--command", "iam-disable-user"]);
    assert_eq!(counted.code, Some(1), "{counted:?}");
    assert!(
        counted.stderr.contains("3 operations match") && counted.stderr.contains("--yes"),
        "{counted:?}"
    );
    assert!(
        service
            .operations()
            .await
            .iter()
            .all(|operation| operation["state"] == "scheduled")
    );
    let cancelled = service.run(&["operations", "cancel", "--command", "iam-disable-user", "--yes"]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    assert!(cancelled.stdout.starts_with("3 are cancelled"), "{cancelled:?}");
    let left: Vec<_> = service.operations().await;
    let left = left.iter().filter(|operation| operation["state"] == "scheduled");
    assert_eq!(
        left.map(|operation| operation["id"].clone()).collect::<Vec<_>>(),
        [json!(other)]
    );
    let none = service.run(&["operations", "cancel", "--caller", "nobody", "--yes"]);
    assert_eq!(none.code, Some(0), "{none:?}");
    assert!(none.stdout.contains("no operation matches"), "{none:?}");
}
