//! test-module.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::{
    expected::without_request_ids,
    harness::{Setup, World, answer},
};

#[tokio::test]
async fn a_good_answer_proves_all_settings_with_one_cheap_read() {
    let world = World::start().await;
    let details =
        "the directory answered: url, tenant_id and authentication_token are right, and the token may read users";
    let expected = json!({"TestModule": {
        "brand": "AWS-ILM", "instanceName": "AWS-ILM_instance_1", "success": true, "errorCode": null, "errorMessage": "",
        "details": details,
    }});
    let answers = [
        world.command("test-module", &json!({})).await,
        answer(world.http.post(world.url("/commands/test-module"))).await,
    ];
    for answer in answers {
        assert_eq!((answer.status, answer.text), (200, expected.to_string()));
    }
    let path = world
        .sandbox
        .requests()
        .into_iter()
        .find(|request| request.api == "ListUsers")
        .unwrap()
        .path;
    assert!(path.ends_with("/Users?count=1"), "{path}");
    world.assert_calls(&[("ListUsers", 2)]);
}

#[tokio::test]
async fn an_empty_directory_passes() {
    let world = World::holding(json!({})).await;
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
}

#[tokio::test]
async fn each_failure_says_what_it_proves() {
    let html = |status| FaultKind::Raw {
        status,
        content_type: "text/html".into(),
        body: "<html>proxy</html>".into(),
    };
    for (kind, status, code, words) in [
        (
            FaultKind::Status { status: 401 },
            502,
            401,
            "check authentication_token and tenant_id: AWS does not tell them apart",
        ),
        (
            FaultKind::Status { status: 403 },
            502,
            403,
            "the token lacks the right to read users",
        ),
        (html(404), 502, 404, "check the path of url: there is no SCIM endpoint"),
        (html(200), 502, 502, "check url: what answers there does not speak SCIM"),
        (
            FaultKind::Status { status: 500 },
            502,
            500,
            "the directory is there, and failed",
        ),
        (
            FaultKind::Throttle {
                retry_after: Some("7".into()),
            },
            503,
            429,
            "url, tenant_id and authentication_token are right; too many requests",
        ),
        (
            FaultKind::HangUp,
            504,
            504,
            "something at url takes connections but does not answer; check url and proxy",
        ),
    ] {
        // What would be ridden out lasts longer than the command.
        let world = World::with(Setup {
            environment: vec![("AWS_ILM_COMMAND_TIMEOUT", "400ms".to_owned())],
            ..Setup::default()
        })
        .await;
        world.sandbox.script(Fault::new(kind.clone()).on("ListUsers").forever());
        let answer = world.command("test-module", &json!({})).await;
        let result = &answer.json()["TestModule"];
        assert_eq!(
            (answer.status, result["errorCode"].as_u64()),
            (status, Some(code)),
            "{kind:?}: {}",
            answer.text
        );
        assert_eq!((&result["success"], &result["details"]), (&json!(false), &json!("")));
        let message = without_request_ids(result["errorMessage"].as_str().unwrap());
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn a_refused_token_shows_as_such_and_recovers() {
    let world = World::start().await;
    world.sandbox.set_tokens(vec!["another".to_owned()]);
    let refused = world.command("test-module", &json!({})).await;
    assert_eq!(
        (refused.status, &refused.json()["TestModule"]["errorCode"]),
        (502, &json!(401))
    );
    assert!(!refused.text.contains("sandbox-token"), "{}", refused.text);
    world.sandbox.set_tokens(vec!["sandbox-token".to_owned()]);
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
}
