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
    scim::{self, Group, Object, aws},
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
        match replay.create_group(|| attributes.clone())? {
            Ok(group) => return Ok(done(group)),
            Err(error) if error.is_answer_lost() => lost = Some(error),
            // The creation before this one was done after all: what is in the way is ours, if it looks like ours.
            Err(error) if error.status() == Some(409) && lost.is_some() => {}
            Err(error) => return group::failed(error),
        }
        match replay.groups_by_name(name)? {
            Ok([group]) if is_as_sent(group, &attributes) => return Ok(done(group)),
            Ok([]) => {}
            Ok(_) => return group::fails(Failure::new(Cause::Conflict, TAKEN)),
            Err(error) => {
                let lost = lost.map(scim::Error::message).unwrap_or_default();
                let message = format!(
                    "whether the group was created is not known: {lost}; looking failed too: {}",
                    error.message()
                );
                return group::fails(Failure {
                    message,
                    ..Failure::from(error)
                });
            }
        }
    }
    match lost {
        Some(error) => group::failed(error),
        None => group::fails(Failure::new(
            Cause::Conflict,
            "another group has this displayName or externalId",
        )),
    }
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
