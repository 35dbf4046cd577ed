//! What a directory that is slow, away, busy or refusing makes of every command: the status that
//! tells the caller what to do.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    expected::{every_command, person, result},
    harness::{Answer, World},
};

const SLOW: FaultKind = FaultKind::Slow {
    milliseconds: 60_000,
    work_late: true,
};

fn seed() -> Value {
    json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A"}]})
}

const APIS: [&str; 9] = [
    "ListUsers",
    "GetUser",
    "CreateUser",
    "PatchUser",
    "ListGroups",
    "GetGroup",
    "CreateGroup",
    "PatchGroup",
    "DeleteGroup",
];

/// Sends every command, each to a directory of its own that has this fault in every API, all at
/// once: what is sent again takes its time. Gives each command's name, answer, world, and what the
/// directory held before.
async fn every_command_against(
    fault: FaultKind,
    environment: &'static [(&'static str, &'static str)],
) -> Vec<(&'static str, Answer, World, Value)> {
    let mut running = Vec::new();
    for (command, arguments) in every_command() {
        let fault = fault.clone();
        running.push(tokio::spawn(async move {
            let world = World::holding_with(seed(), environment).await;
            for api in APIS {
                world.sandbox.script(Fault::new(fault.clone()).on(api).forever());
            }
            let before = world.sandbox.dump();
            let answer = world.command(command, &arguments).await;
            (command, answer, world, before)
        }));
    }
    let mut answers = Vec::new();
    for running in running {
        answers.push(running.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn a_directory_too_slow_is_a_504_for_every_command() {
    for (command, answer, ..) in every_command_against(SLOW, &[("AWS_ILM_REQUEST_TIMEOUT", "200ms")]).await {
        let result = result(&answer);
        assert_eq!(
            (answer.status, &result["errorCode"], &result["success"]),
            (504, &json!(504), &json!(false)),
            "{command}: {}",
            answer.text
        );
        assert!(
            result["errorMessage"]
                .as_str()
                .unwrap()
                .contains("did not answer within 200 ms"),
            "{}",
            answer.text
        );
        assert_eq!(answer.header("retry-after"), None);
    }
}

#[tokio::test]
async fn a_dead_port_is_a_503_with_a_wait_for_every_command() {
    // Bound and dropped: no service listens there.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{dead}/sandbox-tenant/scim/v2/");
    let environment = [("AWS_ILM_URL", url.as_str()), ("AWS_ILM_COMMAND_TIMEOUT", "300ms")];
    let world = World::holding_with(json!({}), &environment).await;
    // After ten failures in a row it is not even tried any more: the same to the caller, but at
    // once.
    for (command, arguments) in every_command() {
        let answer = world.command(command, &arguments).await;
        assert_eq!(
            (answer.status, &result(&answer)["errorCode"]),
            (503, &json!(503)),
            "{command}: {}",
            answer.text
        );
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=300).contains(&wait));
    }
    assert_eq!(world.command("get-mapping-fields", &json!({})).await.status, 200);
    // It is nothing that restarting the service would mend.
    assert_eq!(world.get("/health/ready").await.status, 200);
}

/// Hostile input 89, waits of years, of nothing, of the past: kept in bounds.
#[tokio::test]
async fn a_throttled_directory_is_a_503_and_what_it_says_of_waiting_is_kept_in_bounds() {
    for (asked, told) in [
        (None, 5),
        (Some("7"), 7),
        (Some("0"), 1),
        (Some("999999999"), 300),
        (Some("99999999999999999999999"), 5),
        (Some("-1"), 5),
        (Some("abc"), 5),
        (Some("1.5"), 5),
        (Some("Fri, 31 Dec 1999 23:59:59 GMT"), 5),
        (Some("Fri, 31 Dec 2100 23:59:59 GMT"), 300),
    ] {
        let throttle = FaultKind::Throttle {
            retry_after: asked.map(str::to_owned),
        };
        // What asks for a short wait is sent again until the command's time is over; a longer one
        // is the caller's to wait.
        for (command, answer, world, before) in
            every_command_against(throttle, &[("AWS_ILM_COMMAND_TIMEOUT", "300ms")]).await
        {
            assert_eq!(
                (answer.status, &result(&answer)["errorCode"]),
                (503, &json!(429)),
                "{command} {asked:?}: {}",
                answer.text
            );
            assert_eq!(answer.header("retry-after"), Some(&*told.to_string()), "{asked:?}");
            let calls: u64 = world.calls().values().sum();
            assert!(
                if told > 5 {
                    calls == 1
                } else {
                    (1..=10).contains(&calls)
                },
                "{calls} calls for {asked:?}"
            );
            assert_eq!(world.sandbox.dump(), before);
        }
    }
}

#[tokio::test]
async fn a_directory_that_refuses_us_or_fails_is_a_502_with_its_own_status() {
    for status in [401, 403, 500, 501, 503, 504] {
        for (command, answer, world, before) in every_command_against(FaultKind::Status { status }, &[]).await {
            let result = result(&answer);
            assert_eq!(
                (answer.status, result["errorCode"].as_u64()),
                (502, Some(status.into())),
                "{command}: {}",
                answer.text
            );
            assert!(
                result["errorMessage"].as_str().unwrap().contains("(AWS request id "),
                "{}",
                answer.text
            );
            assert_eq!(world.sandbox.dump(), before);
            // What would be refused again is not sent again, and nothing more than five times. A
            // command that fails twice over opens the breaker, which then lists users to see
            // whether the directory is back.
            let mut calls = world.calls();
            if ["iam-update-group", "iam-delete-group"].contains(&command) {
                let looks = calls.remove("ListUsers");
                assert!(command == "iam-delete-group" || status < 500 || looks.is_some());
            }
            let most = if status == 501 || status < 500 { 1 } else { 5 };
            assert!(
                calls.values().all(|calls| *calls <= most) && calls.values().any(|calls| *calls == most),
                "{command} {status}: {calls:?}"
            );
            let looks_after = ["iam-create-user", "iam-create-group", "iam-delete-group"].contains(&command);
            let apis = if status >= 500 && looks_after { 2 } else { 1 };
            assert_eq!(calls.len(), apis, "{command} {status}: {calls:?}");
        }
    }
}
