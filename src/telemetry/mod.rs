//! What an operator sees of the service from afar: its log, its metrics and its traces.
//!
//! Any room may count what happens in it ([`metrics`]); this one imports nothing of ours.

pub mod logs;
pub mod metrics;
pub mod traces;

pub use logs::{AUDIT, InitError, LogFormat, LogSettings, init};
