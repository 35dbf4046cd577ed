//! Figures and claims, as they are printed.

use std::{process::ExitCode, time::Duration};

/// How many claims held.
#[derive(Debug, Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Prints what was measured.
    pub(crate) fn figure(&self, name: &str, value: impl std::fmt::Display) {
        println!("  {name:<46} {value}");
    }

    /// Prints whether a claim holds.
    pub(crate) fn claim(&mut self, holds: bool, what: impl std::fmt::Display) {
        if holds {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        println!("  {} {what}", if holds { "ok  " } else { "FAIL" });
    }

    /// Prints the sum of it all.
    pub(crate) fn summary(&self) -> ExitCode {
        println!("\n{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// The value below which this share of all lie; of none, zero.
pub(crate) fn percentile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a place in it"
    )]
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

/// `part` of `whole` in per cent, as text.
pub(crate) fn per_cent(part: usize, whole: usize) -> String {
    format!("{:.2} % ({part} of {whole})", share(part, whole) * 100.0)
}

/// `part` of `whole`; of nothing, zero.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / (whole.max(1)) as f64
}

/// Milliseconds with a tenth, as text.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
