//! Deliveries whose sender is not proven, kept within bounds; and events that are read again.

use std::{net::IpAddr, sync::Arc, sync::atomic::Ordering};

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Delivery, Source, VerificationError, Verified,
    intake::{Intake, IntakeError, Taken},
    kept::{Kept, KeptError},
    reading::{Misunderstood, understand},
    verify::Identity,
};
use crate::{
    store::{EventVerdict, NewQuarantined, StoreError, StoredEvent},
    telemetry::metrics,
};

/// The longest body that is kept in quarantine, in bytes.
const LONGEST: usize = 64 * 1024;

/// How many are put into quarantine at once: what comes beyond is dropped, so that a flood holds up
/// no writes.
pub(super) const MOST_AT_ONCE: usize = 16;

/// Why an event could not be read again.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// There is no such event, or its content is deleted.
    #[error("there is no such event, or its content is deleted")]
    Gone,
    /// It is none that this can be done with.
    #[error("it is {}", .0.as_str())]
    Verdict(EventVerdict),
    /// Its source is not configured any more.
    #[error("its source is not configured any more")]
    NoSource,
    /// It is still not proven.
    #[error("it is not proven: {0}")]
    Unproven(VerificationError),
    /// Its events can't be told apart, or it has fewer than it had.
    #[error("{0}")]
    Unreadable(String),
    /// It was not taken.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// What is stored of it can't be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Intake {
    /// Puts a delivery into quarantine, if there is room. Nothing waits for it: how long a refusal
    /// takes says nothing of it.
    pub(super) fn quarantine(&self, source: &Source, delivery: &Delivery, reason: &str, address: IpAddr) {
        let dropped = Arc::clone(&self.dropped);
        let permit = Arc::clone(&self.quarantining).try_acquire_owned();
        let (true, Ok(permit)) = (delivery.body.len() <= LONGEST, permit) else {
            dropped.fetch_add(1, Ordering::Relaxed);
            metrics::webhook_dropped(source.name());
            return;
        };
        let new = NewQuarantined {
            id: Uuid::now_v7().to_string(),
            source: source.name().to_owned(),
            content: Kept::whole(source, delivery).written(),
            received_at: delivery.received,
            address: address.to_canonical().to_string(),
            reason: reason.to_owned(),
        };
        let operations = Arc::clone(&self.operations);
        tokio::spawn(async move {
            let _permit = permit;
            let name = new.source.clone();
            if !matches!(operations.quarantine(new).await, Ok(true)) {
                dropped.fetch_add(1, Ordering::Relaxed);
                metrics::webhook_dropped(&name);
            }
        });
    }

    /// How many deliveries had no room in quarantine since the last call.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }

    /// Verifies a quarantined delivery again, by the secrets of now and the time at which it
    /// arrived, and takes it where it is proven.
    ///
    /// # Errors
    /// When it is not in quarantine, is still not proven, or can't be stored.
    pub async fn verify_again(&self, id: &str) -> Result<Taken, AgainError> {
        let (event, kept) = self.kept(id).await?;
        if event.verdict != EventVerdict::Quarantined {
            return Err(AgainError::Verdict(event.verdict));
        }
        let source = self.sources.get(&event.source).ok_or(AgainError::NoSource)?;
        let delivery = kept.delivery(event.received_at);
        let verified = self.verify(&source, &delivery).await.map_err(AgainError::Unproven)?;
        match self.accept(&source, delivery, verified, Some(id.to_owned())).await {
            Err(IntakeError::Gone) => Err(AgainError::Gone),
            taken => Ok(taken?),
        }
    }

    /// Holds an event that became no operations against the rules of now.
    ///
    /// # Errors
    /// When it is none of those, or can't be read or stored.
    pub async fn replay(&self, id: &str) -> Result<(), AgainError> {
        let (event, kept) = self.kept(id).await?;
        if !event.verdict.is_replayable() {
            return Err(AgainError::Verdict(event.verdict));
        }
        let source = self.sources.get(&event.source).ok_or(AgainError::NoSource)?;
        let delivery = kept.delivery(event.received_at);
        let reading = self.read_again(&source, &delivery, &kept, event.position)?;
        match self.operations.replay_event(id, reading).await? {
            None => Err(AgainError::Gone),
            Some(verdict) if !verdict.is_replayable() => Err(AgainError::Verdict(verdict)),
            Some(_) => Ok(()),
        }
    }

    fn read_again(
        &self,
        source: &Source,
        delivery: &Delivery,
        kept: &Kept,
        position: u32,
    ) -> Result<crate::store::EventReading, AgainError> {
        let verified = Verified {
            id: kept.id().map(str::to_owned),
            identity: Identity::Digest(super::extraction::sha256(&delivery.body)),
            time: None::<Timestamp>,
            secret: None,
            scheme: source.verifier().settings().proof.name(),
            handshake: None,
            claims: kept.claims().cloned(),
        };
        let events = understand(source, delivery, &verified).map_err(|misunderstood| {
            AgainError::Unreadable(match misunderstood {
                Misunderstood::Body(error) => error.to_string(),
                Misunderstood::Events(error) => error.to_string(),
            })
        })?;
        let mut own = events.into_iter().filter(|(event, _)| event.index == position as usize);
        let (event, planned) = own
            .next()
            .ok_or_else(|| AgainError::Unreadable("its delivery has fewer events than it had".to_owned()))?;
        Ok(self.reading(source, delivery, &event, planned))
    }

    async fn kept(&self, id: &str) -> Result<(StoredEvent, Kept), AgainError> {
        let event = self.operations.event(id).await?.ok_or(AgainError::Gone)?;
        let kept = Kept::read(event.content.as_deref().ok_or(AgainError::Gone)?)?;
        Ok((event, kept))
    }
}
