//! Issuers: their settings, their keys, and that none speaks for another.

use super::*;

#[tokio::test]
async fn an_issuer_speaks_for_itself_alone() {
    let [one, two] = [1, 2].map(|_| Signer::new(Algorithm::EdDSA, "1"));
    let [first, second] = [&one, &two].map(|signer| TemporaryFile::new(&key_set(&[signer])));
    let other = Issuer {
        issuer: "https://other.example".to_owned(),
        ..issuer(&second, &[Algorithm::EdDSA])
    };
    let verifier = Verifier::new(vec![issuer(&first, &[Algorithm::EdDSA]), other]).unwrap();
    let of_other = with("iss", json!("https://other.example"));
    assert_eq!(error_of(&verifier, &one.token(&claims())).await, None);
    assert_eq!(error_of(&verifier, &two.token(&of_other)).await, None);
    assert_eq!(
        error_of(&verifier, &one.token(&of_other)).await,
        invalid(TokenDefect::Signature)
    );
    assert_eq!(
        error_of(&verifier, &two.token(&claims())).await,
        invalid(TokenDefect::Signature)
    );
}

#[tokio::test]
async fn without_keys_no_token_can_be_verified() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new("{}");
    let verifier = verifier(&file, &[Algorithm::EdDSA]);
    let token = signer.token(&claims());
    assert_eq!(error_of(&verifier, &token).await, Some(TokenError::KeysUnavailable));
    // A fault that shows without a key is reported as such.
    assert_eq!(
        error_of(&verifier, &signer.token(&with("iss", json!("x")))).await,
        invalid(TokenDefect::UnknownIssuer)
    );
    assert_eq!(
        error_of(&Verifier::new(Vec::new()).unwrap(), &token).await,
        invalid(TokenDefect::UnknownIssuer)
    );
}

#[tokio::test]
async fn new_settings_keep_the_keys_of_an_issuer_that_stays() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
    let before = verifier(&file, &[Algorithm::EdDSA]);
    let token = signer.token(&claims());
    assert_eq!(error_of(&before, &token).await, None);
    file.write("broken");
    let other_audience = Issuer {
        audiences: vec!["another".to_owned()],
        ..issuer(&file, &[Algorithm::EdDSA])
    };
    let after = before.renewed(vec![other_audience]).unwrap();
    assert_eq!(error_of(&after, &token).await, invalid(TokenDefect::Audience));
    let elsewhere = TemporaryFile::new("broken");
    let moved = before.renewed(vec![issuer(&elsewhere, &[Algorithm::EdDSA])]).unwrap();
    assert_eq!(error_of(&moved, &token).await, Some(TokenError::KeysUnavailable));
    assert!(before.renewed(Vec::new()).unwrap().trusted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_watch_fetches_the_keys_of_all_issuers_and_ends_when_dropped() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
    let verifier = Arc::new(verifier(&file, &[Algorithm::EdDSA]));
    let hour = Duration::from_secs(60 * 60);
    assert!(tokio::time::timeout(hour, verifier.watch()).await.is_err());
    let none = Verifier::new(Vec::new()).unwrap();
    assert!(tokio::time::timeout(hour, none.watch()).await.is_err());
    assert_eq!(error_of(&verifier, &signer.token(&claims())).await, None);
}

#[test]
fn settings_are_checked_without_a_request() {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let good = Issuer {
        issuer: "https://issuer.example".to_owned(),
        audiences: vec!["ilm".to_owned()],
        keys: KeySource::Discovery,
        algorithms: vec![Algorithm::RS256],
        clock_skew: Duration::from_secs(300),
    };
    assert!(Verifier::new(vec![good.clone()]).is_ok());
    let with_keys = |text: &str| Issuer {
        keys: KeySource::Url(text.parse().unwrap()),
        ..good.clone()
    };
    let named = |issuer: &str| Issuer {
        issuer: issuer.to_owned(),
        ..good.clone()
    };
    let with_audiences = |audiences: &[&str]| Issuer {
        audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
        ..good.clone()
    };
    for issuer in [
        Issuer {
            issuer: "accounts.example".to_owned(),
            ..with_keys("https://keys.example/?policy=1")
        },
        with_keys("http://[::1]:8080/keys"),
        Issuer {
            keys: KeySource::File("keys.json".into()),
            ..named("any text")
        },
    ] {
        assert_eq!(issuer.check(), Ok(()), "{issuer:?}");
        assert!(Verifier::new(vec![issuer]).is_ok());
    }
    for (issuer, error) in [
        (named(""), IssuerError::NoIssuer),
        (with_audiences(&[]), IssuerError::NoAudience),
        (with_audiences(&["ilm", ""]), IssuerError::NoAudience),
        (
            Issuer {
                algorithms: Vec::new(),
                ..good.clone()
            },
            IssuerError::NoAlgorithm,
        ),
        (
            Issuer {
                clock_skew: Duration::from_millis(300_001),
                ..good.clone()
            },
            IssuerError::ClockSkew,
        ),
        (
            named("http://issuer.example"),
            IssuerError::Keys(AddressError::NotHttps),
        ),
        (named("accounts.example"), IssuerError::Keys(AddressError::NotAUrl)),
        (
            with_keys("http://keys.example/"),
            IssuerError::Keys(AddressError::NotHttps),
        ),
        (
            with_keys("https://u:p@keys.example/"),
            IssuerError::Keys(AddressError::Credentials),
        ),
    ] {
        assert_eq!(issuer.check(), Err(error), "{issuer:?}");
        assert!(Verifier::new(vec![issuer]).is_err());
    }
    let twice = Verifier::new(vec![good.clone(), good]);
    assert_eq!(
        twice.unwrap_err().to_string(),
        "issuer https://issuer.example is given twice"
    );
}
