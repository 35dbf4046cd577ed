//! AWS IAM Identity Center's departures from RFC 7643 and RFC 7644, each with its source.
//!
//! Sources: DG = AWS IAM Identity Center SCIM Implementation Developer Guide (the page is named),
//! UG = its User Guide, IS = the Identity Store API's service model, the same backing store, which
//! gives the lengths and alphabets that the SCIM guide leaves out.
//!
//! AWS answers nearly every fault in a body with one opaque sentence ("Request is unparsable,
//! syntactically incorrect, or violates schema."). The checks here find such faults before anything
//! is sent, and name them.

mod character;
mod text;

use serde_json::Value;

use super::{Dialect, resource::Object};
use crate::diagnostic::Diagnostic;
use text::{max_length, text};

pub use text::{lookup_value, unseen, white_space};

/// The enterprise extension's schema, the only one AWS takes (DG CreateUser).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Membership changes one PATCH may hold; the sum over its operations is the safe reading (DG
/// PatchGroup).
pub const MAX_MEMBER_CHANGES: usize = 100;

/// User attributes of one text value that AWS takes (DG CreateUser).
const TEXTS: [&str; 10] = [
    "userName",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "externalId",
];

/// Sub-attributes of `name` (RFC 7643 section 4.1.1).
const NAME: [&str; 6] = [
    "formatted",
    "familyName",
    "givenName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
];

/// Attributes of the enterprise extension that hold one text value (DG CreateUser).
const ENTERPRISE_TEXTS: [&str; 5] = ["employeeNumber", "costCenter", "organization", "division", "department"];

/// Multi-valued attributes, of which AWS takes one element each (DG CreateUser, "Constraints"),
/// with the sub-attributes it knows. `display` is not among them.
const LISTS: [(&str, &[&str]); 4] = [
    ("emails", &["value", "type", "primary"]),
    ("phoneNumbers", &["value", "type", "primary"]),
    (
        "addresses",
        &[
            "formatted",
            "streetAddress",
            "locality",
            "region",
            "postalCode",
            "country",
            "type",
            "primary",
        ],
    ),
    ("roles", &["value", "type", "primary"]),
];

/// Attributes that AWS refuses by name, even empty (DG CreateUser, "Not supported"; DG
/// Limitations).
const REFUSED: [&str; 6] = [
    "password",
    "ims",
    "photos",
    "x509Certificates",
    "entitlements",
    "groups",
];

/// What AWS requires of a new user (DG CreateUser, "Constraints").
const REQUIRED: [&str; 4] = ["userName", "name.givenName", "name.familyName", "displayName"];

/// What is wrong with an attribute that a new user needs and does not have.
const NEEDED: &str = "a new user needs it";

/// Whether what stands against a new user is that it lacks this, and nothing about a value.
pub fn is_lacking(violation: &Diagnostic) -> bool {
    violation.message == NEEDED
}

/// What a directory of this dialect is known to refuse in a new user; the path of each diagnostic
/// is the SCIM attribute, dotted: `name.familyName`.
pub fn new_user(dialect: Dialect, user: &Object) -> Vec<Diagnostic> {
    // RFC 7643 section 4.1.1 requires userName alone.
    let required: &[&str] = match dialect {
        Dialect::Aws => &REQUIRED,
        Dialect::Rfc7644 => &["userName"],
    };
    let missing = required.iter().filter(|path| at(user, path).is_none_or(is_empty));
    let mut violations: Vec<_> = missing
        .map(|path| Diagnostic::error(*path, NEEDED, "give it a value"))
        .collect();
    let values = user_values(dialect, user).into_iter();
    let further: Vec<_> = values
        .filter(|value| violations.iter().all(|named| named.path != value.path))
        .collect();
    violations.extend(further);
    violations
}

/// What a directory of this dialect is known to refuse in the attributes of a user, required ones
/// aside.
pub fn user_values(dialect: Dialect, user: &Object) -> Vec<Diagnostic> {
    match dialect {
        Dialect::Rfc7644 => Vec::new(),
        Dialect::Aws => user
            .iter()
            .flat_map(|(name, value)| user_attribute(name, value))
            .collect(),
    }
}

/// What a directory of this dialect is known to refuse in a group's own attributes.
pub fn group_values(dialect: Dialect, group: &Object) -> Vec<Diagnostic> {
    match dialect {
        Dialect::Rfc7644 => Vec::new(),
        Dialect::Aws => group.iter().filter_map(|(name, value)| text(name, value)).collect(),
    }
}

