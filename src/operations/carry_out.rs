//! One attempt of one operation, from its claim to its end in the store.

use std::{collections::BTreeSet, pin::Pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    AfterBuried, Operations, Waiter,
    counting::count_end,
    left::has_changed_active,
    person::Left,
    retry::{Verdict, failures, verdict},
};
use crate::{
    audit::{self, AuditTarget},
    commands::{Command, names_of_group, names_of_user, stored},
    envelope::{self, Envelope, Signature},
    outcome::{Outcome, Shown},
    scim::Priority,
    service::{CommandObserver, Completed, Instance, NewerDisables, Run, RunError, StoredRun, Turn},
    store::{AttemptEnd, Claim, Claimed, End, Learned, Operation, State, Store, StoreError},
};

/// How many operations may hang together with one that overtakes; with more it is not certain whom
/// it means.
const CONNECTED: u32 = 1_000;

/// How often the end of an attempt is written again while the store is away.
const END_AGAIN: Duration = Duration::from_millis(500);

/// How long an operation waits for a place among the commands that run. It has its turn, and keeps
/// it.
const FOR_A_PLACE: Duration = Duration::from_secs(24 * 60 * 60);

impl Operations {
    /// Carries out an operation that was claimed, and says in the store what came of it.
    pub(super) async fn carry_out(&self, instance: &Arc<Instance>, claimed: Claimed) {
        let Claimed {
            claim,
            operation,
            is_out_of_turn,
        } = claimed;
        let command = match stored::read(&operation.stored) {
            Ok(command) => command,
            Err(error) => {
                tracing::error!(operation = operation.id, "an operation can't be carried out: {error}");
                let end = End::Ended(State::Failed, Some(error.to_string()));
                return self.end(&operation, claim, AttemptEnd::default(), end).await;
            }
        };
        let left = match self.left_of(instance, &operation, command).await {
            Ok(left) => left,
            Err(over) => {
                let (attempt, end) = *over;
                return self.end(&operation, claim, attempt, end).await;
            }
        };
        if is_out_of_turn && !self.is_certain(instance, &operation, &claim, &left.command).await {
            // It keeps its place, and what it has to wait for goes first.
            if let Err(error) = self.store.expedite(operation.id.clone(), CONNECTED).await {
                tracing::warn!(
                    operation = operation.id,
                    "what a disable waits for is not hurried: {error}"
                );
            }
            return self.end(&operation, claim, AttemptEnd::default(), End::InTurn).await;
        }
        let waiter = self.waiters().remove(&operation.id);
        let (observer, answer) = match waiter {
            Some(Waiter { observer, answer }) => (observer, Some(answer)),
            None => (Box::new(StoredAudit::of(&operation)) as Box<dyn CommandObserver>, None),
        };
        let run = self.run_of(&operation, &claim, left.command.clone(), false);
        let completed = match self.run_in_turn(instance, run, observer).await {
            Ok(completed) => completed,
            Err(error) => return self.broke_off(claim, &operation, error).await,
        };
        self.count_leaver(&operation, &left.command, &completed);
        let (attempt, end) = self
            .judge(instance, &operation, &left, &completed, is_out_of_turn)
            .await;
        self.end(&operation, claim, attempt, end).await;
        if let Some(answer) = answer {
            // A caller that has hung up needs no answer.
            let _ = answer.send(completed);
        }
    }

    async fn run_in_turn(
        &self,
        instance: &Arc<Instance>,
        run: Run,
        observer: impl CommandObserver,
    ) -> Result<Completed, RunError> {
        let turn = Turn::Until(Instant::now() + FOR_A_PLACE);
        let permit = self
            .service
            .admit(instance, turn)
            .await
            .map_err(|_| RunError::Stopping)?;
        self.service.run(permit, run, observer).await
    }

    fn run_of(&self, operation: &Operation, claim: &Claim, command: Command, dry_run: bool) -> Run {
        let newer_disables = Disables {
            store: Arc::clone(&self.store),
            instance: operation.instance.clone(),
            number: claim.number,
            turn: claim.turn,
            is_said: operation.source.is_some(),
        };
        Run {
            command,
            dry_run,
            stored: Some(StoredRun {
                retried: operation.may_have_written,
                newer_disables: Arc::new(newer_disables),
            }),
        }
    }

