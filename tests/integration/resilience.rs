//! Lost answers, callers that hang up, deadlines and shutdown: no user is created twice, and
//! nothing that was done is told as failed.

use std::collections::BTreeMap;

use aws_ilm::sandbox::{Fault, FaultKind, Options, Sandbox, Seed};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    expected::{but, crowd, done, group, ids, person, profile, result, user_envelope},
    harness::{World, caller, service, until},
};

/// A request to the directory that is waited for no longer than this, in tests that wait for one.
const SHORT: (&str, &str) = ("AWS_ILM_REQUEST_TIMEOUT", "500ms");

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
        milliseconds: 700,
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
async fn a_look_after_a_lost_answer_that_fails_is_repeated() {
    let world = World::holding(json!({})).await;
    world.sandbox.script(Fault::new(FaultKind::AnswerLost).on("CreateUser"));
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 500 }).on("ListUsers"));
    let answer = world
        .command("iam-create-user", &json!({"user-profile": profile("jane")}))
        .await;
    let vendor = done("create", &world.user("jane"), &json!("jane@example.com"));
    assert_eq!(
        (answer.status, answer.text),
        (200, user_envelope(&profile("jane"), &vendor))
    );
    world.assert_calls(&[("CreateUser", 1), ("ListUsers", 2)]);
}

#[tokio::test]
async fn a_creation_whose_fate_cant_be_learnt_is_told_as_such() {
    let world = World::holding(json!({})).await;
    world.sandbox.script(Fault::new(FaultKind::AnswerLost).on("CreateUser"));
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 500 }).on("ListUsers").forever());
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
    // The creation was not sent a second time, the look as often as any request.
    world.assert_calls(&[("CreateUser", 1), ("ListUsers", 5)]);
    world.sandbox.clear_faults();
    // Told again, it finds its own work.
    let again = world
        .command("iam-create-user", &json!({"user-profile": profile("jane")}))
        .await;
    assert_eq!((again.status, &result(&again)["action"]), (200, &json!("update")));
}

/// Hostile input 83, one person created twice at once: one creation; the other goes on as update.
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
async fn somebody_made_by_another_between_look_and_creation_is_updated() {
    let nobody = FaultKind::Raw {
        status: 200,
        content_type: "application/json".into(),
        body: json!({"totalResults": 0, "Resources": []}).to_string(),
    };
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let arguments = json!({"user-profile": but(profile("test"), json!({"title": "Boss"}))});
    world.sandbox.script(Fault::new(nobody.clone()).on("ListUsers"));
    let answer = world.command("iam-update-user", &arguments).await;
    assert_eq!(
        (answer.status, &result(&answer)["action"]),
        (200, &json!("update")),
        "{}",
        answer.text
    );
    assert_eq!(world.user("u-1")["title"], "Boss");
    world.assert_calls(&[("ListUsers", 2), ("CreateUser", 1), ("PatchUser", 1)]);
    // A directory that knows them when asked to create and not when asked for them: no end without
    // a stop.
    world.sandbox.script(Fault::new(nobody).on("ListUsers").forever());
    let answer = world.command("iam-update-user", &arguments).await;
    assert_eq!((answer.status, &result(&answer)["errorCode"]), (409, &json!(409)));
    // By name, once more after the conflict, and for whose the e-mail is.
    world.assert_calls(&[("ListUsers", 3), ("CreateUser", 1)]);
}

#[tokio::test]
async fn a_change_whose_answer_got_lost_is_made_again_and_succeeds() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let arguments = json!({"user-profile": but(profile("test"), json!({"title": "Boss"}))});
    for (command, action, kind) in [
        ("iam-update-user", "update", FaultKind::AnswerLost),
        ("iam-disable-user", "disable", FaultKind::FailAfterWork { status: 500 }),
    ] {
        world.sandbox.script(Fault::new(kind).on("PatchUser"));
        let answer = world.command(command, &arguments).await;
        let vendor = done(action, &world.user("u-1"), &json!("test@example.com"));
        assert_eq!(
            (answer.status, answer.text),
            (200, user_envelope(&arguments["user-profile"], &vendor))
        );
        world.assert_calls(&[("ListUsers", 1), ("PatchUser", 2)]);
        // It is done, and telling it again changes nothing.
        assert_eq!(world.command(command, &arguments).await.status, 200);
        world.assert_calls(&[("ListUsers", 1)]);
    }
    assert_eq!(
        (&world.user("u-1")["title"], &world.user("u-1")["active"]),
        (&json!("Boss"), &json!(false))
    );
}

