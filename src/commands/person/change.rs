//! Changing the app user that was found.

use std::cell::RefCell;

use serde_json::Value;

use super::{
    super::settle::{Judgement, Settled, settle},
    ABSENT, PROFILE, Person,
    clash::must_be_unique,
    is_same_name,
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause, Outcome, SkipReason},
    scim::{
        ErrorKind, Id, Object, Operation, PatchOp, User,
        aws::{self, ENTERPRISE},
        difference, is_made,
    },
};

impl<'a> Person<'a> {
    /// Goes on as update: one PATCH with only what differs.
    pub(in crate::commands) fn update(
        mut self,
        user: &'a User,
        allow_enable: bool,
        replay: &mut Replay<'a>,
    ) -> Result<Outcome, Next> {
        self.goes_on_as(Action::Update);
        self.found = Some(user);
        let policy = self.policy();
        if !policy.update_user_enabled {
            return Ok(self.skipped(SkipReason::Disabled));
        }
        let wanted = self.sound_attributes()?;
        let mut changes = difference(wanted, user);
        if self.keeps_its_spelling(user) {
            changes.retain(|change| change.path != "userName");
        }
        let sent = changed_only(wanted, &changes);
        let mut violations = aws::user_values(self.prepared.rules.dialect, &sent);
        for violation in &mut violations {
            self.name_field(violation, PROFILE);
        }
        if !violations.is_empty() {
            return self.invalid(&violations);
        }
        changes.splice(0..0, self.removals(user));
        if user.active() == Some(false) && allow_enable && policy.enable_user_enabled {
            match self.newer_disable(user, replay)? {
                None => changes.push(Operation::replace("active", true)),
                disable => self.overtaken = disable.map(str::to_owned),
            }
        }
        if changes.is_empty() {
            return Ok(self.done(user));
        }
        match self.patch(user, changes, &sent, replay)? {
            Some(user) => Ok(self.done(user)),
            None => self.fails(Cause::Absent, ABSENT),
        }
    }

    /// The operation that disabled the user and was accepted after this one: what was meant before
    /// a person left enables no account.
    fn newer_disable(&self, user: &User, replay: &mut Replay<'a>) -> Result<Option<&'a str>, Next> {
        let Some(id) = user.id() else { return Ok(None) };
        match replay.newer_disable(&id)? {
            Ok(disable) => Ok(disable),
            Err(error) => self.failed(error),
        }
    }

    /// Whether the profile's userName is the user's in another spelling, which stays: SAML's NameID
    /// must match it to the letter. Old data that have the user's spelling say that it is to
    /// change.
    fn keeps_its_spelling(&self, user: &User) -> bool {
        let Some(has) = user.user_name() else { return false };
        let is_same = self.mapped_user_name().is_some_and(|name| is_same_name(name, has));
        is_same && self.prepared.old_user_name() != Some(has)
    }

    /// Sends the changes, of which `sent` are the attributes; `None` when the user is gone by now.
    ///
    /// A 409 is another user's value, or another writer of the user at the same moment (Identity
    /// Store API, `CONCURRENT_MODIFICATION`; SCIM does not tell). Where a value may clash, it is
    /// looked whose it is; else the user is read again. Then what is still to change is sent once
    /// more. After an answer that got lost the user is read as well, so that no change is called
    /// failed that was made.
    pub(in crate::commands) fn patch(
        &self,
        user: &'a User,
        changes: Vec<Operation>,
        sent: &Object,
        replay: &mut Replay<'a>,
    ) -> Result<Option<&'a User>, Next> {
        let Some(id) = user.id() else {
            return self.fails(Cause::Mismatch, "mismatch: the user that was found has no id");
        };
        // Shared by what sends and what judges: what a look shows to be made is not sent again.
        let changes = RefCell::new(changes);
        let may_clash = must_be_unique(sent);
        let mut settled = Self::send(&id, &changes, usize::from(!may_clash), replay)?;
        if let Settled::Stopped(refused, None) = &settled
            && may_clash
            && refused.is_conflict()
        {
            self.is_nobodys(refused.error, sent, &[], replay)?;
            settled = Self::send(&id, &changes, 0, replay)?;
        }
        match settled {
            Settled::Answered(patched)
                if patched.id().as_ref() == Some(&id) && shows(patched, user, &changes.borrow()) =>
            {
                Ok(Some(patched))
            }
            Settled::Answered(_) => self.fails(
                Cause::Mismatch,
                "mismatch: the directory answered without having made the change",
            ),
            Settled::Done(seen) => Ok(Some(seen)),
            Settled::Stopped(last, None) if last.error.kind == ErrorKind::Absent => Ok(None),
            Settled::Stopped(_, Some(seen)) if seen.id().as_ref() != Some(&id) => self.fails(
                Cause::Mismatch,
                "mismatch: the directory answered with a user of another id",
            ),
            Settled::Stopped(last, _) if last.is_conflict() => self.clashes_unseen(last.error, sent),
            Settled::Stopped(last, _) => self.failed(last.error),
            Settled::Unsure(_, looking) if looking.kind == ErrorKind::Absent => Ok(None),
            Settled::Unsure(last, looking) => self.unsure("changed", Some(last.error), looking),
        }
    }

    /// Sends the changes, and looks at the user after an answer that got lost and after so many
    /// conflicts.
    fn send(
        id: &Id,
        changes: &RefCell<Vec<Operation>>,
        conflicts: usize,
        replay: &mut Replay<'a>,
    ) -> Result<Settled<'a, &'a User, &'a User>, Next> {
        settle(
            replay,
            conflicts,
            |replay| match replay.patch_user(id, || PatchOp::new(changes.borrow().clone()))? {
                Ok(Some(user)) => Ok(Ok(user)),
                // RFC 7644 section 3.5.2 lets a server answer 204 without the result: read it.
                Ok(None) => replay.user_by_id(id),
                Err(error) => Ok(Err(error)),
            },
            |replay| replay.user_by_id(id),
            |sent, seen: &&'a User| {
                if seen.id().as_ref() != Some(id) {
                    return Judgement::Stop;
                }
                changes.borrow_mut().retain(|change| !is_made(change, seen));
                match changes.borrow().is_empty() {
                    true => Judgement::Done,
                    false if sent.is_conflict() && sent.times == 1 => Judgement::SendAgain,
                    false => Judgement::Stop,
                }
            },
        )
    }
}

/// The attributes that a PATCH touches: what stays as it is need not pass the preflight.
fn changed_only(wanted: &Object, changes: &[Operation]) -> Object {
    let changed = |name: &str| {
        changes
            .iter()
            .any(|change| change.path == name || (name == ENTERPRISE && change.path.starts_with(ENTERPRISE)))
    };
    wanted
        .iter()
        .filter(|(name, _)| changed(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether an answer shows the user that was meant, with the `active` that was sent. Of the rest
/// AWS leaves some out of its answers (DG CreateUser: `profileUrl`, `manager.$ref`).
fn shows(user: &User, before: &User, changes: &[Operation]) -> bool {
    let wanted = |path: &str| {
        changes
            .iter()
            .find(|change| change.path == path)
            .and_then(|change| change.value.as_ref())
    };
    let name = wanted("userName").and_then(Value::as_str).or(before.user_name());
    let active = wanted("active").and_then(Value::as_bool);
    name.zip(user.user_name())
        .is_some_and(|(wanted, shown)| is_same_name(wanted, shown))
        && active.is_none_or(|wanted| user.active() == Some(wanted))
}
