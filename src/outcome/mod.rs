//! What came of a command: a sum type in which impossible mixes can't be built. The flat shape that
//! callers see is made of it in [`crate::envelope`].

mod failure;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use failure::{Cause, Failure};

use crate::{
    profile::UserProfile,
    scim::{Member, Object, User},
};

/// What came of a command. It holds all that the envelope tells, so that an outcome can't be told
/// of another command than its own.
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

/// What a user command did, or would have done. A create that finds its person goes on as update,
/// and says so here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct UserOutcome {
    /// What was done, or tried.
    pub action: Action,
    /// The caller's profile.
    pub profile: UserProfile,
    /// By what the app user was looked for, and found.
    pub lookup: Lookup,
    /// The id of the newer operation that disabled the user, because of which enabling was left
    /// out.
    pub overtaken: Option<String>,
    /// How it ended.
    pub end: UserEnd,
}

/// By what a user or a group was looked for, for the audit log: which keys, and never their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// The keys that were tried, in their order.
    pub tried: Vec<&'static str>,
    /// The key that found it; none where it was made, or is not there.
    pub found: Option<&'static str>,
    /// The directory's id of what was found or made.
    pub id: Option<String>,
}

/// How a user command ended.
#[derive(Clone, Debug, PartialEq)]
pub enum UserEnd {
    /// It is as asked.
    Done {
        /// The app user afterwards.
        user: User,
        /// The app user as a profile, where that was asked for.
        shown: Option<Object>,
    },
    /// Nothing was to be done.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// The app user if one was found, else the mapped profile.
        details: Object,
    },
    /// It could not be done.
    Failed {
        /// Why it failed.
        failure: Failure,
        /// The app user if one was found, else the mapped profile.
        details: Object,
    },
}

/// Which group command it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum GroupAction {
    Get,
    Create,
    Update,
    Delete,
}

/// What came of a group command.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupOutcome {
    /// What was done, or tried.
    pub action: GroupAction,
    /// By what the group was looked for, and found.
    pub lookup: Lookup,
    /// How it ended.
    pub end: GroupEnd,
}

/// How a group command ended.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupEnd {
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
        /// The id that was asked for.
        id: Option<String>,
        /// The name that was asked for.
        display_name: Option<String>,
        /// Why.
        failure: Failure,
        /// Each member's result, if members were to be changed.
        details: Option<Value>,
    },
}

/// Whom or what an outcome shows in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the attributes'")]
pub enum Shown<'a> {
    User {
        id: &'a str,
        user_name: Option<&'a str>,
        employee_id: Option<&'a str>,
    },
    Group {
        id: &'a str,
        display_name: Option<&'a str>,
    },
}

impl Outcome {
    /// The user or the group as the directory has it, where the command has seen it.
    pub fn shown(&self) -> Option<Shown<'_>> {
        match self {
            Self::User(outcome) => {
                let id = outcome.lookup.id.as_deref()?;
                let user = match &outcome.end {
                    UserEnd::Done { user, .. } => user.as_object(),
                    UserEnd::Skipped { details, .. } | UserEnd::Failed { details, .. } => details,
                };
                (text(user, "id") == Some(id)).then(|| Shown::User {
                    id,
                    user_name: text(user, "userName"),
                    employee_id: text(user, "externalId"),
                })
            }
            Self::Group(GroupOutcome {
                end:
                    GroupEnd::Done {
                        id: Some(id),
                        display_name,
                        ..
                    },
                ..
            }) => Some(Shown::Group {
                id,
                display_name: display_name.as_deref(),
            }),
            Self::Group(_) | Self::Tested(_) | Self::MappingFields(_) => None,
        }
    }

    /// Why nothing was to be done, where that is how it ended.
    pub fn skipped(&self) -> Option<SkipReason> {
        match self {
            Self::User(UserOutcome {
                end: UserEnd::Skipped { reason, .. },
                ..
            }) => Some(*reason),
            Self::User(_) | Self::Group(_) | Self::Tested(_) | Self::MappingFields(_) => None,
        }
    }

    /// The id of the newer operation because of which enabling was left out.
    pub fn overtaken(&self) -> Option<&str> {
        match self {
            Self::User(outcome) => outcome.overtaken.as_deref(),
            Self::Group(_) | Self::Tested(_) | Self::MappingFields(_) => None,
        }
    }

    /// By what the user or the group was looked for; `None` for a command that is about neither.
    pub fn lookup(&self) -> Option<&Lookup> {
        match self {
            Self::User(outcome) => Some(&outcome.lookup),
            Self::Group(outcome) => Some(&outcome.lookup),
            Self::Tested(_) | Self::MappingFields(_) => None,
        }
    }

    /// Why the command failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::User(UserOutcome {
                end: UserEnd::Failed { failure, .. },
                ..
            })
            | Self::Group(GroupOutcome {
                end: GroupEnd::Failed { failure, .. },
                ..
            })
            | Self::Tested(Err(failure)) => Some(failure),
            Self::User(_) | Self::Group(_) | Self::Tested(Ok(_)) | Self::MappingFields(_) => None,
        }
    }

    /// One word for logs: `done`, `skipped` or `failed`.
    pub fn label(&self) -> &'static str {
        match self {
            Self::User(UserOutcome {
                end: UserEnd::Skipped { .. },
                ..
            }) => "skipped",
            _ if self.failure().is_some() => "failed",
            Self::User(_) | Self::Group(_) | Self::Tested(_) | Self::MappingFields(_) => "done",
        }
    }

    /// The `errorCode` of a failed command.
    pub fn code(&self) -> Option<u16> {
        self.failure().map(Failure::code)
    }

    /// Whether the same command may succeed later without its sender changing anything.
    pub fn is_transient(&self) -> bool {
        self.failure().is_some_and(Failure::is_transient)
    }

    /// How long to wait before the command is sent again, where the directory did not take it for
    /// want of time or connection; between a second and five minutes.
    pub fn retry_after(&self) -> Option<Duration> {
        /// What is said when the directory does not say it.
        const DEFAULT: Duration = Duration::from_secs(5);
        /// No directory may send callers away for longer.
        const LONGEST: Duration = Duration::from_secs(300);
        let failure = self.failure().filter(|failure| failure.is_unavailable())?;
        let wait = failure.retry_after.unwrap_or(DEFAULT);
        Some(wait.clamp(Duration::from_secs(1), LONGEST))
    }
}

