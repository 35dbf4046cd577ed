//! Tokens, good ones and forged ones, of issuers with real keys.

use aws_lc_rs::hmac;
use proptest::prelude::*;
use serde_json::json;

use super::{
    super::jwks::{Signer, TemporaryFile, encode, set},
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

/// A header with one member changed.
fn header(signer: &Signer, name: &str, value: Value) -> String {
    let mut header = signer.header();
    header[name] = value;
    header.to_string()
}

async fn refusal(verifier: &Verifier, token: &str) -> Option<TokenError> {
    verifier.verify(token).await.err()
}

fn invalid(reason: TokenDefect) -> Option<TokenError> {
    Some(TokenError::Invalid(reason))
}

#[tokio::test]
async fn a_token_of_every_algorithm_is_accepted_when_it_is_pinned() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm, "1");
        let file = TemporaryFile::new(&set(&[&signer]));
        let token = signer.token(&claims());
        let claims = verifier(&file, &[algorithm]).verify(&token).await.unwrap();
        assert_eq!((claims.issuer(), claims.subject()), (ISSUER, Some("clerk")));
        assert!(claims.holds("scope", "write") && !claims.holds("scope", "admin"));
        let others: Vec<_> = Algorithm::ALL.into_iter().filter(|other| *other != algorithm).collect();
        assert_eq!(
            refusal(&verifier(&file, &others), &token).await,
            invalid(TokenDefect::Algorithm),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_signature_of_every_algorithm_must_be_the_keys_own() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm, "1");
        let file = TemporaryFile::new(&set(&[&signer]));
        let verifier = verifier(&file, &[algorithm]);
        let token = signer.token(&claims());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let length = signature.len() * 3 / 4;
        for forged in [
            String::new(),
            encode([0]),
            encode(vec![0; length]),
            encode(vec![0xFF; length]),
            encode(vec![1; length + 1]),
            // The signature of the same claims by another header.
            Signer::new(algorithm, "1")
                .sign(&header(&signer, "a", json!(1)), &claims().to_string())
                .rsplit('.')
                .next()
                .unwrap()
                .to_owned(),
        ] {
            let token = format!("{message}.{forged}");
            assert_eq!(
                refusal(&verifier, &token).await,
                invalid(TokenDefect::Signature),
                "{algorithm} {forged}"
            );
        }
        let other_claims = encode(with("sub", json!("director")).to_string());
        let header = message.split('.').next().unwrap();
        let token = format!("{header}.{other_claims}.{signature}");
        assert_eq!(
            refusal(&verifier, &token).await,
            invalid(TokenDefect::Signature),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn the_header_does_not_choose_how_it_is_verified() {
    let rsa = Signer::new(Algorithm::RS256, "rsa");
    let ec = Signer::new(Algorithm::ES256, "ec");
    let file = TemporaryFile::new(&set(&[&rsa, &ec]));
    let pinned = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384];
    let verifier = verifier(&file, &pinned);
    let claims = claims().to_string();
    // `none` in every spelling, with and without a signature.
    for name in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS256",
        "HS384",
        "HS512",
        "RS256\u{0}",
        "rs256",
        "ES512",
        "dir",
    ] {
        let header = header(&rsa, "alg", json!(name));
        let unsigned = format!("{}.{}.", encode(&header), encode(&claims));
        for token in [unsigned, rsa.sign(&header, &claims)] {
            assert_eq!(
                refusal(&verifier, &token).await,
                invalid(TokenDefect::Algorithm),
                "{name:?}"
            );
        }
    }
    // The public key, in the forms in which it gets about, as the secret of an HMAC.
    let jwk = rsa.jwk();
    let modulus = jwk["n"].as_str().unwrap().to_owned();
    for secret in [modulus, jwk.to_string(), set(&[&rsa]), String::new()] {
        let message = format!("{}.{}", encode(header(&rsa, "alg", json!("HS256"))), encode(&claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let token = format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())));
        assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::Algorithm));
    }
    // Algorithms that are pinned, but not for that key.
    for (id, algorithm) in [("rsa", "PS256"), ("rsa", "ES256"), ("ec", "RS256"), ("ec", "ES384")] {
        let header = json!({"alg": algorithm, "kid": id}).to_string();
        for token in [rsa.sign(&header, &claims), ec.sign(&header, &claims)] {
            assert_eq!(
                refusal(&verifier, &token).await,
                invalid(TokenDefect::UnknownKey),
                "{id} {algorithm}"
            );
        }
    }
    for value in [json!(null), json!(7), json!(["RS256"])] {
        let token = rsa.sign(&header(&rsa, "alg", value), &claims);
        assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::Malformed));
    }
    let token = rsa.sign(r#"{"kid":"rsa"}"#, &claims);
    assert_eq!(
        refusal(&verifier, &token).await,
        invalid(TokenDefect::Malformed),
        "no alg"
    );
}

