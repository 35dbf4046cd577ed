//! Who may see and change what others have stored.

use reqwest::Method;
use serde_json::{Value, json};

use super::{caller, key, two_instances};
use crate::{
    harness::{self, Answer, World, answer},
    operations::new_folder,
    process::{File, Running},
};

/// A service with a store, asked with a caller's key.
struct Asked {
    url: String,
    _service: Running,
}

impl Asked {
    async fn send(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = harness::caller().request(method, format!("{}{path}", self.url));
        let request = request.header("x-api-key", key).header("prefer", "respond-async");
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// Stores a disable for the far future; its address.
    async fn accepted(&self, key: &str, query: &str) -> String {
        let path = format!("/commands/iam-disable-user?notBefore=2034-01-01T00:00:00Z{query}");
        let body = json!({"user-profile": {"username": "test"}});
        let accepted = self.send(key, Method::POST, &path, Some(body)).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text);
        accepted.header("location").unwrap().to_owned()
    }
}

#[tokio::test]
async fn each_route_shows_and_changes_what_a_caller_may() {
    let directory = World::start().await;
    let keys = [(); 5].map(|()| key());
    let [owner, other, reader, manager, elsewhere] = keys.each_ref().map(|(key, _)| key.as_str());
    let digest = |at: usize| [keys[at].1.as_str()];
    let everywhere = "instances = [\"*\"]\ncommands = [\"*\"]";
    let file = two_instances(&directory)
        + &caller("owner", &digest(0), everywhere)
        + &caller("other", &digest(1), everywhere)
        + &caller("reader", &digest(2), &format!("{everywhere}\noperations = \"read\""))
        + &caller("manager", &digest(3), &format!("{everywhere}\noperations = \"manage\""))
        + &caller(
            "elsewhere",
            &digest(4),
            "instances = [\"second\"]\ncommands = [\"*\"]\noperations = \"manage\"",
        );
    let (config, folder) = (File::new(&file), new_folder());
    let store = folder.join("store.db").display().to_string();
    let (service, address) = Running::serve(&["--config", config.path()], &[("AWS_ILM_STORE_PATH", &store)]);
    let service = Asked {
        url: format!("http://{address}"),
        _service: service,
    };

    let later = json!({"notBefore": "2035-01-01T00:00:00Z"});
    let routes = [
        (Method::GET, "", None, [200, 404, 200, 200, 404]),
        (Method::GET, "/wait?timeout=0", None, [200, 404, 200, 200, 404]),
        (Method::PATCH, "", Some(later), [200, 404, 403, 200, 404]),
        (Method::POST, "/cancel", None, [200, 404, 403, 200, 404]),
        (Method::POST, "/retry", None, [409, 404, 403, 409, 404]),
    ];
    for (method, end, body, expected) in routes {
        for (key, expected) in [owner, other, reader, manager, elsewhere].into_iter().zip(expected) {
            let operation = service.accepted(owner, "&instance=first").await;
            let told = service
                .send(key, method.clone(), &format!("{operation}{end}"), body.clone())
                .await;
            assert_eq!(told.status, expected, "{method} {end}: {}", told.text);
            if expected == 404 {
                let unknown = "/operations/0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81";
                let unknown = service
                    .send(key, method.clone(), &format!("{unknown}{end}"), body.clone())
                    .await;
                let without_id = |answer: &Answer| {
                    let mut problem = answer.json();
                    problem["requestId"].take();
                    problem
                };
                assert_eq!(without_id(&told), without_id(&unknown), "as if there were none");
            }
        }
    }
    for (key, expected) in [(owner, 25), (other, 0), (reader, 25), (manager, 25), (elsewhere, 0)] {
        let list = service
            .send(key, Method::GET, "/operations?limit=500", None)
            .await
            .json();
        assert_eq!(list["operations"].as_array().unwrap().len(), expected);
    }
    let of_owner = service
        .send(other, Method::GET, "/operations?caller=owner", None)
        .await
        .json();
    assert_eq!(of_owner["operations"], json!([]));

    // Who asked for another try stands in its attempt.
    let operation = service.accepted(owner, "&instance=first").await;
    for end in ["/cancel", "/retry"] {
        let done = service
            .send(manager, Method::POST, &format!("{operation}{end}"), None)
            .await;
        assert_eq!(done.status, 200, "{}", done.text);
    }
    let ended = service
        .send(owner, Method::GET, &format!("{operation}/wait"), None)
        .await
        .json();
    assert_eq!(ended["attempts"][0]["requestedBy"], "manager", "{ended}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_is_for_an_instance_that_is_gone_waits_is_told_and_can_be_cancelled() {
    let directory = World::start().await;
    let (manager, digest) = key();
    let callers = caller("manager", &[&digest], super::ALL);
    let folder = new_folder();
    let store = folder.join("store.db").display().to_string();
    let settings = [("AWS_ILM_STORE_PATH", store.as_str())];
    let both = File::new(&(two_instances(&directory) + &callers));
    let (service, address) = Running::serve(&["--config", both.path()], &settings);
    let service = Asked {
        url: format!("http://{address}"),
        _service: service,
    };
    let operation = service.accepted(&manager, "&instance=second").await;
    drop(service);

    let instances = two_instances(&directory);
    let first = instances.split("[[instances]]").nth(1).unwrap();
    let one = File::new(&(format!("[[instances]]{first}") + &callers));
    let (service, address) = Running::serve(&["--config", one.path()], &settings);
    let told = service.stderr.line_with("an instance that is not configured");
    assert!(told.contains("second"), "{told}");
    let service = Asked {
        url: format!("http://{address}"),
        _service: service,
    };
    let shown = service.send(&manager, Method::GET, &operation, None).await;
    assert_eq!(
        (shown.status, &shown.json()["state"]),
        (200, &json!("scheduled")),
        "{}",
        shown.text
    );
    let cancelled = service
        .send(&manager, Method::POST, &format!("{operation}/cancel"), None)
        .await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    std::fs::remove_dir_all(folder).unwrap();
}
