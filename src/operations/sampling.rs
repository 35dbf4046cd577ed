//! How much waits in the store, looked at from time to time, so that a scrape need not ask it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Operations, State};
use crate::{store::Backlog, telemetry::metrics};

/// How often it is looked. Prometheus scrapes every 15 seconds at the most often, as a rule.
const SAMPLING: Duration = Duration::from_secs(5);

impl Operations {
    /// Looks until the service stops.
    pub(super) async fn sample(self: Arc<Self>) {
        loop {
            match self.store.backlog().await {
                Ok(backlog) => self.tell(&backlog),
                Err(error) => tracing::debug!("what waits can't be counted: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(SAMPLING) => {}
                () = self.stopping.cancelled() => return,
            }
        }
    }

    fn tell(&self, backlog: &[Backlog]) {
        let instances: Vec<&str> = self
            .service
            .instances()
            .iter()
            .map(|instance| instance.name())
            .collect();
        for (instance, waiting) in by_instance(&instances, backlog) {
            for (class, (count, oldest)) in waiting.classes.into_iter().enumerate() {
                let now = self.clock.now();
                let since = oldest.map(|oldest| Duration::try_from(now.duration_since(oldest)).unwrap_or_default());
                metrics::operations_waiting(instance, class, count, since.unwrap_or_default());
            }
            metrics::operations_kept(instance, waiting.buried, waiting.held);
        }
    }
}

/// What waits on an instance.
#[derive(Debug, Default, PartialEq)]
struct Waiting {
    /// Of each class how many, and since when the oldest has been due.
    classes: [(u64, Option<Timestamp>); metrics::CLASSES.len()],
    buried: u64,
    held: u64,
}

/// What waits on each instance, also where it is nothing; what is for none of them under a name of
/// its own, so that old configurations make no series.
fn by_instance<'a>(instances: &[&'a str], backlog: &[Backlog]) -> BTreeMap<&'a str, Waiting> {
    let names = instances.iter().copied().chain([metrics::NOT_CONFIGURED]);
    let mut all: BTreeMap<&str, Waiting> = names.map(|name| (name, Waiting::default())).collect();
    for row in backlog {
        let known = instances.iter().copied().find(|name| *name == row.instance);
        let waiting = all.entry(known.unwrap_or(metrics::NOT_CONFIGURED)).or_default();
        match row.state {
            State::Waiting => {
                let last = waiting.classes.len() - 1;
                let (count, oldest) = &mut waiting.classes[usize::from(row.class).min(last)];
                *count += row.count;
                *oldest = Some(oldest.map_or(row.oldest, |before| before.min(row.oldest)));
            }
            State::Buried => waiting.buried += row.count,
            State::Held | State::NeedsData => waiting.held += row.count,
            State::Scheduled
            | State::Running
            | State::Done
            | State::Skipped
            | State::Failed
            | State::Cancelled
            | State::Superseded => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instance: &str, state: State, class: u8, count: u64, oldest: i64) -> Backlog {
        Backlog {
            instance: instance.to_owned(),
            state,
            class,
            count,
            oldest: Timestamp::from_second(oldest).unwrap(),
        }
    }

    #[test]
    fn what_waits_is_told_by_instance_and_class() {
        let backlog = [
            row("a", State::Waiting, 0, 2, 50),
            row("a", State::Buried, 0, 1, 10),
            row("a", State::Held, 1, 1, 10),
            row("a", State::NeedsData, 2, 3, 10),
            row("a", State::Scheduled, 1, 9, 10),
            row("gone", State::Waiting, 1, 4, 70),
            row("gone too", State::Waiting, 1, 1, 60),
            row("gone too", State::Waiting, 200, 1, 60),
        ];
        let all = by_instance(&["a", "b"], &backlog);
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let expected = Waiting {
            classes: [(2, at(50)), (0, None), (0, None), (0, None)],
            buried: 1,
            held: 4,
        };
        assert_eq!(all["a"], expected);
        assert_eq!(all["b"], Waiting::default(), "nothing waits, and that is told");
        let gone = [(0, None), (5, at(60)), (0, None), (1, at(60))];
        assert_eq!(all[metrics::NOT_CONFIGURED].classes, gone);
        assert_eq!(all.len(), 3);
    }
}
