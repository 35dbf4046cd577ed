//! That answers are what the document says of them.

use std::collections::BTreeSet;

use aws_ilm::sandbox::{Fault, FaultKind};
use reqwest::header::HeaderName;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{EXPLAIN, document, is_documented, method_of, operations};
use crate::{
    callers,
    examples::examples,
    harness::{Answer, Setup, World, answer},
    idempotency,
    operations::{Stored, person},
};

#[tokio::test]
async fn every_answer_that_can_be_provoked_is_documented() {
    let document = document();
    let mut seen = BTreeSet::new();
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_REQUEST_TIMEOUT", "300ms".to_owned()),
            ("AWS_ILM_BODY_TIMEOUT", "300ms".to_owned()),
            ("AWS_ILM_COMMAND_TIMEOUT", "600ms".to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let world = &world;
    let get_user = "/commands/iam-get-user";
    let test = json!({"user-profile": {"username": "test"}});
    let post = || world.http.post(world.url(get_user)).json(&test);
    let mut check = |status: u16, path: &str, answer: Answer| {
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        is_documented(&document, path, method_of(path), &answer);
        seen.insert(status);
    };

    for (command, arguments) in examples() {
        let path = format!("/commands/{command}");
        check(200, &path, world.post(&format!("{path}?dryRun=true"), &arguments).await);
        check(200, &path, world.post(&path, &arguments).await);
        let request = world.http.post(world.url(&path)).header("accept", "text/markdown");
        let status = if command == "iam-create-group" { 409 } else { 200 };
        // The group is gone, or there, after the first time.
        if command != "iam-delete-group" {
            check(status, &path, answer(request.json(&arguments)).await);
        }
        check(
            404,
            &path,
            world.post(&format!("{path}?instance=none"), &arguments).await,
        );
        check(400, &path, world.post(&format!("{path}?dryrun=true"), &arguments).await);
        check(400, &path, world.post(&path, &json!({"none": 1})).await);
        check(415, &path, answer(world.http.post(world.url(&path)).body("x")).await);
    }
    check(
        404,
        get_user,
        world
            .command("iam-get-user", &json!({"user-profile": {"username": "nobody"}}))
            .await,
    );
    check(
        400,
        get_user,
        world.command("iam-get-user", &json!({"user-profile": {}})).await,
    );
    let amira = json!({"user-profile": {"username": "new", "email": "amira.haddad@example.com", "givenname": "a", "surname": "b",
        "displayname": "c"}});
    check(
        409,
        "/commands/iam-create-user",
        world.command("iam-create-user", &amira).await,
    );
    check(413, get_user, answer(post().body("x".repeat(2 * 1024 * 1024))).await);
    check(421, get_user, answer(post().header("host", "evil.example")).await);
    check(431, get_user, answer(post().header("x", "x".repeat(33 * 1024))).await);
    let long = format!("{get_user}?instance={}", "x".repeat(9_000));
    check(414, get_user, world.post(&long, &test).await);
    check(408, get_user, begin_and_wait(world, get_user).await);

    let fault = |kind| world.sandbox.script(Fault::new(kind).forever());
    let retry_after = Some("7".to_owned());
    fault(FaultKind::Throttle { retry_after });
    // By id: what asks for a wait gets it, for the one API alone.
    let by_id = json!({"user-profile": {"id": "nobody"}});
    let throttled = world.command("iam-get-user", &by_id).await;
    assert_eq!(throttled.header("retry-after"), Some("7"));
    check(503, get_user, throttled);
    world.sandbox.clear_faults();
    fault(FaultKind::Status { status: 500 });
    check(502, get_user, world.command("iam-get-user", &test).await);
    world.sandbox.clear_faults();
    fault(FaultKind::Slow {
        milliseconds: 5_000,
        work_late: false,
    });
    check(504, get_user, world.command("iam-get-user", &test).await);
    world.sandbox.clear_faults();

    for path in [
        "/health/live",
        "/health/ready",
        "/instances",
        "/capabilities",
        "/mappers",
        "/metrics",
    ] {
        check(200, path, world.get(path).await);
        let request = || world.http.get(world.url(path));
        if !path.starts_with("/health") {
            check(421, path, answer(request().header("host", "evil.example")).await);
        }
        check(431, path, answer(request().header("x", "x".repeat(33 * 1024))).await);
        check(414, path, world.get(&format!("{path}?{}", "x".repeat(9_000))).await);
    }

    let explain = |name: &str| world.url(&EXPLAIN.replace("{name}", name));
    let profile = json!({"user-profile": {"username": "test"}});
    for (status, name, body) in [
        (200, "built-in", &profile),
        (200, "built-in", &json!({"user": {"userName": "test"}})),
        (400, "built-in", &json!({"none": 1})),
        (404, "none", &profile),
    ] {
        check(status, EXPLAIN, answer(world.http.post(explain(name)).json(body)).await);
    }
    let request = || world.http.post(explain("built-in"));
    check(415, EXPLAIN, answer(request().body("x")).await);
    let large = request().json(&profile).body("x".repeat(2 * 1024 * 1024));
    check(413, EXPLAIN, answer(large).await);
    let crooked = request().json(&profile).header("host", "evil.example");
    check(421, EXPLAIN, answer(crooked).await);

    let (key, digest) = callers::key();
    let nothing = callers::caller("a", &[&digest], "requests_per_second = 0.01");
    let (guarded, _file) = callers::world(&nothing, &[]).await;
    check(401, get_user, guarded.get_user(&[]).await);
    check(403, get_user, guarded.get_user(&[("x-api-key", &key)]).await);
    check(429, get_user, guarded.get_user(&[("x-api-key", &key)]).await);

    check(501, "/operations", world.get("/operations").await);
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let kim = json!({"user-profile": {"username": "kim"}});
    let deferred = stored.defer("iam-disable-user", "", &kim).await;
    let id = deferred.json()["id"].as_str().unwrap().to_owned();
    check(202, "/commands/iam-disable-user", deferred);
    check(200, "/operations", stored.world.get("/operations").await);
    for route in ["/operations/{id}/wait", "/operations/{id}"] {
        let (there, missing) = (route.replace("{id}", &id), route.replace("{id}", "x"));
        check(200, route, stored.world.get(&there).await);
        check(404, route, stored.world.get(&missing).await);
    }
    for route in [
        "/operations/{id}/retry",
        "/operations/{id}/release",
        "/operations/{id}/cancel",
    ] {
        check(
            409,
            route,
            stored.world.post(&route.replace("{id}", &id), &json!({})).await,
        );
    }

    let keyed = idempotency::keyed(&stored.world, "/commands/iam-disable-user", "a", &kim);
    check(200, "/commands/iam-disable-user", answer(keyed).await);
    let reused = idempotency::keyed(
        &stored.world,
        "/commands/iam-disable-user",
        "a",
        &json!({"user-profile": {"username": "lou"}}),
    );
    check(422, "/commands/iam-disable-user", answer(reused).await);
    let elements = json!([{"command": "iam-disable-user", "arguments": kim}]);
    let batch = stored.batch(&elements).await;
    let id = batch.json()["id"].as_str().unwrap().to_owned();
    check(202, "/batches", batch);
    check(400, "/batches", stored.batch(&json!([1])).await);
    check(501, "/batches", world.post("/batches", &elements).await);
    for route in ["/batches/{id}", "/batches/{id}/operations"] {
        let (there, missing) = (route.replace("{id}", &id), route.replace("{id}", "x"));
        check(200, route, stored.world.get(&there).await);
        check(404, route, stored.world.get(&missing).await);
    }
    for route in ["/operations/retry", "/operations/cancel"] {
        check(200, route, stored.world.post(route, &json!({})).await);
        check(
            400,
            route,
            stored.world.post(&format!("{route}?limit=1"), &json!({})).await,
        );
        check(410, route, stored.world.post(route, &json!({"token": "x"})).await);
    }

    // Only a defect of ours gives 500; `layers` has one.
    let documented: BTreeSet<u16> = operations(&document)
        .iter()
        .flat_map(|(_, _, operation)| operation["responses"].as_object().unwrap().keys())
        .map(|status| status.parse().unwrap())
        .collect();
    let never: Vec<_> = documented.difference(&seen).collect();
    assert_eq!(never, [&405, &500], "405 has a test of its own");
}

/// Sends a request without the end of its body, and waits for what is said to that.
async fn begin_and_wait(world: &World, path: &str) -> Answer {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 10";
    stream
        .write_all(format!("POST {path} HTTP/1.1\r\n{head}\r\n\r\n{{").as_bytes())
        .await
        .unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    let (head, text) = told.split_once("\r\n\r\n").unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: fields
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect(),
        text: text.to_owned(),
    }
}
