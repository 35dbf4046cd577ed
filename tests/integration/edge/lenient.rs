//! `Prefer: handling=lenient`: an envelope with 200 for what the caller can mend or has to know of
//! a command, and for nothing else.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    callers::{ALL, caller, key, world},
    harness::{Answer, Setup, World, answer, until},
};

async fn send(world: &World, path: &str, body: &str, fields: &[(&str, &str)]) -> Answer {
    let request = world.http.post(world.url(path)).body(body.to_owned());
    let request = fields
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    answer(request).await
}

const JSON: (&str, &str) = ("content-type", "application/json");
const LENIENT: (&str, &str) = ("prefer", "handling=lenient");

/// A world whose commands have little time.
async fn impatient() -> World {
    World::with(Setup {
        environment: vec![
            ("AWS_ILM_REQUEST_TIMEOUT", "300ms".to_owned()),
            ("AWS_ILM_COMMAND_TIMEOUT", "2s".to_owned()),
        ],
        ..Setup::default()
    })
    .await
}

/// A failed command, of users and of groups, with every status that one can have.
#[tokio::test]
async fn a_failed_command_is_its_envelope_with_200() {
    let world = impatient().await;
    let fault = |kind| world.sandbox.script(Fault::new(kind).times(9));
    let status = |status| FaultKind::Status { status };
    let throttled = FaultKind::Throttle {
        retry_after: Some("7".to_owned()),
    };
    let late = FaultKind::Slow {
        milliseconds: 5_000,
        work_late: false,
    };
    let absent = json!({"user-profile": {"id": "nobody"}}).to_string();
    let group = json!({"scim": {"displayName": "Nobody"}}).to_string();
    for (command, body, kind, expected) in [
        (
            "iam-create-user",
            "{\"user-profile\": {\"username\": \"new\"}}",
            None,
            400,
        ),
        ("iam-get-user", &absent, None, 404),
        ("iam-get-group", &group, None, 404),
        ("iam-delete-group", "{\"scim\": {\"id\": \"none\"}}", None, 404),
        ("iam-get-user", &absent, Some(status(401)), 502),
        ("iam-get-group", &group, Some(status(403)), 502),
        ("iam-create-group", &group, Some(status(409)), 409),
        ("test-module", "{}", Some(status(401)), 502),
        ("iam-get-user", &absent, Some(throttled), 503),
        ("iam-get-group", &group, Some(late), 504),
    ] {
        let mut answers = Vec::new();
        for fields in [&[JSON][..], &[JSON, LENIENT]] {
            world.sandbox.clear_faults();
            if let Some(kind) = &kind {
                fault(kind.clone());
            }
            answers.push(send(&world, &format!("/commands/{command}"), body, fields).await);
        }
        let [strict, lenient] = &answers[..] else {
            unreachable!()
        };
        assert_eq!(
            (strict.status, lenient.status),
            (expected, 200),
            "{command}: {}",
            strict.text
        );
        assert_eq!(lenient.header("preference-applied"), Some("handling=lenient"));
        let without_id = |text: &str| text.split(" (AWS request id").next().unwrap().to_owned();
        // A throttled lane refuses the second one by itself, in other words.
        if expected != 503 {
            assert_eq!(without_id(&lenient.text), without_id(&strict.text), "{command}");
        }
    }
}

/// Arguments that are refused, once the caller, its rights and the instance are settled.
#[tokio::test]
async fn refused_arguments_are_a_failed_envelope_with_200() {
    let world = World::start().await;
    let shown = json!({"username": "kim", "email": "kim@example.com"});
    let users: &[(&str, &str, Value)] = &[
        ("", "/problems/not-json", json!({})),
        ("{\"user-profile\": ", "/problems/not-json", json!({})),
        ("{}", "/problems/missing-argument", json!({})),
        ("[]", "/problems/bad-argument", json!({})),
        ("{\"user-profile\": [1]}", "/problems/bad-argument", json!({})),
        (
            "{\"user-profile\": {\"username\": \"kim\", \"email\": \"kim@example.com\"}, \"x\": 1}",
            "/problems/unknown-argument",
            shown,
        ),
    ];
    for (command, action) in [
        ("iam-create-user", "create"),
        ("iam-update-user", "update"),
        ("iam-get-user", "get"),
        ("iam-disable-user", "disable"),
    ] {
        for (body, kind, profile) in users {
            let path = format!("/commands/{command}");
            let strict = send(&world, &path, body, &[JSON]).await;
            assert_eq!(
                (strict.status, &strict.json()["type"]),
                (400, &json!(kind)),
                "{command} {body}"
            );
            let lenient = send(&world, &path, body, &[JSON, LENIENT]).await;
            assert_eq!(lenient.status, 200, "{}", lenient.text);
            assert_eq!(lenient.header("preference-applied"), Some("handling=lenient"));
            let vendor = lenient.vendor();
            assert_eq!(vendor["errorCode"], 400);
            assert_eq!(vendor["errorMessage"], strict.json()["detail"]);
            assert_eq!((&vendor["action"], &vendor["success"]), (&json!(action), &json!(false)));
            assert_eq!(vendor.as_object().unwrap().len(), 13);
            assert_eq!(lenient.json()["IAM"]["UserProfile"], *profile, "{command} {body}");
        }
    }
    world.assert_calls(&[]);
}

