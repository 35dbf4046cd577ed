//! Every test that goes through the front door, in one binary: the real router behind a real
//! socket, the sandbox behind it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod collector;
mod expected;
mod guarantees;
mod harness;
mod normalised;
mod process;
mod raw_directory;
mod sandbox;

mod absence;
mod answers;
mod architecture;
mod architecture_style;
mod arguments;
mod batches;
mod budgets;
mod callers;
mod cases;
mod clearing;
mod cli;
mod cli_batch;
mod cli_config;
mod cli_store;
mod commands;
mod configuration;
mod docs;
mod docs_pages;
mod dry_run;
mod edge;
mod examples;
mod foreign_ids;
mod gentle;
mod health;
mod hostile;
mod hostile_directory;
mod hr;
mod idempotency;
mod layers;
mod mappers;
mod metrics;
mod openapi;
mod operations;
mod others;
mod problem_pages;
mod readme;
mod reports;
mod resilience;
mod secrets;
mod tls;
mod upstream_statuses;
mod webhook_vectors;
mod webhooks;
mod webhooks_rules;
mod webhooks_wire;
