//! What is found wrong with a mapper, or doubtful in it, each with its place.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// The file is dirty, or a value is treated otherwise than on the platform; nothing need be done.
    Note,
    /// It loads, and probably does not do what was meant.
    Doubtful,
    /// The mapper does not load.
    Refused,
}

/// One thing found in a mapper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// How grave it is.
    pub gravity: Gravity,
    /// Where: the type, the target, the step. Empty for the file as a whole.
    pub place: String,
    /// What it is, and what to do about it.
    pub message: String,
}

/// Everything found in a mapper, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl fmt::Display for Gravity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Doubtful => "doubtful",
            Self::Refused => "refused",
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
    pub(super) fn add(&mut self, gravity: Gravity, place: impl Into<String>, message: impl Into<String>) {
        // A file's own names may hold anything; a finding is one line.
        let clean = |text: String| {
            text.chars()
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect()
        };
        self.0.push(Finding {
            gravity,
            place: clean(place.into()),
            message: clean(message.into()),
        });
    }

    pub(super) fn note(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Gravity::Note, place, message);
    }

    pub(super) fn doubt(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Gravity::Doubtful, place, message);
    }

    pub(super) fn refuse(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Gravity::Refused, place, message);
    }

    /// How many are of this gravity.
    pub fn count(&self, gravity: Gravity) -> usize {
        self.0.iter().filter(|finding| finding.gravity == gravity).count()
    }

    /// What keeps the mapper from loading, one a line.
    pub fn refusals(&self) -> String {
        let refusals = self.0.iter().filter(|finding| finding.gravity == Gravity::Refused);
        let line = |finding: &Finding| {
            if finding.place.is_empty() {
                finding.message.clone()
            } else {
                format!("{}: {}", finding.place, finding.message)
            }
        };
        refusals.map(line).collect::<Vec<_>>().join("; ")
    }
}
