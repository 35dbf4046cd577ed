//! What the directory must hold, from what the commands reported and nothing else.
//!
//! Of each subject the oracle keeps every state that the reports allow. A report that says "done"
//! moves each of them on, one that says "failed" moves none, one that says "not known" allows both.
//! A report that no allowed state explains is a lie, and so is, in the end, a directory in a state
//! that is not among them.

mod group;
mod person;

pub(crate) use group::Group;
pub(crate) use person::Person;

/// How a report is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Done,
    Skipped,
    /// Refused for a good reason: a name that is taken, a member or a user that does not exist.
    Refused,
    Failed,
    NotKnown,
}
