//! Strict JSON: what a caller sent is read exactly as it stands, or refused with the place of the fault.
//!
//! `serde_json` on its own is lenient in ways that change people: of two equal keys the last wins, an integer beyond 64 bits
//! quietly becomes a rounded float (another employee number), and a derived struct takes an array for an object. RFC 8259
//! (sections 4 and 6) leaves each of these open, so two readers of one body may disagree about who is to be disabled.
//! [`parse`] turns bytes into a [`Value`] without such doubts; [`from_value`] turns that into a typed argument list. Both say
//! *where* (a JSON pointer, RFC 6901) and *what* is wrong, and never quote a value: only names of fields, cut and escaped.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

/// The longest pointer told, in bytes; a deeper fault is told at the nearest enclosing value whose pointer fits.
const LONGEST_POINTER: usize = 512;

/// The longest field name told, in characters.
const LONGEST_NAME: usize = 64;

/// From here on (2^53) a double no longer tells neighbouring integers apart, so a number that had to become one may have changed.
const EXACT_FLOATS_END: f64 = 9_007_199_254_740_992.0;

/// What was wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Which kind of fault, for those who answer differently to each.
    pub kind: FaultKind,
    /// The place, as an RFC 6901 JSON pointer; empty for the document as a whole. A missing field is told where it should be.
    pub pointer: String,
    /// What is wrong, in words; for a fault of syntax with line and column. Holds no value of the document.
    pub message: String,
}

/// The kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Not one well-formed, unambiguous JSON document.
    Syntax,
    /// A field that the receiving type does not have.
    UnknownField,
    /// A field that the receiving type needs and the document lacks.
    MissingField,
    /// A field whose value has the wrong type or range.
    BadValue,
}

/// Reads exactly one JSON document.
///
/// Object keys keep their order. Refused besides RFC 8259's syntax errors (invalid UTF-8, lone surrogates, comments and
/// anything after the document among them): an empty body, a byte order mark (section 8.1 forbids sending one), a key given twice in one
/// object, numbers that 64 bits would change (too large, or minus zero), and nesting deeper than 127.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(syntax(&[], "the document is empty".to_owned()));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(syntax(
            &[],
            "the document starts with a byte order mark, at line 1 column 1".to_owned(),
        ));
    }
    let mut place = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = match (Exact { place: &mut place }).deserialize(&mut deserializer) {
        Ok(value) => value,
        // On the way out of a failure nobody pops: `place` is where the fault lies.
        Err(error) => return Err(syntax(&place, error.to_string())),
    };
    deserializer.end().map_err(|error| syntax(&[], error.to_string()))?;
    Ok(value)
}

/// Reads a typed argument list out of a document, which has to be an object.
///
/// An array is never taken for a struct, at any depth, though serde's derived code would.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    if !value.is_object() {
        let message = format!("an object is wanted, {} was given", name_of(&value));
        return Err(Fault {
            kind: FaultKind::BadValue,
            pointer: String::new(),
            message,
        });
    }
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let mut place: Vec<Step> = error.path().iter().filter_map(step).collect();
        let Mismatch { kind, field, message } = error.into_inner();
        if let Some(field) = field
            && place.last().is_none_or(|last| *last != Step::Key(field.clone()))
        {
            place.push(Step::Key(field));
        }
        Fault {
            kind,
            pointer: pointer(&place),
            message,
        }
    })
}

/// A field name that a caller made up, fit for a message: at most 64 characters, and nothing in it that could move a cursor, end a
/// line or turn the reading direction.
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

/// One step of the way from the document's root to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        // A variant's name is the one key of the object that holds it.
        Segment::Enum { variant } => Some(Step::Key(variant.clone())),
        Segment::Unknown => None,
    }
}

/// RFC 6901 section 3: `~` and `/` are escaped, each step begins with `/`.
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

