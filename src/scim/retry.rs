//! Repetitions: which requests may be sent again, when, and how many.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    error::{ErrorKind, ScimError},
    request::Api,
};

/// How often one request is sent at most.
pub(super) const MAX_ATTEMPTS: u32 = 5;

/// The longest wait before the first repetition; it doubles with each further one.
const BASE: Duration = Duration::from_millis(100);

/// The longest wait before any.
const LONGEST: Duration = Duration::from_secs(5);

/// The longest `Retry-After` that is waited for. AWS documents none; a wrong one must not hold a
/// command for hours.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// What the first attempts earn for repetitions: in an outage, repetitions add at most a fifth to
/// the load.
const EARNED: f64 = 0.2;

/// Repetitions that may be saved up, so that a short fault after a quiet time is ridden out.
const SAVED: f64 = 10.0;

/// Whether a failed request may be sent again without asking the directory first.
///
/// Nothing was done by a request that never left, nor by one refused with 429. Of an answer that
/// got lost the work may have been done: reading again, deleting again, setting the same value
/// again and adding or removing the same member again come to the same (RFC 9110 section 9.2.2, RFC
/// 7644 section 3.5.2); creating again does not, so the command has to look first.
pub(super) fn is_repeatable(api: Api, error: &ScimError) -> bool {
    match error.kind {
        ErrorKind::Connect | ErrorKind::Throttled => true,
        ErrorKind::Timeout | ErrorKind::Broken | ErrorKind::Status(500 | 502 | 503 | 504) => match api {
            Api::CreateUser | Api::CreateGroup => false,
            Api::ListUsers
            | Api::GetUser
            | Api::PatchUser
            | Api::ListGroups
            | Api::GetGroup
            | Api::PatchGroup
            | Api::DeleteGroup
            | Api::ServiceProviderConfig => true,
        },
        ErrorKind::Absent
        | ErrorKind::WrongUrl
        | ErrorKind::Status(_)
        | ErrorKind::Unreadable
        | ErrorKind::Expired
        | ErrorKind::Congested
        | ErrorKind::CircuitOpen => false,
    }
}

/// How long to wait after the attempt of this number (from 1) failed: a random part of an
/// exponentially growing span, so that requests that failed together don't return together; never
/// less than the directory asked for, within bounds.
pub(super) fn pause(attempt: u32, asked: Option<Duration>) -> Duration {
    let span = BASE
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(LONGEST);
    let jittered = span.mul_f64(fastrand::f64());
    jittered.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

/// The budget of an instance for repetitions.
#[derive(Debug)]
pub(super) struct Budget(Mutex<f64>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(SAVED))
    }

    /// Earns the share of a request that is sent for the first time.
    pub(super) fn earn(&self) {
        let mut saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *saved = (*saved + EARNED).min(SAVED);
    }

    /// Pays for one repetition, if there is enough.
    pub(super) fn spend(&self) -> bool {
        let mut saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *saved >= 1.0;
        if enough {
            *saved -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_is_repeated_only_when_nothing_was_done() {
        let rows = [
            (Api::CreateUser, ErrorKind::Connect, true),
            (Api::CreateUser, ErrorKind::Throttled, true),
            (Api::CreateUser, ErrorKind::Timeout, false),
            (Api::CreateUser, ErrorKind::Broken, false),
            (Api::CreateUser, ErrorKind::Status(503), false),
            (Api::CreateGroup, ErrorKind::Status(500), false),
            (Api::PatchUser, ErrorKind::Timeout, true),
            (Api::PatchGroup, ErrorKind::Broken, true),
            (Api::DeleteGroup, ErrorKind::Status(504), true),
            (Api::ListUsers, ErrorKind::Status(502), true),
            (Api::ListUsers, ErrorKind::Status(501), false),
            (Api::ListUsers, ErrorKind::Status(400), false),
            (Api::GetUser, ErrorKind::Absent, false),
            (Api::PatchUser, ErrorKind::Status(409), false),
            (Api::PatchUser, ErrorKind::Unreadable, false),
        ];
        for (api, kind, expected) in rows {
            assert_eq!(
                is_repeatable(api, &ScimError::new(kind, "")),
                expected,
                "{api:?} {kind:?}"
            );
        }
    }

    #[test]
    fn pauses_grow_within_bounds_and_obey_the_directory() {
        for attempt in 1..40 {
            assert!(pause(attempt, None) <= BASE * 2_u32.saturating_pow(attempt - 1).min(50));
        }
        assert!(pause(1, Some(Duration::from_secs(3))) >= Duration::from_secs(3));
        assert_eq!(pause(1, Some(Duration::from_secs(999_999_999))), LONGEST_ASKED);
    }

    #[test]
    fn repetitions_are_a_fifth_of_the_load() {
        let budget = Budget::new();
        let spent = (0..1_000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        // 200 earned and 10 saved, but for what a fifth is in binary.
        assert!((209..=210).contains(&spent.count()));
    }
}
