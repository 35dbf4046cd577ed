//! Partial changes (RFC 7644 section 3.5.2): what differs between what is wanted and what the
//! directory has.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    aws::ENTERPRISE,
    resource::{Object, User, attribute},
};

/// A PATCH body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PatchOp {
    schemas: [&'static str; 1],
    /// The changes, in the order they are made.
    #[serde(rename = "Operations")]
    pub operations: Vec<Operation>,
}

/// One change of a PATCH.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// What is done.
    pub op: Op,
    /// To which attribute.
    pub path: String,
    /// With which value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// The operations, in lower case as the RFC has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Adds values to a multi-valued attribute.
    Add,
    /// Sets an attribute.
    Replace,
    /// Takes values out.
    Remove,
}

impl PatchOp {
    /// A body with these changes.
    pub fn new(operations: Vec<Operation>) -> Self {
        Self {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            operations,
        }
    }

    /// How many memberships it adds or removes.
    pub fn memberships(&self) -> usize {
        let changes = |Operation { path, value, .. }: &Operation| match (path.as_str(), value) {
            ("members", Some(Value::Array(members))) => members.len(),
            _ => usize::from(path.starts_with("members[")),
        };
        self.operations.iter().map(changes).sum()
    }

    /// The body as JSON.
    pub fn to_value(&self) -> Value {
        json!({"schemas": self.schemas, "Operations": self.operations})
    }
}

impl Operation {
    /// Takes the attribute at `path` out, whatever its value is.
    pub fn remove(path: impl Into<String>) -> Self {
        Self {
            op: Op::Remove,
            path: path.into(),
            value: None,
        }
    }

    /// Sets `path` to `value`.
    pub fn replace(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            op: Op::Replace,
            path: path.into(),
            value: Some(value.into()),
        }
    }
}

/// The changes that make `have` what `wanted` says: attributes that `wanted` does not name stay as
/// they are, and a name alone (RFC 7643 section 2.5 takes null and empty for absent) removes
/// nothing.
///
/// Sub-attributes are compared one by one. A complex attribute that differs is sent whole, merged
/// with what the directory has, because whether AWS keeps the sub-attributes that a `replace`
/// leaves out is not documented. Of `name`, only `givenName` and `familyName` are filled in from
/// the directory: its `formatted` would contradict the new parts. The enterprise extension's
/// attributes are addressed one by one, `urn:…:User:department`, the path Microsoft Entra sends to
/// AWS.
pub fn difference(wanted: &Object, have: &User) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (name, value) in wanted {
        if name == ENTERPRISE {
            let current = have.get(ENTERPRISE).and_then(Value::as_object);
            for (name, value) in value.as_object().into_iter().flatten() {
                let current = current.and_then(|extension| attribute(extension, name));
                let changed = changed_value(name, value, current);
                operations.extend(changed.map(|value| Operation::replace(format!("{ENTERPRISE}:{name}"), value)));
            }
        } else {
            let changed = changed_value(name, value, have.get(name));
            operations.extend(changed.map(|value| Operation::replace(name.as_str(), value)));
        }
    }
    operations
}

/// The change that takes the attribute of a dotted path, `name.middleName`, out of a user; `None`
/// where the user has nothing there.
///
/// A part of a complex attribute is named by its own path: whether AWS drops the parts that a
/// `replace` of the whole leaves out is not documented.
pub fn removal(path: &str, user: &User) -> Option<Operation> {
    let path = match path.strip_prefix(ENTERPRISE).and_then(|rest| rest.strip_prefix('.')) {
        Some(name) => format!("{ENTERPRISE}:{name}"),
        None => path.to_owned(),
    };
    let operation = Operation::remove(path);
    (!is_made(&operation, user)).then_some(operation)
}

/// Whether `user` has what a replacing operation would set, or nothing where one would remove.
pub fn is_made(operation: &Operation, user: &User) -> bool {
    let (parent, name) = place(&operation.path);
    let current = match parent {
        Some(parent) => user
            .get(parent)
            .and_then(Value::as_object)
            .and_then(|parent| attribute(parent, name)),
        None => user.get(name),
    };
    match &operation.value {
        Some(value) => changed_value(name, value, current).is_none(),
        None => current.is_none_or(is_unassigned),
    }
}

/// The complex attribute that a path leads into, and what it leads to.
fn place(path: &str) -> (Option<&str>, &str) {
    let extension = path.strip_prefix(ENTERPRISE).and_then(|rest| rest.strip_prefix(':'));
    match (extension, path.split_once('.')) {
        (Some(name), _) => (Some(ENTERPRISE), name),
        (None, Some(("name", part))) => (Some("name"), part),
        (None, _) => (None, path),
    }
}

