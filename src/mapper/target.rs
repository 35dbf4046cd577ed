//! The targets of a mapping: attributes of a SCIM user, or fields of a profile.

use serde_json::Value;

use super::path::ENTERPRISE_1_0;
use crate::scim::{
    Object,
    aws::{self, ENTERPRISE},
};

/// Attributes that the commands set themselves: whether a user is active is decided by commands and
/// their switches, never by a mapping.
const RESERVED: [&str; 6] = ["active", "id", "schemas", "meta", "groups", "password"];

/// A target of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As the mapper has it.
    pub(super) text: String,
    /// The attribute, and the one inside it.
    path: Vec<String>,
    /// Written below the URN of SCIM 1.0: what SCIM 2.0 does not know there is dropped.
    pub(super) is_1_0: bool,
}

/// The target names an attribute that the commands set themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReservedAttributeError;

impl Target {
    /// A field of a profile: its name as it stands.
    pub(super) fn field(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            path: vec![name.to_owned()],
            is_1_0: false,
        }
    }

    /// An attribute of a user. Names know no letter case (RFC 7643 section 2.1); `name.givenName`
    /// and an attribute behind the enterprise extension's URN stand inside those.
    pub(super) fn attribute(text: &str) -> Result<Self, ReservedAttributeError> {
        let known = |name: &str| aws::canonical_attribute(name).map_or_else(|| name.to_owned(), str::to_owned);
        let below = |urn: &str| -> Option<Vec<String>> {
            let rest = text
                .get(..urn.len())
                .filter(|start| start.eq_ignore_ascii_case(urn))
                .map(|_| &text[urn.len()..])?;
            let mut path = vec![ENTERPRISE.to_owned()];
            match rest.strip_prefix(['.', ':']) {
                Some(rest) => path.extend(rest.split('.').map(str::to_owned)),
                None if rest.is_empty() => {}
                None => return None,
            }
            Some(path)
        };
        if let Some(path) = below(ENTERPRISE_1_0) {
            return Ok(Self {
                text: text.to_owned(),
                path,
                is_1_0: true,
            });
        }
        let path = match (below(ENTERPRISE), text.split_once('.')) {
            (Some(path), _) => path,
            (None, Some((name, part))) if name.eq_ignore_ascii_case("name") => vec!["name".to_owned(), part.to_owned()],
            (None, _) => vec![known(text)],
        };
        if RESERVED.iter().any(|ours| path[0].eq_ignore_ascii_case(ours)) {
            return Err(ReservedAttributeError);
        }
        Ok(Self {
            text: text.to_owned(),
            path,
            is_1_0: false,
        })
    }

    /// The attribute's own path, dotted: `name.givenName`.
    pub(super) fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// The attribute, or the extension, that it is in.
    pub(super) fn top(&self) -> &str {
        &self.path[0]
    }

    /// Whether it is the attribute itself, and nothing inside it.
    pub(super) fn is_top(&self) -> bool {
        self.path.len() == 1
    }

    /// Drops the parts of a value that the target's place does not know, and names them.
    pub(super) fn drop_unknown_parts(&self, value: &mut Value) -> Vec<String> {
        if !self.is_1_0 {
            return Vec::new();
        }
        match (self.path.get(1), value) {
            (None, Value::Object(object)) => {
                let unknown: Vec<String> = object
                    .keys()
                    .filter(|key| !aws::is_enterprise_attribute(key))
                    .cloned()
                    .collect();
                object.retain(|key, _| aws::is_enterprise_attribute(key));
                unknown
            }
            (Some(name), value) if !aws::is_enterprise_attribute(name) => {
                *value = Value::Null;
                vec![name.clone()]
            }
            _ => Vec::new(),
        }
    }

    /// Whether its place is inside of another's.
    pub(super) fn is_inside(&self, other: &Self) -> bool {
        self.path.len() > other.path.len() && self.path.starts_with(&other.path)
    }
}

/// The object that the targets have filled so far.
#[derive(Debug, Default)]
pub(super) struct Output<'m> {
    object: Object,
    /// The targets inside of attributes that are filled.
    inside: Vec<&'m Target>,
}

impl<'m> Output<'m> {
    /// Takes the object.
    pub(super) fn into_object(self) -> Object {
        self.object
    }

    /// Puts a value at its target's place. An object joins one that is there already, and what a
    /// target inside of this one has set stays, whichever came first: a value of the source that
    /// happens to hold the same key must not take its place.
    pub(super) fn insert(&mut self, target: &'m Target, value: Value) {
        let kept: Vec<(&Target, Value)> = self
            .inside
            .iter()
            .filter(|other| other.is_inside(target))
            .filter_map(|other| Some((*other, value_at(&self.object, &other.path)?.clone())))
            .collect();
        if !kept.is_empty() && !value.is_object() {
            return;
        }
        insert(&target.path, value, &mut self.object);
        for (other, value) in kept {
            insert(&other.path, value, &mut self.object);
        }
        if !target.is_top() {
            self.inside.push(target);
        }
    }
}

