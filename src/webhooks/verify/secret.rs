//! The secrets of a source, as keys.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Algorithm, MOST_SECRETS, Proof, Scheme, SecretForm, Secrets, SignatureSettings, VerifierSettings};
use crate::diagnostic::Diagnostic;

/// The bytes of a public key of Ed25519 (RFC 8032 section 5.1.5).
const ED25519_BYTES: usize = 32;

/// A secret, ready for the signatures of one scheme.
pub(super) struct Key {
    /// Its place among the source's secrets.
    pub(super) secret: usize,
    /// The place of the scheme among those of the settings.
    pub(super) scheme: usize,
    pub(super) material: Material,
}

/// What signatures are verified with.
pub(super) enum Material {
    Hmac(Box<hmac::Key>),
    Ed25519(Vec<u8>),
}

/// Checks how many secrets there are.
pub(super) fn check_count(settings: &VerifierSettings, secrets: &Secrets, faults: &mut Vec<Diagnostic>) {
    let mut fault = |message: &str, help: &str| faults.push(Diagnostic::error("secrets", message, help));
    let takes = settings.proof.takes_secrets();
    if takes && secrets.own.is_empty() && !settings.may_lack_secrets() {
        fault("the source has no secret", "give the one that the sender signs with");
    }
    if !takes && !secrets.own.is_empty() {
        fault(
            "this proof takes no secret",
            "take the secret away, or say what it proves",
        );
    }
    if secrets.own.len() > MOST_SECRETS || secrets.path.len() > MOST_SECRETS {
        fault("there are too many secrets", "give at most 4: rotation takes two");
    }
    let mut all = secrets.own.iter().chain(&secrets.path);
    if all.any(|secret| secret.expose_secret().is_empty()) {
        fault("a secret is empty", "an empty secret is known to all");
    }
    if settings.proof == Proof::Path && !secrets.path.is_empty() {
        fault(
            "the path's secret is the proof already",
            "give it once, as the source's secret",
        );
    }
}

/// Makes keys of secrets, each for the schemes that it has the form of.
pub(super) fn keys(settings: &SignatureSettings, secrets: &[SecretString], faults: &mut Vec<Diagnostic>) -> Vec<Key> {
    let mut keys = Vec::new();
    for (secret, text) in secrets.iter().enumerate() {
        let before = keys.len();
        for (place, scheme) in settings.schemes.iter().enumerate() {
            let material = material(scheme.algorithm, scheme.secret, text.expose_secret());
            keys.extend(material.map(|material| Key {
                secret,
                scheme: place,
                material,
            }));
        }
        if keys.len() == before && !text.expose_secret().is_empty() {
            let message = format!(
                "secret {} is not of a form that the sender gives its secrets",
                secret + 1
            );
            faults.push(Diagnostic::error("secrets", message, forms(&settings.schemes)));
        }
    }
    keys
}

/// The key of a text; `None` where it is not of this form.
pub(super) fn material(algorithm: Algorithm, form: SecretForm, text: &str) -> Option<Material> {
    let bytes = bytes(form, text)?;
    match algorithm {
        Algorithm::HmacSha256 => Some(hmac(hmac::HMAC_SHA256, &bytes)),
        Algorithm::HmacSha512 => Some(hmac(hmac::HMAC_SHA512, &bytes)),
        Algorithm::Ed25519 => (bytes.len() == ED25519_BYTES).then_some(Material::Ed25519(bytes)),
    }
}

fn hmac(algorithm: hmac::Algorithm, bytes: &[u8]) -> Material {
    Material::Hmac(Box::new(hmac::Key::new(algorithm, bytes)))
}

fn bytes(form: SecretForm, text: &str) -> Option<Vec<u8>> {
    let decode = |text: &str| STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
    match form {
        SecretForm::Raw => Some(text.as_bytes().to_vec()).filter(|bytes| !bytes.is_empty()),
        SecretForm::Whsec => decode(text.strip_prefix("whsec_").unwrap_or(text)),
        SecretForm::Whpk => decode(text.strip_prefix("whpk_")?),
        SecretForm::Base64 => decode(text),
    }
}

fn forms(schemes: &[Scheme]) -> String {
    let mut forms = Vec::new();
    for scheme in schemes {
        let form = match (scheme.secret, scheme.algorithm) {
            (SecretForm::Whsec, _) => "whsec_ and base64",
            (SecretForm::Whpk, _) => "whpk_ and the base64 of a public key of 32 bytes",
            (_, Algorithm::Ed25519) => "a public key of 32 bytes",
            (SecretForm::Base64, _) => "base64",
            (SecretForm::Raw, _) => "any text",
        };
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    format!("give {}", forms.join(", or "))
}

/// Writes bytes in hexadecimal, in small letters.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
