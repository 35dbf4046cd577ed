//! Batches: many commands in one request, stored all or none, in their order.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use uuid::Uuid;

use super::{
    Batch, OperationPage, Operations, State, StoreError,
    idempotency::{AcceptError, KeyUse, add, add_submission},
    submit::{Submission, new_operation},
};
use crate::store::{Acceptance, FirstAnswer, NewBatch, NewOperation, NewRequest};

/// A batch that is being put together, element by element.
pub struct BatchSubmission {
    id: String,
    caller: Option<String>,
    key: Option<String>,
    instances: BTreeSet<String>,
    operations: Vec<NewOperation>,
    meaning: Context,
}

/// A batch that was accepted.
#[derive(Debug)]
pub struct AcceptedBatch {
    /// Its id.
    pub id: String,
    /// The ids of its operations, in its order.
    pub operations: Vec<String>,
    /// What its key means from now on, where it has one.
    pub key: Option<KeyUse>,
}

impl BatchSubmission {
    /// A batch of this caller without an element, under this key if it has one.
    pub fn new(caller: Option<String>, key: Option<String>) -> Self {
        let mut meaning = Context::new(&SHA256);
        add(&mut meaning, "batch");
        Self {
            id: Uuid::now_v7().to_string(),
            caller,
            key,
            instances: BTreeSet::new(),
            operations: Vec::new(),
            meaning,
        }
    }

    /// Adds an element at the end.
    pub fn push(&mut self, submission: Submission) {
        add_submission(&mut self.meaning, &submission);
        self.instances.insert(submission.instance.name().to_owned());
        let id = Uuid::now_v7().to_string();
        let operation = new_operation(id, submission, false, Some(self.id.clone()));
        self.operations.push(operation);
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The id that it will have.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Operations {
    /// Stores a batch, all of it or nothing. What has been accepted under the same key before is
    /// answered again.
    ///
    /// # Errors
    /// When the store can't take it, or its key is another request's.
    pub async fn accept_batch(&self, batch: BatchSubmission) -> Result<AcceptedBatch, AcceptError> {
        let BatchSubmission {
            id,
            caller,
            key,
            instances,
            operations,
            meaning,
        } = batch;
        let now = self.clock.now();
        let key = self.request_key(&key, &caller, now, || meaning.finish().as_ref().to_vec());
        let expires_at = key.as_ref().map(|key| key.expires_at);
        let ids = operations.iter().map(|operation| operation.id.clone()).collect();
        let request = NewRequest {
            operations,
            batch: Some(NewBatch {
                id: id.clone(),
                caller,
                instances,
            }),
            key,
        };
        match self.store_request(request, now).await? {
            Acceptance::Stored(_) => Ok(AcceptedBatch {
                id,
                operations: ids,
                key: expires_at.map(KeyUse::first),
            }),
            Acceptance::Before {
                answer: FirstAnswer::Batch { id, operations },
                expires_at,
            } => Ok(AcceptedBatch {
                id,
                operations,
                key: Some(KeyUse::again(expires_at)),
            }),
            Acceptance::Before { .. } | Acceptance::Reused => Err(AcceptError::KeyReused),
        }
    }

    /// A batch, and how many of its operations are in each state.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn batch(&self, id: &str) -> Result<Option<Batch>, StoreError> {
        self.store.batch(id.to_owned()).await
    }

    /// A page of a batch's operations in these states (none: in any), in the batch's order.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn batch_operations(
        &self,
        id: &str,
        states: Vec<State>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<OperationPage, StoreError> {
        self.store.batch_operations(id.to_owned(), states, after, limit).await
    }
}
