//! One finding of a validation, whatever was validated: configuration, a mapper, a user before it
//! is sent, a file of TLS.

use std::fmt;

/// How much a [`Diagnostic`] matters. Its words are public: `mapper lint` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing need be done.
    Note,
    /// It is accepted, and probably does not do what was meant.
    Warning,
    /// It is not accepted.
    Error,
}

/// One thing that validation found, and what to do about it.
///
/// `Display` writes `path: message: help` and leaves out the parts that are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The place in what was validated: a setting, an attribute, a target and its step, a file.
    /// Empty for the whole of it.
    pub path: String,
    /// What is wrong there. Holds no secret.
    pub message: String,
    /// What to do about it; empty where `message` says it already.
    pub help: String,
}

impl Diagnostic {
    /// An error at `path`.
    pub fn error(path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Severity::Error, path, message, help)
    }

    /// A diagnostic of any severity.
    pub fn new(
        severity: Severity,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            path: path.into(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// The parts as a sentence for the message of an envelope: `path: message; help`.
    pub fn sentence(&self) -> String {
        format!("{}: {}; {}", self.path, self.message, self.help)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.path, &self.message, &self.help];
        let mut parts = parts.into_iter().filter(|part| !part.is_empty());
        formatter.write_str(parts.next().map_or("", String::as_str))?;
        parts.try_for_each(|part| write!(formatter, ": {part}"))
    }
}

/// The known name that a typo most likely stands for, if any is near enough. The typo is in lower
/// case; letter case in the names makes no difference.
#[must_use]
pub fn nearest(name: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let (mut near, mut contained) = (None, None);
    for candidate in names {
        let lower = candidate.to_ascii_lowercase();
        let distance = strsim::levenshtein(name, &lower);
        if distance <= (name.len() / 4).max(1) && near.is_none_or(|(least, _)| distance < least) {
            near = Some((distance, candidate));
        }
        if name.len() >= 4 && lower.contains(name) && contained.is_none() {
            contained = Some(candidate);
        }
    }
    near.map(|(_, candidate)| candidate).or(contained)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_leave_no_separator_behind() {
        let all = Diagnostic::error("url", "found \"x\"", "use https");
        assert_eq!(all.to_string(), "url: found \"x\": use https");
        assert_eq!(all.sentence(), "url: found \"x\"; use https");
        assert_eq!(Diagnostic::error("", "not JSON", "").to_string(), "not JSON");
        assert_eq!(
            Diagnostic::error("title", "not JSON", "").to_string(),
            "title: not JSON"
        );
    }

    #[test]
    fn severities_are_ordered_and_padded_in_columns() {
        assert!(Severity::Note < Severity::Warning && Severity::Warning < Severity::Error);
        assert_eq!(
            format!("{:7}|{:7}|", Severity::Error, Severity::Note),
            "error  |note   |"
        );
    }
}
