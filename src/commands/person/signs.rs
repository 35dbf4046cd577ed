//! Signs: what else than names and numbers says that a profile and an app user are one person.

use serde_json::Value;

use super::{OLD, PROFILE, Person, names::bare};
use crate::{
    diagnostic::Diagnostic,
    scim::{Object, User},
};

/// What a sign is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Email,
    Phone,
    GivenName,
    FamilyName,
}

const KINDS: [Kind; 4] = [Kind::Email, Kind::Phone, Kind::GivenName, Kind::FamilyName];

/// How a profile, with its old data, compares with an app user, kind by kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    given: usize,
    equal: Vec<Kind>,
}

impl Signs {
    /// Whether the profile says enough, at least two of e-mail, phone, given name and family name,
    /// and none of it is the user's.
    pub(super) fn contradict(&self) -> bool {
        self.given >= 2 && self.equal.is_empty()
    }

    /// Whether they would contradict if so many more, that can't be read, were not the user's.
    pub(super) fn may_contradict(&self, unread: usize) -> bool {
        self.given + unread >= 2 && self.equal.is_empty()
    }

    /// Whether any of them is the user's.
    pub(super) fn any_is_equal(&self) -> bool {
        !self.equal.is_empty()
    }

    /// Whether the e-mail, the phone or both names are the user's: names alone are many people's.
    pub(super) fn identify(&self) -> bool {
        let has = |kind| self.equal.contains(&kind);
        has(Kind::Email) || has(Kind::Phone) || (has(Kind::GivenName) && has(Kind::FamilyName))
    }
}

impl Person<'_> {
    /// Compares the profile with a user.
    pub(super) fn signs(&self, user: &User) -> Signs {
        compare(&[&self.mapped().attributes], user)
    }

    /// Compares the profile and its old data with a user.
    pub(super) fn signs_with_old(&self, user: &User) -> Signs {
        let old = self.prepared.old.as_ref().ok().and_then(Option::as_ref);
        match old.map(|old| &old.mapped(self.prepared.rules).attributes) {
            Some(old) => compare(&[&self.mapped().attributes, old], user),
            None => self.signs(user),
        }
    }

    /// Why signs of the profile and of its old data can't be read.
    pub(super) fn unread_signs(&self) -> Vec<Diagnostic> {
        let old = self.prepared.old.as_ref().ok().and_then(Option::as_ref);
        let old = old.map(|old| (old.mapped(self.prepared.rules), OLD));
        let mut unread = Vec::new();
        for (mapped, place) in [Some((self.mapped(), PROFILE)), old].into_iter().flatten() {
            let attributes = ["emails", "phoneNumbers", "name", "name.givenName", "name.familyName"];
            unread.extend(attributes.iter().filter_map(|name| self.unmapped(name, mapped, place)));
        }
        unread
    }
}

fn compare(sources: &[&Object], user: &User) -> Signs {
    let mut signs = Signs::default();
    for kind in KINDS {
        let given: Vec<_> = sources.iter().flat_map(|source| values(kind, source)).collect();
        if given.is_empty() {
            continue;
        }
        signs.given += 1;
        let has = values(kind, user.as_object());
        if given.iter().any(|value| has.contains(value)) {
            signs.equal.push(kind);
        }
    }
    signs
}

/// What a resource says of one kind, without empty values.
fn values(kind: Kind, resource: &Object) -> Vec<String> {
    let list = |name: &str| -> Vec<String> {
        let elements = attribute(resource, name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        elements
            .filter_map(|element| element.get("value"))
            .filter_map(Value::as_str)
            .map(bare)
            .collect()
    };
    let name = |part: &str| -> Vec<String> {
        let text = attribute(resource, "name")
            .and_then(|name| name.get(part))
            .and_then(Value::as_str);
        text.map(bare).into_iter().collect()
    };
    let mut values = match kind {
        Kind::Email => list("emails"),
        Kind::Phone => list("phoneNumbers"),
        Kind::GivenName => name("givenName"),
        Kind::FamilyName => name("familyName"),
    };
    values.retain(|value| !value.is_empty());
    values
}

/// An attribute of a resource; names are case-insensitive (RFC 7643 section 2.1).
fn attribute<'o>(resource: &'o Object, name: &str) -> Option<&'o Value> {
    let other = || {
        resource
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    resource.get(name).or_else(other)
}
