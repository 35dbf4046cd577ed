//! The stored form of a delivery: versioned, and read by later releases.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Delivery, Headers, Source, Verified};

/// The version that is written.
const VERSION: u32 = 1;

/// Header fields that hold credentials. Of a delivery that is proven they have served.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// Why a stored delivery can't be read.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It is no text of this form.
    #[error("the stored delivery is not readable: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A newer release wrote it.
    #[error("the stored delivery has version {0}, and this release reads up to {VERSION}")]
    Newer(u32),
}

/// A delivery as it is stored.
#[derive(Debug, Deserialize, Serialize)]
pub struct Kept {
    v: u32,
    method: String,
    /// Only of what is quarantined, since it may have a secret in it.
    target: Option<String>,
    host: Option<String>,
    path_type: Option<String>,
    path_secret: Option<String>,
    /// The header whose whole value is the source's secret, which is never shown.
    #[serde(default)]
    secret_header: Option<String>,
    headers: Vec<(String, Bytes)>,
    body: Bytes,
    /// The sender's id of it, once it is proven.
    id: Option<String>,
    /// What its token says, once that is proven.
    claims: Option<Map<String, Value>>,
}

/// Bytes, which are text as a rule.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Bytes {
    Text(String),
    Base64(String),
}

impl Kept {
    /// What is kept of a proven delivery: none of its credentials.
    pub(super) fn proven(source: &Source, delivery: &Delivery, verified: &Verified) -> Self {
        let mut kept = Self::whole(source, delivery);
        let own = kept.secret_header.take();
        kept.headers
            .retain(|(name, _)| !CREDENTIALS.contains(&&**name) && Some(name) != own.as_ref());
        Self {
            target: None,
            path_secret: None,
            id: verified.id.clone(),
            claims: verified.claims.clone(),
            ..kept
        }
    }

    /// Everything of a delivery, so that it can be verified again.
    pub(super) fn whole(source: &Source, delivery: &Delivery) -> Self {
        let headers = delivery.headers.iter();
        let secret_header = source.verifier().settings().proof.secret_header();
        Self {
            v: VERSION,
            method: delivery.method.clone(),
            target: Some(delivery.target.expose_secret().to_owned()),
            host: delivery.host.clone(),
            path_type: delivery.path_type.clone(),
            path_secret: delivery
                .path_secret
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned()),
            secret_header: secret_header.map(str::to_ascii_lowercase),
            headers: headers
                .map(|(name, value)| (name.to_owned(), Bytes::of(value)))
                .collect(),
            body: Bytes::of(&delivery.body),
            id: None,
            claims: None,
        }
    }

    /// As the store keeps it.
    pub(super) fn written(&self) -> String {
        // It is made of texts alone.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what the store has kept.
    ///
    /// # Errors
    /// When it is no such text, or a newer release wrote it.
    pub fn read(text: &str) -> Result<Self, KeptError> {
        let kept: Self = serde_json::from_str(text)?;
        if kept.v > VERSION {
            return Err(KeptError::Newer(kept.v));
        }
        Ok(kept)
    }

    /// The delivery that it was, received at this time.
    pub(super) fn delivery(&self, received: Timestamp) -> Delivery {
        Delivery {
            method: self.method.clone(),
            target: SecretString::from(self.target.clone().unwrap_or_default()),
            host: self.host.clone(),
            path_type: self.path_type.clone(),
            path_secret: self.path_secret.clone().map(SecretString::from),
            headers: Headers::new(self.headers.iter().map(|(name, value)| (name.clone(), value.bytes()))),
            body: self.body.bytes(),
            received,
        }
    }

    /// The sender's id of it, once it is proven.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What its token says, once that is proven.
    pub(super) fn claims(&self) -> Option<&Map<String, Value>> {
        self.claims.as_ref()
    }

    /// Its body as text, and whether that is base64 of what is none.
    pub fn body(&self) -> (&str, bool) {
        match &self.body {
            Bytes::Text(text) => (text, false),
            Bytes::Base64(text) => (text, true),
        }
    }

    /// Its header fields that hold no credentials, as texts.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let shown = self.headers.iter().filter(|(name, _)| {
            !CREDENTIALS.contains(&&**name)
                && Some(name) != self.secret_header.as_ref()
                && !["secret", "token", "key", "challenge"]
                    .iter()
                    .any(|part| name.contains(part))
        });
        shown.map(|(name, value)| match value {
            Bytes::Text(text) | Bytes::Base64(text) => (&**name, &**text),
        })
    }
}

impl Bytes {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            // What is no base64 was changed in the store; it verifies as nothing.
            Self::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
        }
    }
}
