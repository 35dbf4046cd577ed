//! Many commands in one request: stored all or none, in their order.

mod accepted;
mod order;
mod refused;
mod rights;

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    harness::{Answer, answer},
    operations::Stored,
};

impl Stored {
    /// Sends a batch as a JSON array.
    pub(crate) async fn batch(&self, elements: &Value) -> Answer {
        self.world.post("/batches", elements).await
    }

    /// Sends a body as a batch, of this type.
    pub(crate) async fn batch_of(&self, media_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.world.http.post(self.world.url("/batches"));
        answer(request.header("content-type", media_type).body(body)).await
    }

    /// A batch once all of its operations have ended.
    pub(crate) async fn batch_ended(&self, id: &str) -> Value {
        loop {
            let batch = self.world.get(&format!("/batches/{id}")).await;
            assert_eq!(batch.status, 200, "{}", batch.text);
            if batch.json()["progress"] == 100 {
                return batch.json();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The media type of one element a line.
pub(crate) const NDJSON: &str = "application/x-ndjson";

pub(crate) fn update(name: &str, title: &str) -> Value {
    json!({"command": "iam-update-user", "arguments": {"user-profile": {"username": name, "title": title}, "allow-enable": false}})
}

pub(crate) fn disable(name: &str) -> Value {
    json!({"command": "iam-disable-user", "arguments": {"user-profile": {"username": name}}})
}

/// The pointers and details of a refusal's faulty parts.
pub(crate) fn faults(refused: &Answer) -> Vec<(String, String)> {
    let errors = refused.json()["errors"].as_array().cloned().unwrap_or_default();
    let text = |part: &Value, name: &str| part[name].as_str().unwrap_or_default().to_owned();
    errors
        .iter()
        .map(|part| (text(part, "pointer"), text(part, "detail")))
        .collect()
}
