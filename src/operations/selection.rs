//! Retrying, cancelling and moving many operations: counted first, changed when the count is
//! confirmed.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::{Filter, Operations, State, StoreError, idempotency::add, is_retriable};
use crate::store::{Change, NewSelection};

/// How long a count can be confirmed.
const VALID: SignedDuration = SignedDuration::from_mins(15);

/// How many operations are changed at once, so that nothing else waits long.
const CHANGED_AT_ONCE: usize = 200;

/// The most operations that one count takes, the oldest first.
const SELECTED_AT_ONCE: u32 = 100_000;

/// Which operations are to be changed, and how.
#[derive(Clone, Debug)]
pub struct Selects {
    /// The caller that asks.
    pub caller: Option<String>,
    /// Which operations.
    pub filter: Filter,
    /// What is to be done with them.
    pub change: Change,
}

/// Operations that were counted.
#[derive(Debug)]
pub struct Selection {
    /// How many.
    pub count: u64,
    /// Whether more match than can be changed at once.
    pub is_cut: bool,
    /// What confirms the count; none where there is nothing to change.
    pub token: Option<String>,
    /// From this time on the token means nothing.
    pub expires_at: Timestamp,
}

/// What became of operations that were counted.
#[derive(Clone, Copy, Debug)]
pub struct SelectionChanged {
    /// How many were counted.
    pub count: u64,
    /// How many were changed; the others were no longer in the state in which they were counted.
    pub changed: u64,
}

/// Whether something is so in a state.
type InState = fn(State) -> bool;

impl Selects {
    /// The states that are looked for. Cancelled operations are retried, and buried ones cancelled,
    /// only where they are asked for: what was stopped must not come back with what failed, and
    /// what is still to be seen to must not go with what waits.
    fn states(&self) -> Vec<State> {
        let (is_possible, by_default): (InState, InState) = match &self.change {
            Change::Retry { .. } => (is_retriable, |state| matches!(state, State::Failed | State::Buried)),
            Change::Cancel => (State::is_cancellable, |state| {
                state.is_cancellable() && !state.has_ended()
            }),
            Change::Move(_) => (is_movable, is_movable),
        };
        let asked = &self.filter.states;
        let is_wanted = |state: &State| {
            let is_asked = if asked.is_empty() {
                by_default(*state)
            } else {
                asked.contains(state)
            };
            is_asked && is_possible(*state)
        };
        State::ALL.into_iter().filter(is_wanted).collect()
    }

    /// Differs for every other change and filter.
    fn digest(&self) -> Vec<u8> {
        let change = match &self.change {
            Change::Retry { .. } => json!("retry"),
            Change::Cancel => json!("cancel"),
            Change::Move(to) => json!(to.as_nanosecond().to_string()),
        };
        let Filter {
            states: _,
            command,
            subject,
            caller,
            instance,
            batch,
            created_from,
            created_before,
        } = &self.filter;
        let states: Vec<_> = self.states().into_iter().map(State::as_str).collect();
        let times = [created_from, created_before].map(|time| time.map(|time| time.as_nanosecond().to_string()));
        let meaning = json!([change, states, command, subject, caller, instance, batch, times]);
        let mut context = Context::new(&SHA256);
        add(&mut context, &meaning.to_string());
        context.finish().as_ref().to_vec()
    }
}

fn is_movable(state: State) -> bool {
    matches!(state, State::Scheduled | State::Waiting)
}

impl Operations {
    /// Counts what is to be changed, and keeps just that; of these instances alone, where they are
    /// given.
    ///
    /// # Errors
    /// When the store can't be written.
    pub async fn select(&self, selects: Selects, instances: Option<Vec<String>>) -> Result<Selection, StoreError> {
        let expires_at = self.clock.now().saturating_add(VALID).unwrap_or(Timestamp::MAX);
        let token = Uuid::new_v4().to_string();
        let (digest, states) = (selects.digest(), selects.states());
        let selected = self
            .store
            .select(NewSelection {
                token: token.clone(),
                caller: selects.caller,
                digest,
                expires_at,
                filter: Filter {
                    states,
                    ..selects.filter
                },
                instances,
                untried: matches!(selects.change, Change::Move(_)),
                limit: SELECTED_AT_ONCE,
            })
            .await?;
        Ok(Selection {
            count: selected.count,
            is_cut: selected.is_cut,
            token: (selected.count > 0).then_some(token),
            expires_at,
        })
    }

    /// Changes what was counted, also when its caller has hung up. `None` where the token stands
    /// for nothing: it was used, is too old, another caller's, or of another change or filter.
    ///
    /// # Errors
    /// When the store can't be written; what was changed before stays changed.
    pub async fn change_selected(
        self: &Arc<Self>,
        token: String,
        selects: Selects,
    ) -> Result<Option<SelectionChanged>, StoreError> {
        let operations = Arc::clone(self);
        let changing = self
            .tasks
            .spawn(async move { operations.change_all(token, selects).await });
        changing
            .await
            .map_err(|_| StoreError::Unavailable("a change has panicked".to_owned()))?
    }

    async fn change_all(&self, token: String, selects: Selects) -> Result<Option<SelectionChanged>, StoreError> {
        let digest = selects.digest();
        let taken = self
            .store
            .take_selection(token, selects.caller, digest, self.clock.now());
        let Some(selected) = taken.await? else {
            return Ok(None);
        };
        let mut changed = 0;
        for part in selected.chunks(CHANGED_AT_ONCE) {
            let now = self.clock.now();
            let ids = self.store.change(part.to_vec(), selects.change.clone(), now).await?;
            changed += ids.len() as u64;
            if selects.change == Change::Cancel {
                // Callers that wait for them wait no longer.
                let mut waiters = self.waiters();
                for id in &ids {
                    waiters.remove(id);
                }
            }
            self.changed();
        }
        Ok(Some(SelectionChanged {
            count: selected.len() as u64,
            changed,
        }))
    }
}
