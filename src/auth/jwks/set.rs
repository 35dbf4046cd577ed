//! A JSON Web Key Set, as far as signatures are verified with it.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use serde_json::{Map, Value};

use super::{Algorithm, Object};

/// The most keys of one set. Issuers have a handful; each costs memory, and a look at every token.
const MOST_KEYS: usize = 100;

/// RFC 7518 sections 3.3 and 3.5: keys of 2048 bits or larger must be used.
const LEAST_RSA_BITS: usize = 2048;

/// What AWS-LC verifies with at the most; a larger key would make every token dear.
const MOST_RSA_BITS: usize = 8192;

/// The exponents that AWS-LC takes are odd and have 33 bits at the most. With 1 every text would be
/// its own signature.
const RSA_EXPONENTS: std::ops::Range<u64> = 3..1 << 33;

/// The members that hold a private or a secret key (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; RFC
/// 8037 section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// How long the text of 32 octets is in base64url without padding: a coordinate on P-256, a key of
/// Ed25519.
const TEXT_OF_32_OCTETS: usize = 43;

/// The same of 48 octets: a coordinate on P-384.
const TEXT_OF_48_OCTETS: usize = 64;

/// The keys of an issuer that tokens can be verified with.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) keys: Vec<Arc<Key>>,
    /// What else stood in the set, in the order of the set.
    pub(super) passed_over: Vec<KeyError>,
}

/// A public key.
#[derive(Debug)]
pub(in crate::auth) struct Key {
    id: Option<String>,
    kind: Kind,
    /// The one algorithm that its issuer means it for, if the issuer says.
    algorithm: Option<Algorithm>,
    decoding: DecodingKey,
}

/// What a key is, by its type and curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// Why a set can't be read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("the answer is not a JSON object with names that stand once each")]
    NotJson,
    #[error("the answer is no set of keys: it has no list \"keys\"")]
    NoKeys,
    #[error("the set has more than {MOST_KEYS} keys")]
    TooMany,
}

/// Why one entry of a set is passed over (RFC 7517 section 5 asks to ignore what is not
/// understood).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// It holds a private or a secret key, which everybody knows now.
    Private,
    /// By its `use` or its `key_ops` it is not for verifying signatures.
    NotForSignatures,
    /// A type, a curve or an algorithm that is not spoken here.
    NotSpoken,
    /// RSA with fewer or more bits, or another exponent, than is safe.
    Weak,
    /// A member is missing or has a form that it can't have.
    Malformed,
}

/// Why a set has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum KeyMatchError {
    /// None of this id for this algorithm.
    Unknown,
    /// Several that it could be.
    Ambiguous,
}

impl Set {
    /// Reads a set. Entries that can't be used are passed over, since an issuer may have keys for
    /// others than us.
    pub(super) fn read(body: &[u8]) -> Result<Self, KeySetError> {
        let Object(set) = serde_json::from_slice(body).map_err(|_| KeySetError::NotJson)?;
        let Some(Value::Array(entries)) = set.get("keys") else {
            return Err(KeySetError::NoKeys);
        };
        if entries.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut keys = Vec::new();
        let mut passed_over = Vec::new();
        for entry in entries {
            match entry.as_object().ok_or(KeyError::Malformed).and_then(Key::read) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(unusable) => passed_over.push(unusable),
            }
        }
        Ok(Self { keys, passed_over })
    }

    /// The one key that a token of this algorithm and this key id can be verified with.
    ///
    /// No key is tried in turn: with an id it is the one key of that id (RFC 7515 section 4.1.4),
    /// without it is the only key there is.
    pub(super) fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Result<Arc<Key>, KeyMatchError> {
        let serves = |key: &&Arc<Key>| key.serves(algorithm) && (id.is_none() || key.id.as_deref() == id);
        let mut found = self.keys.iter().filter(serves);
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(Arc::clone(key)),
            (Some(_), Some(_)) => Err(KeyMatchError::Ambiguous),
            (None, _) => Err(KeyMatchError::Unknown),
        }
    }
}

