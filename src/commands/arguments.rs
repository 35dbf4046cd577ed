//! The forms in which playbooks, webhooks and people send the same argument.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type},
    },
};

use crate::json;

/// True or false, also as the strings `"true"` and `"false"`. Missing, null or empty, it was not
/// given: playbooks send an unset argument as an empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Switch(pub Option<bool>);

impl Switch {
    /// What was given, else `default`.
    pub fn or(self, default: bool) -> bool {
        self.0.unwrap_or(default)
    }
}

impl PartialSchema for Switch {
    fn schema() -> RefOr<Schema> {
        let boolean = ObjectBuilder::new().schema_type(Type::Boolean);
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["true", "false", ""]));
        let null = ObjectBuilder::new().schema_type(Type::Null);
        OneOfBuilder::new()
            .item(boolean)
            .item(text)
            .item(null)
            .description(Some(
                "True or false, also as a string; null and the empty string count as not given.",
            ))
            .into()
    }
}

impl ToSchema for Switch {}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::default()),
            Value::Bool(on) => Ok(Self(Some(on))),
            Value::String(text) if text.is_empty() => Ok(Self::default()),
            Value::String(text) if text == "true" => Ok(Self(Some(true))),
            Value::String(text) if text == "false" => Ok(Self(Some(false))),
            Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(D::Error::custom(
                "must be true or false, or one of the strings \"true\" and \"false\"",
            )),
        }
    }
}

/// Identifiers of users: a list, a string that holds a JSON list, or a comma-separated string.
/// Missing, null, and an empty list or string are no members at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MemberIds(pub Vec<String>);

impl PartialSchema for MemberIds {
    fn schema() -> RefOr<Schema> {
        list_schema(
            "Ids of users: a list, a string that holds a JSON list, or a string of ids separated by commas.",
            [json!(["123456", "123457"]), json!("123456,123457")],
        )
    }
}

impl ToSchema for MemberIds {}

impl<'de> Deserialize<'de> for MemberIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |id: Value| match id {
            Value::String(id) => Ok(id),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(D::Error::custom("every id in the list must be a string"))
            }
        };
        let list = list(Value::deserialize(deserializer)?, "ids").map_err(D::Error::custom)?;
        list.into_iter().map(text).collect::<Result<_, _>>().map(Self)
    }
}

/// Names of profile fields, in the forms of [`MemberIds`], as they are or by their display names;
/// blanks around a name are none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FieldNames(pub Vec<String>);

impl PartialSchema for FieldNames {
    fn schema() -> RefOr<Schema> {
        list_schema(
            "Fields of the profile, as they are (`mobilephone`) or by their display names (`Mobile Phone`): a list, a \
             string that holds a JSON list, or a string of names separated by commas.",
            [json!(["title", "Mobile Phone"]), json!("title, Mobile Phone")],
        )
    }
}

impl ToSchema for FieldNames {}

impl<'de> Deserialize<'de> for FieldNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut names = Vec::new();
        for name in list(Value::deserialize(deserializer)?, "field names").map_err(D::Error::custom)? {
            match name {
                Value::String(name) if name.trim().is_empty() => {}
                Value::String(name) => names.push(name.trim().to_owned()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(D::Error::custom("every name in the list must be a string"));
                }
            }
        }
        Ok(Self(names))
    }
}

