//! A mapper's file: what it is called, which way it maps, and a mapping for each type.

use std::path::Path;

use super::{MappingType, bounds::MAX_FILE, error::ReadError, lint::Findings, rule::Mapping, toml_mapper, xsoar};
use crate::{diagnostic::Severity, files};

/// The types, by their names in a mapper.
pub(super) const TYPES: [(MappingType, &str); 3] = [
    (MappingType::Any, "User Profile"),
    (MappingType::Create, "User Profile - Create"),
    (MappingType::Update, "User Profile - Update"),
];

/// Which way a mapper maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Profile to SCIM user.
    Outgoing,
    /// SCIM user to profile.
    Incoming,
}

/// The id, name and direction of a mapper.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its `id`; empty where it has none.
    pub id: String,
    /// Its `name`; empty where it has none.
    pub name: String,
    /// Which way it maps, where it says so.
    pub direction: Option<Direction>,
}

/// A mapper's file, read and compiled.
#[derive(Debug)]
pub struct MapperFile {
    /// Its id, name and direction.
    pub identity: Identity,
    mappings: [Option<Mapping>; 3],
}

/// How a mapper's file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Exported from the platform, as JSON.
    Xsoar,
    /// Written by hand, as TOML.
    Toml,
}

impl Form {
    /// The form of a file by the end of its name: `.toml` is written by hand.
    pub fn of(path: &Path) -> Self {
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if is_toml { Self::Toml } else { Self::Xsoar }
    }
}

impl MapperFile {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            mappings: [None, None, None],
        }
    }

    /// Compiles a mapper. Without one where anything is refused; the findings say what.
    pub fn compile(text: &str, form: Form) -> (Option<Self>, Findings) {
        let mut findings = Findings::default();
        let file = match form {
            Form::Xsoar => xsoar::read(text, &mut findings),
            Form::Toml => toml_mapper::read(text, &mut findings),
        };
        if let Some(file) = &file {
            let outgoing = file.identity.direction != Some(Direction::Incoming);
            for (mapping_type, name) in TYPES {
                let needed = outgoing || mapping_type == MappingType::Any;
                if needed && file.mapping(mapping_type).is_none() {
                    findings.error("", format!("has no mapping for {name}"));
                }
            }
        }
        findings.finish();
        let sound = findings.count(Severity::Error) == 0;
        (file.filter(|_| sound), findings)
    }

    /// Reads and compiles a mapper's file.
    ///
    /// # Errors
    /// When it is no regular file, too long, or can't be read as text. What is wrong with a text
    /// that could be read is in the findings.
    pub fn load(path: &Path) -> Result<(Option<Self>, Findings), ReadError> {
        let text = files::read_text(path, MAX_FILE)?;
        Ok(Self::compile(&text, Form::of(path)))
    }

    pub(super) fn insert(&mut self, mapping_type: MappingType, mapping: Mapping) {
        self.mappings[mapping_type as usize] = Some(mapping);
    }

    /// The mapping that serves a type: its own, else the one of `User Profile`, which serves all.
    pub(super) fn mapping(&self, mapping_type: MappingType) -> Option<&Mapping> {
        let [any, create, update] = &self.mappings;
        match mapping_type {
            MappingType::Any => any.as_ref().or(update.as_ref()).or(create.as_ref()),
            MappingType::Create => create.as_ref().or(any.as_ref()),
            MappingType::Update => update.as_ref().or(any.as_ref()),
        }
    }

    /// The types that the file itself has, with their names and mappings.
    pub(super) fn types(&self) -> impl Iterator<Item = (&'static str, &Mapping)> {
        let mapping = |(mapping_type, name): (MappingType, &'static str)| {
            self.mappings[mapping_type as usize]
                .as_ref()
                .map(|mapping| (name, mapping))
        };
        TYPES.into_iter().filter_map(mapping)
    }
}