impl Key {
    /// What the signature is verified with.
    pub(in crate::auth) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    fn serves(&self, algorithm: Algorithm) -> bool {
        self.kind.serves(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }

    fn read(entry: &Map<String, Value>) -> Result<Self, KeyError> {
        if PRIVATE.iter().any(|name| entry.contains_key(*name)) {
            return Err(KeyError::Private);
        }
        if text(entry, "use")?.is_some_and(|meant| meant != "sig") || !may_verify(entry)? {
            return Err(KeyError::NotForSignatures);
        }
        let algorithm = match text(entry, "alg")? {
            Some(name) => Some(name.parse().map_err(|_| KeyError::NotSpoken)?),
            None => None,
        };
        let needed = |name| text(entry, name)?.ok_or(KeyError::Malformed);
        let (kind, decoding) = match (needed("kty")?, text(entry, "crv")?) {
            ("RSA", _) => (Kind::Rsa, rsa(needed("n")?, needed("e")?)?),
            ("EC", Some("P-256")) => (
                Kind::P256,
                point(needed("x")?, needed("y")?, TEXT_OF_32_OCTETS, &ECDSA_P256_SHA256_FIXED)?,
            ),
            ("EC", Some("P-384")) => (
                Kind::P384,
                point(needed("x")?, needed("y")?, TEXT_OF_48_OCTETS, &ECDSA_P384_SHA384_FIXED)?,
            ),
            ("OKP", Some("Ed25519")) => (Kind::Ed25519, ed25519(needed("x")?)?),
            _ => return Err(KeyError::NotSpoken),
        };
        if algorithm.is_some_and(|algorithm| !kind.serves(algorithm)) {
            return Err(KeyError::Malformed);
        }
        Ok(Self {
            id: text(entry, "kid")?.map(str::to_owned),
            kind,
            algorithm,
            decoding,
        })
    }
}

impl Kind {
    /// RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1. ES256 is P-256 and nothing else, unlike
    /// in certificates.
    fn serves(self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => self == Self::Rsa,
            Algorithm::ES256 => self == Self::P256,
            Algorithm::ES384 => self == Self::P384,
            Algorithm::EdDSA => self == Self::Ed25519,
        }
    }
}

fn text<'a>(entry: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, KeyError> {
    let value = entry.get(name);
    value.map(|value| value.as_str().ok_or(KeyError::Malformed)).transpose()
}

/// RFC 7517 section 4.3: a key with `key_ops` may be used for these alone.
fn may_verify(entry: &Map<String, Value>) -> Result<bool, KeyError> {
    let Some(operations) = entry.get("key_ops") else {
        return Ok(true);
    };
    let operations = operations.as_array().ok_or(KeyError::Malformed)?;
    Ok(operations.iter().any(|operation| operation == "verify"))
}

fn rsa(modulus: &str, exponent: &str) -> Result<DecodingKey, KeyError> {
    let given = DecodingKey::from_rsa_components(modulus, exponent).map_err(|_| KeyError::Malformed)?;
    let DecodingKeyKind::RsaModulusExponent { n, e } = given.kind() else {
        return Err(KeyError::Malformed);
    };
    // Some issuers put a zero in front, against RFC 7518 section 6.3.1.1; it must not count as
    // bits.
    let (n, e) = (significant(n), significant(e));
    let leading = n.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = n.len() * 8 - leading;
    let exponent = (e.len() <= 8).then(|| e.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)));
    let exponent_is_safe = exponent.is_some_and(|value| value % 2 == 1 && RSA_EXPONENTS.contains(&value));
    if !(LEAST_RSA_BITS..=MOST_RSA_BITS).contains(&bits) || !exponent_is_safe {
        return Err(KeyError::Weak);
    }
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

