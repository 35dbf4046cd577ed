//! Section 4: whose user was found.

use super::{
    End, Outcome, Reader,
    keys::Facts,
    look::{Found, Key},
    readings,
};
use crate::case::{Adopt, Command, Person};

/// The words of the last row of the table, and those of the tests below it.
const ANOTHER_PERSON: &str = "belongs to another person";
const AMBIGUOUS: &str = "ambiguous";

impl Reader<'_> {
    /// The place of the user to go on with.
    pub(super) fn whose(&mut self, found: Found) -> Result<usize, Outcome> {
        let before = self.rules.clone();
        let mut verdict = self.tests(found);
        // "`adopt = "always"` drops these tests".
        let is_dropped = self.case.settings.adopt == Adopt::Always
            && (readings::ALWAYS_DROPS_ALL_OF_SECTION_4
                || matches!(self.case.command, Command::Create | Command::Update));
        if is_dropped && !matches!(verdict, Ok(place) if place == found.place) {
            self.rules = before;
            self.met("4 always: a test is dropped");
            verdict = Ok(found.place);
        }
        let place = self.unknown_id(found, verdict)?;
        // "`"never"` lets no create go on as an update".
        if self.case.settings.adopt == Adopt::Never && self.case.command == Command::Create {
            return Err(self.fails("4 never: no create goes on as an update", 409, &[]));
        }
        Ok(place)
    }

    fn tests(&mut self, found: Found) -> Result<usize, Outcome> {
        match found.by {
            Key::Id | Key::OldId => Ok(found.place),
            Key::EmployeeId | Key::OldEmployeeId => self.employee_id_alone(found.place),
            Key::UserName | Key::OldUserName => self.found_by_name(found),
        }
    }

    /// "Whoever was found by a *name*, new or old, by any command": the table.
    fn found_by_name(&mut self, found: Found) -> Result<usize, Outcome> {
        let command = self.case.command;
        let user = &self.people[found.place];
        let (Some(mine), Some(theirs)) = (self.said.now.employee_id.clone(), &user.employee_id) else {
            // "equal, or one is missing | go on", and then what is asked where employee ids can't
            // be compared.
            self.met("4 row 1: one is missing");
            self.signs(found)?;
            self.inactive(found.place)?;
            return Ok(found.place);
        };
        if mine == *theirs {
            self.met("4 row 1: employee ids equal");
            return Ok(found.place);
        }
        // "differ; the user's is that of `olduserdata` | go on".
        if self.said.old.employee_id.as_ref() == Some(theirs) {
            self.met("4 row 2: the user's is that of olduserdata");
            return Ok(found.place);
        }
        // "differ; the profile's finds nobody | failure 409 `belongs to another person`, nothing
        // written".
        let Some(other) = self.find_by_employee_id(&mine) else {
            let rule = match command {
                Command::Get => "4 row 4: get 409",
                Command::Create => "4 row 4: create 409",
                Command::Update => "4 row 4: update 409",
                Command::Disable => "4 row 4: disable 409",
            };
            return Err(self.fails(rule, 409, &[ANOTHER_PERSON]));
        };
        // "differ; the profile's finds another user | get, disable: go on with that one; create,
        // update: with that one if its userName is the profile's …, else failure 409".
        let name = self.said.now.user_name.clone();
        let is_its_name = name.is_some_and(|name| self.is_name_of(&name, other));
        match command {
            Command::Get => self.met("4 row 3: get goes on with whom the employee id finds"),
            Command::Disable => self.met("4 row 3: disable goes on with whom the employee id finds"),
            Command::Create if is_its_name => self.met("4 row 3: create goes on with whom the employee id finds"),
            Command::Update if is_its_name => self.met("4 row 3: update goes on with whom the employee id finds"),
            Command::Create | Command::Update => {
                let is_create = command == Command::Create;
                let rule = if is_create {
                    "4 row 3: create 409"
                } else {
                    "4 row 3: update 409"
                };
                return Err(self.fails(rule, 409, &[]).naming(&[user, &self.people[other]]));
            }
        }
        Ok(other)
    }

    /// "Found by *employee id alone*, under another userName: get and disable go on. An update goes
    /// on as a rename if e-mail, phone, given or family name is equal too …, a create only if
    /// e-mail, phone or both names are; else 409 `ambiguous`".
    fn employee_id_alone(&mut self, place: usize) -> Result<usize, Outcome> {
        let name = self.said.now.user_name.clone();
        if name.is_none_or(|name| self.is_name_of(&name, place)) {
            self.met("4 employee id alone, no userName or the same: goes on");
            return Ok(place);
        }
        let user = &self.people[place];
        let now = Equal::of(&self.said.now, user);
        let old = Equal::of(&self.said.old, user);
        let equal = if readings::OLD_SIGNS_COUNT_FOR_EMPLOYEE_IDS {
            now.or(old)
        } else {
            now
        };
        match self.case.command {
            Command::Get | Command::Disable => self.met("4 employee id alone: get, disable go on"),
            Command::Update if equal.any() => self.met("4 employee id alone: update with an equal sign goes on"),
            Command::Create if equal.email || equal.phone || (equal.given && equal.family) => {
                self.met("4 employee id alone: create with an e-mail, a phone or both names equal goes on");
            }
            Command::Update => {
                return Err(self
                    .fails("4 employee id alone: update 409", 409, &[AMBIGUOUS])
                    .naming(&[user]));
            }
            Command::Create => {
                return Err(self
                    .fails("4 employee id alone: create 409", 409, &[AMBIGUOUS])
                    .naming(&[user]));
            }
        }
        Ok(place)
    }

    /// "Where employee ids can't be compared (one is missing), *signs* are: the profile, or its
    /// `olduserdata`, gives at least two of e-mail, phone, given name and family name, and none
    /// equals the user's: a **disable** found by any name, and any command found by an **old**
    /// name, fails 409 `ambiguous`, both named. With fewer signs it goes on." And "`adopt =
    /// "strict"` asks for the signs in creates and updates by the current name too."
    fn signs(&mut self, found: Found) -> Result<(), Outcome> {
        let user = &self.people[found.place];
        let Signs { given, any_equal } = self.count_signs(user);
        let by_old_name = self.is_by_old_name(found);
        let is_asked = self.case.command == Command::Disable || by_old_name;
        let is_write = matches!(self.case.command, Command::Create | Command::Update);
        let strict = self.case.settings.adopt == Adopt::Strict && is_write;
        if !is_asked && !strict {
            return Ok(());
        }
        if given >= 2 && !any_equal {
            let rule = match (is_asked, by_old_name) {
                (_, true) => "4 signs: old name 409",
                (true, false) => "4 signs: disable 409",
                (false, false) => "4 strict: signs by the current name 409",
            };
            return Err(self.fails(rule, 409, &[AMBIGUOUS]).naming(&[user]));
        }
        self.met(match (is_asked, any_equal) {
            (true, true) => "4 signs: disable or old name, one is equal: goes on",
            (true, false) => "4 signs: disable or old name, fewer than two: goes on",
            (false, _) => "4 strict: signs by the current name, goes on",
        });
        Ok(())
    }

    /// How many kinds of signs the profile and its `olduserdata` give together, and whether any of
    /// what either gives is the user's.
    fn count_signs(&self, user: &Person) -> Signs {
        let (now, old) = (&self.said.now, &self.said.old);
        let kinds = [
            now.email.is_some() || old.email.is_some(),
            now.phone.is_some() || old.phone.is_some(),
            now.given.is_some() || old.given.is_some(),
            now.family.is_some() || old.family.is_some(),
        ];
        Signs {
            given: kinds.into_iter().filter(|is_given| *is_given).count(),
            any_equal: Equal::of(now, user).or(Equal::of(old, user)).any(),
        }
    }

    /// Whether the name by which a user was found is an old one, and not the present one as well.
    fn is_by_old_name(&self, found: Found) -> bool {
        let now = self.said.now.user_name.as_ref();
        let is_present = now.is_some_and(|name| self.is_name_of(name, found.place));
        found.by == Key::OldUserName && !(readings::OLD_NAME_MAY_BE_THE_PRESENT_ONE && is_present)
    }

    /// "A create that finds by name an *inactive* user, one employee id missing, and neither
    /// e-mail, phone nor a name equal: failure 409 `ambiguous`".
    fn inactive(&mut self, place: usize) -> Result<(), Outcome> {
        let user = &self.people[place];
        if self.case.command != Command::Create || user.active {
            return Ok(());
        }
        if Equal::of(&self.said.now, user).any() {
            self.met("4 create finds an inactive user by name, a sign equal: goes on");
            return Ok(());
        }
        let rule = "4 create finds an inactive user by name, nothing equal: 409";
        Err(self.fails(rule, 409, &[AMBIGUOUS]).naming(&[user]))
    }

    /// Section 3: "an unknown id *of AWS's form* does not let a disable go on by userName alone …:
    /// failure 409 `ambiguous` that says so, unless the employee ids agree." Of two failures either
    /// may come first.
    fn unknown_id(&mut self, found: Found, verdict: Result<usize, Outcome>) -> Result<usize, Outcome> {
        if self.case.command != Command::Disable || !found.after_unknown_aws_id {
            return verdict;
        }
        let is_name = matches!(found.by, Key::UserName | Key::OldUserName);
        let mine = self.said.now.employee_id.as_ref();
        match verdict {
            Ok(place) if !is_name => {
                self.met("3 unknown id of AWS's form, disable by another key: goes on");
                Ok(place)
            }
            Ok(place) if mine.is_some() && mine == self.people[place].employee_id.as_ref() => {
                self.met("3 unknown id of AWS's form, disable by name, employee ids agree: goes on");
                Ok(place)
            }
            Err(other) if other.end != End::Failed(409) || !is_name => Err(other),
            Ok(_) | Err(_) => {
                let says = [AMBIGUOUS, ANOTHER_PERSON];
                let says = if verdict.is_ok() { &says[..1] } else { &says[..] };
                Err(self.fails("3 unknown id of AWS's form, disable by name: 409", 409, says))
            }
        }
    }
}

/// What a profile gives of signs, beside a user.
struct Signs {
    given: usize,
    any_equal: bool,
}

/// Which signs are equal.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one for each sign")]
struct Equal {
    email: bool,
    phone: bool,
    given: bool,
    family: bool,
}

impl Equal {
    /// "letter case and white space aside".
    fn of(said: &Facts, user: &Person) -> Self {
        let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
        let equal = |mine: &Option<String>, theirs: Option<&str>| match (mine, theirs) {
            (Some(mine), Some(theirs)) => plain(mine) == plain(theirs),
            (Some(_) | None, _) => false,
        };
        Self {
            email: equal(&said.email, user.email.as_deref()),
            phone: equal(&said.phone, user.phone.as_deref()),
            given: equal(&said.given, Some(&user.given)),
            family: equal(&said.family, Some(&user.family)),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            email: self.email || other.email,
            phone: self.phone || other.phone,
            given: self.given || other.given,
            family: self.family || other.family,
        }
    }

    fn any(self) -> bool {
        self.email || self.phone || self.given || self.family
    }
}