    /// Whether a disable that is to overtake would find the person that it means: the user that it
    /// finds has its employee id, where it gives one, and nothing that hangs together with it by
    /// what waits is about another userName.
    async fn is_certain(
        &self,
        instance: &Arc<Instance>,
        operation: &Operation,
        claim: &Claim,
        command: &Command,
    ) -> bool {
        let run = self.run_of(operation, claim, command.clone(), true);
        let Ok(completed) = self.run_in_turn(instance, run, ()).await else {
            return false;
        };
        let Some(Shown::User {
            id,
            user_name,
            employee_id,
        }) = completed.outcome.shown()
        else {
            return false;
        };
        if completed.outcome.failure().is_some() {
            return false;
        }
        let Ok(Some(connected)) = self.store.connected(operation.id.clone(), CONNECTED).await else {
            return false;
        };
        let of_user = names_of_user(Some(id), user_name, employee_id);
        is_about(&operation.subject, &connected, &of_user)
    }

    /// What is kept of an attempt that came to an outcome, and what becomes of its operation.
    async fn judge(
        &self,
        instance: &Instance,
        operation: &Operation,
        left: &Left,
        completed: &Completed,
        is_out_of_turn: bool,
    ) -> (AttemptEnd, End) {
        let outcome = &completed.outcome;
        let is_disable = left.command.priority() == Priority::Disable;
        let disabled = match outcome.shown() {
            _ if !is_disable => None,
            // One that failed has disabled the user all the same, where only its answer got lost.
            _ if outcome.failure().is_some() && completed.journal.may_have_written() => {
                outcome.lookup().and_then(|lookup| lookup.id.as_deref())
            }
            Some(Shown::User { id, .. }) if outcome.failure().is_none() => Some(id),
            Some(Shown::User { .. } | Shown::Group { .. }) | None => None,
        };
        let signature = Signature {
            brand: instance.brand(),
            instance_name: instance.name(),
        };
        let attempt = AttemptEnd {
            cause: outcome.failure().map(|failure| failure.cause.label().to_owned()),
            status: outcome.code(),
            aws_request_ids: (!completed.journal.aws_request_ids.is_empty())
                .then(|| completed.journal.aws_request_ids.join(" ")),
            may_have_written: completed.journal.may_have_written(),
            changed: !completed.journal.written.is_empty(),
            envelope: serde_json::to_string(&Envelope::new(signature, outcome.clone())).ok(),
            answered: (operation.is_synchronous && !outcome.is_transient()).then(|| envelope::status(outcome)),
            learned: outcome.shown().map(|shown| learned(&shown)),
            disabled: disabled.map(str::to_owned),
            made_active: left.enables && !left.carried_out(outcome).is_empty(),
            carried_out: left.carried_out(outcome),
            has_changed_active: has_changed_active(operation, completed),
            withheld_by: left.withheld_by.clone(),
            fetched: left.fetched.clone(),
        };
        let end = match self.more_to_know(operation, left, outcome) {
            Some(end) if !is_out_of_turn => end,
            _ => self.end_of(operation, outcome, is_disable, is_out_of_turn).await,
        };
        (attempt, end)
    }

    async fn end_of(&self, operation: &Operation, outcome: &Outcome, is_disable: bool, is_out_of_turn: bool) -> End {
        let schedule = if is_disable {
            &self.settings.disable_retry_schedule
        } else {
            &self.settings.retry_schedule
        };
        // Most end well: only what is tried again asks how often it was.
        let attempts = if outcome.is_transient() {
            self.store.attempts(operation.id.clone()).await.unwrap_or_default()
        } else {
            Vec::new()
        };
        let verdict = verdict(outcome, failures(&attempts), schedule, fastrand::f64());
        let reason = outcome.overtaken().map(|disable| format!("overtaken by {disable}"));
        match verdict {
            // Its caller was told, and sends it again or not.
            Verdict::Again(_) if operation.is_synchronous && !is_out_of_turn => End::Ended(State::Failed, None),
            Verdict::Again(wait) => {
                let at = self.clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX);
                End::RetryAt(at)
            }
            Verdict::Ended(_) if is_out_of_turn => End::InTurn,
            // Overtaking, it has done already what in its place is left to skip.
            Verdict::Ended(State::Skipped) if operation.has_changed => End::Ended(State::Done, reason),
            Verdict::Ended(state) => {
                if state == State::Buried {
                    tracing::error!(
                        operation = operation.id,
                        command = operation.command,
                        instance = operation.instance,
                        "an operation is buried: its last try failed"
                    );
                    return self.bury(reason);
                }
                End::Ended(state, reason)
            }
        }
    }

    /// How an operation is buried: in its place, where what is behind it is to wait.
    pub(super) fn bury(&self, reason: Option<String>) -> End {
        match self.settings.after_buried {
            AfterBuried::Block => End::Waits(State::Buried, reason),
            AfterBuried::Continue => End::Ended(State::Buried, reason),
        }
    }

    /// An attempt that came to no outcome: the service was stopping, so that it waits again, or it
    /// panicked, so that what it did is not known.
    async fn broke_off(&self, claim: Claim, operation: &Operation, error: RunError) {
        let (attempt, end) = match error {
            RunError::Stopping | RunError::Behind(_) => (AttemptEnd::default(), End::InTurn),
            RunError::Broken => {
                tracing::error!(
                    operation = operation.id,
                    "an operation broke off; what it did is not known"
                );
                let attempt = AttemptEnd {
                    cause: Some("broken".to_owned()),
                    may_have_written: true,
                    ..AttemptEnd::default()
                };
                // It has to be looked at; of a disable it is told every hour.
                (attempt, self.bury(None))
            }
        };
        self.end(operation, claim, attempt, end).await;
    }

    /// Writes the end of an attempt, for as long as it takes: until then nothing else may run in
    /// its lanes.
    async fn end(&self, operation: &Operation, claim: Claim, attempt: AttemptEnd, end: End) {
        loop {
            let ended = self
                .store
                .end(claim.clone(), attempt.clone(), end.clone(), self.clock.now())
                .await;
            match self.noted(ended) {
                Ok(()) => return count_end(operation, &end),
                Err(StoreError::Fenced | StoreError::Duplicate) => {
                    tracing::error!(number = claim.number, "an operation was ended by another");
                    return;
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::error!(
                        number = claim.number,
                        "the end of an operation can't be stored: {error}"
                    );
                    tokio::time::sleep(END_AGAIN).await;
                }
            }
        }
    }
}

