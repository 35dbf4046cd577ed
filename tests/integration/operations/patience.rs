//! How long a caller waits for its operation.

use std::time::Duration;

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::json;

use super::{Stored, person};

/// A disable whose caller's time ends while it is still looked whom it means, and that then waits
/// for its turn: its caller is told, and does not wait with it.
#[tokio::test]
async fn a_caller_does_not_wait_for_a_turn_that_is_far() {
    let settings = [
        ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
        ("AWS_ILM_COMMAND_TIMEOUT", "300ms"),
    ];
    let stored = Stored::holding(json!([person("kim", true)]), &settings).await;
    let down = Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever();
    stored.world.sandbox.script(down);
    let update = json!({"user-profile": {"username": "kim", "title": "First"}, "allow-enable": false});
    let older = stored.accepted("iam-update-user", &update).await;
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    let slow = FaultKind::Slow {
        milliseconds: 600,
        work_late: false,
    };
    stored.world.sandbox.script(Fault::new(slow).on("ListUsers").forever());
    let disable = json!({"user-profile": {"username": "kim"}});
    let told = stored.world.command("iam-disable-user", &disable);
    let told = tokio::time::timeout(Duration::from_secs(20), told)
        .await
        .expect("an answer");
    assert_eq!(told.status, 409, "{}", told.text);
    assert_eq!(told.json()["type"], "/problems/behind-operation");
    assert!(
        told.json()["detail"].as_str().unwrap().contains("stays"),
        "{}",
        told.text
    );
}
