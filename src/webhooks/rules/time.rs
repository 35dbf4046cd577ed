//! The times that senders write: of an event, and the dates that something is to be done at.

use jiff::{
    SignedDuration, Span, SpanRelativeTo, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde_json::Value;

/// From this number on a number counts milliseconds: as seconds it would be the year 5138, as
/// milliseconds it is 1973.
const MILLISECONDS: i64 = 100_000_000_000;

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

/// A length of time such as `14d` or `4h`, whose days have 24 hours.
pub fn length(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (length > SignedDuration::ZERO).then_some(length)
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
    fn a_length_of_time_is_longer_than_nothing() {
        for (text, hours) in [
            ("14d", Some(336)),
            ("4h", Some(4)),
            ("1w 1d", Some(192)),
            ("P1D", Some(24)),
            ("0s", None),
            ("-1d", None),
            ("1 month", None),
            ("14", None),
            ("soon", None),
            ("999999999999999999999d", None),
            ("", None),
        ] {
            assert_eq!(length(text), hours.map(SignedDuration::from_hours), "{text}");
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
}
