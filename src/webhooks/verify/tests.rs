use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{super::presets, *};

fn now() -> Timestamp {
    "2026-11-02T09:00:00Z".parse().unwrap()
}

fn secrets(own: &[&str], path: &[&str]) -> Secrets {
    let secrets = |texts: &[&str]| texts.iter().map(|text| SecretString::from(*text)).collect();
    Secrets {
        own: secrets(own),
        path: secrets(path),
    }
}

fn preset(name: &str, own: &[&str]) -> Verifier {
    Verifier::new(presets::find(name).unwrap().verifier.clone(), &secrets(own, &[])).unwrap()
}

fn custom(text: &str) -> VerifierSettings {
    let table: toml::Table = toml::from_str(text).unwrap();
    VerifierSettings::read(&table["verifier"]).unwrap()
}

/// A delivery with nothing but a body.
fn posted(body: &str) -> Delivery {
    Example {
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        path_secret: None,
    }
    .delivery(now())
}

fn with_header(delivery: Delivery, name: &str, value: &str) -> Delivery {
    let before = delivery.headers.iter();
    let fields = before.map(|(name, value)| (name.to_owned(), value.to_vec()));
    let own = (name.to_owned(), value.as_bytes().to_vec());
    let headers = super::super::Headers::new(fields.chain([own]));
    Delivery { headers, ..delivery }
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let faults = |text: &str, own: &[&str]| {
        let found = Verifier::new(custom(text), &secrets(own, &[]));
        found
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let signed = |signed: &str, more: &str| {
        format!(
            "verifier = {{ proof = {{ signature = {{ signed = '{signed}', at = {{ header = 'x' }}, \
             schemes = [{{ algorithm = 'hmac-sha256', encoding = 'hex' }}] }} }}, duplicates = 'id' {more} }}"
        )
    };
    for (text, own, part) in [
        (signed("{body}", ""), &[][..], "the source has no secret"),
        (signed("{body}", ""), &[""][..], "a secret is empty"),
        (signed("{body}", ""), &["1", "2", "3", "4", "5"][..], "too many secrets"),
        (signed("{id}.{body}", ""), &["1"][..], "no id is known"),
        (signed("{timestamp}{body}", ""), &["1"][..], "no time is known"),
        (
            signed("{body}", ", id_header = 'i'"),
            &["1"][..],
            "the id is not signed",
        ),
        (
            signed("{body}", ", time = { at = { header = 't' }, form = 'seconds' }"),
            &["1"][..],
            "the time is not signed",
        ),
        ("verifier = 'none'".to_owned(), &["1"][..], "takes no secret"),
        (
            "verifier = { proof = { jwt = {} }, duplicates = 'digest' }".to_owned(),
            &[][..],
            "the issuer can't be used",
        ),
    ] {
        let found = faults(&text, own);
        assert!(found.iter().any(|fault| fault.contains(part)), "{part}: {found:?}");
    }
    let standard = presets::find("standard-webhooks").unwrap().verifier.clone();
    for secret in ["whsec_", "whsec_%", "not base64", "whpk_c2hvcnQ="] {
        let found = Verifier::new(standard.clone(), &secrets(&[secret], &[]));
        assert!(found.unwrap_err()[0].message.contains("secret 1"), "{secret}");
    }
}

#[test]
fn a_verifier_is_none_or_a_table_of_known_words() {
    for (text, part) in [
        ("verifier = 'nothing'", "\"none\""),
        (
            "verifier = { proof = 'none', duplicates = 'digest', more = 1 }",
            "unknown field",
        ),
        (
            "verifier = { proof = 'magic', duplicates = 'digest' }",
            "unknown variant",
        ),
        ("verifier = { duplicates = 'digest' }", "proof"),
        (
            "verifier = { proof = 'path', duplicates = 'id', time = { at = { body = '/t' }, form = 'seconds', oldest = '-5m' } }",
            "above zero",
        ),
    ] {
        let table: toml::Table = toml::from_str(text).unwrap();
        let error = VerifierSettings::read(&table["verifier"]).unwrap_err();
        assert!(error.0.contains(part), "{text}: {error}");
    }
}

#[tokio::test]
async fn a_path_has_its_secret_or_none() {
    let settings = presets::find("lever").unwrap().verifier.clone();
    let body = presets::find("lever").unwrap().example.body.as_bytes();
    let guarded = Verifier::new(settings.clone(), &secrets(&["s"], &["in the path", "another"])).unwrap();
    let open = Verifier::new(settings, &secrets(&["s"], &[])).unwrap();
    let sound = guarded.sign(body, now()).unwrap().delivery(now());
    assert!(guarded.verify(&sound).await.is_ok());
    for (verifier, secret) in [
        (&guarded, None),
        (&guarded, Some("in the pat")),
        (&open, Some("in the path")),
    ] {
        let delivery = Delivery {
            path_secret: secret.map(SecretString::from),
            ..sound.clone()
        };
        let found = verifier.verify(&delivery).await;
        assert_eq!(found.unwrap_err(), VerificationError::PathSecret, "{secret:?}");
    }
    let alone = Verifier::new(
        custom("verifier = { proof = 'path', duplicates = 'digest' }"),
        &secrets(&["p"], &[]),
    )
    .unwrap();
    let example = alone.sign(b"{}", now()).unwrap();
    assert_eq!(alone.verify(&example.delivery(now())).await.unwrap().secret, Some(0));
    assert!(alone.verify(&posted("{}")).await.is_err());
}

#[test]
fn a_challenge_is_said_back() {
    let okta = preset("okta", &["a secret"]);
    let asked = with_header(posted(""), "X-Okta-Verification-Challenge", "abc");
    let Some(Handshake::Challenge(answer)) = okta.challenge(&asked) else {
        panic!("there is an answer");
    };
    assert_eq!(answer, json!({"verification": "abc"}));
    assert!(okta.challenge(&posted("")).is_none());
    assert!(preset("ashby", &["a secret"]).challenge(&asked).is_none());
    let long = with_header(posted(""), "x-okta-verification-challenge", &"a".repeat(600));
    assert!(okta.challenge(&long).is_none());
}

#[tokio::test]
async fn pings_are_taken_where_they_are_signed_or_no_secret_is_known_yet() {
    let hibob = preset("hibob", &["a secret"]);
    let text = |body: &str| {
        let tag = aws_lc_rs::hmac::sign(
            &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA512, b"a secret"),
            body.as_bytes(),
        );
        with_header(posted(body), "Bob-Signature", &Encoding::Base64.encode(tag.as_ref()))
    };
    for body in ["Ping test", "{\"text\":\"Ping test\"}"] {
        let verified = hibob.verify(&text(body)).await.unwrap();
        assert!(verified.handshake.unwrap().is_ping(), "{body}");
        assert!(hibob.verify(&posted(body)).await.is_err(), "{body}");
        let early = preset("hibob", &[]).verify(&posted(body)).await.unwrap();
        assert!(early.handshake.unwrap().is_ping(), "{body}");
    }
    assert!(
        hibob.verify(&text("{\"text\":\"Ping\"}")).await.is_err(),
        "it has no time"
    );
    let early = preset("hibob", &[]).verify(&posted("{}")).await;
    assert_eq!(early.unwrap_err(), VerificationError::NoSecret);
}

