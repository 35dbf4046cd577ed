//! Where operations are kept: stored before they are answered, in order, and found again after a
//! crash.
//!
//! A [`Store`] knows nothing of commands. An operation is a row with the names of whom it is about
//! (its *lanes*) and a text that the store does not read. What is accepted later waits for what was
//! accepted earlier in any of the same lanes: an operation runs when it is first in all of them.
//! Both backends keep the same promises, held by one suite (`tests`).
//!
//! Two numbers: the *accepted* number says what is older, and is taken when an operation is stored;
//! the *turn* is its place in its lanes, and is taken when it becomes due. Both come from the
//! database and never from a clock.

use std::{collections::BTreeSet, fmt, future::Future, pin::Pin};

use jiff::{SignedDuration, Timestamp};

mod backlog;
mod callback;
mod events;
mod page;
mod request;
mod rows;
mod selection;
pub mod sqlite;
mod statement;
#[cfg(test)]
mod tests;

pub use backlog::Backlog;
pub use callback::{Callback, CallbackEnd};
pub use events::{
    EventFilter, EventKey, EventPage, EventReading, EventVerdict, NewDelivery, NewEvent, NewQuarantined,
    QuarantineLimits, Received, ReceivedEvent, StoredEvent,
};
pub use page::{Filter, OperationPage};
pub use request::{Acceptance, Batch, FirstAnswer, NewBatch, NewRequest, RequestKey};
pub use rows::{
    Accepted, Attempt, AttemptEnd, Claim, Claimed, Claims, Disabled, End, Learned, NewOperation, Operation, State,
};
pub use selection::{Change, NewSelection, Selected, SelectedOperation};
pub use statement::{DueDate, NewStatement, Standing, Statement, Word};

/// The answer of a store, to be awaited.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps operations. What a method has answered is durable.
pub trait Store: fmt::Debug + Send + Sync {
    /// Stores a request, its key and its batch together with its operations, unless its key has
    /// been used before. A key is free for its request again once that has ended without an answer
    /// that is kept; what is stored under it then is told that a write may have been sent, if the
    /// one before may have sent one.
    fn accept(&self, request: NewRequest, now: Timestamp) -> Answer<'_, Acceptance>;

    /// Lets what is due take its turn, of all instances, and ends the waits that are over. Then
    /// claims operations of one instance, `limit` at most, and lets the attempt of each begin. One
    /// after the other: the oldest that may overtake, unless something runs in its lanes; else the
    /// one whose turn it is, the most urgent first and then the one that has waited longest.
    fn claim(&self, instance: String, limit: usize, now: Timestamp) -> Answer<'_, Claims>;

    /// Ends the attempt of a claim, and says what becomes of its operation.
    fn end(&self, claim: Claim, attempt: AttemptEnd, end: End, now: Timestamp) -> Answer<'_, ()>;

    /// The names of all lanes that hang together with those of an operation through what waits in
    /// them before it, its own among them; `None` where more than `limit` operations do.
    fn connected(&self, id: String, limit: u32) -> Answer<'_, Option<BTreeSet<String>>>;

    /// Makes all that hangs together with an operation, and comes before it, as urgent as it is.
    fn expedite(&self, id: String, limit: u32) -> Answer<'_, ()>;

    /// Which operations have disabled the user of this directory id.
    fn last_disable(&self, instance: String, directory_id: String) -> Answer<'_, Option<Disabled>>;

    /// What was said of the person of an operation, oldest first; nothing where its event said
    /// nothing.
    fn statements(&self, number: i64) -> Answer<'_, Vec<Statement>>;

    /// Lets an operation that is held go on: at its time, or at once where that is over. Answers
    /// the state that it had.
    fn release(&self, id: String, requested_by: Option<String>, now: Timestamp) -> Answer<'_, Option<State>>;

    /// The operations that wait for a date, with the time that was computed from it.
    fn dated(&self) -> Answer<'_, Vec<(String, DueDate, Timestamp)>>;

    /// Lets an operation that waits for a date wait until this time instead. The date stays, where
    /// [`Self::reschedule`] takes it away: then it is a caller's word that counts.
    fn redate(&self, id: String, not_before: Timestamp, now: Timestamp) -> Answer<'_, ()>;

    /// One operation.
    fn operation(&self, id: String) -> Answer<'_, Option<Operation>>;

    /// The attempts of an operation, oldest first.
    fn attempts(&self, id: String) -> Answer<'_, Vec<Attempt>>;

    /// A page of operations, newest first.
    fn operations(&self, filter: Filter, before: Option<i64>, limit: u32) -> Answer<'_, OperationPage>;

    /// How many operations are open or buried, by instance, state and class.
    fn backlog(&self) -> Answer<'_, Vec<Backlog>>;

    /// One batch.
    fn batch(&self, id: String) -> Answer<'_, Option<Batch>>;

