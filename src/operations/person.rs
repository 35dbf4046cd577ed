//! What an operation of an event does, by what has been said of its person before and after.
//!
//! Events come late, twice and out of order. So an operation is not what its event said but what is
//! left of that: an attribute that was said anew meanwhile is left out, one that was said before
//! and could not be written is added, and whether the person becomes active is decided by all that
//! was said (`standing`). What nothing is left of is not carried out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    saying::{OLD, subject},
    standing::{Said, moment},
};
use crate::{
    commands::{self, Command, Rules, update_user::Absent},
    profile::display_key,
    store::{Standing, State, Statement, Word},
};

/// The field that is a person's for good.
const EMPLOYEE_ID: &str = "employeeid";

/// What becomes of an operation whose turn it is.
pub(super) enum Ruling {
    /// Nothing is left of it, for this reason.
    Superseded(&'static str),
    /// What it takes back was never carried out.
    Nothing(&'static str),
    /// It is looked at again at this time.
    Later(Timestamp),
    /// This is left of it.
    Goes(Box<Left>),
}

/// What is left of an operation.
pub(super) struct Left {
    pub(super) command: Command,
    /// The accepted numbers of the statements that are in the directory with it.
    pub(super) carries: Vec<i64>,
    /// What its event says of being active; none where no event has asked for it.
    pub(super) word: Option<Word>,
    /// The accepted numbers of the statements because of which it makes the person not active.
    pub(super) withheld_by: Vec<i64>,
    /// Whether it makes the person active.
    pub(super) enables: bool,
    /// What was fetched of the person and is part of the command: each field with its value as
    /// JSON.
    pub(super) fetched: BTreeMap<String, String>,
}

impl Left {
    /// All of a command, which no event has asked for.
    pub(super) fn whole(command: Command) -> Self {
        Self {
            command,
            carries: Vec::new(),
            word: None,
            withheld_by: Vec::new(),
            enables: false,
            fetched: BTreeMap::new(),
        }
    }
}

/// Decides what is left of an operation's command. `statements` is what was said of its person;
/// where its event said nothing, all is left.
pub(super) fn ruling(rules: &Rules, command: &Command, statements: &[Statement], own: i64, now: Timestamp) -> Ruling {
    let said = Said::new(statements, own, now);
    let (Some(statement), Some(profile)) = (said.own(), command.user_profile()) else {
        return Ruling::Goes(Box::new(Left::whole(command.clone())));
    };
    let person = Person {
        rules,
        said: &said,
        statement,
        profile: profile.as_object(),
    };
    match statement.word {
        Word::Inactive => person.leaves(),
        Word::Cancelled => person.takes_back(),
        Word::Expected => person.changes(command, false),
        Word::Active => person.changes(command, said.is_active()),
        Word::Back if said.is_terminated() || !said.was_away() => {
            Ruling::Superseded("something else than what it ends has made the person inactive")
        }
        Word::Back => person.changes(command, true),
        Word::Nothing => person.changes(command, enables(command) && !said.is_undone(statement)),
    }
}

/// Whether a command enables, as it stands.
fn enables(command: &Command) -> bool {
    match command {
        Command::UpdateUser(args) => args.allow_enable.0 == Some(true),
        Command::CreateUser(args) => args.allow_enable.0 == Some(true),
        Command::GetUser(_)
        | Command::DisableUser(_)
        | Command::GetGroup(_)
        | Command::CreateGroup(_)
        | Command::UpdateGroup(_)
        | Command::DeleteGroup(_)
        | Command::TestModule(_)
        | Command::GetMappingFields(_) => false,
    }
}

/// An operation's person, by what it says and what was said besides.
struct Person<'a> {
    rules: &'a Rules,
    said: &'a Said<'a>,
    statement: &'a Statement,
    profile: &'a Map<String, Value>,
}

impl Person<'_> {
    fn leaves(&self) -> Ruling {
        if self.statement.standing != Standing::Holds {
            return Ruling::Superseded("it was taken back");
        }
        if self.said.is_over(self.statement) || self.said.is_active() {
            return Ruling::Superseded("a hire that was said later stands");
        }
        if let Some(until) = self.said.waits_until(self.statement) {
            return Ruling::Later(until);
        }
        let (profile, _) = self.known();
        self.with(
            "iam-disable-user",
            profile,
            None,
            vec![self.statement.number],
            Absent::Skipped,
        )
    }

