//! When a rule's commands are carried out: a date of the event, a side of that day, a zone.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use toml::{Table, Value};

use super::{
    RuleContext, Shown,
    dates::{DateSettings, Dated},
    expression::{Evaluation, compile},
    faults::{Faults, quoted},
    fields::one,
    time::date,
};
use crate::{
    diagnostic::nearest,
    mapper::expressions::Expression,
    operations::{Side, zone_named},
    store::DueDate,
};

/// Nothing is put off for longer, in hours, as it is of a command's `notBefore`.
const TEN_YEARS: i64 = 24 * 3_653;

const KEYS: [&str; 4] = ["date", "side", "zone", "site"];

const FORM: &str = "write { date = \"body.…\", side = \"end_of_day\" }, and zone or site where the event has one";

/// A date of the event, a side of that day, a zone.
#[derive(Debug)]
pub(super) struct At {
    date: Expression,
    side: Side,
    /// The side as it is written.
    written_side: String,
    zone: Zone,
}

/// Where the zone of a date is found.
#[derive(Debug)]
enum Zone {
    Fixed(TimeZone),
    /// In the event, else by its site, else the source's own.
    OfEvent {
        zone: Option<Expression>,
        site: Option<Expression>,
        own: Option<TimeZone>,
    },
}

/// The table as it is read.
struct Reader<'a> {
    table: &'a Table,
    at: &'a str,
    context: &'a RuleContext<'a>,
    faults: &'a mut Faults,
}

impl At {
    /// Reads the table, which stands at `at`.
    pub(super) fn read(value: &Value, at: &str, context: &RuleContext<'_>, faults: &mut Faults) -> Option<Self> {
        let Some(table) = value.as_table() else {
            faults.push(at, "no table", FORM);
            return None;
        };
        let reader = Reader {
            table,
            at,
            context,
            faults,
        };
        reader.read()
    }

    /// Whether it asks for the zone of a site.
    pub(super) fn has_site(&self) -> bool {
        matches!(&self.zone, Zone::OfEvent { site: Some(_), .. })
    }

    /// The date of an event with its instant; of two with one local time, the later one if `later`.
    ///
    /// # Errors
    /// What is missing or wrong, without its value.
    pub(super) fn of_event(
        &self,
        later: bool,
        now: Timestamp,
        settings: &DateSettings,
        evaluation: &mut Evaluation<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<Dated, String> {
        let text = self.date.text();
        let value = one("at.date", &self.date, evaluation, shown)?;
        let value = value.ok_or_else(|| format!("at.date is missing: nothing is there for {text}"))?;
        let date = date(&value).ok_or_else(|| {
            format!("at.date ({text}) is no date like 2026-01-31: a time of day would be cut off, which [:10] does")
        })?;
        let zone = self.zone.of_event(settings, evaluation, shown)?;
        let latest = now
            .saturating_add(SignedDuration::from_hours(TEN_YEARS))
            .unwrap_or(Timestamp::MAX);
        let instant = self
            .side
            .instant(date, &zone, later)
            .filter(|instant| *instant <= latest)
            .ok_or_else(|| format!("at.date ({text}) is more than ten years ahead"))?;
        let date = DueDate {
            date: date.to_string(),
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            side: self.written_side.clone(),
            ahead: SignedDuration::ZERO,
            later,
        };
        Ok(Dated { date, instant })
    }
}

impl Zone {
    /// The zone of an event's date.
    ///
    /// # Errors
    /// That the event names none, by the expressions and without a value.
    fn of_event(
        &self,
        settings: &DateSettings,
        evaluation: &mut Evaluation<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<TimeZone, String> {
        let (zone, site, own) = match self {
            Self::Fixed(zone) => return Ok(zone.clone()),
            Self::OfEvent { zone, site, own } => (zone, site, own),
        };
        let mut reason = String::new();
        if let Some(expression) = zone {
            let text = expression.text();
            if let Some(value) = one("at.zone", expression, evaluation, shown)? {
                let zone = value.as_str().map(str::trim).and_then(zone_named);
                return zone.ok_or_else(|| format!("at.zone ({text}) is no zone like Australia/Melbourne"));
            }
            reason = format!("at.zone is missing: nothing is there for {text}");
        }
        if let Some(expression) = site {
            let text = expression.text();
            let value = one("at.site", expression, evaluation, shown)?;
            if let Some(zone) = value
                .as_ref()
                .and_then(site_name)
                .and_then(|site| settings.of_site(&site))
            {
                return Ok(zone.clone());
            }
            reason = match value {
                Some(_) => format!("at.site ({text}) is none of the source's zones"),
                None => format!("at.site is missing: nothing is there for {text}"),
            };
        }
        own.clone()
            .ok_or_else(|| format!("{reason}, and the source has no zone of its own"))
    }
}

/// What a site is called: a text, or a number.
fn site_name(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Option<At> {
        let before = self.faults.0.len();
        let table = self.table;
        for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let near = nearest(&key.to_ascii_lowercase(), KEYS.into_iter());
            let help = near.map_or_else(|| FORM.to_owned(), |near| format!("did you mean {near}?"));
            let path = format!("{}.{}", key.escape_debug(), self.at);
            self.faults.push(&path, "an unknown key", &help);
        }
        let date = self.expression("date");
        if !table.contains_key("date") {
            self.faults.push(&self.path("date"), "nothing", FORM);
        }
        let written_side = self.text("side");
        let side = written_side.and_then(Side::parse);
        if side.is_none() {
            let found = written_side.map_or_else(|| "nothing".to_owned(), quoted);
            let help = "use \"start_of_day\", \"end_of_day\" or a time like \"17:30\"";
            self.faults.push(&self.path("side"), &found, help);
        }
        let zone = self.zone();
        if self.faults.0.len() > before {
            return None;
        }
        Some(At {
            date: date?,
            side: side?,
            written_side: written_side?.to_owned(),
            zone: zone?,
        })
    }

