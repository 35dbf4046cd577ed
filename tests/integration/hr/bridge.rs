//! The bridge of the documentation, as it stands there, between an HR system that is only asked
//! and the service.

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::Query, http::HeaderMap, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Driven;
use crate::{docs_pages::page, harness::until, webhooks::KEY};

/// The page's program.
fn program() -> String {
    let page = page("docs/bridge.md");
    let (_, from) = page.split_once("```python\n").unwrap();
    from.split_once("```").unwrap().0.to_owned()
}

/// An HR system with these changes, which wants a token.
async fn hr_system(changes: Arc<Mutex<Vec<Value>>>) -> String {
    let answer = move |query: Query<std::collections::HashMap<String, u64>>, headers: HeaderMap| {
        let changes = Arc::clone(&changes);
        async move {
            assert_eq!(headers["authorization"], "Bearer hr-token");
            let later = |change: &&Value| change["number"].as_u64() > Some(query["since"]);
            let later: Vec<_> = changes.lock().unwrap().iter().filter(later).cloned().collect();
            Json(later)
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/changes", listener.local_addr().unwrap());
    let router = Router::new().route("/changes", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bridge_of_the_documentation_brings_changes_once() {
    let hr = Driven::at(jiff::Timestamp::now()).await;
    let person = json!({
        "employeeId": "1", "userName": "ada", "email": "ada@example.com", "firstName": "Ada", "lastName": "Okafor",
        "displayName": "Ada Okafor",
    });
    let at = |minutes: i64| (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes)).to_string();
    let changes = Arc::new(Mutex::new(vec![
        json!({"number": 1, "type": "back", "at": at(30), "person": person}),
    ]));
    let url = hr_system(Arc::clone(&changes)).await;
    let state = std::env::temp_dir().join(format!("aws-ilm-bridge-{}", uuid::Uuid::new_v4()));
    let run = || {
        let mut python = Command::new("python3");
        python
            .arg("-c")
            .arg(program())
            .env("HR_URL", &url)
            .env("HR_TOKEN", "Bearer hr-token");
        let secret = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, KEY);
        python
            .env("BRIDGE_SECRET", format!("whsec_{secret}"))
            .env("BRIDGE_STATE", &state);
        python
            .env("HOOK_URL", hr.world.url("/webhooks/hr"))
            .env("NO_PROXY", "127.0.0.1");
        tokio::task::block_in_place(|| python.output()).unwrap()
    };
    for _ in 0..2 {
        let ran = run();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    until(|| hr.active("ada") == true).await;
    let leaver = json!({"employeeId": "1", "userName": "ada"});
    changes
        .lock()
        .unwrap()
        .push(json!({"number": 2, "type": "left", "at": at(1), "person": leaver}));
    assert!(run().status.success());
    until(|| hr.active("ada") == false).await;
    let events = hr.world.get("/events").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    // What was posted and not noted is known again.
    std::fs::write(&state, "0").unwrap();
    assert!(run().status.success());
    let events = hr.world.get("/events").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    std::fs::remove_file(&state).unwrap();
}
