//! One entry of a key set (RFC 7517 section 4), read as far as signatures are verified with it.
//!
//! `jsonwebtoken` reads the entry and makes a key of it; added here are the checks that it leaves
//! to its users, since it would verify with weak, leaked and malformed keys.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use jsonwebtoken::{
    DecodingKey, DecodingKeyKind,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, Jwk, KeyOperations,
        OtherKeyParameters, PublicKeyUse,
    },
};
use serde::Deserialize as _;
use serde_json::Value;

use super::Algorithm;

/// RFC 7518 sections 3.3 and 3.5: keys of 2048 bits or larger must be used.
const MIN_RSA_BITS: usize = 2048;

/// The largest that AWS-LC verifies with; a larger key would make every token expensive.
const MAX_RSA_BITS: usize = 8192;

/// AWS-LC takes odd exponents of at most 33 bits. With an exponent of 1 every text would be its own
/// signature.
const RSA_EXPONENTS: std::ops::Range<u64> = 3..1 << 33;

/// The members that hold a private or a secret key (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; RFC
/// 8037 section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The members that must be text where they are present. serde would take null for an absent one,
/// and an object for the name of a variant.
const TEXTS: [&str; 5] = ["kty", "crv", "use", "alg", "kid"];

/// The length of a key of Ed25519, 32 octets, in base64url without padding.
const ED25519_TEXT: usize = 43;

/// A public key.
#[derive(Debug)]
pub(in crate::auth) struct Key {
    id: Option<String>,
    /// The algorithms that signatures may be verified with by this key: those of its type and
    /// curve, or the one of them that its issuer names.
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// Says why one entry of a set is passed over (RFC 7517 section 5 asks to ignore what is not
/// understood).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyError {
    /// Holds a private or a secret key, which is published now.
    Private,
    /// Is not for verifying signatures, by its `use` or its `key_ops`.
    NotForSignatures,
    /// Has a type, a curve or an algorithm that is not supported here.
    Unsupported,
    /// Is an RSA key of fewer or more bits, or of another exponent, than is safe.
    Weak,
    /// Lacks a member, or has one of a form that it can't have.
    Malformed,
}

impl Key {
    /// The form of the key in which `jsonwebtoken` verifies signatures with it.
    pub(in crate::auth) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// The id that tokens name it by.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether signatures of this algorithm may be verified with it.
    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Reads an entry of a set.
    pub(super) fn read(entry: &Value) -> Result<Self, KeyError> {
        if PRIVATE.iter().any(|name| entry.get(name).is_some()) {
            return Err(KeyError::Private);
        }
        let is_no_text = |name| entry.get(name).is_some_and(|value: &Value| !value.is_string());
        if TEXTS.into_iter().any(is_no_text) || entry.get("key_ops").is_some_and(Value::is_null) {
            return Err(KeyError::Malformed);
        }
        let jwk = Jwk::deserialize(entry).map_err(|_| KeyError::Malformed)?;
        if !is_for_signatures(&jwk.common) {
            return Err(KeyError::NotForSignatures);
        }
        let named = match jwk.common.key_algorithm {
            Some(name) => Some(name.to_string().parse().map_err(|_| KeyError::Unsupported)?),
            None => None,
        };
        let (algorithms, decoding) = public_key(&jwk)?;
        let algorithms = match named {
            Some(named) if algorithms.contains(&named) => vec![named],
            Some(_) => return Err(KeyError::Malformed),
            None => algorithms.to_vec(),
        };
        Ok(Self {
            id: jwk.common.key_id,
            algorithms,
            decoding,
        })
    }
}

/// Decides by `use` (RFC 7517 section 4.2) and `key_ops` (section 4.3), both optional.
fn is_for_signatures(common: &CommonParameters) -> bool {
    let use_fits = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let operations = common.key_operations.as_ref();
    use_fits && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}

/// Checks a key by its type and curve, and gives the algorithms that these serve (RFC 7518 sections
/// 3.3 to 3.5, RFC 8037 section 3.1). ES256 is P-256 and nothing else, unlike in certificates.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "not our enum, and a type or a curve that it may add is not supported"
)]
fn public_key(jwk: &Jwk) -> Result<(&'static [Algorithm], DecodingKey), KeyError> {
    let key = || DecodingKey::from_jwk(jwk).map_err(|_| KeyError::Malformed);
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Ok((&Algorithm::RSA, checked_rsa(&key()?)?)),
        AlgorithmParameters::EllipticCurve(point) => {
            let (algorithms, curve): (&[_], _) = match point.curve {
                EllipticCurve::P256 => (&[Algorithm::ES256], &ECDSA_P256_SHA256_FIXED),
                EllipticCurve::P384 => (&[Algorithm::ES384], &ECDSA_P384_SHA384_FIXED),
                _ => return Err(KeyError::Unsupported),
            };
            Ok((algorithms, checked_point(point, key()?, curve)?))
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            if pair.x.len() != ED25519_TEXT {
                return Err(KeyError::Malformed);
            }
            Ok((&[Algorithm::EdDSA], key()?))
        }
        AlgorithmParameters::Other(members) => Err(unread(members)),
        _ => Err(KeyError::Unsupported),
    }
}

