//! The sandbox through its front door.

mod groups;
mod patches;
mod requests;
mod script;
mod users;

use std::sync::Once;

use aws_ilm::sandbox::{DEFAULT_TOKEN, Options, Sandbox, Seed};
use reqwest::{Method, Response};
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
