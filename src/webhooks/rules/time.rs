//! The times that senders write: of an event, and the dates that something is to be done at.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Disambiguation, TimeZone},
};
use serde_json::Value;

/// From this number on a number counts milliseconds: as seconds it would be the year 5138, as
/// milliseconds it is 1973.
const MILLISECONDS: i64 = 100_000_000_000;

/// The side of a day on which something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// When the day begins.
    StartOfDay,
    /// When the day is over, which is when the next one begins.
    EndOfDay,
    /// At this time of it.
    At(Time),
}

impl Side {
    /// Reads `start_of_day`, `end_of_day` or `17:30`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "start_of_day" => Some(Self::StartOfDay),
            "end_of_day" => Some(Self::EndOfDay),
            _ => {
                let (hour, minute) = text.split_once(':')?;
                let number = |text: &str| -> Option<i8> {
                    let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
                    is_plain.then(|| text.parse().ok()).flatten()
                };
                Time::new(number(hour)?, number(minute)?, 0, 0).ok().map(Self::At)
            }
        }
    }

    /// The instant of this side of a date in a zone. A local time that a clock skips goes to the
    /// later instant; of two instants with one local time `later` chooses.
    pub(super) fn instant(self, date: Date, zone: &TimeZone, later: bool) -> Option<Timestamp> {
        let local = match self {
            Self::StartOfDay => date.to_datetime(Time::midnight()),
            Self::EndOfDay => date.tomorrow().ok()?.to_datetime(Time::midnight()),
            Self::At(time) => date.to_datetime(time),
        };
        let disambiguation = if later {
            Disambiguation::Later
        } else {
            Disambiguation::Compatible
        };
        let zoned = zone.to_ambiguous_zoned(local).disambiguate(disambiguation);
        zoned.ok().map(|zoned| zoned.timestamp())
    }
}

