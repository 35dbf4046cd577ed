//! Rules: which of them an event meets, and what it makes of it.
//!
//! A rule is a row of TOML (`form`), compiled once, when the source is loaded: its `expression`s
//! over the body, its `fields`, what it does (`action`), and `at` which `time` (`dates`). Rules are
//! tried in their order, and the first that matches counts. Everything that they see on the way is
//! kept, for explanations.

mod action;
mod at;
mod dates;
mod expression;
mod faults;
mod fields;
mod form;
mod time;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::Value;
use toml::Table;

pub use self::{
    action::TargetInstance,
    dates::{DateSettings, site_key},
    time::length,
};
pub(super) use self::{
    expression::{Evaluation, budget, compile, reason},
    faults::{Faults, quoted},
    time::instant,
};

use self::{action::Action, at::At, fields::Fields, form::Reader};
use super::event::{Planned, PlannedCommand};
use crate::{mapper::expressions::Expression, store::DueDate};

/// How many rules a source may have: each is tried for each event.
const MOST_RULES: usize = 200;

/// How many profiles with a name a source may have.
const MOST_PROFILES: usize = 100;

/// The rules of a source, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    list: Vec<Rule>,
    dates: DateSettings,
}

/// One rule.
#[derive(Debug)]
struct Rule {
    when: Option<Expression>,
    /// What it does, as it is written.
    word: String,
    action: Action,
    purpose: Option<String>,
    time: Option<Expression>,
    at: Option<At>,
    /// How long before the date a hire is done, without being active.
    ahead: Option<SignedDuration>,
    targets: Vec<TargetInstance>,
    /// Whether the source is asked for more of the person.
    fetch: bool,
}

/// What compiling rules needs from around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleContext<'a> {
    /// The source's profiles by name.
    pub(super) profiles: Option<&'a Table>,
    /// The source's zone.
    pub(super) zone: Option<&'a TimeZone>,
    /// How its dates are taken.
    pub(super) dates: &'a DateSettings,
    /// The source's instances.
    pub(super) instances: &'a [TargetInstance],
    /// The instances that there are; `None` where that is not known.
    pub(super) known: Option<&'a [TargetInstance]>,
}

/// What an expression gave, for explanations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// What it is for: `profile.username`.
    pub name: String,
    /// The expression.
    pub expression: String,
    /// What it gave; none where it gave nothing.
    pub value: Option<Value>,
    /// Why it gave nothing.
    pub reason: Option<String>,
}

/// A rule that was tried, for explanations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    /// Its place, from 1.
    pub rule: usize,
    /// What it would do.
    #[serde(rename = "do")]
    pub word: String,
    /// Its condition; none where it is for every event.
    pub when: Option<String>,
    /// Whether it matches.
    pub matches: bool,
    /// Why it does not, where that is more than that its condition is false.
    pub reason: Option<String>,
}

/// What became of an event, with everything that was seen on the way.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) tried: Vec<Tried>,
    pub(super) shown: Vec<Shown>,
    /// What the rule that matches says is the event's own time.
    pub(super) time: Option<Timestamp>,
    pub(super) planned: Planned,
}

impl Decision {
    /// That the work for the delivery was spent before this event's turn.
    pub(super) fn failed(reason: String) -> Self {
        Self {
            tried: Vec::new(),
            shown: Vec::new(),
            time: None,
            planned: Planned::Failed { rule: 0, reason },
        }
    }
}

impl RuleContext<'_> {
    /// The instance of a name, as it spells it.
    fn target(&self, name: &str) -> Option<TargetInstance> {
        let Some(known) = self.known else {
            return Some(TargetInstance::built_in(name));
        };
        let is_it = |target: &&TargetInstance| target.name.to_lowercase() == name.to_lowercase();
        known.iter().find(is_it).cloned()
    }
}

