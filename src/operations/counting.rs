//! What is counted of operations.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{Operation, Operations};
use crate::{
    commands::Command,
    scim::Priority,
    service::Completed,
    store::{End, NewOperation},
    telemetry::metrics,
};

/// How many operations of a request are for which instance, and from which source.
pub(super) struct Counted(BTreeMap<(String, Option<String>), u64>);

impl Counted {
    pub(super) fn of(operations: &[NewOperation]) -> Self {
        let mut counted = BTreeMap::new();
        for operation in operations {
            let labels = (operation.instance.clone(), operation.source.clone());
            *counted.entry(labels).or_default() += 1;
        }
        Self(counted)
    }

    /// Counts them: they are stored.
    pub(super) fn accepted(self) {
        for ((instance, source), count) in self.0 {
            metrics::operations_accepted(&instance, source.as_deref(), count);
        }
    }
}

/// Counts a try of an operation that ended so.
pub(super) fn count_end(operation: &Operation, end: &End) {
    let instance = &operation.instance;
    let label = match end {
        End::Ended(state, _) => {
            metrics::operation_finished(instance, state.as_str());
            "ended"
        }
        End::RetryAt(_) => "again",
        End::InTurn => "in_turn",
        End::Waits(..) | End::Aside(..) | End::Postponed(_) => "waits",
    };
    metrics::operation_attempt(instance, label);
}

impl Operations {
    /// Counts a leaver whose access has ended by this run, since when the operation was due. One
    /// that has overtaken runs again in its turn, and is counted the first time.
    pub(super) fn count_leaver(&self, operation: &Operation, command: &Command, completed: &Completed) {
        let is_disable = command.priority() == Priority::Disable;
        if !is_disable || !completed.has_ended_access() || operation.has_changed || has_succeeded(operation) {
            return;
        }
        let due = operation.not_before.unwrap_or_default().max(operation.created_at);
        let waited = Duration::try_from(self.clock.now().duration_since(due)).unwrap_or_default();
        metrics::leaver(&operation.instance, operation.source.as_deref(), waited);
    }
}

/// Whether an attempt before this one came to a success.
fn has_succeeded(operation: &Operation) -> bool {
    let envelope = operation.envelope.as_deref();
    let envelope: Option<Value> = envelope.and_then(|text| serde_json::from_str(text).ok());
    envelope.is_some_and(|envelope| envelope["IAM"]["Vendor"]["success"] == true)
}
