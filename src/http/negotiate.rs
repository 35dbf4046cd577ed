//! What the caller wants back: the representation (`Accept`, RFC 9110 section 12.5.1) and how
//! failures are to be answered (`Prefer`, RFC 7240).
//!
//! Commands answer in JSON, or in the human-readable Markdown table. Problems are always
//! `application/problem+json`, whatever was asked for: section 12.5.1 lets a server disregard
//! `Accept` for them, and a refusal has to be readable by the client that caused it.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName,
        header::{ACCEPT, GetAll, HeaderValue},
        request::Parts,
    },
};

/// The header field of a caller's preferences (RFC 7240 section 2), and of those that were
/// followed.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The forms in which a command's answer can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// `application/json`, the envelope; also when nothing is asked for.
    Json,
    /// `text/markdown`, the human-readable table.
    Markdown,
}

impl Representation {
    /// The media type, as it is sent in `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    /// Chooses by the values of the `Accept` header fields. JSON where nothing readable asks for
    /// one of the two: RFC 9110 section 12.4.1 lets a server disregard the field, and clients that
    /// list what their libraries know (`text/html, image/gif, *; q=.2`) want the answer all the
    /// same.
    ///
    /// The higher quality wins. Among equals the one that was named more precisely does, then JSON.
    pub fn choose<'a>(accept: impl Iterator<Item = &'a str>) -> Self {
        let ranges: Vec<Range> = accept
            .flat_map(|field| field.split(','))
            .filter_map(Range::parse)
            .collect();
        let json = rank(&ranges, "application", "json");
        let markdown = rank(&ranges, "text", "markdown");
        if markdown > json && markdown.0 > 0 {
            Self::Markdown
        } else {
            Self::Json
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Representation {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::choose(texts(parts.headers.get_all(ACCEPT))))
    }
}

/// Whether a page is to be given in Markdown and not in HTML, which it is when nothing is asked
/// for.
pub(super) fn prefers_markdown(headers: &HeaderMap) -> bool {
    let fields = texts(headers.get_all(ACCEPT)).flat_map(|field| field.split(','));
    let ranges: Vec<Range> = fields.filter_map(Range::parse).collect();
    rank(&ranges, "text", "markdown") > rank(&ranges, "text", "html")
}

/// Whether OpenMetrics is to be given and not Prometheus's older format, which everything reads:
/// only where it is named, and no less wanted.
pub(super) fn accepts_open_metrics(headers: &HeaderMap) -> bool {
    let fields = texts(headers.get_all(ACCEPT)).flat_map(|field| field.split(','));
    let ranges: Vec<Range> = fields.filter_map(Range::parse).collect();
    let (quality, precision) = rank(&ranges, "application", "openmetrics-text");
    let plain = rank(&ranges, "text", "plain");
    quality > 0 && precision == 3 && quality >= plain.0
}

/// Whether an answer is wanted at once, and the command later: `Prefer: respond-async` (RFC 7240
/// section 4.1).
pub(super) fn prefers_async(headers: &HeaderMap) -> bool {
    let mut preferences = texts(headers.get_all(PREFER)).flat_map(|field| field.split(','));
    preferences.any(|preference| {
        preference
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case("respond-async")
    })
}

/// How a failed *command* is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// With the failure's own status; the default.
    Strict,
    /// With 200 and the same envelope, for callers that throw away the body of anything else.
    Lenient,
}

impl Handling {
    /// The value of `Preference-Applied` (RFC 7240 section 3) when leniency was asked for and
    /// given.
    pub const LENIENT_APPLIED: &'static str = "handling=lenient";

    /// Reads the `Prefer` header fields. Preferences that are not known here are passed over
    /// (section 2), and of a doubled one the first counts.
    pub fn choose<'a>(prefer: impl Iterator<Item = &'a str>) -> Self {
        for preference in prefer.flat_map(|field| field.split(',')) {
            let (name, value) = parameter(preference.split(';').next().unwrap_or_default());
            if name.eq_ignore_ascii_case("handling") {
                return if value.eq_ignore_ascii_case("lenient") {
                    Self::Lenient
                } else {
                    Self::Strict
                };
            }
        }
        Self::Strict
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Handling {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::choose(texts(parts.headers.get_all(PREFER))))
    }
}

/// One media range of an `Accept` field. Qualities are thousandths.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    /// `None` for what is not a media range: a malformed element is passed over, not answered with
    /// an error.
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = element.split(';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut quality = 1000;
        for (name, value) in parts.map(parameter) {
            if name.eq_ignore_ascii_case("q") {
                quality = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("charset") && !is_utf_8(value) {
                // We have both forms in UTF-8 only. Other parameters (a Markdown variant, a
                // version) don't divide what we have.
                quality = 0;
                break;
            }
        }
        Some(Self { kind, subtype, quality })
    }

    /// How precisely this range names the type: 3 exactly, 2 by its first half, 1 by `*/*`, `None`
    /// not at all.
    fn precision(&self, kind: &str, subtype: &str) -> Option<u8> {
        match (self.kind, self.subtype) {
            ("*", "*") => Some(1),
            (own, "*") if own.eq_ignore_ascii_case(kind) => Some(2),
            (own, sub) if own.eq_ignore_ascii_case(kind) && is_form_of(sub, subtype) => Some(3),
            (_, _) => None,
        }
    }
}

