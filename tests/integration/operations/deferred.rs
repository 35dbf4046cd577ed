//! Commands that are stored and answered at once.

use serde_json::json;

use super::{Stored, person, profile};
use crate::harness::{World, answer};

#[tokio::test]
async fn a_deferred_command_is_accepted_carried_out_and_shown() {
    let stored = Stored::holding(json!([]), &[]).await;
    let accepted = stored
        .defer(
            "iam-create-user",
            "?purpose=hire",
            &json!({"user-profile": profile("ada")}),
        )
        .await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    assert_eq!(accepted.header("preference-applied"), Some("respond-async"));
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(accepted.header("location"), Some(&*format!("/operations/{id}")));
    let ended = stored.ended(&id).await;
    assert_eq!(ended["state"], "done");
    assert_eq!(ended["command"], "iam-create-user");
    assert_eq!(ended["purpose"], "hire");
    assert_eq!(ended["arguments"]["user-profile"]["username"], "ada");
    assert_eq!(ended["envelope"]["IAM"]["Vendor"]["action"], "create");
    assert_eq!(ended["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(stored.world.user("ada")["active"], true);
}

#[tokio::test]
async fn without_a_store_nothing_is_promised() {
    let world = World::start().await;
    let request = world
        .http
        .post(world.url("/commands/iam-disable-user"))
        .header("prefer", "respond-async");
    let refused = answer(request.json(&json!({"user-profile": {"username": "test"}}))).await;
    assert_eq!(refused.status, 501);
    assert_eq!(refused.json()["type"], "/problems/no-store");
    assert!(refused.json()["detail"].as_str().unwrap().contains("store_path"));
    assert_eq!(world.get("/operations").await.status, 501);
    world.assert_calls(&[]);
}

#[tokio::test]
async fn on_what_reads_the_preference_means_nothing() {
    let world = World::start().await;
    for path in ["/commands/iam-get-user", "/commands/iam-disable-user?dryRun=true"] {
        let request = world.http.post(world.url(path)).header("prefer", "respond-async");
        let answered = answer(request.json(&json!({"user-profile": {"username": "test"}}))).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.text);
        assert_eq!(answered.header("preference-applied"), None);
    }
}

#[tokio::test]
async fn a_time_ahead_is_kept_moved_and_cancelled() {
    let stored = Stored::holding(json!([person("kim", true)]), &[]).await;
    let kim = json!({"user-profile": {"username": "kim"}});
    let accepted = stored
        .defer("iam-disable-user", "?notBefore=2035-01-31T17:00:00%2B11:00", &kim)
        .await;
    assert_eq!(accepted.status, 202, "{}", accepted.text);
    let operation = accepted.json();
    assert_eq!(operation["state"], "scheduled");
    assert_eq!(operation["notBefore"], "2035-01-31T06:00:00.000Z");
    let id = operation["id"].as_str().unwrap();
    let address = stored.world.url(&format!("/operations/{id}"));
    let moved = answer(
        stored
            .world
            .http
            .patch(&address)
            .json(&json!({"notBefore": "2034-01-31T06:00:00Z"})),
    )
    .await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(moved.json()["notBefore"], "2034-01-31T06:00:00.000Z");
    let cancelled = stored.world.post(&format!("/operations/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled.json()["state"], "cancelled");
    let again = stored.world.post(&format!("/operations/{id}/cancel"), &json!({})).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["type"], "/problems/operation-state");
    assert_eq!(stored.world.user("kim")["active"], true);
    // What was cancelled can be taken up after all, and moved to now.
    let retried = stored.world.post(&format!("/operations/{id}/retry"), &json!({})).await;
    assert_eq!(retried.status, 200, "{}", retried.text);
    assert_eq!(stored.ended(id).await["state"], "done");
    assert_eq!(stored.world.user("kim")["active"], false);
}

#[tokio::test]
async fn a_time_that_is_none_is_refused_by_name() {
    let stored = Stored::holding(json!([]), &[]).await;
    let kim = json!({"user-profile": {"username": "kim"}});
    for time in [
        "tomorrow",
        "2035-01-31",
        "2035-01-31T17:00:00",
        "0001-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "",
    ] {
        let refused = stored
            .defer("iam-disable-user", &format!("?notBefore={time}"), &kim)
            .await;
        assert_eq!(refused.status, 400, "{time}: {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["parameter"], "notBefore", "{time}");
    }
    let synchronous = stored
        .world
        .post("/commands/iam-disable-user?notBefore=2035-01-31T17:00:00Z", &kim)
        .await;
    assert_eq!(synchronous.status, 400);
    assert!(synchronous.text.contains("respond-async"), "{}", synchronous.text);
    assert_eq!(stored.world.get("/operations").await.json()["operations"], json!([]));
}

#[tokio::test]
async fn what_can_not_be_asked_is_refused_by_name() {
    let stored = Stored::holding(json!([]), &[]).await;
    for (query, parameter) in [
        ("state=gone", "state"),
        ("cursor=-1", "cursor"),
        ("cursor=abc", "cursor"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("from=yesterday", "from"),
        ("state=done&state=failed", "state"),
        ("status=done", "status"),
    ] {
        let refused = stored.world.get(&format!("/operations?{query}")).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["parameter"], parameter, "{query}");
    }
    let missing = stored
        .world
        .get("/operations/0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81")
        .await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["type"], "/problems/no-such-operation");
}

#[tokio::test]
async fn operations_are_listed_page_by_page_and_by_what_they_are() {
    let people: Vec<_> = (0..7).map(|number| person(&format!("p{number}"), true)).collect();
    let stored = Stored::holding(json!(people), &[]).await;
    let mut ids = Vec::new();
    for number in 0..7 {
        let name = format!("p{number}");
        ids.push(
            stored
                .accepted("iam-disable-user", &json!({"user-profile": {"username": name}}))
                .await,
        );
    }
    for id in &ids {
        assert_eq!(stored.ended(id).await["state"], "done");
    }
    ids.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = stored
            .world
            .get(&format!("/operations?state=done,failed&limit=3{cursor}"))
            .await
            .json();
        seen.extend(
            page["operations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|operation| operation["id"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(json!(seen), json!(ids));
    let of_one = stored
        .world
        .get("/operations?subject=user%20name%20p3&command=iam-disable-user")
        .await
        .json();
    assert_eq!(of_one["operations"].as_array().unwrap().len(), 1);
    assert_eq!(of_one["operations"][0]["subject"], json!(["user name p3"]));
}
