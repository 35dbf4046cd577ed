//! What a verifier has to be told of a sender: plain data, of which presets and the configuration
//! have the same TOML form.

use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use super::template::Template;
use crate::auth::jwt;

/// How deliveries of one sender are verified, and what else is to be known of their form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierSettings {
    /// What proves the sender.
    pub proof: Proof,
    /// The header with the id of the delivery, where there is one.
    pub id_header: Option<String>,
    /// Where the time of the delivery is; none: it has none, and only the memory of duplicates
    /// protects from a replay.
    pub time: Option<TimeSettings>,
    /// What is no event: pings, challenges, tokens.
    #[serde(default)]
    pub handshakes: Vec<HandshakeSettings>,
    /// The forms of body that are taken. The first is meant where a delivery does not say.
    #[serde(default = "json_alone")]
    pub bodies: Vec<BodyKind>,
    /// By what a delivery is known when it comes again.
    pub duplicates: DuplicateRule,
}

/// What proves a sender.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A signature of what it sends.
    Signature(SignatureSettings),
    /// `Authorization: Basic`, of a secret that is written `user:password` (RFC 7617).
    Basic,
    /// `Authorization: Bearer`, of the secret as it is (RFC 6750).
    Bearer,
    /// A header of this name, whose value is the secret.
    Header(String),
    /// `Authorization: Bearer`, of a JSON Web Token of this issuer.
    Jwt(IssuerSettings),
    /// The body itself is a security event token of this issuer (RFC 8417, RFC 9967).
    SecurityEvent(IssuerSettings),
    /// A secret in the path, `/webhooks/{source}/~{secret}`.
    Path,
    /// Nothing: whatever comes is believed.
    None,
}

/// How what is sent is signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureSettings {
    /// What is signed.
    pub signed: Template,
    /// Where the signature stands.
    pub at: Place,
    /// What stands between signatures, where there may be several; any that is right counts.
    pub separator: Option<Separator>,
    /// The kinds of signatures, told apart by what they begin with. At least one.
    pub schemes: Vec<Scheme>,
}

/// One kind of signature.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// What the signature begins with, like `sha256=` or `v1,`; empty for nothing.
    #[serde(default)]
    pub prefix: String,
    /// How it is made.
    pub algorithm: Algorithm,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// How the secret's bytes are written.
    #[serde(default)]
    pub secret: SecretForm,
}

/// How a signature is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 2104).
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519 (RFC 8032). The secret is the sender's public key.
    Ed25519,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal, in small or capital letters.
    Hex,
    /// Base64 with its padding (RFC 4648 section 4).
    Base64,
    /// Base64 for URLs, with its padding or without (RFC 4648 section 5).
    Base64Url,
}

/// How the bytes of a secret are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretForm {
    /// They are the text itself.
    #[default]
    Raw,
    /// Base64, with `whsec_` before it or without (Standard Webhooks).
    Whsec,
    /// `whpk_` and base64: a public key (Standard Webhooks).
    Whpk,
    /// Base64.
    Base64,
}

/// Where a value of a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the header of this name.
    Header(String),
    /// In the JSON body, at this pointer (RFC 6901).
    Body(String),
}

/// What stands between the signatures of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Separator {
    /// A comma, and spaces around it.
    Comma,
    /// A space.
    Space,
}

/// Where the time of a delivery is, and how old it may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSettings {
    /// Where it stands.
    pub at: Place,
    /// How it is written.
    pub form: TimeForm,
    /// The oldest that it may be; none: as old as the memory of duplicates. It may never be more
    /// than five minutes in the future.
    #[serde(default, deserialize_with = "duration")]
    pub oldest: Option<Duration>,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeForm {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339. One without an offset is in UTC.
    Rfc3339,
}

/// What a sender does besides sending events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeSettings {
    /// A GET with a challenge in `header` is answered with a JSON object that has it as `field`.
    Challenge {
        /// The header.
        header: String,
        /// The name in the answer.
        field: String,
    },
    /// This header of a verified delivery is sent back with the answer.
    Echo(String),
    /// A verified delivery whose body is this text is answered and forgotten.
    PingText(String),
    /// A verified delivery whose JSON body has this text at this pointer is answered and forgotten.
    PingAt {
        /// The place.
        pointer: String,
        /// The text.
        value: String,
    },
    /// While the source has no secret, a JSON body that is nothing but an object with this name is
    /// taken for the sender's secret: it is kept for the operator, and proves nothing.
    FirstToken(String),
}

/// A form of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Plain text.
    Text,
    /// `application/secevent+jwt`.
    Jwt,
    /// XML, which is kept and not understood.
    Xml,
}

