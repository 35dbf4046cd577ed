//! `iam-update-user`: changes what differs between the profile and the app user, in one PATCH.
//!
//! The person is looked for by what was true before (`olduserdata`) and then by what is true now, so that a rename finds
//! its person, and finds them again when it is told twice. An inactive user is enabled in the same PATCH when
//! allow-enable and the instance's switch both say so. Nobody there: creates them when the instance creates what is missing, else
//! skips. It skips when updating is switched off, and refuses a profile without any id or user name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Rules, Switch,
    person::{ABSENT, Person},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause, Outcome, SkipReason},
    profile::UserProfile,
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
}

/// What to do next.
pub(super) fn decide<'a>(args: &'a Args, rules: &'a Rules, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let person = Person::new(Action::Update, &args.user_profile, rules);
    let Switch(allow_enable) = args.allow_enable;
    if !rules.policy.update_user_enabled {
        return Ok(person.skipped(SkipReason::Disabled));
    }
    let mut person = person.with_old_data()?;
    match person.find(replay)? {
        Some(user) => person.update(user, allow_enable, replay),
        None if person.has_id()? => person.fails(Cause::Absent, ABSENT),
        None if rules.policy.create_if_not_exists => person.create(allow_enable, replay),
        None => Ok(person.skipped(SkipReason::Absent)),
    }
}
