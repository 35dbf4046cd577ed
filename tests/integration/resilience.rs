//! Lost answers, slow and wrong directories, callers who leave: nobody is doubled, nothing that was done is told as failed, and
//! nobody is reported absent by mistake.

use std::collections::BTreeMap;

use aws_ilm::sandbox::{Fault, FaultKind, Options, Sandbox, Seed};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    expected::{but, crowd, done, ids, person, profile, user_envelope},
    harness::{World, caller, service, until},
};

/// A request to the directory that is waited for no longer than this, in tests that wait for one.
const SHORT: (&str, &str) = ("AWS_ILM_REQUEST_TIMEOUT", "200ms");

const SLOW: FaultKind = FaultKind::Slow {
    milliseconds: 60_000,
    work_late: true,
};

/// What a command's arguments are about, for each of them.
fn every_command() -> [(&'static str, Value); 9] {
    let about = json!({"user-profile": profile("test")});
    [
        ("iam-get-user", about.clone()),
        ("iam-create-user", about.clone()),
        ("iam-update-user", about.clone()),
        ("iam-disable-user", about),
        ("iam-get-group", json!({"scim": {"id": "g-1"}})),
        ("iam-create-group", json!({"scim": {"displayName": "New"}})),
        (
            "iam-update-group",
            json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ["u-1"]}),
        ),
        ("iam-delete-group", json!({"scim": {"id": "g-1"}})),
        ("test-module", json!({})),
    ]
}

/// The part of an answer that says how the command went.
fn result(answer: &crate::harness::Answer) -> Value {
    let document = answer.json();
    let first = document.as_object().unwrap().values().next().unwrap().clone();
    first.get("Vendor").cloned().unwrap_or(first)
}

#[tokio::test]
async fn an_answer_lost_after_the_work_is_a_success_and_nobody_is_doubled() {
    for kind in [
        FaultKind::AnswerLost,
        FaultKind::FailAfterWork { status: 500 },
        FaultKind::FailAfterWork { status: 504 },
    ] {
        let world = World::holding(json!({})).await;
        world.sandbox.script(Fault::new(kind.clone()).on("CreateUser"));
        let answer = world
            .command("iam-create-user", &json!({"user-profile": profile("jane")}))
            .await;
        let vendor = done("create", &world.user("jane"), &json!("jane@example.com"));
        assert_eq!(
            (answer.status, answer.text),
            (200, user_envelope(&profile("jane"), &vendor)),
            "{kind:?}"
        );
        world.assert_calls(&[("CreateUser", 1), ("ListUsers", 1)]);

        world.sandbox.script(Fault::new(kind.clone()).on("CreateGroup"));
        let answer = world
            .command("iam-create-group", &json!({"scim": {"displayName": "New"}}))
            .await;
        assert_eq!(
            (answer.status, &result(&answer)["id"]),
            (200, &world.group("New")["id"]),
            "{kind:?}"
        );
        world.assert_calls(&[("CreateGroup", 1), ("ListGroups", 1)]);
    }
}

#[tokio::test]
async fn a_broken_connection_before_the_work_is_followed_by_a_look_and_another_try() {
    for kind in [
        FaultKind::HangUp,
        FaultKind::Status { status: 500 },
        FaultKind::Status { status: 503 },
    ] {
        let world = World::holding(json!({})).await;
        world.sandbox.script(Fault::new(kind.clone()).on("CreateUser"));
        let answer = world
            .command("iam-create-user", &json!({"user-profile": profile("jane")}))
            .await;
        assert_eq!(
            (answer.status, &result(&answer)["action"]),
            (200, &json!("create")),
            "{kind:?}"
        );
        world.assert_calls(&[("CreateUser", 2), ("ListUsers", 1)]);

        world.sandbox.script(Fault::new(kind).on("CreateGroup"));
        let answer = world
            .command("iam-create-group", &json!({"scim": {"displayName": "New"}}))
            .await;
        assert_eq!(answer.status, 200);
        world.assert_calls(&[("CreateGroup", 2), ("ListGroups", 1)]);
    }
}

