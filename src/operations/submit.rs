//! Accepting commands: stored first, and answered at once or when they have been carried out.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    Operation, Operations, State,
    counting::Counted,
    idempotency::{AcceptError, KeyUse, digest},
};
use crate::{
    commands::{Command, stored},
    scim::Priority,
    service::{CommandObserver, Completed, Instance},
    store::{Acceptance, FirstAnswer, NewOperation, NewRequest, StoreError},
    telemetry::traces,
};

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
    /// The key under which its request is done once.
    pub key: Option<String>,
}

/// An operation that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The operation, as it was when it was accepted.
    pub operation: Operation,
    /// What its key means from now on, where it has one.
    pub key: Option<KeyUse>,
}

/// What a caller is answered that waited for its command.
#[derive(Debug)]
pub enum Answered {
    /// It was carried out.
    Now {
        /// What it came to.
        completed: Box<Completed>,
        /// What its key means from now on; none where that, if it has one, is free for another try.
        key: Option<KeyUse>,
    },
    /// The same request was answered so before.
    Before {
        /// The HTTP status.
        status: u16,
        /// The envelope as JSON.
        envelope: String,
        /// What its key means.
        key: KeyUse,
    },
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
    /// Its key is in use for the same request, which is not answered yet.
    KeyInUse,
    /// Its key has been used for another request.
    KeyReused,
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

/// A caller that waits for an operation's outcome.
pub(super) struct Waiter {
    pub(super) observer: Box<dyn CommandObserver>,
    pub(super) answer: oneshot::Sender<Completed>,
}

impl Operations {
    /// Stores a command, to be carried out in its turn. Answers the operation once it is durable.
    /// What has been accepted under the same key before is answered again, whatever has become of
    /// it.
    ///
    /// # Errors
    /// When the store can't take it, or its key is another request's.
    pub async fn accept(&self, submission: Submission) -> Result<Accepted, AcceptError> {
        let now = self.clock.now();
        let key = self.request_key(&submission.key, &submission.caller, now, || {
            digest("deferred", &submission)
        });
        let new = new_operation(Uuid::now_v7().to_string(), submission, false, None);
        let expires_at = key.as_ref().map(|key| key.expires_at);
        let request = NewRequest {
            operations: vec![new.clone()],
            batch: None,
            key,
        };
        match self.store_request(request, now).await? {
            Acceptance::Stored(accepted) => {
                let number = accepted.first().map_or(0, |accepted| accepted.number);
                Ok(Accepted {
                    operation: new.accepted(number, now),
                    key: expires_at.map(KeyUse::first),
                })
            }
            Acceptance::Before {
                answer: FirstAnswer::Deferred(operation),
                expires_at,
            } => Ok(Accepted {
                operation: operation.as_accepted(),
                key: Some(KeyUse::again(expires_at)),
            }),
            Acceptance::Before { .. } | Acceptance::Reused => Err(AcceptError::KeyReused),
        }
    }

    /// Stores a command and has it carried out in its turn while its caller waits, for as long as
    /// the instance gives a command. What has not begun by then is cancelled; a disable stays. What
    /// has been answered under the same key before is answered so again.
    ///
    /// # Errors
    /// When the store can't take it, its key is in use, or its turn does not come in time.
    pub async fn run(&self, submission: Submission, observer: impl CommandObserver) -> Result<Answered, SubmitError> {
        let id = Uuid::now_v7().to_string();
        let patience = submission.instance.command_timeout();
        let stays = submission.command.priority() == Priority::Disable;
        let now = self.clock.now();
        let key = self.request_key(&submission.key, &submission.caller, now, || {
            digest("synchronous", &submission)
        });
        let expires_at = key.as_ref().map(|key| key.expires_at);
        let request = NewRequest {
            operations: vec![new_operation(id.clone(), submission, true, None)],
            batch: None,
            key,
        };
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter {
            observer: Box::new(observer),
            answer,
        };
        self.waiters().insert(id.clone(), waiter);
        let stored = self.store_request(request, now).await;
        if matches!(stored, Ok(Acceptance::Stored(_))) {
            let completed = self.await_answer(&id, answered, patience, stays).await?;
            let is_kept = !completed.outcome.is_transient();
            return Ok(Answered::Now {
                completed: Box::new(completed),
                key: expires_at.filter(|_| is_kept).map(KeyUse::first),
            });
        }
        let waiter = self.waiters().remove(&id);
        match stored {
            Ok(Acceptance::Before {
                answer: FirstAnswer::Answered { status, envelope },
                expires_at,
            }) => Ok(Answered::Before {
                status,
                envelope,
                key: KeyUse::again(expires_at),
            }),
            Ok(Acceptance::Reused) => Err(SubmitError::KeyReused),
            Ok(Acceptance::Before { .. } | Acceptance::Stored(_)) => Err(SubmitError::KeyInUse),
            Err(error) => Err(SubmitError::Store {
                observer: waiter.map_or_else(|| Box::new(()) as Box<dyn CommandObserver>, |waiter| waiter.observer),
                error,
            }),
        }
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
        let mut changes = self.changes.subscribe();
        loop {
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
            match state {
                Ok(Some(State::Running)) | Err(_) => {}
                Ok(Some(state)) if !state.has_ended() => break,
                Ok(_) => return self.answer_of(id, answered.await).await,
            }
            // It runs, and may come to an answer; or it only looked whom it means, and waits again.
            tokio::select! {
                completed = &mut answered => return self.answer_of(id, completed).await,
                _ = changes.changed() => {}
            }
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

    /// Stores a request, unless the store is known not to be written.
    pub(super) async fn store_request(&self, request: NewRequest, now: Timestamp) -> Result<Acceptance, StoreError> {
        self.require_store()?;
        let counted = Counted::of(&request.operations);
        let accepted = {
            let enqueue = traces::enqueue(request.operations.len());
            self.noted(self.store.accept(request, now).instrument(enqueue).await)?
        };
        if matches!(accepted, Acceptance::Stored(_)) {
            counted.accepted();
        }
        self.changed();
        Ok(accepted)
    }
}

/// The operation that a submission becomes.
pub(super) fn new_operation(
    id: String,
    submission: Submission,
    is_synchronous: bool,
    batch: Option<String>,
) -> NewOperation {
    let Submission {
        instance,
        command,
        caller,
        not_before,
        purpose,
        key: _,
    } = submission;
    let priority = command.priority();
    NewOperation {
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
        batch,
        purpose,
        traceparent: traces::traceparent(),
        due_date: None,
        held: None,
        statement: None,
        wants_fetch: false,
    }
}

/// How urgent an operation is among the lanes: the smallest goes first.
pub(super) fn class(priority: Priority) -> u8 {
    match priority {
        Priority::Disable => 0,
        Priority::Update => 1,
        Priority::Create => 2,
        Priority::Read => 3,
    }
}
