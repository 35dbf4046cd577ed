//! What sources are told of their operations.

use jiff::Timestamp;

use super::State;

/// What a source is to be told: an operation of it has ended, or waits for a person or for data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Its id, the same at each try.
    pub id: String,
    /// The source.
    pub source: String,
    /// The operation's id.
    pub operation: String,
    /// The state that the operation came to.
    pub state: State,
    /// Why, where that says more.
    pub reason: Option<String>,
    /// The operation's command.
    pub command: String,
    /// The operation's instance.
    pub instance: String,
    /// What the operation is for.
    pub purpose: Option<String>,
    /// The ids of the events that the operation comes from.
    pub events: Vec<String>,
    /// When the operation came to its state: where it has not ended, when the try began that found
    /// so.
    pub happened_at: Timestamp,
    /// How often it was tried to tell.
    pub attempts: u32,
}

/// What becomes of a callback after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackEnd {
    /// The source was told, or will not be.
    Over,
    /// It is tried again at this time.
    Again(Timestamp),
}