#[tokio::test]
async fn keys_that_a_token_brings_are_not_used() {
    let signer = Signer::new(Algorithm::ES256, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::ES256]);
    for (id, reason) in [("1", TokenDefect::Signature), ("2", TokenDefect::UnknownKey)] {
        let attacker = Signer::new(Algorithm::ES256, id);
        for (name, value) in [
            ("jwk", attacker.jwk()),
            ("jku", json!("https://evil.example/keys")),
            ("x5u", json!("https://evil.example/chain")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("abc")),
        ] {
            let token = attacker.sign(&header(&attacker, name, value), &claims().to_string());
            assert_eq!(refusal(&verifier, &token).await, invalid(reason), "{id} {name}");
        }
    }
    // Nor do they harm where the signature is good: some issuers name their certificate.
    let token = signer.sign(&header(&signer, "x5t", json!("abc")), &claims().to_string());
    assert_eq!(refusal(&verifier, &token).await, None);
    for id in [json!(1), json!(null), json!(["1"])] {
        let token = signer.sign(&header(&signer, "kid", id), &claims().to_string());
        assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::Malformed));
    }
    for id in ["", "../../dev/null", "' OR 1=1 --", "1\u{0}", "１"] {
        let token = signer.sign(&header(&signer, "kid", json!(id)), &claims().to_string());
        assert_eq!(
            refusal(&verifier, &token).await,
            invalid(TokenDefect::UnknownKey),
            "{id:?}"
        );
    }
}

#[tokio::test]
async fn without_a_key_id_there_must_be_one_key() {
    let [one, two] = [1, 2].map(|_| Signer::new(Algorithm::ES256, "1"));
    let ed = Signer::new(Algorithm::EdDSA, "2");
    let nameless = json!({"alg": "ES256"}).to_string();
    let file = TemporaryFile::new(&set(&[&one, &ed]));
    let verifier = verifier(&file, &[Algorithm::ES256, Algorithm::EdDSA]);
    assert_eq!(
        refusal(&verifier, &one.sign(&nameless, &claims().to_string())).await,
        None
    );
    let other = two.sign(&nameless, &claims().to_string());
    assert_eq!(refusal(&verifier, &other).await, invalid(TokenDefect::Signature));
    // Replaced under the same name: found by its signature.
    file.write(&set(&[&two]));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    assert_eq!(refusal(&verifier, &other).await, None);
    let third = Signer::new(Algorithm::ES256, "3");
    let file = TemporaryFile::new(&set(&[&one, &third]));
    let verifier = Verifier::new(vec![issuer(&file, &[Algorithm::ES256])]).unwrap();
    let token = one.sign(&nameless, &claims().to_string());
    assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::AmbiguousKey));
    assert_eq!(refusal(&verifier, &one.token(&claims())).await, None);
}

#[tokio::test]
async fn headers_say_what_a_token_is() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    for (name, value, expected) in [
        ("typ", json!("JWT"), None),
        ("typ", json!("jwt"), None),
        ("typ", json!("at+jwt"), None),
        ("typ", json!("application/at+jwt"), None),
        ("typ", json!("Application/AT+JWT"), None),
        ("typ", json!("dpop+jwt"), Some(TokenDefect::Type)),
        ("typ", json!("logout+jwt"), Some(TokenDefect::Type)),
        ("typ", json!("secevent+jwt"), Some(TokenDefect::Type)),
        ("typ", json!("JOSE"), Some(TokenDefect::Type)),
        ("typ", json!(""), Some(TokenDefect::Type)),
        ("typ", json!(null), Some(TokenDefect::Malformed)),
        ("typ", json!(7), Some(TokenDefect::Malformed)),
        ("crit", json!(["exp"]), Some(TokenDefect::Critical)),
        ("crit", json!(["b64"]), Some(TokenDefect::Critical)),
        ("crit", json!([]), Some(TokenDefect::Critical)),
        ("crit", json!(null), Some(TokenDefect::Critical)),
        ("something", json!({"of": "ours"}), None),
    ] {
        let token = signer.sign(&header(&signer, name, value.clone()), &claims().to_string());
        assert_eq!(
            refusal(&verifier, &token).await,
            expected.map(TokenError::Invalid),
            "{name} {value}"
        );
    }
    let token = signer.sign(r#"{"alg":"EdDSA","kid":"1"}"#, &claims().to_string());
    assert_eq!(
        refusal(&verifier, &token).await,
        None,
        "RFC 7519 section 5.1: typ may be left out"
    );
}

