//! Changing a group's members: in chunks, a refused chunk in halves, each member's result kept.

use std::{
    collections::HashSet,
    iter,
    ops::{ControlFlow, Range},
};

use serde_json::{Value, json};

use super::WANTED;
use crate::{
    commands::group::{ABSENT, AskedGroup},
    decide::{Next, Replay},
    outcome::{Cause, Failure},
    scim::{Dialect, ErrorKind, Filter, Id, Object, Op, Operation, PatchOp, ScimError, aws::MAX_MEMBER_CHANGES},
};

/// How many members a message names; `details` has them all.
const NAMED: usize = 10;

/// One member to add or to remove.
#[derive(Debug)]
pub(in crate::commands) struct Change {
    pub(in crate::commands) op: Op,
    pub(in crate::commands) id: Id,
}

/// The position of an answer among those that are known.
type Position = usize;

/// What became of one member; a failure by the position of the answer that tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemberResult {
    Done,
    Refused(Position),
    /// Sent, but neither an answer nor a look tells whether it was done.
    Unknown(Position),
    NotTried,
}

/// How far the changes of one command are. It goes on from chunk to chunk, so that a hundred
/// thousand members cost a hundred thousand steps: replaying all chunks at each answer would cost
/// their square.
#[derive(Debug)]
pub(in crate::commands) struct Progress {
    /// The answers that are dealt with.
    position: Position,
    /// The first change that no whole chunk has dealt with.
    next: usize,
    results: Vec<MemberResult>,
    /// The first failure: what the whole is told as.
    first: Option<Position>,
    /// Whether the group was looked at after a 404, and is there.
    group_is_there: bool,
    /// The headers of the last good answer.
    headers: Object,
}

impl Progress {
    /// The beginning, with so many members to change.
    pub(in crate::commands) fn of(members: usize) -> Self {
        Self {
            position: 0,
            next: 0,
            results: vec![MemberResult::NotTried; members],
            first: None,
            group_is_there: false,
            headers: Object::new(),
        }
    }
}

/// The changes of one command to one group.
pub(in crate::commands) struct Membership<'c> {
    asked: AskedGroup<'c>,
    group: &'c Id,
    changes: &'c [Change],
    progress: &'c mut Progress,
}

/// What one chunk has come to. Of an unfinished chunk nothing is kept: it is replayed.
#[derive(Debug)]
struct Chunk {
    first: Option<Position>,
    group_is_there: bool,
    headers: Option<Object>,
    /// Whether a part was sent once more after a lost answer or a conflict.
    sent_again: bool,
}

impl<'c> Membership<'c> {
    pub(in crate::commands) fn new(
        asked: AskedGroup<'c>,
        group: &'c Id,
        changes: &'c [Change],
        progress: &'c mut Progress,
    ) -> Self {
        Self {
            asked,
            group,
            changes,
            progress,
        }
    }

    /// Makes the changes; the headers are the last answer's.
    pub(in crate::commands) fn change(mut self, replay: &mut Replay<'_>) -> Result<Object, Next> {
        if self.progress.next > 0 {
            replay.resume_at(self.progress.position);
        }
        while self.progress.next < self.changes.len() {
            let range = self.progress.next..self.changes.len().min(self.progress.next + MAX_MEMBER_CHANGES);
            let chunk = self.change_chunk(range.clone(), replay)?;
            let is_done = self.progress.results[range.clone()]
                .iter()
                .all(|result| *result == MemberResult::Done);
            // What was refused together and taken in parts is no failure.
            if !is_done {
                self.progress.first = chunk.first;
            }
            self.progress.group_is_there = chunk.group_is_there;
            if let Some(headers) = chunk.headers {
                self.progress.headers = headers;
            }
            self.progress.next = range.end;
            self.progress.position = replay.position();
        }
        match self.progress.first {
            None => Ok(self.progress.headers.clone()),
            Some(first) => self.fail_with(replay, first, first),
        }
    }

