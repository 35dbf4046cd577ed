//! `aws-ilm operations`: seeing, waiting for and mending the commands that a service has stored.

mod change;
mod filter;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Subcommand;
use serde_json::Value;

use self::{
    change::{Change, Selection, change},
    filter::Filter,
};
use super::{
    FAILED, UNAVAILABLE, chain,
    fate::{Fate, text, why},
    misused,
    remote::{Ask, Remote, RemoteError, Target},
    table::Table,
};

/// The most operations that the service gives on a page.
const PAGE: usize = 500;

/// The longest that the service waits for an operation, in seconds.
const LONGEST_WAIT: u64 = 60;

const CODES: &str = "Exit codes:\n  0  done as asked\n  1  not all of it: no such operation, or its state does not allow it, or it failed\n  \
    2  the arguments are wrong\n  3  the service can't be asked or refuses";

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List operations, the newest first
    #[command(after_help = CODES)]
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many at most
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Show an operation with each of its attempts
    #[command(after_help = CODES)]
    Show {
        /// The operation's id
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Wait until operations have ended; exits with 1 when one was not done
    #[command(after_help = CODES)]
    Wait {
        /// The operations' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// How many seconds to wait for all of them; else as long as it takes
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
        #[command(flatten)]
        common: Common,
    },
    /// Try operations again at once
    #[command(after_help = CODES)]
    Retry {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        common: Common,
    },
    /// Cancel operations that do not run and have not ended; of a key that leaked, with --caller
    #[command(after_help = CODES)]
    Cancel {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        common: Common,
    },
}

/// What every task takes.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// Print JSON as the service answers it, an operation a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Common {
    fn connect(&self) -> Result<Remote, String> {
        self.target.connect(|text| eprintln!("{text}"))
    }
}

/// Runs the subcommand.
pub(super) async fn run(task: Task) -> ExitCode {
    let common = match &task {
        Task::List { common, .. }
        | Task::Show { common, .. }
        | Task::Wait { common, .. }
        | Task::Retry { common, .. }
        | Task::Cancel { common, .. } => common,
    };
    if let Task::Retry { selection, .. } | Task::Cancel { selection, .. } = &task
        && let Some(fault) = selection.fault()
    {
        return misused(fault);
    }
    let remote = match common.connect() {
        Ok(remote) => remote,
        Err(told) => return misused(&told),
    };
    let ended = match &task {
        Task::List { filter, limit, common } => list(&remote, filter, *limit, common.json).await,
        Task::Show { id, common } => show(&remote, id, common.json).await,
        Task::Wait { ids, timeout, common } => wait(&remote, ids, *timeout, common.json).await,
        Task::Retry { selection, common } => change(&remote, Change::Retry, selection, common.json).await,
        Task::Cancel { selection, common } => change(&remote, Change::Cancel, selection, common.json).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("{}", chain(&error));
            ExitCode::from(if error.is_of_service() { UNAVAILABLE } else { FAILED })
        }
    }
}

async fn list(remote: &Remote, filter: &Filter, limit: usize, json: bool) -> Result<bool, RemoteError> {
    let mut table = Table::new(["ID", "STATE", "COMMAND", "INSTANCE", "ACCEPTED", "SUBJECT", "WHY"]);
    let mut cursor = None;
    let mut left = limit;
    while left > 0 {
        let mut query = filter.query();
        query.push(("limit", left.min(PAGE).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let answer = remote.send(&Ask::get(&["operations"]).query(query)).await?;
        let operations = answer.body["operations"].as_array().ok_or_else(|| remote.foreign())?;
        left = left.saturating_sub(operations.len());
        for operation in operations {
            if json {
                println!("{operation}");
            } else {
                table.row([
                    text(operation, "id"),
                    text(operation, "state"),
                    text(operation, "command"),
                    text(operation, "instance"),
                    text(operation, "createdAt"),
                    &subject(operation),
                    why(operation),
                ]);
            }
        }
        match answer.body["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    if !json {
        table.lines().for_each(|line| println!("{line}"));
    }
    Ok(true)
}

async fn show(remote: &Remote, id: &str, json: bool) -> Result<bool, RemoteError> {
    let operation = remote.send(&Ask::get(&["operations", id])).await?.body;
    if json {
        println!("{operation}");
        return Ok(true);
    }
    let mut facts = Table::new(["OPERATION", text(&operation, "id")]);
    for (name, shown) in [
        ("state", text(&operation, "state")),
        ("why", why(&operation)),
        ("command", text(&operation, "command")),
        ("instance", text(&operation, "instance")),
        ("subject", &subject(&operation)),
        ("accepted", text(&operation, "createdAt")),
        ("not before", text(&operation, "notBefore")),
        ("next try", text(&operation, "dueAt")),
        ("ended", text(&operation, "endedAt")),
        ("purpose", text(&operation, "purpose")),
        ("batch", text(&operation, "batch")),
        ("caller", text(&operation, "caller")),
    ] {
        if shown != "-" {
            facts.row([name, shown]);
        }
    }
    facts.lines().for_each(|line| println!("{line}"));
    let attempts = operation["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !attempts.is_empty() {
        println!();
        let mut table = Table::new(["ATTEMPT", "BEGAN", "ENDED", "STATUS", "CAUSE"]);
        for attempt in attempts {
            let number = |name: &str| {
                attempt[name]
                    .as_u64()
                    .map_or_else(|| "-".to_owned(), |number| number.to_string())
            };
            table.row([
                &number("number"),
                text(attempt, "startedAt"),
                text(attempt, "endedAt"),
                &number("status"),
                text(attempt, "cause"),
            ]);
        }
        table.lines().for_each(|line| println!("{line}"));
    }
    Ok(true)
}

/// Whether all were done in time.
async fn wait(remote: &Remote, ids: &[String], timeout: Option<u64>, json: bool) -> Result<bool, RemoteError> {
    let deadline = timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut all_done = true;
    for id in ids {
        let operation = wait_for(remote, id, deadline).await?;
        tell_state(&operation, json);
        all_done &= Fate::of(text(&operation, "state")) == Fate::Well;
    }
    Ok(all_done)
}

/// An operation once it has ended, or the time is over.
async fn wait_for(remote: &Remote, id: &str, deadline: Option<Instant>) -> Result<Value, RemoteError> {
    let path = ["operations", id, "wait"];
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).as_secs());
        let seconds = left.map_or(LONGEST_WAIT, |left| left.min(LONGEST_WAIT));
        let ask = Ask::get(&path).query(vec![("timeout", seconds.to_string())]);
        let operation = remote.send(&ask).await?.body;
        let has_ended = matches!(Fate::of(text(&operation, "state")), Fate::Well | Fate::Ill);
        if has_ended || left == Some(0) {
            return Ok(operation);
        }
    }
}

/// One line of an operation.
fn tell_state(operation: &Value, json: bool) {
    if json {
        println!("{operation}");
        return;
    }
    let shown = |text: &str| super::table::shown(text, 300);
    let why = match why(operation) {
        "-" => String::new(),
        why => format!(": {}", shown(why)),
    };
    println!(
        "{} {}{why}",
        shown(text(operation, "id")),
        shown(text(operation, "state"))
    );
}

/// The names of an operation's person or group.
fn subject(operation: &Value) -> String {
    let names = operation["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
    names.join(" ")
}
