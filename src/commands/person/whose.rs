//! Whose user it is that was found: names are given again, old data stay in playbooks for ever, and
//! companies that merge use employee ids twice.

use super::{
    Person,
    find::{employee_id_of, named},
    keys::{Keys, LookupKey},
    names::is_same_name,
};
use crate::{
    decide::{Next, Replay},
    outcome::{Action, Cause},
    policy::Adopt,
    scim::User,
};

impl<'a> Person<'a> {
    /// The user that a command may go on with, after `user` was found by a name. Employee ids
    /// decide where both have one; else what signs there are.
    pub(super) fn whose_name(
        &mut self,
        key: LookupKey,
        user: &'a User,
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<&'a User, Next> {
        let chosen = self.choose(key, user, keys, replay)?;
        let agrees = keys.employee_id.is_some() && employee_id_of(chosen) == keys.employee_id.as_deref();
        if self.unknown_aws_id && self.action == Action::Disable && !agrees {
            let message = format!(
                "ambiguous: the directory does not know the id, whose account may be deleted and its name given \
                 again, and the userName is that of {}; send the id of the user that is meant, or none",
                named(chosen)
            );
            return self.fails(Cause::Ambiguous, message);
        }
        Ok(chosen)
    }

    fn choose(
        &mut self,
        key: LookupKey,
        user: &'a User,
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<&'a User, Next> {
        let (mine, theirs) = (keys.employee_id.as_deref(), employee_id_of(user));
        if self.adopts_any() {
            return Ok(user);
        }
        match (mine, theirs) {
            (Some(mine), Some(theirs)) if mine == theirs => Ok(user),
            (Some(_), Some(theirs)) if self.prepared.old_employee_id() == Some(theirs) => Ok(user),
            (Some(mine), Some(_)) => self.another_employee_id(user, mine, keys, replay),
            (None, _) | (_, None) => {
                self.signs_allow(key, user, keys)?;
                Ok(user)
            }
        }
    }

    /// Goes on with the user who has the profile's employee id, `mine`, where that is certain;
    /// `user` has the name and another employee id.
    fn another_employee_id(
        &mut self,
        user: &'a User,
        mine: &str,
        keys: &Keys,
        replay: &mut Replay<'a>,
    ) -> Result<&'a User, Next> {
        let Some(other) = self.by_employee_id(Some(mine), replay)? else {
            let message = format!(
                "the userName belongs to another person: {} has another externalId (employee id)",
                named(user)
            );
            return self.fails(Cause::Conflict, message);
        };
        let name = keys.user_name.as_deref();
        let has_name = other
            .user_name()
            .zip(name)
            .is_some_and(|(has, name)| is_same_name(has, name));
        match self.action {
            Action::Create | Action::Update if !has_name => {
                let message = format!(
                    "the userName is that of {}, and the employee id that of {}: correct one of them, or send \
                     olduserdata with what the person had before",
                    named(user),
                    named(other)
                );
                self.fails(Cause::Conflict, message)
            }
            Action::Create | Action::Update | Action::Get | Action::Disable => {
                self.found = Some(other);
                self.lookup.found = Some(LookupKey::EmployeeId.as_str());
                Ok(other)
            }
        }
    }

    /// Ends the command where employee ids can't be compared and the signs say that `user`, found
    /// by a name, is another person.
    fn signs_allow(&self, key: LookupKey, user: &User, keys: &Keys) -> Result<(), Next> {
        let by_old_name = key == LookupKey::OldUserName && keys.is_renamed();
        let asks = match self.action {
            Action::Disable => true,
            Action::Create | Action::Update => by_old_name || self.policy().adopt == Adopt::Strict,
            Action::Get => by_old_name,
        };
        let signs = self.signs_with_old(user);
        let unread = self.unread_signs();
        if asks && !unread.is_empty() && signs.may_contradict(unread.len()) {
            return self.invalid(&unread);
        }
        if asks && signs.contradict() {
            return self.is_another_person(user, keys, "neither e-mail, phone nor a name is that user's");
        }
        if self.action == Action::Create && user.active() == Some(false) && !self.signs(user).any_is_equal() {
            return self.is_another_person(
                user,
                keys,
                "that user is inactive, and neither e-mail, phone nor a name is equal: the name may have been given again",
            );
        }
        Ok(())
    }

    /// Ends the command where an employee id alone, under another userName, is not enough to go on:
    /// it may have been given again.
    pub(super) fn employee_id_is_enough(&self, user: &User, keys: &Keys) -> Result<(), Next> {
        let Some(name) = &keys.user_name else { return Ok(()) };
        let has_it = user.user_name().is_some_and(|found| is_same_name(found, name));
        let signs = self.signs(user);
        let is_enough = match self.action {
            Action::Get | Action::Disable => true,
            Action::Update => signs.any_is_equal(),
            Action::Create => signs.identify(),
        };
        if has_it || is_enough || self.adopts_any() {
            return Ok(());
        }
        self.is_another_person(user, keys, "only the employee id is that user's")
    }

    fn is_another_person<T>(&self, user: &User, keys: &Keys, why: &str) -> Result<T, Next> {
        let sent = keys.user_name.as_ref().or(keys.old_user_name.as_ref());
        let sent = sent.map(|name| format!(" for userName {name}")).unwrap_or_default();
        let message = format!(
            "ambiguous: found {}{sent}, but {why}; send olduserdata with what the person had before, or the right \
             employee id",
            named(user)
        );
        self.fails(Cause::Ambiguous, message)
    }
}
