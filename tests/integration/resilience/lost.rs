//! Answers that never come: what was done is looked for, and told as it is.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::SHORT;
use crate::{
    expected::{but, crowd, done, ids, person, profile, result, user_envelope},
    harness::World,
};

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
