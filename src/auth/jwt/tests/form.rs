//! The form of tokens: types, encoding, length, strict JSON; and made-up text.

use proptest::prelude::*;

use super::{super::token, *};

#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
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
            error_of(&verifier, &token).await,
            expected.map(TokenError::Invalid),
            "{name} {value}"
        );
    }
    let token = signer.sign(r#"{"alg":"EdDSA","kid":"1"}"#, &claims().to_string());
    assert_eq!(
        error_of(&verifier, &token).await,
        None,
        "RFC 7519 section 5.1: typ may be left out"
    );
}

#[tokio::test]
async fn what_two_readers_could_understand_differently_is_malformed() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
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
            error_of(&verifier, &token).await,
            invalid(TokenDefect::Malformed),
            "{header} {claims}"
        );
    }
    // Bytes that are no UTF-8.
    let token = signer.sign_encoded(&format!("{}.{}", encode(&header), encode(b"{\"iss\":\"\xFF\"}")));
    assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::Malformed));
}

#[tokio::test]
async fn only_the_one_encoding_is_taken() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let token = signer.token(&claims());
    assert_eq!(error_of(&verifier, &token).await, None);
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
            error_of(&verifier, &token).await,
            invalid(TokenDefect::Malformed),
            "{token:?}"
        );
    }
}

#[tokio::test]
async fn a_long_token_is_not_decoded() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let groups = |count: usize| with("groups", json!(vec!["0123456789"; count]));
    let fits = signer.token(&groups(900));
    assert!(fits.len() < token::MAX_LENGTH, "{}", fits.len());
    assert_eq!(error_of(&verifier, &fits).await, None);
    let too_long = signer.token(&groups(1000));
    assert!(too_long.len() > token::MAX_LENGTH);
    for token in [too_long, "a".repeat(1 << 20), ".".repeat(token::MAX_LENGTH + 1)] {
        assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::TooLong));
    }
}

/// A verifier, and a token that it accepts.
fn prepared() -> (tokio::runtime::Runtime, TemporaryFile, Verifier, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
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
