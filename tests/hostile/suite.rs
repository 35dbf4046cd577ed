//! The cost of idle and greedy connections: how many are held, how a client that means well is
//! served meanwhile, and how much memory the service has in use. `cargo run --example hostile --
//! --short` takes less than a minute, `--full` some minutes.
//!
//! The service is a process of its own, with the sandbox in it; everything runs on loopback, and
//! nothing goes on after the end. How many connections there can be is the limit of open files' to
//! say (`ulimit -n`). Times are printed and not judged.

#![allow(clippy::unwrap_used, reason = "a suite that can't go on has failed")]
#![allow(clippy::print_stdout, reason = "printing figures is what this is for")]

mod crowd;
mod frames;
#[allow(dead_code, reason = "shared with another suite")]
#[path = "../gentle/report.rs"]
mod report;
mod service;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use crowd::{Crowd, Habit};
use report::{Report, ms, percentile};
use service::{Caller, Service, open_files};

/// Files that a process has open beside the crowd's connections.
const SPARE: usize = 400;

/// Measures what connections cost.
#[derive(Debug, Parser)]
struct Line {
    /// Fewer connections, for every change (the default)
    #[arg(long, conflicts_with = "full")]
    short: bool,
    /// All of them
    #[arg(long)]
    full: bool,
    /// The service's binary
    #[arg(long, value_name = "FILE", default_value = "target/debug/aws-ilm")]
    binary: PathBuf,
    /// What pauses are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let line = Line::parse();
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let affordable = open_files().saturating_sub(SPARE);
    let pick = |short: usize, full: usize| affordable.min(if line.full { full } else { short });
    let hold = Duration::from_secs(if line.full { 20 } else { 3 });
    let mut random = fastrand::Rng::with_seed(line.seed);
    let mut report = Report::default();

    let service = Service::start(&line.binary);
    let caller = Caller::start(service.address, random.fork());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let at_rest = service.memory();
    report.figure("at rest", format!("{at_rest} MiB"));
    tell(&mut report, "nobody else", &caller.so_far());
    for (habit, count) in [
        (Habit::Silent, pick(10_000, 10_000)),
        (Habit::HalfOpen, pick(1_000, 10_000)),
        (Habit::DripsHeaders, pick(1_000, 10_000)),
        // More connections than slots: the dripping ones give way.
        (Habit::DripsBody, pick(1_500, 11_000)),
        // Their answers wait in the system's memory for sockets, of which others on the machine
        // need some too.
        (Habit::NeverReads, pick(1_000, 3_000)),
        (Habit::Pipelines, pick(10, 50)),
        (Habit::Resets, pick(20, 200)),
        (Habit::ContinuesHeaders, pick(20, 200)),
    ] {
        println!("\n{habit:?}");
        let crowd = Crowd::gather(service.address, habit, count).await;
        let opened = crowd.len();
        let begun = service.connections();
        crowd.go_on(hold).await;
        let held = format!("{opened}; {begun} at first, {} after {hold:?}", service.connections());
        report.figure("connections opened, and held by the service", held);
        let memory = service.memory();
        report.figure("memory", format!("{memory} MiB"));
        drop(crowd);
        tell(&mut report, "who means well", &caller.so_far());
        let (longest, lives) = service.liveness().await;
        report.claim(lives, format!("the service says that it lives, after {}", ms(longest)));
        report.claim(memory < at_rest + 1_024, "memory is bounded");
    }
    println!();
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.figure("memory afterwards", format!("{} MiB", service.memory()));
    report.summary()
}

/// Prints how the caller fared since the last time, and claims that it was served.
fn tell(report: &mut Report, who: &str, (served, failed): &(Vec<Duration>, usize)) {
    let [half, most] = [0.5, 0.99].map(|share| ms(percentile(served, share)));
    report.figure(
        who,
        format!("{} served, {failed} not; p50 {half}, p99 {most}", served.len()),
    );
    // A client whose connection had to give way asks again. Serving hardly any would be a defect.
    report.claim(*failed * 10 <= served.len() && !served.is_empty(), "is served");
}
