//! An event on the wire.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::super::operations::{OperationView, written};
use crate::webhooks::{Kept, StoredEvent};

/// An event of a webhook: what it is, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub struct EventView {
    /// Its id; also in its address, `/events/{id}`.
    #[schema(example = "0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81")]
    id: String,
    /// The source that it came from.
    #[schema(example = "hr")]
    source: String,
    /// What came of it: `accepted` (it became operations), `ignored` (no rule matches it, or the
    /// one that does says so), `failed` (what its rule needs is missing), `quarantined` (its sender
    /// is not proven).
    #[schema(value_type = String, example = "accepted")]
    verdict: &'static str,
    /// Why, where it is not accepted.
    reason: Option<String>,
    /// The place of the rule that matches it among its source's, from 1.
    rule: Option<u32>,
    /// Its type.
    #[schema(example = "employee.hired")]
    r#type: Option<String>,
    /// The sender's time of it.
    #[schema(format = "date-time")]
    time: Option<String>,
    /// When it came.
    #[schema(format = "date-time", example = "2026-01-15T09:30:00.000Z")]
    received_at: String,
    /// Its place in its delivery, from 0.
    position: u32,
    /// The address that it came from, where it is quarantined.
    address: Option<String>,
    /// The ids of its operations. Ended ones are deleted when `operation_retention` is over.
    operations: Vec<String>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventList {
    /// The newest first.
    events: Vec<EventView>,
    /// The `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// An event with its body and its operations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventDetails {
    /// The event.
    event: EventView,
    /// Its operations, so far as they are kept; without their attempts.
    operations: Vec<OperationView>,
    /// The header fields of its delivery, without credentials; null once `event_retention` is over.
    headers: Option<BTreeMap<String, String>>,
    /// The body of its delivery; null once `event_retention` is over, or where it is no text.
    body: Option<String>,
    /// The body in base64, where it is no text.
    body_base64: Option<String>,
}

impl EventView {
    pub(super) fn new(event: StoredEvent) -> Self {
        Self {
            id: event.id,
            source: event.source,
            verdict: event.verdict.as_str(),
            reason: event.reason,
            rule: event.rule,
            r#type: event.r#type,
            time: event.time.map(written),
            received_at: written(event.received_at),
            position: event.position,
            address: event.address,
            operations: event.operations,
        }
    }
}

impl EventList {
    pub(super) fn new(events: Vec<EventView>, next: Option<i64>) -> Self {
        Self {
            events,
            next: next.map(|next| next.to_string()),
        }
    }
}

impl EventDetails {
    pub(super) fn new(mut event: StoredEvent, operations: Vec<OperationView>) -> Self {
        let kept = event.content.take().and_then(|content| Kept::read(&content).ok());
        let headers = kept.as_ref().map(|kept| {
            let texts = kept.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
            texts.collect()
        });
        let (body, body_base64) = match kept.as_ref().map(Kept::body) {
            None => (None, None),
            Some((text, false)) => (Some(text.to_owned()), None),
            Some((text, true)) => (None, Some(text.to_owned())),
        };
        Self {
            event: EventView::new(event),
            operations,
            headers,
            body,
            body_base64,
        }
    }
}