/// The fields a mapping can fill, and what AWS makes of each.
pub fn mapping_fields() -> Vec<(String, String)> {
    let required = |name: &str| {
        if ["userName", "displayName"].contains(&name) {
            ", required"
        } else {
            ""
        }
    };
    let text = |name: &str, extra: &str| {
        (
            name.to_owned(),
            format!("text, 1 to {} characters{extra}", max_length(name)),
        )
    };
    let mut fields: Vec<_> = TEXTS.iter().map(|name| text(name, required(name))).collect();
    fields.insert(
        0,
        (
            "id".into(),
            "the directory's own identifier of the user, to find it by; never written".into(),
        ),
    );
    fields.push((
        "active".into(),
        "true or false; set by the commands, not by a mapping".into(),
    ));
    fields.extend(NAME.iter().map(|name| {
        let required = if ["givenName", "familyName"].contains(name) {
            ", required"
        } else {
            ""
        };
        text(&format!("name.{name}"), required)
    }));
    for (list, names) in LISTS {
        let primary = if list == "emails" {
            "; must be the primary one"
        } else {
            ""
        };
        fields.push((
            list.into(),
            format!("a list of at most one element with {}{primary}", names.join(", ")),
        ));
    }
    fields.extend(
        ENTERPRISE_TEXTS
            .iter()
            .map(|name| text(&format!("{ENTERPRISE}.{name}"), "")),
    );
    fields.push((
        format!("{ENTERPRISE}.manager"),
        "an object whose `value` is the manager's id in the directory".into(),
    ));
    fields
}

/// An attribute of a user in the spelling that it is sent in; `None` for one that AWS has no name
/// for. Names know no letter case (RFC 7643 section 2.1).
pub fn canonical_attribute(name: &str) -> Option<&'static str> {
    let lists = LISTS.iter().map(|(list, _)| *list);
    let mut known = TEXTS
        .iter()
        .copied()
        .chain(lists)
        .chain(REFUSED)
        .chain(["name", ENTERPRISE]);
    known.find(|known| known.eq_ignore_ascii_case(name))
}

/// Whether the enterprise extension has an attribute of this name.
pub fn is_enterprise_attribute(name: &str) -> bool {
    name == "manager" || ENTERPRISE_TEXTS.contains(&name)
}

/// What an attribute of a user is, where it is not one plain value.
pub fn structure(name: &str) -> Option<&'static str> {
    match name {
        "name" | ENTERPRISE => Some("an object"),
        list if LISTS.iter().any(|(known, _)| *known == list) => Some("a list"),
        _ => None,
    }
}

/// Why AWS refuses an attribute wherever it is sent, by its dotted path: `name.nick`. `None` for
/// one that it takes.
pub fn target_problem(path: &str) -> Option<&'static str> {
    const UNKNOWN: &str = "AWS knows no such attribute";
    if let Some(rest) = path.strip_prefix(ENTERPRISE) {
        let name = rest.trim_start_matches('.').split('.').next().unwrap_or_default();
        return (!name.is_empty() && !is_enterprise_attribute(name)).then_some(UNKNOWN);
    }
    match path.split_once('.') {
        Some(("name", part)) => (!NAME.contains(&part)).then_some(UNKNOWN),
        Some((list, _)) if LISTS.iter().any(|(name, _)| *name == list) => Some("AWS takes it as a list of one element"),
        Some(_) => Some(UNKNOWN),
        None if REFUSED.contains(&path) => Some("AWS does not support it"),
        None => canonical_attribute(path).is_none().then_some(UNKNOWN),
    }
}

/// Whether a PATCH may take an attribute, by its dotted path, out of a user: one value, one list,
/// or one part of a complex attribute, and nothing that AWS requires of a user, of any directory.
/// AWS's PatchUser does not change `roles` (DG PatchUser, the attributes it modifies).
pub fn is_removable(dialect: Dialect, path: &str) -> bool {
    let is_one = match path.strip_prefix(ENTERPRISE) {
        Some(rest) => rest.len() > 1,
        None => path != "name" && (!path.contains('.') || path.starts_with("name.")),
    };
    let takes = match dialect {
        Dialect::Aws => path != "roles" && target_problem(path).is_none(),
        Dialect::Rfc7644 => true,
    };
    is_one && takes && !REQUIRED.contains(&path)
}

fn user_attribute(name: &str, value: &Value) -> Vec<Diagnostic> {
    if TEXTS.contains(&name) {
        return text(name, value).into_iter().collect();
    }
    if let Some((_, known)) = LISTS.iter().find(|(list, _)| *list == name) {
        return list(name, value, known);
    }
    match name {
        "active" if value.is_boolean() => Vec::new(),
        "active" => vec![Diagnostic::error(name, "must be true or false", "map it to a boolean")],
        "schemas" => Vec::new(),
        "name" => complex(name, value, &NAME),
        ENTERPRISE => enterprise(value),
        _ if REFUSED.contains(&name) => vec![Diagnostic::error(
            name,
            "AWS does not support it",
            "take it out of the mapping",
        )],
        _ => vec![Diagnostic::error(
            name,
            "AWS knows no such attribute",
            "take it out of the mapping",
        )],
    }
}

fn enterprise(value: &Value) -> Vec<Diagnostic> {
    let Some(extension) = value.as_object() else {
        return vec![Diagnostic::error(
            ENTERPRISE,
            "must be an object",
            "map its attributes one by one",
        )];
    };
    let attribute = |(name, value): (&String, &Value)| match name.as_str() {
        "manager" => complex("manager", value, &["value", "$ref"]),
        name if ENTERPRISE_TEXTS.contains(&name) => text(name, value).into_iter().collect(),
        name => vec![Diagnostic::error(
            format!("{ENTERPRISE}.{name}"),
            "AWS knows no such attribute",
            "take it out of the mapping",
        )],
    };
    extension.iter().flat_map(attribute).collect()
}

