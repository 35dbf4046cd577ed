//! Probes of an orchestrator, which ask by the address that they have.

use serde_json::json;

use crate::harness::{World, answer};

#[tokio::test]
async fn health_is_answered_whatever_the_host_says() {
    let world = World::start().await;
    let get = |path: &str, host: &str| answer(world.http.get(world.url(path)).header("host", host));
    for host in ["10.1.2.3:8080", "ilm.example", "[2001:db8::1]:8080"] {
        for (path, body) in [
            ("/health/live", json!({"status": "live"})),
            // What a page that resolves its own name to loopback could read tells nothing.
            ("/health/ready", json!({"status": "ready"})),
        ] {
            let answer = get(path, host).await;
            assert_eq!((answer.status, answer.json()), (200, body), "{host} {path}");
        }
        for path in ["/instances", "/openapi.json", "/docs/", "/health", "/health/ready/"] {
            let refused = get(path, host).await;
            assert_eq!(refused.status, 421, "{host} {path}");
            let detail = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("allowed_hosts (AWS_ILM_ALLOWED_HOSTS)"), "{detail}");
        }
    }
    let ours = get("/health/ready", "localhost").await.json();
    assert_eq!(ours["instances"][0]["name"], "AWS-ILM_instance_1");
    // What is no host at all is still refused.
    assert_eq!(get("/health/live", "a@b").await.status, 400);
}
