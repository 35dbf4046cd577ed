//! The built-in mapping, which serves where no mapper is configured.

use serde_json::{Value, json};

use super::{ExplainedField, Taken};
use crate::{
    diagnostic::Diagnostic,
    profile::UserProfile,
    scim::{Object, User, aws::ENTERPRISE},
};

/// Where a field goes.
enum Target {
    /// An attribute of its own.
    Attribute(&'static str),
    /// A part of `name`.
    Name(&'static str),
    /// The one element of a list, with the sub-attributes that stand beside its value.
    List(&'static str, fn(&str) -> Value),
    /// An attribute of the enterprise extension.
    Enterprise(&'static str),
}

impl Target {
    /// The attribute, dotted.
    fn dotted(&self) -> String {
        match self {
            Self::Attribute(name) | Self::List(name, _) => (*name).to_owned(),
            Self::Name(part) => format!("name.{part}"),
            Self::Enterprise(name) => format!("{ENTERPRISE}.{name}"),
        }
    }
}

/// Outgoing: the profile's field and where it goes, in the order of the result.
const OUTGOING: [(&str, Target); 14] = [
    ("username", Target::Attribute("userName")),
    ("displayname", Target::Attribute("displayName")),
    ("givenname", Target::Name("givenName")),
    ("surname", Target::Name("familyName")),
    (
        "email",
        Target::List(
            "emails",
            |value| json!([{"value": value, "type": "work", "primary": true}]),
        ),
    ),
    ("employeeid", Target::Attribute("externalId")),
    (
        "mobilephone",
        Target::List("phoneNumbers", |value| json!([{"value": value, "type": "work"}])),
    ),
    ("title", Target::Attribute("title")),
    ("employeetype", Target::Attribute("userType")),
    ("employeenumber", Target::Enterprise("employeeNumber")),
    ("department", Target::Enterprise("department")),
    ("division", Target::Enterprise("division")),
    ("costcentercode", Target::Enterprise("costCenter")),
    ("organization", Target::Enterprise("organization")),
];

pub(super) fn outgoing(profile: &UserProfile) -> super::Mapped {
    let mut mapped = super::Mapped::default();
    for (field, target) in &OUTGOING {
        let value = match profile.text(field) {
            Ok(Some(value)) => value,
            Ok(None) => continue,
            Err(fault) => {
                let rule = format!("must be text, not {}", fault.found);
                mapped.faults.push(Diagnostic::error(fault.field, rule, fault.help));
                continue;
            }
        };
        let attributes = &mut mapped.attributes;
        match target {
            Target::Attribute(name) => {
                attributes.insert((*name).to_owned(), value.into());
            }
            Target::Name(part) => insert_below(attributes, "name", part, value),
            Target::List(name, element) => {
                attributes.insert((*name).to_owned(), element(value));
            }
            Target::Enterprise(name) => insert_below(attributes, ENTERPRISE, name, value),
        }
    }
    mapped
}

pub(super) fn incoming(user: &User) -> Object {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let below = |attribute: &str, name: &str| text(user.get(attribute).and_then(|value| value.get(name)));
    let phone = user
        .get("phoneNumbers")
        .and_then(|phones| phones.get(0))
        .and_then(|phone| phone.get("value"));
    let fields = [
        ("Email", user.email().map(str::to_owned)),
        ("Employee ID", text(user.get("externalId"))),
        ("Given Name", below("name", "givenName")),
        ("Surname", below("name", "familyName")),
        ("Username", user.user_name().map(str::to_owned)),
        ("Mobile Phone", text(phone)),
        ("Title", text(user.get("title"))),
        ("Department", below(ENTERPRISE, "department")),
        ("Cost Center Code", below(ENTERPRISE, "costCenter")),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect()
}

/// Incoming: the field of the result and the attribute it comes from.
const INCOMING: [(&str, &str); 9] = [
    ("Email", "emails (the primary one, else the first)"),
    ("Employee ID", "externalId"),
    ("Given Name", "name.givenName"),
    ("Surname", "name.familyName"),
    ("Username", "userName"),
    ("Mobile Phone", "phoneNumbers (the first)"),
    ("Title", "title"),
    ("Department", "enterprise extension's department"),
    ("Cost Center Code", "enterprise extension's costCenter"),
];

/// The targets of the outgoing mapping.
pub(super) fn outgoing_targets() -> Vec<String> {
    OUTGOING.iter().map(|(_, target)| target.dotted()).collect()
}

/// The targets of the incoming mapping.
pub(super) fn incoming_targets() -> Vec<String> {
    INCOMING.iter().map(|(name, _)| (*name).to_owned()).collect()
}

pub(super) fn explain_outgoing(profile: &UserProfile) -> Vec<ExplainedField> {
    let explain = |(field, target): &(&str, Target)| {
        let (mut value, mut left_out, mut refused) = (None, None, None);
        match profile.text(field) {
            Ok(Some(text)) => {
                value = Some(match target {
                    Target::List(_, element) => element(text),
                    Target::Attribute(_) | Target::Name(_) | Target::Enterprise(_) => text.into(),
                });
            }
            Ok(None) => left_out = Some("its source is missing or empty".to_owned()),
            Err(fault) => refused = Some(format!("must be text, not {}", fault.found)),
        }
        ExplainedField {
            target: target.dotted(),
            taken: vec![Taken {
                path: (*field).to_owned(),
                value: profile.field(field).cloned(),
            }],
            value,
            left_out,
            refused,
            ..ExplainedField::default()
        }
    };
    OUTGOING.iter().map(explain).collect()
}

pub(super) fn explain_incoming(user: &User) -> Vec<ExplainedField> {
    let mapped = incoming(user);
    let explain = |(name, path): &(&str, &str)| {
        let value = mapped.get(*name).cloned();
        ExplainedField {
            target: (*name).to_owned(),
            taken: vec![Taken {
                path: (*path).to_owned(),
                value: value.clone(),
            }],
            left_out: value.is_none().then(|| "its source is missing".to_owned()),
            value,
            ..ExplainedField::default()
        }
    };
    INCOMING.iter().map(explain).collect()
}

/// Each field with the dotted attribute that it fills.
pub(super) fn outgoing_fields() -> impl Iterator<Item = (&'static str, String)> {
    OUTGOING.iter().map(|(field, target)| (*field, target.dotted()))
}

pub(super) fn source(attribute: &str) -> Option<&'static str> {
    let fills = |target: &Target| match target {
        Target::Attribute(name) => attribute == *name,
        Target::Name(part) => attribute.strip_prefix("name.") == Some(part),
        Target::List(name, _) => attribute.split('.').next() == Some(name),
        Target::Enterprise(name) => {
            attribute == *name || attribute.strip_prefix(ENTERPRISE) == Some(&format!(".{name}"))
        }
    };
    OUTGOING
        .iter()
        .find(|(_, target)| fills(target))
        .map(|(field, _)| *field)
}

fn insert_below(attributes: &mut Object, parent: &str, name: &str, value: &str) {
    let parent = attributes.entry(parent).or_insert_with(|| json!({}));
    if let Some(parent) = parent.as_object_mut() {
        parent.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(value: Value) -> UserProfile {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_field_has_its_attribute() {
        let full = profile(json!({
            "username": "u", "displayname": "d", "givenname": "g", "surname": "s", "email": "e@x", "employeeid": "7",
            "mobilephone": "+1", "title": "t", "employeetype": "y", "employeenumber": "8", "department": "D",
            "division": "V", "costcentercode": "C", "organization": "O", "shoesize": 43,
        }));
        let mapped = outgoing(&full);
        assert_eq!(mapped.faults, []);
        assert_eq!(
            Value::from(mapped.attributes),
            json!({
                "userName": "u", "displayName": "d", "name": {"givenName": "g", "familyName": "s"},
                "emails": [{"value": "e@x", "type": "work", "primary": true}], "externalId": "7",
                "phoneNumbers": [{"value": "+1", "type": "work"}], "title": "t", "userType": "y",
                ENTERPRISE: {"employeeNumber": "8", "department": "D", "division": "V", "costCenter": "C", "organization": "O"},
            })
        );
    }

    #[test]
    fn every_field_is_told_in_the_document() {
        let mut told = Vec::new();
        <UserProfile as utoipa::ToSchema>::schemas(&mut told);
        let told = serde_json::to_value(told.into_iter().collect::<std::collections::BTreeMap<_, _>>()).unwrap();
        for (field, _) in &OUTGOING {
            assert!(told["UserProfileFields"]["properties"][field].is_object(), "{field}");
        }
    }

    #[test]
    fn missing_and_empty_sources_leave_their_target_out() {
        let sparse = profile(json!({"username": "u", "surname": "", "givenname": "g", "email": null}));
        assert_eq!(
            Value::from(outgoing(&sparse).attributes),
            json!({"userName": "u", "name": {"givenName": "g"}})
        );
    }

    #[test]
    fn what_is_not_text_is_named_by_its_field() {
        let odd = profile(json!({"username": "u", "employeeid": 7}));
        let mapped = outgoing(&odd);
        assert_eq!(
            mapped.faults[0].sentence(),
            "user-profile.employeeid: must be text, not a number; send it in quotes"
        );
    }

    #[test]
    fn incoming_gives_display_names_that_can_be_sent_back() {
        let user = json!({
            "id": "u-1", "userName": "u", "name": {"givenName": "g", "familyName": "s"}, "externalId": "7", "title": "t",
            "emails": [{"value": "first@x"}, {"value": "primary@x", "primary": true}],
            "phoneNumbers": [{"value": "+1", "type": "mobile"}], ENTERPRISE: {"department": "D", "costCenter": "C"},
        });
        let incoming = incoming(&User::read(user).unwrap());
        let expected = json!({
            "Email": "primary@x", "Employee ID": "7", "Given Name": "g", "Surname": "s", "Username": "u",
            "Mobile Phone": "+1", "Title": "t", "Department": "D", "Cost Center Code": "C",
        });
        assert_eq!(Value::from(incoming.clone()), expected);
        let back = outgoing(&profile(incoming.into())).attributes;
        assert_eq!(back["name"], json!({"givenName": "g", "familyName": "s"}));
        assert_eq!(back["externalId"], "7");
    }

    #[test]
    fn a_message_can_name_the_field_behind_an_attribute() {
        let rows = [
            ("name.familyName", Some("surname")),
            ("emails.primary", Some("email")),
            ("userName", Some("username")),
            ("photos", None),
        ];
        for (attribute, field) in rows {
            assert_eq!(source(attribute), field);
        }
    }
}
