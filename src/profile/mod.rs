//! The caller's documents: the profile of a person and the SCIM data of a group.
//!
//! Both come as a JSON object, or as a string that holds one (playbooks send strings). They are
//! free-form: what no mapping asks for is kept and ignored.

mod schema;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};

use crate::json;

pub use schema::known_fields;

/// Where a profile keeps what was true before the change it reports.
const OLD: &str = "olduserdata";

/// Fields of one profile: far more than a person has, and few enough that what goes through them
/// all stays cheap.
const MAX_FIELDS: usize = 4_096;

/// The caller's document about a person, `olduserdata` included, as it came.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct UserProfile {
    fields: Map<String, Value>,
    /// By field, the keys that are display names of it. A mapping may ask for a missing field as
    /// often as a list has elements, so it must not go through every key each time.
    #[serde(skip)]
    display_names: HashMap<String, DisplayName>,
}

/// What a field is called where its internal name is no key.
#[derive(Clone, Debug)]
struct DisplayName {
    /// The first key that stands for the field.
    key: String,
    /// Whether another stands for it too, with another value.
    differs: bool,
}

/// Two profiles are the same when their documents are.
impl PartialEq for UserProfile {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

/// The caller's document about a group, as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct GroupProfile(Map<String, Value>);

/// A field holds something other than the text that is wanted there. The field's path and what it
/// holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be text, not {found}; {help}")]
pub struct NotTextError {
    /// The field, from the argument on: `user-profile.title`.
    pub field: String,
    /// What stands there: `a number`, `a list of several values` …
    pub found: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

impl NotTextError {
    fn new(field: String, found: &'static str) -> Self {
        Self {
            field,
            found,
            help: "send it in quotes",
        }
    }

    /// The same of a field that stands elsewhere.
    pub fn at(self, field: String) -> Self {
        Self { field, ..self }
    }
}

impl UserProfile {
    /// A profile of these fields.
    ///
    /// # Errors
    /// When there are more than a profile may have.
    pub fn new(fields: Map<String, Value>) -> Result<Self, String> {
        if fields.len() > MAX_FIELDS {
            return Err(format!(
                "a profile has at most {MAX_FIELDS} fields, not {}",
                fields.len()
            ));
        }
        let mut display_names: HashMap<String, DisplayName> = HashMap::new();
        for (key, value) in &fields {
            let name = display_key(key);
            // What is an internal name already is found by itself, and wins.
            if name == *key {
                continue;
            }
            match display_names.get_mut(&name) {
                Some(first) => first.differs |= fields.get(&first.key) != Some(value),
                None => {
                    let key = key.clone();
                    display_names.insert(name, DisplayName { key, differs: false });
                }
            }
        }
        Ok(Self { fields, display_names })
    }

    /// The document as it came.
    pub fn as_object(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The document as it came, taken.
    pub fn into_object(self) -> Map<String, Value> {
        self.fields
    }

    /// A field by its internal name, `givenname`; else the first whose display name it is:
    /// `Given Name`, lower-cased and without spaces. The exact key wins, but an empty one gives way
    /// to a filled display name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|(_, value)| value)
    }

    /// As [`Self::field`], with the key that it stands under.
    fn entry(&self, name: &str) -> Option<(&String, &Value)> {
        let display_name = || self.fields.get_key_value(&self.display_names.get(name)?.key);
        match self.fields.get_key_value(name) {
            Some(exact) if is_empty(exact.1) => display_name().filter(|(_, value)| !is_empty(value)).or(Some(exact)),
            Some(exact) => Some(exact),
            None => display_name(),
        }
    }

    /// The keys, in their order, that fill nothing where these fields are what is read: what is not
    /// read, what another spelling wins over, and what is empty.
    pub fn unused<'f>(&self, read: impl IntoIterator<Item = &'f str>) -> Vec<String> {
        let read = read.into_iter().filter_map(|name| self.entry(name));
        unused(&self.fields, read)
    }

    /// As [`Self::field`], where it must be clear which value is meant.
    ///
    /// # Errors
    /// When the field is there under two display names, with two values: which of two people would
    /// be disabled must not hang on the order of the keys.
    pub fn one_field(&self, name: &str) -> Result<Option<&Value>, NotTextError> {
        let in_two = self.display_names.get(name).is_some_and(|found| found.differs);
        if in_two && self.fields.get(name).is_none_or(is_empty) {
            return Err(NotTextError {
                help: "it is there in two spellings: leave one",
                ..NotTextError::new(format!("user-profile.{name}"), "two different values")
            });
        }
        Ok(self.field(name))
    }

