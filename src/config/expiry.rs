//! When an access token expires.
//!
//! A client can't read that from a directory or from the token. The operator copies it from the
//! console, and the service counts the days at its start and while it runs. A token is valid for
//! one year, and the console reminds of its end from 90 days before (AWS IAM Identity Center User
//! Guide, "Provision users and groups from an external identity provider using SCIM").

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use toml::Value;

use crate::scim::days_left;

/// From this many days before a token expires its operator is reminded: when AWS's own console
/// begins to.
const REMINDED_DAYS: i64 = 90;

/// What the operator of a token is warned of at this time, if it is time to.
#[must_use]
pub fn warning(expires: Timestamp, now: Timestamp) -> Option<String> {
    match days_left(expires, now) {
        left if left < 0 => Some("the token has expired: generate a new one in the console".to_owned()),
        0 => Some("the token expires in less than a day: generate a new one in the console".to_owned()),
        1 => Some("the token expires in 1 day: generate a new one in the console".to_owned()),
        left if left <= REMINDED_DAYS => Some(format!(
            "the token expires in {left} days: generate a new one in the console"
        )),
        _ => None,
    }
}

/// A date, which means its start in UTC, or a time with its offset as RFC 3339 section 5.6 has it.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    // Both parsers know more forms than these (ISO 8601's without separators, a time zone in
    // brackets).
    let bytes = text.as_bytes();
    let begins_as_a_date = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    if !begins_as_a_date || text.contains('[') {
        return None;
    }
    if bytes.len() > 10 {
        return text.parse().ok();
    }
    let date: Date = text.parse().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// As [`parse`], of a date, a time or a text in a file.
pub(super) fn parse_toml(value: &Value) -> Option<Timestamp> {
    match value.as_datetime() {
        Some(datetime) => parse(&datetime.to_string()),
        None => parse(value.as_str()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-02T12:00:00Z";

    #[test]
    fn a_date_is_its_start_in_utc_and_a_time_has_its_offset() {
        for (text, expected) in [
            ("2027-01-31", Some("2027-01-31T00:00:00Z")),
            ("2028-02-29", Some("2028-02-29T00:00:00Z")),
            ("2027-01-31T12:30:00Z", Some("2027-01-31T12:30:00Z")),
            ("2027-01-31t12:30:00.5z", Some("2027-01-31T12:30:00.5Z")),
            ("2027-01-31T12:30:00+02:00", Some("2027-01-31T10:30:00Z")),
            ("2027-02-29", None),
            ("2027-13-01", None),
            ("2027-1-31", None),
            ("20270131", None),
            ("20270131T123000Z", None),
            ("31.01.2027", None),
            ("2027-01-31T12:30:00", None),
            ("2027-01-31T25:00:00Z", None),
            ("2027-01-31T12:30:00+01:00[Europe/Paris]", None),
            ("2027-01-31 ", None),
            (" 2027-01-31", None),
            ("9999-12-31", None),
            ("12é5-01-31", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected.map(|text| text.parse().unwrap()), "{text:?}");
        }
    }

    #[test]
    fn the_operator_is_warned_from_ninety_days_on() {
        for (expires, expected) in [
            ("2027-02-01T12:00:00Z", None),
            ("2027-01-31T12:00:00Z", Some("in 90 days")),
            ("2026-11-04T13:00:00Z", Some("in 2 days")),
            ("2026-11-03T13:00:00Z", Some("in 1 day:")),
            ("2026-11-02T13:00:00Z", Some("in less than a day")),
            ("2026-11-02T11:00:00Z", Some("has expired")),
            ("1999-01-01T00:00:00Z", Some("has expired")),
        ] {
            let warning = warning(expires.parse().unwrap(), NOW.parse().unwrap());
            assert_eq!(warning.is_some(), expected.is_some(), "{expires}: {warning:?}");
            assert!(
                warning.unwrap_or_default().contains(expected.unwrap_or_default()),
                "{expires}"
            );
        }
    }
}