/// By what a delivery is known when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateRule {
    /// By the sender's id.
    Id,
    /// By its signature. That is what was signed, so that a new secret makes no new delivery of it.
    Signature,
    /// By its body.
    Digest,
}

/// An issuer of tokens, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// Just what its tokens have as `iss`. Empty in a preset: the source has to say it.
    #[serde(default)]
    pub issuer: String,
    /// The names by which it knows this service.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Where its keys are; without it and `jwks_file` they are found by discovery.
    pub jwks_url: Option<String>,
    /// A file with its keys.
    pub jwks_file: Option<PathBuf>,
    /// The algorithms that it signs with.
    #[serde(default = "rs256")]
    pub algorithms: Vec<String>,
}

/// Says that a `verifier` is not of the form that one has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

impl VerifierSettings {
    /// What is believed without a proof.
    pub fn none() -> Self {
        Self {
            proof: Proof::None,
            id_header: None,
            time: None,
            handshakes: Vec::new(),
            bodies: vec![BodyKind::Json, BodyKind::Form],
            duplicates: DuplicateRule::Digest,
        }
    }

    /// Reads the `verifier` of a source: `"none"`, or a table.
    ///
    /// # Errors
    /// When it is neither, or a name or a value in it is not known.
    pub fn read(written: &toml::Value) -> Result<Self, SettingsError> {
        match written.as_str() {
            Some("none") => Ok(Self::none()),
            Some(_) => Err(SettingsError("write \"none\", or a table".to_owned())),
            None => {
                let table: Result<Self, _> = written.clone().try_into();
                table.map_err(|error| SettingsError(error.message().to_owned()))
            }
        }
    }

    /// Whether it may be started before its secret is known: the sender gives it in a handshake, or
    /// asks for an answer before it shows it.
    pub fn may_lack_secrets(&self) -> bool {
        let early = |handshake: &HandshakeSettings| {
            matches!(
                handshake,
                HandshakeSettings::FirstToken(_) | HandshakeSettings::PingText(_)
            )
        };
        self.handshakes.iter().any(early)
    }
}

impl Proof {
    /// Its name in settings, in logs and in explanations.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Signature(_) => "signature",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::Header(_) => "header",
            Self::Jwt(_) => "jwt",
            Self::SecurityEvent(_) => "security_event",
            Self::Path => "path",
            Self::None => "none",
        }
    }

    /// The header whose whole value is the secret, which is kept and shown nowhere.
    pub fn secret_header(&self) -> Option<&str> {
        match self {
            Self::Header(name) => Some(name),
            Self::Signature(_)
            | Self::Basic
            | Self::Bearer
            | Self::Jwt(_)
            | Self::SecurityEvent(_)
            | Self::Path
            | Self::None => None,
        }
    }

    /// Whether it is held against secrets that the operator gives.
    pub fn takes_secrets(&self) -> bool {
        match self {
            Self::Signature(_) | Self::Basic | Self::Bearer | Self::Header(_) | Self::Path => true,
            Self::Jwt(_) | Self::SecurityEvent(_) | Self::None => false,
        }
    }
}

impl IssuerSettings {
    /// The issuer, checked.
    ///
    /// # Errors
    /// When it is not whole, or its keys can't be fetched safely.
    pub fn issuer(&self) -> Result<jwt::Issuer, SettingsError> {
        let fault = |error: &dyn std::fmt::Display| SettingsError(error.to_string());
        let keys = match (&self.jwks_url, &self.jwks_file) {
            (Some(_), Some(_)) => return Err(fault(&"give at most one of jwks_url and jwks_file")),
            (Some(url), None) => jwt::KeySource::url(url).map_err(|error| fault(&error))?,
            (None, Some(file)) => jwt::KeySource::File(file.clone()),
            (None, None) => jwt::KeySource::Discovery,
        };
        let algorithms: Result<_, _> = self.algorithms.iter().map(|name| name.parse()).collect();
        let issuer = jwt::Issuer {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            keys,
            algorithms: algorithms.map_err(|error: jwt::AlgorithmError| fault(&error))?,
            clock_skew: Duration::from_secs(60),
        };
        issuer.check().map_err(|error| fault(&error))?;
        Ok(issuer)
    }
}

fn json_alone() -> Vec<BodyKind> {
    vec![BodyKind::Json]
}

fn rs256() -> Vec<String> {
    vec!["RS256".to_owned()]
}

/// Reads a duration as settings have them, like `5m`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let span = SignedDuration::deserialize(deserializer)?;
    let positive = Duration::try_from(span).ok().filter(|span| !span.is_zero());
    positive
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom("give a duration above zero, like 5m"))
}
