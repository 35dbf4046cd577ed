//! PATCHes of users, in AWS's dialect.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ENTERPRISE, GENERIC, Running};

#[tokio::test]
async fn a_user_is_patched_in_awss_dialect() {
    let running = Running::demo().await;
    let path = "Users/123456";
    let rows = [
        (
            json!([{"op": "replace", "path": "active", "value": "False"}]),
            "/active",
            json!(false),
        ),
        (
            json!([{"op": "Replace", "path": "active", "value": true}]),
            "/active",
            json!(true),
        ),
        (
            json!([{"op": "replace", "value": {"displayName": "Tester"}}]),
            "/displayName",
            json!("Tester"),
        ),
        (
            json!([{"op": "Add", "path": "name.givenName", "value": "Tess"}]),
            "/name/givenName",
            json!("Tess"),
        ),
        (
            json!([{"op": "add", "path": "name", "value": {"middleName": "M"}}]),
            "/name/givenName",
            json!("Tess"),
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "t@example.com"}]),
            "/emails",
            json!([{"value": "t@example.com", "type": "work", "primary": true}]),
        ),
        (
            json!([{"op": "add", "path": "phoneNumbers[type eq \"work\"].value", "value": "1"}]),
            "/phoneNumbers",
            json!([{"type": "work", "value": "1"}]),
        ),
        (
            json!([{"op": "remove", "path": "phoneNumbers"}]),
            "/phoneNumbers",
            Value::Null,
        ),
        (
            json!([{"op": "add", "path": ENTERPRISE, "value": {"department": "D", "costCenter": "7"}}]),
            "/schemas/1",
            json!(ENTERPRISE),
        ),
        (
            json!([{"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "E"}]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            json!({"department": "E", "costCenter": "7"}),
        ),
        (
            json!([{"op": "remove", "path": format!("{ENTERPRISE}:department")}, {"op": "remove", "path": format!("{ENTERPRISE}:costCenter")}]),
            "/schemas/1",
            Value::Null,
        ),
        (
            json!([{"op": "replace", "path": "userName", "value": "tess"}, {"op": "replace", "path": "active", "value": false}]),
            "/userName",
            json!("tess"),
        ),
    ];
    for (operations, pointer, expected) in rows {
        let (status, user) = running.patch(path, operations.clone()).await;
        assert_eq!(status, 200, "{operations}: {user}");
        assert_eq!(
            user.pointer(pointer).cloned().unwrap_or_default(),
            expected,
            "{operations}"
        );
        assert_eq!(running.get(path).await.1, user);
    }
}

#[tokio::test]
async fn a_refused_patch_leaves_the_user_alone() {
    let running = Running::demo().await;
    let path = "Users/123456";
    let (_, before) = running.get(path).await;
    let pathless = "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations \
                    modifying a single attribute.";
    let email = json!([{"value": "x@example.com", "primary": true}]);
    let rows = [
        (
            json!([{"op": "replace", "value": {"displayName": "x", "title": "y"}}]),
            pathless,
        ),
        (json!([{"op": "replace", "value": {}}]), pathless),
        (
            json!([{"op": "replace", "path": "displayName", "value": "x"}, {"op": "replace", "path": "photos", "value": []}]),
            GENERIC,
        ),
        (json!([{"op": "remove", "path": "userName"}]), GENERIC),
        (json!([{"op": "remove", "path": "active"}]), GENERIC),
        (json!([{"op": "remove", "path": "displayName"}]), GENERIC),
        (json!([{"op": "remove", "path": "name.familyName"}]), GENERIC),
        (json!([{"op": "remove"}]), GENERIC),
        (json!([{"op": "replace", "path": "title"}]), GENERIC),
        (json!([{"op": "replace", "path": "title", "value": null}]), GENERIC),
        (json!([{"op": "replace", "path": "active", "value": "yes"}]), GENERIC),
        (
            json!([{"op": "replace", "path": "active", "value": false}, {"op": "replace", "value": {"active": true}}]),
            GENERIC,
        ),
        (
            json!([{"op": "replace", "path": "userName", "value": "a"}, {"op": "replace", "path": "USERNAME", "value": "b"}]),
            GENERIC,
        ),
        (
            json!([{"op": "replace", "path": "roles", "value": [{"value": "r"}]}]),
            GENERIC,
        ),
        (
            json!([{"op": "replace", "path": "emails.value", "value": "x@example.com"}]),
            GENERIC,
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"home\"].value", "value": "x@example.com"}]),
            GENERIC,
        ),
        (
            json!([{"op": "add", "path": "emails", "value": email}]),
            "List attribute emails exceeds allowed limit of 1",
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"work\"].primary", "value": false}]),
            GENERIC,
        ),
        (
            json!([{"op": "replace", "path": "name", "value": {"givenName": "only"}}]),
            GENERIC,
        ),
        (
            json!([{"op": "replace", "path": "title", "value": ""}]),
            "2 validation errors detected: Value at 'title'",
        ),
        (
            json!([{"op": "replace", "path": format!("{ENTERPRISE}:salary"), "value": "1"}]),
            GENERIC,
        ),
        (json!([{"op": "replace", "path": ENTERPRISE, "value": {}}]), GENERIC),
        (json!([{"op": "replace", "path": "id", "value": "9"}]), GENERIC),
        (json!([]), GENERIC),
    ];
    for (operations, detail) in rows {
        let (status, error) = running.patch(path, operations.clone()).await;
        assert_eq!(status, 400, "{operations}: {error}");
        assert!(
            error["detail"].as_str().unwrap().starts_with(detail),
            "{operations}: {error}"
        );
    }
    let (status, _) = running
        .send(
            Method::PATCH,
            path,
            Some(&json!({"Operations": [{"op": "replace", "path": "title", "value": "x"}]})),
        )
        .await;
    assert_eq!(status, 400, "PatchOp is not named");
    assert_eq!(running.get(path).await.1, before);
}
