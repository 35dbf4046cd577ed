//! Paths into a source, in the form that exported mappers have them.
//!
//! A path is keys separated by dots: `name.givenName`. `[n]` takes the n-th element of a list and
//! `[a:b]` those from a to b, both included; they stand behind a key (`emails[0]`) or as a segment
//! (`emails.[0]`). A key over a list gives the list of its elements' values. `\.` is a dot inside a
//! key; keys may hold spaces and colons. The platform also takes JavaScript (`.=…`, `=expr`,
//! `(val.x == …)`, `val.x`, `eval(x)`); nothing here runs code, so those are refused. What may be
//! meant as code, or as a quoted text, and can stand in a key as well, is a key, and doubted.
//!
//! Sources: the exports themselves, and the platform's page on DT, its path language
//! (<https://xsoar.pan.dev/docs/integrations/dt>).

use std::borrow::Cow;

use serde_json::Value;

use super::{
    bounds::{self, Budget, MAX_PATH, MAX_SEGMENTS},
    error::{CompileError, EvaluationError},
    tainted::weight,
};
use crate::scim::aws::ENTERPRISE;

/// The enterprise extension as SCIM 1.0 drafts called it and stock mappers still do. What it holds
/// is in SCIM 2.0's own.
pub(super) const ENTERPRISE_1_0: &str = "urn:scim:schemas:extension:enterprise:1.0";

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// A key of an object.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
    /// Elements of a list, both ends included.
    Range(usize, usize),
}

/// A path, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// As it was written.
    pub(super) text: String,
    /// Its steps; at least one.
    pub(super) segments: Vec<Segment>,
}

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, CompileError> {
        let text = text.trim();
        if text.len() > MAX_PATH {
            return Err(format!("a path has at most {MAX_PATH} bytes").into());
        }
        if let Some(form) = javascript_form(text) {
            return Err(format!(
                "JavaScript ({form}) is not run here; write a path, or an expression in a TOML mapper"
            )
            .into());
        }
        if text.contains("${") {
            return Err("`${` stands inside a path: one path can't be made of another".into());
        }
        let mut segments = Vec::new();
        let mut rest = text;
        if let Some((key, behind)) = strip_urn(text) {
            segments.push(Segment::Key(key.to_owned()));
            rest = behind;
            // The URN stands alone, or before `.key`, SCIM's own `:key`, or an index.
            if rest.is_empty() {
                return Ok(Self {
                    text: text.to_owned(),
                    segments,
                });
            }
            if let Some(behind) = rest.strip_prefix(['.', ':']) {
                rest = behind;
            }
        }
        loop {
            let (key, brackets, behind) = parse_segment(rest)?;
            if key.is_empty() && brackets.is_empty() {
                return Err("a key is empty; a dot inside a key is written `\\.`".into());
            }
            if !key.is_empty() {
                let key = if key == ENTERPRISE_1_0 {
                    ENTERPRISE.to_owned()
                } else {
                    key
                };
                segments.push(Segment::Key(key));
            } else if segments.is_empty() {
                return Err("a path begins with a key".into());
            }
            segments.extend(brackets);
            if segments.len() > MAX_SEGMENTS {
                return Err(format!("a path has at most {MAX_SEGMENTS} keys and indices").into());
            }
            match behind {
                Some(behind) => rest = behind,
                None => break,
            }
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }

    /// The first key: the field of a profile that the path reads.
    pub(super) fn first_key(&self) -> &str {
        match self.segments.first() {
            Some(Segment::Key(key)) => key,
            Some(Segment::Index(_) | Segment::Range(..)) | None => "",
        }
    }

    /// Warns of keys that are probably not meant as they are taken, each with the reason.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        let keys = || {
            self.segments.iter().filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) | Segment::Range(..) => None,
            })
        };
        let any = |characters: &[char]| keys().any(|key| key.contains(characters));
        let rows = [
            (
                any(&['(', ')']),
                "round brackets hold JavaScript on the platform; here they are part of the key",
            ),
            (
                any(&['=']),
                "an equals sign begins JavaScript on the platform; here it is part of the key",
            ),
            (
                any(&['"']),
                "a quote is part of the key: a text stands in double quotes as a whole",
            ),
            (
                any(&['{', '}']),
                "a curly bracket is part of the key: a path in a text is `${path}`",
            ),
            (any(&[']']), "a square bracket that was not opened is part of the key"),
            (
                keys().any(|key| key.trim() != key),
                "a key begins or ends with a space, which is part of it",
            ),
            (
                self.first_key() == "val",
                "`val` is the platform's word for what comes in; here it is a field of that name",
            ),
        ];
        rows.iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, warning)| *warning)
            .collect()
    }

    /// Walks the path from `value`, to which its first `from` segments lead. Null counts as absent.
    ///
    /// # Errors
    /// When a list or the work grows beyond its bound.
    pub(super) fn walk<'v>(
        &self,
        from: usize,
        value: &'v Value,
        budget: &mut Budget,
    ) -> Result<Option<Cow<'v, Value>>, EvaluationError> {
        walk(
            &self.segments[from.min(self.segments.len())..],
            Cow::Borrowed(value),
            budget,
        )
    }
}

