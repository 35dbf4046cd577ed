//! The page about HR systems: its sources, its lines, and a webhook of each sender that it names.

use std::{fs, path::Path, process::Command, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{now, write};
use crate::{
    harness::{Answer, answer, caller},
    operations::new_folder,
    process::Running,
};

const SECRET: &str = "a secret of this test";

/// The blocks of the page: each with its language.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, from)) = rest.split_once("\n```") {
        let (language, from) = from.split_once('\n').unwrap();
        let (block, after) = from.split_once("```\n").unwrap();
        found.push((language, block));
        rest = after;
    }
    found
}

fn shell(folder: &Path, script: &str) -> String {
    let mut command = Command::new("bash");
    let ended = command
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{script}: {ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

#[tokio::test]
async fn the_page_goes_from_nothing_to_a_person_disabled_by_a_signed_event() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hr.md")).unwrap();
    let folder = new_folder();
    let blocks = blocks(&page);
    let sources: String = blocks
        .iter()
        .filter(|(language, _)| *language == "toml")
        .map(|(_, block)| format!("{block}\n"))
        .collect();
    write(&folder.join("sources.toml"), &sources);
    let lines: Vec<(&str, Option<&str>)> = blocks
        .iter()
        .enumerate()
        .filter(|(_, (language, _))| *language == "sh")
        .map(|(at, (_, block))| {
            let expected = blocks.get(at + 1).filter(|(language, _)| *language == "text");
            (*block, expected.map(|(_, text)| *text))
        })
        .collect();
    let (secret, others) = lines.split_first().unwrap();
    shell(&folder, secret.0);
    for name in ["bamboohr", "hibob", "okta", "payroll"] {
        write(&folder.join("secrets").join(name), SECRET);
    }
    let file = folder.join("sources.toml").display().to_string();
    assert!(
        others[0]
            .0
            .contains("AWS_ILM_SOURCES_FILE=sources.toml aws-ilm serve --sandbox")
    );
    let (_service, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_SOURCES_FILE", &file)]);
    for (block, expected) in &others[1..] {
        let block = block.replace("127.0.0.1:8080", &address.to_string());
        let mut shown = shell(&folder, &block);
        for _ in 0..500 {
            if expected.is_none_or(|expected| shown == expected) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            shown = shell(&folder, &block);
        }
        assert_eq!(shown, expected.unwrap_or(&shown), "{block}");
    }
    each_sender_is_understood(&format!("http://{address}")).await;
    fs::remove_dir_all(folder).unwrap();
}

fn key(algorithm: hmac::Algorithm) -> hmac::Key {
    hmac::Key::new(algorithm, SECRET.as_bytes())
}

async fn post(request: RequestBuilder, body: &Value) -> Answer {
    let request = request.header("content-type", "application/json");
    answer(request.body(body.to_string())).await
}

/// Sends what BambooHR, HiBob, Okta and the sender that signs nothing do.
async fn each_sender_is_understood(base: &str) {
    let to = |path: &str| caller().post(format!("{base}/webhooks/{path}"));
    let field = |value: &str| json!({"value": value});
    let hire = json!({"employees": [{"id": "2042", "action": "Created", "changedFields": ["firstName"], "fields": {
        "firstName": field("Kim"), "lastName": field("Lee"), "workEmail": field("kim.lee@example.com"),
    }}]});
    let time = now().to_string();
    let tag = hmac::sign(&key(hmac::HMAC_SHA256), format!("{hire}{time}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let hired = to("bamboohr").header("x-bamboohr-timestamp", &time);
    let hired = post(hired.header("x-bamboohr-signature", hex), &hire).await;
    became(base, &hired, "iam-create-user").await;

    let signed = |body: &str| STANDARD.encode(hmac::sign(&key(hmac::HMAC_SHA512), body.as_bytes()));
    let ping = to("hibob")
        .header("bob-signature", signed("Ping test"))
        .body("Ping test");
    assert_eq!(answer(ping.header("content-type", "text/plain")).await.status, 200);
    let left =
        json!({"type": "employee.left", "triggeredAt": jiff::Timestamp::now().to_string(), "data": {"ids": ["2042"]}});
    let left = post(to("hibob").header("bob-signature", signed(&left.to_string())), &left).await;
    became(base, &left, "iam-disable-user").await;

    let challenge = caller().get(format!("{base}/webhooks/okta"));
    let challenge = answer(challenge.header("x-okta-verification-challenge", "prove it")).await;
    assert_eq!(challenge.json(), json!({"verification": "prove it"}));
    let gone = json!({"data": {"events": [{
        "eventId": "e1", "eventType": "user.lifecycle.deactivate", "published": jiff::Timestamp::now().to_string(),
        "target": [{"type": "User", "alternateId": "kim.lee@example.com"}],
    }]}});
    let gone = post(to("okta").header("authorization", SECRET), &gone).await;
    became(base, &gone, "iam-disable-user").await;

    let body = json!({"mail": "Kim.Lee@example.com"});
    let path = SECRET.replace(' ', "%20");
    let leaver = post(to(&format!("payroll/~{path}/leaver")), &body).await;
    became(base, &leaver, "iam-disable-user").await;
    assert_eq!(post(to("payroll/~another/leaver"), &body).await.status, 401);
}

/// Waits until the one event of a delivery has its operation carried out.
async fn became(base: &str, delivery: &Answer, command: &str) {
    assert_eq!(delivery.status, 202, "{}", delivery.text);
    let id = delivery.json()["events"][0].as_str().unwrap().to_owned();
    for _ in 0..1_000 {
        let event = answer(caller().get(format!("{base}/events/{id}"))).await.json();
        assert_eq!(event["event"]["verdict"], "accepted", "{event}");
        let operation = &event["operations"][0];
        assert_eq!(operation["command"], command);
        if ["done", "skipped"].iter().any(|state| operation["state"] == **state) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{command} was not carried out");
}
