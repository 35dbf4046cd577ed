//! What the user commands share: one person, whom they [find](find), [change](change) or
//! [create](create), and how that ends.

mod change;
mod create;
mod find;

use super::{Rules, finish};
use crate::{
    decide::Next,
    diagnostic::Diagnostic,
    mapper::{Mapped, MappingType},
    outcome::{Action, Cause, Failure, Outcome, SkipReason, UserOutcome},
    profile::{NotTextError, UserProfile},
    scim::{self, Object, User},
};

/// The sentence for somebody who is not there.
pub(in crate::commands) const ABSENT: &str = "User does not exist";

/// Where the profile stands in a message.
const PROFILE: &str = "user-profile";

/// Where the old data stand in a message.
const OLD: &str = "user-profile.olduserdata";

/// One person in one user command: the profile, and what it is worth so far.
#[derive(Debug)]
pub(in crate::commands) struct Person<'a> {
    rules: &'a Rules,
    profile: &'a UserProfile,
    old: Option<UserProfile>,
    action: Action,
    mapped: Mapped,
    found: Option<&'a User>,
}

impl<'a> Person<'a> {
    /// The person that `profile` is about, in a command that does `action`.
    pub(in crate::commands) fn new(action: Action, profile: &'a UserProfile, rules: &'a Rules) -> Self {
        let mut person = Self {
            rules,
            profile,
            old: None,
            action,
            mapped: Mapped::default(),
            found: None,
        };
        person.goes_on_as(action);
        person
    }

    /// The command turns into another: create finds somebody, update finds nobody. Its mapping
    /// turns with it.
    fn goes_on_as(&mut self, action: Action) {
        let mapping_type = match action {
            Action::Create => MappingType::Create,
            Action::Get | Action::Update | Action::Disable => MappingType::Update,
        };
        self.action = action;
        self.mapped = self.rules.mapper.outgoing(mapping_type, self.profile);
    }

    /// Reads `olduserdata`, whose keys are then looked for first.
    pub(in crate::commands) fn with_old_data(mut self) -> Result<Self, Next> {
        self.old = match self.profile.old() {
            Ok(old) => old,
            Err(_) => {
                return self.fails(
                    Cause::Invalid,
                    format!("{OLD} must be an object, or a string that holds one"),
                );
            }
        };
        if let Some(old) = &self.old {
            self.id(old, OLD)?;
        }
        Ok(self)
    }

    /// The attributes to send, unless something in the profile could not be mapped.
    fn sound_attributes(&self) -> Result<&Object, Next> {
        if self.mapped.faults.is_empty() {
            Ok(&self.mapped.attributes)
        } else {
            self.invalid(&self.mapped.faults)
        }
    }

    pub(in crate::commands) fn done(&self, user: &User) -> Outcome {
        let profile = (self.action == Action::Get).then(|| self.rules.mapper.incoming(user));
        Outcome::User(UserOutcome::Done {
            action: self.action,
            user: user.clone(),
            profile,
        })
    }

    pub(in crate::commands) fn skipped(&self, reason: SkipReason) -> Outcome {
        Outcome::User(UserOutcome::Skipped {
            action: self.action,
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
        fields.extend(self.rules.mapper.source("userName"));
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
        finish(Outcome::User(UserOutcome::Failed {
            action: self.action,
            failure,
            details: self.details(),
        }))
    }

    fn details(&self) -> Object {
        self.found
            .map_or_else(|| self.mapped.attributes.clone(), |user| user.as_object().clone())
    }

    /// A look failed after an answer got lost. The lost one is what the caller must know of; that
    /// the command's time is over says so by itself (504).
    fn unsure<T>(&self, done: &str, lost: &scim::ScimError, looking: &scim::ScimError) -> Result<T, Next> {
        self.end_with(Failure::unsure("user", done, lost, looking))
    }
}

/// Letter case aside, as SCIM compares userNames; no other spelling is the same.
pub(in crate::commands) fn is_same_name(one: &str, other: &str) -> bool {
    one.chars()
        .flat_map(char::to_lowercase)
        .eq(other.chars().flat_map(char::to_lowercase))
}
