//! `iam-update-user`: changes what differs between the profile and the app user, in one PATCH.
//!
//! The person is looked for by what was true before (`olduserdata`) and then by what is true now,
//! so that a rename finds its person, and finds it again when it is told twice. An inactive user is
//! enabled in the same PATCH when allow-enable and the instance's switch both say so. No user
//! found: creates one when the instance creates what is missing and there is a userName, else
//! skips. It skips when updating is switched off, and refuses a profile without a key, one that
//! says `active: false` while the user would be enabled, and a user that may be another person's.

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

impl Operation for Args {
    const NAME: &'static str = "iam-update-user";
    const ARGUMENTS: &'static [&'static str] = &["user-profile", "allow-enable"];
    const PRIORITY: Priority = Priority::Update;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        Box::new(OfPerson {
            arguments: self,
            person: PreparedPerson::new(Action::Update, &self.user_profile, rules),
            decide,
        })
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
    match person.find(&keys, replay)? {
        Some(user) => person.update(user, allow_enable, replay),
        None if policy.create_if_not_exists => person.create(&keys, allow_enable, replay),
        None => Ok(person.skipped(SkipReason::Absent)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{commands::Command, decide::Reply, outcome::UserEnd, policy::Adopt, scim::ErrorKind};

    fn update(changes: Value) -> Command {
        command("iam-update-user", json!({"user-profile": profile(changes)}))
    }

    fn not_enabling(changes: Value, allow_enable: Value) -> Command {
        command(
            "iam-update-user",
            json!({"user-profile": profile(changes), "allow-enable": allow_enable}),
        )
    }

    fn boss() -> Command {
        update(json!({"title": "Boss"}))
    }

    #[test]
    fn only_what_differs_is_patched() {
        hold(vec![
            row("switch off", boss(), vec![], "skipped Update: Command is disabled. [-]")
                .with(|policy| policy.update_user_enabled = false),
            row(
                "nothing differs",
                update(json!({})),
                vec![("users named test?", found(json!({"title": "Clerk"})))],
                "done Update u-1 active",
            ),
            row(
                "one field",
                boss(),
                vec![
                    ("users named test?", found(json!({"title": "Clerk"}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "an empty field removes nothing",
                update(json!({"title": "", "surname": ""})),
                vec![("users named test?", found(json!({"title": "Clerk"})))],
                "done Update u-1 active",
            ),
            row(
                "part of the name, sent whole",
                update(json!({"givenname": "Tea", "surname": null})),
                vec![
                    ("users named test?", found(json!({}))),
                    (
                        "patch u-1: name={\"givenName\":\"Tea\",\"familyName\":\"St\"}",
                        shown(json!({})),
                    ),
                ],
                "done Update u-1 active",
            ),
            row(
                "an attribute of the enterprise extension",
                update(json!({"department": "D"})),
                vec![
                    ("users named test?", found(json!({}))),
                    ("patch u-1: enterprise:department=\"D\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found in another letter case",
                update(json!({})),
                vec![
                    ("users named test?", found(json!({"userName": "TEST"}))),
                    ("patch u-1: userName=\"test\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
        ]);
    }

    #[test]
    fn an_inactive_user_is_enabled_in_the_same_patch() {
        let inactive = || found(json!({"active": false}));
        hold(vec![
            row(
                "alone",
                update(json!({})),
                vec![
                    ("users named test?", inactive()),
                    ("patch u-1: active=true", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "with a rename",
                update(json!({"username": "new", "olduserdata": {"username": "test"}})),
                vec![
                    ("users named test?", inactive()),
                    (
                        "patch u-1: userName=\"new\" active=true",
                        shown(json!({"userName": "new"})),
                    ),
                ],
                "done Update u-1 active",
            ),
            row(
                "enable switch off",
                boss(),
                vec![
                    ("users named test?", inactive()),
                    ("patch u-1: title=\"Boss\"", shown(json!({"active": false}))),
                ],
                "done Update u-1 inactive",
            )
            .with(|policy| policy.enable_user_enabled = false),
            row(
                "allow-enable false",
                not_enabling(json!({}), json!(false)),
                vec![("users named test?", inactive())],
                "done Update u-1 inactive",
            ),
            row(
                "allow-enable \"false\"",
                not_enabling(json!({}), json!("false")),
                vec![("users named test?", inactive())],
                "done Update u-1 inactive",
            ),
            row(
                "allow-enable null is true",
                not_enabling(json!({}), json!(null)),
                vec![
                    ("users named test?", inactive()),
                    ("patch u-1: active=true", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "not known to be inactive",
                update(json!({})),
                vec![("users named test?", found(json!({"active": null})))],
                "done Update u-1 unknown",
            ),
            row(
                "the answer shows it inactive",
                update(json!({})),
                vec![
                    ("users named test?", inactive()),
                    ("patch u-1: active=true", shown(json!({"active": false}))),
                ],
                "failed Update 502: mismatch: the directory answered without having made the change [u-1]",
            ),
        ]);
    }

    #[test]
    fn old_id_id_old_name_name() {
        let four = || update(json!({"id": "u-1", "username": "new", "olduserdata": {"id": "u-0", "username": "test"}}));
        let names = || update(json!({"username": "new", "olduserdata": {"username": "test"}}));
        let renamed = || shown(json!({"userName": "new"}));
        let rename = "patch u-1: userName=\"new\"";
        hold(vec![
            row(
                "the old id",
                four(),
                vec![("user u-0?", shown(json!({"id": "u-0", "userName": "new"})))],
                "done Update u-0 active",
            ),
            row(
                "nothing under the old id: the id",
                four(),
                vec![
                    ("user u-0?", absent()),
                    ("user u-1?", shown(json!({}))),
                    (rename, renamed()),
                ],
                "done Update u-1 active",
            ),
            row(
                "nothing under either: no name is looked for",
                four(),
                vec![("user u-0?", absent()), ("user u-1?", absent())],
                "failed Update 404: User does not exist [-]",
            ),
            row(
                "the same id, asked once",
                update(json!({"id": "u-1", "olduserdata": {"id": "u-1"}})),
                vec![("user u-1?", shown(json!({})))],
                "done Update u-1 active",
            ),
            row(
                "nothing under the old id, and no id: the old name",
                update(json!({"username": "new", "olduserdata": {"id": "u-0", "username": "test"}})),
                vec![
                    ("user u-0?", absent()),
                    ("users named test?", found(json!({}))),
                    (rename, renamed()),
                ],
                "done Update u-1 active",
            ),
            row(
                "the old name: a rename",
                names(),
                vec![("users named test?", found(json!({}))), (rename, renamed())],
                "done Update u-1 active",
            ),
            row(
                "a rename told twice",
                names(),
                vec![
                    ("users named test?", nobody()),
                    ("users named new?", found(json!({"userName": "new"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "a rename told twice, with something new",
                update(json!({"username": "new", "title": "Boss", "olduserdata": {"username": "test"}})),
                vec![
                    ("users named test?", nobody()),
                    ("users named new?", found(json!({"userName": "new"}))),
                    ("patch u-1: title=\"Boss\"", renamed()),
                ],
                "done Update u-1 active",
            ),
            row(
                "by display names, in a string",
                update(json!({"username": "new", "olduserdata": "{\"User Name\": \"x\"}"})),
                vec![("users named x?", found(json!({"userName": "x"}))), (rename, renamed())],
                "done Update u-1 active",
            ),
            row(
                "the name in another letter case, asked once",
                update(json!({"olduserdata": {"username": "TEST"}})),
                vec![("users named test?", found(json!({})))],
                "done Update u-1 active",
            ),
            row(
                "the old name alone",
                update(json!({"username": null, "olduserdata": {"username": "test"}})),
                vec![("users named test?", found(json!({})))],
                "done Update u-1 active",
            ),
            row(
                "neither old nor new: made",
                names(),
                vec![
                    ("users named test?", nobody()),
                    ("users named new?", nobody()),
                    ("create new active", renamed()),
                ],
                "done Create u-1 active",
            ),
            row(
                "the id, under another name",
                update(json!({"id": "u-1", "username": "new"})),
                vec![("user u-1?", shown(json!({}))), (rename, renamed())],
                "done Update u-1 active",
            ),
            row(
                "the rename is not shown",
                names(),
                vec![("users named test?", found(json!({}))), (rename, shown(json!({})))],
                "failed Update 502: mismatch: the directory answered without having made the change [u-1]",
            ),
            row(
                "the new name is somebody else's",
                names(),
                vec![
                    ("users named test?", found(json!({}))),
                    (rename, status(409)),
                    ("user u-1?", shown(json!({}))),
                    (rename, status(409)),
                ],
                "failed Update 409: said [u-1]",
            ),
            row(
                "the rename's answer is lost",
                names(),
                vec![
                    ("users named test?", found(json!({}))),
                    (rename, lost()),
                    ("user u-1?", renamed()),
                ],
                "done Update u-1 active",
            ),
            row(
                "the old id fails",
                four(),
                vec![("user u-0?", status(500))],
                "failed Update 500: said [-]",
            ),
        ]);
    }

    #[test]
    fn who_must_not_be_taken() {
        hold(vec![
            row(
                "two of the name",
                boss(),
                vec![("users named test?", two())],
                "failed Update 409: ambiguous: more than one user has this userName [-]",
            ),
            row(
                "another name",
                boss(),
                vec![("users named test?", found(json!({"userName": "toast"})))],
                "failed Update 502: mismatch: the directory answered with a user of another userName [-]",
            ),
            row(
                "another name under the old one",
                update(json!({"olduserdata": {"username": "old"}})),
                vec![("users named old?", found(json!({})))],
                "failed Update 502: mismatch: the directory answered with a user of another userName [-]",
            ),
            row(
                "another id",
                update(json!({"id": "u-2"})),
                vec![("user u-2?", shown(json!({})))],
                "failed Update 502: mismatch: the directory answered with a user of another id [-]",
            ),
            row(
                "a letter that only looks the same",
                update(json!({"username": "t\u{435}st"})),
                vec![("users named t\u{435}st?", found(json!({})))],
                "failed Update 502: mismatch: …",
            ),
        ]);
    }

    #[test]
    fn nobody_is_made_or_skipped() {
        hold(vec![
            row(
                "creating what is missing",
                boss(),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", shown(json!({}))),
                ],
                "done Create u-1 active",
            ),
            row(
                "creating what is missing, inactive",
                not_enabling(json!({}), json!("false")),
                vec![
                    ("users named test?", nobody()),
                    ("create test inactive", shown(json!({"active": false}))),
                ],
                "done Create u-1 inactive",
            ),
            row(
                "not creating what is missing",
                boss(),
                vec![("users named test?", nobody())],
                "skipped Update: User does not exist [-]",
            )
            .with(|policy| policy.create_if_not_exists = false),
            row(
                "create switch off",
                boss(),
                vec![("users named test?", nobody())],
                "skipped Create: Command is disabled. [-]",
            )
            .with(|policy| policy.create_user_enabled = false),
            row(
                "partial",
                update(json!({"displayname": null})),
                vec![("users named test?", nobody())],
                "failed Create 400: displayName: a new user needs it; give it a value (user-profile.displayname) [-]",
            ),
            row(
                "without a name of its own",
                update(json!({"username": null, "olduserdata": {"username": "test"}})),
                vec![("users named test?", nobody())],
                "failed Create 400: userName: a new user needs it; …",
            ),
            row(
                "there meanwhile: updated, and never made again",
                boss(),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", absent()),
                ],
                "failed Update 404: User does not exist [u-1]",
            ),
            row(
                "the e-mail is somebody else's",
                boss(),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                ],
                "failed Create 409: said; nobody has this userName, so what clashes is another user's, most likely the e-mail [-]",
            ),
            row(
                "there meanwhile, and another person's: made by a create, so not taken over",
                update(json!({"employeeid": "E7"})),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"externalId": "E8"}))),
                ],
                "failed Create 409: the userName belongs to another person: …",
            ),
            row(
                "the creation's answer is lost",
                boss(),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", lost()),
                    ("users named test?", found(json!({"title": "Boss"}))),
                ],
                "done Create u-1 active",
            ),
            row(
                "an id that is not known is never made",
                update(json!({"id": "u-1"})),
                vec![("user u-1?", absent())],
                "failed Update 404: User does not exist [-]",
            ),
            row(
                "a wrong URL is nobody's absence",
                boss(),
                vec![("users named test?", failed(ErrorKind::WrongUrl))],
                "failed Update 404: said [-]",
            ),
        ]);
    }

    #[test]
    fn what_became_of_the_patch() {
        let patched = |answer| {
            vec![
                ("users named test?", found(json!({}))),
                ("patch u-1: title=\"Boss\"", answer),
            ]
        };
        let unseen = |then| {
            let mut script = patched(Ok(Reply::NoBody));
            script.push(("user u-1?", then));
            script
        };
        hold(vec![
            row(
                "gone",
                boss(),
                patched(absent()),
                "failed Update 404: User does not exist [u-1]",
            ),
            row("refused", boss(), patched(status(400)), "failed Update 400: said [u-1]"),
            row(
                "no right",
                boss(),
                patched(status(403)),
                "failed Update 403: said [u-1]",
            ),
            row(
                "of somebody else",
                boss(),
                patched(shown(json!({"id": "u-2"}))),
                "failed Update 502: mismatch: …",
            ),
            row(
                "unseen: read",
                boss(),
                unseen(shown(json!({"title": "Boss"}))),
                "done Update u-1 active",
            ),
            row(
                "unseen, then gone",
                boss(),
                unseen(absent()),
                "failed Update 404: User does not exist [u-1]",
            ),
            row(
                "unseen, then failed",
                boss(),
                unseen(status(403)),
                "failed Update 403: said [u-1]",
            ),
            row(
                "unseen, then lost: read once more",
                boss(),
                vec![
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", Ok(Reply::NoBody)),
                    ("user u-1?", status(500)),
                    ("user u-1?", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "unseen, then somebody else",
                boss(),
                unseen(shown(json!({"id": "u-2"}))),
                "failed Update 502: mismatch: …",
            ),
        ]);
    }

    #[test]
    fn what_was_not_sent_was_not_done() {
        for (kind, code) in UNDONE {
            let UserEnd::Failed { failure, details } =
                user_end(outcome(&boss(), &rules(), vec![found(json!({})), failed(kind)]))
            else {
                panic!("{kind:?}: nothing was done")
            };
            assert_eq!((failure.code(), failure.message.as_str()), (code, "said"), "{kind:?}");
            assert_eq!(details["id"], "u-1", "{kind:?}");
        }
    }

    #[test]
    fn a_conflict_is_read_again_and_sent_once_more() {
        let both = || update(json!({"title": "Boss", "department": "D"}));
        let patch = "patch u-1: title=\"Boss\" enterprise:department=\"D\"";
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let conflict = |look| {
            vec![
                ("users named test?", found(json!({}))),
                (patch, status(409)),
                ("user u-1?", look),
            ]
        };
        let again = |question, answer| {
            let mut script = conflict(shown(json!({"title": "Boss"})));
            script.push((question, answer));
            script
        };
        let rest = "patch u-1: enterprise:department=\"D\"";
        let whole = || shown(json!({"title": "Boss", (extension): {"department": "D"}}));
        hold(vec![
            row(
                "nothing is left to change",
                both(),
                conflict(whole()),
                "done Update u-1 active",
            ),
            row(
                "what is left to change is sent",
                both(),
                again(rest, whole()),
                "done Update u-1 active",
            ),
            row(
                "all is left to change",
                both(),
                vec![
                    ("users named test?", found(json!({}))),
                    (patch, status(409)),
                    ("user u-1?", shown(json!({}))),
                    (patch, whole()),
                ],
                "done Update u-1 active",
            ),
            row(
                "a second conflict",
                both(),
                again(rest, status(409)),
                "failed Update 409: said [u-1]",
            ),
            row(
                "then refused",
                both(),
                again(rest, status(400)),
                "failed Update 400: said [u-1]",
            ),
            row(
                "then not sent",
                both(),
                again(rest, failed(ErrorKind::CircuitOpen)),
                "failed Update 503: said [u-1]",
            ),
            row(
                "then gone",
                both(),
                again(rest, absent()),
                "failed Update 404: User does not exist [u-1]",
            ),
            row(
                "gone by the look",
                both(),
                conflict(absent()),
                "failed Update 404: User does not exist [u-1]",
            ),
            row(
                "the look fails",
                both(),
                conflict(status(500)),
                "failed Update 409: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
            row(
                "then lost, and made",
                both(),
                vec![
                    ("users named test?", found(json!({}))),
                    (patch, status(409)),
                    ("user u-1?", shown(json!({"title": "Boss"}))),
                    (rest, lost()),
                    ("user u-1?", whole()),
                ],
                "done Update u-1 active",
            ),
            row(
                "then lost, and not made: a third is not sent",
                both(),
                vec![
                    ("users named test?", found(json!({}))),
                    (patch, status(409)),
                    ("user u-1?", shown(json!({"title": "Boss"}))),
                    (rest, lost()),
                    ("user u-1?", shown(json!({"title": "Boss"}))),
                ],
                "failed Update 504: said [u-1]",
            ),
            row(
                "enabling goes along",
                boss(),
                vec![
                    ("users named test?", found(json!({"active": false}))),
                    ("patch u-1: title=\"Boss\" active=true", status(409)),
                    ("user u-1?", shown(json!({"active": false, "title": "Boss"}))),
                    ("patch u-1: active=true", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
        ]);
    }

    #[test]
    fn after_a_lost_answer_the_user_is_read() {
        let script = |kind, look| {
            vec![
                ("users named test?", found(json!({}))),
                ("patch u-1: title=\"Boss\"", failed(kind)),
                ("user u-1?", look),
            ]
        };
        for (kind, not_made, not_known) in [
            (
                ErrorKind::Timeout,
                "failed Update 504: said [u-1]",
                "failed Update 504: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
            (
                ErrorKind::Broken,
                "failed Update 504: said [u-1]",
                "failed Update 504: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
            (
                ErrorKind::Status(500),
                "failed Update 500: said [u-1]",
                "failed Update 500: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
            (
                ErrorKind::Unreadable,
                "failed Update 502: said [u-1]",
                "failed Update 502: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
        ] {
            hold(vec![
                row(
                    "made",
                    boss(),
                    script(kind, shown(json!({"title": "Boss"}))),
                    "done Update u-1 active",
                ),
                row("not made", boss(), script(kind, shown(json!({}))), not_made),
                row(
                    "the look shows somebody else",
                    boss(),
                    script(kind, shown(json!({"id": "u-2", "title": "Boss"}))),
                    "failed Update 502: mismatch: the directory answered with a user of another id [u-1]",
                ),
                row(
                    "gone",
                    boss(),
                    script(kind, absent()),
                    "failed Update 404: User does not exist [u-1]",
                ),
                row("the look is lost too", boss(), script(kind, lost()), not_known),
                row(
                    "no look is sent",
                    boss(),
                    script(kind, failed(ErrorKind::CircuitOpen)),
                    not_known,
                ),
                row(
                    "no time to look",
                    boss(),
                    script(kind, failed(ErrorKind::Expired)),
                    "failed Update 504: whether the user was changed is not known: said; looking failed too: said [u-1]",
                ),
            ]);
        }
    }

    #[test]
    fn adopting_is_no_matter_of_an_update() {
        let person = || update(json!({"employeeid": "E7", "olduserdata": {"username": "old"}}));
        let script = || {
            vec![
                ("users named old?", nobody()),
                ("users named test?", found(json!({"externalId": "E8"}))),
                ("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"}))),
            ]
        };
        hold(vec![
            row("another's by default", person(), script(), "done Update u-1 active"),
            row("never", person(), script(), "done Update u-1 active").with(|policy| policy.adopt = Adopt::Never),
            row("always", person(), script(), "done Update u-1 active").with(|policy| policy.adopt = Adopt::Always),
        ]);
    }

    #[test]
    fn only_what_is_changed_has_to_please() {
        hold(vec![
            row(
                "stored before the rule",
                update(json!({"employeeid": "1 2", "title": "Boss"})),
                vec![
                    ("users named test?", found(json!({"externalId": "1 2"}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "a new value breaks the rule",
                update(json!({"employeeid": "1 2"})),
                vec![("users named test?", found(json!({})))],
                "failed Update 400: externalId: white space can't stand in it; take it out [u-1]",
            ),
            row(
                "a new value, to another directory",
                update(json!({"employeeid": "1 2"})),
                vec![
                    ("users named test?", found(json!({}))),
                    ("patch u-1: externalId=\"1 2\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            )
            .rfc(),
            row(
                "not text",
                update(json!({"title": 7})),
                vec![("users named test?", found(json!({})))],
                "failed Update 400: user-profile.title: must be text, not a number; send it in quotes [u-1]",
            ),
        ]);
    }

    #[test]
    fn nothing_is_asked_for_what_nobody_can_be() {
        hold(vec![
            row(
                "malformed id",
                update(json!({"id": "a/b"})),
                vec![],
                "failed Update 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]",
            ),
            row(
                "malformed id, the command switched off",
                update(json!({"id": "a/b"})),
                vec![],
                "failed Update 400: user-profile.id must be …",
            )
            .with(|policy| policy.update_user_enabled = false),
            row(
                "malformed old id, the command switched off",
                update(json!({"olduserdata": {"id": ".."}})),
                vec![],
                "failed Update 400: user-profile.olduserdata.id must be …",
            )
            .with(|policy| policy.update_user_enabled = false),
            row(
                "malformed old id",
                update(json!({"olduserdata": {"id": ".."}})),
                vec![],
                "failed Update 400: user-profile.olduserdata.id must be 1 to 64 letters, digits, `_` or `-` [-]",
            ),
            row(
                "old id not text",
                update(json!({"olduserdata": {"id": 7}})),
                vec![],
                "failed Update 400: user-profile.olduserdata.id must be text, not a number; send it in quotes [-]",
            ),
            row(
                "old name not text",
                update(json!({"olduserdata": {"username": ["test"]}})),
                vec![],
                "failed Update 400: user-profile.olduserdata.username: must be text, not a list; send it in quotes [-]",
            ),
            row(
                "invisible character in the old name",
                update(json!({"olduserdata": {"username": "te\u{feff}st"}})),
                vec![],
                "failed Update 400: olduserdata.userName: control and invisible characters …",
            ),
            row(
                "invisible character in the name",
                update(json!({"username": "te\u{202e}st"})),
                vec![],
                "failed Update 400: userName: control and invisible characters …",
            ),
            row(
                "old data is no document",
                update(json!({"olduserdata": [1]})),
                vec![],
                "failed Update 400: user-profile.olduserdata must be an object, or a string that holds one …",
            ),
            row(
                "no key",
                update(json!({"username": null, "olduserdata": {"title": "Boss"}})),
                vec![],
                "failed Update 400: user-profile needs at least one of: id, username, also in olduserdata [-]",
            ),
        ]);
    }

    #[test]
    fn a_dry_run_goes_the_same_way() {
        hold(vec![
            row(
                "found",
                boss(),
                vec![
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            )
            .dry(),
            row(
                "nobody",
                boss(),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", shown(json!({}))),
                ],
                "done Create u-1 active",
            )
            .dry(),
        ]);
    }
}
