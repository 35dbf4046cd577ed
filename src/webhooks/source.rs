//! A source: a sender, how it is verified, what its events are, and what its rules make of them.

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde_json::Value;
use toml::Table;

use super::{
    CallbackTarget, Delivery, Event, EventError, FetchTarget, Planned, Verified,
    extraction::{Extraction, sha256},
    first_words::FirstWords,
    rules::{DateSettings, Decision, Evaluation, Faults, RuleContext, Rules, TargetInstance, budget, quoted, reason},
    verify::{Secrets, Verifier, VerifierSettings},
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
    /// How its dates are taken.
    pub dates: DateSettings,
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
    /// Where it is told what became of its operations.
    pub callback: Option<CallbackTarget>,
    /// Where more is fetched of a person, for rules that ask for it.
    pub fetch: Option<Arc<FetchTarget>>,
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
    first_words: FirstWords,
    callback: Option<CallbackTarget>,
    fetch: Option<Arc<FetchTarget>>,
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
            dates: &settings.dates,
            instances: &settings.instances,
            known: settings.known_instances.as_deref(),
        };
        let rules = Rules::read(&settings.rules, &context, &mut faults);
        if settings.fetch.is_none() && rules.want_fetch() {
            let help = "write [sources.fetch] with its url and its fields";
            faults.push("fetch", "a rule with fetch = true, and nowhere to ask", help);
        }
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
            first_words: FirstWords::default(),
            callback: settings.callback,
            fetch: settings.fetch,
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

    /// Whether a rule asks for the zone of a site.
    pub fn has_sites(&self) -> bool {
        self.rules.have_sites()
    }

    /// Where it is told what became of its operations.
    pub fn callback(&self) -> Option<&CallbackTarget> {
        self.callback.as_ref()
    }

    /// Where more is fetched of a person.
    pub fn fetch(&self) -> Option<&FetchTarget> {
        self.fetch.as_deref()
    }

    /// The zone of its dates and local times, by its name.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Whether the operator is to be shown a token that came before the source has a secret.
    pub fn shows(&self, token: &SecretString) -> bool {
        self.first_words.is_new(token)
    }

    /// The events of a delivery, in its order; its body is one where `each` is not there.
    ///
    /// # Errors
    /// When the events can't be told apart: the sender's fault, or that of `each`.
    pub fn events(&self, delivery: &Delivery, verified: &Verified, body: &Value) -> Result<Vec<Event>, EventError> {
        let mut events = self.events_of(delivery, verified.id.as_deref(), body)?;
        if let (Some(_), [event]) = (&verified.claims, &mut *events) {
            // A token is signed anew when it is sent again after its issuer's key was changed, and
            // ECDSA never gives the same signature twice. It is one event by what it says.
            event.digest = sha256(event.item.to_string().as_bytes());
        }
        Ok(events)
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
        let hidden = self.verifier.settings().proof.secret_header();
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::webhooks::{Headers, MOST_EVENTS, explain::explain, presets};

    fn settings(text: &str) -> SourceSettings {
        let table: Table = text.parse().unwrap();
        let get = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let rules = table.get("rules").and_then(toml::Value::as_array).into_iter().flatten();
        SourceSettings {
            name: "hr".to_owned(),
            preset: None,
            compare: None,
            verifier: VerifierSettings::none(),
            secrets: Secrets::default(),
            memory: None,
            instances: vec![TargetInstance::built_in("production")],
            known_instances: None,
            zone: None,
            dates: DateSettings::default(),
            each: get("each"),
            id: get("id"),
            r#type: get("type"),
            time: get("time"),
            rules: rules.filter_map(toml::Value::as_table).cloned().collect(),
            profiles: table.get("profiles").and_then(toml::Value::as_table).cloned(),
            callback: None,
            fetch: None,
        }
    }

    fn source(text: &str) -> Source {
        Source::new(settings(text)).unwrap_or_else(|faults| panic!("{faults:?}"))
    }

    fn delivery(body: &Value, headers: &[(&str, &str)]) -> Delivery {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Delivery {
            method: "POST".to_owned(),
            target: SecretString::from("/webhooks/hr"),
            host: None,
            path_type: None,
            path_secret: None,
            headers: Headers::new(headers.iter().map(field)),
            body: body.to_string().into_bytes(),
            received: "2026-11-28T10:00:00Z".parse().unwrap(),
        }
    }

    fn events(source: &Source, body: &Value) -> Result<Vec<Event>, EventError> {
        source.events_of(&delivery(body, &[]), Some("of-the-delivery"), body)
    }

    #[test]
    fn a_body_is_one_event_or_as_many_as_each_gives() {
        let each =
            source("each = \"body.events\"\nid = \"item.id\"\ntype = \"item.type or body.type\"\ntime = \"item.at\"");
        let ids = |body: Value| -> Vec<_> {
            let found = events(&each, &body).unwrap().into_iter();
            found
                .map(|event| (event.index, event.sender_id, event.r#type))
                .collect()
        };
        let one = |index, id: Option<&str>, kind: Option<&str>| (index, id.map(str::to_owned), kind.map(str::to_owned));
        assert_eq!(
            ids(
                json!({"type": "t", "events": [{"id": "a", "type": "x"}, {"id": 7}, {"id": null, "n": 1}, {"id": "", "n": 2}]})
            ),
            [
                one(0, Some("a"), Some("x")),
                one(1, Some("7"), Some("t")),
                one(2, None, Some("t")),
                one(3, None, Some("t"))
            ]
        );
        assert_eq!(ids(json!({"events": []})), []);
        // Where there is no list, the body is the event, with the id of its delivery.
        assert_eq!(ids(json!({"type": "t"})), [one(0, Some("of-the-delivery"), Some("t"))]);
        assert_eq!(ids(json!({"type": "t", "events": null})).len(), 1);
        assert_eq!(ids(json!({"events": [null, 7, "text"]})).len(), 3);
        for (body, expected) in [
            (json!({"events": {"a": 1}}), "each (body.events) gives no list"),
            (json!({"events": "a,b"}), "each (body.events) gives no list"),
            (
                json!({"events": [{"id": "a", "n": 1}, {"id": "b"}, {"id": "a", "n": 2}]}),
                "the events 1 and 3 of the delivery have one id and say different things",
            ),
        ] {
            assert_eq!(events(&each, &body).unwrap_err().to_string(), expected, "{body}");
        }
        // Told twice in the same words.
        assert_eq!(ids(json!({"events": [{"id": "a"}, {"id": "b"}, {"id": "a"}]})).len(), 2);
        let many = json!({"events": vec![json!({"n": 1}); 10_000]});
        assert_eq!(events(&each, &many), Err(EventError::TooMany(10_000)));
        let most: Vec<_> = (0..MOST_EVENTS)
            .map(|n| json!({"id": n, "note": "x".repeat(900), "none": null}))
            .collect();
        assert_eq!(events(&each, &json!({"events": most})).unwrap().len(), MOST_EVENTS);
    }

    #[test]
    fn digests_tell_events_apart() {
        let each = source("each = \"body.events\"");
        let body = json!({"events": [{"a": 1}, {"a": 2}, {"a": 1}]});
        let found = events(&each, &body).unwrap();
        assert_eq!(found.len(), 3);
        assert!(found[0].digest != found[1].digest && found[0].digest == found[2].digest);
        let whole = source("");
        let found = events(&whole, &body).unwrap();
        assert_ne!(found[0].digest, events(&whole, &json!({})).unwrap()[0].digest);
        assert_eq!(found[0].item, body);
    }

    #[test]
    fn a_time_is_the_rules_else_the_sources() {
        let text = "time = \"body.sent\"\n[[rules]]\nwhen = \"body.kind == 'a'\"\ndo = \"ignore\"\ntime = \"body.own\"\n\
                    [[rules]]\ndo = \"ignore\"";
        let source = source(text);
        for (body, expected) in [
            (json!({"kind": "a", "own": 1, "sent": 2}), Some(1)),
            (json!({"kind": "a", "sent": 2}), Some(2)),
            (json!({"kind": "b", "own": 1, "sent": 2}), Some(2)),
            (json!({"kind": "b", "own": 1}), None),
            (json!({"kind": "b", "sent": "soon"}), None),
        ] {
            let found = events(&source, &body).unwrap()[0].time;
            assert_eq!(found.map(Timestamp::as_second), expected, "{body}");
        }
    }

    #[test]
    fn headers_are_seen_by_their_small_names_and_credentials_are_not() {
        let text = "type = \"headers['x-event']\"\n[[rules]]\nwhen = \"headers.authorization is defined or headers.cookie is defined \
                    or headers['x-twice'] is defined\"\ndo = \"disable\"\nprofile = { employeeid = \"body.id\" }";
        let source = source(text);
        let body = json!({"id": "7"});
        let headers = [
            ("X-Event", "hired"),
            ("Authorization", "Bearer x"),
            ("Cookie", "x"),
            ("X-Twice", "1"),
            ("X-Twice", "2"),
        ];
        let delivery = delivery(&body, &headers);
        let events = source.events_of(&delivery, None, &body).unwrap();
        assert_eq!(events[0].r#type.as_deref(), Some("hired"));
        assert!(matches!(
            source.plan(&delivery, &body, &events[0]),
            Planned::Ignored { rule: None, .. }
        ));
    }

    /// What many events cost is bounded for all together: the last fail, and none is left out.
    #[test]
    fn a_delivery_has_one_budget() {
        let rules: String = (0..100)
            .map(|n| format!("[[rules]]\nwhen = \"(item.text | split(',') | length) == {n}\"\ndo = \"ignore\"\n"))
            .collect();
        let source = source(&format!("each = \"body.events\"\n{rules}"));
        let body = json!({"events": vec![json!({"text": "x,".repeat(400)}); 1_000]});
        let delivery = delivery(&body, &[]);
        let events = source.events_of(&delivery, None, &body).unwrap();
        let plans = source.plans(&delivery, &body, &events);
        assert_eq!(plans.len(), 1_000);
        assert!(matches!(&plans[999], Planned::Failed { reason, .. } if reason.contains("more work than is allowed")));
    }

    #[test]
    fn names_stand_in_paths() {
        for (name, is_name) in [
            ("hr", true),
            ("hr-2.test_x", true),
            ("", false),
            ("HR", false),
            ("~hr", false),
            (".hr", false),
            ("a/b", false),
            ("a b", false),
            ("ä", false),
            (&"a".repeat(65), false),
        ] {
            assert_eq!(check_name(name).is_ok(), is_name, "{name}");
        }
    }

    /// Gusto tells that a termination takes effect, and that one was cancelled, by its own id.
    #[test]
    fn gustos_events_disable_and_cancel_by_one_purpose() {
        let preset = presets::find("gusto").unwrap();
        let source = Source::new(SourceSettings {
            r#type: preset.r#type.clone(),
            time: preset.time.clone(),
            rules: preset.rules.clone(),
            ..settings("")
        });
        let source = source.unwrap_or_else(|faults| panic!("{faults:?}"));
        for (event, expected) in [
            ("employee.termination_effective", Some("iam-disable-user")),
            ("employee.terminated_effective", Some("iam-disable-user")),
            ("employee.termination_cancelled", Some("iam-update-user")),
            ("employee.terminated", None),
            ("employee.updated", None),
        ] {
            let body = json!({"uuid": "u", "event_type": event, "entity_uuid": "e7", "timestamp": 1_793_610_000});
            let events = events(&source, &body).unwrap();
            let found = match source.plan(&delivery(&body, &[]), &body, &events[0]) {
                Planned::Commands { commands, .. } => {
                    assert_eq!(commands[0].purpose.as_deref(), Some("termination"));
                    Some(commands[0].command.name())
                }
                Planned::Ignored { .. } => None,
                Planned::Failed { reason, .. } => panic!("{event}: {reason}"),
            };
            assert_eq!(found, expected, "{event}");
        }
    }

    /// Each preset's own example is believed, makes events, and meets a rule where there are any.
    #[tokio::test]
    async fn every_preset_compiles_and_carries_out_its_example() {
        for preset in presets::all() {
            let secret = &preset.example.secret;
            let own = if secret.is_empty() {
                Vec::new()
            } else {
                vec![SecretString::from(secret.as_str())]
            };
            if !preset.verifier.proof.takes_secrets() && preset.verifier.proof != crate::webhooks::verify::Proof::None {
                // Its issuer is the operator's to name.
                continue;
            }
            let source = Source::new(SourceSettings {
                verifier: preset.verifier.clone(),
                secrets: Secrets { own, path: Vec::new() },
                each: preset.each.clone(),
                id: preset.id.clone(),
                r#type: preset.r#type.clone(),
                time: preset.time.clone(),
                rules: preset.rules.clone(),
                profiles: Some(preset.profiles.clone()),
                zone: Some(TimeZone::UTC),
                dates: DateSettings {
                    already_due: preset.already_due,
                    ..DateSettings::default()
                },
                ..settings("")
            });
            let source = source.unwrap_or_else(|faults| panic!("{}: {faults:?}", preset.name));
            let now = Timestamp::now();
            let example = source.verifier().sign(preset.example.body.as_bytes(), now).unwrap();
            let delivery = Delivery {
                path_type: preset.example.path_type.clone(),
                ..example.delivery(now)
            };
            let explanation = explain(&source, &delivery).await;
            let name = &preset.name;
            assert!(
                explanation.verification.accepted,
                "{name}: {:?}",
                explanation.verification
            );
            assert_eq!(explanation.fault, None, "{name}");
            assert!(!explanation.events.is_empty(), "{name}");
            for event in &explanation.events {
                assert_ne!(event.verdict, "failed", "{name}: {event:?}");
                assert_eq!(event.rule.is_some(), !preset.rules.is_empty(), "{name}: {event:?}");
            }
        }
    }
}