fn complex(name: &str, value: &Value, known: &[&str]) -> Vec<Diagnostic> {
    let Some(object) = value.as_object() else {
        return vec![Diagnostic::error(name, "must be an object", "map its parts one by one")];
    };
    let part = |(part, value): (&String, &Value)| {
        let path = format!("{name}.{part}");
        if !known.contains(&part.as_str()) {
            return Some(Diagnostic::error(
                path,
                "AWS does not support it",
                "take it out of the mapping",
            ));
        }
        match part.as_str() {
            "primary" if value.is_boolean() => None,
            "primary" => Some(Diagnostic::error(path, "must be true or false", "map it to a boolean")),
            _ => text(&path, value),
        }
    };
    object.iter().filter_map(part).collect()
}

fn list(name: &str, value: &Value, known: &[&str]) -> Vec<Diagnostic> {
    let Some(elements) = value.as_array() else {
        return vec![Diagnostic::error(
            name,
            "must be a list",
            "map it to a list of one element",
        )];
    };
    if elements.len() != 1 {
        // UG Troubleshooting: "List attribute emails exceeds allowed limit of 1". An empty list is
        // refused too.
        let rule = format!("AWS keeps exactly one element, {} were given", elements.len());
        return vec![Diagnostic::error(
            name,
            rule,
            "send one element, or leave the attribute out",
        )];
    }
    let mut violations = complex(name, &elements[0], known);
    if name == "emails" && elements[0].get("primary") != Some(&Value::Bool(true)) {
        // DG CreateUser: the e-mail must be marked as the primary one.
        violations.push(Diagnostic::error(
            "emails.primary",
            "the e-mail must be the primary one",
            "set primary to true",
        ));
    }
    violations
}

fn at<'a>(user: &'a Object, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = user.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person() -> Value {
        json!({
            "userName": "test", "name": {"givenName": "Te", "familyName": "St"}, "displayName": "Te St",
            "emails": [{"value": "t@example.com", "type": "work", "primary": true}],
        })
    }

    #[test]
    fn each_rule_is_named_before_aws_could_refuse() {
        let long = "x".repeat(129);
        // What is put over a sound person, and the attributes then named.
        let rows: &[(Value, &[&str])] = &[
            (json!({}), &[]),
            (json!({"userName": null}), &["userName"]),
            (json!({"displayName": ""}), &["displayName"]),
            (json!({"name": {"givenName": "Te"}}), &["name.familyName"]),
            (
                json!({"name": {"givenName": "Te", "familyName": "St", "nick": "x"}}),
                &["name.nick"],
            ),
            (json!({"userName": "a b"}), &["userName"]),
            (json!({"userName": long}), &["userName"]),
            (json!({"userName": "Administrator"}), &["userName"]),
            (json!({"userName": 7}), &["userName"]),
            (json!({"displayName": "a\u{0}b"}), &["displayName"]),
            (json!({"displayName": "a\u{200d}b"}), &["displayName"]),
            (json!({"displayName": "O\"Hara; <é>, 山田 😀"}), &[]),
            (json!({"externalId": "e 1"}), &["externalId"]),
            (json!({"emails": []}), &["emails"]),
            (
                json!({"emails": [{"value": "a", "primary": true}, {"value": "b"}]}),
                &["emails"],
            ),
            (json!({"emails": [{"value": "a@x"}]}), &["emails.primary"]),
            (
                json!({"emails": [{"value": "a@x", "primary": true, "display": "A"}]}),
                &["emails.display"],
            ),
            (
                json!({"phoneNumbers": [{"value": "1"}, {"value": "2"}]}),
                &["phoneNumbers"],
            ),
            (
                json!({"addresses": [{"country": "DE"}, {"country": "FR"}]}),
                &["addresses"],
            ),
            (json!({"phoneNumbers": [null]}), &["phoneNumbers"]),
            (json!({"photos": []}), &["photos"]),
            (json!({"groups": []}), &["groups"]),
            (json!({"shoeSize": "43"}), &["shoeSize"]),
            (json!({"active": "true"}), &["active"]),
            (
                json!({ENTERPRISE: {"department": "D", "manager": {"value": "m-1"}}}),
                &[],
            ),
            (
                json!({ENTERPRISE: {"manager": {"displayName": "M"}}}),
                &["manager.displayName"],
            ),
        ];
        for (change, expected) in rows {
            let mut user = person();
            user.as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            let found = new_user(Dialect::Aws, user.as_object().unwrap());
            let found: Vec<_> = found.iter().map(|violation| violation.path.as_str()).collect();
            assert_eq!(found, *expected, "{change}");
        }
    }

    #[test]
    fn a_plain_server_is_asked_rather_than_guessed_at() {
        let user = json!({"userName": "a b", "emails": [], "shoeSize": 43});
        assert_eq!(new_user(Dialect::Rfc7644, user.as_object().unwrap()), []);
        assert_eq!(new_user(Dialect::Rfc7644, &Object::new()).len(), 1);
    }
}
