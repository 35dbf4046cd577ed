//! What every store promises, whatever it keeps its rows in.

mod backlog;
mod callbacks;
mod event_steps;
mod events;
mod keyed;
mod model;
mod pruning;
mod random;
mod sqlite;
mod steps;

use std::sync::Arc;

use jiff::Timestamp;

use super::{Acceptance, Accepted, NewOperation, NewRequest, Store};

/// Stores an operation under no key.
async fn accept(store: &Arc<dyn Store>, operation: NewOperation, now: Timestamp) -> Accepted {
    let request = NewRequest {
        operations: vec![operation],
        ..NewRequest::default()
    };
    match store.accept(request, now).await.expect("an answer") {
        Acceptance::Stored(mut accepted) => accepted.remove(0),
        other @ (Acceptance::Before { .. } | Acceptance::Reused) => panic!("{other:?} without a key"),
    }
}
