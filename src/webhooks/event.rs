//! One of the events of a delivery, and what a rule makes of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    commands::Command,
    operations::{DueDate, Word},
};

/// One of the events that a delivery tells of.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place among those of its delivery.
    pub index: usize,
    /// The sender's id of it; none where the sender gives none.
    pub sender_id: Option<String>,
    /// SHA-256 of what it says: of the whole body where the delivery is one event, else of its
    /// element.
    pub digest: [u8; 32],
    /// Its type, by the path or by the body.
    pub r#type: Option<String>,
    /// The sender's time of it.
    pub time: Option<Timestamp>,
    /// What expressions see as `item`: an element of `each`, else the body.
    pub item: Value,
}

/// What the rules of a source make of an event.
#[derive(Debug)]
pub enum Planned {
    /// No rule matches it, or the one that does says so.
    Ignored {
        /// The rule's place among the source's, from 1; none where no rule matches.
        rule: Option<usize>,
        /// Why, in a sentence.
        reason: String,
    },
    /// A rule matches, and these commands are to be carried out.
    Commands {
        /// The rule's place among the source's, from 1.
        rule: usize,
        /// One or two for each instance.
        commands: Vec<PlannedCommand>,
    },
    /// A rule matches, and what it needs is missing or wrong.
    Failed {
        /// The rule's place among the source's, from 1.
        rule: usize,
        /// What is missing, by the name of the expression and without its value.
        reason: String,
    },
}

/// A command that a rule asks for.
#[derive(Debug)]
pub struct PlannedCommand {
    /// The instance that it is for.
    pub instance: String,
    /// The command.
    pub command: Command,
    /// Before this time it is not carried out; none: at once.
    pub not_before: Option<Timestamp>,
    /// What it is for.
    pub purpose: Option<String>,
    /// What it says of the person's being active; none of a group.
    pub word: Option<Word>,
    /// The date that its time was computed from.
    pub date: Option<DueDate>,
    /// Why it waits for a person's word first.
    pub held: Option<HeldReason>,
    /// See [`crate::store::NewStatement::conversion`].
    pub conversion: Option<SignedDuration>,
    /// Whether its source is asked for more of its person before it is carried out.
    pub fetch: bool,
}

/// Why a command waits for a person's word before it is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldReason {
    /// Its date is longer ago than its source allows.
    BackDated,
    /// Its date is further ahead than its source allows.
    FarFuture,
}

impl HeldReason {
    /// The reason of an operation that is held so.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackDated => "back_dated",
            Self::FarFuture => "far_future",
        }
    }
}
