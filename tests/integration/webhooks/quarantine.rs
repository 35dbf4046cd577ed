//! What is not proven is kept within bounds, and what became nothing is read again.

use serde_json::{Value, json};

use super::{Hr, KEY, hire, now, signed, write};

#[tokio::test]
async fn what_was_signed_with_a_new_secret_is_verified_again_once_that_is_known() {
    let hr = Hr::start(&[]).await;
    let body = hire("7");
    let headers = signed("a secret that nobody told the service", "msg_1", now(), &body);
    assert_eq!(hr.post("hr", &headers, &body).await.status, 401);
    let quarantined = hr.wait_for_quarantined(1).await.remove(0);
    assert_eq!(quarantined["reason"], "no signature fits what was sent");
    let id = quarantined["id"].as_str().unwrap();
    let again = format!("/events/{id}/verify-again");
    let refused = hr.stored.world.post(&again, &json!({})).await;
    assert_eq!(
        (refused.status, refused.json()["type"].as_str()),
        (409, Some("/problems/event-state"))
    );

    use base64::Engine as _;
    let secret = base64::engine::general_purpose::STANDARD.encode("a secret that nobody told the service");
    write(&hr.folder.join("hr-old"), &format!("whsec_{secret}"));
    let mut taken = hr.stored.world.post(&again, &json!({})).await;
    for _ in 0..500 {
        if taken.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        taken = hr.stored.world.post(&again, &json!({})).await;
    }
    assert_eq!(taken.status, 200, "{}", taken.text);
    hr.user_becomes("ada.7@example.com", |user| user["active"] == true)
        .await;
    assert_eq!(hr.events("?verdict=quarantined").await, Vec::<Value>::new());
    assert_eq!(hr.stored.world.post(&again, &json!({})).await.status, 404);
    // It is known by its id, as if it had come proven.
    let now_known = hr.post("hr", &headers, &body).await;
    assert_eq!(now_known.json()["events"], taken.json()["events"]);
}

#[tokio::test]
async fn what_is_there_stays_and_newcomers_are_dropped() {
    let hr = Hr::start(&[("AWS_ILM_QUARANTINE_SIZE", "20")]).await;
    for number in 0..5 {
        let body = hire(&number.to_string());
        let headers = signed("another secret", &format!("msg_{number}"), now(), &body);
        assert_eq!(hr.post("hr", &headers, &body).await.status, 401);
        // A tenth of all is one address's.
        hr.wait_for_quarantined((number + 1).min(2)).await;
    }
    let kept = hr.events("?verdict=quarantined").await;
    assert_eq!(kept.len(), 2);
    let body = hr.get(&format!("/events/{}", kept[1]["id"].as_str().unwrap())).await;
    assert!(body["body"].as_str().unwrap().contains("ada.0@example.com"));
    // Nothing is kept of what was sent to no source.
    let body = hire("9");
    assert_eq!(
        hr.post("nothing", &signed(KEY, "msg_9", now(), &body), &body)
            .await
            .status,
        401
    );
    assert_eq!(
        hr.hire("msg_10", "10").await.status,
        202,
        "the same address's good ones are taken"
    );
}

#[tokio::test]
async fn an_event_that_became_nothing_is_held_against_the_rules_of_now() {
    let hr = Hr::start(&[]).await;
    let stored = hr.plain("left", "kim").await;
    let id = stored.json()["events"][0].as_str().unwrap().to_owned();
    let replay = format!("/events/{id}/replay");
    let replayed = hr.stored.world.post(&replay, &json!({})).await;
    assert_eq!(
        (replayed.status, &replayed.json()["event"]["verdict"]),
        (200, &json!("ignored"))
    );
    let file = hr.folder.join("sources.toml");
    let mended = std::fs::read_to_string(&file)
        .unwrap()
        .replace("type == 'back'", "type == 'left'");
    write(&file, &mended);
    let mut answer = replayed;
    for _ in 0..500 {
        answer = hr.stored.world.post(&replay, &json!({})).await;
        if answer.json()["event"]["verdict"] == "accepted" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(
        answer.json()["operations"].as_array().unwrap().len(),
        1,
        "{}",
        answer.text
    );
    hr.user_becomes("kim", |user| user["active"] == true).await;
    let again = hr.stored.world.post(&replay, &json!({})).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

#[tokio::test]
async fn sources_are_listed_and_explain_a_delivery() {
    let hr = Hr::start(&[]).await;
    let list = hr.get("/sources").await;
    let names: Vec<_> = list["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| &source["name"])
        .collect();
    assert_eq!(names, ["hr", "other", "plain"]);
    let body = hire("7");
    let headers: serde_json::Map<_, _> = signed(KEY, "msg_1", now(), &body)
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    let arguments = json!({"headers": headers, "body": body});
    let explained = hr.stored.world.post("/sources/hr/explain", &arguments).await;
    assert_eq!(explained.status, 200, "{}", explained.text);
    let explained = explained.json();
    assert_eq!(explained["verification"]["accepted"], true);
    assert_eq!(explained["events"][0]["verdict"], "commands");
    assert_eq!(
        hr.stored.world.post("/sources/none/explain", &arguments).await.status,
        404
    );
    assert_eq!(hr.events("").await, Vec::<Value>::new(), "nothing is stored");
}
