//! Changing the app user that was found.

use serde_json::Value;

use super::{ABSENT, Person, is_same_name};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause, Outcome, SkipReason},
    scim::{
        ErrorKind, Object, Operation, PatchOp, User,
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
        let policy = &self.rules.policy;
        if !policy.update_user_enabled {
            return Ok(self.skipped(SkipReason::Disabled));
        }
        let wanted = self.sound_attributes()?;
        let mut changes = difference(wanted, user);
        let violations = aws::user_values(self.rules.dialect, &changed_only(wanted, &changes));
        if !violations.is_empty() {
            return self.invalid(&violations);
        }
        if user.active() == Some(false) && allow_enable && policy.enable_user_enabled {
            changes.push(Operation::replace("active", true));
        }
        if changes.is_empty() {
            return Ok(self.done(user));
        }
        match self.patch(user, changes, replay)? {
            Some(user) => Ok(self.done(user)),
            None => self.fails(Cause::Absent, ABSENT),
        }
    }

    /// Sends the changes; `None` when the user is gone by now.
    ///
    /// A 409 may mean that somebody else changed the user at the same moment (Identity Store API,
    /// `CONCURRENT_MODIFICATION`; SCIM does not tell): it is read again, and what is still to
    /// change is sent once more. After an answer that got lost it is read as well, so that no
    /// change is called failed that was made.
    pub(in crate::commands) fn patch(
        &self,
        user: &'a User,
        mut changes: Vec<Operation>,
        replay: &mut Replay<'a>,
    ) -> Result<Option<&'a User>, Next> {
        let Some(id) = user.id() else {
            return self.fails(Cause::Mismatch, "mismatch: the user that was found has no id");
        };
        for is_last in [false, true] {
            let patched = match replay.patch_user(&id, || PatchOp::new(changes.clone()))? {
                Ok(Some(user)) => Ok(user),
                // RFC 7644 section 3.5.2 lets a server answer 204 without the result: read it.
                Ok(None) => replay.user_by_id(&id)?,
                Err(error) => Err(error),
            };
            let error = match patched {
                Ok(patched) if patched.id().as_ref() == Some(&id) && shows(patched, user, &changes) => {
                    return Ok(Some(patched));
                }
                Ok(_) => {
                    return self.fails(
                        Cause::Mismatch,
                        "mismatch: the directory answered without having made the change",
                    );
                }
                Err(error) if error.kind == ErrorKind::Absent => return Ok(None),
                Err(error) => error,
            };
            let is_conflict = error.kind == ErrorKind::Status(409);
            if !(error.is_answer_lost() || (is_conflict && !is_last)) {
                return self.failed(error);
            }
            match replay.user_by_id(&id)? {
                Ok(user) if user.id().as_ref() != Some(&id) => {
                    return self.fails(
                        Cause::Mismatch,
                        "mismatch: the directory answered with a user of another id",
                    );
                }
                Ok(user) => {
                    changes.retain(|change| !is_made(change, user));
                    if changes.is_empty() {
                        return Ok(Some(user));
                    }
                    if !is_conflict {
                        return self.failed(error);
                    }
                }
                Err(looking) if looking.kind == ErrorKind::Absent => return Ok(None),
                Err(looking) => return self.unsure("changed", error, looking),
            }
        }
        Ok(None)
    }
}

/// The attributes that a PATCH touches: what stays as it is need not please anybody.
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

/// Whether an answer shows what nobody may be wrong about: who it is, and whether they are active.
/// Of the rest AWS leaves some out of its answers (DG CreateUser: `profileUrl`, `manager.$ref`).
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
