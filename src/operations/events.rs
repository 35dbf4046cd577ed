//! Events of webhooks: their commands become operations in the transaction that stores them.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    Operations,
    date::{due, effective},
    saying::{Saying, statement},
    submit::{Submission, new_operation},
};
use crate::{
    commands::Command,
    store::{
        DueDate, EventFilter, EventPage, EventReading, EventVerdict, NewDelivery, NewOperation, NewQuarantined,
        QuarantineLimits, Received, StoreError, StoredEvent, Word,
    },
};

/// A command that a rule of a source asks for.
#[derive(Debug)]
pub struct SourcedCommand {
    /// The configured name of the source.
    pub source: String,
    /// The name of the instance that it is for.
    pub instance: String,
    /// The command.
    pub command: Command,
    /// Before this time it is not carried out.
    pub not_before: Option<Timestamp>,
    /// What it is for.
    pub purpose: Option<String>,
    /// The date that its time was computed from.
    pub date: Option<DueDate>,
    /// Why it waits for a person's word first.
    pub held: Option<String>,
    /// What its event says of a person; none where it is about a group.
    pub saying: Option<Saying>,
    /// Whether it asks its source for more of its person before it is carried out.
    pub fetch: bool,
}

impl Operations {
    /// The time by which everything here goes.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The operation that a command of a source becomes; `None` where its instance is not there.
    pub fn of_source(&self, sourced: SourcedCommand) -> Option<NewOperation> {
        let instance = self.service.instance(Some(&sourced.instance))?;
        let statement = sourced.saying.map(|saying| {
            // What is carried out at once is so at once, whatever its day.
            let now = self.clock.now();
            let is_so = |time: &Timestamp| *time <= now || sourced.not_before.is_some();
            let day = sourced.date.as_ref().and_then(|date| match saying.word {
                Word::Expected => due(date),
                Word::Nothing | Word::Active | Word::Inactive | Word::Back | Word::Cancelled => effective(date),
            });
            let effective_at = day.filter(is_so);
            statement(instance.rules(), &sourced.command, saying, effective_at)
        });
        let submission = Submission {
            instance: instance.clone(),
            command: sourced.command,
            caller: None,
            not_before: sourced.not_before,
            purpose: sourced.purpose,
            key: None,
        };
        Some(NewOperation {
            source: Some(sourced.source),
            due_date: sourced.date,
            held: sourced.held,
            wants_fetch: sourced.fetch,
            statement: statement.map(Box::new),
            ..new_operation(Uuid::now_v7().to_string(), submission, false, None)
        })
    }

    /// Stores a delivery's events with their operations, all of them or nothing.
    ///
    /// # Errors
    /// When the store can't be written; nothing is stored then.
    pub async fn receive(&self, delivery: NewDelivery) -> Result<Received, StoreError> {
        self.require_store()?;
        let received = self.noted(self.store.receive(delivery, self.clock.now()).await)?;
        self.changed();
        Ok(received)
    }

    /// Stores what the rules of now make of an event that they made nothing of. Answers the verdict
    /// that it had.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn replay_event(&self, id: &str, reading: EventReading) -> Result<Option<EventVerdict>, StoreError> {
        self.require_store()?;
        let verdict = self.noted(self.store.replay(id.to_owned(), reading, self.clock.now()).await)?;
        self.changed();
        Ok(verdict)
    }

    /// Keeps a delivery whose sender is not proven, and tells whether there was room.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn quarantine(&self, delivery: NewQuarantined) -> Result<bool, StoreError> {
        self.require_store()?;
        let size = self.settings.quarantine_size;
        let limits = QuarantineLimits {
            size,
            // So that no one address can keep all others out.
            by_address: size.div_ceil(10),
        };
        self.noted(self.store.quarantine(delivery, limits).await)
    }

    /// One event with its content.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn event(&self, id: &str) -> Result<Option<StoredEvent>, StoreError> {
        self.store.event(id.to_owned()).await
    }

    /// A page of events, newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn events(&self, filter: EventFilter, before: Option<i64>, limit: u32) -> Result<EventPage, StoreError> {
        self.store.events(filter, before, limit).await
    }

    /// Deletes the contents of events that are past their retention.
    pub(super) async fn prune_events(&self, limit: u32) -> Result<(), StoreError> {
        let retention = SignedDuration::try_from(self.settings.event_retention).unwrap_or(SignedDuration::MAX);
        let Ok(before) = self.clock.now().checked_sub(retention) else {
            return Ok(());
        };
        while self.store.prune_events(before, limit).await? >= limit as usize {}
        Ok(())
    }
}