impl MemberIds {
    /// The members of a group's SCIM data: as the arguments of this type, and with objects that
    /// hold an id under `value` (RFC 7643 section 4.2), as a get answers them.
    ///
    /// # Errors
    /// When it is something else; a sentence that says what.
    pub fn of_members(members: &Value) -> Result<Self, String> {
        let id = |member: Value| {
            let value = match &member {
                Value::Object(object) => object.get("value").and_then(Value::as_str),
                Value::String(id) => Some(id.as_str()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
            };
            value
                .map(str::to_owned)
                .ok_or_else(|| "every member must be an id, or an object that holds one under `value`".to_owned())
        };
        list(members.clone(), "ids")?
            .into_iter()
            .map(id)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn list_schema(description: &str, examples: [Value; 2]) -> RefOr<Schema> {
    let list = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
    let text = ObjectBuilder::new().schema_type(Type::String);
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new()
        .item(list)
        .item(text)
        .item(null)
        .description(Some(description))
        .examples(examples)
        .into()
}

/// The elements of a list, of `what`, in any of its forms; what is empty has none.
fn list(value: Value, what: &str) -> Result<Vec<Value>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => Ok(list),
        Value::String(text) if text.trim_start().starts_with('[') => match json::parse(text.trim().as_bytes()) {
            Ok(Value::Array(list)) => Ok(list),
            Ok(_) => Err("the string must hold a list".to_owned()),
            Err(fault) => Err(format!("the string does not hold a list: {fault}")),
        },
        Value::String(text) => {
            let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
            Ok(ids.map(Value::from).collect())
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(format!(
            "must be a list of {what}, or a string of {what} separated by commas"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_a_boolean_or_its_name() {
        let rows = [
            (json!(true), Some(Some(true))),
            (json!(false), Some(Some(false))),
            (json!("true"), Some(Some(true))),
            (json!("false"), Some(Some(false))),
            (json!(null), Some(None)),
            (json!(""), Some(None)),
            (json!(" "), None),
            (json!("yes"), None),
            (json!("True"), None),
            (json!(1), None),
            (json!([]), None),
        ];
        for (value, expected) in rows {
            assert_eq!(
                serde_json::from_value::<Switch>(value.clone()).ok(),
                expected.map(Switch),
                "{value}"
            );
        }
    }

    #[test]
    fn a_switch_that_is_not_given_takes_the_default() {
        let rows = [
            (Some(true), false, true),
            (Some(false), true, false),
            (None, true, true),
            (None, false, false),
        ];
        for (given, default, expected) in rows {
            assert_eq!(Switch(given).or(default), expected, "{given:?} {default}");
        }
    }

    #[test]
    fn member_ids_come_in_three_forms() {
        let rows = [
            (json!(["a", "b"]), Some(vec!["a", "b"])),
            (json!("[\"a\", \"b\"]"), Some(vec!["a", "b"])),
            (json!(" a, b ,,"), Some(vec!["a", "b"])),
            (json!("a"), Some(vec!["a"])),
            (json!(""), Some(vec![])),
            (json!([]), Some(vec![])),
            (json!(null), Some(vec![])),
            (json!([1]), None),
            (json!("[1]"), None),
            (json!("[\"a\""), None),
            (json!({"a": 1}), None),
            (json!(7), None),
            (json!([{"value": "a"}]), None),
        ];
        for (value, expected) in rows {
            let ids = serde_json::from_value::<MemberIds>(value.clone()).ok().map(|ids| ids.0);
            assert_eq!(
                ids,
                expected.map(|ids| ids.into_iter().map(String::from).collect()),
                "{value}"
            );
        }
    }

    #[test]
    fn field_names_come_in_three_forms() {
        let rows = [
            (json!(["title", " Mobile Phone "]), Some(vec!["title", "Mobile Phone"])),
            (json!("[\"title\"]"), Some(vec!["title"])),
            (json!("title, Mobile Phone,"), Some(vec!["title", "Mobile Phone"])),
            (json!(["", " "]), Some(vec![])),
            (json!(""), Some(vec![])),
            (json!(null), Some(vec![])),
            (json!([1]), None),
            (json!([null]), None),
            (json!("[\"title\""), None),
            (json!({"title": true}), None),
            (json!(true), None),
        ];
        for (value, expected) in rows {
            let names = serde_json::from_value::<FieldNames>(value.clone())
                .ok()
                .map(|names| names.0);
            let expected = expected.map(|names| names.into_iter().map(String::from).collect());
            assert_eq!(names, expected, "{value}");
        }
        let error = serde_json::from_value::<FieldNames>(json!(7)).unwrap_err().to_string();
        assert_eq!(
            error,
            "must be a list of field names, or a string of field names separated by commas"
        );
    }

    #[test]
    fn members_are_ids_or_objects_that_hold_one() {
        let rows = [
            (json!(["a", {"value": "b", "display": "B"}]), Some(vec!["a", "b"])),
            (json!("[{\"value\": \"a\"}]"), Some(vec!["a"])),
            (json!("a, b"), Some(vec!["a", "b"])),
            (json!([]), Some(vec![])),
            (json!(null), Some(vec![])),
            (json!([{"id": "a"}]), None),
            (json!([{"value": 7}]), None),
            (json!([7]), None),
            (json!({"value": "a"}), None),
            (json!(7), None),
        ];
        for (value, expected) in rows {
            let ids = MemberIds::of_members(&value).ok().map(|ids| ids.0);
            assert_eq!(
                ids,
                expected.map(|ids| ids.into_iter().map(String::from).collect()),
                "{value}"
            );
        }
    }
}
