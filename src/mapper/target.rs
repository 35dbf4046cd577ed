//! Where a mapping's values go: attributes of a SCIM user, or fields of a profile.

use serde_json::Value;

use super::path::ENTERPRISE_1_0;
use crate::scim::{
    Object,
    aws::{self, ENTERPRISE},
};

/// What the service sets itself, whatever a mapping says: whether a user is active is for commands and their switches to decide.
const OURS: [&str; 6] = ["active", "id", "schemas", "meta", "groups", "password"];

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

/// Why a target can't be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The service sets it itself.
    Ours,
}

impl Target {
    /// A field of a profile: its name as it stands.
    pub(super) fn field(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            path: vec![name.to_owned()],
            is_1_0: false,
        }
    }

    /// An attribute of a user. Names know no letter case (RFC 7643 section 2.1); `name.givenName` and an attribute behind the enterprise
    /// extension's URN stand inside those.
    pub(super) fn attribute(text: &str) -> Result<Self, Unfit> {
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
        if OURS.iter().any(|ours| path[0].eq_ignore_ascii_case(ours)) {
            return Err(Unfit::Ours);
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

    /// Takes out of a value for this target what its place does not know, and names it.
    pub(super) fn fit(&self, value: &mut Value) -> Vec<String> {
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

    /// Puts a value into the user. An object joins one that is there already.
    pub(super) fn insert(&self, value: Value, attributes: &mut Object) {
        let Some((last, parents)) = self.path.split_last() else {
            return;
        };
        let mut object = attributes;
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
            assert_eq!(Target::attribute(ours), Err(Unfit::Ours), "{ours}");
        }
    }

    #[test]
    fn what_the_old_urn_held_is_translated_and_the_rest_named() {
        let target = Target::attribute(ENTERPRISE_1_0).unwrap();
        let mut value = json!({"department": "D", "countryCode": "1", "managerflag": "Y"});
        assert_eq!(target.fit(&mut value), ["countryCode", "managerflag"]);
        let mut user = Object::new();
        target.insert(value, &mut user);
        Target::attribute("name.givenName")
            .unwrap()
            .insert(json!("G"), &mut user);
        Target::attribute("name")
            .unwrap()
            .insert(json!({"familyName": "F"}), &mut user);
        assert_eq!(
            Value::from(user),
            json!({ENTERPRISE: {"department": "D"}, "name": {"givenName": "G", "familyName": "F"}})
        );
    }
}
