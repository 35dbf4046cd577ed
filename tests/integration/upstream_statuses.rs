//! What a directory that is slow, away, busy or refusing makes of every command: the status that tells the caller what to do.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    expected::{every_command, person, result},
    harness::World,
};

const SLOW: FaultKind = FaultKind::Slow {
    milliseconds: 60_000,
    work_late: true,
};

#[tokio::test]
async fn a_directory_too_slow_is_a_504_for_every_command() {
    for (command, arguments) in every_command() {
        let seed = json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A"}]});
        let world = World::holding_with(seed, &[("AWS_ILM_REQUEST_TIMEOUT", "100ms")]).await;
        for api in [
            "ListUsers",
            "GetUser",
            "CreateUser",
            "PatchUser",
            "ListGroups",
            "GetGroup",
            "CreateGroup",
            "PatchGroup",
            "DeleteGroup",
        ] {
            world.sandbox.script(Fault::new(SLOW).on(api).forever());
        }
        let answer = world.command(command, &arguments).await;
        let result = result(&answer);
        assert_eq!(
            (answer.status, &result["errorCode"], &result["success"]),
            (504, &json!(504), &json!(false)),
            "{}",
            answer.text
        );
        assert!(
            result["errorMessage"]
                .as_str()
                .unwrap()
                .contains("did not answer within 100 ms"),
            "{}",
            answer.text
        );
        assert_eq!(answer.header("retry-after"), None);
    }
}

#[tokio::test]
async fn a_dead_port_is_a_503_with_a_wait_for_every_command() {
    // Bound and dropped: nobody listens there.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{dead}/sandbox-tenant/scim/v2/");
    let world = World::holding_with(json!({}), &[("AWS_ILM_URL", &url)]).await;
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

#[tokio::test]
async fn a_throttled_directory_is_a_503_and_what_it_says_of_waiting_is_kept_in_bounds() {
    let world =
        World::holding(json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A"}]})).await;
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
        for (command, arguments) in every_command() {
            let throttle = FaultKind::Throttle {
                retry_after: asked.map(str::to_owned),
            };
            for api in [
                "ListUsers",
                "CreateUser",
                "PatchGroup",
                "GetGroup",
                "CreateGroup",
                "DeleteGroup",
            ] {
                world.sandbox.script(Fault::new(throttle.clone()).on(api).forever());
            }
            let answer = world.command(command, &arguments).await;
            assert_eq!(
                (answer.status, &result(&answer)["errorCode"]),
                (503, &json!(429)),
                "{command}"
            );
            assert_eq!(answer.header("retry-after"), Some(&*told.to_string()), "{asked:?}");
            world.sandbox.clear_faults();
        }
    }
    assert_eq!(
        world
            .command("iam-get-user", &json!({"user-profile": {"username": "test"}}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_directory_that_refuses_us_or_fails_is_a_502_with_its_own_status() {
    for status in [401, 403, 500, 501, 503, 504] {
        let world =
            World::holding(json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A"}]}))
                .await;
        let before = world.sandbox.dump();
        for (command, arguments) in every_command() {
            for api in [
                "ListUsers",
                "CreateUser",
                "PatchGroup",
                "GetGroup",
                "ListGroups",
                "CreateGroup",
                "DeleteGroup",
            ] {
                world
                    .sandbox
                    .script(Fault::new(FaultKind::Status { status }).on(api).forever());
            }
            let answer = world.command(command, &arguments).await;
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
            world.sandbox.clear_faults();
        }
        assert_eq!(world.sandbox.dump(), before);
    }
}
