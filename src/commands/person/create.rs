//! Making the app user that was not found.

use serde_json::{Value, json};

use super::{
    super::{
        CREATIONS,
        settle::{Judgement, Settled, settle},
    },
    Person, is_same_name,
};
use crate::{
    decide::{Next, Replay},
    diagnostic::Diagnostic,
    outcome::{Action, Cause, Outcome, SkipReason},
    policy::Adopt,
    scim::{
        self, Object, User,
        aws::{self, ENTERPRISE},
        difference,
    },
};

impl<'a> Person<'a> {
    /// Goes on as create, after a look that found nobody.
    pub(in crate::commands) fn create(mut self, allow_enable: bool, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        self.goes_on_as(Action::Create);
        if !self.prepared.rules.policy.create_user_enabled {
            return Ok(self.skipped(SkipReason::Disabled));
        }
        let violations = self.creation_violations();
        if !violations.is_empty() {
            return self.invalid(&violations);
        }
        self.post(allow_enable, replay)
    }

    /// What stands against sending the mapped profile as a new user.
    pub(in crate::commands) fn creation_violations(&self) -> Vec<Diagnostic> {
        let mut violations = self.mapped().faults.clone();
        violations.extend(aws::new_user(self.prepared.rules.dialect, &self.mapped().attributes));
        for violation in &mut violations {
            if let Some(source) = self.prepared.rules.mapper.source(&violation.path) {
                violation.help.push_str(&format!(" (user-profile.{source})"));
            }
        }
        violations
    }

    /// Posts the new user. After a 409, and after an answer that got lost, it looks before it does
    /// anything else: never a duplicate, never a failure where there is none.
    pub(in crate::commands) fn post(self, allow_enable: bool, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        let Some(name) = self.user_name()? else {
            return self.without_a_key();
        };
        let wanted = &self.mapped().attributes;
        let settled = settle(
            replay,
            CREATIONS,
            |replay| replay.create_user(|| new_user(wanted, allow_enable)),
            |replay| replay.users_by_name(&name),
            |sent, users| match users {
                // Ours: the work was done, only its answer never came.
                [user] if sent.may_be_done() && is_as_sent(user, &name, wanted, allow_enable) => Judgement::Done,
                [] if !sent.is_conflict() && sent.times < CREATIONS => Judgement::SendAgain,
                _ => Judgement::Stop,
            },
        )?;
        match settled {
            Settled::Answered(user) => self.created(user, &name, allow_enable),
            Settled::Done([user]) => Ok(self.done(user)),
            Settled::Unsure(sent, looking) => self.unsure("created", sent.lost, looking),
            Settled::Stopped(sent, None) => self.failed(sent.error),
            Settled::Stopped(sent, Some([])) if sent.is_conflict() => self.clashes(sent.error, replay),
            Settled::Stopped(sent, Some([])) => self.failed(sent.error),
            Settled::Stopped(_, Some([user])) if has_name(user, &name) => self.adopt(user, allow_enable, replay),
            Settled::Stopped(_, Some([_])) => self.another_name(),
            Settled::Stopped(_, Some(_)) | Settled::Done(_) => self.more_than_one(),
        }
    }

    /// A create found somebody of this userName: goes on as update if that is the same person.
    pub(in crate::commands) fn adopt(
        mut self,
        user: &'a User,
        allow_enable: bool,
        replay: &mut Replay<'a>,
    ) -> Result<Outcome, Next> {
        self.found = Some(user);
        let external_id = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let wanted = external_id(self.mapped().attributes.get("externalId"));
        let found = external_id(user.get("externalId"));
        match self.prepared.rules.policy.adopt {
            Adopt::SamePerson if wanted.is_some() && found.is_some() && wanted != found => self.fails(
                Cause::Conflict,
                "the userName belongs to another person: the directory's user has another externalId (employee id)",
            ),
            Adopt::Never => self.fails(
                Cause::Conflict,
                "a user of this userName exists, and `adopt` is set to never",
            ),
            Adopt::SamePerson | Adopt::Always => self.update(user, allow_enable, replay),
        }
    }

    /// A 409 although nobody has the userName: which attribute clashes, and whose it is, as far as
    /// AWS can be asked. There is no filter on e-mail (DG ListUsers).
    fn clashes(&self, error: &scim::ScimError, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        let said = error.message();
        if let Some(id) = self.mapped().attributes.get("externalId").and_then(Value::as_str) {
            match replay.users_by_external_id(id)? {
                Ok([]) => {}
                Ok(holders) => {
                    let whose: Vec<_> = holders
                        .iter()
                        .map(|holder| {
                            let (id, name) = (holder.id().map(|id| id.to_string()), holder.user_name());
                            format!(
                                "user {} (userName {})",
                                id.unwrap_or_default(),
                                name.unwrap_or_default()
                            )
                        })
                        .collect();
                    return self.fails(
                        Cause::Conflict,
                        format!(
                            "{said}; the externalId (employee id) is taken by {}",
                            whose.join(" and ")
                        ),
                    );
                }
                Err(looking) => {
                    return self.fails(
                        Cause::Conflict,
                        format!("{said}; looking for whom it clashes with failed: {}", looking.message()),
                    );
                }
            }
        }
        let asked = if self.mapped().attributes.contains_key("externalId") {
            "userName or employee id"
        } else {
            "userName"
        };
        self.fails(
            Cause::Conflict,
            format!("{said}; nobody has this {asked}, so what clashes is another user's, most likely the e-mail"),
        )
    }

    fn created(mut self, user: &'a User, name: &str, allow_enable: bool) -> Result<Outcome, Next> {
        self.found = Some(user);
        if has_name(user, name) && user.active().is_none_or(|active| active == allow_enable) {
            Ok(self.done(user))
        } else {
            self.fails(
                Cause::Mismatch,
                "mismatch: the directory answered with another user than the one sent",
            )
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

/// Whether a user that is there after a lost answer is the one that was sent. A user with an employee
/// id where none was sent is another one.
fn is_as_sent(user: &User, name: &str, wanted: &Object, active: bool) -> bool {
    let has_other_id = user.get("externalId").is_some() && !wanted.contains_key("externalId");
    has_name(user, name) && user.active() == Some(active) && !has_other_id && difference(wanted, user).is_empty()
}

fn has_name(user: &User, name: &str) -> bool {
    user.user_name().is_some_and(|found| is_same_name(found, name))
}
