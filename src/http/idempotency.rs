//! The key under which a request is done once (draft-ietf-httpapi-idempotency-key-header), and what
//! the answer says of it.
//!
//! The draft wants a string of RFC 8941 (`"8e03978e-…"`); most that send the field send the key
//! bare, as Stripe's clients do. Both are taken, and are the same key.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};

use super::problem::Problem;
use crate::operations::KeyUse;

/// The header field of the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Until when a key is kept. The draft has no field for it: this name is what services use.
pub(super) const KEY_EXPIRES_AT: HeaderName = HeaderName::from_static("idempotency-key-expires-at");

/// On an answer that was given before; Stripe's name.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key, in characters.
const LONGEST: usize = 255;

/// What a key is, for a caller whose key is none.
const RULE: &str = "is 1 to 255 visible characters of ASCII, in double quotes or without; without, none of them is `\"`, `\\`, `,` or `;`";

/// The key of a request, if it bears one.
///
/// # Errors
/// When the field is given twice, or holds no key.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut fields = headers.get_all(IDEMPOTENCY_KEY).iter();
    let refused = |detail| Err(Problem::bad_header("Idempotency-Key", detail));
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => refused("is given twice"),
        (Some(field), None) => match field.to_str().ok().and_then(parse) {
            Some(key) => Ok(Some(key)),
            None => refused(RULE),
        },
    }
}

fn parse(field: &str) -> Option<String> {
    let field = field.trim_matches([' ', '\t']);
    let key = match field.strip_prefix('"') {
        Some(rest) => unquoted(rest.strip_suffix('"')?)?,
        None => field
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte))
            .then(|| field.to_owned())?,
    };
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    (is_visible && (1..=LONGEST).contains(&key.len())).then_some(key)
}

/// What stands between the quotes of a string (RFC 8941 section 3.3.3).
fn unquoted(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            _ => key.push(character),
        }
    }
    Some(key)
}

/// Says in an answer what its key means.
pub(super) fn tell(response: &mut Response, key: Option<KeyUse>) {
    let Some(KeyUse {
        is_repeated,
        expires_at,
    }) = key
    else {
        return;
    };
    let fields = response.headers_mut();
    let expires_at = expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if let Ok(value) = HeaderValue::from_str(&expires_at) {
        fields.insert(KEY_EXPIRES_AT, value);
    }
    if is_repeated {
        fields.insert(REPLAYED, HeaderValue::from_static("true"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &[&str]) -> Result<Option<String>, Problem> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_str(field).unwrap());
        }
        key_of(&headers)
    }

    #[test]
    fn a_key_comes_quoted_or_bare_and_is_the_same() {
        for (field, expected) in [
            (
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            (
                "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            (" a ", "a"),
            ("hr:42/2026=", "hr:42/2026="),
            (r#""a\"b\\c,;""#, r#"a"b\c,;"#),
            (&"x".repeat(255), &"x".repeat(255)),
            (&format!("\"{}\"", "x".repeat(255)), &"x".repeat(255)),
        ] {
            assert_eq!(key(&[field]).unwrap().as_deref(), Some(expected), "{field}");
        }
        assert_eq!(key(&[]).unwrap(), None);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(256);
        let long_quoted = format!("\"{long}\"");
        for fields in [
            &[""][..],
            &["   "],
            &["\"\""],
            &["\""],
            &["\"a"],
            &["a\""],
            &["\"a\"b\""],
            &["\"a\\\""],
            &["\"a\\b\""],
            &["\"a\";b=1"],
            &["a;b"],
            &["a, b"],
            &["a b"],
            &["\"a b\""],
            &["ü"],
            &[&long],
            &[&long_quoted],
            &["a", "a"],
        ] {
            let problem = key(fields).expect_err("no key");
            assert!(problem.detail().contains("`Idempotency-Key`"), "{fields:?}");
        }
    }
}
