//! `iam-disable-user`: makes an active app user inactive.
//!
//! It skips when disabling is switched off, when the user is inactive already, and when no key
//! finds a user (a failure, 404, where the instance's `disable_absent` says so). It refuses a
//! profile without a key, and a user that may be another person's: a leaver is neither missed in
//! silence nor mistaken.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, Operation, Rules,
    person::{OfPerson, Person, PreparedPerson},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Outcome, SkipReason},
    profile::UserProfile,
    scim::{self, Priority},
};

/// The arguments of `iam-disable-user`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DisableUserArguments)]
pub struct Args {
    /// The person.
    #[serde(rename = "user-profile")]
    pub user_profile: UserProfile,
}

impl Operation for Args {
    const NAME: &'static str = "iam-disable-user";
    const ARGUMENTS: &'static [&'static str] = &["user-profile"];
    const PRIORITY: Priority = Priority::Disable;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        OfPerson::boxed(Action::Disable, self, &self.user_profile, rules, decide)
    }
}

fn decide<'a>(_: &'a Args, prepared: &'a PreparedPerson<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Disable, prepared);
    let keys = person.keys()?;
    if !prepared.rules.policy.disable_user_enabled {
        return Ok(person.skipped(SkipReason::Disabled));
    }
    let Some(user) = person.find(&keys, replay)? else {
        return person.is_absent();
    };
    // A directory that does not say whether the user is active is told to disable it.
    if user.active() == Some(false) {
        return Ok(person.skipped(SkipReason::AlreadyDisabled));
    }
    let changes = vec![scim::Operation::replace("active", false)];
    match person.patch(user, changes, &scim::Object::new(), replay)? {
        Some(user) => Ok(person.done(user)),
        // Deleted since it was found.
        None => person.is_absent(),
    }
}

#[cfg(test)]
mod tests;
