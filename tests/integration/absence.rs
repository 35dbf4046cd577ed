//! A user is absent only if a verified directory says so: a wrong URL must not report every leaver
//! as gone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::{
    expected::{every_command, person, profile, result},
    harness::World,
    raw_directory::{self, RawDirectory, service_provider_config},
};

#[tokio::test]
async fn a_wrong_url_never_reports_anybody_absent() {
    let real = World::holding(json!({"users": [person("u-1", "test")]})).await;
    // Paths that are none, answered with a 404 in SCIM's own shape.
    for wrong in [
        "other/sandbox-tenant/scim/v2/",
        "sandbox-tenant/scim/v3/sandbox-tenant/scim/v2/",
    ] {
        let url = format!("http://{}/{wrong}", real.directory);
        let world = World::holding_with(
            json!({}),
            &[
                ("AWS_ILM_URL", &url),
                ("AWS_ILM_TENANT_ID", ""),
                ("AWS_ILM_SCIM_DIALECT", "rfc7644"),
            ],
        )
        .await;
        for (command, arguments) in every_command() {
            let answer = world.command(command, &arguments).await;
            let result = result(&answer);
            assert_eq!(
                (answer.status, &result["errorCode"], &result["success"]),
                (502, &json!(404), &json!(false)),
                "{command}: {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn an_html_404_is_a_wrong_url_even_behind_a_proven_directory() {
    let world =
        World::holding(json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A"}]})).await;
    assert_eq!(
        world
            .command("iam-get-user", &json!({"user-profile": {"username": "nobody"}}))
            .await
            .status,
        404
    );
    let html = FaultKind::Raw {
        status: 404,
        content_type: "text/html".into(),
        body: "<h1>404</h1>".into(),
    };
    for (command, mut arguments) in every_command() {
        if command == "iam-disable-user" {
            arguments["user-profile"]["id"] = json!("u-1");
        }
        for api in [
            "ListUsers",
            "GetUser",
            "CreateUser",
            "PatchGroup",
            "GetGroup",
            "CreateGroup",
            "DeleteGroup",
        ] {
            world.sandbox.script(Fault::new(html.clone()).on(api).forever());
        }
        let answer = world.command(command, &arguments).await;
        assert_eq!(
            (answer.status, &result(&answer)["errorCode"]),
            (502, &json!(404)),
            "{command}: {}",
            answer.text
        );
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn absence_is_believed_only_once_the_directory_has_proven_to_be_one() {
    let proves = Arc::new(AtomicBool::new(false));
    let proven = Arc::clone(&proves);
    let directory = RawDirectory::start(move |line| {
        let is_probe = line.contains("ServiceProviderConfig");
        match (is_probe, proven.load(Ordering::Relaxed)) {
            (true, true) => service_provider_config(),
            (true, false) => raw_directory::json(&json!({"hello": "world"})),
            // What a stub, a proxy or a honeypot says to everything.
            (false, _) => raw_directory::json(&json!({"totalResults": 0, "Resources": []})),
        }
    })
    .await;
    let world = World::holding_with(json!({}), &[("AWS_ILM_URL", &directory.url())]).await;
    let about = json!({"user-profile": profile("test")});
    for command in ["iam-get-user", "iam-disable-user", "iam-update-user"] {
        let answer = world.command(command, &about).await;
        assert_eq!(
            (answer.status, answer.vendor()["errorCode"].as_u64()),
            (502, Some(404)),
            "{command}: {}",
            answer.text
        );
        assert_eq!(
            (&answer.vendor()["skipped"], &answer.vendor()["success"]),
            (&json!(false), &json!(false))
        );
    }
    assert!(
        directory.heads().iter().all(|head| head.starts_with("GET ")),
        "nothing is written"
    );
    proves.store(true, Ordering::Relaxed);
    let answer = world.command("iam-disable-user", &about).await;
    assert_eq!(
        (answer.status, &answer.vendor()["reason"]),
        (200, &json!("User does not exist"))
    );
    world.command("iam-disable-user", &about).await;
    let probes = |heads: Vec<String>| {
        heads
            .iter()
            .filter(|head| head.contains("ServiceProviderConfig"))
            .count()
    };
    let before = probes(directory.heads());
    world.command("iam-disable-user", &about).await;
    assert_eq!(probes(directory.heads()), before, "one proof will do");
}