/// A text of an object.
fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// Why nothing was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// The instance's switch for the command is off.
    Disabled,
    /// No user there to update or disable.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::{self, ErrorKind};

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

    fn ending(end: UserEnd) -> Outcome {
        Outcome::User(UserOutcome {
            overtaken: None,
            action: Action::Disable,
            profile: UserProfile::default(),
            lookup: Lookup::default(),
            end,
        })
    }

    #[test]
    fn an_outcome_knows_its_label_and_its_failure() {
        let user = User::read(serde_json::json!({"id": "u-1", "userName": "test"})).unwrap();
        let failure = Failure::new(Cause::Conflict, "said");
        let group_failed = Outcome::Group(GroupOutcome {
            action: GroupAction::Get,
            lookup: Lookup::default(),
            end: GroupEnd::Failed {
                id: None,
                display_name: None,
                failure: failure.clone(),
                details: None,
            },
        });
        let rows = [
            (ending(UserEnd::Done { user, shown: None }), "done", None),
            (
                ending(UserEnd::Skipped {
                    reason: SkipReason::Absent,
                    details: Object::new(),
                }),
                "skipped",
                None,
            ),
            (
                ending(UserEnd::Failed {
                    failure: failure.clone(),
                    details: Object::new(),
                }),
                "failed",
                Some(409),
            ),
            (group_failed, "failed", Some(409)),
            (Outcome::Tested(Err(failure)), "failed", Some(409)),
            (Outcome::Tested(Ok("proved")), "done", None),
            (Outcome::MappingFields(Vec::new()), "done", None),
        ];
        for (outcome, label, code) in rows {
            assert_eq!((outcome.label(), outcome.code()), (label, code));
            assert!(!outcome.is_transient());
            assert_eq!(outcome.retry_after(), None);
        }
    }

    #[test]
    fn what_may_succeed_later_is_transient() {
        let transient = [
            ErrorKind::Throttled,
            ErrorKind::Connect,
            ErrorKind::Congested,
            ErrorKind::CircuitOpen,
            ErrorKind::Timeout,
            ErrorKind::Broken,
            ErrorKind::Expired,
            ErrorKind::Unreadable,
            ErrorKind::WrongUrl,
            ErrorKind::Status(401),
            ErrorKind::Status(403),
            ErrorKind::Status(500),
            ErrorKind::Status(503),
        ];
        let permanent = [
            ErrorKind::Absent,
            ErrorKind::Status(400),
            ErrorKind::Status(404),
            ErrorKind::Status(409),
            ErrorKind::Status(413),
        ];
        for kind in transient {
            assert!(Failure::new(Cause::Directory(kind), "").is_transient(), "{kind:?}");
        }
        for kind in permanent {
            assert!(!Failure::new(Cause::Directory(kind), "").is_transient(), "{kind:?}");
        }
    }

    #[test]
    fn a_caller_is_sent_away_for_one_second_to_five_minutes() {
        let rows = [
            (None, 5),
            (Some(Duration::ZERO), 1),
            (Some(Duration::from_millis(10)), 1),
            (Some(Duration::from_secs(7)), 7),
            (Some(Duration::from_secs(300)), 300),
            (Some(Duration::from_secs(86_400)), 300),
            (Some(Duration::MAX), 300),
        ];
        for (asked, expected) in rows {
            for kind in [
                ErrorKind::Throttled,
                ErrorKind::Connect,
                ErrorKind::Congested,
                ErrorKind::CircuitOpen,
            ] {
                let failure = Failure {
                    retry_after: asked,
                    ..Failure::new(Cause::Directory(kind), "said")
                };
                let wait = Outcome::Tested(Err(failure)).retry_after();
                assert_eq!(wait, Some(Duration::from_secs(expected)), "{kind:?} {asked:?}");
            }
        }
        let slow = Failure {
            retry_after: Some(Duration::from_secs(7)),
            ..Failure::new(Cause::Directory(ErrorKind::Status(500)), "said")
        };
        assert_eq!(Outcome::Tested(Err(slow)).retry_after(), None, "only 503 asks to wait");
    }
}
