//! What the group commands share.

use super::finish;
use crate::{
    decide::Next,
    outcome::{Cause, Failure, GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{self, ErrorKind, Id, aws::Violation},
};

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

/// Ends with a fault in what the caller sent.
pub(super) fn invalid<T>(message: impl Into<String>) -> Result<T, Next> {
    fails(Failure::new(Cause::Invalid, message))
}

/// Ends with what a directory would refuse.
pub(super) fn violates<T>(violations: &[Violation]) -> Result<T, Next> {
    let lines: Vec<_> = violations.iter().map(|violation| format!("scim.{violation}")).collect();
    invalid(lines.join(". "))
}

/// Ends with what the directory said.
pub(super) fn failed<T>(error: &scim::Error) -> Result<T, Next> {
    if error.kind == ErrorKind::Absent {
        fails(Failure::new(Cause::Absent, ABSENT))
    } else {
        fails(error.into())
    }
}

/// Ends with this failure.
pub(super) fn fails<T>(failure: Failure) -> Result<T, Next> {
    finish(Outcome::Group(GroupOutcome::Failed { failure, details: None }))
}
