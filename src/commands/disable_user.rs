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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{commands::Command, decide::Reply, scim::ErrorKind};

    fn disable(profile: Value) -> Command {
        command("iam-disable-user", json!({"user-profile": profile}))
    }

    fn leaver() -> Command {
        disable(json!({"username": "test"}))
    }

    #[test]
    fn a_leaver_ends_up_inactive() {
        let off = "patch u-1: active=false";
        let inactive = || shown(json!({"active": false}));
        hold(vec![
            row(
                "switch off",
                leaver(),
                vec![],
                "skipped Disable: Command is disabled. [-]",
            )
            .with(|policy| policy.disable_user_enabled = false),
            row(
                "active",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, inactive())],
                "done Disable u-1 inactive",
            ),
            row(
                "active, the other switches off",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, inactive())],
                "done Disable u-1 inactive",
            )
            .with(|policy| {
                policy.create_user_enabled = false;
                policy.update_user_enabled = false;
                policy.enable_user_enabled = false;
                policy.create_if_not_exists = false;
            }),
            row(
                "by id, nothing else of the profile is sent",
                disable(json!({"id": "u-1", "username": "new", "title": "Boss"})),
                vec![("user u-1?", shown(json!({}))), (off, inactive())],
                "done Disable u-1 inactive",
            ),
            row(
                "not known whether active",
                leaver(),
                vec![("users named test?", found(json!({"active": null}))), (off, inactive())],
                "done Disable u-1 inactive",
            ),
            row(
                "inactive",
                leaver(),
                vec![("users named test?", found(json!({"active": false})))],
                "skipped Disable: User is already disabled. [u-1]",
            ),
            row(
                "nobody of the name, and nobody is made",
                leaver(),
                vec![("users named test?", nobody())],
                "skipped Disable: User does not exist [-]",
            ),
            row(
                "nobody of the id",
                disable(json!({"id": "u-1", "username": "test"})),
                vec![("user u-1?", absent())],
                "skipped Disable: User does not exist [-]",
            ),
            row(
                "gone on the way",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, absent())],
                "skipped Disable: User does not exist [u-1]",
            ),
            row(
                "done unseen",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, Ok(Reply::Unseen)),
                    ("user u-1?", inactive()),
                ],
                "done Disable u-1 inactive",
            ),
            row(
                "done unseen, then gone",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, Ok(Reply::Unseen)),
                    ("user u-1?", absent()),
                ],
                "skipped Disable: User does not exist [u-1]",
            ),
            row(
                "dry",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, inactive())],
                "done Disable u-1 inactive",
            )
            .dry(),
        ]);
    }

    #[test]
    fn nobody_is_said_to_be_disabled_who_may_not_be() {
        let off = "patch u-1: active=false";
        let mismatch = "failed Disable 502: mismatch: the directory answered without having made the change [u-1]";
        hold(vec![
            row(
                "the answer shows an active user",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, shown(json!({})))],
                mismatch,
            ),
            row(
                "done unseen, and active afterwards",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, Ok(Reply::Unseen)),
                    ("user u-1?", shown(json!({}))),
                ],
                mismatch,
            ),
            row(
                "the answer is lost",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, lost())],
                "failed Disable 504: said [u-1]",
            ),
            row(
                "refused",
                leaver(),
                vec![("users named test?", found(json!({}))), (off, status(403))],
                "failed Disable 403: said [u-1]",
            ),
            row(
                "a wrong URL, on the way too",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, failed(ErrorKind::WrongUrl)),
                ],
                "failed Disable 404: said [u-1]",
            ),
            row(
                "a wrong URL",
                leaver(),
                vec![("users named test?", failed(ErrorKind::WrongUrl))],
                "failed Disable 404: said [-]",
            ),
            row(
                "two",
                leaver(),
                vec![("users named test?", two())],
                "failed Disable 409: ambiguous: …",
            ),
            row(
                "another name",
                leaver(),
                vec![("users named test?", found(json!({"userName": "toast"})))],
                "failed Disable 502: mismatch: …",
            ),
            row(
                "another id",
                disable(json!({"id": "u-2"})),
                vec![("user u-2?", shown(json!({})))],
                "failed Disable 502: mismatch: …",
            ),
            row(
                "malformed id",
                disable(json!({"id": "u 1"})),
                vec![],
                "failed Disable 400: user-profile.id must be …",
            ),
            row(
                "invisible character",
                disable(json!({"username": "te\u{200d}st"})),
                vec![],
                "failed Disable 400: userName: control and invisible …",
            ),
            row(
                "no key",
                disable(json!({"title": "Boss"})),
                vec![],
                "failed Disable 400: user-profile needs at least one of: id, username [-]",
            ),
        ]);
    }
}