#[tokio::test]
async fn claims_are_held_against_the_settings() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let (soon, ago) = (now() + 30, now() - 30);
    let (too_soon, long_ago) = (now() + SKEW + 30, now() - SKEW - 1);
    for (name, value, expected) in [
        ("exp", None, Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(ago)), None),
        ("exp", Some(json!(ago as f64 + 0.5)), None),
        ("exp", Some(json!(long_ago)), Some(TokenDefect::Expired)),
        ("exp", Some(json!(long_ago as f64 + 0.25)), Some(TokenDefect::Expired)),
        ("exp", Some(json!(0)), Some(TokenDefect::Expired)),
        ("exp", Some(json!(1)), Some(TokenDefect::Expired)),
        ("exp", Some(json!(-1)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(-1e300)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(1e300)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(u64::MAX)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(i64::MAX)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(i64::MIN)), Some(TokenDefect::Claim("exp"))),
        (
            "exp",
            Some(json!((now() + 300) * 1000)),
            Some(TokenDefect::Claim("exp")),
        ),
        ("exp", Some(json!(253_402_300_799_u64)), None),
        (
            "exp",
            Some(json!((now() + 300).to_string())),
            Some(TokenDefect::Claim("exp")),
        ),
        ("exp", Some(json!(null)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!(true)), Some(TokenDefect::Claim("exp"))),
        ("exp", Some(json!([now() + 300])), Some(TokenDefect::Malformed)),
        ("exp", Some(json!({})), Some(TokenDefect::Claim("exp"))),
        ("nbf", Some(json!(ago)), None),
        ("nbf", Some(json!(soon)), None),
        ("nbf", Some(json!(too_soon)), Some(TokenDefect::NotYetValid)),
        ("nbf", Some(json!(u64::MAX)), Some(TokenDefect::NotYetValid)),
        ("nbf", Some(json!(-5)), Some(TokenDefect::Claim("nbf"))),
        ("nbf", Some(json!("0")), Some(TokenDefect::Claim("nbf"))),
        ("nbf", Some(json!(null)), Some(TokenDefect::Claim("nbf"))),
        ("iat", None, None),
        ("iat", Some(json!(soon)), None),
        ("iat", Some(json!(ago as f64 + 0.5)), None),
        ("iat", Some(json!(too_soon)), Some(TokenDefect::IssuedInFuture)),
        ("iat", Some(json!(1e12)), Some(TokenDefect::Claim("iat"))),
        ("iat", Some(json!("now")), Some(TokenDefect::Claim("iat"))),
        ("iat", Some(json!(null)), Some(TokenDefect::Claim("iat"))),
        ("iss", None, Some(TokenDefect::Claim("iss"))),
        ("iss", Some(json!([ISSUER])), Some(TokenDefect::Claim("iss"))),
        ("iss", Some(json!("")), Some(TokenDefect::UnknownIssuer)),
        (
            "iss",
            Some(json!(format!("{ISSUER}/"))),
            Some(TokenDefect::UnknownIssuer),
        ),
        (
            "iss",
            Some(json!("https://ISSUER.example/realm")),
            Some(TokenDefect::UnknownIssuer),
        ),
        (
            "iss",
            Some(json!("https://evil.example")),
            Some(TokenDefect::UnknownIssuer),
        ),
        ("aud", None, Some(TokenDefect::Claim("aud"))),
        ("aud", Some(json!("ilm")), None),
        ("aud", Some(json!(["other", "ilm"])), None),
        ("aud", Some(json!("other")), Some(TokenDefect::Audience)),
        ("aud", Some(json!("")), Some(TokenDefect::Audience)),
        ("aud", Some(json!("ILM")), Some(TokenDefect::Audience)),
        ("aud", Some(json!("ilm other")), Some(TokenDefect::Audience)),
        ("aud", Some(json!(format!("{AUDIENCE}/"))), Some(TokenDefect::Audience)),
        ("aud", Some(json!([])), Some(TokenDefect::Audience)),
        ("aud", Some(json!(["other"])), Some(TokenDefect::Audience)),
        ("aud", Some(json!([7, "ilm"])), Some(TokenDefect::Claim("aud"))),
        ("aud", Some(json!([["ilm"]])), Some(TokenDefect::Claim("aud"))),
        ("aud", Some(json!({"ilm": true})), Some(TokenDefect::Claim("aud"))),
        ("aud", Some(json!(null)), Some(TokenDefect::Claim("aud"))),
        ("sub", None, None),
        ("sub", Some(json!(7)), Some(TokenDefect::Claim("sub"))),
        ("sub", Some(json!(null)), Some(TokenDefect::Claim("sub"))),
        ("cnf", Some(json!({"jkt": "0ZcOCORZNYy"})), Some(TokenDefect::Bound)),
        ("cnf", Some(json!(null)), Some(TokenDefect::Bound)),
    ] {
        let token = signer.token(&with(name, value.clone()));
        assert_eq!(
            refusal(&verifier, &token).await,
            expected.map(TokenError::Invalid),
            "{name} {value:?}"
        );
    }
}

