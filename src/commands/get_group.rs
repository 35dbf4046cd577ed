//! `iam-get-group`: shows a group and, unless told otherwise, all its members.
//!
//! By `id`, else by `displayName`. Nothing of this id or name is a failure, 404; two of one name, 409.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Rules, Switch, group, person::is_same_name};
use crate::{
    decide::{Next, Replay},
    outcome::{Cause, Failure, GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{Dialect, Group, aws},
};

/// The arguments of `iam-get-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GetGroupArguments)]
pub struct Args {
    /// The group.
    pub scim: GroupProfile,
    /// Whether to read the members.
    #[serde(rename = "includeMembers", default)]
    pub include_members: Switch,
}

/// What to do next.
pub(super) fn decide(args: &Args, rules: &Rules, replay: &mut Replay<'_>) -> Result<Outcome, Next> {
    let group = find(&args.scim, replay)?;
    let Some(id) = group.id() else {
        return group::fails(Failure::new(
            Cause::Mismatch,
            "mismatch: the group that was found has no id",
        ));
    };
    let Switch(include_members) = args.include_members;
    let members = match rules.dialect {
        _ if !include_members => None,
        Dialect::Rfc7644 => Some(group.members()),
        Dialect::Aws => Some(group::members(&id, rules.dialect, replay)?.or_else(group::fails)?),
    };
    Ok(Outcome::Group(GroupOutcome::Done {
        id: Some(id.to_string()),
        display_name: group.display_name().map(str::to_owned),
        details: group.as_object().clone(),
        members,
    }))
}

fn find<'a>(asked: &GroupProfile, replay: &mut Replay<'a>) -> Result<&'a Group, Next> {
    if let Some(id) = group::id(asked)? {
        return match replay.group_by_id(&id)? {
            Ok(found) if found.id().as_ref() == Some(&id) => Ok(found),
            Ok(_) => mismatch("id"),
            Err(error) => group::failed(error),
        };
    }
    let Some(name) = group::text(asked, "displayName")? else {
        return group::invalid("scim needs an id or a displayName");
    };
    if let Some(violation) = aws::lookup_value("displayName", name) {
        return group::violates(&[violation]);
    }
    match replay.groups_by_name(name)? {
        Ok([]) => group::fails(Failure::new(Cause::Absent, group::ABSENT)),
        Ok([found]) if found.display_name().is_some_and(|found| is_same_name(found, name)) => Ok(found),
        Ok([_]) => mismatch("displayName"),
        Ok(_) => group::fails(Failure::new(
            Cause::Ambiguous,
            "ambiguous: more than one group has this displayName",
        )),
        Err(error) => group::failed(error),
    }
}

fn mismatch<T>(attribute: &str) -> Result<T, Next> {
    let message = format!("mismatch: the directory answered with a group of another {attribute}");
    group::fails(Failure::new(Cause::Mismatch, message))
}
