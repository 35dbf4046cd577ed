//! The audit log: what stands there of a refusal and of a write, and what never does.

use serde_json::{Value, json};

use crate::{
    callers::{caller, key, somebody, two_instances},
    harness::{World, answer, until},
    process::{File, Running},
};

/// The audit lines so far, as JSON.
fn lines(service: &Running) -> Vec<Value> {
    let text = service.stderr.text();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "audit").collect()
}

/// Waits for the audit line of a request.
pub(super) async fn line(service: &Running, id: &str) -> Value {
    for _ in 0..400 {
        if let Some(line) = lines(service).into_iter().find(|line| line["request_id"] == id) {
            return line;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("no audit line for {id} in {}", service.stderr.text());
}

/// A directory, the key of the one caller, which has every right, and the configuration of a
/// service in front.
pub(super) async fn one_caller() -> (World, String, File) {
    let directory = World::start().await;
    let (key, digest) = key();
    let caller = caller("hr", &[&digest], "commands = [\"*\"]\ninstances = [\"*\"]");
    let config = File::new(&format!("{}{caller}", two_instances(&directory)));
    (directory, key, config)
}

/// Hostile input 56, a right that is missing: 403, told, no call.
#[tokio::test]
async fn every_refusal_and_every_write_leaves_one_line_that_says_who_and_what() {
    let directory = World::start().await;
    let (hr, hr_digest) = key();
    let (reader, reader_digest) = key();
    let (wrong, _) = key();
    let callers = caller(
        "hr system",
        &[&hr_digest],
        "commands = [\"*\"]\ninstances = [\"second\"]",
    ) + &caller(
        "reader",
        &[&reader_digest],
        "commands = [\"read\"]\ninstances = [\"*\"]\nrequests_per_second = 0.01",
    );
    let config = File::new(&format!("{}{callers}", two_instances(&directory)));
    let settings = [("AWS_ILM_LOG_FORMAT", "json"), ("AWS_ILM_TRUSTED_PROXIES", "127.0.0.1")];
    let (service, address) = Running::serve(&["--config", config.path()], &settings);
    let http = crate::harness::caller();
    let send = async |id: &str, key: Option<&str>, path: &str, body: &Value| {
        let mut request = http
            .post(format!("http://{address}{path}"))
            .header("x-request-id", id)
            .json(body);
        request = request.header("x-forwarded-for", "203.0.113.9");
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        answer(request).await.status
    };
    let jane = json!({"user-profile": {"username": "zq7.jane", "email": "zq7@example.com", "givenname": "Zq7", "surname": "Zq7",
        "displayname": "Zq7"}});
    let rows = [
        (
            "w-1",
            Some(&hr),
            "/commands/iam-create-user?instance=second",
            &jane,
            200,
        ),
        (
            "w-2",
            Some(&hr),
            "/commands/iam-disable-user?instance=Second",
            &jane,
            200,
        ),
        (
            "w-3",
            Some(&hr),
            "/commands/iam-disable-user?instance=second",
            &jane,
            200,
        ),
        (
            "d-1",
            Some(&hr),
            "/commands/iam-disable-user?instance=second&dryRun=true",
            &jane,
            200,
        ),
        ("g-1", Some(&hr), "/commands/iam-get-user?instance=second", &jane, 200),
        ("r-1", None, "/commands/iam-disable-user", &jane, 401),
        (
            "r-2",
            Some(&wrong),
            "/commands/iam-disable-user?instance=zq7",
            &jane,
            401,
        ),
        ("r-3", Some(&reader), "/commands/iam-disable-user", &jane, 403),
        (
            "r-4",
            Some(&hr),
            "/commands/iam-disable-user?instance=first",
            &jane,
            404,
        ),
        ("r-5", Some(&reader), "/commands/iam-get-user", &jane, 429),
        ("r-6", Some(&hr), "/zq7/nowhere", &jane, 404),
        ("r-7", None, "/zq7/nowhere", &jane, 401),
    ];
    for (id, key, path, body, status) in rows {
        assert_eq!(send(id, key.map(String::as_str), path, body).await, status, "{id}");
    }
    for (id, expected) in [
        (
            "w-1",
            json!([
                "hr system",
                "api-key",
                "iam-create-user",
                "second",
                "allowed",
                "done",
                null
            ]),
        ),
        (
            "w-2",
            json!([
                "hr system",
                "api-key",
                "iam-disable-user",
                "second",
                "allowed",
                "done",
                null
            ]),
        ),
        (
            "w-3",
            json!([
                "hr system",
                "api-key",
                "iam-disable-user",
                "second",
                "allowed",
                "skipped",
                null
            ]),
        ),
        (
            "r-1",
            json!(["-", "none", "iam-disable-user", null, "refused", null, "no credentials"]),
        ),
        (
            "r-2",
            json!(["-", "none", "iam-disable-user", null, "refused", null, "unknown key"]),
        ),
        (
            "r-3",
            json!([
                "reader",
                "api-key",
                "iam-disable-user",
                null,
                "refused",
                null,
                "lacks the right to the command"
            ]),
        ),
        (
            "r-4",
            json!([
                "hr system",
                "api-key",
                "iam-disable-user",
                "first",
                "refused",
                null,
                "lacks the right to the instance"
            ]),
        ),
        (
            "r-5",
            json!([
                "reader",
                "api-key",
                "iam-get-user",
                null,
                "refused",
                null,
                "over its quota"
            ]),
        ),
        (
            "r-7",
            json!(["-", "none", null, null, "refused", null, "no credentials"]),
        ),
    ] {
        let line = line(&service, id).await;
        let fields = [
            "caller", "proof", "command", "instance", "decision", "outcome", "reason",
        ];
        let found: Vec<Value> = fields
            .iter()
            .map(|field| line.get(*field).cloned().unwrap_or_default())
            .collect();
        assert_eq!(json!(found), expected, "{id}: {line}");
        assert_eq!(line["address"], "203.0.113.9");
        assert_eq!(
            lines(&service).iter().filter(|line| line["request_id"] == id).count(),
            1,
            "{id}"
        );
    }
    service.terminate();
    service.code();
    let text = service.stderr.text();
    for id in ["d-1", "g-1", "r-6"] {
        assert!(
            lines(&service).iter().all(|line| line["request_id"] != id),
            "{id} is neither a write nor a refusal"
        );
    }
    // The access line of each names the caller, too.
    let access = text
        .lines()
        .find(|line| line.contains("\"target\":\"access\"") && line.contains("\"w-1\""))
        .unwrap();
    assert!(access.contains("\"caller\":\"hr system\""), "{access}");
    for secret in [hr.as_str(), &reader, &wrong, &hr_digest, &reader_digest, "zq7", "Zq7"] {
        assert!(!text.contains(secret), "{secret} in the log");
    }
}

/// Hostile input 59, a thousand wrong keys a second: 429 for that address; good keys go on; a
/// number in the log.
#[tokio::test]
async fn a_write_whose_caller_hung_up_has_its_line_and_a_flood_of_failures_only_a_number() {
    let (directory, hr, config) = one_caller().await;
    let (service, address) = Running::serve(&["--config", config.path()], &[("AWS_ILM_LOG_FORMAT", "json")]);
    let http = crate::harness::caller();
    let url = format!("http://{address}/commands/iam-disable-user");
    directory.sandbox.script(
        aws_ilm::sandbox::Fault::new(aws_ilm::sandbox::FaultKind::Slow {
            milliseconds: 500,
            work_late: false,
        })
        .forever(),
    );
    directory.sandbox.reset_calls();
    let request = http
        .post(&url)
        .header("x-api-key", &hr)
        .header("x-request-id", "gone-1")
        .json(&somebody());
    let sent = tokio::spawn(request.send());
    until(|| directory.sandbox.calls().contains_key("ListUsers")).await;
    sent.abort();
    let line = line(&service, "gone-1").await;
    assert_eq!(
        (&line["outcome"], &line["caller"]),
        (&json!("done"), &json!("hr")),
        "{line}"
    );

    for _ in 0..200 {
        let (wrong, _) = key();
        answer(http.post(&url).header("x-api-key", wrong).json(&somebody())).await;
    }
    let untold = || {
        let told = lines(&service).into_iter();
        let failures = told.filter_map(|line| line["failures"].as_u64());
        failures.sum::<u64>()
    };
    // They are told every ten seconds.
    for _ in 0..120 {
        if untold() > 100 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    assert!(untold() > 100, "{}", untold());
    let text = service.stderr.text();
    let count = |needle: &str| text.lines().filter(|line| line.contains(needle)).count();
    assert!(count("unknown key") < 60, "{}", count("unknown key"));
    assert!(
        count("\"target\":\"access\"") < 100,
        "{}",
        count("\"target\":\"access\"")
    );
}

#[tokio::test]
async fn no_log_filter_takes_a_line_out() {
    let (_directory, hr, config) = one_caller().await;
    for filter in ["off", "error", "warn", "aws_ilm=trace"] {
        let settings = [("AWS_ILM_LOG_FORMAT", "json"), ("AWS_ILM_LOG_FILTER", filter)];
        // Its own line of where it listens may be filtered out.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let listen = format!("127.0.0.1:{port}");
        let service = Running::start(&["serve", "--config", config.path(), "--listen", &listen], &settings);
        let http = crate::harness::caller();
        let send = async |id: &str, key: Option<&str>| {
            let url = format!("http://{listen}/commands/iam-disable-user");
            let request = http.post(url).header("x-request-id", id).json(&somebody());
            let request = key
                .iter()
                .fold(request, |request, key| request.header("x-api-key", *key));
            request.send().await.map(|answer| answer.status().as_u16())
        };
        let mut status = send("f-1", Some(&hr)).await;
        for _ in 0..200 {
            if status.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            status = send("f-1", Some(&hr)).await;
        }
        assert_eq!((status.unwrap(), send("f-2", None).await.unwrap()), (200, 401));
        assert_eq!(line(&service, "f-1").await["decision"], "allowed", "{filter}");
        assert_eq!(line(&service, "f-2").await["decision"], "refused", "{filter}");
    }
}

#[tokio::test]
async fn a_write_that_the_end_of_the_process_cuts_off_is_told_as_one() {
    let (directory, hr, config) = one_caller().await;
    let settings = [("AWS_ILM_LOG_FORMAT", "json"), ("AWS_ILM_SHUTDOWN_TIMEOUT", "300ms")];
    let (service, address) = Running::serve(&["--config", config.path()], &settings);
    let slow = aws_ilm::sandbox::FaultKind::Slow {
        milliseconds: 8_000,
        work_late: false,
    };
    directory.sandbox.script(aws_ilm::sandbox::Fault::new(slow).forever());
    directory.sandbox.reset_calls();
    let url = format!("http://{address}/commands/iam-disable-user");
    let request = crate::harness::caller()
        .post(url)
        .header("x-api-key", &hr)
        .header("x-request-id", "cut-1");
    let sent = tokio::spawn(request.json(&somebody()).send());
    until(|| directory.sandbox.calls().contains_key("ListUsers")).await;
    service.terminate();
    assert_eq!(service.code(), Some(1), "{}", service.stderr.text());
    sent.abort();
    let line = line(&service, "cut-1").await;
    assert_eq!(line["outcome"], "cut off, what it did is not known", "{line}");
    assert!(
        service
            .stderr
            .text()
            .contains("a command that changes the directory begins")
    );
}

#[tokio::test]
async fn a_flood_of_tokens_whose_keys_are_missing_is_told_by_number() {
    let directory = World::start().await;
    let config = File::new(&format!(
        "{}[[callers]]\nname = \"a\"\nclaims = [\"sub=a\"]\n[[issuers]]\nissuer = \"http://127.0.0.1:9\"\naudiences = [\"a\"]\n",
        two_instances(&directory)
    ));
    let (service, address) = Running::serve(&["--config", config.path()], &[("AWS_ILM_LOG_FORMAT", "json")]);
    let encode = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
    let claims = encode(r#"{"iss":"http://127.0.0.1:9","aud":"a","sub":"a","exp":4000000000}"#);
    let token = format!("{}.{claims}.AAAA", encode(r#"{"alg":"RS256","kid":"k"}"#));
    let http = crate::harness::caller();
    for _ in 0..60 {
        let request = http
            .post(format!("http://{address}/commands/iam-get-user"))
            .bearer_auth(&token)
            .json(&somebody());
        assert_eq!(answer(request).await.status, 503);
    }
    service.terminate();
    service.code();
    let text = service.stderr.text();
    let told = text
        .lines()
        .filter(|line| line.contains("\"target\":\"access\""))
        .count();
    assert!(told < 40, "{told} lines");
    assert!(
        text.contains("are not told one by one"),
        "what was not told is told at the end"
    );
}
