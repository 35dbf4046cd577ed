//! What becomes of an operation after an attempt.

use jiff::SignedDuration;

use crate::{
    outcome::{Cause, Outcome},
    scim::ErrorKind,
    store::{Attempt, State},
};

/// The least wait for a directory that is not asked at all: its breaker is open.
const BREAKER_WAIT: SignedDuration = SignedDuration::from_secs(5);

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has ended so.
    Ended(State),
    /// It is tried again after this.
    Again(SignedDuration),
}

/// Judges an attempt that came to an outcome. `failures` are those before it that count; `jitter`,
/// between 0 and 1, spreads what failed together.
pub(super) fn verdict(outcome: &Outcome, failures: usize, schedule: &[SignedDuration], jitter: f64) -> Verdict {
    let Some(failure) = outcome.failure() else {
        return Verdict::Ended(match outcome.label() {
            "skipped" => State::Skipped,
            _ => State::Done,
        });
    };
    if !failure.is_transient() {
        return Verdict::Ended(State::Failed);
    }
    let asked = failure.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
    let asked = asked.unwrap_or_default();
    if !counts(failure.cause.label()) {
        return Verdict::Again(asked.max(BREAKER_WAIT));
    }
    match schedule.get(failures) {
        Some(wait) => Verdict::Again(spread(*wait, jitter).max(asked)),
        None => Verdict::Ended(State::Buried),
    }
}

/// How many of these attempts failed and count as tries.
pub(super) fn failures(attempts: &[Attempt]) -> usize {
    let causes = attempts.iter().filter_map(|attempt| attempt.cause.as_deref());
    causes.filter(|cause| counts(cause)).count()
}

/// Whether a failure for this cause is a try: a directory that was not asked was not tried.
fn counts(cause: &str) -> bool {
    let not_asked = [ErrorKind::CircuitOpen, ErrorKind::Congested].map(|kind| Cause::Directory(kind).label());
    !not_asked.contains(&cause)
}

/// A wait, from a tenth less to a tenth more of it.
pub(super) fn spread(wait: SignedDuration, jitter: f64) -> SignedDuration {
    let seconds = wait.as_secs_f64() * (0.9 + 0.2 * jitter);
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::{Failure, GroupAction, GroupEnd, GroupOutcome};

    fn failed(cause: Cause, retry_after: Option<u64>) -> Outcome {
        let failure = Failure {
            retry_after: retry_after.map(Duration::from_secs),
            ..Failure::new(cause, "")
        };
        Outcome::Group(GroupOutcome {
            action: GroupAction::Delete,
            lookup: Default::default(),
            end: GroupEnd::Failed {
                id: None,
                display_name: None,
                failure,
                details: None,
            },
        })
    }

    fn again(seconds: i64) -> Verdict {
        Verdict::Again(SignedDuration::from_secs(seconds))
    }

    #[test]
    fn passing_failures_are_tried_again_by_the_schedule_and_lasting_ones_are_not() {
        let schedule = [10, 100].map(SignedDuration::from_secs);
        let busy = Cause::Directory(ErrorKind::Throttled);
        let open = Cause::Directory(ErrorKind::CircuitOpen);
        let rows = [
            (failed(Cause::Invalid, None), 0, Verdict::Ended(State::Failed)),
            (failed(Cause::Conflict, None), 0, Verdict::Ended(State::Failed)),
            (failed(busy, None), 0, again(10)),
            (failed(busy, None), 1, again(100)),
            (failed(busy, None), 2, Verdict::Ended(State::Buried)),
            (failed(busy, Some(30)), 0, again(30)),
            (failed(busy, Some(30)), 1, again(100)),
            (failed(open, None), 0, again(5)),
            (failed(open, Some(40)), 9, again(40)),
            (Outcome::Tested(Ok("")), 0, Verdict::Ended(State::Done)),
        ];
        for (outcome, failures, expected) in rows {
            let found = verdict(&outcome, failures, &schedule, 0.5);
            assert_eq!(found, expected, "{:?} after {failures}", outcome.failure());
        }
    }

    #[test]
    fn what_failed_together_is_spread_by_a_tenth() {
        let busy = failed(Cause::Directory(ErrorKind::Throttled), None);
        let schedule = [SignedDuration::from_secs(100)];
        assert_eq!(verdict(&busy, 0, &schedule, 0.0), again(90));
        assert_eq!(verdict(&busy, 0, &schedule, 1.0), again(110));
    }
}
