//! The diagnostics of a mapper: errors that keep it from loading, warnings and notes.

use super::bounds::{MAX_ERRORS, MAX_REMARKS};
use crate::diagnostic::{Diagnostic, Severity};

/// The longest name in a place, in characters.
const LONGEST_NAME: usize = 120;

/// The longest place and the longest message, in characters.
const LONGEST: usize = 1_000;

/// The diagnostics of one mapper, in the order of the file. At most `MAX_ERRORS` errors and
/// `MAX_REMARKS` others are kept; the last lines say when there was more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each of them: the type, the target and the step are its path.
    pub list: Vec<Diagnostic>,
    errors: usize,
    remarks: usize,
    /// Whether reading stopped before the end of the file.
    stopped: bool,
}

impl Findings {
    pub(super) fn add(&mut self, severity: Severity, path: impl Into<String>, message: impl Into<String>) {
        let (count, most) = match severity {
            Severity::Error => (&mut self.errors, MAX_ERRORS),
            Severity::Warning | Severity::Note => (&mut self.remarks, MAX_REMARKS),
        };
        *count += 1;
        if *count <= most {
            self.push(severity, path.into(), message.into());
        } else if severity == Severity::Error {
            self.stopped = true;
        }
    }

    fn push(&mut self, severity: Severity, path: String, message: String) {
        // A file's own names may hold anything, and be of any length; a finding is one line.
        let clean = |text: String| {
            let one_line = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
            truncate(one_line, LONGEST)
        };
        self.list
            .push(Diagnostic::new(severity, clean(path), clean(message), ""));
    }

    /// Whether there are so many errors that reading on is of no use. Asked only while something is
    /// left to read, since it records that reading stopped.
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
        let kept = self.list.iter().filter(|finding| finding.severity != Severity::Error);
        let more = self.remarks.saturating_sub(kept.count());
        if more > 0 {
            let message = format!("{more} more warnings and notes were left out");
            self.push(Severity::Warning, String::new(), message);
        }
    }

    pub(super) fn note(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Note, path, message);
    }

    pub(super) fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, path, message);
    }

    pub(super) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, path, message);
    }

    /// How many are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Each of them as a line of `mapper lint`: its severity in a column, its place, what it is.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.list
            .iter()
            .map(|finding| format!("{:7}  {finding}", finding.severity))
    }

    /// What keeps the mapper from loading, on one line.
    pub fn errors(&self) -> String {
        let errors = self.list.iter().filter(|finding| finding.severity == Severity::Error);
        errors.map(Diagnostic::to_string).collect::<Vec<_>>().join("; ")
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
            .map(Diagnostic::to_string)
            .collect();
        assert_eq!(
            last,
            [
                "reading stopped after 100 errors; there may be more",
                "7 more warnings and notes were left out"
            ]
        );
    }

    #[test]
    fn no_name_makes_a_finding_long() {
        let mut findings = Findings::default();
        findings.note(shorten(&"é".repeat(9_000)), "m".repeat(9_000));
        assert_eq!(findings.list[0].path.chars().count(), 121);
        assert_eq!(findings.list[0].message.chars().count(), 1_001);
        assert_eq!(shorten("name"), "name");
        findings.count_omitted(3);
        findings.finish();
        assert_eq!(findings.list[1].message, "3 more warnings and notes were left out");
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