fn syntax(place: &[Step], message: String) -> Fault {
    Fault {
        kind: FaultKind::Syntax,
        pointer: pointer(place),
        message,
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Builds a [`Value`] while keeping account of the place, in one pass over the text.
struct Exact<'a> {
    place: &'a mut Vec<Step>,
}

impl<'de> DeserializeSeed<'de> for Exact<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Exact<'_> {
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

    /// Integers beyond 64 bits arrive here too, already rounded, and so does `-0`, which would be sent on as `-0.0`.
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
            let item = items.next_element_seed(Exact {
                place: &mut *self.place,
            })?;
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
            let twice = object.contains_key(&key);
            // The key waits in `place` while its value is read, and is taken back from there.
            self.place.push(Step::Key(key));
            if twice {
                return Err(serde::de::Error::custom("a key is given twice in one object"));
            }
            let value = entries.next_value_seed(Exact {
                place: &mut *self.place,
            })?;
            if let Some(Step::Key(key)) = self.place.pop() {
                object.insert(key, value);
            }
        }
        Ok(Value::Object(object))
    }
}

/// Why a value does not fit its type, told without the value.
///
/// A type of its own because serde's ready-made messages quote what they refuse (`invalid type: string "…"`).
#[derive(Debug)]
struct Mismatch {
    kind: FaultKind,
    field: Option<String>,
    message: String,
}

