//! `iam-update-group`: adds and removes members, or renames a group.
//!
//! With members: adds come first, then removals, in PATCHes of at most 100 changes. A PATCH that the directory refuses with 400 or 404
//! is split in halves until the bad member is found; the others are changed all the same. Adding who is in, or removing who is out, is no
//! fault (RFC 7644 section 3.5.2.1), so a half may be sent again safely. Without members: `displayName` and `externalId` are replaced.
//! It refuses ids that can't be ids, an id in both lists, and a command that would change nothing.

use std::{collections::HashSet, ops::Range};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{MemberIds, Rules, finish, group};
use crate::{
    decide::{Next, Replay},
    outcome::{Cause, Failure, GroupOutcome, Outcome},
    profile::GroupProfile,
    scim::{
        self, Dialect, ErrorKind, Filter, Headers, Id, Object, Op, Operation, PatchOp,
        aws::{self, MAX_MEMBER_CHANGES},
    },
};

/// How often one chunk is split at most, in calls: a directory that refuses everything must not cost thousands.
const MAX_CALLS_A_CHUNK: usize = 200;

/// How many members a message names; `details` has them all.
const NAMED: usize = 10;

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

/// What to do next.
pub(super) fn decide(args: &Args, rules: &Rules, replay: &mut Replay<'_>) -> Result<Outcome, Next> {
    let id = group::required_id(&args.scim)?;
    let changes = changes(args)?;
    if replay.is_dry_run()
        && let Err(error) = replay.group_by_id(&id)?
    {
        return group::failed(error);
    }
    let headers = if changes.is_empty() {
        rename(&id, &args.scim, rules, replay)?
    } else {
        Membership {
            group: &id,
            dialect: rules.dialect,
            fates: vec![Fate::NotTried; changes.len()],
            changes: &changes,
        }
        .change(replay)?
    };
    Ok(Outcome::Group(GroupOutcome::Done {
        id: Some(id.to_string()),
        display_name: group::text(&args.scim, "displayName")?.map(str::to_owned),
        details: headers.to_object(),
        members: None,
    }))
}