fn walk<'v>(
    segments: &[Segment],
    value: Cow<'v, Value>,
    budget: &mut Budget,
) -> Result<Option<Cow<'v, Value>>, EvaluationError> {
    budget.charge(1)?;
    let Some((first, rest)) = segments.split_first() else {
        return Ok((!value.is_null()).then_some(value));
    };
    match (first, value) {
        (Segment::Key(key), Cow::Borrowed(Value::Object(object))) => match object.get(key) {
            Some(value) => walk(rest, Cow::Borrowed(value), budget),
            None => Ok(None),
        },
        (Segment::Key(key), Cow::Owned(Value::Object(mut object))) => match object.swap_remove(key) {
            Some(value) => walk(rest, Cow::Owned(value), budget),
            None => Ok(None),
        },
        (Segment::Key(_), list) if list.is_array() => {
            let elements: Vec<Cow<'v, Value>> = match list {
                Cow::Borrowed(Value::Array(elements)) => elements.iter().map(Cow::Borrowed).collect(),
                Cow::Owned(Value::Array(elements)) => elements.into_iter().map(Cow::Owned).collect(),
                Cow::Borrowed(_) | Cow::Owned(_) => Vec::new(),
            };
            let mut values = Vec::new();
            for element in elements {
                // The key is read in each element; a list found there is spread into the list of
                // values.
                match walk(std::slice::from_ref(first), element, budget)? {
                    None => {}
                    Some(value) => {
                        // Owning the value may copy it.
                        budget.charge(weight(&value))?;
                        match value.into_owned() {
                            Value::Array(inner) => values.extend(inner),
                            other => values.push(other),
                        }
                    }
                }
                bounds::check_list(values.len())?;
            }
            if values.is_empty() {
                return Ok(None);
            }
            walk(rest, Cow::Owned(Value::Array(values)), budget)
        }
        (Segment::Index(index), Cow::Borrowed(Value::Array(elements))) => match elements.get(*index) {
            Some(value) => walk(rest, Cow::Borrowed(value), budget),
            None => Ok(None),
        },
        (Segment::Index(index), Cow::Owned(Value::Array(mut elements))) => {
            if *index < elements.len() {
                walk(rest, Cow::Owned(elements.swap_remove(*index)), budget)
            } else {
                Ok(None)
            }
        }
        (Segment::Range(first, last), list) => {
            let Some(elements) = list.as_array() else {
                return Ok(None);
            };
            let end = last.saturating_add(1).min(elements.len());
            let taken = elements.get(*first..end).unwrap_or_default();
            if taken.is_empty() {
                return Ok(None);
            }
            for element in taken {
                budget.charge(weight(element))?;
            }
            let taken = taken.to_vec();
            walk(rest, Cow::Owned(Value::Array(taken)), budget)
        }
        (Segment::Key(_) | Segment::Index(_), _) => Ok(None),
    }
}

/// The enterprise extension's URN at the start of a path, its dots escaped or not, and what is
/// behind it.
fn strip_urn(text: &str) -> Option<(&'static str, &str)> {
    const SPELLINGS: [&str; 4] = [
        ENTERPRISE,
        r"urn:ietf:params:scim:schemas:extension:enterprise:2\.0:User",
        ENTERPRISE_1_0,
        r"urn:scim:schemas:extension:enterprise:1\.0",
    ];
    SPELLINGS.iter().find_map(|spelling| {
        let behind = text.strip_prefix(spelling)?;
        (behind.is_empty() || behind.starts_with(['.', ':', '['])).then_some((ENTERPRISE, behind))
    })
}

