//! The values that transformers work on, each with its origin.
//!
//! A stock mapper glues JSON out of its own text and the profile's values and then parses it. To
//! keep a value from becoming structure, a [`Text`] remembers which of its parts the mapper wrote
//! and which the source gave, and gluing keeps the parts apart. Whatever else changes a text has
//! three cases:
//!
//! - The whole text is the mapper's: so is the result.
//! - The whole text is one part of the source, and the step adds nothing: the result is such a part
//!   again. Where it puts the mapper's text into the value, the result is [`Origin::Altered`]:
//!   still one value, which can stand in glued JSON as that, but is no JSON itself.
//! - Else the parts can't be told apart any more: the result is [`Origin::Mixed`], which is never
//!   parsed as JSON.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    bounds::{self, ELEMENT},
    error::EvaluationError,
};

/// The origin of a part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The mapper's author.
    Mapper,
    /// The source: one value of it, perhaps changed.
    Source,
    /// The source's one value with the mapper's text in it. Whether it has any hangs on the value
    /// (a pattern may match or not), so it counts as that either way. It is never parsed:
    /// `{"a": "$1"}` around a value would let the value write the rest.
    Altered,
    /// Several values, or a value and the mapper's text, no longer kept apart.
    Mixed,
}

impl Origin {
    /// Whether it is one value, which glued JSON takes as an atom.
    pub(super) fn is_one_value(self) -> bool {
        matches!(self, Self::Source | Self::Altered)
    }
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) origin: Origin,
}

/// A text, in the parts it was glued from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text<'a> {
    pub(super) parts: Vec<Part<'a>>,
}

/// A value on its way through the transformers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tainted<'a> {
    /// A text.
    Text(Text<'a>),
    /// A list, whose elements transformers see one by one.
    List(Vec<Tainted<'a>>),
    /// Anything else. Its texts are data, never structure.
    Other(Cow<'a, Value>),
}

impl<'a> Text<'a> {
    /// A text of one part.
    pub(super) fn new(text: impl Into<Cow<'a, str>>, origin: Origin) -> Self {
        let text = text.into();
        if text.is_empty() && origin == Origin::Mapper {
            return Self::default();
        }
        Self {
            parts: vec![Part { text, origin }],
        }
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.text.len()).sum()
    }

    /// The characters, without their origins.
    pub(super) fn plain(&self) -> Cow<'_, str> {
        match self.parts.as_slice() {
            [] => Cow::Borrowed(""),
            [part] => Cow::Borrowed(&part.text),
            parts => Cow::Owned(parts.iter().map(|part| part.text.as_ref()).collect()),
        }
    }

    /// Takes the characters, without their origins.
    pub(super) fn into_plain(self) -> String {
        match <[Part<'a>; 1]>::try_from(self.parts) {
            Ok([part]) => part.text.into_owned(),
            Err(parts) => parts.iter().map(|part| part.text.as_ref()).collect(),
        }
    }

    /// The origin of the whole text.
    pub(super) fn origin(&self) -> Origin {
        match self.parts.as_slice() {
            [part] => part.origin,
            parts if parts.iter().all(|part| part.origin == Origin::Mapper) => Origin::Mapper,
            _ => Origin::Mixed,
        }
    }

    /// Puts another text behind this one; the parts stay apart.
    pub(super) fn push(&mut self, behind: Text<'a>) {
        if self.parts.is_empty() {
            *self = behind;
        } else {
            self.parts.extend(behind.parts);
        }
    }

    /// Changes the text by a step without arguments of the source: see the module's three cases.
    pub(super) fn map(&self, change: impl FnOnce(&str) -> String) -> Result<Self, EvaluationError> {
        let text = change(&self.plain());
        bounds::check_text(text.len())?;
        Ok(Self::new(text, self.origin()))
    }

    /// Changes every part by itself, for steps that change characters one by one.
    pub(super) fn map_parts(self, change: impl Fn(&str) -> String) -> Result<Self, EvaluationError> {
        let change = |part: Part<'a>| Part {
            text: Cow::Owned(change(&part.text)),
            origin: part.origin,
        };
        let text = Self {
            parts: self.parts.into_iter().map(change).collect(),
        };
        bounds::check_text(text.len())?;
        Ok(text)
    }
}

