//! Which operations are meant.

/// Operations that all of this holds for.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which operations")]
pub(in crate::cli) struct Filter {
    /// In this state, or in one of several separated by commas
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Of this command
    #[arg(long, value_name = "NAME")]
    command: Option<String>,
    /// That know their person or group by this name, as SUBJECT of `operations list` has it
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// That this caller sent
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// For this instance
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Of this batch
    #[arg(long, value_name = "ID")]
    batch: Option<String>,
    /// Accepted at this time or later, like 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Accepted before this time
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
}

impl Filter {
    /// What the arguments are called.
    pub(super) const NAMES: [&str; 8] = [
        "state", "command", "subject", "caller", "instance", "batch", "from", "before",
    ];

    /// As parameters of the service's routes.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let parameters = [
            ("state", &self.state),
            ("command", &self.command),
            ("subject", &self.subject),
            ("caller", &self.caller),
            ("instance", &self.instance),
            ("batch", &self.batch),
            ("from", &self.from),
            ("before", &self.before),
        ];
        parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .collect()
    }
}
