//! What is wrong with the rules of a source, collected.

use crate::diagnostic::Diagnostic;

/// Everything that is wrong. Paths are the source's own: `when of rule 2`.
#[derive(Debug, Default)]
pub(in crate::webhooks) struct Faults(pub(in crate::webhooks) Vec<Diagnostic>);

/// How much of an expression is shown, in characters.
const LONGEST_SHOWN: usize = 120;

impl Faults {
    /// Notes what was found at a place, and what to do about it.
    pub(in crate::webhooks) fn push(&mut self, path: &str, found: &str, help: &str) {
        self.0.push(Diagnostic::error(path, format!("found {found}"), help));
    }

    /// Notes what is wrong with an expression.
    pub(in crate::webhooks) fn expression(&mut self, path: &str, text: &str, help: &str) {
        self.push(path, &quoted(text), help);
    }
}

/// A text in quotes, escaped, and cut when it is long.
pub(in crate::webhooks) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST_SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}