impl Rules {
    /// Compiles rules and the profiles that they name.
    pub(super) fn read(rules: &[Table], context: &RuleContext<'_>, faults: &mut Faults) -> Self {
        let mut compiled = Self {
            list: Vec::new(),
            dates: context.dates.clone(),
        };
        if rules.len() > MOST_RULES {
            let help = format!("a source has at most {MOST_RULES}");
            faults.push("rules", &format!("{} rules", rules.len()), &help);
            return compiled;
        }
        check_profiles(context.profiles, faults);
        let mut last: Option<usize> = None;
        for (index, table) in rules.iter().enumerate() {
            let number = index + 1;
            if let Some(last) = last {
                let help = format!("give rule {last} a `when`, or put it last: without one it matches every event");
                faults.push(&format!("rule {number}"), "a rule that is never reached", &help);
            } else if !table.contains_key("when") {
                last = Some(number);
            }
            let reader = Reader {
                table,
                number,
                context,
                faults,
            };
            compiled.list.extend(reader.read());
        }
        compiled
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// Whether a rule has a time of its own.
    pub(super) fn have_times(&self) -> bool {
        self.list.iter().any(|rule| rule.time.is_some())
    }

    /// Whether one asks for more of a person.
    pub(super) fn want_fetch(&self) -> bool {
        self.list.iter().any(|rule| rule.fetch)
    }

    /// Whether a rule asks for the zone of a site.
    pub(super) fn have_sites(&self) -> bool {
        self.list.iter().any(|rule| rule.at.as_ref().is_some_and(At::has_site))
    }

    /// What becomes of an event. `zone` is the source's, `now` is when it arrived.
    pub(super) fn decide(&self, zone: &TimeZone, now: Timestamp, evaluation: &mut Evaluation<'_>) -> Decision {
        let mut decision = Decision {
            tried: Vec::new(),
            shown: Vec::new(),
            time: None,
            planned: Planned::Ignored {
                rule: None,
                reason: "no rule matches it".to_owned(),
            },
        };
        let Some((number, rule)) = self.first_match(&mut decision, evaluation) else {
            return decision;
        };
        let planned = rule.plan(zone, now, &self.dates, evaluation, &mut decision);
        decision.planned = match planned {
            Ok(None) => Planned::Ignored {
                rule: Some(number),
                reason: format!("rule {number} says so"),
            },
            Ok(Some(commands)) => Planned::Commands { rule: number, commands },
            Err(reason) => Planned::Failed { rule: number, reason },
        };
        decision
    }

    /// The time that the rule which an event meets gives it, where that is all that is asked.
    pub(super) fn time(&self, zone: &TimeZone, evaluation: &mut Evaluation<'_>) -> Option<Timestamp> {
        let rule = self.list.iter().find(|rule| rule.matches(evaluation).unwrap_or(true))?;
        let value = rule
            .time
            .as_ref()?
            .evaluate_in(evaluation.scope, evaluation.budget)
            .ok()??;
        instant(&value, zone)
    }

    /// The first rule that matches. One whose condition can't be computed ends the search: the next
    /// might do what this one was to prevent.
    fn first_match(&self, decision: &mut Decision, evaluation: &mut Evaluation<'_>) -> Option<(usize, &Rule)> {
        for (index, rule) in self.list.iter().enumerate() {
            let number = index + 1;
            let found = rule.matches(evaluation);
            decision.tried.push(Tried {
                rule: number,
                word: rule.word.clone(),
                when: rule.when.as_ref().map(|when| when.text().to_owned()),
                matches: found == Ok(true),
                reason: match &found {
                    Ok(true) => None,
                    Ok(false) => Some("it is false, or uses what is not there".to_owned()),
                    Err(reason) => Some(reason.clone()),
                },
            });
            match found {
                Ok(true) => return Some((number, rule)),
                Ok(false) => {}
                Err(reason) => {
                    decision.planned = Planned::Failed { rule: number, reason };
                    return None;
                }
            }
        }
        None
    }
}

impl Rule {
    /// Whether it matches.
    fn matches(&self, evaluation: &mut Evaluation<'_>) -> Result<bool, String> {
        let Some(when) = &self.when else {
            return Ok(true);
        };
        let holds = when.holds_in(evaluation.scope, evaluation.budget);
        holds
            .map(|holds| holds == Some(true))
            .map_err(|error| format!("when can't be computed: {}", reason(&error, evaluation.budget)))
    }

    /// The commands, one or two for each instance; `None` where it ignores the event.
    fn plan(
        &self,
        zone: &TimeZone,
        now: Timestamp,
        settings: &DateSettings,
        evaluation: &mut Evaluation<'_>,
        decision: &mut Decision,
    ) -> Result<Option<Vec<PlannedCommand>>, String> {
        let shown = &mut decision.shown;
        if let Some(time) = &self.time
            && let Some(value) = fields::one("time", time, evaluation, shown)?
        {
            let time = instant(&value, zone).ok_or_else(|| format!("time ({}) is no time", time.text()))?;
            decision.time = Some(time);
        }
        let Some(filled) = self.action.fill(evaluation, shown)? else {
            return Ok(None);
        };
        let later = self.action.prefers_later();
        let dated = match &self.at {
            Some(at) => Some(at.of_event(later, now, settings, evaluation, shown)?),
            None => None,
        };
        let mut parts = Vec::new();
        if let (Some(ahead), Some(dated)) = (self.ahead, &dated)
            && dated.is_ahead(settings, now)
        {
            parts.extend(filled.expected().map(|expected| (expected, ahead)));
        }
        parts.push((filled, SignedDuration::ZERO));
        let mut commands = Vec::with_capacity(parts.len() * self.targets.len());
        for target in &self.targets {
            for (filled, ahead) in &parts {
                commands.push(PlannedCommand {
                    instance: target.name.clone(),
                    command: filled.command(target)?,
                    not_before: dated.as_ref().and_then(|dated| dated.not_before(*ahead, settings, now)),
                    purpose: self.purpose.clone(),
                    word: filled.word(),
                    date: dated.as_ref().map(|dated| DueDate {
                        ahead: *ahead,
                        ..dated.date.clone()
                    }),
                    held: dated.as_ref().and_then(|dated| dated.held(settings, now)),
                    conversion: settings.conversion,
                    fetch: self.fetch,
                });
            }
        }
        Ok(Some(commands))
    }
}

/// Tells what is wrong with the profiles that have a name.
fn check_profiles(profiles: Option<&Table>, faults: &mut Faults) {
    let Some(profiles) = profiles else { return };
    if profiles.len() > MOST_PROFILES {
        let help = format!("a source has at most {MOST_PROFILES}");
        faults.push("profiles", &format!("{} profiles", profiles.len()), &help);
        return;
    }
    for (name, profile) in profiles {
        let path = format!("profiles.{}", name.escape_debug());
        let Some(profile) = profile.as_table() else {
            faults.push(&path, "no table", "write a table with `fields`");
            continue;
        };
        for key in profile.keys().filter(|key| *key != "fields") {
            let help = "a profile has `fields` alone";
            faults.push(&format!("{path}.{}", key.escape_debug()), "an unknown key", help);
        }
        match profile.get("fields").and_then(toml::Value::as_table) {
            Some(fields) => {
                Fields::read(fields, &format!("{path}.fields"), faults);
            }
            None => faults.push(&path, "no fields", "write fields = { email = \"body.data.email\" }"),
        }
    }
}

#[cfg(test)]
mod tests;
