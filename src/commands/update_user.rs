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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{commands::Command, decide::Reply, scim::ErrorKind};

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
                update(json!({"username": "new", "olduserdata": "{\"User Name\": \"x\", \"Username\": \"test\"}"})),
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
                vec![("users named test?", found(json!({}))), (rename, status(409))],
                "failed Update 409: said [u-1]",
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
                "failed Create 409: said; no user has this userName, …",
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
            let mut script = patched(Ok(Reply::Unseen));
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
            row(
                "conflict",
                boss(),
                patched(status(409)),
                "failed Update 409: said [u-1]",
            ),
            row("refused", boss(), patched(status(400)), "failed Update 400: said [u-1]"),
            row("failed", boss(), patched(status(500)), "failed Update 500: said [u-1]"),
            row("lost", boss(), patched(lost()), "failed Update 504: said [u-1]"),
            row(
                "unreadable",
                boss(),
                patched(failed(ErrorKind::Unreadable)),
                "failed Update 502: said [u-1]",
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
                unseen(status(500)),
                "failed Update 500: said [u-1]",
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
                "failed Update 400: user-profile.olduserdata must be text, not anything but an object; …",
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
