//! A new token in its file that the directory does not accept.

use serde_json::json;

use super::{serve, until_instance_is};
use crate::{
    callers::replace,
    harness::{World, answer, caller},
    process::File,
};

#[tokio::test]
async fn a_new_token_that_is_refused_is_told_until_it_works() {
    let world = World::start().await;
    let file = File::new("sandbox-token");
    let (service, address) = serve(&world, &[("AWS_ILM_AUTHENTICATION_TOKEN_FILE", file.path())]);
    until_instance_is(address, "ok").await;
    replace(file.path(), "new-token");
    let instance = until_instance_is(address, "degraded").await;
    assert_eq!(
        instance["lastError"]["what"],
        "the directory refuses the new token (401); the one before it is still in use"
    );
    let warning = service.stderr.line_with("refuses the new authentication token");
    assert!(
        warning.contains("WARN") && warning.contains("AWS-ILM_instance_1"),
        "{warning}"
    );

    // Commands go on with the old one, and none of them meets the new one.
    world.calls();
    for _ in 0..3 {
        let url = format!("http://{address}/commands/test-module");
        assert_eq!(answer(caller().post(url).json(&json!({}))).await.status, 200);
    }
    until_instance_is(address, "degraded").await;
    assert!(
        world
            .sandbox
            .requests()
            .iter()
            .filter(|request| request.status == Some(401))
            .count()
            < 5
    );

    world
        .sandbox
        .set_tokens(vec!["sandbox-token".to_owned(), "new-token".to_owned()]);
    let instance = until_instance_is(address, "ok").await;
    assert_eq!(instance.get("lastError"), None);
    let told = service.stderr.line_with("accepts the new authentication token");
    assert!(told.contains("INFO") && told.contains("AWS-ILM_instance_1"), "{told}");
    let log = service.stderr.text();
    assert_eq!(log.matches("refuses the new authentication token").count(), 1, "{log}");
    assert_eq!(log.matches("the authentication token has changed").count(), 0, "{log}");
    world.sandbox.set_tokens(vec!["new-token".to_owned()]);
    let url = format!("http://{address}/commands/test-module");
    assert_eq!(answer(caller().post(url).json(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_refused_token_is_forgotten_when_the_old_one_is_put_back() {
    let world = World::start().await;
    let file = File::new("sandbox-token");
    let (_service, address) = serve(&world, &[("AWS_ILM_AUTHENTICATION_TOKEN_FILE", file.path())]);
    until_instance_is(address, "ok").await;
    replace(file.path(), "new-token");
    until_instance_is(address, "degraded").await;
    replace(file.path(), "sandbox-token");
    until_instance_is(address, "ok").await;
}