/// The first segment of a path: its key, its brackets, and what is behind its dot.
type First<'t> = (String, Vec<Segment>, Option<&'t str>);

fn parse_segment(text: &str) -> Result<First<'_>, CompileError> {
    let mut key = String::new();
    let mut brackets = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if matches!(characters.peek(), Some((_, '.'))) => {
                key.push('.');
                characters.next();
            }
            '.' => return Ok((key, brackets, Some(&text[at + 1..]))),
            '[' => {
                let inside = &text[at + 1..];
                let Some(end) = inside.find(']') else {
                    return Err("a bracket is not closed".into());
                };
                brackets.push(parse_bracket(&inside[..end])?);
                if brackets.len() > MAX_SEGMENTS {
                    return Err(format!("a path has at most {MAX_SEGMENTS} keys and indices").into());
                }
                while characters.next_if(|(next, _)| *next <= at + 1 + end).is_some() {}
            }
            _ if !brackets.is_empty() => {
                return Err("behind a bracket comes a dot, another bracket or the end".into());
            }
            _ => key.push(character),
        }
    }
    Ok((key, brackets, None))
}

fn parse_bracket(inside: &str) -> Result<Segment, CompileError> {
    let number = |text: &str| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<usize>().ok()).flatten()
    };
    let segment = match inside.split_once(':') {
        None => number(inside).map(Segment::Index),
        Some((first, last)) => match number(first).zip(number(last)) {
            Some((first, last)) if last < first => {
                return Err(format!("the range [{first}:{last}] is empty: it ends before it begins").into());
            }
            range => range.map(|(first, last)| Segment::Range(first, last)),
        },
    };
    segment.ok_or("a bracket holds a number, [0], or two, [0:2]".into())
}

