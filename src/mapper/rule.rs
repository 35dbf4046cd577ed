//! The form that every mapping is compiled into, whichever way it was written: targets, each with
//! the rule that fills it.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    bounds::MAX_TEXT,
    expressions::Expression,
    filters::{self, Left, Test},
    json_text,
    path::Path,
    simple::{Run, Simple, Source, Trace},
    tainted::{Origin, Tainted, Text, is_nothing, weight},
    target::{Filled, Target},
    transformers::{Step, Transformer},
};
use crate::{diagnostic::Diagnostic, scim::Object};

/// Why a target is left out whose source has nothing for it.
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
    /// Which attribute or part of it which field of the source fills, as far as that is known at
    /// load.
    pub(super) filled: Vec<(String, String)>,
}

/// How a target is filled.
#[derive(Debug)]
pub(super) enum Rule {
    /// What is at a path, or a text.
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

/// What came of a target.
#[derive(Debug, PartialEq)]
pub(super) enum Evaluation {
    /// A value.
    Value(Value),
    /// Nothing, and why.
    LeftOut(&'static str),
    /// It could not be done: why.
    Refused(String),
}

/// One target's outcome with how it came about.
#[derive(Debug)]
pub(super) struct TraceEntry {
    pub(super) came: Evaluation,
    pub(super) trace: Trace,
    /// Parts of the value that its place does not know.
    pub(super) dropped: Vec<String>,
}

impl Mapping {
    /// Fills every target that the source has something for.
    pub(super) fn apply(&self, source: Source<'_>) -> (Object, Vec<Diagnostic>) {
        let (mut filled, mut faults) = (Filled::default(), Vec::new());
        let mut run = Run::new(source, false);
        for field in &self.fields {
            match field.rule.evaluate(&mut run) {
                Evaluation::Value(mut value) => {
                    field.target.fit(&mut value);
                    if !is_nothing(&value) {
                        filled.put(&field.target, value);
                    }
                }
                Evaluation::LeftOut(_) => {}
                Evaluation::Refused(rule) => {
                    let help = "mend the source or the mapper; `aws-ilm mapper explain` shows each step";
                    faults.push(Diagnostic::error(field.target.dotted(), rule, help));
                }
            }
            // What reached a bound is told once, and not by every target behind it.
            if run.work.is_spent() {
                break;
            }
        }
        (filled.into_object(), faults)
    }

    /// As [`Self::apply`], with how each target came about.
    pub(super) fn explain<'a>(&'a self, source: Source<'a>) -> Vec<(&'a Field, TraceEntry)> {
        let mut run = Run::new(source, true);
        let explain = |field: &'a Field| {
            let mut came = field.rule.evaluate(&mut run);
            let mut dropped = Vec::new();
            if let Evaluation::Value(value) = &mut came {
                dropped = field.target.fit(value);
                if is_nothing(value) {
                    came = Evaluation::LeftOut("nothing is left of the value");
                }
            }
            (
                field,
                TraceEntry {
                    came,
                    trace: run.told(),
                    dropped,
                },
            )
        };
        self.fields.iter().map(explain).collect()
    }
}

impl Field {
    /// A target with its rule.
    pub(super) fn new(target: Target, rule: Rule) -> Self {
        let filled = rule.filled(&target.dotted());
        Self { target, rule, filled }
    }
}

