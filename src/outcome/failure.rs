//! Why a command failed, by who has to react.

use std::time::Duration;

use crate::scim::{self, ErrorKind};

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cause, by who has to react.
    pub cause: Cause,
    /// The sentence for the caller.
    pub message: String,
    /// How long the directory asked to wait.
    pub retry_after: Option<Duration>,
}

/// Causes of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A value of the profile or of `scim` can't be sent.
    Invalid,
    /// The profile lacks what a new user needs.
    Incomplete,
    /// The user or the group is not there.
    Absent,
    /// Another user or group has what must be unique.
    Conflict,
    /// Two match where one must.
    Ambiguous,
    /// The directory answered with another resource than the one asked for, or without having done
    /// what it says.
    Mismatch,
    /// The directory failed, or refused.
    Directory(ErrorKind),
}

impl Cause {
    /// Its word in what is kept of an attempt, and in what counts failures.
    pub fn label(self) -> &'static str {
        match self {
            Self::Invalid | Self::Incomplete => "invalid",
            Self::Absent => "absent",
            Self::Conflict => "conflict",
            Self::Ambiguous => "ambiguous",
            Self::Mismatch => "mismatch",
            Self::Directory(kind) => match kind {
                ErrorKind::Absent => "absent",
                ErrorKind::Status(401 | 403) => "not_authorized",
                ErrorKind::Status(..500) => "refused",
                ErrorKind::Status(500..) => "directory_error",
                ErrorKind::Throttled => "throttled",
                ErrorKind::WrongUrl => "wrong_url",
                ErrorKind::Connect => "unreachable",
                ErrorKind::Congested => "congested",
                ErrorKind::CircuitOpen => "circuit_open",
                ErrorKind::Timeout => "timeout",
                ErrorKind::Broken => "connection_broken",
                ErrorKind::Expired => "out_of_time",
                ErrorKind::Unreadable => "unreadable",
            },
        }
    }
}

impl Failure {
    /// A failure with this sentence.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A look failed after an answer got lost, so that it is not known whether `what` was `done`.
    /// The lost answer is what the caller must know of; that the command's time is over says so by
    /// itself (504).
    pub fn unsure(what: &str, done: &str, lost: &scim::ScimError, looking: &scim::ScimError) -> Self {
        let told = if looking.kind == ErrorKind::Expired {
            looking
        } else {
            lost
        };
        let (lost, looking) = (lost.message(), looking.message());
        let message = format!("whether the {what} was {done} is not known: {lost}; looking failed too: {looking}");
        Self {
            message,
            ..Self::from(told)
        }
    }

    /// Whether the same command may succeed later without its sender changing anything: the
    /// directory was slow, down, throttling, broken, or did not accept *our* token or URL, which
    /// its operator mends.
    pub fn is_transient(&self) -> bool {
        match self.cause {
            Cause::Invalid
            | Cause::Incomplete
            | Cause::Absent
            | Cause::Conflict
            | Cause::Ambiguous
            | Cause::Mismatch => false,
            Cause::Directory(kind) => match kind {
                ErrorKind::Absent => false,
                ErrorKind::Status(status) => matches!(status, 401 | 403 | 408 | 429 | 500..),
                ErrorKind::Throttled
                | ErrorKind::WrongUrl
                | ErrorKind::Connect
                | ErrorKind::Congested
                | ErrorKind::CircuitOpen
                | ErrorKind::Timeout
                | ErrorKind::Broken
                | ErrorKind::Expired
                | ErrorKind::Unreadable => true,
            },
        }
    }

    /// Whether the directory could not be asked at all, or would not be asked so often.
    pub(super) fn is_unavailable(&self) -> bool {
        matches!(
            self.cause,
            Cause::Directory(ErrorKind::Throttled | ErrorKind::Connect | ErrorKind::Congested | ErrorKind::CircuitOpen)
        )
    }

    /// The `errorCode`: the directory's status, or our own where it gave none.
    pub fn code(&self) -> u16 {
        match self.cause {
            Cause::Invalid | Cause::Incomplete => 400,
            Cause::Absent => 404,
            Cause::Conflict | Cause::Ambiguous => 409,
            Cause::Mismatch => 502,
            Cause::Directory(kind) => match kind {
                ErrorKind::Status(status) => status,
                ErrorKind::Throttled => 429,
                ErrorKind::Absent | ErrorKind::WrongUrl => 404,
                ErrorKind::Connect | ErrorKind::Congested | ErrorKind::CircuitOpen => 503,
                ErrorKind::Timeout | ErrorKind::Broken | ErrorKind::Expired => 504,
                ErrorKind::Unreadable => 502,
            },
        }
    }
}

impl From<&scim::ScimError> for Failure {
    fn from(error: &scim::ScimError) -> Self {
        Self {
            cause: Cause::Directory(error.kind),
            message: error.message(),
            retry_after: error.retry_after,
        }
    }
}