#[tokio::test]
async fn a_first_token_is_kept_while_there_is_no_secret() {
    let body = "{\"verification_token\":\"a token\"}";
    let verified = preset("gusto", &[]).verify(&posted(body)).await.unwrap();
    let Some(Handshake::Token(token)) = &verified.handshake else {
        panic!("{verified:?}");
    };
    assert_eq!(token.expose_secret(), "a token");
    assert!(!format!("{verified:?}").contains("a token"));
    for other in [
        "{}",
        "{\"verification_token\":\"\"}",
        "{\"verification_token\":\"a\",\"b\":1}",
        "a token",
    ] {
        assert!(preset("gusto", &[]).verify(&posted(other)).await.is_err(), "{other}");
    }
    let later = preset("gusto", &["a token"]).verify(&posted(body)).await;
    assert!(later.is_err(), "the secret is known: this may be anybody");
}

#[tokio::test]
async fn an_echo_goes_back_with_an_event() {
    let factorial = preset("factorial", &["a challenge"]);
    let example = factorial.sign(b"{}", now()).unwrap();
    let verified = factorial.verify(&example.delivery(now())).await.unwrap();
    // The challenge is the secret.
    assert!(!format!("{verified:?}").contains("a challenge"));
    let Some(Handshake::Echo { name, value }) = verified.handshake else {
        panic!("there is an echo");
    };
    assert_eq!(
        (name.as_str(), value.as_str()),
        ("x-factorial-wh-challenge", "a challenge")
    );
}

