//! What events say of people, as a store takes and gives it.
//!
//! A statement outlives its operation: an event that comes late is held against what was said after
//! it, whether or not that has been carried out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::State;

/// What an event says of a person, stored with its operation.
#[derive(Clone, Debug)]
pub struct NewStatement {
    /// The event's own time, else that of its arrival.
    pub said_at: Timestamp,
    /// The instant of its date, where it has one; what has none is so from when it was said.
    pub effective_at: Option<Timestamp>,
    /// The names that the person has by it.
    pub names: BTreeSet<String>,
    /// What it says of being active.
    pub word: Word,
    /// The attributes that it gives: each name in its comparable form, with the value as JSON,
    /// which the store does not read.
    pub attributes: BTreeMap<String, String>,
    /// Where a termination is about one of two employments: for how long before and after it a hire
    /// with another employee id and one of the same names means that the person stays.
    pub conversion: Option<SignedDuration>,
}

/// What a statement says of being active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// Nothing: its attributes alone.
    Nothing,
    /// The person is expected, and not active before the day.
    Expected,
    /// The person is hired, or comes back.
    Active,
    /// The person leaves.
    Inactive,
    /// What made the person leave for the same purpose is over: the person is back, unless
    /// something else was said meanwhile.
    Back,
    /// What was said for the same purpose holds no more.
    Cancelled,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Expected,
        Self::Active,
        Self::Inactive,
        Self::Back,
        Self::Cancelled,
    ];

    /// What begins where this ends, and ends where this begins.
    pub fn opposite(self) -> Option<Self> {
        match self {
            Self::Active => Some(Self::Inactive),
            Self::Inactive => Some(Self::Active),
            Self::Nothing | Self::Expected | Self::Back | Self::Cancelled => None,
        }
    }

    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Expected => "expected",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Back => "back",
            Self::Cancelled => "cancelled",
        }
    }

    /// The word of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == name)
    }
}

/// A date as it was said: from it the time of an operation is computed, again whenever the rules of
/// its zone change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDate {
    /// The date, `2026-11-30`.
    pub date: String,
    /// The IANA name of its zone.
    pub zone: String,
    /// The side of that day: `start_of_day`, `end_of_day` or `17:30`.
    pub side: String,
    /// How much earlier its operation is carried out.
    pub ahead: SignedDuration,
    /// Whether of two instants with one local time the later one is meant.
    pub later: bool,
}

/// A stored statement of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The accepted number of its operation.
    pub number: i64,
    /// The id of its operation.
    pub operation: String,
    /// See [`NewStatement::said_at`].
    pub said_at: Timestamp,
    /// See [`NewStatement::effective_at`].
    pub effective_at: Timestamp,
    /// See [`NewStatement::word`].
    pub word: Word,
    /// What its operation is for.
    pub purpose: Option<String>,
    /// See [`NewStatement::names`].
    pub names: BTreeSet<String>,
    /// See [`NewStatement::attributes`].
    pub attributes: BTreeMap<String, String>,
    /// See [`NewStatement::conversion`].
    pub conversion: Option<SignedDuration>,
    /// Whether it has a date of its own.
    pub is_dated: bool,
    /// Whether it holds.
    pub standing: Standing,
    /// Whether what it says has been written to the directory, or was found there.
    pub is_carried_out: bool,
    /// Whether carrying it out has changed the directory.
    pub has_changed: bool,
    /// The state of its operation; none once that is deleted.
    pub state: Option<State>,
    /// Why that is in its state.
    pub reason: Option<String>,
}

/// Whether a statement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Holds,
    /// Another date was said for the same purpose while it waited.
    Replaced,
    /// What was said for its purpose was taken back.
    Cancelled,
}

impl Standing {
    /// Its stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Replaced => "replaced",
            Self::Cancelled => "cancelled",
        }
    }

    /// The standing of this name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Holds, Self::Replaced, Self::Cancelled];
        all.into_iter().find(|standing| standing.as_str() == name)
    }
}