/// Says what is wrong with an entry that the crate could not read: it takes a supported key that
/// lacks a member for one of an unknown type.
fn unread(members: &OtherKeyParameters) -> KeyError {
    let text = |name| members.fields.get(name).and_then(Value::as_str);
    match (text("kty"), text("crv")) {
        (None | Some("RSA"), _) | (Some("EC"), Some("P-256" | "P-384")) | (Some("OKP"), Some("Ed25519")) => {
            KeyError::Malformed
        }
        _ => KeyError::Unsupported,
    }
}

/// Checks the size of an RSA key and its exponent.
fn checked_rsa(key: &DecodingKey) -> Result<DecodingKey, KeyError> {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return Err(KeyError::Malformed);
    };
    // Some issuers put a zero in front, against RFC 7518 section 6.3.1.1; it must not count as
    // bits.
    let (n, e) = (significant(n), significant(e));
    let leading = n.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = n.len() * 8 - leading;
    let exponent = (e.len() <= 8).then(|| e.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)));
    let exponent_is_safe = exponent.is_some_and(|value| value % 2 == 1 && RSA_EXPONENTS.contains(&value));
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !exponent_is_safe {
        return Err(KeyError::Weak);
    }
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

fn significant(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}

/// Checks that a point lies on its curve, with each coordinate in its full size (RFC 7518 section
/// 6.2.1.2). The crate glues the two coordinates, so their border has to be checked before.
fn checked_point(
    point: &EllipticCurveKeyParameters,
    key: DecodingKey,
    curve: &'static EcdsaVerificationAlgorithm,
) -> Result<DecodingKey, KeyError> {
    let octets = key.try_get_as_bytes().map_err(|_| KeyError::Malformed)?;
    let lies_on_curve = point.x.len() == point.y.len() && ParsedPublicKey::new(curve, octets).is_ok();
    lies_on_curve.then_some(key).ok_or(KeyError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::testing::{Signer, encode},
        *,
    };

    /// A key with one member changed; a `null` removes it.
    fn changed(algorithm: Algorithm, name: &str, value: Value) -> Value {
        let mut jwk = Signer::new(algorithm, "1").jwk();
        if value.is_null() {
            jwk.as_object_mut().unwrap().shift_remove(name);
        } else {
            jwk[name] = value;
        }
        jwk
    }

    fn rsa(name: &str, value: Value) -> Value {
        changed(Algorithm::RS256, name, value)
    }

    fn p256(name: &str, value: Value) -> Value {
        changed(Algorithm::ES256, name, value)
    }

    fn ed25519(name: &str, value: Value) -> Value {
        changed(Algorithm::EdDSA, name, value)
    }

    #[track_caller]
    fn assert_passed_over(expected: KeyError, entries: &[Value]) {
        for entry in entries {
            assert_eq!(Key::read(entry).map(|_| ()), Err(expected), "{entry}");
        }
    }

    #[test]
    fn a_key_serves_its_algorithm_and_no_other() {
        for own in Algorithm::ALL {
            let key = Key::read(&Signer::new(own, "1").jwk()).unwrap();
            for other in Algorithm::ALL {
                assert_eq!(key.serves(other), own == other, "{own} {other}");
            }
        }
    }

    #[test]
    fn a_key_without_an_algorithm_serves_those_of_its_type_and_curve() {
        let rsa = &Algorithm::ALL[..6];
        for (own, expected) in [
            (Algorithm::RS256, rsa),
            (Algorithm::PS512, rsa),
            (Algorithm::ES256, &[Algorithm::ES256]),
            (Algorithm::ES384, &[Algorithm::ES384]),
            (Algorithm::EdDSA, &[Algorithm::EdDSA]),
        ] {
            let key = Key::read(&changed(own, "alg", Value::Null)).unwrap();
            let served: Vec<_> = Algorithm::ALL.into_iter().filter(|other| key.serves(*other)).collect();
            assert_eq!(served, expected, "{own}");
        }
    }

    #[test]
    fn keys_for_signatures_are_taken() {
        for entry in [
            rsa("use", Value::Null),
            rsa("kid", Value::Null),
            changed(Algorithm::ES384, "alg", Value::Null),
            ed25519("key_ops", json!(["verify"])),
            ed25519("key_ops", json!(["sign", "verify", "another"])),
            rsa("x5c", json!(["not looked at"])),
            rsa("e", json!("AQAB")),
            rsa("e", json!("AAEAAQ")),
            rsa("e", json!("Aw")),
        ] {
            assert!(Key::read(&entry).is_ok(), "{entry}");
        }
    }

    #[test]
    fn a_key_with_a_private_part_is_passed_over() {
        let entries = [
            rsa("d", json!("AQAB")),
            p256("d", json!(7)),
            ed25519("d", json!("")),
            rsa("p", json!("AQAB")),
            json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
            json!({"kty": "RSA", "d": null}),
        ];
        assert_passed_over(KeyError::Private, &entries);
    }

    #[test]
    fn a_key_for_another_purpose_is_passed_over() {
        let entries = [
            rsa("use", json!("enc")),
            rsa("use", json!("")),
            rsa("key_ops", json!(["encrypt"])),
            rsa("key_ops", json!([])),
        ];
        assert_passed_over(KeyError::NotForSignatures, &entries);
    }

    #[test]
    fn an_unsupported_type_curve_or_algorithm_is_passed_over() {
        let entries = [
            json!({"kty": "oct", "alg": "HS256"}),
            rsa("alg", json!("RSA-OAEP")),
            rsa("alg", json!("HS256")),
            rsa("alg", json!("none")),
            rsa("kty", json!("rsa")),
            rsa("kty", json!("AKP")),
            p256("crv", json!("P-521")),
            p256("crv", json!("secp256k1")),
            p256("crv", json!("Ed25519")),
            p256("crv", Value::Null),
            ed25519("crv", json!("Ed448")),
            ed25519("crv", json!("X25519")),
            ed25519("crv", json!("P-256")),
        ];
        assert_passed_over(KeyError::Unsupported, &entries);
    }

    #[test]
    fn an_rsa_key_of_another_size_or_exponent_is_weak() {
        let modulus = |octets: usize, first: u8| {
            let mut modulus = vec![0xAB; octets];
            modulus[0] = first;
            json!(encode(modulus))
        };
        let entries = [
            rsa("n", json!("")),
            rsa("n", modulus(128, 0xFF)),
            rsa("n", modulus(256, 0x7F)),
            rsa("n", modulus(256, 0)),
            rsa("n", modulus(1025, 1)),
            rsa("e", json!("")),
            rsa("e", json!("AQ")),
            rsa("e", json!("Ag")),
            rsa("e", json!(encode([0xFF; 8]))),
            rsa("e", json!(encode([0xFF; 300]))),
        ];
        assert_passed_over(KeyError::Weak, &entries);
    }

    #[test]
    fn an_algorithm_must_agree_with_its_key() {
        let entries = [rsa("alg", json!("ES256")), p256("alg", json!("ES384"))];
        assert_passed_over(KeyError::Malformed, &entries);
    }

    #[test]
    fn a_point_must_lie_on_its_curve_with_whole_coordinates() {
        let jwk = Signer::new(Algorithm::ES256, "1").jwk();
        let octets = |name: &str| {
            let text = jwk[name].as_str().unwrap();
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap()
        };
        // The border between the coordinates is moved by one octet: glued, they are the same point.
        let (mut x, mut y) = (octets("x"), octets("y"));
        x.push(y.remove(0));
        let mut shifted = jwk.clone();
        (shifted["x"], shifted["y"]) = (json!(encode(x)), json!(encode(y)));
        let entries = [
            p256("y", Signer::new(Algorithm::ES256, "1").jwk()["y"].clone()),
            p256("x", json!(encode([0; 32]))),
            p256("x", json!(encode([1; 31]))),
            changed(Algorithm::ES384, "x", json!(encode([1; 32]))),
            p256("crv", json!("P-384")),
            shifted,
            ed25519("x", json!(encode([1; 33]))),
        ];
        assert_passed_over(KeyError::Malformed, &entries);
    }

    #[test]
    fn a_missing_member_or_one_of_another_form_is_malformed() {
        let entries = [
            rsa("kty", Value::Null),
            rsa("n", Value::Null),
            rsa("n", json!(7)),
            rsa("n", json!("a+/=")),
            ed25519("x", Value::Null),
            rsa("kid", json!(1)),
            rsa("use", json!(["sig"])),
            rsa("key_ops", json!("verify")),
            rsa("alg", json!({"RS256": null})),
            rsa("kty", json!({"RSA": null})),
            p256("crv", json!({"P-256": null})),
        ];
        assert_passed_over(KeyError::Malformed, &entries);
    }

    #[test]
    fn null_does_not_stand_for_an_absent_member() {
        for name in ["use", "key_ops", "alg", "kid"] {
            let mut jwk = Signer::new(Algorithm::RS256, "1").jwk();
            jwk[name] = Value::Null;
            assert_passed_over(KeyError::Malformed, &[jwk]);
        }
    }
}
