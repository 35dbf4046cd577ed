//! Section 3: looking.

use super::{Outcome, Reader, keys, readings};
use crate::{
    case::{Adopt, Command},
    names,
};

/// What a user can be looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Id,
    UserName,
    EmployeeId,
    OldId,
    OldUserName,
    OldEmployeeId,
}

/// A user that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The place in the directory.
    pub(super) place: usize,
    pub(super) by: Key,
    /// Whether an id of AWS's form was tried before and found nobody.
    pub(super) after_unknown_aws_id: bool,
}

impl Reader<'_> {
    /// "get, disable, create: id · userName · employee id · old id · old userName · old employee
    /// id", "update: old id · id · old userName · userName · employee id · old employee id".
    fn order(&self) -> [Key; 6] {
        use Key::{EmployeeId, Id, OldEmployeeId, OldId, OldUserName, UserName};
        match self.case.command {
            Command::Create if !readings::CREATE_KEEPS_THE_ORDER_OF_SECTION_3 => {
                [Id, OldId, OldUserName, OldEmployeeId, UserName, EmployeeId]
            }
            Command::Get | Command::Disable | Command::Create => {
                [Id, UserName, EmployeeId, OldId, OldUserName, OldEmployeeId]
            }
            Command::Update => [OldId, Id, OldUserName, UserName, EmployeeId, OldEmployeeId],
        }
    }

    fn value(&mut self, key: Key) -> Option<String> {
        let said = &self.said;
        let foreign = self.case.settings.foreign;
        match key {
            // "With the instance's `profile_id = "foreign"` the profile's id is no key at all".
            Key::Id if foreign && said.now.id.is_some() => {
                self.met("3 profile_id = foreign: the id is no key");
                None
            }
            Key::Id => said.now.id.clone(),
            Key::OldId if foreign && readings::FOREIGN_MEANS_THE_OLD_ID_TOO => None,
            Key::OldId => said.old.id.clone(),
            Key::UserName => said.now.user_name.clone(),
            Key::OldUserName => said.old.user_name.clone(),
            Key::EmployeeId => said.now.employee_id.clone(),
            Key::OldEmployeeId => said.old.employee_id.clone(),
        }
    }

    pub(super) fn has_key(&mut self) -> bool {
        self.order().into_iter().any(|key| self.value(key).is_some())
    }

    /// "Keys are tried in order until one finds a user; a key that finds nobody is passed over; no
    /// key at all is a failure 400 that says which would do."
    pub(super) fn look(&mut self) -> Result<Option<Found>, Outcome> {
        let mut after_unknown_aws_id = false;
        for by in self.order() {
            let Some(value) = self.value(by) else { continue };
            if let Some(place) = self.find(by, &value) {
                self.tell_found(by, &value, place);
                let found = Found {
                    place,
                    by,
                    after_unknown_aws_id,
                };
                // An old id that is the present one too is the profile's id.
                let is_present_id = by == Key::OldId && self.value(Key::Id).as_ref() == Some(&value);
                if by == Key::Id || is_present_id {
                    self.check_name_beside_id(place)?;
                }
                return Ok(Some(found));
            }
            self.met("3 a key that finds nobody is passed over");
            if matches!(by, Key::Id | Key::OldId) {
                let old_counts = by == Key::Id || readings::UNKNOWN_ID_STOPS_OLD_NAMES_TOO;
                after_unknown_aws_id |= self.is_unknown_aws_id(&value) && old_counts;
            }
        }
        if !self.has_key() {
            return Err(self.fails("3 no key at all: 400", 400, &[]));
        }
        self.met("3 nobody found by any key");
        Ok(None)
    }

    fn find(&mut self, by: Key, value: &str) -> Option<usize> {
        match by {
            Key::Id | Key::OldId => self.people.iter().position(|person| person.id == value),
            Key::UserName | Key::OldUserName => self.find_by_name(value),
            Key::EmployeeId | Key::OldEmployeeId => self.find_by_employee_id(value),
        }
    }

    /// "A userName that is absent is looked for once more in NFC, then in NFD, where they differ
    /// from what was asked."
    pub(super) fn find_by_name(&mut self, name: &str) -> Option<usize> {
        let people = self.people;
        let exact = |asked: &str| {
            let key = names::directory_key(asked);
            people
                .iter()
                .position(|person| names::directory_key(&person.user_name) == key)
        };
        if let Some(place) = exact(name) {
            return Some(place);
        }
        if let Some(place) = exact(&names::composed(name)) {
            self.met("3 absent userName found in NFC");
            return Some(place);
        }
        let place = exact(&names::decomposed(name))?;
        self.met("3 absent userName found in NFD");
        Some(place)
    }

    pub(super) fn find_by_employee_id(&self, employee_id: &str) -> Option<usize> {
        self.people
            .iter()
            .position(|person| person.employee_id.as_deref() == Some(employee_id))
    }

    /// "an id that the directory does not know is a hint that did not help, and 400 as well as 404
    /// to an id not of AWS's form means unknown …. But an unknown id *of AWS's form* does not let a
    /// disable go on by userName alone".
    fn is_unknown_aws_id(&mut self, id: &str) -> bool {
        let is_aws = keys::is_aws_id(id);
        self.met(match (is_aws, self.case.ids_answer_400) {
            (true, _) if self.case.command == Command::Disable => return true,
            (true, _) => "3 unknown id of AWS's form, not a disable: a hint",
            (false, false) => "3 unknown id not of AWS's form (404) is a hint",
            (false, true) => "3 unknown id not of AWS's form (400) is a hint",
        });
        is_aws
    }

    /// "Where id and userName name two users that exist: get and disable fail 409 `ambiguous`; for
    /// update the userName is the new one, and taken (409)." A create that finds someone goes on as
    /// update.
    fn check_name_beside_id(&mut self, place: usize) -> Result<(), Outcome> {
        let Some(name) = self.said.now.user_name.clone() else {
            return Ok(());
        };
        if self.is_name_of(&name, place) || self.find_by_name(&name).is_none() {
            return Ok(());
        }
        Err(match self.case.command {
            Command::Get => self.fails("3 id and userName name two users: get 409", 409, &["ambiguous"]),
            Command::Disable => self.fails("3 id and userName name two users: disable 409", 409, &["ambiguous"]),
            Command::Create if self.case.settings.adopt == Adopt::Never => {
                self.fails("4 never: no create goes on as an update", 409, &[])
            }
            Command::Create | Command::Update => {
                let rule = "3 id and userName name two users: update, create taken 409";
                let taken = self.fails(rule, 409, &[]);
                // It may be the directory that says so.
                Outcome {
                    may_patch: Some(self.people[place].id.clone()),
                    ..taken
                }
            }
        })
    }

    /// Counts by which key a user was found, and in what a name differs from the one that was asked
    /// for.
    fn tell_found(&mut self, by: Key, value: &str, place: usize) {
        let is_update = self.case.command == Command::Update;
        self.met(match (is_update, by) {
            (false, Key::Id) => "3 get, disable, create: found by id",
            (false, Key::UserName) => "3 get, disable, create: found by userName",
            (false, Key::EmployeeId) => "3 get, disable, create: found by employee id",
            (false, Key::OldId) => "3 get, disable, create: found by old id",
            (false, Key::OldUserName) => "3 get, disable, create: found by old userName",
            (false, Key::OldEmployeeId) => "3 get, disable, create: found by old employee id",
            (true, Key::OldId) => "3 update: found by old id",
            (true, Key::Id) => "3 update: found by id",
            (true, Key::OldUserName) => "3 update: found by old userName",
            (true, Key::UserName) => "3 update: found by userName",
            (true, Key::EmployeeId) => "3 update: found by employee id",
            (true, Key::OldEmployeeId) => "3 update: found by old employee id",
        });
        if matches!(by, Key::UserName | Key::OldUserName) {
            let difference = keys::difference(value, &self.people[place].user_name);
            difference.into_iter().for_each(|rule| self.met(rule));
        }
        let asked = self.said.now.user_name.clone();
        let looks_like = |name: &String| {
            self.people
                .iter()
                .any(|person| names::look_alike(name, &person.user_name))
        };
        if asked.as_ref().is_some_and(looks_like) {
            self.met("2 a look-alike is another name");
        }
    }
}
