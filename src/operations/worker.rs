//! Claiming what is to be done.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::Operations;
use crate::{
    service::Instance,
    store::{Claims, StoreError},
    telemetry::traces::{self, StoredOperation},
};

/// How long a worker sleeps at most: for what another process has stored, and for a clock that was
/// set.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How many operations are claimed in one transaction at most.
const CLAIMED_AT_ONCE: usize = 64;

impl Operations {
    /// Takes up what a process that died has left, and starts a worker for each instance; where the
    /// store can't be written, as soon as it can.
    pub async fn start(self: &Arc<Self>) {
        let Err(error) = self.take_up().await else {
            return self.start_workers();
        };
        tracing::error!("the operations in the store can't be taken up: {error}");
        let operations = Arc::clone(self);
        self.tasks.spawn(async move {
            while let Err(error) = operations.take_up().await {
                tracing::error!("the operations in the store can't be taken up: {error}");
                tokio::select! {
                    () = tokio::time::sleep(LONGEST_SLEEP) => {}
                    () = operations.stopping.cancelled() => return,
                }
            }
            operations.start_workers();
        });
    }

    fn start_workers(self: &Arc<Self>) {
        self.tasks.spawn(Arc::clone(self).keep_house());
        self.tasks.spawn(Arc::clone(self).sample());
        self.tasks.spawn(Arc::clone(self).call_back());
        for instance in self.service.instances() {
            let worker = Arc::clone(self).work(Arc::clone(instance));
            self.tasks.spawn(worker);
        }
    }

    /// Carries out one operation after the other, as many at once as the instance allows.
    async fn work(self: Arc<Self>, instance: Arc<Instance>) {
        let places = Arc::new(Semaphore::new(instance.max_commands()));
        let mut changes = self.changes.subscribe();
        while !self.stopping.is_cancelled() {
            changes.mark_unchanged();
            let Ok(mut free) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            // What is claimed in one transaction shares its sync.
            let more = places.available_permits().min(CLAIMED_AT_ONCE - 1);
            if let Ok(more) = Arc::clone(&places).try_acquire_many_owned(u32::try_from(more).unwrap_or_default()) {
                free.merge(more);
            }
            let sleep = match self.step(&instance, free).await {
                Ok(None) => continue,
                Ok(Some(sleep)) => sleep,
                Err(error) => {
                    tracing::error!(instance = instance.name(), "operations can't be claimed: {error}");
                    LONGEST_SLEEP
                }
            };
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(sleep) => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Claims as many operations as there are free places, and lets each be carried out while its
    /// place is kept. Where there is none, answers for how long that may last.
    async fn step(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        mut free: OwnedSemaphorePermit,
    ) -> Result<Option<Duration>, StoreError> {
        self.resume().await?;
        let now = self.clock.now();
        let limit = free.num_permits();
        let claims = self.store.claim(instance.name().to_owned(), limit, now).await;
        let Claims { claimed, next } = self.noted(claims)?;
        if claimed.is_empty() {
            let until_next = next.map(|next| next.duration_since(now).try_into().unwrap_or_default());
            return Ok(Some(
                until_next.map_or(LONGEST_SLEEP, |wait: Duration| wait.min(LONGEST_SLEEP)),
            ));
        }
        for claimed in claimed {
            let place = free.split(1);
            let (operations, instance) = (Arc::clone(self), Arc::clone(instance));
            let span = traces::operation(StoredOperation {
                id: &claimed.operation.id,
                command: &claimed.operation.command,
                instance: &claimed.operation.instance,
                traceparent: claimed.operation.traceparent.as_deref(),
                is_awaited: claimed.operation.is_synchronous,
            });
            let work = async move {
                operations.carry_out(&instance, claimed).await;
                operations.changed();
                drop(place);
            };
            self.tasks.spawn(work.instrument(span));
        }
        Ok(None)
    }
}
