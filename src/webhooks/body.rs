//! What a proven delivery says, as one JSON value.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    Delivery, HeaderError,
    verify::{BodyKind, Verified, VerifierSettings},
};
use crate::json::{self, JsonError};

/// The most fields of a form.
const MOST_FIELDS: usize = 1000;

/// Says why a proven delivery can't be understood. `Display` is for its sender, who is proven: it
/// names places and no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Its `Content-Type` is none that the source takes: 415.
    #[error("the Content-Type is none that this source takes: send {0}")]
    Type(String),
    /// It is in another encoding than UTF-8: 415.
    #[error("send it in UTF-8")]
    Charset,
    /// It is no sound JSON: 400.
    #[error("the body is no sound JSON: {0}")]
    Json(JsonError),
    /// It is no text in UTF-8: 400.
    #[error("the body is no text in UTF-8")]
    Text,
    /// It has a field twice, which of the two counts is not known, or too many of them: 400.
    #[error("the form has a field more than once, or more than 1000 fields")]
    Form,
    /// It is XML, which is kept and not understood.
    #[error("the body is XML, which needs a bridge: a small program that posts it as JSON")]
    NeedsBridge,
}

/// Understands the body of a proven delivery.
///
/// JSON is taken as it stands; a form becomes an object of texts (a field that stands there twice
/// is refused: two programs may take different ones); a text becomes a text; of a security event
/// token the claims are taken. Where there is no `Content-Type`, the first form that the source
/// takes is meant.
///
/// # Errors
/// When it is of another form, or not sound. XML always: the caller keeps it as it is.
pub fn parse(settings: &VerifierSettings, delivery: &Delivery, verified: &Verified) -> Result<Value, BodyError> {
    match kind(settings, delivery)? {
        BodyKind::Jwt => Ok(Value::Object(verified.claims.clone().unwrap_or_default())),
        BodyKind::Json => json::parse(&delivery.body).map_err(BodyError::Json),
        BodyKind::Text => text(&delivery.body).map(Value::from),
        BodyKind::Form => form(&delivery.body),
        BodyKind::Xml => Err(BodyError::NeedsBridge),
    }
}

/// The form of a delivery's body, by its `Content-Type`.
///
/// # Errors
/// When the source does not take it.
fn kind(settings: &VerifierSettings, delivery: &Delivery) -> Result<BodyKind, BodyError> {
    let refused = || {
        let names: Vec<_> = settings.bodies.iter().map(|kind| kind.media_type()).collect();
        BodyError::Type(names.join(" or "))
    };
    let written = delivery.headers.one("content-type").map_err(|error| match error {
        HeaderError::Doubled | HeaderError::NotText => refused(),
    })?;
    let Some(written) = written.filter(|written| !written.trim().is_empty()) else {
        return settings.bodies.first().copied().ok_or_else(refused);
    };
    let mut parts = written.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    if parts.any(is_other_charset) {
        return Err(BodyError::Charset);
    }
    let kind = BodyKind::of(&essence).ok_or_else(refused)?;
    if settings.bodies.contains(&kind) {
        Ok(kind)
    } else {
        Err(refused())
    }
}

fn is_other_charset(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let value = value.trim().trim_matches('"').to_ascii_lowercase();
    name.trim().eq_ignore_ascii_case("charset") && !matches!(value.as_str(), "utf-8" | "utf8" | "us-ascii")
}

impl BodyKind {
    fn of(essence: &str) -> Option<Self> {
        match essence {
            "application/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "text/plain" => Some(Self::Text),
            "application/secevent+jwt" => Some(Self::Jwt),
            "application/xml" | "text/xml" | "application/soap+xml" => Some(Self::Xml),
            _ if essence.starts_with("application/") && essence.ends_with("+json") => Some(Self::Json),
            _ => None,
        }
    }

    /// The media type that it is sent as.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Text => "text/plain",
            Self::Jwt => "application/secevent+jwt",
            Self::Xml => "application/xml",
        }
    }
}

fn text(bytes: &[u8]) -> Result<String, BodyError> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| BodyError::Text)
}

fn form(bytes: &[u8]) -> Result<Value, BodyError> {
    let text = text(bytes)?;
    let mut object = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let before = object.insert(name.into_owned(), Value::String(value.into_owned()));
        if before.is_some() || object.len() > MOST_FIELDS {
            return Err(BodyError::Form);
        }
    }
    Ok(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use secrecy::SecretString;
    use serde_json::json;

    use super::{
        super::{Headers, verify::Identity},
        *,
    };

    const ALL: [BodyKind; 5] = [
        BodyKind::Json,
        BodyKind::Form,
        BodyKind::Text,
        BodyKind::Jwt,
        BodyKind::Xml,
    ];

    fn parsed(bodies: &[BodyKind], content_type: Option<&str>, body: &[u8]) -> Result<Value, BodyError> {
        let settings = VerifierSettings {
            bodies: bodies.to_vec(),
            ..VerifierSettings::none()
        };
        let headers = content_type.map(|written| ("Content-Type".to_owned(), written.as_bytes().to_vec()));
        let delivery = Delivery {
            method: "POST".to_owned(),
            target: SecretString::from("/"),
            host: None,
            path_type: None,
            path_secret: None,
            headers: Headers::new(headers),
            body: body.to_vec(),
            received: Timestamp::UNIX_EPOCH,
        };
        let verified = Verified {
            id: None,
            identity: Identity::Digest([0; 32]),
            time: None,
            secret: None,
            scheme: "none",
            handshake: None,
            claims: json!({"jti": "1"}).as_object().cloned(),
        };
        parse(&settings, &delivery, &verified)
    }

    #[test]
    fn each_form_of_body_becomes_one_value() {
        for (content_type, body, expected) in [
            (None, "{\"a\":1}", json!({"a": 1})),
            (Some("application/json; charset=UTF-8"), "[1]", json!([1])),
            (Some("application/vnd.hr+json"), "1", json!(1)),
            (
                Some("application/x-www-form-urlencoded"),
                "a=1&b=x+y%26z&c=",
                json!({"a": "1", "b": "x y&z", "c": ""}),
            ),
            (Some("text/plain"), "Ping test", json!("Ping test")),
            (Some("application/secevent+jwt"), "a.b.c", json!({"jti": "1"})),
        ] {
            assert_eq!(
                parsed(&ALL, content_type, body.as_bytes()),
                Ok(expected),
                "{content_type:?}"
            );
        }
    }

    /// Hostile input 71, a body that is proven and no JSON: 400, before anything is stored.
    #[test]
    fn what_is_not_sound_is_refused() {
        for (content_type, body) in [
            ("application/json", &b"{"[..]),
            ("application/json", b"{\"a\":1,\"a\":2}"),
            ("application/json", b""),
            ("application/json; charset=utf-16", b"{}"),
            ("application/octet-stream", b"{}"),
            ("application/x-www-form-urlencoded", b"a=1&a=2"),
            ("application/x-www-form-urlencoded", b"a=\xFF"),
            ("text/plain", b"\xFF"),
            ("text/xml", b"<a/>"),
        ] {
            let found = parsed(&ALL, Some(content_type), body);
            assert!(found.is_err(), "{content_type} {}", body.escape_ascii());
        }
        let json_alone = parsed(&[BodyKind::Json], Some("text/plain"), b"{}");
        assert_eq!(json_alone, Err(BodyError::Type("application/json".to_owned())));
        assert_eq!(parsed(&ALL, Some("text/xml"), b"<a/>"), Err(BodyError::NeedsBridge));
    }
}
