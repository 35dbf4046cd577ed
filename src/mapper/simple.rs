//! What an export writes as `simple`: a path, a literal, or a text with paths in it. Also the source that paths read.

use serde_json::Value;

use super::{
    bounds::{self, Work},
    path::Path,
    worked::{Origin, Text, Worked, weight},
};
use crate::{profile::UserProfile, scim::User};

/// What a mapping reads from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// Outgoing: the caller's profile, whose fields may go by their display names.
    Profile(&'a UserProfile),
    /// Incoming: the app user, whose attributes' names know no letter case (RFC 7643 section 2.1).
    User(&'a User),
}

/// A mapping under way: its source, what may still be done, and what was taken so far if somebody wants to know.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) source: Source<'a>,
    pub(super) work: Work,
    pub(super) trace: Option<Trace>,
}

/// What one target took and did, for explaining it.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Each path that was read, with what was there.
    pub(super) taken: Vec<(String, Option<Value>)>,
    /// Each step, with what went in and what came out.
    pub(super) steps: Vec<(String, Value, Option<Value>)>,
    /// What else there is to say.
    pub(super) notes: Vec<String>,
}

/// A `simple` of an export, parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Simple {
    /// Nothing: an empty source, an argument that is absent.
    Nothing,
    /// A text.
    Literal(String),
    /// What is at a path, of whatever type.
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
    fn head(self, key: &str) -> Option<&'a Value> {
        match self {
            Self::Profile(profile) => profile.field(key),
            Self::User(user) => user.get(key),
        }
    }
}

impl<'a> Run<'a> {
    /// A mapping of `source`; `traced` when it is to be explained.
    pub(super) fn new(source: Source<'a>, traced: bool) -> Self {
        Self {
            source,
            work: Work::new(),
            trace: traced.then(Trace::default),
        }
    }

    /// What the source has at a path.
    pub(super) fn read(&mut self, path: &'a Path) -> Result<Option<Worked<'a>>, String> {
        let found = match self.source.head(path.head()) {
            Some(value) => path.walk(1, value, &mut self.work)?,
            None => None,
        };
        if let Some(value) = &found {
            self.work.take(weight(value))?;
        }
        if let Some(trace) = &mut self.trace {
            trace.taken.push((path.text.clone(), found.as_deref().cloned()));
        }
        Ok(found.map(|value| match value {
            std::borrow::Cow::Borrowed(value) => Worked::from_source(value),
            std::borrow::Cow::Owned(value) => Worked::made(value, Origin::Source),
        }))
    }

    /// Says something about the target, if somebody wants to know.
    pub(super) fn note(&mut self, note: impl Into<String>) {
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
    pub(super) fn source(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Self::Nothing);
        }
        let quoted = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match quoted {
            Some(inside) => Self::argument(inside),
            None if trimmed.contains("${") => Self::argument(trimmed),
            None => Path::parse(trimmed).map(Self::Path),
        }
    }

    /// Parses a text in which `${path}` stands for a value: an argument without `isContext`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn argument(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(end) = rest[start..].find('}') else {
                return Err("a `${` is not closed by a `}`".to_owned());
            };
            if start > 0 {
                pieces.push(Piece::Literal(rest[..start].to_owned()));
            }
            pieces.push(Piece::Path(Path::parse(&rest[start + 2..start + end])?));
            rest = &rest[start + end + 1..];
        }
        if pieces.is_empty() {
            return Ok(Self::Literal(rest.to_owned()));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        if pieces.len() > bounds::MAX_STEPS {
            return Err(format!("a text has at most {} values in it", bounds::MAX_STEPS));
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
    pub(super) fn resolve<'a>(&'a self, run: &mut Run<'a>) -> Result<Option<Worked<'a>>, String> {
        match self {
            Self::Nothing => Ok(None),
            Self::Literal(text) => Ok(Some(Worked::Text(Text::new(text.as_str(), Origin::Mapper)))),
            Self::Path(path) => run.read(path),
            Self::Text(pieces) => {
                let mut whole = Text::default();
                let mut any = false;
                for piece in pieces {
                    match piece {
                        Piece::Literal(text) => whole.push(Text::new(text.as_str(), Origin::Mapper)),
                        Piece::Path(path) => {
                            if let Some(value) = run.read(path)? {
                                any = true;
                                whole.push(value.into_text()?);
                            }
                        }
                    }
                    bounds::text(whole.len())?;
                }
                Ok(any.then_some(Worked::Text(whole)))
            }
        }
    }

    /// The value as a text; the empty one where there is none.
    ///
    /// # Errors
    /// As [`Self::resolve`], and when it is no text.
    pub(super) fn text<'a>(&'a self, run: &mut Run<'a>) -> Result<Text<'a>, String> {
        self.resolve(run)?.map_or(Ok(Text::default()), Worked::into_text)
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
            let simple = Simple::source(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let mut run = Run::new(Source::Profile(&profile), false);
            simple.resolve(&mut run).unwrap().map(Worked::into_value)
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
        assert!(Simple::source("${givenname").is_err());
        assert!(Simple::source("${val.x == 1}").is_err());
        assert_eq!(
            Simple::argument("plain.text"),
            Ok(Simple::Literal("plain.text".to_owned()))
        );
    }
}
