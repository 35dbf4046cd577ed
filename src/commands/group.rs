//! What the group commands share: the group that is asked for, how its arguments are read, and how
//! a command ends.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::{
    Decision, Rules, finish,
    person::{folded, is_same_name},
};
use crate::{
    decide::{Next, Replay},
    diagnostic::Diagnostic,
    outcome::{Cause, Failure, GroupAction, GroupEnd, GroupOutcome, Lookup, Outcome},
    profile::GroupProfile,
    scim::{self, Dialect, ErrorKind, Group, Id, Member, Object, Page, aws},
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

/// The names by which commands know one group: those of two commands that share one are about the
/// same group.
pub fn names_of_group(id: Option<&str>, display_name: Option<&str>) -> BTreeSet<String> {
    let id = id.map(|id| format!("group id {id}"));
    let name = display_name.map(|name| format!("group name {}", folded(name)));
    id.into_iter().chain(name).collect()
}

/// The decision of a group command.
type Decide<A> = for<'r> fn(&'r A, AskedGroup<'r>, &mut Replay<'r>) -> Result<Outcome, Next>;

/// A group command ready to be decided.
pub(super) struct OfGroup<'a, A> {
    arguments: &'a A,
    group: AskedGroup<'a>,
    decide: Decide<A>,
}

impl<'a, A: Sync> OfGroup<'a, A> {
    /// The command of these arguments, which does `action` to the group of this document.
    pub(super) fn boxed(
        action: GroupAction,
        arguments: &'a A,
        profile: &'a GroupProfile,
        rules: &'a Rules,
        decide: Decide<A>,
    ) -> Box<dyn Decision + Send + 'a> {
        Box::new(Self {
            arguments,
            group: AskedGroup::new(action, profile, rules),
            decide,
        })
    }
}

impl<A: Sync> Decision for OfGroup<'_, A> {
    fn subject(&self) -> BTreeSet<String> {
        self.group.subject()
    }

    fn ignored(&self, _: &Outcome) -> Vec<String> {
        self.group.ignored(false)
    }

    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        (self.decide)(self.arguments, self.group, replay)
    }
}

impl<'a> AskedGroup<'a> {
    /// The group of this document, to which a command does `action`.
    pub(super) fn new(action: GroupAction, profile: &'a GroupProfile, rules: &'a Rules) -> Self {
        Self { action, profile, rules }
    }

    /// The names that the command knows the group by; none for a command that only reads.
    pub(super) fn subject(&self) -> BTreeSet<String> {
        if self.action == GroupAction::Get {
            return BTreeSet::new();
        }
        let text = |name: &str| self.profile.text(name).ok().flatten();
        let id = text("id").and_then(|id| Id::parse_for(self.rules.dialect, id));
        names_of_group(id.as_ref().map(Id::as_str), text("displayName"))
    }

    /// The document's attributes that do nothing; `with_members` where the command changes members.
    pub(super) fn ignored(&self, with_members: bool) -> Vec<String> {
        let finds: &[&str] = match self.text("id") {
            Ok(None) => &["displayName"],
            Ok(Some(_)) | Err(_) => &["id"],
        };
        self.profile.unused(match self.action {
            GroupAction::Get => finds,
            GroupAction::Create => &["displayName", "externalId", "members"],
            GroupAction::Update if with_members => finds,
            GroupAction::Update => &["id", "displayName", "externalId"],
            GroupAction::Delete => &["id", "displayName"],
        })
    }

