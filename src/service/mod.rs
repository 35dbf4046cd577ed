//! Doing what commands decide: the only place that knows both a command and the network.
//!
//! Every command runs in a task of its own. A caller who hangs up does not stop it between two
//! writes, and shutdown waits for it. When a command's time is over nothing more is sent; the
//! request in flight is awaited within its own timeout, and the answer says what was done.

mod admission;
mod engine;
mod instance;
mod observer;
mod subjects;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{sync::oneshot, time::Instant};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use self::{admission::Limit, observer::count};
pub use admission::{BusyError, Place, Turn};
pub use engine::{Completed, Journal, NewerDisables, Run, StoredRun};
pub use instance::{Instance, InstanceOptions};
pub use observer::CommandObserver;
pub use subjects::{BehindError, Held, HoldSubjects, InMemorySubjects, SubjectClaim};

/// All instances, and the tasks that run their commands.
#[derive(Debug)]
pub struct Service {
    instances: Vec<Arc<Instance>>,
    default: usize,
    limit: Limit,
    tasks: TaskTracker,
}

/// A command's places among those that run. [`Service::run`] moves it into the command's task, so
/// that a caller who hangs up frees nothing before the work is done.
#[derive(Debug)]
pub struct Permit {
    instance: Arc<Instance>,
    _places: [Place; 2],
}

/// Why a command did not run, or did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// It has to come after an operation on the same subject; nothing was done.
    #[error(transparent)]
    Behind(#[from] BehindError),
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The command's task panicked: a defect of ours.
    #[error("the command broke off")]
    Broken,
}

impl Service {
    /// A service of these instances, of which the one of this name serves requests that name none.
    /// At most this many commands run at once.
    pub fn new(instances: Vec<Instance>, default: &str, max_commands: usize) -> Self {
        let default = instances
            .iter()
            .position(|instance| instance.name() == default)
            .unwrap_or(0);
        Self {
            instances: instances.into_iter().map(Arc::new).collect(),
            default,
            limit: Limit::new(max_commands),
            tasks: TaskTracker::new(),
        }
    }

    /// All instances, in the order of the configuration.
    pub fn instances(&self) -> &[Arc<Instance>] {
        &self.instances
    }

    /// The instance of this name, letter case aside; the default one where none is named.
    pub fn instance(&self, name: Option<&str>) -> Option<&Arc<Instance>> {
        match name {
            None => self.instances.get(self.default),
            Some(name) => self
                .instances
                .iter()
                .find(|instance| instance.name().to_lowercase() == name.to_lowercase()),
        }
    }

    /// Lets a command in, on its instance and in the whole service.
    ///
    /// # Errors
    /// When there is no place for it in time.
    pub async fn admit(&self, instance: &Arc<Instance>, turn: Turn) -> Result<Permit, BusyError> {
        Ok(Permit {
            instance: Arc::clone(instance),
            _places: admission::admit(&self.limit, &instance.limit, turn).await?,
        })
    }

    /// Lets in work that costs as much as a command and asks no directory.
    ///
    /// # Errors
    /// When there is no place for it in time.
    pub async fn admit_work(&self, turn: Turn) -> Result<Place, BusyError> {
        self.limit.take(turn).await
    }

    /// Runs a command to its end, whether or not its caller waits for it, on the instance that it
    /// was let in on.
    ///
    /// The observer is kept until the command has ended: a caller who hangs up frees nothing before
    /// the work is done. It is told the end even so; where there is none (the command could not be
    /// started, broke off, or was cut off by the process's end) it is dropped.
    ///
    /// # Errors
    /// When it could not be started, or broke off.
    pub async fn run(
        &self,
        permit: Permit,
        run: Run,
        mut observer: impl CommandObserver,
    ) -> Result<Completed, RunError> {
        if self.tasks.is_closed() {
            return Err(RunError::Stopping);
        }
        let (answer, answered) = oneshot::channel();
        let task = async move {
            let instance = Arc::clone(&permit.instance);
            let began = Instant::now();
            let ran = engine::run(&instance, &run, || observer.on_start()).await;
            if let Ok(completed) = &ran {
                observer.on_finish(completed);
                count(&instance, &run, completed, began.elapsed());
            }
            drop(permit);
            if let Err(Ok(completed)) = answer.send(ran) {
                tracing::info!(
                    command = completed.command,
                    instance = instance.name(),
                    outcome = completed.outcome.label(),
                    upstream_calls = completed.journal.calls,
                    dry_run = run.dry_run,
                    "a command ended after its caller had hung up"
                );
            }
        };
        self.tasks.spawn(task.in_current_span());
        Ok(answered.await.map_err(|_| RunError::Broken)??)
    }

    /// Takes no further commands, and waits until those that run have ended, `limit` at most. How
    /// many have not.
    pub async fn finish(&self, limit: Duration) -> usize {
        self.tasks.close();
        // What counts is who is left, not which of the two came first.
        let _ended = tokio::time::timeout(limit, self.tasks.wait()).await;
        self.tasks.len()
    }
}
