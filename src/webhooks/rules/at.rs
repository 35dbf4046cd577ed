//! When a rule's commands are carried out: a date of the event, a side of that day, a zone.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use toml::Value;

use super::{
    Shown,
    expression::{Evaluation, compile},
    faults::{Faults, quoted},
    fields::one,
    time::date,
};
use crate::{
    diagnostic::nearest,
    mapper::expressions::Expression,
    operations::{Side, zone_named},
};

/// Nothing is put off for longer, in hours, as it is of a command's `notBefore`.
const TEN_YEARS: i64 = 24 * 3_653;

const KEYS: [&str; 3] = ["date", "side", "zone"];

const FORM: &str = "write { date = \"body.…\", side = \"end_of_day\" }, and zone where the event has one";

/// A date of the event, a side of that day, a zone.
#[derive(Debug)]
pub(super) struct At {
    date: Expression,
    side: Side,
    zone: Zone,
}

#[derive(Debug)]
enum Zone {
    Fixed(TimeZone),
    OfEvent(Expression),
}

impl At {
    /// Reads the table; `zone` is that of the source.
    pub(super) fn read(value: &Value, at: &str, zone: Option<&TimeZone>, faults: &mut Faults) -> Option<Self> {
        let Some(table) = value.as_table() else {
            faults.push(at, "no table", FORM);
            return None;
        };
        let before = faults.0.len();
        for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let near = nearest(&key.to_ascii_lowercase(), KEYS.into_iter());
            let help = near.map_or_else(|| FORM.to_owned(), |near| format!("did you mean {near}?"));
            faults.push(&format!("{}.{at}", key.escape_debug()), "an unknown key", &help);
        }
        let mut text = |key: &str| match table.get(key) {
            None => None,
            Some(Value::String(text)) => Some(text.as_str()),
            Some(_) => {
                faults.push(&format!("{key} in {at}"), "no text", FORM);
                None
            }
        };
        let (written_date, written_side, written_zone) = (text("date"), text("side"), text("zone"));
        let path = |key: &str| format!("{key} in {at}");
        let date = match written_date.map(|text| (text, compile(text))) {
            Some((_, Ok(expression))) => Some(expression),
            Some((text, Err(help))) => {
                faults.expression(&path("date"), text, &help);
                None
            }
            None => {
                faults.push(&path("date"), "nothing", FORM);
                None
            }
        };
        let side = written_side.and_then(Side::parse);
        if side.is_none() {
            let found = written_side.map_or_else(|| "nothing".to_owned(), quoted);
            let help = "use \"start_of_day\", \"end_of_day\" or a time like \"17:30\"";
            faults.push(&path("side"), &found, help);
        }
        let zone = Zone::read(written_zone, &path("zone"), zone, faults);
        if faults.0.len() > before {
            return None;
        }
        Some(Self {
            date: date?,
            side: side?,
            zone: zone?,
        })
    }

    /// The instant of an event; of two with one local time, the later one if `later`.
    ///
    /// # Errors
    /// What is missing or wrong, without its value.
    pub(super) fn instant(
        &self,
        later: bool,
        now: Timestamp,
        evaluation: &mut Evaluation<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<Timestamp, String> {
        let text = self.date.text();
        let value = one("at.date", &self.date, evaluation, shown)?;
        let value = value.ok_or_else(|| format!("at.date is missing: nothing is there for {text}"))?;
        let date = date(&value).ok_or_else(|| {
            format!("at.date ({text}) is no date like 2026-01-31: a time of day would be cut off, which [:10] does")
        })?;
        let zone = match &self.zone {
            Zone::Fixed(zone) => zone.clone(),
            Zone::OfEvent(expression) => {
                let value = one("at.zone", expression, evaluation, shown)?;
                let zone = value.as_ref().and_then(serde_json::Value::as_str).and_then(zone_named);
                zone.ok_or_else(|| format!("at.zone ({}) is no zone like Australia/Melbourne", expression.text()))?
            }
        };
        let latest = now
            .saturating_add(SignedDuration::from_hours(TEN_YEARS))
            .unwrap_or(Timestamp::MAX);
        self.side
            .instant(date, &zone, later)
            .filter(|instant| *instant <= latest)
            .ok_or_else(|| format!("at.date ({text}) is more than ten years ahead"))
    }
}

impl Zone {
    fn read(written: Option<&str>, at: &str, own: Option<&TimeZone>, faults: &mut Faults) -> Option<Self> {
        let Some(text) = written else {
            if own.is_none() {
                faults.push(
                    at,
                    "nothing",
                    "set the source's zone, or name one here, like \"Australia/Melbourne\"",
                );
            }
            return own.cloned().map(Self::Fixed);
        };
        // No name of a zone is an expression that means anything else.
        if let Some(zone) = zone_named(text) {
            return Some(Self::Fixed(zone));
        }
        match compile(text) {
            Ok(expression) => Some(Self::OfEvent(expression)),
            Err(_) if text.contains('/') && !text.contains(['.', '\'']) => {
                faults.expression(at, text, "there is no such zone: use a name like Australia/Melbourne");
                None
            }
            Err(help) => {
                faults.expression(at, text, &help);
                None
            }
        }
    }
}
