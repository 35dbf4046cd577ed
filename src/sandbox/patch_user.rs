//! PatchUser's dialect (Developer Guide, "PatchUser"): whole attributes, `name.givenName`,
//! `emails[type eq "work"].value` and the enterprise extension under its URN; without a path a
//! single attribute.
//!
//! The operations are tried on a copy, which is then checked like a whole new user: so a PATCH
//! can't leave behind what a POST would not have been allowed to make.

use serde_json::{Map, Value, json};

use super::{
    filter,
    patch::{PatchOperation, Verb, operations, single_attribute},
    schema::{Attribute, ENTERPRISE, Shape, USER_ATTRIBUTES, find_attribute},
    validate,
    wire::ErrorResponse,
};

/// Attributes that may be named by one operation of a request only, and never removed.
const ONCE: [&str; 2] = ["userName", "active"];

/// The attributes after the PATCH, or why it is refused.
pub(super) fn apply(attributes: &Map<String, Value>, body: &Value) -> Result<Map<String, Value>, ErrorResponse> {
    let operations = operations(body)?;
    let mut seen: Vec<&'static str> = Vec::new();
    let mut patched = attributes.clone();
    for operation in &operations {
        let (path, value) = target(operation)?;
        if ONCE.contains(&path.root.name) {
            if seen.contains(&path.root.name) || operation.verb == Verb::Remove {
                return Err(ErrorResponse::unparsable());
            }
            seen.push(path.root.name);
        }
        path.apply(&mut patched, operation.verb, value)?;
    }
    patched.retain(|_, value| !matches!(value, Value::Object(inside) if inside.is_empty()));
    validate::object(USER_ATTRIBUTES, &patched)
}

fn target(operation: &PatchOperation) -> Result<(Path, Option<Value>), ErrorResponse> {
    match (&operation.path, &operation.value) {
        (Some(path), value) => Ok((Path::parse(path)?, value.clone())),
        (None, Some(value)) => {
            let (name, value) = single_attribute(value)?;
            Ok((Path::of(attribute(USER_ATTRIBUTES, name)?)?, Some(value.clone())))
        }
        (None, None) => Err(ErrorResponse::unparsable()),
    }
}

/// Where an operation acts.
#[derive(Debug)]
struct Path {
    root: &'static Attribute,
    /// The sub-attribute and value that tell the meant element of a list.
    element: Option<(&'static str, String)>,
    /// Sub-attributes below the root, outermost first.
    below: Vec<&'static Attribute>,
}

impl Path {
    fn of(root: &'static Attribute) -> Result<Self, ErrorResponse> {
        if root.patchable {
            Ok(Self {
                root,
                element: None,
                below: Vec::new(),
            })
        } else {
            Err(ErrorResponse::unparsable())
        }
    }

    fn parse(text: &str) -> Result<Self, ErrorResponse> {
        // The URN has a dot in it (`2.0`), so it is taken off before the rest is split at its dots.
        if let Some(rest) = strip_enterprise(text) {
            let mut path = Self::of(attribute(USER_ATTRIBUTES, ENTERPRISE)?)?;
            if let Some(rest) = rest.strip_prefix(':') {
                path.descend(rest)?;
            } else if !rest.is_empty() {
                return Err(ErrorResponse::unparsable());
            }
            return Ok(path);
        }
        if let Some((name, rest)) = text.split_once('[') {
            let mut path = Self::of(attribute(USER_ATTRIBUTES, name)?)?;
            let Shape::SingleItemList(subs) = path.root.shape else {
                return Err(ErrorResponse::unparsable());
            };
            let (inside, rest) = rest.rsplit_once(']').ok_or_else(ErrorResponse::unparsable)?;
            let mut comparisons = filter::comparisons(inside)?;
            let (Some(one), true) = (comparisons.pop(), comparisons.is_empty()) else {
                return Err(ErrorResponse::unparsable());
            };
            path.element = Some((attribute(subs, &one.attribute)?.name, one.value));
            match rest.strip_prefix('.') {
                Some(sub) => path.descend(sub)?,
                None if rest.is_empty() => {}
                None => return Err(ErrorResponse::unparsable()),
            }
            return Ok(path);
        }
        let (name, rest) = text
            .split_once('.')
            .map_or((text, None), |(name, rest)| (name, Some(rest)));
        let mut path = Self::of(attribute(USER_ATTRIBUTES, name)?)?;
        if let Some(rest) = rest {
            // `emails.value` would mean every element; only the form with a filter is documented.
            if matches!(path.root.shape, Shape::SingleItemList(_)) {
                return Err(ErrorResponse::unparsable());
            }
            path.descend(rest)?;
        }
        Ok(path)
    }

