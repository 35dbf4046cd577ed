//! Waits that are asked for, and the rates that are kept.

use aws_ilm::sandbox::{self, Fault, FaultKind, Seed};
use serde_json::json;

use super::{about, instance, instance_once, rate};
use crate::{
    expected::{person, result},
    harness::{Setup, World, until},
};

#[tokio::test]
async fn a_wait_that_is_asked_for_is_waited_and_the_pace_lowered() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    world.sandbox.script(
        Fault::new(FaultKind::Throttle {
            retry_after: Some("1".to_owned()),
        })
        .on("ListUsers"),
    );
    let began = std::time::Instant::now();
    let command = tokio::spawn(
        world
            .http
            .post(world.url("/commands/iam-get-user"))
            .json(&about(&json!({"username": "test"})))
            .send(),
    );
    until(|| world.sandbox.calls().get("ListUsers") == Some(&1)).await;
    let answer = command.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    // Never sooner; how much later is the machine's affair.
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
    world.assert_calls(&[("ListUsers", 2)]);
    let shown = instance(&world).await;
    let listing = rate(&shown, "ListUsers");
    assert!(listing["perSecond"].as_f64() < listing["ceiling"].as_f64(), "{listing}");
    let others = rate(&shown, "PatchUser");
    assert_eq!(others["perSecond"], others["ceiling"], "an API's pace is its own");
    // Being throttled is no failure.
    assert_eq!((&shown["status"], shown.get("lastError")), (&json!("ok"), None));
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_command_may_last_is_told_and_nothing_more_is_sent() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_COMMAND_TIMEOUT", "1s")]).await;
    world.sandbox.script(
        Fault::new(FaultKind::Throttle {
            retry_after: Some("20".to_owned()),
        })
        .on("ListUsers"),
    );
    let test = about(&json!({"username": "test"}));
    let first = world.command("iam-get-user", &test).await;
    assert_eq!(
        (first.status, &result(&first)["errorCode"], first.header("retry-after")),
        (503, &json!(429), Some("20"))
    );
    world.assert_calls(&[("ListUsers", 1)]);
    // Nothing stands in the way any more, but the wait: the next one is refused without a call, and
    // told how long.
    let next = world.command("iam-get-user", &test).await;
    assert_eq!(
        (next.status, &result(&next)["errorCode"]),
        (503, &json!(503)),
        "{}",
        next.text
    );
    let wait: u64 = next.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    world.assert_calls(&[]);
    // Other APIs are free.
    let by_id = world.command("iam-get-user", &about(&json!({"id": "u-1"}))).await;
    assert_eq!(by_id.status, 200);
}

#[tokio::test]
async fn what_waits_for_its_turn_is_shown_and_what_cant_have_one_in_time_is_refused() {
    let seed = Seed::from_json(&json!({"users": [person("u-1", "test")]}).to_string()).unwrap();
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_READ_RATE", "0.5".to_owned()),
            ("AWS_ILM_COMMAND_TIMEOUT", "5s".to_owned()),
        ],
        sandbox: sandbox::Options {
            seed,
            ..sandbox::Options::default()
        },
        clock: None,
    })
    .await;
    let send = || {
        let request = world.http.post(world.url("/commands/iam-get-user"));
        tokio::spawn(request.json(&about(&json!({"username": "test"}))).send())
    };
    // One goes, two wait two seconds each, and for a fourth there is no time.
    let mut commands = vec![send()];
    until(|| world.sandbox.calls().contains_key("ListUsers")).await;
    for waiting in 1..=2 {
        commands.push(send());
        instance_once(&world, |instance| rate(instance, "ListUsers")["waiting"] == waiting).await;
    }
    let refused = world
        .command("iam-get-user", &about(&json!({"username": "test"})))
        .await;
    assert_eq!(
        (refused.status, &result(&refused)["errorCode"]),
        (503, &json!(503)),
        "{}",
        refused.text
    );
    assert!(refused.header("retry-after").is_some());
    for command in commands {
        assert_eq!(command.await.unwrap().unwrap().status(), 200);
    }
    world.assert_calls(&[("ListUsers", 3)]);
    assert_eq!(rate(&instance(&world).await, "ListUsers")["waiting"], 0);
}

#[tokio::test]
async fn replicas_share_the_rates() {
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_READ_RATE", String::new()),
            ("AWS_ILM_WRITE_RATE", String::new()),
            ("AWS_ILM_MEMBERSHIP_RATE", String::new()),
            ("AWS_ILM_API_RATES", "PatchUser=10".to_owned()),
            ("AWS_ILM_EXPECTED_REPLICAS", "2".to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let shown = instance(&world).await;
    for (api, expected) in [
        ("ListUsers", 20.0),
        ("CreateUser", 12.5),
        ("PatchUser", 5.0),
        ("memberships", 125.0),
    ] {
        let rate = rate(&shown, api);
        assert_eq!(
            (&rate["perSecond"], &rate["ceiling"]),
            (&json!(expected), &json!(expected)),
            "{api}"
        );
    }
}
