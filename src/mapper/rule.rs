//! The form that every mapping is compiled into, whichever way it was written: targets, each with
//! the rule that fills it.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::{
    bounds::MAX_TEXT,
    error::EvaluationError,
    expressions::Expression,
    filters::{self, Left, Test},
    json_text,
    path::Path,
    simple::{Run, Simple, Source, Trace},
    tainted::{Origin, Tainted, Text, is_empty_value, weight},
    target::{Output, Target},
    transformers::{Step, Transformer},
};
use crate::{diagnostic::Diagnostic, scim::Object};

/// Why a target is left out whose source has no value.
const MISSING: &str = "its source is missing";

/// A mapping of one type.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    pub(super) fields: Vec<Field>,
}

/// A target with its rule.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) target: Target,
    pub(super) rule: Rule,
    /// For each attribute, or part of one, the source's field that fills it, as far as that is
    /// known at load.
    pub(super) sources: Vec<(String, String)>,
    /// Of those, the values of a glued JSON: each part with the one field that fills it.
    pub(super) parts: Vec<(String, String)>,
    /// Every field of the source that the rule reads.
    pub(super) reads: BTreeSet<String>,
}

/// How a target is filled.
#[derive(Debug)]
pub(super) enum Rule {
    /// The value at a path, or a text.
    Simple(Simple),
    /// Root, filters, accessor, transformers.
    Complex(Complex),
    /// An expression.
    Expression(Box<Expression>),
}

/// The four stages of an export's `complex`.
#[derive(Debug)]
pub(super) struct Complex {
    pub(super) root: Simple,
    pub(super) filters: Vec<Vec<Test>>,
    pub(super) accessor: Option<Path>,
    pub(super) transformers: Vec<Transformer>,
}

/// The result of evaluating a target's rule.
#[derive(Debug, PartialEq)]
pub(super) enum Evaluation {
    /// A value.
    Value(Value),
    /// No value, and the reason.
    Skipped(&'static str),
    /// The rule failed.
    Failed(EvaluationError),
}

/// One target's evaluation with its trace.
#[derive(Debug)]
pub(super) struct TraceEntry {
    pub(super) evaluation: Evaluation,
    pub(super) trace: Trace,
    /// Parts of the value that its place does not know; they were dropped.
    pub(super) dropped: Vec<String>,
}

impl Mapping {
    /// Fills every target for which the source has a value.
    pub(super) fn apply(&self, source: Source<'_>) -> (Object, Vec<Diagnostic>) {
        let (mut output, mut faults) = (Output::default(), Vec::new());
        let mut run = Run::new(source, false);
        for field in &self.fields {
            match field.rule.evaluate(&mut run) {
                Evaluation::Value(mut value) => {
                    field.target.drop_unknown_parts(&mut value);
                    if !is_empty_value(&value) {
                        output.insert(&field.target, value);
                    }
                }
                Evaluation::Skipped(_) => {}
                Evaluation::Failed(error) => {
                    let help = "mend the source or the mapper; `aws-ilm mapper explain` shows each step";
                    faults.push(Diagnostic::error(field.target.dotted(), error.to_string(), help));
                }
            }
            // A reached bound is reported once: every target behind it would report it again.
            if run.budget.is_exhausted() {
                break;
            }
        }
        (output.into_object(), faults)
    }

    /// Evaluates as [`Self::apply`] does, with each target's trace.
    pub(super) fn explain<'a>(&'a self, source: Source<'a>) -> Vec<(&'a Field, TraceEntry)> {
        let mut run = Run::new(source, true);
        let explain = |field: &'a Field| {
            let mut evaluation = field.rule.evaluate(&mut run);
            let mut dropped = Vec::new();
            if let Evaluation::Value(value) = &mut evaluation {
                dropped = field.target.drop_unknown_parts(value);
                if is_empty_value(value) {
                    evaluation = Evaluation::Skipped("nothing is left of the value");
                }
            }
            (
                field,
                TraceEntry {
                    evaluation,
                    trace: run.take_trace(),
                    dropped,
                },
            )
        };
        self.fields.iter().map(explain).collect()
    }
}

impl Field {
    /// A target with its rule, which reads these fields.
    pub(super) fn new(target: Target, rule: Rule, reads: BTreeSet<String>) -> Self {
        let parts = rule.parts(&target.dotted());
        let mut sources = parts.clone();
        sources.extend(rule.first_field().map(|field| (target.dotted(), field)));
        Self {
            target,
            rule,
            sources,
            parts,
            reads,
        }
    }
}

