//! A `simple` of an export: a path, a literal, or a text with paths in it. Also the source that
//! paths read.

use serde_json::Value;

use super::{
    bounds::{self, Budget, ELEMENT, MAX_TRACE},
    error::{CompileError, EvaluationError},
    path::Path,
    tainted::{Origin, Tainted, Text, weight},
};
use crate::{profile::UserProfile, scim::User};

/// The source that a mapping reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// Outgoing: the caller's profile, whose fields may go by their display names.
    Profile(&'a UserProfile),
    /// Incoming: the app user, whose attributes' names know no letter case (RFC 7643 section 2.1).
    User(&'a User),
}

/// A mapping under way: its source, the work it may still do, and its trace when it is explained.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) source: Source<'a>,
    pub(super) budget: Budget,
    pub(super) trace: Option<Trace>,
}

/// The trace of one target's evaluation, as far as an explanation shows it.
#[derive(Debug)]
pub(super) struct Trace {
    /// Each path that was read, with what was there.
    pub(super) reads: Vec<(String, Option<Value>)>,
    /// Each step, with what went in and what came out.
    pub(super) steps: Vec<(String, Value, Option<Value>)>,
    /// Further remarks on the target.
    pub(super) notes: Vec<String>,
    /// Bytes that may still be shown, of this target and those behind it.
    left: usize,
}

impl Trace {
    fn new(left: usize) -> Self {
        Self {
            reads: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            left,
        }
    }

    /// Reserves `amount` bytes of the explanation. Once they are not left, nothing more is shown,
    /// and a note of the target says so.
    fn try_reserve(&mut self, amount: usize) -> bool {
        if let Some(left) = self.left.checked_sub(amount.saturating_add(ELEMENT)) {
            self.left = left;
            return true;
        }
        self.left = 0;
        let note = format!(
            "not everything is shown: an explanation shows no more than {MAX_TRACE} bytes of what was taken and done"
        );
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        false
    }
}

/// A `simple` of an export, parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Simple {
    /// An empty source or an absent argument.
    Nothing,
    /// A text.
    Literal(String),
    /// The value at a path, of any type.
    Path(Path),
    /// A text with the values of paths in it.
    Text(Vec<Piece>),
}

/// A piece of a text with paths in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// A text.
    Literal(String),
    /// The text at a path; nothing where there is none.
    Path(Path),
}

impl<'a> Source<'a> {
    /// The value of a field or attribute, if there is one.
    ///
    /// # Errors
    /// When a profile has the field under two display names, with two values.
    pub(super) fn field(self, key: &str) -> Result<Option<&'a Value>, EvaluationError> {
        match self {
            Self::Profile(profile) => profile.one_field(key).map_err(|error| error.to_string().into()),
            Self::User(user) => Ok(user.get(key)),
        }
    }

    /// The cost of looking up a field or attribute, whether there is one or not: a profile is
    /// indexed, a user's attributes are searched one by one.
    pub(super) fn lookup_cost(self) -> usize {
        match self {
            Self::Profile(_) => ELEMENT,
            Self::User(user) => user.as_object().len().max(ELEMENT),
        }
    }
}

impl<'a> Run<'a> {
    /// A mapping of `source`; `traced` when it is to be explained.
    pub(super) fn new(source: Source<'a>, traced: bool) -> Self {
        Self {
            source,
            budget: Budget::new(),
            trace: traced.then(|| Trace::new(MAX_TRACE)),
        }
    }

    /// Takes the trace of the target so far and starts the next target's.
    pub(super) fn take_trace(&mut self) -> Trace {
        let left = self.trace.as_ref().map_or(0, |trace| trace.left);
        self.trace.replace(Trace::new(left)).unwrap_or_else(|| Trace::new(left))
    }

    /// Records the value at a path when the mapping is explained.
    pub(super) fn record_read(&mut self, path: &str, found: Option<&Value>) {
        if let Some(trace) = &mut self.trace
            && trace.try_reserve(path.len() + found.map_or(0, weight))
        {
            trace.reads.push((path.to_owned(), found.cloned()));
        }
    }

    /// Copies the value before a step when the mapping is explained.
    pub(super) fn snapshot(&mut self, value: &Tainted<'_>) -> Option<Value> {
        let trace = self.trace.as_mut()?;
        trace.try_reserve(value.weight()).then(|| value.to_value())
    }

