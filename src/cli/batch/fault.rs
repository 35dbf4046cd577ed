//! What is wrong with a file.

use std::fmt;

/// Something is wrong with a file, or with one row of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line at which the row begins; `None` for the file as a whole.
    line: Option<u64>,
    what: String,
    /// Whether nothing after it can be read.
    pub(super) ends: bool,
}

impl Fault {
    /// Of the file as a whole.
    pub(super) fn file(what: String) -> Self {
        Self {
            line: None,
            what,
            ends: true,
        }
    }

    /// Of the row that begins at a line.
    pub(super) fn at(line: u64, what: String) -> Self {
        Self {
            line: Some(line),
            what,
            ends: false,
        }
    }

    /// The same, with nothing readable after it.
    pub(super) fn ending(self) -> Self {
        Self { ends: true, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.what),
            None => formatter.write_str(&self.what),
        }
    }
}
