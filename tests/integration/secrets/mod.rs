//! That nothing which names a person or opens a directory ever reaches a log line, and no token any
//! answer; and that no value, however hostile, makes a log line of its own.
//!
//! Everything personal or secret that is sent here bears one mark, for which all output is
//! searched.

mod webhooks;

use std::{net::TcpListener, time::Duration};

use aws_ilm::sandbox::{self, Fault, FaultKind, Sandbox};
use serde_json::{Value, json};

use crate::{
    collector::Collector,
    harness::{Answer, Setup, World, answer, caller},
    operations::new_folder,
    process::{File, Running, run},
};

const MARK: &str = "zq7";
const TOKEN: &str = "zq7-token-9f2c71";
const WRONG_TOKEN: &str = "zq7-wrong-token-55d0";

/// Values that would end a line, colour a terminal, forge an entry or end a JSON string.
const HOSTILE: [&str; 6] = [
    "zq7\n2026-01-01T00:00:00Z ERROR forged",
    "zq7\r\nforged: 1",
    "zq7\u{1b}[2J\u{1b}[31mforged",
    "{\"level\":\"ERROR\",\"message\":\"zq7 forged\"}",
    "zq7\",\"level\":\"ERROR",
    "zq7\u{202e}\u{2028}\u{0}forged",
];

fn person(user_name: &str) -> Value {
    json!({"username": user_name, "email": format!("{user_name}@zq7.example.com"), "givenname": "Zq7given", "surname": "Zq7family",
        "displayname": "Zq7 display", "mobilephone": "+1 555 zq7 0199", "employeeid": format!("zq7-{user_name}"), "title": "zq7 title",
        "olduserdata": {"username": format!("old-{user_name}"), "email": "zq7.old@example.com"}})
}

/// Sends every kind of request, well-formed and hostile.
async fn send_everything(world: &World, url: &str) -> Vec<Answer> {
    let http = caller();
    let mut answers = Vec::new();
    let mut commands = Vec::new();
    for (command, profile) in [
        ("iam-create-user", person("zq7.jane")),
        ("iam-create-user", person("zq7.jane")),
        ("iam-get-user", json!({"username": "zq7.jane"})),
        ("iam-get-user", json!({"username": "zq7.nobody"})),
        ("iam-get-user", json!({"id": "zq7-id-that-is-nowhere"})),
        ("iam-update-user", json!({"username": "zq7.jane", "title": "zq7 other"})),
        ("iam-update-user", json!({"username": "zq7.jane", "email": 7})),
        ("iam-disable-user", json!({"username": "zq7.jane"})),
        (
            "iam-create-user",
            json!({"username": "zq7 white space", "email": "zq7@x.example"}),
        ),
    ] {
        commands.push((command, json!({"user-profile": profile})));
    }
    for hostile in HOSTILE {
        for name in ["username", "email", "givenname", "displayname", "mobilephone", "id"] {
            let mut profile = person("zq7.victim");
            profile[name] = hostile.into();
            commands.push(("iam-create-user", json!({"user-profile": profile})));
        }
        commands.push(("iam-get-user", json!({"user-profile": {"username": hostile}})));
        commands.push(("iam-get-group", json!({"scim": {"displayName": hostile}})));
        commands.push(("iam-get-group", json!({"scim": {"id": hostile}})));
        commands.push(("iam-create-group", json!({"scim": {"displayName": hostile}})));
        commands.push((
            "iam-update-group",
            json!({"scim": {"id": "121212"}, "memberIdsToAdd": [hostile]}),
        ));
        commands.push(("iam-get-user", json!({"user-profile": hostile})));
        commands.push(("iam-get-user", json!({ "user-profile": {}, hostile: hostile })));
    }
    for (index, (command, arguments)) in commands.iter().enumerate() {
        let queries = ["", "?dryRun=true", "?instance=wrong", "?instance=dead"];
        // What can't be reached is asked for a few only: connecting is tried more than once.
        let queries = if index < 9 { &queries[..] } else { &queries[..3] };
        for query in queries {
            answers.push(answer(http.post(format!("{url}/commands/{command}{query}")).json(arguments)).await);
        }
    }
    let jane = json!({"user-profile": person("zq7.other")});
    for kind in [
        FaultKind::Throttle { retry_after: None },
        FaultKind::Status { status: 500 },
        FaultKind::Raw {
            status: 502,
            content_type: "text/html".to_owned(),
            body: "<h1>zq7 said the proxy</h1>".to_owned(),
        },
        FaultKind::Raw {
            status: 200,
            content_type: "application/json".to_owned(),
            body: "{\"zq7".to_owned(),
        },
        FaultKind::HangUp,
        FaultKind::AnswerLost,
        FaultKind::Slow {
            milliseconds: 2_000,
            work_late: false,
        },
    ] {
        world.sandbox.script(Fault::new(kind).forever());
        for command in ["iam-create-user", "iam-get-user"] {
            answers.push(answer(http.post(format!("{url}/commands/{command}")).json(&jane)).await);
        }
        world.sandbox.clear_faults();
        // A directory that kept failing is left alone until it is seen to answer again.
        let back = async {
            let test = || answer(http.post(format!("{url}/commands/test-module")));
            while test().await.status != 200 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), back).await.unwrap();
    }
    answers.push(answer(http.post(format!("{url}/commands/test-module?instance=wrong"))).await);

    // What never becomes a command.
    let get_user = format!("{url}/commands/iam-get-user");
    for body in [
        "{\"user-profile\": \"zq7",
        "zq7",
        "{\"user-profile\": {\"username\": 1e999, \"email\": \"zq7@example.com\"}}",
    ] {
        answers.push(
            answer(
                http.post(&get_user)
                    .header("content-type", "application/json")
                    .body(body),
            )
            .await,
        );
    }
    for path in [
        "/zq7?zq7=zq7",
        "/commands/zq7.jane@example.com",
        "/commands/iam-get-user?instance=zq7",
        "/health/ready?zq7",
    ] {
        answers.push(answer(http.post(format!("{url}{path}")).json(&jane)).await);
        answers.push(answer(http.get(format!("{url}{path}"))).await);
    }
    let method = reqwest::Method::from_bytes(b"ZQ7").unwrap();
    answers.push(answer(http.request(method, &get_user)).await);
    for name in [
        "authorization",
        "cookie",
        "user-agent",
        "x-request-id",
        "accept",
        "prefer",
        "referer",
        "x-forwarded-for",
        "traceparent",
        "tracestate",
        "baggage",
    ] {
        answers.push(answer(http.post(&get_user).header(name, "Bearer zq7, zq7=\"zq7\"").json(&jane)).await);
    }
    answers.push(answer(http.post(&get_user).header("host", "zq7.example.com").json(&jane)).await);
    let second = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    answers.push(answer(second.post(&get_user).header("authorization", "Bearer zq7").json(&jane)).await);
    // A caller hangs up while the directory takes its time.
    world.sandbox.script(Fault::new(FaultKind::Slow {
        milliseconds: 300,
        work_late: false,
    }));
    let impatient = http
        .post(&get_user)
        .json(&jane)
        .timeout(Duration::from_millis(100))
        .send()
        .await;
    assert!(impatient.is_err());
    answers.push(answer(http.get(format!("{url}/health/ready"))).await);
    answers
}

