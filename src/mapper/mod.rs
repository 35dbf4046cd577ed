//! Maps a profile to a SCIM user, and back.
//!
//! An instance has one [`Mapper`]: for each way the built-in mapping, or one from a file. Files
//! come in two forms, exported from Cortex XSOAR (`xsoar`) or written by hand (`toml_mapper`). Both
//! are compiled into the same form (`rule`) once, when the service starts, and shared from then on:
//! a `Mapper` is two pointers.
//!
//! In reading order: a `path` reads a source; a `simple` is a path or a text with paths in it;
//! `filters` and `transformers` work on `tainted` values, which keep the origin of each part of a
//! text, so that `json_text` can parse glued JSON without a value becoming structure; a `target` is
//! where the result goes. `expressions` are the other form, with what they may name in `language`.
//! `check` adds findings to `lint` before a mapping runs, `explain` traces one that ran; `bounds`
//! has every limit, `error` the errors, `fields` which fields of a profile a mapping reads.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the wildcards below are over the kinds of JSON and TOML values and over libraries' errors, never over enums of ours"
)]

mod bounds;
mod built_in;
mod check;
mod dates;
mod error;
mod explain;
pub mod expressions;
mod fields;
mod file;
mod filters;
mod if_then_else;
mod json_text;
mod language;
mod lenient_json;
mod lint;
mod path;
mod patterns;
mod rule;
mod simple;
mod store;
mod tainted;
mod target;
mod toml_mapper;
mod transformers;
mod xsoar;

use std::{fmt, sync::Arc};

pub use self::{
    error::{CompileError, EvaluationError, ReadError},
    explain::{Explained, ExplainedField, ExplainedStep, Taken, Verdict, VerdictViolation},
    file::{Direction, Form, Identity, MapperFile},
    lint::Findings,
    store::{LookupError, MapperStore},
};

use self::simple::Source;
use crate::{
    diagnostic::Diagnostic,
    profile::UserProfile,
    scim::{Object, User},
};

/// The name of the mapping that serves where none is configured.
pub const BUILT_IN: &str = "built-in";

/// The types of a mapping, by the names they have in a mapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingType {
    /// `User Profile`, which serves both others where a mapper has nothing else.
    Any,
    /// `User Profile - Create`.
    Create,
    /// `User Profile - Update`, which serves every command but create.
    Update,
}

/// A mapped profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// The SCIM attributes, without those whose source is missing or empty.
    pub attributes: Object,
    /// What could not be mapped, and why.
    pub faults: Vec<Diagnostic>,
}

/// The mapping of an instance. Cloning it copies two pointers.
#[derive(Clone, Default)]
pub struct Mapper {
    outgoing: Option<Arc<MapperFile>>,
    incoming: Option<Arc<MapperFile>>,
}

/// One way of an instance's mapping, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct MapperInUse {
    /// Its name; `built-in` where none is configured.
    pub name: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// The types that it has, each with its targets.
    pub types: Vec<TypeInUse>,
}

/// One type of a mapper in use.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct TypeInUse {
    /// The type's name: `User Profile - Create`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub mapping_type: &'static str,
    /// Its targets, in the mapper's order.
    pub fields: Vec<String>,
}

impl MappingType {
    /// The type's name in a mapper.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "User Profile",
            Self::Create => "User Profile - Create",
            Self::Update => "User Profile - Update",
        }
    }

    /// The type of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        file::TYPES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(mapping_type, _)| *mapping_type)
    }
}

impl Mapper {
    /// A mapper of files for either way; the built-in mapping serves where there is none.
    pub fn new(outgoing: Option<Arc<MapperFile>>, incoming: Option<Arc<MapperFile>>) -> Self {
        Self { outgoing, incoming }
    }

