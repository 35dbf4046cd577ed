//! Bearer tokens of an issuer on loopback, found by discovery: the caller that each proves, and
//! what comes of those that are no good.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{Json, Router, routing::get};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    callers::{ALL, replace, world},
    harness::World,
    process::File,
};

/// A key of the issuer's, with its id.
struct Signer {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { id, pair }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": encode(x), "y": encode(y)})
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": self.id});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// An issuer that shows where its keys are, and them.
struct Issuer {
    url: String,
}

impl Issuer {
    async fn start(signer: &Signer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let keys = json!({"keys": [signer.jwk()]});
        let about = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let router = Router::new()
            .route("/keys", get(async move || Json(keys.clone())))
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(about.clone())),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url }
    }

    fn claims(&self, more: &Value) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({"iss": self.url, "aud": "aws-ilm", "sub": "zq7-person", "iat": now, "exp": now + 300});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// Two callers by the groups in a token, the narrower first.
    fn callers(&self) -> String {
        format!(
            "[[issuers]]\nissuer = \"{}\"\naudiences = [\"aws-ilm\"]\nalgorithms = [\"ES256\"]\nclock_skew = \"0s\"\n\
             [[callers]]\nname = \"readers\"\nclaims = [\"groups=ilm-readers\"]\ncommands = [\"read\"]\ninstances = [\"*\"]\n\
             [[callers]]\nname = \"robot\"\nclaims = [\"scope=ilm.write\", \"client_id=robot\"]\n{ALL}\n",
            self.url
        )
    }
}

async fn ask(world: &World, token: &str, command: &str) -> u16 {
    let request = world
        .http
        .post(world.url(&format!("/commands/{command}?dryRun=true")))
        .bearer_auth(token);
    // From another address each time, so that no request is slowed.
    let address = format!("198.51.{}.{}", fastrand::u8(..), fastrand::u8(..));
    crate::harness::answer(request.header("x-forwarded-for", address).json(&super::somebody()))
        .await
        .status
}

#[tokio::test]
async fn a_token_lets_in_as_the_caller_whose_claims_it_holds() {
    let signer = Signer::new("k-1");
    let issuer = Issuer::start(&signer).await;
    let (world, _file) = world(&issuer.callers(), &[("AWS_ILM_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let reader = json!({"groups": ["staff", "ilm-readers"]});
    for (more, read, write) in [
        (reader.clone(), 200, 403),
        (json!({"groups": "ilm-readers"}), 200, 403),
        (json!({"scope": "openid ilm.write", "client_id": "robot"}), 200, 200),
        // The token matches both rules: the first in the file names the caller.
        (
            json!({"scope": "ilm.write", "client_id": "robot", "groups": ["ilm-readers"]}),
            200,
            403,
        ),
        (json!({"scope": "ilm.write"}), 401, 401),
        (json!({"scope": "ilm.writer", "client_id": "robot"}), 401, 401),
        (json!({"groups": ["ilm-reader"]}), 401, 401),
        (json!({"groups": ["ilm-readers"], "exp": now - 1}), 401, 401),
        (json!({"groups": ["ilm-readers"], "nbf": now + 120}), 401, 401),
        (json!({"groups": ["ilm-readers"], "aud": "another"}), 401, 401),
        (
            json!({"groups": ["ilm-readers"], "aud": ["another", "aws-ilm"]}),
            200,
            403,
        ),
        (
            json!({"groups": ["ilm-readers"], "iss": "https://id.example"}),
            401,
            401,
        ),
        (json!({"groups": ["ilm-readers"], "exp": null}), 401, 401),
    ] {
        let token = signer.sign(&issuer.claims(&more));
        assert_eq!(ask(&world, &token, "iam-get-user").await, read, "{more}");
        assert_eq!(ask(&world, &token, "iam-disable-user").await, write, "{more}");
    }
    // The same claims signed with another key, or unsigned.
    let claims = issuer.claims(&reader);
    let forged = Signer::new("k-1").sign(&claims);
    assert_eq!(ask(&world, &forged, "iam-get-user").await, 401);
    let (message, _) = forged.rsplit_once('.').unwrap();
    assert_eq!(ask(&world, &format!("{message}."), "iam-get-user").await, 401);
    let unsigned =
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#) + "." + &URL_SAFE_NO_PAD.encode(claims.to_string()) + ".";
    assert_eq!(ask(&world, &unsigned, "iam-get-user").await, 401);
    // A token is a bearer's, and no API key.
    let token = signer.sign(&claims);
    let as_key = world
        .get_user(&[("x-api-key", &token), ("x-forwarded-for", "198.51.100.1")])
        .await;
    assert_eq!(as_key.status, 401);
}

#[tokio::test]
async fn an_issuer_that_changes_its_key_is_followed() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(&old).await;
    let keys = File::new(&json!({"keys": [old.jwk()]}).to_string());
    let callers = issuer
        .callers()
        .replace("audiences", &format!("jwks_file = \"{}\"\naudiences", keys.path()));
    let (world, _file) = world(&callers, &[("AWS_ILM_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let claims = issuer.claims(&json!({"groups": ["ilm-readers"]}));
    let (old_token, new_token) = (old.sign(&claims), new.sign(&claims));
    let until = async |token: &str, status: u16| {
        let begin = Instant::now();
        while ask(&world, token, "iam-get-user").await != status {
            assert!(begin.elapsed() < Duration::from_secs(20), "not {status} in time");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    until(&old_token, 200).await;
    assert_eq!(ask(&world, &new_token, "iam-get-user").await, 401);
    replace(keys.path(), &json!({"keys": [old.jwk(), new.jwk()]}).to_string());
    until(&new_token, 200).await;
    assert_eq!(ask(&world, &old_token, "iam-get-user").await, 200);
    replace(keys.path(), &json!({"keys": [new.jwk()]}).to_string());
    until(&old_token, 401).await;
    assert_eq!(ask(&world, &new_token, "iam-get-user").await, 200);
}

#[tokio::test]
async fn while_the_keys_cant_be_had_nobody_is_refused_for_good() {
    let signer = Signer::new("k-1");
    let mut issuer = Issuer::start(&signer).await;
    // No service listens on that port.
    issuer.url = "http://127.0.0.1:9".to_owned();
    let (world, _file) = world(&issuer.callers(), &[]).await;
    let token = signer.sign(&issuer.claims(&json!({"groups": ["ilm-readers"]})));
    let answer = world.get_user(&[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(
        (answer.header("retry-after"), &answer.json()["type"]),
        (Some("5"), &json!("/problems/keys-unavailable"))
    );
    // A request without a token gets the ordinary 401, whatever the issuer's state.
    assert_eq!(world.get_user(&[]).await.status, 401);
}
