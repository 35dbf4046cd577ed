//! Claims, checked against the issuer's settings and the clock.

use super::*;

/// A verifier with one key, and the signer of tokens for it.
struct World {
    signer: Signer,
    verifier: Verifier,
    _file: TemporaryFile,
}

impl World {
    fn new() -> Self {
        let signer = Signer::new(Algorithm::EdDSA, "1");
        let file = TemporaryFile::new(&key_set(&[&signer]));
        Self {
            verifier: verifier(&file, &[Algorithm::EdDSA]),
            signer,
            _file: file,
        }
    }

    /// Verifies tokens whose claim `name` has each of these values.
    async fn assert_accepted(&self, name: &str, values: &[Value]) {
        for value in values {
            let token = self.signer.token(&with(name, value.clone()));
            assert_eq!(error_of(&self.verifier, &token).await, None, "{name} {value}");
        }
    }

    /// Verifies tokens whose claim `name` has each of these values, and is refused for it.
    async fn assert_refused(&self, defect: TokenDefect, name: &str, values: &[Value]) {
        for value in values {
            let token = self.signer.token(&with(name, value.clone()));
            let error = error_of(&self.verifier, &token).await;
            assert_eq!(error, invalid(defect), "{name} {value}");
        }
    }

    /// Verifies a token without the claim.
    async fn error_without(&self, name: &str) -> Option<TokenError> {
        error_of(&self.verifier, &self.signer.token(&with(name, None))).await
    }
}

/// A time within the allowed difference of clocks.
fn soon() -> u64 {
    now() + 30
}

/// A time past, within the allowed difference of clocks.
fn ago() -> u64 {
    now() - 30
}

fn too_soon() -> u64 {
    now() + SKEW + 30
}

fn long_ago() -> u64 {
    now() - SKEW - 1
}

#[tokio::test]
async fn exp_is_needed_and_not_past() {
    let world = World::new();
    let claim = TokenDefect::Claim("exp");
    assert_eq!(world.error_without("exp").await, invalid(claim));
    let good = [json!(ago()), json!(ago() as f64 + 0.5), json!(253_402_300_799_u64)];
    world.assert_accepted("exp", &good).await;
    let past = [json!(long_ago()), json!(long_ago() as f64 + 0.25), json!(0), json!(1)];
    world.assert_refused(TokenDefect::Expired, "exp", &past).await;
    let no_time = [
        json!(-1),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!((now() + 300) * 1000),
        json!((now() + 300).to_string()),
        json!(null),
        json!(true),
        json!({}),
    ];
    world.assert_refused(claim, "exp", &no_time).await;
    // The last two would be rounded by some readers.
    let malformed = [json!([now() + 300]), json!(1e300), json!(-1e300)];
    world.assert_refused(TokenDefect::Malformed, "exp", &malformed).await;
}

#[tokio::test]
async fn nbf_is_optional_and_not_in_the_future() {
    let world = World::new();
    assert_eq!(world.error_without("nbf").await, None);
    world.assert_accepted("nbf", &[json!(ago()), json!(soon())]).await;
    let future = [json!(too_soon()), json!(u64::MAX)];
    world.assert_refused(TokenDefect::NotYetValid, "nbf", &future).await;
    let no_time = [json!(-5), json!("0"), json!(null)];
    world.assert_refused(TokenDefect::Claim("nbf"), "nbf", &no_time).await;
}

#[tokio::test]
async fn iat_is_optional_and_not_in_the_future() {
    let world = World::new();
    assert_eq!(world.error_without("iat").await, None);
    world
        .assert_accepted("iat", &[json!(soon()), json!(ago() as f64 + 0.5)])
        .await;
    let future = [json!(too_soon())];
    world.assert_refused(TokenDefect::IssuedInFuture, "iat", &future).await;
    let no_time = [json!(1e12), json!("now"), json!(null)];
    world.assert_refused(TokenDefect::Claim("iat"), "iat", &no_time).await;
}

#[tokio::test]
async fn iss_is_exactly_a_configured_issuer() {
    let world = World::new();
    let claim = TokenDefect::Claim("iss");
    assert_eq!(world.error_without("iss").await, invalid(claim));
    world.assert_refused(claim, "iss", &[json!([ISSUER])]).await;
    let unknown = [
        json!(""),
        json!(format!("{ISSUER}/")),
        json!("https://ISSUER.example/realm"),
        json!("https://evil.example"),
    ];
    world.assert_refused(TokenDefect::UnknownIssuer, "iss", &unknown).await;
}

#[tokio::test]
async fn aud_holds_a_configured_audience() {
    let world = World::new();
    let claim = TokenDefect::Claim("aud");
    assert_eq!(world.error_without("aud").await, invalid(claim));
    world
        .assert_accepted("aud", &[json!("ilm"), json!(["other", "ilm"])])
        .await;
    let other = [
        json!("other"),
        json!(""),
        json!("ILM"),
        json!("ilm other"),
        json!(format!("{AUDIENCE}/")),
        json!([]),
        json!(["other"]),
    ];
    world.assert_refused(TokenDefect::Audience, "aud", &other).await;
    let no_audience = [json!([7, "ilm"]), json!([["ilm"]]), json!({"ilm": true}), json!(null)];
    world.assert_refused(claim, "aud", &no_audience).await;
}

#[tokio::test]
async fn sub_is_optional_text() {
    let world = World::new();
    assert_eq!(world.error_without("sub").await, None);
    let no_text = [json!(7), json!(null)];
    world.assert_refused(TokenDefect::Claim("sub"), "sub", &no_text).await;
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_refused() {
    let bound = [json!({"jkt": "0ZcOCORZNYy"}), json!(null)];
    World::new().assert_refused(TokenDefect::Bound, "cnf", &bound).await;
}

#[tokio::test]
async fn an_expired_token_is_expired_in_that_very_second() {
    let signer = Signer::new(Algorithm::EdDSA, "1");
    let file = TemporaryFile::new(&key_set(&[&signer]));
    let strict = Issuer {
        clock_skew: Duration::ZERO,
        ..issuer(&file, &[Algorithm::EdDSA])
    };
    let verifier = Verifier::new(vec![strict]).unwrap();
    let token = signer.token(&with("exp", json!(now())));
    assert_eq!(error_of(&verifier, &token).await, invalid(TokenDefect::Expired));
}
