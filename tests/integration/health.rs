//! Whether the service lives and is ready, what it says of its directories, whose name it answers
//! to, and by which id.

use std::{net::TcpListener, time::Duration};

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    harness::{Setup, World, answer, caller},
    process::Running,
};

/// Readiness, which has to be 200, once the first instance's status is this.
async fn ready_once(world: &World, status: &str) -> Value {
    let waited = async {
        loop {
            let answer = world.get("/health/ready").await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let body = answer.json();
            assert_eq!(body["status"], "ready");
            if body["instances"][0]["status"] == status {
                return body;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap()
}

/// For tests of what would be ridden out, were there time.
fn short() -> (&'static str, String) {
    ("AWS_ILM_COMMAND_TIMEOUT", "400ms".to_owned())
}

fn setup(variable: &'static str, value: &str) -> Setup {
    Setup {
        environment: vec![(variable, value.to_owned())],
        ..Setup::default()
    }
}

async fn test(world: &World) -> u16 {
    world.command("test-module", &json!({})).await.status
}

#[tokio::test]
async fn the_service_lives_and_is_ready_with_a_directory_that_answers() {
    let paced = ["AWS_ILM_READ_RATE", "AWS_ILM_WRITE_RATE", "AWS_ILM_MEMBERSHIP_RATE"];
    let world = World::with(Setup {
        environment: paced.map(|rate| (rate, String::new())).into(),
        ..Setup::default()
    })
    .await;
    let live = world.get("/health/live").await;
    assert_eq!((live.status, live.json()), (200, json!({"status": "live"})));
    let ready = ready_once(&world, "ok").await;
    let rates: Value = [
        ("ListUsers", 40.0),
        ("GetUser", 40.0),
        ("CreateUser", 25.0),
        ("PatchUser", 25.0),
        ("ListGroups", 40.0),
        ("GetGroup", 40.0),
        ("CreateGroup", 25.0),
        ("PatchGroup", 25.0),
        ("DeleteGroup", 25.0),
        ("ServiceProviderConfig", 40.0),
        ("memberships", 250.0),
    ]
    .into_iter()
    .map(|(api, rate)| json!({"api": api, "perSecond": rate, "ceiling": rate, "waiting": 0}))
    .collect();
    let instances = json!([{
        "name": "AWS-ILM_instance_1", "status": "ok", "breaker": "closed", "tokenInUse": "first", "rates": rates,
    }]);
    assert_eq!(ready, json!({"status": "ready", "instances": instances}));
    // The same list stands alone.
    assert_eq!(world.get("/instances").await.json(), instances);
}

#[tokio::test]
async fn a_directory_nobody_answers_at_degrades() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut setup = setup("AWS_ILM_URL", &format!("http://{dead}/sandbox-tenant"));
    setup.environment.push(short());
    let world = World::with(setup).await;
    let ready = ready_once(&world, "degraded").await;
    let error = &ready["instances"][0]["lastError"];
    assert_eq!(
        (&error["what"], error.get("awsRequestId")),
        (
            &json!(format!(
                "no connection to the directory at {dead}: Connection refused (os error 111)"
            )),
            None
        )
    );
    assert!(
        error["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(),
        "{error}"
    );
    assert_eq!(test(&world).await, 503);
}

#[tokio::test]
async fn a_refused_token_degrades_and_the_right_one_mends_it() {
    let world = World::with(setup("AWS_ILM_AUTHENTICATION_TOKEN", "s3cr3t-and-wrong")).await;
    assert_eq!(test(&world).await, 502);
    let ready = ready_once(&world, "degraded").await;
    let error = &ready["instances"][0]["lastError"];
    assert_eq!(error["what"], "the directory refused the token (401)");
    assert!(error["awsRequestId"].is_string(), "{error}");
    assert!(!ready.to_string().contains("s3cr3t"), "{ready}");
    world.sandbox.set_tokens(vec!["s3cr3t-and-wrong".to_owned()]);
    assert_eq!(test(&world).await, 200);
    // What went wrong last is still told.
    let ready = ready_once(&world, "ok").await;
    assert_eq!(
        ready["instances"][0]["lastError"]["what"],
        "the directory refused the token (401)"
    );
}

#[tokio::test]
async fn a_failing_directory_degrades_and_throttling_does_not() {
    let world = World::with(Setup {
        environment: vec![short()],
        ..Setup::default()
    })
    .await;
    ready_once(&world, "ok").await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 500 }).forever());
    assert_eq!(test(&world).await, 502);
    let ready = ready_once(&world, "degraded").await;
    let error = &ready["instances"][0]["lastError"];
    assert_eq!(error["what"], "the directory failed (500)");
    assert!(error["awsRequestId"].is_string(), "{error}");
    world.sandbox.clear_faults();
    world
        .sandbox
        .script(Fault::new(FaultKind::Throttle { retry_after: None }).forever());
    assert_eq!(test(&world).await, 503);
    ready_once(&world, "ok").await;
}

