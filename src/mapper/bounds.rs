//! What no mapper and no profile may exceed. A mapper is somebody's file and a profile anybody's data: neither may hang the service or
//! make it swell, whatever the two are together.
//!
//! AWS takes texts of at most 1,024 characters and one element of a list, so everything here is far beyond what a mapping needs.

/// The longest mapper file, in bytes. The longest public export that was looked at has 130 kB.
pub(super) const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Files of a mapper folder that are looked into.
pub(super) const MAX_FILES: usize = 1_000;

/// Targets of one mapping.
pub(super) const MAX_TARGETS: usize = 1_000;

/// Transformers, alternatives of filters and the like of one target.
pub(super) const MAX_STEPS: usize = 100;

/// The length of an expression, in bytes: chains such as `a.b.c` or `a ~ b` are parsed by recursion, and must fit a small stack.
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

/// Work of one mapping, in bytes looked at: some milliseconds, in place of what a thousand steps over a megabyte could cost. A stock mapping over a
/// profile of ordinary length takes some thousands.
pub(super) const MAX_WORK: usize = 2 * 1024 * 1024;

/// What an element of a list, or an entry of an object, counts for beside its bytes: it is allocated and compared for itself.
pub(super) const ELEMENT: usize = 16;

/// The size of a compiled regular expression, in bytes (`regex` measures it; its time is linear in the text by construction).
pub(super) const MAX_REGEX: usize = 256 * 1024;

/// Fuel of one expression: an instruction costs one, and so do 64 bytes that are made. About 1.2 MB in all.
pub(super) const MAX_FUEL: u64 = 20_000;

/// What is left of [`MAX_WORK`].
#[derive(Debug)]
pub(super) struct Work(usize);

impl Work {
    /// The whole of it.
    pub(super) fn new() -> Self {
        Self(MAX_WORK)
    }

    /// Takes `amount` off, or fails when that much is not left.
    pub(super) fn take(&mut self, amount: usize) -> Result<(), String> {
        // A step costs something even over nothing.
        match self.0.checked_sub(amount.saturating_add(1)) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err("the mapping takes more work than is allowed".to_owned())
            }
        }
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
