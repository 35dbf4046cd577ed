//! The verification of a delivery, told to its operator.
//!
//! A trace never has a secret or the signature that would be right, nor how far a wrong one is
//! right: with any of these, a caller who may ask for explanations could sign. It tells which
//! secret fits, what was signed, and what would make a signature fit that is whole.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{
    super::Delivery,
    Handshake, Proof, SignatureSettings, VerificationError, Verifier, hints,
    judgement::Judgement,
    signature::{self, Candidate},
};

/// The longest text of what was signed that is shown, in characters.
const LONGEST_SHOWN: usize = 4096;

/// What stands where a secret of the path was.
const MASK: &str = "***";

/// What was found out of a delivery, step by step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerificationTrace {
    /// Whether it is believed.
    pub accepted: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What proves the sender, by the name that settings have for it.
    pub proof: &'static str,
    /// The place of the secret that it was proven by, from 1.
    pub secret: Option<usize>,
    /// What was signed; none where no signature is asked for.
    pub signed: Option<SignedTrace>,
    /// The signatures that were there.
    pub signatures: Vec<SignatureTrace>,
    /// What would make one of them fit.
    pub hints: Vec<String>,
    /// The sender's id of the delivery.
    pub id: Option<String>,
    /// How its time was judged.
    pub time: Option<TimeTrace>,
    /// That it is no event: `ping`, `token`, `echo`, `challenge`.
    pub handshake: Option<&'static str>,
    /// By what it is known when it comes again.
    pub identity: Option<String>,
}

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedTrace {
    /// The template.
    pub template: String,
    /// Its parts.
    pub parts: Vec<PartTrace>,
    /// What it makes, with what is no UTF-8 replaced, cut, and secrets of the path masked.
    pub text: String,
    /// Its whole length in bytes.
    pub length: usize,
}

/// A part of what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartTrace {
    /// What it is.
    pub name: String,
    /// Its length in bytes.
    pub length: usize,
}

/// A signature that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureTrace {
    /// What it began with.
    pub prefix: String,
    /// Whether it fits.
    pub fits: bool,
    /// The place of the secret that it fits, from 1.
    pub secret: Option<usize>,
    /// What is wrong with it, where that can be told without its value.
    pub fault: Option<String>,
}

/// A time, and how it was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeTrace {
    /// The time.
    pub time: Timestamp,
    /// When the delivery arrived.
    pub received: Timestamp,
    /// How old it was, in seconds; below 0: how far in the future.
    pub age: i64,
    /// How old it may be, in seconds.
    pub oldest: Option<u64>,
}

impl Verifier {
    /// Tells how a delivery is judged; nothing else comes of it.
    pub async fn explain(&self, delivery: &Delivery) -> VerificationTrace {
        let judgement = self.judge(delivery).await;
        let Judgement {
            statement,
            candidates,
            verdict,
        } = &judgement;
        let none = Vec::new();
        let candidates = candidates.as_ref().unwrap_or(&none);
        let wrong = matches!(verdict, Err(VerificationError::Signature));
        let verified = verdict.as_ref().ok();
        VerificationTrace {
            accepted: verified.is_some(),
            reason: verdict.as_ref().err().map(ToString::to_string),
            proof: self.settings.proof.name(),
            secret: verified.and_then(|verified| verified.secret).map(|place| place + 1),
            signed: self.signed_trace(&judgement, delivery),
            signatures: self.signature_traces(candidates, &statement.signed),
            hints: if wrong {
                hints::hints(self, delivery, statement, candidates)
            } else {
                Vec::new()
            },
            id: statement.id.clone().ok().flatten(),
            time: self.time_trace(&judgement, delivery.received),
            handshake: verified
                .and_then(|verified| verified.handshake.as_ref())
                .map(Handshake::name),
            identity: verified.map(|verified| verified.identity.key()),
        }
    }

    fn signed_trace(&self, judgement: &Judgement, delivery: &Delivery) -> Option<SignedTrace> {
        let Proof::Signature(signature) = &self.settings.proof else {
            return None;
        };
        let statement = &judgement.statement;
        let parts = signature.signed.parts.iter().zip(&statement.lengths);
        let mut text = String::from_utf8_lossy(&statement.signed).into_owned();
        if let Some(secret) = &delivery.path_secret {
            text = text.replace(&format!("~{}", secret.expose_secret()), &format!("~{MASK}"));
        }
        Some(SignedTrace {
            template: signature.signed.text().to_owned(),
            parts: parts
                .map(|(part, length)| PartTrace {
                    name: part.name(),
                    length: *length,
                })
                .collect(),
            text: text.chars().take(LONGEST_SHOWN).collect(),
            length: statement.signed.len(),
        })
    }

    fn signature_traces(&self, candidates: &[Candidate], signed: &[u8]) -> Vec<SignatureTrace> {
        let Proof::Signature(settings) = &self.settings.proof else {
            return Vec::new();
        };
        let trace = |candidate| self.signature_trace(settings, candidate, signed);
        candidates.iter().map(trace).collect()
    }

    fn signature_trace(&self, settings: &SignatureSettings, candidate: &Candidate, signed: &[u8]) -> SignatureTrace {
        let secret = signature::find(&self.keys, std::slice::from_ref(candidate), signed);
        let scheme = &settings.schemes[candidate.scheme];
        let fault = if candidate.bytes.is_empty() {
            Some(format!("it is not {}", scheme.encoding.name()))
        } else if candidate.bytes.len() != scheme.algorithm.bytes() {
            let (has, needs) = (candidate.bytes.len(), scheme.algorithm.bytes());
            Some(format!("it has {has} bytes; {} has {needs}", scheme.algorithm.name()))
        } else {
            None
        };
        SignatureTrace {
            prefix: scheme.prefix.clone(),
            fits: secret.is_some(),
            secret: secret.map(|place| place + 1),
            fault,
        }
    }

    fn time_trace(&self, judgement: &Judgement, received: Timestamp) -> Option<TimeTrace> {
        let found = judgement.statement.time.as_ref().ok()?.as_ref()?;
        let own = self.settings.time.as_ref().and_then(|time| time.oldest);
        Some(TimeTrace {
            time: found.at,
            received,
            age: received.duration_since(found.at).as_secs(),
            oldest: own.or(self.memory).map(|oldest| oldest.as_secs()),
        })
    }
}