/// The instant that an event's own time is: RFC 3339, a local time in `zone`, a date (its start),
/// or seconds or milliseconds since 1970, also as a text.
pub(in crate::webhooks) fn instant(value: &Value, zone: &TimeZone) -> Option<Timestamp> {
    match value {
        Value::Number(number) => since_1970(number.as_i64().or_else(|| whole(number.as_f64()?))?),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<i64>() {
                return since_1970(number);
            }
            let local = |local: DateTime| zone.to_ambiguous_zoned(local).compatible().ok();
            let at_offset = text.parse::<Timestamp>().ok();
            at_offset.or_else(|| Some(local(text.parse::<DateTime>().ok()?)?.timestamp()))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The date that a value says. A time at midnight is its date as it is written, whatever its
/// offset: many systems can't write a date alone.
pub(super) fn date(value: &Value) -> Option<Date> {
    let text = value.as_str()?.trim();
    let is_date = text.len() == 10;
    let date: Date = text.get(..10)?.parse().ok()?;
    let at_midnight = || {
        let rest = &text[10..];
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let is_zero =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'0' || byte == b':' || byte == b'.');
        (is_zero(&rest[..end])
            && text
                .parse::<DateTime>()
                .or_else(|_| text[..10 + 1 + end].parse())
                .is_ok())
        .then_some(())
    };
    (is_date || at_midnight().is_some()).then_some(date)
}

#[expect(clippy::cast_possible_truncation, reason = "it is whole and within the range")]
fn whole(number: f64) -> Option<i64> {
    // Seconds with a fraction.
    (number.abs() < 1e15).then(|| number.trunc() as i64)
}

fn since_1970(number: i64) -> Option<Timestamp> {
    if number.checked_abs()? < MILLISECONDS {
        Timestamp::from_second(number).ok()
    } else {
        Timestamp::from_millisecond(number).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_events_time_comes_in_many_forms() {
        let zone = TimeZone::get("Australia/Melbourne").unwrap();
        for (value, expected) in [
            (json!("2026-11-28T10:00:00Z"), Some("2026-11-28T10:00:00Z")),
            (json!("2026-11-28T10:00:00.25+11:00"), Some("2026-11-27T23:00:00.25Z")),
            (json!("2026-11-28T10:00:00"), Some("2026-11-27T23:00:00Z")),
            (json!("2026-11-28"), Some("2026-11-27T13:00:00Z")),
            (json!(1_780_000_000), Some("2026-05-28T20:26:40Z")),
            (json!(1_780_000_000_000_i64), Some("2026-05-28T20:26:40Z")),
            (json!(1_780_000_000.75), Some("2026-05-28T20:26:40Z")),
            (json!("1780000000"), Some("2026-05-28T20:26:40Z")),
            (json!("1780000000000"), Some("2026-05-28T20:26:40Z")),
            (json!(i64::MAX), None),
            (json!(i64::MIN), None),
            (json!("yesterday"), None),
            (json!("28/11/2026"), None),
            (json!(""), None),
            (json!(true), None),
            (json!({"at": 1}), None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(instant(&value, &zone), expected, "{value}");
        }
    }

    #[test]
    fn a_date_is_one_as_it_is_written() {
        for (value, expected) in [
            (json!("2026-11-30"), Some("2026-11-30")),
            (json!(" 2026-11-30 "), Some("2026-11-30")),
            (json!("2026-11-30T00:00:00"), Some("2026-11-30")),
            (json!("2026-11-30T00:00:00.000Z"), Some("2026-11-30")),
            (json!("2026-11-30T00:00:00+11:00"), Some("2026-11-30")),
            (json!("2026-11-30T13:00:00Z"), None),
            (json!("2026-11-30Txx"), None),
            (json!("2026-13-30"), None),
            (json!("30.11.2026"), None),
            (json!("2026-11-3é0"), None),
            (json!(""), None),
            (json!(20_261_130), None),
        ] {
            let expected: Option<Date> = expected.map(|text| text.parse().unwrap());
            assert_eq!(date(&value), expected, "{value}");
        }
    }

    #[test]
    fn sides_are_read() {
        for (text, is_side) in [
            ("start_of_day", true),
            ("end_of_day", true),
            ("17:30", true),
            ("00:00", true),
            ("24:00", false),
            ("7:30", false),
            ("17:60", false),
            ("17:30:00", false),
            ("noon", false),
            ("", false),
        ] {
            assert_eq!(Side::parse(text).is_some(), is_side, "{text}");
        }
    }

    /// Melbourne's clocks skip 02:00 to 03:00 on 4 October 2026, and show 02:00 to 03:00 twice on 5
    /// April 2026; those of Santiago skip the first hour of 6 September 2026.
    #[test]
    fn a_side_of_a_day_is_one_instant() {
        for (zone, date, side, later, expected) in [
            (
                "Australia/Melbourne",
                "2026-11-30",
                "end_of_day",
                false,
                "2026-11-30T13:00:00Z",
            ),
            (
                "Australia/Melbourne",
                "2026-11-30",
                "start_of_day",
                true,
                "2026-11-29T13:00:00Z",
            ),
            (
                "Australia/Melbourne",
                "2026-11-30",
                "17:30",
                false,
                "2026-11-30T06:30:00Z",
            ),
            (
                "Australia/Melbourne",
                "2026-10-04",
                "02:30",
                false,
                "2026-10-03T16:30:00Z",
            ),
            (
                "Australia/Melbourne",
                "2026-10-04",
                "02:30",
                true,
                "2026-10-03T16:30:00Z",
            ),
            (
                "Australia/Melbourne",
                "2026-04-05",
                "02:30",
                false,
                "2026-04-04T15:30:00Z",
            ),
            (
                "Australia/Melbourne",
                "2026-04-05",
                "02:30",
                true,
                "2026-04-04T16:30:00Z",
            ),
            (
                "America/Santiago",
                "2026-09-06",
                "start_of_day",
                false,
                "2026-09-06T04:00:00Z",
            ),
            (
                "America/Santiago",
                "2026-09-05",
                "end_of_day",
                true,
                "2026-09-06T04:00:00Z",
            ),
            ("UTC", "2026-12-31", "end_of_day", false, "2027-01-01T00:00:00Z"),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            let instant = Side::parse(side).unwrap().instant(date.parse().unwrap(), &zone, later);
            assert_eq!(instant, Some(expected.parse().unwrap()), "{date} {side} {later}");
        }
        let utc = TimeZone::UTC;
        assert_eq!(Side::EndOfDay.instant("9999-12-31".parse().unwrap(), &utc, true), None);
    }
}
