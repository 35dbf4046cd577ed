//! Scripted faults, and the endpoints that control it.

use std::time::Duration;

use aws_ilm::sandbox::{DEFAULT_TOKEN, Fault, FaultKind};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Running, person};

#[tokio::test]
async fn scripted_faults_strike() {
    let running = Running::demo().await;
    let script = |kind| running.sandbox.script(Fault::new(kind));

    script(FaultKind::Throttle {
        retry_after: Some("2".into()),
    });
    let response = running.try_send(Method::GET, "Users", None).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"2".parse().unwrap())
    );
    script(FaultKind::Throttle { retry_after: None });
    assert!(
        running
            .try_send(Method::GET, "Users", None)
            .await
            .unwrap()
            .headers()
            .get("retry-after")
            .is_none()
    );
    script(FaultKind::Status { status: 503 });
    assert_eq!(running.get("Users").await.1["status"], "503");
    script(FaultKind::Raw {
        status: 404,
        content_type: "text/html".into(),
        body: "<html>".into(),
    });
    let response = running.try_send(Method::GET, "Users/123456", None).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.text().await.unwrap().as_str()),
        (404, "<html>")
    );

    script(FaultKind::HangUp);
    assert!(
        running
            .try_send(Method::POST, "Users", Some(&person("a")))
            .await
            .is_err()
    );
    assert_eq!(running.list("Users", r#"userName eq "a""#).await.1["totalResults"], 0);
    script(FaultKind::AnswerLost);
    assert!(
        running
            .try_send(Method::POST, "Users", Some(&person("a")))
            .await
            .is_err()
    );
    assert_eq!(running.list("Users", r#"userName eq "a""#).await.1["totalResults"], 1);
    script(FaultKind::FailAfterWork { status: 504 });
    assert_eq!(running.post("Users", person("b")).await.0, 504);
    assert_eq!(running.list("Users", r#"userName eq "b""#).await.1["totalResults"], 1);
    script(FaultKind::Slow {
        milliseconds: 1,
        work_late: true,
    });
    assert_eq!(running.post("Users", person("c")).await.0, 201);

    running
        .sandbox
        .script(Fault::new(FaultKind::HangUp).on("DeleteUser").forever());
    assert_eq!(running.get("Users/123456").await.0, 200);
    assert!(running.try_send(Method::DELETE, "Users/123456", None).await.is_err());
    running.sandbox.clear_faults();
    assert_eq!(running.delete("Users/123456").await.0, 204);
}

#[tokio::test]
async fn work_that_is_late_is_done_though_the_client_has_left() {
    let running = Running::empty().await;
    running.sandbox.script(Fault::new(FaultKind::Slow {
        milliseconds: 2_000,
        work_late: true,
    }));
    // Long enough to be connected on a busy machine.
    let impatient = running
        .client
        .post(format!("{}Users", running.base))
        .bearer_auth(DEFAULT_TOKEN)
        .timeout(Duration::from_millis(500))
        .json(&person("late"))
        .send()
        .await;
    assert!(impatient.unwrap_err().is_timeout());
    let appeared = async {
        while running.list("Users", r#"userName eq "late""#).await.1["totalResults"] != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), appeared)
        .await
        .expect("the user was never made");
}

#[tokio::test]
async fn the_control_endpoints_dump_load_and_script() {
    let running = Running::demo().await;
    let control = |method: Method, path: &str| {
        running
            .client
            .request(method, format!("{}/sandbox/{path}", running.origin))
    };
    let state: Value = control(Method::GET, "state")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state, running.sandbox.dump());
    assert_eq!(state["users"][0]["id"], "123456");
    assert_eq!(state["groups"][1]["members"].as_array().unwrap().len(), 3);

    let small = json!({"users": [person("solo")]});
    assert_eq!(
        control(Method::PUT, "state")
            .json(&small)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(running.get("Users").await.1["totalResults"], 1);
    let bad = control(Method::PUT, "state")
        .json(&json!({"users": [{"userName": "x"}]}))
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), StatusCode::BAD_REQUEST);
    assert!(bad.text().await.unwrap().contains("users[0]"));
    assert_eq!(
        control(Method::PUT, "state")
            .json(&state)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(running.sandbox.dump(), state);

    let faults = json!([{"api": "ListUsers", "times": "forever", "kind": {"status": {"status": 500}}}, {"kind": {"throttle": {}}}]);
    assert_eq!(
        control(Method::POST, "faults")
            .json(&faults)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(running.get("Users").await.0, 500);
    assert_eq!(running.get("Groups").await.0, 429);
    assert_eq!(
        control(Method::DELETE, "faults").send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(running.get("Users").await.0, 200);
    let wrong = control(Method::POST, "faults")
        .json(&json!({"kind": "earthquake"}))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    let calls: Value = control(Method::GET, "calls")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(calls["calls"]["ListUsers"], 3);
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to() {
    let mut running = Running::demo().await;
    assert_eq!(running.get("Users").await.0, 200);
    running.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), &mut running.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(running.try_send(Method::GET, "Users", None).await.is_err());
}
