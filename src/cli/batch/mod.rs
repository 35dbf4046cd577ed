//! `aws-ilm batch`: sends the rows of a file as commands, and follows them to their end.
//!
//! The file is read three times, each time as a stream: to find what is wrong with it before
//! anything is sent, to send it, and to find the rows of what failed. What is kept of a row is the
//! id of its operation.

mod chunk;
mod columns;
mod failures;
mod fault;
mod follow;
mod lines;
mod progress;
mod row;
mod send;
mod source;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use aws_lc_rs::digest;
use clap::builder::PossibleValuesParser;

use self::{
    chunk::{Chunks, Keys},
    failures::{FailureFile, Report, ReportError},
    fault::Fault,
    follow::Counts,
    progress::Progress,
    row::Options,
    send::Sent,
    source::Source,
};
use super::{
    FAILED, INTERRUPTED, UNAVAILABLE, chain, misused,
    remote::{Remote, Target},
    signals,
};
use crate::commands;

/// The most faults of a file that are told.
const MOST_FAULTS: usize = 20;

/// Send many commands from a file, and follow them to their end
///
/// Rows are JSON, one element {"command", "arguments", "instance", "notBefore", "purpose"} a line,
/// or a table (CSV) whose header names fields of profiles. A faulty file is told by its lines, and
/// nothing of it is sent. Interrupted and run again it goes on: nothing is sent twice.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes:\n  0    every row is done, skipped or scheduled for later\n  1    some rows failed, or are held\n  \
    2    the arguments or the file are wrong; nothing was sent\n  3    the service can't be asked or refuses; run it again to go on\n  \
    130  interrupted; run it again to go on"
)]
pub(super) struct Arguments {
    /// The file with the rows, in UTF-8 or UTF-16
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The command of rows that name none
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(writing_commands()))]
    command: Option<String>,
    /// The instance of rows that name none; else the service's default
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// A field that only a mapper of your own knows, and that may be a column; may be repeated
    #[arg(long = "field", value_name = "NAME")]
    fields: Vec<String>,
    /// Write the rows that failed into this file, in the form of FILE, to mend and send
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
    /// Send a file anew that was sent before; under one name it is sent once
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    run: String,
    #[command(flatten)]
    target: Target,
}

fn writing_commands() -> impl Iterator<Item = &'static str> {
    commands::NAMES
        .into_iter()
        .filter(|(_, writes)| *writes)
        .map(|(name, _)| name)
}

/// What was found in a file that is right.
struct Content {
    rows: usize,
    digest: digest::Digest,
}

/// Runs the subcommand.
pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let options = Options {
        command: arguments.command,
        instance: arguments.instance,
        fields: arguments.fields,
    };
    let source = Source::new(arguments.file, options);
    let content = match read(&source) {
        Ok(content) => content,
        Err(told) => return misused(&told),
    };
    let progress = Arc::new(Progress::of(content.rows));
    let trouble = Arc::clone(&progress);
    let remote = match arguments.target.connect(move |text| trouble.trouble(text)) {
        Ok(remote) => remote,
        Err(told) => return misused(&told),
    };
    let failures = arguments.failures.as_deref();
    let failures = match failures
        .map(|path| FailureFile::create(path, source.path()))
        .transpose()
    {
        Ok(failures) => failures,
        Err(told) => return misused(&told),
    };
    let keys = Keys::of(&content.digest, &arguments.run);
    let interrupted = signals::shutdown();
    let ended = tokio::select! {
        ended = carry_out(&remote, &source, &keys, &progress, failures) => ended,
        () = interrupted => {
            progress.end();
            eprintln!("interrupted: what the service has accepted goes on. Run the same line again to send the rest and see the end");
            return ExitCode::from(INTERRUPTED);
        }
    };
    progress.end();
    match ended {
        Ok((counts, report)) => tell(&content, &counts, &report, arguments.failures.is_some()),
        Err(error) => {
            eprintln!("{}", chain(&error));
            eprintln!("what the service has accepted goes on. Run the same line again to go on; nothing is sent twice");
            ExitCode::from(UNAVAILABLE)
        }
    }
}