#[tokio::test]
async fn an_expired_token_is_expired_in_that_very_second() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let strict = Issuer {
        clock_skew: Duration::ZERO,
        ..issuer(&file, &[Algorithm::EdDSA])
    };
    let verifier = Verifier::new(vec![strict]).unwrap();
    let token = signer.token(&with("exp", json!(now())));
    assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::Expired));
}

#[tokio::test]
async fn what_two_readers_could_take_differently_is_malformed() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let (header, claims) = (signer.header().to_string(), claims().to_string());
    let open = |json: &str| json.trim_end_matches('}').to_owned();
    for (header, claims) in [
        (format!("{},\"kid\":\"1\"}}", open(&header)), claims.clone()),
        (format!("{},\"\\u0061lg\":\"EdDSA\"}}", open(&header)), claims.clone()),
        (format!("{},\"x\":1,\"x\":1}}", open(&header)), claims.clone()),
        (header.clone(), format!("{},\"sub\":\"director\"}}", open(&claims))),
        (
            header.clone(),
            format!("{},\"\\u0073ub\":\"director\"}}", open(&claims)),
        ),
        (header.clone(), format!("{},\"x\":{{\"y\":1,\"y\":2}}}}", open(&claims))),
        (header.clone(), format!("{claims}{claims}")),
        (header.clone(), format!("[{claims}]")),
        (header.clone(), "null".to_owned()),
        (header.clone(), String::new()),
        (header.clone(), format!("\u{FEFF}{claims}")),
        (
            header.clone(),
            format!("{},\"x\":{}{}}}", open(&claims), "[".repeat(500), "]".repeat(500)),
        ),
        (header.clone(), format!("{},\"x\":1e999}}", open(&claims))),
        (format!("[{header}]"), claims.clone()),
        (String::new(), claims.clone()),
    ] {
        let token = signer.sign(&header, &claims);
        assert_eq!(
            refusal(&verifier, &token).await,
            invalid(TokenDefect::Malformed),
            "{header} {claims}"
        );
    }
    // Bytes that are no UTF-8.
    let token = signer.sign_encoded(&format!("{}.{}", encode(&header), encode(b"{\"iss\":\"\xFF\"}")));
    assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::Malformed));
}

#[tokio::test]
async fn only_the_one_encoding_is_taken() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let token = signer.token(&claims());
    assert_eq!(refusal(&verifier, &token).await, None);
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!()
    };
    // 64 octets leave four bits of the last character unused: another character with the same
    // octets.
    let stray = {
        let (rest, last) = signature.split_at(signature.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = alphabet.find(last).unwrap();
        format!("{header}.{claims}.{rest}{}", &alphabet[place + 1..place + 2])
    };
    for token in [
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{token}="),
        format!("{token}.."),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}.{claims}"),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}.{signature}=="),
        format!("{header}==.{claims}.{signature}"),
        format!("{header}.{claims}\u{0}.{signature}"),
        format!("{header}.{claims}.{signature}é"),
        format!("Bearer {token}"),
        stray,
        "..".to_owned(),
        ".".to_owned(),
        String::new(),
        "a.b.c.d.e".to_owned(),
    ] {
        assert_eq!(
            refusal(&verifier, &token).await,
            invalid(TokenDefect::Malformed),
            "{token:?}"
        );
    }
}

