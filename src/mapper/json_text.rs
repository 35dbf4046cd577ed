//! `ParseJSON`: JSON out of text, without letting a value become structure.
//!
//! A text that the mapper glued (`{"givenName": "` + a value + `"}`) is never put together and
//! parsed. Its own parts are read as JSON, and a value is an atom in between: inside a string it is
//! that string's content, whatever quotes, brackets or control characters it has; outside it stands
//! for a whole text. Where a value would name a key, or would have to be half of a number or of an
//! escape, the text is refused. So a value changes nothing but the text it stands for.
//!
//! Empty values are left out: an empty text of an object, and an object or list whose every value
//! was empty. Otherwise a missing surname would be sent as `"familyName": ""`, which AWS refuses.
//!
//! A text that is one value of the source and nothing else is parsed as it stands: there, the
//! mapping asks for the structure of just that value. One into which a step put text of the
//! mapper's is refused instead: which of its quotes and brackets came with the value can't be told.

use serde_json::{Map, Number, Value};

use super::{
    bounds::{self, MAX_DEPTH},
    error::EvaluationError,
    tainted::{Origin, Text},
};
use crate::json;

/// A text's JSON value.
#[derive(Debug, PartialEq)]
pub(super) struct Parsed {
    /// The value; `None` when every value in it was empty.
    pub(super) value: Option<Value>,
    /// Whether a value of the source stood outside quotes, and was taken as a text.
    pub(super) unquoted: bool,
}

/// Parses a text as JSON.
///
/// # Errors
/// When it is not JSON, or would let a value of the source become structure.
pub(super) fn parse(text: &Text<'_>) -> Result<Parsed, EvaluationError> {
    if let [part] = text.parts.as_slice()
        && part.origin == Origin::Source
    {
        let value =
            json::parse(part.text.as_bytes()).map_err(|_| "the source's text is not one well-formed JSON document")?;
        check_depth(&value, MAX_DEPTH)?;
        return Ok(Parsed {
            value: Some(value),
            unquoted: false,
        });
    }
    if text.origin() == Origin::Altered {
        return Err(ALTERED.into());
    }
    if text.parts.iter().any(|part| part.origin == Origin::Mixed) {
        return Err(
            "the text was glued from several values and changed after that, so that a value could have become structure"
                .into(),
        );
    }
    let mut reader = Reader {
        text,
        part: 0,
        at: 0,
        unquoted: false,
    };
    let found = reader.value(MAX_DEPTH)?;
    reader.skip_space();
    if reader.peek().is_some() {
        return Err(NOT_JSON.into());
    }
    let value = found.into_non_empty();
    Ok(Parsed {
        value,
        unquoted: reader.unquoted,
    })
}

/// Fails when a value is nested deeper than `left`.
pub(super) fn check_depth(value: &Value, left: usize) -> Result<(), EvaluationError> {
    let Some(left) = left.checked_sub(1) else {
        return Err(format!("is nested deeper than {MAX_DEPTH}").into());
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(elements) => {
            bounds::check_list(elements.len())?;
            elements.iter().try_for_each(|element| check_depth(element, left))
        }
        Value::Object(object) => object.values().try_for_each(|value| check_depth(value, left)),
    }
}

/// The error for one value with the mapper's text in it.
pub(super) const ALTERED: &str = "the mapper's own text was put into a value before it is parsed, so that the value could become structure; glue the JSON with \
     `concat`, which keeps them apart";
const NOT_JSON: &str = "the glued text is not JSON";
const KEY: &str = "a value of the source would name a key of the JSON";

/// A value in the glued text, and whether values of the source stand in it.
struct Fragment {
    value: Value,
    /// Values of the source stand in it.
    has_slots: bool,
    /// One of those values is not empty.
    has_content: bool,
}

impl Fragment {
    /// The value, unless it is to be left out.
    fn into_non_empty(self) -> Option<Value> {
        let empty = self.value.as_str().is_some_and(str::is_empty) || (self.has_slots && !self.has_content);
        (!empty).then_some(self.value)
    }

