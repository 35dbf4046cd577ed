//! Which key and which algorithm a token is verified with.

use aws_lc_rs::hmac;

use super::*;

#[tokio::test]
async fn a_token_of_every_algorithm_is_accepted_when_it_is_pinned() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm, "1");
        let file = TemporaryFile::new(&key_set(&[&signer]));
        let token = signer.token(&claims());
        let claims = verifier(&file, &[algorithm]).verify(&token).await.unwrap();
        assert_eq!((claims.issuer(), claims.subject()), (ISSUER, Some("clerk")));
        assert!(claims.holds("scope", "write") && !claims.holds("scope", "admin"));
        let others: Vec<_> = Algorithm::ALL.into_iter().filter(|other| *other != algorithm).collect();
        assert_eq!(
            error_of(&verifier(&file, &others), &token).await,
            invalid(TokenDefect::Algorithm),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_signature_of_every_algorithm_must_be_the_keys_own() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm, "1");
        let file = TemporaryFile::new(&key_set(&[&signer]));
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
                error_of(&verifier, &token).await,
                invalid(TokenDefect::Signature),
                "{algorithm} {forged}"
            );
        }
        let other_claims = encode(with("sub", json!("director")).to_string());
        let header = message.split('.').next().unwrap();
        let token = format!("{header}.{other_claims}.{signature}");
        assert_eq!(
            error_of(&verifier, &token).await,
            invalid(TokenDefect::Signature),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn the_header_does_not_choose_how_it_is_verified() {
    let rsa = Signer::new(Algorithm::RS256, "rsa");
    let ec = Signer::new(Algorithm::ES256, "ec");
    let file = TemporaryFile::new(&key_set(&[&rsa, &ec]));
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
                error_of(&verifier, &token).await,
                invalid(TokenDefect::Algorithm),
                "{name:?}"
            );
        }
    }
    // The public key, in the forms in which it gets about, as the secret of an HMAC.
    let jwk = rsa.jwk();
    let modulus = jwk["n"].as_str().unwrap().to_owned();
    for secret in [modulus, jwk.to_string(), key_set(&[&rsa]), String::new()] {
        let message = format!("{}.{}", encode(header(&rsa, "alg", json!("HS256"))), encode(&claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let token = format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())));
        assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::Algorithm));
    }
    // Algorithms that are pinned, but not for that key.
    for (id, algorithm) in [("rsa", "PS256"), ("rsa", "ES256"), ("ec", "RS256"), ("ec", "ES384")] {
        let header = json!({"alg": algorithm, "kid": id}).to_string();
        for token in [rsa.sign(&header, &claims), ec.sign(&header, &claims)] {
            assert_eq!(
                error_of(&verifier, &token).await,
                invalid(TokenDefect::UnknownKey),
                "{id} {algorithm}"
            );
        }
    }
    for value in [json!(null), json!(7), json!(["RS256"])] {
        let token = rsa.sign(&header(&rsa, "alg", value), &claims);
        assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::Malformed));
    }
    let token = rsa.sign(r#"{"kid":"rsa"}"#, &claims);
    assert_eq!(
        error_of(&verifier, &token).await,
        invalid(TokenDefect::Malformed),
        "no alg"
    );
}

#[tokio::test]
async fn keys_that_a_token_brings_are_not_used() {
    let signer = Signer::new(Algorithm::ES256, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::ES256]);
    for (id, defect) in [("1", TokenDefect::Signature), ("2", TokenDefect::UnknownKey)] {
        let attacker = Signer::new(Algorithm::ES256, id);
        for (name, value) in [
            ("jwk", attacker.jwk()),
            ("jku", json!("https://evil.example/keys")),
            ("x5u", json!("https://evil.example/chain")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("abc")),
        ] {
            let token = attacker.sign(&header(&attacker, name, value), &claims().to_string());
            assert_eq!(error_of(&verifier, &token).await, invalid(defect), "{id} {name}");
        }
    }
    // Nor do they harm where the signature is good: some issuers name their certificate.
    let token = signer.sign(&header(&signer, "x5t", json!("abc")), &claims().to_string());
    assert_eq!(error_of(&verifier, &token).await, None);
    for id in [json!(1), json!(null), json!(["1"])] {
        let token = signer.sign(&header(&signer, "kid", id), &claims().to_string());
        assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::Malformed));
    }
    for id in ["", "../../dev/null", "' OR 1=1 --", "1\u{0}", "１"] {
        let token = signer.sign(&header(&signer, "kid", json!(id)), &claims().to_string());
        assert_eq!(
            error_of(&verifier, &token).await,
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
    let server = Server::start(Script::Body(key_set(&[&one, &ed]))).await;
    let published = Issuer {
        keys: server.source(),
        ..issuer(&TemporaryFile::new(""), &[Algorithm::ES256, Algorithm::EdDSA])
    };
    let verifier = Verifier::new(vec![published]).unwrap();
    assert_eq!(
        error_of(&verifier, &one.sign(&nameless, &claims().to_string())).await,
        None
    );
    let other = two.sign(&nameless, &claims().to_string());
    assert_eq!(error_of(&verifier, &other).await, invalid(TokenDefect::Signature));
    // Replaced under the same name: found by its signature.
    server.answer(Script::Body(key_set(&[&two])));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    tokio::time::resume();
    assert_eq!(error_of(&verifier, &other).await, None);
    let third = Signer::new(Algorithm::ES256, "3");
    let file = TemporaryFile::new(&key_set(&[&one, &third]));
    let verifier = Verifier::new(vec![issuer(&file, &[Algorithm::ES256])]).unwrap();
    let token = one.sign(&nameless, &claims().to_string());
    assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::AmbiguousKey));
    assert_eq!(error_of(&verifier, &one.token(&claims())).await, None);
}
