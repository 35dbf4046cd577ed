//! iam-get-user.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{ENTERPRISE, but, done, failed, mapped, person, profile, user_envelope},
    harness::World,
};

async fn get(world: &World, profile: &Value) -> crate::harness::Answer {
    world.command("iam-get-user", &json!({"user-profile": profile})).await
}

#[tokio::test]
async fn who_is_found_is_told_whole_and_mapped_to_display_names() {
    let full = but(
        person("u-1", "test"),
        json!({
            "externalId": "E7", "title": "Boss", "phoneNumbers": [{"value": "+1 555", "type": "mobile"}], "active": false,
            ENTERPRISE: {"department": "D", "costCenter": "C"},
        }),
    );
    let world = World::holding(json!({"users": [full]})).await;
    let before = world.sandbox.dump();
    let answer = get(&world, &json!({"username": "test"})).await;
    let shown = json!({
        "Email": "test@example.com", "Employee ID": "E7", "Given Name": "Test", "Surname": "User", "Username": "test",
        "Mobile Phone": "+1 555", "Title": "Boss", "Department": "D", "Cost Center Code": "C",
    });
    let vendor = done("get", &world.user("u-1"), &json!("test@example.com"));
    assert_eq!(answer.text, user_envelope(&shown, &vendor));
    assert_eq!(vendor["active"], false);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    world.assert_calls(&[("ListUsers", 1)]);
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn an_id_is_looked_up_first_and_a_name_after_an_unknown_one() {
    let world = World::holding(json!({"users": [person("u-1", "test"), person("u-2", "other")]})).await;
    let answer = get(&world, &json!({"id": "u-2", "username": "gone"})).await;
    assert_eq!(answer.vendor()["username"], "other");
    world.assert_calls(&[("GetUser", 1), ("ListUsers", 1)]);
    let answer = get(&world, &json!({"id": "u-9", "username": "test"})).await;
    assert_eq!(answer.vendor()["id"], "u-1");
    world.assert_calls(&[("GetUser", 1), ("ListUsers", 1)]);
    let answer = get(&world, &json!({"id": "u-9"})).await;
    let vendor = failed("get", 404, "User does not exist", &Value::Null, &json!({}));
    assert_eq!(
        (answer.status, answer.text),
        (404, user_envelope(&json!({"id": "u-9"}), &vendor))
    );
    world.assert_calls(&[("GetUser", 1)]);
}

#[tokio::test]
async fn an_id_and_a_name_of_two_users_are_ambiguous() {
    let world = World::holding(json!({"users": [person("u-1", "test"), person("u-2", "other")]})).await;
    let before = world.sandbox.dump();
    for command in ["iam-get-user", "iam-disable-user"] {
        let about = json!({"user-profile": {"id": "u-2", "username": "test"}});
        let answer = world.command(command, &about).await;
        let message = "ambiguous: the id is that of user u-2 (userName other), and the userName that of user u-1 \
                       (userName test); send the one that is meant";
        assert_eq!(
            (answer.status, &answer.vendor()["errorMessage"]),
            (409, &json!(message)),
            "{command}"
        );
        world.assert_calls(&[("GetUser", 1), ("ListUsers", 1)]);
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn nobody_there_is_a_404_that_shows_the_mapped_profile() {
    let world = World::holding(json!({})).await;
    let answer = get(&world, &profile("nobody")).await;
    let vendor = failed(
        "get",
        404,
        "User does not exist",
        &json!("nobody@example.com"),
        &mapped("nobody"),
    );
    assert_eq!(
        (answer.status, answer.text),
        (404, user_envelope(&profile("nobody"), &vendor))
    );
    world.assert_calls(&[("ListUsers", 1)]);
}

#[tokio::test]
async fn without_a_key_it_says_which_fields_would_do_and_asks_nobody() {
    let world = World::start().await;
    for asked in [
        json!({}),
        json!({"username": ""}),
        json!({"id": null, "title": "Boss"}),
        json!({"username": " \u{a0}"}),
        json!({"olduserdata": {"title": "Boss"}}),
    ] {
        let answer = get(&world, &asked).await;
        let vendor = answer.vendor();
        assert_eq!(
            (answer.status, vendor["errorCode"].as_u64()),
            (400, Some(400)),
            "{asked}"
        );
        assert_eq!(
            vendor["errorMessage"], "user-profile needs at least one of: id, username, employeeid, also in olduserdata",
            "{asked}"
        );
    }
    world.assert_calls(&[]);
}

/// Hostile input 2, an id of dots, plain or encoded: 400, no call.
#[tokio::test]
async fn a_malformed_id_is_refused_by_every_user_command_without_a_call() {
    let world = World::start().await;
    let long = "x".repeat(65);
    let ids = [
        "..",
        ".",
        "../Users/1",
        "..%2FUsers%2F1",
        "%2e%2e",
        "a\\b",
        "a b",
        "a\tb",
        "a\nb",
        "a?x=1",
        "a#",
        "a/",
        "é",
        "a%00",
        &long,
    ];
    for command in ["iam-get-user", "iam-create-user", "iam-update-user", "iam-disable-user"] {
        for id in ids {
            let asked = but(profile("test"), json!({"id": id}));
            let answer = world.command(command, &json!({"user-profile": asked})).await;
            let action = command.split('-').nth(1).unwrap();
            let message = "user-profile.id must be 1 to 64 letters, digits, `_` or `-`";
            // The character that can't stand in it is named behind the rule.
            let said = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
            assert!(said.starts_with(message), "{command} {id:?}: {said}");
            let vendor = failed(action, 400, &said, &json!("test@example.com"), &mapped("test"));
            assert_eq!(
                (answer.status, answer.text),
                (400, user_envelope(&asked, &vendor)),
                "{command} {id:?}"
            );
        }
    }
    world.assert_calls(&[]);
}

/// - Hostile input 11, a user name that continues the filter: looked up literally, 404, one
///   comparison.
/// - Hostile input 12, a user name of backslashes and quotes: looked up literally, 404.
/// - Hostile input 14, a user name of what a query is made of: arrives as it was sent.
/// - Hostile input 15, names that look alike: composed and decomposed, Latin and Cyrillic: 404,
///   nobody else is taken.
#[tokio::test]
async fn names_are_looked_up_literally() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    for name in [
        "a\"or(userName)pr\"b",
        "a\\",
        "\"",
        "a&startIndex=1",
        "a+b%22#",
        "teѕt",
        "te\u{301}st",
    ] {
        let answer = get(&world, &json!({"username": name})).await;
        assert_eq!(answer.status, 404, "{name:?}: {}", answer.text);
        let request = world
            .sandbox
            .requests()
            .into_iter()
            .find(|request| request.api == "ListUsers")
            .unwrap();
        let url = url::Url::parse(&format!("http://x{}", request.path)).unwrap();
        let pairs: Vec<_> = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let quoted = Value::from(name).to_string();
        assert_eq!(pairs, [("filter".to_owned(), format!("userName eq {quoted}"))]);
        world.sandbox.reset_calls();
    }
}

/// - Hostile input 13, a user name with characters nobody sees: 400, no call.
/// - Hostile input 25, numbers for text, and numbers that would change: 400.
#[tokio::test]
async fn what_no_name_can_have_is_refused_without_a_call() {
    let world = World::start().await;
    for name in ["a\nb", "a b", "a\u{0}b", "\u{202e}a", "a\u{200b}"] {
        let answer = get(&world, &json!({"username": name})).await;
        assert_eq!(
            (answer.status, answer.vendor()["errorCode"].as_u64()),
            (400, Some(400)),
            "{name:?}"
        );
        assert!(
            answer.vendor()["errorMessage"]
                .as_str()
                .unwrap()
                .starts_with("userName: "),
            "{}",
            answer.text
        );
    }
    for value in [json!(7), json!(true), json!(["test", "other"]), json!({"a": 1})] {
        let answer = get(&world, &json!({"username": value})).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.vendor()["errorMessage"]
                .as_str()
                .unwrap()
                .starts_with("user-profile.username: must be text")
        );
    }
    world.assert_calls(&[]);
}

/// Hostile input 16, a user name in another letter case: the same person; disabled by the id that
/// was found.
#[tokio::test]
async fn letter_case_is_one_name_and_display_names_are_fields() {
    let world = World::holding(json!({"users": [person("u-1", "bjensen"), person("u-2", "other")]})).await;
    assert_eq!(get(&world, &json!({"username": "BJensen"})).await.vendor()["id"], "u-1");
    assert_eq!(
        get(&world, &json!({"User Name": "bjensen"})).await.vendor()["id"],
        "u-1"
    );
    // The exact key wins.
    assert_eq!(
        get(&world, &json!({"Username": "bjensen", "username": "other"}))
            .await
            .vendor()["id"],
        "u-2"
    );
    assert_eq!(
        get(&world, &json!({"ID": "u-1", "username": "bjensen"})).await.vendor()["id"],
        "u-1"
    );
}

#[tokio::test]
async fn the_email_is_the_profiles_else_the_app_users() {
    let mut silent = person("u-2", "silent");
    silent.as_object_mut().unwrap().remove("emails");
    let world = World::holding(json!({"users": [person("u-1", "test"), silent]})).await;
    for (asked, email) in [
        (json!({"username": "test"}), json!("test@example.com")),
        (json!({"username": "test", "email": "mine@x"}), json!("mine@x")),
        (json!({"username": "test", "Email": "mine@x"}), json!("mine@x")),
        (json!({"username": "test", "email": ""}), json!("test@example.com")),
        (json!({"username": "silent"}), json!(null)),
        (json!({"username": "silent", "email": ""}), json!("")),
    ] {
        assert_eq!(get(&world, &asked).await.vendor()["email"], email, "{asked}");
    }
}

#[tokio::test]
async fn no_switch_stops_it() {
    let off: Vec<_> = [
        "CREATE_USER_ENABLED",
        "UPDATE_USER_ENABLED",
        "ENABLE_USER_ENABLED",
        "DISABLE_USER_ENABLED",
        "CREATE_IF_NOT_EXISTS",
    ]
    .map(|name| (&*format!("AWS_ILM_{name}").leak(), "false"))
    .into();
    let world = World::holding_with(json!({"users": [person("u-1", "test")]}), &off).await;
    assert_eq!(get(&world, &json!({"username": "test"})).await.status, 200);
}

/// - Hostile input 15, names that look alike: composed and decomposed, Latin and Cyrillic: 404,
///   nobody else is taken.
/// - Hostile input 17, a lookup that finds two: 409, nothing written.
/// - Hostile input 18, a lookup that finds another: 502, nothing written.
#[tokio::test]
async fn an_answer_about_somebody_else_or_two_is_believed_by_no_user_command() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let before = world.sandbox.dump();
    let list = |people: &[Value]| json!({"totalResults": people.len(), "Resources": people}).to_string();
    let two = list(&[person("u-1", "test"), person("u-2", "test")]);
    let other = list(&[person("u-1", "tester")]);
    for command in ["iam-get-user", "iam-update-user", "iam-disable-user", "iam-create-user"] {
        for (body, status, word) in [(&two, 409, "ambiguous"), (&other, 502, "mismatch")] {
            let raw = FaultKind::Raw {
                status: 200,
                content_type: "application/json".into(),
                body: body.clone(),
            };
            world.sandbox.script(Fault::new(raw).on("ListUsers"));
            let answer = world
                .command(
                    command,
                    &json!({"user-profile": but(profile("test"), json!({"title": "x"}))}),
                )
                .await;
            let vendor = answer.vendor();
            assert_eq!(
                (answer.status, vendor["errorCode"].as_u64()),
                (status, Some(status.into())),
                "{command}"
            );
            assert!(
                vendor["errorMessage"].as_str().unwrap().starts_with(word),
                "{}",
                answer.text
            );
        }
    }
    assert_eq!(world.sandbox.dump(), before);
}
