//! `iam-disable-user`: makes an active app user inactive.
//!
//! It skips when disabling is switched off, when the user is inactive already, and when nobody is there: for a leaver each of
//! these is good. It refuses a profile without an id or a user name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Rules, person::Person};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Outcome, SkipReason},
    profile::UserProfile,
    scim::Operation,
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

/// What to do next.
pub(super) fn decide<'a>(args: &'a Args, rules: &'a Rules, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Disable, &args.user_profile, rules);
    if !rules.policy.disable_user_enabled {
        return Ok(person.skipped(SkipReason::Disabled));
    }
    let Some(user) = person.find(replay)? else {
        return Ok(person.skipped(SkipReason::Absent));
    };
    // A directory that does not say whether the user is active is told to disable it.
    if user.active() == Some(false) {
        return Ok(person.skipped(SkipReason::AlreadyDisabled));
    }
    match person.patch(user, vec![Operation::replace("active", false)], replay)? {
        Some(user) => Ok(person.done(user)),
        // Deleted since it was found.
        None => Ok(person.skipped(SkipReason::Absent)),
    }
}
