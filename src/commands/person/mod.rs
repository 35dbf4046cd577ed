//! What the user commands share: one person, whom they [find](find), [change](change) or
//! [create](create), and how that ends.

mod change;
mod clash;
mod clear;
mod create;
mod find;
mod keys;
mod names;
mod prepared;
mod signs;
mod whose;

use super::finish;
use crate::{
    decide::Next,
    diagnostic::Diagnostic,
    mapper::Mapped,
    outcome::{Action, Cause, Failure, Lookup, Outcome, SkipReason, UserEnd, UserOutcome},
    policy::{DisableAbsent, Policy, ProfileId},
    scim::{self, Object, User},
};

pub(in crate::commands) use keys::Keys;
pub use names::names_of_user;
pub(in crate::commands) use names::{folded, is_same_name};
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
    lookup: Lookup,
    /// Whether the profile has an id of AWS's form that the directory does not know.
    unknown_aws_id: bool,
    /// The newer operation because of which enabling was left out.
    overtaken: Option<String>,
    /// The attributes that an update takes out, dotted.
    cleared: Vec<String>,
}

impl<'a> Person<'a> {
    /// The person that `prepared` is about, in a command that does `action`.
    pub(in crate::commands) fn new(action: Action, prepared: &'a PreparedPerson<'a>) -> Self {
        Self {
            prepared,
            action,
            found: None,
            lookup: Lookup::default(),
            unknown_aws_id: false,
            overtaken: None,
            cleared: Vec::new(),
        }
    }

    /// The command turns into another: a create finds its person, an update finds none. Its mapping
    /// turns with it.
    fn goes_on_as(&mut self, action: Action) {
        self.action = action;
    }

    /// What the instance's operator allows.
    fn policy(&self) -> &'a Policy {
        &self.prepared.rules.policy
    }

    /// The profile as the mapper maps it for this action.
    fn mapped(&self) -> &'a Mapped {
        self.prepared.mapped(self.action)
    }

    fn mapped_user_name(&self) -> Option<&'a str> {
        self.mapped()
            .attributes
            .get("userName")
            .and_then(serde_json::Value::as_str)
    }

    /// The attributes to send, unless something in the profile could not be mapped.
    fn sound_attributes(&self) -> Result<&'a Object, Next> {
        if self.mapped().faults.is_empty() {
            Ok(&self.mapped().attributes)
        } else {
            self.invalid(&self.mapped().faults)
        }
    }

    /// Ends a command that would enable a person of whom the profile says that they are not active.
    pub(in crate::commands) fn check_active(&self, allow_enable: bool) -> Result<(), Next> {
        if !allow_enable {
            return Ok(());
        }
        match self.prepared.is_told_inactive() {
            Ok(false) => Ok(()),
            Ok(true) => self.fails(
                Cause::Invalid,
                "user-profile.active is false, and allow-enable is true: a leaver? send iam-disable-user; else \
                 allow-enable=false",
            ),
            Err(sentence) => self.fails(Cause::Invalid, sentence),
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

    /// Names behind the mend of a violation the field of `place` that fills its attribute: the
    /// sender knows fields, not attributes.
    fn name_field(&self, violation: &mut Diagnostic, place: &str) {
        let attribute = violation.path.trim_start_matches("olduserdata.");
        if let Some(field) = self.prepared.rules.mapper.source(attribute) {
            violation.help.push_str(&format!(" ({place}.{field})"));
        }
    }

    /// The end of a disable that found no user: a skip, or a failure that says by what it looked.
    pub(in crate::commands) fn is_absent(&self) -> Result<Outcome, Next> {
        match self.policy().disable_absent {
            DisableAbsent::Skip => Ok(self.skipped(SkipReason::Absent)),
            DisableAbsent::Fail => {
                let tried = self.lookup.tried.join(", ");
                self.fails(Cause::Absent, format!("{ABSENT}; looked by {tried}"))
            }
        }
    }

    /// Ends with what the directory must not have answered.
    fn mismatch<T>(&self, message: &str) -> Result<T, Next> {
        self.fails(Cause::Mismatch, format!("mismatch: {message}"))
    }

    /// Ends because the profile has no key at all.
    pub(in crate::commands) fn without_a_key<T>(&self) -> Result<T, Next> {
        let rules = self.prepared.rules;
        let mut fields = Vec::new();
        if rules.policy.profile_id == ProfileId::Aws {
            fields.push("id");
        }
        fields.extend(rules.mapper.source("userName"));
        fields.extend(rules.mapper.source("externalId"));
        let fields = fields.join(", ");
        let message = format!("user-profile needs at least one of: {fields}, also in olduserdata");
        self.fails(Cause::Invalid, message)
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
            lookup: self.lookup_of(&end),
            overtaken: self.overtaken.clone(),
            end,
        })
    }

    /// By what the user was found, and its id, in a command that ends so.
    fn lookup_of(&self, end: &UserEnd) -> Lookup {
        let user = match end {
            UserEnd::Done { user, .. } => Some(user),
            UserEnd::Skipped { .. } | UserEnd::Failed { .. } => self.found,
        };
        Lookup {
            id: user.and_then(User::id).map(|id| id.to_string()),
            ..self.lookup.clone()
        }
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
