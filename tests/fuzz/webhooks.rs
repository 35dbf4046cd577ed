//! Deliveries of webhooks: header fields, lists of signatures, bodies. Only what was signed is
//! accepted, whatever is done to it, and no explanation has a secret.
//!
//! An input is the name of a preset, header fields and a body, as lines.

use std::{collections::BTreeMap, sync::OnceLock};

use aws_ilm::webhooks::{
    Delivery, Headers, body, presets,
    verify::{Part, Proof, Secrets, Verifier},
};
use fastrand::Rng;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::runtime::Runtime;

use crate::made;

/// The time at which all is signed, and arrives.
const NOW: i64 = 1_700_000_000;

struct Sender {
    verifier: Verifier,
    secret: String,
    /// What it sends, signed.
    body: Vec<u8>,
    headers: Vec<(String, String)>,
    /// Whether its signature is over the whole body.
    covers_body: bool,
}

struct World {
    runtime: Runtime,
    senders: BTreeMap<&'static str, Sender>,
    decoy: Verifier,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World {
        runtime: Runtime::new().unwrap(),
        // Tokens are the target `credentials`.
        senders: presets::all()
            .filter(|preset| preset.name != "scim-events")
            .map(|preset| (preset.name.as_str(), sender(preset)))
            .collect(),
        decoy: Verifier::decoy().unwrap(),
    })
}

fn sender(preset: &presets::Preset) -> Sender {
    let secret = preset.example.secret.clone();
    let own = (!secret.is_empty()).then(|| SecretString::from(secret.as_str()));
    let secrets = Secrets {
        own: own.into_iter().collect(),
        path: Vec::new(),
    };
    let verifier = Verifier::new(preset.verifier.clone(), &secrets).unwrap();
    let example = verifier.sign(preset.example.body.as_bytes(), now()).unwrap();
    let proof = &preset.verifier.proof;
    let covers_body = matches!(proof, Proof::Signature(signature) if signature.signed.has(&Part::Body));
    Sender {
        verifier,
        secret,
        body: example.body,
        headers: example.headers,
        covers_body,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// A delivery, more or less as its sender sends it.
pub(crate) fn make(random: &mut Rng) -> Vec<u8> {
    let names: Vec<&str> = world().senders.keys().copied().collect();
    let name = made::one(&names, random);
    let sender = &world().senders[name];
    let mut headers = sender.headers.clone();
    match random.u8(..6) {
        0 => headers.extend(sender.headers.first().cloned()),
        1 => drop(headers.pop()),
        2 => headers.reverse(),
        3 => {
            // A list, of what is none and of what is right.
            if let Some((_, value)) = headers.last_mut() {
                let between = made::one(&[" ", ",", ", ", "  "], random);
                *value = format!("{}{between}{value}", made::text(random)).repeat(random.usize(1..12));
            }
        }
        _ => {}
    }
    let types = [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/xml",
    ];
    if random.bool() {
        headers.push(("content-type".to_owned(), made::one(&types, random).to_owned()));
    }
    let mut input = Vec::new();
    for (name, value) in headers {
        input.extend(format!("{name}: {value}\n").into_bytes());
    }
    input.push(b'\n');
    input.extend(&sender.body);
    let mut delivered = format!("{name}\n").into_bytes();
    delivered.extend(if random.u8(..4) == 0 {
        input
    } else {
        made::mangled(&input, random)
    });
    delivered
}

/// Whether it is accepted.
pub(crate) fn hold(input: &[u8], _: &mut Rng) -> bool {
    let World {
        runtime,
        senders,
        decoy,
    } = world();
    let Some((sender, delivery)) = read(input, senders) else {
        return false;
    };
    let found = runtime.block_on(sender.verifier.verify(&delivery));
    let trace = runtime.block_on(sender.verifier.explain(&delivery));
    assert_eq!(trace.accepted, found.is_ok());
    let told = format!("{} {found:?}", serde_json::to_string(&trace).unwrap());
    assert!(sender.secret.is_empty() || !told.contains(&sender.secret), "{told}");
    drop(sender.verifier.challenge(&delivery));
    assert!(runtime.block_on(decoy.verify(&delivery)).is_err());
    let Ok(verified) = found else {
        return false;
    };
    assert!(
        !sender.covers_body || delivery.body == sender.body,
        "another body is accepted"
    );
    drop(body::parse(sender.verifier.settings(), &delivery, &verified));
    true
}

fn read<'a>(input: &[u8], senders: &'a BTreeMap<&str, Sender>) -> Option<(&'a Sender, Delivery)> {
    let mut rest = input;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at(end);
        rest = &after[1..];
        Some(line)
    };
    let sender = senders.get(std::str::from_utf8(line()?).ok()?)?;
    let mut headers = Vec::new();
    while let Some(field) = line().filter(|field| !field.is_empty()) {
        let colon = field.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&field[..colon]).into_owned();
        headers.push((name, field[colon + 1..].trim_ascii().to_vec()));
    }
    let delivery = Delivery {
        method: "POST".to_owned(),
        target: SecretString::from("/webhooks/hr"),
        host: Some("localhost".to_owned()),
        path_type: None,
        path_secret: None,
        headers: Headers::new(headers),
        body: rest.to_vec(),
        received: now(),
    };
    Some((sender, delivery))
}