impl<'a> Tainted<'a> {
    /// A value as the source has it.
    pub(super) fn from_source(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Text::new(text.as_str(), Origin::Source)),
            Value::Array(elements) => Self::List(elements.iter().map(Tainted::from_source).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Self::Other(Cow::Borrowed(value)),
        }
    }

    /// A value computed by steps, all its texts of one origin.
    pub(super) fn with_origin(value: Value, origin: Origin) -> Self {
        match value {
            Value::String(text) => Self::Text(Text::new(text, origin)),
            Value::Array(elements) => Self::List(
                elements
                    .into_iter()
                    .map(|element| Self::with_origin(element, origin))
                    .collect(),
            ),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
                Self::Other(Cow::Owned(other))
            }
        }
    }

    /// Takes the value, without its origins.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.into_plain()),
            Self::List(elements) => elements.into_iter().map(Tainted::into_value).collect(),
            Self::Other(value) => value.into_owned(),
        }
    }

    /// The value, to show it.
    pub(super) fn to_value(&self) -> Value {
        self.clone().into_value()
    }

    /// Whether the value is null, or an empty text, list or object.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.len() == 0,
            Self::List(elements) => elements.is_empty(),
            Self::Other(value) => is_empty_value(value),
        }
    }

    /// The work of reading the value, in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::List(elements) => elements.iter().map(|element| element.weight() + ELEMENT).sum(),
            Self::Other(value) => weight(value),
        }
    }

    /// The value as a text, which is how the platform passes scalars to a step that wants one.
    ///
    /// # Errors
    /// For an object: the platform's own steps fail on it too.
    pub(super) fn into_text(self) -> Result<Text<'a>, EvaluationError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::List(_) => Err("needs a text and got a list".into()),
            Self::Other(value) => match value.as_ref() {
                Value::Null => Ok(Text::default()),
                Value::Bool(flag) => Ok(Text::new(flag.to_string(), Origin::Source)),
                Value::Number(number) => Ok(Text::new(number.to_string(), Origin::Source)),
                Value::String(text) => Ok(Text::new(text.clone(), Origin::Source)),
                Value::Array(_) | Value::Object(_) => Err("needs a text and got an object".into()),
            },
        }
    }
}

/// Whether a value is null, or an empty text, list or object.
pub(super) fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}

/// The work of reading a value, in bytes.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => text.len() + 1,
        Value::Array(elements) => elements.iter().map(|element| weight(element) + ELEMENT).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| key.len() + weight(value) + ELEMENT)
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_stay_apart_when_glued_and_are_lost_when_changed_together() {
        let mut text = Text::new("[", Origin::Mapper);
        text.push(Text::new("x", Origin::Source));
        assert_eq!(text.parts.len(), 2);
        assert_eq!((text.plain().as_ref(), text.origin()), ("[x", Origin::Mixed));
        assert_eq!(text.map(str::to_uppercase).unwrap().origin(), Origin::Mixed);
        let by_part = text.map_parts(str::to_uppercase).unwrap();
        assert_eq!(
            (by_part.plain().as_ref(), by_part.parts[1].origin),
            ("[X", Origin::Source)
        );
        let source = Text::new("x", Origin::Source);
        assert_eq!(source.map(str::to_uppercase).unwrap().origin(), Origin::Source);
    }

    #[test]
    fn scalars_are_texts_where_one_is_wanted() {
        let object = json!({"a": 1});
        for (value, expected) in [
            (json!(7), "7"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!("x"), "x"),
        ] {
            assert_eq!(Tainted::from_source(&value).into_text().unwrap().plain(), expected);
        }
        assert!(Tainted::from_source(&object).into_text().is_err());
        assert_eq!(Tainted::from_source(&object).into_value(), object);
    }
}
