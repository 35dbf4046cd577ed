//! Bounds of mappers and of mappings. A mapper file and a profile both come from outside: no pair
//! of them may hang the service or fill its memory.
//!
//! AWS takes texts of at most 1,024 characters and one element of a list, so everything here is far
//! beyond what a mapping needs.

use super::error::EvaluationError;

/// The longest mapper file, in bytes. The longest public export that was looked at has 130 kB.
pub(super) const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Files of a mapper folder that are read to find a mapper's name.
pub(super) const MAX_FILES: usize = 1_000;

/// Targets of one mapping.
pub(super) const MAX_TARGETS: usize = 1_000;

/// Transformers, alternatives of filters and the like of one target.
pub(super) const MAX_STEPS: usize = 100;

/// Paths of one target, those in its filters and arguments included. Each is read for each element
/// of a list, and compared with the others at load.
pub(super) const MAX_PATHS: usize = 1_000;

/// The length of an expression, in bytes: chains such as `a.b.c` or `a ~ b` are parsed by
/// recursion, and must fit a small stack.
pub(super) const MAX_EXPRESSION: usize = 1_024;

/// The longest path, in bytes.
pub(super) const MAX_PATH: usize = 2_048;

/// Keys and indices of one path.
pub(super) const MAX_SEGMENTS: usize = 32;

/// The longest text that a step may make, in bytes.
pub(super) const MAX_TEXT: usize = 64 * 1024;

/// The longest list that a step may make.
pub(super) const MAX_LIST: usize = 1_000;

/// The deepest nesting of what a mapping may give, and of what JSON text may hold.
pub(super) const MAX_DEPTH: usize = 32;

/// Work of one mapping, of all its targets together and in either form, in bytes looked at: some
/// milliseconds, in place of what a thousand steps over a megabyte could cost. A stock mapping over
/// a profile of ordinary length takes some thousands.
pub(super) const MAX_WORK: usize = 2 * 1024 * 1024;

/// The cost of an element of a list, or an entry of an object, beside its bytes: it is allocated
/// and compared for itself.
pub(super) const ELEMENT: usize = 16;

/// Output of one mapping, all its targets together, in bytes.
pub(super) const MAX_OUTPUT: usize = 256 * 1024;

/// Read values and steps that an explanation shows, all its targets together, in bytes. A stock
/// mapping's has some thousands.
pub(super) const MAX_TRACE: usize = 256 * 1024;

/// The length of a regular expression, in bytes.
pub(super) const MAX_PATTERN: usize = 1_024;

/// Different regular expressions of one file.
pub(super) const MAX_PATTERNS: usize = 100;

/// The length of a file's different regular expressions together, in bytes.
pub(super) const MAX_PATTERN_TEXT: usize = 8 * 1024;

/// Classes and ranges in a file's different regular expressions together. `\w` is seven hundred
/// ranges, and without letter case each is looked up in Unicode's tables: these take the time of
/// compiling, also of what turns out too large.
pub(super) const MAX_PATTERN_CLASSES: usize = 200;

/// The sizes that a compiled regular expression is tried with, in bytes (`regex` measures it; its
/// time is linear in the text by construction). Most need the first.
pub(super) const PATTERN_SIZES: [usize; 3] = [16 * 1024, 64 * 1024, 256 * 1024];

/// The sizes that a file's regular expressions were tried with, together, in bytes.
pub(super) const MAX_PATTERN_SIZE: usize = 2 * 1024 * 1024;

/// Errors that are reported for one file; reading stops there.
pub(super) const MAX_ERRORS: usize = 100;

/// Notes and warnings that are reported for one file.
pub(super) const MAX_REMARKS: usize = 1_000;

/// The fuel that an expression is tried with: an instruction costs one, and so do [`FUEL`] bytes
/// that are made. Nearly all need the first; the last is about a megabyte.
pub(super) const FUELS: [u64; 4] = [32, 256, 2_048, 16_384];

/// The work of a unit of fuel, in bytes.
pub(super) const FUEL: usize = 64;

/// The rest of the work and the output of one mapping, or of one delivery's rules.
#[derive(Debug)]
pub struct Budget {
    work: usize,
    output: usize,
    exhausted: bool,
}

impl Budget {
    /// Starts a mapping with all of both.
    pub(super) fn new() -> Self {
        Self::of(MAX_WORK, MAX_OUTPUT)
    }

    /// What may be done for expressions that are no mapping, in bytes looked at and bytes given.
    pub fn of(work: usize, output: usize) -> Self {
        Self {
            work,
            output,
            exhausted: false,
        }
    }

    /// Charges `amount` bytes of work, or fails when that much is not left.
    pub(super) fn charge(&mut self, amount: usize) -> Result<(), EvaluationError> {
        // A step has a cost over an empty value too: without it, a list of empty values would be
        // free.
        match self.work.checked_sub(amount.saturating_add(1)) {
            Some(left) if !self.exhausted => {
                self.work = left;
                Ok(())
            }
            Some(_) | None => {
                self.exhausted = true;
                Err(format!(
                    "the mapping takes more work than is allowed: its targets together look at no more than {MAX_WORK} bytes"
                ).into())
            }
        }
    }

    /// Charges `amount` bytes of output, or fails when that much is not left.
    pub(super) fn charge_output(&mut self, amount: usize) -> Result<(), EvaluationError> {
        match self.output.checked_sub(amount) {
            Some(left) if !self.exhausted => {
                self.output = left;
                Ok(())
            }
            Some(_) | None => {
                self.exhausted = true;
                Err(format!("the mapping's targets together give more than {MAX_OUTPUT} bytes").into())
            }
        }
    }

    /// Whether a bound was reached: then no further target of this mapping is filled.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }
}

/// Fails when a text of `length` bytes is too long.
pub(super) fn check_text(length: usize) -> Result<(), EvaluationError> {
    if length > MAX_TEXT {
        return Err(format!("makes a text longer than {MAX_TEXT} bytes").into());
    }
    Ok(())
}

/// Fails when a list of `length` elements is too long.
pub(super) fn check_list(length: usize) -> Result<(), EvaluationError> {
    if length > MAX_LIST {
        return Err(format!("makes a list of more than {MAX_LIST} elements").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let mut budget = Budget::new();
        assert!(budget.charge(MAX_WORK - 1).is_ok() && !budget.is_exhausted());
        assert!(budget.charge(0).unwrap_err().to_string().contains("2097152") && budget.is_exhausted());
        let mut budget = Budget::new();
        assert!(budget.charge_output(MAX_OUTPUT).is_ok());
        assert!(budget.charge_output(1).unwrap_err().to_string().contains("262144"));
        assert!(budget.charge_output(0).is_err() && budget.charge(0).is_err());
        assert!(Budget::new().charge(usize::MAX).is_err());
    }
}
