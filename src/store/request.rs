//! What a store takes and gives of whole requests: the key that a request bears, and the batch that
//! it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Accepted, NewOperation, Operation, State};

/// What one request stores, all or none.
#[derive(Clone, Debug, Default)]
pub struct NewRequest {
    /// In their order.
    pub operations: Vec<NewOperation>,
    /// The batch that they are.
    pub batch: Option<NewBatch>,
    /// The key that the request bears. One that it does not bear is stored each time anew.
    pub key: Option<RequestKey>,
}

/// A caller's key, under which a request is done once.
#[derive(Clone, Debug)]
pub struct RequestKey {
    /// The caller; others' keys are others.
    pub caller: Option<String>,
    /// The key.
    pub key: String,
    /// Differs from that of every other request.
    pub digest: Vec<u8>,
    /// From this time on the key means nothing.
    pub expires_at: Timestamp,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It was stored.
    Stored(Vec<Accepted>),
    /// Its key has been used for it before.
    Before {
        /// What it is answered with.
        answer: FirstAnswer,
        /// From this time on the key means nothing.
        expires_at: Timestamp,
    },
    /// Its key has been used for another request.
    Reused,
}

/// What a request is answered with whose key has been used for it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstAnswer {
    /// It was deferred: its operation, as it stands now.
    Deferred(Box<Operation>),
    /// It is a batch: its id, and those of its operations in their order.
    Batch {
        /// Its id.
        id: String,
        /// Those of its operations that are still kept.
        operations: Vec<String>,
    },
    /// It was answered.
    Answered {
        /// See [`super::AttemptEnd::answered`].
        status: u16,
        /// See [`super::AttemptEnd::envelope`].
        envelope: String,
    },
    /// It is not answered yet.
    Open,
}

/// A batch to be stored.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Its id.
    pub id: String,
    /// The caller that sent it.
    pub caller: Option<String>,
    /// The instances of its operations.
    pub instances: BTreeSet<String>,
}

/// A stored batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// See [`NewBatch::id`].
    pub id: String,
    /// See [`NewBatch::caller`].
    pub caller: Option<String>,
    /// See [`NewBatch::instances`].
    pub instances: BTreeSet<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// How many operations it has, those among them that are deleted by now.
    pub size: u32,
    /// How many of those that are kept are in each state.
    pub counts: BTreeMap<State, u32>,
}
