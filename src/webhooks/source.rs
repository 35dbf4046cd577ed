//! A source: a sender, how it is verified, what its events are, and what its rules make of them.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::Value;
use toml::Table;

use super::{
    Delivery, Event, EventError, Planned, Verified,
    extraction::Extraction,
    rules::{Decision, Evaluation, Faults, RuleContext, Rules, TargetInstance, budget, quoted, reason},
    verify::{Proof, Secrets, Verifier, VerifierSettings},
};
use crate::{
    diagnostic::Diagnostic,
    mapper::expressions::{Budget, Scope},
};

/// A source as it is configured, its preset's part filled in.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Its name, which stands in its path.
    pub name: String,
    /// The name of its preset, where it has one.
    pub preset: Option<String>,
    /// What of the preset has to be compared with the vendor's page; none where it is verified, or
    /// written by hand.
    pub compare: Option<String>,
    /// How its deliveries are verified.
    pub verifier: VerifierSettings,
    /// What they are held against.
    pub secrets: Secrets,
    /// How long duplicates are remembered.
    pub memory: Option<Duration>,
    /// The instances that its commands go to.
    pub instances: Vec<TargetInstance>,
    /// The instances that there are; `None` where that is not known.
    pub known_instances: Option<Vec<TargetInstance>>,
    /// The zone of its dates and local times.
    pub zone: Option<TimeZone>,
    /// An expression: the list of events in a body; none: the body is one.
    pub each: Option<String>,
    /// An expression: an event's id.
    pub id: Option<String>,
    /// An expression: an event's type.
    pub r#type: Option<String>,
    /// An expression: an event's own time.
    pub time: Option<String>,
    /// Its rules, as they are written.
    pub rules: Vec<Table>,
    /// Its profiles by name, as they are written.
    pub profiles: Option<Table>,
}

/// A source, compiled.
#[derive(Debug)]
pub struct Source {
    name: String,
    preset: Option<String>,
    compare: Option<String>,
    verifier: Verifier,
    extraction: Extraction,
    rules: Rules,
    instances: Vec<String>,
    zone: TimeZone,
}

impl Source {
    /// Compiles a source.
    ///
    /// # Errors
    /// Everything that is wrong with it, together; each with its key, and the rule it stands in.
    pub fn new(settings: SourceSettings) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Faults::default();
        let written = [&settings.each, &settings.id, &settings.r#type, &settings.time];
        let extraction = Extraction::read(written.map(Option::as_deref), &mut faults);
        let context = RuleContext {
            profiles: settings.profiles.as_ref(),
            zone: settings.zone.as_ref(),
            instances: &settings.instances,
            known: settings.known_instances.as_deref(),
        };
        let rules = Rules::read(&settings.rules, &context, &mut faults);
        let verifier = Verifier::new(settings.verifier, &settings.secrets);
        let verifier = verifier.map_err(|errors| faults.0.extend(errors)).ok();
        let verifier = verifier.filter(|_| faults.0.is_empty());
        let Some(verifier) = verifier else {
            return Err(faults.0);
        };
        Ok(Self {
            name: settings.name,
            preset: settings.preset,
            compare: settings.compare,
            verifier: match settings.memory {
                Some(memory) => verifier.remembering(memory),
                None => verifier,
            },
            extraction,
            rules,
            instances: settings.instances.into_iter().map(|target| target.name).collect(),
            zone: settings.zone.unwrap_or(TimeZone::UTC),
        })
    }

    /// Its name, which stands in its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its preset.
    pub fn preset(&self) -> Option<&str> {
        self.preset.as_deref()
    }

    /// What of its preset has to be compared with the vendor's page before it is relied on.
    pub fn compare(&self) -> Option<&str> {
        self.compare.as_deref()
    }

    /// What verifies its deliveries.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The instances that its commands go to where a rule names none.
    pub fn instances(&self) -> &[String] {
        &self.instances
    }

