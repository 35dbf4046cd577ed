//! What came of a command: a sum type in which impossible mixes can't be built. The flat shape that
//! callers see is made of it in [`crate::envelope`].

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::scim::{self, ErrorKind, Member, Object, User};

/// What came of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Of a user command.
    User(UserOutcome),
    /// Of a group command.
    Group(GroupOutcome),
    /// Of test-module.
    Tested(Result<&'static str, Failure>),
    /// Of get-mapping-fields: each field and its description.
    MappingFields(Vec<(String, String)>),
}

/// What a user command did, or would have done. A create that finds the person goes on as update,
/// and says so here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Action {
    Get,
    Create,
    Update,
    Disable,
}

/// What came of a user command.
#[derive(Clone, Debug, PartialEq)]
pub enum UserOutcome {
    /// It is as asked.
    Done {
        /// What was done.
        action: Action,
        /// The app user afterwards.
        user: User,
        /// The app user as a profile, where that was asked for.
        profile: Option<Object>,
    },
    /// Nothing was to be done.
    Skipped {
        /// What was not done.
        action: Action,
        /// Why.
        reason: SkipReason,
        /// The app user if one was found, else the mapped profile.
        details: Object,
    },
    /// It could not be done.
    Failed {
        /// What was tried.
        action: Action,
        /// Why it failed.
        failure: Failure,
        /// The app user if one was found, else the mapped profile.
        details: Object,
    },
}

/// What came of a group command.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupOutcome {
    /// It is as asked.
    Done {
        /// The group's id; only a dry run's new group has none.
        id: Option<String>,
        /// Its name, where it is known or was asked for.
        display_name: Option<String>,
        /// The group as it came, or the headers of the last answer.
        details: Object,
        /// Its members, where they were asked for.
        members: Option<Vec<Member>>,
    },
    /// It could not be done, or not wholly.
    Failed {
        /// Why.
        failure: Failure,
        /// Each member's fate, if members were to be changed.
        details: Option<Value>,
    },
}

/// Why nothing was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The instance's switch for the command is off.
    Disabled,
    /// Nobody there to update or disable.
    Absent,
    /// Disabled before.
    AlreadyDisabled,
}

impl SkipReason {
    /// The integration's own sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "Command is disabled.",
            Self::Absent => "User does not exist",
            Self::AlreadyDisabled => "User is already disabled.",
        }
    }
}

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
    /// The user or the group is not there.
    Absent,
    /// Somebody else has what must be unique.
    Conflict,
    /// Two match where one must.
    Ambiguous,
    /// The directory answered with another resource than the one asked for, or without having done
    /// what it says.
    Mismatch,
    /// The directory failed, or refused.
    Directory(ErrorKind),
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

    /// The `errorCode`: the directory's status, or our own where it gave none.
    pub fn code(&self) -> u16 {
        match self.cause {
            Cause::Invalid => 400,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_directorys_status_else_our_own() {
        let rows = [
            (Cause::Invalid, 400),
            (Cause::Absent, 404),
            (Cause::Conflict, 409),
            (Cause::Ambiguous, 409),
            (Cause::Mismatch, 502),
            (Cause::Directory(ErrorKind::Status(400)), 400),
            (Cause::Directory(ErrorKind::Status(401)), 401),
            (Cause::Directory(ErrorKind::Status(503)), 503),
            (Cause::Directory(ErrorKind::Throttled), 429),
            (Cause::Directory(ErrorKind::Absent), 404),
            (Cause::Directory(ErrorKind::WrongUrl), 404),
            (Cause::Directory(ErrorKind::Connect), 503),
            (Cause::Directory(ErrorKind::Congested), 503),
            (Cause::Directory(ErrorKind::CircuitOpen), 503),
            (Cause::Directory(ErrorKind::Timeout), 504),
            (Cause::Directory(ErrorKind::Broken), 504),
            (Cause::Directory(ErrorKind::Expired), 504),
            (Cause::Directory(ErrorKind::Unreadable), 502),
        ];
        for (cause, code) in rows {
            assert_eq!(Failure::new(cause, "").code(), code, "{cause:?}");
        }
    }

    #[test]
    fn a_directorys_failure_keeps_its_words_its_id_and_its_patience() {
        let error = scim::ScimError {
            kind: ErrorKind::Throttled,
            detail: "slow down".to_owned(),
            request_id: Some("r-1".to_owned()),
            retry_after: Some(Duration::from_secs(7)),
        };
        let failure = Failure::from(&error);
        assert_eq!(failure.cause, Cause::Directory(ErrorKind::Throttled));
        assert_eq!(failure.message, "slow down (AWS request id r-1)");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn words_are_the_integrations_own() {
        let actions = [Action::Get, Action::Create, Action::Update, Action::Disable];
        assert_eq!(
            serde_json::to_string(&actions).unwrap(),
            r#"["get","create","update","disable"]"#
        );
        let reasons = [SkipReason::Disabled, SkipReason::Absent, SkipReason::AlreadyDisabled];
        assert_eq!(
            reasons.map(SkipReason::as_str),
            [
                "Command is disabled.",
                "User does not exist",
                "User is already disabled."
            ]
        );
    }
}
