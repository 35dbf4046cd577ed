//! `If-Then-Else`: one value or another, by a condition.
//!
//! Source: the script's page and code (<https://xsoar.pan.dev/docs/reference/scripts/if-then-else>;
//! github.com/demisto/content, `Packs/FiltersAndTransformers/Scripts/IfThenElse`). A condition is a
//! name, an operator and a name: `lhs==rhs`, `value in list rhs`. A second one may stand beside it
//! (`conditionB` over `lhsB` and `rhsB`), joined by `and` or `or`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    json_text,
    patterns::{Flags, Pattern, Patterns},
    simple::{Run, Simple},
    tainted::{Origin, Tainted},
    transformers::REGEX_OF_THE_SOURCE,
};

/// The transformer with its arguments.
#[derive(Clone, Debug)]
pub(super) struct IfThenElse {
    first: Condition,
    second: Option<(Joined, Condition)>,
    then: Answer,
    otherwise: Answer,
}

/// How two conditions are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
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
struct Answer {
    value: Simple,
    kind: AnswerKind,
}

/// `input_data_type` of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerKind {
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
    pub(super) fn new(take: &mut impl FnMut(&str) -> Simple, patterns: &mut Patterns) -> Result<Self, String> {
        let options = Options::read(&take("options"), "options")?;
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
            let joined = match between.literal().map(str::trim) {
                None | Some("" | "and") => Joined::And,
                Some("or") => Joined::Or,
                Some(_) => return Err("`conditionInBetween` is `and` or `or`".to_owned()),
            };
            let names = [("lhsB", &lhs_b), ("rhsB", &rhs_b)];
            let options = Options::read(&options_b, "optionsB")?;
            Some((
                joined,
                Condition::parse(&condition_b, "lhsB==rhsB", &names, &options, patterns)?,
            ))
        };
        Ok(Self {
            first,
            second,
            then: Answer {
                value: take("then"),
                kind: options.then,
            },
            otherwise: Answer {
                value: take("else"),
                kind: options.otherwise,
            },
        })
    }

    /// One answer or the other; `None` when it is absent.
    ///
    /// # Errors
    /// When a value can't be compared, or the work grows beyond its bound.
    pub(super) fn apply<'a>(&'a self, value: Tainted<'a>, run: &mut Run<'a>) -> Result<Option<Tainted<'a>>, String> {
        let mut holds = self.first.holds(&value, run)?;
        if let Some((joined, second)) = &self.second {
            let other = second.holds(&value, run)?;
            holds = match joined {
                Joined::And => holds && other,
                Joined::Or => holds || other,
            };
        }
        let answer = if holds { &self.then } else { &self.otherwise };
        match answer.kind {
            AnswerKind::Value => Ok(Some(value)),
            AnswerKind::Raw => answer.value.resolve(run),
            AnswerKind::Json => {
                let text = answer.value.text(run)?;
                Ok(json_text::parse(&text)?
                    .value
                    .map(|value| Tainted::made(value, Origin::Mixed)))
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
    then: AnswerKind,
    otherwise: AnswerKind,
}

impl Options {
    fn read(options: &Simple, name: &str) -> Result<Self, String> {
        let mut read = Self {
            ignore_case: false,
            dot_all: false,
            multi_line: false,
            full_match: false,
            then: AnswerKind::Raw,
            otherwise: AnswerKind::Raw,
        };
        let text = match options {
            Simple::Nothing => return Ok(read),
            Simple::Literal(text) => text,
            Simple::Path(_) | Simple::Text(_) => return Err(format!("`{name}` must be written in the mapper")),
        };
        for flag in text.split(',').map(str::trim).filter(|flag| !flag.is_empty()) {
            match flag {
                "case_insensitive" => read.ignore_case = true,
                "regex_dot_all" => read.dot_all = true,
                "regex_multiline" => read.multi_line = true,
                "regex_full_match" => read.full_match = true,
                "input_data_type:then=value" => read.then = AnswerKind::Value,
                "input_data_type:then=json" => read.then = AnswerKind::Json,
                "input_data_type:then=raw" => read.then = AnswerKind::Raw,
                "input_data_type:else=value" => read.otherwise = AnswerKind::Value,
                "input_data_type:else=json" => read.otherwise = AnswerKind::Json,
                "input_data_type:else=raw" => read.otherwise = AnswerKind::Raw,
                _ => return Err(format!("`{name}` has an option that is not known here: {flag}")),
            }
        }
        Ok(read)
    }
}

impl Condition {
    fn parse(
        condition: &Simple,
        default: &str,
        names: &[(&str, &Simple)],
        options: &Options,
        patterns: &mut Patterns,
    ) -> Result<Self, String> {
        let text = match condition {
            Simple::Nothing => default,
            Simple::Literal(text) if text.trim().is_empty() => default,
            Simple::Literal(text) => text.trim(),
            Simple::Path(_) | Simple::Text(_) => return Err("a condition must be written in the mapper".to_owned()),
        };
        let wrong = || format!("a condition is a name, an operator and a name, like lhs==rhs; found {text}");
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
                    return Err(REGEX_OF_THE_SOURCE.to_owned());
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

    fn holds<'a>(&'a self, value: &Tainted<'a>, run: &mut Run<'a>) -> Result<bool, String> {
        let mut side = |operand: &'a Operand| -> Result<Value, String> {
            let side = match operand {
                Operand::Value => value.to_value(),
                Operand::Argument(simple) => simple.resolve(run)?.map(Tainted::into_value).unwrap_or_default(),
            };
            run.work.take(super::tainted::weight(&side))?;
            Ok(match side {
                Value::String(text) if self.ignore_case => Value::String(text.to_lowercase()),
                other => other,
            })
        };
        let (left, right) = (side(&self.left)?, side(&self.right)?);
        Ok(match &self.comparison {
            Comparison::Same { negated } => (left == right) != *negated,
            Comparison::Equal { negated } => (shown(&left) == shown(&right)) != *negated,
            Comparison::Ordered { accepted } => ordering(&left, &right).is_some_and(|order| accepted.contains(&order)),
            Comparison::InList { negated } => {
                let left = shown(&left);
                let found = match &right {
                    Value::Array(items) => items.iter().any(|item| shown(item) == left),
                    other => shown(other).split(',').any(|item| item.trim() == left),
                };
                found != *negated
            }
            // The pattern folds case itself, so the text may be in lower case already.
            Comparison::Match(pattern) => {
                let text = shown(&left);
                pattern.charge(text.len(), &mut run.work)?;
                pattern.is_match(&text)
            }
        })
    }
}

/// A value as a text, null being empty.
fn shown(value: &Value) -> String {
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
    Some(shown(left).cmp(&shown(right)))
}
