//! Who may send a batch, and who may see it.

use serde_json::{Value, json};

use super::{disable, faults};
use crate::{
    callers::{self, caller, two_instances},
    harness::{Answer, World, answer},
    operations::new_folder,
    process::{File, Running},
};

/// A service of two instances with a store, asked with a key.
struct Asked {
    http: reqwest::Client,
    url: String,
}

impl Asked {
    async fn post(&self, key: &str, elements: &Value) -> Answer {
        let request = self.http.post(format!("{}/batches", self.url));
        answer(request.header("x-api-key", key).json(elements)).await
    }

    async fn get(&self, key: &str, path: &str) -> Answer {
        let request = self.http.get(format!("{}{path}", self.url));
        answer(request.header("x-api-key", key)).await
    }
}

#[tokio::test]
async fn a_right_that_is_missing_for_one_refuses_all_and_others_see_nothing() {
    let directory = World::start().await;
    let keys = [(); 4].map(|()| callers::key());
    let [leavers, other, reader, second] = keys.each_ref().map(|(key, _)| key);
    let digests = keys.each_ref().map(|(_, digest)| &**digest);
    let everywhere = "instances = [\"*\"]";
    let file = two_instances(&directory)
        + &caller(
            "leavers",
            &[digests[0]],
            &format!("{everywhere}\ncommands = [\"iam-disable-user\"]"),
        )
        + &caller("other", &[digests[1]], &format!("{everywhere}\ncommands = [\"*\"]"))
        + &caller(
            "reader",
            &[digests[2]],
            &format!("{everywhere}\ncommands = [\"read\"]\noperations = \"read\""),
        )
        + &caller(
            "second",
            &[digests[3]],
            "commands = [\"*\"]\ninstances = [\"second\"]\noperations = \"read\"",
        );
    let (config, folder) = (File::new(&file), new_folder());
    let store = folder.join("store.db").display().to_string();
    let (_service, address) = Running::serve(&["--config", config.path()], &[("AWS_ILM_STORE_PATH", &store)]);
    let service = Asked {
        http: crate::harness::caller(),
        url: format!("http://{address}"),
    };

    let group = json!({"command": "iam-delete-group", "arguments": {"scim": {"id": "g-1"}}});
    let elements = json!([disable("test"), group, {"command": "nothing"}]);
    let refused = service.post(leavers, &elements).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("iam-delete-group"), "{}", refused.text);
    assert_eq!(faults(&refused)[0].0, "/1");
    assert_eq!(service.get(reader, "/operations").await.json()["operations"], json!([]));

    // A default instance that the caller may not use is a right that is missing; one that is named
    // is not there.
    let to = |instance: &str| {
        let mut element = disable("test");
        element["instance"] = json!(instance);
        json!([element])
    };
    assert_eq!(service.post(second, &json!([disable("test")])).await.status, 403);
    let hidden = service.post(second, &to("first")).await;
    assert_eq!((hidden.status, &*faults(&hidden)[0].0), (400, "/0/instance"));
    assert_eq!(faults(&hidden), faults(&service.post(second, &to("third")).await));

    for (instance, seen) in [("first", [200, 200, 404, 404]), ("second", [200, 200, 404, 200])] {
        let accepted = service.post(leavers, &to(instance)).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text);
        let id = accepted.json()["id"].as_str().unwrap().to_owned();
        for (key, status) in [leavers, reader, other, second].into_iter().zip(seen) {
            for path in [format!("/batches/{id}"), format!("/batches/{id}/operations")] {
                assert_eq!(service.get(key, &path).await.status, status, "{path}");
            }
        }
    }
    let _ = std::fs::remove_dir_all(folder);
}
