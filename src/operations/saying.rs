//! What is kept of what an event says of its person.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{
    commands::{self, Command, Rules},
    profile::display_key,
    store::{NewStatement, Word},
};

/// The part of a profile that tells of what was true before.
pub(super) const OLD: &str = "olduserdata";

/// What an event says of the person that its command is about.
#[derive(Clone, Copy, Debug)]
pub struct Saying {
    /// What it says of being active.
    pub word: Word,
    /// The event's own time, else that of its arrival.
    pub said_at: Timestamp,
    /// See [`NewStatement::conversion`](crate::store::NewStatement::conversion).
    pub conversion: Option<SignedDuration>,
}

/// What an event's command says of its person.
pub(super) fn statement(
    rules: &Rules,
    command: &Command,
    saying: Saying,
    effective_at: Option<Timestamp>,
) -> NewStatement {
    let fields = command.user_profile().map(|profile| profile.as_object());
    let fields = fields.into_iter().flatten();
    NewStatement {
        said_at: saying.said_at,
        // An expected person is expected from now on.
        effective_at,
        names: names_of_now(rules, command),
        word: saying.word,
        attributes: fields
            .map(|(key, value)| (display_key(key), value.to_string()))
            .filter(|(key, _)| key != OLD)
            .collect(),
        conversion: saying.conversion,
    }
}

/// The names that a person has now: what was true before may be another's by now.
fn names_of_now(rules: &Rules, command: &Command) -> BTreeSet<String> {
    let Some(profile) = command.user_profile() else {
        return BTreeSet::new();
    };
    let mut fields = profile.as_object().clone();
    fields.remove(OLD);
    subject(rules, "iam-disable-user", &fields)
}

/// The names by which a command would know the person of a profile.
pub(super) fn subject(rules: &Rules, name: &str, profile: &Map<String, Value>) -> BTreeSet<String> {
    let arguments = Map::from_iter([("user-profile".to_owned(), Value::Object(profile.clone()))]);
    match commands::named(name, arguments.into()) {
        Ok(command) => command.prepare(rules).subject(),
        Err(_) => BTreeSet::new(),
    }
}
