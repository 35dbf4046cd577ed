//! What a store takes and gives of the events of webhooks.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::NewOperation;

/// What one delivery stores, all or none.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The configured name of its source.
    pub source: String,
    /// Its header fields and body. Personal data, which the store does not read; kept once for all
    /// events of the delivery.
    pub content: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The quarantined delivery that it is, verified again: gone from there once this is stored.
    pub released: Option<String>,
    /// In their order.
    pub events: Vec<NewEvent>,
}

/// An event to be stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id, by which callers know it.
    pub id: String,
    /// By which it is known when it comes again.
    pub key: EventKey,
    /// SHA-256 of what it says: under one id of the sender it has to be the same each time.
    pub digest: [u8; 32],
    /// Its type.
    pub r#type: Option<String>,
    /// The sender's time of it.
    pub time: Option<Timestamp>,
    /// What the rules made of it.
    pub reading: EventReading,
}

/// What the rules of a source made of an event, and what is stored with that.
#[derive(Clone, Debug)]
pub struct EventReading {
    /// What came of it.
    pub verdict: EventVerdict,
    /// The rule's place among the source's, from 1.
    pub rule: Option<u32>,
    /// Why, where it is not accepted.
    pub reason: Option<String>,
    /// Every name that it knows its person or group by.
    pub subjects: BTreeSet<String>,
    /// What is to be carried out.
    pub operations: Vec<NewOperation>,
}

/// By what an event is known when it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKey {
    /// The sender's id of it. What comes again under it changes nothing.
    Id(String),
    /// What it says, or its signature: it is the same event only while nothing else was accepted
    /// for its person since, and not where it came to nothing.
    Content(String),
}

/// What came of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventVerdict {
    /// It became operations.
    Accepted,
    /// No rule matches it, or the one that does says to ignore it.
    Ignored,
    /// A rule matches it, and what that needs is missing or wrong.
    Failed,
    /// Its sender is not proven.
    Quarantined,
}

impl EventVerdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Ignored, Self::Failed, Self::Quarantined];

    /// Its name, stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }

    /// The verdict of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }

    /// Whether the rules of now may make something else of it.
    pub fn is_replayable(self) -> bool {
        matches!(self, Self::Ignored | Self::Failed)
    }
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is stored, so far as it was not before: its events in their order.
    Stored(Vec<ReceivedEvent>),
    /// The sender's id of one of its events is that of another; nothing is stored.
    Reused {
        /// That event's place in the delivery, from 0.
        position: usize,
        /// The id of the event that came first, and stands; none where that is of the same
        /// delivery.
        first: Option<String>,
    },
    /// The quarantined delivery that it was is gone; nothing is stored.
    Gone,
}

/// An event of a delivery that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Its id; that of the first where it came before.
    pub id: String,
    /// Whether it came before, and changed nothing now.
    pub is_duplicate: bool,
}

/// A delivery whose sender is not proven.
#[derive(Clone, Debug)]
pub struct NewQuarantined {
    /// Its id, by which callers know it.
    pub id: String,
    /// The configured name of the source that it was sent to.
    pub source: String,
    /// See [`NewDelivery::content`].
    pub content: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The network address that it came from.
    pub address: String,
    /// What is wrong with it.
    pub reason: String,
}

/// How many deliveries are quarantined at most.
#[derive(Clone, Copy, Debug)]
pub struct QuarantineLimits {
    /// In all.
    pub size: u32,
    /// From one address.
    pub by_address: u32,
}

/// A stored event, or a quarantined delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number: what came earlier has a smaller one.
    pub number: i64,
    /// See [`NewEvent::id`].
    pub id: String,
    /// See [`NewDelivery::source`].
    pub source: String,
    /// Its place in its delivery, from 0.
    pub position: u32,
    /// See [`NewEvent::key`]; none of what is quarantined.
    pub key: Option<EventKey>,
    /// See [`NewEvent::type`].
    pub r#type: Option<String>,
    /// See [`NewEvent::time`].
    pub time: Option<Timestamp>,
    /// When it came.
    pub received_at: Timestamp,
    /// What came of it.
    pub verdict: EventVerdict,
    /// See [`EventReading::rule`].
    pub rule: Option<u32>,
    /// See [`EventReading::reason`].
    pub reason: Option<String>,
    /// See [`NewQuarantined::address`].
    pub address: Option<String>,
    /// The ids of its operations, which may be deleted by now.
    pub operations: Vec<String>,
    /// See [`NewDelivery::content`]; none once it is past its retention, and none in a list.
    pub content: Option<String>,
}

/// Which events are wanted; an empty filter is all.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this source.
    pub source: Option<String>,
    /// Of this verdict.
    pub verdict: Option<EventVerdict>,
    /// Of the person or group of this name.
    pub subject: Option<String>,
    /// Received at this time or later.
    pub received_from: Option<Timestamp>,
    /// Received before this time.
    pub received_before: Option<Timestamp>,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// Newest first.
    pub events: Vec<StoredEvent>,
    /// The number that the next page goes on before; `None` on the last.
    pub next: Option<i64>,
}
