//! When a date begins and ends: the instant that an operation waits for.
//!
//! A date is no instant. The date, its zone and the side of the day that is meant are kept beside
//! the instant, which is computed again whenever the rules of the zone may have changed: with each
//! start of a service, since the zones are part of the program.

use std::sync::LazyLock;

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Disambiguation, TimeZone, TimeZoneDatabase},
};

use crate::store::DueDate;

/// The side of a day on which something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// When the day begins.
    StartOfDay,
    /// When the day is over, which is when the next one begins.
    EndOfDay,
    /// At this time of it.
    At(Time),
}

impl Side {
    /// Reads `start_of_day`, `end_of_day` or `17:30`.
    pub fn parse(text: &str) -> Option<Self> {
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
    pub fn instant(self, date: Date, zone: &TimeZone, later: bool) -> Option<Timestamp> {
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

/// The zone of an IANA name, by the rules that are part of the program.
pub fn zone_named(name: &str) -> Option<TimeZone> {
    // A system's file may have other rules than this program.
    static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    DATABASE.get(name).ok()
}

/// The instant for which an operation of this date waits; none where it can't be computed.
pub fn due(date: &DueDate) -> Option<Timestamp> {
    effective(date)?.checked_sub(date.ahead).ok()
}

/// The instant that a date means.
pub fn effective(date: &DueDate) -> Option<Timestamp> {
    let side = Side::parse(&date.side)?;
    side.instant(date.date.parse().ok()?, &zone_named(&date.zone)?, date.later)
}

#[cfg(test)]
mod tests {
    use super::*;

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
