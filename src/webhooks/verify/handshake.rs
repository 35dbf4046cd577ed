//! What senders post or ask that is no event.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::{super::Delivery, HandshakeSettings, Verifier};
use crate::json;

/// The longest challenge that is answered, in bytes.
const LONGEST_CHALLENGE: usize = 512;

/// The longest body that is looked at for a handshake, in bytes.
const LONGEST_BODY: usize = 16 * 1024;

/// What has to be answered to a delivery that is no event.
#[derive(Clone)]
pub enum Handshake {
    /// 200, with this as JSON.
    Challenge(Value),
    /// The delivery is an event like others, and its answer has this header.
    Echo {
        /// The header.
        name: String,
        /// Its value. It may be the sender's proof itself, as Factorial's is.
        value: String,
    },
    /// 2xx, and nothing is kept.
    Ping,
    /// 2xx. The sender's secret is shown to the operator, once. Nothing proves that the sender sent
    /// it: the operator compares it with what the sender shows.
    Token(SecretString),
}

/// Shows what it is, and no value: an echo and a token may be secrets.
impl fmt::Debug for Handshake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Verifier {
    /// The answer to a GET: a challenge, where the sender sends any. It is answered without a
    /// proof, as senders want it, and only says back what was said.
    pub fn challenge(&self, delivery: &Delivery) -> Option<Handshake> {
        self.settings.handshakes.iter().find_map(|handshake| {
            let HandshakeSettings::Challenge { header, field } = handshake else {
                return None;
            };
            let value = delivery.headers.one(header).ok().flatten()?;
            let is_sound = !value.is_empty() && value.len() <= LONGEST_CHALLENGE;
            is_sound.then(|| Handshake::Challenge(json!({field.clone(): value})))
        })
    }

    /// The handshake that a delivery would be if it were proven.
    pub(super) fn handshake(&self, delivery: &Delivery) -> Option<Handshake> {
        let of = |handshake: &HandshakeSettings| match handshake {
            HandshakeSettings::PingText(text) => is_text(delivery, text).then_some(Handshake::Ping),
            HandshakeSettings::PingAt { pointer, value } => {
                let body = small_body(delivery)?;
                let is_ping = body.pointer(pointer).and_then(Value::as_str) == Some(value);
                is_ping.then_some(Handshake::Ping)
            }
            HandshakeSettings::Echo(name) => {
                let value = delivery.headers.one(name).ok().flatten()?;
                (value.len() <= LONGEST_CHALLENGE).then(|| Handshake::Echo {
                    name: name.clone(),
                    value: value.to_owned(),
                })
            }
            HandshakeSettings::FirstToken(_) | HandshakeSettings::Challenge { .. } => None,
        };
        self.settings.handshakes.iter().find_map(of)
    }

    /// What a source takes that has no secret yet: the sender's first word.
    pub(super) fn first_word(&self, delivery: &Delivery) -> Option<Handshake> {
        let of = |handshake: &HandshakeSettings| match handshake {
            HandshakeSettings::FirstToken(name) => {
                let body = small_body(delivery)?;
                let object = body.as_object().filter(|object| object.len() == 1)?;
                let token = object.get(name)?.as_str().filter(|token| !token.is_empty())?;
                Some(Handshake::Token(SecretString::from(token)))
            }
            HandshakeSettings::PingText(_) | HandshakeSettings::PingAt { .. } => {
                self.handshake(delivery).filter(Handshake::is_ping)
            }
            HandshakeSettings::Echo(_) | HandshakeSettings::Challenge { .. } => None,
        };
        self.settings.handshakes.iter().find_map(of)
    }
}

impl Handshake {
    /// Its name in explanations.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Challenge(_) => "challenge",
            Self::Echo { .. } => "echo",
            Self::Ping => "ping",
            Self::Token(_) => "token",
        }
    }

    /// Whether nothing has to be kept of the delivery.
    pub fn is_ping(&self) -> bool {
        matches!(self, Self::Ping)
    }
}

fn is_text(delivery: &Delivery, text: &str) -> bool {
    let body = delivery.body.trim_ascii();
    body == text.as_bytes() || body == format!("\"{text}\"").as_bytes()
}

fn small_body(delivery: &Delivery) -> Option<Value> {
    if delivery.body.len() > LONGEST_BODY {
        return None;
    }
    json::parse(&delivery.body).ok()
}