    /// Changes these members, in halves as long as the directory refuses them. Halving a chunk down
    /// to its members takes 199 calls at most, and 200 are allowed.
    fn change_chunk(&mut self, range: Range<usize>, replay: &mut Replay<'_>) -> Result<Chunk, Next> {
        self.progress.results[range.clone()].fill(MemberResult::NotTried);
        let mut chunk = Chunk {
            first: self.progress.first,
            group_is_there: self.progress.group_is_there,
            headers: None,
            sent_again: false,
        };
        let mut open: Vec<_> = iter::once(range).collect();
        while let Some(range) = open.pop() {
            match replay.patch_group(self.group, || self.patch(range.clone()))? {
                Ok(headers) => {
                    chunk.headers = Some(headers.to_object());
                    self.progress.results[range].fill(MemberResult::Done);
                }
                Err(error) => {
                    if let ControlFlow::Continue(parts) = self.after_failure(range, error, &mut chunk, replay)? {
                        open.extend(parts);
                    }
                }
            }
        }
        Ok(chunk)
    }

    /// Deals with the failure of a PATCH: what of it has to be sent again.
    fn after_failure(
        &mut self,
        range: Range<usize>,
        error: &ScimError,
        chunk: &mut Chunk,
        replay: &mut Replay<'_>,
    ) -> Result<ControlFlow<(), Vec<Range<usize>>>, Next> {
        let failed = replay.position() - 1;
        let is_conflict = error.status() == Some(409);
        let first = chunk.first.unwrap_or(failed);
        if error.is_answer_lost() || (is_conflict && !chunk.sent_again) {
            // AWS's PATCH is not atomic: what it did is seen only by looking. To send the same
            // again is safe. A 409 is another writer of the group at the same moment.
            if self.reconcile(range.clone(), first, failed, replay)? {
                return Ok(ControlFlow::Break(()));
            }
            if chunk.sent_again {
                return self.fail_with(replay, first, failed);
            }
            chunk.sent_again = true;
            return Ok(ControlFlow::Continue(vec![range]));
        }
        if !matches!(error.kind, ErrorKind::Absent | ErrorKind::Status(400)) {
            if error.status().is_some() {
                self.progress.results[range].fill(MemberResult::Refused(failed));
            }
            return self.fail_with(replay, first, failed);
        }
        // A 404 says that something is not there, not what: the group itself is asked for, once. So
        // may a 400 where the group's id is not of the directory's form.
        if self.asked.is_unknown(self.group, error) && !chunk.group_is_there {
            self.look_at_group(chunk, replay)?;
            chunk.group_is_there = true;
        }
        chunk.first = Some(first);
        if range.len() == 1 {
            self.progress.results[range.start] = MemberResult::Refused(failed);
            return Ok(ControlFlow::Break(()));
        }
        let middle = range.start + range.len() / 2;
        Ok(ControlFlow::Continue(vec![middle..range.end, range.start..middle]))
    }

    /// Looks which of these changes an unanswered PATCH has made. True when all of them are in
    /// effect.
    fn reconcile(
        &mut self,
        range: Range<usize>,
        first: Position,
        lost: Position,
        replay: &mut Replay<'_>,
    ) -> Result<bool, Next> {
        let members = match self.asked.members(self.group, replay)? {
            Ok(members) => members,
            Err(looking) => {
                self.progress.results[range].fill(MemberResult::Unknown(lost));
                let mut failure = failure(replay, first, lost);
                failure
                    .message
                    .push_str(&format!("; looking failed too: {}", looking.message));
                if looking.cause == Cause::Directory(ErrorKind::Expired) {
                    failure.cause = looking.cause;
                }
                return self.end_with(replay, failure);
            }
        };
        let members: HashSet<_> = members.iter().map(|member| member.value.as_str()).collect();
        let mut all = true;
        for place in range {
            let Change { op, id } = &self.changes[place];
            let in_effect = members.contains(id.as_str()) == (*op == Op::Add);
            self.progress.results[place] = if in_effect {
                MemberResult::Done
            } else {
                MemberResult::Unknown(lost)
            };
            all &= in_effect;
        }
        Ok(all)
    }

