//! Section 5, as far as it decides who is touched: switches, what each command does with whom it
//! found, and with nobody.

use super::{End, Meant, Outcome, Reader, readings};
use crate::{
    case::{Command, Person},
    names,
};

const IS_OFF: &str = "Command is disabled.";
const ABSENT: &str = "User does not exist";

impl Reader<'_> {
    /// The command from its start to its end.
    pub(super) fn command(&mut self) -> Result<Outcome, Outcome> {
        let command = self.case.command;
        self.check_switch()?;
        self.read_profile()?;
        self.check_active()?;
        let outcome = self.act();
        // "**create** posts first": whatever comes of it, a POST may have been tried.
        let with_post = |outcome: Outcome| Outcome {
            may_post: outcome.may_post || (command == Command::Create && outcome.end != End::Failed(400)),
            ..outcome
        };
        outcome.map(with_post).map_err(with_post)
    }

    fn act(&mut self) -> Result<Outcome, Outcome> {
        let place = match self.look()? {
            Some(found) => Some(self.whose(found)?),
            None => None,
        };
        match (self.case.command, place) {
            (Command::Get, Some(place)) => Ok(self.get(place)),
            (Command::Get, None) => Err(self.fails("5 get: absent 404", 404, &[ABSENT])),
            (Command::Create, Some(place)) => self.create_found(place),
            (Command::Create, None) => self.create(),
            (Command::Update, Some(place)) => self.update(place),
            (Command::Update, None) => self.update_absent(),
            (Command::Disable, Some(place)) => Ok(self.disable(place)),
            (Command::Disable, None) => Err(self.disable_absent()),
        }
    }

    /// The column "switch off". Against "a failure 400 of every command, before any call": which of
    /// the two comes first is not said.
    fn check_switch(&mut self) -> Result<(), Outcome> {
        let settings = self.case.settings;
        let rule = match self.case.command {
            Command::Create if !settings.creating => "5 switch off: create skip",
            Command::Update if !settings.updating => "5 switch off: update skip",
            Command::Disable if !settings.disabling => "5 switch off: disable skip",
            Command::Get | Command::Create | Command::Update | Command::Disable => return Ok(()),
        };
        let is_wrong = self.read_profile().is_err() || self.check_active().is_err() || !self.has_key();
        self.rules.clear();
        let or = is_wrong.then_some(End::Failed(400));
        Err(Outcome {
            or,
            ..self.skips(rule, IS_OFF)
        })
    }

    /// "A profile whose `active` is false (`false`, 0, or the texts `false`, `no`, `0`, `inactive`,
    /// letter case aside) while allow-enable counts as true, given or by default: failure 400 for
    /// create and update".
    fn check_active(&mut self) -> Result<(), Outcome> {
        let is_false = match self.case.profile.get("active") {
            Some(serde_json::Value::String(text)) => {
                matches!(text.to_lowercase().as_str(), "false" | "no" | "0" | "inactive")
            }
            Some(value) => *value == false || *value == 0,
            None => false,
        };
        if is_false && self.allows_enabling() && matches!(self.case.command, Command::Create | Command::Update) {
            return Err(self.fails("5 active false while allow-enable is true: 400", 400, &[]));
        }
        Ok(())
    }

    /// "`true`/`false`, or the strings"; "when missing or empty the instance's
    /// `allow_enable_default` (true)".
    fn allows_enabling(&self) -> bool {
        !self
            .case
            .allow_enable
            .as_ref()
            .is_some_and(|value| *value == false || *value == "false")
    }

    fn get(&mut self, place: usize) -> Outcome {
        self.met("5 get: found");
        Outcome {
            meant: self.user(place),
            actions: &["get"],
            ..Outcome::of(End::Done)
        }
    }

    fn user(&self, place: usize) -> Meant {
        Meant::User(self.people[place].id.clone())
    }

    /// "goes on as *update* (action `update`, its switch, its mapping)".
    fn create_found(&mut self, place: usize) -> Result<Outcome, Outcome> {
        if !self.case.settings.updating {
            return Err(self.skips("5 create: found, updating is off: skip", IS_OFF));
        }
        self.met("5 create: found, goes on as update");
        self.update(place)
    }

    /// "POST, `active` = allow-enable; action `create`". "Only a partial profile … absent, it fails
    /// 400." "A 409 for which nothing is found is somebody else's e-mail: failure 409."
    fn create(&mut self) -> Result<Outcome, Outcome> {
        let said = self.said.now.clone();
        let (Some(user_name), Some(given), Some(family), Some(display)) =
            (said.user_name, said.given, said.family, said.display)
        else {
            return Err(self.fails("5 create: partial and absent: 400", 400, &[]));
        };
        let is_taken = |email: &String| {
            let holds = |other: &String| names::directory_key(other) == names::directory_key(email);
            self.people
                .iter()
                .any(|person| person.email.as_ref().is_some_and(holds))
        };
        if said.email.as_ref().is_some_and(is_taken) {
            let clash = self.fails("5 create: the e-mail is another's: 409", 409, &[]);
            return Err(Outcome {
                may_post: true,
                ..clash
            });
        }
        let active = self.allows_enabling();
        self.met(if active {
            "5 create: POST, active"
        } else {
            "5 create: POST, not active"
        });
        let person = Person {
            id: String::new(),
            user_name,
            employee_id: said.employee_id,
            email: said.email,
            phone: said.phone,
            given,
            family,
            display,
            active,
        };
        let mut after = self.people.to_vec();
        after.push(person);
        Ok(Outcome {
            meant: Meant::New,
            actions: &["create"],
            after: Some(after),
            may_post: true,
            ..Outcome::of(End::Done)
        })
    }

    /// "one PATCH with only what differs"; "`active: true` among it when the user is inactive,
    /// allow-enable is true and enabling is allowed; nothing differs: no PATCH, success".
    fn update(&mut self, place: usize) -> Result<Outcome, Outcome> {
        let before = &self.people[place];
        let mut person = before.clone();
        let said = self.said.now.clone();
        person.user_name = self.new_spelling(place);
        person.employee_id = said.employee_id.or(person.employee_id);
        person.email = said.email.or(person.email);
        person.phone = said.phone.or(person.phone);
        person.given = said.given.unwrap_or(person.given);
        person.family = said.family.unwrap_or(person.family);
        person.display = said.display.unwrap_or(person.display);
        if !person.active {
            person.active = self.allows_enabling() && self.case.settings.enabling;
            self.met(match (person.active, self.allows_enabling()) {
                (true, _) => "5 update: enables",
                (false, false) => "5 update: stays inactive, allow-enable is false",
                (false, true) => "5 update: stays inactive, enabling is off",
            });
        }
        let may_patch = Some(before.id.clone());
        let is_rename = !names::are_equal(&person.user_name, &before.user_name);
        let is_taken =
            readings::RENAME_LOOKS_FOR_OTHER_FORMS && is_rename && self.find_by_name(&person.user_name).is_some();
        if is_taken || self.clashes(place, &person) {
            let clash = self.fails("5 update: clashes 409", 409, &[]);
            return Err(Outcome { may_patch, ..clash });
        }
        self.met(if person == *before {
            "5 update: nothing differs"
        } else {
            "5 update: only what differs"
        });
        if is_rename {
            self.met("5 update: a rename");
        }
        let actions: &[&str] = if person.active == before.active {
            &["update"]
        } else {
            &["update", "enable"]
        };
        let mut after = self.people.to_vec();
        after[place] = person;
        Ok(Outcome {
            meant: self.user(place),
            actions,
            after: Some(after),
            may_patch,
            ..Outcome::of(End::Done)
        })
    }

    /// Section 4: "An update never alters a userName in letter case or normal form alone, unless
    /// `olduserdata` has the old spelling".
    fn new_spelling(&mut self, place: usize) -> String {
        let before = self.people[place].user_name.clone();
        let Some(name) = self.said.now.user_name.clone() else {
            return before;
        };
        if name == before || !names::are_equal(&name, &before) {
            return name;
        }
        if self.said.old.user_name.as_ref() == Some(&before) {
            self.met("4 an update alters the spelling: olduserdata has the old one");
            return name;
        }
        self.met("4 an update never alters a userName's spelling alone");
        before
    }

    /// Whether the directory would refuse it: userName, externalId and e-mail are unique.
    fn clashes(&self, place: usize, person: &Person) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| {
            let key = |value: &Option<String>| value.as_deref().map(names::directory_key);
            one.is_some() && key(one) == key(other)
        };
        let clash = |other: &Person| {
            names::directory_key(&other.user_name) == names::directory_key(&person.user_name)
                || (person.employee_id.is_some() && other.employee_id == person.employee_id)
                || same(&other.email, &person.email)
        };
        self.people
            .iter()
            .enumerate()
            .any(|(at, other)| at != place && clash(other))
    }

    /// "create-if-not-exists and a userName: goes on as *create* (action `create`, its switch);
    /// without a userName failure 404 `User does not exist`; else skip `User does not exist`".
    fn update_absent(&mut self) -> Result<Outcome, Outcome> {
        if !self.case.settings.create_if_not_exists {
            return Err(self.skips("5 update: absent, no create-if-not-exists: skip", ABSENT));
        }
        if self.said.now.user_name.is_none() {
            return Err(self.fails("5 update: absent without a userName: 404", 404, &[ABSENT]));
        }
        if !self.case.settings.creating {
            return Err(self.skips("5 update: absent, creating is off: skip", IS_OFF));
        }
        self.met("5 update: absent, goes on as create");
        self.create()
    }

    /// "active: PATCH `active: false`; inactive: skip `User is already disabled.`"
    fn disable(&mut self, place: usize) -> Outcome {
        let meant = self.user(place);
        if !self.people[place].active {
            let skip = self.skips("5 disable: inactive skip", "User is already disabled.");
            return Outcome { meant, ..skip };
        }
        self.met("5 disable: active");
        let mut after = self.people.to_vec();
        after[place].active = false;
        Outcome {
            meant,
            actions: &["disable"],
            may_patch: Some(after[place].id.clone()),
            after: Some(after),
            ..Outcome::of(End::Done)
        }
    }

    /// "skip `User does not exist`; with the instance's `disable_absent = "fail"` failure 404 whose
    /// message says by which keys was looked".
    fn disable_absent(&mut self) -> Outcome {
        if self.case.settings.absent_fails {
            self.fails("5 disable: absent, disable_absent = fail: 404", 404, &[])
        } else {
            self.skips("5 disable: absent skip", ABSENT)
        }
    }
}
