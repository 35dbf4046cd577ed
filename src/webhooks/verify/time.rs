//! The time of a delivery: read exactly, and judged by when the delivery arrived.

use std::time::Duration;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{TimeForm, VerificationError};

/// How far a sender's clock may be ahead of ours.
const FUTURE: Duration = Duration::from_secs(5 * 60);

/// The longest text of a time, in bytes: RFC 3339 with nanoseconds and an offset.
const LONGEST: usize = 40;

impl TimeForm {
    /// Reads a time. Numbers have no sign, no fraction and no zeros before them: another way to
    /// write the same time could hide that what is signed was cut elsewhere.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        match self {
            Self::Seconds => Timestamp::from_second(number(text)?).ok(),
            Self::Milliseconds => Timestamp::from_millisecond(number(text)?).ok(),
            Self::Rfc3339 if text.len() <= LONGEST && text.contains(':') => {
                let zoned = text.parse::<Timestamp>().ok();
                zoned.or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
            }
            Self::Rfc3339 => None,
        }
    }

    /// Writes a time in this form.
    pub(super) fn write(self, time: Timestamp) -> String {
        match self {
            Self::Seconds => time.as_second().to_string(),
            Self::Milliseconds => time.as_millisecond().to_string(),
            Self::Rfc3339 => time.to_string(),
        }
    }
}

fn number(text: &str) -> Option<i64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Judges a time by when the delivery arrived.
pub(super) fn judge(time: Timestamp, received: Timestamp, oldest: Option<Duration>) -> Result<(), VerificationError> {
    let age = received.duration_since(time);
    if age.is_negative() && age.unsigned_abs() > FUTURE {
        return Err(VerificationError::Future(-age.as_secs()));
    }
    match oldest {
        Some(oldest) if !age.is_negative() && age.unsigned_abs() > oldest => Err(VerificationError::TooOld {
            age: age.as_secs(),
            oldest: oldest.as_secs(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (form, text, expected) in [
            (TimeForm::Seconds, "1700000000", at("2023-11-14T22:13:20Z")),
            (TimeForm::Milliseconds, "1700000000123", at("2023-11-14T22:13:20.123Z")),
            (
                TimeForm::Rfc3339,
                "2023-11-14T23:13:20+01:00",
                at("2023-11-14T22:13:20Z"),
            ),
            (TimeForm::Rfc3339, "2023-11-14T22:13:20.5", at("2023-11-14T22:13:20.5Z")),
            (TimeForm::Seconds, "", None),
            (TimeForm::Seconds, "-1700000000", None),
            (TimeForm::Seconds, "+1700000000", None),
            (TimeForm::Seconds, "01700000000", None),
            (TimeForm::Seconds, "1700000000.0", None),
            (TimeForm::Seconds, "1e9", None),
            (TimeForm::Seconds, " 1700000000", None),
            (TimeForm::Seconds, "9223372036854775808", None),
            (TimeForm::Seconds, "9223372036854775807", None),
            (TimeForm::Milliseconds, "9223372036854775807", None),
            (TimeForm::Rfc3339, "yesterday", None),
            (TimeForm::Rfc3339, "2023-11-14", None),
        ] {
            assert_eq!(form.read(text), expected, "{form:?} {text:?}");
        }
    }

    #[test]
    fn the_future_is_bounded_always_and_the_past_as_settings_say() {
        let received: Timestamp = "2023-11-14T22:13:20Z".parse().unwrap();
        let five = Some(Duration::from_secs(300));
        for (offset, oldest, is_sound) in [
            (0, five, true),
            (299, five, true),
            (-299, five, true),
            (301, five, false),
            (-301, five, false),
            (-1_000_000, None, true),
            (301, None, false),
        ] {
            let time = received + jiff::SignedDuration::from_secs(offset);
            assert_eq!(judge(time, received, oldest).is_ok(), is_sound, "{offset} {oldest:?}");
        }
    }
}
