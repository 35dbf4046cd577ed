//! Every test that goes through the front door, in one binary: the real router behind a real socket, the sandbox behind it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod harness;
mod normalised;
mod process;
mod sandbox;

mod commands;

mod architecture;
mod cli;
mod configuration;
mod examples;
mod health;
mod layers;
mod openapi;
mod readme;
mod secrets;
