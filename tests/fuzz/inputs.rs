//! Throws made-up input at whatever reads it, for a bounded time:
//! `cargo run --example fuzz-inputs -- TARGET SECONDS [SEED]`.
//!
//! cargo-fuzz needs a nightly compiler; this runs on the stable one. The targets: `arguments`
//! (bodies, and what comes of the commands they are), `answers` (what a directory sends, and what
//! commands make of it), `configuration` (files and variables; no fault may hold a secret),
//! `credentials` (keys, tokens, certificates: only the one key is valid), `http` (hosts, queries
//! and header fields), `webhooks` (deliveries of every preset: only what was signed is accepted).
//! Sound inputs are cut, doubled and mixed. A panic, an overflow (the profile has checks on), a
//! broken promise or an input that takes over two seconds ends the run with the input and the seed,
//! with which it can be had again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it prints what it found, and stops where it can't go on"
)]

mod answers;
mod arguments;
mod configuration;
mod credentials;
mod headers;
mod made;
mod webhooks;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

use fastrand::Rng;

/// No input may take longer.
const LONGEST: Duration = Duration::from_secs(2);

/// One target: makes an input, and tries it.
type Target = (&'static str, fn(&mut Rng) -> Vec<u8>, fn(&[u8], &mut Rng) -> bool);

const TARGETS: [Target; 6] = [
    ("arguments", arguments::make, arguments::hold),
    ("answers", answers::make, answers::hold),
    ("configuration", configuration::make, configuration::hold),
    ("credentials", credentials::make, credentials::hold),
    ("http", headers::make, headers::hold),
    ("webhooks", webhooks::make, webhooks::hold),
];

fn main() -> ExitCode {
    let mut line = std::env::args().skip(1);
    let name = line.next().unwrap_or_else(|| "all".to_owned());
    let mut number = || line.next().map(|text| text.parse::<u64>().expect("a whole number"));
    let limit = Duration::from_secs(number().unwrap_or(30));
    let seed = number().unwrap_or_else(|| u64::from(std::process::id()));
    let wanted: Vec<_> = TARGETS
        .iter()
        .filter(|(own, ..)| name == "all" || *own == name)
        .collect();
    if wanted.is_empty() {
        println!(
            "there is no target {name}; there are {}",
            TARGETS.map(|(own, ..)| own).join(", ")
        );
        return ExitCode::FAILURE;
    }
    for target in wanted {
        if !tried(target, limit, seed) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Tries one target for so long; whether everything held.
fn tried((name, make, hold): &Target, limit: Duration, seed: u64) -> bool {
    let mut random = Rng::with_seed(seed);
    let (start, mut inputs, mut sound) = (Instant::now(), 0_u64, 0_u64);
    while start.elapsed() < limit {
        let input = make(&mut random);
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| hold(&input, &mut random)));
        inputs += 1;
        let took = began.elapsed();
        if let (Ok(was_sound), true) = (&held, took <= LONGEST) {
            sound += u64::from(*was_sound);
            continue;
        }
        let what = if held.is_err() { "a panic" } else { "too long" };
        println!(
            "{name}: {what} ({took:?}), seed {seed}, input {inputs}:\n{}",
            input.escape_ascii()
        );
        return false;
    }
    println!("{name}: {inputs} inputs tried in {limit:?}, {sound} of them sound; seed {seed}");
    true
}
