//! What no mapper and no profile may exceed. A mapper is somebody's file and a profile anybody's
//! data: neither may hang the service or make it swell, whatever the two are together.
//!
//! AWS takes texts of at most 1,024 characters and one element of a list, so everything here is far
//! beyond what a mapping needs.

/// The longest mapper file, in bytes. The longest public export that was looked at has 130 kB.
pub(super) const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Files of a mapper folder that are looked into.
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

/// What an element of a list, or an entry of an object, counts for beside its bytes: it is
/// allocated and compared for itself.
pub(super) const ELEMENT: usize = 16;

/// What one mapping may give, all its targets together, in bytes.
pub(super) const MAX_OUTPUT: usize = 256 * 1024;

/// What an explanation shows of values that were taken and of steps, all its targets together, in
/// bytes. A stock mapping's has some thousands.
pub(super) const MAX_SHOWN: usize = 256 * 1024;

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

/// Errors that are told of one file; reading stops there.
pub(super) const MAX_ERRORS: usize = 100;

/// Warnings and notes that are told of one file.
pub(super) const MAX_REMARKS: usize = 1_000;

/// The fuel that an expression is tried with: an instruction costs one, and so do [`FUEL`] bytes
/// that are made. Nearly all need the first; the last is about a megabyte.
pub(super) const FUELS: [u64; 4] = [32, 256, 2_048, 16_384];

/// What a unit of fuel counts for, in bytes looked at.
pub(super) const FUEL: usize = 64;

/// What is left of [`MAX_WORK`] and [`MAX_OUTPUT`].
#[derive(Debug)]
pub(super) struct Budget {
    looked_at: usize,
    given: usize,
    spent: bool,
}

impl Budget {
    /// The whole of it.
    pub(super) fn new() -> Self {
        Self {
            looked_at: MAX_WORK,
            given: MAX_OUTPUT,
            spent: false,
        }
    }

    /// Takes `amount` off, or fails when that much is not left.
    pub(super) fn take(&mut self, amount: usize) -> Result<(), String> {
        // A step costs something even over nothing.
        match self.looked_at.checked_sub(amount.saturating_add(1)) {
            Some(left) if !self.spent => {
                self.looked_at = left;
                Ok(())
            }
            Some(_) | None => {
                self.spent = true;
                Err(format!(
                    "the mapping takes more work than is allowed: its targets together look at no more than {MAX_WORK} bytes"
                ))
            }
        }
    }

    /// Takes `amount` off what may be given, or fails when that much is not left.
    pub(super) fn give(&mut self, amount: usize) -> Result<(), String> {
        match self.given.checked_sub(amount) {
            Some(left) if !self.spent => {
                self.given = left;
                Ok(())
            }
            Some(_) | None => {
                self.spent = true;
                Err(format!(
                    "the mapping's targets together give more than {MAX_OUTPUT} bytes"
                ))
            }
        }
    }

    /// Whether a bound was reached: nothing more comes of this mapping.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }
}

/// Fails when a text of `length` bytes is too long.
pub(super) fn text(length: usize) -> Result<(), String> {
    if length > MAX_TEXT {
        return Err(format!("makes a text longer than {MAX_TEXT} bytes"));
    }
    Ok(())
}

/// Fails when a list of `length` elements is too long.
pub(super) fn list(length: usize) -> Result<(), String> {
    if length > MAX_LIST {
        return Err(format!("makes a list of more than {MAX_LIST} elements"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let mut work = Budget::new();
        assert!(work.take(MAX_WORK - 1).is_ok() && !work.is_spent());
        assert!(work.take(0).unwrap_err().contains("2097152") && work.is_spent());
        let mut work = Budget::new();
        assert!(work.give(MAX_OUTPUT).is_ok());
        assert!(work.give(1).unwrap_err().contains("262144"));
        assert!(work.give(0).is_err() && work.take(0).is_err());
        assert!(Budget::new().take(usize::MAX).is_err());
    }
}
