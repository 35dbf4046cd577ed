//! `aws-ilm config`: what is set and where, and a file to begin with.

use std::{path::Path, process::ExitCode};

use clap::Subcommand;

use super::{Configured, misused, table::Table};
use crate::config::{self, Layer, Sources};

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Show each setting with its value and where that comes from, secrets masked; exits with 2
    /// when something is wrong with them
    Show {
        #[command(flatten)]
        configured: Configured,
        /// Leave out what is not set anywhere
        #[arg(long)]
        set: bool,
    },
    /// Print a configuration file with every setting, its meaning and its default
    Example,
}

pub(super) fn run(task: Task) -> ExitCode {
    match task {
        Task::Show { configured, set } => show(configured, set),
        Task::Example => {
            print!("{}", config::example());
            ExitCode::SUCCESS
        }
    }
}

/// Where a value comes from, in a column: the folder of a file leaves no room.
fn from(layer: &Layer) -> String {
    let name = match layer {
        Layer::File(path) => Path::new(path).file_name(),
        Layer::Environment(_) | Layer::Default | Layer::Nowhere => None,
    };
    name.map_or_else(|| layer.to_string(), |name| name.to_string_lossy().into_owned())
}

fn show(configured: Configured, only_set: bool) -> ExitCode {
    let sources = Sources::from_process(configured.config, false);
    let shown = match config::show(&sources) {
        Ok(shown) => shown,
        Err(error) => return misused(&error.to_string()),
    };
    let mut table = Table::new(["WHOSE", "SETTING", "FROM", "VALUE"]);
    for row in &shown {
        let is_set = matches!(row.layer, Layer::Environment(_) | Layer::File(_));
        if is_set || !only_set {
            table.row([&row.place, row.name, &from(&row.layer), &row.value]);
        }
    }
    for line in table.lines() {
        println!("{line}");
    }
    match config::load(&sources) {
        Ok(settings) => {
            for warning in &settings.warnings {
                eprintln!("warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => misused(&error.to_string()),
    }
}
