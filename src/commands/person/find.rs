//! Finding the app user that a profile is about, key by key.

use super::{
    Person,
    keys::{Keys, LookupKey},
    names::{is_same_name, other_forms},
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause},
    policy::Adopt,
    scim::{ErrorKind, Id, ScimError, User},
};

impl<'a> Person<'a> {
    /// Looks by each key of the profile in the command's order until one finds its user; `None`
    /// when none does. Ends the command where it can't be told which user is meant.
    pub(in crate::commands) fn find(&mut self, keys: &Keys, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        self.find_by(&Keys::order(self.action), keys, replay)
    }

    /// As [`Self::find`], by these keys only.
    pub(super) fn find_by(
        &mut self,
        order: &[LookupKey],
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<Option<&'a User>, Next> {
        for &key in order {
            if !keys.has(key) {
                continue;
            }
            self.lookup.tried.push(key.as_str());
            if let Some(user) = self.look(key, keys, replay)? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// Looks by one key, and makes sure that the user that is found is meant.
    fn look(&mut self, key: LookupKey, keys: &Keys, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        match self.fetch(key, keys, replay)? {
            Some(user) => self.accept(key, user, keys, replay).map(Some),
            None => Ok(None),
        }
    }

    /// The user that the directory has by one key.
    pub(super) fn fetch(
        &mut self,
        key: LookupKey,
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<Option<&'a User>, Next> {
        match key {
            LookupKey::Id => self.by_id(keys.id.as_ref(), replay),
            LookupKey::OldId => self.by_id(keys.old_id.as_ref(), replay),
            LookupKey::UserName => self.by_name(keys.user_name.as_deref(), replay),
            LookupKey::OldUserName => self.by_name(keys.old_user_name.as_deref(), replay),
            LookupKey::EmployeeId => self.by_employee_id(keys.employee_id.as_deref(), replay),
            LookupKey::OldEmployeeId => self.by_employee_id(keys.old_employee_id.as_deref(), replay),
        }
    }

    /// Goes on with a user that was found by a key, or with the one that is meant instead; ends the
    /// command where that is not certain.
    pub(super) fn accept(
        &mut self,
        key: LookupKey,
        user: &'a User,
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<&'a User, Next> {
        self.found = Some(user);
        self.lookup.found = Some(key.as_str());
        match key {
            LookupKey::Id => {
                self.name_is_not_another_users(user, keys, replay)?;
                Ok(user)
            }
            // The name is another one in a rename; where it counts before the old id it was looked
            // for already.
            LookupKey::OldId => Ok(user),
            LookupKey::UserName | LookupKey::OldUserName => self.whose_name(key, user, keys, replay),
            LookupKey::EmployeeId | LookupKey::OldEmployeeId => {
                self.employee_id_is_enough(user, keys)?;
                Ok(user)
            }
        }
    }

    /// The user of an id. An id that the directory does not know is a hint that did not help: HR
    /// records have an id of their own. What AWS answers to an id that is not of its form was never
    /// seen: 400 counts as unknown as well as 404.
    fn by_id(&mut self, id: Option<&Id>, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        let Some(id) = id else { return Ok(None) };
        match replay.user_by_id(id)? {
            Ok(user) if user.id().as_ref() == Some(id) => Ok(Some(user)),
            Ok(_) => self.mismatch("the directory answered with a user of another id"),
            Err(error) if error.kind == ErrorKind::Absent => {
                self.unknown_aws_id |= id.is_aws_formed();
                Ok(None)
            }
            Err(error) if error.kind == ErrorKind::Status(400) && !id.is_aws_formed() => Ok(None),
            Err(error) => self.failed(error),
        }
    }

    /// The user of a name, looked for in its own form, then in NFC and NFD where they differ: the
    /// directory compares code points.
    fn by_name(&self, name: Option<&str>, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        let Some(name) = name else { return Ok(None) };
        match self.one_of_name(name, replay.users_by_name(name)?)? {
            Some(user) => Ok(Some(user)),
            None => self.by_other_form(name, replay),
        }
    }

    /// The user of a name in another form than its own.
    pub(super) fn by_other_form(&self, name: &str, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        for form in other_forms(name) {
            if let Some(user) = self.one_of_name(name, replay.users_by_name(&form)?)? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// The one user of this name in an answer.
    pub(super) fn one_of_name(
        &self,
        name: &str,
        answer: Result<&'a [User], &'a ScimError>,
    ) -> Result<Option<&'a User>, Next> {
        match answer {
            Ok([]) => Ok(None),
            Ok([user]) if user.user_name().is_some_and(|found| is_same_name(found, name)) => Ok(Some(user)),
            Ok([_]) => self.mismatch("the directory answered with a user of another userName"),
            Ok(_) => self.fails(Cause::Ambiguous, "ambiguous: more than one user has this userName"),
            Err(error) => self.failed(error),
        }
    }

    /// The one user of an employee id; employee ids are compared to the letter (RFC 7643 section
    /// 3.1).
    pub(super) fn by_employee_id(&self, id: Option<&str>, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        let Some(id) = id else { return Ok(None) };
        match replay.users_by_external_id(id)? {
            Ok([]) => Ok(None),
            Ok([user]) if employee_id_of(user) == Some(id) => Ok(Some(user)),
            Ok([_]) => self.mismatch("the directory answered with a user of another externalId (employee id)"),
            Ok(_) => self.fails(
                Cause::Ambiguous,
                "ambiguous: more than one user has this externalId (employee id)",
            ),
            Err(error) => self.failed(error),
        }
    }

    /// Ends a command whose id and userName are two users'. In a create or an update the name is
    /// the new one, which is taken then: a directory that compares code points would not say so of
    /// a name in another form.
    fn name_is_not_another_users(&self, user: &User, keys: &Keys, replay: &mut Replay<'a>) -> Result<(), Next> {
        let Some(name) = &keys.user_name else { return Ok(()) };
        if user.user_name().is_some_and(|found| is_same_name(found, name)) {
            return Ok(());
        }
        let other = self.by_name(Some(name), replay)?;
        let Some(other) = other.filter(|other| other.id() != user.id()) else {
            return Ok(());
        };
        match self.action {
            Action::Get | Action::Disable => {
                let message = format!(
                    "ambiguous: the id is that of {}, and the userName that of {}; send the one that is meant",
                    named(user),
                    named(other)
                );
                self.fails(Cause::Ambiguous, message)
            }
            Action::Create | Action::Update => {
                let message = format!("the userName is taken by {}", named(other));
                self.fails(Cause::Conflict, message)
            }
        }
    }

    /// Whether the instance drops the tests of whose user it is.
    pub(super) fn adopts_any(&self) -> bool {
        self.prepared.rules.policy.adopt == Adopt::Always
    }
}

/// A user in a message: never more of another person than id and userName.
pub(super) fn named(user: &User) -> String {
    let id = user.id().map(|id| id.to_string()).unwrap_or_default();
    format!("user {id} (userName {})", user.user_name().unwrap_or_default())
}

/// A user's employee id, if it has one.
pub(super) fn employee_id_of(user: &User) -> Option<&str> {
    let text = user.get("externalId").and_then(serde_json::Value::as_str);
    text.filter(|text| !text.is_empty())
}
