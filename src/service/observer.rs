//! Who goes with a command from where it is accepted to its end, and what is told there.

/// What an access log says of a command: no personal data.
#[derive(Clone, Debug)]
pub struct Record {
    /// The command's name.
    pub command: &'static str,
    /// The instance's name.
    pub instance: String,
    /// `done`, `skipped` or `failed`.
    pub outcome: &'static str,
    /// Requests made to the directory.
    pub upstream_calls: usize,
    /// Whether nothing was to be written.
    pub dry_run: bool,
}

/// What accompanies a command, whether or not its caller waits.
pub trait CommandObserver: Send + 'static {
    /// Told when the command begins, before anything is asked or sent.
    fn on_start(&mut self);

    /// Told when the command has ended.
    fn on_finish(self, record: &Record);
}

/// Nobody.
impl CommandObserver for () {
    fn on_start(&mut self) {}

    fn on_finish(self, _: &Record) {}
}
