//! Where a source is told what became of its operations, and how that is signed.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    Body, Method, Request,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::address;
use crate::{
    operations::CallbackMessage,
    outbound::{Outgoing, Reach},
};

/// The lengths that Standard Webhooks gives secrets, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Where a source is told, by a webhook that is signed as Standard Webhooks says.
#[derive(Clone)]
pub struct CallbackTarget {
    url: Url,
    reach: Reach,
    key: hmac::Key,
}

impl CallbackTarget {
    /// A target at this URL, whose messages are signed with this secret.
    ///
    /// # Errors
    /// The key of the setting that won't do, and what to do about it.
    pub fn new(url: &str, secret: &SecretString, allow_private: bool) -> Result<Self, (&'static str, String)> {
        let url = address::check(url, allow_private).map_err(|help| ("url", help))?;
        let text = secret.expose_secret();
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok();
        let Some(bytes) = bytes.filter(|bytes| SECRET_BYTES.contains(&bytes.len())) else {
            let help = "use whsec_ and the base64 of 24 to 64 random bytes, as `echo whsec_$(openssl rand -base64 32)` \
                        makes them";
            return Err(("secret", help.to_owned()));
        };
        Ok(Self {
            url,
            reach: address::reach(allow_private),
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
        })
    }

    /// Sends a message once, and answers the HTTP status. Nothing of the answer's body is read.
    pub(super) async fn send(&self, outgoing: &Outgoing, message: &CallbackMessage) -> Result<u16, String> {
        let request = self.request(message).ok_or("the message is no HTTP")?;
        let answer = outgoing.send(request, self.reach).await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(answer.status().as_u16())
    }

    fn request(&self, message: &CallbackMessage) -> Option<Request> {
        let (id, time) = (&message.id, message.sent_at.as_second());
        let body = message.body.to_string();
        let signature = hmac::sign(&self.key, format!("{id}.{time}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(signature));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [
            ("webhook-id", id.clone()),
            ("webhook-timestamp", time.to_string()),
            ("webhook-signature", signature),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().ok()?);
        }
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = Some(Body::from(body));
        Some(request)
    }
}

/// Shows nothing of the URL, which may hold a secret, nor of the key.
impl fmt::Debug for CallbackTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallbackTarget").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of the specification of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_secret_is_as_long_as_the_standard_says() {
        let base64 = |length: usize| STANDARD.encode(vec![7; length]);
        for (secret, is_good) in [
            (SECRET.to_owned(), true),
            (SECRET["whsec_".len()..].to_owned(), true),
            (format!("whsec_{}", base64(64)), true),
            (format!("whsec_{}", base64(23)), false),
            (format!("whsec_{}", base64(65)), false),
            ("whsec_".to_owned(), false),
            ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), false),
            ("a plain secret that is long enough for all".to_owned(), false),
        ] {
            let made = CallbackTarget::new("https://a.example/", &SecretString::from(secret.as_str()), false);
            assert_eq!(made.is_ok(), is_good, "{secret}");
        }
    }

    #[test]
    fn a_message_is_signed_and_the_target_shows_nothing() {
        let url = "https://a.example/a-s3cret-path";
        let target = CallbackTarget::new(url, &SecretString::from(SECRET), false).unwrap();
        let message = CallbackMessage {
            id: "cb_1".to_owned(),
            sent_at: "2026-11-28T10:00:00.9Z".parse().unwrap(),
            body: json!({"type": "operation.ended"}),
        };
        let request = target.request(&message).unwrap();
        let body = request.body().and_then(Body::as_bytes).unwrap();
        let headers = request.headers();
        let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
        let signature = theirs.sign("cb_1", 1_795_860_000, body).unwrap();
        assert_eq!(headers["webhook-signature"].to_str().unwrap(), signature);
        assert_eq!(headers["webhook-id"], "cb_1");
        assert_eq!(headers["webhook-timestamp"], "1795860000");
        assert_eq!(format!("{target:?}"), "CallbackTarget { .. }");
    }
}