impl Mismatch {
    fn bad(message: String) -> Self {
        Self {
            kind: FaultKind::BadValue,
            field: None,
            message,
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Mismatch {}

impl serde::de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::bad(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected, expected: &dyn Expected) -> Self {
        Self::bad(format!(
            "{} is wanted, {} was given",
            wanted(expected),
            kind_of(unexpected)
        ))
    }

    fn invalid_value(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::bad(format!("the value is outside of what is taken: {}", wanted(expected)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::bad(format!("{} is wanted, {length} elements were given", wanted(expected)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::bad(format!("the value has to be one of {}", quoted(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let shown = shown_name(field);
        let message = if expected.is_empty() {
            format!("unknown argument `{shown}`; none is taken here")
        } else {
            format!("unknown argument `{shown}`; taken here: {}", quoted(expected))
        };
        Self {
            kind: FaultKind::UnknownField,
            field: Some(field.to_owned()),
            message,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        let message = format!("the argument `{field}` is missing");
        Self {
            kind: FaultKind::MissingField,
            field: Some(field.to_owned()),
            message,
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self {
            kind: FaultKind::BadValue,
            field: Some(field.to_owned()),
            message: format!("`{field}` is given twice"),
        }
    }
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn wanted(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    // Derived code names the Rust type, which says nothing to a caller.
    if expected.starts_with("struct ") || expected == "a map" {
        "an object".to_owned()
    } else {
        expected
    }
}

fn kind_of(unexpected: Unexpected) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq | Unexpected::TupleVariant => "a list",
        Unexpected::Map | Unexpected::StructVariant | Unexpected::NewtypeStruct | Unexpected::NewtypeVariant => {
            "an object"
        }
        Unexpected::Enum | Unexpected::UnitVariant => "a name",
        Unexpected::Other(_) => "something else",
    }
}

/// A [`Value`] that hands itself out as it is, with [`Mismatch`] for its errors, and is no struct when it is a list.
struct Strict(Value);

impl Strict {
    fn map(object: Map<String, Value>) -> impl for<'de> MapAccess<'de, Error = Mismatch> {
        Entries {
            entries: object.into_iter(),
            value: None,
        }
    }
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, Some(value)) => visitor.visit_f64(value),
                (None, None, None) => Err(Mismatch::bad("number out of range".to_owned())),
            },
            Value::String(value) => visitor.visit_string(value),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(object) => visitor.visit_map(Strict::map(object)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Array(_) => Err(Mismatch::bad("an object is wanted, a list was given".to_owned())),
            value => Strict(value).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Strict(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(StringDeserializer::new(variant)),
            Value::Object(object) => visitor.visit_enum(MapAccessDeserializer::new(Strict::map(object))),
            other => Err(Mismatch::bad(format!(
                "a name is wanted, {} was given",
                name_of(&other)
            ))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Mismatch> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Mismatch;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mismatch> {
        self.0.next().map(|item| seed.deserialize(Strict(item))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries {
    entries: serde_json::map::IntoIter,
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Mismatch;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mismatch> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(StringDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        seed.deserialize(Strict(self.value.take().unwrap_or(Value::Null)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn refused(text: impl AsRef<[u8]>) -> (String, String) {
        let fault = parse(text.as_ref()).expect_err("should be refused");
        assert_eq!(fault.kind, FaultKind::Syntax);
        (fault.pointer, fault.message)
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
            (b"{\"a\":\"\xff\"}", "/a", "invalid unicode code point"),
            (b"{\"a\":\"\xed\xa0\x80\"}", "/a", "invalid unicode code point"),
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

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[allow(dead_code)]
    struct Args {
        user_profile: Value,
        allow_enable: Option<bool>,
        mode: Option<Mode>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Plain,
        Sized(u8),
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        count: u8,
        names: Vec<String>,
    }

    #[test]
    fn arguments_that_fit_are_taken() {
        let profile = json!({"z": 1, "a": [null, {"b": -1.5}]});
        let args: Args = from_value(json!({
            "user-profile": profile, "allow-enable": null, "mode": {"sized": 3}, "inner": {"count": 255, "names": ["x"]},
        }))
        .unwrap();
        assert_eq!(args.user_profile, profile);
        assert_eq!(args.allow_enable, None);
        assert!(matches!(args.mode, Some(Mode::Sized(3))));
        let plain: Args = from_value(json!({"user-profile": "{}", "mode": "plain"})).unwrap();
        assert!(matches!(plain.mode, Some(Mode::Plain)));
    }

    #[test]
    fn arguments_that_do_not_fit_are_named_without_their_values() {
        use FaultKind::{BadValue, MissingField, UnknownField};
        for (value, kind, pointer, message) in [
            (json!(["a"]), BadValue, "", "an object is wanted, a list was given"),
            (json!(null), BadValue, "", "an object is wanted, null was given"),
            (json!("secret"), BadValue, "", "an object is wanted, a string was given"),
            (
                json!({}),
                MissingField,
                "/user-profile",
                "the argument `user-profile` is missing",
            ),
            (
                json!({"user-profile": {}, "allow-enabled": "secret"}),
                UnknownField,
                "/allow-enabled",
                "unknown argument `allow-enabled`; taken here: `user-profile`, `allow-enable`, `mode`, `inner`",
            ),
            (
                json!({"user-profile": {}, "a\n`b": 1}),
                UnknownField,
                "/a\n`b",
                "unknown argument `a\\u{a}\\u{60}b`",
            ),
            (
                json!({"user-profile": {}, "allow-enable": "secret"}),
                BadValue,
                "/allow-enable",
                "a boolean is wanted, a string was given",
            ),
            (
                json!({"user-profile": {}, "mode": "secret"}),
                BadValue,
                "/mode",
                "one of `plain`, `sized`",
            ),
            (
                json!({"user-profile": {}, "mode": 1}),
                BadValue,
                "/mode",
                "a name is wanted, a number was given",
            ),
            (
                json!({"user-profile": {}, "inner": [1, []]}),
                BadValue,
                "/inner",
                "an object is wanted, a list was given",
            ),
            (
                json!({"user-profile": {}, "inner": "secret"}),
                BadValue,
                "/inner",
                "an object is wanted, a string was given",
            ),
            (
                json!({"user-profile": {}, "inner": {"count": 256, "names": []}}),
                BadValue,
                "/inner/count",
                "outside",
            ),
            (
                json!({"user-profile": {}, "inner": {"count": 1}}),
                MissingField,
                "/inner/names",
                "`names` is missing",
            ),
            (
                json!({"user-profile": {}, "inner": {"count": 1, "names": ["a", null]}}),
                BadValue,
                "/inner/names/1",
                "a string is wanted, null was given",
            ),
        ] {
            let shown = value.to_string();
            let fault = from_value::<Args>(value).expect_err(&shown);
            assert!(fault.message.contains(message), "{shown}: {}", fault.message);
            assert_eq!((fault.kind, fault.pointer.as_str()), (kind, pointer), "{shown}");
            assert!(!fault.message.contains("secret"), "{shown}: {}", fault.message);
        }
    }

    #[test]
    fn a_made_up_name_is_cut_and_escaped() {
        assert_eq!(shown_name("plain-näme"), "plain-näme");
        assert_eq!(shown_name("\u{1b}[2J\u{202e}"), "\\u{1b}[2J\\u{202e}");
        assert_eq!(shown_name(&"x".repeat(65)).chars().count(), 65);
    }
}
