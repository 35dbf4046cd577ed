//! Changing many operations at once: those that were counted before, and no others.

use jiff::Timestamp;

use super::{Filter, State};

/// A selection of operations to be made: they are counted first, and changed when its token comes
/// again.
#[derive(Clone, Debug)]
pub struct NewSelection {
    /// Its token.
    pub token: String,
    /// The caller that it is for.
    pub caller: Option<String>,
    /// Differs for every other change and filter.
    pub digest: Vec<u8>,
    /// From this time on the token means nothing.
    pub expires_at: Timestamp,
    /// Which operations.
    pub filter: Filter,
    /// Of these instances alone; `None` is all.
    pub instances: Option<Vec<String>>,
    /// Leaves out those that were tried.
    pub untried: bool,
    /// How many at most, the oldest first.
    pub limit: u32,
}

/// How many operations a selection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// How many.
    pub count: u64,
    /// Whether more match.
    pub is_cut: bool,
}

/// An operation that was selected, by its accepted number, and the state that it was in.
pub type SelectedOperation = (i64, State);

/// What is done with operations that were selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// See [`super::Store::retry`].
    Retry {
        /// Who asks for it.
        requested_by: Option<String>,
    },
    /// See [`super::Store::cancel`].
    Cancel,
    /// See [`super::Store::reschedule`].
    Move(Timestamp),
}
