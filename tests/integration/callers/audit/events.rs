//! One line a refusal and a write.

use serde_json::{Value, json};

use super::{line, lines, one_caller};
use crate::{
    callers::{caller, key, somebody, two_instances},
    harness::{World, answer},
    process::{File, Running},
};

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
