//! Expressions of sources, checked at load: the names that they may use, and what a reading of them
//! may cost.

use crate::{
    diagnostic::nearest,
    mapper::expressions::{Budget, EvaluationError, Expression, Scope},
};

/// What the expressions of a source see.
pub(in crate::webhooks) const NAMES: [&str; 5] = ["body", "headers", "type", "received", "item"];

/// What all expressions over the events of one delivery may look at together, in bytes. A delivery
/// of a thousand events under twenty rules takes less.
const WORK: usize = 64 * 1024 * 1024;

/// What they may give together, in bytes: as much as the largest body.
const OUTPUT: usize = 16 * 1024 * 1024;

/// The names of one event, and what is left for the events of its delivery.
pub(in crate::webhooks) struct Evaluation<'a> {
    pub(in crate::webhooks) scope: &'a Scope,
    pub(in crate::webhooks) budget: &'a mut Budget,
}

/// What one delivery may cost.
pub(in crate::webhooks) fn budget() -> Budget {
    Budget::of(WORK, OUTPUT)
}

/// Compiles an expression.
///
/// # Errors
/// What to do about it.
pub(in crate::webhooks) fn compile(text: &str) -> Result<Expression, String> {
    checked(Expression::new(text).map_err(|error| error.to_string())?)
}

/// Compiles a condition, which is false where it uses what is missing.
///
/// # Errors
/// What to do about it.
pub(in crate::webhooks) fn compile_condition(text: &str) -> Result<Expression, String> {
    checked(Expression::condition(text).map_err(|error| error.to_string())?)
}

/// Why an expression could not be evaluated, in a sentence without any value.
pub(in crate::webhooks) fn reason(error: &EvaluationError, budget: &Budget) -> String {
    if budget.is_exhausted() {
        format!(
            "more work than is allowed: the events of one delivery together look at no more than {WORK} bytes and give \
             no more than {OUTPUT}"
        )
    } else {
        error.to_string()
    }
}

fn checked(expression: Expression) -> Result<Expression, String> {
    let unknown = |name: &&String| !NAMES.contains(&name.as_str());
    let Some(name) = expression.fields().iter().find(unknown) else {
        return Ok(expression);
    };
    let near = nearest(&name.to_ascii_lowercase(), NAMES.into_iter());
    let help = near.map_or_else(
        || "a text stands in quotes of its own, like \"'text'\"".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    Err(format!(
        "the name `{name}` is not known; known are {}; {help}",
        NAMES.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_when_they_are_loaded() {
        for (text, expected) in [
            ("body.type == 'x'", None),
            ("headers['x-event'] ~ type ~ received ~ item.id", None),
            (
                "bdy.type",
                Some("the name `bdy` is not known; known are body, headers, type, received, item; did you mean body?"),
            ),
            ("terminated", Some("a text stands in quotes of its own")),
            ("body.x | nosuch", Some("the filter `nosuch` is not known")),
            ("body.x ==", Some("syntax error")),
            ("", Some("syntax error")),
        ] {
            let found = compile_condition(text).err();
            match (found, expected) {
                (None, None) => {}
                (Some(found), Some(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