    /// How many rules it has.
    pub fn rule_count(&self) -> usize {
        self.rules.count()
    }

    /// The zone of its dates and local times, by its name.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The events of a delivery, in its order; its body is one where `each` is not there.
    ///
    /// # Errors
    /// When the events can't be told apart: the sender's fault, or that of `each`.
    pub fn events(&self, delivery: &Delivery, verified: &Verified, body: &Value) -> Result<Vec<Event>, EventError> {
        self.events_of(delivery, verified.id.as_deref(), body)
    }

    /// As [`Self::events`], by the id alone that the sender gave the delivery.
    pub(super) fn events_of(
        &self,
        delivery: &Delivery,
        sender_id: Option<&str>,
        body: &Value,
    ) -> Result<Vec<Event>, EventError> {
        let mut budget = budget();
        let scope = self
            .scope(delivery, body, &mut budget)
            .map_err(|reason| EventError::Each {
                expression: "body".to_owned(),
                reason,
            })?;
        let delivered = (delivery, sender_id);
        self.extraction
            .events(&self.rules, &self.zone, delivered, body, (scope, &mut budget))
    }

    /// What the rules make of one event.
    pub fn plan(&self, delivery: &Delivery, body: &Value, event: &Event) -> Planned {
        let nothing = || Planned::Ignored {
            rule: None,
            reason: "no rule matches it".to_owned(),
        };
        let mut plans = self.plans(delivery, body, std::slice::from_ref(event));
        plans.pop().unwrap_or_else(nothing)
    }

    /// What the rules make of the events of one delivery, in their order: all of them share what
    /// their delivery may cost, and its body is made ready once. May take some hundred milliseconds
    /// for a delivery of a thousand events, so it belongs on a thread that may block.
    pub fn plans(&self, delivery: &Delivery, body: &Value, events: &[Event]) -> Vec<Planned> {
        let decisions = self.decide(delivery, body, events).into_iter();
        decisions.map(|decision| decision.planned).collect()
    }

    /// As [`Self::plans`], with everything that was seen on the way.
    pub(super) fn decide(&self, delivery: &Delivery, body: &Value, events: &[Event]) -> Vec<Decision> {
        let mut budget = budget();
        let mut scope = self.scope(delivery, body, &mut budget);
        let decide = |event: &Event| {
            let named = match &mut scope {
                Ok(scope) => {
                    let named = self.extraction.name(event, scope, &mut budget);
                    named.map_err(|error| reason(&error, &budget)).map(|()| &*scope)
                }
                Err(reason) => Err(reason.clone()),
            };
            match named {
                Ok(scope) => {
                    let mut evaluation = Evaluation {
                        scope,
                        budget: &mut budget,
                    };
                    self.rules.decide(&self.zone, delivery.received, &mut evaluation)
                }
                Err(reason) => Decision::failed(reason),
            }
        };
        events.iter().map(decide).collect()
    }

    fn scope(&self, delivery: &Delivery, body: &Value, budget: &mut Budget) -> Result<Scope, String> {
        let hidden = match &self.verifier.settings().proof {
            Proof::Header(name) => Some(name.as_str()),
            Proof::Signature(_)
            | Proof::Basic
            | Proof::Bearer
            | Proof::Jwt(_)
            | Proof::SecurityEvent(_)
            | Proof::Path
            | Proof::None => None,
        };
        Extraction::scope(delivery, body, hidden, budget).map_err(|error| reason(&error, budget))
    }
}

/// Whether a text can be the name of a source: what stands in a path as it is.
///
/// # Errors
/// What would be right.
pub fn check_name(text: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let is_name = (1..=64).contains(&text.len()) && text.bytes().all(is_plain) && !text.starts_with('.');
    is_name.then_some(()).ok_or_else(|| {
        format!(
            "{}: use 1 to 64 small letters, digits, `-`, `_` or `.`, the first no `.`",
            quoted(text)
        )
    })
}