#[tokio::test]
async fn what_is_older_than_the_memory_of_duplicates_is_refused() {
    let week = Duration::from_secs(7 * 24 * 3600);
    let remote = preset("remote", &["a secret"]).remembering(week);
    for (days, is_sound) in [(6, true), (8, false)] {
        let then = now() - jiff::SignedDuration::from_hours(24 * days);
        let example = remote.sign(b"{}", then).unwrap();
        let found = remote.verify(&example.delivery(now())).await;
        assert_eq!(found.is_ok(), is_sound, "{days}: {found:?}");
    }
}

#[tokio::test]
async fn a_duplicate_is_known_by_what_was_signed_whichever_secret_signs() {
    let (old, new) = (preset("merge", &["old"]), preset("merge", &["new"]));
    let both = preset("merge", &["new", "old"]);
    let mut identities = Vec::new();
    for signer in [&old, &new] {
        let example = signer.sign(b"{\"a\":1}", now()).unwrap();
        identities.push(both.verify(&example.delivery(now())).await.unwrap().identity);
    }
    assert_eq!(identities[0], identities[1]);
    let other = new.sign(b"{\"a\":2}", now()).unwrap();
    assert_ne!(
        both.verify(&other.delivery(now())).await.unwrap().identity,
        identities[0]
    );
    assert!(identities[0].key().starts_with("signature:"));
}

#[tokio::test]
async fn an_explanation_says_what_was_signed_and_what_would_fit() {
    let merge = preset("merge", &["a secret"]);
    let sound = merge.sign(b"{\"a\": 1}", now()).unwrap().delivery(now());
    let trace = merge.explain(&sound).await;
    assert!(trace.accepted && trace.signatures[0].fits);
    assert_eq!((trace.secret, trace.signatures[0].secret), (Some(1), Some(1)));
    let signed = trace.signed.unwrap();
    assert_eq!((signed.text.as_str(), signed.length), ("{\"a\": 1}", 8));

    for (body, part) in [
        (&b"{\"a\": 1}\n"[..], "white space at the body's end"),
        (b"{\"a\":  1}", ""),
    ] {
        let trace = merge
            .explain(&Delivery {
                body: body.to_vec(),
                ..sound.clone()
            })
            .await;
        assert!(!trace.accepted && !trace.signatures[0].fits);
        assert_eq!(trace.hints.is_empty(), part.is_empty(), "{:?}", trace.hints);
        assert!(part.is_empty() || trace.hints[0].contains(part), "{:?}", trace.hints);
    }
    // A sender that decodes the secret first.
    let decoding = Verifier::new(
        presets::find("finch").unwrap().verifier.clone(),
        &secrets(&["c29tZXRoaW5nIGVsc2U="], &[]),
    )
    .unwrap();
    let raw = custom(
        "[verifier]\nid_header = 'finch-event-id'\nduplicates = 'id'\n\
         time = { at = { header = 'finch-timestamp' }, form = 'seconds' }\n\
         proof = { signature = { signed = '{id}.{timestamp}.{body}', at = { header = 'finch-signature' }, \
         schemes = [{ prefix = 'v1,', algorithm = 'hmac-sha256', encoding = 'base64' }] } }",
    );
    let raw = Verifier::new(raw, &secrets(&["c29tZXRoaW5nIGVsc2U="], &[])).unwrap();
    let trace = raw.explain(&decoding.sign(b"{}", now()).unwrap().delivery(now())).await;
    assert!(trace.hints[0].contains("decoded from base64"), "{:?}", trace.hints);
}

#[tokio::test]
async fn an_explanation_masks_the_secret_of_the_path() {
    let settings = custom(
        "[verifier]\nduplicates = 'digest'\nproof = { signature = { signed = '{method} {path} {url}{body}', \
         at = { header = 'x' }, schemes = [{ algorithm = 'hmac-sha256', encoding = 'hex' }] } }",
    );
    let verifier = Verifier::new(settings, &secrets(&["s"], &["in-the-path"])).unwrap();
    let delivery = Delivery {
        target: SecretString::from("/webhooks/hr/~in-the-path?a=1"),
        path_secret: Some(SecretString::from("in-the-path")),
        ..with_header(posted("{}"), "x", "00")
    };
    let trace = verifier.explain(&delivery).await;
    let text = &trace.signed.as_ref().unwrap().text;
    let expected = "POST /webhooks/hr/~*** https://localhost/webhooks/hr/~***?a=1{}";
    assert_eq!(text, expected);
    assert!(!serde_json::to_string(&trace).unwrap().contains("in-the-path"));
    assert_eq!(
        trace.signatures[0].fault.as_deref(),
        Some("it has 1 bytes; HMAC-SHA256 has 32")
    );
}
