//! Guesses what a sender or an operator did otherwise, when no signature fits.
//!
//! A guess is only told where a whole signature fits it, so that no guess helps to make one.

use aws_lc_rs::{constant_time, hmac};
use secrecy::ExposeSecret as _;

use super::{
    super::Delivery,
    Algorithm, Encoding, Proof, SecretForm, Verifier,
    secret::{self, Material},
    signature::Candidate,
    statement::Statement,
};
use crate::json;

/// The longest body that guesses are made of, in bytes: each is another pass over it.
const LONGEST_BODY: usize = 64 * 1024;

/// The forms of a secret that are mistaken for one another.
const FORMS: [(SecretForm, &str); 3] = [
    (SecretForm::Raw, "the secret is taken as it is written"),
    (SecretForm::Base64, "the secret is decoded from base64"),
    (
        SecretForm::Whsec,
        "the secret is decoded from base64 without its whsec_",
    ),
];

const ALGORITHMS: [(Algorithm, &str); 2] = [
    (Algorithm::HmacSha256, "the algorithm is HMAC-SHA256"),
    (Algorithm::HmacSha512, "the algorithm is HMAC-SHA512"),
];

/// What would fit, and under what circumstances.
struct Guess {
    signed: Vec<u8>,
    told: Option<&'static str>,
}

/// The guesses that fit, as sentences' ends: "it would fit if …".
pub(super) fn hints(
    verifier: &Verifier,
    delivery: &Delivery,
    statement: &Statement,
    candidates: &[Candidate],
) -> Vec<String> {
    if !matches!(verifier.settings.proof, Proof::Signature(_)) || delivery.body.len() > LONGEST_BODY {
        return Vec::new();
    }
    let tags = candidates
        .iter()
        .map(|candidate| decoded(&candidate.text))
        .collect::<Vec<_>>();
    let mut hints = Vec::new();
    for guess in guesses(verifier, delivery, statement) {
        for (form, form_told) in FORMS {
            for (algorithm, algorithm_told) in ALGORITHMS {
                if fits(verifier, form, algorithm, &guess.signed, &tags) {
                    let what = guess.told.unwrap_or("all else is as it is");
                    hints.push(format!("it fits when {what}, {form_told} and {algorithm_told}"));
                }
            }
        }
    }
    hints
}

fn guesses(verifier: &Verifier, delivery: &Delivery, statement: &Statement) -> Vec<Guess> {
    let again = |body: Vec<u8>| {
        let changed = Delivery {
            body,
            ..delivery.clone()
        };
        Statement::of(&verifier.settings, &changed).signed
    };
    let guess = |signed: Vec<u8>, told| Guess { signed, told };
    let mut guesses = vec![guess(statement.signed.clone(), None)];
    guesses.push(guess(delivery.body.clone(), Some("the body alone is signed")));
    let trimmed = delivery.body.trim_ascii_end();
    if trimmed.len() < delivery.body.len() {
        let told = "the white space at the body's end is taken away: something added it on the way";
        guesses.push(guess(again(trimmed.to_vec()), Some(told)));
    }
    let with_line_end = [delivery.body.as_slice(), b"\n"].concat();
    let told = "a line end follows the body: something took it away on the way";
    guesses.push(guess(again(with_line_end), Some(told)));
    if let Ok(body) = json::parse(&delivery.body) {
        let told = "the body is written anew without spaces: something on the way reads and writes JSON";
        guesses.push(guess(again(body.to_string().into_bytes()), Some(told)));
    }
    guesses
}

fn fits(verifier: &Verifier, form: SecretForm, algorithm: Algorithm, signed: &[u8], tags: &[Vec<Vec<u8>>]) -> bool {
    verifier.secrets.iter().any(|text| {
        let Some(Material::Hmac(key)) = secret::material(algorithm, form, text.expose_secret()) else {
            return false;
        };
        let own = hmac::sign(&key, signed);
        let mut tags = tags.iter().flatten();
        tags.any(|tag| constant_time::verify_slices_are_equal(own.as_ref(), tag).is_ok())
    })
}

/// A signature by each way to write one, with the prefixes that are common.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let bare = ["sha256=", "sha512=", "v1,", "v1="];
    let bare = bare.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let encodings = [Encoding::Hex, Encoding::Base64, Encoding::Base64Url];
    encodings.iter().filter_map(|encoding| encoding.decode(bare)).collect()
}
