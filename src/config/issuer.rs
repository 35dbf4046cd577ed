//! One issuer of bearer tokens.

use std::{path::PathBuf, time::Duration};

use super::{
    kind::{Custom, List, Span, Text, any, filled, path},
    raw::{Raw, quoted},
    section::Section,
    setting::Setting,
    table::settings,
};
use crate::auth::jwt::{Algorithm, Issuer, KeySource};

/// The table of an issuer's settings.
pub(super) const TABLES: &[&[&Setting]] = &[IssuerTable::SETTINGS];

settings! {
    /// An issuer of tokens as its operator writes it.
    pub(super) struct IssuerTable: Issuer {
        /// The issuer whose tokens are verified.
        issuer: Option<String> = Text("the issuer just as its tokens have it in `iss`: an https URL", filled);
        /// The values of `aud` that name this service; a token needs one of them.
        audiences: Vec<String> = List("an array of texts", filled), default "";
        /// The address of its keys. Without it and `jwks_file` the keys are found by discovery, at
        /// `/.well-known/openid-configuration` below the issuer.
        jwks_url: Option<String> = Text("an https URL", any);
        /// A file with its keys; relative to the file that this stands in. Read again when it
        /// changes.
        jwks_file: Option<PathBuf> = Custom("the path of a JSON Web Key Set", path);
        /// The signature algorithms that are accepted, whatever a token says of itself.
        algorithms: Vec<Algorithm> = Custom("an array of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA", algorithms),
            default "RS256";
        /// How far the issuer's clock may be from ours.
        clock_skew: Duration = Span(Duration::ZERO, Duration::from_secs(300)), default "1m";
    }
}

/// Reads one issuer.
pub(super) fn read(section: &mut Section<'_>) -> Option<Issuer> {
    let table = IssuerTable::read(section);
    if !section.is_set(IssuerTable::issuer) {
        section.refuse(IssuerTable::issuer, "give the issuer just as its tokens have it in iss");
    }
    if table.audiences.is_empty() && !section.is_set(IssuerTable::audiences) {
        let help = "say what stands in aud of a token for this service: without it tokens for other services would be accepted";
        section.refuse(IssuerTable::audiences, help);
    }
    let keys = key_source(section, table.issuer.as_deref(), table.jwks_url, table.jwks_file);
    Some(Issuer {
        issuer: table.issuer?,
        audiences: table.audiences,
        keys: keys?,
        algorithms: table.algorithms,
        clock_skew: table.clock_skew,
    })
}

/// Decides where the keys are; what can't be a safe place for them is told of the setting that
/// names it.
fn key_source(
    section: &mut Section<'_>,
    issuer: Option<&str>,
    url: Option<String>,
    file: Option<PathBuf>,
) -> Option<KeySource> {
    match (url, file) {
        (Some(_), Some(_)) => {
            section.refuse(IssuerTable::jwks_file, "give at most one of jwks_url and jwks_file");
            None
        }
        (Some(url), None) => KeySource::url(&url)
            .map_err(|error| section.refuse(IssuerTable::jwks_url, &error.to_string()))
            .ok(),
        (None, Some(file)) => Some(KeySource::File(file)),
        (None, None) => {
            if let Err(error) = KeySource::Discovery.check(issuer?) {
                let help = format!("{error}; or give jwks_url or jwks_file, where discovery is not to be used");
                section.refuse(IssuerTable::issuer, &help);
                return None;
            }
            Some(KeySource::Discovery)
        }
    }
}

/// Reads signature algorithms, at least one.
fn algorithms(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<Vec<Algorithm>> {
    let one = |text: &str| {
        let algorithm = text.parse::<Algorithm>();
        algorithm
            .map_err(|error| complaints.push(format!("{}: {error}", quoted(text))))
            .ok()
    };
    let texts = raw.texts()?;
    if texts.is_empty() {
        complaints.push("name at least one".to_owned());
        return None;
    }
    Some(texts.into_iter().filter_map(one).collect())
}
