//! What an operator is told again and again: disables that came to nothing.

use serde_json::{Value, json};

use super::new_folder;
use crate::{
    harness::{answer, caller},
    process::Running,
};

/// A disable that this service has stored, once it has ended.
async fn ended(address: std::net::SocketAddr, profile: Value) -> Value {
    let request = caller()
        .post(format!("http://{address}/commands/iam-disable-user"))
        .header("prefer", "respond-async");
    let accepted = answer(request.json(&json!({"user-profile": profile}))).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    answer(caller().get(format!("http://{address}/operations/{id}/wait")))
        .await
        .json()
}

#[tokio::test]
async fn a_buried_disable_is_told_until_it_is_seen_to() {
    let folder = new_folder();
    let store = folder.join("store.db").display().to_string();
    // No directory answers there.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}/tenant/scim/v2/");
    let settings = [
        ("AWS_ILM_URL", url.as_str()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "token"),
        ("AWS_ILM_STORE_PATH", &store),
        ("AWS_ILM_RETRY_SCHEDULE", "1ms"),
        ("AWS_ILM_DISABLE_RETRY_SCHEDULE", "1ms"),
        ("AWS_ILM_COMMAND_TIMEOUT", "200ms"),
    ];
    let (service, address) = Running::serve(&[], &settings);
    let disable = ended(address, json!({"username": "kim"})).await;
    assert_eq!(disable["state"], "buried", "{disable}");
    service.terminate();
    assert_eq!(service.code(), Some(0));

    let (service, address) = Running::serve(&[], &settings);
    let told = service.stderr.line_with("a disable is buried");
    assert!(
        told.contains(disable["id"].as_str().unwrap()) && !told.contains("kim"),
        "{told}"
    );
    let id = disable["id"].as_str().unwrap();
    let cancelled = answer(caller().post(format!("http://{address}/operations/{id}/cancel"))).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    service.terminate();
    assert_eq!(service.code(), Some(0));

    let (service, address) = Running::serve(&[], &settings);
    let list = answer(caller().get(format!("http://{address}/operations?state=buried")))
        .await
        .json();
    assert_eq!(list["operations"], json!([]));
    assert!(!service.stderr.text().contains("a disable is buried"));
    drop(service);
    std::fs::remove_dir_all(folder).unwrap();
}
