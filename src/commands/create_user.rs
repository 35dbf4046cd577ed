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
        Box::new(OfPerson {
            arguments: self,
            person: PreparedPerson::new(Action::Create, &self.user_profile, rules),
            decide,
        })
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
        None if !violations.is_empty() => person.invalid(&violations),
        None => person.post(&keys, allow_enable, replay),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{
        commands::Command,
        decide::{Next, Step},
        policy::{Adopt, Policy},
        scim::ErrorKind,
    };

    fn create(changes: Value) -> Command {
        command("iam-create-user", json!({"user-profile": profile(changes)}))
    }

    /// A new person with an employee id.
    fn numbered() -> Command {
        create(json!({"employeeid": "E7"}))
    }

    const EMAIL_TAKEN: &str = "failed Create 409: said; nobody has this userName, so what clashes is another user's, most likely the e-mail [-]";

    fn disabled(changes: Value, allow_enable: Value) -> Command {
        command(
            "iam-create-user",
            json!({"user-profile": profile(changes), "allow-enable": allow_enable}),
        )
    }

    #[test]
    fn a_new_person_costs_one_post() {
        hold(vec![
            row(
                "switch off",
                create(json!({})),
                vec![],
                "skipped Create: Command is disabled. [-]",
            )
            .with(|policy| policy.create_user_enabled = false),
            row(
                "new",
                create(json!({})),
                vec![("create test active", shown(json!({})))],
                "done Create u-1 active",
            ),
            row(
                "update switch off",
                create(json!({})),
                vec![("create test active", shown(json!({})))],
                "done Create u-1 active",
            )
            .with(|policy| policy.update_user_enabled = false),
            row(
                "allow-enable false",
                disabled(json!({}), json!(false)),
                vec![("create test inactive", shown(json!({"active": false})))],
                "done Create u-1 inactive",
            ),
            row(
                "allow-enable \"false\"",
                disabled(json!({}), json!("false")),
                vec![("create test inactive", shown(json!({"active": false})))],
                "done Create u-1 inactive",
            ),
            row(
                "answer without active",
                create(json!({})),
                vec![("create test active", shown(json!({"active": null})))],
                "done Create u-1 unknown",
            ),
            row(
                "answer in another letter case",
                create(json!({})),
                vec![("create test active", shown(json!({"userName": "TEST"})))],
                "done Create u-1 active",
            ),
            row(
                "answer with another name",
                create(json!({})),
                vec![("create test active", shown(json!({"userName": "toast"})))],
                "failed Create 502: mismatch: …",
            ),
            row(
                "answer inactive",
                create(json!({})),
                vec![("create test active", shown(json!({"active": false})))],
                "failed Create 502: mismatch: …",
            ),
        ]);
    }

    #[test]
    fn the_body_has_what_the_profile_has() {
        let command = create(json!({"givenname": "Té", "title": "", "mobilephone": null, "department": "D"}));
        let Next::Write(Step::CreateUser(body)) = first(&command) else {
            panic!("a creation comes first")
        };
        let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(
            Value::from(body),
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", extension],
                "userName": "test", "displayName": "Te St", "name": {"givenName": "Té", "familyName": "St"},
                "emails": [{"value": "test@example.com", "type": "work", "primary": true}],
                extension: {"department": "D"}, "active": true,
            })
        );
    }

    #[test]
    fn somebody_who_is_there_is_updated() {
        let boss = || create(json!({"title": "Boss"}));
        hold(vec![
            row(
                "found, differs",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found in another letter case",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"userName": "Test", "title": "Boss"}))),
                    ("patch u-1: userName=\"test\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found, nothing differs",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found, update switch off",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                ],
                "skipped Update: Command is disabled. [u-1]",
            )
            .with(|policy| policy.update_user_enabled = false),
            row(
                "found inactive",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"active": false}))),
                    ("patch u-1: title=\"Boss\" active=true", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found inactive, enable switch off",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"active": false}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"active": false}))),
                ],
                "done Update u-1 inactive",
            )
            .with(|policy| policy.enable_user_enabled = false),
            row(
                "found inactive, allow-enable false",
                disabled(json!({}), json!(false)),
                vec![
                    ("create test inactive", status(409)),
                    ("users named test?", found(json!({"active": false}))),
                ],
                "done Update u-1 inactive",
            ),
            row(
                "found active, allow-enable false does not disable",
                disabled(json!({}), json!(false)),
                vec![
                    ("create test inactive", status(409)),
                    ("users named test?", found(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "gone before the PATCH: never created again",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", absent()),
                ],
                "failed Update 404: User does not exist [u-1]",
            ),
            row(
                "the PATCH conflicts twice: never created again",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", status(409)),
                    ("user u-1?", shown(json!({}))),
                    ("patch u-1: title=\"Boss\"", status(409)),
                ],
                "failed Update 409: said [u-1]",
            ),
            row(
                "the PATCH's answer is lost, and it is made",
                boss(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", lost()),
                    ("user u-1?", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
        ]);
    }

    #[test]
    fn a_conflict_is_looked_into() {
        hold(vec![
            row(
                "nobody has the name",
                create(json!({})),
                vec![("create test active", status(409)), ("users named test?", nobody())],
                EMAIL_TAKEN,
            ),
            row(
                "somebody has the employee id",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                    (
                        "users of employee E7?",
                        found(json!({"id": "u-7", "userName": "other", "externalId": "E7"})),
                    ),
                ],
                "failed Create 409: said; the externalId (employee id) is taken by user u-7 (userName other) [-]",
            ),
            row(
                "two have the employee id",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                    ("users of employee E7?", two()),
                ],
                "failed Create 409: said; the externalId (employee id) is taken by user u-1 (userName test) and user u-2 (userName test) [-]",
            ),
            row(
                "nobody has the employee id",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                    ("users of employee E7?", nobody()),
                ],
                "failed Create 409: said; nobody has this userName or employee id, so what clashes is another user's, most likely the e-mail [-]",
            ),
            row(
                "looking for the employee id fails: the conflict stays",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                    ("users of employee E7?", status(500)),
                ],
                "failed Create 409: said; looking for whom it clashes with failed: said [-]",
            ),
            row(
                "found, so that the employee id is not looked for",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"externalId": "E7"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "two have it",
                create(json!({})),
                vec![("create test active", status(409)), ("users named test?", two())],
                "failed Create 409: ambiguous: …",
            ),
            row(
                "another name answers to it",
                create(json!({})),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"userName": "toast"}))),
                ],
                "failed Create 502: mismatch: …",
            ),
            row(
                "the look fails",
                create(json!({})),
                vec![("create test active", status(409)), ("users named test?", status(500))],
                "failed Create 500: said [-]",
            ),
            row(
                "the look finds another URL",
                create(json!({})),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", failed(ErrorKind::WrongUrl)),
                ],
                "failed Create 404: said [-]",
            ),
        ]);
    }

    #[test]
    fn an_id_is_looked_for_first() {
        let known = || create(json!({"id": "u-1", "title": "Boss"}));
        hold(vec![
            row(
                "found",
                known(),
                vec![
                    ("user u-1?", shown(json!({}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found under another name: renamed",
                create(json!({"id": "u-1"})),
                vec![
                    ("user u-1?", shown(json!({"userName": "old"}))),
                    ("patch u-1: userName=\"test\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "absent: no name is looked for, nobody is made",
                known(),
                vec![("user u-1?", absent())],
                "failed Create 404: User does not exist [-]",
            ),
            row(
                "another id",
                known(),
                vec![("user u-1?", shown(json!({"id": "u-2"})))],
                "failed Create 502: mismatch: …",
            ),
            row(
                "a wrong URL",
                known(),
                vec![("user u-1?", failed(ErrorKind::WrongUrl))],
                "failed Create 404: said [-]",
            ),
            row(
                "malformed",
                create(json!({"id": "../Groups/g"})),
                vec![],
                "failed Create 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]",
            ),
            row(
                "malformed, the command switched off",
                create(json!({"id": "../Groups/g"})),
                vec![],
                "failed Create 400: user-profile.id must be …",
            )
            .with(|policy| policy.create_user_enabled = false),
            row(
                "not text",
                create(json!({"id": 7})),
                vec![],
                "failed Create 400: user-profile.id must be text, not a number; send it in quotes [-]",
            ),
            row(
                "empty: none",
                create(json!({"id": ""})),
                vec![("create test active", shown(json!({})))],
                "done Create u-1 active",
            ),
        ]);
    }

    #[test]
    fn what_cannot_be_created_may_still_be_updated() {
        let partial = || create(json!({"surname": null, "title": "Boss"}));
        let untextual = || create(json!({"title": 7}));
        hold(vec![
            row(
                "partial, found",
                partial(),
                vec![
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "partial, nobody",
                partial(),
                vec![("users named test?", nobody())],
                "failed Create 400: name.familyName: a new user needs it; give it a value (user-profile.surname) [-]",
            ),
            row(
                "partial, two",
                partial(),
                vec![("users named test?", two())],
                "failed Create 409: ambiguous: …",
            ),
            row(
                "partial, another name",
                partial(),
                vec![("users named test?", found(json!({"userName": "toast"})))],
                "failed Create 502: mismatch: …",
            ),
            row(
                "partial, for a directory that asks for a name only",
                partial(),
                vec![("create test active", shown(json!({})))],
                "done Create u-1 active",
            )
            .rfc(),
            row(
                "white space in the name",
                create(json!({"username": "te st"})),
                vec![("users named te st?", nobody())],
                "failed Create 400: userName: white space can't stand in it; take it out (user-profile.username) [-]",
            ),
            row(
                "not text, nobody",
                untextual(),
                vec![("users named test?", nobody())],
                "failed Create 400: user-profile.title: must be text, not a number; send it in quotes [-]",
            ),
            row(
                "not text, found",
                untextual(),
                vec![("users named test?", found(json!({})))],
                "failed Update 400: user-profile.title: must be text, not a number; send it in quotes [u-1]",
            ),
        ]);
    }

    #[test]
    fn nothing_is_asked_for_what_nobody_can_be() {
        let hidden =
            "failed Create 400: userName: control and invisible characters can't stand in it; take them out [-]";
        hold(vec![
            row(
                "invisible character",
                create(json!({"username": "te\u{200b}st"})),
                vec![],
                hidden,
            ),
            row(
                "control character",
                create(json!({"username": "te\u{0}st"})),
                vec![],
                hidden,
            ),
            row(
                "invisible, to another directory",
                create(json!({"username": "te\u{200b}st"})),
                vec![],
                hidden,
            )
            .rfc(),
            row(
                "a name that is not text",
                create(json!({"username": 7})),
                vec![],
                "failed Create 400: user-profile.username: must be text, not a number; send it in quotes [-]",
            ),
            row(
                "no key",
                create(json!({"username": null})),
                vec![],
                "failed Create 400: user-profile needs at least one of: id, username [-]",
            ),
            row(
                "empty key",
                create(json!({"username": ""})),
                vec![],
                "failed Create 400: user-profile needs at least one of: id, username [-]",
            ),
        ]);
    }

    #[test]
    fn a_lost_answer_is_looked_for() {
        let mut rows = Vec::new();
        for kind in LOST {
            rows.extend([
                row(
                    "done after all",
                    create(json!({})),
                    vec![
                        ("create test active", failed(kind)),
                        ("users named test?", found(json!({}))),
                    ],
                    "done Create u-1 active",
                ),
                row(
                    "not done: sent again",
                    create(json!({})),
                    vec![
                        ("create test active", failed(kind)),
                        ("users named test?", nobody()),
                        ("create test active", shown(json!({}))),
                    ],
                    "done Create u-1 active",
                ),
                row(
                    "somebody else's: updated",
                    create(json!({})),
                    vec![
                        ("create test active", failed(kind)),
                        ("users named test?", found(json!({"displayName": "Other"}))),
                        ("patch u-1: displayName=\"Te St\"", shown(json!({}))),
                    ],
                    "done Update u-1 active",
                ),
            ]);
        }
        rows.extend([
            row(
                "lost three times",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(500)),
                    ("users named test?", nobody()),
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                ],
                "failed Create 504: said [-]",
            ),
            row(
                "done at the third time",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", lost()),
                    ("users named test?", found(json!({}))),
                ],
                "done Create u-1 active",
            ),
            row(
                "made inactive, found active",
                disabled(json!({}), json!(false)),
                vec![
                    ("create test inactive", lost()),
                    ("users named test?", found(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "the look fails too",
                create(json!({})),
                vec![("create test active", lost()), ("users named test?", status(500))],
                "failed Create 504: whether the user was created is not known: said; looking failed too: said [-]",
            ),
            row(
                "two answer to it",
                create(json!({})),
                vec![("create test active", lost()), ("users named test?", two())],
                "failed Create 409: ambiguous: …",
            ),
            row(
                "sent again, a conflict with what was sent before",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", found(json!({}))),
                ],
                "done Create u-1 active",
            ),
            row(
                "sent again, a conflict with somebody else",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"displayName": "Other"}))),
                    ("patch u-1: displayName=\"Te St\"", shown(json!({}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "sent again, a conflict with nobody of this name",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                ],
                EMAIL_TAKEN,
            ),
            row(
                "sent again, a conflict with somebody of the same employee id",
                numbered(),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", nobody()),
                    (
                        "users of employee E7?",
                        found(json!({"userName": "other", "externalId": "E7"})),
                    ),
                ],
                "failed Create 409: said; the externalId (employee id) is taken by user u-1 (userName other) [-]",
            ),
            row(
                "sent again, a conflict, and the look fails: the lost one counts",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", status(403)),
                ],
                "failed Create 504: whether the user was created is not known: said; looking failed too: said [-]",
            ),
            row(
                "sent again, and refused",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(403)),
                ],
                "failed Create 403: said [-]",
            ),
            row(
                "another name answers to it",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", found(json!({"userName": "toast"}))),
                ],
                "failed Create 502: mismatch: …",
            ),
        ]);
        hold(rows);
    }

    #[test]
    fn whom_a_create_takes_over() {
        const ANOTHERS: &str = "failed Create 409: the userName belongs to another person: the directory's user has another externalId (employee id) [u-1]";
        const NEVER: &str = "failed Create 409: a user of this userName exists, and `adopt` is set to never [u-1]";
        const DONE: &str = "done Update u-1 active";
        const CHANGED: &str = "patch u-1: externalId=\"E7\"";
        // The employee id of the profile and of the user; what comes of it with each setting, and
        // the change before it.
        let cases = [
            ("equal", Some("E7"), Some("E7"), (DONE, None), (DONE, None)),
            ("none in the profile", None, Some("E7"), (DONE, None), (DONE, None)),
            (
                "empty in the directory",
                Some("E7"),
                Some(""),
                (DONE, Some(CHANGED)),
                (DONE, Some(CHANGED)),
            ),
            (
                "none in the directory",
                Some("E7"),
                None,
                (DONE, Some(CHANGED)),
                (DONE, Some(CHANGED)),
            ),
            ("none at all", None, None, (DONE, None), (DONE, None)),
            (
                "different",
                Some("E7"),
                Some("E8"),
                (ANOTHERS, None),
                (DONE, Some(CHANGED)),
            ),
            (
                "different in letter case",
                Some("E7"),
                Some("e7"),
                (ANOTHERS, None),
                (DONE, Some(CHANGED)),
            ),
        ];
        for (name, wanted, has, same_person, always) in cases {
            for (adopt, (end, change)) in [
                (Adopt::SamePerson, same_person),
                (Adopt::Always, always),
                (Adopt::Never, (NEVER, None)),
            ] {
                let who = || found(json!({"externalId": has}));
                let command = || create(json!({"employeeid": wanted}));
                let end_with = |script: Script| {
                    let mut script = script;
                    script.extend(change.map(|change| (change, shown(json!({"externalId": wanted})))));
                    script
                };
                let set = match adopt {
                    Adopt::SamePerson => |policy: &mut Policy| policy.adopt = Adopt::SamePerson,
                    Adopt::Always => |policy: &mut Policy| policy.adopt = Adopt::Always,
                    Adopt::Never => |policy: &mut Policy| policy.adopt = Adopt::Never,
                    Adopt::Strict => |policy: &mut Policy| policy.adopt = Adopt::Strict,
                };
                hold(vec![
                    row(
                        name,
                        command(),
                        end_with(vec![("create test active", status(409)), ("users named test?", who())]),
                        end,
                    )
                    .with(set),
                    row(name, command(), end_with(vec![("users named test?", who())]), end)
                        .with(set)
                        .dry(),
                    // What can't be created is looked for first.
                    row(
                        name,
                        create(json!({"employeeid": wanted, "surname": null})),
                        end_with(vec![("users named test?", who())]),
                        end,
                    )
                    .with(set),
                ]);
            }
        }
    }

    #[test]
    fn what_is_no_taking_over() {
        hold(vec![
            row(
                "found by the profile's own id",
                create(json!({"id": "u-1", "employeeid": "E7"})),
                vec![
                    ("user u-1?", shown(json!({"externalId": "E8"}))),
                    ("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "found by the profile's own id, with never",
                create(json!({"id": "u-1", "title": "Boss"})),
                vec![
                    ("user u-1?", shown(json!({}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            )
            .with(|policy| policy.adopt = Adopt::Never),
            row(
                "made by a request whose answer got lost, with never",
                numbered(),
                vec![
                    ("create test active", lost()),
                    ("users named test?", found(json!({"externalId": "E7"}))),
                ],
                "done Create u-1 active",
            )
            .with(|policy| policy.adopt = Adopt::Never),
            row(
                "made by it, and conflicting with the one after it, with never",
                numbered(),
                vec![
                    ("create test active", lost()),
                    ("users named test?", nobody()),
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"externalId": "E7"}))),
                ],
                "done Create u-1 active",
            )
            .with(|policy| policy.adopt = Adopt::Never),
            row(
                "there after a lost answer, and not as sent: another person",
                numbered(),
                vec![
                    ("create test active", lost()),
                    ("users named test?", found(json!({"externalId": "E8"}))),
                ],
                "failed Create 409: the userName belongs to another person: …",
            ),
            row(
                "there after a lost answer, and not as sent, with never",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", found(json!({"displayName": "Other"}))),
                ],
                "failed Create 409: a user of this userName exists, …",
            )
            .with(|policy| policy.adopt = Adopt::Never),
            row(
                "there after a lost answer, with an employee id that was not sent, with never",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", found(json!({"externalId": "E8"}))),
                ],
                "failed Create 409: a user of this userName exists, …",
            )
            .with(|policy| policy.adopt = Adopt::Never),
            row(
                "there after a lost answer, with an employee id that was not sent: found, not made",
                create(json!({})),
                vec![
                    ("create test active", lost()),
                    ("users named test?", found(json!({"externalId": "E8"}))),
                ],
                "done Update u-1 active",
            ),
            row(
                "as sent, but nothing was lost",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"externalId": "E7"}))),
                ],
                "failed Create 409: a user of this userName exists, …",
            )
            .with(|policy| policy.adopt = Adopt::Never),
            row(
                "another person's, updating switched off: said all the same",
                numbered(),
                vec![
                    ("create test active", status(409)),
                    ("users named test?", found(json!({"externalId": "E8"}))),
                ],
                "failed Create 409: the userName belongs to another person: …",
            )
            .with(|policy| policy.update_user_enabled = false),
        ]);
    }

    #[test]
    fn a_refusal_is_final() {
        let kinds = [
            (ErrorKind::Connect, "failed Create 503: said [-]"),
            (ErrorKind::Congested, "failed Create 503: said [-]"),
            (ErrorKind::CircuitOpen, "failed Create 503: said [-]"),
            (ErrorKind::Throttled, "failed Create 429: said [-]"),
            (ErrorKind::WrongUrl, "failed Create 404: said [-]"),
            (ErrorKind::Status(400), "failed Create 400: said [-]"),
            (ErrorKind::Status(401), "failed Create 401: said [-]"),
            (ErrorKind::Status(403), "failed Create 403: said [-]"),
        ];
        hold(
            kinds
                .into_iter()
                .map(|(kind, end)| {
                    row(
                        "refused",
                        create(json!({})),
                        vec![("create test active", failed(kind))],
                        end,
                    )
                })
                .collect(),
        );
    }

    #[test]
    fn a_dry_run_looks_before_it_would_write() {
        hold(vec![
            row(
                "nobody",
                create(json!({})),
                vec![
                    ("users named test?", nobody()),
                    ("create test active", shown(json!({}))),
                ],
                "done Create u-1 active",
            )
            .dry(),
            row(
                "found",
                create(json!({"title": "Boss"})),
                vec![
                    ("users named test?", found(json!({}))),
                    ("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"}))),
                ],
                "done Update u-1 active",
            )
            .dry(),
            row(
                "partial",
                create(json!({"surname": null})),
                vec![("users named test?", nobody())],
                "failed Create 400: name.familyName…",
            )
            .dry(),
        ]);
    }

    #[test]
    fn what_an_attempt_that_died_has_made_is_its_own_work() {
        let made = || found(json!({}));
        let never: fn(&mut Policy) = |policy| policy.adopt = Adopt::Never;
        hold(vec![
            row(
                "made before",
                create(json!({})),
                vec![("create test active", status(409)), ("users named test?", made())],
                "done Create u-1 active",
            )
            .retried(),
            row(
                "made before, where nothing is adopted",
                create(json!({})),
                vec![("create test active", status(409)), ("users named test?", made())],
                "done Create u-1 active",
            )
            .with(never)
            .retried(),
            row(
                "not made before",
                create(json!({})),
                vec![("create test active", shown(json!({})))],
                "done Create u-1 active",
            )
            .with(never)
            .retried(),
            row(
                "another user has the name",
                create(json!({})),
                vec![
                    ("create test active", status(409)),
                    (
                        "users named test?",
                        found(json!({"title": "Other", "externalId": "E9"})),
                    ),
                ],
                "failed Create 409: a user of this userName exists, and `adopt` is set to never [u-1]",
            )
            .with(never)
            .retried(),
        ]);
    }
}
