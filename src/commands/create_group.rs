//! `iam-create-group`: makes a group, and adds its members afterwards.
//!
//! It needs a `displayName`; an `externalId` is kept. A name, or an externalId, that another group
//! has is a failure, 409. `members` are added as `iam-update-group` adds them: AWS takes a hundred
//! with a new group at most, and refuses all of it for one that it does not know.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    CREATIONS, Decision, MemberIds, Operation, Rules,
    group::{AskedGroup, ids, is_named},
    settle::{Judgement, Settled, settle},
    update_group::{Change, Membership, Progress, changes},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Cause, Failure, GroupAction, Outcome},
    profile::GroupProfile,
    scim::{self, Group, Id, Object, Op, Priority, aws},
};

/// What a duplicate means where the directory does not say it.
const TAKEN: &str = "another group has this displayName or externalId";

/// The id in a dry run's requests of the group that only the directory could give one.
const ASSUMED_ID: &str = "id-of-the-new-group";

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
        let members = self.scim.attribute("members").map_or_else(
            || Ok(MemberIds::default()),
            |members| MemberIds::of_members(members).map_err(|fault| format!("scim.members: {fault}")),
        );
        let members = members.and_then(|ids| changes([("scim.members", &ids, Op::Add)], rules.dialect));
        let progress = Progress::of(members.as_ref().map_or(0, Vec::len));
        Box::new(Prepared {
            group: AskedGroup::new(GroupAction::Create, &self.scim, rules),
            members,
            progress,
        })
    }
}

/// The command ready to be decided: ids are parsed once, and members that are dealt with are not
/// dealt with again at each answer.
struct Prepared<'a> {
    group: AskedGroup<'a>,
    /// The members to add, or what is wrong with one.
    members: Result<Vec<Change>, String>,
    progress: Progress,
}

impl Decision for Prepared<'_> {
    fn subject(&self) -> BTreeSet<String> {
        self.group.subject()
    }

    fn ignored(&self, _: &Outcome) -> Vec<String> {
        self.group.ignored(false)
    }

    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        let asked = self.group;
        let Some(name) = asked.text("displayName")? else {
            return asked.invalid("scim.displayName is needed: the name of the new group");
        };
        let members = match &self.members {
            Ok(members) => members,
            Err(message) => return asked.invalid(message),
        };
        let group = create(asked, name, replay)?;
        if !members.is_empty() {
            let id = group
                .id()
                .or_else(|| Id::parse(ASSUMED_ID).filter(|_| replay.is_dry_run()));
            let Some(id) = id else {
                return asked.mismatch("the directory answered with a group without an id");
            };
            Membership::new(asked, &id, members, &mut self.progress).change(replay)?;
        }
        Ok(asked.done(group.id(), group.display_name(), group.as_object().clone(), None))
    }
}

/// Makes the group, or ends.
fn create<'a>(asked: AskedGroup<'_>, name: &str, replay: &mut Replay<'a>) -> Result<&'a Group, Next> {
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
        Settled::Answered(group) if is_named(group, name) => Ok(group),
        Settled::Answered(_) => another_group(asked),
        Settled::Done(groups) => match groups {
            [group] => Ok(group),
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
            let whose = format!("a group of this displayName exists: {}", ids(groups));
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
fn clashes<T>(asked: AskedGroup<'_>, refused: &scim::ScimError, whose: &str) -> Result<T, Next> {
    let message = format!("{}; {whose}", refused.message());
    asked.fails(Failure::new(Cause::Conflict, message))
}

fn another_group<T>(asked: AskedGroup<'_>) -> Result<T, Next> {
    asked.mismatch("the directory answered with another group than the one sent")
}

fn are_named(groups: &[Group], name: &str) -> bool {
    groups.iter().all(|group| is_named(group, name))
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
        outcome::GroupEnd,
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
                "an id is not sent",
                create(json!({"id": "g-9", "displayName": "\u{a0}Admins "})),
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
    fn members_are_added_afterwards() {
        let with = |members: Value| create(json!({"displayName": "Admins", "members": members}));
        let made = || (POST, group_shown(json!({})));
        hold(vec![
            row(
                "ids and objects, each once",
                with(json!(["u-1", {"value": " u-2", "display": "Two"}, "u-1", " "])),
                vec![made(), ("patch g-1: add u-1,u-2", headers())],
                "done g-1 Admins",
            ),
            row("none", with(json!([])), vec![made()], "done g-1 Admins"),
            row("none, empty", with(json!("")), vec![made()], "done g-1 Admins"),
            row(
                "one is unknown: the group is there",
                with(json!(["u-1", "jane"])),
                vec![
                    made(),
                    ("patch g-1: add u-1,jane", absent()),
                    ("group g-1?", group_shown(json!({}))),
                    ("patch g-1: add u-1", headers()),
                    ("patch g-1: add jane", absent()),
                ],
                "failed 404: said; 1 of 2 done; failed: jane; jane looks like a user name: the directory's id is wanted \
                 (IAM.Vendor.id of iam-get-user) [u-1 done, jane failed]",
            ),
            row(
                "made by a POST whose answer got lost",
                with(json!(["u-1"])),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![group(json!({}))])),
                    ("patch g-1: add u-1", headers()),
                ],
                "done g-1 Admins",
            ),
            row(
                "another group has the name: nobody is added to it",
                with(json!(["u-1"])),
                vec![(POST, status(409)), (LOOK, groups(vec![group(json!({}))]))],
                TAKEN_SAID,
            ),
            row(
                "a user name for an id",
                with(json!(["jane.doe@example.com"])),
                vec![],
                "failed 400: scim.members[0] must be 1 to 64 letters, digits, `_` or `-`; the directory's id is wanted \
                 (IAM.Vendor.id of iam-get-user) []",
            ),
            row(
                "no members at all",
                with(json!([{"display": "Two"}])),
                vec![],
                "failed 400: scim.members: every member must be an id, or an object that holds one under `value` []",
            ),
        ]);
        let answers = vec![group_shown(json!({})), status(403)];
        let GroupEnd::Failed { id, display_name, .. } = group_end(outcome(&with(json!(["u-1"])), &rules(), answers))
        else {
            panic!("nobody may add members")
        };
        assert_eq!((id.as_deref(), display_name.as_deref()), (Some("g-1"), Some("Admins")));
    }

    #[test]
    fn members_of_many_chunks_are_added_after_the_one_creation() {
        let ids: Vec<_> = (0..250).map(|number| format!("u-{number}")).collect();
        let command = create(json!({"displayName": "Admins", "members": ids}));
        let (questions, outcome) = drive(&command, &rules(), |next| match next {
            Next::Write(Step::CreateGroup(_)) => group_shown(json!({})),
            Next::Read(_) | Next::Write(_) | Next::Finish(_) => headers(),
        });
        assert_eq!(outcome.label(), "done");
        assert_eq!(questions.len(), 4, "a POST, and a PATCH for each hundred");
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
                "failed 400: scim.externalId: U+0020 SPACE at position 2 can't stand in it; take it out, it is a space []",
            ),
            row(
                "invisible character",
                create(json!({"displayName": "Ad\u{200b}mins"})),
                vec![],
                "failed 400: scim.displayName: U+200B ZERO WIDTH SPACE at position 3 can't stand in it; take it out, it is invisible []",
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
