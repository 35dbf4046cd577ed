//! The keys by which a person is looked for: which a profile has, and in which order they are
//! tried.

use serde_json::Value;

use super::{OLD, PROFILE, Person, is_same_name, prepared::OldData};
use crate::{
    decide::Next,
    diagnostic::Diagnostic,
    mapper::Mapped,
    outcome::{Action, Cause},
    policy::ProfileId,
    profile::UserProfile,
    scim::{Dialect, Id, aws},
};

/// The keys of a profile and of its old data; each is missing or can be looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands) struct Keys {
    pub(super) id: Option<Id>,
    pub(super) user_name: Option<String>,
    pub(super) employee_id: Option<String>,
    pub(super) old_id: Option<Id>,
    pub(super) old_user_name: Option<String>,
    pub(super) old_employee_id: Option<String>,
}

/// A key by which a user is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookupKey {
    /// The profile's `id`.
    Id,
    /// What the outgoing mapper makes of `userName`.
    UserName,
    /// What the outgoing mapper makes of `externalId`.
    EmployeeId,
    /// The `id` of `olduserdata`.
    OldId,
    /// The userName of `olduserdata`.
    OldUserName,
    /// The employee id of `olduserdata`.
    OldEmployeeId,
}

impl LookupKey {
    /// The key's name in messages and in the audit log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserName => "userName",
            Self::EmployeeId => "employee id",
            Self::OldId => "old id",
            Self::OldUserName => "old userName",
            Self::OldEmployeeId => "old employee id",
        }
    }
}

/// The order of get, disable and create: what is true now, then what was.
const NOW_FIRST: [LookupKey; 6] = [
    LookupKey::Id,
    LookupKey::UserName,
    LookupKey::EmployeeId,
    LookupKey::OldId,
    LookupKey::OldUserName,
    LookupKey::OldEmployeeId,
];

/// The order of update: a rename finds its person, and one that is told twice does.
const RENAME: [LookupKey; 6] = [
    LookupKey::OldId,
    LookupKey::Id,
    LookupKey::OldUserName,
    LookupKey::UserName,
    LookupKey::EmployeeId,
    LookupKey::OldEmployeeId,
];

impl Keys {
    /// The order in which the keys are tried for a command that does `action` at first.
    pub(super) fn order(action: Action) -> [LookupKey; 6] {
        match action {
            Action::Get | Action::Disable | Action::Create => NOW_FIRST,
            Action::Update => RENAME,
        }
    }

    /// Whether the profile has this key.
    pub(super) fn has(&self, key: LookupKey) -> bool {
        match key {
            LookupKey::Id => self.id.is_some(),
            LookupKey::UserName => self.user_name.is_some(),
            LookupKey::EmployeeId => self.employee_id.is_some(),
            LookupKey::OldId => self.old_id.is_some(),
            LookupKey::OldUserName => self.old_user_name.is_some(),
            LookupKey::OldEmployeeId => self.old_employee_id.is_some(),
        }
    }