    fn look_at_group(&self, chunk: &Chunk, replay: &mut Replay<'_>) -> Result<(), Next> {
        match replay.group_by_id(self.group)? {
            Ok(_) => Ok(()),
            Err(error) if self.asked.is_unknown(self.group, error) => {
                let (failure, details) = self.told(replay, Failure::new(Cause::Absent, ABSENT));
                self.asked.fails_with(failure, None, Some(details))
            }
            Err(_) => {
                let looking = replay.position() - 1;
                self.fail_with(replay, chunk.first.unwrap_or(looking), looking)
            }
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
        match self.asked.rules.dialect {
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

    /// Ends because of the `last` failure, after a `first` one.
    fn fail_with<T>(&self, replay: &Replay<'_>, first: Position, last: Position) -> Result<T, Next> {
        self.end_with(replay, failure(replay, first, last))
    }

    /// Ends with `failure`, of a group that is there.
    fn end_with<T>(&self, replay: &Replay<'_>, failure: Failure) -> Result<T, Next> {
        let (failure, details) = self.told(replay, failure);
        self.asked.fails_with(failure, Some(self.group), Some(details))
    }

    /// A failure that says how many are done and names the refused members, and the details with
    /// each one's result.
    fn told(&self, replay: &Replay<'_>, mut failure: Failure) -> (Failure, Value) {
        let results = || self.changes.iter().zip(&self.progress.results);
        let of = |wanted: fn(&MemberResult) -> bool| {
            let members = results().filter(move |(_, result)| wanted(result));
            members.map(|(change, _)| change.id.as_str()).collect::<Vec<_>>()
        };
        let count = |wanted: MemberResult| results().filter(|(_, result)| **result == wanted).count();
        let (done, all) = (count(MemberResult::Done), self.changes.len());
        failure.message.push_str(&format!("; {done} of {all} done"));
        for (what, ids) in [
            ("failed", of(|result| matches!(result, MemberResult::Refused(_)))),
            ("not known", of(|result| matches!(result, MemberResult::Unknown(_)))),
            ("not tried", of(|result| *result == MemberResult::NotTried)),
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
        if let Some(name) = self.user_name(replay) {
            failure
                .message
                .push_str(&format!("; {name} looks like a user name: {WANTED}"));
        }
        let members: Vec<_> = results().map(|member| details(member, replay)).collect();
        (failure, json!({"members": members}))
    }

    /// The first member that the directory does not know and that looks like a user name: AWS's ids
    /// have a form of their own.
    fn user_name(&self, replay: &Replay<'_>) -> Option<&Id> {
        let is_unknown = |position| {
            matches!(
                replay.error_at(position).kind,
                ErrorKind::Absent | ErrorKind::Status(400)
            )
        };
        let mut members = self.changes.iter().zip(&self.progress.results);
        let (change, _) = members.find(|(change, result)| {
            let is_name = !change.id.is_aws_formed() && change.id.as_str().contains(|c: char| c.is_ascii_alphabetic());
            is_name && matches!(result, MemberResult::Refused(position) if is_unknown(*position))
        })?;
        (self.asked.rules.dialect == Dialect::Aws).then_some(&change.id)
    }
}

/// What the `last` failure is told as: the first one there was, unless the command's time is over,
/// which has a status of its own.
fn failure(replay: &Replay<'_>, first: Position, last: Position) -> Failure {
    let (first_error, last_error) = (replay.error_at(first), replay.error_at(last));
    let told = if last_error.kind == ErrorKind::Expired {
        last_error
    } else {
        first_error
    };
    let mut failure = Failure::from(told);
    if told.kind == ErrorKind::Absent {
        failure.cause = Cause::Absent;
    }
    if first != last {
        failure.message = format!("{}; then: {}", first_error.message(), last_error.message());
    }
    failure
}

fn details((change, result): (&Change, &MemberResult), replay: &Replay<'_>) -> Value {
    let (result, error) = match result {
        MemberResult::Done => ("done", None),
        MemberResult::Refused(position) => ("failed", Some(replay.error_at(*position))),
        MemberResult::Unknown(position) => ("not known", Some(replay.error_at(*position))),
        MemberResult::NotTried => ("not tried", None),
    };
    let mut details = json!({"value": change.id, "operation": change.op, "result": result});
    if let Some(error) = error {
        details["errorCode"] = error.status().into();
        details["errorMessage"] = error.message().into();
    }
    details
}