    /// The text of a field; what is empty counts as absent, and a list of one text as that text.
    ///
    /// # Errors
    /// When the field holds something else: a number or a boolean is not turned into text, because
    /// 007 and 7 are different employees. And as [`Self::one_field`].
    pub fn text(&self, name: &str) -> Result<Option<&str>, NotTextError> {
        text(self.one_field(name)?, "user-profile", name)
    }

    /// What was true before the change, in the profile's own form; `None` when it is empty: also a
    /// blank text, and the texts `{}`, `[]` and `null` of playbooks that fill in nothing.
    ///
    /// # Errors
    /// A sentence, when there is something under `olduserdata` that is no such document. And as
    /// [`Self::one_field`].
    pub fn old(&self) -> Result<Option<UserProfile>, String> {
        let value = self.one_field(OLD).map_err(|_| in_two_spellings(OLD))?;
        let Some(value) = value.filter(|value| !is_empty(value)) else {
            return Ok(None);
        };
        let says_nothing = |text: &str| matches!(text.trim(), "" | "{}" | "[]" | "null");
        if value.as_str().is_some_and(says_nothing) {
            return Ok(None);
        }
        let old = document(value.clone()).and_then(Self::new);
        old.map(Some)
            .map_err(|_| format!("user-profile.{OLD} must be an object, or a string that holds one"))
    }
}

/// What is wrong with a field that is there under two display names, with two values.
pub fn in_two_spellings(name: &str) -> String {
    format!("user-profile.{name} is there in two spellings, with two values: leave one")
}

impl GroupProfile {
    /// The text of an attribute without the white space at its ends, which gets into ids and names
    /// by copying and names no other group; what is empty or blank counts as absent.
    ///
    /// # Errors
    /// When the attribute holds something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, NotTextError> {
        let text = text(self.attribute(name), "scim", name)?;
        Ok(text.map(str::trim).filter(|text| !text.is_empty()))
    }

    /// An attribute as it came. Attribute names are case-insensitive (RFC 7643 section 2.1).
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|(_, value)| value)
    }

    fn entry(&self, name: &str) -> Option<(&String, &Value)> {
        let other = || self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        self.0.get_key_value(name).or_else(other)
    }

    /// The keys, in their order, that do nothing where these attributes are what is read.
    pub fn unused(&self, read: &[&str]) -> Vec<String> {
        unused(&self.0, read.iter().filter_map(|name| self.entry(name)))
    }
}

impl<'de> Deserialize<'de> for UserProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document(Value::deserialize(deserializer)?)
            .and_then(Self::new)
            .map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for GroupProfile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        document(Value::deserialize(deserializer)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// The internal name of the field that a display name stands for: `givenname` of `Given Name`.
pub fn display_key(name: &str) -> String {
    let spaceless = name.chars().filter(|character| *character != ' ');
    spaceless.flat_map(char::to_lowercase).collect()
}

/// An object, or the object that a string holds.
fn document(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(object) => Ok(object),
        Value::String(text) => match json::parse(text.as_bytes()) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(other) => Err(format!("the string must hold a JSON object, not {}", kind(&other))),
            Err(fault) => Err(format!("the string does not hold JSON: {fault}")),
        },
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Err(format!(
            "must be an object, or a string that holds a JSON object, not {}",
            kind(&other)
        )),
    }
}

fn text<'a>(value: Option<&'a Value>, document: &str, name: &str) -> Result<Option<&'a str>, NotTextError> {
    match value {
        None => Ok(None),
        Some(value) if is_empty(value) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Array(list)) => match &list[..] {
            [Value::String(text)] => Ok((!text.is_empty()).then_some(text)),
            _ => Err(NotTextError {
                help: "send the one that counts",
                ..NotTextError::new(format!("{document}.{name}"), "a list of several values")
            }),
        },
        Some(other) => Err(NotTextError::new(format!("{document}.{name}"), kind(other))),
    }
}

/// The keys of a document that are not among its entries that are read, or are empty.
fn unused<'d>(document: &Map<String, Value>, read: impl Iterator<Item = (&'d String, &'d Value)>) -> Vec<String> {
    let filled = read.filter(|(_, value)| !is_empty(value)).map(|(key, _)| key.as_str());
    let filled: HashSet<&str> = filled.collect();
    let unused = document.keys().filter(|key| !filled.contains(key.as_str()));
    unused.cloned().collect()
}

