//! Giving a group another name or external id.

use crate::{
    commands::{
        group::{AskedGroup, ids, is_named},
        settle::{Judgement, Settled, settle},
    },
    decide::{Next, Replay},
    outcome::{Cause, Failure},
    scim::{ErrorKind, Group, Id, Object, Operation, PatchOp, ScimError, aws},
};

/// Whose the new name is, as a look after a 409 tells.
enum Clash {
    /// This group's: another writer, or an attempt before this one, has made the change.
    Made,
    /// Not another group's, so that the directory may take it on a second attempt.
    Unfound,
}

/// Renames the group; the headers of the answer, if there was one.
pub(super) fn rename(id: &Id, asked: AskedGroup<'_>, replay: &mut Replay<'_>) -> Result<Object, Next> {
    let attributes = new_attributes(asked)?;
    if replay.is_dry_run() {
        asked.find_by_id(id, replay)?;
    }
    // A 409 is another group's name, or another writer of the group at the same moment.
    let refused = match change(id, &attributes, asked, replay)? {
        Ok(headers) => return Ok(headers),
        Err(refused) => refused,
    };
    match look_for_clash(id, &attributes, refused, asked, replay)? {
        Clash::Made => return Ok(Object::new()),
        Clash::Unfound => {}
    }
    match change(id, &attributes, asked, replay)? {
        Ok(headers) => Ok(headers),
        Err(refused) if attributes.contains_key("externalId") => {
            conflict(asked, refused, "another group has this externalId")
        }
        Err(refused) => asked.failed(refused),
    }
}

/// Sends the change, and looks at the group after an answer that got lost; a 409 comes back.
fn change<'a>(
    id: &Id,
    attributes: &Object,
    asked: AskedGroup<'_>,
    replay: &mut Replay<'a>,
) -> Result<Result<Object, &'a ScimError>, Next> {
    let operations = || {
        attributes
            .iter()
            .map(|(name, value)| Operation::replace(name.as_str(), value.clone()))
            .collect()
    };
    let settled = settle(
        replay,
        0,
        |replay| replay.patch_group(id, || PatchOp::new(operations())),
        |replay| replay.group_by_id(id),
        |_, group: &&'a Group| {
            if asked.is_group(group, id) && has(group, attributes) {
                Judgement::Done
            } else {
                Judgement::Stop
            }
        },
    )?;
    match settled {
        Settled::Answered(headers) => Ok(Ok(headers.to_object())),
        Settled::Done(_) => Ok(Ok(Object::new())),
        Settled::Stopped(_, Some(group)) if !asked.is_group(group, id) => {
            asked.mismatch("the directory answered with a group of another id")
        }
        Settled::Stopped(sent, None) if sent.is_conflict() => Ok(Err(sent.error)),
        Settled::Stopped(sent, None) if sent.error.kind != ErrorKind::Absent && asked.is_unknown(id, sent.error) => {
            // The directory refuses the new values, or the id.
            asked.find_by_id(id, replay)?;
            asked.failed(sent.error)
        }
        Settled::Stopped(sent, _) => asked.failed(sent.error),
        Settled::Unsure(_, looking) if asked.is_unknown(id, looking) => asked.is_absent(),
        Settled::Unsure(sent, looking) => asked.unsure("renamed", Some(sent.error), looking),
    }
}

/// Looks, once, what a refused change clashes with, and ends if that is another group: by the new
/// name, else at the group itself.
fn look_for_clash(
    id: &Id,
    attributes: &Object,
    refused: &ScimError,
    asked: AskedGroup<'_>,
    replay: &mut Replay<'_>,
) -> Result<Clash, Next> {
    let Some(name) = asked.text("displayName")? else {
        return match replay.group_by_id(id)? {
            Ok(group) if !asked.is_group(group, id) => {
                asked.mismatch("the directory answered with a group of another id")
            }
            Ok(group) => Ok(made_if(has(group, attributes))),
            Err(looking) if asked.is_unknown(id, looking) => asked.is_absent(),
            Err(looking) => asked.unsure("renamed", Some(refused), looking),
        };
    };
    let groups = match replay.groups_by_name(name)? {
        Ok(groups) if groups.iter().all(|group| is_named(group, name)) => groups,
        Ok(_) => return asked.mismatch("the directory answered with a group of another displayName"),
        Err(looking) => return asked.unsure("renamed", Some(refused), looking),
    };
    let others: Vec<_> = groups.iter().filter(|group| !asked.is_group(group, id)).collect();
    if others.is_empty() {
        return Ok(made_if(groups.iter().any(|group| has(group, attributes))));
    }
    conflict(
        asked,
        refused,
        &format!("a group of this displayName exists: {}", ids(others)),
    )
}

fn made_if(is_made: bool) -> Clash {
    if is_made { Clash::Made } else { Clash::Unfound }
}

/// Ends with a 409, and what it is about.
fn conflict<T>(asked: AskedGroup<'_>, refused: &ScimError, whose: &str) -> Result<T, Next> {
    let message = format!("{}; {whose}", refused.message());
    asked.fails(Failure::new(Cause::Conflict, message))
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
