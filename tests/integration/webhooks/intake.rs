//! What is taken, what is refused, and what comes twice.

use serde_json::{Value, json};

use super::{Hr, KEY, headers, hire, now, signed};
use crate::{
    harness::{Answer, answer},
    operations::set_away,
};

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 202, "{}", answer.text);
    let json = answer.json();
    let ids = json["events"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_hire_is_stored_answered_and_carried_out() {
    let hr = Hr::start(&[]).await;
    let id = ids(&hr.hire("msg_1", "7").await).remove(0);
    hr.user_becomes("ada.7@example.com", |user| user["active"] == true)
        .await;
    let details = hr.get(&format!("/events/{id}")).await;
    assert_eq!(details["event"]["verdict"], "accepted");
    assert_eq!(details["event"]["type"], "employee.hired");
    assert_eq!(details["event"]["rule"], 5);
    assert_eq!(details["operations"][0]["source"], "hr");
    assert_eq!(details["operations"][0]["purpose"], "hire");
    assert!(details["body"].as_str().unwrap().contains("Okafor"));
    let subject = details["operations"][0]["subject"][0].as_str().unwrap();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("subject", subject)
        .finish();
    assert_eq!(hr.events(&format!("?{query}")).await.len(), 1);
    assert_eq!(hr.events("?source=other").await, Vec::<Value>::new());
}

/// Hostile input 61, no signature, an empty one, garbage, `v0`, wrong base64, a thousand: 401; ten
/// thousand are more than header fields may be: 431. Hostile input 62, a body that was written
/// again with one more space: 401. Hostile input 63, the signature of another source: 401. Hostile
/// input 64, times 301 s off, negative, too large, empty: 401; 299 s off: taken. Hostile input 68,
/// an id and a time whose boundary was moved: 401. Hostile input 67, ids with a dot, or of 10 KB:
/// 401, as whatever is not proven. A line break can't stand in a header field.
#[tokio::test]
async fn whatever_is_not_proven_is_answered_alike() {
    let hr = Hr::start(&[]).await;
    let (body, at) = (hire("7"), now());
    let good = signed(KEY, "msg_1", at, &body);
    let of = |signature: &str| headers("msg_1", &at.to_string(), signature);
    let shifted = signed(KEY, "a.1", 2, &body)[2].1.clone();
    let many = hr.post("hr", &of(&"v1,AAAA ".repeat(10_000)), &body).await;
    assert_eq!(many.status, 431, "{}", many.text);
    let mut refused = vec![
        ("hr", good[..2].to_vec(), body.clone()),
        ("hr", of(""), body.clone()),
        ("hr", of("garbage"), body.clone()),
        ("hr", of(&good[2].1.replace("v1,", "v0,")), body.clone()),
        ("hr", of("v1,!!!"), body.clone()),
        ("hr", of(&"v1,AAAA ".repeat(1_000)), body.clone()),
        ("hr", good.clone(), format!("{body} ")),
        (
            "hr",
            signed("the secret of another source", "msg_1", at, &body),
            body.clone(),
        ),
        ("other", good.clone(), body.clone()),
        ("nothing", good.clone(), body.clone()),
        ("hr", headers("a", "1.2", &shifted), body.clone()),
        ("hr", signed(KEY, "a.b", at, &body), body.clone()),
        ("hr", signed(KEY, &"x".repeat(10_000), at, &body), body.clone()),
        ("hr", headers("msg_1", "", &good[2].1), body.clone()),
    ];
    for time in [at - 310, at + 310, -1, i64::MAX] {
        refused.push(("hr", signed(KEY, "msg_1", time, &body), body.clone()));
    }
    let mut answers = Vec::new();
    for (source, headers, body) in refused {
        let answer = hr.post(source, &headers, &body).await;
        let mut problem = answer.json();
        problem["requestId"] = Value::Null;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.header("www-authenticate").is_some());
        answers.push(problem);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    for (index, time) in [at - 290, at + 290].into_iter().enumerate() {
        let headers = signed(KEY, &format!("near_{index}"), time, &body);
        assert_eq!(hr.post("hr", &headers, &body).await.status, 202);
    }
}

/// Hostile input 65, the same id and body again: 202, one effect. The test of processes has it
/// after a restart. Hostile input 66, the same id with another body: 409, and the first stands.
#[tokio::test]
async fn what_comes_twice_changes_nothing() {
    let hr = Hr::start(&[]).await;
    let (body, at) = (hire("7"), now());
    let headers = signed(KEY, "msg_1", at, &body);
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut request = hr.stored.world.http.post(hr.url("/webhooks/hr"));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        sending.spawn(answer(
            request.header("content-type", "application/json").body(body.clone()),
        ));
    }
    let together = sending.join_all().await;
    let first = ids(&together[0]);
    for answer in &together {
        assert_eq!(ids(answer), first);
    }
    assert_eq!(hr.events("").await.len(), 1);
    let operations = hr.get("/operations").await;
    assert_eq!(operations["operations"].as_array().unwrap().len(), 1);

    let other = hire("8");
    let reused = hr.post("hr", &signed(KEY, "msg_1", at, &other), &other).await;
    assert_eq!(
        (reused.status, reused.json()["type"].as_str()),
        (409, Some("/problems/event-reused"))
    );
    assert!(hr.events("").await.len() == 1 && hr.stored.world.user("ada.8@example.com").is_null());
    // Another source's ids are others.
    let elsewhere = hr
        .post(
            "other",
            &signed("the secret of another source", "msg_1", at, &body),
            &body,
        )
        .await;
    assert_ne!(ids(&elsewhere), first);
}

