//! What an operator sees of the service from afar: its log and its metrics.
//!
//! Any room may count what happens in it ([`metrics`]); this one imports nothing of ours.

pub mod logs;
pub mod metrics;

pub use logs::{AUDIT, InitError, LogFormat, LogSettings, init};
