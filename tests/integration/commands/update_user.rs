//! iam-update-user.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{ENTERPRISE, but, done, failed, mapped, person, profile, skipped, user_envelope},
    harness::{Answer, World},
};

async fn update(world: &World, profile: &Value) -> Answer {
    world
        .command("iam-update-user", &json!({"user-profile": profile}))
        .await
}

/// The operations of the only write so far, as `[path, value]`.
fn operations(world: &World) -> Value {
    let writes = world.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    let body = writes[0].2.clone().unwrap();
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"])
    );
    let operations = body["Operations"].as_array().unwrap().iter();
    operations
        .map(|operation| {
            assert_eq!(operation["op"], "replace");
            json!([operation["path"], operation["value"]])
        })
        .collect()
}

#[tokio::test]
async fn only_what_differs_is_sent_in_one_patch() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let asked = but(profile("test"), json!({"title": "Boss", "employeeid": "E7"}));
    let answer = update(&world, &asked).await;
    assert_eq!(operations(&world), json!([["externalId", "E7"], ["title", "Boss"]]));
    let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!(vendor["details"]["title"], "Boss");
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
}

#[tokio::test]
async fn nothing_differs_is_a_success_without_a_patch() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let before = world.sandbox.dump();
    let answer = update(&world, &profile("test")).await;
    let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!(
        (answer.status, answer.text),
        (200, user_envelope(&profile("test"), &vendor))
    );
    world.assert_calls(&[("ListUsers", 1)]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn complex_attributes_are_compared_by_part_and_sent_whole() {
    let full = but(
        person("u-1", "test"),
        json!({
            "name": {"givenName": "Test", "familyName": "User", "formatted": "Test User"},
            "emails": [{"value": "old@x", "type": "work", "primary": true}], "phoneNumbers": [{"value": "1", "type": "mobile"}],
            ENTERPRISE: {"department": "C", "division": "V"},
        }),
    );
    let world = World::holding(json!({"users": [full]})).await;
    let same = json!({"username": "test", "givenname": "Test", "email": "old@x", "division": "V"});
    assert_eq!(update(&world, &same).await.status, 200);
    assert_eq!(world.writes(), []);
    let asked = json!({"username": "test", "surname": "Else", "email": "new@x", "mobilephone": "2", "department": "D", "division": "V"});
    let answer = update(&world, &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let expected = json!([
        ["name", {"givenName": "Test", "familyName": "Else"}],
        ["emails", [{"value": "new@x", "type": "work", "primary": true}]],
        ["phoneNumbers", [{"value": "2", "type": "work"}]],
        [format!("{ENTERPRISE}:department"), "D"],
    ]);
    assert_eq!(operations(&world), expected);
    let user = world.user("u-1");
    assert_eq!(user[ENTERPRISE], json!({"department": "D", "division": "V"}));
}

#[tokio::test]
async fn the_enterprise_extension_can_be_begun() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let asked = json!({"username": "test", "costcentercode": "C", "organization": "O"});
    let answer = update(&world, &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        world.user("u-1")[ENTERPRISE],
        json!({"costCenter": "C", "organization": "O"})
    );
}

#[tokio::test]
async fn switched_off_it_skips_without_a_call() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_UPDATE_USER_ENABLED", "false")]).await;
    let asked = but(profile("test"), json!({"displayname": "Else"}));
    let answer = update(&world, &asked).await;
    let details = but(mapped("test"), json!({"displayName": "Else"}));
    let vendor = skipped("update", "Command is disabled.", &json!("test@example.com"), &details);
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    // What can't be an id is a fault all the same, the old one's too.
    for (change, path) in [
        (json!({"id": "u/1"}), "user-profile.id"),
        (json!({"olduserdata": {"id": "u/1"}}), "user-profile.olduserdata.id"),
        (json!({"olduserdata": 7}), "user-profile.olduserdata"),
    ] {
        let answer = update(&world, &but(profile("test"), change)).await;
        let vendor = answer.vendor();
        assert_eq!(
            (answer.status, vendor["errorCode"].as_u64()),
            (400, Some(400)),
            "{}",
            answer.text
        );
        let message = vendor["errorMessage"].as_str().unwrap();
        assert!(message.starts_with(&format!("{path} must be")), "{message}");
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn a_rename_and_an_enabling_fit_one_patch() {
    let idle = but(person("u-1", "before"), json!({"active": false}));
    let world = World::holding(json!({"users": [idle]})).await;
    let asked = json!({"username": "after", "olduserdata": {"username": "before"}});
    let answer = update(&world, &asked).await;
    assert_eq!(operations(&world), json!([["userName", "after"], ["active", true]]));
    let vendor = done("update", &world.user("after"), &json!("before@example.com"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
}

#[tokio::test]
async fn somebody_inactive_stays_so_unless_all_say_otherwise() {
    for (environment, allow) in [
        (&[][..], json!("false")),
        (&[("AWS_ILM_ENABLE_USER_ENABLED", "false")][..], json!(true)),
    ] {
        let idle = but(person("u-1", "idle"), json!({"active": false}));
        let world = World::holding_with(json!({"users": [idle]}), environment).await;
        let arguments = json!({"user-profile": {"username": "idle", "title": "Boss"}, "allow-enable": allow});
        let answer = world.command("iam-update-user", &arguments).await;
        assert_eq!((answer.status, &answer.vendor()["active"]), (200, &json!(false)));
        assert_eq!(operations(&world), json!([["title", "Boss"]]));
    }
}

#[tokio::test]
async fn nobody_there_is_created() {
    for (allow, active) in [(json!(null), true), (json!(false), false)] {
        let world = World::holding(json!({})).await;
        let arguments = json!({"user-profile": profile("jane"), "allow-enable": allow});
        let answer = world.command("iam-update-user", &arguments).await;
        let vendor = done("create", &world.user("jane"), &json!("jane@example.com"));
        assert_eq!(vendor["active"], active);
        assert_eq!(
            (answer.status, answer.text),
            (200, user_envelope(&profile("jane"), &vendor))
        );
        world.assert_calls(&[("ListUsers", 1), ("CreateUser", 1)]);
    }
}

#[tokio::test]
async fn nobody_there_is_skipped_where_creating_is_not_wanted() {
    for (variable, action, reason) in [
        ("AWS_ILM_CREATE_IF_NOT_EXISTS", "update", "User does not exist"),
        ("AWS_ILM_CREATE_USER_ENABLED", "create", "Command is disabled."),
    ] {
        let world = World::holding_with(json!({}), &[(variable, "false")]).await;
        let answer = update(&world, &profile("jane")).await;
        let vendor = skipped(action, reason, &json!("jane@example.com"), &mapped("jane"));
        assert_eq!(
            (answer.status, answer.text),
            (200, user_envelope(&profile("jane"), &vendor))
        );
        world.assert_calls(&[("ListUsers", 1)]);
        assert_eq!(world.user("jane"), Value::Null);
    }
}

#[tokio::test]
async fn nobody_there_and_too_little_to_create_them_is_a_400() {
    let world = World::holding(json!({})).await;
    let asked = json!({"username": "jane", "givenname": "J", "displayname": "J"});
    let answer = update(&world, &asked).await;
    let message = "name.familyName: a new user needs it; give it a value (user-profile.surname)";
    let details = json!({"userName": "jane", "displayName": "J", "name": {"givenName": "J"}});
    let vendor = failed("create", 400, message, &Value::Null, &details);
    assert_eq!((answer.status, answer.text), (400, user_envelope(&asked, &vendor)));
    world.assert_calls(&[("ListUsers", 1)]);
}

#[tokio::test]
async fn an_id_that_is_not_there_does_not_end_the_search() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let asked = but(profile("test"), json!({"id": "u-9", "title": "Boss"}));
    let answer = update(&world, &asked).await;
    let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    assert_eq!(world.user("u-1")["title"], "Boss");
    world.assert_calls(&[("GetUser", 1), ("ListUsers", 1), ("PatchUser", 1)]);
    let answer = update(&world, &but(profile("jane"), json!({"id": "u-9"}))).await;
    assert_eq!((answer.status, &answer.vendor()["action"]), (200, &json!("create")));
    world.assert_calls(&[("GetUser", 1), ("ListUsers", 1), ("CreateUser", 1)]);
    // Without a userName there is nothing to create.
    let before = world.sandbox.dump();
    let asked = json!({"id": "u-9", "title": "Boss"});
    let answer = update(&world, &asked).await;
    let details = json!({"title": "Boss"});
    let vendor = failed("update", 404, "User does not exist", &Value::Null, &details);
    assert_eq!((answer.status, answer.text), (404, user_envelope(&asked, &vendor)));
    world.assert_calls(&[("GetUser", 1)]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn who_is_meant_is_found_by_old_id_then_id_then_old_name_then_name() {
    let seed =
        json!({"users": [person("u-1", "one"), person("u-2", "two"), person("u-3", "three"), person("u-4", "four")]});
    let world = World::holding(seed).await;
    let all = json!({"id": "u-2", "username": "new", "olduserdata": {"id": "u-1", "username": "three"}});
    for (asked, found, calls) in [
        // By the old id it is a rename.
        (all.clone(), "u-1", &[("GetUser", 1)][..]),
        // Found by an id under another name, whether that is taken is looked for.
        (
            but(all.clone(), json!({"olduserdata": {"id": "u-9", "username": "three"}})),
            "u-2",
            &[("GetUser", 2), ("ListUsers", 1)],
        ),
        (
            but(all.clone(), json!({"olduserdata": {"username": "three"}})),
            "u-2",
            &[("GetUser", 1), ("ListUsers", 1)],
        ),
        (
            but(all.clone(), json!({"id": null, "olduserdata": {"User Name": "three"}})),
            "u-3",
            &[("ListUsers", 1)],
        ),
        (
            json!({"id": "", "username": "four", "olduserdata": "{\"username\": \"gone\"}"}),
            "u-4",
            &[("ListUsers", 2)],
        ),
        (
            json!({"username": "four", "olduserdata": null}),
            "u-4",
            &[("ListUsers", 1)],
        ),
        // The same value told as old and as new is looked for once.
        (
            json!({"username": "four", "olduserdata": {"username": "FOUR"}}),
            "u-4",
            &[("ListUsers", 1)],
        ),
    ] {
        let answer = world
            .post("/commands/iam-update-user?dryRun=true", &json!({"user-profile": asked}))
            .await;
        let vendor = &answer.json()["dryRun"]["envelope"]["IAM"]["Vendor"];
        assert_eq!((answer.status, &vendor["id"]), (200, &json!(found)), "{asked}");
        world.assert_calls(calls);
    }
    // A name beside an id, or an old one, is the new one, and another user's is taken.
    let by_id = json!({"id": "u-2", "username": "four"});
    for asked in [by_id, but(all, json!({"username": "four"}))] {
        let answer = update(&world, &asked).await;
        let message = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 409, "{message}");
        assert!(
            message.ends_with("the userName is taken by user u-4 (userName four)"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_rename_told_twice_finds_its_person_again() {
    let world = World::holding(json!({"users": [person("u-1", "before")]})).await;
    let asked = json!({"username": "after", "title": "Boss", "olduserdata": {"username": "before"}});
    assert_eq!(update(&world, &asked).await.vendor()["username"], "after");
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
    let answer = update(&world, &but(asked, json!({"title": "Chief"}))).await;
    let vendor = answer.vendor();
    assert_eq!(
        (&vendor["id"], &vendor["action"], &vendor["details"]["title"]),
        (&json!("u-1"), &json!("update"), &json!("Chief"))
    );
    world.assert_calls(&[("ListUsers", 2), ("PatchUser", 1)]);
}

#[tokio::test]
async fn a_rename_to_a_taken_name_is_a_conflict_that_changes_nothing() {
    let world = World::holding(json!({"users": [person("u-1", "test"), person("u-2", "taken")]})).await;
    let before = world.sandbox.dump();
    let asked = json!({"username": "taken", "title": "Boss", "olduserdata": {"username": "test"}});
    let answer = update(&world, &asked).await;
    let vendor = answer.vendor();
    assert_eq!((answer.status, vendor["errorCode"].as_u64()), (409, Some(409)));
    assert_eq!((&vendor["details"]["id"], &vendor["id"]), (&json!("u-1"), &Value::Null));
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn what_a_get_answered_can_be_sent_back_and_changes_nothing() {
    let world = World::start().await;
    let before = world.sandbox.dump();
    for user in before["users"].as_array().unwrap() {
        let got = world
            .command("iam-get-user", &json!({"user-profile": {"id": user["id"]}}))
            .await;
        let profile = got.json()["IAM"]["UserProfile"].clone();
        world.calls();
        let arguments = json!({"user-profile": profile, "allow-enable": false});
        let answer = world.command("iam-update-user", &arguments).await;
        assert_eq!(
            (answer.status, &answer.vendor()["id"]),
            (200, &user["id"]),
            "{}",
            answer.text
        );
        world.assert_calls(&[("ListUsers", 1)]);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn somebody_who_leaves_on_the_way_is_a_404() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 404 }).on("PatchUser"));
    let answer = update(&world, &but(profile("test"), json!({"title": "Boss"}))).await;
    assert_eq!(
        (answer.status, &answer.vendor()["errorMessage"]),
        (404, &json!("User does not exist"))
    );
    // Never created again.
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
}

#[tokio::test]
async fn only_what_would_be_sent_must_please_the_directory() {
    // AWS knows people whose names it would no longer take.
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    for (change, sent) in [
        (json!({"displayname": "a\u{0}b"}), false),
        (json!({"employeeid": "E 7"}), false),
        (json!({"title": "x"}), true),
    ] {
        let answer = update(&world, &but(profile("test"), change)).await;
        assert_eq!(answer.status, if sent { 200 } else { 400 }, "{}", answer.text);
        assert_eq!(world.calls().contains_key("PatchUser"), sent);
    }
    for (field, value) in [
        ("title", json!(7)),
        ("olduserdata", json!(7)),
        ("olduserdata", json!("x")),
    ] {
        let answer = update(&world, &but(profile("test"), json!({field: value}))).await;
        let message = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
        assert!(
            answer.status == 400 && message.contains(&format!("user-profile.{field}")),
            "{message}"
        );
    }
}