    fn literal(value: Value) -> Self {
        Self {
            value,
            has_slots: false,
            has_content: false,
        }
    }
}

/// The next token of a glued text.
#[derive(Clone, Copy)]
enum Token<'t> {
    /// A character that the mapper wrote.
    Character(char),
    /// A whole value of the source.
    Slot(&'t str),
}

struct Reader<'t> {
    text: &'t Text<'t>,
    part: usize,
    at: usize,
    unquoted: bool,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> Option<Token<'t>> {
        loop {
            let part = self.text.parts.get(self.part)?;
            if part.origin.is_one_value() {
                return Some(Token::Slot(&part.text));
            }
            match part.text[self.at..].chars().next() {
                Some(character) => return Some(Token::Character(character)),
                None => self.next_part(),
            }
        }
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        match token {
            Token::Character(character) => self.at += character.len_utf8(),
            Token::Slot(_) => self.next_part(),
        }
        Some(token)
    }

    fn next_part(&mut self) {
        self.part += 1;
        self.at = 0;
    }

    fn skip_space(&mut self) {
        while let Some(Token::Character(' ' | '\t' | '\n' | '\r')) = self.peek() {
            self.next();
        }
    }

    /// Consumes a character if it is the next one; true when it was.
    fn accept(&mut self, wanted: char) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Character(character)) if character == wanted);
        if is_next {
            self.next();
        }
        is_next
    }

    fn expect(&mut self, wanted: char) -> Result<(), EvaluationError> {
        if self.accept(wanted) {
            Ok(())
        } else {
            Err(NOT_JSON.into())
        }
    }

    fn value(&mut self, depth: usize) -> Result<Fragment, EvaluationError> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| format!("is nested deeper than {MAX_DEPTH}"))?;
        self.skip_space();
        match self.peek() {
            Some(Token::Slot(_)) => Ok(self.unquoted()),
            Some(Token::Character('{')) => self.object(depth),
            Some(Token::Character('[')) => self.list(depth),
            Some(Token::Character('"')) => self.string(),
            Some(Token::Character(_)) => self.scalar(),
            None => Err(NOT_JSON.into()),
        }
    }

    /// Values outside quotes stand for a text.
    fn unquoted(&mut self) -> Fragment {
        self.unquoted = true;
        let mut text = String::new();
        while let Some(Token::Slot(value)) = self.peek() {
            text.push_str(value);
            self.next();
        }
        Fragment {
            has_content: !text.is_empty(),
            value: text.into(),
            has_slots: true,
        }
    }

    fn object(&mut self, depth: usize) -> Result<Fragment, EvaluationError> {
        self.expect('{')?;
        let mut object = Map::new();
        let (mut has_slots, mut has_content) = (false, false);
        self.skip_space();
        if self.accept('}') {
            return Ok(Fragment::literal(object.into()));
        }
        loop {
            self.skip_space();
            if let Some(Token::Slot(_)) = self.peek() {
                return Err(KEY.into());
            }
            let key = self.string()?;
            if key.has_slots {
                return Err(KEY.into());
            }
            self.skip_space();
            self.expect(':')?;
            let found = self.value(depth)?;
            has_slots |= found.has_slots;
            has_content |= found.has_content;
            let key = key.value.as_str().unwrap_or_default().to_owned();
            match found.into_non_empty() {
                Some(value) => object.insert(key, value),
                None => object.shift_remove(&key),
            };
            self.skip_space();
            if self.accept('}') {
                break;
            }
            self.expect(',')?;
        }
        Ok(Fragment {
            value: object.into(),
            has_slots,
            has_content,
        })
    }

    fn list(&mut self, depth: usize) -> Result<Fragment, EvaluationError> {
        self.expect('[')?;
        let mut list = Vec::new();
        let (mut has_slots, mut has_content) = (false, false);
        self.skip_space();
        if self.accept(']') {
            return Ok(Fragment::literal(list.into()));
        }
        loop {
            let found = self.value(depth)?;
            has_slots |= found.has_slots;
            has_content |= found.has_content;
            list.extend(found.into_non_empty());
            bounds::check_list(list.len())?;
            self.skip_space();
            if self.accept(']') {
                break;
            }
            self.expect(',')?;
        }
        Ok(Fragment {
            value: list.into(),
            has_slots,
            has_content,
        })
    }

    fn string(&mut self) -> Result<Fragment, EvaluationError> {
        self.expect('"')?;
        let mut text = String::new();
        let (mut has_slots, mut has_content) = (false, false);
        loop {
            text.push_str(self.plain_run());
            match self.next() {
                Some(Token::Slot(value)) => {
                    has_slots = true;
                    has_content |= !value.is_empty();
                    text.push_str(value);
                }
                Some(Token::Character('"')) => break,
                Some(Token::Character('\\')) => text.push(self.escape()?),
                // RFC 8259 section 7: control characters stand in a string only as escapes.
                Some(Token::Character(character)) if u32::from(character) < 0x20 => {
                    return Err(NOT_JSON.into());
                }
                Some(Token::Character(character)) => text.push(character),
                None => return Err(NOT_JSON.into()),
            }
        }
        Ok(Fragment {
            value: text.into(),
            has_slots,
            has_content,
        })
    }

    /// Consumes the plain characters of a string, to the end of the mapper's part at most.
    fn plain_run(&mut self) -> &'t str {
        let Some(part) = self
            .text
            .parts
            .get(self.part)
            .filter(|part| !part.origin.is_one_value())
        else {
            return "";
        };
        let rest = &part.text[self.at..];
        let end = rest
            .bytes()
            .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn escape(&mut self) -> Result<char, EvaluationError> {
        let Some(Token::Character(character)) = self.next() else {
            return Err("a value of the source would end an escape of the JSON".into());
        };
        let plain = match character {
            '"' | '\\' | '/' => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(),
            _ => return Err(NOT_JSON.into()),
        };
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, EvaluationError> {
        let first = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            self.expect('\\')?;
            self.expect('u')?;
            let second = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(NOT_JSON.into());
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(NOT_JSON.into())
    }

    fn four_digits(&mut self) -> Result<u32, EvaluationError> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(Token::Character(character)) = self.next() else {
                return Err(NOT_JSON.into());
            };
            let digit = character.to_digit(16).ok_or(NOT_JSON)?;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    /// A number, `true`, `false` or `null`, all of it the mapper's.
    fn scalar(&mut self) -> Result<Fragment, EvaluationError> {
        let mut word = String::new();
        while let Some(Token::Character(character)) = self.peek() {
            if !(character.is_ascii_alphanumeric() || "+-.".contains(character)) {
                break;
            }
            word.push(character);
            self.next();
        }
        let value = match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number => number.parse::<Number>().map(Value::Number).map_err(|_| NOT_JSON)?,
        };
        Ok(Fragment::literal(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A glued text: parts in angle brackets are the source's.
    fn glued(template: &'static str, values: &[&str]) -> Text<'static> {
        let mut text = Text::default();
        let mut values = values.iter();
        for (index, piece) in template.split('$').enumerate() {
            if index > 0 {
                let value = values.next().copied().unwrap_or_default().to_owned();
                text.push(Text::new(value, Origin::Source));
            }
            text.push(Text::new(piece, Origin::Mapper));
        }
        text
    }

    fn parsed(template: &'static str, values: &[&str]) -> Result<Option<Value>, String> {
        parse(&glued(template, values))
            .map(|parsed| parsed.value)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_the_content_of_its_string_and_nothing_else() {
        let template = r#"{"givenName": "$", "familyName": "$"}"#;
        for hostile in [
            "O\"Hara",
            r#"x", "familyName": "y"#,
            "\\",
            "\\\"",
            "}",
            "\u{0}\n",
            "\u{2028}é😀",
        ] {
            let expected = json!({"givenName": hostile, "familyName": "S"});
            assert_eq!(parsed(template, &[hostile, "S"]), Ok(Some(expected)), "{hostile:?}");
        }
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let name = r#"{"givenName": "$", "familyName": "$"}"#;
        assert_eq!(parsed(name, &["", "S"]), Ok(Some(json!({"familyName": "S"}))));
        assert_eq!(parsed(name, &["", ""]), Ok(None));
        let emails = r#"[{"primary": true, "type": "work", "value": "$"}]"#;
        assert_eq!(parsed(emails, &[""]), Ok(None));
        assert_eq!(
            parsed(r#"[{"type": "work"}, {"value": "$"}]"#, &["x"]),
            Ok(Some(json!([{"type": "work"}, {"value": "x"}])))
        );
        assert_eq!(
            parsed(r#"{"a": "", "b": 1, "c": [] }"#, &[]),
            Ok(Some(json!({"b": 1, "c": []})))
        );
    }

    #[test]
    fn outside_quotes_a_value_is_a_text() {
        let found = parse(&glued(r#"{"primary": $, "n": -1.5e3}"#, &["true, \"x\": 1"])).unwrap();
        assert!(found.unquoted);
        assert_eq!(found.value, Some(json!({"primary": "true, \"x\": 1", "n": -1500.0})));
    }

    #[test]
    fn a_value_never_becomes_structure() {
        for (template, values, expected) in [
            (r#"{"$": 1}"#, &["k"][..], KEY),
            (r#"{"a$": 1}"#, &["k"], KEY),
            (r"{$: 1}", &["\"k\""], KEY),
            (
                r#"{"a": "\$"}"#,
                &["n"],
                "a value of the source would end an escape of the JSON",
            ),
            (r#"{"a": 1$}"#, &["2"], NOT_JSON),
            (r#"{"a": "\u00$"}"#, &["41"], NOT_JSON),
            (r#"{"a": "$}"#, &["\""], NOT_JSON),
            ("{$}", &["\"a\": 1"], KEY),
            (r#"{"a": 1}$"#, &["x"], NOT_JSON),
            ("[1,]", &[], NOT_JSON),
            ("", &[], NOT_JSON),
            ("01", &[], NOT_JSON),
            (r#""\ud800""#, &[], NOT_JSON),
        ] {
            assert_eq!(parsed(template, values), Err(expected.to_owned()), "{template}");
        }
        let mixed = Text::new("{}", Origin::Mixed);
        assert!(
            parse(&mixed)
                .unwrap_err()
                .to_string()
                .contains("glued from several values")
        );
    }

    #[test]
    fn one_value_of_the_source_is_parsed_as_it_stands() {
        let whole = |text: &'static str| parse(&Text::new(text, Origin::Source)).map(|parsed| parsed.value);
        assert_eq!(whole(r#"{"a": ["", 1]}"#), Ok(Some(json!({"a": ["", 1]}))));
        assert!(whole("{").is_err());
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        assert!(
            parse(&Text::new(deep.clone(), Origin::Source))
                .unwrap_err()
                .to_string()
                .contains("deeper")
        );
        assert!(
            parse(&Text::new(deep, Origin::Mapper))
                .unwrap_err()
                .to_string()
                .contains("deeper")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn no_value_reaches_beyond_its_own_text(a in any::<String>(), b in any::<String>(), c in any::<String>()) {
            let template = r#"[{"a": "$", "b": ["$"], "c": $, "d": "fixed \u0041"}]"#;
            let mut expected = json!([{"a": a, "b": [b], "c": c, "d": "fixed A"}]);
            let object = expected[0].as_object_mut().unwrap();
            for (key, value) in [("a", &a), ("b", &b), ("c", &c)] {
                if value.is_empty() {
                    object.remove(key);
                }
            }
            let expected = (object.len() > 1).then_some(expected);
            prop_assert_eq!(parsed(template, &[&a, &b, &c]), Ok(expected));
        }

        #[test]
        fn the_mappers_own_text_reads_as_serde_reads_it(text in r#"[\[\]{}:,"\\a-f0-9eutrnl .+-]{0,24}"#) {
            let ours = parse(&Text::new(text.clone(), Origin::Mapper)).map(|parsed| parsed.value);
            let theirs = serde_json::from_str::<Value>(&text);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?} {:?}", text, ours, theirs);
        }
    }
}