/// Whether a value fills nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn kind(value: &Value) -> &'static str {
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
    use serde_json::json;

    use super::*;

    fn profile(value: Value) -> UserProfile {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_document_is_an_object_or_a_string_that_holds_one() {
        assert_eq!(profile(json!({"a": 1})), profile(json!("{\"a\": 1}")));
        for bad in [
            json!("[1]"),
            json!("{"),
            json!(["a"]),
            json!(7),
            json!(null),
            json!("{\"a\":1,\"a\":2}"),
        ] {
            assert!(serde_json::from_value::<UserProfile>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn display_names_stand_for_fields_and_the_exact_key_wins() {
        let given = profile(json!({"Given Name": "A", "Cost Center Code": "C", "Email": "E", "email": "e"}));
        assert_eq!(given.text("givenname"), Ok(Some("A")));
        assert_eq!(given.text("costcentercode"), Ok(Some("C")));
        assert_eq!(given.text("email"), Ok(Some("e")));
        assert_eq!(given.text("surname"), Ok(None));
    }

    #[test]
    fn two_spellings_that_differ_are_refused() {
        let given = profile(json!({"Username": "a", "User Name": "b", "Title": "t", "TITLE": "t"}));
        assert!(
            given
                .text("username")
                .unwrap_err()
                .to_string()
                .contains("two spellings")
        );
        assert_eq!(given.text("title"), Ok(Some("t")));
        let exact = profile(json!({"Username": "a", "User Name": "b", "username": "c"}));
        assert_eq!(exact.text("username"), Ok(Some("c")));
    }

    #[test]
    fn a_profile_has_so_many_fields_and_is_its_document() {
        let fields = |count: usize| -> Value {
            (0..count)
                .map(|n| (format!("Key {n}"), n.into()))
                .collect::<Map<_, _>>()
                .into()
        };
        assert_eq!(profile(fields(MAX_FIELDS)).field("key7"), Some(&json!(7)));
        let error = serde_json::from_value::<UserProfile>(fields(MAX_FIELDS + 1))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "a profile has at most 4096 fields, not 4097");
        let old = profile(json!({"olduserdata": fields(MAX_FIELDS + 1)}))
            .old()
            .unwrap_err();
        assert!(old.contains("must be an object"), "{old}");
        let (one, other) = (profile(json!({"A B": 1, "AB": 2})), profile(json!({"AB": 2, "A B": 1})));
        assert_eq!((one.field("ab"), other.field("ab")), (Some(&json!(1)), Some(&json!(2))));
        assert_eq!(one, other);
        assert_eq!(serde_json::to_string(&one).unwrap(), r#"{"A B":1,"AB":2}"#);
    }

    #[test]
    fn only_text_is_text() {
        let given = profile(json!({"a": "", "b": null, "c": 7, "d": ["x"]}));
        assert_eq!(given.text("a"), Ok(None));
        assert_eq!(given.text("b"), Ok(None));
        assert_eq!(
            given.text("c").unwrap_err().to_string(),
            "user-profile.c must be text, not a number; send it in quotes"
        );
        assert_eq!(given.text("d"), Ok(Some("x")), "a list of one text is that text");
        let given = profile(json!({"e": ["x", "y"], "f": [], "g": {}, "h": [7]}));
        assert_eq!(
            given.text("e").unwrap_err().to_string(),
            "user-profile.e must be text, not a list of several values; send the one that counts"
        );
        assert_eq!((given.text("f"), given.text("g")), (Ok(None), Ok(None)));
        assert!(given.text("h").is_err());
    }

    #[test]
    fn an_empty_field_gives_way_to_a_filled_display_name() {
        let given = profile(json!({"username": "", "Username": "hr.person", "title": "Boss", "Title": "Other"}));
        assert_eq!(given.text("username"), Ok(Some("hr.person")));
        assert_eq!(given.text("title"), Ok(Some("Boss")));
    }

    #[test]
    fn what_is_not_read_loses_or_is_empty_is_unused() {
        let given = profile(json!({
            "username": "", "Username": "kim", "lastName": "X", "title": "Boss", "Title": "Other", "Given Name": "K", "email": [],
        }));
        assert_eq!(
            given.unused(["username", "title", "givenname", "email", "surname"]),
            ["username", "lastName", "Title", "email"]
        );
        let group: GroupProfile =
            serde_json::from_value(json!({"ID": "g-1", "members": [], "displayname": "A"})).unwrap();
        assert_eq!(group.unused(&["id", "members"]), ["members", "displayname"]);
    }

    #[test]
    fn old_data_that_say_nothing_are_none() {
        for nothing in [
            json!(null),
            json!(""),
            json!("  "),
            json!([]),
            json!({}),
            json!("{}"),
            json!("[]"),
            json!("null"),
        ] {
            assert_eq!(profile(json!({"olduserdata": nothing})).old(), Ok(None));
        }
        assert!(profile(json!({"olduserdata": "name=x"})).old().is_err());
    }

    #[test]
    fn the_old_data_are_a_profile_of_their_own() {
        assert_eq!(profile(json!({})).old(), Ok(None));
        let given = profile(json!({"olduserdata": {"User Name": "x"}}));
        assert_eq!(given.old().unwrap().unwrap().text("username"), Ok(Some("x")));
        assert!(profile(json!({"olduserdata": 7})).old().is_err());
    }
}