/// Sends what is stored first, and what is said of it.
async fn send_what_is_stored(url: &str) -> Vec<Answer> {
    let http = caller();
    let mut answers = Vec::new();
    for (command, profile) in [
        ("iam-create-user", person("zq7.kim")),
        ("iam-update-user", json!({"username": "zq7.kim", "title": "zq7 chief"})),
        ("iam-disable-user", json!({"username": "zq7.kim"})),
        ("iam-disable-user", json!({"username": "zq7.nobody"})),
    ] {
        let request = http.post(format!("{url}/commands/{command}?purpose=zq7%20purpose"));
        let request = request
            .header("prefer", "respond-async")
            .header("idempotency-key", format!("zq7-{command}"));
        let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let request = request.header("traceparent", context).header("tracestate", "zq7=zq7");
        let accepted = answer(request.json(&json!({"user-profile": profile}))).await;
        if accepted.status == 202 {
            let id = accepted.json()["id"].as_str().unwrap().to_owned();
            answers.push(answer(http.get(format!("{url}/operations/{id}/wait"))).await);
            answers.push(answer(http.post(format!("{url}/operations/{id}/cancel"))).await);
        }
        answers.push(accepted);
    }
    let batch = json!([{"command": "iam-get-user", "arguments": {"user-profile": {"username": "zq7.kim"}}}]);
    answers.push(answer(http.post(format!("{url}/batches")).json(&batch)).await);
    answers.push(answer(http.get(format!("{url}/operations?subject=zq7"))).await);
    answers
}

