//! Deliveries that were signed without a line of ours (`tests/suites/webhook_vectors.py` writes
//! them, by Python's hmac and by openssl), held against the verifiers of all presets; and the
//! library of Standard Webhooks against ours.

mod hostile;

use std::{fs, path::PathBuf};

use aws_ilm::webhooks::{
    Delivery, Headers, presets,
    verify::{Identity, Proof, Secrets, VerificationError, Verified, Verifier, VerifierSettings},
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

const VECTORS: &str = include_str!("../webhooks/vectors.json");

#[derive(Deserialize)]
struct File {
    received: Timestamp,
    vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    preset: String,
    case: String,
    secrets: Vec<String>,
    headers: Vec<(String, String)>,
    body: String,
    accepted: bool,
    /// The place of the secret that fits, from 1.
    secret: Option<usize>,
    jwks: Option<String>,
}

/// A key set in a file, which is removed when it is dropped.
struct KeyFile(PathBuf);

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn vectors() -> (Timestamp, Vec<Vector>) {
    let file: File = serde_json::from_str(VECTORS).unwrap();
    (file.received, file.vectors)
}

/// Those that are accepted, one of each sender.
fn plain() -> (Timestamp, Vec<Vector>) {
    let (received, mut vectors) = vectors();
    vectors.retain(|vector| vector.case.contains("as it is sent"));
    (received, vectors)
}

/// The first vector of a sender.
fn of(preset: &str) -> (Timestamp, Vector) {
    let (received, vectors) = vectors();
    let found = vectors.into_iter().find(|vector| vector.preset == preset);
    (received, found.unwrap())
}

impl Vector {
    fn name(&self) -> String {
        format!("{}: {}", self.preset, self.case)
    }

    fn is_signed(&self) -> bool {
        let proof = &presets::find(&self.preset).unwrap().verifier.proof;
        matches!(proof, Proof::Signature(_) | Proof::SecurityEvent(_))
    }

    fn settings(&self, keys: Option<&KeyFile>) -> VerifierSettings {
        let mut settings = presets::find(&self.preset).unwrap().verifier.clone();
        if let (Proof::SecurityEvent(issuer), Some(keys)) = (&mut settings.proof, keys) {
            issuer.issuer = "https://idp.example.com".to_owned();
            issuer.audiences = vec!["https://ilm.example.com".to_owned()];
            issuer.jwks_file = Some(keys.0.clone());
        }
        settings
    }

    fn verifier_with(&self, secrets: &[String]) -> (Verifier, Option<KeyFile>) {
        let keys = self.jwks.as_ref().map(|jwks| {
            let name = format!("aws-ilm-vectors-{}.json", uuid::Uuid::new_v4());
            let path = std::env::temp_dir().join(name);
            fs::write(&path, jwks).unwrap();
            KeyFile(path)
        });
        let secrets = Secrets {
            own: secrets
                .iter()
                .map(|secret| SecretString::from(secret.as_str()))
                .collect(),
            path: Vec::new(),
        };
        let verifier = Verifier::new(self.settings(keys.as_ref()), &secrets).unwrap();
        (verifier, keys)
    }

    fn verifier(&self) -> (Verifier, Option<KeyFile>) {
        self.verifier_with(&self.secrets)
    }

    fn delivery(&self, received: Timestamp) -> Delivery {
        let headers = self.headers.iter();
        Delivery {
            method: "POST".to_owned(),
            target: SecretString::from("/webhooks/hr"),
            host: Some("ilm.example.com".to_owned()),
            path_type: None,
            path_secret: None,
            headers: Headers::new(headers.map(|(name, value)| (name.clone(), value.clone().into_bytes()))),
            body: self.body.clone().into_bytes(),
            received,
        }
    }

    async fn verify(&self, received: Timestamp) -> Result<Verified, VerificationError> {
        let (verifier, _keys) = self.verifier();
        verifier.verify(&self.delivery(received)).await
    }
}

/// Hostile input 62, a right signature over a body that was written anew with one space: 401.
///
/// Hostile input 63, a signature of another source's secret: 401.
#[tokio::test]
async fn every_vector_has_its_verdict() {
    let (received, vectors) = vectors();
    assert!(vectors.len() > 130, "{}", vectors.len());
    for preset in presets::all() {
        let own = |accepted| {
            let mut vectors = vectors.iter();
            vectors.any(|vector| vector.preset == preset.name && vector.accepted == accepted)
        };
        assert!(own(true), "{} has no vector", preset.name);
        assert!(own(false) || preset.is_unsigned(), "{} has no refusal", preset.name);
    }
    for vector in vectors {
        let found = vector.verify(received).await;
        assert_eq!(found.is_ok(), vector.accepted, "{}: {found:?}", vector.name());
        if let Ok(verified) = found {
            assert_eq!(
                verified.secret.map(|place| place + 1),
                vector.secret,
                "{}",
                vector.name()
            );
        }
    }
}

#[tokio::test]
async fn one_changed_byte_anywhere_is_refused() {
    let (received, vectors) = plain();
    let mut tried = 0;
    for vector in vectors {
        let (verifier, _keys) = vector.verifier();
        let sound = vector.delivery(received);
        // Lever signs two fields of its body and nothing else.
        let covers_body = vector.is_signed() && vector.preset != "lever";
        for place in 0..if covers_body { sound.body.len() } else { 0 } {
            let mut delivery = sound.clone();
            delivery.body[place] ^= 1;
            let found = verifier.verify(&delivery).await;
            assert!(found.is_err(), "{}, byte {place} of the body", vector.name());
            tried += 1;
        }
        for (name, value) in &vector.headers {
            for place in 0..value.len() {
                let mut changed = vector.clone();
                let header = changed.headers.iter_mut().find(|(other, _)| other == name).unwrap();
                let mut bytes = header.1.clone().into_bytes();
                bytes[place] ^= 1;
                header.1 = String::from_utf8(bytes).unwrap();
                let found = verifier.verify(&changed.delivery(received)).await;
                assert!(found.is_err(), "{}, byte {place} of {name}", vector.name());
                tried += 1;
            }
        }
    }
    assert!(tried > 2000, "{tried}");
}

#[tokio::test]
async fn what_lever_signs_of_its_body_can_not_be_changed() {
    let (received, vector) = of("lever");
    for (from, to) in [
        ("4a9d1c", "4a9d1d"),
        ("1700000000000", "1700000000001"),
        ("\"signature\"", "\"signatur\""),
        ("\"token\": \"4a9d1c\"", "\"token\": \"4a9d1c\", \"token\": \"4a9d1c\""),
        ("4a9d1c\", \"triggeredAt\": 1", "4a9d1c1\", \"triggeredAt\": "),
    ] {
        let mut changed = vector.clone();
        changed.body = changed.body.replacen(from, to, 1);
        assert_ne!(changed.body, vector.body, "{from}");
        assert!(changed.verify(received).await.is_err(), "{from} as {to}");
    }
}

/// Hostile input 69, the old secret while secrets change and after: accepted, then 401.
#[tokio::test]
async fn an_old_secret_counts_while_secrets_change_and_no_longer() {
    let (received, vectors) = plain();
    for vector in vectors.iter().filter(|vector| !vector.secrets.is_empty()) {
        let own = vector.secrets[0].clone();
        let delivery = vector.delivery(received);
        let other = match vector.preset.as_str() {
            "standard-webhooks" => "whsec_c29tZXRoaW5nIGVsc2U=".to_owned(),
            "finch" => "c29tZXRoaW5nIGVsc2U=".to_owned(),
            _ => "user:something else".to_owned(),
        };
        let (during, _) = vector.verifier_with(&[other.clone(), own]);
        let (after, _) = vector.verifier_with(&[other]);
        assert_eq!(
            during.verify(&delivery).await.unwrap().secret,
            Some(1),
            "{}",
            vector.name()
        );
        assert!(after.verify(&delivery).await.is_err(), "{}", vector.name());
    }
}

#[tokio::test]
async fn a_source_that_there_is_not_accepts_nothing() {
    let (received, vectors) = vectors();
    let decoy = Verifier::decoy().unwrap();
    for vector in vectors.iter().filter(|vector| vector.accepted) {
        let found = decoy.verify(&vector.delivery(received)).await;
        assert_eq!(
            found.unwrap_err(),
            VerificationError::UnknownSource,
            "{}",
            vector.name()
        );
    }
}

#[tokio::test]
async fn the_library_of_standard_webhooks_and_ours_accept_each_other() {
    let (received, vector) = of("standard-webhooks");
    let theirs = standardwebhooks::Webhook::new(&vector.secrets[0]).unwrap();
    let (ours, _) = vector.verifier();
    for body in ["{}", "", "{\"type\":\"employee.hired\"}\n", "\u{e9}\u{1f600}"] {
        let signature = theirs.sign("msg_2", received.as_second(), body.as_bytes()).unwrap();
        let mut signed = vector.clone();
        body.clone_into(&mut signed.body);
        signed.headers = vec![
            ("webhook-id".to_owned(), "msg_2".to_owned()),
            ("webhook-timestamp".to_owned(), received.as_second().to_string()),
            ("webhook-signature".to_owned(), signature),
        ];
        let verified = ours.verify(&signed.delivery(received)).await.unwrap();
        assert_eq!(verified.identity, Identity::Id("msg_2".to_owned()));
        assert_eq!(verified.time, Some(received));

        // Theirs judges times by its own clock.
        let example = ours.sign(body.as_bytes(), Timestamp::now()).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in &example.headers {
            headers.insert(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let verdict = theirs.verify(body.as_bytes(), &headers);
        assert!(verdict.is_ok(), "{body:?}");
    }
}

#[tokio::test]
async fn explanations_show_no_secret_and_no_signature_that_would_be_right() {
    let (received, vectors) = plain();
    for vector in vectors.iter().filter(|vector| !vector.headers.is_empty()) {
        let (verifier, _keys) = vector.verifier();
        let (_, right) = vector.headers.last().unwrap();
        let right = right
            .rsplit([',', '=', ' '])
            .find(|part| part.len() > 8)
            .unwrap_or(right);
        let mut wrong = vector.clone();
        wrong.body.push(' ');
        if let Some((_, value)) = wrong.headers.last_mut() {
            *value = value.replace(right, &"0".repeat(right.len()));
        }
        for delivery in [vector.delivery(received), wrong.delivery(received)] {
            let trace = serde_json::to_string(&verifier.explain(&delivery).await).unwrap();
            assert!(!trace.contains(right), "{}: {trace}", vector.name());
            for secret in &vector.secrets {
                assert!(!trace.contains(secret), "{}: {trace}", vector.name());
                assert!(!format!("{verifier:?}").contains(secret), "{}", vector.name());
            }
        }
    }
}
