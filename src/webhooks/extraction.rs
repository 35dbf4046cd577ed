//! The events of a delivery: which there are, what each is called, and the names that expressions
//! over it see.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::{
    Delivery, Event,
    rules::{Evaluation, Faults, Rules, compile, instant, reason},
};
use crate::mapper::expressions::{Budget, EvaluationError, Expression, Scope};

/// How many events one delivery may have.
pub const MOST_EVENTS: usize = 1_000;

/// The longest id and type that are kept, in bytes. What is longer is no id.
const LONGEST_ID: usize = 512;

/// Headers that hold credentials of any sender: expressions do not see them.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// Why the events of a delivery can't be told apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// `each` is wrong for this delivery.
    #[error("each ({expression}) {reason}")]
    Each {
        /// The expression.
        expression: String,
        /// What it does.
        reason: String,
    },
    /// There are more than a delivery may have.
    #[error("there are {0} events, and a delivery has at most {MOST_EVENTS}")]
    TooMany(usize),
    /// Two different events have one id.
    #[error("the events {first} and {second} of the delivery have one id and say different things")]
    SameId {
        /// The place of the first, from 1.
        first: usize,
        /// The place of the second, from 1.
        second: usize,
    },
}

/// How the events of a source's deliveries are found.
#[derive(Debug, Default)]
pub(super) struct Extraction {
    each: Option<Expression>,
    id: Option<Expression>,
    r#type: Option<Expression>,
    time: Option<Expression>,
}

impl Extraction {
    /// Compiles the expressions, which are written as `each`, `id`, `type` and `time`.
    pub(super) fn read(written: [Option<&str>; 4], faults: &mut Faults) -> Self {
        let mut keys = ["each", "id", "type", "time"].into_iter();
        let [each, id, r#type, time] = written.map(|text| {
            let (key, text) = (keys.next()?, text?);
            let expression = compile(text);
            expression.map_err(|help| faults.expression(key, text, &help)).ok()
        });
        Self { each, id, r#type, time }
    }

    /// The names of a delivery that all of its events see.
    pub(super) fn scope(
        delivery: &Delivery,
        body: &Value,
        hidden: Option<&str>,
        budget: &mut Budget,
    ) -> Result<Scope, EvaluationError> {
        let mut scope = Scope::new();
        scope.set("body", Some(body), budget)?;
        scope.set("headers", Some(&headers(delivery, hidden)), budget)?;
        scope.set("received", Some(&json!(delivery.received.to_string())), budget)?;
        Ok(scope)
    }

    /// Puts the names of one event into the scope of its delivery.
    pub(super) fn name(&self, event: &Event, scope: &mut Scope, budget: &mut Budget) -> Result<(), EvaluationError> {
        if self.each.is_some() {
            scope.set("item", Some(&event.item), budget)?;
        } else {
            scope.alias("item", "body");
        }
        let r#type = event.r#type.as_ref().map(|text| json!(text));
        scope.set("type", r#type.as_ref(), budget)
    }

    /// The events of a delivery, in its order. What is told twice, by the same id and in the same
    /// words, is one event.
    pub(super) fn events(
        &self,
        rules: &Rules,
        zone: &TimeZone,
        (delivery, sender_id): (&Delivery, Option<&str>),
        body: &Value,
        (mut scope, budget): (Scope, &mut Budget),
    ) -> Result<Vec<Event>, EventError> {
        let items = self.items(&scope, budget)?;
        let whole = items.is_none();
        let items = items.unwrap_or_else(|| vec![body.clone()]);
        if items.len() > MOST_EVENTS {
            return Err(EventError::TooMany(items.len()));
        }
        let mut known: BTreeMap<String, (usize, [u8; 32])> = BTreeMap::new();
        let mut events: Vec<Event> = Vec::new();
        for item in items {
            let digest = if whole {
                sha256(&delivery.body)
            } else {
                sha256(item.to_string().as_bytes())
            };
            let mut event = Event {
                index: events.len(),
                sender_id: sender_id.filter(|_| whole).map(str::to_owned),
                digest,
                r#type: delivery.path_type.clone(),
                time: None,
                item,
            };
            self.fill(&mut event, rules, zone, &mut scope, budget);
            if let Some(id) = &event.sender_id {
                match known.get(id) {
                    Some((_, other)) if *other == digest => continue,
                    Some((first, _)) => {
                        return Err(EventError::SameId {
                            first: first + 1,
                            second: event.index + 1,
                        });
                    }
                    None => known.insert(id.clone(), (event.index, digest)),
                };
            }
            events.push(event);
        }
        Ok(events)
    }

    /// The elements of `each`; `None` where the whole body is one event.
    fn items(&self, scope: &Scope, budget: &mut Budget) -> Result<Option<Vec<Value>>, EventError> {
        let Some(each) = &self.each else { return Ok(None) };
        each.list_in(scope, budget).map_err(|error| EventError::Each {
            expression: each.text().to_owned(),
            reason: reason(&error, budget),
        })
    }

    /// Fills what expressions say of an event. One that can't be computed says nothing: a plan
    /// tells of it where it matters.
    fn fill(&self, event: &mut Event, rules: &Rules, zone: &TimeZone, scope: &mut Scope, budget: &mut Budget) {
        if self.name(event, scope, budget).is_err() {
            return;
        }
        let give = |expression: &Option<Expression>, scope: &Scope, budget: &mut Budget| {
            let value = expression.as_ref()?.evaluate_in(scope, budget);
            value.ok().flatten()
        };
        if event.r#type.is_none() {
            event.r#type = give(&self.r#type, scope, budget).as_ref().and_then(text);
            let r#type = event.r#type.as_ref().map(|text| json!(text));
            drop(scope.set("type", r#type.as_ref(), budget));
        }
        if let Some(id) = give(&self.id, scope, budget).as_ref().and_then(text) {
            event.sender_id = Some(id);
        }
        let own = rules
            .have_times()
            .then(|| rules.time(zone, &mut Evaluation { scope, budget }));
        let time = || instant(&give(&self.time, scope, budget)?, zone);
        event.time = own.flatten().or_else(time);
    }
}

/// The headers that expressions see, by their names in lower case: those that are there once and
/// are text. Credentials are not among them.
fn headers(delivery: &Delivery, hidden: Option<&str>) -> Value {
    let mut visible = Map::new();
    for (name, _) in delivery.headers.iter() {
        let is_hidden = CREDENTIALS.contains(&name) || hidden.is_some_and(|hidden| hidden.eq_ignore_ascii_case(name));
        if let (false, Ok(Some(value))) = (is_hidden, delivery.headers.one(name)) {
            visible.insert(name.to_owned(), value.into());
        }
    }
    visible.into()
}

/// A text or a number that is an id or a type.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.trim().is_empty() && text.len() <= LONGEST_ID).then_some(text)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digested = [0; 32];
    digested.copy_from_slice(digest(&SHA256, bytes).as_ref());
    digested
}
