//! Strict JSON: a document is read exactly as it stands, or refused with the place of the fault.
//!
//! `serde_json` on its own is lenient in ways that change people: of two equal keys the last wins,
//! an integer beyond 64 bits quietly becomes a rounded float (another employee number), and a
//! derived struct takes an array for an object. RFC 8259 (sections 4 and 6) leaves each of these
//! open, so two readers of one document may disagree about which person is disabled, or which key
//! verifies a token. One reader serves bodies, tokens, key sets and exported mappers: [`parse`]
//! turns bytes into a [`Value`] without such doubts, [`parse_keeping_last`] accepts duplicate keys
//! and reports them, [`StrictObject`] is for crates that take a type to deserialize into.
//! [`from_value`] turns a value into a typed argument list. Errors say *where* (a JSON pointer,
//! RFC 6901) and *what* is wrong, and never quote a value: only names of fields, cut and escaped.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

mod typed;

pub use typed::from_value;

/// The longest pointer in an error, in bytes. A deeper fault is reported at the nearest enclosing
/// value whose pointer fits.
const LONGEST_POINTER: usize = 512;

/// The longest field name in a message, in characters.
const LONGEST_NAME: usize = 64;

/// 2^53. From here on a double can't represent every integer, so a number that became one may have
/// been rounded.
const EXACT_FLOATS_END: f64 = 9_007_199_254_740_992.0;

/// Says what is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// The kind of fault; each becomes another problem type.
    pub kind: JsonErrorKind,
    /// The place, as an RFC 6901 JSON pointer; empty for the document as a whole. A missing field
    /// is reported where it should be.
    pub pointer: String,
    /// A sentence for the caller; for a fault of syntax with line and column. Holds no value of
    /// the document.
    pub message: String,
}

/// The kinds of [`JsonError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// Not one well-formed, unambiguous JSON document.
    Syntax,
    /// A field that the receiving type does not have.
    UnknownField,
    /// A field that the receiving type needs and the document lacks.
    MissingField,
    /// A field whose value has the wrong type or range.
    BadValue,
}

/// One step of the way from the document's root to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into the member of an object.
    Key(String),
    /// Into the item of an array, counted from 0.
    Index(usize),
}

/// Receives the place of each duplicate key.
type OnDuplicate<'r> = &'r mut dyn FnMut(&[Step]);

/// A JSON object that is deserialized by the rules of [`parse`], for crates that read JSON
/// themselves. The error has no pointer.
#[derive(Debug)]
pub struct StrictObject(pub Map<String, Value>);

impl<'de> Deserialize<'de> for StrictObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Reader::default().deserialize(deserializer)? {
            Value::Object(object) => Ok(Self(object)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(D::Error::custom("not an object"))
            }
        }
    }
}

/// Reads exactly one JSON document.
///
/// Object keys keep their order.
///
/// # Errors
/// Besides RFC 8259's syntax errors (invalid UTF-8, lone surrogates, comments and anything after
/// the document among them): an empty document, a byte order mark (section 8.1 forbids sending
/// one), a duplicate key in one object, numbers that 64 bits would change (too large, or minus
/// zero), and nesting deeper than 127.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    Reader::default().read(bytes)
}

/// Reads as [`parse`] does, but accepts duplicate keys: the last one wins, and each is reported
/// with its place.
///
/// # Errors
/// The same as of [`parse`], duplicate keys excepted.
pub fn parse_keeping_last(bytes: &[u8], on_duplicate: OnDuplicate<'_>) -> Result<Value, JsonError> {
    Reader {
        place: Vec::new(),
        on_duplicate: Some(on_duplicate),
    }
    .read(bytes)
}

