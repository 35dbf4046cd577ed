//! What becomes of a delivery: verified, understood, and stored with its operations before it is
//! answered.
//!
//! The limit of failures by address that callers have is not for senders. Many customers' events
//! come from the few addresses of one HR system, and a secret that is wrong for one source must not
//! lock out the others: a refusal costs what an acceptance costs, the length of a body is bounded
//! before it is hashed, and only the lines in the log are limited by address.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use jiff::SignedDuration;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    Delivery, EventError, Source, Sources, VerificationError, Verified,
    body::BodyError,
    kept::Kept,
    quarantine::MOST_AT_ONCE,
    reading::{Misunderstood, key, understand, unreadable},
    verify::{Handshake, Proof},
};
use crate::{
    auth::{Failures, Verdict},
    operations::Operations,
    store::{NewDelivery, NewEvent, Received, ReceivedEvent, StoreError},
    telemetry::metrics,
};

/// From this length on a body is worked on where it holds nothing else up, in bytes.
const LARGE: usize = 16 * 1024;

/// Takes deliveries in.
pub struct Intake {
    pub(super) sources: Arc<Sources>,
    pub(super) operations: Arc<Operations>,
    /// Limits the lines in the log by address, and nothing else.
    failures: Failures,
    /// Those that are being put into quarantine.
    pub(super) quarantining: Arc<Semaphore>,
    /// How many had no room there since the last line about it.
    pub(super) dropped: Arc<AtomicU64>,
}

