//! Says whether a delivery is from the sender that it is said to be from.
//!
//! [`VerifierSettings`] is what has to be known of a sender; a [`Verifier`] is made of them and of
//! the source's [`Secrets`]. It judges the bytes as they came, before anything is parsed, in
//! constant time and with bounded work; only where the signature or the time stands in the body,
//! the strict reader of `json` reads that first. Whatever is wrong, all of the work is done: how
//! long a refusal takes says nothing of why, and [`Verifier::decoy`] does the same for a source
//! that there is not.

mod check;
mod credentials;
mod error;
mod example;
mod handshake;
mod hints;
mod judgement;
mod secret;
mod settings;
mod signature;
mod statement;
mod template;
#[cfg(test)]
mod tests;
mod time;
mod trace;

use std::{fmt, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::Delivery;
use crate::{
    auth::jwt::{self, Claims},
    diagnostic::Diagnostic,
};
use credentials::SharedSecrets;
use judgement::Judgement;
use secret::Key;

pub use error::VerificationError;
pub use example::{Example, ExampleError};
pub use handshake::Handshake;
pub use settings::{
    Algorithm, BodyKind, DuplicateRule, Encoding, HandshakeSettings, IssuerSettings, Place, Proof, Scheme, SecretForm,
    Separator, SettingsError, SignatureSettings, TimeForm, TimeSettings, VerifierSettings,
};
pub use template::{Part, Template, TemplateError};
pub use trace::{PartTrace, SignatureTrace, SignedTrace, TimeTrace, VerificationTrace};

/// The most secrets that a source has at once: each is tried with each delivery. Rotation takes
/// two.
pub const MOST_SECRETS: usize = 4;

/// The secrets of a source. Several are for rotation: any of them counts.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// What the proof is held against.
    pub own: Vec<SecretString>,
    /// What the path has to have besides the proof, `/webhooks/{source}/~{secret}`; empty: the path
    /// has none. For [`Proof::Path`] they stand in `own`.
    pub path: Vec<SecretString>,
}

/// Verifies the deliveries of one source.
pub struct Verifier {
    settings: VerifierSettings,
    /// For signatures.
    keys: Vec<Key>,
    /// For other proofs that are held against secrets.
    shared: SharedSecrets,
    path: SharedSecrets,
    tokens: Option<jwt::Verifier>,
    /// As they were given, for [`Verifier::sign`] and the guesses of [`Verifier::explain`].
    secrets: Vec<SecretString>,
    path_example: Option<SecretString>,
    memory: Option<Duration>,
    is_decoy: bool,
}

/// A delivery that was proven.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The sender's id of the delivery: of its header, or the `jti` of a token.
    pub id: Option<String>,
    /// By what the delivery is known when it comes again.
    pub identity: Identity,
    /// The sender's time of the delivery, which was judged.
    pub time: Option<Timestamp>,
    /// The place of the secret that it was proven by among the source's, from 0.
    pub secret: Option<usize>,
    /// The proof, by the name that settings have for it.
    pub scheme: &'static str,
    /// It is no event, or wants a particular answer.
    pub handshake: Option<Handshake>,
    /// What the token says that is the body.
    pub claims: Option<Map<String, Value>>,
}

/// By what a delivery is known when it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The sender's id.
    Id(String),
    /// SHA-256 of what was signed: what has the same signature, under whichever secret.
    Signature([u8; 32]),
    /// SHA-256 of the body.
    Digest([u8; 32]),
}

