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
        Box::new(OfPerson {
            arguments: self,
            person: PreparedPerson::new(Action::Disable, &self.user_profile, rules),
            decide,
        })
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
                    (off, Ok(Reply::NoBody)),
                    ("user u-1?", inactive()),
                ],
                "done Disable u-1 inactive",
            ),
            row(
                "done unseen, then gone",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, Ok(Reply::NoBody)),
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
    fn a_conflict_or_a_lost_answer_is_looked_into() {
        let off = "patch u-1: active=false";
        let inactive = || shown(json!({"active": false}));
        let look = |answer, look| {
            vec![
                ("users named test?", found(json!({}))),
                (off, answer),
                ("user u-1?", look),
            ]
        };
        let mut rows = vec![
            row(
                "conflict, and inactive",
                leaver(),
                look(status(409), inactive()),
                "done Disable u-1 inactive",
            ),
            row(
                "conflict, and active: sent once more",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, status(409)),
                    ("user u-1?", shown(json!({}))),
                    (off, inactive()),
                ],
                "done Disable u-1 inactive",
            ),
            row(
                "a second conflict",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, status(409)),
                    ("user u-1?", shown(json!({}))),
                    (off, status(409)),
                ],
                "failed Disable 409: said [u-1]",
            ),
            row(
                "conflict, and gone",
                leaver(),
                look(status(409), absent()),
                "skipped Disable: User does not exist [u-1]",
            ),
            row(
                "conflict, and not known whether active: sent once more",
                leaver(),
                vec![
                    ("users named test?", found(json!({}))),
                    (off, status(409)),
                    ("user u-1?", shown(json!({"active": null}))),
                    (off, inactive()),
                ],
                "done Disable u-1 inactive",
            ),
            row(
                "lost, and not known whether active",
                leaver(),
                look(lost(), shown(json!({"active": null}))),
                "failed Disable 504: said [u-1]",
            ),
            row(
                "lost, and the look is refused",
                leaver(),
                look(status(500), status(401)),
                "failed Disable 500: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
            row(
                "lost, and a wrong URL is nobody's absence",
                leaver(),
                look(lost(), failed(ErrorKind::WrongUrl)),
                "failed Disable 504: whether the user was changed is not known: …",
            ),
        ];
        for kind in LOST {
            rows.extend([
                row(
                    "lost, and inactive",
                    leaver(),
                    look(failed(kind), inactive()),
                    "done Disable u-1 inactive",
                ),
                row(
                    "lost, and gone",
                    leaver(),
                    look(failed(kind), absent()),
                    "skipped Disable: User does not exist [u-1]",
                ),
            ]);
        }
        for (kind, end) in [
            (ErrorKind::Timeout, "failed Disable 504: said [u-1]"),
            (ErrorKind::Broken, "failed Disable 504: said [u-1]"),
            (ErrorKind::Status(500), "failed Disable 500: said [u-1]"),
            (ErrorKind::Unreadable, "failed Disable 502: said [u-1]"),
        ] {
            rows.push(row(
                "lost, and active",
                leaver(),
                look(failed(kind), shown(json!({}))),
                end,
            ));
        }
        hold(rows);
        for (kind, code) in UNDONE {
            let outcome = outcome(&leaver(), &rules(), vec![found(json!({})), failed(kind)]);
            let failure = outcome.failure().expect("nobody was disabled");
            assert_eq!((failure.code(), failure.message.as_str()), (code, "said"), "{kind:?}");
        }
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
                    (off, Ok(Reply::NoBody)),
                    ("user u-1?", shown(json!({}))),
                ],
                mismatch,
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
                "malformed id, the command switched off",
                disable(json!({"id": "u 1"})),
                vec![],
                "failed Disable 400: user-profile.id must be …",
            )
            .with(|policy| policy.disable_user_enabled = false),
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
