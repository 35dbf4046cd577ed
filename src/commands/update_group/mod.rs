//! `iam-update-group`: adds and removes members, or renames a group.
//!
//! With members: adds come first, then removals, in PATCHes of at most 100 changes. A PATCH that
//! the directory refuses with 400 or 404 is split in halves until the bad member is found; the
//! others are changed all the same. Adding who is in, or removing who is out, is no fault (RFC 7644
//! section 3.5.2.1), so a half may be sent again safely. Without members: `displayName` and
//! `externalId` are replaced. It refuses ids that can't be ids, an id in both lists, and a command
//! that would change nothing.

mod membership;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Decision, MemberIds, Operation, Rules,
    group::AskedGroup,
    settle::{Judgement, Settled, settle},
};
use crate::{
    decide::{Next, Replay},
    outcome::{GroupAction, Outcome},
    profile::GroupProfile,
    scim::{self, ErrorKind, Group, Id, Object, Op, PatchOp, Priority, aws},
};
use membership::{Change, Membership, Progress};

/// The arguments of `iam-update-group`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateGroupArguments)]
pub struct Args {
    /// The group: its `id`, and what it is renamed to if no members are given.
    pub scim: GroupProfile,
    /// Users to add.
    #[serde(rename = "memberIdsToAdd", default)]
    pub add: MemberIds,
    /// Users to remove.
    #[serde(rename = "memberIdsToDelete", default)]
    pub remove: MemberIds,
}

impl Operation for Args {
    const NAME: &'static str = "iam-update-group";
    const ARGUMENTS: &'static [&'static str] = &["scim", "memberIdsToAdd", "memberIdsToDelete"];
    const PRIORITY: Priority = Priority::Update;

    fn prepare<'a>(&'a self, rules: &'a Rules) -> Box<dyn Decision + Send + 'a> {
        let changes = changes(self);
        let members = changes.as_ref().map_or(0, Vec::len);
        Box::new(Prepared {
            group: AskedGroup {
                action: GroupAction::Update,
                profile: &self.scim,
                rules,
            },
            changes,
            progress: Progress::of(members),
        })
    }
}

/// The command ready to be decided: ids are parsed once, and members that are dealt with are not
/// dealt with again at each answer.
struct Prepared<'a> {
    group: AskedGroup<'a>,
    /// The members to change, or what is wrong with an id.
    changes: Result<Vec<Change>, String>,
    progress: Progress,
}

impl Decision for Prepared<'_> {
    fn subject(&self) -> BTreeSet<String> {
        self.group.subject()
    }

    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        let asked = self.group;
        let id = asked.required_id()?;
        // Echoed at the end, read before anything is changed: a fault in it must not follow a
        // change.
        let name = asked.text("displayName")?;
        let changes = match &self.changes {
            Ok(changes) => changes,
            Err(message) => return asked.invalid(message),
        };
        if replay.is_dry_run()
            && let Err(error) = replay.group_by_id(&id)?
        {
            return asked.failed(error);
        }
        let details = if changes.is_empty() {
            rename(&id, asked, replay)?
        } else {
            Membership::new(asked, &id, changes, &mut self.progress).change(replay)?
        };
        Ok(asked.done(Some(id), name, details, None))
    }
}

/// The members to change: additions, then removals, each id once; or what is wrong with one.
fn changes(args: &Args) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    let mut added = HashSet::new();
    for (argument, ids, op) in [
        ("memberIdsToAdd", &args.add, Op::Add),
        ("memberIdsToDelete", &args.remove, Op::Remove),
    ] {
        let mut seen = HashSet::new();
        for (position, text) in ids.0.iter().enumerate() {
            let Some(id) = Id::parse(text) else {
                return Err(format!(
                    "{argument}[{position}] must be 1 to 64 letters, digits, `_` or `-`"
                ));
            };
            if op == Op::Remove && added.contains(&id) {
                return Err(format!(
                    "{id} is in memberIdsToAdd and in memberIdsToDelete; leave it in one"
                ));
            }
            if seen.insert(id.clone()) {
                changes.push(Change { op, id });
            }
        }
        added.extend(seen);
    }
    Ok(changes)
}

/// Renames the group; the headers of the answer, if there was one.
fn rename<'a>(id: &Id, asked: AskedGroup<'_>, replay: &mut Replay<'a>) -> Result<Object, Next> {
    let attributes = new_attributes(asked)?;
    let operations = || {
        attributes
            .iter()
            .map(|(name, value)| scim::Operation::replace(name.as_str(), value.clone()))
            .collect()
    };
    let settled = settle(
        replay,
        1,
        |replay| replay.patch_group(id, || PatchOp::new(operations())),
        |replay| replay.group_by_id(id),
        // A 409 may be another writer of the group at the same moment.
        |sent, group: &&'a Group| match group.id() {
            Some(shown) if shown != *id => Judgement::Stop,
            _ if has(group, &attributes) => Judgement::Done,
            _ if sent.is_conflict() && sent.times == 1 => Judgement::SendAgain,
            _ => Judgement::Stop,
        },
    )?;
    match settled {
        Settled::Answered(headers) => Ok(headers.to_object()),
        Settled::Done(_) => Ok(Object::new()),
        Settled::Stopped(_, Some(group)) if group.id().as_ref() != Some(id) => {
            asked.mismatch("the directory answered with a group of another id")
        }
        Settled::Stopped(sent, _) => asked.failed(sent.error),
        Settled::Unsure(_, looking) if looking.kind == ErrorKind::Absent => asked.failed(looking),
        Settled::Unsure(sent, looking) => asked.unsure("renamed", Some(sent.error), looking),
    }
}

/// What the group is to be called, unless the directory is known to refuse it.
fn new_attributes(asked: AskedGroup<'_>) -> Result<Object, Next> {
    let mut attributes = Object::new();
    for name in ["displayName", "externalId"] {
        if let Some(text) = asked.text(name)? {
            attributes.insert(name.to_owned(), text.into());
        }
    }
    if attributes.is_empty() {
        return asked
            .invalid("nothing to change: give memberIdsToAdd, memberIdsToDelete, scim.displayName or scim.externalId");
    }
    let violations = aws::group_values(asked.rules.dialect, &attributes);
    if !violations.is_empty() {
        return asked.violates(&violations);
    }
    Ok(attributes)
}

fn has(group: &Group, attributes: &Object) -> bool {
    let shown = group.as_object();
    attributes.iter().all(|(name, value)| shown.get(name) == Some(value))
}
