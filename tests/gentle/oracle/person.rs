//! A person, as the reports tell.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Verdict;
use crate::world::{Answer, profile};

/// A person as far as commands change one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Facts {
    name: String,
    title: String,
    active: bool,
}

/// A command about a person.
#[derive(Clone, Debug)]
pub(crate) enum PersonCommand {
    Create {
        title: String,
        enable: bool,
    },
    /// With another name than before, a rename.
    Update {
        name: String,
        title: String,
        enable: bool,
    },
    Disable,
    Get,
}

/// A person, and all that may be true of them.
pub(crate) struct Person {
    /// The first userName, and what employee id and e-mail are made of for good.
    pub(crate) key: String,
    possible: BTreeSet<Option<Facts>>,
    renames: usize,
}

impl Person {
    pub(crate) fn new(key: String, there: bool) -> Self {
        let facts = there.then(|| Facts {
            name: key.clone(),
            title: "Clerk".to_owned(),
            active: true,
        });
        Self {
            key,
            possible: [facts].into(),
            renames: 0,
        }
    }

    fn names(&self) -> BTreeSet<&str> {
        self.possible
            .iter()
            .flatten()
            .map(|facts| facts.name.as_str())
            .collect()
    }

    /// A command that makes sense: when two names are possible, one that is about both.
    pub(crate) fn draw(&mut self, random: &mut fastrand::Rng, number: usize) -> PersonCommand {
        let title = format!("Title {}", if random.u8(..4) == 0 { 0 } else { number });
        let enable = random.u8(..4) != 0;
        let name = (*self.names().last().unwrap_or(&self.key.as_str())).to_owned();
        if self.names().len() > 1 {
            return PersonCommand::Update { name, title, enable };
        }
        match random.u8(..100) {
            0..30 => PersonCommand::Create { title, enable },
            30..35 if self.possible.iter().all(Option::is_some) => {
                self.renames += 1;
                let name = format!("{}-{}", self.key, self.renames);
                PersonCommand::Update { name, title, enable }
            }
            30..70 => PersonCommand::Update { name, title, enable },
            70..88 => PersonCommand::Disable,
            _ => PersonCommand::Get,
        }
    }

    /// The command's name and arguments.
    pub(crate) fn request(&self, command: &PersonCommand) -> (&'static str, Value) {
        let names = self.names();
        let current = *names.first().unwrap_or(&self.key.as_str());
        let mut profile = profile(&self.key);
        profile["username"] = current.into();
        match command {
            PersonCommand::Create { title, enable } => {
                profile["title"] = title.as_str().into();
                (
                    "iam-create-user",
                    json!({"user-profile": profile, "allow-enable": enable}),
                )
            }
            PersonCommand::Update { name, title, enable } => {
                profile["title"] = title.as_str().into();
                if name != current {
                    profile["olduserdata"] = json!({"username": current});
                    profile["username"] = name.as_str().into();
                }
                (
                    "iam-update-user",
                    json!({"user-profile": profile, "allow-enable": enable}),
                )
            }
            PersonCommand::Disable => ("iam-disable-user", json!({"user-profile": {"username": current}})),
            PersonCommand::Get => ("iam-get-user", json!({"user-profile": {"username": current}})),
        }
    }

    /// Takes in what a command reported.
    pub(crate) fn learn(&mut self, command: &PersonCommand, answer: &Answer) -> Result<Verdict, String> {
        let result = answer.result();
        let current = (*self.names().first().unwrap_or(&self.key.as_str())).to_owned();
        let after = |state: &Option<Facts>| done(command, state, &current);
        let (verdict, possible): (_, BTreeSet<_>) = if answer.succeeded() && result["skipped"] == true {
            let explained = |state: &&Option<Facts>| match result["reason"].as_str() {
                Some("User does not exist") => state.is_none(),
                Some("User is already disabled.") => state.as_ref().is_some_and(|facts| !facts.active),
                _ => false,
            };
            (
                Verdict::Skipped,
                self.possible.iter().filter(explained).cloned().collect(),
            )
        } else if answer.succeeded() {
            let shown = Facts {
                name: result["username"].as_str().unwrap_or_default().to_owned(),
                title: result["details"]["title"].as_str().unwrap_or_default().to_owned(),
                active: result["active"] == true,
            };
            let states = self.possible.iter().filter_map(after).filter(|facts| *facts == shown);
            (Verdict::Done, states.map(Some).collect())
        } else if answer.message().contains("not known") {
            let done = self.possible.iter().filter_map(after).map(Some);
            (Verdict::NotKnown, self.possible.iter().cloned().chain(done).collect())
        } else if answer.status == 404 && matches!(command, PersonCommand::Get) {
            let absent = self.possible.iter().filter(|state| state.is_none());
            (Verdict::Refused, absent.cloned().collect())
        } else if answer.status >= 500 {
            (Verdict::Failed, self.possible.clone())
        } else {
            (Verdict::Failed, BTreeSet::new())
        };
        if possible.is_empty() {
            return Err(format!(
                "{command:?} of {:?} can't have reported {} {}",
                self.possible, answer.status, result
            ));
        }
        self.possible = possible;
        Ok(verdict)
    }

    /// Whether the directory may be as it is: these are all users with the person's employee id or
    /// one of their names.
    pub(crate) fn settle(&self, users: &[&Value]) -> Result<(), String> {
        let state = match users {
            [] => None,
            [user] => Some(Facts {
                name: user["userName"].as_str().unwrap_or_default().to_owned(),
                title: user["title"].as_str().unwrap_or_default().to_owned(),
                active: user["active"] == true,
            }),
            several => return Err(format!("{} is there {} times", self.key, several.len())),
        };
        if self.possible.contains(&state) {
            Ok(())
        } else {
            Err(format!("{}: {state:?} is not among {:?}", self.key, self.possible))
        }
    }
}

/// The person after a command has done what it does; `None` when it can't have been done.
fn done(command: &PersonCommand, state: &Option<Facts>, current: &str) -> Option<Facts> {
    match (command, state) {
        (PersonCommand::Create { title, enable }, state) => Some(Facts {
            name: current.to_owned(),
            title: title.clone(),
            active: *enable || state.as_ref().is_some_and(|facts| facts.active),
        }),
        (PersonCommand::Update { name, title, enable }, state) => Some(Facts {
            name: name.clone(),
            title: title.clone(),
            active: *enable || state.as_ref().is_some_and(|facts| facts.active),
        }),
        (PersonCommand::Disable, Some(facts)) if facts.active => Some(Facts {
            active: false,
            ..facts.clone()
        }),
        (PersonCommand::Get, Some(facts)) => Some(facts.clone()),
        (PersonCommand::Disable | PersonCommand::Get, Some(_) | None) => None,
    }
}