    fn takes_back(&self) -> Ruling {
        let Some(taken_back) = self.said.taken_back(self.statement) else {
            return Ruling::Nothing("what it takes back has changed nothing");
        };
        let (profile, _) = self.known();
        let carries = vec![self.statement.number];
        if taken_back.word == Word::Inactive {
            if self.said.is_undone(taken_back) {
                return Ruling::Superseded("another termination stands");
            }
            return self.with("iam-update-user", profile, Some(true), carries, Absent::Skipped);
        }
        if self.said.is_active() {
            return Ruling::Superseded("another hire stands");
        }
        self.with("iam-disable-user", profile, None, carries, Absent::Skipped)
    }

    /// A hire or a change, which makes the person active or leaves that as it is.
    fn changes(&self, command: &Command, enables: bool) -> Ruling {
        let (mut profile, is_left) = self.known();
        let (missed, mut carries) = self.missed();
        let is_change = matches!(self.statement.word, Word::Nothing | Word::Back);
        if !is_left && missed.is_empty() && is_change && !enables {
            return Ruling::Superseded("all that it says was said anew later");
        }
        carries.push(self.statement.number);
        for (key, value) in missed {
            profile.entry(key).or_insert(value);
        }
        let absent = if self.said.is_active() {
            Absent::CreatedActive
        } else if self.said.is_terminated() || self.said.is_rescinded() {
            Absent::Skipped
        } else {
            Absent::Created
        };
        self.with(command.name(), profile, Some(enables), carries, absent)
    }

    /// The profile with what is true by now in place of what was said anew, and whether anything of
    /// it but the person's names is still news.
    fn known(&self) -> (Map<String, Value>, bool) {
        let newest = self.newest();
        let mut known = Map::new();
        let mut old = match self.profile.get(OLD) {
            Some(Value::Object(old)) => old.clone(),
            Some(_) | None => Map::new(),
        };
        let mut is_left = false;
        // A user is made of all that is known, and changed by what is news alone.
        let is_whole = matches!(self.statement.word, Word::Active | Word::Expected);
        for (key, value) in self.profile {
            let field = display_key(key);
            if field == OLD {
                // A text that holds an object stays as it is.
                if !value.is_object() {
                    known.insert(key.clone(), value.clone());
                }
                continue;
            }
            let is_newer = |said: &Statement| age(said) > age(self.statement);
            let newer = newest.get(&field).filter(|(said, _)| is_newer(said));
            let Some((said, newer)) = newer else {
                is_left = true;
                known.insert(key.clone(), value.clone());
                continue;
            };
            let is_name = self.is_name(key);
            // A new name may be free only once what waits before it has ended.
            let is_written = self.is_written(&field, newer);
            if newer == value || is_name && !has_ended(said) && !is_written {
                known.insert(key.clone(), value.clone());
            } else if is_name {
                known.insert(key.clone(), newer.clone());
                // One that is in the directory finds the person, and the older may be another's.
                if !is_written {
                    old.entry(key.clone()).or_insert_with(|| value.clone());
                }
            } else if is_whole {
                known.insert(key.clone(), newer.clone());
            }
        }
        if let Some((_, id)) = newest.get(EMPLOYEE_ID)
            && !known.keys().any(|key| display_key(key) == EMPLOYEE_ID)
        {
            known.insert(EMPLOYEE_ID.to_owned(), id.clone());
        }
        // By what was true before, a user is the same person for whom a name has changed.
        for (key, value) in self.profile.iter().filter(|(key, _)| self.is_name(key)) {
            if !self.is_written(&display_key(key), value)
                && let Some(previous) = self.previous(&display_key(key), value)
            {
                old.entry(key.clone()).or_insert(previous);
            }
        }
        if !old.is_empty() && !known.contains_key(OLD) {
            known.insert(OLD.to_owned(), old.into());
        }
        (known, is_left)
    }

    /// Whether a value has been written to the directory by what was said of the person.
    fn is_written(&self, field: &str, value: &Value) -> bool {
        let text = value.to_string();
        self.said
            .counting()
            .any(|said| writes(said) && said.is_carried_out && said.attributes.get(field) == Some(&text))
    }

