//! The string that a sender signs, as a template: `{id}.{timestamp}.{body}`.

use std::str::FromStr;

use serde::Deserialize;

/// A template of what is signed, in parts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    /// Its parts in their order.
    pub parts: Vec<Part>,
    text: String,
}

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This text.
    Literal(String),
    /// The id of the delivery, from its header.
    Id,
    /// The time of the delivery, as it was written.
    Timestamp,
    /// The body, of which no byte was changed.
    Body,
    /// The method, in capitals.
    Method,
    /// The path, without the query.
    Path,
    /// `https://`, the host, the path and the query.
    Url,
    /// The text or the whole number at a pointer into the JSON body.
    Json(String),
}

/// Says why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// What stands in braces is not known.
    #[error(
        "{{{0}}} is not known: use {{id}}, {{timestamp}}, {{body}}, {{method}}, {{path}}, {{url}} or {{json:/pointer}}"
    )]
    Unknown(String),
    /// A brace is open.
    #[error("a brace is not closed")]
    Open,
    /// The same bytes could be cut in two ways: an id has nothing that ends it.
    #[error("put a character behind {{id}}: without one its end could be moved into what follows")]
    Boundary,
    /// Nothing of a delivery is in it.
    #[error("name what is signed, like {{body}}")]
    Constant,
}

impl Template {
    /// `{id}.{timestamp}.{body}`, of Standard Webhooks.
    pub(super) fn standard() -> Self {
        let dot = || Part::Literal(".".to_owned());
        Self {
            parts: vec![Part::Id, dot(), Part::Timestamp, dot(), Part::Body],
            text: "{id}.{timestamp}.{body}".to_owned(),
        }
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The character that ends the id, which no id may have in it.
    pub fn after_id(&self) -> Option<char> {
        let at = self.parts.iter().position(|part| *part == Part::Id)?;
        if let Some(Part::Literal(text)) = self.parts.get(at + 1) {
            return text.chars().next();
        }
        None
    }

    /// Whether this is a part of it.
    pub fn has(&self, part: &Part) -> bool {
        self.parts.contains(part)
    }

    /// Whether it has a part that stands in the JSON body.
    pub fn reads_body(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Json(_)))
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (literal, behind) = (&rest[..open], &rest[open + 1..]);
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let close = behind.find('}').ok_or(TemplateError::Open)?;
            parts.push(Part::named(&behind[..close])?);
            rest = &behind[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        let is_literal = |part: &Part| matches!(part, Part::Literal(_));
        if parts.iter().all(is_literal) {
            return Err(TemplateError::Constant);
        }
        let ends = |pair: &[Part]| pair[0] != Part::Id || is_literal(&pair[1]);
        if !parts.windows(2).all(ends) {
            return Err(TemplateError::Boundary);
        }
        let text = text.to_owned();
        Ok(Self { parts, text })
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl Part {
    fn named(name: &str) -> Result<Self, TemplateError> {
        Ok(match name {
            "id" => Self::Id,
            "timestamp" => Self::Timestamp,
            "body" => Self::Body,
            "method" => Self::Method,
            "path" => Self::Path,
            "url" => Self::Url,
            _ => match name.strip_prefix("json:") {
                Some(pointer) if pointer.starts_with('/') => Self::Json(pointer.to_owned()),
                _ => return Err(TemplateError::Unknown(name.to_owned())),
            },
        })
    }

    /// Its name in explanations.
    pub fn name(&self) -> String {
        match self {
            Self::Literal(text) => format!("the text {text:?}"),
            Self::Id => "id".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Body => "body".to_owned(),
            Self::Method => "method".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Url => "url".to_owned(),
            Self::Json(pointer) => format!("json:{pointer}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read_in_parts() {
        let literal = |text: &str| Part::Literal(text.to_owned());
        for (text, expected) in [
            (
                "{id}.{timestamp}.{body}",
                vec![Part::Id, literal("."), Part::Timestamp, literal("."), Part::Body],
            ),
            ("{body}{timestamp}", vec![Part::Body, Part::Timestamp]),
            ("POST{body}", vec![literal("POST"), Part::Body]),
            (
                "{json:/token}{json:/triggeredAt}",
                vec![Part::Json("/token".to_owned()), Part::Json("/triggeredAt".to_owned())],
            ),
            (
                "{method} {path} {url}",
                vec![Part::Method, literal(" "), Part::Path, literal(" "), Part::Url],
            ),
        ] {
            assert_eq!(text.parse::<Template>().unwrap().parts, expected, "{text}");
        }
    }

    #[test]
    fn what_signs_nothing_or_can_be_cut_in_two_ways_is_no_template() {
        for (text, error) in [
            ("", TemplateError::Constant),
            ("signed", TemplateError::Constant),
            ("{body", TemplateError::Open),
            ("{bodies}", TemplateError::Unknown("bodies".to_owned())),
            ("{json:token}", TemplateError::Unknown("json:token".to_owned())),
            ("{id}{body}", TemplateError::Boundary),
        ] {
            assert_eq!(text.parse::<Template>(), Err(error), "{text}");
        }
    }
}
