//! Whose bearer tokens are verified.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use url::Url;

use super::reader::{self, Report, Section};
use super::reference::Scope;
use super::unknown;
use crate::auth::{Algorithm, Issuer, KeySource};

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
    if section.is_set("issuer") == (false, false) {
        section.refuse("issuer", "give the issuer just as its tokens have it in iss");
    }
    let audiences = section.list("audiences", |text| !text.is_empty());
    if audiences.is_empty() && section.is_set("audiences") == (false, false) {
        let mend = "say what stands in aud of a token for this service: without it tokens for other services would be accepted";
        section.refuse("audiences", mend);
    }
    let url = section.text("jwks_url", |text| Url::parse(text).is_ok());
    let path = section.text("jwks_file", |text| !text.is_empty());
    let keys = match (url.and_then(|url| Url::parse(&url).ok()), path) {
        (Some(_), Some(_)) => {
            section.refuse("jwks_file", "give at most one of jwks_url and jwks_file");
            return None;
        }
        (Some(url), None) => KeySource::Url(url),
        (None, Some(path)) => KeySource::File(folder.map_or_else(|| PathBuf::from(&path), |folder| folder.join(&path))),
        (None, None) => KeySource::Discovery,
    };
    let mut algorithms = Vec::new();
    for text in section.list("algorithms", |_| true) {
        match text.parse::<Algorithm>() {
            Ok(algorithm) => algorithms.push(algorithm),
            Err(error) => section.refuse("algorithms", &format!("{}: {error}", reader::quoted(&text))),
        }
    }
    if algorithms.is_empty() && section.is_set("algorithms") != (false, false) {
        section.refuse("algorithms", "name at least one");
    }
    let issuer = Issuer {
        issuer: issuer?,
        audiences,
        keys,
        algorithms,
        clock_skew: section.duration("clock_skew"),
    };
    Some(issuer)
}
