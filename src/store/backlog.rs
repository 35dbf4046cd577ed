//! How many operations wait.

use jiff::Timestamp;

use super::State;

/// Operations of one instance, state and class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The instance that they are for.
    pub instance: String,
    /// Their state: one that has not ended, or `buried`.
    pub state: State,
    /// Their class; see [`NewOperation::class`](super::NewOperation::class).
    pub class: u8,
    /// How many there are; never 0.
    pub count: u64,
    /// Since when the oldest has been due: when it was accepted, or the time that it was given, if
    /// that is later.
    pub oldest: Timestamp,
}