/// With a store, metrics and traces where `is_watched`.
async fn nothing_leaks(format: &str, is_watched: bool) {
    let world = World::with(Setup {
        sandbox: sandbox::Options {
            tokens: vec![TOKEN.to_owned()],
            ..sandbox::Options::default()
        },
        ..Setup::default()
    })
    .await;
    let directory = Sandbox::base_url(world.directory, sandbox::DEFAULT_TENANT);
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let instances = [
        ("right", &directory, TOKEN),
        ("wrong", &directory, WRONG_TOKEN),
        ("dead", &format!("http://{dead}/T"), TOKEN),
    ];
    let tables = instances.map(|(name, url, token)| {
        format!("[[instances]]\nname = \"{name}\"\nurl = \"{url}\"\nauthentication_token = \"{token}\"\nrequest_timeout = \"1s\"\nread_rate = 5000\nwrite_rate = 5000\n")
    });
    let file = File::new(&tables.concat());
    let settings = [
        ("AWS_ILM_LOG_FORMAT", format),
        ("AWS_ILM_LOG_FILTER", "trace"),
        // For what would be ridden out, were there time.
        ("AWS_ILM_COMMAND_TIMEOUT", "500ms"),
    ];
    let (collector, folder) = (Collector::start(), new_folder());
    let (endpoint, store) = (collector.url(), folder.join("store.db").display().to_string());
    let sources = webhooks::sources_in(&folder);
    let watched = [
        ("AWS_ILM_SOURCES_FILE", sources.as_str()),
        ("AWS_ILM_OTLP_ENDPOINT", endpoint.as_str()),
        ("AWS_ILM_STORE_PATH", &store),
        ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "10ms"),
        ("AWS_ILM_RETRY_SCHEDULE", "10ms"),
    ];
    let settings: Vec<_> = settings
        .into_iter()
        .chain(watched.into_iter().filter(|_| is_watched))
        .collect();
    let (service, address) = Running::serve(&["--config", file.path()], &settings);

    let url = format!("http://{address}");
    let mut answers = send_everything(&world, &url).await;
    if is_watched {
        answers.extend(send_what_is_stored(&url).await);
        answers.extend(webhooks::send(&url, &folder).await);
    }
    let scrape = answer(caller().get(format!("{url}/metrics"))).await;
    assert!(scrape.text.contains("aws_ilm_commands_total") && scrape.status == 200);
    answers.push(scrape);
    service.terminate();
    assert_eq!(service.code(), Some(0));
    service.stderr.line_with("stopped; every command has ended");
    let traces = collector.text();
    assert_eq!(traces.contains("iam-disable-user"), is_watched);
    for secret in [MARK, sandbox::DEFAULT_TENANT] {
        assert!(!traces.to_lowercase().contains(secret), "{secret} is in a trace");
    }
    assert_eq!(service.stdout.text(), "");

    let logged = service.stderr.text();
    assert!(
        logged.lines().count() > answers.len(),
        "as many lines as requests at least"
    );
    assert!(logged.contains("DEBUG"), "the most verbose filter was meant to be on");
    for line in logged.lines() {
        assert!(!line.to_lowercase().contains(MARK), "{line}");
        assert!(!line.contains("forged"), "{line}");
        assert!(line.chars().all(|character| !character.is_control()), "{line:?}");
        if format == "json" {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(event.is_object() && event["level"].is_string(), "{line}");
        } else {
            let begin = line.split(' ').next().unwrap_or_default();
            assert!(
                begin.parse::<jiff::Timestamp>().is_ok(),
                "not the beginning of an entry: {line}"
            );
        }
    }
    for answer in answers {
        let whole = format!("{:?}{}", answer.headers, answer.text);
        let secrets = [TOKEN, WRONG_TOKEN].into_iter().chain(webhooks::SECRETS);
        for secret in secrets {
            assert!(!whole.contains(secret), "{secret}: {whole}");
        }
        let is_scrape = answer.text.starts_with("# HELP");
        assert!(!is_scrape || !whole.to_lowercase().contains(MARK), "{whole}");
        let is_envelope = answer.header("content-type") != Some("application/problem+json");
        // An unknown argument is told by its name, which here is a hostile value.
        let names_argument = answer.text.contains("unknown-argument");
        if !is_envelope && !names_argument {
            assert!(!whole.to_lowercase().contains(MARK), "{whole}");
        }
    }
}

// With a second thread: the callers' connections have to see the shutdown while the test waits for
// its end.
/// - Hostile input 100, names that forge log lines or move a cursor: one line, escaped.
/// - Hostile input 101, secrets and people in all that is written: nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks_into_logs_for_people() {
    nothing_leaks("text", false).await;
}

/// - Hostile input 33, emoji, right to left, many combining characters: kept as given, or 400; one
///   log line.
/// - Hostile input 100, names that forge log lines or move a cursor: one line, escaped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaks_into_json_logs() {
    nothing_leaks("json", true).await;
}

/// Hostile input 101, secrets and people in all that is written: nowhere.
#[test]
fn no_subcommand_prints_a_token() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{dead}/T");
    let settings = [
        ("AWS_ILM_URL", url.as_str()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", TOKEN),
        ("AWS_ILM_LISTEN", "nowhere"),
    ];
    for task in ["serve", "check", "openapi", "healthcheck"] {
        let ended = run(&[task], &settings);
        assert!(
            !ended.stdout.contains(TOKEN) && !ended.stderr.contains(TOKEN),
            "{task}: {ended:?}"
        );
    }
    let ended = run(&["check"], &settings[..2]);
    assert_eq!(ended.code, Some(1));
    assert!(
        !ended.stdout.contains(TOKEN) && !ended.stderr.contains(TOKEN),
        "{ended:?}"
    );
}
