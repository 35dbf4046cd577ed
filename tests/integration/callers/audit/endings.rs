//! Callers that hang up, the end of the process, and floods.

use serde_json::json;

use super::{line, lines, one_caller};
use crate::{
    callers::{key, somebody, two_instances},
    harness::{World, answer, until},
    process::{File, Running},
};

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

/// Whichever limit it meets.
#[tokio::test]
async fn a_write_that_there_is_no_room_for_has_its_line() {
    for limit in ["AWS_ILM_MAX_CONCURRENT_COMMANDS", "AWS_ILM_MAX_INSTANCE_COMMANDS"] {
        let (directory, hr, config) = one_caller().await;
        let settings = [
            ("AWS_ILM_LOG_FORMAT", "json"),
            ("AWS_ILM_INSTANCE_NAME", "first"),
            (limit, "1"),
        ];
        let (service, address) = Running::serve(&["--config", config.path()], &settings);
        let slow = aws_ilm::sandbox::FaultKind::Slow {
            milliseconds: 8_000,
            work_late: false,
        };
        directory.sandbox.script(aws_ilm::sandbox::Fault::new(slow).forever());
        directory.sandbox.reset_calls();
        let http = crate::harness::caller();
        let request = |id: &str| {
            let request = http.post(format!("http://{address}/commands/iam-disable-user"));
            request
                .header("x-api-key", &hr)
                .header("x-request-id", id)
                .json(&somebody())
        };
        let running = tokio::spawn(request("running-1").send());
        until(|| directory.sandbox.calls().contains_key("ListUsers")).await;
        let refused = answer(request("full-1")).await;
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (503, Some("1")),
            "{limit}"
        );
        let line = line(&service, "full-1").await;
        assert_eq!(line["outcome"], "not run", "{limit}: {line}");
        running.abort();
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
