//! What is left of an operation when its turn comes, and what an end means where an event asked
//! for it.

use jiff::SignedDuration;

use super::{
    Operations, State,
    date::due,
    person::{Left, Ruling, ruling},
};
use crate::{
    commands::Command,
    outcome::{Cause, Outcome, SkipReason},
    service::{Completed, Instance},
    store::{End, Operation, StoreError, Word},
};

/// Why a termination is held that finds no user.
const UNKNOWN_PERSON: &str = "unknown_person";

/// How long an operation waits whose person's statements can't be read.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(1);

impl Operations {
    /// What is left of an operation's command by what has been said of its person.
    ///
    /// # Errors
    /// How the operation ends, where nothing is left to be carried out now.
    pub(super) async fn left_of(
        &self,
        instance: &Instance,
        operation: &Operation,
        command: Command,
    ) -> Result<Left, End> {
        if operation.source.is_none() {
            return Ok(Left::whole(command));
        }
        let now = self.clock.now();
        let statements = match self.store.statements(operation.number).await {
            Ok(statements) => statements,
            Err(error) => {
                tracing::error!(
                    operation = operation.id,
                    "what was said of its person can't be read: {error}"
                );
                return Err(End::RetryAt(now.saturating_add(READ_AGAIN).unwrap_or(now)));
            }
        };
        match ruling(instance.rules(), &command, &statements, operation.number, now) {
            Ruling::Goes(left) => Ok(*left),
            Ruling::Superseded(reason) => Err(End::Ended(State::Superseded, Some(reason.to_owned()))),
            Ruling::Nothing(reason) => Err(End::Ended(State::Skipped, Some(reason.to_owned()))),
            Ruling::Later(time) => Err(End::Postponed(time)),
        }
    }

    /// What becomes of an operation that an event asked for, where its end is not the last word: a
    /// termination of an unknown person, and a hire that lacks what a user needs.
    pub(super) fn more_to_know(&self, operation: &Operation, left: &Left, outcome: &Outcome) -> Option<End> {
        let word = left.word?;
        if word == Word::Inactive && is_absent(outcome) {
            tracing::error!(
                operation = operation.id,
                instance = operation.instance,
                "a termination finds nobody, and is held"
            );
            return Some(End::Aside(State::Held, Some(UNKNOWN_PERSON.to_owned())));
        }
        let failure = outcome.failure()?;
        (failure.cause == Cause::Incomplete).then(|| End::Aside(State::NeedsData, Some(failure.message.clone())))
    }
}

impl Operations {
    /// Computes the instants of dates again: this program may know other rules of a zone than the
    /// one that stored them.
    pub(super) async fn compute_dates_again(&self) -> Result<(), StoreError> {
        for (id, date, stored) in self.store.dated().await? {
            let Some(time) = due(&date).filter(|time| *time != stored) else {
                continue;
            };
            tracing::warn!(
                operation = id,
                zone = date.zone,
                "the time of an operation has moved with the rules of its zone"
            );
            self.store.redate(id, time, self.clock.now()).await?;
        }
        Ok(())
    }
}

impl Left {
    /// The accepted numbers of the statements that are in the directory now.
    pub(super) fn carried_out(&self, outcome: &Outcome) -> Vec<i64> {
        let is_off = matches!(outcome.skipped(), Some(SkipReason::Disabled));
        if outcome.failure().is_some() || is_absent(outcome) || is_off || outcome.overtaken().is_some() {
            return Vec::new();
        }
        self.carries.clone()
    }
}

/// Whether a run made its user active or inactive, or may have.
pub(super) fn has_changed_active(operation: &Operation, completed: &Completed) -> bool {
    let mut written = completed.journal.written.iter();
    operation.may_have_written || written.any(|request| request.body.as_ref().is_some_and(sets_active))
}

/// Whether a body creates a user, or sets its `active`.
fn sets_active(body: &serde_json::Value) -> bool {
    if body.get("active").is_some() {
        return true;
    }
    let operations = body["Operations"].as_array().into_iter().flatten();
    let mut paths = operations.map(|operation| &operation["path"]);
    paths.any(|path| path == "active")
}

fn is_absent(outcome: &Outcome) -> bool {
    let is_missing = |cause: Cause| cause == Cause::Absent;
    matches!(outcome.skipped(), Some(SkipReason::Absent))
        || outcome.failure().is_some_and(|failure| is_missing(failure.cause))
}
