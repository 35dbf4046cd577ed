//! `aws-ilm source`: the senders that are known, those that are configured, and what would become
//! of what they send. Nothing here needs a running service, and nothing is stored or written.

mod explain;
mod test;

use std::process::ExitCode;

use clap::Subcommand;

use super::{Configured, misused, table::Table};
use crate::{
    config::{self, Settings, Sources},
    webhooks::{Source, presets},
};

/// The longest body, in bytes; as long as the longest that a service reads.
const LONGEST_BODY: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the sources that are configured
    List {
        #[command(flatten)]
        configured: Configured,
    },
    /// List the senders that are known, for `preset = "NAME"`
    Presets,
    /// Send a source its preset's example, signed with its own secret, as a dry run: what its
    /// instances would be asked to do; exits with 1 when anything of it fails
    Test {
        /// The source's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The body to sign, instead of the preset's example
        #[arg(long, value_name = "FILE")]
        body: Option<std::path::PathBuf>,
        #[command(flatten)]
        configured: Configured,
    },
    /// Explain what would become of a delivery that was caught: the signature, the rule, the
    /// profile, the command; as JSON. Exits with 1 where it is not believed or makes no event
    Explain(explain::Arguments),
}

/// Runs one of them to its end.
pub(super) async fn run(task: Task) -> ExitCode {
    match task {
        Task::List { configured } => list(configured),
        Task::Presets => list_presets(),
        Task::Test { name, body, configured } => test::run(&name, body.as_deref(), configured).await,
        Task::Explain(arguments) => explain::run(arguments).await,
    }
}

/// Loads the configuration; the warnings go to standard error.
fn load(configured: Configured) -> Result<Settings, ExitCode> {
    let settings = config::load(&Sources::from_process(configured.config, false));
    let settings = settings.map_err(|error| misused(&error.to_string()))?;
    for warning in &settings.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(settings)
}

/// The sources of a configuration.
fn sources(settings: &Settings) -> impl Iterator<Item = &Source> {
    let webhooks = settings.webhooks.iter();
    webhooks.flat_map(|webhooks| webhooks.loaded.sources.iter().map(AsRef::as_ref))
}

/// The source of a name, or how the program ends without it.
fn find<'s>(settings: &'s Settings, name: &str) -> Result<&'s Source, ExitCode> {
    let found = sources(settings).find(|source| source.name() == name);
    found.ok_or_else(|| {
        let names: Vec<_> = sources(settings).map(Source::name).collect();
        let choice = if names.is_empty() {
            "none is configured: write [[sources]]".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        misused(&format!("there is no source {name:?}: {choice}"))
    })
}

fn list(configured: Configured) -> ExitCode {
    let settings = match load(configured) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut table = Table::new(["SOURCE", "PRESET", "PROOF", "VERIFIED", "RULES", "INSTANCES"]);
    for source in sources(&settings) {
        let verified = match (source.preset(), source.compare()) {
            (_, Some(_)) => "no",
            (Some(_), None) => "yes",
            (None, None) => "by hand",
        };
        table.row([
            source.name(),
            source.preset().unwrap_or("-"),
            source.verifier().settings().proof.name(),
            verified,
            &source.rule_count().to_string(),
            &source.instances().join(", "),
        ]);
    }
    table.lines().for_each(|line| println!("{line}"));
    ExitCode::SUCCESS
}

fn list_presets() -> ExitCode {
    let mut table = Table::new([
        "PRESET",
        "SENDER",
        "PROOF",
        "VERIFIED",
        "RULES",
        "COMPARE WITH THE VENDOR'S PAGE",
    ]);
    for preset in presets::all() {
        table.row([
            &preset.name,
            &preset.title,
            preset.verifier.proof.name(),
            if preset.is_verified() { "yes" } else { "no" },
            &preset.rules.len().to_string(),
            preset.compare.as_deref().unwrap_or("-"),
        ]);
    }
    table.lines().for_each(|line| println!("{line}"));
    ExitCode::SUCCESS
}