#[tokio::test]
async fn a_change_that_is_never_answered_is_looked_for_and_told_as_it_is() {
    for (kind, status, title) in [
        (FaultKind::AnswerLost, 200, json!("Boss")),
        (FaultKind::FailAfterWork { status: 504 }, 200, json!("Boss")),
        (FaultKind::HangUp, 504, Value::Null),
        (FaultKind::Status { status: 503 }, 502, Value::Null),
    ] {
        let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
        let arguments = json!({"user-profile": but(profile("test"), json!({"title": "Boss"}))});
        world.sandbox.script(Fault::new(kind.clone()).on("PatchUser").forever());
        let answer = world.command("iam-update-user", &arguments).await;
        assert_eq!(
            (answer.status, &result(&answer)["success"]),
            (status, &json!(status == 200)),
            "{kind:?}: {}",
            answer.text
        );
        assert_eq!(world.user("u-1")["title"], title, "{kind:?}");
        world.assert_calls(&[("ListUsers", 1), ("PatchUser", 5), ("GetUser", 1)]);
    }
}

#[tokio::test]
async fn members_whose_patch_is_never_answered_are_read_back() {
    for (kind, status, result_of_each) in [
        (FaultKind::AnswerLost, 200, None),
        (FaultKind::HangUp, 504, Some("not known")),
    ] {
        let world = World::holding(crowd(3, 1)).await;
        world
            .sandbox
            .script(Fault::new(kind.clone()).on("PatchGroup").forever());
        let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ["m-1", "m-2"], "memberIdsToDelete": ["m-0"]});
        let answer = world.command("iam-update-group", &arguments).await;
        let told = result(&answer);
        assert_eq!(answer.status, status, "{kind:?}: {}", answer.text);
        let members = told["details"]["members"].as_array();
        let results: Option<Vec<_>> =
            members.map(|members| members.iter().map(|member| member["result"].clone()).collect());
        assert_eq!(results, result_of_each.map(|result| vec![json!(result); 3]), "{kind:?}");
        // Sent, looked at; where nothing had been done, both once more.
        let rounds = if status == 200 { 1 } else { 2 };
        world.assert_calls(&[("PatchGroup", 5 * rounds), ("ListUsers", rounds)]);
        let expected = if status == 200 { ids(1..3) } else { ids(0..1) };
        let expected: Value = expected.into_iter().map(|id| json!({"value": id})).collect();
        assert_eq!(world.group("g-1")["members"], expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_group_deleted_without_an_answer_is_deleted() {
    let world = World::holding(crowd(1, 1)).await;
    world
        .sandbox
        .script(Fault::new(FaultKind::AnswerLost).on("DeleteGroup"));
    let answer = world.command("iam-delete-group", &json!({"scim": {"id": "g-1"}})).await;
    assert_eq!(
        (answer.status, world.group("g-1")),
        (200, Value::Null),
        "{}",
        answer.text
    );
    world.assert_calls(&[("DeleteGroup", 2)]);
    // Without a deletion of ours before it, it was never there.
    let answer = world.command("iam-delete-group", &json!({"scim": {"id": "g-1"}})).await;
    assert_eq!(answer.status, 404);
    world.assert_calls(&[("DeleteGroup", 1)]);
}

#[tokio::test]
async fn a_change_refused_for_somebody_elses_is_read_again_and_made_once_more() {
    let conflict = || Fault::new(FaultKind::Status { status: 409 });
    let world = World::holding(json!({"users": [person("u-1", "test")], "groups": [group("g-1", "Old")]})).await;
    let update = json!({"user-profile": but(profile("test"), json!({"title": "Boss"}))});
    let rename = json!({"scim": {"id": "g-1", "displayName": "New"}});

    world.sandbox.script(conflict().on("PatchUser"));
    assert_eq!(world.command("iam-update-user", &update).await.status, 200);
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 2), ("GetUser", 1)]);
    world.sandbox.script(conflict().on("PatchGroup"));
    assert_eq!(world.command("iam-update-group", &rename).await.status, 200);
    // The holder of the name is looked for: the group itself has it not yet.
    world.assert_calls(&[("PatchGroup", 2), ("ListGroups", 1)]);
    assert_eq!(
        (&world.user("u-1")["title"], &world.group("g-1")["displayName"]),
        (&json!("Boss"), &json!("New"))
    );

    // Twice is an answer.
    world.sandbox.script(conflict().on("PatchUser").times(2));
    let disable = world.command("iam-disable-user", &update).await;
    assert_eq!((disable.status, &result(&disable)["errorCode"]), (409, &json!(409)));
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 2), ("GetUser", 1)]);
    assert_eq!(world.user("u-1")["active"], true);
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
