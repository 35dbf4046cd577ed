//! `If-Then-Else`: one value or another, by a condition.
//!
//! Source: the script's page and code (<https://xsoar.pan.dev/docs/reference/scripts/if-then-else>;
//! github.com/demisto/content, `Packs/FiltersAndTransformers/Scripts/IfThenElse`). A condition is a
//! name, an operator and a name: `lhs==rhs`, `value in list rhs`. A second one may stand beside it
//! (`conditionB` over `lhsB` and `rhsB`), joined by `and` or `or`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    error::{CompileError, EvaluationError},
    json_text,
    patterns::{Flags, Pattern, Patterns},
    simple::{Run, Simple},
    tainted::{Origin, Tainted},
    transformers::PATTERN_FROM_SOURCE,
};

/// The transformer with its arguments.
#[derive(Clone, Debug)]
pub(super) struct IfThenElse {
    first: Condition,
    second: Option<(Connective, Condition)>,
    then: Branch,
    otherwise: Branch,
}

/// How two conditions are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connective {
    And,
    Or,
}

#[derive(Clone, Debug)]
struct Condition {
    left: Operand,
    comparison: Comparison,
    right: Operand,
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Operand {
    /// The value that came in.
    Value,
    /// An argument.
    Argument(Simple),
}

#[derive(Clone, Debug)]
enum Comparison {
    /// `===`: same type and value.
    Same { negated: bool },
    /// `==`: the same as texts, null being empty.
    Equal { negated: bool },
    /// `<`, `<=`, `>`, `>=`: as numbers where one side is a number, else as texts.
    Ordered { accepted: &'static [Ordering] },
    /// `=~`, with its pattern.
    Match(Pattern),
    /// `in list`.
    InList { negated: bool },
}

#[derive(Clone, Debug)]
struct Branch {
    value: Simple,
    kind: BranchKind,
}

/// `input_data_type` of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BranchKind {
    /// The argument.
    Raw,
    /// The value that came in.
    Value,
    /// The argument, parsed as JSON.
    Json,
}

impl IfThenElse {
    /// The transformer out of its arguments.
    ///
    /// # Errors
    /// When a condition or an option can't be used.
    pub(super) fn new(take: &mut impl FnMut(&str) -> Simple, patterns: &mut Patterns) -> Result<Self, CompileError> {
        let options = Options::parse(&take("options"), "options")?;
        let (lhs, rhs, equals) = (take("lhs"), take("rhs"), take("equals"));
        let names = [("lhs", &lhs), ("rhs", &rhs), ("equals", &equals)];
        // Left empty it reads `value==equals`; the argument was called `equals` before it was
        // called `rhs`.
        let default = if equals == Simple::Nothing {
            "value==rhs"
        } else {
            "value==equals"
        };
        let first = Condition::parse(&take("condition"), default, &names, &options, patterns)?;
        let (lhs_b, rhs_b) = (take("lhsB"), take("rhsB"));
        let (condition_b, options_b, between) = (take("conditionB"), take("optionsB"), take("conditionInBetween"));
        let second = if lhs_b == Simple::Nothing && condition_b == Simple::Nothing {
            None
        } else {
            let connective = match between.literal().map(str::trim) {
                None | Some("" | "and") => Connective::And,
                Some("or") => Connective::Or,
                Some(_) => return Err("`conditionInBetween` is `and` or `or`".into()),
            };
            let names = [("lhsB", &lhs_b), ("rhsB", &rhs_b)];
            let options = Options::parse(&options_b, "optionsB")?;
            Some((
                connective,
                Condition::parse(&condition_b, "lhsB==rhsB", &names, &options, patterns)?,
            ))
        };
        Ok(Self {
            first,
            second,
            then: Branch {
                value: take("then"),
                kind: options.then,
            },
            otherwise: Branch {
                value: take("else"),
                kind: options.otherwise,
            },
        })
    }

    /// Evaluates the conditions and gives one branch or the other; `None` when it is absent.
    ///
    /// # Errors
    /// When a value can't be compared, or the work grows beyond its bound.
    pub(super) fn apply<'a>(
        &'a self,
        value: Tainted<'a>,
        run: &mut Run<'a>,
    ) -> Result<Option<Tainted<'a>>, EvaluationError> {
        let mut holds = self.first.holds(&value, run)?;
        if let Some((connective, second)) = &self.second {
            let other = second.holds(&value, run)?;
            holds = match connective {
                Connective::And => holds && other,
                Connective::Or => holds || other,
            };
        }
        let branch = if holds { &self.then } else { &self.otherwise };
        match branch.kind {
            BranchKind::Value => Ok(Some(value)),
            BranchKind::Raw => branch.value.resolve(run),
            BranchKind::Json => {
                let text = branch.value.text(run)?;
                Ok(json_text::parse(&text)?
                    .value
                    .map(|value| Tainted::with_origin(value, Origin::Mixed)))
            }
        }
    }
}

/// The flags of `options`.
#[derive(Clone, Copy)]
struct Options {
    ignore_case: bool,
    dot_all: bool,
    multi_line: bool,
    full_match: bool,
    then: BranchKind,
    otherwise: BranchKind,
}

