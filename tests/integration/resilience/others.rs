//! Others who write at the same time.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::{
    expected::{but, group, person, profile, result},
    harness::World,
};

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
