//! Credentials: only the one key and the one name are valid, whatever is presented.

use std::sync::OnceLock;

use aws_ilm::auth::{
    ApiKey, Authenticator, Caller, CertificateName, CertificateNames, Credentials, Digest, PresentedCredentials, Quota,
    Rights, TokenRule,
    jwt::{Algorithm, Issuer, KeySource},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fastrand::Rng;
use tokio::runtime::Runtime;

use crate::made;

const KEY: &str = "ilm_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A key set with one key, whose private half is not here.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"k",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

fn world() -> &'static (Runtime, Authenticator) {
    static WORLD: OnceLock<(Runtime, Authenticator)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("aws-ilm-fuzz-{}.json", std::process::id()));
        std::fs::write(&path, KEYS).unwrap();
        let caller = Caller {
            name: "a".to_owned(),
            keys: vec![ApiKey {
                digest: Digest::of(KEY),
                expires: None,
            }],
            tokens: Some(TokenRule {
                issuer: "https://id.example".to_owned(),
                claims: vec![("sub".to_owned(), "a".to_owned())],
            }),
            certificates: vec!["uri:spiffe://example.com/a".parse::<CertificateName>().unwrap()],
            rights: Rights::all(),
            quota: Quota {
                requests_per_second: 1.0,
                concurrent_requests: 1,
            },
        };
        let issuer = Issuer {
            issuer: "https://id.example".to_owned(),
            audiences: vec!["a".to_owned()],
            keys: KeySource::File(path),
            algorithms: vec![Algorithm::ES256],
            clock_skew: std::time::Duration::ZERO,
        };
        (
            Runtime::new().unwrap(),
            Authenticator::new(vec![caller], vec![issuer]).unwrap(),
        )
    })
}

/// A token that lacks nothing but its signature, or a key.
fn sound(random: &mut Rng) -> Vec<u8> {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = made::mangled(br#"{"alg":"ES256","kid":"k","typ":"JWT"}"#, random);
    let claims = made::mangled(
        br#"{"iss":"https://id.example","aud":"a","sub":"a","exp":4000000000}"#,
        random,
    );
    let (header, claims) = (
        String::from_utf8_lossy(&header).into_owned(),
        String::from_utf8_lossy(&claims).into_owned(),
    );
    match random.u8(..3) {
        0 => KEY.into(),
        _ => format!(
            "{}.{}.{}",
            encode(&header),
            encode(&claims),
            encode(&made::text(random))
        )
        .into_bytes(),
    }
}

/// Text for a header field, or a certificate in the rough.
pub(crate) fn make(random: &mut Rng) -> Vec<u8> {
    let sound = sound(random);
    match random.u8(..4) {
        0 => sound,
        _ => made::mangled(&sound, random),
    }
}

/// Presents the input as each kind of credentials; true when it was valid.
pub(crate) fn hold(input: &[u8], random: &mut Rng) -> bool {
    let (runtime, authenticator) = world();
    // Whatever it is, reading it as a certificate or the name of one is no more than refused.
    let certificate = CertificateNames::from_der(input).ok();
    let text = String::from_utf8_lossy(input);
    drop(text.parse::<CertificateName>());
    let presented = if random.bool() {
        PresentedCredentials::Key(&text)
    } else {
        PresentedCredentials::Bearer(&text)
    };
    let credentials = Credentials {
        presented: Some(presented),
        certificate: certificate.as_ref(),
    };
    let identity = runtime.block_on(authenticator.identify(credentials));
    assert_eq!(identity.is_ok(), text == KEY, "{:?}", identity.err());
    text == KEY
}