#[tokio::test]
async fn a_long_token_is_not_looked_at() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let groups = |count: usize| with("groups", json!(vec!["0123456789"; count]));
    let fits = signer.token(&groups(900));
    assert!(fits.len() < token::LONGEST, "{}", fits.len());
    assert_eq!(refusal(&verifier, &fits).await, None);
    let too_long = signer.token(&groups(1000));
    assert!(too_long.len() > token::LONGEST);
    for token in [too_long, "a".repeat(1 << 20), ".".repeat(token::LONGEST + 1)] {
        assert_eq!(refusal(&verifier, &token).await, invalid(TokenDefect::TooLong));
    }
}

#[tokio::test]
async fn an_issuer_speaks_for_itself_alone() {
    let [one, two] = [1, 2].map(|_| Signer::new(Algorithm::EdDSA, "1"));
    let [first, second] = [&one, &two].map(|signer| TemporaryFile::new(&set(&[signer])));
    let other = Issuer {
        issuer: "https://other.example".to_owned(),
        ..issuer(&second, &[Algorithm::EdDSA])
    };
    let verifier = Verifier::new(vec![issuer(&first, &[Algorithm::EdDSA]), other]).unwrap();
    let of_other = with("iss", json!("https://other.example"));
    assert_eq!(refusal(&verifier, &one.token(&claims())).await, None);
    assert_eq!(refusal(&verifier, &two.token(&of_other)).await, None);
    assert_eq!(
        refusal(&verifier, &one.token(&of_other)).await,
        invalid(TokenDefect::Signature)
    );
    assert_eq!(
        refusal(&verifier, &two.token(&claims())).await,
        invalid(TokenDefect::Signature)
    );
}

#[tokio::test]
async fn without_keys_nothing_can_be_told() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new("{}");
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let token = signer.token(&claims());
    assert_eq!(refusal(&verifier, &token).await, Some(TokenError::KeysUnavailable));
    // What is wrong without any key is wrong.
    assert_eq!(
        refusal(&verifier, &signer.token(&with("iss", json!("x")))).await,
        invalid(TokenDefect::UnknownIssuer)
    );
    assert_eq!(
        refusal(&Verifier::new(Vec::new()).unwrap(), &token).await,
        invalid(TokenDefect::UnknownIssuer)
    );
}

#[tokio::test]
async fn new_settings_keep_the_keys_of_an_issuer_that_stays() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let before = verifier(&file, &[Algorithm::EdDSA]);
    let token = signer.token(&claims());
    assert_eq!(refusal(&before, &token).await, None);
    file.write("broken");
    let other_audience = Issuer {
        audiences: vec!["another".to_owned()],
        ..issuer(&file, &[Algorithm::EdDSA])
    };
    let after = before.renewed(vec![other_audience]).unwrap();
    assert_eq!(refusal(&after, &token).await, invalid(TokenDefect::Audience));
    let elsewhere = TemporaryFile::new("broken");
    let moved = before.renewed(vec![issuer(&elsewhere, &[Algorithm::EdDSA])]).unwrap();
    assert_eq!(refusal(&moved, &token).await, Some(TokenError::KeysUnavailable));
    assert!(before.renewed(Vec::new()).unwrap().trusted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_watch_gets_the_keys_of_all_and_ends_when_dropped() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = Arc::new(verifier(&file, &[Algorithm::EdDSA]));
    let hour = Duration::from_secs(60 * 60);
    assert!(tokio::time::timeout(hour, verifier.watch()).await.is_err());
    let none = Verifier::new(Vec::new()).unwrap();
    assert!(tokio::time::timeout(hour, none.watch()).await.is_err());
    assert_eq!(refusal(&verifier, &signer.token(&claims())).await, None);
}