#[tokio::test]
async fn readiness_never_waits_for_a_directory_that_hangs() {
    // It takes connections and never says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sandbox-tenant", silent.local_addr().unwrap());
    let (taken, mut takes) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = silent.accept().await {
            if taken.send(connection).is_err() {
                break;
            }
        }
    });
    let world = World::with(setup("AWS_ILM_URL", &url)).await;
    // The service's own first request to the directory hangs.
    let first = takes.recv().await;
    let hanging = tokio::spawn(world.http.post(world.url("/commands/test-module")).send());
    // The command hangs as well. While it waits, with its patience of 20 seconds, all of these are
    // answered.
    let second = takes.recv().await;
    for _ in 0..50 {
        let ready = world.get("/health/ready").await;
        assert_eq!(
            (ready.status, &ready.json()["instances"][0]["status"]),
            (200, &json!("unknown"))
        );
        assert_eq!(world.get("/health/live").await.status, 200);
    }
    assert!(!hanging.is_finished());
    hanging.abort();
    drop((first, second));
}

#[tokio::test]
async fn only_loopback_and_configured_names_are_answered() {
    let world = World::with(setup("AWS_ILM_ALLOWED_HOSTS", "ilm.example.org")).await;
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:99", 200),
        ("[::1]", 200),
        ("ILM.example.org:443", 200),
        ("evil.example", 421),
        ("ilm.example.org.evil.example", 421),
    ] {
        for path in ["/openapi.json", "/docs/"] {
            let answer = answer(world.http.get(world.url(path)).header("host", host)).await;
            assert_eq!(answer.status, status, "{host} {path}");
            if status == 421 {
                assert_eq!(answer.json()["type"], "/problems/misdirected");
            }
        }
        let command = world
            .http
            .post(world.url("/commands/get-mapping-fields"))
            .header("host", host);
        assert_eq!(answer(command).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_request_id_is_taken_over_or_made_and_stands_in_every_line() {
    for format in ["text", "json"] {
        let settings = [
            ("AWS_ILM_LOG_FORMAT", format),
            ("AWS_ILM_LOG_FILTER", "info,aws_ilm=debug"),
        ];
        let (service, address) = Running::serve(&["--sandbox"], &settings);
        let url = format!("http://{address}/commands/iam-create-user");
        let jane = json!({"user-profile": {"username": "test", "email": "j@example.com", "givenname": "J", "surname": "R",
            "displayname": "J R"}});
        let send = |id: Option<&str>| {
            let mut request = caller().post(&url).json(&jane);
            if let Some(id) = id {
                request = request.header("x-request-id", id);
            }
            answer(request)
        };
        let given = send(Some("flow-7.step_2")).await;
        assert_eq!(given.header("x-request-id"), Some("flow-7.step_2"));
        let made = send(None).await;
        let made = made.header("x-request-id").unwrap().to_owned();
        assert_eq!(made.parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
        for bad in ["a b", "{\"level\":\"x\"}", &"x".repeat(129)] {
            let told = send(Some(bad)).await;
            assert_ne!(told.header("x-request-id"), Some(bad));
        }
        // Creating an existing user is a conflict first, which is logged, at debug, by the
        // command's own task.
        for id in ["flow-7.step_2", made.as_str()] {
            let access = loop {
                let text = service.stderr.text();
                let lines: Vec<String> = text
                    .lines()
                    .filter(|line| line.contains(id))
                    .map(str::to_owned)
                    .collect();
                if lines.iter().any(|line| line.contains("answered")) {
                    break lines;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(
                access.iter().filter(|line| line.contains("answered")).count(),
                1,
                "{access:?}"
            );
            assert!(
                access.len() >= 2,
                "the conflict's line has no request id: {}",
                service.stderr.text()
            );
        }
    }
}
