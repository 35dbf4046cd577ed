//! Every form of every argument, every refusal of one, and what a caller may say beside them: `Prefer`, `Accept`, the query.

use serde_json::{Value, json};

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
async fn switches_are_booleans_or_their_names_and_null_is_the_default() {
    let world = World::holding(crowd(1, 1)).await;
    for (value, shown) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(null), true),
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
    for value in [
        json!("yes"),
        json!("True"),
        json!(""),
        json!(1),
        json!([true]),
        json!({}),
    ] {
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

#[tokio::test]
async fn the_query_picks_an_instance_and_a_dry_run_and_nothing_else() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let body = json!({"user-profile": {"username": "test"}});
    for query in [
        "?instance=AWS-ILM_instance_1",
        "?instance=aws-ilm_INSTANCE_1",
        "?dryRun=false",
        "?dryRun=true&instance=AWS-ILM_instance_1",
    ] {
        assert_eq!(
            world
                .post(&format!("/commands/iam-get-user{query}"), &body)
                .await
                .status,
            200,
            "{query}"
        );
    }
    let answer = world.post("/commands/iam-get-user?instance=other", &body).await;
    assert_eq!(
        (answer.status, &answer.json()["type"]),
        (404, &json!("/problems/no-such-instance"))
    );
    world.calls();
    for query in [
        "dryrun=true",
        "dryRun=yes",
        "dryRun=true&dryRun=true",
        "instance=",
        "x=1",
        "instance=a&instance=b",
    ] {
        let answer = world.post(&format!("/commands/iam-disable-user?{query}"), &body).await;
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (400, &json!("/problems/bad-parameter")),
            "{query}"
        );
        assert!(answer.json()["errors"][0]["parameter"].is_string());
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn lenient_handling_answers_a_failed_command_with_200_and_the_same_envelope() {
    let world = World::holding(json!({})).await;
    let lenient = async |command: &str, body: Value| {
        let request = world
            .http
            .post(world.url(&format!("/commands/{command}")))
            .header("prefer", "handling=lenient");
        answer(request.json(&body)).await
    };
    let asked = json!({"user-profile": {"username": "nobody"}});
    let strict = world.command("iam-get-user", &asked).await;
    let answer = lenient("iam-get-user", asked).await;
    assert_eq!((strict.status, answer.status, &answer.text), (404, 200, &strict.text));
    assert_eq!(
        (strict.header("preference-applied"), answer.header("preference-applied")),
        (None, Some("handling=lenient"))
    );
    assert_eq!(answer.vendor()["success"], false);
    // A good command needs no leniency, and what never became a command gets none.
    let good = lenient("iam-create-user", json!({"user-profile": profile("jane")})).await;
    assert_eq!((good.status, good.header("preference-applied")), (200, None));
    assert_eq!(lenient("iam-get-user", json!({"x": 1})).await.status, 400);
}

#[tokio::test]
async fn every_commands_table_is_markdown_on_request() {
    let world = World::holding(crowd(1, 1)).await;
    for (command, arguments, status, text) in [
        ("iam-get-user", json!({"user-profile": {"username": "x|`y"}}), 404,
            "### Get User Results (AWS-ILM)\n|brand|instanceName|success|errorCode|errorMessage|details|\n|---|---|---|---|---|---|\n\
             | AWS-ILM | AWS-ILM_instance_1 | false | 404 | User does not exist | userName: x\\|\\`y |\n".to_owned()),
        ("iam-create-user", json!({"user-profile": {"email": "a@x"}}), 400,
            "### Create User Results (AWS-ILM)\n|brand|instanceName|success|email|errorCode|errorMessage|details|\n\
             |---|---|---|---|---|---|---|\n| AWS-ILM | AWS-ILM_instance_1 | false | a@x | 400 | user-profile needs at least one of: \
             id, username | emails: [{\"value\": \"a@x\", \"type\": \"work\", \"primary\": true}] |\n".to_owned()),
        ("iam-disable-user", json!({"user-profile": {"username": "nobody"}}), 200,
            "### Disable User Results (AWS-ILM)\n|brand|instanceName|skipped|reason|\n|---|---|---|---|\n\
             | AWS-ILM | AWS-ILM_instance_1 | true | User does not exist |\n".to_owned()),
        ("iam-get-group", json!({"scim": {"id": "g-404"}}), 404,
            "### AWS Get Group:\n|errorCode|".replace("|errorCode|", "|brand|errorCode|errorMessage|id|instanceName|success|\n\
             |---|---|---|---|---|---|\n| AWS-ILM | 404 | Group Not Found | g-404 | AWS-ILM_instance_1 | false |\n")),
        ("iam-create-group", json!({"scim": {}}), 400,
            "### AWS Create Group:\n|brand|errorCode|errorMessage|instanceName|success|\n|---|---|---|---|---|\n| AWS-ILM | 400 | \
             scim.displayName is needed: the name of the new group | AWS-ILM_instance_1 | false |\n".to_owned()),
    ] {
        let answer = world.markdown(command, &arguments).await;
        assert_eq!((answer.status, answer.text), (status, text));
        assert_eq!(answer.headers["content-type"], "text/markdown; charset=utf-8");
    }
    for (command, arguments, title) in [
        (
            "iam-update-user",
            json!({"user-profile": {"username": "member0"}}),
            "### Update User Results (AWS-ILM)\n|brand|",
        ),
        (
            "iam-get-group",
            json!({"scim": {"id": "g-1"}}),
            "### AWS Get Group:\n|brand|details|displayName|id|instanceName|members|success|\n",
        ),
        (
            "iam-update-group",
            json!({"scim": {"id": "g-1"}, "memberIdsToAdd": "m-0"}),
            "### AWS Update Group:\n|brand|details|id|",
        ),
        (
            "iam-delete-group",
            json!({"scim": {"id": "g-1"}}),
            "### AWS Delete Group:\n|brand|details|id|instanceName|success|\n",
        ),
        (
            "test-module",
            json!({}),
            "### Test Module Results\n|brand|instanceName|success|details|\n",
        ),
        (
            "get-mapping-fields",
            json!({}),
            "### User Profile\n|field|description|\n|---|---|\n| id |",
        ),
    ] {
        let answer = world.markdown(command, &arguments).await;
        assert!(
            answer.status == 200 && answer.text.starts_with(title),
            "{}",
            answer.text
        );
    }
    let refused = world.markdown("iam-get-user", &json!({})).await;
    assert_problem(&refused, 400, "missing-argument", "/user-profile");
}

#[tokio::test]
async fn brand_and_name_are_the_instances() {
    let settings = [("AWS_ILM_BRAND", "My Brand"), ("AWS_ILM_INSTANCE_NAME", "first")];
    let world = World::holding_with(json!({"users": [person("u-1", "test")]}), &settings).await;
    let answer = world
        .command("iam-get-user", &json!({"user-profile": {"username": "test"}}))
        .await;
    assert_eq!(
        (&answer.vendor()["brand"], &answer.vendor()["instanceName"]),
        (&json!("My Brand"), &json!("first"))
    );
    let answer = world
        .markdown("iam-get-user", &json!({"user-profile": {"username": "test"}}))
        .await;
    assert!(
        answer.text.starts_with("### Get User Results (My Brand)\n"),
        "{}",
        answer.text
    );
}
