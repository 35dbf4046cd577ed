//! A profile made ready once a command: mapped, and its old data read, however often the decision
//! is replayed.

use std::{cell::OnceCell, collections::BTreeSet};

use serde_json::Value;

use super::{
    super::{Decision, Rules},
    names_of_user,
};
use crate::{
    decide::{Next, Replay},
    mapper::{Mapped, MappingType},
    outcome::{Action, Outcome},
    policy::ProfileId,
    profile::{UserProfile, in_two_spellings},
};

/// The decision of a user command.
type Decide<A> = for<'r> fn(&'r A, &'r PreparedPerson<'r>, &mut Replay<'r>) -> Result<Outcome, Next>;

/// A user command ready to be decided.
pub(in crate::commands) struct OfPerson<'a, A> {
    arguments: &'a A,
    person: PreparedPerson<'a>,
    decide: Decide<A>,
}

impl<'a, A: Sync> OfPerson<'a, A> {
    /// The command of these arguments, about the person of this profile, which does `action` at
    /// first.
    pub(in crate::commands) fn boxed(
        action: Action,
        arguments: &'a A,
        profile: &'a UserProfile,
        rules: &'a Rules,
        decide: Decide<A>,
    ) -> Box<dyn Decision + Send + 'a> {
        Box::new(Self {
            arguments,
            person: PreparedPerson::new(action, profile, rules),
            decide,
        })
    }
}

impl<A: Sync> Decision for OfPerson<'_, A> {
    fn subject(&self) -> BTreeSet<String> {
        self.person.subject()
    }

    fn ignored(&self, outcome: &Outcome) -> Vec<String> {
        match outcome {
            Outcome::User(outcome) => self.person.ignored(outcome.action),
            Outcome::Group(_) | Outcome::Tested(_) | Outcome::MappingFields(_) => Vec::new(),
        }
    }

    fn decide<'r>(&'r mut self, replay: &mut Replay<'r>) -> Result<Outcome, Next> {
        (self.decide)(self.arguments, &self.person, replay)
    }
}

/// A person of whom a command is told, under the rules of an instance.
#[derive(Debug)]
pub(in crate::commands) struct PreparedPerson<'a> {
    pub(in crate::commands) rules: &'a Rules,
    pub(super) profile: &'a UserProfile,
    /// What was true before the change, or what is wrong with it.
    pub(super) old: Result<Option<OldData>, String>,
    update: OnceCell<Mapped>,
    /// Used only where creations are mapped in another way.
    create: OnceCell<Mapped>,
    writes: bool,
}

/// What a profile says was true before the change.
#[derive(Debug)]
pub(super) struct OldData {
    pub(super) profile: UserProfile,
    mapped: OnceCell<Mapped>,
}

impl OldData {
    /// The old data as the mapper maps them.
    pub(super) fn mapped(&self, rules: &Rules) -> &Mapped {
        self.mapped
            .get_or_init(|| trimmed(rules.mapper.outgoing(MappingType::Update, &self.profile)))
    }
}

impl<'a> PreparedPerson<'a> {
    /// The person of this profile, in a command that does `action` at first.
    fn new(action: Action, profile: &'a UserProfile, rules: &'a Rules) -> Self {
        let old = profile.old().map(|old| {
            old.map(|profile| OldData {
                profile,
                mapped: OnceCell::new(),
            })
        });
        Self {
            rules,
            profile,
            old,
            update: OnceCell::new(),
            create: OnceCell::new(),
            writes: action != Action::Get,
        }
    }

    /// The profile's fields that fill nothing in a command that ends as `action`, and that no
    /// command reads itself.
    fn ignored(&self, action: Action) -> Vec<String> {
        let mut read = self.rules.mapper.fields(mapping_type(action));
        read.extend(["olduserdata", "active"]);
        if self.rules.policy.profile_id == ProfileId::Aws {
            read.insert("id");
        }
        self.profile.unused(read)
    }

