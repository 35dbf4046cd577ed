//! What is left of an operation when its turn comes, and what an end means where an event asked
//! for it.

use jiff::SignedDuration;

use super::{
    FetchError, Operations, State,
    date::due,
    person::{Left, Ruling, ruling},
    retry::{failures, spread},
};
use crate::{
    commands::{Command, create_user, update_user},
    outcome::{Cause, Outcome, SkipReason},
    profile::{UserProfile, display_key},
    service::{Completed, Instance},
    store::{AttemptEnd, End, Operation, StoreError, Word},
};

/// Why a termination is held that finds no user.
const UNKNOWN_PERSON: &str = "unknown_person";

/// The cause of an attempt whose source could not be asked.
const NOT_FETCHED: &str = "not_fetched";

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
    ) -> Result<Left, Box<(AttemptEnd, End)>> {
        if operation.source.is_none() {
            return Ok(Left::whole(command));
        }
        let nothing = |end| Err(Box::new((AttemptEnd::default(), end)));
        let now = self.clock.now();
        let statements = match self.store.statements(operation.number).await {
            Ok(statements) => statements,
            Err(error) => {
                tracing::error!(
                    operation = operation.id,
                    "what was said of its person can't be read: {error}"
                );
                return nothing(End::RetryAt(now.saturating_add(READ_AGAIN).unwrap_or(now)));
            }
        };
        match ruling(instance.rules(), &command, &statements, operation.number, now) {
            Ruling::Goes(left) => self.with_fetched(operation, *left).await,
            Ruling::Superseded(reason) => nothing(End::Ended(State::Superseded, Some(reason.to_owned()))),
            Ruling::Nothing(reason) => nothing(End::Ended(State::Skipped, Some(reason.to_owned()))),
            Ruling::Later(time) => nothing(End::Postponed(time)),
        }
    }

    /// Adds what the source says of the person where the operation asks for it: it is what is true
    /// now, whatever its event said.
    async fn with_fetched(&self, operation: &Operation, mut left: Left) -> Result<Left, Box<(AttemptEnd, End)>> {
        let fields = match self.fetched(operation, &left.command).await {
            Ok(None) => return Ok(left),
            Ok(Some(fields)) => fields,
            Err(FetchError::Lasting(reason)) => {
                return Err(needs_data(reason));
            }
            Err(FetchError::Passing(reason)) => {
                let attempt = AttemptEnd {
                    cause: Some(NOT_FETCHED.to_owned()),
                    ..AttemptEnd::default()
                };
                return Err(Box::new((attempt, self.fetched_later(operation, reason).await)));
            }
        };
        left.fetched = fields
            .iter()
            .map(|(field, value)| (display_key(field), value.to_string()))
            .collect();
        if let Command::CreateUser(create_user::Args { user_profile, .. })
        | Command::UpdateUser(update_user::Args { user_profile, .. }) = &mut left.command
        {
            let mut profile = std::mem::take(user_profile).into_object();
            profile.retain(|field, _| !left.fetched.contains_key(&display_key(field)));
            profile.extend(fields);
            *user_profile = UserProfile::new(profile).map_err(needs_data)?;
        }
        Ok(left)
    }

    /// When a source is asked again that could not be asked.
    async fn fetched_later(&self, operation: &Operation, reason: String) -> End {
        let attempts = self.store.attempts(operation.id.clone()).await.unwrap_or_default();
        match self.settings.retry_schedule.get(failures(&attempts)) {
            Some(wait) => {
                let wait = spread(*wait, fastrand::f64());
                End::RetryAt(self.clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX))
            }
            None => self.bury(Some(reason)),
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

/// That an operation waits for what is missing.
fn needs_data(reason: String) -> Box<(AttemptEnd, End)> {
    Box::new((AttemptEnd::default(), End::Aside(State::NeedsData, Some(reason))))
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
