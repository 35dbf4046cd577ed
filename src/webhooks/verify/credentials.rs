//! Proofs that are secrets themselves: in `Authorization`, in another header, in the path.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    super::{Delivery, HeaderError},
    Place, Proof, VerificationError, Verifier,
};

/// The longest value of a header that is read, in bytes. Tokens come close to it.
const LONGEST_HEADER: usize = 16 * 1024;

/// Secrets that are compared with what is presented, by their digests: neither their number of
/// right bytes nor their lengths show in the time.
pub(super) struct SharedSecrets(Vec<[u8; 32]>);

impl SharedSecrets {
    pub(super) fn new(secrets: &[SecretString]) -> Self {
        Self(
            secrets
                .iter()
                .map(|secret| sha256(secret.expose_secret().as_bytes()))
                .collect(),
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the secret that was presented. Compares with all of them.
    pub(super) fn find(&self, presented: &[u8]) -> Option<usize> {
        let presented = sha256(presented);
        let mut found = None;
        for (place, secret) in self.0.iter().enumerate() {
            if constant_time::verify_slices_are_equal(secret, &presented).is_ok() {
                found = found.or(Some(place));
            }
        }
        found
    }
}

impl Verifier {
    /// Holds what a delivery presents against the source's secrets.
    pub(super) fn presented(&self, delivery: &Delivery) -> Result<Option<usize>, VerificationError> {
        let found = match &self.settings.proof {
            Proof::Basic => {
                let text = authorization(delivery, "basic")?;
                let bytes = STANDARD.decode(text).map_err(|_| VerificationError::Credentials)?;
                self.shared.find(&bytes)
            }
            Proof::Bearer => self.shared.find(authorization(delivery, "bearer")?.as_bytes()),
            Proof::Header(name) => self.shared.find(header(delivery, name)?.as_bytes()),
            Proof::Path => {
                let secret = delivery.path_secret.as_ref().ok_or(VerificationError::PathSecret)?;
                let found = self.shared.find(secret.expose_secret().as_bytes());
                return found.ok_or(VerificationError::PathSecret).map(Some);
            }
            Proof::None | Proof::Signature(_) | Proof::Jwt(_) | Proof::SecurityEvent(_) => return Ok(None),
        };
        found.ok_or(VerificationError::Credentials).map(Some)
    }

    /// Holds the secret of the path against those that the source has besides its proof.
    pub(super) fn path_secret(&self, delivery: &Delivery) -> Result<(), VerificationError> {
        if self.settings.proof == Proof::Path {
            return Ok(());
        }
        match (&delivery.path_secret, self.path.is_empty()) {
            (None, true) => Ok(()),
            (Some(secret), false) if self.path.find(secret.expose_secret().as_bytes()).is_some() => Ok(()),
            (Some(_), _) | (None, false) => Err(VerificationError::PathSecret),
        }
    }
}

/// What stands in `Authorization` behind this scheme, which is in small letters (RFC 9110 section
/// 11.1: letter case makes no difference in its name).
pub(super) fn authorization<'a>(delivery: &'a Delivery, scheme: &str) -> Result<&'a str, VerificationError> {
    let value = header(delivery, "authorization")?;
    match value.split_once(' ') {
        Some((name, rest)) if name.eq_ignore_ascii_case(scheme) && !rest.is_empty() => Ok(rest),
        _ => Err(VerificationError::Malformed(
            Place::Header("authorization".to_owned()).name(),
        )),
    }
}

/// The one value of a header that has to be there.
pub(super) fn header<'a>(delivery: &'a Delivery, name: &str) -> Result<&'a str, VerificationError> {
    let place = || Place::Header(name.to_owned()).name();
    let value = delivery.headers.one(name).map_err(|error| match error {
        HeaderError::Doubled => VerificationError::Doubled(place()),
        HeaderError::NotText => VerificationError::Malformed(place()),
    })?;
    match value {
        None => Err(VerificationError::Missing(place())),
        Some(value) if value.len() > LONGEST_HEADER => Err(VerificationError::TooLong(place())),
        Some(value) => Ok(value),
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    array
}
