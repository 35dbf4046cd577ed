//! `aws-ilm store`: copying and checking the file that keeps operations.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{Configured, FAILED, failed, misused};
use crate::{
    app::{StoreCheck, backup_store, check_store},
    config::{self, Sources},
};

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Copy the store into a new file, consistent also while the service runs
    Backup {
        #[command(flatten)]
        configured: Configured,
        /// The copy; it must not exist
        #[arg(value_name = "FILE")]
        to: PathBuf,
    },
    /// Look a store through, also while the service runs; exits with 1 when something is wrong
    Check {
        #[command(flatten)]
        configured: Configured,
        /// The file, instead of the one that `store_path` (AWS_ILM_STORE_PATH) sets
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(super) fn run(task: Task) -> ExitCode {
    match task {
        Task::Backup { configured, to } => match store_path(configured) {
            Ok(from) => backup(from, to),
            Err(message) => misused(&message),
        },
        Task::Check { configured, file } => match file.map_or_else(|| store_path(configured), Ok) {
            Ok(file) => check(&file),
            Err(message) => misused(&message),
        },
    }
}

/// The store that is configured.
fn store_path(configured: Configured) -> Result<PathBuf, String> {
    let sources = Sources::from_process(configured.config, false);
    let path = config::store_path(&sources).map_err(|error| error.to_string())?;
    path.ok_or_else(|| "no store is configured: set store_path (AWS_ILM_STORE_PATH)".to_owned())
}

fn backup(from: PathBuf, to: PathBuf) -> ExitCode {
    match backup_store(&from, &to) {
        Ok(()) => {
            println!("{} is copied into {}", from.display(), to.display());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn check(file: &std::path::Path) -> ExitCode {
    let StoreCheck {
        schema,
        states,
        faults,
        unreadable,
    } = match check_store(file) {
        Ok(check) => check,
        Err(error) => return failed(&error),
    };
    println!("{}: schema {schema}", file.display());
    for (state, count) in states {
        println!("{count:>10}  {state}");
    }
    for fault in &faults {
        println!("broken: {fault}");
    }
    for (id, error) in &unreadable {
        println!("operation {id} can't be carried out: {error}");
    }
    if faults.is_empty() && unreadable.is_empty() {
        println!("all is well");
        return ExitCode::SUCCESS;
    }
    ExitCode::from(FAILED)
}
