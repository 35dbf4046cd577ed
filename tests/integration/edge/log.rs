//! What an operator reads in the log.

use serde_json::json;

use super::serve;
use crate::{
    callers::{ALL, caller as entry, key, replace},
    harness::{World, answer, caller},
    process::{File, Running},
};

#[tokio::test]
async fn a_request_id_stands_once_in_each_line() {
    let world = World::start().await;
    let (service, address) = serve(
        &world,
        &[
            ("AWS_ILM_AUTHENTICATION_TOKEN", "sandbox-token"),
            ("AWS_ILM_LOG_FILTER", "info,aws_ilm=debug"),
        ],
    );
    let url = format!("http://{address}/commands/iam-disable-user");
    let request = caller().post(url).header("x-request-id", "flow-7");
    let disabled = answer(request.json(&json!({"user-profile": {"username": "test"}}))).await;
    assert_eq!(disabled.status, 200);
    service.stderr.line_with("answered");
    let log = service.stderr.text();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("flow-7")).collect();
    assert!(lines.iter().any(|line| line.contains(" audit: performed ")), "{log}");
    assert!(lines.len() >= 3, "{log}");
    for line in lines {
        assert_eq!(line.matches("flow-7").count(), 1, "{line}");
    }
}

#[tokio::test]
async fn a_failed_connection_says_instance_host_and_reason() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let world = World::start().await;
    let sandbox = world.directory.port();
    for (url, reason) in [
        (
            format!("http://127.0.0.1:{port}/T/scim/v2"),
            format!("no connection to the directory at 127.0.0.1:{port}: Connection refused"),
        ),
        (
            "https://nowhere.invalid/T/scim/v2".to_owned(),
            "no connection to the directory at nowhere.invalid:443: its name can't be resolved (".to_owned(),
        ),
        (
            format!("https://127.0.0.1:{sandbox}/T/scim/v2"),
            format!("no connection to the directory at 127.0.0.1:{sandbox}: TLS failed ("),
        ),
    ] {
        let settings = [
            ("AWS_ILM_URL", url.as_str()),
            ("AWS_ILM_AUTHENTICATION_TOKEN", "hush-hush"),
            ("AWS_ILM_INSTANCE_NAME", "production"),
            ("AWS_ILM_SCIM_DIALECT", "rfc7644"),
        ];
        let (service, address) = Running::serve(&[], &settings);
        let url = format!("http://{address}/commands/iam-get-user");
        let asked = caller()
            .post(url)
            .json(&json!({"user-profile": {"username": "kim.secret"}}));
        let told = answer(asked).await;
        assert_eq!(told.status, 503, "{}", told.text);
        assert!(told.text.contains(&reason), "{}", told.text);
        service.stderr.line_with("answered");
        let log = service.stderr.text();
        let failures: Vec<_> = log.lines().filter(|line| line.contains(&reason)).collect();
        assert!(!failures.is_empty(), "{log}");
        for line in failures {
            assert!(line.contains("instance=\"production\""), "{line}");
        }
        assert!(!log.contains("kim.secret") && !log.contains("hush"), "{log}");
    }
}

#[tokio::test]
async fn a_repaired_callers_file_is_told() {
    let (_, digest) = key();
    let text = entry("hr", &[&digest], ALL);
    let file = File::new(&text);
    let world = World::start().await;
    let settings = [
        ("AWS_ILM_AUTHENTICATION_TOKEN", "sandbox-token"),
        ("AWS_ILM_CALLERS_FILE", file.path()),
    ];
    let (service, _) = serve(&world, &settings);
    replace(file.path(), "[[callers]]\nname = 1\n");
    let fault = service.stderr.line_with("the callers stay as they were");
    assert!(fault.contains("ERROR"), "{fault}");
    replace(file.path(), &text);
    let clear = service.stderr.line_with("has no fault any more");
    assert!(clear.contains("INFO") && clear.contains(file.path()), "{clear}");
}
