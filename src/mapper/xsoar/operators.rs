//! The filters and transformers of an export, each with its operands.

use serde_json::Value;

use super::Reader;
use crate::mapper::{
    filters::{self, Left, Operator, Test},
    patterns::Flags,
    rule,
    simple::{self, Simple},
    transformers::{self, Arguments, Step, Transformer},
};

/// The form of an operand, for messages about one in another.
const WRAPPED: &str = "an argument is {\"isContext\": …, \"value\": {\"simple\": \"…\"}}";

impl Reader<'_> {
    pub(super) fn test(&mut self, root: &Simple, test: &Value, place: &str) -> Option<Test> {
        let Some(object) = test.as_object() else {
            self.findings.error(place, "a filter is an object");
            return None;
        };
        let written = self.text(object, "operator", place)?;
        let place = format!("{place} ({written})");
        let Some(&(name, operator)) = filters::OPERATORS
            .iter()
            .find(|(name, _)| *name == without_group(written))
        else {
            let known = filters::OPERATORS.map(|(name, _)| name).join(", ");
            self.findings.error(
                place,
                format!("the operator `{written}` is not known; known are {known}"),
            );
            return None;
        };
        self.unknown_keys(
            object,
            &[
                "operator",
                "left",
                "right",
                "ignoreCase",
                "ignorecase",
                "leftValue",
                "rightValue",
                "type",
            ],
            &place,
        );
        // The left side is a path, whether it says that it is one or not.
        let left = match object.get("left") {
            Some(left) => self.operand(left, Some(true), &place)?,
            None => Simple::Nothing,
        };
        if left == Simple::Nothing {
            self.findings.warning(&place, "has no left side; nothing is compared");
        }
        let needs_right = match operator {
            Operator::Empty | Operator::NotEmpty | Operator::Exists | Operator::True | Operator::False => false,
            Operator::Equal
            | Operator::NotEqual
            | Operator::Contains
            | Operator::ContainsGeneral
            | Operator::StartsWith
            | Operator::EndsWith
            | Operator::Match
            | Operator::InList
            | Operator::HasLength => true,
        };
        let right = match object.get("right") {
            Some(right) => self.operand(right, None, &place)?,
            None => Simple::Nothing,
        };
        if needs_right && right == Simple::Nothing {
            self.findings
                .warning(&place, "has no right side; it is taken for an empty text");
        }
        let mut ignore_case = false;
        for key in ["ignoreCase", "ignorecase"] {
            match object.get(key) {
                Some(Value::Bool(flag)) => ignore_case |= flag,
                None | Some(Value::Null) => {}
                Some(_) => self.findings.warning(
                    &place,
                    format!("`{key}` is neither true nor false; it is taken for false"),
                ),
            }
        }
        let pattern = match (operator, &right) {
            (Operator::Match, Simple::Literal(pattern)) => {
                let flags = Flags {
                    ignore_case,
                    ..Flags::default()
                };
                let compiled = self.patterns.compile(pattern, flags);
                Some(self.ok_or_report(compiled, &place)?)
            }
            (Operator::Match, Simple::Path(_) | Simple::Text(_)) => {
                self.findings.error(place, transformers::PATTERN_FROM_SOURCE);
                return None;
            }
            (Operator::HasLength, Simple::Literal(length)) if length.trim().parse::<usize>().is_err() => {
                self.findings
                    .error(place, "the right side must be a whole number from 0");
                return None;
            }
            _ => None,
        };
        let left = rule::resolve_left(root, left);
        if matches!(left, Left::Elsewhere(_)) {
            self.findings.warning(
                &place,
                "its left side does not lead through the root; it is the same for every element",
            );
        }
        Some(Test {
            name,
            operator,
            left,
            right,
            ignore_case,
            pattern,
        })
    }

    pub(super) fn transformer(&mut self, transformer: &Value, place: &str) -> Option<Transformer> {
        let Some(object) = transformer.as_object() else {
            self.findings.error(place, "a transformer is an object");
            return None;
        };
        let written = self.text(object, "operator", place)?;
        let place = format!("{place} ({written})");
        let Some(&(name, taken)) = transformers::OPERATORS
            .iter()
            .find(|(name, _)| *name == without_group(written))
        else {
            let known = transformers::OPERATORS.map(|(name, _)| name).join(", ");
            self.findings.error(
                place,
                format!("the operator `{written}` is not known; known are {known}"),
            );
            return None;
        };
        self.unknown_keys(object, &["operator", "args"], &place);
        let mut arguments = Arguments::new();
        match object.get("args") {
            Some(Value::Object(args)) => {
                for (argument, value) in args {
                    // A script's own argument `value` is the step's input.
                    if argument == "value" {
                        continue;
                    }
                    if !taken.contains(&argument.as_str()) {
                        let known = match taken {
                            [] => "it takes none".to_owned(),
                            taken => format!("it takes {}", taken.join(", ")),
                        };
                        self.findings
                            .warning(&place, format!("takes no argument `{argument}`; ignored, {known}"));
                        continue;
                    }
                    let parsed = self.operand(value, None, &format!("{place} › {argument}"))?;
                    if parsed != Simple::Nothing {
                        arguments.insert(argument.clone(), parsed);
                    }
                }
            }
            Some(args) if !args.is_null() && args.as_array().is_none_or(|list| !list.is_empty()) => {
                self.findings
                    .error(place, "`args` is not an object of arguments by their names");
                return None;
            }
            _ if taken.is_empty() => self.findings.note(&place, "has no `args`; it takes none"),
            _ => self
                .findings
                .warning(&place, "has no `args`; every argument is taken for absent"),
        }
        let compiled = Transformer::new(name, arguments, &mut self.patterns);
        let transformer = self.ok_or_report(compiled, &place)?;
        if let Step::GetField {
            field: Simple::Path(path),
        } = &transformer.step
        {
            self.warn_all(simple::warnings_in_path(path), &place);
        }
        Some(transformer)
    }

    /// An operand: `{isContext, value: {simple} | null}`. Null is absent. A scalar that is not
    /// wrapped, or no text, is taken for its text and doubted; a list or an object in place of a
    /// text is refused, since its meaning can't be known.
    fn operand(&mut self, operand: &Value, is_context: Option<bool>, place: &str) -> Option<Simple> {
        let mut says_context = false;
        let value = match operand {
            Value::Object(object) => {
                self.unknown_keys(object, &["isContext", "iscontext", "value"], place);
                for key in ["isContext", "iscontext"] {
                    match object.get(key) {
                        Some(Value::Bool(flag)) => says_context |= flag,
                        None | Some(Value::Null) => {}
                        Some(_) => self.findings.warning(
                            place,
                            format!("`{key}` is neither true nor false; it is taken for false"),
                        ),
                    }
                }
                let value = object.get("value");
                if value.is_none() {
                    self.findings
                        .warning(place, format!("has no `value`; it is taken for absent. {WRAPPED}"));
                }
                value.unwrap_or(&Value::Null)
            }
            Value::String(_) | Value::Bool(_) | Value::Number(_) => {
                self.findings
                    .warning(place, format!("is not wrapped; it is taken as it stands. {WRAPPED}"));
                operand
            }
            Value::Null | Value::Array(_) => operand,
        };
        let value = match value {
            Value::Object(object) if object.get("complex").is_some_and(|complex| !complex.is_null()) => {
                self.findings.error(
                    place,
                    "an argument with filters and transformers of its own is not taken here",
                );
                return None;
            }
            Value::Object(object) => {
                self.unknown_keys(object, &["simple", "complex"], place);
                let simple = object.get("simple");
                if simple.is_none() {
                    self.findings
                        .warning(place, format!("has no `simple`; it is taken for absent. {WRAPPED}"));
                }
                simple.unwrap_or(&Value::Null)
            }
            value => value,
        };
        let text = match value {
            Value::Null => return Some(Simple::Nothing),
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => {
                self.findings
                    .warning(place, format!("is no text; `{value}` is taken for one"));
                value.to_string()
            }
            Value::Array(_) | Value::Object(_) => {
                self.findings.error(place, format!("must be a text. {WRAPPED}"));
                return None;
            }
        };
        if is_context.unwrap_or(says_context) {
            return self.source(&text, place);
        }
        let parsed = self.ok_or_report(Simple::parse_argument(&text), place)?;
        self.record_paths(&parsed);
        self.warn_all(simple::warnings_in_argument(&parsed), place);
        Some(parsed)
    }
}

/// An operator's name without its group: `string.concat`, `general.uniq`.
fn without_group(operator: &str) -> &str {
    operator.rsplit('.').next().unwrap_or(operator)
}
