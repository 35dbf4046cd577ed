//! The breaker: what opens it, what does not, what closes it.

use std::net::SocketAddr;

use aws_ilm::sandbox::{self, Fault, FaultKind, Sandbox};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use super::{about, instance, instance_once};
use crate::harness::{World, caller, service};

/// A service in front of an address on which no directory listens yet.
fn in_front_of(directory: SocketAddr) -> (SocketAddr, oneshot::Sender<()>) {
    let environment = [
        ("AWS_ILM_LISTEN", "127.0.0.1:0".to_owned()),
        ("AWS_ILM_URL", Sandbox::base_url(directory, sandbox::DEFAULT_TENANT)),
        ("AWS_ILM_AUTHENTICATION_TOKEN", sandbox::DEFAULT_TOKEN.to_owned()),
        ("AWS_ILM_COMMAND_TIMEOUT", "300ms".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let (address, stop, _) = service(environment.into());
    (address, stop)
}

#[tokio::test]
async fn an_outage_opens_the_breaker_and_its_end_closes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let directory = listener.local_addr().unwrap();
    drop(listener);
    let (address, _stop) = in_front_of(directory);
    let http = caller();
    let shown = async || {
        let answer = http.get(format!("http://{address}/instances")).send().await.unwrap();
        answer.json::<Value>().await.unwrap()[0].clone()
    };
    let command = async || {
        let request = http.post(format!("http://{address}/commands/test-module"));
        let answer = request.send().await.unwrap();
        let wait = answer.headers().get("retry-after").cloned();
        (
            answer.status().as_u16(),
            wait,
            answer.json::<Value>().await.unwrap()["TestModule"].clone(),
        )
    };
    let opened = async {
        while shown().await["breaker"] != "open" {
            assert_eq!(command().await.0, 503);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), opened)
        .await
        .unwrap();
    let (status, wait, told) = command().await;
    assert_eq!(
        (status, &told["errorCode"], wait.is_some()),
        (503, &json!(503), true),
        "{told}"
    );
    let message = told["errorMessage"].as_str().unwrap();
    assert!(
        message.contains("nothing is sent to it until it answers again"),
        "{message}"
    );
    let instance = shown().await;
    let what = instance["lastError"]["what"].as_str().unwrap();
    assert!(
        instance["status"] == "degraded"
            && what.starts_with(&format!("no connection to the directory at {directory}: ")),
        "{instance}"
    );
    // The directory is back: the probe finds out without a command.
    let listener = TcpListener::bind(directory).await.unwrap();
    tokio::spawn(Sandbox::default().serve(listener, std::future::pending()));
    let closed = async {
        while shown().await["breaker"] != "closed" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), closed)
        .await
        .unwrap();
    let instance = shown().await;
    assert_eq!(instance["status"], "ok", "{instance}");
    assert_eq!(command().await.0, 200);
}

#[tokio::test]
async fn an_open_breaker_sends_nothing_but_probes() {
    let world = World::start().await;
    // The look at the start has been answered: it counts no more.
    instance_once(&world, |instance| instance["status"] == "ok").await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 503 }).on("ListUsers").forever());
    let test = about(&json!({"username": "test"}));
    for _ in 0..2 {
        assert_eq!(world.command("iam-get-user", &test).await.status, 502);
    }
    assert_eq!(instance(&world).await["breaker"], "open");
    world.calls();
    for _ in 0..20 {
        let answer = world.command("iam-get-user", &about(&json!({"id": "u-1"}))).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    assert_eq!(world.calls().get("GetUser"), None);
    world.sandbox.clear_faults();
    instance_once(&world, |instance| instance["breaker"] == "closed").await;
    assert_eq!(world.command("iam-get-user", &test).await.status, 200);
}

#[tokio::test]
async fn throttling_opens_no_breaker() {
    let world = World::start().await;
    let throttle = FaultKind::Throttle { retry_after: None };
    world.sandbox.script(Fault::new(throttle).on("GetUser").times(12));
    // Twelve refusals in a row, each of which is ridden out.
    let commands = (0..12).map(|_| {
        let request = world.http.post(world.url("/commands/iam-get-user"));
        tokio::spawn(request.json(&about(&json!({"id": "nobody"}))).send())
    });
    for command in commands.collect::<Vec<_>>() {
        assert_eq!(command.await.unwrap().unwrap().status(), 404);
    }
    world.assert_calls(&[("GetUser", 24)]);
    let shown = instance(&world).await;
    assert_eq!((&shown["breaker"], shown.get("lastError")), (&json!("closed"), None));
}
