//! Security event tokens (RFC 8417) that are pushed (RFC 8935) and say what SCIM events say (RFC
//! 9967): what is answered to each, byte by byte.

use std::fmt::Write as _;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    harness::Answer,
    operations::set_away,
    webhooks::{Hr, now},
};

const DEACTIVATE: &str = "urn:ietf:params:scim:event:prov:deactivate";
const CREATE: &str = "urn:ietf:params:scim:event:prov:create:full";

const SOURCES: &str = r#"
[[sources]]
name = "idp"
preset = "scim-events"
issuer = { issuer = "https://idp.example.com", audiences = ["https://ilm.example.com"], algorithms = ["ES256"], jwks_file = "keys.json" }
"#;

/// A service with an issuer's keys.
struct Idp {
    hr: Hr,
    pair: EcdsaKeyPair,
}

impl Idp {
    async fn start() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k", "x": encode(x), "y": encode(y)});
        let keys = json!({"keys": [key]}).to_string();
        let hr = Hr::with(SOURCES, &[("keys.json", &keys)], &[]).await;
        Self { hr, pair }
    }

    fn token(&self, r#type: &str, claims: &str) -> String {
        let header = json!({"alg": "ES256", "typ": r#type, "kid": "k"}).to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    async fn push(&self, r#type: &str, token: &str) -> Answer {
        let fields = [("content-type".to_owned(), r#type.to_owned())];
        self.hr.post("idp", &fields, token).await
    }

    async fn event(&self, claims: &Value) -> Answer {
        let token = self.token("secevent+jwt", &claims.to_string());
        self.push("application/secevent+jwt", &token).await
    }
}

fn claims(id: &str, employee: &str, event: &str, said: &Value) -> Value {
    json!({"iss": "https://idp.example.com", "aud": "https://ilm.example.com", "iat": now(), "jti": id, "txn": "t",
        "sub_id": {"format": "scim", "uri": "/Users/44f6", "externalId": employee}, "events": {event: said}})
}

fn hire(id: &str, employee: &str) -> Value {
    let data = json!({"userName": format!("ada.{employee}"), "emails": [{"value": format!("ada.{employee}@example.com")}],
        "name": {"givenName": "Ada", "familyName": "Okafor"}, "displayName": "Ada Okafor"});
    claims(id, employee, CREATE, &json!({"data": data}))
}

/// RFC 8935 section 2.2: 202, and an empty body.
#[track_caller]
fn assert_acknowledged(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(answer.header("content-type"), None);
}

/// RFC 8935 section 2.3: 400, and the error as JSON in a language that is named.
#[track_caller]
fn assert_refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-language"), Some("en"));
    let error = answer.json();
    let mut members: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["description", "err"]);
    assert_eq!(error["err"], "invalid_request");
    let description = error["description"].as_str().unwrap();
    assert!(description.contains(words), "{description}");
}

#[tokio::test]
async fn a_token_is_acknowledged_without_a_body_and_carried_out() {
    let idp = Idp::start().await;
    assert_acknowledged(&idp.event(&hire("j-1", "7")).await);
    idp.hr.user_becomes("ada.7", |user| user["active"] == true).await;
    let leaves = claims("j-2", "7", DEACTIVATE, &json!({}));
    assert_acknowledged(&idp.event(&leaves).await);
    idp.hr.user_becomes("ada.7", |user| user["active"] == false).await;
    // The same again, and its words under another signature.
    assert_acknowledged(&idp.event(&leaves).await);
    let events = idp.hr.events("").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["type"], DEACTIVATE);
    assert_eq!(events[1]["type"], CREATE);
    let shown = idp
        .hr
        .get(&format!("/events/{}", events[0]["id"].as_str().unwrap()))
        .await;
    assert_eq!(shown["operations"][0]["purpose"], "termination");
    // A sender that says no type, or says it in other letters, sends a token as well.
    let token = idp.token("secevent+jwt", &hire("j-3", "8").to_string());
    assert_acknowledged(&idp.push("APPLICATION/secevent+JWT; charset=utf-8", &token).await);
    // What no rule knows is kept as well.
    assert_acknowledged(&idp.event(&claims("j-4", "7", "urn:example:other", &json!({}))).await);
    assert_eq!(idp.hr.events("?verdict=ignored").await.len(), 1);
}