    /// What was last said of a field with another value, rather what is in the directory.
    fn previous(&self, field: &str, value: &Value) -> Option<Value> {
        let said = self
            .said
            .counting()
            .filter(|said| writes(said) && said.number != self.statement.number);
        let others = said.filter_map(|said| {
            let other: Value = serde_json::from_str(said.attributes.get(field)?).ok()?;
            (other != *value).then_some((said, other))
        });
        let newest = others.max_by_key(|(said, _)| (said.is_carried_out, age(said)));
        newest.map(|(_, other)| other)
    }

    /// What was said before, is still the newest word, and could not be written; with the accepted
    /// numbers of the statements.
    fn missed(&self) -> (BTreeMap<String, Value>, Vec<i64>) {
        let mut missed = BTreeMap::new();
        let mut carries = BTreeSet::new();
        for (field, (said, value)) in self.newest() {
            if said.number != self.statement.number && has_ended(said) && !said.is_carried_out {
                missed.insert(field, value);
                carries.insert(said.number);
            }
        }
        (missed, carries.into_iter().collect())
    }

    /// The newest word on each attribute.
    fn newest(&self) -> BTreeMap<String, (&Statement, Value)> {
        let mut newest: BTreeMap<String, (&Statement, Value)> = BTreeMap::new();
        // By what names a termination knows its person changes nothing of the person.
        for said in self.said.counting().filter(|said| writes(said)) {
            for (field, text) in &said.attributes {
                let is_older = newest.get(field).is_some_and(|(other, _)| age(said) < age(other));
                if !is_older && let Ok(value) = serde_json::from_str(text) {
                    newest.insert(field.clone(), (said, value));
                }
            }
        }
        newest
    }

    /// Whether a field is one of the person's names.
    fn is_name(&self, key: &str) -> bool {
        let only = self.profile.iter().filter(|(other, _)| *other == key);
        let only: Map<String, Value> = only.map(|(key, value)| (key.clone(), value.clone())).collect();
        !subject(self.rules, "iam-disable-user", &only).is_empty()
    }

    fn left(&self, command: Command, enables: bool, carries: Vec<i64>) -> Ruling {
        Ruling::Goes(Box::new(Left {
            command,
            carries,
            word: Some(self.statement.word),
            withheld_by: if self.statement.word == Word::Active {
                self.said.against()
            } else {
                Vec::new()
            },
            enables,
            fetched: BTreeMap::new(),
        }))
    }

    fn with(
        &self,
        name: &str,
        profile: Map<String, Value>,
        enables: Option<bool>,
        carries: Vec<i64>,
        absent: Absent,
    ) -> Ruling {
        let mut arguments = Map::from_iter([("user-profile".to_owned(), Value::Object(profile))]);
        if let Some(enables) = enables {
            arguments.insert("allow-enable".to_owned(), enables.into());
        }
        match commands::named(name, arguments.into()) {
            Ok(Command::UpdateUser(mut args)) => {
                args.absent = absent;
                self.left(Command::UpdateUser(args), enables == Some(true), carries)
            }
            Ok(command) => self.left(command, enables == Some(true), carries),
            // What was taken before is taken again, in whatever order.
            Err(_) => Ruling::Superseded("it can't be carried out by this version"),
        }
    }
}

/// Whether a statement's operation will do nothing more by itself.
fn has_ended(said: &Statement) -> bool {
    said.state
        .is_none_or(|state| state.has_ended() || state == State::NeedsData)
}

/// Whether a statement's attributes are written to the directory.
fn writes(said: &Statement) -> bool {
    !matches!(said.word, Word::Inactive | Word::Cancelled)
}

/// By what two words on one attribute are compared: the greater one counts.
fn age(said: &Statement) -> (Timestamp, i64) {
    (so_from(said), said.number)
}

/// From when on the attributes of a statement are true: a day of work is that of being active
/// alone.
fn so_from(said: &Statement) -> Timestamp {
    match said.word {
        Word::Nothing => moment(said),
        Word::Active | Word::Expected | Word::Inactive | Word::Back | Word::Cancelled => said.said_at,
    }
}