    /// The profile as the mapper maps it for an action, made when it is first asked for.
    pub(super) fn mapped(&self, action: Action) -> &Mapped {
        let mapping_type = mapping_type(action);
        let cell = match mapping_type {
            MappingType::Create if !self.rules.mapper.maps_alike() => &self.create,
            MappingType::Create | MappingType::Update | MappingType::Any => &self.update,
        };
        cell.get_or_init(|| trimmed(self.rules.mapper.outgoing(mapping_type, self.profile)))
    }

    /// The userName that was true before the change.
    pub(super) fn old_user_name(&self) -> Option<&str> {
        self.old_attribute("userName")
    }

    /// The employee id that was true before the change.
    pub(super) fn old_employee_id(&self) -> Option<&str> {
        self.old_attribute("externalId")
    }

    fn old_attribute(&self, name: &str) -> Option<&str> {
        let old = self.old.as_ref().ok()?.as_ref()?;
        old.mapped(self.rules).attributes.get(name).and_then(Value::as_str)
    }

    /// Whether the profile says that the person is not active. The error is a sentence.
    pub(super) fn is_told_inactive(&self) -> Result<bool, String> {
        let says_text = |text: &str| {
            let text = text.trim().to_lowercase();
            ["false", "no", "0", "inactive"].contains(&text.as_str())
        };
        let active = self
            .profile
            .one_field("active")
            .map_err(|_| in_two_spellings("active"))?;
        Ok(match active {
            Some(Value::Bool(active)) => !active,
            Some(Value::Number(number)) => number.as_f64() == Some(0.0),
            Some(Value::String(text)) => says_text(text),
            // A list of one text is that text, as in every field.
            Some(Value::Array(list)) => matches!(&list[..], [Value::String(text)] if says_text(text)),
            Some(Value::Null | Value::Object(_)) | None => false,
        })
    }

    /// The names that the command knows its person by; none for a command that only reads.
    fn subject(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if !self.writes {
            return names;
        }
        let old = self.old.as_ref().ok().and_then(Option::as_ref);
        let old = old.map(|old| (&old.profile, old.mapped(self.rules)));
        let now = (self.profile, self.mapped(Action::Update));
        for (profile, mapped) in [Some(now), old].into_iter().flatten() {
            let text = |attribute: &str| mapped.attributes.get(attribute).and_then(Value::as_str);
            let id = profile.text("id").ok().flatten().map(str::trim);
            names.extend(names_of_user(id, text("userName"), text("externalId")));
        }
        names
    }
}

/// The mapping that serves a command that does this.
fn mapping_type(action: Action) -> MappingType {
    match action {
        Action::Create => MappingType::Create,
        Action::Get | Action::Update | Action::Disable => MappingType::Update,
    }
}

/// Takes white space off the ends of identifiers and e-mails, and identifiers out of lists of one;
/// what is blank then is left out, so that a leaver is not said to be gone because of a blank.
fn trimmed(mut mapped: Mapped) -> Mapped {
    for name in ["userName", "externalId"] {
        // A list of one text is that text; a mapper's file hands it on as it came.
        let text = match mapped.attributes.get(name) {
            Some(Value::String(text)) => text,
            Some(Value::Array(list)) => match &list[..] {
                [Value::String(text)] => text,
                _ => continue,
            },
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => continue,
        };
        match text.trim() {
            "" => drop(mapped.attributes.shift_remove(name)),
            trimmed => {
                let trimmed = trimmed.into();
                mapped.attributes.insert(name.to_owned(), trimmed);
            }
        }
    }
    let is_blank = mapped
        .attributes
        .get_mut("emails")
        .and_then(Value::as_array_mut)
        .is_some_and(|emails| {
            for email in emails.iter_mut() {
                if let Some(Value::String(text)) = email.get_mut("value") {
                    *text = text.trim().to_owned();
                }
            }
            emails.retain(|email| email.get("value") != Some(&Value::from("")));
            emails.is_empty()
        });
    if is_blank {
        mapped.attributes.shift_remove("emails");
    }
    mapped
}
