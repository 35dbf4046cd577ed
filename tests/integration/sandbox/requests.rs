//! Every request: errors, pages, tokens, limits, what is recorded.

use aws_ilm::sandbox::{DEFAULT_TENANT, DEFAULT_TOKEN, Fault, FaultKind, Options, Rates};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Running, USER, crowd, person, values};

#[tokio::test]
async fn an_error_has_awss_body() {
    let running = Running::demo().await;
    let (status, error) = running.post("Users", person("TEST")).await;
    assert_eq!(status, 409);
    let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "schema",
            "schemas",
            "detail",
            "status",
            "exceptionRequestId",
            "timeStamp"
        ]
    );
    assert_eq!(error["status"], "409");
    assert_eq!(error["detail"], "Refused to create a new, duplicate resource.");
}

#[tokio::test]
async fn lists_come_in_pages_of_a_hundred() {
    let running = Running::start(Options {
        seed: crowd(230),
        ..Options::default()
    })
    .await;
    let (_, plain) = running.get("Users?startIndex=101&count=100").await;
    assert_eq!(
        (plain["totalResults"].as_u64(), plain["startIndex"].as_u64()),
        (Some(100), Some(1))
    );
    assert_eq!(plain["Resources"][0]["id"], "u-0000");
    assert!(plain.get("nextCursor").is_none());

    let (_, first) = running.get("Users?cursor").await;
    assert_eq!(first["itemsPerPage"], 100);
    assert!(first.get("totalResults").is_none());
    let next = first["nextCursor"].as_str().unwrap();
    assert_eq!(
        running.get(&format!("Users?cursor={next}")).await.0,
        400,
        "a plus sign has to be encoded"
    );
    let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    assert_eq!(
        running.get(&format!("Users?cursor={encoded}")).await.1["Resources"][0]["id"],
        "u-0100"
    );
    assert_eq!(
        running
            .get(&format!("Users?filter=id+eq+%22x%22&cursor={encoded}"))
            .await
            .0,
        400,
        "another filter"
    );
    assert_eq!(running.walk("Users", None).await.len(), 230);
    assert_eq!(running.get("Users?count=101").await.0, 400);
}

#[tokio::test]
async fn only_the_right_token_and_tenant_are_let_in() {
    let running = Running::demo().await;
    let url = format!("{}Users/123456", running.base);
    let elsewhere = url.replace(DEFAULT_TENANT, "other-tenant");
    let status = |request: reqwest::RequestBuilder| async { request.send().await.unwrap().status() };
    let client = &running.client;
    assert_eq!(status(client.get(&url)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        status(client.get(&url).bearer_auth("wrong")).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(client.get(&url).basic_auth("a", Some(DEFAULT_TOKEN))).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(client.get(&elsewhere).bearer_auth(DEFAULT_TOKEN)).await,
        StatusCode::UNAUTHORIZED
    );
    let config = format!("{}ServiceProviderConfig", running.base);
    assert_eq!(status(client.get(&config)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        status(client.get(&config).bearer_auth(DEFAULT_TOKEN)).await,
        StatusCode::OK
    );
    running.sandbox.set_tokens(vec!["new".to_owned()]);
    assert_eq!(
        status(client.get(&url).bearer_auth(DEFAULT_TOKEN)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(status(client.get(&url).bearer_auth("new")).await, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_path_is_a_404_with_an_error_body() {
    let running = Running::demo().await;
    for path in ["Me", "Bulk", ".search", "Users/", "Users/1/2", "", "Schemas/urn:x"] {
        let (status, error) = running.get(path).await;
        assert_eq!((status, error["status"].as_str()), (404, Some("404")), "{path}");
    }
    assert_eq!(running.get(&format!("Schemas/{USER}")).await.1["id"], USER);
    assert_eq!(running.get("Schemas").await.1["Resources"].as_array().unwrap().len(), 3);
    assert_eq!(
        running.get("ResourceTypes").await.1["Resources"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(running.get("ServiceProviderConfig").await.1["filter"]["maxResults"], 50);
}

#[tokio::test]
async fn calls_and_requests_are_recorded() {
    let running = Running::demo().await;
    running.sandbox.script(Fault::new(FaultKind::HangUp).on("CreateUser"));
    let body = person("ada");
    assert!(running.try_send(Method::POST, "Users", Some(&body)).await.is_err());
    running.get("Users?cursor&count=3").await;
    running.put("Groups/121212", json!({})).await;
    let calls = running.sandbox.calls();
    assert_eq!(
        (
            calls["CreateUser"],
            calls["ListUsers"],
            calls["Unsupported"],
            calls.len()
        ),
        (1, 1, 1, 3)
    );
    let requests = running.sandbox.requests();
    assert_eq!(
        (
            requests[0].method.as_str(),
            requests[0].status,
            requests[0].body.as_ref()
        ),
        ("POST", None, Some(&body))
    );
    assert_eq!(
        (requests[1].path.as_str(), requests[1].status),
        ("/sandbox-tenant/scim/v2/Users?cursor&count=3", Some(200))
    );
    running.sandbox.reset_calls();
    assert!(running.sandbox.calls().is_empty() && running.sandbox.requests().is_empty());
}

#[tokio::test]
async fn limits_throttle_when_they_are_on() {
    // No refill within the test: what passes is what the buckets held.
    let rates = Rates {
        reads_per_second: 1e-3,
        writes_per_second: 2e-3,
        memberships_per_second: 3e-3,
        burst_seconds: 1e3,
    };
    let running = Running::start(Options {
        limits: true,
        rates,
        ..Options::default()
    })
    .await;
    assert_eq!(running.get("Users/123456").await.0, 200);
    let (status, error) = running.get("Users/123456").await;
    assert_eq!((status, error["status"].as_str()), (429, Some("429")));
    assert_eq!(running.get("Users").await.0, 200, "each API has its own rate");
    assert_eq!(running.post("Users", person("a")).await.0, 201);
    assert_eq!(running.post("Users", person("b")).await.0, 201);
    assert_eq!(running.post("Users", person("c")).await.0, 429);
    let two = json!([{"op": "add", "path": "members", "value": values(["123456", "123456"])}]);
    assert_eq!(running.patch("Groups/121212", two.clone()).await.0, 204);
    assert_eq!(
        running.patch("Groups/121212", two).await.0,
        429,
        "two and two are more than three memberships"
    );
}
