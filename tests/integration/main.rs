//! Every test that goes through the front door, in one binary: the real router behind a real socket, the sandbox behind it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod expected;
mod harness;
mod raw_directory;
mod sandbox;

mod absence;
mod answers;
mod arguments;
mod budgets;
mod cases;
mod commands;
mod dry_run;
mod hostile_directory;
mod resilience;
mod upstream_statuses;
