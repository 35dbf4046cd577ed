//! A circuit breaker: a directory that keeps failing is left alone, and its callers are told at
//! once.
//!
//! It opens after a run of failures without one success between them. A 429 is no failure, nor is
//! any other answer that only a working directory gives. While it is open nothing is sent but a
//! cheap read every second, whose success closes it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::error::{ErrorKind, ScimError};

/// Failures in a row that open it. Where one request in five fails by chance, ten in a row are one
/// in ten million.
const FAILURES: u32 = 10;

/// How often an open breaker lets one read through.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// A breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests go through.
    Closed,
    /// The directory keeps failing; nothing is sent but a probe.
    Open,
}

/// The breaker of one instance.
#[derive(Debug)]
pub(super) struct Breaker {
    inner: Mutex<Inner>,
    state: watch::Sender<BreakerState>,
}

#[derive(Debug)]
struct Inner {
    failures: u32,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner { failures: 0 }),
            state: watch::Sender::new(BreakerState::Closed),
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        *self.state.borrow()
    }

    /// Waits until the breaker is open; returns at once if it is.
    pub(super) async fn opened(&self) {
        let mut state = self.state.subscribe();
        // The sender is ours and lives as long as we do.
        let _opened = state.wait_for(|state| *state == BreakerState::Open).await;
    }

    /// The error that stands for an answer while the breaker is open.
    pub(super) fn refusal(&self) -> ScimError {
        let detail = "the directory keeps failing; nothing is sent to it until it answers again";
        ScimError {
            retry_after: Some(PROBE_INTERVAL),
            ..ScimError::new(ErrorKind::CircuitOpen, detail)
        }
    }

    /// Records an answer that only a working directory gives, refusals included.
    pub(super) fn succeeded(&self) {
        self.inner().failures = 0;
        self.state
            .send_if_modified(|state| std::mem::replace(state, BreakerState::Closed) == BreakerState::Open);
    }

    /// Records a failure. True when it opened the breaker: the caller must start a probe then,
    /// since no other request is sent.
    pub(super) fn failed(&self) -> bool {
        let mut inner = self.inner();
        inner.failures = inner.failures.saturating_add(1);
        inner.failures >= FAILURES
            && self
                .state
                .send_if_modified(|state| std::mem::replace(state, BreakerState::Open) == BreakerState::Closed)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error says that the directory is not working.
pub(super) fn is_failure(error: &ScimError) -> bool {
    match error.kind {
        ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Broken => true,
        ErrorKind::Status(status) => status >= 500,
        ErrorKind::Throttled
        | ErrorKind::Absent
        | ErrorKind::WrongUrl
        | ErrorKind::Unreadable
        | ErrorKind::Expired
        | ErrorKind::Congested
        | ErrorKind::CircuitOpen => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_run_of_failures_opens_it_and_a_success_closes_it() {
        let breaker = Breaker::new();
        for _ in 0..FAILURES - 1 {
            assert!(!breaker.failed());
        }
        breaker.succeeded();
        for _ in 0..FAILURES - 1 {
            assert!(!breaker.failed());
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(breaker.failed(), "the last of the run opens it");
        assert!(!breaker.failed(), "once");
        breaker.opened().await;
        assert!(breaker.refusal().retry_after.unwrap() >= PROBE_INTERVAL);
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn refusals_and_throttling_are_no_failures() {
        for kind in [
            ErrorKind::Throttled,
            ErrorKind::Status(400),
            ErrorKind::Status(401),
            ErrorKind::Absent,
        ] {
            assert!(!is_failure(&ScimError::new(kind, "")), "{kind:?}");
        }
        for kind in [
            ErrorKind::Connect,
            ErrorKind::Timeout,
            ErrorKind::Broken,
            ErrorKind::Status(503),
        ] {
            assert!(is_failure(&ScimError::new(kind, "")), "{kind:?}");
        }
    }
}
