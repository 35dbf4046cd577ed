//! An answer of a directory, before it is read as a resource.

use std::time::Duration;

use reqwest::{StatusCode, header};
use serde_json::Value;

use super::{Headers, Object};

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn request_id(&self) -> Option<String> {
        self.headers
            .get("x-amzn-requestid")
            .and_then(|value| header_text(value.to_str().ok()?))
    }

    /// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => httpdate::parse_http_date(text)
                .ok()?
                .duration_since(std::time::SystemTime::now())
                .ok(),
        }
    }

    /// The headers by the names AWS's guide spells them with: HTTP/2 has them in lower case, and
    /// playbooks read `x-amzn-RequestId`. Cookies are not shown.
    pub(super) fn headers(&self) -> Headers {
        let visible = self.headers.iter().filter(|(name, _)| *name != header::SET_COOKIE);
        let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Headers(
            visible
                .map(|(name, value)| (documented_spelling(name.as_str()), text(value)))
                .collect(),
        )
    }
}

fn documented_spelling(name: &str) -> String {
    if name == "x-amzn-requestid" {
        return "x-amzn-RequestId".to_owned();
    }
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-')
        .map(|word| if word.is_empty() { String::new() } else { capital(word) })
        .collect::<Vec<_>>()
        .join("-")
}

/// A request id as text that can stand in a log line; `None` for text that can't.
pub(super) fn header_text(text: &str) -> Option<String> {
    let sound = !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| text.to_owned())
}

/// RFC 7644 section 3.12. AWS writes `schemas`, and older answers only the misspelt `schema`.
pub(super) fn is_scim_error(body: &Object) -> bool {
    const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
    let lists_urn = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .is_some_and(|urns| urns.iter().any(|urn| urn == ERROR))
    };
    lists_urn("schemas") || lists_urn("schema")
}
