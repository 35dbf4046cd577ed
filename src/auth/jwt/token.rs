//! A token before its signature is verified.

use serde_json::{Map, Value};

use super::{super::jwks::Algorithm, TokenDefect};
use crate::json::StrictObject;

/// The longest token, in bytes. Tokens with hundreds of groups are about this long; proxies allow
/// less in one header.
pub(super) const MAX_LENGTH: usize = 16 * 1024;

/// The longest security event token, in bytes: it is a body, and may hold a whole user.
const MAX_EVENT_LENGTH: usize = 256 * 1024;

/// The types of tokens that prove a caller (`typ`, RFC 7519 section 5.1 and RFC 9068 section 2.1),
/// in lower case and without `application/`.
///
/// Issuers sign other things with the same keys: logout tokens, security events, proofs of
/// possession. None of these proves a caller (RFC 8725 sections 2.8 and 3.11).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// The type of security event tokens (RFC 8417 section 2.3). Without it a token of another purpose
/// could be posted as an event.
const EVENT_TYPE: &str = "secevent+jwt";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It proves a caller.
    Caller,
    /// It tells of an event (RFC 8417).
    Event,
}

/// The parts of a token that say how to verify it.
#[derive(Debug)]
pub(super) struct Unverified {
    /// `None` for an algorithm that is never accepted.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) key_id: Option<String>,
    pub(super) issuer: String,
}

impl Unverified {
    /// Takes a token apart, with the same decoder of base64url that verifies it later: strict,
    /// without padding, white space or stray bits.
    ///
    /// Ignores keys and URLs of keys in the header (`jwk`, `jku`, `x5c`, `x5u`): a forged token
    /// would name the forger's.
    pub(super) fn read(token: &str, purpose: Purpose) -> Result<Self, TokenDefect> {
        if token.len() > purpose.max_length() {
            return Err(TokenDefect::TooLong);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(_signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenDefect::Malformed);
        };
        let header = decode(header)?;
        // RFC 7515 section 4.1.11: none of the extensions that could be named there is understood
        // here.
        if header.contains_key("crit") {
            return Err(TokenDefect::Critical);
        }
        if !purpose.takes(text(&header, "typ")?) {
            return Err(TokenDefect::Type);
        }
        let algorithm = text(&header, "alg")?.ok_or(TokenDefect::Malformed)?.parse().ok();
        let key_id = text(&header, "kid")?.map(str::to_owned);
        let claims = decode(claims)?;
        let Some(Value::String(issuer)) = claims.get("iss") else {
            return Err(TokenDefect::Claim("iss"));
        };
        Ok(Self {
            algorithm,
            key_id,
            issuer: issuer.clone(),
        })
    }
}

impl Purpose {
    fn max_length(self) -> usize {
        match self {
            Self::Caller => MAX_LENGTH,
            Self::Event => MAX_EVENT_LENGTH,
        }
    }

    /// Whether a token with this `typ` may be for it.
    fn takes(self, kind: Option<&str>) -> bool {
        let kind = kind.map(str::to_ascii_lowercase);
        let kind = kind
            .as_deref()
            .map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
        match self {
            Self::Caller => kind.is_none_or(|kind| TYPES.contains(&kind)),
            Self::Event => kind == Some(EVENT_TYPE),
        }
    }
}

/// Decodes one part. The crate offers its decoder as that of a token's claims, so the part is put
/// where claims stand.
fn decode(part: &str) -> Result<Map<String, Value>, TokenDefect> {
    let StrictObject(object) =
        jsonwebtoken::dangerous::insecure_decode_claims(format!(".{part}.")).map_err(|_| TokenDefect::Malformed)?;
    Ok(object)
}

fn text<'a>(header: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, TokenDefect> {
    let value = header.get(name);
    value
        .map(|value| value.as_str().ok_or(TokenDefect::Malformed))
        .transpose()
}