impl Verifier {
    /// A verifier of these settings and secrets. Sends nothing.
    ///
    /// # Errors
    /// All that is wrong, each with the setting: secrets that are missing, too many or of another
    /// form than the sender's; an issuer that is not whole; a template that signs nothing.
    pub fn new(settings: VerifierSettings, secrets: &Secrets) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        secret::check_count(&settings, secrets, &mut faults);
        settings.check(&mut faults);
        let (mut keys, mut tokens) = (Vec::new(), None);
        if let Proof::Signature(signature) = &settings.proof {
            keys = secret::keys(signature, &secrets.own, &mut faults);
        }
        if let Proof::Jwt(issuer) | Proof::SecurityEvent(issuer) = &settings.proof {
            tokens = token_verifier(issuer, &mut faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            shared: SharedSecrets::new(&secrets.own),
            path: SharedSecrets::new(&secrets.path),
            secrets: secrets.own.clone(),
            path_example: secrets.path.first().cloned(),
            settings,
            keys,
            tokens,
            memory: None,
            is_decoy: false,
        })
    }

    /// A verifier that refuses whatever it is given, after the work of one that verifies a
    /// signature. For names of sources that there are not.
    ///
    /// # Errors
    /// When the system's source of randomness fails.
    pub fn decoy() -> Result<Self, Vec<Diagnostic>> {
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| vec![Diagnostic::error("verifier", "the system has no randomness", "")])?;
        let secrets = Secrets {
            own: vec![SecretString::from(secret::hexadecimal(&random))],
            path: Vec::new(),
        };
        let decoy = Self::new(VerifierSettings::decoy(), &secrets)?;
        Ok(Self {
            is_decoy: true,
            ..decoy
        })
    }

    /// Refuses what is older than duplicates are remembered, where the settings name no oldest age:
    /// it could be a replay that is no longer known.
    #[must_use]
    pub fn remembering(self, memory: Duration) -> Self {
        Self {
            memory: Some(memory),
            ..self
        }
    }

    /// What it was made of.
    pub fn settings(&self) -> &VerifierSettings {
        &self.settings
    }

    /// Judges a delivery by the time at which it arrived.
    ///
    /// Waits for nothing but the keys of an issuer of tokens, within the bounds of
    /// [`jwt::Verifier::verify`].
    ///
    /// # Errors
    /// When it is not proven. To its sender all reasons are one, 401.
    pub async fn verify(&self, delivery: &Delivery) -> Result<Verified, VerificationError> {
        self.judge(delivery).await.verdict
    }

    /// Judges what a header section alone proves, before its body is asked for. What needs the
    /// body, as all signatures do, is not judged yet.
    ///
    /// # Errors
    /// When no body could make it proven.
    pub async fn judge_head(&self, delivery: &Delivery) -> Result<(), VerificationError> {
        let (path, presented) = (self.path_secret(delivery), self.presented(delivery));
        path?;
        if self.secrets.is_empty() && self.settings.proof.takes_secrets() {
            // The body may be the sender's first word.
            return Ok(());
        }
        presented?;
        if !matches!(self.settings.proof, Proof::Jwt(_)) {
            return Ok(());
        }
        match self.token(delivery).await.transpose() {
            Err(error) if !error.is_temporary() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn judge(&self, delivery: &Delivery) -> Judgement {
        let claims = self.token(delivery).await;
        Judgement::of(self, delivery, claims)
    }

    /// The claims of the token that is the proof; `None` where the proof is none.
    async fn token(&self, delivery: &Delivery) -> Option<Result<Claims, VerificationError>> {
        let tokens = self.tokens.as_ref()?;
        if matches!(self.settings.proof, Proof::SecurityEvent(_)) {
            let text = std::str::from_utf8(&delivery.body).map(str::trim);
            return Some(match text {
                Ok(text) => tokens.verify_event(text).await.map_err(VerificationError::Token),
                Err(_) => Err(VerificationError::Body),
            });
        }
        Some(match credentials::authorization(delivery, "bearer") {
            Ok(token) => tokens.verify(token).await.map_err(VerificationError::Token),
            Err(error) => Err(error),
        })
    }
}

impl Identity {
    /// As one text, in which no kind can be taken for another.
    pub fn key(&self) -> String {
        match self {
            Self::Id(id) => format!("id:{id}"),
            Self::Signature(digest) => format!("signature:{}", secret::hexadecimal(digest)),
            Self::Digest(digest) => format!("digest:{}", secret::hexadecimal(digest)),
        }
    }
}

/// Shows none of its secrets.
impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Verifier");
        shown
            .field("settings", &self.settings)
            .field("secrets", &self.secrets.len());
        shown.finish_non_exhaustive()
    }
}

fn token_verifier(issuer: &IssuerSettings, faults: &mut Vec<Diagnostic>) -> Option<jwt::Verifier> {
    let path = "verifier.proof";
    let issuer = issuer
        .issuer()
        .map_err(|error| faults.push(Diagnostic::error(path, "the issuer can't be used", error.to_string())))
        .ok()?;
    jwt::Verifier::new(vec![issuer])
        .map_err(|error| faults.push(Diagnostic::error(path, "the issuer can't be used", error.to_string())))
        .ok()
}
