//! `iam-create-group`: makes an empty group.
//!
//! It needs a `displayName`; an `externalId` is kept. A name, or an externalId, that another group
//! has is a failure, 409.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    CREATIONS, Decision, Operation, Rules,
    group::{AskedGroup, OfGroup},
    person::is_same_name,
    settle::{Judgement, Settled, settle},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Cause, Failure, GroupAction, Outcome},
    profile::GroupProfile,
    scim::{self, Group, Object, Priority, aws},
};

/// What a duplicate means where the directory does not say it.
const TAKEN: &str = "another group has this displayName or externalId";

/// The arguments of `iam-create-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateGroupArguments)]
pub struct Args {
    /// The group.
    pub scim: GroupProfile,
}

impl Operation for Args {
    const NAME: &'static str = "iam-create-group";
    const ARGUMENTS: &'static [&'static str] = &["scim"];
    const PRIORITY: Priority = Priority::Create;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        let group = AskedGroup {
            action: GroupAction::Create,
            profile: &self.scim,
            rules,
        };
        Box::new(OfGroup {
            arguments: self,
            group,
            decide,
        })
    }
}

fn decide<'a>(_: &'a Args, asked: AskedGroup<'a>, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
    let Some(name) = asked.text("displayName")? else {
        return asked.invalid("scim.displayName is needed: the name of the new group");
    };
    let attributes = attributes(asked, name)?;
    if replay.is_dry_run() {
        match replay.groups_by_name(name)? {
            Ok([]) => {}
            Ok(groups) if are_named(groups, name) => {
                return asked.fails(Failure::new(Cause::Conflict, TAKEN));
            }
            Ok(_) => return another_group(asked),
            Err(error) => return asked.failed(error),
        }
    }
    let settled = settle(
        replay,
        CREATIONS,
        |replay| replay.create_group(|| attributes.clone()),
        |replay| replay.groups_by_name(name),
        |sent, groups| match groups {
            [group] if sent.may_be_done() && is_as_sent(group, &attributes) => Judgement::Done,
            [] if !sent.is_conflict() && sent.times < CREATIONS => Judgement::SendAgain,
            _ => Judgement::Stop,
        },
    )?;
    match settled {
        Settled::Answered(group) if is_named(group, name) => Ok(done(asked, group)),
        Settled::Answered(_) => another_group(asked),
        Settled::Done(groups) => match groups {
            [group] => Ok(done(asked, group)),
            [] | [_, ..] => another_group(asked),
        },
        Settled::Unsure(sent, looking) => asked.unsure("created", sent.lost, looking),
        Settled::Stopped(sent, None) => asked.failed(sent.error),
        Settled::Stopped(sent, Some([])) if sent.is_conflict() => {
            clashes(asked, sent.error, "another group has this externalId")
        }
        Settled::Stopped(sent, Some([])) => asked.failed(sent.error),
        Settled::Stopped(_, Some(groups)) if !are_named(groups, name) => another_group(asked),
        Settled::Stopped(sent, Some(groups)) => {
            let ids: Vec<_> = groups.iter().filter_map(Group::id).map(|id| id.to_string()).collect();
            let whose = format!("a group of this displayName exists: {}", ids.join(", "));
            if sent.is_conflict() {
                clashes(asked, sent.error, &whose)
            } else {
                asked.fails(Failure::new(Cause::Conflict, whose))
            }
        }
    }
}

/// The group's attributes to send, unless the directory is known to refuse them.
fn attributes(asked: AskedGroup<'_>, name: &str) -> Result<Object, Next> {
    let mut attributes = Object::new();
    attributes.insert("displayName".to_owned(), name.into());
    if let Some(external_id) = asked.text("externalId")? {
        attributes.insert("externalId".to_owned(), external_id.into());
    }
    let violations = aws::group_values(asked.rules.dialect, &attributes);
    if !violations.is_empty() {
        return asked.violates(&violations);
    }
    let schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]);
    attributes.insert("schemas".to_owned(), schemas);
    Ok(attributes)
}

/// Ends with a 409, and what it is about as far as a look tells.
fn clashes(asked: AskedGroup<'_>, refused: &scim::ScimError, whose: &str) -> Result<Outcome, Next> {
    let message = format!("{}; {whose}", refused.message());
    asked.fails(Failure::new(Cause::Conflict, message))
}

fn another_group<T>(asked: AskedGroup<'_>) -> Result<T, Next> {
    asked.mismatch("the directory answered with another group than the one sent")
}

fn is_named(group: &Group, name: &str) -> bool {
    group.display_name().is_some_and(|found| is_same_name(found, name))
}

fn are_named(groups: &[Group], name: &str) -> bool {
    groups.iter().all(|group| is_named(group, name))
}

fn done(asked: AskedGroup<'_>, group: &Group) -> Outcome {
    asked.done(group.id(), group.display_name(), group.as_object().clone(), None)
}

