//! How long leavers kept access: each is counted once, however its disable went.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    harness::{Setup, World},
    operations::{Stored, person},
};

const COUNT: &str = "aws_ilm_leaver_seconds_count";

/// An instance's name is its series: the tests of a process share what is counted.
fn named(name: &'static str) -> [(&'static str, &'static str); 3] {
    [
        ("AWS_ILM_INSTANCE_NAME", name),
        ("AWS_ILM_RETRY_SCHEDULE", "10m, 10m"),
        ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "20ms, 20ms, 20ms, 20ms, 20ms, 20ms"),
    ]
}

fn kim() -> Value {
    json!({"user-profile": {"username": "kim"}})
}

async fn leavers(world: &World, instance: &str) -> f64 {
    let labels = [("instance", instance), ("source", "command")];
    world.scrape().await.sum(COUNT, &labels)
}

#[tokio::test]
async fn without_a_store_a_disable_counts_and_nothing_else_does() {
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_INSTANCE_NAME", "leaver without store".to_owned()),
            ("AWS_ILM_STORE_PATH", String::new()),
        ],
        ..Setup::default()
    })
    .await;
    let instance = "leaver without store";
    let test = json!({"user-profile": {"username": "test"}});
    assert_eq!(world.dry_run("iam-disable-user", &test).await.status, 200);
    assert_eq!(world.command("iam-get-user", &test).await.status, 200);
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 400 }).on("PatchUser"));
    assert_eq!(world.command("iam-disable-user", &test).await.status, 400);
    assert_eq!(leavers(&world, instance).await, 0.0);
    assert_eq!(world.command("iam-disable-user", &test).await.status, 200);
    assert_eq!(leavers(&world, instance).await, 1.0);
    // Disabled already, by the directory's word: this leaver has no access either.
    assert_eq!(world.command("iam-disable-user", &test).await.status, 200);
    assert_eq!(leavers(&world, instance).await, 2.0);
    let scrape = world.scrape().await;
    let commands = |outcome| {
        let labels = [
            ("command", "iam-disable-user"),
            ("instance", instance),
            ("outcome", outcome),
        ];
        scrape.sum("aws_ilm_commands_total", &labels)
    };
    assert_eq!(commands("done") + commands("skipped"), 2.0);
    assert_eq!((commands("failed"), commands("dry_run")), (1.0, 1.0));
}

#[tokio::test]
async fn a_stored_disable_counts_once_and_from_its_acceptance_whatever_its_tries() {
    let instance = "leaver with store";
    let stored = Stored::holding(json!([person("kim", true)]), &named(instance)).await;
    stored
        .world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").times(6));
    let operation = stored.accepted("iam-disable-user", &kim()).await;
    assert_eq!(stored.ended(&operation).await["state"], "done");
    assert_eq!(leavers(&stored.world, instance).await, 1.0);
    let scrape = stored.world.scrape().await;
    let of = |name, label| scrape.sum(name, &[("instance", instance), label]);
    assert_eq!(of("aws_ilm_operations_accepted_total", ("source", "command")), 1.0);
    assert_eq!(of("aws_ilm_operations_finished_total", ("state", "done")), 1.0);
    assert_eq!(of("aws_ilm_operations_attempts_total", ("end", "ended")), 1.0);
    assert!(of("aws_ilm_operations_attempts_total", ("end", "again")) >= 1.0);
    assert!(of("aws_ilm_scim_retries_total", ("api", "PatchUser")) >= 1.0);
    assert!(of("aws_ilm_scim_requests_total", ("status", "503")) >= 2.0);
    assert!(
        of("aws_ilm_leaver_seconds_sum", ("source", "command")) > 0.02,
        "it has waited for its second try"
    );
}

#[tokio::test]
async fn a_disable_that_overtakes_counts_once_though_it_runs_twice() {
    let instance = "leaver that overtakes";
    let stored = Stored::holding(json!([person("kim", true)]), &named(instance)).await;
    stored
        .world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 503 }).on("PatchUser").forever());
    let update = json!({"user-profile": {"username": "kim", "title": "Older"}});
    let older = stored.accepted("iam-update-user", &update).await;
    while stored.operation(&older).await["dueAt"].is_null() {
        tokio::task::yield_now().await;
    }
    stored.world.sandbox.clear_faults();
    let disable = stored.accepted("iam-disable-user", &kim()).await;
    while stored.world.user("kim")["active"] == true {
        tokio::task::yield_now().await;
    }
    let retried = stored
        .world
        .post(&format!("/operations/{older}/retry"), &json!({}))
        .await;
    assert_eq!(retried.status, 200, "{}", retried.text);
    stored.ended(&older).await;
    let ended = stored.ended(&disable).await;
    assert_eq!(ended["attempts"].as_array().unwrap().len(), 2, "{ended}");
    assert_eq!(leavers(&stored.world, instance).await, 1.0);
}
