//! Every form of every argument, and every refusal of one.

use serde_json::json;

use crate::{
    expected::{crowd, ids, person, profile},
    harness::{Answer, World, answer},
};

/// Sends a body that need not be JSON.
async fn send(world: &World, command: &str, body: &str) -> Answer {
    let request = world.http.post(world.url(&format!("/commands/{command}")));
    answer(request.header("content-type", "application/json").body(body.to_owned())).await
}

/// Asserts a problem with this name and this pointer into the body.
#[track_caller]
fn assert_problem(answer: &Answer, status: u16, name: &str, pointer: &str) {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (status, Some("application/problem+json")),
        "{}",
        answer.text
    );
    let problem = answer.json();
    assert_eq!(problem["type"], format!("/problems/{name}"), "{}", answer.text);
    assert_eq!(problem["errors"][0]["pointer"], pointer, "{}", answer.text);
    assert!(problem["requestId"].is_string());
}

#[tokio::test]
async fn a_profile_and_a_group_are_an_object_or_a_string_that_holds_one() {
    let world =
        World::holding(json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A"}]})).await;
    for command in ["iam-get-user", "iam-create-user", "iam-update-user", "iam-disable-user"] {
        let object = json!({"username": "test"});
        let from_object = world.command(command, &json!({"user-profile": object})).await;
        world
            .sandbox
            .load(aws_ilm::sandbox::Seed::from_json(&json!({"users": [person("u-1", "test")]}).to_string()).unwrap());
        let from_text = world
            .command(command, &json!({"user-profile": object.to_string()}))
            .await;
        assert_eq!((from_object.status, from_text.status), (200, 200), "{command}");
        assert_eq!(
            from_object.json()["IAM"]["UserProfile"],
            from_text.json()["IAM"]["UserProfile"]
        );
        world
            .sandbox
            .load(aws_ilm::sandbox::Seed::from_json(&json!({"users": [person("u-1", "test")]}).to_string()).unwrap());
    }
    for (command, scim) in [
        ("iam-create-group", json!({"displayName": "A"})),
        ("iam-get-group", json!({"displayName": "A"})),
        ("iam-update-group", json!({"id": "g-1", "displayName": "B"})),
        ("iam-delete-group", json!({"id": "g-1"})),
    ] {
        world
            .sandbox
            .load(aws_ilm::sandbox::Seed::from_json(r#"{"groups": [{"id": "g-1", "displayName": "A"}]}"#).unwrap());
        let answer = world.command(command, &json!({"scim": scim.to_string()})).await;
        assert_eq!(
            answer.status,
            if command == "iam-create-group" { 409 } else { 200 },
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn switches_are_booleans_or_their_names_and_an_empty_one_is_the_default() {
    let world = World::holding(crowd(1, 1)).await;
    for (value, shown) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(null), true),
        (json!(""), true),
        (json!(false), false),
        (json!("false"), false),
    ] {
        let answer = world
            .command(
                "iam-get-group",
                &json!({"scim": {"id": "g-1"}, "includeMembers": value}),
            )
            .await;
        assert_eq!(answer.json()["GetGroup"]["members"].is_array(), shown, "{value}");
    }
    for value in [json!("yes"), json!("True"), json!(1), json!([true]), json!({})] {
        let answer = world
            .command(
                "iam-get-group",
                &json!({"scim": {"id": "g-1"}, "includeMembers": value}),
            )
            .await;
        assert_problem(&answer, 400, "bad-argument", "/includeMembers");
        for command in ["iam-create-user", "iam-update-user"] {
            let answer = world
                .command(command, &json!({"user-profile": profile("a"), "allow-enable": value}))
                .await;
            assert_problem(&answer, 400, "bad-argument", "/allow-enable");
        }
    }
}

#[tokio::test]
async fn member_lists_come_in_three_forms() {
    for (add, remove) in [
        (json!(["m-2", "m-3"]), json!(["m-0"])),
        (json!("[\"m-2\", \"m-3\"]"), json!("[\"m-0\"]")),
        (json!("m-2,m-3"), json!("m-0")),
        (json!(" m-2 , m-3 ,"), json!(" m-0 ")),
    ] {
        let world = World::holding(crowd(4, 2)).await;
        let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": add, "memberIdsToDelete": remove});
        let answer = world.command("iam-update-group", &arguments).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let members: Vec<_> = ids(1..4).into_iter().map(|id| json!({"value": id})).collect();
        assert_eq!(world.group("g-1")["members"], json!(members));
    }
    let world = World::holding(crowd(1, 0)).await;
    for bad in [
        json!(7),
        json!({"a": 1}),
        json!([7]),
        json!([null]),
        json!("[7]"),
        json!("[\"a\""),
        json!(true),
        json!([["a"]]),
    ] {
        for argument in ["memberIdsToAdd", "memberIdsToDelete"] {
            let answer = world
                .command("iam-update-group", &json!({"scim": {"id": "g-1"}, argument: bad}))
                .await;
            assert_eq!(
                (answer.status, &answer.json()["type"]),
                (400, &json!("/problems/bad-argument")),
                "{bad}"
            );
            let pointer = answer.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
            assert!(pointer.starts_with(&format!("/{argument}")), "{bad}: {pointer}");
        }
    }
    world.assert_calls(&[]);
}

/// - Hostile input 22, a list for an object: 400.
/// - Hostile input 26, null for what is needed, or for everything: 400.
#[tokio::test]
async fn what_is_no_document_for_an_argument_is_a_problem_with_its_place() {
    let world = World::start().await;
    for value in [
        "7",
        "null",
        "true",
        "[]",
        "[\"a\",\"b\"]",
        "\"\"",
        "\"x\"",
        "\"[]\"",
        "\"{\\\"a\\\":1,\\\"a\\\":2}\"",
        "\"{} x\"",
    ] {
        for command in ["iam-get-user", "iam-create-user", "iam-update-user", "iam-disable-user"] {
            assert_problem(
                &send(&world, command, &format!("{{\"user-profile\":{value}}}")).await,
                400,
                "bad-argument",
                "/user-profile",
            );
        }
        for command in [
            "iam-get-group",
            "iam-create-group",
            "iam-update-group",
            "iam-delete-group",
        ] {
            assert_problem(
                &send(&world, command, &format!("{{\"scim\":{value}}}")).await,
                400,
                "bad-argument",
                "/scim",
            );
        }
    }
    world.assert_calls(&[]);
}

/// - Hostile input 13, a user name with characters nobody sees: 400, no call.
/// - Hostile input 21, a key given twice: 400.
/// - Hostile input 22, a list for an object: 400.
/// - Hostile input 23, attributes that nobody may set by a profile: unknown arguments 400; in a
///   profile ignored, never sent.
/// - Hostile input 24, nesting of 128 and 100,000: 400.
/// - Hostile input 25, numbers for text, and numbers that would change: 400.
/// - Hostile input 26, null for what is needed, or for everything: 400.
/// - Hostile input 27, no body, half a body, more than a body, a byte order mark, comments: 400.
#[tokio::test]
async fn missing_unknown_and_doubled_arguments_are_named() {
    let world = World::start().await;
    for (command, body, name, pointer) in [
        ("iam-get-user", r#"{}"#, "missing-argument", "/user-profile"),
        (
            "iam-update-group",
            r#"{"memberIdsToAdd": []}"#,
            "missing-argument",
            "/scim",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {}, "allow-enable": true}"#,
            "unknown-argument",
            "/allow-enable",
        ),
        (
            "iam-create-user",
            r#"{"user-profil": {}}"#,
            "unknown-argument",
            "/user-profil",
        ),
        (
            "iam-update-user",
            r#"{"user-profile": {}, "a/b~c": 1}"#,
            "unknown-argument",
            "/a~1b~0c",
        ),
        (
            "iam-disable-user",
            r#"{"user-profile": {}, "allow-enable": false}"#,
            "unknown-argument",
            "/allow-enable",
        ),
        (
            "iam-get-group",
            r#"{"scim": {"id": "1"}, "memberIdsToAdd": []}"#,
            "unknown-argument",
            "/memberIdsToAdd",
        ),
        (
            "iam-update-group",
            r#"{"scim": {"id": "1"}, "memberidstoadd": []}"#,
            "unknown-argument",
            "/memberidstoadd",
        ),
        ("test-module", r#"{"x": 1}"#, "unknown-argument", "/x"),
        (
            "get-mapping-fields",
            r#"{"user-profile": {}}"#,
            "unknown-argument",
            "/user-profile",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {}, "user-profile": {}}"#,
            "not-json",
            "/user-profile",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {"username": "a", "username": "b"}}"#,
            "not-json",
            "/user-profile/username",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {"employeeid": 99999999999999999999}}"#,
            "not-json",
            "/user-profile/employeeid",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {"a": 1e400}}"#,
            "not-json",
            "/user-profile/a",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {"a": -0.0}}"#,
            "not-json",
            "/user-profile/a",
        ),
        (
            "iam-get-user",
            r#"{"user-profile": {"a": "\ud800"}}"#,
            "not-json",
            "/user-profile/a",
        ),
        ("iam-get-user", r#"{"user-profile": {}} x"#, "not-json", ""),
        ("iam-get-user", "", "not-json", ""),
        ("iam-get-user", "{", "not-json", ""),
        ("iam-get-user", "\u{feff}{}", "not-json", ""),
        ("iam-get-user", "{} // no", "not-json", ""),
        ("iam-get-user", "[{}]", "bad-argument", ""),
        ("iam-get-user", "null", "bad-argument", ""),
    ] {
        assert_problem(&send(&world, command, body).await, 400, name, pointer);
    }
    for depth in [128, 100_000] {
        let deep = format!("{{\"user-profile\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let answer = send(&world, "iam-get-user", &deep).await;
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (400, &json!("/problems/not-json"))
        );
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn no_refusal_repeats_a_value() {
    let world = World::start().await;
    for body in [
        r#"{"user-profile": "geheim-7"}"#,
        r#"{"user-profile": {}, "allow-enable": "geheim-7"}"#,
        r#"{"user-profile": {"a": "geheim-7"}, "x": 1}"#,
    ] {
        let answer = send(&world, "iam-create-user", body).await;
        assert!(
            answer.status == 400 && !answer.text.contains("geheim-7"),
            "{}",
            answer.text
        );
    }
}
