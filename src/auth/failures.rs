//! Slows addresses that keep failing to authenticate, without shutting out a caller behind the same
//! address.
//!
//! Credentials are checked first, so good ones are let in however many bad ones came from their
//! address: keys can't be guessed, and many callers may share one address. Beyond a few a second,
//! failures of one address are answered with a time to wait, and counted in the log instead of
//! logged one by one.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Failures of one address that are reported at once.
const BURST: f64 = 10.0;

/// Failures a second of one address that are reported in the long run.
const PER_SECOND: f64 = 1.0;

/// Addresses with a bucket of their own. Beyond these, all others share one.
const MAX_ADDRESSES: usize = 4096;

/// The least time between two searches for full buckets, which can be forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Counts recent failures by address.
#[derive(Debug, Default)]
pub struct Failures {
    addresses: Mutex<Addresses>,
    slowed: AtomicU64,
}

/// The buckets by address; the one that all further addresses share is under `None`.
#[derive(Debug, Default)]
struct Addresses {
    buckets: HashMap<Option<IpAddr>, Bucket>,
    /// When full buckets were last forgotten.
    swept: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: Instant,
}

/// Decides how a failure is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As what it is: answered with its own status, and logged.
    Reported,
    /// With a time to wait, since there were too many from this address; counted, not logged.
    Slowed(Duration),
}

impl Failures {
    /// Records a failure of an address.
    pub fn record(&self, address: IpAddr, now: Instant) -> Verdict {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let key = addresses.key_of(network_of(address), now);
        let bucket = addresses.buckets.entry(key).or_insert(Bucket { level: BURST, at: now });
        let level = bucket.level_at(now);
        let is_reported = level >= 1.0;
        *bucket = Bucket {
            level: if is_reported { level - 1.0 } else { level },
            at: bucket.at.max(now),
        };
        if is_reported {
            return Verdict::Reported;
        }
        self.slowed.fetch_add(1, Ordering::Relaxed);
        Verdict::Slowed(Duration::from_secs_f64((1.0 - level) / PER_SECOND))
    }

    /// Takes the number of failures that were slowed, and so not logged, since the last call.
    pub fn take_slowed(&self) -> u64 {
        self.slowed.swap(0, Ordering::Relaxed)
    }
}

impl Addresses {
    /// The key of the address's own bucket, if it has one or there is room for one.
    fn key_of(&mut self, address: IpAddr, now: Instant) -> Option<IpAddr> {
        let is_full = self.buckets.len() >= MAX_ADDRESSES;
        let is_due = self
            .swept
            .is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_INTERVAL);
        if is_full && is_due && !self.buckets.contains_key(&Some(address)) {
            self.swept = Some(now);
            self.buckets.retain(|_, bucket| bucket.level_at(now) < BURST);
        }
        let has_bucket = self.buckets.len() < MAX_ADDRESSES || self.buckets.contains_key(&Some(address));
        has_bucket.then_some(address)
    }
}

impl Bucket {
    fn level_at(&self, now: Instant) -> f64 {
        (self.level + now.saturating_duration_since(self.at).as_secs_f64() * PER_SECOND).min(BURST)
    }
}

/// The network whose failures are counted together: an IPv4 address, or the /64 of an IPv6 one, in
/// which a single host can have every address.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u32) -> IpAddr {
        std::net::Ipv4Addr::from(0x0a00_0000 + last).into()
    }

    #[test]
    fn a_few_failures_are_reported_and_then_one_a_second() {
        let failures = Failures::default();
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(failures.record(v4(1), start), Verdict::Reported);
        }
        assert_eq!(failures.record(v4(1), start), Verdict::Slowed(Duration::from_secs(1)));
        // Failing on does not prolong it.
        for _ in 0..1000 {
            assert_eq!(failures.record(v4(1), start), Verdict::Slowed(Duration::from_secs(1)));
        }
        assert_eq!(failures.record(v4(2), start), Verdict::Reported);
        let later = start + Duration::from_secs(1);
        assert_eq!(failures.record(v4(1), later), Verdict::Reported);
        assert_eq!(failures.record(v4(1), later), Verdict::Slowed(Duration::from_secs(1)));
        assert_eq!(failures.take_slowed(), 1002);
        assert_eq!(failures.take_slowed(), 0);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let failures = Failures::default();
        let now = Instant::now();
        for host in 0..10 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            assert_eq!(failures.record(address.into(), now), Verdict::Reported);
        }
        let same = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert_ne!(failures.record(same.into(), now), Verdict::Reported);
        let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1);
        assert_eq!(failures.record(other.into(), now), Verdict::Reported);
        // The same IPv4 address, whichever way it came.
        let mapped: Ipv6Addr = "::ffff:10.0.0.1".parse().unwrap();
        for _ in 0..10 {
            failures.record(mapped.into(), now);
        }
        assert_ne!(failures.record(v4(1), now), Verdict::Reported);
    }

    #[test]
    fn memory_is_bounded_and_further_addresses_share_a_bucket() {
        let failures = Failures::default();
        let now = Instant::now();
        for last in 0..20_000 {
            failures.record(v4(last), now);
        }
        let buckets = failures.addresses.lock().unwrap().buckets.len();
        assert!(buckets <= MAX_ADDRESSES + 1, "{buckets}");
        assert_ne!(failures.record(v4(30_000), now), Verdict::Reported);
        // Addresses without recent failures are forgotten.
        let later = now + Duration::from_secs(60);
        assert_eq!(failures.record(v4(30_001), later), Verdict::Reported);
        assert!(failures.addresses.lock().unwrap().buckets.len() < 10);
    }
}
