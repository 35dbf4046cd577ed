//! From a JSON value to a typed argument list: [`from_value`].
//!
//! Holds a deserializer of our own, for two reasons: serde's ready-made messages quote what they
//! refuse (`invalid type: string "…"`), and derived structs accept a list in place of an object. It
//! knows what argument lists are made of: structs, options, lists and values, no enums.

use std::fmt;

use serde::{
    de::{
        DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{JsonError, JsonErrorKind, Step, pointer, shown_name};

/// Reads a typed argument list out of a document, which has to be an object.
///
/// # Errors
/// When a field is missing, unknown or of another type. An array is never taken for a struct, at
/// any depth, though serde's derived code would.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, JsonError> {
    if !value.is_object() {
        return Err(JsonError {
            kind: JsonErrorKind::BadValue,
            pointer: String::new(),
            message: format!("an object is wanted, {} was given", name_of(&value)),
        });
    }
    serde_path_to_error::deserialize(ArgumentDeserializer(value)).map_err(|error| {
        let mut place: Vec<Step> = error.path().iter().filter_map(step).collect();
        let ArgumentError { kind, field, message } = error.into_inner();
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

/// Says why a value does not fit its type, without the value.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct ArgumentError {
    kind: JsonErrorKind,
    field: Option<String>,
    message: String,
}

impl ArgumentError {
    fn bad_value(message: String) -> Self {
        Self {
            kind: JsonErrorKind::BadValue,
            field: None,
            message,
        }
    }
}

impl serde::de::Error for ArgumentError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::bad_value(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected, expected: &dyn Expected) -> Self {
        let (wanted, given) = (wanted(expected), kind_of(unexpected));
        Self::bad_value(format!("{wanted} is wanted, {given} was given"))
    }

    fn invalid_value(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::bad_value(format!("the value is outside of what is taken: {}", wanted(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let shown = shown_name(field);
        let names: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
        let message = if names.is_empty() {
            format!("the argument `{shown}` is not known; there is none here")
        } else {
            format!("the argument `{shown}` is not known; there are {}", names.join(", "))
        };
        Self {
            kind: JsonErrorKind::UnknownField,
            field: Some(field.to_owned()),
            message,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            kind: JsonErrorKind::MissingField,
            field: Some(field.to_owned()),
            message: format!("the argument `{field}` is missing"),
        }
    }
}

fn wanted(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    // Derived code names the Rust type, which means nothing to a caller.
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

/// Deserializes a [`Value`] as it is, with [`ArgumentError`] for its errors; a list is no struct.
struct ArgumentDeserializer(Value);

impl<'de> Deserializer<'de> for ArgumentDeserializer {
    type Error = ArgumentError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, Some(value)) => visitor.visit_f64(value),
                (None, None, None) => Err(ArgumentError::bad_value("number out of range".to_owned())),
            },
            Value::String(value) => visitor.visit_string(value),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Self))),
            Value::Object(object) => {
                let entries = object.into_iter().map(|(key, value)| (key, Self(value)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgumentError> {
        if self.0.is_array() {
            return Err(ArgumentError::bad_value(
                "an object is wanted, a list was given".to_owned(),
            ));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ArgumentError> for ArgumentDeserializer {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
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
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        count: u8,
        names: Vec<String>,
    }

    /// Reads arguments that don't fit, and gives the error; the value `secret` must not stand in
    /// it.
    #[track_caller]
    fn error_of(value: Value) -> JsonError {
        let shown = value.to_string();
        let error = from_value::<Args>(value).expect_err(&shown);
        assert!(!error.message.contains("secret"), "{shown}: {}", error.message);
        error
    }

    #[track_caller]
    fn assert_bad(value: Value, pointer: &str, message: &str) {
        let error = error_of(value);
        assert!(error.message.contains(message), "{}", error.message);
        assert_eq!((error.kind, error.pointer.as_str()), (JsonErrorKind::BadValue, pointer));
    }

    /// A good profile, and beside it this `inner`.
    fn with_inner(inner: Value) -> Value {
        json!({"user-profile": {}, "inner": inner})
    }

    #[test]
    fn arguments_that_fit_are_taken() {
        let profile = json!({"z": 1, "a": [null, {"b": -1.5}]});
        let args: Args = from_value(json!({
            "user-profile": profile, "allow-enable": null, "inner": {"count": 255, "names": ["x"]},
        }))
        .unwrap();
        assert_eq!(args.user_profile, profile);
        assert_eq!(args.allow_enable, None);
        assert_eq!(args.inner.unwrap().names, ["x"]);
    }

    #[test]
    fn what_is_no_object_is_no_argument_list() {
        assert_bad(json!(["a"]), "", "an object is wanted, a list was given");
        assert_bad(json!(null), "", "an object is wanted, null was given");
        assert_bad(json!("secret"), "", "an object is wanted, a string was given");
        assert_bad(
            with_inner(json!([1, []])),
            "/inner",
            "an object is wanted, a list was given",
        );
        assert_bad(
            with_inner(json!("secret")),
            "/inner",
            "an object is wanted, a string was given",
        );
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_by_its_place_and_not_quoted() {
        let switch = json!({"user-profile": {}, "allow-enable": "secret"});
        assert_bad(switch, "/allow-enable", "a boolean is wanted, a string was given");
        let large = with_inner(json!({"count": 256, "names": []}));
        assert_bad(large, "/inner/count", "outside");
        let names = with_inner(json!({"count": 1, "names": ["a", null]}));
        assert_bad(names, "/inner/names/1", "a string is wanted, null was given");
    }

    #[test]
    fn a_missing_field_is_named_where_it_should_be() {
        for (value, pointer, message) in [
            (json!({}), "/user-profile", "the argument `user-profile` is missing"),
            (with_inner(json!({"count": 1})), "/inner/names", "`names` is missing"),
        ] {
            let error = error_of(value);
            assert!(error.message.contains(message), "{}", error.message);
            let expected = (JsonErrorKind::MissingField, pointer);
            assert_eq!((error.kind, error.pointer.as_str()), expected);
        }
    }

    #[test]
    fn an_unknown_field_is_named_beside_those_that_are_taken() {
        for (name, message) in [
            (
                "allow-enabled",
                "the argument `allow-enabled` is not known; there are `user-profile`, `allow-enable`, `inner`",
            ),
            ("a\n`b", "the argument `a\\u{a}\\u{60}b` is not known"),
        ] {
            let error = error_of(json!({"user-profile": {}, name: "secret"}));
            assert!(error.message.contains(message), "{}", error.message);
            let pointer = format!("/{name}");
            assert_eq!((error.kind, error.pointer), (JsonErrorKind::UnknownField, pointer));
        }
    }
}
