//! Batches that are accepted, seen, and accepted once.

use serde_json::{Value, json};

use super::{NDJSON, disable, update};
use crate::{
    harness::answer,
    idempotency::{is_repeated, keyed},
    operations::{Stored, person},
};

fn people(count: usize) -> Value {
    (0..count).map(|number| person(&format!("p{number}"), true)).collect()
}

fn ids(batch: &Value) -> Vec<String> {
    let ids = batch["operations"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_batch_is_stored_carried_out_and_seen() {
    let stored = Stored::holding(people(3), &[]).await;
    let later = json!({"command": "iam-disable-user", "arguments": {"user-profile": {"username": "p2"}},
        "notBefore": "2035-01-31T17:00:00+11:00", "purpose": "leave", "instance": "AWS-ILM_instance_1"});
    let accepted = stored
        .batch(&json!([update("p0", "Clerk"), disable("p1"), later]))
        .await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let batch = accepted.json();
    let (id, operations) = (batch["id"].as_str().unwrap(), ids(&batch));
    assert_eq!(batch["accepted"], 3);
    assert_eq!(accepted.header("location"), Some(&*format!("/batches/{id}")));
    assert_eq!(stored.ended(&operations[0]).await["state"], "done");
    assert_eq!(stored.ended(&operations[1]).await["state"], "done");
    let seen = stored.world.get(&format!("/batches/{id}")).await.json();
    assert_eq!(
        (&seen["accepted"], &seen["ended"], &seen["progress"], &seen["states"]),
        (&json!(3), &json!(2), &json!(66), &json!({"done": 2, "scheduled": 1}))
    );
    let third = stored.operation(&operations[2]).await;
    assert_eq!(third["notBefore"], "2035-01-31T06:00:00.000Z");
    assert_eq!((&third["purpose"], &third["batch"]), (&json!("leave"), &json!(id)));
    assert_eq!(
        (&stored.world.user("p0")["title"], &stored.world.user("p1")["active"]),
        (&json!("Clerk"), &json!(false))
    );
    let listed = stored
        .world
        .get(&format!("/operations?batch={id}&state=scheduled"))
        .await
        .json();
    assert_eq!(listed["operations"][0]["id"], *operations[2]);
}

#[tokio::test]
async fn its_operations_are_paged_through_in_its_order() {
    let stored = Stored::holding(people(7), &[]).await;
    let elements: Value = (0..7).map(|number| disable(&format!("p{number}"))).collect();
    let batch = stored.batch(&elements).await.json();
    let id = batch["id"].as_str().unwrap();
    stored.batch_ended(id).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/batches/{id}/operations?state=done&limit=3{cursor}");
        let page = stored.world.get(&path).await.json();
        let operations = page["operations"].as_array().unwrap().iter();
        seen.extend(operations.map(|operation| operation["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids(&batch));
    for query in ["limit=0", "state=gone", "caller=a", "cursor=x"] {
        let refused = stored.world.get(&format!("/batches/{id}/operations?{query}")).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
    }
    for path in ["/batches/none", "/batches/none/operations"] {
        let missing = stored.world.get(path).await;
        assert_eq!(
            (missing.status, &missing.json()["type"]),
            (404, &json!("/problems/no-such-batch"))
        );
    }
}

/// Blank lines, CRLF, a last line without its end, and blanks around: all of it is NDJSON.
#[tokio::test]
async fn one_element_a_line_is_a_batch_as_well() {
    let stored = Stored::holding(people(3), &[]).await;
    let lines = format!("\r\n{}\r\n\n   \n{}\n\t{}", disable("p0"), disable("p1"), disable("p2"));
    let accepted = stored.batch_of(NDJSON, lines).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let batch = stored.batch_ended(accepted.json()["id"].as_str().unwrap()).await;
    assert_eq!(batch["states"], json!({"done": 3}));
}

#[tokio::test]
async fn a_batch_is_accepted_once_under_its_key_in_either_form() {
    let stored = Stored::holding(people(2), &[]).await;
    let elements = json!([disable("p0"), update("p1", "Clerk")]);
    let first = answer(keyed(&stored.world, "/batches", "file-1", &elements)).await;
    assert_eq!((first.status, is_repeated(&first)), (202, false), "{}", first.text);
    assert!(first.header("idempotency-key-expires-at").is_some());
    let again = answer(keyed(&stored.world, "/batches", "file-1", &elements)).await;
    assert_eq!(
        (again.status, is_repeated(&again), &again.text),
        (202, true, &first.text)
    );
    let lines = format!("{}\n{}\n", elements[0], elements[1]);
    let request = stored.world.http.post(stored.world.url("/batches"));
    let request = request
        .header("idempotency-key", "file-1")
        .header("content-type", NDJSON);
    let as_lines = answer(request.body(lines)).await;
    assert_eq!(
        (as_lines.status, is_repeated(&as_lines), &as_lines.text),
        (202, true, &first.text)
    );
    stored.batch_ended(first.json()["id"].as_str().unwrap()).await;
    let stored = stored.restarted(people(2)).await;
    let again = answer(keyed(&stored.world, "/batches", "file-1", &elements)).await;
    assert_eq!(
        (again.status, is_repeated(&again), &again.text),
        (202, true, &first.text)
    );
    let other = answer(keyed(&stored.world, "/batches", "file-1", &json!([disable("p0")]))).await;
    assert_eq!(
        (other.status, &other.json()["type"]),
        (422, &json!("/problems/idempotency-key-reused"))
    );
    assert_eq!(stored.operations().await, 2);
}
