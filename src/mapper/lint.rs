//! Findings of a mapper: its errors, warnings and notes, each with its place.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use super::bounds::{MAX_ERRORS, MAX_REMARKS};

/// The longest name in a place, in characters.
const LONGEST_NAME: usize = 120;

/// The longest place and the longest message, in characters.
const LONGEST: usize = 1_000;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is dirty, or a value is treated otherwise than on the platform; nothing need be
    /// done.
    Note,
    /// The mapper loads, and probably does not do what was meant.
    Warning,
    /// The mapper does not load.
    Error,
}

/// One thing found in a mapper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// How grave it is.
    pub gravity: Severity,
    /// Where: the type, the target, the step. Empty for the file as a whole.
    pub place: String,
    /// What it is, and what to do about it.
    pub message: String,
}

/// The findings of a mapper, in the order of the file. A bounded number of each severity is kept;
/// the last lines say when there were more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each of them.
    pub list: Vec<Finding>,
    errors: usize,
    remarks: usize,
    /// Whether reading stopped before the end of the file.
    stopped: bool,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8}  ", self.gravity)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

impl Findings {
    pub(super) fn add(&mut self, gravity: Severity, place: impl Into<String>, message: impl Into<String>) {
        let (count, most) = match gravity {
            Severity::Error => (&mut self.errors, MAX_ERRORS),
            Severity::Warning | Severity::Note => (&mut self.remarks, MAX_REMARKS),
        };
        *count += 1;
        if *count <= most {
            self.push(gravity, place.into(), message.into());
        } else if gravity == Severity::Error {
            self.stopped = true;
        }
    }

    fn push(&mut self, gravity: Severity, place: String, message: String) {
        // A file's own names may hold anything, and be of any length; a finding is one line.
        let clean = |text: String| {
            let one_line = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
            truncate(one_line, LONGEST)
        };
        self.list.push(Finding {
            gravity,
            place: clean(place),
            message: clean(message),
        });
    }

    /// Whether there are so many errors that reading on is of no use. Call it only with a part of
    /// the file left to read: true is reported as a file that was not read to its end.
    pub(super) fn is_full(&mut self) -> bool {
        let enough = self.errors >= MAX_ERRORS;
        self.stopped |= enough;
        enough
    }

    /// Counts notes and warnings that were omitted by the reader.
    pub(super) fn count_omitted(&mut self, remarks: usize) {
        self.remarks = self.remarks.saturating_add(remarks);
    }

    /// Adds the lines that say how much was left out.
    pub(super) fn finish(&mut self) {
        if self.stopped {
            let message = format!("reading stopped after {MAX_ERRORS} errors; there may be more");
            self.push(Severity::Error, String::new(), message);
        }
        let kept = self.list.iter().filter(|finding| finding.gravity != Severity::Error);
        let more = self.remarks.saturating_sub(kept.count());
        if more > 0 {
            let message = format!("{more} more notes and warnings were left out");
            self.push(Severity::Warning, String::new(), message);
        }
    }

    pub(super) fn note(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Note, place, message);
    }

    pub(super) fn warning(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, place, message);
    }

    pub(super) fn error(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, place, message);
    }

    /// Counts the findings of a severity.
    pub fn count(&self, gravity: Severity) -> usize {
        self.list.iter().filter(|finding| finding.gravity == gravity).count()
    }

    /// The errors, which keep the mapper from loading, joined by semicolons.
    pub fn errors(&self) -> String {
        let errors = self.list.iter().filter(|finding| finding.gravity == Severity::Error);
        let line = |finding: &Finding| {
            if finding.place.is_empty() {
                finding.message.clone()
            } else {
                format!("{}: {}", finding.place, finding.message)
            }
        };
        errors.map(line).collect::<Vec<_>>().join("; ")
    }
}

/// Shortens a name for a place.
pub(super) fn shorten(name: &str) -> String {
    truncate(name.chars(), LONGEST_NAME)
}

fn truncate(characters: impl Iterator<Item = char>, length: usize) -> String {
    let mut characters = characters;
    let mut text: String = characters.by_ref().take(length).collect();
    if characters.next().is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_and_the_last_lines_say_that_there_was_more() {
        let mut findings = Findings::default();
        for index in 0..MAX_ERRORS {
            assert!(!findings.is_full());
            findings.error(index.to_string(), "no");
        }
        for _ in 0..MAX_REMARKS + 7 {
            findings.warning("x", "perhaps");
        }
        assert!(findings.is_full());
        findings.error("beyond", "no");
        findings.finish();
        assert_eq!(findings.list.len(), MAX_ERRORS + MAX_REMARKS + 2);
        let last: Vec<String> = findings.list[MAX_ERRORS + MAX_REMARKS..]
            .iter()
            .map(Finding::to_string)
            .collect();
        assert_eq!(
            last,
            [
                "error     reading stopped after 100 errors; there may be more",
                "warning   7 more notes and warnings were left out"
            ]
        );
    }

    #[test]
    fn no_name_makes_a_finding_long() {
        let mut findings = Findings::default();
        findings.note(shorten(&"é".repeat(9_000)), "m".repeat(9_000));
        assert_eq!(findings.list[0].place.chars().count(), 121);
        assert_eq!(findings.list[0].message.chars().count(), 1_001);
        assert_eq!(shorten("name"), "name");
        findings.count_omitted(3);
        findings.finish();
        assert_eq!(findings.list[1].message, "3 more notes and warnings were left out");
    }

    #[test]
    fn nothing_is_said_of_more_where_there_is_none() {
        let mut findings = Findings::default();
        findings.error("x", "no");
        findings.note("x", "a\nb");
        findings.finish();
        assert_eq!(findings.list.len(), 2);
        assert_eq!(findings.list[1].message, "a\u{fffd}b");
    }
}
