//! Large batches: in their order, and a disable does not wait for its turn.

use serde_json::{Value, json};

use super::{NDJSON, disable, update};
use crate::operations::{Stored, person};

/// As many as a batch takes.
const MOST: usize = 10_000;

/// How many are carried out; as many as a batch takes only where this is set to them.
const ELEMENTS: &str = "AWS_ILM_BATCH_ELEMENTS";

/// How many people they are about.
const PEOPLE: usize = 50;

fn lines(count: usize, element: impl Fn(usize) -> Value) -> String {
    (0..count).map(|index| format!("{}\n", element(index))).collect()
}

#[tokio::test]
async fn as_many_as_a_batch_takes_are_accepted_in_its_order() {
    let stored = Stored::holding(json!([]), &[]).await;
    let body = lines(MOST, |index| {
        let mut element = update(&format!("p{index}"), "Clerk");
        element["notBefore"] = json!("2035-01-01T00:00:00Z");
        element
    });
    let accepted = stored.batch_of(NDJSON, body).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let batch = accepted.json();
    assert_eq!(batch["accepted"], MOST);
    let ids = batch["operations"].as_array().unwrap();
    for index in [0, 1, 4_999, MOST - 1] {
        let operation = stored.operation(ids[index].as_str().unwrap()).await;
        assert_eq!(operation["arguments"]["user-profile"]["username"], format!("p{index}"));
    }
    let seen = stored
        .world
        .get(&format!("/batches/{}", batch["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(
        (&seen["states"], &seen["progress"]),
        (&json!({"scheduled": MOST}), &json!(0))
    );
}

#[tokio::test]
async fn a_batch_is_carried_out_in_its_order_and_the_leaver_in_its_middle_goes_first() {
    let count = std::env::var(ELEMENTS)
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000);
    let middle = count / 2;
    let people: Value = (0..PEOPLE).map(|number| person(&format!("p{number}"), true)).collect();
    let settings = [("AWS_ILM_READ_RATE", "100000"), ("AWS_ILM_WRITE_RATE", "100000")];
    let stored = Stored::holding(people, &settings).await;
    let leaver = middle % PEOPLE;
    let body = lines(count, |index| {
        if index == middle {
            disable(&format!("p{leaver}"))
        } else {
            update(&format!("p{}", index % PEOPLE), &format!("T{index}"))
        }
    });
    let batch = stored.batch_of(NDJSON, body).await.json();
    let ended = stored.batch_ended(batch["id"].as_str().unwrap()).await;
    assert_eq!(ended["states"], json!({"done": count}));

    let mut titles = vec![None; PEOPLE];
    for (_, path, body) in stored.world.writes() {
        let number: usize = path.trim_start_matches("/Users/u-p").parse().unwrap();
        let title = body.unwrap()["Operations"][0]["value"].clone();
        if let Some(index) = title.as_str().and_then(|title| title.strip_prefix('T')) {
            let index: usize = index.parse().unwrap();
            assert!(titles[number] < Some(index), "{index} came after {:?}", titles[number]);
            titles[number] = Some(index);
        }
    }
    for (number, title) in titles.into_iter().enumerate() {
        assert_eq!(
            title,
            Some(count - PEOPLE + number),
            "each person's last update came last"
        );
    }
    let show = async |index: usize| stored.operation(batch["operations"][index].as_str().unwrap()).await;
    let (disable, before) = (show(middle).await, show(middle - PEOPLE).await);
    let at_once = disable["attempts"][0]["endedAt"].as_str().unwrap();
    let in_turn = before["endedAt"].as_str().unwrap();
    println!("of {count}, the disable was done at {at_once}, what stood before it at {in_turn}");
    assert!(at_once < in_turn, "it did not wait for what stood before it");
    assert_eq!(
        stored.world.user(&format!("p{leaver}"))["active"],
        false,
        "and nothing enabled the leaver"
    );
}
