//! `iam-get-user`: shows the app user, as the directory has it and as a profile.
//!
//! It changes nothing and has no switch. It refuses a profile without an id or a user name; nobody there is a failure, 404.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Rules,
    person::{ABSENT, Person},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause, Outcome},
    profile::UserProfile,
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

/// What to do next.
pub(super) fn decide<'a>(args: &'a Args, rules: &'a Rules, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Get, &args.user_profile, rules);
    match person.find(replay)? {
        Some(user) => Ok(person.done(user)),
        None => person.fails(Cause::Absent, ABSENT),
    }
}
