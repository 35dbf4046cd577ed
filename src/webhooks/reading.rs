//! What a proven delivery says: its events, and what is stored of what the rules make of each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Delivery, Event, EventError, Planned, PlannedCommand, Source, Verified,
    body::{self, BodyError},
    intake::Intake,
    verify::Identity,
};
use crate::{
    operations::{Saying, SourcedCommand},
    store::{EventKey, EventReading, EventVerdict},
};

/// Why a proven delivery has no events.
pub(super) enum Misunderstood {
    Body(BodyError),
    Events(EventError),
}

impl Intake {
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
            Planned::Commands { rule, commands } => {
                // What claims to be of the future would prevail over all that is said until then.
                let said_at = event.time.unwrap_or(delivery.received).min(delivery.received);
                self.planned(source, rule, commands, said_at)
            }
        }
    }

    fn planned(&self, source: &Source, rule: usize, commands: Vec<PlannedCommand>, said_at: Timestamp) -> EventReading {
        let mut operations = Vec::with_capacity(commands.len());
        let mut subjects = BTreeSet::new();
        for planned in commands {
            let operation = self.operations.of_source(SourcedCommand {
                source: source.name().to_owned(),
                instance: planned.instance,
                command: planned.command,
                not_before: planned.not_before,
                purpose: planned.purpose,
                date: planned.date,
                held: planned.held.map(|reason| reason.as_str().to_owned()),
                saying: planned.word.map(|word| Saying {
                    word,
                    said_at,
                    conversion: planned.conversion,
                }),
                fetch: planned.fetch,
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
pub(super) fn unreadable(delivery: &Delivery) -> (Event, Planned) {
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
pub(super) fn key(event: &Event, is_whole: bool, verified: &Verified) -> EventKey {
    if let Some(id) = &event.sender_id {
        return EventKey::Id(id.clone());
    }
    match (&verified.identity, is_whole) {
        (Identity::Id(id), true) => EventKey::Id(id.clone()),
        (Identity::Signature(_) | Identity::Digest(_), true) => EventKey::Content(verified.identity.key()),
        (_, false) => EventKey::Content(Identity::Digest(event.digest).key()),
    }
}
