//! Header fields, signatures, times and boundaries as no sender writes them.

use jiff::SignedDuration;

use super::{Vector, of, plain, vectors};

#[tokio::test]
async fn headers_that_are_missing_empty_doubled_or_endless_are_refused() {
    let (received, vectors) = plain();
    for vector in vectors {
        for place in 0..vector.headers.len() {
            let name = vector.headers[place].0.clone();
            let value = vector.headers[place].1.clone();
            let mut variants = Vec::new();
            let spaced = format!("{value} x");
            for text in [String::new(), format!("{value}{}", "A".repeat(20_000)), spaced.clone()] {
                let mut changed = vector.clone();
                changed.headers[place].1 = text;
                variants.push(changed);
            }
            let mut missing = vector.clone();
            missing.headers.remove(place);
            let mut doubled = vector.clone();
            doubled.headers.push((name.to_uppercase(), value.clone()));
            let mut other = vector.clone();
            other.headers.insert(0, (name.clone(), "another".to_owned()));
            variants.extend([missing, doubled, other]);
            for variant in variants {
                // Spaces part the signatures of a list; what is no signature is left out of it.
                let is_list = ["standard-webhooks", "finch"].contains(&vector.preset.as_str());
                let own = variant.headers.get(place).map(|(_, text)| text.as_str());
                if is_list && own == Some(spaced.as_str()) && name.to_lowercase().ends_with("signature") {
                    continue;
                }
                let found = variant.verify(received).await;
                assert!(found.is_err(), "{}: {:?}", vector.name(), variant.headers);
            }
        }
    }
}

/// Hostile input 61, no signature, an empty one, garbage, another version, wrong base64, ten
/// thousand in one header: 401, with bounded work.
#[tokio::test]
async fn signatures_that_are_none_are_refused() {
    let (received, vector) = of("standard-webhooks");
    let own = vector.headers[2].1.clone();
    for text in [
        String::new(),
        "garbage".to_owned(),
        "v0,abcd".to_owned(),
        "v1,====".to_owned(),
        "v1,\u{e9}".to_owned(),
        format!("v1,{}", "A".repeat(1_000)),
        format!("{}{own}", "v1,AAAA ".repeat(10_000)),
        format!("{}{own}", "v1,AAAA ".repeat(100)),
    ] {
        let mut changed = vector.clone();
        changed.headers[2].1.clone_from(&text);
        let found = changed.verify(received).await.err();
        let shown: String = text.chars().take(20).collect();
        assert!(found.is_some(), "{shown}");
    }
}

/// Hostile input 64, times that are too old, in the future, negative, of another form, beyond 64
/// bits or empty, each signed: 401. Those of 299 seconds are accepted.
#[tokio::test]
async fn times_out_of_range_are_refused_though_they_are_signed() {
    let (received, vector) = of("standard-webhooks");
    let (verifier, _) = vector.verifier();
    for (seconds, is_sound) in [(-301, false), (-299, true), (0, true), (299, true), (301, false)] {
        let then = received + SignedDuration::from_secs(seconds);
        let example = verifier.sign(b"{}", then).unwrap();
        let found = verifier.verify(&example.delivery(received)).await;
        assert_eq!(found.is_ok(), is_sound, "{seconds}: {found:?}");
    }
    let webhook = standardwebhooks::Webhook::new(&vector.secrets[0]).unwrap();
    for seconds in [-1, 0, 1_000_000_000, i64::MAX, i64::MIN] {
        let mut changed = vector.clone();
        changed.headers[1].1 = seconds.to_string();
        changed.headers[2].1 = webhook.sign("msg_1", seconds, changed.body.as_bytes()).unwrap();
        assert!(changed.verify(received).await.is_err(), "{seconds}");
    }
    for text in [
        "",
        "9223372036854775808",
        "1e9",
        "0x65540000",
        "1700000000.0",
        " 1700000000",
        "+1700000000",
        "now",
    ] {
        let mut changed = vector.clone();
        changed.headers[1].1 = text.to_owned();
        assert!(changed.verify(received).await.is_err(), "{text:?}");
    }
}

/// Hostile input 67, an id with a dot, with a line end, of ten kilobytes, each signed: refused.
///
/// Hostile input 68, a signature over the same bytes, cut between id, time and body in another way:
/// 401.
#[tokio::test]
async fn boundaries_between_what_is_signed_can_not_be_moved() {
    let (received, vectors) = vectors();
    let moved = |vector: &&Vector| vector.case.starts_with("cut ") || vector.case.starts_with("an id of ");
    let mut refused = 0;
    for vector in vectors.iter().filter(moved) {
        let found = vector.verify(received).await;
        assert_eq!(found.is_ok(), vector.accepted, "{}: {found:?}", vector.name());
        refused += u32::from(found.is_err());
    }
    assert!(refused >= 9, "{refused}");
}