    /// Records a step's result beside the value before it.
    pub(super) fn record_step(&mut self, step: &str, before: Option<Value>, after: Option<&Tainted<'_>>) {
        if let (Some(trace), Some(before)) = (&mut self.trace, before)
            && trace.try_reserve(step.len() + after.map_or(0, Tainted::weight))
        {
            trace
                .steps
                .push((step.to_owned(), before, after.map(Tainted::to_value)));
        }
    }

    /// Reads the source's value at a path.
    pub(super) fn read(&mut self, path: &'a Path) -> Result<Option<Tainted<'a>>, EvaluationError> {
        // Looking for a missing field is work too, and a mapper can ask for thousands.
        self.budget.charge(self.source.lookup_cost())?;
        let found = match self.source.field(path.first_key())? {
            Some(value) => path.walk(1, value, &mut self.budget)?,
            None => None,
        };
        if let Some(value) = &found {
            self.budget.charge(weight(value))?;
        }
        self.record_read(&path.text, found.as_deref());
        Ok(found.map(|value| match value {
            std::borrow::Cow::Borrowed(value) => Tainted::from_source(value),
            std::borrow::Cow::Owned(value) => Tainted::with_origin(value, Origin::Source),
        }))
    }

    /// Records a remark on the target when the mapping is explained.
    pub(super) fn record_note(&mut self, note: impl Into<String>) {
        if let Some(trace) = &mut self.trace {
            trace.notes.push(note.into());
        }
    }
}

impl Simple {
    /// Parses a source: the `simple` of a target, a `root`, an argument with `isContext`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn parse_source(text: &str) -> Result<Self, CompileError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Self::Nothing);
        }
        if let Some(inside) = strip_quotes(trimmed) {
            return Self::parse_argument(inside);
        }
        let embedded = trimmed.contains("${");
        if trimmed.starts_with('"') || (trimmed.ends_with('"') && !embedded) {
            return Err("a quote is open: a text stands in double quotes as a whole".into());
        }
        if embedded {
            Self::parse_argument(trimmed)
        } else {
            Path::parse(trimmed).map(Self::Path)
        }
    }

    /// Parses a text in which `${path}` stands for a value: an argument without `isContext`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn parse_argument(text: &str) -> Result<Self, CompileError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(end) = rest[start..].find('}') else {
                return Err("a `${` is not closed by a `}`".into());
            };
            if start > 0 {
                pieces.push(Piece::Literal(rest[..start].to_owned()));
            }
            let path = &rest[start + 2..start + end];
            if path.contains("${") {
                return Err("a `${` stands inside another: one path can't be made of another".into());
            }
            pieces.push(Piece::Path(Path::parse(path)?));
            if pieces.len() > bounds::MAX_STEPS {
                break;
            }
            rest = &rest[start + end + 1..];
        }
        if pieces.is_empty() {
            return Ok(Self::Literal(rest.to_owned()));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        if pieces.len() > bounds::MAX_STEPS {
            return Err(format!("a text has at most {} values in it", bounds::MAX_STEPS).into());
        }
        match <[Piece; 1]>::try_from(pieces) {
            Ok([Piece::Path(path)]) => Ok(Self::Path(path)),
            Ok([Piece::Literal(text)]) => Ok(Self::Literal(text)),
            Err(pieces) => Ok(Self::Text(pieces)),
        }
    }

    /// The value; `None` when there is none.
    ///
    /// # Errors
    /// When it can't be a text where it is put into one, or grows beyond its bound.
    pub(super) fn resolve<'a>(&'a self, run: &mut Run<'a>) -> Result<Option<Tainted<'a>>, EvaluationError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Literal(text) => {
                // Each step reads the whole literal, perhaps once for each element of a list.
                run.budget.charge(text.len())?;
                Ok(Some(Tainted::Text(Text::new(text.as_str(), Origin::Mapper))))
            }
            Self::Path(path) => run.read(path),
            Self::Text(pieces) => {
                let mut whole = Text::default();
                let mut any = false;
                let mut length = 0_usize;
                for piece in pieces {
                    // An empty piece has a cost too: a test resolves all pieces for each element of
                    // a list.
                    run.budget.charge(0)?;
                    match piece {
                        Piece::Literal(text) => {
                            run.budget.charge(text.len())?;
                            length += text.len();
                            whole.push(Text::new(text.as_str(), Origin::Mapper));
                        }
                        Piece::Path(path) => {
                            if let Some(value) = run.read(path)? {
                                any = true;
                                let value = value.into_text()?;
                                length += value.len();
                                whole.push(value);
                            }
                        }
                    }
                    bounds::check_text(length)?;
                }
                Ok(any.then_some(Tainted::Text(whole)))
            }
        }
    }

    /// The value as a text; the empty one where there is none.
    ///
    /// # Errors
    /// As [`Self::resolve`], and when it is no text.
    pub(super) fn text<'a>(&'a self, run: &mut Run<'a>) -> Result<Text<'a>, EvaluationError> {
        self.resolve(run)?.map_or(Ok(Text::default()), Tainted::into_text)
    }

    /// The text, where it is the mapper's alone.
    pub(super) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Nothing | Self::Path(_) | Self::Text(_) => None,
        }
    }

    /// The paths in it.
    pub(super) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Nothing | Self::Literal(_) => Vec::new(),
            Self::Path(path) => vec![path],
            Self::Text(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Path(path) => Some(path),
                    Piece::Literal(_) => None,
                })
                .collect(),
        }
    }
}