#[tokio::test]
async fn a_proven_token_that_can_not_be_taken_is_told_why_in_two_members() {
    let idp = Idp::start().await;
    assert_acknowledged(&idp.event(&hire("j-1", "7")).await);
    assert_refused(&idp.event(&hire("j-1", "8")).await, "that of another event");
    assert_eq!(idp.hr.events("").await.len(), 1);
    let token = idp.token("secevent+jwt", &hire("j-2", "8").to_string());
    for r#type in ["application/json", "application/jwt", "text/plain"] {
        assert_refused(&idp.push(r#type, &token).await, "application/secevent+jwt");
    }
    assert_refused(
        &idp.push("application/secevent+jwt; charset=utf-16", &token).await,
        "UTF-8",
    );
    assert_eq!(idp.hr.events("").await.len(), 1);
    idp.hr.user_becomes("ada.7", |user| user["active"] == true).await;
    assert!(idp.hr.stored.world.user("ada.8").is_null());
}

/// Whatever is wrong with its proof is told as of any other source, by 401: RFC 8935 would have the
/// reason told, which a forger would hear as well.
#[tokio::test]
async fn a_token_that_is_not_proven_is_told_nothing() {
    let idp = Idp::start().await;
    let good = hire("j-1", "7");
    let other = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let of_another = Idp {
        pair: other,
        hr: Hr::with(SOURCES, &[("keys.json", "{\"keys\": []}")], &[]).await,
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        idp.token("secevent+jwt", &claims.to_string())
    };
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        idp.token("secevent+jwt", &claims.to_string())
    };
    let right = idp.token("secevent+jwt", &good.to_string());
    let mut cut = right.clone();
    cut.pop();
    let mut long = String::from("a.b.");
    let _ = write!(long, "{}", "c".repeat(100_000));
    for (what, token) in [
        ("nothing", String::new()),
        ("no token", "zq".to_owned()),
        ("a long one", long),
        ("another key", of_another.token("secevent+jwt", &good.to_string())),
        ("a cut one", cut),
        ("another type", idp.token("JWT", &good.to_string())),
        ("no jti", without("jti")),
        ("no iat", without("iat")),
        ("no issuer", without("iss")),
        ("no audience", without("aud")),
        ("no events", without("events")),
        ("another issuer", with("iss", json!("https://idp.example.org"))),
        ("another audience", with("aud", json!(["https://ilm.example.org"]))),
        ("the future", with("iat", json!(now() + 3_600))),
        ("no JSON", idp.token("secevent+jwt", "{\"iss\": ")),
        (
            "a member twice",
            idp.token("secevent+jwt", &good.to_string().replacen('{', "{\"jti\": \"x\", ", 1)),
        ),
    ] {
        let refused = idp.push("application/secevent+jwt", &token).await;
        assert_eq!(refused.status, 401, "{what}: {}", refused.text);
        assert_eq!(refused.json()["type"], "/problems/webhook-unproven", "{what}");
    }
    let typed = [("content-type".to_owned(), "application/secevent+jwt".to_owned())];
    let unknown = idp.hr.post("nothing", &typed, &right).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(idp.hr.events("?verdict=accepted").await, Vec::<Value>::new());
    // As it was before each of these changes it is taken.
    assert_acknowledged(&idp.push("application/secevent+jwt", &right).await);
}

#[tokio::test]
async fn a_token_that_can_not_be_stored_is_to_come_again() {
    let idp = Idp::start().await;
    assert_acknowledged(&idp.event(&hire("j-1", "7")).await);
    set_away(idp.hr.stored.folder(), true);
    let away = idp.event(&hire("j-2", "8")).await;
    assert_eq!(away.status, 503, "{}", away.text);
    assert!(away.header("retry-after").is_some());
    set_away(idp.hr.stored.folder(), false);
}