#[tokio::test]
async fn work_done_after_we_stopped_waiting_is_found() {
    let world = World::holding_with(json!({}), &[SHORT]).await;
    let late = || FaultKind::Slow {
        milliseconds: 300,
        work_late: true,
    };
    world.sandbox.script(Fault::new(late()).on("CreateUser").times(2));
    let answer = world
        .command("iam-create-user", &json!({"user-profile": profile("jane")}))
        .await;
    assert_eq!(
        (answer.status, &result(&answer)["action"]),
        (200, &json!("create")),
        "{}",
        answer.text
    );
    assert_eq!(result(&answer)["id"], world.user("jane")["id"]);

    world.sandbox.script(Fault::new(late()).on("CreateGroup").times(2));
    let answer = world
        .command("iam-create-group", &json!({"scim": {"displayName": "New"}}))
        .await;
    assert_eq!(
        (answer.status, &result(&answer)["id"]),
        (200, &world.group("New")["id"]),
        "{}",
        answer.text
    );
    let dump = world.sandbox.dump();
    assert_eq!(
        (
            dump["users"].as_array().unwrap().len(),
            dump["groups"].as_array().unwrap().len()
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn a_creation_whose_fate_cant_be_learnt_is_told_as_such() {
    let world = World::holding(json!({})).await;
    world.sandbox.script(Fault::new(FaultKind::AnswerLost).on("CreateUser"));
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 500 }).on("ListUsers"));
    let answer = world
        .command("iam-create-user", &json!({"user-profile": profile("jane")}))
        .await;
    let vendor = result(&answer);
    assert_eq!(
        (answer.status, &vendor["errorCode"], &vendor["success"]),
        (504, &json!(504), &json!(false)),
        "{}",
        answer.text
    );
    let message = vendor["errorMessage"].as_str().unwrap();
    assert!(
        message.starts_with("whether the user was created is not known: "),
        "{message}"
    );
    // Told again, it finds its own work.
    let again = world
        .command("iam-create-user", &json!({"user-profile": profile("jane")}))
        .await;
    assert_eq!((again.status, &result(&again)["action"]), (200, &json!("update")));
}

#[tokio::test]
async fn two_creations_of_one_person_at_once_make_one_person_and_both_succeed() {
    let world = World::holding(json!({})).await;
    let arguments = json!({"user-profile": profile("jane")});
    // Both are sent before either is answered.
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 50,
            work_late: true,
        })
        .on("CreateUser")
        .times(2),
    );
    let (one, other) = tokio::join!(
        world.command("iam-create-user", &arguments),
        world.command("iam-create-user", &arguments)
    );
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.text, other.text);
    let mut actions =
        [result(&one)["action"].clone(), result(&other)["action"].clone()].map(|action| action.to_string());
    actions.sort();
    assert_eq!(actions, ["\"create\"", "\"update\""]);
    assert_eq!(result(&one)["id"], result(&other)["id"]);
    world.assert_calls(&[("CreateUser", 2), ("ListUsers", 1)]);
}

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
async fn at_the_deadline_no_new_write_starts_and_the_answer_says_what_was_done() {
    let world = World::holding_with(crowd(150, 0), &[("AWS_ILM_COMMAND_TIMEOUT", "100ms")]).await;
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 300,
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
    let world = World::holding_with(seed, &[("AWS_ILM_COMMAND_TIMEOUT", "100ms")]).await;
    world.sandbox.script(
        Fault::new(FaultKind::Slow {
            milliseconds: 200,
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

#[tokio::test]
async fn a_wrong_url_never_reports_anybody_absent() {
    let real = World::holding(json!({"users": [person("u-1", "test")]})).await;
    // A path that is none, answered in SCIM's own shape; and a tenant's name misspelt in front of it.
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