fn value_at<'o>(object: &'o Object, path: &[String]) -> Option<&'o Value> {
    let (first, behind) = path.split_first()?;
    behind.iter().try_fold(object.get(first)?, |value, key| value.get(key))
}

/// Puts a value at a place; an object joins one that is there already.
fn insert(path: &[String], value: Value, object: &mut Object) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut object = object;
    for parent in parents {
        let inside = object.entry(parent.clone()).or_insert_with(|| Object::new().into());
        if !inside.is_object() {
            *inside = Object::new().into();
        }
        let Some(inside) = inside.as_object_mut() else { return };
        object = inside;
    }
    match (object.get_mut(last), value) {
        (Some(Value::Object(there)), Value::Object(new)) => there.extend(new),
        (_, value) => {
            object.insert(last.clone(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn targets_have_their_place() {
        let urn = |name: &str| format!("{ENTERPRISE}.{name}");
        for (text, expected) in [
            ("userName", "userName".to_owned()),
            ("UserName", "userName".to_owned()),
            ("name.givenName", "name.givenName".to_owned()),
            (&urn("department"), urn("department")),
            (&format!("{ENTERPRISE}:department"), urn("department")),
            (&format!("{ENTERPRISE}.manager.value"), urn("manager.value")),
            (ENTERPRISE_1_0, ENTERPRISE.to_owned()),
            ("sAMAccountName", "sAMAccountName".to_owned()),
            ("a.b", "a.b".to_owned()),
        ] {
            assert_eq!(
                Target::attribute(text).map(|target| target.dotted()),
                Ok(expected),
                "{text}"
            );
        }
        for ours in ["active", "Active", "id", "schemas"] {
            assert_eq!(Target::attribute(ours), Err(ReservedAttributeError), "{ours}");
        }
    }

    #[test]
    fn what_the_old_urn_held_is_translated_and_the_rest_named() {
        let target = Target::attribute(ENTERPRISE_1_0).unwrap();
        let mut value = json!({"department": "D", "countryCode": "1", "managerflag": "Y"});
        assert_eq!(target.drop_unknown_parts(&mut value), ["countryCode", "managerflag"]);
        let (part, whole) = (
            Target::attribute("name.givenName").unwrap(),
            Target::attribute("name").unwrap(),
        );
        let mut user = Output::default();
        user.insert(&target, value);
        user.insert(&part, json!("G"));
        user.insert(&whole, json!({"familyName": "F"}));
        assert_eq!(
            Value::from(user.into_object()),
            json!({ENTERPRISE: {"department": "D"}, "name": {"givenName": "G", "familyName": "F"}})
        );
    }

    #[test]
    fn a_broad_target_takes_nothing_from_one_inside_of_it() {
        let (part, whole) = (
            Target::attribute("name.familyName").unwrap(),
            Target::attribute("name").unwrap(),
        );
        let deep = Target::attribute(&format!("{ENTERPRISE}.manager.value")).unwrap();
        let manager = Target::attribute(&format!("{ENTERPRISE}:manager")).unwrap();
        let filled = |values: &[(&Target, Value)]| {
            let owned: Vec<(Target, Value)> = values
                .iter()
                .map(|(target, value)| ((*target).clone(), value.clone()))
                .collect();
            let mut user = Output::default();
            owned
                .iter()
                .for_each(|(target, value)| user.insert(target, value.clone()));
            Value::from(user.into_object())
        };
        let both = json!({"familyName": "EVIL", "givenName": "G"});
        let name = json!({"name": {"familyName": "F", "givenName": "G"}});
        assert_eq!(filled(&[(&part, json!("F")), (&whole, both.clone())]), name);
        assert_eq!(filled(&[(&whole, both), (&part, json!("F"))]), name);
        let family = json!({"name": {"familyName": "F"}});
        assert_eq!(filled(&[(&part, json!("F")), (&whole, json!("EVIL"))]), family);
        assert_eq!(filled(&[(&whole, json!("EVIL")), (&part, json!("F"))]), family);
        assert_eq!(
            filled(&[
                (&deep, json!("M")),
                (&manager, json!({"value": "EVIL", "displayName": "D"}))
            ]),
            json!({ENTERPRISE: {"manager": {"value": "M", "displayName": "D"}}})
        );
        assert_eq!(
            filled(&[
                (&deep, json!("M")),
                (
                    &Target::attribute(ENTERPRISE).unwrap(),
                    json!({"manager": {"displayName": "D"}})
                )
            ]),
            json!({ENTERPRISE: {"manager": {"displayName": "D", "value": "M"}}})
        );
        // Of two for the same place the last one counts, as it did.
        assert_eq!(
            filled(&[(&part, json!("F")), (&part, json!("L"))]),
            json!({"name": {"familyName": "L"}})
        );
    }
}
