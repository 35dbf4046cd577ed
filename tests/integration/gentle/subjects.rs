//! One writer a person or group, and whose user a create takes over.

use aws_ilm::sandbox::{self, Fault, Sandbox};
use serde_json::{Value, json};

use super::{about, slow};
use crate::{
    expected::{but, crowd, done, person, profile, user_envelope},
    harness::{World, caller, until},
    process::Running,
};

#[tokio::test]
async fn a_create_takes_over_whom_adopt_allows() {
    const ANOTHER: &str =
        "the userName belongs to another person: user u-1 (userName test) has another externalId (employee id)";
    const NEVER: &str = "user u-1 (userName test) is there, and `adopt` is set to never";
    let none = Value::Null;
    for (adopt, in_directory, in_profile, refused) in [
        ("same-person", json!("E1"), json!("E1"), None),
        ("same-person", json!("E1"), none.clone(), None),
        ("same-person", none.clone(), json!("E1"), None),
        ("same-person", none.clone(), none.clone(), None),
        ("same-person", json!("E1"), json!("E2"), Some(ANOTHER)),
        // Employee ids are compared as they are.
        ("same-person", json!("E1"), json!("e1"), Some(ANOTHER)),
        ("", json!("E1"), json!("E2"), Some(ANOTHER)),
        ("always", json!("E1"), json!("E2"), None),
        ("never", json!("E1"), json!("E2"), Some(ANOTHER)),
        ("never", json!("E1"), json!("E1"), Some(NEVER)),
    ] {
        let case = format!("{adopt} {in_directory} {in_profile}");
        let mut there = person("u-1", "test");
        if in_directory.is_string() {
            there["externalId"] = in_directory;
        }
        let world = World::holding_with(json!({"users": [there]}), &[("AWS_ILM_ADOPT", adopt)]).await;
        let before = world.sandbox.dump();
        let mut asked = but(profile("test"), json!({"title": "Boss"}));
        if in_profile.is_string() {
            asked["employeeid"] = in_profile.clone();
        }
        let answer = world.command("iam-create-user", &about(&asked)).await;
        match refused {
            None => {
                let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
                assert_eq!(
                    (answer.status, answer.text),
                    (200, user_envelope(&asked, &vendor)),
                    "{case}"
                );
                assert_eq!(world.user("u-1")["title"], "Boss", "{case}");
                if in_profile.is_string() {
                    assert_eq!(world.user("u-1")["externalId"], in_profile, "{case}");
                }
                world.assert_calls(&[("CreateUser", 1), ("ListUsers", 1), ("PatchUser", 1)]);
            }
            Some(message) => {
                let vendor = answer.vendor();
                assert_eq!(
                    (
                        answer.status,
                        &vendor["errorCode"],
                        &vendor["errorMessage"],
                        &vendor["action"]
                    ),
                    (409, &json!(409), &json!(message), &json!("create")),
                    "{case}"
                );
                // The user that was found stands in `details`, not as the command's own user.
                assert_eq!((&vendor["details"]["id"], &vendor["id"]), (&json!("u-1"), &Value::Null));
                assert_eq!(world.sandbox.dump(), before, "{case}");
                // Whose the other employee id is costs one look more.
                let looks = if message == ANOTHER { 2 } else { 1 };
                world.assert_calls(&[("CreateUser", 1), ("ListUsers", looks)]);
            }
        }
    }
}

#[tokio::test]
async fn never_lets_no_create_go_on_as_an_update_and_changes_nothing_for_updates() {
    let there = but(person("u-1", "test"), json!({"externalId": "E1"}));
    let world = World::holding_with(json!({"users": [there]}), &[("AWS_ILM_ADOPT", "never")]).await;
    let update = but(profile("test"), json!({"title": "Boss"}));
    assert_eq!(world.command("iam-update-user", &about(&update)).await.status, 200);
    assert_eq!(world.user("u-1")["title"], "Boss");
    let before = world.sandbox.dump();
    let another = but(profile("test"), json!({"employeeid": "E2"}));
    assert_eq!(world.command("iam-update-user", &about(&another)).await.status, 409);
    let create = but(profile("test"), json!({"id": "u-1", "employeeid": "E1"}));
    let answer = world.command("iam-create-user", &about(&create)).await;
    assert_eq!((answer.status, &answer.vendor()["action"]), (409, &json!("create")));
    assert_eq!(world.sandbox.dump(), before);
}

/// Hostile input 82, a disable and an update of one person at once: one after the other; disabled
/// in the end.
#[tokio::test]
async fn commands_about_one_person_run_one_after_the_other() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    // While the first one's PATCH is under way the second one comes, which knows the person by
    // another spelling.
    world.sandbox.script(Fault::new(slow(400)).on("PatchUser"));
    let update = about(&json!({"username": "test", "title": "Boss", "displayname": "First"}));
    let disable = about(&json!({"username": "TEST"}));
    let (updated, disabled) = tokio::join!(world.command("iam-update-user", &update), async {
        until(|| world.sandbox.calls().contains_key("PatchUser")).await;
        world.command("iam-disable-user", &disable).await
    });
    assert_eq!(
        (updated.status, disabled.status),
        (200, 200),
        "{} {}",
        updated.text,
        disabled.text
    );
    // The later one has the last word, and saw what the first one did.
    let user = world.user("u-1");
    assert_eq!((&user["active"], &user["title"]), (&json!(false), &json!("Boss")));
    assert_eq!(updated.vendor()["details"]["active"], true);
    assert_eq!(disabled.vendor()["details"]["title"], "Boss");
    let apis: Vec<_> = world
        .sandbox
        .requests()
        .into_iter()
        .map(|request| request.api.to_string())
        .filter(|api| api != "ServiceProviderConfig")
        .collect();
    assert_eq!(apis, ["ListUsers", "PatchUser", "ListUsers", "PatchUser"]);
}

