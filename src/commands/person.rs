//! What the user commands share: finding the app user, changing the one that was found, making the one that was not.

use serde_json::{Value, json};

use super::{Rules, finish};
use crate::{
    decide::{Next, Replay},
    mapper::{Mapped, MappingType},
    outcome::{Action, Cause, Failure, Outcome, SkipReason, UserOutcome},
    policy::Adopt,
    profile::{NotText, UserProfile},
    scim::{
        self, ErrorKind, Id, Object, Operation, PatchOp, User,
        aws::{self, ENTERPRISE, Violation},
        difference, is_made,
    },
};

/// The sentence for somebody who is not there.
pub(super) const ABSENT: &str = "User does not exist";

/// Where the profile stands in a message.
const PROFILE: &str = "user-profile";

/// Where the old data stand in a message.
const OLD: &str = "user-profile.olduserdata";

/// How often a creation is sent whose answer gets lost. Between two, the directory is looked at.
const CREATIONS: usize = 3;

/// One person in one user command: the profile, and what it is worth so far.
#[derive(Debug)]
pub(super) struct Person<'a> {
    rules: &'a Rules,
    profile: &'a UserProfile,
    old: Option<UserProfile>,
    action: Action,
    mapped: Mapped,
    found: Option<&'a User>,
}

impl<'a> Person<'a> {
    /// The person that `profile` is about, in a command that does `action`.
    pub(super) fn new(action: Action, profile: &'a UserProfile, rules: &'a Rules) -> Self {
        let mut person = Self {
            rules,
            profile,
            old: None,
            action,
            mapped: Mapped::default(),
            found: None,
        };
        person.goes_on_as(action);
        person
    }

    /// The command turns into another: create finds somebody, update finds nobody. Its mapping turns with it.
    fn goes_on_as(&mut self, action: Action) {
        let mapping_type = match action {
            Action::Create => MappingType::Create,
            Action::Get | Action::Update | Action::Disable => MappingType::Update,
        };
        self.action = action;
        self.mapped = self.rules.mapper.outgoing(mapping_type, self.profile);
    }

    /// Reads `olduserdata`, whose keys are then looked for first.
    pub(super) fn with_old_data(mut self) -> Result<Self, Next> {
        self.old = match self.profile.old() {
            Ok(old) => old,
            Err(fault) => return self.not_text(&fault),
        };
        if let Some(old) = &self.old {
            self.id(old, OLD)?;
        }
        Ok(self)
    }

    // Finding.

    /// Finds the app user by the first of these that the profile has: old id, id, old userName, userName. `None` when
    /// nobody is there; a command without any of them, or with one that no directory can have, fails before any call.
    pub(super) fn find(&mut self, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        let id = self.id(self.profile, PROFILE)?;
        let name = self.user_name()?;
        let (old_id, old_name) = match self.old.take() {
            None => (None, None),
            Some(old) => (self.id(&old, OLD)?, self.old_user_name(&old)?),
        };
        if id.is_none() && name.is_none() && old_id.is_none() && old_name.is_none() {
            return self.without_a_key();
        }
        if let Some(old_id) = old_id.filter(|old_id| Some(old_id) != id.as_ref())
            && let Some(user) = self.by_id(&old_id, replay)?
        {
            return Ok(Some(user));
        }
        if let Some(id) = id {
            // An id that the directory made and no longer knows is nobody: a name might be somebody else's by now.
            return self.by_id(&id, replay);
        }
        let same = |old: &String| name.as_ref().is_some_and(|name| is_same_name(old, name));
        if let Some(old_name) = old_name.filter(|old| !same(old))
            && let Some(user) = self.by_name(&old_name, replay)?
        {
            return Ok(Some(user));
        }
        name.map_or(Ok(None), |name| self.by_name(&name, replay))
    }