    fn path(&self, key: &str) -> String {
        format!("{key} in {}", self.at)
    }

    fn text(&mut self, key: &str) -> Option<&'a str> {
        let text = self.table.get(key)?.as_str();
        if text.is_none() {
            self.faults.push(&self.path(key), "no text", FORM);
        }
        text
    }

    fn expression(&mut self, key: &str) -> Option<Expression> {
        let text = self.text(key)?;
        compile(text)
            .map_err(|help| self.faults.expression(&self.path(key), text, &help))
            .ok()
    }

    fn zone(&mut self) -> Option<Zone> {
        let site = self.expression("site");
        if self.table.contains_key("site") && self.context.dates.zones.is_empty() {
            let help = "set the source's zones, like zones = { sydney = \"Australia/Sydney\" }";
            self.faults.push(&self.path("site"), "a site", help);
        }
        let Some(text) = self.text("zone") else {
            if !self.table.contains_key("site") && !self.table.contains_key("zone") && self.context.zone.is_none() {
                let help = "set the source's zone, or name one here, like \"Australia/Melbourne\"";
                self.faults.push(&self.path("zone"), "nothing", help);
            }
            return Some(self.of_event(None, site));
        };
        // No name of a zone is an expression that means anything else.
        if let Some(zone) = zone_named(text) {
            if self.table.contains_key("site") {
                let help = "take it out: the zone is the same for every event";
                self.faults.push(&self.path("site"), "a site", help);
            }
            return Some(Zone::Fixed(zone));
        }
        match compile(text) {
            Ok(expression) => Some(self.of_event(Some(expression), site)),
            Err(help) => {
                let is_zone = text.contains('/') && !text.contains(['.', '\'']);
                let zone = "there is no such zone: use a name like Australia/Melbourne";
                let help = if is_zone { zone } else { &help };
                self.faults.expression(&self.path("zone"), text, help);
                None
            }
        }
    }

    fn of_event(&self, zone: Option<Expression>, site: Option<Expression>) -> Zone {
        let own = self.context.zone.cloned();
        Zone::OfEvent { zone, site, own }
    }
}