impl Rule {
    fn evaluate<'a>(&'a self, run: &mut Run<'a>) -> Evaluation {
        let found: Result<Result<Value, &'static str>, String> = match self {
            Self::Simple(simple) => simple
                .resolve(run)
                .map(|found| found.map(Tainted::into_value).ok_or(MISSING)),
            Self::Complex(complex) => complex.value(run).map(|found| found.map(Tainted::into_value)),
            Self::Expression(expression) => {
                let source = run.source;
                if run.trace.is_some() {
                    for name in expression.names() {
                        let found = source.head(name).ok().flatten();
                        run.record_source(name, found.filter(|value| !value.is_null()));
                    }
                }
                let value = expression.value_within(|name| source.head(name), source.lookup(), &mut run.work);
                value.map(|value| value.ok_or(MISSING))
            }
        };
        let value = match found {
            Ok(Err(reason)) => return Evaluation::LeftOut(reason),
            Ok(Ok(value)) if is_nothing(&value) => return Evaluation::LeftOut("its value is empty"),
            Ok(Ok(value)) => value,
            Err(problem) => return Evaluation::Refused(problem),
        };
        let size = weight(&value);
        if size > MAX_TEXT {
            return Evaluation::Refused(format!("gives more than {MAX_TEXT} bytes"));
        }
        let checked = json_text::depth(&value, super::bounds::MAX_DEPTH)
            .and_then(|()| run.work.take(size))
            .and_then(|()| run.work.give(size));
        match checked {
            Ok(()) => Evaluation::Value(value),
            Err(problem) => Evaluation::Refused(problem),
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
            Self::Expression(expression) => expression.names().iter().map(String::as_str).collect(),
        }
    }

    /// The source of each part that is known at load: a path alone, the values of a glued JSON.
    fn filled(&self, target: &str) -> Vec<(String, String)> {
        let head = |path: &Path| path.head().to_owned();
        let whole = match self {
            Self::Simple(simple) => simple.paths().first().map(|path| head(path)),
            Self::Complex(complex) => complex.root.paths().first().map(|path| head(path)),
            Self::Expression(expression) => expression.names().first().cloned(),
        };
        let mut filled = Vec::new();
        if let Self::Complex(complex) = self
            && let Some(text) = complex.glued(complex.transformers.len().saturating_sub(1))
            && let Some(Step::ParseJson) = complex.transformers.last().map(|last| &last.step)
            && let Ok(parsed) = json_text::parse(&text)
        {
            // The values of the model are the names of their own fields.
            let of_source = text.parts.iter().filter(|part| part.origin == Origin::Source);
            let fields: HashSet<&str> = of_source.map(|part| part.text.as_ref()).collect();
            parts(target, &parsed.value.unwrap_or_default(), &fields, &mut filled);
        }
        filled.extend(whole.map(|source| (target.to_owned(), source)));
        filled
    }
}

/// The texts of a value that are a field's name, with the way to each.
fn parts(at: &str, value: &Value, fields: &HashSet<&str>, filled: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => {
            if fields.contains(text.as_str()) {
                filled.push((at.to_owned(), text.clone()));
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| parts(at, element, fields, filled)),
        Value::Object(object) => object
            .iter()
            .for_each(|(key, value)| parts(&format!("{at}.{key}"), value, fields, filled)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Complex {
    /// The value, or why there is none.
    fn value<'a>(&'a self, run: &mut Run<'a>) -> Result<Result<Tainted<'a>, &'static str>, String> {
        let Some(root) = self.root.resolve(run)? else {
            return Ok(Err(MISSING));
        };
        let mut value = root;
        if !self.filters.is_empty() {
            let before = run.before(&value);
            let passed = filters::passing(value, &self.filters, run)?;
            run.record_step("filters", before, passed.as_ref());
            match passed {
                Some(passed) => value = passed,
                None => return Ok(Err("nothing passed its filters")),
            }
        }
        if let Some(accessor) = &self.accessor {
            let before = run.before(&value);
            let whole = value.into_value();
            let found = accessor.walk(0, &whole, &mut run.work)?;
            let found = found.map(|found| Tainted::made(found.into_owned(), Origin::Source));
            run.record_step(&accessor.text, before, found.as_ref());
            match found {
                Some(found) => value = found,
                None => return Ok(Err("there is nothing at its accessor")),
            }
        }
        for transformer in &self.transformers {
            let before = run.before(&value);
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

    /// The text that the first `steps` transformers glue, with the name of its field in place of
    /// each value; `None` where they do more than that.
    pub(super) fn glued(&self, steps: usize) -> Option<Text<'_>> {
        let mut text = model(&self.root)?;
        if !self.filters.is_empty() {
            return None;
        }
        for transformer in self.transformers.get(..steps)? {
            let Step::Concat { prefix, suffix } = &transformer.step else {
                return None;
            };
            let mut glued = model(prefix)?;
            glued.push(text);
            glued.push(model(suffix)?);
            text = glued;
        }
        Some(text)
    }
}

/// A text with the name of its field in place of each value.
fn model(simple: &Simple) -> Option<Text<'_>> {
    use super::simple::Piece;
    let field = |path: &Path| Text::new(path.head().to_owned(), Origin::Source);
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

/// The left side of a test, given the root of its filters: behind the root's own segments it is the
/// element's.
pub(super) fn left(root: &Simple, left: Simple) -> Left {
    if let (Simple::Path(root), Simple::Path(path)) = (root, &left)
        && path.segments.starts_with(&root.segments)
    {
        return Left::Element(path.clone(), root.segments.len());
    }
    Left::Elsewhere(left)
}