/// What a delivery came to.
#[derive(Debug)]
pub struct Taken {
    /// Its events.
    pub events: Vec<ReceivedEvent>,
    /// What its sender wants to hear besides.
    pub handshake: Option<Handshake>,
    /// Whether it is a security event token, which is answered by RFC 8935.
    pub is_security_event: bool,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It is not proven. Its sender is never told more.
    #[error("{reason}")]
    Unproven {
        /// The configured name of the source; none where there is none of that name.
        source_name: Option<String>,
        /// The operator's reason.
        reason: String,
        /// Whether it is to be told in a line of its own.
        is_reported: bool,
    },
    /// The keys of its issuer can't be had at the moment.
    #[error("the keys of the issuer can't be had at the moment")]
    KeysUnavailable,
    /// Its body can't be understood.
    #[error("{error}")]
    Body {
        /// Why not.
        error: BodyError,
        /// See [`Taken::is_security_event`].
        is_security_event: bool,
    },
    /// Its events can't be told apart.
    #[error("{error}")]
    Events {
        /// Why not.
        error: EventError,
        /// See [`Taken::is_security_event`].
        is_security_event: bool,
    },
    /// The sender's id of one of its events is that of another, which stands.
    #[error("the id of an event is that of another")]
    Reused {
        /// The event's place, from 0.
        position: usize,
        /// The id of the one that stands.
        first: Option<String>,
        /// See [`Taken::is_security_event`].
        is_security_event: bool,
    },
    /// It was in quarantine, and is gone from there.
    #[error("it is gone from quarantine")]
    Gone,
    /// The store can't take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A defect: its rules panicked.
    #[error("a rule panicked")]
    Broken,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Intake");
        shown.field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl Intake {
    /// Takes deliveries of these sources in, for these operations.
    pub fn new(sources: Arc<Sources>, operations: Arc<Operations>) -> Self {
        Self {
            sources,
            operations,
            failures: Failures::default(),
            quarantining: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            dropped: Arc::default(),
        }
    }

    /// The sources.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// The operations, which have the store of the events.
    pub fn operations(&self) -> &Arc<Operations> {
        &self.operations
    }

    /// Takes a delivery to the source of this name, from this address. What is answered with
    /// success is durable.
    ///
    /// # Errors
    /// When it is not proven, not understood, or not stored; then nothing of it is.
    pub async fn take(&self, name: &str, delivery: Delivery, address: IpAddr) -> Result<Taken, IntakeError> {
        let Some(source) = self.sources.get(name) else {
            // The work of a source that is there, and the same answer.
            drop(self.sources.decoy().verify(&delivery).await);
            return Err(self.unproven(None, &VerificationError::UnknownSource, address));
        };
        let verified = match self.verify(&source, &delivery).await {
            Ok(verified) => verified,
            Err(error) if error.is_temporary() => return Err(IntakeError::KeysUnavailable),
            Err(error) => {
                let refused = self.unproven(Some(name), &error, address);
                metrics::webhook_event(source.name(), "unproven");
                self.quarantine(&source, &delivery, &error.to_string(), address);
                return Err(refused);
            }
        };
        let taken = self.accept(&source, delivery.clone(), verified, None).await;
        if let Err(IntakeError::Events { error, .. }) = &taken {
            tracing::error!(
                source_name = name,
                "the events of a delivery can't be told apart, and it is kept in quarantine: {error}"
            );
            self.quarantine(&source, &delivery, &error.to_string(), address);
        }
        taken
    }

    /// Judges the header section of a delivery whose sender waits to be told to send its body.
    /// There is nothing to quarantine yet. A name without a source is judged with its body, as
    /// most sources are.
    ///
    /// # Errors
    /// When nothing that it could send would prove it.
    pub async fn judge_head(&self, name: &str, delivery: &Delivery, address: IpAddr) -> Result<(), IntakeError> {
        let Some(source) = self.sources.get(name) else {
            return Ok(());
        };
        source.verifier().judge_head(delivery).await.map_err(|error| {
            metrics::webhook_event(source.name(), "unproven");
            self.unproven(Some(name), &error, address)
        })
    }

    /// Verifies a delivery; one that duplicates may no longer be known of is refused too.
    pub(super) async fn verify(&self, source: &Source, delivery: &Delivery) -> Result<Verified, VerificationError> {
        let verified = source.verifier().verify(delivery).await?;
        let age = verified.time.map(|time| delivery.received.duration_since(time));
        match age {
            Some(age) if age > self.memory() => Err(VerificationError::TooOld {
                age: age.as_secs(),
                oldest: u64::try_from(self.memory().as_secs()).unwrap_or_default(),
            }),
            Some(_) | None => Ok(verified),
        }
    }

    /// How long duplicates are remembered.
    pub(super) fn memory(&self) -> SignedDuration {
        SignedDuration::try_from(self.operations.settings().event_retention).unwrap_or(SignedDuration::MAX)
    }

    fn unproven(&self, name: Option<&str>, error: &VerificationError, address: IpAddr) -> IntakeError {
        let verdict = self.failures.record(address, Instant::now());
        IntakeError::Unproven {
            source_name: name.map(str::to_owned),
            reason: error.to_string(),
            is_reported: matches!(verdict, Verdict::Reported),
        }
    }

    /// Stores a proven delivery.
    pub(super) async fn accept(
        &self,
        source: &Arc<Source>,
        delivery: Delivery,
        verified: Verified,
        released: Option<String>,
    ) -> Result<Taken, IntakeError> {
        let is_security_event = matches!(source.verifier().settings().proof, Proof::SecurityEvent(_));
        let handshake = verified.handshake.clone();
        let is_no_event = matches!(
            handshake,
            Some(Handshake::Ping | Handshake::Challenge(_) | Handshake::Token(_))
        );
        let mut taken = Taken {
            events: Vec::new(),
            handshake,
            is_security_event,
        };
        if is_no_event && released.is_none() {
            return Ok(taken);
        }
        let received_at = delivery.received;
        let content = Kept::proven(source, &delivery, &verified).written();
        let events = if is_no_event {
            Vec::new()
        } else {
            self.read(source, delivery, verified, is_security_event).await?
        };
        let verdicts: Vec<_> = events.iter().map(|event| event.reading.verdict.as_str()).collect();
        let stored = self.operations.receive(NewDelivery {
            source: source.name().to_owned(),
            content,
            received_at,
            released,
            events,
        });
        match stored.await? {
            Received::Stored(events) => {
                for (event, verdict) in events.iter().zip(verdicts) {
                    let verdict = if event.is_duplicate { "duplicate" } else { verdict };
                    metrics::webhook_proven(source.name(), verdict);
                }
                taken.events = events;
                Ok(taken)
            }
            Received::Reused { position, first } => {
                tracing::error!(
                    source_name = source.name(),
                    position,
                    first,
                    "an event came under the id of another, and was refused: the first one stands"
                );
                Err(IntakeError::Reused {
                    position,
                    first,
                    is_security_event,
                })
            }
            Received::Gone => Err(IntakeError::Gone),
        }
    }

    /// The events of a delivery, each with what the rules make of it.
    async fn read(
        &self,
        source: &Arc<Source>,
        delivery: Delivery,
        verified: Verified,
        is_security_event: bool,
    ) -> Result<Vec<NewEvent>, IntakeError> {
        let read = if delivery.body.len() < LARGE {
            understand(source, &delivery, &verified)
        } else {
            let (source, delivery, verified) = (Arc::clone(source), delivery.clone(), verified.clone());
            let reading = tokio::task::spawn_blocking(move || understand(&source, &delivery, &verified));
            reading.await.map_err(|_| IntakeError::Broken)?
        };
        let read = match read {
            Ok(read) => read,
            Err(Misunderstood::Body(BodyError::NeedsBridge)) => vec![unreadable(&delivery)],
            Err(Misunderstood::Body(error)) => {
                return Err(IntakeError::Body {
                    error,
                    is_security_event,
                });
            }
            Err(Misunderstood::Events(error)) => {
                return Err(IntakeError::Events {
                    error,
                    is_security_event,
                });
            }
        };
        let is_whole = read.len() == 1 && read[0].0.digest == super::extraction::sha256(&delivery.body);
        let new = read.into_iter().map(|(event, planned)| NewEvent {
            id: Uuid::now_v7().to_string(),
            key: key(&event, is_whole, &verified),
            digest: event.digest,
            r#type: event.r#type.clone(),
            time: event.time,
            reading: self.reading(source, &delivery, &event, planned),
        });
        Ok(new.collect())
    }
}
