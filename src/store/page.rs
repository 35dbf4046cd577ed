//! Which operations are read at once.

use jiff::Timestamp;

use super::{Operation, State};

/// Which operations are wanted; an empty filter is all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<State>,
    /// Of this command.
    pub command: Option<String>,
    /// Accepted with this name.
    pub subject: Option<String>,
    /// Sent by this caller.
    pub caller: Option<String>,
    /// For this instance.
    pub instance: Option<String>,
    /// Of this batch.
    pub batch: Option<String>,
    /// Stored at this time or later.
    pub created_from: Option<Timestamp>,
    /// Stored before this time.
    pub created_before: Option<Timestamp>,
}

/// A page of operations.
#[derive(Clone, Debug)]
pub struct OperationPage {
    /// Newest first.
    pub operations: Vec<Operation>,
    /// The number that the next page goes on before; `None` on the last.
    pub next: Option<i64>,
}
