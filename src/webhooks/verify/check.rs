//! Checks settings: what is not signed proves nothing.

use super::{
    Algorithm, BodyKind, DuplicateRule, Encoding, HandshakeSettings, Part, Place, Proof, Scheme, SecretForm, Separator,
    SignatureSettings, Template, TimeForm, TimeSettings, VerifierSettings,
};
use crate::diagnostic::Diagnostic;

/// Where faults are told of.
const PATH: &str = "verifier.proof";

impl VerifierSettings {
    /// Finds what contradicts itself, or would look proven and is not.
    pub(super) fn check(&self, faults: &mut Vec<Diagnostic>) {
        let mut fault = |message: &str, help: &str| faults.push(Diagnostic::error(PATH, message, help));
        if self.bodies.is_empty() {
            fault("no form of body is taken", "give at least one in bodies");
        }
        let Proof::Signature(signature) = &self.proof else {
            return;
        };
        let signed = &signature.signed;
        if signature.schemes.is_empty() {
            fault(
                "there is no scheme",
                "say in schemes how signatures are made and written",
            );
        }
        if signed.has(&Part::Id) && self.id_header.is_none() {
            fault("{id} is signed, and no id is known", "give id_header");
        }
        if signed.has(&Part::Timestamp) && self.time.is_none() {
            fault("{timestamp} is signed, and no time is known", "give time");
        }
        if self.id_header.is_some() && self.duplicates == DuplicateRule::Id && !signed.has(&Part::Id) {
            let help = "take duplicates by signature or digest: with another id the same delivery could be sent again";
            fault("the id is not signed", help);
        }
        if let Some(time) = &self.time {
            let is_signed = match &time.at {
                Place::Header(_) => signed.has(&Part::Timestamp),
                Place::Body(pointer) => {
                    let own = Part::Json(pointer.clone());
                    [Part::Body, Part::Timestamp, own].iter().any(|part| signed.has(part))
                }
            };
            if !is_signed {
                let help = "put {timestamp} into signed, or take time away: it would judge what a forger writes";
                fault("the time is not signed", help);
            }
        }
    }

    /// What is signed, where anything is.
    pub(super) fn template(&self) -> Option<&Template> {
        if let Proof::Signature(signature) = &self.proof {
            return Some(&signature.signed);
        }
        None
    }

    /// Whether the body has to be read before it is proven.
    pub(super) fn reads_body(&self) -> bool {
        let is_body = |place: &Place| matches!(place, Place::Body(_));
        let signature = if let Proof::Signature(signature) = &self.proof {
            is_body(&signature.at) || signature.signed.reads_body()
        } else {
            false
        };
        signature || self.time.as_ref().is_some_and(|time| is_body(&time.at))
    }

    /// Those of a source that there is not: the work of most sources.
    pub(super) fn decoy() -> Self {
        let time = Place::Header("webhook-timestamp".to_owned());
        Self {
            proof: Proof::Signature(SignatureSettings {
                signed: Template::standard(),
                at: Place::Header("webhook-signature".to_owned()),
                separator: Some(Separator::Space),
                schemes: vec![Scheme {
                    prefix: "v1,".to_owned(),
                    algorithm: Algorithm::HmacSha256,
                    encoding: Encoding::Base64,
                    secret: SecretForm::Raw,
                }],
            }),
            id_header: Some("webhook-id".to_owned()),
            time: Some(TimeSettings {
                at: time,
                form: TimeForm::Seconds,
                oldest: None,
            }),
            handshakes: Vec::<HandshakeSettings>::new(),
            bodies: vec![BodyKind::Json],
            duplicates: DuplicateRule::Id,
        }
    }
}

impl Algorithm {
    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The length of its signatures, in bytes.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha512 | Self::Ed25519 => 64,
        }
    }
}

impl Encoding {
    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal",
            Self::Base64 => "base64",
            Self::Base64Url => "base64 for URLs",
        }
    }
}
