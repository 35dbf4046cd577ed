//! The requests that the sandbox received, for tests to count and inspect.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::Value;

/// How many requests are remembered; the oldest are forgotten first.
const MOST_REQUESTS: usize = 10_000;

/// One request that arrived.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedRequest {
    /// The API's name, `CreateUser`; `Unsupported` and `Unknown` for what is none.
    pub api: &'static str,
    /// The HTTP method.
    pub method: String,
    /// Path and query as they came, still encoded.
    pub path: String,
    /// The body, if there was one and it was JSON.
    pub body: Option<Value>,
    /// The status answered; none while under way, and for good when the connection was closed
    /// instead.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    calls: BTreeMap<String, u64>,
    requests: VecDeque<RecordedRequest>,
    /// The number of the oldest request remembered.
    first: u64,
}

impl Journal {
    /// Notes an arrival; the number is for [`Journal::answered`].
    pub(super) fn arrived(&mut self, request: RecordedRequest) -> u64 {
        *self.calls.entry(request.api.to_owned()).or_insert(0) += 1;
        if self.requests.len() == MOST_REQUESTS {
            self.requests.pop_front();
            self.first += 1;
        }
        self.requests.push_back(request);
        self.first + self.requests.len() as u64 - 1
    }

    /// Notes what was answered, unless the request is forgotten by now.
    pub(super) fn answered(&mut self, number: u64, status: u16) {
        let place = number
            .checked_sub(self.first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(request) = place.and_then(|place| self.requests.get_mut(place)) {
            request.status = Some(status);
        }
    }

    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.clone()
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    /// Forgets everything; numbers go on, so that a late answer finds nothing of the new.
    pub(super) fn clear(&mut self) {
        self.first += self.requests.len() as u64;
        self.calls.clear();
        self.requests.clear();
    }
}