    /// The `id` of the profile, or of the old data in it; `place` is where that stands, for messages.
    fn id(&self, profile: &UserProfile, place: &str) -> Result<Option<Id>, Next> {
        match profile.text("id") {
            Ok(None) => Ok(None),
            Ok(Some(text)) => match Id::parse(text) {
                Some(id) => Ok(Some(id)),
                None => self.fails(
                    Cause::Invalid,
                    format!("{place}.id must be 1 to 64 letters, digits, `_` or `-`"),
                ),
            },
            Err(fault) => self.not_text(&NotText {
                field: format!("{place}.id"),
                ..fault
            }),
        }
    }

    /// True when the profile has a server-made identifier of its own.
    pub(super) fn has_id(&self) -> Result<bool, Next> {
        Ok(self.id(self.profile, PROFILE)?.is_some())
    }

    /// The userName that the profile maps to, if it can be looked up.
    fn user_name(&self) -> Result<Option<String>, Next> {
        self.mapped_user_name(&self.mapped, PROFILE)
    }

    fn old_user_name(&self, old: &UserProfile) -> Result<Option<String>, Next> {
        self.mapped_user_name(&self.rules.mapper.outgoing(MappingType::Update, old), OLD)
    }

    fn mapped_user_name(&self, mapped: &Mapped, place: &str) -> Result<Option<String>, Next> {
        let Some(name) = mapped.attributes.get("userName").and_then(Value::as_str) else {
            let field = self.rules.mapper.source("userName");
            let fault = field.and_then(|field| {
                let path = format!("{PROFILE}.{field}");
                let fault = mapped.faults.iter().find(|fault| fault.attribute == path)?;
                Some(Violation {
                    attribute: format!("{place}.{field}"),
                    ..fault.clone()
                })
            });
            return fault.map_or(Ok(None), |fault| self.invalid(&[fault]));
        };
        let attribute = if place == OLD {
            "olduserdata.userName"
        } else {
            "userName"
        };
        match aws::lookup_value(attribute, name) {
            None => Ok(Some(name.to_owned())),
            Some(violation) => self.invalid(&[violation]),
        }
    }

    fn by_id(&mut self, id: &Id, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        match replay.user_by_id(id)? {
            Ok(user) if user.id().as_ref() == Some(id) => {
                self.found = Some(user);
                Ok(self.found)
            }
            Ok(_) => self.fails(
                Cause::Mismatch,
                "mismatch: the directory answered with a user of another id",
            ),
            Err(error) if error.kind == ErrorKind::Absent => Ok(None),
            Err(error) => self.failed(error),
        }
    }

    /// The one user of this name. Letter case is not told apart, as SCIM has it (RFC 7643 section 4.1.1); everything else is.
    fn by_name(&mut self, name: &str, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        match replay.users_by_name(name)? {
            Ok([]) => Ok(None),
            Ok([user]) if user.user_name().is_some_and(|found| is_same_name(found, name)) => {
                self.found = Some(user);
                Ok(self.found)
            }
            Ok([_]) => self.another_name(),
            Ok(_) => self.more_than_one(),
            Err(error) => self.failed(error),
        }
    }

    fn another_name<T>(&self) -> Result<T, Next> {
        self.fails(
            Cause::Mismatch,
            "mismatch: the directory answered with a user of another userName",
        )
    }

    fn more_than_one<T>(&self) -> Result<T, Next> {
        self.fails(Cause::Ambiguous, "ambiguous: more than one user has this userName")
    }

    // Changing the one that was found.