/// RFC 7643 section 2.5: null and an empty list are no value; nor is an empty text or object.
fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `user` after `operations`, as far as they are of the forms that [`difference`] and [`removal`]
/// make: what a dry run assumes.
pub fn apply(operations: &[Operation], user: &User) -> User {
    let mut object = user.as_object().clone();
    for Operation { path, value, .. } in operations {
        let Some(value) = value.clone() else {
            take_out(path, &mut object);
            continue;
        };
        match path.strip_prefix(ENTERPRISE).and_then(|rest| rest.strip_prefix(':')) {
            Some(name) => {
                let extension = object.entry(ENTERPRISE).or_insert_with(|| Object::new().into());
                if let Some(extension) = extension.as_object_mut() {
                    extension.insert(name.to_owned(), value);
                }
                // RFC 7643 section 3: `schemas` names every schema that the resource has attributes
                // of.
                if let Some(schemas) = object.get_mut("schemas").and_then(Value::as_array_mut)
                    && !schemas.iter().any(|schema| schema == ENTERPRISE)
                {
                    schemas.push(ENTERPRISE.into());
                }
            }
            None => {
                object.insert(path.clone(), value);
            }
        }
    }
    User::assumed(object)
}

/// Takes the attribute at a path out, and what is empty without it.
fn take_out(path: &str, object: &mut Object) {
    let (parent, name) = place(path);
    let remove = |object: &mut Object| object.retain(|key, _| !key.eq_ignore_ascii_case(name));
    let Some(parent) = parent else { return remove(object) };
    if let Some(inside) = object.get_mut(parent).and_then(Value::as_object_mut) {
        remove(inside);
        if inside.is_empty() {
            object.shift_remove(parent);
            if let Some(schemas) = object.get_mut("schemas").and_then(Value::as_array_mut) {
                schemas.retain(|schema| schema != parent);
            }
        }
    }
}

/// What to send so that `current` becomes `wanted`; `None` when it is so already.
fn changed_value(name: &str, wanted: &Value, current: Option<&Value>) -> Option<Value> {
    match (wanted, current) {
        (Value::Object(wanted), Some(Value::Object(current))) => {
            if holds(current, wanted) {
                return None;
            }
            let kept = |key: &str| name != "name" || ["givenName", "familyName"].contains(&key);
            let kept = current.iter().filter(|(key, _)| kept(key));
            Some(merged(kept.map(|(key, value)| (key.clone(), value.clone())).collect(), wanted).into())
        }
        (Value::Array(wanted), Some(Value::Array(current))) => changed_list(wanted, current).map(Value::from),
        (wanted, Some(current)) if wanted == current => None,
        (wanted, _) => Some(wanted.clone()),
    }
}

/// The list to send so that every element of `wanted` is in `current`, or `None` when it is.
///
/// An element stands for the one of its `type`, else for the only one there is: AWS keeps one of
/// each list, and a work e-mail replaces whatever it has. Other servers' further elements stay.
fn changed_list(wanted: &[Value], current: &[Value]) -> Option<Vec<Value>> {
    let mut list = current.to_vec();
    for element in wanted {
        let Some(element) = element.as_object() else {
            if !list.contains(element) {
                list.push(element.clone());
            }
            continue;
        };
        // The same value under another type is the same phone: the directory's type is kept over
        // the mapping's constant one.
        let is_primary = |element: &Value| element.get("primary") == Some(&Value::Bool(true));
        let is_there = |other: &Value| {
            other.get("value").is_some()
                && other.get("value") == element.get("value")
                && (is_primary(other) || element.get("primary") != Some(&Value::Bool(true)))
        };
        if list.iter().any(is_there) {
            continue;
        }
        let same_type = list
            .iter()
            .position(|other| element.get("type").is_some() && other.get("type") == element.get("type"));
        let place = same_type.or((list.len() == 1).then_some(0));
        let existing = place
            .and_then(|place| list[place].as_object())
            .cloned()
            .unwrap_or_default();
        if !existing.is_empty() && holds(&existing, element) {
            continue;
        }
        if element.get("primary") == Some(&Value::Bool(true)) {
            // RFC 7643 section 2.4: at most one value of an attribute is the primary one.
            for other in list.iter_mut().filter_map(Value::as_object_mut) {
                if other.contains_key("primary") {
                    other.insert("primary".to_owned(), Value::Bool(false));
                }
            }
        }
        let element = Value::from(merged(existing, element));
        match place {
            Some(place) => list[place] = element,
            None => list.push(element),
        }
    }
    (list != current).then_some(list)
}

/// True when every sub-attribute of `wanted` stands in `current` with the same value.
fn holds(current: &Object, wanted: &Object) -> bool {
    wanted
        .iter()
        .all(|(name, value)| attribute(current, name) == Some(value))
}

