//! The rights of callers, and that no refusal tells what exists.

use serde_json::{Value, json};

use crate::{
    callers::{ALL, caller, key, somebody, two_instances, world},
    harness::{Answer, World, answer},
    process::{File, Running},
};

/// Hostile input 56, a right that is missing: 403, told, no call.
#[tokio::test]
async fn a_command_that_was_not_given_is_refused_by_name_before_its_body_is_read() {
    let (reader, reader_digest) = key();
    let (writer, writer_digest) = key();
    let callers = caller(
        "reader",
        &[&reader_digest],
        "commands = [\"read\"]\ninstances = [\"*\"]",
    ) + &caller(
        "writer",
        &[&writer_digest],
        "commands = [\"iam-create-*\", \"iam-disable-user\"]\ninstances = [\"*\"]",
    );
    let (world, _file) = world(&callers, &[]).await;
    world.sandbox.reset_calls();
    for (key, command, allowed) in [
        (&reader, "iam-get-user", true),
        (&reader, "iam-get-group", true),
        (&reader, "test-module", true),
        (&reader, "get-mapping-fields", true),
        (&reader, "iam-create-user", false),
        (&reader, "iam-update-user", false),
        (&reader, "iam-disable-user", false),
        (&reader, "iam-create-group", false),
        (&reader, "iam-update-group", false),
        (&reader, "iam-delete-group", false),
        (&writer, "iam-create-user", true),
        (&writer, "iam-create-group", true),
        (&writer, "iam-disable-user", true),
        (&writer, "iam-get-user", false),
        (&writer, "iam-update-user", false),
        (&writer, "iam-delete-group", false),
    ] {
        // A dry run needs the same right; and a body that is no use is not looked at where the
        // right is missing.
        for query in ["", "?dryRun=true", "?instance=nowhere"] {
            let request = world
                .http
                .post(world.url(&format!("/commands/{command}{query}")))
                .header("x-api-key", key);
            let answer = answer(request.header("content-type", "application/json").body("{")).await;
            if allowed {
                assert!(matches!(answer.status, 400 | 404), "{command}: {}", answer.text);
                continue;
            }
            assert_eq!(answer.status, 403, "{command}: {}", answer.text);
            let problem = answer.json();
            assert_eq!(problem["type"], "/problems/forbidden");
            assert_eq!(
                problem["detail"],
                format!("The caller lacks the right to run {command}.")
            );
        }
    }
    world.assert_calls(&[]);
}

fn without_id(answer: &Answer) -> (u16, Value) {
    let mut problem = answer.json();
    problem["requestId"] = Value::Null;
    (answer.status, problem)
}

/// Hostile input 57, another's instance: 404, as one that is not there.
#[tokio::test]
async fn an_instance_of_others_is_told_as_one_that_is_not_there() {
    let directory = World::start().await;
    let (one, one_digest) = key();
    let (all, all_digest) = key();
    let callers = caller(
        "one",
        &[&one_digest],
        "commands = [\"*\"]\ninstances = [\"SECOND\"]\nadministration = true",
    ) + &caller("all", &[&all_digest], ALL);
    let config = File::new(&format!("{}{callers}", two_instances(&directory)));
    let (_service, address) = Running::serve(&["--config", config.path()], &[]);
    let http = crate::harness::caller();
    let ask = async |key: &str, query: &str| {
        let url = format!("http://{address}/commands/iam-get-user{query}");
        answer(http.post(url).header("x-api-key", key).json(&somebody())).await
    };
    for (key, query, status) in [
        (&all, "", 200),
        (&all, "?instance=first", 200),
        (&all, "?instance=second", 200),
        (&all, "?instance=third", 404),
        (&one, "?instance=second", 200),
        (&one, "?instance=Second", 200),
        (&one, "?instance=first", 404),
        (&one, "", 403),
    ] {
        assert_eq!(ask(key, query).await.status, status, "{query}");
    }
    // Nothing in the answer tells the two apart.
    assert_eq!(
        without_id(&ask(&one, "?instance=first").await),
        without_id(&ask(&one, "?instance=third").await)
    );
    let refused = ask(&one, "").await.json();
    assert!(!refused.to_string().contains("first"), "{refused}");

    let get = async |key: &str, path: &str| {
        answer(http.get(format!("http://{address}{path}")).header("x-api-key", key)).await
    };
    let names = |list: &Value, field: &str| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one[field].as_str().unwrap().to_owned())
            .collect()
    };
    for (key, expected) in [(&one, &["second"][..]), (&all, &["first", "second"])] {
        assert_eq!(names(&get(key, "/instances").await.json(), "name"), expected);
        assert_eq!(
            names(&get(key, "/mappers").await.json()["instances"], "instance"),
            expected
        );
    }
}

#[tokio::test]
async fn looking_at_the_service_takes_rights_as_well() {
    let (reader, reader_digest) = key();
    let (none, none_digest) = key();
    let callers = caller(
        "reader",
        &[&reader_digest],
        "commands = [\"get-mapping-fields\"]\ninstances = [\"*\"]",
    ) + &caller("none", &[&none_digest], "operations = \"manage\"");
    let (world, _file) = world(&callers, &[]).await;
    let explain = json!({"user-profile": {"username": "jane"}});
    for (key, instances, mappers) in [(&reader, 403, 200), (&none, 403, 403)] {
        let get = async |path: &str| {
            answer(world.http.get(world.url(path)).header("x-api-key", key))
                .await
                .status
        };
        assert_eq!(get("/instances").await, instances);
        assert_eq!(get("/mappers").await, mappers);
        let request = world
            .http
            .post(world.url("/mappers/built-in/explain"))
            .header("x-api-key", key);
        assert_eq!(answer(request.json(&explain)).await.status, mappers);
        // Where the right is missing the body is not looked at.
        let request = world
            .http
            .post(world.url("/mappers/built-in/explain"))
            .header("x-api-key", key);
        let broken = request.header("content-type", "application/json").body("{");
        assert_eq!(answer(broken).await.status, if mappers == 200 { 400 } else { mappers });
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_call_only_where_it_is_named() {
    let (key, digest) = key();
    let callers = caller("a", &[&digest], ALL);
    let preflight = async |world: &World, origin: &str| {
        let request = world
            .http
            .request(reqwest::Method::OPTIONS, world.url("/commands/iam-get-user"));
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-api-key,content-type"),
        ];
        answer(super::with(request, &asked)).await
    };
    let (closed, _file) = world(&callers, &[]).await;
    let refused = preflight(&closed, "https://hr.example.com").await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control-"))
    );

    let (open, _file) = world(&callers, &[("AWS_ILM_CORS_ORIGINS", "https://hr.example.com")]).await;
    let allowed = preflight(&open, "https://hr.example.com").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://hr.example.com")
    );
    assert!(
        allowed
            .header("access-control-allow-headers")
            .unwrap()
            .contains("x-api-key")
    );
    assert_eq!(allowed.header("access-control-allow-credentials"), None);
    let other = preflight(&open, "https://evil.example.com").await;
    assert_eq!(other.header("access-control-allow-origin"), None);
    // The request behind the preflight still needs credentials.
    let fields = [("origin", "https://hr.example.com")];
    assert_eq!(open.get_user(&fields).await.status, 401);
    let answer = open
        .get_user(&[("origin", "https://hr.example.com"), ("x-api-key", &key)])
        .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, Some("https://hr.example.com"))
    );
}
