//! Many events in one delivery: each has its rule, its person and its state; all are stored, or
//! none.

use serde_json::{Value, json};

use crate::{harness::Answer, operations::person, webhooks::Hr};

const SOURCES: &str = r#"
[[sources]]
name = "many"
verifier = { proof = "bearer", duplicates = "digest" }
secret_files = ["secret"]
each = "body.events"
id = "item.id"
type = "item.type"
zone = "UTC"

[[sources.rules]]
when = "type == 'hired'"
do = "create"
purpose = "hire"
profile = { username = "item.who", email = "item.who ~ '@example.com'", givenname = "item.who", surname = "'B'", displayname = "item.who" }

[[sources.rules]]
when = "type == 'left'"
do = "disable"
purpose = "termination"
profile = { username = "item.who" }

[[sources.rules]]
when = "type == 'noted'"
do = "ignore"
"#;

async fn start() -> Hr {
    Hr::with(SOURCES, &[("secret", "right")], &[]).await
}

async fn post(hr: &Hr, events: &[Value]) -> Answer {
    let fields = [("authorization".to_owned(), "Bearer right".to_owned())];
    hr.post("many", &fields, &json!({ "events": events }).to_string()).await
}

fn event(id: &str, r#type: &str, who: &str) -> Value {
    json!({"id": id, "type": r#type, "who": who})
}

#[track_caller]
fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 202, "{}", answer.text);
    let json = answer.json();
    let ids = json["events"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_event_has_its_own_rule_person_and_state() {
    let hr = start().await;
    let sent = [
        event("e-0", "hired", "ada"),
        event("e-1", "left", "nobody-there"),
        event("e-2", "noted", "ada"),
        event("e-3", "promoted", "ada"),
        json!({"id": "e-4", "type": "left"}),
        event("e-5", "hired", "kim"),
        event("e-6", "left", "kim"),
    ];
    let ids = ids(&post(&hr, &sent).await);
    assert_eq!(ids.len(), sent.len());
    let rows = [
        ("accepted", Some(1), 1),
        ("accepted", Some(2), 1),
        ("ignored", Some(3), 0),
        ("ignored", None, 0),
        ("failed", Some(2), 0),
        ("accepted", Some(1), 1),
        ("accepted", Some(2), 1),
    ];
    for (place, (id, (verdict, rule, operations))) in ids.iter().zip(rows).enumerate() {
        let shown = hr.get(&format!("/events/{id}")).await;
        let event = &shown["event"];
        assert_eq!(event["verdict"], verdict, "{place}: {shown}");
        assert_eq!(event["rule"], json!(rule), "{place}");
        assert_eq!(event["position"], place, "{place}");
        assert_eq!(event["operations"].as_array().unwrap().len(), operations, "{place}");
        for operation in shown["operations"].as_array().unwrap() {
            let subject = operation["subject"].to_string();
            assert!(
                subject.contains(sent[place]["who"].as_str().unwrap()),
                "{place}: {subject}"
            );
        }
    }
    hr.user_becomes("ada", |user| user["active"] == true).await;
    // In the order of the delivery, though it is one person's hire and leave.
    hr.user_becomes("kim", |user| user["active"] == false).await;
    assert!(hr.stored.world.user("nobody-there").is_null());
    // Each is found by its person alone.
    let subject = hr.get(&format!("/events/{}", ids[5])).await["operations"][0]["subject"][0].clone();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("subject", subject.as_str().unwrap())
        .finish();
    let found: Vec<_> = hr.events(&format!("?{query}")).await;
    let found: Vec<_> = found.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(found, [&*ids[6], &*ids[5]]);
}

#[tokio::test]
async fn what_was_there_is_known_again_beside_what_is_new() {
    let hr = start().await;
    let first = ids(&post(&hr, &[event("e-0", "hired", "ada"), event("e-1", "hired", "kim")]).await);
    let second = ids(&post(
        &hr,
        &[
            event("e-1", "hired", "kim"),
            event("e-2", "hired", "lee"),
            event("e-0", "hired", "ada"),
        ],
    )
    .await);
    assert_eq!((&second[0], &second[2]), (&first[1], &first[0]));
    assert!(!first.contains(&second[1]));
    assert_eq!(hr.events("").await.len(), 3);
    assert_eq!(hr.get("/operations").await["operations"].as_array().unwrap().len(), 3);
    // What stands in one delivery twice is one event.
    let twice = ids(&post(&hr, &[event("e-3", "noted", "a"), event("e-3", "noted", "a")]).await);
    assert_eq!(twice.len(), 1, "{twice:?}");
    assert_eq!(hr.events("").await.len(), 4);
}

#[tokio::test]
async fn one_event_that_can_not_be_taken_keeps_all_of_its_delivery_out() {
    let hr = start().await;
    hr.stored.world.sandbox.reset_calls();
    let first = ids(&post(&hr, &[event("e-0", "noted", "ada")]).await);
    let with = |last: Vec<Value>| {
        let mut events = vec![event("e-1", "hired", "kim"), event("e-2", "hired", "lee")];
        events.extend(last);
        events
    };
    let too_many = (0..1_001)
        .map(|number| event(&format!("m-{number}"), "hired", "kim"))
        .collect();
    for (what, events, status, r#type) in [
        (
            "an id of another",
            with(vec![event("e-0", "left", "ada")]),
            409,
            "/problems/event-reused",
        ),
        (
            "two of one id",
            with(vec![event("e-3", "left", "ada"), event("e-3", "left", "kim")]),
            400,
            "/problems/bad-webhook",
        ),
        ("too many", too_many, 400, "/problems/bad-webhook"),
    ] {
        let refused = post(&hr, &events).await;
        assert_eq!(refused.status, status, "{what}: {}", refused.text);
        assert_eq!(refused.json()["type"], r#type, "{what}");
        let kept: Vec<_> = hr
            .events("")
            .await
            .into_iter()
            .filter(|event| event["verdict"] != "quarantined")
            .collect();
        assert_eq!(kept.len(), 1, "{what}: {kept:?}");
        assert_eq!(kept[0]["id"], *first[0], "{what}");
    }
    let told = post(&hr, &with(vec![event("e-0", "left", "ada")])).await.json();
    assert!(told["detail"].as_str().unwrap().contains("event 3"), "{told}");
    assert_eq!(hr.get("/operations").await["operations"], json!([]));
    assert!(hr.stored.world.user("kim").is_null() && hr.stored.world.user("lee").is_null());
    // Without the one, the others are taken; the first stands as it was.
    assert_eq!(ids(&post(&hr, &with(Vec::new())).await).len(), 2);
    hr.user_becomes("lee", |user| user["active"] == true).await;
    let stands = hr.get(&format!("/events/{}", first[0])).await;
    assert!(stands["body"].as_str().unwrap().contains("noted"), "{stands}");
}

/// A thousand events are one answer and one transaction; what is no list is one event or refused.
#[tokio::test]
async fn a_thousand_events_are_one_delivery() {
    let hr = start().await;
    let events: Vec<_> = (0..1_000)
        .map(|number| event(&format!("m-{number}"), "noted", "kim"))
        .collect();
    assert_eq!(ids(&post(&hr, &events).await).len(), 1_000);
    let mut count = 0;
    let mut next = Value::from("");
    while let Some(cursor) = next.as_str() {
        let cursor = if cursor.is_empty() {
            String::new()
        } else {
            format!("&cursor={cursor}")
        };
        let page = hr.get(&format!("/events?limit=500&verdict=ignored{cursor}")).await;
        count += page["events"].as_array().unwrap().len();
        next = page["next"].clone();
    }
    assert_eq!(count, 1_000);
    assert_eq!(ids(&post(&hr, &[]).await), Vec::<String>::new());
    let unlike = hr
        .post(
            "many",
            &[("authorization".to_owned(), "Bearer right".to_owned())],
            r#"{"events": "x"}"#,
        )
        .await;
    assert_eq!(unlike.status, 400, "{}", unlike.text);
}

#[tokio::test]
async fn what_was_there_is_known_again_after_a_restart() {
    let people = json!([person("kim", true)]);
    let hr = start().await;
    let first = ids(&post(&hr, &[event("e-0", "left", "kim"), event("e-1", "hired", "ada")]).await);
    hr.user_becomes("ada", |user| user["active"] == true).await;
    let hr = hr.restarted(people).await;
    assert_eq!(
        ids(&post(&hr, &[event("e-1", "hired", "ada"), event("e-0", "left", "kim")]).await),
        [first[1].clone(), first[0].clone()]
    );
    assert_eq!(hr.events("").await.len(), 2);
}
