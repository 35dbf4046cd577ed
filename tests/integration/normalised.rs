//! Answers with what differs from run to run replaced by fixed, realistic values, so that they can
//! be compared and printed.

use serde_json::Value;

/// What every time becomes.
const TIME: &str = "2026-01-15T09:30:00Z";
/// What every time to the millisecond becomes: the same moment.
const EXACT_TIME: &str = "2026-01-15T09:30:00.000Z";
/// What every time in an HTTP header field becomes: the same moment.
const HTTP_TIME: &str = "Thu, 15 Jan 2026 09:30:00 GMT";
/// What every generated id becomes.
const ID: &str = "0f8b6c52-9d3e-4a17-8c6b-2e5d7f4a1b90";

/// The answer with its times, generated ids and request ids replaced, wherever they stand.
pub(crate) fn normalised(value: &Value) -> Value {
    match value {
        Value::String(text) => text_of(text).into(),
        Value::Array(list) => list.iter().map(normalised).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (text_of(key), normalised(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The same for a text that is no JSON.
pub(crate) fn text_of(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    'next: while let Some(first) = rest.chars().next() {
        for (fixed, is_one) in [
            (
                ID,
                (|part| part.contains('-') && part.parse::<uuid::Uuid>().is_ok()) as fn(&str) -> bool,
            ),
            (HTTP_TIME, |part| httpdate::parse_http_date(part).is_ok()),
            (EXACT_TIME, |part| {
                part.ends_with('Z') && part.parse::<jiff::Timestamp>().is_ok()
            }),
            (TIME, |part| {
                part.ends_with('Z') && part.parse::<jiff::Timestamp>().is_ok()
            }),
        ] {
            // All of one kind are of one length.
            if rest.get(..fixed.len()).is_some_and(is_one) {
                result.push_str(fixed);
                rest = &rest[fixed.len()..];
                continue 'next;
            }
        }
        result.push(first);
        rest = &rest[first.len_utf8()..];
    }
    result
}

#[test]
fn times_and_ids_are_replaced_wherever_they_stand() {
    for (text, expected) in [
        ("2026-11-23T15:38:07Z", TIME.to_owned()),
        (
            "{\"created\": \"2026-11-23T15:38:07Z\"}",
            format!("{{\"created\": \"{TIME}\"}}"),
        ),
        ("2026-11-23T15:38:07.123Z", EXACT_TIME.to_owned()),
        ("Mon, 23 Nov 2026 15:38:10 GMT", HTTP_TIME.to_owned()),
        ("cb7ccf78-b77e-4cb6-8b08-8653ef140312", ID.to_owned()),
        (
            "/Users/cb7ccf78-b77e-4cb6-8b08-8653ef140312 é",
            format!("/Users/{ID} é"),
        ),
        ("121212", "121212".to_owned()),
        ("2026-11-23", "2026-11-23".to_owned()),
    ] {
        assert_eq!(text_of(text), expected);
    }
    // The fixed values are what they stand for, and stay as they are.
    for text in [TIME, EXACT_TIME, HTTP_TIME, ID] {
        assert_eq!(text_of(text), text);
    }
}
