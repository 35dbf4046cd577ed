//! How gentle the service is to a directory, and how truthful about it: suites that print their
//! figures.
//!
//! `cargo run --example gentle -- --short` takes minutes, `--full` as long as it takes. Everything
//! runs on loopback: the sandbox and the service in this process, a socket between them; where two
//! processes of the service are meant, two are started.

#![allow(clippy::unwrap_used, reason = "a suite that can't go on has failed")]
#![allow(clippy::print_stdout, reason = "printing figures is what this is for")]

mod adaptation;
mod bulkheads;
mod calls;
mod drain;
mod members;
mod oracle;
mod outage;
mod report;
mod storm;
mod throughput;
mod tokens;
mod world;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Parser;
use report::Report;

/// The suites by name, in the order in which they run.
const SUITES: [&str; 8] = [
    "throughput",
    "adaptation",
    "storm",
    "outage",
    "members",
    "tokens",
    "bulkheads",
    "drain",
];

/// Measures how gentle the service is to a directory.
#[derive(Debug, Parser)]
struct Line {
    /// Smaller numbers, for every change (the default)
    #[arg(long, conflicts_with = "full")]
    short: bool,
    /// The whole numbers
    #[arg(long)]
    full: bool,
    /// Only this suite; may be given several times
    #[arg(long, value_name = "NAME", value_parser = SUITES)]
    only: Vec<String>,
    /// What the made-up commands and the faults are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The service's binary, where it is not beside this program's folder
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// What a suite is run with.
#[derive(Clone, Debug)]
struct Form {
    full: bool,
    seed: u64,
    binary: PathBuf,
}

impl Form {
    /// One number or the other.
    fn pick<T>(&self, short: T, full: T) -> T {
        if self.full { full } else { short }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let line = Line::parse();
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    calls::count();
    let form = Form {
        full: line.full,
        seed: line.seed,
        binary: line.binary.unwrap_or_else(beside),
    };
    let mut report = Report::default();
    for name in SUITES {
        if !line.only.is_empty() && !line.only.iter().any(|only| only == name) {
            continue;
        }
        let began = Instant::now();
        println!("\n{name}");
        match name {
            "throughput" => throughput::run(&form, &mut report).await,
            "adaptation" => adaptation::run(&form, &mut report).await,
            "storm" => storm::run(&form, &mut report).await,
            "outage" => outage::run(&form, &mut report).await,
            "members" => members::run(&form, &mut report).await,
            "tokens" => tokens::run(&form, &mut report).await,
            "drain" => drain::run(&form, &mut report).await,
            _ => bulkheads::run(&form, &mut report).await,
        }
        println!("  ({:.1} s)", began.elapsed().as_secs_f64());
    }
    report.summary()
}

/// The service's binary where cargo puts it: examples are in a folder beside it.
fn beside() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program
        .parent()
        .and_then(|folder| folder.parent())
        .unwrap()
        .join("aws-ilm")
}
