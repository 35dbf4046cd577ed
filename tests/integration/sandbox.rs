//! The sandbox through its front door.

use std::{sync::Once, time::Duration};

use aws_ilm::sandbox::{
    DEFAULT_TENANT, DEFAULT_TOKEN, Fault, FaultKind, ForeignIds, Options, Rates, Sandbox, Seed, UnknownMember,
};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const GENERIC: &str = "Request is unparsable, syntactically incorrect, or violates schema.";

static PROVIDER: Once = Once::new();

/// A served sandbox and a client that knows its token.
struct Running {
    sandbox: Sandbox,
    origin: String,
    base: String,
    client: reqwest::Client,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start(options: Options) -> Self {
        PROVIDER.call_once(|| {
            let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        });
        let tenant = options.tenant_id.clone();
        let sandbox = Sandbox::new(options);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let served = tokio::spawn(sandbox.clone().serve(listener, async {
            let _either_way = stopped.await;
        }));
        let base = Sandbox::base_url(address, &tenant);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            sandbox,
            origin: format!("http://{address}"),
            base,
            client,
            stop: Some(stop),
            served,
        }
    }

    async fn demo() -> Self {
        Self::start(Options::default()).await
    }

    async fn empty() -> Self {
        Self::start(Options {
            seed: Seed::empty(),
            ..Options::default()
        })
        .await
    }

    async fn try_send(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Response> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(DEFAULT_TOKEN);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    /// Status and JSON body, null when there is none.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let response = self.try_send(method, path, body).await.unwrap();
        assert!(response.headers().contains_key("x-amzn-requestid"));
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").cloned();
        let text = response.text().await.unwrap();
        if text.is_empty() {
            return (status, Value::Null);
        }
        assert_eq!(content_type.unwrap(), "application/json");
        (status, serde_json::from_str(&text).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(&body)).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PUT, path, Some(&body)).await
    }

    async fn patch(&self, path: &str, operations: Value) -> (u16, Value) {
        self.send(
            Method::PATCH,
            path,
            Some(&json!({"schemas": [PATCH_OP], "Operations": operations})),
        )
        .await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.send(Method::DELETE, path, None).await
    }

    /// The ids of a list, all pages.
    async fn walk(&self, list: &str, filter: Option<&str>) -> Vec<String> {
        let mut ids = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("cursor", &cursor);
            if let Some(filter) = filter {
                query.append_pair("filter", filter);
            }
            let (status, page) = self.get(&format!("{list}?{}", query.finish())).await;
            assert_eq!(status, 200, "{page}");
            ids.extend(
                page["Resources"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["id"].as_str().unwrap().to_owned()),
            );
            match page.get("nextCursor").and_then(Value::as_str) {
                Some(next) => cursor = next.to_owned(),
                None => return ids,
            }
        }
    }

    async fn list(&self, list: &str, filter: &str) -> (u16, Value) {
        let encoded: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        self.get(&format!("{list}?filter={encoded}")).await
    }
}

fn person(name: &str) -> Value {
    json!({
        "schemas": [USER], "userName": name, "displayName": name,
        "name": {"givenName": name, "familyName": "Person"},
        "emails": [{"value": format!("{name}@example.com"), "type": "work", "primary": true}],
        "active": true,
    })
}

fn crowd(count: usize) -> Seed {
    let users: Vec<Value> = (0..count)
        .map(|number| {
            let mut user = person(&format!("p{number:04}"));
            user["id"] = json!(format!("u-{number:04}"));
            user
        })
        .collect();
    Seed::from_json(&json!({"users": users, "groups": [{"id": "g", "displayName": "All"}]}).to_string()).unwrap()
}

fn values(ids: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    ids.into_iter().map(|id| json!({"value": id.as_ref()})).collect()
}

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