    /// A page of a batch's operations in these states (none: in any), in the batch's order.
    fn batch_operations(
        &self,
        id: String,
        states: Vec<State>,
        after: Option<i64>,
        limit: u32,
    ) -> Answer<'_, OperationPage>;

    /// Cancels an operation that does not run and has not ended, or is buried. Answers the state
    /// that it had; `None` where there is no such operation.
    fn cancel(&self, id: String, reason: Option<String>, now: Timestamp) -> Answer<'_, Option<State>>;

    /// Lets an operation that ended without success, or waits for its next try, be tried at once:
    /// behind all that waits in its lanes where it had left them. Answers the state that it had.
    fn retry(&self, id: String, requested_by: Option<String>, now: Timestamp) -> Answer<'_, Option<State>>;

    /// Moves an operation that has not begun to another time. Answers the state that it had.
    fn reschedule(&self, id: String, not_before: Timestamp, now: Timestamp) -> Answer<'_, Option<State>>;

    /// Keeps which operations are selected, and answers how many there are.
    fn select(&self, selection: NewSelection) -> Answer<'_, Selected>;

    /// Takes what this token selected for this caller and digest, once; `None` where it stands for
    /// nothing any more.
    fn take_selection(
        &self,
        token: String,
        caller: Option<String>,
        digest: Vec<u8>,
        now: Timestamp,
    ) -> Answer<'_, Option<Vec<SelectedOperation>>>;

    /// Changes those of these operations that are in the state in which they were selected. Answers
    /// the ids of those that it changed.
    fn change(&self, operations: Vec<SelectedOperation>, change: Change, now: Timestamp) -> Answer<'_, Vec<String>>;

    /// Deletes keys and selections that mean nothing any more, and batches whose operations are all
    /// deleted, at most `limit` of each.
    fn forget(&self, now: Timestamp, limit: u32) -> Answer<'_, ()>;

    /// Deletes operations that ended before this time in one of these states, at most `limit`;
    /// answers how many.
    fn prune(&self, states: Vec<State>, ended_before: Timestamp, limit: u32) -> Answer<'_, usize>;

    /// Stores a delivery's events with their operations, but for those that came before.
    fn receive(&self, delivery: NewDelivery, now: Timestamp) -> Answer<'_, Received>;

    /// Keeps a delivery whose sender is not proven, and tells whether: what is there stays, and
    /// where that is as much as it may be, newcomers are not taken.
    fn quarantine(&self, delivery: NewQuarantined, limits: QuarantineLimits) -> Answer<'_, bool>;

    /// Stores what the rules of now make of an event that they made nothing of. Answers the verdict
    /// that it had; `None` where there is no such event, or its content is deleted.
    fn replay(&self, id: String, reading: EventReading, now: Timestamp) -> Answer<'_, Option<EventVerdict>>;

    /// One event, or quarantined delivery, with its content.
    fn event(&self, id: String) -> Answer<'_, Option<StoredEvent>>;

    /// A page of events and quarantined deliveries, newest first.
    fn events(&self, filter: EventFilter, before: Option<i64>, limit: u32) -> Answer<'_, EventPage>;

    /// Deletes the contents of what was received before this time, at most `limit`, and answers how
    /// many. The keys of events outlive them by a day, and their rows their operations.
    fn prune_events(&self, received_before: Timestamp, limit: u32) -> Answer<'_, usize>;

    /// From now on these sources are told when their operations end, are held or need data: each
    /// such change of an operation writes a callback with it. What others were to be told is
    /// dropped; answers how many that were.
    fn call_back_for(&self, sources: BTreeSet<String>) -> Answer<'_, usize>;

    /// The callbacks that are due, the oldest first, so many of each source at most. Of one
    /// operation there is the first alone: the next is due once that has ended.
    fn callbacks(&self, now: Timestamp, each: u32) -> Answer<'_, Vec<Callback>>;

    /// Says what becomes of a callback after a try.
    fn end_callback(&self, id: String, end: CallbackEnd) -> Answer<'_, ()>;

    /// Writes what the store has missed while it could not be written: these users (instance and
    /// directory id) were disabled, by what is newer than all that is stored. Writes more than an
    /// operation takes, so that a disk that is full shows.
    fn resume(&self, disabled: Vec<(String, String)>) -> Answer<'_, ()>;

    /// Takes up what a process that died has left: its attempts end as died, and each operation
    /// waits in its place again; from its third death in a row on by this schedule. What is
    /// synchronous, has not begun and overtakes nothing is cancelled. Answers how many attempts
    /// there were.
    fn recover(&self, schedule: Vec<SignedDuration>, now: Timestamp) -> Answer<'_, usize>;
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be written or read now: the disk is full, the file is locked, broken or gone.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The claim is not the operation's claim any more.
    #[error("the operation was claimed anew, or ended by another")]
    Fenced,
    /// An operation of this id is stored already.
    #[error("an operation of this id is stored already")]
    Duplicate,
}
