//! Profile ⇄ SCIM user: which field of a profile becomes which attribute, and back.
//!
//! An instance has one [`Mapper`]. The built-in mapping is the only one yet; mappings read from files will stand beside
//! it here, behind the same two directions.

mod bounds;
mod built_in;
mod dates;
mod expressions;
mod filters;
mod if_then_else;
mod json_text;
mod path;
mod simple;
mod target;
mod transformers;
mod worked;

use crate::{
    profile::UserProfile,
    scim::{Object, User, aws::Violation},
};

/// The types of an outgoing mapping, by the names they have in a mapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingType {
    /// `User Profile - Create`.
    Create,
    /// `User Profile - Update`, which serves every command but create.
    Update,
}

/// What a profile became.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// The SCIM attributes, without those whose source is missing or empty.
    pub attributes: Object,
    /// What could not be mapped, and why.
    pub faults: Vec<Violation>,
}

/// The mapping of an instance.
#[derive(Clone, Debug, Default)]
pub struct Mapper {}

impl Mapper {
    /// Turns a profile into the attributes of a SCIM user.
    pub fn outgoing(&self, mapping_type: MappingType, profile: &UserProfile) -> Mapped {
        match mapping_type {
            // The built-in mapping has one type, which serves both, as a mapper with only `User Profile` does.
            MappingType::Create | MappingType::Update => built_in::outgoing(profile),
        }
    }

    /// Turns a SCIM user into a profile by display names.
    pub fn incoming(&self, user: &User) -> Object {
        built_in::incoming(user)
    }

    /// The profile field that fills a SCIM attribute, to name it in a message: `surname` for `name.familyName`.
    pub fn source(&self, attribute: &str) -> Option<&'static str> {
        built_in::source(attribute)
    }
}
