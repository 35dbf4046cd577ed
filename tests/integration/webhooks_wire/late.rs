//! What comes again after a day, and after all memory of it: the store's times are moved back, as
//! if the service had stood still that long.

use serde_json::{Value, json};

use crate::{
    operations::FILE,
    webhooks::{Hr, KEY, hire, now, signed},
};

const HOUR: i64 = 3_600_000;

/// Moves all that was received back by this many hours.
fn age(hr: &Hr, hours: i64) {
    let store = rusqlite::Connection::open(hr.stored.folder().join(FILE)).unwrap();
    store.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    for table in ["delivery", "event"] {
        let changed = store
            .execute(
                &format!("UPDATE {table} SET received_at = received_at - ?1"),
                [hours * HOUR],
            )
            .unwrap();
        assert!(changed > 0, "{table}");
    }
}

/// Hostile input 65, the same id and body again after 24 h: 202, one effect; also when the service
/// was started anew in between, and up to the end of what is remembered.
#[tokio::test]
async fn what_comes_again_after_a_day_or_a_week_changes_nothing() {
    let mut hr = Hr::start(&[]).await;
    let body = hire("7");
    let first = hr.post("hr", &signed(KEY, "msg_1", now(), &body), &body).await;
    assert_eq!(first.status, 202, "{}", first.text);
    hr.user_becomes("ada.7@example.com", |user| user["active"] == true)
        .await;
    for hours in [25, 24 * 5, 24 * 23] {
        hr = hr.restarted(json!([])).await;
        age(&hr, hours);
        // Senders sign what they repeat anew, as Svix does.
        let again = hr.post("hr", &signed(KEY, "msg_1", now(), &body), &body).await;
        assert_eq!((again.status, again.json()), (202, first.json()), "{hours}");
        assert_eq!(hr.events("").await.len(), 1, "{hours}");
        let operations = hr.get("/operations").await;
        assert!(operations["operations"].as_array().unwrap().len() <= 1, "{operations}");
        // The directory is another one, in which nobody was hired anew.
        assert!(hr.stored.world.user("ada.7@example.com").is_null(), "{hours}");
        let other = hire("8");
        let reused = hr.post("hr", &signed(KEY, "msg_1", now(), &other), &other).await;
        assert_eq!(reused.status, 409, "{hours}: {}", reused.text);
    }
}

/// The sender's time protects where the memory of duplicates ends.
#[tokio::test]
async fn what_is_older_than_all_memory_is_taken_for_no_event() {
    let hr = Hr::start(&[("AWS_ILM_EVENT_RETENTION", "168h")]).await;
    let old = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(169)).to_string();
    let mut body: Value = serde_json::from_str(&hire("7")).unwrap();
    body["timestamp"] = json!(old);
    let body = body.to_string();
    let taken = hr.post("hr", &signed(KEY, "msg_1", now(), &body), &body).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let id = taken.json()["events"][0].as_str().unwrap().to_owned();
    let event = hr.get(&format!("/events/{id}")).await;
    assert_eq!(event["event"]["verdict"], "failed", "{event}");
    assert!(
        event["event"]["reason"].as_str().unwrap().contains("event_retention"),
        "{event}"
    );
    let late = hr
        .post("hr", &signed(KEY, "msg_2", now() - 169 * 3_600, &body), &body)
        .await;
    assert_eq!(late.status, 401, "{}", late.text);
    assert_eq!(hr.get("/operations").await["operations"], json!([]));
}