/// Whether a group of this name that is there after a lost answer is the one that was sent.
fn is_as_sent(group: &Group, attributes: &Object) -> bool {
    attributes["displayName"]
        .as_str()
        .is_some_and(|name| is_named(group, name))
        && group.as_object().get("externalId") == attributes.get("externalId")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{
        commands::Command,
        decide::{Next, Step},
        scim::ErrorKind,
    };

    fn create(group: Value) -> Command {
        command("iam-create-group", json!({"scim": group}))
    }

    fn admins() -> Command {
        create(json!({"displayName": "Admins"}))
    }

    const POST: &str = "create group Admins";
    const LOOK: &str = "groups named Admins?";
    const TAKEN: &str = "failed 409: a group of this displayName exists: g-1 []";
    const TAKEN_SAID: &str = "failed 409: said; a group of this displayName exists: g-1 []";
    const ID_TAKEN: &str = "failed 409: said; another group has this externalId []";
    const MISMATCH: &str = "failed 502: mismatch: the directory answered with another group than the one sent []";

    #[test]
    fn a_group_is_made() {
        hold(vec![
            row("new", admins(), vec![(POST, group_shown(json!({})))], "done g-1 Admins"),
            row(
                "members and an id are not sent",
                create(json!({"id": "g-9", "displayName": "Admins", "members": [{"value": "u-1"}]})),
                vec![(POST, group_shown(json!({})))],
                "done g-1 Admins",
            ),
            row(
                "shown in another letter case",
                admins(),
                vec![(POST, group_shown(json!({"displayName": "ADMINS"})))],
                "done g-1 ADMINS",
            ),
            row(
                "shown with another name",
                admins(),
                vec![(POST, group_shown(json!({"displayName": "Users"})))],
                MISMATCH,
            ),
            row("refused", admins(), vec![(POST, status(400))], "failed 400: said []"),
            row("no right", admins(), vec![(POST, status(403))], "failed 403: said []"),
            row(
                "a wrong URL",
                admins(),
                vec![(POST, failed(ErrorKind::WrongUrl))],
                "failed 404: said []",
            ),
        ]);
        for (kind, code) in UNDONE {
            let outcome = outcome(&admins(), &rules(), vec![failed(kind)]);
            let failure = outcome.failure().expect("nothing was made");
            assert_eq!((failure.code(), failure.message.as_str()), (code, "said"), "{kind:?}");
        }
    }

    #[test]
    fn a_duplicate_is_looked_for_by_name() {
        let numbered = || create(json!({"displayName": "Admins", "externalId": "e-1"}));
        hold(vec![
            row(
                "found: named by its id",
                admins(),
                vec![(POST, status(409)), (LOOK, groups(vec![group(json!({}))]))],
                TAKEN_SAID,
            ),
            row(
                "found as it would have been sent: not ours, nothing was lost",
                numbered(),
                vec![
                    (POST, status(409)),
                    (LOOK, groups(vec![group(json!({"externalId": "e-1"}))])),
                ],
                TAKEN_SAID,
            ),
            row(
                "two",
                admins(),
                vec![
                    (POST, status(409)),
                    (LOOK, groups(vec![group(json!({})), group(json!({"id": "g-2"}))])),
                ],
                "failed 409: said; a group of this displayName exists: g-1, g-2 []",
            ),
            row(
                "nothing: it is the external id",
                numbered(),
                vec![(POST, status(409)), (LOOK, groups(vec![]))],
                ID_TAKEN,
            ),
            row(
                "a group of another name answers to it",
                admins(),
                vec![
                    (POST, status(409)),
                    (LOOK, groups(vec![group(json!({"displayName": "Users"}))])),
                ],
                MISMATCH,
            ),
            row(
                "the look fails",
                admins(),
                vec![(POST, status(409)), (LOOK, status(500))],
                "failed 500: said []",
            ),
            row(
                "the look is not sent",
                admins(),
                vec![(POST, status(409)), (LOOK, failed(ErrorKind::CircuitOpen))],
                "failed 503: said []",
            ),
        ]);
    }

    #[test]
    fn the_body_has_the_name_and_the_external_id() {
        let command = create(json!({"displayName": "Ad\"mins", "externalId": "e-1", "id": "g-9"}));
        let Next::Write(Step::CreateGroup(body)) = first(&command) else {
            panic!("a creation comes first")
        };
        assert_eq!(
            Value::from(body),
            json!({
                "displayName": "Ad\"mins", "externalId": "e-1", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            })
        );
    }

    #[test]
    fn nothing_is_sent_that_no_group_can_be() {
        hold(vec![
            row(
                "no name",
                create(json!({"id": "g-1"})),
                vec![],
                "failed 400: scim.displayName is needed: the name of the new group []",
            ),
            row(
                "empty name",
                create(json!({"displayName": ""})),
                vec![],
                "failed 400: scim.displayName is needed…",
            ),
            row(
                "name not text",
                create(json!({"displayName": 7})),
                vec![],
                "failed 400: scim.displayName must be text, not a number; send it in quotes []",
            ),
            row(
                "external id not text",
                create(json!({"displayName": "Admins", "externalId": 7})),
                vec![],
                "failed 400: scim.externalId must be text, not a number; send it in quotes []",
            ),
            row(
                "white space in the external id",
                create(json!({"displayName": "Admins", "externalId": "e 1"})),
                vec![],
                "failed 400: scim.externalId: white space can't stand in it; take it out []",
            ),
            row(
                "invisible character",
                create(json!({"displayName": "Ad\u{200b}mins"})),
                vec![],
                "failed 400: scim.displayName: control and invisible …",
            ),
            row(
                "AWS's own name",
                create(json!({"displayName": "AWSAdministrators"})),
                vec![],
                "failed 400: scim.displayName: AWS keeps this name for itself; choose another []",
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
                    admins(),
                    vec![(POST, failed(kind)), (LOOK, groups(vec![group(json!({}))]))],
                    "done g-1 Admins",
                ),
                row(
                    "not done: sent again",
                    admins(),
                    vec![
                        (POST, failed(kind)),
                        (LOOK, groups(vec![])),
                        (POST, group_shown(json!({}))),
                    ],
                    "done g-1 Admins",
                ),
                row(
                    "somebody else's",
                    admins(),
                    vec![
                        (POST, failed(kind)),
                        (LOOK, groups(vec![group(json!({"externalId": "e-9"}))])),
                    ],
                    TAKEN,
                ),
            ]);
        }
        rows.extend([
            row(
                "lost three times",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                ],
                "failed 504: said []",
            ),
            row(
                "two of the name",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![group(json!({})), group(json!({"id": "g-2"}))])),
                ],
                "failed 409: a group of this displayName exists: g-1, g-2 []",
            ),
            row(
                "the look fails too",
                admins(),
                vec![(POST, lost()), (LOOK, status(500))],
                "failed 504: whether the group was created is not known: said; looking failed too: said []",
            ),
            row(
                "sent again, a conflict with what was sent before",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, status(409)),
                    (LOOK, groups(vec![group(json!({}))])),
                ],
                "done g-1 Admins",
            ),
            row(
                "sent again, a conflict with somebody else's",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, status(409)),
                    (LOOK, groups(vec![group(json!({"externalId": "e-9"}))])),
                ],
                TAKEN_SAID,
            ),
            row(
                "sent again, a conflict with a group of another name",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, status(409)),
                    (LOOK, groups(vec![])),
                ],
                ID_TAKEN,
            ),
            row(
                "sent again, a conflict, and the look fails: the lost one counts",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, status(409)),
                    (LOOK, status(403)),
                ],
                "failed 504: whether the group was created is not known: said; looking failed too: said []",
            ),
            row(
                "a group of another name answers to it",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![group(json!({"displayName": "Users"}))])),
                ],
                MISMATCH,
            ),
            row(
                "there in another letter case",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![group(json!({"displayName": "admins"}))])),
                ],
                "done g-1 admins",
            ),
            row(
                "sent again, and refused",
                admins(),
                vec![(POST, lost()), (LOOK, groups(vec![])), (POST, status(400))],
                "failed 400: said []",
            ),
        ]);
        hold(rows);
    }

    #[test]
    fn a_dry_run_looks_before_it_would_write() {
        hold(vec![
            row(
                "free",
                admins(),
                vec![(LOOK, groups(vec![])), (POST, group_shown(json!({})))],
                "done g-1 Admins",
            )
            .dry(),
            row(
                "taken",
                admins(),
                vec![(LOOK, groups(vec![group(json!({}))]))],
                "failed 409: another group has this displayName or externalId []",
            )
            .dry(),
            row(
                "a group of another name answers to it",
                admins(),
                vec![(LOOK, groups(vec![group(json!({"displayName": "Users"}))]))],
                MISMATCH,
            )
            .dry(),
            row(
                "the look fails",
                admins(),
                vec![(LOOK, status(401))],
                "failed 401: said []",
            )
            .dry(),
        ]);
    }

    #[test]
    fn what_an_attempt_that_died_has_made_is_its_own_work() {
        hold(vec![
            row(
                "made before",
                create(json!({"displayName": "Admins"})),
                vec![
                    ("create group Admins", status(409)),
                    ("groups named Admins?", groups(vec![group(json!({}))])),
                ],
                "done g-1 Admins",
            )
            .retried(),
            row(
                "another group has the name",
                create(json!({"displayName": "Admins"})),
                vec![
                    ("create group Admins", status(409)),
                    ("groups named Admins?", groups(vec![group(json!({"externalId": "x"}))])),
                ],
                "failed 409: said; a group of this displayName exists: g-1 []",
            )
            .retried(),
        ]);
    }
}
