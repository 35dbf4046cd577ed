//! `iam-create-user`: makes the person's app user, or brings an existing one up to date.
//!
//! The new user is posted first, so that a new person costs one call; only a 409 makes it look. Somebody who is there
//! already is updated, and the answer's action then is `update`. It skips when creating (or, for somebody who is there,
//! updating) is switched off. It refuses a profile without an id or a user name, one that lacks what the directory requires unless the
//! person is there already, an id that the directory doesn't know (404), and a person whose e-mail or employee id is
//! somebody else's (409).

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

/// What to do next.
pub(super) fn decide<'a>(args: &'a Args, rules: &'a Rules, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let mut person = Person::new(Action::Create, &args.user_profile, rules);
    let Switch(allow_enable) = args.allow_enable;
    if !rules.policy.create_user_enabled {
        return Ok(person.skipped(SkipReason::Disabled));
    }
    let has_id = person.has_id()?;
    let violations = person.creation_violations();
    // A creation that can't be sent may still be an update of somebody; a dry run does not post to find out.
    if has_id || !violations.is_empty() || replay.is_dry_run() {
        if let Some(user) = person.find(replay)? {
            // By its own id, it is the same person.
            let by_name = !has_id;
            return if by_name {
                person.adopt(user, allow_enable, replay)
            } else {
                person.update(user, allow_enable, replay)
            };
        }
        if has_id {
            return person.fails(Cause::Absent, ABSENT);
        }
        if !violations.is_empty() {
            return person.invalid(&violations);
        }
    }
    person.post(allow_enable, replay)
}
