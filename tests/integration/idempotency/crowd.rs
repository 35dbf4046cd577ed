//! Many requests with one key at once.

use reqwest::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;

use super::keyed;
use crate::operations::{Stored, profile};

/// How often the crowd comes; few times by default.
const RUNS: &str = "AWS_ILM_KEYED_CROWDS";

/// Hostile input 78, one request 50 times at once under one key: one effect, and each is answered
/// alike, or told that the first is not answered yet.
#[tokio::test]
async fn fifty_requests_with_one_key_have_one_effect() {
    let runs = std::env::var(RUNS)
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(10);
    let stored = Stored::holding(json!([]), &[]).await;
    let (mut answered, mut in_use) = (0, 0);
    for run in 0..runs {
        let key = format!("hire-{run}");
        let arguments = json!({"user-profile": profile(&format!("p{run}"))});
        let ask = || {
            let request = keyed(&stored.world, "/commands/iam-create-user", &key, &arguments);
            async move {
                let response = request.send().await.unwrap();
                (response.status(), response.text().await.unwrap())
            }
        };
        let each: JoinSet<_> = (0..50).map(|_| ask()).collect();
        let answers = each.join_all().await;
        let first = stored.once("iam-create-user", &key, &arguments).await;
        for (status, text) in answers {
            if status == StatusCode::CONFLICT {
                assert!(text.contains("/problems/idempotency-key-in-use"), "{text}");
                in_use += 1;
            } else {
                assert_eq!((status.as_u16(), &text), (200, &first.text));
                answered += 1;
            }
        }
        assert_eq!(stored.world.writes().len(), run + 1, "one write a key");
    }
    assert_eq!(stored.world.sandbox.dump()["users"].as_array().unwrap().len(), runs);
    println!("{runs} crowds of 50: {answered} answered alike, {in_use} told that the first is not answered yet");
}

/// The same of deferred commands: each gets the one 202.
#[tokio::test]
async fn fifty_deferred_requests_with_one_key_are_one_operation() {
    let stored = Stored::holding(json!([]), &[]).await;
    let arguments = json!({"user-profile": profile("ada")});
    let ask = || {
        let request =
            keyed(&stored.world, "/commands/iam-create-user", "k", &arguments).header("prefer", "respond-async");
        async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        }
    };
    let each: JoinSet<_> = (0..50).map(|_| ask()).collect();
    let answers = each.join_all().await;
    let first = answers[0].clone();
    assert_eq!(first.0, 202, "{}", first.1);
    assert!(answers.iter().all(|answer| *answer == first));
    assert_eq!(stored.operations().await, 1);
}