impl Rule {
    fn evaluate<'a>(&'a self, run: &mut Run<'a>) -> Evaluation {
        let found: Result<Result<Value, &'static str>, EvaluationError> = match self {
            Self::Simple(simple) => simple
                .resolve(run)
                .map(|found| found.map(Tainted::into_value).ok_or(MISSING)),
            Self::Complex(complex) => complex.evaluate(run).map(|found| found.map(Tainted::into_value)),
            Self::Expression(expression) => {
                let source = run.source;
                if run.trace.is_some() {
                    for name in expression.fields() {
                        let found = source.field(name).ok().flatten();
                        run.record_read(name, found.filter(|value| !value.is_null()));
                    }
                }
                let value =
                    expression.evaluate_within(|name| source.field(name), source.lookup_cost(), &mut run.budget);
                value.map(|value| value.ok_or(MISSING))
            }
        };
        let value = match found {
            Ok(Err(reason)) => return Evaluation::Skipped(reason),
            Ok(Ok(value)) if is_empty_value(&value) => return Evaluation::Skipped("its value is empty"),
            Ok(Ok(value)) => value,
            Err(error) => return Evaluation::Failed(error),
        };
        let size = weight(&value);
        if size > MAX_TEXT {
            return Evaluation::Failed(format!("gives more than {MAX_TEXT} bytes").into());
        }
        let checked = json_text::check_depth(&value, super::bounds::MAX_DEPTH)
            .and_then(|()| run.budget.charge(size))
            .and_then(|()| run.budget.charge_output(size));
        match checked {
            Ok(()) => Evaluation::Value(value),
            Err(error) => Evaluation::Failed(error),
        }
    }

    /// The paths that it reads.
    pub(super) fn paths(&self) -> Vec<&str> {
        match self {
            Self::Simple(simple) => simple.paths().into_iter().map(|path| path.text.as_str()).collect(),
            Self::Complex(complex) => complex
                .root
                .paths()
                .into_iter()
                .map(|path| path.text.as_str())
                .collect(),
            Self::Expression(expression) => expression.fields().iter().map(String::as_str).collect(),
        }
    }

    /// The source's field that it reads first.
    fn first_field(&self) -> Option<String> {
        let first_key = |simple: &Simple| simple.paths().first().map(|path| path.first_key().to_owned());
        match self {
            Self::Simple(simple) => first_key(simple),
            Self::Complex(complex) => first_key(&complex.root),
            Self::Expression(expression) => expression.fields().first().cloned(),
        }
    }

    /// The source's field of each part of a glued JSON, as far as that is known at load.
    fn parts(&self, target: &str) -> Vec<(String, String)> {
        let mut parts = Vec::new();
        if let Self::Complex(complex) = self
            && let Some(text) = complex.template(complex.transformers.len().saturating_sub(1))
            && let Some(Step::ParseJson) = complex.transformers.last().map(|last| &last.step)
            && let Ok(parsed) = json_text::parse(&text)
        {
            // The values of the model are the names of their own fields.
            let of_source = text.parts.iter().filter(|part| part.origin == Origin::Source);
            let fields: HashSet<&str> = of_source.map(|part| part.text.as_ref()).collect();
            collect_sources(target, &parsed.value.unwrap_or_default(), &fields, &mut parts);
        }
        parts
    }
}

/// The texts of a value that are a field's name, with the way to each.
fn collect_sources(at: &str, value: &Value, fields: &HashSet<&str>, sources: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => {
            if fields.contains(text.as_str()) {
                sources.push((at.to_owned(), text.clone()));
            }
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect_sources(at, element, fields, sources)),
        Value::Object(object) => object
            .iter()
            .for_each(|(key, value)| collect_sources(&format!("{at}.{key}"), value, fields, sources)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Complex {
    /// Evaluates the four stages; the inner error is the reason for leaving the target out.
    fn evaluate<'a>(&'a self, run: &mut Run<'a>) -> Result<Result<Tainted<'a>, &'static str>, EvaluationError> {
        let Some(root) = self.root.resolve(run)? else {
            return Ok(Err(MISSING));
        };
        let mut value = root;
        if !self.filters.is_empty() {
            let before = run.snapshot(&value);
            let passed = filters::apply(value, &self.filters, run)?;
            run.record_step("filters", before, passed.as_ref());
            match passed {
                Some(passed) => value = passed,
                None => return Ok(Err("nothing passed its filters")),
            }
        }
        if let Some(accessor) = &self.accessor {
            let before = run.snapshot(&value);
            let whole = value.into_value();
            let found = accessor.walk(0, &whole, &mut run.budget)?;
            let found = found.map(|found| Tainted::with_origin(found.into_owned(), Origin::Source));
            run.record_step(&accessor.text, before, found.as_ref());
            match found {
                Some(found) => value = found,
                None => return Ok(Err("there is nothing at its accessor")),
            }
        }
        for transformer in &self.transformers {
            let before = run.snapshot(&value);
            let done = transformer
                .apply(value, run)
                .map_err(|problem| format!("{}: {problem}", transformer.name))?;
            run.record_step(transformer.name, before, done.as_ref());
            match done {
                Some(done) => value = done,
                None => return Ok(Err("nothing came of its transformers")),
            }
        }
        Ok(Ok(value))
    }

    /// The text that the first `steps` transformers concatenate, with the name of its field in
    /// place of each value; `None` where they do more than that.
    pub(super) fn template(&self, steps: usize) -> Option<Text<'_>> {
        let mut text = placeholders(&self.root)?;
        if !self.filters.is_empty() {
            return None;
        }
        for transformer in self.transformers.get(..steps)? {
            let Step::Concat { prefix, suffix } = &transformer.step else {
                return None;
            };
            let mut template = placeholders(prefix)?;
            template.push(text);
            template.push(placeholders(suffix)?);
            text = template;
        }
        Some(text)
    }
}

/// A text with the name of its field in place of each value.
fn placeholders(simple: &Simple) -> Option<Text<'_>> {
    use super::simple::Piece;
    let field = |path: &Path| Text::new(path.first_key().to_owned(), Origin::Source);
    Some(match simple {
        Simple::Nothing => Text::default(),
        Simple::Literal(text) => Text::new(text.as_str(), Origin::Mapper),
        Simple::Path(path) => field(path),
        Simple::Text(pieces) => {
            let mut text = Text::default();
            for piece in pieces {
                match piece {
                    Piece::Literal(literal) => text.push(Text::new(literal.as_str(), Origin::Mapper)),
                    Piece::Path(path) => text.push(field(path)),
                }
            }
            text
        }
    })
}

/// Resolves a test's left side against the root of its filters: behind the root's own segments, the
/// path leads into the element.
pub(super) fn resolve_left(root: &Simple, left: Simple) -> Left {
    if let (Simple::Path(root), Simple::Path(path)) = (root, &left)
        && path.segments.starts_with(&root.segments)
    {
        return Left::Element(path.clone(), root.segments.len());
    }
    Left::Elsewhere(left)
}