/// Whether a subtype is this one, or a special form of it: a client that takes
/// `application/scim+json` reads JSON (RFC 6839 section 3.1).
fn is_form_of(subtype: &str, wanted: &str) -> bool {
    let suffix = subtype.rsplit_once('+').map(|(_, suffix)| suffix);
    subtype.eq_ignore_ascii_case(wanted) || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(wanted))
}

/// Whether a charset is the one that we have, by its name or by the name that many give it.
pub(super) fn is_utf_8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Quality and precision of a type: the most precise range that covers it decides, even when it
/// says no.
fn rank(ranges: &[Range], kind: &str, subtype: &str) -> (u16, u8) {
    let covering = ranges
        .iter()
        .filter_map(|range| Some((range.precision(kind, subtype)?, range.quality)));
    covering
        .max()
        .map_or((0, 0), |(precision, quality)| (quality, precision))
}

/// RFC 9110 section 12.4.2: 0 to 1 with at most three decimals. Java up to 18 leaves the 0 out.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("", _) if decimals.is_empty() => None,
        ("0" | "", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        (_, _) => None,
    }
}

/// `name = "value"` with optional white space and quotes.
fn parameter(text: &str) -> (&str, &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.trim(), value.trim().trim_matches('"'))
}

fn texts<'a>(fields: GetAll<'a, HeaderValue>) -> impl Iterator<Item = &'a str> {
    fields.iter().filter_map(|field| field.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_by_quality_then_precision_then_json() {
        use Representation::{Json, Markdown};
        for (accept, expected) in [
            (&[][..], Json),
            (&[""], Json),
            (&["*/*"], Json),
            (&["application/json"], Json),
            (&["APPLICATION/Json ; charset=UTF-8"], Json),
            (&["application/*"], Json),
            (&["text/markdown"], Markdown),
            (&["text/markdown; variant=GFM; charset=\"utf-8\""], Markdown),
            (&["text/*"], Markdown),
            (&["text/markdown, application/json"], Json),
            (&["text/markdown, */*"], Markdown),
            (&["text/markdown", "*/*;q=0.5"], Markdown),
            (&["text/markdown;q=0.4, application/json;q=0.399"], Markdown),
            (&["text/markdown;q=0.4, application/json;q=0.401"], Json),
            (&["application/json;q=0, */*"], Markdown),
            (&["application/json;q=0, text/markdown;q=0, */*"], Json),
            (&["*/*;q=0"], Json),
            (&["text/html"], Json),
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
                Json,
            ),
            (&["application/problem+json"], Json),
            (&["application/json;charset=utf-16"], Json),
            (&["application/scim+json"], Json),
            (&["text/markdown;q=0.5, application/scim+json"], Json),
            (&["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], Json),
            (&["text/markdown; charset=utf8"], Markdown),
            (&["text/markdown;q=.3, application/json;q=.2"], Markdown),
            (&["garbage"], Json),
            (&["garbage, text/markdown"], Markdown),
            (&["application/json;q=1.1"], Json),
            (&["text/markdown;q=x, application/json;q=0.1"], Json),
        ] {
            assert_eq!(Representation::choose(accept.iter().copied()), expected, "{accept:?}");
        }
    }

    #[test]
    fn open_metrics_is_given_to_those_that_name_it() {
        let of_prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                             text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            (of_prometheus, true),
            ("application/openmetrics-text", true),
            ("*/*", false),
            ("application/*", false),
            ("text/plain", false),
            ("text/plain, application/openmetrics-text;q=0.9", false),
            ("application/openmetrics-text;q=0, */*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
            assert_eq!(accepts_open_metrics(&headers), expected, "{accept}");
        }
    }

    #[test]
    fn prefer_recognises_handling_and_passes_over_the_rest() {
        use Handling::{Lenient, Strict};
        for (prefer, expected) in [
            (&[][..], Strict),
            (&["handling=lenient"], Lenient),
            (&["Handling = \"Lenient\""], Lenient),
            (&["handling=strict"], Strict),
            (&["respond-async, wait=10; x=y, handling=lenient; foo"], Lenient),
            (&["return=minimal", "handling=lenient"], Lenient),
            (&["handling=strict, handling=lenient"], Strict),
            (&["handling"], Strict),
            (&["handling=other"], Strict),
            (&["x; handling=lenient"], Strict),
        ] {
            assert_eq!(Handling::choose(prefer.iter().copied()), expected, "{prefer:?}");
        }
    }
}
