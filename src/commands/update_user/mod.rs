//! `iam-update-user`: changes what differs between the profile and the app user, in one PATCH.
//!
//! The person is looked for by what was true before (`olduserdata`) and then by what is true now,
//! so that a rename finds its person, and finds it again when it is told twice. An inactive user is
//! enabled in the same PATCH when allow-enable and the instance's switch both say so. What `clear`
//! names is taken out of the user in it: an empty field of a profile fills nothing, and so removes
//! nothing.
//!
//! ```json
//! {
//!   "user-profile": {"username": "jane", "title": "Lead", "olduserdata": {"username": "roe"}},
//!   "allow-enable": false,
//!   "clear": ["mobilephone"]
//! }
//! ```
//!
//! Without `"allow-enable": false` a message about a new title that comes late would enable a
//! person who has left in the meantime.
//!
//! No user found: creates one when the instance creates what is missing and there is a userName,
//! else skips. It skips when updating is switched off, and refuses a profile without a key, one
//! that says `active: false` while the user would be enabled, a field that can't be cleared or is
//! filled at once, and a user that may be another person's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, FieldNames, Operation, Rules, Switch,
    person::{OfPerson, Person, PreparedPerson},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Outcome, SkipReason},
    profile::UserProfile,
    scim::Priority,
};

/// The arguments of `iam-update-user`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateUserArguments)]
pub struct Args {
    /// The person; under `olduserdata`, what was true before the change.
    #[serde(rename = "user-profile")]
    pub user_profile: UserProfile,
    /// Whether an inactive user is enabled.
    #[serde(rename = "allow-enable", default)]
    pub allow_enable: Switch,
    /// Fields whose attributes are taken out of the user: an empty field of the profile changes
    /// nothing. Each must alone fill one attribute, or part of one, that a user need not have.
    #[serde(default)]
    pub clear: FieldNames,
    /// What becomes of a person that is not found, where events have said more of it than a
    /// caller can.
    #[serde(skip)]
    #[schema(ignore)]
    pub absent: Absent,
}

/// What becomes of a person that is not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Absent {
    /// A user is created, active where `allow_enable` says so.
    #[default]
    Created,
    /// An active user is created, since the person is hired.
    CreatedActive,
    /// No user is created, since the person is not hired any more.
    Skipped,
}

impl Operation for Args {
    const NAME: &'static str = "iam-update-user";
    const ARGUMENTS: &'static [&'static str] = &["user-profile", "allow-enable", "clear"];
    const PRIORITY: Priority = Priority::Update;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        OfPerson::boxed(Action::Update, self, &self.user_profile, rules, decide)
    }
}

fn decide<'a>(args: &'a Args, prepared: &'a PreparedPerson<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Update, prepared);
    let policy = &prepared.rules.policy;
    let allow_enable = args.allow_enable.or(policy.allow_enable_default);
    let keys = person.keys()?;
    if !policy.update_user_enabled {
        return Ok(person.skipped(SkipReason::Disabled));
    }
    person.check_active(allow_enable)?;
    person.clear(&args.clear.0)?;
    match person.find(&keys, replay)? {
        Some(user) => person.update(user, allow_enable, replay),
        None if policy.create_if_not_exists && args.absent != Absent::Skipped => {
            person.create(&keys, allow_enable || args.absent == Absent::CreatedActive, replay)
        }
        None => Ok(person.skipped(SkipReason::Absent)),
    }
}

#[cfg(test)]
mod tests;