fn significant(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

/// A point of an elliptic curve, each coordinate in its full size (RFC 7518 section 6.2.1.2) and
/// really on the curve.
fn point(
    x: &str,
    y: &str,
    length: usize,
    algorithm: &'static EcdsaVerificationAlgorithm,
) -> Result<DecodingKey, KeyError> {
    if x.len() != length || y.len() != length {
        return Err(KeyError::Malformed);
    }
    let key = DecodingKey::from_ec_components(x, y).map_err(|_| KeyError::Malformed)?;
    let octets = key.try_get_as_bytes().map_err(|_| KeyError::Malformed)?;
    ParsedPublicKey::new(algorithm, octets).map_err(|_| KeyError::Malformed)?;
    Ok(key)
}

fn ed25519(x: &str) -> Result<DecodingKey, KeyError> {
    if x.len() != TEXT_OF_32_OCTETS {
        return Err(KeyError::Malformed);
    }
    DecodingKey::from_ed_components(x).map_err(|_| KeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::testing::{Signer, encode},
        *,
    };

    fn read(entry: &Value) -> Result<Key, KeyError> {
        Key::read(entry.as_object().unwrap())
    }

    /// A key with one member changed; a `null` takes it away.
    fn changed(algorithm: Algorithm, name: &str, value: Value) -> Value {
        let mut jwk = Signer::new(algorithm, "1").jwk();
        if value.is_null() {
            jwk.as_object_mut().unwrap().shift_remove(name);
        } else {
            jwk[name] = value;
        }
        jwk
    }

    #[test]
    fn a_key_serves_its_algorithm_and_no_other() {
        for own in Algorithm::ALL {
            let key = read(&Signer::new(own, "1").jwk()).unwrap();
            for other in Algorithm::ALL {
                assert_eq!(key.serves(other), own == other, "{own} {other}");
            }
        }
    }

    #[test]
    fn a_key_without_an_algorithm_serves_those_of_its_kind() {
        let rsa = &Algorithm::ALL[..6];
        for (own, expected) in [
            (Algorithm::RS256, rsa),
            (Algorithm::PS512, rsa),
            (Algorithm::ES256, &[Algorithm::ES256]),
            (Algorithm::ES384, &[Algorithm::ES384]),
            (Algorithm::EdDSA, &[Algorithm::EdDSA]),
        ] {
            let key = read(&changed(own, "alg", Value::Null)).unwrap();
            let served: Vec<_> = Algorithm::ALL.into_iter().filter(|other| key.serves(*other)).collect();
            assert_eq!(served, expected, "{own}");
        }
    }

    #[test]
    fn keys_for_signatures_are_taken() {
        for jwk in [
            changed(Algorithm::RS256, "use", Value::Null),
            changed(Algorithm::RS256, "kid", Value::Null),
            changed(Algorithm::ES384, "alg", Value::Null),
            changed(Algorithm::EdDSA, "key_ops", json!(["verify"])),
            changed(Algorithm::EdDSA, "key_ops", json!(["sign", "verify", "another"])),
            changed(Algorithm::RS256, "x5c", json!(["not looked at"])),
            changed(Algorithm::RS256, "e", json!("AQAB")),
            changed(Algorithm::RS256, "e", json!("AAEAAQ")),
            changed(Algorithm::RS256, "e", json!("Aw")),
        ] {
            assert!(read(&jwk).is_ok(), "{jwk}");
        }
    }

    #[test]
    fn other_entries_are_passed_over() {
        let modulus = |octets: usize, first: u8| {
            let mut modulus = vec![0xAB; octets];
            modulus[0] = first;
            json!(encode(modulus))
        };
        let y = Signer::new(Algorithm::ES256, "1").jwk()["y"].clone();
        for (jwk, expected) in [
            (changed(Algorithm::RS256, "d", json!("AQAB")), KeyError::Private),
            (changed(Algorithm::ES256, "d", json!(7)), KeyError::Private),
            (changed(Algorithm::EdDSA, "d", json!("")), KeyError::Private),
            (changed(Algorithm::RS256, "p", json!("AQAB")), KeyError::Private),
            (
                json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
                KeyError::Private,
            ),
            (json!({"kty": "oct", "alg": "HS256"}), KeyError::NotSpoken),
            (
                changed(Algorithm::RS256, "use", json!("enc")),
                KeyError::NotForSignatures,
            ),
            (changed(Algorithm::RS256, "use", json!("")), KeyError::NotForSignatures),
            (
                changed(Algorithm::RS256, "key_ops", json!(["encrypt"])),
                KeyError::NotForSignatures,
            ),
            (
                changed(Algorithm::RS256, "key_ops", json!([])),
                KeyError::NotForSignatures,
            ),
            (
                changed(Algorithm::RS256, "key_ops", json!("verify")),
                KeyError::Malformed,
            ),
            (changed(Algorithm::RS256, "alg", json!("RSA-OAEP")), KeyError::NotSpoken),
            (changed(Algorithm::RS256, "alg", json!("HS256")), KeyError::NotSpoken),
            (changed(Algorithm::RS256, "alg", json!("none")), KeyError::NotSpoken),
            (changed(Algorithm::RS256, "alg", json!("ES256")), KeyError::Malformed),
            (changed(Algorithm::ES256, "alg", json!("ES384")), KeyError::Malformed),
            (changed(Algorithm::RS256, "kty", Value::Null), KeyError::Malformed),
            (changed(Algorithm::RS256, "kty", json!("rsa")), KeyError::NotSpoken),
            (changed(Algorithm::RS256, "kty", json!("AKP")), KeyError::NotSpoken),
            (changed(Algorithm::ES256, "crv", json!("P-521")), KeyError::NotSpoken),
            (
                changed(Algorithm::ES256, "crv", json!("secp256k1")),
                KeyError::NotSpoken,
            ),
            (changed(Algorithm::ES256, "crv", Value::Null), KeyError::NotSpoken),
            (changed(Algorithm::EdDSA, "crv", json!("Ed448")), KeyError::NotSpoken),
            (changed(Algorithm::EdDSA, "crv", json!("X25519")), KeyError::NotSpoken),
            (changed(Algorithm::RS256, "n", Value::Null), KeyError::Malformed),
            (changed(Algorithm::RS256, "n", json!(7)), KeyError::Malformed),
            (changed(Algorithm::RS256, "n", json!("a+/=")), KeyError::Malformed),
            (changed(Algorithm::RS256, "n", json!("")), KeyError::Weak),
            (changed(Algorithm::RS256, "n", modulus(128, 0xFF)), KeyError::Weak),
            (changed(Algorithm::RS256, "n", modulus(256, 0x7F)), KeyError::Weak),
            (changed(Algorithm::RS256, "n", modulus(256, 0)), KeyError::Weak),
            (changed(Algorithm::RS256, "n", modulus(1025, 1)), KeyError::Weak),
            (changed(Algorithm::RS256, "e", json!("")), KeyError::Weak),
            (changed(Algorithm::RS256, "e", json!("AQ")), KeyError::Weak),
            (changed(Algorithm::RS256, "e", json!("Ag")), KeyError::Weak),
            (changed(Algorithm::RS256, "e", json!(encode([0xFF; 8]))), KeyError::Weak),
            (
                changed(Algorithm::RS256, "e", json!(encode([0xFF; 300]))),
                KeyError::Weak,
            ),
            (changed(Algorithm::ES256, "y", y), KeyError::Malformed),
            (
                changed(Algorithm::ES256, "x", json!(encode([0; 32]))),
                KeyError::Malformed,
            ),
            (
                changed(Algorithm::ES256, "x", json!(encode([1; 31]))),
                KeyError::Malformed,
            ),
            (
                changed(Algorithm::ES384, "x", json!(encode([1; 32]))),
                KeyError::Malformed,
            ),
            (
                changed(Algorithm::EdDSA, "x", json!(encode([1; 33]))),
                KeyError::Malformed,
            ),
            (changed(Algorithm::EdDSA, "x", Value::Null), KeyError::Malformed),
            (changed(Algorithm::RS256, "kid", json!(1)), KeyError::Malformed),
            (changed(Algorithm::RS256, "use", json!(["sig"])), KeyError::Malformed),
        ] {
            assert_eq!(read(&jwk).map(|key| key.kind), Err(expected), "{jwk}");
        }
    }

    #[test]
    fn a_set_is_read_around_what_it_holds_for_others() {
        let entries = json!({"other": 1, "keys": [
            Signer::new(Algorithm::RS256, "a").jwk(),
            changed(Algorithm::RS256, "use", json!("enc")),
            7,
            null,
            Signer::new(Algorithm::ES256, "b").jwk(),
        ]});
        let set = Set::read(entries.to_string().as_bytes()).unwrap();
        assert_eq!(set.keys.len(), 2);
        let passed_over = [KeyError::NotForSignatures, KeyError::Malformed, KeyError::Malformed];
        assert_eq!(set.passed_over, passed_over);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let entry = Signer::new(Algorithm::ES256, "a").jwk();
        let many = json!({"keys": vec![entry.clone(); 101]}).to_string();
        let most = json!({"keys": vec![entry.clone(); 100]}).to_string();
        assert_eq!(Set::read(most.as_bytes()).unwrap().keys.len(), 100);
        for (text, fault) in [
            ("", KeySetError::NotJson),
            ("<html></html>", KeySetError::NotJson),
            ("[]", KeySetError::NotJson),
            (r#"{"keys":[],"keys":[]}"#, KeySetError::NotJson),
            (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, KeySetError::NotJson),
            ("\u{FEFF}{\"keys\":[]}", KeySetError::NotJson),
            ("{}", KeySetError::NoKeys),
            (r#"{"keys":{}}"#, KeySetError::NoKeys),
            (&entry.to_string(), KeySetError::NoKeys),
            (&many, KeySetError::TooMany),
        ] {
            assert_eq!(Set::read(text.as_bytes()).map(|_| ()), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_token_gets_the_one_key_that_it_names_or_the_only_one() {
        let [a, b] = ["a", "b"].map(|id| Signer::new(Algorithm::ES256, id).jwk());
        let ed = Signer::new(Algorithm::EdDSA, "a").jwk();
        let nameless = changed(Algorithm::ES384, "kid", Value::Null);
        let set = json!({"keys": [a, b, ed, nameless]}).to_string();
        let set = Set::read(set.as_bytes()).unwrap();
        for (algorithm, id, expected) in [
            (Algorithm::ES256, Some("a"), Ok(0)),
            (Algorithm::ES256, Some("b"), Ok(1)),
            (Algorithm::EdDSA, Some("a"), Ok(2)),
            (Algorithm::EdDSA, None, Ok(2)),
            (Algorithm::ES384, None, Ok(3)),
            (Algorithm::ES384, Some("a"), Err(KeyMatchError::Unknown)),
            (Algorithm::ES384, Some(""), Err(KeyMatchError::Unknown)),
            (Algorithm::ES256, Some("A"), Err(KeyMatchError::Unknown)),
            (Algorithm::ES256, None, Err(KeyMatchError::Ambiguous)),
            (Algorithm::EdDSA, Some("b"), Err(KeyMatchError::Unknown)),
            (Algorithm::RS256, None, Err(KeyMatchError::Unknown)),
            (Algorithm::RS256, Some("a"), Err(KeyMatchError::Unknown)),
        ] {
            let found = set.find(algorithm, id);
            let place = found.map(|found| set.keys.iter().position(|key| Arc::ptr_eq(key, &found)).unwrap());
            assert_eq!(place, expected, "{algorithm} {id:?}");
        }
        let doubled = json!({"keys": [a, b.as_object().map(|b| { let mut b = b.clone(); b["kid"] = "a".into(); b })]});
        let doubled = Set::read(doubled.to_string().as_bytes()).unwrap();
        assert_eq!(
            doubled.find(Algorithm::ES256, Some("a")).map(|_| ()),
            Err(KeyMatchError::Ambiguous)
        );
    }
}
