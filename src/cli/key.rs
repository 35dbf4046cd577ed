//! `aws-ilm key`: making the keys of callers.

use std::process::ExitCode;

use clap::Subcommand;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{FAILED, misused};
use crate::{auth::NewKey, config};

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Make an API key: prints it, this once, and the lines for the configuration, which hold its
    /// digest only
    New {
        /// Whose key it is: the caller's name in the log
        #[arg(long)]
        name: String,
        /// The day (UTC) on which the key ceases to be good
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
        expires: Option<Date>,
    },
}

fn date(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "use a date like 2027-12-31")
}

pub(super) fn run(task: Task) -> ExitCode {
    let Task::New { name, expires } = task;
    if !config::is_name(&name) {
        return misused("--name: use 1 to 128 printable characters");
    }
    let is_past = |day: Date| {
        day.to_zoned(TimeZone::UTC)
            .is_ok_and(|day| day.timestamp() <= Timestamp::now())
    };
    if expires.is_some_and(is_past) {
        return misused("--expires: that day has begun: give a later one");
    }
    let Ok(key) = NewKey::generate() else {
        eprintln!("the system has no randomness to give");
        return ExitCode::from(FAILED);
    };
    let expires = expires.map_or_else(String::new, |day| format!(", expires = {day}"));
    // The key and the configuration go to standard output, explanations to standard error: a script
    // reads the two parts from standard output alone.
    eprintln!(
        "The key, shown this once. Give it to the caller, who sends it as `Authorization: Bearer KEY` or `X-API-Key: KEY`:\n"
    );
    println!("{}", key.shown_once());
    eprintln!("\nFor the configuration (the file, or the one that callers_file names), which holds its digest only:\n");
    println!("[[callers]]");
    println!("name = {}", toml::Value::String(name));
    println!("api_keys = [{{ sha256 = \"{}\"{expires} }}]", key.digest);
    println!("commands = []  # what it may run: \"read\", \"write\", \"iam-*\", or commands by name");
    println!("instances = []  # where: the names of instances, or \"*\"");
    ExitCode::SUCCESS
}