/// Makes a field name of a document fit for a message: at most 64 characters, and nothing in it
/// that could move a cursor, end a line or turn the reading direction.
pub fn shown_name(name: &str) -> String {
    let mut shown = String::new();
    for character in name.chars().take(LONGEST_NAME) {
        let invisible = matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
        if character.is_control() || invisible || character == '`' {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if name.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    shown
}

/// Writes a place as a pointer: `~` and `/` are escaped, each step begins with `/` (RFC 6901
/// section 3).
fn pointer(place: &[Step]) -> String {
    let mut pointer = String::new();
    for step in place {
        let token = match step {
            Step::Key(key) => key.replace('~', "~0").replace('/', "~1"),
            Step::Index(index) => index.to_string(),
        };
        if pointer.len() + 1 + token.len() > LONGEST_POINTER {
            break;
        }
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

fn syntax(place: &[Step], message: String) -> JsonError {
    JsonError {
        kind: JsonErrorKind::Syntax,
        pointer: pointer(place),
        message,
    }
}

/// The message of an error of syntax, with the mend for what is sent most often in place of JSON:
/// another encoding, Python's print, and quotes that a word processor has made.
fn explained(bytes: &[u8], error: &serde_json::Error) -> String {
    if let Some(encoding) = other_encoding(bytes) {
        return format!("the document is {encoding}: send it in UTF-8");
    }
    let hint = match found_at(bytes, error) {
        Some('\'' | '\u{2018}'..='\u{201F}' | '\u{AB}' | '\u{BB}') => {
            "; names and texts stand in double quotes (\"), not in single or typographic ones: write it with a JSON library, such as Python's \
             json.dumps"
        }
        Some('T' | 'F' | 'N') => "; true, false and null are written in small letters: Python's json.dumps does it",
        Some(_) | None => "",
    };
    format!("{error}{hint}")
}

/// In which encoding a document is that is not in UTF-8, as far as can be told.
fn other_encoding(bytes: &[u8]) -> Option<String> {
    let first = bytes.get(..2);
    // Without a mark the first character, which is of ASCII, has a zero beside it.
    if matches!(first, Some([0xFF, 0xFE] | [0xFE, 0xFF] | [0, _] | [_, 0])) {
        return Some("in UTF-16".to_owned());
    }
    let error = std::str::from_utf8(bytes).err()?;
    let line = 1 + bytes[..error.valid_up_to()]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    Some(format!(
        "not in UTF-8, at line {line} (it may be in Latin-1 or Windows-1252)"
    ))
}

/// The character at which an error was found, which counts the bytes of a line from 1.
fn found_at(bytes: &[u8], error: &serde_json::Error) -> Option<char> {
    let line = bytes.split(|byte| *byte == b'\n').nth(error.line().checked_sub(1)?)?;
    let rest = line.get(error.column().checked_sub(1)?..)?;
    std::str::from_utf8(rest).ok()?.chars().next()
}

/// Builds a [`Value`] in one pass over the text, keeping account of the place.
#[derive(Default)]
struct Reader<'r> {
    place: Vec<Step>,
    /// Without it a duplicate key is an error.
    on_duplicate: Option<OnDuplicate<'r>>,
}

impl Reader<'_> {
    fn read(mut self, bytes: &[u8]) -> Result<Value, JsonError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(syntax(&[], "the document is empty".to_owned()));
        }
        if bytes.starts_with(b"\xEF\xBB\xBF") {
            let message = "the document starts with a byte order mark, at line 1 column 1";
            return Err(syntax(&[], message.to_owned()));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        // An error leaves its steps in `place`, which is then the place of the fault.
        let value = self
            .deserialize(&mut deserializer)
            .map_err(|error| syntax(&self.place, explained(bytes, &error)))?;
        deserializer
            .end()
            .map_err(|error| syntax(&[], explained(bytes, &error)))?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    /// Refuses what a double would change: integers beyond 64 bits arrive here too, already
    /// rounded, and so does `-0`, which would be sent on as `-0.0`.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() >= EXACT_FLOATS_END {
            return Err(E::custom("number too large to be kept exactly; send it as a string"));
        }
        if value == 0.0 && value.is_sign_negative() {
            return Err(E::custom("minus zero is not a number that can be kept"));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.place.push(Step::Index(list.len()));
            let item = items.next_element_seed(&mut *self)?;
            self.place.pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let is_duplicate = object.contains_key(&key);
            // `place` owns the key while its value is read, so that no copy is made.
            self.place.push(Step::Key(key));
            if is_duplicate {
                let Some(on_duplicate) = &mut self.on_duplicate else {
                    return Err(A::Error::custom("a key is given twice in one object"));
                };
                on_duplicate(&self.place);
            }
            let value = entries.next_value_seed(&mut *self)?;
            if let Some(Step::Key(key)) = self.place.pop() {
                object.insert(key, value);
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: impl AsRef<[u8]>) -> (String, String) {
        let error = parse(text.as_ref()).expect_err("should be refused");
        assert_eq!(error.kind, JsonErrorKind::Syntax);
        (error.pointer, error.message)
    }

    #[test]
    fn well_formed_documents_are_kept_as_they_stand() {
        for text in [
            r#"{"b":1,"a":{"z":[],"y":[{},null,true,-5,1.5]},"":"\u00e9\ud83d\ude00"}"#,
            "18446744073709551615",
            "-9223372036854775808",
            r#""x""#,
            " null\r\n",
            r#"{"a":{"k":1},"b":{"k":2}}"#,
        ] {
            let value = parse(text.as_bytes()).expect(text);
            assert_eq!(value, serde_json::from_str::<Value>(text).expect(text));
        }
        let order: Vec<String> = parse(br#"{"z":1,"a":2,"m":3}"#)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(order, ["z", "a", "m"]);
    }

    /// Hostile input 25, numbers for text, and numbers that would change: 400.
    #[test]
    fn doubtful_documents_are_refused_with_their_place() {
        for (text, pointer, message) in [
            (
                &br#"{"a":1,"a":2}"#[..],
                "/a",
                "a key is given twice in one object at line 1 column 10",
            ),
            (
                br#"{"a":[{"x":1},{"y":1,"\u0079":2}]}"#,
                "/a/1/y",
                "a key is given twice",
            ),
            (br#"{"a/b":{"~":1,"~":1}}"#, "/a~1b/~0", "a key is given twice"),
            (
                br#"{"n":99999999999999999999}"#,
                "/n",
                "number too large to be kept exactly",
            ),
            (
                br#"{"n":-9223372036854775809}"#,
                "/n",
                "number too large to be kept exactly",
            ),
            (
                br#"[1,18446744073709551616]"#,
                "/1",
                "number too large to be kept exactly",
            ),
            (br#"{"n":1e400}"#, "/n", "number out of range at line 1"),
            (br#"{"n":-1e400}"#, "/n", "number out of range"),
            (br#"{"n":-0}"#, "/n", "minus zero"),
            (br#"{"n":NaN}"#, "/n", "expected value at line 1 column 6"),
            (br#"{"n":Infinity}"#, "/n", "expected value"),
            (br#"{"n":01}"#, "/n", "invalid number"),
            (br#"{} x"#, "", "trailing characters at line 1 column 4"),
            (br#"{}{}"#, "", "trailing characters"),
            (b"\xEF\xBB\xBF{}", "", "byte order mark"),
            (b"{\n/* c */}", "", "key must be a string at line 2 column 1"),
            (b"// c\n{}", "", "expected value"),
            (b"", "", "empty"),
            (b" \r\n", "", "empty"),
            (b"{", "", "EOF while parsing an object"),
            (b"{\"a\":\n\"\xff\"}", "/a", "not in UTF-8, at line 2"),
            (b"{\"a\":\"\xed\xa0\x80\"}", "/a", "not in UTF-8, at line 1"),
            (
                b"{\"a\":\"\xfcber\"}",
                "/a",
                "Latin-1 or Windows-1252): send it in UTF-8",
            ),
            (b"\xff\xfe{\0}\0", "", "in UTF-16: send it in UTF-8"),
            (b"\xfe\xff\0{\0}", "", "in UTF-16: send it in UTF-8"),
            (b"{\0\"\0a\0", "", "in UTF-16"),
            (
                b"{'username': 'x'}",
                "",
                "column 2; names and texts stand in double quotes",
            ),
            (b"{\"username\": 'x'}", "/username", "stand in double quotes"),
            (b"['id']", "/0", "stand in double quotes"),
            (
                "{\u{201c}username\u{201d}: 1}".as_bytes(),
                "",
                "not in single or typographic ones",
            ),
            ("{\"a\": \u{201e}x\u{201c}}".as_bytes(), "/a", "typographic"),
            (b"{\"a\": True}", "/a", "small letters"),
            (b"{\"a\": None}", "/a", "small letters"),
            (br#"{"a":"\ud800"}"#, "/a", "hex escape"),
            (br#"{"a":"\udc00x"}"#, "/a", "lone leading surrogate"),
            (b"{\"a\":\"\n\"}", "/a", "control character"),
            (b"{\"a\":1,}", "", "trailing comma"),
            (b"{'a':1}", "", "key must be a string"),
        ] {
            let (at, said) = refused(text);
            let shown = String::from_utf8_lossy(text);
            assert!(said.contains(message), "{shown}: {said}");
            assert_eq!(at, pointer, "{shown}: {said}");
        }
    }

    /// Hostile input 24, nesting of 128 and 100,000: 400.
    #[test]
    fn nesting_ends_at_127() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        parse(nested(127).as_bytes()).expect("127 levels are taken");
        for depth in [128, 100_000] {
            assert!(refused(nested(depth)).1.contains("recursion limit exceeded"));
        }
        let unclosed = refused("[".repeat(100_000)).1;
        assert!(unclosed.contains("recursion limit exceeded"));
    }

    #[test]
    fn a_pointer_is_bounded_and_still_points() {
        let long = "k".repeat(100_000);
        let (pointer, message) = refused(format!(r#"{{"a":{{"{long}":1,"{long}":2}}}}"#));
        assert_eq!(pointer, "/a");
        assert!(message.len() < 200);
    }

    #[test]
    fn a_made_up_name_is_cut_and_escaped() {
        assert_eq!(shown_name("plain-näme"), "plain-näme");
        assert_eq!(shown_name("\u{1b}[2J\u{202e}"), "\\u{1b}[2J\\u{202e}");
        assert_eq!(shown_name(&"x".repeat(65)).chars().count(), 65);
    }
}
