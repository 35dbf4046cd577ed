//! What the group commands share: the group that is asked for, how its arguments are read, and how
//! a command ends.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::{Decision, Rules, finish};
use crate::{
    decide::{Next, Replay},
    diagnostic::Diagnostic,
    outcome::{Cause, Failure, GroupAction, GroupEnd, GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{self, Dialect, ErrorKind, Group, Id, Member, Object, Page},
};

/// Pages of members read at most: 100 members each, and AWS keeps 200,000 users at most by default
/// (UG, quotas).
pub(super) const MAX_PAGES: usize = 2_500;

/// The sentence for a group that is not there.
pub(super) const ABSENT: &str = "Group Not Found";

/// The group that a command asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskedGroup<'a> {
    /// What the command does to it.
    pub(super) action: GroupAction,
    /// The caller's document.
    pub(super) profile: &'a GroupProfile,
    /// What the instance makes of it.
    pub(super) rules: &'a Rules,
}

/// The decision of a group command.
type Decide<A> = for<'r> fn(&'r A, AskedGroup<'r>, &mut Replay<'r>) -> Result<Outcome, Next>;

/// A group command ready to be decided.
pub(super) struct OfGroup<'a, A> {
    pub(super) arguments: &'a A,
    pub(super) group: AskedGroup<'a>,
    pub(super) decide: Decide<A>,
}

impl<A: Sync> Decision for OfGroup<'_, A> {
    fn subject(&self) -> BTreeSet<String> {
        self.group.subject()
    }

    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        (self.decide)(self.arguments, self.group, replay)
    }
}

impl<'a> AskedGroup<'a> {
    /// The names that the command knows the group by; none for a command that only reads.
    pub(super) fn subject(&self) -> BTreeSet<String> {
        if self.action == GroupAction::Get {
            return BTreeSet::new();
        }
        let text = |name: &str| self.profile.text(name).ok().flatten();
        let id = text("id").map(|id| format!("group id {id}"));
        let name = text("displayName").map(|name| format!("group name {}", name.to_lowercase()));
        id.into_iter().chain(name).collect()
    }

    /// The group's `id`, if it has one.
    pub(super) fn id(&self) -> Result<Option<Id>, Next> {
        match self.text("id")? {
            None => Ok(None),
            Some(text) => match Id::parse(text) {
                Some(id) => Ok(Some(id)),
                None => self.invalid("scim.id must be 1 to 64 letters, digits, `_` or `-`"),
            },
        }
    }

    /// The group's `id`, without which the command can't work.
    pub(super) fn required_id(&self) -> Result<Id, Next> {
        match self.id()? {
            Some(id) => Ok(id),
            None => self.invalid("scim.id is needed: the id of the group"),
        }
    }

    /// The text of an attribute, if it has any.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Next> {
        self.profile.text(name).or_else(|error| self.invalid(error.to_string()))
    }

    /// The group's members, all of them; or why they can't be told.
    ///
    /// AWS never shows members with the group, so they are read as the users whose `groups.value`
    /// is the group, page after page (DG ListUsers). A directory whose pages never end, or lead
    /// back, is not believed.
    pub(super) fn members(&self, group: &Id, replay: &mut Replay<'_>) -> Result<Result<Vec<Member>, Failure>, Next> {
        match self.rules.dialect {
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

    /// The outcome of a command that did what it was asked.
    pub(super) fn done(
        &self,
        id: Option<Id>,
        display_name: Option<&str>,
        details: Object,
        members: Option<Vec<Member>>,
    ) -> Outcome {
        Outcome::Group(GroupOutcome {
            action: self.action,
            end: GroupEnd::Done {
                id: id.map(|id| id.to_string()),
                display_name: display_name.map(str::to_owned),
                details,
                members,
            },
        })
    }

    /// Ends with a fault in what the caller sent.
    pub(super) fn invalid<T>(&self, message: impl Into<String>) -> Result<T, Next> {
        self.fails(Failure::new(Cause::Invalid, message))
    }

    /// Ends with what a directory would refuse.
    pub(super) fn violates<T>(&self, violations: &[Diagnostic]) -> Result<T, Next> {
        let lines: Vec<_> = violations
            .iter()
            .map(|violation| format!("scim.{}", violation.sentence()))
            .collect();
        self.invalid(lines.join(". "))
    }

    /// Ends because the directory answered with something else than what was asked for.
    pub(super) fn mismatch<T>(&self, message: &str) -> Result<T, Next> {
        self.fails(Failure::new(Cause::Mismatch, format!("mismatch: {message}")))
    }

    /// Ends with what the directory said.
    pub(super) fn failed<T>(&self, error: &scim::ScimError) -> Result<T, Next> {
        self.fails(failure(error))
    }

    /// Ends because looking failed, after an answer got lost if one did.
    pub(super) fn unsure<T>(
        &self,
        done: &str,
        lost: Option<&scim::ScimError>,
        looking: &scim::ScimError,
    ) -> Result<T, Next> {
        self.fails(match lost {
            Some(lost) => Failure::unsure("group", done, lost, looking),
            None => failure(looking),
        })
    }

    /// Ends with this failure.
    pub(super) fn fails<T>(&self, failure: Failure) -> Result<T, Next> {
        self.fails_with(failure, None)
    }

    /// Ends with this failure, and each member's result in the details.
    pub(super) fn fails_with<T>(&self, failure: Failure, details: Option<Value>) -> Result<T, Next> {
        let asked = |name: &str| self.profile.text(name).ok().flatten().map(str::to_owned);
        finish(Outcome::Group(GroupOutcome {
            action: self.action,
            end: GroupEnd::Failed {
                id: asked("id"),
                display_name: asked("displayName"),
                failure,
                details,
            },
        }))
    }
}

/// What the directory said of a group.
pub(super) fn failure(error: &scim::ScimError) -> Failure {
    if error.kind == ErrorKind::Absent {
        Failure::new(Cause::Absent, ABSENT)
    } else {
        error.into()
    }
}
