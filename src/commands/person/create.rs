//! Making the app user that was not found.

use serde_json::json;

use super::{
    super::{
        CREATIONS,
        settle::{Judgement, Settled, settle},
    },
    ABSENT, Keys, PROFILE, Person,
    find::named,
    is_same_name,
    keys::LookupKey,
};
use crate::{
    decide::{Next, Replay},
    diagnostic::Diagnostic,
    outcome::{Action, Cause, Outcome, SkipReason},
    policy::Adopt,
    scim::{
        Object, User,
        aws::{self, ENTERPRISE},
        difference,
    },
};

impl<'a> Person<'a> {
    /// Goes on as create, after a look that found no user.
    pub(in crate::commands) fn create(
        mut self,
        keys: &Keys,
        allow_enable: bool,
        replay: &mut Replay<'a>,
    ) -> Result<Outcome, Next> {
        if keys.user_name.is_none() {
            return self.fails(Cause::Absent, ABSENT);
        }
        self.goes_on_as(Action::Create);
        if !self.policy().create_user_enabled {
            return Ok(self.skipped(SkipReason::Disabled));
        }
        let violations = self.creation_violations();
        if !violations.is_empty() {
            return self.refuses_creation(&violations);
        }
        self.post(keys, allow_enable, replay)
    }

    /// Ends because of what stands against a creation.
    pub(in crate::commands) fn refuses_creation<T>(&self, violations: &[Diagnostic]) -> Result<T, Next> {
        if violations.iter().all(aws::is_lacking) {
            let lines: Vec<_> = violations.iter().map(Diagnostic::sentence).collect();
            return self.fails(Cause::Incomplete, lines.join(". "));
        }
        self.invalid(violations)
    }

    /// What stands against sending the mapped profile as a new user.
    pub(in crate::commands) fn creation_violations(&self) -> Vec<Diagnostic> {
        let mut violations = self.mapped().faults.clone();
        violations.extend(aws::new_user(self.prepared.rules.dialect, &self.mapped().attributes));
        for violation in &mut violations {
            self.name_field(violation, PROFILE);
        }
        violations
    }

    /// Looks only by what a 409 would not show: the id, the old keys, the userName's other form,
    /// which the directory would take as a new user.
    pub(in crate::commands) fn find_unseen(
        &mut self,
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<Option<&'a User>, Next> {
        if let Some(user) = self.find_by(&[LookupKey::Id], keys, replay)? {
            return Ok(Some(user));
        }
        let name = keys.user_name.as_deref().unwrap_or_default();
        if let Some(user) = self.by_other_form(name, replay)? {
            let exact = self.one_of_name(name, replay.users_by_name(name)?)?;
            let user = self.accept(LookupKey::UserName, exact.unwrap_or(user), keys, replay)?;
            return Ok(Some(user));
        }
        for key in [LookupKey::OldId, LookupKey::OldUserName, LookupKey::OldEmployeeId] {
            if !keys.has(key) {
                continue;
            }
            self.lookup.tried.push(key.as_str());
            if let Some(user) = self.fetch(key, keys, replay)? {
                // What is true now counts before what was, unless it is one user by both.
                if let Some(user) = self.find_by(&[LookupKey::UserName], keys, replay)? {
                    return Ok(Some(user));
                }
                if keys.has(LookupKey::EmployeeId) {
                    self.lookup.tried.push(LookupKey::EmployeeId.as_str());
                }
                return match self.fetch(LookupKey::EmployeeId, keys, replay)? {
                    Some(other) if other.id() != user.id() => {
                        self.accept(LookupKey::EmployeeId, other, keys, replay).map(Some)
                    }
                    Some(_) | None => self.accept(key, user, keys, replay).map(Some),
                };
            }
        }
        Ok(None)
    }