#[tokio::test]
async fn what_is_equal_is_the_same_event_only_while_nothing_else_was_accepted() {
    let hr = Hr::start(&[]).await;
    let hired = ids(&hr.plain("back", "kim").await);
    assert_eq!(ids(&hr.plain("back", "kim").await), hired);
    let gone = ids(&hr.plain("gone", "kim").await);
    assert_eq!(ids(&hr.plain("gone", "kim").await), gone);
    // Another person's event changes nothing of that.
    ids(&hr.plain("gone", "lee").await);
    assert_eq!(ids(&hr.plain("gone", "kim").await), gone);
    assert_ne!(ids(&hr.plain("back", "kim").await), hired);
    assert_ne!(ids(&hr.plain("gone", "kim").await), gone);
    hr.user_becomes("kim", |user| user["active"] == false).await;
}

/// Hostile input 69, the old secret: 202 while it is configured, 401 afterwards.
#[tokio::test]
async fn a_secret_that_is_taken_out_proves_nothing() {
    let hr = Hr::start(&[]).await;
    let body = hire("7");
    let old = |id: &str| signed("the old secret of these tests", id, now(), &body);
    assert_eq!(hr.post("hr", &old("msg_1"), &body).await.status, 202);
    let file = hr.folder.join("sources.toml");
    let without = std::fs::read_to_string(&file).unwrap().replace(r#", "hr-old""#, "");
    super::write(&file, &without);
    let mut index = 1;
    loop {
        index += 1;
        let status = hr.post("hr", &old(&format!("msg_{index}")), &body).await.status;
        if status == 401 {
            break;
        }
        assert!(status == 202 && index < 1_000);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Hostile input 70, a type that no rule knows: 202, kept as ignored.
/// Hostile input 71, a body that is no JSON: 400; one of more than the cap: 413.
#[tokio::test]
async fn what_means_nothing_is_kept_and_what_is_no_json_is_not() {
    let hr = Hr::start(&[]).await;
    let odd = json!({"type": "employee.promoted"}).to_string();
    let id = ids(&hr.post("hr", &signed(KEY, "msg_1", now(), &odd), &odd).await).remove(0);
    let event = hr.get(&format!("/events/{id}")).await;
    assert_eq!(
        (&event["event"]["verdict"], &event["event"]["reason"]),
        (&json!("ignored"), &json!("no rule matches it"))
    );

    let broken = "{\"type\": ";
    let answer = hr.post("hr", &signed(KEY, "msg_2", now(), broken), broken).await;
    assert_eq!(
        (answer.status, answer.json()["type"].as_str()),
        (400, Some("/problems/bad-webhook")),
        "{}",
        answer.text
    );
    let huge = "x".repeat(2 * 1024 * 1024);
    let answer = hr.post("hr", &signed(KEY, "msg_3", now(), &huge), &huge).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    // What a rule needs and is missing: stored, and told.
    let thin = json!({"type": "employee.terminated", "data": {}}).to_string();
    let id = ids(&hr.post("hr", &signed(KEY, "msg_4", now(), &thin), &thin).await).remove(0);
    assert_eq!(hr.get(&format!("/events/{id}")).await["event"]["verdict"], "failed");
    assert_eq!(hr.events("").await.len(), 2);
}

/// Hostile input 76, a store that can't be written (a full disk is tried with commands, by
/// `durable.py`): 503 with Retry-After, and nothing is kept.
#[tokio::test]
async fn without_its_store_nothing_is_taken() {
    let hr = Hr::start(&[]).await;
    assert_eq!(hr.hire("msg_1", "7").await.status, 202);
    set_away(hr.stored.folder(), true);
    let away = hr.hire("msg_2", "8").await;
    assert_eq!(away.status, 503, "{}", away.text);
    assert!(away.header("retry-after").is_some());
    set_away(hr.stored.folder(), false);
    for _ in 0..1_000 {
        if hr.hire("msg_2", "8").await.status == 202 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    hr.user_becomes("ada.8@example.com", |user| user["active"] == true)
        .await;
}
