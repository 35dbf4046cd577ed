//! Random steps, done to a store and to the model: both answer alike, after every step, and are in
//! the same state at the end. A failure is shrunk to the fewest steps that show it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

use super::{
    super::{AttemptEnd, Claim, End, Filter, Learned, NewOperation, State, Store},
    accept,
    keyed::Keys,
    model::{Model, Row},
    steps::{EndOf, Step, steps},
};

/// The environment's variable that says how many cases are run; few by default.
const CASES: &str = "AWS_ILM_STORE_CASES";

/// Runs random steps against a store and the model.
pub(super) fn agrees_with_the_model(store: &Arc<dyn Store>) {
    let cases = std::env::var(CASES)
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(150);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    // Each case has instances of its own, so that one store serves for all.
    let case = AtomicUsize::new(0);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let run = runner.run(&steps(), |steps| {
        let case = case.fetch_add(1, Ordering::Relaxed);
        runtime.block_on(Both::new(store, case).run(&steps))
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

/// The store and the model, with the ids and claims that lead from one to the other.
pub(super) struct Both<'a> {
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) model: Model,
    pub(super) keys: Keys,
    pub(super) case: usize,
    pub(super) now: Timestamp,
    claims: Vec<(usize, Claim)>,
    ended: Vec<Claim>,
    pub(super) numbers: Vec<i64>,
}

impl<'a> Both<'a> {
    fn new(store: &'a Arc<dyn Store>, case: usize) -> Self {
        Self {
            store,
            model: Model::default(),
            keys: Keys::new(),
            case,
            now: "2026-11-28T09:00:00Z".parse().expect("a time"),
            claims: Vec::new(),
            ended: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn instance(&self, instance: usize) -> String {
        format!("{}-{instance}", self.case)
    }

    pub(super) fn id(&self, number: usize) -> String {
        format!("{}:{number}", self.case)
    }

    pub(super) fn after(&self, seconds: i64) -> Timestamp {
        self.now.saturating_add(seconds.seconds()).expect("a near time")
    }

    async fn run(mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        for step in steps {
            self.step(step).await?;
        }
        for number in 0..self.model.rows.len() {
            self.same_row(number).await?;
        }
        let filter = Filter {
            instance: Some(self.instance(0)),
            ..Filter::default()
        };
        let page = self.store.operations(filter, None, 1_000).await.expect("a page");
        let expected = self.model.rows.iter().filter(|row| row.instance == 0).count();
        prop_assert_eq!(page.operations.len(), expected);
        self.clear().await;
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Accept {
                instance,
                class,
                names,
                in_seconds,
                overtakes,
                is_synchronous,
                key,
            } => {
                self.accept(
                    *instance,
                    *class,
                    names,
                    *in_seconds,
                    [*overtakes, *is_synchronous],
                    *key,
                )
                .await
            }
            Step::Claim { instance, limit } => self.claim(*instance, *limit).await,
            Step::End {
                running,
                end,
                learned,
                disabled,
                wrote,
                answered,
            } => {
                self.end(*running, *end, learned.as_ref(), [*disabled, *wrote, *answered])
                    .await
            }
            Step::EndAgain { claim } => self.end_again(*claim).await,
            Step::Pass { seconds } => {
                self.now = self.after(*seconds);
                // Claiming nothing lets what is due take its turn all the same.
                self.claim(0, 0).await
            }
            Step::Crash => self.crash().await,
            Step::Forget => {
                self.store.forget(self.now, 1_000).await.expect("forgotten");
                Ok(())
            }
            Step::Cancel { operation }
            | Step::Retry { operation }
            | Step::Reschedule { operation, .. }
            | Step::Connected { operation }
            | Step::Expedite { operation } => {
                let Some(number) = operation.checked_rem(self.model.rows.len()) else {
                    return Ok(());
                };
                self.change(step, number).await
            }
        }
    }

    async fn accept(
        &mut self,
        instance: usize,
        class: u8,
        names: &BTreeSet<u8>,
        in_seconds: Option<i64>,
        [overtakes, is_synchronous]: [bool; 2],
        key: Option<(u8, u8)>,
    ) -> Result<(), TestCaseError> {
        let names = lanes(names);
        let not_before = in_seconds.map(|seconds| self.after(seconds));
        let row = Row::new(instance, class, names.clone(), not_before, [overtakes, is_synchronous]);
        let new = NewOperation {
            id: self.id(self.model.rows.len()),
            instance: self.instance(instance),
            command: "iam-disable-user".to_owned(),
            stored: "{}".to_owned(),
            class,
            lanes: names,
            overtakes,
            is_synchronous,
            not_before,
            caller: None,
            source: None,
            batch: None,
            purpose: None,
            traceparent: None,
            due_date: None,
            held: None,
            statement: None,
            wants_fetch: false,
        };
        if let Some((key, meaning)) = key {
            return self.request(key, meaning, row, new).await;
        }
        let is_behind = self.model.accept(row);
        let accepted = accept(self.store, new.clone(), self.now).await;
        prop_assert_eq!(accepted.is_behind, is_behind);
        prop_assert!(self.numbers.last().is_none_or(|last| *last < accepted.number));
        self.numbers.push(accepted.number);
        let stored = self.store.operation(new.id.clone()).await.expect("an answer");
        prop_assert_eq!(stored, Some(new.accepted(accepted.number, self.now)));
        Ok(())
    }

    async fn claim(&mut self, instance: usize, limit: usize) -> Result<(), TestCaseError> {
        let answer = self.store.claim(self.instance(instance), limit, self.now).await;
        let mut claimed = answer.expect("an answer").claimed.into_iter();
        self.model.promote(self.now);
        for _ in 0..limit {
            let (expected, claimed) = (self.model.next(instance), claimed.next());
            prop_assert_eq!(
                claimed.as_ref().map(|claimed| claimed.operation.id.clone()),
                expected.map(|number| self.id(number))
            );
            if let (Some(number), Some(claimed)) = (expected, claimed) {
                prop_assert_eq!(claimed.is_out_of_turn, !self.model.is_first(number));
                self.model.begin(number);
                prop_assert_eq!(claimed.claim.attempt, self.model.rows[number].attempts);
                self.claims.push((number, claimed.claim));
            }
        }
        prop_assert!(claimed.next().is_none(), "no more than the limit");
        Ok(())
    }

    async fn end(
        &mut self,
        running: usize,
        end_of: EndOf,
        learned: Option<&(u8, BTreeSet<u8>)>,
        [disabled, wrote, answered]: [bool; 3],
    ) -> Result<(), TestCaseError> {
        let Some(at) = running.checked_rem(self.claims.len()) else {
            return Ok(());
        };
        let (number, claim) = self.claims.remove(at);
        let instance = self.model.rows[number].instance;
        let learned = learned.map(|(id, names)| Learned {
            directory_id: format!("u{id}"),
            lanes: lanes(names),
        });
        let attempt = AttemptEnd {
            may_have_written: wrote,
            answered: answered.then_some(200),
            envelope: Some(format!("{claim:?}")),
            learned: learned.clone(),
            disabled: disabled.then(|| "u0".to_owned()),
            ..AttemptEnd::default()
        };
        let (end, state, run_at) = match end_of {
            EndOf::Done => (End::Ended(State::Done, None), State::Done, None),
            EndOf::Failed => (End::Ended(State::Failed, None), State::Failed, None),
            EndOf::Buried => (End::Ended(State::Buried, None), State::Buried, None),
            EndOf::InTurn => (End::InTurn, State::Waiting, None),
            EndOf::BuriedInPlace => (End::Waits(State::Buried, None), State::Buried, None),
            EndOf::Held => (End::Waits(State::Held, None), State::Held, None),
            EndOf::RetryIn(seconds) => {
                let at = self.after(seconds);
                (End::RetryAt(at), State::Waiting, Some(at))
            }
        };
        self.store
            .end(claim.clone(), attempt, end, self.now)
            .await
            .expect("ended");
        if answered {
            self.keep_answer(number, &format!("{claim:?}"));
        }
        if let Some(learned) = &learned {
            self.model.learn(instance, learned);
        }
        if end_of == EndOf::BuriedInPlace {
            self.model.bury(number);
        } else {
            self.model.end(number, state, run_at);
        }
        self.model.rows[number].may_have_written |= wrote;
        if disabled {
            let last = self.model.disabled.entry((instance, "u0".to_owned())).or_insert(number);
            *last = number.max(*last);
        }
        self.ended.push(claim);
        Ok(())
    }

    /// A claim that was ended, or lost to a crash, ends nothing any more.
    async fn end_again(&mut self, claim: usize) -> Result<(), TestCaseError> {
        if let Some(at) = claim.checked_rem(self.ended.len()) {
            let claim = self.ended[at].clone();
            let end = self
                .store
                .end(claim, AttemptEnd::default(), End::InTurn, self.now)
                .await;
            prop_assert!(end.is_err());
        }
        Ok(())
    }

    async fn crash(&mut self) -> Result<(), TestCaseError> {
        let schedule = [SignedDuration::from_secs(5), SignedDuration::from_secs(20)];
        let now = self.now;
        let expected = self.model.recover(|deaths| {
            let wait = schedule.get(deaths.checked_sub(3)?).or(schedule.last())?;
            now.checked_add(*wait).ok()
        });
        let recovered = self.store.recover(schedule.to_vec(), now).await.expect("recovered");
        prop_assert_eq!(recovered, expected);
        self.ended.extend(self.claims.drain(..).map(|(_, claim)| claim));
        Ok(())
    }

    async fn change(&mut self, step: &Step, number: usize) -> Result<(), TestCaseError> {
        let id = self.id(number);
        let (expected, found) = match step {
            Step::Cancel { .. } => (self.model.cancel(number), self.store.cancel(id, None, self.now).await),
            Step::Retry { .. } => (self.model.retry(number), self.store.retry(id, None, self.now).await),
            Step::Reschedule { in_seconds, .. } => {
                let to = self.after(*in_seconds);
                (
                    self.model.reschedule(number, to, self.now),
                    self.store.reschedule(id, to, self.now).await,
                )
            }
            Step::Expedite { .. } => {
                self.model.expedite(number);
                self.store.expedite(id, 1_000).await.expect("done");
                return Ok(());
            }
            Step::Accept { .. }
            | Step::Claim { .. }
            | Step::End { .. }
            | Step::EndAgain { .. }
            | Step::Pass { .. }
            | Step::Crash
            | Step::Forget
            | Step::Connected { .. } => {
                let connected = self.store.connected(id, 1_000).await.expect("an answer");
                prop_assert_eq!(connected, Some(self.model.connected(number)));
                return Ok(());
            }
        };
        prop_assert_eq!(found.expect("an answer"), Some(expected));
        Ok(())
    }

    async fn same_row(&self, number: usize) -> Result<(), TestCaseError> {
        let row = &self.model.rows[number];
        let stored = self
            .store
            .operation(self.id(number))
            .await
            .expect("an answer")
            .expect("it is stored");
        prop_assert_eq!(stored.state, row.state);
        prop_assert_eq!(stored.due_at, row.run_at);
        prop_assert_eq!(stored.class, row.class);
        prop_assert_eq!(stored.may_have_written, row.may_have_written);
        prop_assert_eq!(&stored.subject, &row.subject);
        prop_assert_eq!(stored.ended_at.is_some(), row.state.has_ended());
        let attempts = self.store.attempts(self.id(number)).await.expect("an answer");
        let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
        prop_assert_eq!(numbers, (1..=row.attempts).collect::<Vec<_>>());
        let open = attempts.iter().filter(|attempt| attempt.ended_at.is_none()).count();
        prop_assert_eq!(open, usize::from(row.state == State::Running));
        if let Some(last) = self.model.disabled.get(&(row.instance, "u0".to_owned())) {
            let found = self
                .store
                .last_disable(self.instance(row.instance), "u0".to_owned())
                .await
                .expect("an answer");
            prop_assert_eq!(found.map(|disabled| disabled.number), Some(self.numbers[*last]));
        }
        Ok(())
    }

    /// Leaves nothing open for the next case.
    async fn clear(&mut self) {
        self.store.recover(Vec::new(), self.now).await.expect("recovered");
        for number in 0..self.model.rows.len() {
            self.store
                .cancel(self.id(number), None, self.now)
                .await
                .expect("cancelled");
        }
    }
}

fn lanes(names: &BTreeSet<u8>) -> BTreeSet<String> {
    names.iter().map(|name| format!("user name n{name}")).collect()
}