    /// Whether the old userName is another name than that of now, and no other spelling of it.
    pub(super) fn is_renamed(&self) -> bool {
        match (&self.user_name, &self.old_user_name) {
            (Some(name), Some(old)) => !is_same_name(name, old),
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'a> Person<'a> {
    /// The keys that the profile has. Ends the command when it has none, or one that no directory
    /// can have: a leaver is never said to be gone because of a blank.
    pub(in crate::commands) fn keys(&self) -> Result<Keys, Next> {
        let old = match &self.prepared.old {
            Ok(old) => old.as_ref(),
            Err(sentence) => return self.fails(Cause::Invalid, sentence.as_str()),
        };
        let mut faults = Vec::new();
        let mut keys = Keys {
            id: sound(self.id(self.prepared.profile, PROFILE), &mut faults),
            user_name: sound(self.text_key("userName", self.mapped(), PROFILE), &mut faults),
            employee_id: sound(self.text_key("externalId", self.mapped(), PROFILE), &mut faults),
            ..Keys::default()
        };
        if let Some(old) = old {
            let mapped = self.old_mapped(old);
            keys.old_id = sound(self.id(&old.profile, OLD), &mut faults);
            keys.old_user_name = sound(self.text_key("userName", mapped, OLD), &mut faults);
            keys.old_employee_id = sound(self.text_key("externalId", mapped, OLD), &mut faults);
        }
        if !faults.is_empty() {
            return self.fails(Cause::Invalid, faults.join(". "));
        }
        if keys.is_empty() {
            return self.without_a_key();
        }
        // What is as it was is looked for once.
        keys.old_id = keys.old_id.filter(|old| keys.id.as_ref() != Some(old));
        keys.old_user_name = keys.old_user_name.filter(|old| keys.user_name.as_ref() != Some(old));
        keys.old_employee_id = keys
            .old_employee_id
            .filter(|old| keys.employee_id.as_ref() != Some(old));
        Ok(keys)
    }

    fn old_mapped(&self, old: &'a OldData) -> &'a Mapped {
        old.mapped(self.prepared.rules)
    }

    /// The `id` of the profile, or of the old data in it; `place` is where that stands, for
    /// messages. None where the instance's profiles have the ids of another system. The error is a
    /// sentence.
    fn id(&self, profile: &UserProfile, place: &str) -> Result<Option<Id>, String> {
        if self.prepared.rules.policy.profile_id == ProfileId::Foreign {
            return Ok(None);
        }
        let text = profile
            .text("id")
            .map_err(|error| error.at(format!("{place}.id")).to_string())?;
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match Id::parse_for(self.prepared.rules.dialect, text) {
            Some(id) => Ok(Some(id)),
            None => {
                let unseen = aws::unseen(text).map_or_else(String::new, |unseen| format!("; {unseen}"));
                Err(format!(
                    "{place}.id must be 1 to 64 letters, digits, `_` or `-`{unseen}"
                ))
            }
        }
    }

    /// The userName or externalId that a profile maps to, if it can be looked up. What is there and
    /// can't be is an error and not absent: a leaver who is known by it would be reported as gone,
    /// and a name that was given again would go for theirs. The error is a sentence.
    fn text_key(&self, attribute: &str, mapped: &Mapped, place: &str) -> Result<Option<String>, String> {
        let path = attribute_at(attribute, place);
        let mut refused = match mapped.attributes.get(attribute) {
            None | Some(Value::Null) => {
                let unmapped = self.unmapped(attribute, mapped, place);
                return unmapped.map_or(Ok(None), |diagnostic| Err(diagnostic.sentence()));
            }
            Some(Value::String(text)) => match self.unsearchable(attribute, &path, text) {
                None => return Ok(Some(text.clone()).filter(|text| !text.is_empty())),
                Some(refused) => refused,
            },
            Some(Value::Array(_)) => Diagnostic::error(path, "must be text, not a list", "send the one that counts"),
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
                Diagnostic::error(path, "must be text", "send it in quotes")
            }
        };
        self.name_field(&mut refused, place);
        Err(refused.sentence())
    }

    /// Why no user can have this text as its userName or externalId.
    fn unsearchable(&self, attribute: &str, path: &str, text: &str) -> Option<Diagnostic> {
        aws::lookup_value(path, text).or_else(|| match (attribute, self.prepared.rules.dialect) {
            ("userName", Dialect::Aws) => aws::white_space(path, text),
            (_, Dialect::Aws | Dialect::Rfc7644) => None,
        })
    }

    /// Why an attribute could not be mapped: a mapper's file says the attribute that it could not
    /// fill, the built-in mapping the field that it could not read.
    pub(super) fn unmapped(&self, attribute: &str, mapped: &Mapped, place: &str) -> Option<Diagnostic> {
        let field = self.prepared.rules.mapper.source(attribute);
        let read = field.map(|field| format!("{PROFILE}.{field}"));
        mapped.faults.iter().find_map(|fault| {
            let path = if fault.path == attribute {
                attribute_at(attribute, place)
            } else if Some(&fault.path) == read.as_ref() {
                format!("{place}.{}", field.unwrap_or_default())
            } else {
                return None;
            };
            Some(Diagnostic { path, ..fault.clone() })
        })
    }
}

/// How messages name an attribute that is mapped from `place`.
fn attribute_at(attribute: &str, place: &str) -> String {
    match place {
        OLD => format!("olduserdata.{attribute}"),
        _ => attribute.to_owned(),
    }
}

/// A key that can be looked for; what is wrong with one that can't is put to the other faults.
fn sound<T>(key: Result<Option<T>, String>, faults: &mut Vec<String>) -> Option<T> {
    key.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
}