/// The form of JavaScript in a text that is code and no path.
fn javascript_form(text: &str) -> Option<&'static str> {
    if text.starts_with('=') {
        return Some("=…");
    }
    if text.contains(".=") {
        return Some(".=…");
    }
    let is_word = |character: char| character.is_alphanumeric() || "_$-".contains(character);
    let uses_val = text.match_indices("val").any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(is_word);
        let behind = text[at + 3..].chars().next();
        !before && behind.is_none_or(|character| ".[ =!<>)".contains(character))
    });
    let compares = ["==", "!=", "<=", ">=", "&&", "||", "=>"]
        .iter()
        .any(|operator| text.contains(operator));
    let asks = text.contains("(val") || (text.contains('(') && uses_val);
    if compares || asks {
        return Some("val.x == …");
    }
    // Directly behind a word a bracket is a call, or a filter by JavaScript; behind a space it may
    // be part of a display name.
    let calls = text.match_indices('(').any(|(at, _)| {
        text[..at]
            .chars()
            .next_back()
            .is_some_and(|before| is_word(before) || before == ']')
    });
    if calls {
        return Some("…(…)");
    }
    let of_val = text
        .strip_prefix("val")
        .is_some_and(|behind| behind.starts_with(['.', '[']));
    if of_val {
        return Some("val.…");
    }
    (text.contains('=') && uses_val).then_some("=val…")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(path: &str, value: &Value) -> Option<Value> {
        let path = Path::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        path.walk(0, value, &mut Budget::new()).unwrap().map(Cow::into_owned)
    }

    #[test]
    fn paths_lead_where_they_say() {
        let source = json!({
            "a": {"b": 1, "c.d": 2, "e f": 3, "null": null},
            "list": [{"v": "x", "w": [1, 2]}, {"v": "y"}, {"w": [3]}],
            "deep": [[1, 2], [3]],
            "a:b": {"c": 4},
            ENTERPRISE: {"department": "D"},
        });
        for (path, expected) in [
            ("a.b", Some(json!(1))),
            (" a.b ", Some(json!(1))),
            (r"a.c\.d", Some(json!(2))),
            ("a.e f", Some(json!(3))),
            ("a.null", None),
            ("a.missing.b", None),
            ("a.b.c", None),
            ("list.v", Some(json!(["x", "y"]))),
            ("list.[0].v", Some(json!("x"))),
            ("list[1].v", Some(json!("y"))),
            ("list[0:1].v", Some(json!(["x", "y"]))),
            ("list.[1:9].v", Some(json!(["y"]))),
            ("list[3]", None),
            ("list.w", Some(json!([1, 2, 3]))),
            ("list.missing", None),
            ("deep[0][1]", Some(json!(2))),
            ("a:b.c", Some(json!(4))),
            (
                r"urn:scim:schemas:extension:enterprise:1\.0.department",
                Some(json!("D")),
            ),
            ("urn:scim:schemas:extension:enterprise:1.0.department", Some(json!("D"))),
            (
                r"urn:ietf:params:scim:schemas:extension:enterprise:2\.0:User.department",
                Some(json!("D")),
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department",
                Some(json!("D")),
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                Some(json!("D")),
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                Some(json!({"department": "D"})),
            ),
        ] {
            assert_eq!(at(path, &source), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "a key is empty"),
            ("a..b", "a key is empty"),
            ("a.", "a key is empty"),
            (".a", "a key is empty"),
            ("[0]", "begins with a key"),
            ("a[", "not closed"),
            ("a[-1]", "a bracket holds a number"),
            ("a[x]", "a bracket holds a number"),
            ("a[1:]", "a bracket holds a number"),
            ("a[0]b", "behind a bracket"),
            ("a.=val", "JavaScript"),
            ("=1+1", "JavaScript"),
            ("val.x == 'y'", "JavaScript"),
            ("emails(val.type == 'work').value", "JavaScript"),
            ("a(val.b)", "JavaScript"),
            ("eval(x)", "JavaScript (…(…))"),
            ("a[0](b).c", "JavaScript (…(…))"),
            ("val.x", "JavaScript (val.…)"),
            (" val[0]", "JavaScript (val.…)"),
            ("a=val.b", "JavaScript (=val…)"),
            ("a[1:0]", "the range [1:0] is empty"),
            ("list[2:1].v", "the range [2:1] is empty"),
            ("a${b", "inside a path"),
        ] {
            let error = Path::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(
            Path::parse(&"a.".repeat(40))
                .unwrap_err()
                .to_string()
                .contains("at most 32")
        );
        assert!(
            Path::parse(&"a".repeat(MAX_PATH + 1))
                .unwrap_err()
                .to_string()
                .contains("at most 2048")
        );
        for harmless in ["value", "interval", "val", "Name (official)", "a$b", "evaluation.val"] {
            assert!(Path::parse(harmless).is_ok(), "{harmless}");
        }
    }

    #[test]
    fn what_may_be_meant_otherwise_is_doubted() {
        for (text, reason) in [
            ("Name (official)", "round brackets"),
            ("CN=x", "an equals sign"),
            ("a\"b", "a quote"),
            ("a}", "a curly bracket"),
            ("a]", "a square bracket"),
            ("a. b", "a space"),
            ("val", "`val`"),
        ] {
            let warnings = Path::parse(text).unwrap().warnings();
            assert!(
                warnings.len() == 1 && warnings[0].contains(reason),
                "{text}: {warnings:?}"
            );
        }
        for plain in [
            "a.b",
            "Given Name",
            r"a\.b",
            "a[0:0].c",
            "urn:x:y",
            "a$b",
            "interval",
            "x.val",
            "value",
        ] {
            assert_eq!(Path::parse(plain).unwrap().warnings(), [""; 0], "{plain}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn any_text_is_a_path_or_is_refused(text in any::<String>()) {
            let _ = Path::parse(&text);
        }

        #[test]
        fn path_like_texts_never_panic_nor_walk_astray(text in r"[a-c\\.\[\]:0-3 ${}=-]{0,20}") {
            let source = json!({"a": [{"b": [1, {"c": 2}]}, {"b": 3}], "b": {"a": {"c": [[1], [2]]}}, "c": "x"});
            if let Ok(path) = Path::parse(&text) {
                let _ = path.walk(0, &source, &mut Budget::new()).unwrap();
            }
        }

        #[test]
        fn an_escaped_key_is_found_again(key in r"[a-uw-zA-Z:_-][a-uw-zA-Z :._-]{0,10}[a-uw-zA-Z:_-]") {
            let source = json!({ key.clone(): "here" });
            prop_assert_eq!(at(&key.replace('.', r"\."), &source), Some(json!("here")));
        }
    }
}
