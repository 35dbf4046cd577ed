//! Users: their life, what they may hold, what must be unique.

use aws_ilm::sandbox::DEFAULT_TOKEN;
use serde_json::{Value, json};

use super::{ENTERPRISE, GENERIC, Running, USER, person};

#[tokio::test]
async fn a_user_lives_from_post_to_delete() {
    let running = Running::empty().await;
    let mut body = person("ada");
    body["externalId"] = json!("E1");
    body["profileUrl"] = json!("https://example.com/ada");
    let (status, created) = running.post("Users", body.clone()).await;
    assert_eq!(status, 201, "{created}");
    let path = format!("Users/{}", created["id"].as_str().unwrap());
    assert!(created.get("profileUrl").is_none(), "AWS's sample answers without it");
    let (status, read) = running.get(&path).await;
    assert_eq!((status, &read["profileUrl"]), (200, &body["profileUrl"]));
    assert_eq!(read["schemas"], json!([USER]));
    let meta = read["meta"].as_object().unwrap();
    assert_eq!(
        meta.keys().collect::<Vec<_>>(),
        ["resourceType", "created", "lastModified"]
    );
    assert_eq!(meta["created"].as_str().unwrap().len(), "2021-08-23T12:53:51Z".len());

    let (status, replaced) = running.put(&path, person("ada.l")).await;
    assert_eq!((status, &replaced["userName"]), (200, &json!("ada.l")));
    assert!(
        replaced.get("externalId").is_none() && replaced.get("profileUrl").is_none(),
        "PUT is a full replacement"
    );
    let (status, _) = running.post("Users", person("ada")).await;
    assert_eq!(status, 201, "the old names are free again");

    assert_eq!(running.delete(&path).await, (204, Value::Null));
    assert_eq!(running.delete(&path).await.0, 404);
    assert_eq!(running.get(&path).await.0, 404);
    assert_eq!(running.put(&path, person("ada.l")).await.0, 404);
    assert_eq!(
        running
            .patch(&path, json!([{"op": "replace", "path": "active", "value": false}]))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn what_must_be_unique_is() {
    let running = Running::empty().await;
    let mut ada = person("ada");
    ada["externalId"] = json!("E1");
    let (_, ada) = running.post("Users", ada).await;
    let (_, bob) = running.post("Users", person("bob")).await;
    let with = |changes: Value| {
        let mut body = person("carol");
        for (key, value) in changes.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let rows = [
        (json!({"userName": "ADA"}), 409),
        (json!({"externalId": "E1"}), 409),
        (json!({"emails": [{"value": "Ada@Example.com", "primary": true}]}), 409),
        (json!({"externalId": "e1"}), 201),
    ];
    for (changes, expected) in rows {
        assert_eq!(
            running.post("Users", with(changes.clone())).await.0,
            expected,
            "{changes}"
        );
    }
    let bob = format!("Users/{}", bob["id"].as_str().unwrap());
    assert_eq!(running.put(&bob, person("ada")).await.0, 409);
    assert_eq!(
        running
            .patch(&bob, json!([{"op": "replace", "path": "userName", "value": "Ada"}]))
            .await
            .0,
        409
    );
    assert_eq!(running.get(&bob).await.1["userName"], "bob");
    let own = format!("Users/{}", ada["id"].as_str().unwrap());
    assert_eq!(
        running
            .patch(&own, json!([{"op": "replace", "path": "userName", "value": "ADA"}]))
            .await
            .0,
        200
    );

    assert_eq!(
        running
            .post("Groups", json!({"displayName": "G", "externalId": "x"}))
            .await
            .0,
        201
    );
    assert_eq!(running.post("Groups", json!({"displayName": "g"})).await.0, 409);
    assert_eq!(
        running
            .post("Groups", json!({"displayName": "H", "externalId": "x"}))
            .await
            .0,
        409
    );
    let (_, other) = running.post("Groups", json!({"displayName": "H"})).await;
    let other = format!("Groups/{}", other["id"].as_str().unwrap());
    assert_eq!(
        running
            .patch(&other, json!([{"op": "replace", "path": "displayName", "value": "G"}]))
            .await
            .0,
        409
    );
}

#[tokio::test]
async fn a_bad_user_is_refused_in_awss_words() {
    let running = Running::empty().await;
    let two = json!([{"value": "1", "type": "work"}, {"value": "2", "type": "mobile"}]);
    let rows = [
        (json!({"photos": []}), GENERIC),
        (json!({"groups": []}), GENERIC),
        (json!({"displayName": null}), GENERIC),
        (json!({"emails": [{"value": "a@example.com", "type": "work"}]}), GENERIC),
        (
            json!({"phoneNumbers": two}),
            "List attribute phoneNumbers exceeds allowed limit of 1",
        ),
        (
            json!({"name": {"givenName": "", "familyName": "x"}}),
            "2 validation errors detected: Value at 'name.givenName' failed",
        ),
        (
            json!({"userName": "a b"}),
            "1 validation error detected: Value at 'userName' failed",
        ),
        (json!({"userName": "Administrator"}), GENERIC),
        (json!({ENTERPRISE: {"manager": {"value": "nobody"}}}), GENERIC),
    ];
    for (changes, detail) in rows {
        let mut body = person("ada");
        for (key, value) in changes.as_object().unwrap() {
            body[key] = value.clone();
        }
        let (status, error) = running.post("Users", body).await;
        assert_eq!(status, 400, "{changes}");
        assert!(
            error["detail"].as_str().unwrap().starts_with(detail),
            "{changes}: {error}"
        );
    }
    for (content_type, text, expected) in [
        ("application/json", "{", 400),
        ("text/plain", "{}", 400),
        ("application/scim+json; charset=utf-8", &person("ada").to_string(), 201),
    ] {
        let response = running
            .client
            .post(format!("{}Users", running.base))
            .bearer_auth(DEFAULT_TOKEN)
            .header("content-type", content_type)
            .body(text.to_owned())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), expected, "{content_type}");
    }
    let large = json!({"userName": "x".repeat(1024 * 1024)});
    assert_eq!(running.post("Users", large).await.0, 413);
}

#[tokio::test]
async fn the_enterprise_schema_is_named_only_when_stored() {
    let running = Running::demo().await;
    let mut body = person("ada");
    body["schemas"] = json!([USER, ENTERPRISE]);
    let (_, plain) = running.post("Users", body.clone()).await;
    assert_eq!(plain["schemas"], json!([USER]));
    let path = format!("Users/{}", plain["id"].as_str().unwrap());
    body[ENTERPRISE] = json!({"department": "D", "manager": {"value": "123456", "$ref": "../Users/123456"}});
    let (_, rich) = running.put(&path, body).await;
    assert_eq!(rich["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(
        rich[ENTERPRISE]["manager"],
        json!({"value": "123456"}),
        "$ref is dropped"
    );
    let id = plain["id"].as_str().unwrap();
    let (_, found) = running
        .list("Users", &format!(r#"manager eq "123456" and id eq "{id}""#))
        .await;
    assert_eq!(found["totalResults"], 1);
    let (_, found) = running
        .list("Users", &format!(r#"id eq "{id}" and manager eq "other""#))
        .await;
    assert_eq!(found["totalResults"], 0);
}
