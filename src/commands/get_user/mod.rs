//! `iam-get-user`: shows the app user, as the directory has it and as a profile.
//!
//! It changes nothing and has no switch. It refuses a profile without a key, and keys that are two
//! users'; a user that is not there is a failure, 404.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, Operation, Rules,
    person::{ABSENT, OfPerson, Person, PreparedPerson},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause, Outcome},
    profile::UserProfile,
    scim::Priority,
};

/// The arguments of `iam-get-user`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GetUserArguments)]
pub struct Args {
    /// The person.
    #[serde(rename = "user-profile")]
    pub user_profile: UserProfile,
}

impl Operation for Args {
    const NAME: &'static str = "iam-get-user";
    const ARGUMENTS: &'static [&'static str] = &["user-profile"];
    const PRIORITY: Priority = Priority::Read;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        OfPerson::boxed(Action::Get, self, &self.user_profile, rules, decide)
    }
}

fn decide<'a>(_: &'a Args, prepared: &'a PreparedPerson<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Get, prepared);
    let keys = person.keys()?;
    match person.find(&keys, replay)? {
        Some(user) => Ok(person.done(user)),
        None => person.fails(Cause::Absent, ABSENT),
    }
}

#[cfg(test)]
mod tests;
