//! What would become of a delivery, step by step. Nothing is stored.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Delivery, Event, Planned, PlannedCommand, Source, body,
    event::HeldReason,
    rules::{Decision, Shown, Tried},
    verify::VerificationTrace,
};
use crate::{commands::Command, json, store::Word};

/// The fields of a profile that say who it is.
const WHO: [&str; 4] = ["id", "username", "employeeid", "email"];

/// What would become of a delivery.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The source.
    pub source: String,
    /// Whether it is believed, and why.
    pub verification: VerificationTrace,
    /// Why no event can be made of it: its body can't be read, or its events can't be told apart.
    pub fault: Option<String>,
    /// Its events, as they would be if it were believed.
    pub events: Vec<ExplainedEvent>,
}

/// What would become of an event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedEvent {
    /// Its place among those of its delivery, from 0.
    pub index: usize,
    /// The sender's id of it.
    pub id: Option<String>,
    /// Its type.
    pub r#type: Option<String>,
    /// Its own time.
    pub time: Option<Timestamp>,
    /// `ignored`, `commands` or `failed`.
    pub verdict: &'static str,
    /// The place of the rule that matches, from 1.
    pub rule: Option<usize>,
    /// Why it is ignored or fails.
    pub reason: Option<String>,
    /// What its commands are for.
    pub purpose: Option<String>,
    /// The rules that were tried.
    pub rules: Vec<Tried>,
    /// What the expressions of the rule gave.
    pub values: Vec<Shown>,
    /// Whom it is about, as far as its profile says.
    pub person: Option<Map<String, Value>>,
    /// The commands.
    pub commands: Vec<ExplainedCommand>,
}

/// A command that would be carried out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedCommand {
    /// The instance that it is for.
    pub instance: String,
    /// Its name and arguments.
    #[serde(flatten)]
    pub command: Command,
    /// Before this time it is not carried out; none: at once.
    pub not_before: Option<Timestamp>,
    /// What it is for.
    pub purpose: Option<String>,
    /// What it says of the person's being active; none of a group.
    pub word: Option<&'static str>,
    /// The date that its time is computed from.
    pub date: Option<String>,
    /// The zone of that date.
    pub zone: Option<String>,
    /// The side of that day.
    pub side: Option<String>,
    /// How much earlier it is carried out; none: not at all.
    pub ahead: Option<String>,
    /// Why it waits for a person's word first.
    pub held: Option<&'static str>,
}

impl ExplainedCommand {
    /// Whether it takes back what was said for its purpose.
    pub fn takes_back(&self) -> bool {
        self.word == Some(Word::Cancelled.as_str())
    }
}

impl From<PlannedCommand> for ExplainedCommand {
    fn from(planned: PlannedCommand) -> Self {
        let date = planned.date;
        let ahead = date.as_ref().map(|date| date.ahead).filter(|ahead| !ahead.is_zero());
        let (date, zone, side) = match date {
            Some(date) => (Some(date.date), Some(date.zone), Some(date.side)),
            None => (None, None, None),
        };
        Self {
            instance: planned.instance,
            command: planned.command,
            not_before: planned.not_before,
            purpose: planned.purpose,
            word: planned.word.map(Word::as_str),
            date,
            zone,
            side,
            ahead: ahead.map(|ahead| format!("{ahead:#}")),
            held: planned.held.map(HeldReason::as_str),
        }
    }
}

/// Explains a delivery. One that is not believed is explained to its end as well, by its body as
/// JSON: a rule can be tried before a secret is right.
pub async fn explain(source: &Source, delivery: &Delivery) -> Explanation {
    let verification = source.verifier().explain(delivery).await;
    let mut explanation = Explanation {
        source: source.name().to_owned(),
        verification,
        fault: None,
        events: Vec::new(),
    };
    match read(source, delivery).await {
        Ok((body, events)) => {
            let decisions = source.decide(delivery, &body, &events);
            explanation.events = events.into_iter().zip(decisions).map(explained).collect();
        }
        Err(fault) => explanation.fault = Some(fault),
    }
    explanation
}

/// The body and its events.
async fn read(source: &Source, delivery: &Delivery) -> Result<(Value, Vec<Event>), String> {
    let verified = source.verifier().verify(delivery).await.ok();
    let verifier = source.verifier().settings();
    let body = match &verified {
        Some(verified) => body::parse(verifier, delivery, verified).map_err(|error| error.to_string()),
        None => json::parse(&delivery.body).map_err(|error| format!("the body is no sound JSON: {error}")),
    }?;
    let id = verified.and_then(|verified| verified.id);
    let events = source.events_of(delivery, id.as_deref(), &body);
    events.map(|events| (body, events)).map_err(|error| error.to_string())
}

fn explained((event, decision): (Event, Decision)) -> ExplainedEvent {
    let (verdict, rule, reason, purpose, commands) = match decision.planned {
        Planned::Ignored { rule, reason } => ("ignored", rule, Some(reason), None, Vec::new()),
        Planned::Failed { rule, reason } => ("failed", Some(rule), Some(reason), None, Vec::new()),
        Planned::Commands { rule, commands } => {
            let purpose = commands.first().and_then(|planned| planned.purpose.clone());
            ("commands", Some(rule), None, purpose, commands)
        }
    };
    let person = commands.iter().find_map(|planned| person(&planned.command));
    ExplainedEvent {
        index: event.index,
        id: event.sender_id,
        r#type: event.r#type,
        time: decision.time.or(event.time),
        verdict,
        rule,
        reason,
        purpose,
        rules: decision.tried,
        values: decision.shown,
        person,
        commands: commands.into_iter().map(ExplainedCommand::from).collect(),
    }
}

/// Whom a command is about.
fn person(command: &Command) -> Option<Map<String, Value>> {
    let profile = command.user_profile()?;
    let who = WHO
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), profile.field(name)?.clone())));
    Some(who.collect())
}
