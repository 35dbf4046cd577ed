//! Who is meant, and who is touched: made-up directories and commands, a slow reading of the
//! commands' text, and the service, which has to agree with it. `cargo run --example who -- --cases
//! 3000 --seed 1`; with `--release` where there are to be many.
//!
//! Each case is a directory of up to 30 people and one command, sent through the front door to a
//! service in this process with a sandbox behind it. Printed are the share of cases in which both
//! agree, how often each rule of the text was met, and the cases of each kind in which they do not
//! agree, the first of them made as small as it can be. Exit code 1 where there is any, or where a
//! rule was never met though there were cases enough.

#![allow(clippy::unwrap_used, reason = "a suite that can't go on has failed")]
#![allow(clippy::print_stdout, reason = "printing figures is what this is for")]

mod case;
mod compare;
mod names;
mod oracle;
mod people;
mod profiles;
mod rules;
mod shrink;
mod tally;
mod world;

use std::{process::ExitCode, sync::Arc, time::Instant};

use clap::Parser;
use tokio::{sync::Semaphore, task::JoinSet};

use case::{Case, Settings};
use shrink::Wrong;
use tally::Summary;
use world::World;

/// From this many cases on, each rule has to be met.
const ENOUGH: usize = 50_000;

/// Compares the service with a slow reading of its text.
#[derive(Debug, Parser)]
struct Line {
    /// How many cases
    #[arg(long, default_value_t = 3_000)]
    cases: usize,
    /// What the cases are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many kinds of disagreement are shown with a case
    #[arg(long, default_value_t = 8)]
    show: usize,
    /// How many worlds run at the same time
    #[arg(long, default_value_t = 8)]
    together: usize,
    /// Only draw and read: tells how often each rule would be met
    #[arg(long)]
    plan: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let line = Line::parse();
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let worlds = Settings::worlds();
    let weights: usize = worlds.iter().map(|(_, weight)| weight).sum();
    let seats = Arc::new(Semaphore::new(line.together));
    let mut running = JoinSet::new();
    let began = Instant::now();
    let (mut before, mut share) = (0, 0);
    for (number, (settings, weight)) in worlds.into_iter().enumerate() {
        // Shares of the whole, so that all together are as many as were asked for.
        share += weight;
        let until = line.cases * share / weights;
        let cases = until - before;
        before = until;
        let seats = Arc::clone(&seats);
        let random = fastrand::Rng::with_seed(line.seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let (show, plan) = (line.show, line.plan);
        running.spawn(async move {
            let _seat = seats.acquire_owned().await.unwrap();
            if plan {
                only_read(settings, cases, random)
            } else {
                run(settings, cases, random, show).await
            }
        });
    }
    let mut summary = Summary::new();
    while let Some(part) = running.join_next().await {
        summary.add(part.unwrap());
    }
    summary.print(line.seed, began.elapsed(), line.show);
    let never_met = summary.rules.never_met();
    let has_tried_all = never_met.is_empty() || line.cases < ENOUGH;
    if !has_tried_all {
        println!("\nFAIL rules that no case met: {}", never_met.join("; "));
    }
    if summary.is_agreed() && has_tried_all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Draws cases and reads the text, without a service.
fn only_read(settings: Settings, cases: usize, mut random: fastrand::Rng) -> Summary {
    let mut summary = Summary::new();
    for _ in 0..cases {
        let case = Case::draw(&mut random, settings);
        summary.read(&case, &oracle::judge(&case));
    }
    summary
}

/// Runs cases one after the other in one world.
async fn run(settings: Settings, cases: usize, mut random: fastrand::Rng, show: usize) -> Summary {
    let mut summary = Summary::new();
    let world = match World::start(settings).await {
        Ok(world) => world,
        Err(faults) => {
            summary.refuse(cases, faults);
            return summary;
        }
    };
    for _ in 0..cases {
        let case = Case::draw(&mut random, settings);
        let (expected, got) = (oracle::judge(&case), world.run(&case).await);
        let points = compare::compare(&case, &expected, &got);
        summary.read(&case, &expected);
        summary.compare(&case, &expected, &got, &points);
        if !points.is_empty() && summary.wants_case(&expected, &got, &points, show) {
            let wrong = Wrong {
                case,
                expected,
                got,
                points,
            };
            let key = tally::Kind::of(&wrong.expected, &wrong.got, &wrong.points);
            summary.keep(key, wrong.shrunken(&world).await);
        }
    }
    summary
}