    /// Posts the new user. After a 409, and after an answer that got lost, it looks before it does
    /// anything else: never a duplicate, never a failure where there is none.
    pub(in crate::commands) fn post(
        mut self,
        keys: &Keys,
        allow_enable: bool,
        replay: &mut Replay<'a>,
    ) -> Result<Outcome, Next> {
        let Some(name) = keys.user_name.as_deref() else {
            return self.fails(Cause::Absent, ABSENT);
        };
        let wanted = &self.mapped().attributes;
        let settled = settle(
            replay,
            CREATIONS,
            |replay| replay.create_user(|| new_user(wanted, allow_enable)),
            |replay| replay.users_by_name(name),
            |sent, users| match users {
                // Ours: the work was done, only its answer never came.
                [user] if sent.may_be_done() && is_as_sent(user, name, wanted, allow_enable) => Judgement::Done,
                [] if !sent.is_conflict() && sent.times < CREATIONS => Judgement::SendAgain,
                _ => Judgement::Stop,
            },
        )?;
        match settled {
            Settled::Answered(user) => self.created(user, name, allow_enable),
            Settled::Done(users) => match users.first() {
                Some(user) => Ok(self.done(user)),
                None => self.fails(Cause::Absent, ABSENT),
            },
            Settled::Unsure(sent, looking) => self.unsure("created", sent.lost, looking),
            Settled::Stopped(sent, None) => self.failed(sent.error),
            Settled::Stopped(sent, Some(users)) => {
                if let Some(user) = self.one_of_name(name, Ok(users))? {
                    self.lookup.tried.push(LookupKey::UserName.as_str());
                    let user = self.accept(LookupKey::UserName, user, keys, replay)?;
                    return self.adopt(user, allow_enable, replay);
                }
                if !sent.is_conflict() {
                    return self.failed(sent.error);
                }
                // The name is free: what clashes is the employee id, of the same person or of
                // another.
                if let Some(user) = self.find_by(&[LookupKey::EmployeeId], keys, replay)? {
                    return self.adopt(user, allow_enable, replay);
                }
                self.clashes(sent.error, wanted, &["userName", "externalId"], replay)
            }
        }
    }

    /// A create found its person: goes on as update where the instance lets it.
    pub(in crate::commands) fn adopt(
        mut self,
        user: &'a User,
        allow_enable: bool,
        replay: &mut Replay<'a>,
    ) -> Result<Outcome, Next> {
        self.found = Some(user);
        if self.policy().adopt == Adopt::Never {
            let message = format!("{} is there, and `adopt` is set to never", named(user));
            return self.fails(Cause::Conflict, message);
        }
        self.update(user, allow_enable, replay)
    }

    fn created(mut self, user: &'a User, name: &str, allow_enable: bool) -> Result<Outcome, Next> {
        self.found = Some(user);
        if has_name(user, name) && user.active().is_none_or(|active| active == allow_enable) {
            Ok(self.done(user))
        } else {
            self.mismatch("the directory answered with another user than the one sent")
        }
    }
}

/// The body of a creation.
fn new_user(attributes: &Object, active: bool) -> Object {
    let mut schemas = vec!["urn:ietf:params:scim:schemas:core:2.0:User"];
    if attributes.contains_key(ENTERPRISE) {
        schemas.push(ENTERPRISE);
    }
    let mut body = Object::new();
    body.insert("schemas".to_owned(), json!(schemas));
    body.extend(attributes.clone());
    body.insert("active".to_owned(), active.into());
    body
}

/// Whether a user that is there after a lost answer is the one that was sent. A user with an
/// employee id where none was sent is another one.
fn is_as_sent(user: &User, name: &str, wanted: &Object, active: bool) -> bool {
    let has_other_id = user.get("externalId").is_some() && !wanted.contains_key("externalId");
    has_name(user, name) && user.active() == Some(active) && !has_other_id && difference(wanted, user).is_empty()
}

fn has_name(user: &User, name: &str) -> bool {
    user.user_name().is_some_and(|found| is_same_name(found, name))
}