/// Whether these are all names of one user: the employee ids that were given, and the userNames of
/// all that hangs together with it.
fn is_about(subject: &BTreeSet<String>, connected: &BTreeSet<String>, of_user: &BTreeSet<String>) -> bool {
    let are_of_user = |names: &BTreeSet<String>, kind: &str| {
        let mut names = names.iter().filter(|name| name.starts_with(kind));
        names.all(|name| of_user.contains(name))
    };
    are_of_user(subject, "employee ") && are_of_user(connected, "user name ")
}

/// What an outcome teaches of the names of its subject.
fn learned(shown: &Shown<'_>) -> Learned {
    match shown {
        Shown::User {
            id,
            user_name,
            employee_id,
        } => Learned {
            directory_id: (*id).to_owned(),
            lanes: names_of_user(Some(id), *user_name, *employee_id),
        },
        Shown::Group { id, display_name } => Learned {
            directory_id: (*id).to_owned(),
            lanes: names_of_group(Some(id), *display_name),
        },
    }
}

/// Audits an operation for whose end no caller waits.
struct StoredAudit {
    operation: String,
    caller: Option<String>,
    command: String,
    instance: String,
}

impl StoredAudit {
    fn of(operation: &Operation) -> Self {
        Self {
            operation: operation.id.clone(),
            caller: operation.caller.clone(),
            command: operation.command.clone(),
            instance: operation.instance.clone(),
        }
    }
}

impl CommandObserver for StoredAudit {
    fn on_start(&mut self) {
        tracing::info!(
            operation = self.operation,
            command = self.command,
            instance = self.instance,
            caller = self.caller,
            "an operation begins"
        );
    }

    fn on_finish(&mut self, completed: &Completed) {
        let lookup = completed.outcome.lookup();
        let target = AuditTarget {
            directory_id: lookup.and_then(|lookup| lookup.id.as_deref()),
            found_by: lookup.and_then(|lookup| lookup.found),
            looked_by: lookup.map_or(&[], |lookup| &lookup.tried),
            operation: Some(&self.operation),
        };
        let outcome = completed.outcome.label();
        audit::carried_out(self.caller.as_deref(), &self.command, &self.instance, target, outcome);
    }
}

/// The disables that were carried out, for an operation of this number and turn. Newer is what was
/// accepted later, or has overtaken: its own turn is still to come, and would undo what is enabled.
#[derive(Debug)]
struct Disables {
    store: Arc<dyn Store>,
    instance: String,
    number: i64,
    turn: i64,
    /// Whether an event asked for it: what other events disable is judged by their own times.
    is_said: bool,
}

impl NewerDisables for Disables {
    fn of_user(
        &self,
        directory_id: String,
    ) -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send + '_>> {
        Box::pin(async move {
            let last = self.store.last_disable(self.instance.clone(), directory_id).await;
            let last = last.map_err(|error| error.to_string())?;
            let last = match last {
                Some(last) if self.is_said => last.called.map(|called| *called),
                last => last,
            };
            let newer = last.filter(|last| last.number > self.number || last.turn > self.turn);
            Ok(newer.map(|last| last.id))
        })
    }
}