#[test]
fn settings_are_checked_without_asking_anybody() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let good = Issuer {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec!["ilm".to_owned()],
        keys: KeySource::Discovery,
        algorithms: vec![Algorithm::RS256],
        clock_skew: Duration::from_secs(300),
    };
    let url = |text: &str| KeySource::Url(text.parse().unwrap());
    assert!(Verifier::new(vec![good.clone()]).is_ok());
    type Change = Box<dyn Fn(&mut Issuer)>;
    let changes: Vec<(Change, Result<(), IssuerError>)> = vec![
        (Box::new(|issuer| issuer.issuer.clear()), Err(IssuerError::NoIssuer)),
        (
            Box::new(|issuer| issuer.audiences.clear()),
            Err(IssuerError::NoAudience),
        ),
        (
            Box::new(|issuer| issuer.audiences.push(String::new())),
            Err(IssuerError::NoAudience),
        ),
        (
            Box::new(|issuer| issuer.algorithms.clear()),
            Err(IssuerError::NoAlgorithm),
        ),
        (
            Box::new(|issuer| issuer.clock_skew += Duration::from_millis(1)),
            Err(IssuerError::ClockSkew),
        ),
        (
            Box::new(|issuer| issuer.issuer = "http://issuer.example".to_owned()),
            Err(IssuerError::Keys(AddressError::NotHttps)),
        ),
        (
            Box::new(|issuer| issuer.issuer = "accounts.example".to_owned()),
            Err(IssuerError::Keys(AddressError::NotAUrl)),
        ),
        (
            Box::new(move |issuer| issuer.keys = url("http://keys.example/")),
            Err(IssuerError::Keys(AddressError::NotHttps)),
        ),
        (
            Box::new(move |issuer| issuer.keys = url("https://u:p@keys.example/")),
            Err(IssuerError::Keys(AddressError::Credentials)),
        ),
        (
            Box::new(move |issuer| {
                issuer.issuer = "accounts.example".to_owned();
                issuer.keys = url("https://keys.example/?policy=1");
            }),
            Ok(()),
        ),
        (
            Box::new(move |issuer| issuer.keys = url("http://[::1]:8080/keys")),
            Ok(()),
        ),
        (
            Box::new(|issuer| {
                issuer.issuer = "any text".to_owned();
                issuer.keys = KeySource::File("keys.json".into());
            }),
            Ok(()),
        ),
    ];
    for (change, expected) in changes {
        let mut issuer = good.clone();
        change(&mut issuer);
        assert_eq!(issuer.check(), expected, "{issuer:?}");
        assert_eq!(Verifier::new(vec![issuer.clone()]).is_ok(), expected.is_ok());
    }
    let twice = Verifier::new(vec![good.clone(), good]);
    assert_eq!(
        twice.unwrap_err().to_string(),
        "issuer https://issuer.example is given twice"
    );
}

/// A verifier, and a token that it accepts.
fn prepared() -> (tokio::runtime::Runtime, TemporaryFile, Verifier, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&set(&[&signer]));
    let verifier = verifier(&file, &Algorithm::ALL);
    let token = signer.token(&claims());
    assert!(runtime.block_on(verifier.verify(&token)).is_ok());
    (runtime, file, verifier, token)
}

#[test]
fn no_text_is_taken_for_a_token() {
    let (runtime, _file, verifier, _) = prepared();
    let json = prop_oneof![
        Just(claims().to_string()),
        Just(r#"{"alg":"EdDSA","kid":"1"}"#.to_owned()),
        r#"\{"(alg|kid|iss|exp|crit)":("[a-zA-Z0-9]{0,6}"|-?[0-9]{1,30}|null|\[\])\}"#,
        ".{0,40}",
    ];
    let parts = proptest::collection::vec(json.prop_map(encode), 0..5).prop_map(|parts| parts.join("."));
    let text = prop_oneof![".*", "[A-Za-z0-9_.=-]{0,80}", parts];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(1000));
    let outcome = runner.run(&text, |text| {
        prop_assert!(matches!(
            runtime.block_on(verifier.verify(&text)),
            Err(TokenError::Invalid(_))
        ));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn no_change_of_a_token_is_accepted() {
    let (runtime, _file, verifier, token) = prepared();
    for place in 0..token.len() {
        for replacement in ["", "A", "B", "_", ".", "=", "é"] {
            let changed = format!("{}{replacement}{}", &token[..place], &token[place + 1..]);
            if changed != token {
                assert!(runtime.block_on(verifier.verify(&changed)).is_err(), "{changed}");
            }
        }
    }
}