    /// Turns a profile into the attributes of a SCIM user.
    pub fn outgoing(&self, mapping_type: MappingType, profile: &UserProfile) -> Mapped {
        // Counted by a test: a mapper's file may take milliseconds, so a command maps once.
        tracing::trace!("mapped a profile");
        match self.outgoing.as_ref().and_then(|file| file.mapping(mapping_type)) {
            // The built-in mapping has one type, which serves all, as a mapper with only
            // `User Profile` does.
            None => built_in::outgoing(profile),
            Some(mapping) => {
                let (attributes, faults) = mapping.apply(Source::Profile(profile));
                Mapped { attributes, faults }
            }
        }
    }

    /// Whether creations and updates are mapped alike, so that one mapping serves both.
    pub fn maps_alike(&self) -> bool {
        let mapping = |mapping_type| self.outgoing.as_ref().and_then(|file| file.mapping(mapping_type));
        match (mapping(MappingType::Create), mapping(MappingType::Update)) {
            (Some(create), Some(update)) => std::ptr::eq(create, update),
            (create, update) => create.is_none() && update.is_none(),
        }
    }

    /// Turns a SCIM user into a profile by display names. What can't be mapped is left out: the
    /// user itself is in the answer too.
    pub fn incoming(&self, user: &User) -> Object {
        match self.incoming.as_ref().and_then(|file| file.mapping(MappingType::Any)) {
            None => built_in::incoming(user),
            Some(mapping) => mapping.apply(Source::User(user)).0,
        }
    }

    /// The profile field that fills a SCIM attribute, to name it in a message: `surname` for
    /// `name.familyName`.
    pub fn source(&self, attribute: &str) -> Option<&str> {
        let Some(file) = &self.outgoing else {
            return built_in::source(attribute);
        };
        let fields = || {
            file.types()
                .flat_map(|(_, mapping)| &mapping.fields)
                .flat_map(|field| &field.sources)
        };
        let exact = fields().find(|(filled, _)| filled == attribute);
        let list = || {
            // A violation in a part of a list is one in its one element.
            let top = attribute
                .split_once('.')
                .map(|(top, _)| top)
                .filter(|top| *top != "name")?;
            fields().find(|(filled, _)| filled.split('.').next() == Some(top))
        };
        exact.or_else(list).map(|(_, source)| source.as_str())
    }

    /// The mappings in use for both directions, outgoing first.
    pub fn in_use(&self) -> (MapperInUse, MapperInUse) {
        let describe = |file: &Option<Arc<MapperFile>>, built_in: Vec<String>| match file {
            None => MapperInUse {
                name: BUILT_IN.to_owned(),
                id: None,
                types: vec![TypeInUse {
                    mapping_type: MappingType::Any.name(),
                    fields: built_in,
                }],
            },
            Some(file) => MapperInUse {
                name: file.identity.display_name().to_owned(),
                id: Some(file.identity.id.clone()).filter(|id| !id.is_empty()),
                types: file
                    .types()
                    .map(|(mapping_type, mapping)| TypeInUse {
                        mapping_type,
                        fields: mapping.fields.iter().map(|field| field.target.text.clone()).collect(),
                    })
                    .collect(),
            },
        };
        (
            describe(&self.outgoing, built_in::outgoing_targets()),
            describe(&self.incoming, built_in::incoming_targets()),
        )
    }

    /// Whether one of its ways has this name or id.
    pub fn is_called(&self, name: &str, direction: Direction) -> bool {
        let file = match direction {
            Direction::Outgoing => &self.outgoing,
            Direction::Incoming => &self.incoming,
        };
        match file {
            None => name == BUILT_IN,
            Some(file) => file.identity.is_called(name),
        }
    }
}

impl Identity {
    /// Its name, else its id.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Whether this is its name or its id.
    pub fn is_called(&self, name: &str) -> bool {
        !name.is_empty() && (self.name == name || self.id == name)
    }
}

impl fmt::Debug for Mapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |file: &Option<Arc<MapperFile>>| {
            file.as_ref()
                .map_or(BUILT_IN.to_owned(), |file| file.identity.display_name().to_owned())
        };
        f.debug_struct("Mapper")
            .field("outgoing", &name(&self.outgoing))
            .field("incoming", &name(&self.incoming))
            .finish()
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
