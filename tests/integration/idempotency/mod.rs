//! Requests that bear an `Idempotency-Key`: done once, and answered alike again.

mod crowd;
mod form;
mod freed;
mod repeated;

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::{
    harness::{Answer, World, answer},
    operations::Stored,
};

/// A request for a command, under a key.
pub(crate) fn keyed(world: &World, path: &str, key: &str, arguments: &Value) -> RequestBuilder {
    let request = world.http.post(world.url(path)).header("idempotency-key", key);
    request.json(arguments)
}

impl Stored {
    /// Sends a command under a key, and waits for its answer.
    pub(crate) async fn once(&self, command: &str, key: &str, arguments: &Value) -> Answer {
        answer(keyed(&self.world, &format!("/commands/{command}"), key, arguments)).await
    }

    /// Sends a command under a key that is to be stored and answered at once.
    pub(crate) async fn defer_once(&self, command: &str, key: &str, arguments: &Value) -> Answer {
        let request = keyed(&self.world, &format!("/commands/{command}"), key, arguments);
        answer(request.header("prefer", "respond-async")).await
    }

    /// How many operations there are.
    pub(crate) async fn operations(&self) -> usize {
        let page = self.world.get("/operations?limit=500").await.json();
        page["operations"].as_array().unwrap().len()
    }
}

/// Whether an answer says that it was given before.
pub(crate) fn is_repeated(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}
