//! What the user commands share: one person, whom they [find](find), [change](change) or
//! [create](create), and how that ends.

mod change;
mod create;
mod find;
mod prepared;

use super::finish;
use crate::{
    decide::Next,
    diagnostic::Diagnostic,
    mapper::Mapped,
    outcome::{Action, Cause, Failure, Outcome, SkipReason, UserEnd, UserOutcome},
    profile::NotTextError,
    scim::{self, Object, User},
};

pub(in crate::commands) use prepared::{OfPerson, PreparedPerson};

/// The sentence for a user that is not there.
pub(in crate::commands) const ABSENT: &str = "User does not exist";

/// Where the profile stands in a message.
const PROFILE: &str = "user-profile";

/// Where the old data stand in a message.
const OLD: &str = "user-profile.olduserdata";

/// One person in one user command: the profile, and what is known of its app user so far.
#[derive(Debug)]
pub(in crate::commands) struct Person<'a> {
    prepared: &'a PreparedPerson<'a>,
    action: Action,
    found: Option<&'a User>,
}

impl<'a> Person<'a> {
    /// The person that `prepared` is about, in a command that does `action`.
    pub(in crate::commands) fn new(action: Action, prepared: &'a PreparedPerson<'a>) -> Self {
        Self {
            prepared,
            action,
            found: None,
        }
    }

    /// The command turns into another: a create finds its person, an update finds none. Its mapping
    /// turns with it.
    fn goes_on_as(&mut self, action: Action) {
        self.action = action;
    }

    /// The profile as the mapper maps it for this action.
    fn mapped(&self) -> &'a Mapped {
        self.prepared.mapped(self.action)
    }

    /// The attributes to send, unless something in the profile could not be mapped.
    fn sound_attributes(&self) -> Result<&Object, Next> {
        if self.mapped().faults.is_empty() {
            Ok(&self.mapped().attributes)
        } else {
            self.invalid(&self.mapped().faults)
        }
    }

    pub(in crate::commands) fn done(&self, user: &User) -> Outcome {
        let shown = (self.action == Action::Get).then(|| self.prepared.rules.mapper.incoming(user));
        self.outcome(UserEnd::Done {
            user: user.clone(),
            shown,
        })
    }

    pub(in crate::commands) fn skipped(&self, reason: SkipReason) -> Outcome {
        self.outcome(UserEnd::Skipped {
            reason,
            details: self.details(),
        })
    }

    pub(in crate::commands) fn fails<T>(&self, cause: Cause, message: impl Into<String>) -> Result<T, Next> {
        self.end_with(Failure::new(cause, message))
    }

    pub(in crate::commands) fn failed<T>(&self, error: &scim::ScimError) -> Result<T, Next> {
        self.end_with(error.into())
    }

    pub(in crate::commands) fn invalid<T>(&self, violations: &[Diagnostic]) -> Result<T, Next> {
        let lines: Vec<_> = violations.iter().map(Diagnostic::sentence).collect();
        self.fails(Cause::Invalid, lines.join(". "))
    }

    pub(in crate::commands) fn without_a_key<T>(&self) -> Result<T, Next> {
        let mut fields = vec!["id"];
        fields.extend(self.prepared.rules.mapper.source("userName"));
        let old = if self.action == Action::Update {
            ", also in olduserdata"
        } else {
            ""
        };
        self.fails(
            Cause::Invalid,
            format!("user-profile needs at least one of: {}{old}", fields.join(", ")),
        )
    }

    fn not_text<T>(&self, fault: &NotTextError) -> Result<T, Next> {
        self.fails(Cause::Invalid, fault.to_string())
    }

    fn end_with<T>(&self, failure: Failure) -> Result<T, Next> {
        finish(self.outcome(UserEnd::Failed {
            failure,
            details: self.details(),
        }))
    }

    fn outcome(&self, end: UserEnd) -> Outcome {
        Outcome::User(UserOutcome {
            action: self.action,
            profile: self.prepared.profile.clone(),
            end,
        })
    }

    fn details(&self) -> Object {
        self.found
            .map_or_else(|| self.mapped().attributes.clone(), |user| user.as_object().clone())
    }

    /// Ends because looking failed, after an answer got lost if one did.
    fn unsure<T>(&self, done: &str, lost: Option<&scim::ScimError>, looking: &scim::ScimError) -> Result<T, Next> {
        self.end_with(match lost {
            Some(lost) => Failure::unsure("user", done, lost, looking),
            None => looking.into(),
        })
    }
}

/// Letter case aside, as SCIM compares userNames; no other spelling is the same.
pub(in crate::commands) fn is_same_name(one: &str, other: &str) -> bool {
    one.chars()
        .flat_map(char::to_lowercase)
        .eq(other.chars().flat_map(char::to_lowercase))
}
