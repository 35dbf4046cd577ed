//! iam-create-user.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{ENTERPRISE, but, done, failed, mapped, person, profile, skipped, user_envelope, without_request_ids},
    harness::{Answer, World},
};

async fn create(world: &World, profile: &Value) -> Answer {
    world
        .command("iam-create-user", &json!({"user-profile": profile}))
        .await
}

#[tokio::test]
async fn a_new_person_is_posted_and_told_as_the_directory_has_them() {
    let world = World::holding(json!({})).await;
    let answer = create(&world, &profile("jane")).await;
    let jane = world.user("jane");
    assert_eq!(
        (jane["active"].as_bool(), jane["displayName"].as_str()),
        (Some(true), Some("Test User"))
    );
    let vendor = done("create", &jane, &json!("jane@example.com"));
    assert_eq!(
        (answer.status, answer.text),
        (200, user_envelope(&profile("jane"), &vendor))
    );
    let body = but(
        but(
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}),
            mapped("jane"),
        ),
        json!({"active": true}),
    );
    assert_eq!(world.writes(), [("POST".to_owned(), "/Users".to_owned(), Some(body))]);
    world.assert_calls(&[("CreateUser", 1)]);
}

#[tokio::test]
async fn whether_they_are_active_is_allow_enables_to_say() {
    let world = World::holding(json!({})).await;
    for (name, allow, active) in [
        ("a", json!(true), true),
        ("b", json!("true"), true),
        ("c", json!(null), true),
        ("d", json!(false), false),
        ("e", json!("false"), false),
    ] {
        let arguments = json!({"user-profile": profile(name), "allow-enable": allow});
        let answer = world.command("iam-create-user", &arguments).await;
        assert_eq!(
            (answer.status, &answer.vendor()["active"]),
            (200, &json!(active)),
            "{allow}"
        );
        assert_eq!(world.user(name)["active"], active, "{allow}");
    }
}

#[tokio::test]
async fn switched_off_it_skips_without_a_call() {
    let world = World::holding_with(json!({}), &[("AWS_ILM_CREATE_USER_ENABLED", "false")]).await;
    for asked in [profile("jane"), but(profile("jane"), json!({"id": "u-1"}))] {
        let answer = create(&world, &asked).await;
        let vendor = skipped(
            "create",
            "Command is disabled.",
            &json!("jane@example.com"),
            &mapped("jane"),
        );
        assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    }
    // What can't be an id is a fault all the same.
    let answer = create(&world, &but(profile("jane"), json!({"id": "u/1"}))).await;
    assert_eq!((answer.status, answer.vendor()["errorCode"].as_u64()), (400, Some(400)));
    world.assert_calls(&[]);
    assert_eq!(world.user("jane"), Value::Null);
}

#[tokio::test]
async fn somebody_who_is_there_is_updated_with_what_differs() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let asked = but(
        profile("Test"),
        json!({"title": "Boss", "email": "TEST@x", "displayname": "New"}),
    );
    let answer = create(&world, &asked).await;
    let user = world.user("u-1");
    assert_eq!(
        (user["title"].as_str(), user["displayName"].as_str()),
        (Some("Boss"), Some("New"))
    );
    let vendor = done("update", &user, &json!("TEST@x"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    world.assert_calls(&[("CreateUser", 1), ("ListUsers", 1), ("PatchUser", 1)]);
}

#[tokio::test]
async fn somebody_who_is_there_unchanged_costs_no_patch() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let before = world.sandbox.dump();
    let answer = create(&world, &profile("test")).await;
    let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!(
        (answer.status, answer.text),
        (200, user_envelope(&profile("test"), &vendor))
    );
    world.assert_calls(&[("CreateUser", 1), ("ListUsers", 1)]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn the_update_it_turns_into_obeys_updates_switch_and_mapping() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_UPDATE_USER_ENABLED", "false")]).await;
    let before = world.sandbox.dump();
    let asked = but(profile("test"), json!({"title": "Boss"}));
    let answer = create(&world, &asked).await;
    let vendor = skipped(
        "update",
        "Command is disabled.",
        &json!("test@example.com"),
        &world.user("u-1"),
    );
    assert_eq!((answer.status, answer.text), (200, user_envelope(&asked, &vendor)));
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn somebody_inactive_is_enabled_only_when_all_say_so() {
    for (environment, allow, active) in [
        (&[][..], true, true),
        (&[][..], false, false),
        (&[("AWS_ILM_ENABLE_USER_ENABLED", "false")][..], true, false),
    ] {
        let idle = but(person("u-1", "idle"), json!({"active": false}));
        let world = World::holding_with(json!({"users": [idle]}), environment).await;
        let arguments = json!({"user-profile": profile("idle"), "allow-enable": allow});
        let answer = world.command("iam-create-user", &arguments).await;
        assert_eq!(
            (answer.status, &answer.vendor()["active"]),
            (200, &json!(active)),
            "{environment:?} {allow}"
        );
        assert_eq!(world.user("u-1")["active"], active);
        assert_eq!(world.calls().contains_key("PatchUser"), active);
    }
}

#[tokio::test]
async fn an_id_is_looked_up_first_and_an_unknown_one_is_no_obstacle() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let known = but(profile("test"), json!({"id": "u-1", "title": "Boss"}));
    let answer = create(&world, &known).await;
    let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&known, &vendor)));
    world.assert_calls(&[("GetUser", 1), ("PatchUser", 1)]);
    // The id of another system, of a person who is there and of one who is not.
    let there = create(&world, &but(profile("test"), json!({"id": "u-9"}))).await;
    let vendor = there.vendor();
    assert_eq!(
        (there.status, &vendor["action"], &vendor["id"]),
        (200, &json!("update"), &json!("u-1"))
    );
    world.assert_calls(&[("GetUser", 1), ("CreateUser", 1), ("ListUsers", 1)]);
    let new = create(&world, &but(profile("jane"), json!({"id": "u-9"}))).await;
    assert_eq!((new.status, &new.vendor()["action"]), (200, &json!("create")));
    assert_eq!(new.vendor()["id"], world.user("jane")["id"]);
    world.assert_calls(&[("GetUser", 1), ("CreateUser", 1)]);
}

