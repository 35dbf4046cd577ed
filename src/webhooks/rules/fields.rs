//! A table of expressions: the fields of a profile, or the attributes of a group.

use serde_json::{Map, Value};
use toml::Table;

use super::{
    Shown,
    expression::{Evaluation, compile, reason},
    faults::Faults,
};
use crate::mapper::expressions::Expression;

/// How many expressions one table may have.
const MOST: usize = 200;

/// How deep tables may stand in each other: `olduserdata`, and an object in a field.
const DEEPEST: usize = 4;

/// A compiled table.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, Field)>);

#[derive(Debug)]
enum Field {
    One(Expression),
    Table(Fields),
}

impl Fields {
    /// Compiles a table, which stands at `at`.
    pub(super) fn read(table: &Table, at: &str, faults: &mut Faults) -> Self {
        let mut left = MOST;
        let fields = Self::read_within(table, at, DEEPEST, &mut left, faults);
        if fields.0.is_empty() {
            faults.push(
                at,
                "no field",
                "give each field its expression, like { email = \"body.data.email\" }",
            );
        }
        fields
    }

    fn read_within(table: &Table, at: &str, depth: usize, left: &mut usize, faults: &mut Faults) -> Self {
        let mut fields = Vec::new();
        for (name, value) in table {
            let at = format!("{at}.{}", name.escape_debug());
            if *left == 0 {
                faults.push(
                    &at,
                    "too many fields",
                    &format!("a table has at most {MOST} expressions"),
                );
                break;
            }
            match value {
                toml::Value::String(text) => match compile(text) {
                    Ok(expression) => fields.push((name.clone(), Field::One(expression))),
                    Err(help) => faults.expression(&at, text, &help),
                },
                toml::Value::Table(table) if depth > 1 => {
                    let table = Self::read_within(table, &at, depth - 1, left, faults);
                    fields.push((name.clone(), Field::Table(table)));
                }
                toml::Value::Table(_) => faults.push(&at, "a table", &format!("tables stand at most {DEEPEST} deep")),
                toml::Value::Integer(_)
                | toml::Value::Float(_)
                | toml::Value::Boolean(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_) => {
                    faults.push(
                        &at,
                        "no text",
                        "write an expression in quotes; a fixed text is \"'text'\", a number \"7\"",
                    );
                }
            }
            *left -= 1;
        }
        Self(fields)
    }

    /// Fills the table for one event, and shows what each expression gave. What uses a missing
    /// value is left out, and so is what gives an empty text.
    ///
    /// # Errors
    /// Which expression can't be computed, or that none gives anything.
    pub(super) fn fill(
        &self,
        at: &str,
        evaluation: &mut Evaluation<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<Map<String, Value>, String> {
        let before = shown.len();
        let filled = self.fill_within(at, evaluation, shown)?;
        if filled.is_empty() {
            let missing: Vec<_> = shown[before..]
                .iter()
                .map(|value| format!("{} ({})", value.name, value.expression))
                .collect();
            return Err(format!("{at} is empty: nothing is there for {}", missing.join(", ")));
        }
        Ok(filled)
    }

    fn fill_within(
        &self,
        at: &str,
        evaluation: &mut Evaluation<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<Map<String, Value>, String> {
        let mut filled = Map::new();
        for (name, field) in &self.0 {
            let at = format!("{at}.{name}");
            match field {
                Field::One(expression) => {
                    if let Some(value) = one(&at, expression, evaluation, shown)? {
                        filled.insert(name.clone(), value);
                    }
                }
                Field::Table(table) => {
                    let table = table.fill_within(&at, evaluation, shown)?;
                    if !table.is_empty() {
                        filled.insert(name.clone(), table.into());
                    }
                }
            }
        }
        Ok(filled)
    }
}

/// Evaluates one expression and shows what it gave; an empty text is nothing.
///
/// # Errors
/// That it can't be computed.
pub(super) fn one(
    at: &str,
    expression: &Expression,
    evaluation: &mut Evaluation<'_>,
    shown: &mut Vec<Shown>,
) -> Result<Option<Value>, String> {
    let value = expression.evaluate_in(evaluation.scope, evaluation.budget);
    let value = value.map_err(|error| reason(&error, evaluation.budget));
    let value = value.map(|value| value.filter(|value| value.as_str() != Some("")));
    let missing = || "it uses what is not there, or gives an empty text".to_owned();
    shown.push(Shown {
        name: at.to_owned(),
        expression: expression.text().to_owned(),
        value: value.clone().ok().flatten(),
        reason: match &value {
            Ok(Some(_)) => None,
            Ok(None) => Some(missing()),
            Err(reason) => Some(reason.clone()),
        },
    });
    value.map_err(|reason| format!("{at} can't be computed: {reason}"))
}
