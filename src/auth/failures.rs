//! Slowing whoever keeps failing to prove who they are, without shutting out a caller behind the
//! same address.
//!
//! Proofs are checked first, so a good one is let in however many bad ones came from its address:
//! keys can't be guessed, and many callers may share one address. What the bad ones lose is their
//! voice: beyond a few a second they are told to wait, and are counted in the log instead of told
//! one by one.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Failures of one address that are answered at once.
const BURST: f64 = 10.0;

/// Failures a second that are answered for good.
const PER_SECOND: f64 = 1.0;

/// Addresses that are remembered apart. Beyond, those without a place share one.
const MAX_ADDRESSES: usize = 4096;

/// How often at most it is looked for addresses that don't matter any more.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The failures of every address, as far as they matter still.
#[derive(Debug, Default)]
pub struct Failures {
    addresses: Mutex<Addresses>,
    untold: AtomicU64,
}

/// Whose failures are remembered; those of addresses without a place under `None`.
#[derive(Debug, Default)]
struct Addresses {
    buckets: HashMap<Option<IpAddr>, Bucket>,
    /// When those were last looked for that don't matter any more.
    swept: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: Instant,
}

/// What becomes of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is told for what it is.
    Told,
    /// There were too many from this address: it is told to wait so long.
    Slowed(Duration),
}

impl Failures {
    /// Notes a failure from an address.
    pub fn note(&self, address: IpAddr, now: Instant) -> Verdict {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let key = addresses.place_of(network_of(address), now);
        let bucket = addresses.buckets.entry(key).or_insert(Bucket { level: BURST, at: now });
        let level = bucket.level_at(now);
        let told = level >= 1.0;
        *bucket = Bucket {
            level: if told { level - 1.0 } else { level },
            at: bucket.at.max(now),
        };
        if told {
            return Verdict::Told;
        }
        self.untold.fetch_add(1, Ordering::Relaxed);
        Verdict::Slowed(Duration::from_secs_f64((1.0 - level) / PER_SECOND))
    }

    /// How many were slowed, and so not told one by one, since the last time this was asked.
    pub fn take_untold(&self) -> u64 {
        self.untold.swap(0, Ordering::Relaxed)
    }
}

impl Addresses {
    /// The address's own place, if it has one or there is room.
    fn place_of(&mut self, address: IpAddr, now: Instant) -> Option<IpAddr> {
        let is_full = self.buckets.len() >= MAX_ADDRESSES;
        let is_due = self
            .swept
            .is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_INTERVAL);
        if is_full && is_due && !self.buckets.contains_key(&Some(address)) {
            self.swept = Some(now);
            self.buckets.retain(|_, bucket| bucket.level_at(now) < BURST);
        }
        let has_place = self.buckets.len() < MAX_ADDRESSES || self.buckets.contains_key(&Some(address));
        has_place.then_some(address)
    }
}

impl Bucket {
    fn level_at(&self, now: Instant) -> f64 {
        (self.level + now.saturating_duration_since(self.at).as_secs_f64() * PER_SECOND).min(BURST)
    }
}

/// Whose failures are counted together: an IPv4 address, or the /64 of an IPv6 one, in which a
/// single host can have every address.
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
    fn a_few_are_told_and_then_one_a_second() {
        let failures = Failures::default();
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(failures.note(v4(1), start), Verdict::Told);
        }
        assert_eq!(failures.note(v4(1), start), Verdict::Slowed(Duration::from_secs(1)));
        // Failing on does not prolong it.
        for _ in 0..1000 {
            assert_eq!(failures.note(v4(1), start), Verdict::Slowed(Duration::from_secs(1)));
        }
        assert_eq!(failures.note(v4(2), start), Verdict::Told);
        let later = start + Duration::from_secs(1);
        assert_eq!(failures.note(v4(1), later), Verdict::Told);
        assert_eq!(failures.note(v4(1), later), Verdict::Slowed(Duration::from_secs(1)));
        assert_eq!(failures.take_untold(), 1002);
        assert_eq!(failures.take_untold(), 0);
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let failures = Failures::default();
        let now = Instant::now();
        for host in 0..10 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host);
            assert_eq!(failures.note(address.into(), now), Verdict::Told);
        }
        let same = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9);
        assert_ne!(failures.note(same.into(), now), Verdict::Told);
        let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1);
        assert_eq!(failures.note(other.into(), now), Verdict::Told);
        // The same IPv4 address, whichever way it came.
        let mapped: Ipv6Addr = "::ffff:10.0.0.1".parse().unwrap();
        for _ in 0..10 {
            failures.note(mapped.into(), now);
        }
        assert_ne!(failures.note(v4(1), now), Verdict::Told);
    }

    #[test]
    fn memory_is_bounded_and_the_forgotten_share_a_place() {
        let failures = Failures::default();
        let now = Instant::now();
        for last in 0..20_000 {
            failures.note(v4(last), now);
        }
        let remembered = failures.addresses.lock().unwrap().buckets.len();
        assert!(remembered <= MAX_ADDRESSES + 1, "{remembered}");
        assert_ne!(failures.note(v4(30_000), now), Verdict::Told);
        // Whoever has been quiet long enough makes room.
        let later = now + Duration::from_secs(60);
        assert_eq!(failures.note(v4(30_001), later), Verdict::Told);
        assert!(failures.addresses.lock().unwrap().buckets.len() < 10);
    }
}