#[tokio::test]
async fn a_profile_that_cant_be_created_is_an_update_or_names_every_fault() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let partial = json!({"username": "test", "title": "Boss"});
    let answer = create(&world, &partial).await;
    let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!((answer.status, answer.text), (200, user_envelope(&partial, &vendor)));
    assert_eq!(world.user("u-1")["title"], "Boss");
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);

    let partial = json!({"username": "jane", "email": "j@x", "surname": ""});
    let answer = create(&world, &partial).await;
    let message = "name.givenName: a new user needs it; give it a value (user-profile.givenname). \
                   name.familyName: a new user needs it; give it a value (user-profile.surname). \
                   displayName: a new user needs it; give it a value (user-profile.displayname)";
    let details = json!({"userName": "jane", "emails": [{"value": "j@x", "type": "work", "primary": true}]});
    let vendor = failed("create", 400, message, &json!("j@x"), &details);
    assert_eq!((answer.status, answer.text), (400, user_envelope(&partial, &vendor)));
    world.assert_calls(&[("ListUsers", 1)]);
}

#[tokio::test]
async fn what_aws_refuses_opaquely_is_named_before_it_is_sent() {
    let world = World::holding(json!({})).await;
    let (long, longer) = ("x".repeat(129), "x".repeat(1025));
    for (field, value, attribute, looks) in [
        ("username", json!(long), "userName", 1),
        ("username", json!("Administrator"), "userName", 1),
        ("displayname", json!("a\u{0}b"), "displayName", 1),
        ("displayname", json!(longer), "displayName", 1),
        ("surname", json!("a\u{200d}b"), "name.familyName", 1),
        // An employee id is a key, too.
        ("employeeid", json!("E 7"), "externalId", 2),
        ("employeeid", json!(7), "user-profile.employeeid", 0),
        ("department", json!(["a", "b"]), "user-profile.department", 1),
    ] {
        let answer = create(&world, &but(profile("jane"), json!({field: value}))).await;
        let vendor = answer.vendor();
        assert_eq!(
            (answer.status, vendor["errorCode"].as_u64()),
            (400, Some(400)),
            "{}",
            answer.text
        );
        let message = vendor["errorMessage"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("{attribute}: ")) && message.contains(&format!("user-profile.{field}")),
            "{message}"
        );
        let looks = [("ListUsers", looks)];
        world.assert_calls(
            looks
                .iter()
                .filter(|(_, calls)| *calls > 0)
                .copied()
                .collect::<Vec<_>>()
                .as_slice(),
        );
    }
    assert_eq!(world.sandbox.dump()["users"], json!([]));
}

#[tokio::test]
async fn without_a_key_it_fails_without_a_call() {
    let world = World::start().await;
    let asked = json!({"email": "x@example.com"});
    let answer = create(&world, &asked).await;
    let details = json!({"emails": [{"value": "x@example.com", "type": "work", "primary": true}]});
    let message = "user-profile needs at least one of: id, username, employeeid, also in olduserdata";
    let vendor = failed("create", 400, message, &json!("x@example.com"), &details);
    assert_eq!((answer.status, answer.text), (400, user_envelope(&asked, &vendor)));
    world.assert_calls(&[]);
}

