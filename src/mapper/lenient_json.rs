//! JSON as real exports have it: keys given twice (the last wins), in an order that is kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{bounds::MAX_REMARKS, lint::shorten};

/// A document, and the places where a key was given twice.
#[derive(Debug, PartialEq)]
pub(super) struct Document {
    pub(super) value: Value,
    /// Each as the keys that lead there, as many as are reported for a file.
    pub(super) duplicates: Vec<String>,
    /// The number of further duplicates.
    pub(super) more_duplicates: usize,
}

/// Reads a document. Nesting beyond 127 is refused by the parser.
///
/// # Errors
/// When it is no JSON; the error has line and column.
pub(super) fn read(text: &str) -> Result<Document, serde_json::Error> {
    // A byte order mark is no JSON (RFC 8259 section 8.1 lets a reader ignore it), and editors
    // leave one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut duplicates, mut more_duplicates, mut place) = (Vec::new(), 0, Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = LenientValue {
        duplicates: &mut duplicates,
        more_duplicates: &mut more_duplicates,
        place: &mut place,
    };
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(Document {
        value,
        duplicates,
        more_duplicates,
    })
}

struct LenientValue<'a> {
    duplicates: &'a mut Vec<String>,
    more_duplicates: &'a mut usize,
    place: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for LenientValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LenientValue<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.place.push(format!("{}", list.len() + 1));
            let item = items.next_element_seed(LenientValue {
                duplicates: &mut *self.duplicates,
                more_duplicates: &mut *self.more_duplicates,
                place: &mut *self.place,
            })?;
            self.place.pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(list.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.place.push(shorten(&key));
            if object.contains_key(&key) {
                if self.duplicates.len() < MAX_REMARKS {
                    self.duplicates.push(self.place.join(" › "));
                } else {
                    *self.more_duplicates += 1;
                }
            }
            let value = entries.next_value_seed(LenientValue {
                duplicates: &mut *self.duplicates,
                more_duplicates: &mut *self.more_duplicates,
                place: &mut *self.place,
            })?;
            self.place.pop();
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins_and_both_are_told() {
        let document = read(r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}], "c": 3}, "a": 4}"#).unwrap();
        assert_eq!(document.value, json!({"a": 4, "b": {"c": 3}}));
        assert_eq!(document.duplicates, ["b › c › 1 › d", "b › c", "a"]);
    }

    #[test]
    fn many_keys_given_twice_below_a_long_one_take_no_memory_of_note() {
        let doubled = r#""k": 1, "#.repeat(50_000);
        let text = format!(r#"{{"{}": {{{doubled}"k": 2}}}}"#, "x".repeat(1_000_000));
        let document = read(&text).unwrap();
        assert_eq!((document.duplicates.len(), document.more_duplicates), (1_000, 49_000));
        assert!(document.duplicates.iter().all(|place| place.len() < 200));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        assert!(read("{").unwrap_err().to_string().contains("line 1 column 1"));
        assert!(read("{} x").unwrap_err().to_string().contains("trailing characters"));
        assert!(
            read(&"[".repeat(1_000))
                .unwrap_err()
                .to_string()
                .contains("recursion limit")
        );
        assert!(read("\u{feff}{}").is_ok());
    }
}
