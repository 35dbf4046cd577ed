//! The signatures of a delivery, and whether one of them fits.

use aws_lc_rs::{
    constant_time, hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::{
    Encoding, Scheme, Separator, SignatureSettings, VerificationError,
    secret::{Key, Material},
};

/// The most signatures that are tried: each against each key.
const MOST_SIGNATURES: usize = 8;

/// The longest text with signatures, in bytes.
const LONGEST: usize = 2048;

/// The longest a signature is, in bytes: HMAC with SHA-512, and Ed25519.
const LONGEST_SIGNATURE: usize = 64;

/// Base64 for URLs, with its padding or without.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One signature of a delivery.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The place of its scheme among those of the settings.
    pub(super) scheme: usize,
    /// What follows the prefix.
    pub(super) text: String,
    /// Empty where the text is not written as the scheme says.
    pub(super) bytes: Vec<u8>,
}

impl SignatureSettings {
    /// Takes apart what stands where the signature does. Those of kinds that the source has not are
    /// left out: senders sign in a new way beside the old one.
    pub(super) fn candidates(&self, text: &str) -> Result<Vec<Candidate>, VerificationError> {
        if text.len() > LONGEST {
            return Err(VerificationError::TooLong(self.at.name()));
        }
        let items: Vec<&str> = match self.separator {
            None => vec![text],
            Some(Separator::Comma) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            Some(Separator::Space) => text.split(' ').filter(|item| !item.is_empty()).collect(),
        };
        if items.len() > MOST_SIGNATURES {
            return Err(VerificationError::TooManySignatures);
        }
        let candidates: Vec<_> = items.into_iter().filter_map(|item| self.candidate(item)).collect();
        if candidates.is_empty() {
            return Err(VerificationError::NoSignature);
        }
        Ok(candidates)
    }

    fn candidate(&self, item: &str) -> Option<Candidate> {
        let begins = |(_, scheme): &(usize, &Scheme)| item.starts_with(&scheme.prefix);
        let known = self.schemes.iter().enumerate().filter(begins);
        let (place, scheme) = known.max_by_key(|(_, scheme)| scheme.prefix.len())?;
        let text = item[scheme.prefix.len()..].to_owned();
        let bytes = scheme.encoding.decode(&text).unwrap_or_default();
        (!text.is_empty()).then_some(Candidate {
            scheme: place,
            text,
            bytes,
        })
    }
}

impl Encoding {
    /// The bytes of a signature; `None` where the text is not written like this, or is longer than
    /// any.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::Hex => hex(text)?,
            Self::Base64 => STANDARD.decode(text).ok()?,
            Self::Base64Url => BASE64_URL.decode(text).ok()?,
        };
        (bytes.len() <= LONGEST_SIGNATURE).then_some(bytes)
    }

    /// Writes bytes like this.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => super::secret::hexadecimal(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => base64::engine::general_purpose::URL_SAFE.encode(bytes),
        }
    }
}

/// Tries every signature against every key, in constant time. The place of the secret that fits.
pub(super) fn find(keys: &[Key], candidates: &[Candidate], signed: &[u8]) -> Option<usize> {
    let mut found = None;
    for key in keys {
        let mut of_scheme = candidates.iter().filter(|candidate| candidate.scheme == key.scheme);
        let fits = match &key.material {
            Material::Hmac(secret) => {
                let tag = hmac::sign(secret, signed);
                let equals = |candidate: &Candidate| {
                    constant_time::verify_slices_are_equal(tag.as_ref(), &candidate.bytes).is_ok()
                };
                // All are compared, whichever fits.
                of_scheme.filter(|candidate| equals(candidate)).count() > 0
            }
            Material::Ed25519(public) => {
                let public = UnparsedPublicKey::new(&ED25519, public);
                of_scheme.any(|candidate| public.verify(signed, &candidate.bytes).is_ok())
            }
        };
        if fits {
            found = found.or(Some(key.secret));
        }
    }
    found
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read_as_they_are_written_or_not_at_all() {
        let one = Some(vec![0xFB, 0xFF]);
        for (encoding, text, expected) in [
            (Encoding::Hex, "fbff", one.clone()),
            (Encoding::Hex, "FBFF", one.clone()),
            (Encoding::Hex, "fbf", None),
            (Encoding::Hex, "0xfb", None),
            (Encoding::Hex, "+bff", None),
            (Encoding::Base64, "+/8=", one.clone()),
            (Encoding::Base64, "+/8", None),
            (Encoding::Base64, "-_8=", None),
            (Encoding::Base64, "+/9=", None),
            (Encoding::Base64Url, "-_8=", one.clone()),
            (Encoding::Base64Url, "-_8", one),
            (Encoding::Base64Url, "+/8", None),
            (Encoding::Base64Url, " -_8", None),
        ] {
            assert_eq!(encoding.decode(text), expected, "{encoding:?} {text}");
        }
        assert_eq!(Encoding::Hex.decode(&"00".repeat(65)), None);
    }
}
