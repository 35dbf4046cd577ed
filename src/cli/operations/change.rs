//! `aws-ilm operations retry` and `cancel`: of operations that are named, or of all that match.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    super::remote::{Ask, Remote, RemoteError},
    filter::Filter,
    tell_state,
};

const JSON: &str = "application/json";

/// Which operations are meant, and whether that was asked about.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Selection {
    /// The operations' ids, instead of a filter
    #[arg(value_name = "ID", conflicts_with_all = Filter::NAMES)]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// Do it without asking, for all that match
    #[arg(long)]
    yes: bool,
}

/// What is done with operations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Retry,
    Cancel,
}

impl Change {
    /// As the service's routes call it.
    fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        }
    }

    /// What becomes of them.
    fn done(self) -> &'static str {
        match self {
            Self::Retry => "tried again",
            Self::Cancel => "cancelled",
        }
    }
}

impl Selection {
    /// What is wrong with it: without a word on which, all operations would be meant.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let says_which = !self.ids.is_empty() || !self.filter.query().is_empty();
        (!says_which).then_some("say which: the ids of operations, or a filter such as --state failed or --caller NAME")
    }
}

/// Whether all was done.
pub(super) async fn change(
    remote: &Remote,
    change: Change,
    selection: &Selection,
    json: bool,
) -> Result<bool, RemoteError> {
    if selection.ids.is_empty() {
        return change_matching(remote, change, selection, json).await;
    }
    let mut all_done = true;
    for id in &selection.ids {
        match remote.send(&Ask::post(&["operations", id, change.name()])).await {
            Ok(answer) => tell_state(&answer.body, json),
            Err(error) if !error.is_of_service() => {
                eprintln!("{id}: {error}");
                all_done = false;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all_done)
}

/// Counts what matches, asks, and changes just that.
async fn change_matching(
    remote: &Remote,
    change: Change,
    selection: &Selection,
    json: bool,
) -> Result<bool, RemoteError> {
    let path = ["operations", change.name()];
    let ask = |body: Value| {
        Ask::post(&path)
            .query(selection.filter.query())
            .body(JSON, body.to_string().into_bytes())
    };
    let counted = remote.send(&ask(json!({}))).await?.body;
    let matched = counted["matched"].as_u64().ok_or_else(|| remote.foreign())?;
    let Some(token) = counted["token"].as_str() else {
        if json {
            println!("{counted}");
        } else {
            println!("no operation matches that could be {}", change.done());
        }
        return Ok(true);
    };
    if !selection.yes && !is_confirmed(change, matched) {
        eprintln!("nothing was changed");
        return Ok(false);
    }
    let changed = match remote.send(&ask(json!({"token": token}))).await {
        Ok(answer) => answer.body,
        // A token is good once: when the answer to it got lost, it is sent again for nothing.
        Err(error)
            if error
                .refusal()
                .is_some_and(|refusal| refusal.status == StatusCode::GONE) =>
        {
            eprintln!("{error}");
            eprintln!("it may have been done already: run the same line again, which changes what is left");
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    if json {
        println!("{changed}");
    } else {
        let count = |name: &str| changed[name].as_u64().unwrap_or_default();
        let (changed, left) = (count("changed"), count("left"));
        println!("{changed} are {}, {left} were in another state by then", change.done());
    }
    if counted["more"] == true {
        eprintln!("more match than are changed at once: run the same line again");
    }
    Ok(counted["more"] != true)
}

/// Asks on a terminal; elsewhere there is no answer to be had.
fn is_confirmed(change: Change, matched: u64) -> bool {
    eprint!("{matched} operations match and would be {}. ", change.done());
    if !io::stdin().is_terminal() {
        eprintln!("Say --yes to do it.");
        return false;
    }
    eprint!("Go on? [y/N] ");
    // What can't be shown or read is no yes.
    let _ = io::stderr().flush();
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim(), "y" | "yes" | "Y")
}