    /// The group's `id`, if it has one.
    pub(super) fn id(&self) -> Result<Option<Id>, Next> {
        match self.text("id")? {
            None => Ok(None),
            Some(text) => match Id::parse_for(self.rules.dialect, text) {
                Some(id) => Ok(Some(id)),
                None => self.invalid(malformed("scim.id", text)),
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

    /// The group of this id, and of no other.
    pub(super) fn find_by_id<'r>(&self, id: &Id, replay: &mut Replay<'r>) -> Result<&'r Group, Next> {
        match replay.group_by_id(id)? {
            Ok(group) if self.is_group(group, id) => Ok(group),
            Ok(_) => self.mismatch("the directory answered with a group of another id"),
            Err(error) if self.is_unknown(id, error) => self.is_absent(),
            Err(error) => self.failed(error),
        }
    }

    /// The one group of this displayName.
    pub(super) fn find_by_name<'r>(&self, name: &str, replay: &mut Replay<'r>) -> Result<&'r Group, Next> {
        if let Some(violation) = aws::lookup_value("displayName", name) {
            return self.violates(&[violation]);
        }
        match replay.groups_by_name(name)? {
            Ok([]) => self.is_absent(),
            Ok([group]) if is_named(group, name) => Ok(group),
            Ok([_]) => self.mismatch("the directory answered with a group of another displayName"),
            Ok(_) => self.fails(Failure::new(
                Cause::Ambiguous,
                "ambiguous: more than one group has this displayName",
            )),
            Err(error) => self.failed(error),
        }
    }

    /// Whether a group that came is the one of this id.
    pub(super) fn is_group(&self, group: &Group, id: &Id) -> bool {
        group.id().is_some_and(|shown| shown.folded(self.rules.dialect) == *id)
    }

    /// Whether the directory's refusal to show a group means that it has none of this id. What AWS
    /// answers to an id that is not of its own form was never seen: 400 is as likely as 404.
    pub(super) fn is_unknown(&self, id: &Id, error: &scim::ScimError) -> bool {
        error.kind == ErrorKind::Absent
            || (error.kind == ErrorKind::Status(400) && self.rules.dialect == Dialect::Aws && !id.is_aws_formed())
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
        let id = id.map(|id| id.to_string());
        Outcome::Group(GroupOutcome {
            action: self.action,
            lookup: self.lookup(id.clone()),
            end: GroupEnd::Done {
                id,
                display_name: display_name.map(str::to_owned),
                details,
                members,
            },
        })
    }

    /// By what the group of this id was found, or, where there is none, looked for.
    fn lookup(&self, id: Option<String>) -> Lookup {
        let key = match self.action {
            GroupAction::Create => None,
            GroupAction::Get | GroupAction::Update | GroupAction::Delete => Some(match self.text("id") {
                Ok(Some(_)) => "id",
                Ok(None) | Err(_) => "displayName",
            }),
        };
        Lookup {
            tried: Vec::from_iter(key),
            found: key.filter(|_| id.is_some()),
            id,
        }
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

    /// Ends because there is no such group.
    pub(super) fn is_absent<T>(&self) -> Result<T, Next> {
        self.fails(Failure::new(Cause::Absent, ABSENT))
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
        self.fails_with(failure, None, None)
    }

    /// Ends with this failure, the `group` if one was found or made, and each member's result in
    /// the details.
    pub(super) fn fails_with<T>(
        &self,
        failure: Failure,
        group: Option<&Id>,
        details: Option<Value>,
    ) -> Result<T, Next> {
        let asked = |name: &str| self.profile.text(name).ok().flatten().map(str::to_owned);
        let lookup = match failure.cause {
            // Nothing was looked for.
            Cause::Invalid | Cause::Incomplete => Lookup::default(),
            Cause::Absent => self.lookup(group.map(Id::to_string)),
            // A change by id may have been made, whatever the directory said.
            Cause::Conflict | Cause::Ambiguous | Cause::Mismatch | Cause::Directory(_) => {
                let asked = || self.id().ok().flatten().filter(|_| self.action != GroupAction::Create);
                self.lookup(group.cloned().or_else(asked).map(|id| id.to_string()))
            }
        };
        finish(Outcome::Group(GroupOutcome {
            action: self.action,
            lookup,
            end: GroupEnd::Failed {
                id: group.map(Id::to_string).or_else(|| asked("id")),
                display_name: asked("displayName"),
                failure,
                details,
            },
        }))
    }
}

/// What is wrong with a text that can't be an id; a character in it that can't be seen is named.
pub(super) fn malformed(place: &str, text: &str) -> String {
    let unseen = aws::unseen(text).map_or_else(String::new, |unseen| format!("; {unseen}"));
    format!("{place} must be 1 to 64 letters, digits, `_` or `-`{unseen}")
}

/// Whether a group has this displayName.
pub(super) fn is_named(group: &Group, name: &str) -> bool {
    group.display_name().is_some_and(|found| is_same_name(found, name))
}

/// The groups' ids, for a message.
pub(super) fn ids<'g>(groups: impl IntoIterator<Item = &'g Group>) -> String {
    let ids: Vec<_> = groups
        .into_iter()
        .filter_map(Group::id)
        .map(|id| id.to_string())
        .collect();
    ids.join(", ")
}

/// What the directory said of a group.
pub(super) fn failure(error: &scim::ScimError) -> Failure {
    if error.kind == ErrorKind::Absent {
        Failure::new(Cause::Absent, ABSENT)
    } else {
        error.into()
    }
}
