//! What the audit log says of decisions on what is held.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::Program;
use crate::{
    callers::{caller as configured, key},
    harness::{answer, caller, caller_with},
    webhooks::{KEY, now, signed},
};

const SOURCE: &str = r#"
[[sources]]
name = "hr"
preset = "standard-webhooks"
secret_files = ["key"]
zone = "UTC"

[[sources.rules]]
when = "body.type == 'employee.terminated'"
do = "disable"
at = { date = "body.data.lastDay", side = "end_of_day" }
profile = { employeeid = "body.data.employeeId" }
"#;

/// The audit line of a request.
async fn line(program: &Program, request: &str) -> Value {
    for _ in 0..400 {
        let log = program.service.stderr.text();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(line) = lines.find(|line| line["target"] == "audit" && line["request_id"] == request) {
            return line;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no audit line of {request}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_on_what_is_held_has_its_audit_line_and_so_has_its_refusal() {
    let (releases, releases_digest) = key();
    let (reads, reads_digest) = key();
    let seeing = "instances = [\"*\"]\noperations = \"read\"";
    let callers = configured("releases", &[&releases_digest], &format!("{seeing}\nrelease = true"))
        + &configured("reads", &[&reads_digest], seeing);
    let whsec = format!("whsec_{}", STANDARD.encode(KEY));
    let files = [("key", &*whsec), ("callers.toml", &*callers)];
    let program = Program::with_instances(SOURCE, &files, &["first"]);
    for (end, decided) in [("release", "released"), ("cancel", "cancelled")] {
        let body =
            json!({"type": "employee.terminated", "data": {"employeeId": "zq7", "lastDay": "2024-03-01"}}).to_string();
        let fields = signed(KEY, &format!("msg_{end}"), now(), &body);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let sent = program.post("/webhooks/hr", &fields, &body).await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        let held = answer(caller_with(&releases).get(program.url("/operations?state=held"))).await;
        let id = held.json()["operations"][0]["id"].as_str().unwrap().to_owned();
        let url = program.url(&format!("/operations/{id}/{end}"));
        for (key, name, status) in [(&reads, "reads", 403), (&releases, "releases", 200)] {
            let request = format!("{end}-{name}");
            let post = caller()
                .post(&url)
                .header("x-api-key", key)
                .header("x-request-id", &request);
            let told = answer(post).await;
            assert_eq!(told.status, status, "{request}: {}", told.text);
            let line = line(&program, &request).await;
            assert_eq!(line["caller"], name, "{line}");
            if status == 403 {
                assert_eq!(line["decision"], "refused", "{line}");
                assert!(
                    line["reason"].as_str().unwrap().starts_with("lacks the right to"),
                    "{line}"
                );
                continue;
            }
            let expected = json!(["allowed", decided, id, "first"]);
            let said = ["decision", "decided", "operation", "instance"].map(|field| line[field].clone());
            assert_eq!(Value::from(said.to_vec()), expected, "{line}");
            assert!(!line.to_string().contains("zq7"), "{line}");
        }
    }
}
