//! Clearing: the attributes that an update takes out, named by the profile fields that fill them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Person;
use crate::{
    decide::Next,
    mapper::MappingType,
    outcome::Cause,
    profile::display_key,
    scim::{Object, Operation, User, aws, removal},
};

impl Person<'_> {
    /// Takes on to clear what these fields fill, named as they are or by their display names. Ends
    /// the command where one can't be cleared, since other fields have a part in its attribute or
    /// a user must have that, and where one is filled at once.
    pub(in crate::commands) fn clear(&mut self, names: &[String]) -> Result<(), Next> {
        if names.is_empty() {
            return Ok(());
        }
        let rules = self.prepared.rules;
        let mut clearable = rules.mapper.sole_fields(MappingType::Update);
        clearable.retain(|(_, path)| aws::is_removable(rules.dialect, path));
        let find = |name: &String| {
            let is_exact = clearable.iter().find(|(field, _)| field == name);
            is_exact.or_else(|| clearable.iter().find(|(field, _)| *field == display_key(name)))
        };
        let refused: Vec<_> = names.iter().filter(|name| find(name).is_none()).collect();
        if !refused.is_empty() {
            let possible: Vec<_> = clearable.iter().map(|(field, _)| *field).collect();
            let possible = match &possible[..] {
                [] => "none".to_owned(),
                possible => possible.join(", "),
            };
            let refused = refused.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            return self.fails(
                Cause::Invalid,
                format!("clear: {refused} can't be cleared; fields that can be: {possible}"),
            );
        }
        let cleared: BTreeSet<_> = names.iter().filter_map(find).collect();
        let filled = &self.mapped().attributes;
        let both: Vec<_> = cleared.iter().filter(|(_, path)| is_filled(filled, path)).collect();
        if !both.is_empty() {
            let told = both.iter().map(|(field, path)| format!("{field} ({path})"));
            let told = told.collect::<Vec<_>>().join(", ");
            return self.fails(
                Cause::Invalid,
                format!("clear: {told} is to be cleared and filled at once; leave it out of clear or of user-profile"),
            );
        }
        self.cleared = cleared.into_iter().map(|(_, path)| path.clone()).collect();
        Ok(())
    }

    /// The changes that take out what is to be cleared, as far as the user has it.
    pub(super) fn removals(&self, user: &User) -> impl Iterator<Item = Operation> {
        self.cleared.iter().filter_map(|path| removal(path, user))
    }
}

/// Whether the mapped attributes have a value at a dotted path.
fn is_filled(attributes: &Object, path: &str) -> bool {
    let whole = attributes.get(path);
    let part = || {
        let (parent, part) = path.rsplit_once('.')?;
        attributes.get(parent).and_then(Value::as_object)?.get(part)
    };
    let value = whole.or_else(part);
    value.is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
}