#[tokio::test]
async fn a_rename_holds_the_old_name_and_the_new_one() {
    let world = World::holding(json!({"users": [person("u-1", "before")]})).await;
    world.sandbox.script(Fault::new(slow(400)).on("PatchUser"));
    let rename = about(&json!({"username": "after", "olduserdata": {"username": "before"}}));
    let (renamed, created) = tokio::join!(world.command("iam-update-user", &rename), async {
        until(|| world.sandbox.calls().contains_key("PatchUser")).await;
        world.command("iam-create-user", &about(&profile("after"))).await
    });
    // Had the creation not waited, there were two of them now, or one without the other's name.
    assert_eq!(
        (renamed.status, created.status),
        (200, 200),
        "{} {}",
        renamed.text,
        created.text
    );
    assert_eq!(created.vendor()["action"], "update");
    assert_eq!(world.sandbox.dump()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn commands_about_one_group_run_one_after_the_other() {
    let world = World::holding(crowd(1, 0)).await;
    world.sandbox.script(Fault::new(slow(400)).on("PatchGroup"));
    let change = |list: &str| json!({"scim": {"id": "g-1"}, list: ["m-0"]});
    let (add, remove) = (change("memberIdsToAdd"), change("memberIdsToDelete"));
    let (added, removed) = tokio::join!(world.command("iam-update-group", &add), async {
        until(|| world.sandbox.calls().contains_key("PatchGroup")).await;
        world.command("iam-update-group", &remove).await
    });
    assert_eq!((added.status, removed.status), (200, 200));
    assert_eq!(
        world.group("g-1")["members"],
        json!([]),
        "the later one has the last word"
    );
}

#[tokio::test]
async fn commands_about_different_people_and_those_that_only_read_run_side_by_side() {
    let world = World::holding(json!({"users": [person("u-1", "one"), person("u-2", "two")]})).await;
    world.sandbox.script(Fault::new(slow(5_000)).on("PatchUser"));
    let titled = |name: &str| about(&json!({"username": name, "title": "Boss"}));
    let first = tokio::spawn(
        world
            .http
            .post(world.url("/commands/iam-update-user"))
            .json(&titled("one"))
            .send(),
    );
    until(|| world.sandbox.calls().contains_key("PatchUser")).await;
    assert_eq!(world.command("iam-update-user", &titled("two")).await.status, 200);
    assert_eq!(world.user("u-2")["title"], "Boss");
    let read = world.command("iam-get-user", &about(&json!({"username": "one"}))).await;
    assert_eq!((read.status, read.vendor()["details"].get("title")), (200, None));
    let dry = world
        .dry_run("iam-disable-user", &about(&json!({"username": "one"})))
        .await;
    assert_eq!(dry.status, 200);
    assert!(!first.is_finished(), "they waited for the first one");
    first.abort();
}

#[tokio::test]
async fn whoever_waits_for_a_subject_longer_than_a_command_may_last_has_changed_nothing() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_COMMAND_TIMEOUT", "400ms")]).await;
    world.sandbox.script(Fault::new(slow(1_500)).on("PatchUser"));
    let update = about(&json!({"username": "test", "title": "Boss"}));
    let (updated, disabled) = tokio::join!(world.command("iam-update-user", &update), async {
        until(|| world.sandbox.calls().contains_key("PatchUser")).await;
        world
            .command("iam-disable-user", &about(&json!({"username": "test"})))
            .await
    });
    assert_eq!((updated.status, disabled.status), (200, 504), "{}", disabled.text);
    let message = disabled.vendor()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("changed before: nothing"), "{message}");
    assert_eq!(world.user("u-1")["active"], true);
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
}

#[tokio::test]
async fn a_command_whose_caller_has_hung_up_is_told_to_the_log() {
    let world = World::start().await;
    let url = Sandbox::base_url(world.directory, sandbox::DEFAULT_TENANT);
    let settings = [
        ("AWS_ILM_URL", url.as_str()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", sandbox::DEFAULT_TOKEN),
        ("AWS_ILM_LOG_FORMAT", "json"),
    ];
    let (service, address) = Running::serve(&[], &settings);
    world.calls();
    world.sandbox.script(Fault::new(slow(1_000)).on("ListUsers"));
    let request = caller().post(format!("http://{address}/commands/iam-disable-user"));
    let call = tokio::spawn(request.json(&about(&json!({"username": "nobody"}))).send());
    until(|| world.sandbox.calls().contains_key("ListUsers")).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let stderr = service.stderr.clone();
    let line = tokio::task::spawn_blocking(move || stderr.line_with("a command ended after its caller had hung up"))
        .await
        .unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    let told = |name: &str| event.get(name).unwrap_or(&event["fields"][name]).clone();
    assert_eq!(
        (told("command"), told("instance"), told("outcome")),
        (json!("iam-disable-user"), json!("AWS-ILM_instance_1"), json!("skipped")),
        "{line}"
    );
}
