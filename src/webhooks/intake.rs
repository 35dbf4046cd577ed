//! What becomes of a delivery: verified, understood, and stored with its operations before it is
//! answered.
//!
//! The limit of failures by address that callers have is not for senders. Many customers' events
//! come from the few addresses of one HR system, and a secret that is wrong for one source must not
//! lock out the others: a refusal costs what an acceptance costs, the length of a body is bounded
//! before it is hashed, and only the lines in the log are limited by address.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    Delivery, Event, EventError, Planned, PlannedCommand, Source, Sources, VerificationError, Verified,
    body::{self, BodyError},
    kept::Kept,
    quarantine::MOST_AT_ONCE,
    verify::{Handshake, Identity, Proof},
};
use crate::{
    auth::{Failures, Verdict},
    operations::{Operations, SourcedCommand},
    store::{EventKey, EventReading, EventVerdict, NewDelivery, NewEvent, Received, ReceivedEvent, StoreError},
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
        let stored = self.operations.receive(NewDelivery {
            source: source.name().to_owned(),
            content,
            received_at,
            released,
            events,
        });
        match stored.await? {
            Received::Stored(events) => {
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

    /// What is stored of a plan.
    pub(super) fn reading(
        &self,
        source: &Source,
        delivery: &Delivery,
        event: &Event,
        planned: Planned,
    ) -> EventReading {
        let age = event.time.map(|time| delivery.received.duration_since(time));
        if age.is_some_and(|age| age > self.memory()) {
            let reason = "its time is longer ago than duplicates are remembered (event_retention): it may be one";
            return failed(None, reason.to_owned());
        }
        match planned {
            Planned::Ignored { rule, reason } => EventReading {
                verdict: EventVerdict::Ignored,
                ..failed(rule, reason)
            },
            Planned::Failed { rule, reason } => failed(Some(rule), reason),
            Planned::Commands {
                rule,
                commands,
                purpose,
            } => self.planned(source, rule, commands, purpose),
        }
    }

    fn planned(
        &self,
        source: &Source,
        rule: usize,
        commands: Vec<PlannedCommand>,
        purpose: Option<String>,
    ) -> EventReading {
        let mut operations = Vec::with_capacity(commands.len());
        let mut subjects = BTreeSet::new();
        for planned in commands {
            let operation = self.operations.of_source(SourcedCommand {
                source: source.name().to_owned(),
                instance: planned.instance,
                command: planned.command,
                not_before: planned.not_before,
                purpose: purpose.clone(),
            });
            let Some(operation) = operation else {
                return failed(Some(rule), "an instance of the rule is not configured".to_owned());
            };
            subjects.extend(operation.lanes.iter().cloned());
            operations.push(operation);
        }
        EventReading {
            verdict: EventVerdict::Accepted,
            subjects,
            operations,
            reason: None,
            ..failed(Some(rule), String::new())
        }
    }
}

/// Why a proven delivery has no events.
pub(super) enum Misunderstood {
    Body(BodyError),
    Events(EventError),
}

/// The events of a proven delivery, and what the rules make of each.
pub(super) fn understand(
    source: &Source,
    delivery: &Delivery,
    verified: &Verified,
) -> Result<Vec<(Event, Planned)>, Misunderstood> {
    let settings = source.verifier().settings();
    let body = body::parse(settings, delivery, verified).map_err(Misunderstood::Body)?;
    let events = source
        .events(delivery, verified, &body)
        .map_err(Misunderstood::Events)?;
    let plans = source.plans(delivery, &body, &events);
    Ok(events.into_iter().zip(plans).collect())
}

/// A delivery that is kept as it is, since it is in a form that is not read.
fn unreadable(delivery: &Delivery) -> (Event, Planned) {
    let event = Event {
        index: 0,
        sender_id: None,
        digest: super::extraction::sha256(&delivery.body),
        r#type: delivery.path_type.clone(),
        time: None,
        item: Value::Null,
    };
    let reason = BodyError::NeedsBridge.to_string();
    (event, Planned::Failed { rule: 0, reason })
}

fn failed(rule: Option<usize>, reason: String) -> EventReading {
    EventReading {
        verdict: EventVerdict::Failed,
        // 0 stands for none.
        rule: rule.filter(|rule| *rule > 0).and_then(|rule| u32::try_from(rule).ok()),
        reason: Some(reason),
        subjects: BTreeSet::new(),
        operations: Vec::new(),
    }
}

/// By what an event is known when it comes again.
fn key(event: &Event, is_whole: bool, verified: &Verified) -> EventKey {
    if let Some(id) = &event.sender_id {
        return EventKey::Id(id.clone());
    }
    match (&verified.identity, is_whole) {
        (Identity::Id(id), true) => EventKey::Id(id.clone()),
        (Identity::Signature(_) | Identity::Digest(_), true) => EventKey::Content(verified.identity.key()),
        (_, false) => EventKey::Content(Identity::Digest(event.digest).key()),
    }
}