fn merged(mut base: Object, over: &Object) -> Object {
    // `display` in a multi-valued attribute, and `$ref` and `displayName` of a manager, are the
    // server's own to write.
    base.retain(|name, _| !["display", "$ref", "displayName"].contains(&name.as_str()));
    for (name, value) in over {
        base.retain(|key, _| !key.eq_ignore_ascii_case(name) || key == name);
        base.insert(name.clone(), value.clone());
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(attributes: Value) -> User {
        let mut object = json!({"id": "u-1", "userName": "test"});
        object
            .as_object_mut()
            .unwrap()
            .extend(attributes.as_object().unwrap().clone());
        User::read(object).unwrap()
    }

    #[test]
    fn only_what_differs_is_sent() {
        let email = |value: &str| json!([{"value": value, "type": "work", "primary": true}]);
        let rows: &[(&str, Value, Value, Value)] = &[
            (
                "equal text",
                json!({"title": "Boss"}),
                json!({"title": "Boss"}),
                json!([]),
            ),
            (
                "names in another case",
                json!({"title": "Boss"}),
                json!({"Title": "Boss"}),
                json!([]),
            ),
            (
                "other text",
                json!({"title": "Boss"}),
                json!({"title": "Clerk"}),
                json!([["title", "Boss"]]),
            ),
            (
                "absent",
                json!({"title": "Boss"}),
                json!({}),
                json!([["title", "Boss"]]),
            ),
            (
                "a name's spelling",
                json!({"userName": "Test"}),
                json!({}),
                json!([["userName", "Test"]]),
            ),
            (
                "part of a name, without the stale formatted one",
                json!({"name": {"givenName": "B"}}),
                json!({"name": {"givenName": "A", "familyName": "F", "formatted": "A F"}}),
                json!([["name", {"givenName": "B", "familyName": "F"}]]),
            ),
            (
                "same parts",
                json!({"name": {"givenName": "A"}}),
                json!({"name": {"familyName": "F", "givenName": "A", "formatted": "A F"}}),
                json!([]),
            ),
            (
                "same e-mail",
                json!({"emails": email("a@x")}),
                json!({"emails": email("a@x")}),
                json!([]),
            ),
            (
                "other e-mail, without what AWS refuses",
                json!({"emails": email("b@x")}),
                json!({"emails": [{"value": "a@x", "type": "work", "primary": true, "display": "A"}]}),
                json!([["emails", email("b@x")]]),
            ),
            (
                "the only phone, of another type",
                json!({"phoneNumbers": [{"value": "2", "type": "work"}]}),
                json!({"phoneNumbers": [{"value": "1", "type": "mobile"}]}),
                json!([["phoneNumbers", [{"value": "2", "type": "work"}]]]),
            ),
            (
                "the same phone under another type",
                json!({"phoneNumbers": [{"value": "1", "type": "work"}]}),
                json!({"phoneNumbers": [{"value": "1", "type": "mobile"}]}),
                json!([]),
            ),
            (
                "another server's further e-mails stay, and lose the mark of the primary one",
                json!({"emails": email("b@x")}),
                json!({"emails": [{"value": "h@x", "type": "home", "primary": true}, {"value": "a@x", "type": "work"}]}),
                json!([["emails", [{"value": "h@x", "type": "home", "primary": false}, {"value": "b@x", "type": "work", "primary": true}]]]),
            ),
            (
                "enterprise attributes one by one",
                json!({ENTERPRISE: {"department": "D", "division": "V"}}),
                json!({ENTERPRISE: {"department": "C", "division": "V"}}),
                json!([[format!("{ENTERPRISE}:department"), "D"]]),
            ),
            (
                "a manager, complex",
                json!({ENTERPRISE: {"manager": {"value": "m-2"}}}),
                json!({ENTERPRISE: {"manager": {"value": "m-1", "$ref": "../Users/m-1"}}}),
                json!([[format!("{ENTERPRISE}:manager"), {"value": "m-2"}]]),
            ),
        ];
        for (what, wanted, have, expected) in rows {
            let operations = difference(wanted.as_object().unwrap(), &user(have.clone()));
            assert!(operations.iter().all(|operation| operation.op == Op::Replace));
            let sent: Vec<Value> = operations
                .iter()
                .map(|change| json!([change.path, change.value]))
                .collect();
            assert_eq!(Value::from(sent), *expected, "{what}");
            let after = apply(&operations, &user(have.clone()));
            assert_eq!(
                difference(wanted.as_object().unwrap(), &after),
                [],
                "{what}: nothing differs afterwards"
            );
        }
    }
}
