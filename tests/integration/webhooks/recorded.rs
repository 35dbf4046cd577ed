//! The recorded examples of webhooks and of what is asked about them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Hr, KEY, now, signed, write};
use crate::harness::Answer;

/// A hire, as its sender writes it.
fn hire(employee: &str) -> Value {
    json!({
        "type": "employee.hired",
        "data": {
            "employeeId": employee, "firstName": "Ada", "lastName": "Okafor", "email": "ada.okafor@example.com",
        },
    })
}

/// Each operation's name, with the body that was sent and the answer.
pub(crate) async fn exchanges() -> Vec<(&'static str, Value, Answer)> {
    let hr = Hr::start(&[]).await;
    let body = hire("1042").to_string();
    let webhook = hr.post("hr", &signed(KEY, "msg_1", now(), &body), &body).await;
    let id = webhook.json()["events"][0].as_str().unwrap().to_owned();
    hr.user_becomes("ada.okafor@example.com", |user| user["active"] == true)
        .await;
    let operation = hr.get(&format!("/events/{id}")).await["operations"][0]["id"].clone();
    hr.stored.ended(operation.as_str().unwrap()).await;
    let mut event = hr.stored.world.get(&format!("/events/{id}")).await;
    let mut shown = event.json();
    // What differs with the moment and the test's port.
    shown["headers"] = json!({"content-type": "application/json", "webhook-id": "msg_1"});
    event.text = shown.to_string();
    let events = hr.stored.world.get("/events?limit=1").await;
    let sources = hr.stored.world.get("/sources").await;
    let delivery = json!({"headers": {"content-type": "application/json"}, "body": body});
    let explained = hr.stored.world.post("/sources/hr/explain", &delivery).await;
    vec![
        ("webhook", hire("1042"), webhook),
        ("event", Value::Null, event),
        ("events", Value::Null, events),
        ("sources", Value::Null, sources),
        ("source-explain", delivery, explained),
        ("event-verify-again", json!({}), verified_again(&hr).await),
        ("event-replay", json!({}), replayed(&hr).await),
    ]
}

/// One that was signed with a secret that the service was told later.
async fn verified_again(hr: &Hr) -> Answer {
    const LATER: &str = "a secret that is told later";
    let body = hire("1043").to_string();
    hr.post("hr", &signed(LATER, "msg_2", now(), &body), &body).await;
    let quarantined = hr.wait_for_quarantined(1).await.remove(0);
    write(&hr.folder.join("hr-old"), &format!("whsec_{}", STANDARD.encode(LATER)));
    let again = format!("/events/{}/verify-again", quarantined["id"].as_str().unwrap());
    until_it_is(hr, &again, |answer| answer.status == 200).await
}

/// One whose rule was written later.
async fn replayed(hr: &Hr) -> Answer {
    let ignored = hr.plain("left", "kim").await;
    let file = hr.folder.join("sources.toml");
    let mended = std::fs::read_to_string(&file).unwrap();
    write(&file, &mended.replace("type == 'gone'", "type == 'left'"));
    let replay = format!("/events/{}/replay", ignored.json()["events"][0].as_str().unwrap());
    let mut answer = until_it_is(hr, &replay, |answer| answer.json()["event"]["verdict"] == "accepted").await;
    let mut shown = answer.json();
    shown["headers"] = json!({"content-type": "application/json"});
    // A worker may have it already.
    shown["operations"][0]["state"] = json!("waiting");
    shown["operations"][0]["dueAt"] = Value::Null;
    answer.text = shown.to_string();
    answer
}

async fn until_it_is(hr: &Hr, path: &str, holds: impl Fn(&Answer) -> bool) -> Answer {
    loop {
        let answer = hr.stored.world.post(path, &json!({})).await;
        if holds(&answer) {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
