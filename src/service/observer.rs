//! What accompanies a command from where it is accepted to its end.

use std::time::Duration;

use super::{Completed, Instance, Run};
use crate::{scim::Priority, telemetry::metrics};

/// Observes a command's run, whether or not its caller waits for it.
pub trait CommandObserver: Send + 'static {
    /// Called when the command begins: it has its subject, and nothing is asked or sent yet.
    fn on_start(&mut self);

    /// Called when the command has ended.
    fn on_finish(&mut self, completed: &Completed);
}

impl CommandObserver for Box<dyn CommandObserver> {
    fn on_start(&mut self) {
        (**self).on_start();
    }

    fn on_finish(&mut self, completed: &Completed) {
        (**self).on_finish(completed);
    }
}

/// Observes nothing.
impl CommandObserver for () {
    fn on_start(&mut self) {}

    fn on_finish(&mut self, _: &Completed) {}
}

/// Counts a command that ran. Of a stored one its operation counts the leaver, who has waited for
/// longer than this.
pub(super) fn count(instance: &Instance, run: &Run, completed: &Completed, took: Duration) {
    let outcome = if run.dry_run {
        "dry_run"
    } else {
        completed.outcome.label()
    };
    metrics::command(completed.command, instance.name(), outcome, took);
    if run.stored.is_none() && run.command.priority() == Priority::Disable && completed.has_ended_access() {
        metrics::leaver(instance.name(), None, took);
    }
}