    /// Goes on as update: one PATCH with only what differs.
    pub(super) fn update(
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
    /// A 409 may mean that somebody else changed the user at the same moment (Identity Store API, `CONCURRENT_MODIFICATION`; SCIM does not
    /// tell): it is read again, and what is still to change is sent once more. After an answer that got lost it is read
    /// as well, so that no change is called failed that was made.
    pub(super) fn patch(
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
                Ok(patched) if patched.id().as_ref() == Some(&id) && shows(patched, &changes) => {
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

    // Making the one that was not found.

    /// Goes on as create, after a look that found nobody.
    pub(super) fn create(mut self, allow_enable: bool, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        self.goes_on_as(Action::Create);
        if !self.rules.policy.create_user_enabled {
            return Ok(self.skipped(SkipReason::Disabled));
        }
        let violations = self.creation_violations();
        if !violations.is_empty() {
            return self.invalid(&violations);
        }
        self.post(allow_enable, replay)
    }

    /// What stands against sending the mapped profile as a new user.
    pub(super) fn creation_violations(&self) -> Vec<Violation> {
        let mut violations = self.mapped.faults.clone();
        violations.extend(aws::new_user(self.rules.dialect, &self.mapped.attributes));
        for violation in &mut violations {
            if let Some(source) = self.rules.mapper.source(&violation.attribute) {
                violation.mend.push_str(&format!(" (user-profile.{source})"));
            }
        }
        violations
    }

    /// Posts the new user. After a 409, and after an answer that got lost, it looks before it does anything else: never
    /// a duplicate, never a failure where there is none.
    pub(super) fn post(self, allow_enable: bool, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        let Some(name) = self.user_name()? else {
            return self.without_a_key();
        };
        let wanted = self.mapped.attributes.clone();
        let mut lost: Option<&scim::Error> = None;
        for _ in 0..CREATIONS {
            let refused = match replay.create_user(|| new_user(&wanted, allow_enable))? {
                Ok(user) => return self.created(user, &name, allow_enable),
                Err(error) if error.kind == ErrorKind::Status(409) => Some(error),
                Err(error) if error.is_answer_lost() => {
                    lost = Some(error);
                    None
                }
                Err(error) => return self.failed(error),
            };
            let seen = match replay.users_by_name(&name)? {
                Ok([user]) if user.user_name().is_some_and(|found| is_same_name(found, &name)) => Some(user),
                Ok([]) => None,
                Ok([_]) => return self.another_name(),
                Ok(_) => return self.more_than_one(),
                Err(looking) => match lost {
                    Some(lost) => return self.unsure("created", lost, looking),
                    None => return self.failed(looking),
                },
            };
            match (seen, refused) {
                // Ours: the work was done, only its answer never came.
                (Some(user), _) if lost.is_some() && is_as_sent(user, &wanted, allow_enable) => {
                    return Ok(self.done(user));
                }
                (Some(user), _) => return self.adopt(user, allow_enable, replay),
                (None, Some(error)) => return self.clashes(error, replay),
                (None, None) => {}
            }
        }
        lost.map_or_else(
            || self.fails(Cause::Conflict, "the directory refused the user as a duplicate"),
            |error| self.failed(error),
        )
    }

    /// A create found somebody of this userName: goes on as update if that is the same person.
    pub(super) fn adopt(
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
        let wanted = external_id(self.mapped.attributes.get("externalId"));
        let found = external_id(user.get("externalId"));
        match self.rules.policy.adopt {
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

    /// A 409 although nobody has the userName: which attribute clashes, and whose it is, as far as AWS can be asked. There is no
    /// filter on e-mail (DG ListUsers).
    fn clashes(&self, error: &scim::Error, replay: &mut Replay<'a>) -> Result<Outcome, Next> {
        let said = error.message();
        if let Some(id) = self.mapped.attributes.get("externalId").and_then(Value::as_str) {
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
        self.fails(
            Cause::Conflict,
            format!("{said}; nobody has this userName or employee id, so the e-mail is another user's"),
        )
    }

    fn created(&self, user: &'a User, name: &str, allow_enable: bool) -> Result<Outcome, Next> {
        let named = user.user_name().is_some_and(|found| is_same_name(found, name));
        if named && user.active().is_none_or(|active| active == allow_enable) {
            Ok(self.done(user))
        } else {
            self.fails(
                Cause::Mismatch,
                "mismatch: the directory answered with another user than the one sent",
            )
        }
    }

    /// A look failed after an answer got lost. The lost one is what the caller must know of; that the command's time is over says so by
    /// itself (504).
    fn unsure<T>(&self, done: &str, lost: &scim::Error, looking: &scim::Error) -> Result<T, Next> {
        let mut failure = Failure::from(if looking.kind == ErrorKind::Expired {
            looking
        } else {
            lost
        });
        let (lost, looking) = (lost.message(), looking.message());
        failure.message = format!("whether the user was {done} is not known: {lost}; looking failed too: {looking}");
        self.ends(failure)
    }

    // Ending.

    /// The attributes to send, unless something in the profile could not be mapped.
    fn sound_attributes(&self) -> Result<&Object, Next> {
        if self.mapped.faults.is_empty() {
            Ok(&self.mapped.attributes)
        } else {
            self.invalid(&self.mapped.faults)
        }
    }

    pub(super) fn done(&self, user: &User) -> Outcome {
        let profile = (self.action == Action::Get).then(|| self.rules.mapper.incoming(user));
        Outcome::User(UserOutcome::Done {
            action: self.action,
            user: user.clone(),
            profile,
        })
    }

    pub(super) fn skipped(&self, reason: SkipReason) -> Outcome {
        Outcome::User(UserOutcome::Skipped {
            action: self.action,
            reason,
            details: self.details(),
        })
    }

    pub(super) fn fails<T>(&self, cause: Cause, message: impl Into<String>) -> Result<T, Next> {
        self.ends(Failure::new(cause, message))
    }

    pub(super) fn failed<T>(&self, error: &scim::Error) -> Result<T, Next> {
        self.ends(error.into())
    }

    pub(super) fn invalid<T>(&self, violations: &[Violation]) -> Result<T, Next> {
        let lines: Vec<_> = violations.iter().map(Violation::to_string).collect();
        self.fails(Cause::Invalid, lines.join(". "))
    }

    pub(super) fn without_a_key<T>(&self) -> Result<T, Next> {
        let mut fields = vec!["id"];
        fields.extend(self.rules.mapper.source("userName"));
        let old = if self.action == Action::Update {
            ", also in olduserdata"
        } else {
            ""
        };
        self.fails(
            Cause::Invalid,
            format!("user-profile needs at least one of: {}{old}", fields.join(", ")),
        )
    }

    fn not_text<T>(&self, fault: &NotText) -> Result<T, Next> {
        self.fails(Cause::Invalid, fault.to_string())
    }

    fn ends<T>(&self, failure: Failure) -> Result<T, Next> {
        finish(Outcome::User(UserOutcome::Failed {
            action: self.action,
            failure,
            details: self.details(),
        }))
    }

    fn details(&self) -> Object {
        self.found
            .map_or_else(|| self.mapped.attributes.clone(), |user| user.as_object().clone())
    }
}

/// Letter case aside, as SCIM compares userNames; no other spelling is the same.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one.chars()
        .flat_map(char::to_lowercase)
        .eq(other.chars().flat_map(char::to_lowercase))
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

/// Whether a user who is there after a lost answer is the one that was sent. An employee id that was not sent is somebody else's.
fn is_as_sent(user: &User, wanted: &Object, active: bool) -> bool {
    let has_other_id = user.get("externalId").is_some() && !wanted.contains_key("externalId");
    user.active() == Some(active) && !has_other_id && difference(wanted, user).is_empty()
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

/// Whether an answer shows the two changes that nobody may be wrong about; a directory need not show them at all.
fn shows(user: &User, changes: &[Operation]) -> bool {
    changes
        .iter()
        .all(|change| match (change.path.as_str(), &change.value) {
            ("active", Some(Value::Bool(active))) => user.active().is_none_or(|shown| shown == *active),
            ("userName", Some(Value::String(name))) => user.user_name().is_some_and(|shown| is_same_name(shown, name)),
            _ => true,
        })
}
