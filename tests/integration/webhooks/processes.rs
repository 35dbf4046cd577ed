//! The program itself: killed behind an answer, and hiring by the line that its banner shows.

use std::{process::Command, time::Duration};

use serde_json::Value;

use super::{KEY, hire, now, signed, sources_folder};
use crate::{
    harness::{answer, caller},
    process::Running,
};

/// Hostile input 77, the process killed right behind its 202: the event is there afterwards, once,
/// and known when it comes again.
#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let folder = sources_folder();
    let file = |name: &str| folder.join(name).display().to_string();
    let (sources, store) = (file("sources.toml"), file("store.db"));
    let settings = [("AWS_ILM_SOURCES_FILE", &*sources), ("AWS_ILM_STORE_PATH", &*store)];
    let body = hire("7");
    let headers = signed(KEY, "msg_1", now(), &body);
    let send = async |address: std::net::SocketAddr| {
        let mut request = caller().post(format!("http://{address}/webhooks/hr"));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        answer(request.header("content-type", "application/json").body(body.clone())).await
    };
    let (service, address) = Running::serve(&["--sandbox"], &settings);
    let first = send(address).await;
    drop(service);
    assert_eq!(first.status, 202, "{}", first.text);

    let (_service, address) = Running::serve(&["--sandbox"], &settings);
    let again = send(address).await;
    assert_eq!((again.status, again.json()), (202, first.json()));
    let id = first.json()["events"][0].as_str().unwrap().to_owned();
    let event = answer(caller().get(format!("http://{address}/events/{id}")))
        .await
        .json();
    assert_eq!(event["event"]["verdict"], "accepted");
    assert_eq!(event["operations"].as_array().unwrap().len(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_line_of_the_sandboxs_banner_hires_a_person() {
    let (service, address) = Running::serve(&["--sandbox"], &[]);
    let lines = ["body='{", "signature=$(", "curl -s http://"].map(|part| {
        let line = match part {
            "curl -s http://" => service.stdout.line_with("/webhooks/hr -H"),
            part => service.stdout.line_with(part),
        };
        line.trim_end().trim_end_matches('\\').to_owned()
    });
    let shown = Command::new("sh").arg("-c").arg(lines.concat()).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let accepted: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}"));
    let id = accepted["events"][0].as_str().unwrap().to_owned();
    for _ in 0..1_000 {
        let event = answer(caller().get(format!("http://{address}/events/{id}")))
            .await
            .json();
        if event["operations"][0]["state"] == "done" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the hire was not carried out");
}
