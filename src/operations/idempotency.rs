//! Keys under which requests are done once (draft-ietf-httpapi-idempotency-key-header).
//!
//! A key belongs to its caller and to one request, which is known by a digest of all that it means:
//! what the answer is to look like is no part of it. The store keeps key and operations in one
//! transaction, so that neither can be there without the other.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Operations, submit::Submission};
use crate::{
    commands::stored,
    store::{RequestKey, StoreError},
};

/// What the key of a request means once that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Whether the request was answered before, and is answered so again.
    pub is_repeated: bool,
    /// From this time on the key means nothing.
    pub expires_at: Timestamp,
}

/// Why a request was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The store can't take it; nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its key has been used for another request.
    #[error("the key has been used for another request")]
    KeyReused,
}

impl KeyUse {
    pub(super) fn first(expires_at: Timestamp) -> Self {
        Self {
            is_repeated: false,
            expires_at,
        }
    }

    pub(super) fn again(expires_at: Timestamp) -> Self {
        Self {
            is_repeated: true,
            expires_at,
        }
    }
}

impl Operations {
    /// The key of a request that comes now, if it bears one; `digest` tells the request from all
    /// others.
    pub(super) fn request_key(
        &self,
        key: &Option<String>,
        caller: &Option<String>,
        now: Timestamp,
        digest: impl FnOnce() -> Vec<u8>,
    ) -> Option<RequestKey> {
        // What a key stands for is its operation: without that there is nothing to answer.
        let retention = self
            .settings
            .idempotency_retention
            .min(self.settings.operation_retention);
        let retention = SignedDuration::try_from(retention).unwrap_or(SignedDuration::MAX);
        key.as_ref().map(|key| RequestKey {
            caller: caller.clone(),
            key: key.clone(),
            digest: digest(),
            expires_at: now.saturating_add(retention).unwrap_or(Timestamp::MAX),
        })
    }
}

/// A digest of all that a request of one command means; `kind` is how it is to be answered.
pub(super) fn digest(kind: &str, submission: &Submission) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    add(&mut context, kind);
    add_submission(&mut context, submission);
    context.finish().as_ref().to_vec()
}

/// Adds what one command of a request means: in which order its fields came says nothing.
pub(super) fn add_submission(context: &mut Context, submission: &Submission) {
    let mut meaning = json!({
        "instance": submission.instance.name(),
        "command": stored::write(&submission.command),
        "notBefore": submission.not_before.map(Timestamp::as_nanosecond).map(|at| at.to_string()),
        "purpose": submission.purpose,
    });
    meaning.sort_all_objects();
    add(context, &meaning.to_string());
}

/// Adds a text so that it can't run into the next.
pub(super) fn add(context: &mut Context, text: &str) {
    context.update(&(text.len() as u64).to_be_bytes());
    context.update(text.as_bytes());
}