#[tokio::test]
async fn a_group_never_shows_its_members() {
    let running = Running::demo().await;
    let (status, created) = running
        .post(
            "Groups",
            json!({"displayName": "New", "members": [{"value": "123456", "type": "User", "$ref": "../Users/123456"}]}),
        )
        .await;
    assert_eq!(status, 201, "{created}");
    assert!(created.get("members").is_none());
    let id = created["id"].as_str().unwrap();
    assert!(running.get(&format!("Groups/{id}")).await.1.get("members").is_none());
    let (_, listed) = running.list("Groups", r#"displayName eq "New""#).await;
    assert_eq!(listed["Resources"][0]["members"], json!([]));
    assert_eq!(
        running.walk("Users", Some(&format!(r#"groups.value eq "{id}""#))).await,
        ["123456"]
    );

    let rows = [
        (json!({"displayName": "A", "members": [{"value": "nobody"}]}), 400),
        (
            json!({"displayName": "A", "members": [{"value": "123456", "display": "test"}]}),
            400,
        ),
        (
            json!({"displayName": "A", "members": [{"value": id, "type": "Group"}]}),
            400,
        ),
        (
            json!({"displayName": "A", "members": values((0..101).map(|_| "123456"))}),
            400,
        ),
        (json!({"displayName": "A", "description": "x"}), 400),
        (json!({"displayName": ""}), 400),
        (json!({"externalId": "x"}), 400),
        (json!({"displayName": "AWSAdministrators"}), 400),
        (json!({"displayName": "A", "members": []}), 201),
    ];
    for (body, expected) in rows {
        assert_eq!(running.post("Groups", body.clone()).await.0, expected, "{body}");
    }
    assert_eq!(
        running
            .put(&format!("Groups/{id}"), json!({"displayName": "x"}))
            .await
            .0,
        400
    );
    assert_eq!(running.delete(&format!("Groups/{id}")).await, (204, Value::Null));
    assert_eq!(running.delete(&format!("Groups/{id}")).await.0, 404);
}

#[tokio::test]
async fn memberships_change_by_deltas_all_or_none() {
    let running = Running::start(Options {
        seed: crowd(150),
        ..Options::default()
    })
    .await;
    let members = r#"groups.value eq "g""#;
    let ids: Vec<String> = (0..100).map(|number| format!("u-{number:04}")).collect();
    let add = json!([{"op": "add", "path": "members", "value": values(&ids)}]);
    assert_eq!(running.patch("Groups/g", add.clone()).await, (204, Value::Null));
    assert_eq!(running.patch("Groups/g", add).await.0, 204, "adding again is no fault");
    assert_eq!(running.walk("Users", Some(members)).await, ids);

    let mixed = json!([
        {"op": "remove", "path": "members", "value": values(&ids[..50])},
        {"op": "remove", "path": "members[value eq \"u-0050\"]"},
        {"op": "add", "path": "members", "value": values(["u-0149"])},
    ]);
    assert_eq!(running.patch("Groups/g", mixed).await.0, 204);
    assert_eq!(running.walk("Users", Some(members)).await.len(), 50);
    let stranger = json!([{"op": "remove", "path": "members", "value": values(["u-0000", "nobody"])}]);
    assert_eq!(
        running.patch("Groups/g", stranger).await.0,
        204,
        "removing who is no member is no fault"
    );

    let unknown = json!([{"op": "add", "path": "members", "value": values(["u-0001", "nobody"])}]);
    assert_eq!(running.patch("Groups/g", unknown.clone()).await.0, 404);
    let too_many =
        json!([{"op": "add", "path": "members", "value": values((0..101).map(|number| format!("u-{number:04}")))}]);
    let (status, error) = running.patch("Groups/g", too_many).await;
    assert_eq!((status, error["detail"].as_str()), (400, Some(GENERIC)));
    let replace = json!([{"op": "replace", "path": "members", "value": []}]);
    let (status, error) = running.patch("Groups/g", replace).await;
    assert_eq!(
        (status, error["detail"].as_str()),
        (400, Some("Replacing group memberships is not supported."))
    );
    assert_eq!(
        running
            .patch("Groups/g", json!([{"op": "remove", "path": "members"}]))
            .await
            .0,
        400
    );
    assert_eq!(running.walk("Users", Some(members)).await.len(), 50);

    assert_eq!(running.delete("Users/u-0149").await.0, 204);
    assert_eq!(
        running.walk("Users", Some(members)).await.len(),
        49,
        "who is gone is no member"
    );

    let other = Running::start(Options {
        unknown_member: UnknownMember::BadRequest,
        ..Options::default()
    })
    .await;
    assert_eq!(other.patch("Groups/121212", unknown).await.0, 400);
}

#[tokio::test]
async fn an_id_that_is_not_awss_is_answered_404_or_400_unless_it_is_there() {
    let strange = [
        "123",
        "u-1",
        "90672606ee",
        "9067260gee-b4d8a2c0-60e4-7018-4ca0-bdcf71ae5066",
    ];
    let own = [
        "b4d8a2c0-60e4-7018-4ca0-bdcf71ae5067",
        "90672606ee-b4d8a2c0-60e4-7018-4ca0-bdcf71ae5067",
    ];
    for (foreign_ids, expected) in [(ForeignIds::NotFound, 404), (ForeignIds::BadRequest, 400)] {
        let running = Running::start(Options {
            foreign_ids,
            ..Options::default()
        })
        .await;
        for kind in ["Users", "Groups"] {
            for id in strange {
                assert_eq!(running.get(&format!("{kind}/{id}")).await.0, expected, "{kind} {id}");
            }
            for id in own {
                assert_eq!(running.get(&format!("{kind}/{id}")).await.0, 404, "{kind} {id}");
            }
        }
        assert_eq!(running.get("Users/123456").await.0, 200);
        assert_eq!(running.get("Groups/121212").await.0, 200);
    }
}

#[tokio::test]
async fn membership_is_asked_for_with_filters() {
    let running = Running::demo().await;
    let add = json!([{"op": "add", "path": "members", "value": values(["123456"])}]);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Better"}, {"op": "replace", "path": "externalId", "value": "B"}]);
    assert_eq!(running.patch("Groups/121212", add).await.0, 204);
    assert_eq!(running.patch("Groups/121212", rename).await.0, 204);
    let rows = [
        (r#"members.value eq "123456""#, 200, 1),
        (r#"id eq "121212" and members eq "123456""#, 200, 1),
        (
            r#"members eq "b4d8a2c0-60e4-7018-4ca0-bdcf71ae5066" and id eq "121212""#,
            200,
            0,
        ),
        (r#"displayName eq "better""#, 200, 1),
        (r#"displayName eq "The best group""#, 200, 0),
        (r#"externalId eq "B""#, 200, 1),
        (r#"members.value eq "nobody""#, 404, 0),
        (r#"id eq "121212" and members eq "nobody""#, 404, 0),
        (r#"members eq "123456""#, 400, 0),
        (r#"displayName co "b""#, 400, 0),
    ];
    for (filter, expected, count) in rows {
        let (status, body) = running.list("Groups", filter).await;
        assert_eq!(status, expected, "{filter}");
        if status == 200 {
            assert_eq!(body["totalResults"], count, "{filter}");
        }
    }
    assert_eq!(
        running.list("Users", r#"groups.value eq "nothing""#).await.1["totalResults"],
        0
    );
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
