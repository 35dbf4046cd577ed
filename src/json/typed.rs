//! From a JSON value to a typed argument list: [`from_value`].
//!
//! A deserializer of our own stands between the value and serde's derived code, for two reasons:
//! serde's ready-made messages quote what they refuse (`invalid type: string "…"`), and derived
//! structs accept a list in place of an object.

use std::fmt;

use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        Visitor,
        value::{MapAccessDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::{JsonError, JsonErrorKind, Step, pointer, shown_name};

/// Reads a typed argument list out of a document, which has to be an object.
///
/// An array is never taken for a struct, at any depth, though serde's derived code would.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, JsonError> {
    if !value.is_object() {
        let message = format!("an object is wanted, {} was given", name_of(&value));
        return Err(JsonError {
            kind: JsonErrorKind::BadValue,
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
        JsonError {
            kind,
            pointer: pointer(&place),
            message,
        }
    })
}

/// Why a value does not fit its type, told without the value.
#[derive(Debug)]
struct Mismatch {
    kind: JsonErrorKind,
    field: Option<String>,
    message: String,
}

impl Mismatch {
    fn bad(message: String) -> Self {
        Self {
            kind: JsonErrorKind::BadValue,
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
            kind: JsonErrorKind::UnknownField,
            field: Some(field.to_owned()),
            message,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        let message = format!("the argument `{field}` is missing");
        Self {
            kind: JsonErrorKind::MissingField,
            field: Some(field.to_owned()),
            message,
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self {
            kind: JsonErrorKind::BadValue,
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

/// A [`Value`] that hands itself out as it is, with [`Mismatch`] for its errors, and is no struct
/// when it is a list.
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
        if self.0.is_array() {
            return Err(Mismatch::bad("an object is wanted, a list was given".to_owned()));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
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
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Err(Mismatch::bad(format!(
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

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        // A variant's name is the one key of the object that holds it.
        Segment::Enum { variant } => Some(Step::Key(variant.clone())),
        Segment::Unknown => None,
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

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
        use JsonErrorKind::{BadValue, MissingField, UnknownField};
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
}
