//! `iam-create-user`: makes the person's app user, or brings an existing one up to date.
//!
//! The new user is posted first, so that a new person costs one call; only a 409 makes it look. It
//! looks first by what a 409 would not show: the id, the old keys, another form of the userName. A
//! user that is there already is updated, and the answer's action then is `update`. It skips when
//! creating (or, for a user that is there, updating) is switched off. It refuses a profile without
//! a key, one that lacks what the directory requires unless the user is there already, a profile
//! that says `active: false` while the user would be enabled, a user that may be another person's,
//! and an e-mail or employee id that is another user's (409).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, Operation, Rules, Switch,
    person::{OfPerson, Person, PreparedPerson},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Outcome, SkipReason},
    profile::UserProfile,
    scim::Priority,
};

/// The arguments of `iam-create-user`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateUserArguments)]
pub struct Args {
    /// The person.
    #[serde(rename = "user-profile")]
    pub user_profile: UserProfile,
    /// Whether the user is active afterwards.
    #[serde(rename = "allow-enable", default)]
    pub allow_enable: Switch,
}

impl Operation for Args {
    const NAME: &'static str = "iam-create-user";
    const ARGUMENTS: &'static [&'static str] = &["user-profile", "allow-enable"];
    const PRIORITY: Priority = Priority::Create;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        OfPerson::boxed(Action::Create, self, &self.user_profile, rules, decide)
    }
}

fn decide<'a>(args: &'a Args, prepared: &'a PreparedPerson<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Create, prepared);
    let policy = &prepared.rules.policy;
    let allow_enable = args.allow_enable.or(policy.allow_enable_default);
    let keys = person.keys()?;
    if !policy.create_user_enabled {
        return Ok(person.skipped(SkipReason::Disabled));
    }
    person.check_active(allow_enable)?;
    let violations = person.creation_violations();
    // A creation that can't be sent may still be an update; a dry run does not post to find out.
    let found = if !violations.is_empty() || replay.is_dry_run() {
        person.find(&keys, replay)?
    } else {
        person.find_unseen(&keys, replay)?
    };
    match found {
        Some(user) => person.adopt(user, allow_enable, replay),
        None if !violations.is_empty() => person.refuses_creation(&violations),
        None => person.post(&keys, allow_enable, replay),
    }
}

#[cfg(test)]
mod tests;
