//! What becomes of operations while the store can't be written, and how it is taken up again.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Operations, StoreUnavailable};
use crate::{
    commands::Command,
    outcome::Shown,
    scim::Priority,
    service::{CommandObserver, Completed},
    store::StoreError,
};

/// What is known of the store.
#[derive(Debug, Default)]
pub(super) struct Availability {
    /// What a process that died has left is taken up.
    is_taken_up: AtomicBool,
    /// The store has failed, and has not been written since.
    is_failing: AtomicBool,
    /// Whom disables have disabled that the store does not know of: instance and directory id.
    disabled: Mutex<Vec<(String, String)>>,
    /// Held by the one that tries whether the store is back.
    resuming: tokio::sync::Mutex<()>,
}

impl Availability {
    fn disabled(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.disabled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operations {
    /// Whether a command goes on without the store while that can't be written.
    pub fn goes_on_without(&self, command: &Command) -> bool {
        // No order is hurt by a disable.
        self.settings.store_unavailable == StoreUnavailable::GoOn || command.priority() == Priority::Disable
    }

    /// Whether the store can't be written, as far as is known. Then it is tried every second.
    pub fn is_store_degraded(&self) -> bool {
        let availability = &self.availability;
        availability.is_failing.load(Ordering::Acquire) || !availability.is_taken_up.load(Ordering::Acquire)
    }

    /// Keeps whether the store has failed.
    pub(super) fn noted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(done, Err(StoreError::Unavailable(_))) {
            self.availability.is_failing.store(true, Ordering::Release);
        }
        done
    }

    /// Refuses while the store is known not to be written: what it does not know yet would else be
    /// taken for newer than what is accepted now.
    pub(super) fn require_store(&self) -> Result<(), StoreError> {
        if self.is_store_degraded() {
            return Err(StoreError::Unavailable(
                "it failed, and is tried every second".to_owned(),
            ));
        }
        Ok(())
    }

    /// Takes up what a process that died has left, once.
    pub(super) async fn take_up(&self) -> Result<(), StoreError> {
        // Before anything can end that a source is to be told of.
        self.arrange_callbacks().await?;
        let schedule = self.settings.retry_schedule.clone();
        let recovered = self.noted(self.store.recover(schedule, self.clock.now()).await)?;
        if recovered > 0 {
            tracing::warn!(
                operations = recovered,
                "operations whose process died are taken up again"
            );
        }
        self.compute_dates_again().await?;
        self.availability.is_taken_up.store(true, Ordering::Release);
        Ok(())
    }

    /// Tries whether a store that has failed can be written again, and tells it what it has missed.
    pub(super) async fn resume(&self) -> Result<(), StoreError> {
        let availability = &self.availability;
        let _one_at_a_time = availability.resuming.lock().await;
        while availability.is_failing.load(Ordering::Acquire) {
            let missed = mem::take(&mut *availability.disabled());
            if let Err(error) = self.store.resume(missed.clone()).await {
                availability.disabled().extend(missed);
                return Err(error);
            }
            let is_all = availability.disabled().is_empty();
            availability.is_failing.store(!is_all, Ordering::Release);
            if is_all {
                tracing::warn!("the store can be written again");
            }
        }
        Ok(())
    }

    /// Observes a command that goes on without the store, which is told later whom it has disabled.
    pub fn without_store(
        self: &Arc<Self>,
        command: &Command,
        instance: &str,
        observer: Box<dyn CommandObserver>,
    ) -> impl CommandObserver {
        WithoutStore {
            operations: Arc::clone(self),
            is_disable: command.priority() == Priority::Disable,
            instance: instance.to_owned(),
            observer,
        }
    }
}

/// Observes a command that goes on without the store.
struct WithoutStore {
    operations: Arc<Operations>,
    is_disable: bool,
    instance: String,
    observer: Box<dyn CommandObserver>,
}

impl CommandObserver for WithoutStore {
    fn on_start(&mut self) {
        self.observer.on_start();
    }

    fn on_finish(&mut self, completed: &Completed) {
        self.observer.on_finish(completed);
        if !self.is_disable || completed.outcome.failure().is_some() {
            return;
        }
        if let Some(Shown::User { id, .. }) = completed.outcome.shown() {
            let availability = &self.operations.availability;
            availability.disabled().push((self.instance.clone(), id.to_owned()));
            // The store may have come back meanwhile.
            availability.is_failing.store(true, Ordering::Release);
            self.operations.changed();
        }
    }
}
