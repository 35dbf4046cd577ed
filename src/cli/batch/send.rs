//! Sending chunks, each as a batch.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::chunk::{Chunk, Keys};
use crate::cli::remote::{Ask, Remote, RemoteError};

/// The media type of JSON values, one a line.
const NDJSON: &str = "application/x-ndjson";

/// A chunk that was sent.
pub(super) struct Sent {
    /// The batch's id; `None` where every element was refused.
    pub(super) batch: Option<String>,
    /// The operations of the elements that were accepted, in their order.
    pub(super) operations: Vec<Uuid>,
    /// The places of the elements that were refused, and why.
    pub(super) refused: BTreeMap<usize, String>,
    /// How many elements the chunk has.
    pub(super) count: usize,
    /// Whether the service had it before.
    pub(super) is_replayed: bool,
}

/// Sends a chunk. The service takes all elements of a batch or none, and names the faulty ones:
/// they are left out, so that the others need not wait for their mending.
///
/// # Errors
/// When the service can't be asked, or refuses the batch as a whole.
pub(super) async fn send(remote: &Remote, keys: &Keys, chunk: &Chunk) -> Result<Sent, RemoteError> {
    let mut sent = Sent {
        batch: None,
        operations: Vec::new(),
        refused: BTreeMap::new(),
        count: chunk.len(),
        is_replayed: false,
    };
    while sent.refused.len() < chunk.len() {
        let places: Vec<bool> = (0..chunk.len())
            .map(|place| sent.refused.contains_key(&place))
            .collect();
        let body = chunk.body(&places);
        let key = keys.key(chunk, &body);
        let ask = Ask::post(&["batches"]).body(NDJSON, body).idempotency_key(key);
        match remote.send(&ask).await {
            Ok(answer) => {
                sent.batch = answer.body["id"].as_str().map(str::to_owned);
                sent.operations = operations(&answer.body);
                sent.is_replayed = answer.is_replayed;
                let is_whole = sent.batch.is_some() && sent.operations.len() + sent.refused.len() == chunk.len();
                return if is_whole { Ok(sent) } else { Err(remote.foreign()) };
            }
            Err(error) => {
                let faults = faults(&error, &places);
                if faults.is_empty() {
                    return Err(error);
                }
                sent.refused.extend(faults);
            }
        }
    }
    Ok(sent)
}

/// The ids of the accepted operations.
fn operations(answer: &Value) -> Vec<Uuid> {
    let ids = answer["operations"].as_array().map(Vec::as_slice).unwrap_or_default();
    ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect()
}

/// The elements that a refusal names, by their places in the chunk, and what is wrong with each.
/// `left_out` were not sent.
fn faults(error: &RemoteError, left_out: &[bool]) -> BTreeMap<usize, String> {
    let sent: Vec<usize> = (0..left_out.len()).filter(|place| !left_out[*place]).collect();
    let mut faults = BTreeMap::new();
    // A right that is missing for one is missing for the caller: nothing is sent without it.
    let bad_request = error
        .refusal()
        .filter(|refusal| refusal.status == StatusCode::BAD_REQUEST);
    let named = bad_request.map(|refusal| refusal.faults.as_slice()).unwrap_or_default();
    for (pointer, detail) in named {
        let index: Option<usize> = pointer.split('/').nth(1).and_then(|index| index.parse().ok());
        if let Some(place) = index.and_then(|index| sent.get(index)) {
            faults.entry(*place).or_insert_with(|| detail.clone());
        }
    }
    faults
}