/// Reads the whole file; what is wrong with it.
fn read(source: &Source) -> Result<Content, String> {
    let mut faults = Vec::new();
    let mut count = 0;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut rows = source.rows().map_err(|faults| refused(source, &faults, faults.len()))?;
    let mut wrong = 0;
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                count += 1;
                context.update(row.text.trim_end().as_bytes());
                context.update(b"\n");
            }
            Ok(None) => break,
            Err(fault) => {
                let ends = fault.ends;
                wrong += 1;
                if faults.len() < MOST_FAULTS {
                    faults.push(fault);
                }
                if ends {
                    break;
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(refused(source, &faults, wrong));
    }
    if count == 0 {
        return Err(refused(source, &[Fault::file("it has no rows".to_owned())], 1));
    }
    Ok(Content {
        rows: count,
        digest: context.finish(),
    })
}

/// What to mend in the file.
fn refused(source: &Source, faults: &[Fault], count: usize) -> String {
    let path = source.path().display();
    let mut lines: Vec<String> = faults.iter().map(|fault| format!("{path}: {fault}")).collect();
    if count > faults.len() {
        lines.push(format!("and {} more", count - faults.len()));
    }
    lines.push("nothing was sent".to_owned());
    lines.join("\n")
}

/// Sends the file, follows it, and looks for what failed.
async fn carry_out(
    remote: &Remote,
    source: &Source,
    keys: &Keys,
    progress: &Progress,
    failures: Option<FailureFile>,
) -> Result<(Counts, Report), ReportError> {
    progress.begin("sending");
    let sent = send_all(remote, source, keys, progress).await?;
    progress.begin("ended");
    let counts = follow::follow(remote, &sent, progress).await?;
    let report = failures::report(remote, source, &sent, &counts, failures).await?;
    let mut all = Counts::default();
    for counts in &counts {
        all.add(counts);
    }
    let refused: usize = sent.iter().map(|sent| sent.refused.len()).sum();
    if refused > 0 {
        all.0.insert("refused".to_owned(), refused);
    }
    Ok((all, report))
}

async fn send_all(
    remote: &Remote,
    source: &Source,
    keys: &Keys,
    progress: &Progress,
) -> Result<Vec<Sent>, ReportError> {
    let unread = |faults: Vec<Fault>| {
        let fault = faults.into_iter().next();
        ReportError::Changed(fault.unwrap_or_else(|| Fault::file("it can't be read".to_owned())))
    };
    let mut chunks = Chunks::of(source.rows().map_err(unread)?);
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().map_err(ReportError::Changed)? {
        let sent = send::send(remote, keys, &chunk).await?;
        let last = chunk.first + chunk.len();
        progress.at(last, "");
        if let Some(batch) = &sent.batch {
            let before = if sent.is_replayed {
                ", which had been sent before"
            } else {
                ""
            };
            progress.tell(&format!("rows {} to {last}: batch {batch}{before}", chunk.first + 1));
        }
        all.push(sent);
    }
    Ok(all)
}

/// Tells what became of the rows.
fn tell(content: &Content, counts: &Counts, report: &Report, has_file: bool) -> ExitCode {
    let mut parts = counts.0.iter().map(|(state, count)| format!("{count} {state}"));
    let parts = parts.by_ref().collect::<Vec<_>>().join(", ");
    println!("{} rows: {parts}", content.rows);
    if report.table.len() == 0 {
        return ExitCode::SUCCESS;
    }
    println!();
    for line in report.table.lines() {
        println!("{line}");
    }
    if report.more > 0 {
        println!("… and {} more", report.more);
    }
    if has_file {
        println!(
            "\nThe file of --failures has {} of them: mend it, and send it as it is.",
            report.written
        );
    }
    ExitCode::from(FAILED)
}
