//! Finding the app user that a profile is about.

use serde_json::Value;

use super::{OLD, PROFILE, Person, is_same_name, prepared::OldData};
use crate::{
    decide::{Next, Replay},
    diagnostic::Diagnostic,
    mapper::Mapped,
    outcome::{Action, Cause},
    profile::{NotTextError, UserProfile},
    scim::{ErrorKind, Id, User, aws},
};

impl<'a> Person<'a> {
    /// Finds the app user by the first of these that the profile has: old id, id, old userName,
    /// userName. `None` when nobody is there; a command without any of them, or with one that no
    /// directory can have, fails before any call.
    pub(in crate::commands) fn find(&mut self, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
        let id = self.id(self.prepared.profile, PROFILE)?;
        let name = self.user_name()?;
        let (old_id, old_name) = match self.old_data()? {
            None => (None, None),
            Some(old) => (self.id(&old.profile, OLD)?, self.old_user_name(old)?),
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
            // An id that the directory made and no longer knows is nobody: a name might be somebody
            // else's by now.
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

    /// The `id` of the profile, or of the old data in it; `place` is where that stands, for
    /// messages.
    pub(super) fn id(&self, profile: &UserProfile, place: &str) -> Result<Option<Id>, Next> {
        match profile.text("id") {
            Ok(None) => Ok(None),
            Ok(Some(text)) => match Id::parse(text) {
                Some(id) => Ok(Some(id)),
                None => self.fails(
                    Cause::Invalid,
                    format!("{place}.id must be 1 to 64 letters, digits, `_` or `-`"),
                ),
            },
            Err(fault) => self.not_text(&NotTextError {
                field: format!("{place}.id"),
                ..fault
            }),
        }
    }

    /// True when the profile has a server-made identifier of its own.
    pub(in crate::commands) fn has_id(&self) -> Result<bool, Next> {
        Ok(self.id(self.prepared.profile, PROFILE)?.is_some())
    }

    /// The userName that the profile maps to, if it can be looked up.
    pub(super) fn user_name(&self) -> Result<Option<String>, Next> {
        self.mapped_user_name(self.mapped(), PROFILE)
    }

    fn old_user_name(&self, old: &OldData) -> Result<Option<String>, Next> {
        self.mapped_user_name(old.mapped(self.prepared.rules), OLD)
    }

    /// What was true before an update; other commands look by what is true now.
    fn old_data(&self) -> Result<Option<&'a OldData>, Next> {
        match &self.prepared.old {
            _ if self.action != Action::Update => Ok(None),
            Ok(old) => Ok(old.as_ref()),
            Err(_) => self.fails(
                Cause::Invalid,
                format!("{OLD} must be an object, or a string that holds one"),
            ),
        }
    }

    /// Ends when the old data can't be used.
    pub(in crate::commands) fn check_old_data(&self) -> Result<(), Next> {
        if let Some(old) = self.old_data()? {
            self.id(&old.profile, OLD)?;
        }
        Ok(())
    }

    pub(super) fn mapped_user_name(&self, mapped: &Mapped, place: &str) -> Result<Option<String>, Next> {
        let attribute = if place == OLD {
            "olduserdata.userName"
        } else {
            "userName"
        };
        let Some(name) = mapped.attributes.get("userName").and_then(Value::as_str) else {
            let field = self.prepared.rules.mapper.source("userName");
            let path = field.map(|field| format!("{PROFILE}.{field}"));
            // A mapper's file tells the attribute that it could not fill, the built-in mapping the
            // field that it could not read.
            let fault = mapped.faults.iter().find_map(|fault| {
                let attribute = if fault.path == "userName" {
                    attribute.to_owned()
                } else if Some(&fault.path) == path.as_ref() {
                    format!("{place}.{}", field.unwrap_or_default())
                } else {
                    return None;
                };
                Some(Diagnostic {
                    path: attribute,
                    ..fault.clone()
                })
            });
            return fault.map_or(Ok(None), |fault| self.invalid(&[fault]));
        };
        match aws::lookup_value(attribute, name) {
            None => Ok(Some(name.to_owned())),
            Some(violation) => self.invalid(&[violation]),
        }
    }

    pub(super) fn by_id(&mut self, id: &Id, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
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

    /// The one user of this name. Letter case is not told apart, as SCIM has it (RFC 7643 section
    /// 4.1.1); everything else is.
    pub(super) fn by_name(&mut self, name: &str, replay: &mut Replay<'a>) -> Result<Option<&'a User>, Next> {
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

    pub(super) fn another_name<T>(&self) -> Result<T, Next> {
        self.fails(
            Cause::Mismatch,
            "mismatch: the directory answered with a user of another userName",
        )
    }

    pub(super) fn more_than_one<T>(&self) -> Result<T, Next> {
        self.fails(Cause::Ambiguous, "ambiguous: more than one user has this userName")
    }
}
