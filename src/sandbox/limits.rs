//! Rates: a bucket of tokens for each API, and one for membership changes.
//!
//! Source: User Guide, "Quotas": 25 transactions a second and write API, 40 a second and read API;
//! every single membership change counts against a further limit whose number is not published, so
//! 250 a second is an assumption.

use std::{collections::BTreeMap, time::Instant};

use super::wire::ErrorResponse;

/// The numbers behind the limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Requests a second for each API that reads.
    pub reads_per_second: f64,
    /// Requests a second for each API that writes.
    pub writes_per_second: f64,
    /// Memberships made or ended a second, over all groups.
    pub memberships_per_second: f64,
    /// How many seconds' worth of requests may come at once after a quiet time. AWS tells no burst;
    /// one second's worth is the smallest that still lets a client use its rate in whole-second
    /// steps.
    pub burst_seconds: f64,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            reads_per_second: 40.0,
            writes_per_second: 25.0,
            memberships_per_second: 250.0,
            burst_seconds: 1.0,
        }
    }
}

/// The buckets, each full at first.
#[derive(Debug)]
pub(super) struct Limits {
    rates: Rates,
    requests: BTreeMap<&'static str, Bucket>,
    memberships: Option<Bucket>,
}

impl Limits {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            rates,
            requests: BTreeMap::new(),
            memberships: None,
        }
    }

    /// Counts one request of an API, or refuses it with 429.
    pub(super) fn request(&mut self, api: &'static str, writes: bool, now: Instant) -> Result<(), ErrorResponse> {
        let rate = if writes {
            self.rates.writes_per_second
        } else {
            self.rates.reads_per_second
        };
        let capacity = (rate * self.rates.burst_seconds).max(1.0);
        let bucket = self
            .requests
            .entry(api)
            .or_insert_with(|| Bucket::full(rate, capacity, now));
        bucket.take(1.0, now)
    }

    /// Counts membership changes, all of them or, with 429, none. More than a full bucket holds
    /// pass when it is full.
    pub(super) fn memberships(&mut self, changes: usize, now: Instant) -> Result<(), ErrorResponse> {
        let rate = self.rates.memberships_per_second;
        let capacity = (rate * self.rates.burst_seconds).max(1.0);
        let bucket = self
            .memberships
            .get_or_insert_with(|| Bucket::full(rate, capacity, now));
        let changes = u32::try_from(changes).map_or(capacity, f64::from);
        bucket.take(changes.min(capacity), now)
    }
}

#[derive(Debug)]
struct Bucket {
    rate: f64,
    capacity: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(rate: f64, capacity: f64, now: Instant) -> Self {
        Self {
            rate,
            capacity,
            tokens: capacity,
            filled: now,
        }
    }

    fn take(&mut self, wanted: f64, now: Instant) -> Result<(), ErrorResponse> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.capacity);
        self.filled = now;
        if self.tokens < wanted {
            return Err(ErrorResponse::throttled());
        }
        self.tokens -= wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_api_has_its_own_rate() {
        let mut limits = Limits::new(Rates::default());
        let start = Instant::now();
        let passed = |limits: &mut Limits, api, writes, now| {
            (0..100).filter(|_| limits.request(api, writes, now).is_ok()).count()
        };
        assert_eq!(passed(&mut limits, "CreateUser", true, start), 25);
        assert_eq!(passed(&mut limits, "PatchUser", true, start), 25);
        assert_eq!(passed(&mut limits, "GetUser", false, start), 40);
        assert_eq!(
            passed(&mut limits, "CreateUser", true, start + Duration::from_millis(201)),
            5
        );
    }

    #[test]
    fn memberships_count_one_by_one() {
        let mut limits = Limits::new(Rates::default());
        let start = Instant::now();
        assert!(limits.memberships(100, start).is_ok());
        assert!(limits.memberships(100, start).is_ok());
        assert_eq!(limits.memberships(100, start), Err(ErrorResponse::throttled()));
        assert!(limits.memberships(50, start).is_ok());
        assert!(limits.memberships(100, start + Duration::from_millis(401)).is_ok());
    }
}
