//! From when until when a certificate is good, and when to speak of it.

use jiff::{SignedDuration, Timestamp};
use x509_parser::prelude::{FromDer as _, X509Certificate};

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// The most that is warned before a certificate's end, in days.
const MOST_WARNED_DAYS: i64 = 30;

/// From when until when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its `notBefore`.
    pub starts: Timestamp,
    /// Its `notAfter`.
    pub ends: Timestamp,
}

impl Validity {
    /// Of a certificate in DER; `None` when it is none.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let validity = certificate.validity();
        let timestamp = |seconds: i64| {
            // A certificate without an end has 99991231235959Z (RFC 5280 section 4.1.2.5), which is
            // more than a timestamp holds.
            let bounds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
            Timestamp::from_second(seconds.clamp(*bounds.start(), *bounds.end())).ok()
        };
        Some(Self {
            starts: timestamp(validity.not_before.timestamp())?,
            ends: timestamp(validity.not_after.timestamp())?,
        })
    }

    /// What the operator should know of at this time, in words that go on from "the certificate".
    ///
    /// The end is spoken of in the last tenth of a certificate's life, for 30 days at most. What
    /// renews certificates does so at two thirds of it, so by then it has failed, be the life a
    /// year or a day.
    #[must_use]
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let (left, life) = (self.ends.duration_since(now), self.ends.duration_since(self.starts));
        let warned = (life / 10).min(SignedDuration::from_secs(MOST_WARNED_DAYS * SECONDS_A_DAY));
        if left.is_negative() {
            Some(format!("expired on {}: renew it", self.ends))
        } else if self.starts > now {
            Some(format!(
                "is not valid before {}: look at the clock, or at the certificate",
                self.starts
            ))
        } else if left <= warned {
            let days = left.as_secs() / SECONDS_A_DAY;
            Some(match days {
                0 => format!("expires in less than a day, on {}: renew it", self.ends),
                1 => "expires in 1 day: renew it".to_owned(),
                _ => format!("expires in {days} days: renew it"),
            })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_of_a_life_is_spoken_of() {
        let now: Timestamp = "2026-11-02T12:00:00Z".parse().unwrap();
        for (starts, ends, expected) in [
            ("2026-01-01T00:00:00Z", "2027-12-31T00:00:00Z", None),
            // Two years: 30 days before.
            ("2024-12-02T00:00:00Z", "2026-12-02T13:00:00Z", None),
            (
                "2024-12-02T00:00:00Z",
                "2026-12-02T12:00:00Z",
                Some("expires in 30 days"),
            ),
            // Ninety days: nine before.
            ("2026-08-14T12:00:00Z", "2026-11-12T12:00:00Z", None),
            (
                "2026-08-12T12:00:00Z",
                "2026-11-10T12:00:00Z",
                Some("expires in 8 days"),
            ),
            (
                "2026-08-05T13:00:00Z",
                "2026-11-03T13:00:00Z",
                Some("expires in 1 day:"),
            ),
            // A day: two hours before.
            ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", None),
            (
                "2026-11-01T13:00:00Z",
                "2026-11-02T13:00:00Z",
                Some("expires in less than a day"),
            ),
            (
                "2026-01-01T00:00:00Z",
                "2026-11-02T11:59:59Z",
                Some("expired on 2026-11-02"),
            ),
            (
                "2026-11-02T12:00:01Z",
                "2027-11-02T12:00:01Z",
                Some("is not valid before"),
            ),
            ("2026-01-01T00:00:00Z", "9999-12-30T00:00:00Z", None),
        ] {
            let validity = Validity {
                starts: starts.parse().unwrap(),
                ends: ends.parse().unwrap(),
            };
            let warning = validity.warning(now);
            assert_eq!(warning.is_some(), expected.is_some(), "{ends}: {warning:?}");
            assert!(
                warning.unwrap_or_default().contains(expected.unwrap_or_default()),
                "{ends}"
            );
        }
    }
}
