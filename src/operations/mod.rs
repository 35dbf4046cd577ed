//! Commands that are stored first: accepted durably, carried out in order, tried again, and found
//! again after a crash.
//!
//! [`Operations`] accepts a command as an operation and answers when the store has it. Its workers
//! claim what is first in all its lanes and carry it out (`carry_out`) through the same service
//! that runs every command. A caller who waits is answered by the worker; with a store nothing that
//! writes goes another way.

mod availability;
mod batch;
mod callback;
mod carry_out;
mod clock;
mod counting;
mod date;
mod events;
mod fetched;
mod guarantees;
mod housekeeping;
mod idempotency;
mod left;
mod outward;
mod person;
mod retry;
mod sampling;
mod saying;
mod selection;
mod standing;
mod submit;
mod worker;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{service::Service, store::Store};

pub use crate::store::{Attempt, Batch, Change, DueDate, Filter, Operation, OperationPage, State, StoreError, Word};
pub use batch::{AcceptedBatch, BatchSubmission};
pub use callback::{CallBack, CallbackMessage};
pub use clock::Clock;
pub use date::{Side, due, effective, zone_named};
pub use events::SourcedCommand;
pub use fetched::{Fetch, FetchAnswer, FetchError};
pub use guarantees::{GUARANTEES, Guarantee};
pub use idempotency::{AcceptError, KeyUse};
pub use outward::Outward;
pub use saying::Saying;
pub use selection::{Selection, SelectionChanged, Selects};
pub use submit::{Accepted, Answered, Submission, SubmitError};

use availability::Availability;
use submit::Waiter;

/// How operations are tried again, and how long they are kept.
#[derive(Clone, Debug)]
pub struct OperationSettings {
    /// What becomes of commands that change a directory while the store can't be written.
    pub store_unavailable: StoreUnavailable,
    /// The waits between the tries of an operation that failed for a passing reason.
    pub retry_schedule: Vec<SignedDuration>,
    /// The waits between the tries of a disable.
    pub disable_retry_schedule: Vec<SignedDuration>,
    /// What becomes of what waits behind an operation that is buried.
    pub after_buried: AfterBuried,
    /// How long an operation that has ended is kept.
    pub operation_retention: Duration,
    /// How long the content of an event is kept, and how long duplicates of it are known at least.
    pub event_retention: Duration,
    /// How many deliveries are quarantined at most.
    pub quarantine_size: u32,
    /// How long the key of a request is kept; no longer than its operation.
    pub idempotency_retention: Duration,
}

/// What becomes of commands that change a directory while the store can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreUnavailable {
    /// Disables go on without it, for no order is hurt by a disable; all others are refused.
    Refuse,
    /// All go on without it.
    GoOn,
}

/// What becomes of what waits behind an operation that is buried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterBuried {
    /// It is carried out.
    Continue,
    /// It waits until the buried operation is tried again with success, or cancelled.
    Block,
}

/// Accepts operations and carries them out.
pub struct Operations {
    store: Arc<dyn Store>,
    service: Arc<Service>,
    clock: Clock,
    settings: OperationSettings,
    outward: Outward,
    /// Callers that wait for their operation.
    waiters: Mutex<HashMap<String, Waiter>>,
    /// Counts up whenever something may be there to do, or has ended.
    changes: watch::Sender<u64>,
    availability: Availability,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for Operations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Operations")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Operations {
    /// Operations of this store, carried out by this service.
    pub fn new(
        store: Arc<dyn Store>,
        service: Arc<Service>,
        clock: Clock,
        settings: OperationSettings,
        outward: Outward,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            service,
            clock,
            settings,
            outward,
            waiters: Mutex::default(),
            changes: watch::Sender::new(0),
            availability: Availability::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// An operation and its attempts.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn get(&self, id: &str) -> Result<Option<(Operation, Vec<Attempt>)>, StoreError> {
        let Some(operation) = self.store.operation(id.to_owned()).await? else {
            return Ok(None);
        };
        let attempts = self.store.attempts(id.to_owned()).await?;
        Ok(Some((operation, attempts)))
    }

    /// A page of operations, newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn list(&self, filter: Filter, before: Option<i64>, limit: u32) -> Result<OperationPage, StoreError> {
        self.store.operations(filter, before, limit).await
    }

    /// Waits until an operation has ended, for so long at most.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn wait(&self, id: &str, limit: Duration) -> Result<(), StoreError> {
        let mut changes = self.changes.subscribe();
        let wait = async {
            loop {
                let operation = self.store.operation(id.to_owned()).await?;
                if operation.is_none_or(|operation| operation.state.has_ended()) || changes.changed().await.is_err() {
                    return Ok(());
                }
            }
        };
        tokio::select! {
            ended = wait => ended,
            () = tokio::time::sleep(limit) => Ok(()),
            () = self.stopping.cancelled() => Ok(()),
        }
    }

    /// Cancels an operation that does not run and has not ended, or is buried; answers the state it
    /// had.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn cancel(&self, id: &str) -> Result<Option<State>, StoreError> {
        let state = self.store.cancel(id.to_owned(), None, self.clock.now()).await?;
        if state.is_some_and(State::is_cancellable) {
            // A caller that waits for it waits no longer.
            drop(self.waiters().remove(id));
        }
        self.changed();
        Ok(state)
    }

    /// Lets an operation be tried again at once; answers the state that it had.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn retry(&self, id: &str, requested_by: Option<String>) -> Result<Option<State>, StoreError> {
        let state = self.store.retry(id.to_owned(), requested_by, self.clock.now()).await?;
        self.changed();
        Ok(state)
    }

    /// Lets an operation go on that is held or needs data: at its time, or at once where that is
    /// over. Answers the state that it had.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn release(&self, id: &str, requested_by: Option<String>) -> Result<Option<State>, StoreError> {
        let state = self
            .store
            .release(id.to_owned(), requested_by, self.clock.now())
            .await?;
        self.changed();
        Ok(state)
    }

    /// Moves an operation that has not begun to another time; answers the state that it had.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn reschedule(&self, id: &str, not_before: Timestamp) -> Result<Option<State>, StoreError> {
        let state = self
            .store
            .reschedule(id.to_owned(), not_before, self.clock.now())
            .await?;
        self.changed();
        Ok(state)
    }

    /// Claims nothing more. Callers whose operation has not begun are told.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Claims nothing more, and waits until what runs has ended, `limit` at most. How many have
    /// not.
    pub async fn finish(&self, limit: Duration) -> usize {
        self.stop();
        self.tasks.close();
        let _ended = tokio::time::timeout(limit, self.tasks.wait()).await;
        self.tasks.len()
    }

    /// The settings that they are carried out by.
    pub fn settings(&self) -> &OperationSettings {
        &self.settings
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn waiters(&self) -> MutexGuard<'_, HashMap<String, Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an operation in this state can be tried again.
pub fn is_retriable(state: State) -> bool {
    matches!(state, State::Failed | State::Buried | State::Cancelled | State::Waiting)
}
