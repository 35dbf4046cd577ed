//! What is known of a person by what events have said.

use crate::{
    commands::Command,
    service::Instance,
    store::{DueDate, NewStatement},
};

use super::{Saying, date::effective};

/// What an event's command says of its person.
pub(super) fn statement(
    instance: &Instance,
    command: &Command,
    saying: Saying,
    date: Option<&DueDate>,
) -> NewStatement {
    NewStatement {
        said_at: saying.said_at,
        effective_at: date.and_then(effective),
        names: command.prepare(instance.rules()).subject(),
        word: saying.word,
        attributes: Default::default(),
        conversion: saying.conversion,
    }
}
