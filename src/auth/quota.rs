//! Quotas of callers: requests a second, and at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The quota of a caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Requests a second, above 0. As many may come at once after a quiet second, and at least one.
    pub requests_per_second: f64,
    /// Requests that may be worked on at once, at least 1.
    pub concurrent_requests: usize,
}

impl Quota {
    /// How many requests may come at once.
    pub fn burst(&self) -> u32 {
        // Bounded by the configuration far below what a u32 holds.
        self.requests_per_second.ceil().max(1.0) as u32
    }

    /// The time in which an empty bucket refills, in whole seconds.
    pub fn window(&self) -> u64 {
        (f64::from(self.burst()) / self.requests_per_second).ceil().max(1.0) as u64
    }
}

/// Measures the use of a quota: a token bucket for requests a second, and a semaphore for requests
/// at once.
#[derive(Debug)]
pub struct Meter {
    quota: Quota,
    bucket: Mutex<Bucket>,
    permits: Arc<Semaphore>,
}

#[derive(Debug)]
struct Bucket {
    level: f64,
    at: Instant,
}

/// Permits one request at once; dropping it frees the place.
#[derive(Debug)]
pub struct QuotaPermit {
    _permit: OwnedSemaphorePermit,
}

/// The state of a caller's quota after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests that may come at once from now on.
    pub remaining: u32,
    /// The time until one more may come, zero when the bucket is full.
    pub reset: Duration,
}

impl Meter {
    /// Makes a meter of an unused quota.
    pub fn new(quota: Quota) -> Self {
        Self {
            quota,
            bucket: Mutex::new(Bucket {
                level: f64::from(quota.burst()),
                at: Instant::now(),
            }),
            permits: Arc::new(Semaphore::new(quota.concurrent_requests.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// The quota that it measures.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Takes one request out of the quota: gives a permit, or the time to wait when there is none,
    /// and the state of the quota after it.
    pub fn take(&self, now: Instant) -> (Result<QuotaPermit, Duration>, Standing) {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.level = (bucket.level + passed * self.quota.requests_per_second).min(f64::from(self.quota.burst()));
        bucket.at = bucket.at.max(now);
        if bucket.level < 1.0 {
            let standing = self.standing(bucket.level);
            return (Err(standing.reset), standing);
        }
        // A request beyond the concurrent ones takes nothing out of the bucket: the caller must not
        // pay twice for its own slow requests.
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return (Err(Duration::from_secs(1)), self.standing(bucket.level));
        };
        bucket.level -= 1.0;
        (Ok(QuotaPermit { _permit: permit }), self.standing(bucket.level))
    }

    fn standing(&self, level: f64) -> Standing {
        let is_full = level >= f64::from(self.quota.burst());
        let missing = if is_full { 0.0 } else { 1.0 - level.fract() };
        Standing {
            remaining: level as u32,
            // A tiny rate makes it longer than a `Duration` can be.
            reset: Duration::try_from_secs_f64(missing / self.quota.requests_per_second).unwrap_or(Duration::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(requests_per_second: f64, concurrent_requests: usize) -> Meter {
        Meter::new(Quota {
            requests_per_second,
            concurrent_requests,
        })
    }

    #[test]
    fn a_second_holds_as_many_as_it_says_and_gives_them_back() {
        let meter = meter(4.0, 100);
        let start = Instant::now();
        for left in [3, 2, 1, 0] {
            let (held, standing) = meter.take(start);
            assert_eq!((held.is_ok(), standing.remaining), (true, left));
        }
        let (held, standing) = meter.take(start);
        assert_eq!(held.err(), Some(Duration::from_millis(250)));
        assert_eq!(standing.reset, Duration::from_millis(250));
        let later = start + Duration::from_millis(300);
        assert!(meter.take(later).0.is_ok());
        assert!(meter.take(later).0.is_err());
        // However long it was quiet, the burst is no larger.
        let much_later = start + Duration::from_secs(3600);
        assert_eq!((0..10).filter(|_| meter.take(much_later).0.is_ok()).count(), 4);
    }

    #[test]
    fn less_than_one_a_second_is_one_at_a_time() {
        let meter = meter(0.1, 1);
        let start = Instant::now();
        assert_eq!((meter.quota().burst(), meter.quota().window()), (1, 10));
        drop(meter.take(start));
        assert_eq!(meter.take(start).0.err(), Some(Duration::from_secs(10)));
        assert!(meter.take(start + Duration::from_secs(11)).0.is_ok());
    }

    #[test]
    fn a_tiny_rate_waits_without_end() {
        let meter = meter(f64::MIN_POSITIVE, 1);
        let start = Instant::now();
        assert!(meter.take(start).0.is_ok());
        let (refused, standing) = meter.take(start + Duration::from_secs(60));
        assert_eq!((refused.err(), standing.remaining), (Some(Duration::MAX), 0));
        assert_eq!(meter.quota().window(), u64::MAX);
    }

    #[test]
    fn permits_are_held_until_dropped_and_a_request_without_one_costs_nothing() {
        let meter = meter(10.0, 2);
        let now = Instant::now();
        let held = [meter.take(now).0.unwrap(), meter.take(now).0.unwrap()];
        let (refused, standing) = meter.take(now);
        assert_eq!((refused.err(), standing.remaining), (Some(Duration::from_secs(1)), 8));
        drop(held);
        assert_eq!(meter.take(now).1.remaining, 7);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let meter = meter(1.0, 9);
        let now = Instant::now() + Duration::from_secs(60);
        assert!(meter.take(now).0.is_ok());
        assert!(meter.take(now - Duration::from_secs(30)).0.is_err());
        assert!(meter.take(now).0.is_err());
    }
}
