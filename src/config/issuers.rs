//! Whose bearer tokens are verified.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{
    reader::{self, Report, Section},
    reference::Scope,
    unknown,
};
use crate::auth::jwt::{Algorithm, Issuer, KeySource};

/// Reads every issuer; paths are relative to the folder of the file that they stand in.
pub(super) fn read(tables: Vec<&Table>, folder: Option<&Path>, file: &str, report: &mut Report) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let place = match table.get("issuer").and_then(Value::as_str) {
            Some(issuer) => format!("issuer {} in {file}", reader::quoted(issuer)),
            None => format!("issuer {} in {file}", index + 1),
        };
        unknown::refuse_keys(table, Scope::Issuer, &place, report);
        let mut section = Section::table(Scope::Issuer, place, table, report);
        let Some(issuer) = read_one(&mut section, folder) else {
            continue;
        };
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            section.refuse("issuer", "there is a table for this issuer already: keep one of them");
        }
        issuers.push(issuer);
    }
    issuers
}

fn read_one(section: &mut Section<'_>, folder: Option<&Path>) -> Option<Issuer> {
    let issuer = section.text("issuer", |text| !text.is_empty());
    if section.is_absent("issuer") {
        section.refuse("issuer", "give the issuer just as its tokens have it in iss");
    }
    let audiences = section.list("audiences", |text| !text.is_empty());
    if audiences.is_empty() && section.is_absent("audiences") {
        let help = "say what stands in aud of a token for this service: without it tokens for other services would be accepted";
        section.refuse("audiences", help);
    }
    let keys = read_source(section, issuer.as_deref(), folder);
    let named = section.list("algorithms", |_| true);
    if named.is_empty() && !section.is_absent("algorithms") {
        section.refuse("algorithms", "name at least one");
    }
    let mut algorithms = Vec::new();
    for text in named {
        match text.parse::<Algorithm>() {
            Ok(algorithm) => algorithms.push(algorithm),
            Err(error) => section.refuse("algorithms", &format!("{}: {error}", reader::quoted(&text))),
        }
    }
    let issuer = Issuer {
        issuer: issuer?,
        audiences,
        keys: keys?,
        algorithms,
        clock_skew: section.duration("clock_skew"),
    };
    Some(issuer)
}

/// Where the keys are; what can't be a safe place for them is told of the setting that names it.
fn read_source(section: &mut Section<'_>, issuer: Option<&str>, folder: Option<&Path>) -> Option<KeySource> {
    let url = section.text("jwks_url", |_| true);
    let path = section.text("jwks_file", |text| !text.is_empty());
    match (url, path) {
        (Some(_), Some(_)) => {
            section.refuse("jwks_file", "give at most one of jwks_url and jwks_file");
            None
        }
        (Some(url), None) => KeySource::url(&url)
            .map_err(|fault| section.refuse("jwks_url", &fault.to_string()))
            .ok(),
        (None, Some(path)) => {
            let path = folder.map_or_else(|| PathBuf::from(&path), |folder| folder.join(&path));
            Some(KeySource::File(path))
        }
        (None, None) => {
            if let Err(fault) = KeySource::Discovery.check(issuer?) {
                section.refuse(
                    "issuer",
                    &format!("{fault}; or give jwks_url or jwks_file, where discovery is not to be used"),
                );
                return None;
            }
            Some(KeySource::Discovery)
        }
    }
}
