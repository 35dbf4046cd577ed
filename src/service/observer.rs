//! What accompanies a command from where it is accepted to its end.

use super::Completed;

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