/// Takes off the double quotes around a whole text.
fn strip_quotes(text: &str) -> Option<&str> {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
}

/// Warns of parts of a parsed source that are probably not meant as they are taken.
pub(super) fn warnings_in_source(text: &str, parsed: &Simple) -> Vec<String> {
    let mut warnings = warnings_in_argument(parsed);
    if strip_quotes(text.trim()).is_some_and(|inside| inside.contains('"')) {
        warnings.push("has quotes inside its quotes; they are taken as they stand".to_owned());
    }
    warnings
}

/// Warns of paths in an argument that are probably not meant as they are taken.
pub(super) fn warnings_in_argument(parsed: &Simple) -> Vec<String> {
    parsed.paths().into_iter().flat_map(warnings_in_path).collect()
}

/// Warns, naming it, of a path that is probably not meant as it is taken.
pub(super) fn warnings_in_path(path: &Path) -> Vec<String> {
    let with_path = |warning| format!("in `{}`, {warning}", path.text);
    path.warnings().into_iter().map(with_path).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_forms_of_a_source() {
        let profile: UserProfile =
            serde_json::from_value(json!({"givenname": "G", "Last Name": "L", "n": 7, "list": ["a"], "empty": ""}))
                .unwrap();
        let value = |text: &str| {
            let simple = Simple::parse_source(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let mut run = Run::new(Source::Profile(&profile), false);
            simple.resolve(&mut run).unwrap().map(Tainted::into_value)
        };
        for (text, expected) in [
            ("", None),
            ("givenname", Some(json!("G"))),
            ("lastname", Some(json!("L"))),
            ("Last Name", Some(json!("L"))),
            ("${givenname}", Some(json!("G"))),
            ("${n}", Some(json!(7))),
            ("${givenname} ${lastname}!", Some(json!("G L!"))),
            ("${givenname}-${missing}", Some(json!("G-"))),
            ("${missing}-${other}", None),
            ("\"work\"", Some(json!("work"))),
            ("\"\"", Some(json!(""))),
            ("\"n ${n}\"", Some(json!("n 7"))),
            ("empty", Some(json!(""))),
            ("missing", None),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
        for (text, reason) in [
            ("${givenname", "not closed"),
            ("${val.x == 1}", "JavaScript"),
            ("${val.x}", "JavaScript"),
            ("${a${b}}", "inside another"),
            ("x ${a${b}} y", "inside another"),
            ("\"work", "a quote is open"),
            ("work\"", "a quote is open"),
            ("\"", "a quote is open"),
            ("\"n ${givenname}", "a quote is open"),
            ("eval(x)", "JavaScript"),
        ] {
            let error = Simple::parse_source(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(
            Simple::parse_argument("${a}".repeat(5_000).as_str())
                .unwrap_err()
                .to_string()
                .contains("at most 100")
        );
        for (text, count) in [
            ("\"say \"hi\"\"", 1),
            ("\"\"", 0),
            ("say \"${givenname}\"", 0),
            ("a\"b", 1),
            ("n", 0),
        ] {
            let parsed = Simple::parse_source(text).unwrap();
            assert_eq!(warnings_in_source(text, &parsed).len(), count, "{text}");
        }
        assert_eq!(
            Simple::parse_argument("plain.text"),
            Ok(Simple::Literal("plain.text".to_owned()))
        );
    }
}
