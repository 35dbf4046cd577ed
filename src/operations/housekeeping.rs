//! What is done with the store from time to time: deleting what is past its retention, and telling
//! of what an operator has to see to.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use super::{Filter, Operations, State};
use crate::store::StoreError;

/// How often old operations are deleted.
const PRUNING: Duration = Duration::from_secs(60);

/// How many operations are deleted in one transaction, so that nothing waits long for it.
const PRUNED_AT_ONCE: u32 = 500;

/// How many keys, and tokens, and batches are deleted in a round.
const FORGOTTEN_AT_ONCE: u32 = 10_000;

/// How many rounds of [`PRUNING`] lie between two reminders.
const ROUNDS_A_REMINDER: u32 = 60;

/// The command whose failure leaves a person with access.
const DISABLE: &str = "iam-disable-user";

/// How many operations a reminder looks at, or reads at once.
const REMINDED_OF: u32 = 500;

impl Operations {
    /// Keeps house until the service stops.
    pub(super) async fn keep_house(self: Arc<Self>) {
        for round in 0_u32.. {
            if let Err(error) = self.prune().await {
                tracing::warn!("old operations can't be deleted: {error}");
            }
            if round % ROUNDS_A_REMINDER == 0
                && let Err(error) = self.remind().await
            {
                tracing::warn!("the store can't be looked through: {error}");
            }
            tokio::select! {
                () = tokio::time::sleep(PRUNING) => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }

    /// Deletes what ended longer ago than it is to be kept. Buried operations stay until they are
    /// seen to.
    async fn prune(&self) -> Result<(), StoreError> {
        let retention = SignedDuration::try_from(self.settings.operation_retention).unwrap_or(SignedDuration::MAX);
        let Ok(before) = self.clock.now().checked_sub(retention) else {
            return Ok(());
        };
        let states = State::ALL
            .into_iter()
            .filter(|state| state.has_ended() && *state != State::Buried);
        let states: Vec<State> = states.collect();
        while self.store.prune(states.clone(), before, PRUNED_AT_ONCE).await? == PRUNED_AT_ONCE as usize {}
        self.prune_events(PRUNED_AT_ONCE).await?;
        self.store.forget(self.clock.now(), FORGOTTEN_AT_ONCE).await
    }

    /// Tells of disables that are buried, and of operations whose instance is not configured any
    /// more.
    async fn remind(&self) -> Result<(), StoreError> {
        let buried = Filter {
            states: vec![State::Buried],
            command: Some(DISABLE.to_owned()),
            ..Filter::default()
        };
        let mut before = None;
        loop {
            let page = self.store.operations(buried.clone(), before, REMINDED_OF).await?;
            for operation in page.operations {
                tracing::error!(
                    operation = operation.id,
                    instance = operation.instance,
                    "a disable is buried: its last try failed, and the person may still have access"
                );
            }
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let open = Filter {
            states: vec![State::Scheduled, State::Waiting, State::Held, State::NeedsData],
            ..Filter::default()
        };
        let open = self.store.operations(open, None, REMINDED_OF).await?.operations;
        let is_configured = |name: &str| self.service.instances().iter().any(|instance| instance.name() == name);
        let left: Vec<_> = open
            .iter()
            .filter(|operation| !is_configured(&operation.instance))
            .collect();
        if let Some(first) = left.first() {
            tracing::error!(
                operations = left.len(),
                instance = first.instance,
                "operations wait for an instance that is not configured: configure it, or cancel them"
            );
        }
        Ok(())
    }
}
