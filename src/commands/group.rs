//! What the group commands share.

use std::collections::HashSet;

use super::finish;
use crate::{
    decide::{Next, Replay},
    diagnostic::Diagnostic,
    outcome::{Cause, Failure, GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{self, Dialect, ErrorKind, Group, Id, Member, Page},
};

/// Pages of members read at most: 100 members each, and AWS keeps 200,000 users at most by default
/// (UG, quotas).
pub(super) const MAX_PAGES: usize = 2_500;

/// The sentence for a group that is not there.
pub(super) const ABSENT: &str = "Group Not Found";

/// The group's `id`, if it has one.
pub(super) fn id(group: &GroupProfile) -> Result<Option<Id>, Next> {
    match text(group, "id")? {
        None => Ok(None),
        Some(text) => match Id::parse(text) {
            Some(id) => Ok(Some(id)),
            None => invalid("scim.id must be 1 to 64 letters, digits, `_` or `-`"),
        },
    }
}

/// The group's `id`, without which the command can't work.
pub(super) fn required_id(group: &GroupProfile) -> Result<Id, Next> {
    match id(group)? {
        Some(id) => Ok(id),
        None => invalid("scim.id is needed: the id of the group"),
    }
}

/// The text of an attribute, if it has any.
pub(super) fn text<'a>(group: &'a GroupProfile, name: &str) -> Result<Option<&'a str>, Next> {
    group.text(name).or_else(|fault| invalid(fault.to_string()))
}

/// A group's members, all of them; or why they can't be told.
///
/// AWS never shows members with the group, so they are read as the users whose `groups.value` is
/// the group, page after page (DG ListUsers). A directory whose pages never end, or lead back, is
/// not believed.
pub(super) fn members(
    group: &Id,
    dialect: Dialect,
    replay: &mut Replay<'_>,
) -> Result<Result<Vec<Member>, Failure>, Next> {
    match dialect {
        Dialect::Rfc7644 => Ok(replay.group_by_id(group)?.map(Group::members).map_err(failure)),
        Dialect::Aws => {
            // Gathered only at the end: a decision is replayed at each page.
            let mut pages = Vec::new();
            let mut seen = HashSet::new();
            let mut page = Page::First;
            for _ in 0..MAX_PAGES {
                let answer = match replay.members(group, page)? {
                    Ok(answer) => answer,
                    Err(error) => return Ok(Err(failure(error))),
                };
                pages.push(&answer.resources);
                match &answer.next_cursor {
                    None => return Ok(Ok(pages.into_iter().flatten().cloned().collect())),
                    Some(cursor) if seen.insert(cursor) => page = Page::Next(cursor.clone()),
                    Some(_) => break,
                }
            }
            let endless = "the directory's pages of members do not end";
            Ok(Err(Failure::new(Cause::Directory(ErrorKind::Unreadable), endless)))
        }
    }
}

/// Ends with a fault in what the caller sent.
pub(super) fn invalid<T>(message: impl Into<String>) -> Result<T, Next> {
    fails(Failure::new(Cause::Invalid, message))
}

/// Ends with what a directory would refuse.
pub(super) fn violates<T>(violations: &[Diagnostic]) -> Result<T, Next> {
    let lines: Vec<_> = violations
        .iter()
        .map(|violation| format!("scim.{}", violation.sentence()))
        .collect();
    invalid(lines.join(". "))
}

/// Ends with what the directory said.
pub(super) fn failed<T>(error: &scim::ScimError) -> Result<T, Next> {
    fails(failure(error))
}

/// What the directory said of a group.
pub(super) fn failure(error: &scim::ScimError) -> Failure {
    if error.kind == ErrorKind::Absent {
        Failure::new(Cause::Absent, ABSENT)
    } else {
        error.into()
    }
}

/// Ends because a look failed after an answer got lost. The lost one is what the caller must know
/// of; that the command's time is over says so by itself (504).
pub(super) fn unsure<T>(done: &str, lost: &scim::ScimError, looking: &scim::ScimError) -> Result<T, Next> {
    fails(Failure::unsure("group", done, lost, looking))
}

/// Ends with this failure.
pub(super) fn fails<T>(failure: Failure) -> Result<T, Next> {
    finish(Outcome::Group(GroupOutcome::Failed { failure, details: None }))
}
