//! Issuers for tests: real keys, tokens signed with them, files to keep them in.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
        RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Algorithm;

/// A key of an issuer, with its private half.
pub(in crate::auth) struct Signer {
    algorithm: Algorithm,
    id: String,
    pair: Pair,
}

enum Pair {
    Rsa(Arc<RsaKeyPair>, &'static dyn RsaEncoding),
    Ecdsa(Box<EcdsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// Generates a key; for RSA always the same one, since generating it takes long.
    pub(in crate::auth) fn new(algorithm: Algorithm, id: &str) -> Self {
        static RSA: OnceLock<Arc<RsaKeyPair>> = OnceLock::new();
        let rsa = |encoding| {
            let pair = RSA.get_or_init(|| Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
            Pair::Rsa(Arc::clone(pair), encoding)
        };
        let pair = match algorithm {
            Algorithm::RS256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::RS384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::RS512 => rsa(&RSA_PKCS1_SHA512),
            Algorithm::PS256 => rsa(&RSA_PSS_SHA256),
            Algorithm::PS384 => rsa(&RSA_PSS_SHA384),
            Algorithm::PS512 => rsa(&RSA_PSS_SHA512),
            Algorithm::ES256 => Pair::Ecdsa(Box::new(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            )),
            Algorithm::ES384 => Pair::Ecdsa(Box::new(
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            )),
            Algorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
        };
        Self {
            algorithm,
            id: id.to_owned(),
            pair,
        }
    }

    /// The public half, as it stands in a set.
    pub(in crate::auth) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair, _) => json!({
                "kty": "RSA",
                "n": encode(pair.public_key().modulus().big_endian_without_leading_zero()),
                "e": encode(pair.public_key().exponent().big_endian_without_leading_zero()),
            }),
            Pair::Ecdsa(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Pair::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())}),
        };
        jwk["kid"] = self.id.as_str().into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The header of its tokens.
    pub(in crate::auth) fn header(&self) -> Value {
        json!({"alg": self.algorithm.name(), "kid": self.id, "typ": "JWT"})
    }

    /// Signs a token with the usual header.
    pub(in crate::auth) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// Signs a token of any header and claims, also malformed ones.
    pub(in crate::auth) fn sign(&self, header: &str, claims: &str) -> String {
        self.sign_encoded(&format!("{}.{}", encode(header), encode(claims)))
    }

    /// Signs a token whose first two parts are encoded already.
    pub(in crate::auth) fn sign_encoded(&self, message: &str) -> String {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ecdsa(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encode(signature))
    }
}

/// base64url without padding.
pub(in crate::auth) fn encode(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// The key set of these signers.
pub(in crate::auth) fn key_set(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// A file that is removed when it is dropped.
pub(in crate::auth) struct TemporaryFile(pub(in crate::auth) PathBuf);

impl TemporaryFile {
    pub(in crate::auth) fn new(content: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("aws-ilm-keys-{}.json", uuid::Uuid::now_v7())));
        file.write(content);
        file
    }

    /// Replaces the file in one step, so that no reader sees half of it.
    pub(in crate::auth) fn write(&self, content: &str) {
        let beside = self.0.with_extension("new");
        fs::write(&beside, content).unwrap();
        fs::rename(beside, &self.0).unwrap();
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
