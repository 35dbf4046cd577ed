//! API keys: generated here, shown once, and stored as their digests alone.
//!
//! A key is 256 random bits, so it can't be guessed and a fast digest protects it (slow ones are
//! for passwords that people choose). For the same reason nothing but a key of this form is ever
//! compared: a password can't be configured in its place.

use std::fmt::{self, Write as _};

use aws_lc_rs::{constant_time, digest, rand};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// The beginning of every key, by which secret scanners find one that leaked.
const PREFIX: &str = "ilm_";

/// Random bytes in a key.
const BYTES: usize = 32;

/// A key that was just generated. There is no other copy of it.
#[derive(Debug)]
pub struct NewKey {
    /// The key itself, `ilm_` and 64 hexadecimal digits.
    key: SecretString,
    /// The digest for the configuration.
    pub digest: Digest,
}

impl NewKey {
    /// Generates a key.
    ///
    /// # Errors
    /// When the system's source of randomness fails.
    pub fn generate() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; BYTES];
        rand::fill(&mut bytes)?;
        let key = format!("{PREFIX}{}", hexadecimal(&bytes));
        Ok(Self {
            digest: Digest::of(&key),
            key: SecretString::from(key),
        })
    }

    /// The key as text, for the one time that it is shown.
    pub fn shown_once(&self) -> &str {
        self.key.expose_secret()
    }
}

/// The SHA-256 digest of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a key.
    pub fn of(key: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, key.as_bytes()).as_ref());
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The first eight digits, by which the log tells one of a caller's keys from another. Too
    /// short to find the key by.
    pub fn hint(&self) -> String {
        hexadecimal(&self.0[..4])
    }

    /// Compares in constant time.
    fn is(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Digest")
    }
}

/// A key that is configured for a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The digest of the key.
    pub digest: Digest,
    /// The time from which on it is refused.
    pub expires: Option<Timestamp>,
}

impl ApiKey {
    /// Whether a presented text has the form of a key; no other text is compared.
    pub fn has_form(text: &str) -> bool {
        text.strip_prefix(PREFIX)
            .is_some_and(|digits| digits.len() == 2 * BYTES && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    /// Whether this is the key's digest. Compares in constant time.
    pub fn is(&self, digest: &Digest) -> bool {
        self.digest.is(digest)
    }

    /// Whether it is refused at this time.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Formats bytes as hexadecimal digits, lower case.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_matches_its_digest() {
        let new = NewKey::generate().unwrap();
        let key = new.shown_once();
        assert!(ApiKey::has_form(key), "{key}");
        assert!(Digest::of(key).is(&new.digest));
        assert_eq!(Digest::parse(&new.digest.to_string()), Some(new.digest));
        assert_ne!(NewKey::generate().unwrap().shown_once(), key);
        assert!(!format!("{new:?}").contains(&key[4..]));
    }

    #[test]
    fn the_digest_is_sha_256() {
        // FIPS 180-4's own example.
        assert_eq!(
            Digest::of("abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_text_of_another_form_is_no_key() {
        let digits = "0123456789abcdef".repeat(4);
        assert!(ApiKey::has_form(&format!("ilm_{digits}")));
        for text in [
            String::new(),
            digits.clone(),
            format!("ilm_{digits}0"),
            format!("ilm_{}", &digits[1..]),
            format!("ILM_{digits}"),
            format!(" ilm_{digits}"),
            format!("ilm_{}é", &digits[2..]),
            format!("ilm_{}g", &digits[1..]),
        ] {
            assert!(!ApiKey::has_form(&text), "{text}");
        }
    }

    #[test]
    fn a_digest_is_64_hexadecimal_digits() {
        let digits = "0123456789ABCDEF".repeat(4);
        assert!(Digest::parse(&digits).is_some());
        for text in [
            "",
            &digits[1..],
            &format!("{digits}0"),
            &format!("+{}", &digits[1..]),
            &"é".repeat(32),
        ] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_expires_at_its_time() {
        let expires: Timestamp = "2027-01-31T00:00:00Z".parse().unwrap();
        let key = |expires| ApiKey {
            digest: Digest::of("x"),
            expires,
        };
        assert!(key(Some(expires)).has_expired(expires));
        assert!(!key(Some(expires)).has_expired("2027-01-30T23:59:59Z".parse().unwrap()));
        assert!(!key(None).has_expired(Timestamp::MAX));
    }
}