/// The members to change: additions, then removals, each id once.
fn changes(args: &Args) -> Result<Vec<Change>, Next> {
    let mut changes = Vec::new();
    let mut added = HashSet::new();
    for (argument, ids, op) in [
        ("memberIdsToAdd", &args.add, Op::Add),
        ("memberIdsToDelete", &args.remove, Op::Remove),
    ] {
        let mut seen = HashSet::new();
        for (position, text) in ids.0.iter().enumerate() {
            let Some(id) = Id::parse(text) else {
                return group::invalid(format!(
                    "{argument}[{position}] must be 1 to 64 letters, digits, `_` or `-`"
                ));
            };
            if op == Op::Remove && added.contains(&id) {
                return group::invalid(format!(
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

fn rename<'a>(id: &Id, asked: &GroupProfile, rules: &Rules, replay: &mut Replay<'a>) -> Result<&'a Headers, Next> {
    let mut attributes = Object::new();
    for name in ["displayName", "externalId"] {
        if let Some(text) = group::text(asked, name)? {
            attributes.insert(name.to_owned(), text.into());
        }
    }
    if attributes.is_empty() {
        return group::invalid(
            "nothing to change: give memberIdsToAdd, memberIdsToDelete, scim.displayName or scim.externalId",
        );
    }
    let violations = aws::group_values(rules.dialect, &attributes);
    if !violations.is_empty() {
        return group::violates(&violations);
    }
    let operations = attributes
        .into_iter()
        .map(|(name, value)| Operation::replace(name, value))
        .collect();
    replay
        .patch_group(id, || PatchOp::new(operations))?
        .or_else(group::failed)
}

/// One member to add or to remove.
#[derive(Debug)]
struct Change {
    op: Op,
    id: Id,
}

/// What became of one member.
#[derive(Clone, Debug)]
enum Fate<'a> {
    Done,
    Refused(&'a scim::Error),
    /// Sent, but no answer tells whether it was done.
    Unknown(&'a scim::Error),
    NotTried,
}

/// The changes of one command, and how far they are.
struct Membership<'c, 'a> {
    group: &'c Id,
    dialect: Dialect,
    changes: &'c [Change],
    fates: Vec<Fate<'a>>,
}

impl<'a> Membership<'_, 'a> {
    /// Makes the changes; the headers are the last answer's.
    fn change(mut self, replay: &mut Replay<'a>) -> Result<&'a Headers, Next> {
        let mut last = None;
        let mut group_is_there = false;
        for start in (0..self.changes.len()).step_by(MAX_MEMBER_CHANGES) {
            let end = self.changes.len().min(start + MAX_MEMBER_CHANGES);
            let mut open = vec![start..end];
            let mut calls = 0;
            while let Some(range) = open.pop() {
                if calls == MAX_CALLS_A_CHUNK {
                    break;
                }
                calls += 1;
                match replay.patch_group(self.group, || self.patch(range.clone()))? {
                    Ok(headers) => {
                        last = Some(headers);
                        self.fates[range].fill(Fate::Done);
                    }
                    Err(error) if matches!(error.kind, ErrorKind::Absent | ErrorKind::Status(400)) => {
                        // A 404 says that something is not there, not what: the group itself is asked for, once.
                        if error.kind == ErrorKind::Absent && !group_is_there {
                            self.look_at_group(replay)?;
                            group_is_there = true;
                        }
                        match range.len() {
                            1 => self.fates[range.start] = Fate::Refused(error),
                            length => {
                                let middle = range.start + length / 2;
                                open.extend([middle..range.end, range.start..middle]);
                            }
                        }
                    }
                    Err(error) => {
                        if error.is_answer_lost() {
                            self.fates[range].fill(Fate::Unknown(error));
                        }
                        return self.stops(error.into());
                    }
                }
            }
        }
        let first = self.fates.iter().find_map(|fate| match fate {
            Fate::Refused(error) | Fate::Unknown(error) => Some(*error),
            Fate::Done | Fate::NotTried => None,
        });
        match (first, last) {
            (None, Some(headers)) => Ok(headers),
            (None, None) => group::invalid("nothing was sent"),
            (Some(error), _) => {
                let cause = if error.kind == ErrorKind::Absent {
                    Cause::Absent
                } else {
                    Cause::Directory(error.kind)
                };
                self.stops(Failure::new(cause, error.message()))
            }
        }
    }

    fn look_at_group(&self, replay: &mut Replay<'a>) -> Result<(), Next> {
        match replay.group_by_id(self.group)? {
            Ok(_) => Ok(()),
            Err(error) if error.kind == ErrorKind::Absent => self.stops(Failure::new(Cause::Absent, group::ABSENT)),
            Err(error) => self.stops(error.into()),
        }
    }

    fn patch(&self, range: Range<usize>) -> PatchOp {
        let of = |op| {
            self.changes[range.clone()]
                .iter()
                .filter(move |change| change.op == op)
                .map(|change| &change.id)
        };
        let list = |op| of(op).map(|id| json!({"value": id})).collect::<Vec<_>>();
        let mut operations = Vec::new();
        if of(Op::Add).next().is_some() {
            operations.push(Operation {
                op: Op::Add,
                path: "members".to_owned(),
                value: Some(list(Op::Add).into()),
            });
        }
        match self.dialect {
            // AWS takes a list of values to remove (DG PatchGroup), which RFC 7644 does not know.
            Dialect::Aws if of(Op::Remove).next().is_some() => {
                let value = Some(list(Op::Remove).into());
                operations.push(Operation {
                    op: Op::Remove,
                    path: "members".to_owned(),
                    value,
                });
            }
            Dialect::Aws => {}
            // RFC 7644 section 3.5.2.2: what to remove is said in the path.
            Dialect::Rfc7644 => operations.extend(of(Op::Remove).map(|id| {
                let path = format!("members[{}]", Filter::equal("value", id.as_str()));
                Operation {
                    op: Op::Remove,
                    path,
                    value: None,
                }
            })),
        }
        PatchOp::new(operations)
    }

    /// Ends with `failure`, naming who was refused, and telling each member's fate in the details.
    fn stops<T>(&self, mut failure: Failure) -> Result<T, Next> {
        let of = |wanted: fn(&Fate<'_>) -> bool| {
            let members = self
                .changes
                .iter()
                .zip(&self.fates)
                .filter(move |(_, fate)| wanted(fate));
            members.map(|(change, _)| change.id.as_str()).collect::<Vec<_>>()
        };
        for (what, ids) in [
            ("failed", of(|fate| matches!(fate, Fate::Refused(_)))),
            ("not known", of(|fate| matches!(fate, Fate::Unknown(_)))),
            ("not tried", of(|fate| matches!(fate, Fate::NotTried))),
        ] {
            let rest = ids.len().saturating_sub(NAMED);
            let more = if rest > 0 {
                format!(" and {rest} more")
            } else {
                String::new()
            };
            if !ids.is_empty() {
                failure
                    .message
                    .push_str(&format!("; {what}: {}{more}", ids[..ids.len().min(NAMED)].join(", ")));
            }
        }
        let members: Vec<_> = self.changes.iter().zip(&self.fates).map(told).collect();
        finish(Outcome::Group(GroupOutcome::Failed {
            failure,
            details: Some(json!({"members": members})),
        }))
    }
}

fn told((change, fate): (&Change, &Fate<'_>)) -> Value {
    let (result, error) = match fate {
        Fate::Done => ("done", None),
        Fate::Refused(error) => ("failed", Some(error)),
        Fate::Unknown(error) => ("not known", Some(error)),
        Fate::NotTried => ("not tried", None),
    };
    let mut told = json!({"value": change.id, "operation": change.op, "result": result});
    if let Some(error) = error {
        told["errorCode"] = error.status().into();
        told["errorMessage"] = error.message().into();
    }
    told
}
