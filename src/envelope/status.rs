//! The HTTP status of an outcome: the only table of its kind.

use crate::{
    outcome::{Cause, Outcome},
    scim::ErrorKind,
};

/// The HTTP status of an outcome: what the caller has to do.
pub fn status(outcome: &Outcome) -> u16 {
    let Some(failure) = outcome.failure() else { return 200 };
    match failure.cause {
        // Mend the data.
        Cause::Invalid | Cause::Incomplete => 400,
        // Nothing is there.
        Cause::Absent => 404,
        // Decide.
        Cause::Conflict | Cause::Ambiguous => 409,
        // Tell the operator.
        Cause::Mismatch => 502,
        Cause::Directory(kind) => match kind {
            ErrorKind::Status(400) => 400,
            ErrorKind::Status(409) => 409,
            ErrorKind::Absent => 404,
            // 401 and 403 mean our token: never the caller's.
            ErrorKind::Status(_) | ErrorKind::WrongUrl | ErrorKind::Unreadable => 502,
            // Try later.
            ErrorKind::Throttled | ErrorKind::Connect | ErrorKind::Congested | ErrorKind::CircuitOpen => 503,
            ErrorKind::Timeout | ErrorKind::Broken | ErrorKind::Expired => 504,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Failure;

    #[test]
    fn the_table_of_statuses() {
        let rows = [
            (Cause::Invalid, 400),
            (Cause::Directory(ErrorKind::Status(400)), 400),
            (Cause::Absent, 404),
            (Cause::Directory(ErrorKind::Absent), 404),
            (Cause::Conflict, 409),
            (Cause::Ambiguous, 409),
            (Cause::Directory(ErrorKind::Status(409)), 409),
            (Cause::Directory(ErrorKind::Throttled), 503),
            (Cause::Directory(ErrorKind::Connect), 503),
            (Cause::Directory(ErrorKind::Congested), 503),
            (Cause::Directory(ErrorKind::CircuitOpen), 503),
            (Cause::Directory(ErrorKind::Status(401)), 502),
            (Cause::Directory(ErrorKind::Status(403)), 502),
            (Cause::Directory(ErrorKind::Status(412)), 502),
            (Cause::Directory(ErrorKind::Status(500)), 502),
            (Cause::Directory(ErrorKind::Status(503)), 502),
            (Cause::Directory(ErrorKind::Status(504)), 502),
            (Cause::Directory(ErrorKind::WrongUrl), 502),
            (Cause::Directory(ErrorKind::Unreadable), 502),
            (Cause::Mismatch, 502),
            (Cause::Directory(ErrorKind::Timeout), 504),
            (Cause::Directory(ErrorKind::Broken), 504),
            (Cause::Directory(ErrorKind::Expired), 504),
        ];
        for (cause, expected) in rows {
            let outcome = Outcome::Tested(Err(Failure::new(cause, "said")));
            assert_eq!(status(&outcome), expected, "{cause:?}");
            assert_eq!(outcome.retry_after().is_some(), expected == 503, "{cause:?}");
        }
        assert_eq!(status(&Outcome::Tested(Ok("proved"))), 200);
    }
}
