//! `iam-create-group`: makes an empty group.
//!
//! It needs a `displayName`; an `externalId` is kept. A name, or an externalId, that another group has is a failure, 409.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Rules, group, person::is_same_name};
use crate::{
    decide::{Next, Replay},
    outcome::{Cause, Failure, GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{self, ErrorKind, Group, Object, aws},
};

/// How often a creation is sent whose answer gets lost. Between two, the directory is looked at.
const CREATIONS: usize = 3;

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

/// What to do next.
pub(super) fn decide(args: &Args, rules: &Rules, replay: &mut Replay<'_>) -> Result<Outcome, Next> {
    let Some(name) = group::text(&args.scim, "displayName")? else {
        return group::invalid("scim.displayName is needed: the name of the new group");
    };
    let mut attributes = Object::new();
    attributes.insert("displayName".to_owned(), name.into());
    if let Some(external_id) = group::text(&args.scim, "externalId")? {
        attributes.insert("externalId".to_owned(), external_id.into());
    }
    let violations = aws::group_values(rules.dialect, &attributes);
    if !violations.is_empty() {
        return group::violates(&violations);
    }
    attributes.insert(
        "schemas".to_owned(),
        json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]),
    );

    if replay.is_dry_run() {
        match replay.groups_by_name(name)? {
            Ok([]) => {}
            Ok(_) => return group::fails(Failure::new(Cause::Conflict, TAKEN)),
            Err(error) => return group::failed(error),
        }
    }
    let mut lost: Option<&scim::Error> = None;
    for _ in 0..CREATIONS {
        let (before, refused) = match replay.create_group(|| attributes.clone())? {
            Ok(group) => return Ok(done(group)),
            Err(error) if error.is_answer_lost() => (error, None),
            Err(error) => match lost {
                // The creation before this one was done after all: what is in the way is ours, if it looks like ours.
                Some(before) if error.status() == Some(409) => (before, Some(error)),
                Some(_) | None => return group::failed(error),
            },
        };
        lost = Some(before);
        match (replay.groups_by_name(name)?, refused) {
            (Ok([group]), _) if is_as_sent(group, &attributes) => return Ok(done(group)),
            // No group has the name: another has the externalId.
            (Ok([]), Some(refused)) => return group::failed(refused),
            (Ok([]), None) => {}
            (Ok(_), _) => return group::fails(Failure::new(Cause::Conflict, TAKEN)),
            (Err(error), _) => return unsure(before, error),
        }
    }
    lost.map_or_else(|| group::invalid("nothing was sent"), group::failed)
}

/// A look failed after a creation that went unanswered, which is what the caller must know; that the command's time is over
/// says so by itself (504).
fn unsure(lost: &scim::Error, error: &scim::Error) -> Result<Outcome, Next> {
    let mut failure = Failure::from(if error.kind == ErrorKind::Expired { error } else { lost });
    failure.message = format!(
        "whether the group was created is not known: {}; looking failed too: {}",
        lost.message(),
        error.message()
    );
    group::fails(failure)
}

fn done(group: &Group) -> Outcome {
    Outcome::Group(GroupOutcome::Done {
        id: group.id().map(|id| id.to_string()),
        display_name: group.display_name().map(str::to_owned),
        details: group.as_object().clone(),
        members: None,
    })
}

/// Whether a group that is there after a lost answer is the one that was sent.
fn is_as_sent(group: &Group, attributes: &Object) -> bool {
    let same_name = attributes["displayName"].as_str().zip(group.display_name());
    same_name.is_some_and(|(sent, found)| is_same_name(sent, found))
        && group.as_object().get("externalId") == attributes.get("externalId")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::*;
    use crate::{
        commands::Command,
        decide::{Known, Next, Step},
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
    const TAKEN: &str = "failed 409: another group has this displayName or externalId []";

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
                "a duplicate",
                admins(),
                vec![(POST, status(409))],
                "failed 409: said []",
            ),
            row("refused", admins(), vec![(POST, status(400))], "failed 400: said []"),
            row("no right", admins(), vec![(POST, status(403))], "failed 403: said []"),
            row(
                "throttled",
                admins(),
                vec![(POST, failed(ErrorKind::Throttled))],
                "failed 429: said []",
            ),
            row(
                "no connection",
                admins(),
                vec![(POST, failed(ErrorKind::Connect))],
                "failed 503: said []",
            ),
            row(
                "a wrong URL",
                admins(),
                vec![(POST, failed(ErrorKind::WrongUrl))],
                "failed 404: said []",
            ),
        ]);
    }

    #[test]
    fn the_body_has_the_name_and_the_external_id() {
        let command = create(json!({"displayName": "Ad\"mins", "externalId": "e-1", "id": "g-9"}));
        let Next::Write(Step::CreateGroup(body)) = command.decide(&rules(), &Known::default()) else {
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
                TAKEN,
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
                "sent again, a conflict with a group of another name",
                admins(),
                vec![
                    (POST, lost()),
                    (LOOK, groups(vec![])),
                    (POST, status(409)),
                    (LOOK, groups(vec![])),
                ],
                "failed 409: said []",
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
            row("taken", admins(), vec![(LOOK, groups(vec![group(json!({}))]))], TAKEN).dry(),
            row(
                "the look fails",
                admins(),
                vec![(LOOK, status(401))],
                "failed 401: said []",
            )
            .dry(),
        ]);
    }
}
