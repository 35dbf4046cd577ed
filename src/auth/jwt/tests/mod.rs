//! Tokens, good ones and forged ones, of issuers with real keys.

mod claims;
mod form;
mod issuers;
mod signatures;

use serde_json::json;

use super::{
    super::jwks::{Script, Server, Signer, TemporaryFile, encode, key_set},
    *,
};

const ISSUER: &str = "https://issuer.example/realm";
const AUDIENCE: &str = "https://ilm.example";
const SKEW: u64 = 60;

/// An issuer whose keys are in a file.
fn issuer(file: &TemporaryFile, algorithms: &[Algorithm]) -> Issuer {
    Issuer {
        issuer: ISSUER.to_owned(),
        audiences: vec!["ilm".to_owned(), AUDIENCE.to_owned()],
        keys: KeySource::File(file.0.clone()),
        algorithms: algorithms.to_vec(),
        clock_skew: Duration::from_secs(SKEW),
    }
}

fn verifier(file: &TemporaryFile, algorithms: &[Algorithm]) -> Verifier {
    Verifier::new(vec![issuer(file, algorithms)]).unwrap()
}

fn now() -> u64 {
    get_current_timestamp()
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "clerk", "aud": AUDIENCE, "exp": now() + 300, "iat": now(), "scope": "read write"})
}

/// The claims with one changed; without it, if it has no value.
fn with(name: &str, value: impl Into<Option<Value>>) -> Value {
    let mut claims = claims();
    match value.into() {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().shift_remove(name)),
    }
    claims
}

/// The signer's header with one member changed.
fn header(signer: &Signer, name: &str, value: Value) -> String {
    let mut header = signer.header();
    header[name] = value;
    header.to_string()
}

async fn error_of(verifier: &Verifier, token: &str) -> Option<TokenError> {
    verifier.verify(token).await.err()
}

fn invalid(defect: TokenDefect) -> Option<TokenError> {
    Some(TokenError::Invalid(defect))
}
