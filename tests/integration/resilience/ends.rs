//! What ends early: callers, the service, a command's time, the room for commands.

use std::collections::BTreeMap;

use aws_ilm::sandbox::{Fault, FaultKind, Options, Sandbox, Seed};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    expected::{but, crowd, ids, person, profile, result},
    harness::{World, caller, service, until},
};

/// Hostile input 81, a caller who hangs up: the command ends anyway.
#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_a_command_between_two_writes() {
    let world = World::holding(crowd(150, 0)).await;
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 200,
            work_late: true,
        })
        .on("PatchGroup"),
    );
    let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids(0..150)});
    let request = world
        .http
        .post(world.url("/commands/iam-update-group"))
        .json(&arguments);
    let call = tokio::spawn(request.send());
    until(|| world.sandbox.calls().contains_key("PatchGroup")).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    until(|| world.group("g-1")["members"].as_array().unwrap().len() == 150).await;
    world.assert_calls(&[("PatchGroup", 2)]);
}

#[tokio::test]
async fn shutdown_waits_for_commands_even_for_those_whose_callers_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let directory = listener.local_addr().unwrap();
    let seed = Seed::from_json(&crowd(150, 0).to_string()).unwrap();
    let sandbox = Sandbox::new(Options {
        seed,
        ..Options::default()
    });
    tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));
    let environment: BTreeMap<String, String> = [
        ("AWS_ILM_LISTEN", "127.0.0.1:0".to_owned()),
        ("AWS_ILM_URL", Sandbox::base_url(directory, sandbox.tenant_id())),
        ("AWS_ILM_AUTHENTICATION_TOKEN", sandbox.tokens().remove(0)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let (address, stop, served) = service(environment);
    sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 300,
            work_late: true,
        })
        .on("PatchGroup"),
    );
    let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids(0..150)});
    let url = format!("http://{address}/commands/iam-update-group");
    let call = tokio::spawn(caller().post(url).json(&arguments).send());
    until(|| sandbox.calls().contains_key("PatchGroup")).await;
    call.abort();
    drop(stop);
    served.await.unwrap().unwrap();
    // The service has ended, and both writes are done.
    assert_eq!(sandbox.dump()["groups"][0]["members"].as_array().unwrap().len(), 150);
}

#[tokio::test]
async fn at_the_deadline_no_new_write_starts_and_the_answer_says_what_was_done() {
    let world = World::holding_with(crowd(150, 0), &[("AWS_ILM_COMMAND_TIMEOUT", "500ms")]).await;
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 800,
            work_late: true,
        })
        .on("PatchGroup"),
    );
    let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids(0..150)});
    let answer = world.command("iam-update-group", &arguments).await;
    let result = result(&answer);
    assert_eq!((answer.status, &result["errorCode"]), (504, &json!(504)));
    let message = result["errorMessage"].as_str().unwrap();
    assert!(message.contains("changed before: PATCH /Groups/g-1"), "{message}");
    let fates: Vec<_> = result["details"]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["result"].clone())
        .collect();
    assert_eq!(
        (&fates[..100], &fates[100..]),
        (&vec![json!("done"); 100][..], &vec![json!("not tried"); 50][..])
    );
    // The one in flight was awaited.
    assert_eq!(
        world.group("g-1")["members"],
        ids(0..100)
            .into_iter()
            .map(|id| json!({"value": id}))
            .collect::<Value>()
    );
    world.assert_calls(&[("PatchGroup", 1)]);
}

#[tokio::test]
async fn at_the_deadline_before_any_write_nothing_was_changed() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_COMMAND_TIMEOUT", "500ms")]).await;
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 700,
            work_late: false,
        })
        .on("ListUsers"),
    );
    let answer = world
        .command(
            "iam-update-user",
            &json!({"user-profile": but(profile("test"), json!({"title": "x"}))}),
        )
        .await;
    let message = result(&answer)["errorMessage"].as_str().unwrap().to_owned();
    assert!(
        answer.status == 504 && message.ends_with("changed before: nothing"),
        "{}",
        answer.text
    );
    world.assert_calls(&[("ListUsers", 1)]);
}

#[tokio::test]
async fn a_command_beyond_the_limit_of_running_ones_is_busy() {
    let world = World::holding_with(
        json!({"users": [person("u-1", "test")]}),
        &[
            ("AWS_ILM_MAX_CONCURRENT_COMMANDS", "1"),
            ("AWS_ILM_MAX_INSTANCE_COMMANDS", "1"),
        ],
    )
    .await;
    let slow = FaultKind::Slow {
        milliseconds: 1_000,
        work_late: false,
    };
    world.sandbox.script(Fault::new(slow).forever());
    let body = json!({"user-profile": profile("test")});
    let running = world.command("iam-get-user", &body);
    let beyond = async {
        until(|| world.calls().values().sum::<u64>() > 0).await;
        world.command("iam-get-user", &body).await
    };
    let (running, beyond) = tokio::join!(running, beyond);
    assert_eq!(running.status, 200, "{}", running.text);
    assert_eq!((beyond.status, beyond.header("retry-after")), (503, Some("1")));
    assert_eq!(beyond.json()["type"], "/problems/busy");
    assert_eq!(world.get("/health/live").await.status, 200);
}