impl Options {
    fn parse(options: &Simple, name: &str) -> Result<Self, CompileError> {
        let mut parsed = Self {
            ignore_case: false,
            dot_all: false,
            multi_line: false,
            full_match: false,
            then: BranchKind::Raw,
            otherwise: BranchKind::Raw,
        };
        let text = match options {
            Simple::Nothing => return Ok(parsed),
            Simple::Literal(text) => text,
            Simple::Path(_) | Simple::Text(_) => return Err(format!("`{name}` must be written in the mapper").into()),
        };
        for flag in text.split(',').map(str::trim).filter(|flag| !flag.is_empty()) {
            match flag {
                "case_insensitive" => parsed.ignore_case = true,
                "regex_dot_all" => parsed.dot_all = true,
                "regex_multiline" => parsed.multi_line = true,
                "regex_full_match" => parsed.full_match = true,
                "input_data_type:then=value" => parsed.then = BranchKind::Value,
                "input_data_type:then=json" => parsed.then = BranchKind::Json,
                "input_data_type:then=raw" => parsed.then = BranchKind::Raw,
                "input_data_type:else=value" => parsed.otherwise = BranchKind::Value,
                "input_data_type:else=json" => parsed.otherwise = BranchKind::Json,
                "input_data_type:else=raw" => parsed.otherwise = BranchKind::Raw,
                _ => return Err(format!("`{name}` has an option that is not known here: {flag}").into()),
            }
        }
        Ok(parsed)
    }
}

impl Condition {
    fn parse(
        condition: &Simple,
        default: &str,
        names: &[(&str, &Simple)],
        options: &Options,
        patterns: &mut Patterns,
    ) -> Result<Self, CompileError> {
        let text = match condition {
            Simple::Nothing => default,
            Simple::Literal(text) if text.trim().is_empty() => default,
            Simple::Literal(text) => text.trim(),
            Simple::Path(_) | Simple::Text(_) => return Err("a condition must be written in the mapper".into()),
        };
        let wrong = || {
            CompileError::from(format!(
                "a condition is a name, an operator and a name, like lhs==rhs; found {text}"
            ))
        };
        let operand = |name: &str| match name {
            "value" => Some(Operand::Value),
            name => names
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, argument)| Operand::Argument((*argument).clone())),
        };
        let is_letter = |character: char| character.is_ascii_alphanumeric();
        let left_end = text.find(|character| !is_letter(character)).ok_or_else(wrong)?;
        let right_start = text.rfind(|character| !is_letter(character)).ok_or_else(wrong)? + 1;
        let left = operand(&text[..left_end]).ok_or_else(wrong)?;
        let right = operand(&text[right_start..]).ok_or_else(wrong)?;
        let comparison = match text[left_end..right_start].trim() {
            "===" => Comparison::Same { negated: false },
            "!==" => Comparison::Same { negated: true },
            "==" => Comparison::Equal { negated: false },
            "!=" => Comparison::Equal { negated: true },
            "<" => Comparison::Ordered {
                accepted: &[Ordering::Less],
            },
            "<=" => Comparison::Ordered {
                accepted: &[Ordering::Less, Ordering::Equal],
            },
            ">" => Comparison::Ordered {
                accepted: &[Ordering::Greater],
            },
            ">=" => Comparison::Ordered {
                accepted: &[Ordering::Greater, Ordering::Equal],
            },
            "in list" => Comparison::InList { negated: false },
            "not in list" => Comparison::InList { negated: true },
            "=~" => {
                let Operand::Argument(Simple::Literal(pattern)) = &right else {
                    return Err(PATTERN_FROM_SOURCE.into());
                };
                let flags = Flags {
                    ignore_case: options.ignore_case,
                    dot_all: options.dot_all,
                    multi_line: options.multi_line,
                    whole: options.full_match,
                };
                Comparison::Match(patterns.compile(pattern, flags)?)
            }
            _ => return Err(wrong()),
        };
        Ok(Self {
            left,
            comparison,
            right,
            ignore_case: options.ignore_case,
        })
    }

    fn holds<'a>(&'a self, value: &Tainted<'a>, run: &mut Run<'a>) -> Result<bool, EvaluationError> {
        let mut side = |operand: &'a Operand| -> Result<Value, EvaluationError> {
            let side = match operand {
                Operand::Value => value.to_value(),
                Operand::Argument(simple) => simple.resolve(run)?.map(Tainted::into_value).unwrap_or_default(),
            };
            run.budget.charge(super::tainted::weight(&side))?;
            Ok(match side {
                Value::String(text) if self.ignore_case => Value::String(text.to_lowercase()),
                other => other,
            })
        };
        let (left, right) = (side(&self.left)?, side(&self.right)?);
        Ok(match &self.comparison {
            Comparison::Same { negated } => (left == right) != *negated,
            Comparison::Equal { negated } => (as_text(&left) == as_text(&right)) != *negated,
            Comparison::Ordered { accepted } => ordering(&left, &right).is_some_and(|order| accepted.contains(&order)),
            Comparison::InList { negated } => {
                let left = as_text(&left);
                let found = match &right {
                    Value::Array(items) => items.iter().any(|item| as_text(item) == left),
                    other => as_text(other).split(',').any(|item| item.trim() == left),
                };
                found != *negated
            }
            // The pattern folds case itself, so the text may be in lower case already.
            Comparison::Match(pattern) => {
                let text = as_text(&left);
                pattern.charge(text.len(), &mut run.budget)?;
                pattern.is_match(&text)
            }
        })
    }
}

/// A value as a text, null being empty.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn ordering(left: &Value, right: &Value) -> Option<Ordering> {
    if left.is_number() || right.is_number() {
        let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        return number(left)?.partial_cmp(&number(right)?);
    }
    Some(as_text(left).cmp(&as_text(right)))
}
