//! A batch on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::operations::written;
use crate::operations::{AcceptedBatch, Batch, State};

/// One command of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchElement {
    /// The name of a command that changes a directory.
    #[schema(example = "iam-disable-user")]
    pub(super) command: String,
    /// The command's arguments, as in the body of its own route.
    #[schema(value_type = Object, example = json!({"user-profile": {"username": "ada@example.com"}}))]
    pub(super) arguments: Value,
    /// Which configured instance; the default one when absent.
    #[serde(default)]
    pub(super) instance: Option<String>,
    /// Before this time (RFC 3339, with its offset, ten years ahead at most) the command is not
    /// carried out.
    #[serde(default)]
    #[schema(format = "date-time")]
    pub(super) not_before: Option<String>,
    /// What the command is for, 1 to 64 letters, digits, `-`, `_`, `.` and `:`.
    #[serde(default)]
    pub(super) purpose: Option<String>,
}

/// A batch that is stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAccepted {
    /// Its id; also in its address, `/batches/{id}`.
    #[schema(example = "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81")]
    id: String,
    /// How many operations it has.
    #[schema(example = 2)]
    accepted: usize,
    /// Their ids, in the order of its elements.
    operations: Vec<String>,
}

/// How far a batch is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchView {
    /// Its id.
    #[schema(example = "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81")]
    id: String,
    /// The caller that sent it.
    caller: Option<String>,
    /// When it was accepted.
    #[schema(format = "date-time", example = "2026-01-15T09:30:00.000Z")]
    created_at: String,
    /// How many operations it has.
    #[schema(example = 2)]
    accepted: u32,
    /// How many of them have ended, in whatever state; those that are deleted by now among them.
    #[schema(example = 1)]
    ended: u32,
    /// The same in percent: 100 once all have ended, and not before.
    #[schema(example = 50)]
    progress: u32,
    /// How many are in each state, by the names that `state` of an operation has. States that none
    /// is in are left out, and so are operations that are deleted by now.
    #[schema(example = json!({"done": 1, "waiting": 1}))]
    states: BTreeMap<&'static str, u32>,
}

impl From<AcceptedBatch> for BatchAccepted {
    fn from(batch: AcceptedBatch) -> Self {
        Self {
            id: batch.id,
            accepted: batch.operations.len(),
            operations: batch.operations,
        }
    }
}

impl From<Batch> for BatchView {
    fn from(batch: Batch) -> Self {
        let open = |(state, count): (&State, &u32)| if state.has_ended() { 0 } else { *count };
        let ended = batch.size - batch.counts.iter().map(open).sum::<u32>();
        let counts = batch.counts.iter();
        Self {
            id: batch.id,
            caller: batch.caller,
            created_at: written(batch.created_at),
            accepted: batch.size,
            ended,
            progress: (100 * ended).checked_div(batch.size).unwrap_or(100),
            states: counts.map(|(state, count)| (state.as_str(), *count)).collect(),
        }
    }
}
