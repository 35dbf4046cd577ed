//! Commands that are stored first: accepted durably, carried out in order, tried again, and found
//! again after a crash.
//!
//! [`Operations`] accepts a command as an operation and answers when the store has it. Its workers
//! claim what is first in all its lanes and carry it out (`carry_out`) through the same service
//! that runs every command. A caller who waits is answered by the worker; with a store nothing that
//! writes goes another way.

mod availability;
mod carry_out;
mod clock;
mod housekeeping;
mod retry;
mod worker;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    commands::{Command, stored},
    scim::Priority,
    service::{CommandObserver, Completed, Instance, Service},
    store::{NewOperation, Store},
};

pub use crate::store::{Attempt, Filter, Operation, OperationPage, State, StoreError};
pub use clock::Clock;

use availability::Availability;

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

/// A command that is to become an operation.
#[derive(Debug)]
pub struct Submission {
    /// The instance that it is for.
    pub instance: Arc<Instance>,
    /// The command.
    pub command: Command,
    /// The configured name of the caller.
    pub caller: Option<String>,
    /// Before this time it is not carried out.
    pub not_before: Option<Timestamp>,
    /// What it is for.
    pub purpose: Option<String>,
}

/// Why a command that a caller waits for has no outcome.
pub enum SubmitError {
    /// The store can't take it; nothing was done.
    Store {
        /// What was to observe the command.
        observer: Box<dyn CommandObserver>,
        /// Why not.
        error: StoreError,
    },
    /// Others on the same subject come first, for longer than the caller's time.
    Behind {
        /// The operation's id.
        operation: String,
        /// Whether it stays and will be carried out; else nothing of it will be.
        stays: bool,
    },
    /// The service is stopping; nothing was done.
    Stopping,
    /// The command broke off, or the store did: what it did is not known.
    Broken,
}

/// Accepts operations and carries them out.
pub struct Operations {
    store: Arc<dyn Store>,
    service: Arc<Service>,
    clock: Clock,
    settings: OperationSettings,
    /// Callers that wait for their operation.
    waiters: Mutex<HashMap<String, Waiter>>,
    /// Counts up whenever something may be there to do, or has ended.
    changes: watch::Sender<u64>,
    availability: Availability,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// A caller that waits for an operation's outcome.
struct Waiter {
    observer: Box<dyn CommandObserver>,
    answer: oneshot::Sender<Completed>,
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
    pub fn new(store: Arc<dyn Store>, service: Arc<Service>, clock: Clock, settings: OperationSettings) -> Arc<Self> {
        Arc::new(Self {
            store,
            service,
            clock,
            settings,
            waiters: Mutex::default(),
            changes: watch::Sender::new(0),
            availability: Availability::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Stores a command, to be carried out in its turn. Answers the operation once it is durable.
    ///
    /// # Errors
    /// When the store can't take it.
    pub async fn accept(&self, submission: Submission) -> Result<Operation, StoreError> {
        let id = Uuid::now_v7().to_string();
        self.store_operation(id, submission, false).await
    }

    /// Stores a command and has it carried out in its turn while its caller waits, for as long as
    /// the instance gives a command. What has not begun by then is cancelled; a disable stays.
    ///
    /// # Errors
    /// When the store can't take it, or when its turn does not come in time.
    pub async fn run(&self, submission: Submission, observer: impl CommandObserver) -> Result<Completed, SubmitError> {
        let id = Uuid::now_v7().to_string();
        let patience = submission.instance.command_timeout();
        let stays = submission.command.priority() == Priority::Disable;
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter {
            observer: Box::new(observer),
            answer,
        };
        self.waiters().insert(id.clone(), waiter);
        if let Err(error) = self.store_operation(id.clone(), submission, true).await {
            let waiter = self.waiters().remove(&id);
            let observer = waiter.map_or_else(|| Box::new(()) as Box<dyn CommandObserver>, |waiter| waiter.observer);
            return Err(SubmitError::Store { observer, error });
        }
        self.await_answer(&id, answered, patience, stays).await
    }

    async fn await_answer(
        &self,
        id: &str,
        mut answered: oneshot::Receiver<Completed>,
        patience: Duration,
        stays: bool,
    ) -> Result<Completed, SubmitError> {
        let is_stopping = tokio::select! {
            completed = &mut answered => return self.answer_of(id, completed).await,
            () = tokio::time::sleep(patience) => false,
            () = self.stopping.cancelled() => true,
        };
        let state = if stays {
            let operation = self.store.operation(id.to_owned()).await;
            operation.map(|operation| operation.map(|operation| operation.state))
        } else {
            let reason = if is_stopping {
                "the service was stopping"
            } else {
                "its turn did not come in its caller's time"
            };
            let reason = Some(reason.to_owned());
            self.store.cancel(id.to_owned(), reason, self.clock.now()).await
        };
        let waits = match state {
            Ok(state) => state.is_some_and(|state| !state.has_ended() && state != State::Running),
            // It is not known whether it begins: its answer is waited for.
            Err(_) => false,
        };
        if !waits {
            let completed = answered.await;
            return self.answer_of(id, completed).await;
        }
        self.waiters().remove(id);
        Err(if is_stopping && !stays {
            SubmitError::Stopping
        } else {
            SubmitError::Behind {
                operation: id.to_owned(),
                stays,
            }
        })
    }

    /// What a caller is told that waited for an answer: one that was cancelled meanwhile gets none.
    async fn answer_of(
        &self,
        id: &str,
        completed: Result<Completed, oneshot::error::RecvError>,
    ) -> Result<Completed, SubmitError> {
        match completed {
            Ok(completed) => Ok(completed),
            Err(_) => match self.store.operation(id.to_owned()).await {
                Ok(Some(operation)) if operation.state == State::Cancelled => Err(SubmitError::Behind {
                    operation: operation.id,
                    stays: false,
                }),
                Ok(_) | Err(_) => Err(SubmitError::Broken),
            },
        }
    }

    async fn store_operation(
        &self,
        id: String,
        submission: Submission,
        is_synchronous: bool,
    ) -> Result<Operation, StoreError> {
        let Submission {
            instance,
            command,
            caller,
            not_before,
            purpose,
        } = submission;
        self.require_store()?;
        let priority = command.priority();
        let new = NewOperation {
            id,
            instance: instance.name().to_owned(),
            command: command.name().to_owned(),
            stored: stored::write(&command).to_string(),
            class: class(priority),
            lanes: command.prepare(instance.rules()).subject(),
            overtakes: priority == Priority::Disable,
            is_synchronous,
            not_before,
            caller,
            source: None,
            batch: None,
            purpose,
            traceparent: None,
        };
        let now = self.clock.now();
        let accepted = self.noted(self.store.accept(vec![new.clone()], now).await)?;
        self.changed();
        let number = accepted.first().map_or(0, |accepted| accepted.number);
        Ok(new.accepted(number, now))
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

/// How urgent an operation is among the lanes: the smallest goes first.
fn class(priority: Priority) -> u8 {
    match priority {
        Priority::Disable => 0,
        Priority::Update => 1,
        Priority::Create => 2,
        Priority::Read => 3,
    }
}