#[tokio::test]
async fn somebody_elses_email_or_employee_id_is_a_conflict() {
    let taken = but(person("u-1", "test"), json!({"externalId": "E1"}));
    let world = World::holding(json!({"users": [taken]})).await;
    let before = world.sandbox.dump();
    let most_likely = |asked: &str| {
        format!(
            "Refused to create a new, duplicate resource. (AWS request id X); no other user has this {asked}, so what \
             clashes is most likely the e-mail"
        )
    };
    // By name, by employee id where there is one, and by the e-mail as a userName.
    for (change, message, looks) in [
        (json!({"email": "test@example.com"}), most_likely("userName"), 2),
        (
            json!({"email": "test@example.com", "employeeid": "E2"}),
            most_likely("userName or employee id"),
            3,
        ),
        (
            json!({"employeeid": "E1", "givenname": "Jane"}),
            "ambiguous: found user u-1 (userName test) for userName jane, but only the employee id is that user's; \
             send olduserdata with what the person had before, or the right employee id"
                .to_owned(),
            2,
        ),
    ] {
        let answer = create(&world, &but(profile("jane"), change)).await;
        let vendor = answer.vendor();
        assert_eq!((answer.status, vendor["errorCode"].as_u64()), (409, Some(409)));
        assert_eq!(without_request_ids(vendor["errorMessage"].as_str().unwrap()), message);
        assert_eq!(
            (&vendor["active"], &vendor["id"], &vendor["username"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        world.assert_calls(&[("CreateUser", 1), ("ListUsers", looks)]);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn every_field_of_the_default_mapping_arrives_and_unknown_ones_are_kept_and_ignored() {
    let world = World::holding(json!({})).await;
    let full = json!({
        "User Name": "jane", "Display Name": "J R", "Given Name": "J", "Surname": "R", "Email": "j@x", "Employee ID": "E7",
        "Mobile Phone": "+1", "Title": "T", "Employee Type": "Y", "Employee Number": "8", "Department": "D", "Division": "V",
        "Cost Center Code": "C", "Organization": "O", "Shoe size": 43, "nested": {"a": [1]},
    });
    let answer = create(&world, &full).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["IAM"]["UserProfile"].to_string(), full.to_string());
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "jane", "displayName": "J R", "name": {"givenName": "J", "familyName": "R"},
        "emails": [{"value": "j@x", "type": "work", "primary": true}], "externalId": "E7",
        "phoneNumbers": [{"value": "+1", "type": "work"}], "title": "T", "userType": "Y",
        ENTERPRISE: {"employeeNumber": "8", "department": "D", "division": "V", "costCenter": "C", "organization": "O"},
        "active": true,
    });
    assert_eq!(world.writes()[0].2.as_ref(), Some(&body));
}

#[tokio::test]
async fn empty_fields_are_left_out() {
    let world = World::holding(json!({})).await;
    let empty = json!({"email": "", "title": "", "mobilephone": null, "employeeid": "", "department": "", "employeetype": null});
    let answer = create(&world, &but(profile("jane"), empty)).await;
    // An empty e-mail yields to the app user's; there is none, so it stays as it was.
    assert_eq!((answer.status, &answer.vendor()["email"]), (200, &json!("")));
    let (_, _, body) = world.writes().remove(0);
    let body = body.unwrap();
    let sent: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(sent, ["schemas", "userName", "displayName", "name", "active"]);
}

#[tokio::test]
async fn text_is_text_whatever_it_looks_like() {
    let world = World::holding(json!({})).await;
    for (n, text) in [
        "😀 山田",
        "مرحبا",
        "Z͑ͫ̓a̴l",
        "__proto__",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "'; drop table",
        "$(id)",
        "=cmd|' /C x'!A0",
        "a\"}],\"b",
    ]
    .into_iter()
    .enumerate()
    {
        let asked = but(
            profile(&format!("p{n}")),
            json!({"surname": text, "title": text, "members[value eq \"x\"]": text, "__proto__": {}}),
        );
        let answer = create(&world, &asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let user = world.user(&format!("p{n}"));
        assert_eq!(
            (&user["name"]["familyName"], &user["title"]),
            (&json!(text), &json!(text))
        );
        assert_eq!(answer.json()["IAM"]["UserProfile"], asked);
    }
}

#[tokio::test]
async fn the_update_after_a_conflict_never_creates_again() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 404 }).on("PatchUser"));
    let answer = create(&world, &but(profile("test"), json!({"title": "Boss"}))).await;
    let vendor = answer.vendor();
    assert_eq!(
        (answer.status, &vendor["action"], &vendor["errorMessage"]),
        (404, &json!("update"), &json!("User does not exist"))
    );
    world.assert_calls(&[("CreateUser", 1), ("ListUsers", 1), ("PatchUser", 1)]);
}