    fn descend(&mut self, rest: &str) -> Result<(), ErrorResponse> {
        for name in rest.split('.') {
            let within = self.below.last().unwrap_or(&self.root).sub_attributes();
            self.below.push(attribute(within, name)?);
        }
        Ok(())
    }

    fn apply(&self, user: &mut Map<String, Value>, verb: Verb, value: Option<Value>) -> Result<(), ErrorResponse> {
        match &self.element {
            Some((sub, wanted)) => self.apply_to_element(user, verb, value, sub, wanted),
            None => {
                let mut chain = vec![self.root];
                chain.extend(&self.below);
                apply_below(user, &chain, verb, value)
            }
        }
    }

    /// Acts on the element of a list that the filter tells. An `add` without such an element makes
    /// one; a `replace` or a `remove` without one has no target (RFC 7644 section 3.5.2.3). How AWS
    /// treats this is not documented.
    fn apply_to_element(
        &self,
        user: &mut Map<String, Value>,
        verb: Verb,
        value: Option<Value>,
        sub: &str,
        wanted: &str,
    ) -> Result<(), ErrorResponse> {
        let list = user.entry(self.root.name).or_insert_with(|| json!([]));
        let items = list.as_array_mut().ok_or_else(ErrorResponse::unparsable)?;
        let found = items.iter().position(|item| item[sub].as_str() == Some(wanted));
        let position = match (found, verb) {
            (Some(position), _) => position,
            (None, Verb::Add) => {
                items.push(json!({sub: wanted}));
                items.len() - 1
            }
            (None, Verb::Replace | Verb::Remove) => return Err(ErrorResponse::unparsable()),
        };
        if self.below.is_empty() {
            match (verb, value) {
                (Verb::Remove, _) => {
                    items.remove(position);
                }
                (Verb::Add | Verb::Replace, Some(value @ Value::Object(_))) => items[position] = value,
                (Verb::Add | Verb::Replace, _) => return Err(ErrorResponse::unparsable()),
            }
        } else {
            let item = items[position].as_object_mut().ok_or_else(ErrorResponse::unparsable)?;
            apply_below(item, &self.below, verb, value)?;
        }
        if items.is_empty() {
            user.shift_remove(self.root.name);
        }
        Ok(())
    }
}

/// Acts on the attribute at the end of a chain that starts in `object`. What is on the way is made
/// by an `add` or a `replace`.
fn apply_below(
    object: &mut Map<String, Value>,
    chain: &[&'static Attribute],
    verb: Verb,
    value: Option<Value>,
) -> Result<(), ErrorResponse> {
    let Some((attribute, rest)) = chain.split_first() else {
        return Err(ErrorResponse::unparsable());
    };
    if !rest.is_empty() {
        if verb == Verb::Remove && !object.contains_key(attribute.name) {
            return Ok(());
        }
        let inside = object.entry(attribute.name).or_insert_with(|| json!({}));
        let inside = inside.as_object_mut().ok_or_else(ErrorResponse::unparsable)?;
        apply_below(inside, rest, verb, value)?;
        if inside.is_empty() {
            object.shift_remove(attribute.name);
        }
        return Ok(());
    }
    match (verb, value) {
        (Verb::Remove, _) => {
            object.shift_remove(attribute.name);
        }
        (Verb::Add, Some(value)) => add(object, attribute, value)?,
        // The whole attribute is exchanged, also a complex one: the stricter reading of RFC 7644
        // section 3.5.2.3.
        (Verb::Replace, Some(value)) => {
            object.insert(attribute.name.to_owned(), coerced(attribute, value)?);
        }
        (Verb::Add | Verb::Replace, None) => return Err(ErrorResponse::unparsable()),
    }
    Ok(())
}

/// Adds to what is there: sub-attributes to a complex attribute, elements to a list unless they are
/// there already.
fn add(object: &mut Map<String, Value>, attribute: &Attribute, value: Value) -> Result<(), ErrorResponse> {
    match (object.get_mut(attribute.name), value) {
        (Some(Value::Object(present)), Value::Object(new)) => {
            for (key, value) in new {
                let name = find_attribute(attribute.sub_attributes(), &key)
                    .ok_or_else(ErrorResponse::unparsable)?
                    .name;
                present.insert(name.to_owned(), value);
            }
        }
        (Some(Value::Array(present)), Value::Array(new)) if !new.is_empty() => {
            for item in new {
                if !present.contains(&item) {
                    present.push(item);
                }
            }
        }
        (_, value) => {
            object.insert(attribute.name.to_owned(), coerced(attribute, value)?);
        }
    }
    Ok(())
}

/// The guide's own sample sends `active` as the text `"false"`, and Entra writes `"False"`; the
/// answer has a boolean. An empty object is no value.
fn coerced(attribute: &Attribute, value: Value) -> Result<Value, ErrorResponse> {
    match (attribute.name, &value) {
        ("active", Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        ("active", Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        (_, Value::Object(inside)) if inside.is_empty() => Err(ErrorResponse::unparsable()),
        (_, _) => Ok(value),
    }
}

fn attribute(attributes: &'static [Attribute], name: &str) -> Result<&'static Attribute, ErrorResponse> {
    find_attribute(attributes, name).ok_or_else(ErrorResponse::unparsable)
}

fn strip_enterprise(text: &str) -> Option<&str> {
    let start = text.get(..ENTERPRISE.len())?;
    start
        .eq_ignore_ascii_case(ENTERPRISE)
        .then(|| &text[ENTERPRISE.len()..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attributes() -> Map<String, Value> {
        let user = json!({
            "userName": "ada", "displayName": "Ada", "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
            ENTERPRISE: {"department": "Engines", "manager": {"value": "m"}},
        });
        user.as_object().unwrap().clone()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "[a-z]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let key = prop_oneof![
                Just("value"),
                Just("type"),
                Just("primary"),
                Just("givenName"),
                Just("emails")
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((key.prop_map(str::to_owned), inner), 0..3)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Every PATCH is refused, or leaves a user that could have been made with a POST.
        #[test]
        fn a_patched_user_is_a_user_that_could_be_made(
            verb in prop_oneof![Just("add"), Just("replace"), Just("remove")],
            path in prop_oneof![
                Just("emails[type eq \"work\"]".to_owned()),
                Just("emails[type eq \"work\"].value".to_owned()),
                Just("emails[type eq \"home\"].value".to_owned()),
                Just("addresses".to_owned()),
                Just("name".to_owned()),
                Just("name.givenName".to_owned()),
                Just("active".to_owned()),
                Just(ENTERPRISE.to_owned()),
                Just(format!("{ENTERPRISE}:manager.value")),
                Just(format!("{ENTERPRISE}:manager")),
                "\\PC{0,20}",
            ],
            value in value(),
        ) {
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": verb, "path": path, "value": value}],
            });
            if let Ok(patched) = apply(&attributes(), &body) {
                prop_assert_eq!(validate::object(USER_ATTRIBUTES, &patched), Ok(patched));
            }
        }
    }
}