/// The same of groups and of the instance, each under its own key.
#[tokio::test]
async fn refused_arguments_of_groups_are_told_under_their_own_keys() {
    let world = World::start().await;
    for (command, key) in [
        ("iam-get-group", "GetGroup"),
        ("iam-create-group", "CreateGroup"),
        ("iam-update-group", "UpdateGroup"),
        ("iam-delete-group", "DeleteGroup"),
        ("test-module", "TestModule"),
    ] {
        let path = format!("/commands/{command}");
        let strict = send(&world, &path, "{\"x\": 1}", &[JSON]).await;
        let lenient = send(&world, &path, "{\"x\": 1}", &[JSON, LENIENT]).await;
        assert_eq!((strict.status, lenient.status), (400, 200), "{}", lenient.text);
        let told = &lenient.json()[key];
        assert_eq!(
            (&told["errorCode"], &told["success"]),
            (&json!(400), &json!(false)),
            "{}",
            lenient.text
        );
        assert_eq!(told["errorMessage"], strict.json()["detail"]);
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn a_refused_dry_run_says_so_and_markdown_is_markdown() {
    let world = World::start().await;
    let dry = send(&world, "/commands/iam-get-user?dryRun=true", "{}", &[JSON, LENIENT]).await;
    assert_eq!(
        (dry.status, &dry.json()["dryRun"]["requests"]),
        (200, &json!([])),
        "{}",
        dry.text
    );
    let markdown = send(
        &world,
        "/commands/iam-get-user",
        "{}",
        &[JSON, LENIENT, ("accept", "text/markdown")],
    )
    .await;
    assert!(
        markdown.status == 200 && markdown.text.contains("user-profile"),
        "{}",
        markdown.text
    );
    // Its envelope can tell no failure.
    assert_eq!(
        send(&world, "/commands/get-mapping-fields", "{\"x\": 1}", &[JSON, LENIENT])
            .await
            .status,
        400
    );
}

/// Everything else is answered as it is to others.
#[tokio::test]
async fn no_other_problem_is_softened() {
    let keys = [key(), key(), key()];
    let callers = [
        caller("all", &[&keys[0].1], ALL),
        caller("reader", &[&keys[1].1], "commands = [\"read\"]\ninstances = [\"*\"]"),
        caller("spent", &[&keys[2].1], &format!("{ALL}\nrequests_per_second = 0.001")),
    ];
    let (world, _file) = world(
        &callers.concat(),
        &[("AWS_ILM_ALLOWED_HOSTS", "ilm.example"), ("AWS_ILM_BODY_LIMIT", "2048")],
    )
    .await;
    let [all, reader, spent] = keys.each_ref().map(|(key, _)| ("x-api-key", key.as_str()));
    world.get_user(&[spent]).await;
    let get = "/commands/iam-get-user";
    let (long, target) = ("x".repeat(3_000), format!("{get}?{}", "x".repeat(9_000)));
    let header = "x".repeat(33 * 1024);
    for (path, body, fields, status) in [
        (get, "{}", vec![JSON], 401),
        ("/commands/iam-disable-user", "{}", vec![JSON, reader], 403),
        ("/commands/iam-get-usr", "{}", vec![JSON, all], 404),
        ("/commands/iam-get-user?instance=none", "{}", vec![JSON, all], 404),
        ("/instances", "{}", vec![JSON, all], 405),
        (get, &long, vec![JSON, all], 413),
        (&target, "{}", vec![JSON, all], 414),
        (get, "{}", vec![all], 415),
        (get, "{}", vec![JSON, all, ("content-encoding", "gzip")], 415),
        (get, "{}", vec![JSON, all, ("host", "evil.example")], 421),
        (get, "{}", vec![JSON, spent], 429),
        (get, "{}", vec![JSON, all, ("x", &header)], 431),
        // Not the body's fault.
        ("/commands/iam-get-user?dryrun=true", "{}", vec![JSON, all], 400),
        (get, "{}", vec![JSON, all, ("host", "a@b")], 400),
        ("/mappers/built-in/explain", "{}", vec![JSON, all], 400),
    ] {
        let fields: Vec<_> = fields.into_iter().chain([LENIENT]).collect();
        let answer = send(&world, path, body, &fields).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("preference-applied"), None);
    }
}

/// A service that is busy says so by its status, whatever was asked for.
#[tokio::test]
async fn a_busy_service_stays_busy() {
    let world = World::with(Setup {
        environment: vec![("AWS_ILM_MAX_CONCURRENT_COMMANDS", "1".to_owned())],
        ..Setup::default()
    })
    .await;
    let late = FaultKind::Slow {
        milliseconds: 3_000,
        work_late: false,
    };
    world.sandbox.script(Fault::new(late).on("CreateGroup"));
    let group = json!({"scim": {"displayName": "Late"}});
    let first = world
        .http
        .post(world.url("/commands/iam-create-group"))
        .json(&group)
        .send();
    let first = tokio::spawn(first);
    until(|| world.sandbox.calls().contains_key("CreateGroup")).await;
    let body = json!({"user-profile": {"username": "test"}}).to_string();
    let busy = send(&world, "/commands/iam-get-user", &body, &[JSON, LENIENT]).await;
    assert_eq!((busy.status, &busy.json()["type"]), (503, &json!("/problems/busy")));
    assert_eq!(busy.header("preference-applied"), None);
    // A body that is refused needs no place.
    assert_eq!(
        send(&world, "/commands/iam-get-user", "{}", &[JSON, LENIENT])
            .await
            .status,
        200
    );
    first.abort();
}
