//! The template of an address: a fixed server, with fields of a person in its path and its query.

use url::Url;

use super::address;
use crate::profile::{UserProfile, display_key};

/// The longest value that goes into an address, in bytes.
const LONGEST_VALUE: usize = 256;

/// How many placeholders an address may have.
const MOST_PLACEHOLDERS: usize = 16;

/// An address with placeholders. Whatever their values are, the address has the same server and as
/// many segments, and its query has the same parameters.
#[derive(Clone, Debug)]
pub(super) struct UrlTemplate {
    parts: Vec<Part>,
    /// With a letter in place of each value.
    sample: Url,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Fixed(String),
    InPath(String),
    InQuery(String),
}

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// What to do about it.
    pub(super) fn read(text: &str, allow_private: bool) -> Result<Self, String> {
        let parts = parts(text)?;
        let sample: String = parts
            .iter()
            .map(|part| match part {
                Part::Fixed(text) => text.as_str(),
                Part::InPath(_) | Part::InQuery(_) => "x",
            })
            .collect();
        let url = address::check(&sample, allow_private)?;
        if !stands_as_written(&url, &sample) {
            return Err("write path and query as they are sent: percent-encoded, and without `.` and `..`".to_owned());
        }
        Ok(Self { parts, sample: url })
    }

    /// The address for a person.
    ///
    /// # Errors
    /// Which field is missing, or holds what can't stand in an address; without its value.
    pub(super) fn fill(&self, known: &UserProfile) -> Result<Url, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Fixed(fixed) => text.push_str(fixed),
                Part::InPath(field) => {
                    let value = value(known, field)?;
                    if !is_segment(&value) {
                        return Err(format!("{field} can't stand in the path of an address"));
                    }
                    encode(&value, &mut text);
                }
                Part::InQuery(field) => encode(&value(known, field)?, &mut text),
            }
        }
        let whole = || "what is known of the person can't stand in the path of an address".to_owned();
        let url = Url::parse(&text).map_err(|_| whole())?;
        // Together with what stands around them two values can be `..`, which changes the path.
        let same = |of: fn(&Url) -> Option<usize>| of(&url) == of(&self.sample);
        let is_same = url.origin() == self.sample.origin()
            && same(|url| url.path_segments().map(Iterator::count))
            && same(|url| Some(url.query_pairs().count()));
        (is_same && stands_as_written(&url, &text))
            .then_some(url)
            .ok_or_else(whole)
    }
}

/// Takes a template apart.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let form = || "a placeholder is the name of a field in braces, like {employeeid}".to_owned();
    let server = text.find("://").map_or(0, |at| at + "://".len());
    let path = text[server..].find(['/', '?']).map_or(text.len(), |at| server + at);
    if text[..path].contains(['{', '}']) {
        return Err("fields can stand in the path and the query alone, never in the server's name".to_owned());
    }
    let mut parts = Vec::new();
    let mut rest = text;
    let mut before = String::new();
    while let Some(begin) = rest.find(['{', '}']) {
        let (fixed, from) = rest.split_at(begin);
        let (name, after) = from
            .strip_prefix('{')
            .and_then(|from| from.split_once('}'))
            .ok_or_else(form)?;
        before.push_str(fixed);
        parts.push(Part::Fixed(fixed.to_owned()));
        let field = display_key(name);
        let is_name = |character: char| character.is_alphanumeric() || "_-.".contains(character);
        if field.is_empty() || field.len() > LONGEST_VALUE || !field.chars().all(is_name) {
            return Err(form());
        }
        parts.push(match before.rsplit_once('?') {
            None => Part::InPath(field),
            Some((_, query)) if query.rsplit('&').next().is_some_and(|pair| pair.contains('=')) => Part::InQuery(field),
            Some(_) => return Err("in the query fields can stand as values alone, like ?id={employeeid}".to_owned()),
        });
        before.push('x');
        rest = after;
    }
    parts.push(Part::Fixed(rest.to_owned()));
    let placeholders = parts.iter().filter(|part| !matches!(part, Part::Fixed(_))).count();
    match placeholders {
        0 => Err("say whose it is: {employeeid} stands for the employee id that the event gives".to_owned()),
        1..=MOST_PLACEHOLDERS => Ok(parts),
        _ => Err(format!("an address has at most {MOST_PLACEHOLDERS} placeholders")),
    }
}

/// Whether a parsed address has the path and the query that were written, so that reading it has
/// changed nothing.
fn stands_as_written(url: &Url, text: &str) -> bool {
    let server = text.find("://").map_or(0, |at| at + "://".len());
    let rest = text[server..].find(['/', '?']).map_or("", |at| &text[server + at..]);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let path = if path.is_empty() { "/" } else { path };
    url.path() == path && url.query() == query
}

/// The text of a field.
fn value(known: &UserProfile, field: &str) -> Result<String, String> {
    let missing = || format!("{field} is missing");
    let value = known
        .one_field(field)
        .map_err(|_| format!("{field} is there in two spellings"))?;
    let text = match value.ok_or_else(missing)? {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        serde_json::Value::Null => return Err(missing()),
        serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => return Err(format!("{field} is no text")),
    };
    if text.trim().is_empty() {
        return Err(missing());
    }
    if text.len() > LONGEST_VALUE || text.chars().any(char::is_control) {
        return Err(format!("{field} can't stand in an address"));
    }
    Ok(text)
}

/// Whether a value is one segment of a path also for a server that decodes it before it takes the
/// path apart, or twice.
fn is_segment(value: &str) -> bool {
    !matches!(value, "." | "..") && !value.contains(['/', '\\', '%'])
}

/// Writes a value so that each byte that is not unreserved (RFC 3986 section 2.3) is encoded.
fn encode(value: &str, text: &mut String) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEXADECIMAL[usize::from(byte >> 4)]));
            text.push(char::from(HEXADECIMAL[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn profile(value: Value) -> UserProfile {
        serde_json::from_value(value).unwrap()
    }

    fn filled(template: &str, known: Value) -> Result<String, String> {
        let template = UrlTemplate::read(template, false).unwrap();
        template.fill(&profile(known)).map(String::from)
    }

    #[test]
    fn a_value_is_encoded_whatever_it_is() {
        for (value, in_path, in_query) in [
            (json!("42"), Some("42"), Some("42")),
            (json!(42), Some("42"), Some("42")),
            (json!("a b"), Some("a%20b"), Some("a%20b")),
            (json!("a@b.example"), Some("a%40b.example"), Some("a%40b.example")),
            (json!("?x=1&y#z"), Some("%3Fx%3D1%26y%23z"), Some("%3Fx%3D1%26y%23z")),
            (json!("a;b:c,d+e"), Some("a%3Bb%3Ac%2Cd%2Be"), Some("a%3Bb%3Ac%2Cd%2Be")),
            (json!("Zoë"), Some("Zo%C3%AB"), Some("Zo%C3%AB")),
            (json!("..."), Some("..."), Some("...")),
            (
                json!("{employeeid}"),
                Some("%7Bemployeeid%7D"),
                Some("%7Bemployeeid%7D"),
            ),
            (json!(".."), None, Some("..")),
            (json!("."), None, Some(".")),
            (json!("../../admin"), None, Some("..%2F..%2Fadmin")),
            (json!("a/b"), None, Some("a%2Fb")),
            (json!("a\\b"), None, Some("a%5Cb")),
            (json!("%2e%2e"), None, Some("%252e%252e")),
            (json!(""), None, None),
            (json!("  "), None, None),
            (json!("a\r\nb"), None, None),
            (json!("a\u{0}b"), None, None),
            (json!("x".repeat(257)), None, None),
            (json!(true), None, None),
            (json!(1.5), None, None),
            (json!(["42"]), None, None),
            (json!({"a": "42"}), None, None),
            (json!(null), None, None),
        ] {
            let known = json!({"Employee ID": value});
            let found = filled("https://hr.example/v1/people/{employeeid}?fields=all", known.clone());
            let expected = in_path.map(|value| format!("https://hr.example/v1/people/{value}?fields=all"));
            assert_eq!(found.clone().ok(), expected, "{value}");
            if let (Err(error), Some(text)) = (found, value.as_str())
                && text.len() > 2
            {
                assert!(!error.contains(text), "{error}");
            }
            let found = filled("https://hr.example/people?a=1&id={employeeid}&b=2", known);
            let expected = in_query.map(|value| format!("https://hr.example/people?a=1&id={value}&b=2"));
            assert_eq!(found.ok(), expected, "{value}");
        }
        assert_eq!(
            filled("https://hr.example/{employeeid}", json!({})),
            Err("employeeid is missing".to_owned())
        );
    }

    #[test]
    fn two_values_that_are_dots_together_change_no_path() {
        for (template, known) in [
            ("https://hr.example/a/{x}{y}/b", json!({"x": ".", "y": "."})),
            ("https://hr.example/a/.{x}", json!({"x": "."})),
            ("https://hr.example/a/{x}.", json!({"x": "."})),
        ] {
            assert!(filled(template, known).is_err(), "{template}");
        }
        assert_eq!(
            filled("https://hr.example/a/{x}{y}.json", json!({"x": "1", "y": "2"})).unwrap(),
            "https://hr.example/a/12.json"
        );
    }

    #[test]
    fn fields_stand_in_path_and_query_alone() {
        for (template, expected) in [
            ("https://{employeeid}.example/", "never in the server's name"),
            ("https://hr.example:{employeeid}/", "never in the server's name"),
            ("{employeeid}", "never in the server's name"),
            ("https://{employeeid}@hr.example/", "never in the server's name"),
            ("https://hr.example/{}", "a placeholder is the name of a field"),
            ("https://hr.example/{a", "a placeholder is the name of a field"),
            ("https://hr.example/a}", "a placeholder is the name of a field"),
            ("https://hr.example/{{a}}", "a placeholder is the name of a field"),
            ("https://hr.example/{a/b}", "a placeholder is the name of a field"),
            ("https://hr.example/?{employeeid}=1", "as values alone"),
            ("https://hr.example/?a=1&{employeeid}", "as values alone"),
            ("https://hr.example/x", "say whose it is"),
            ("https://hr.example/{a}#{b}", "follows the #"),
            ("https://hr.example/../{a}", "without `.` and `..`"),
            ("https://hr.example/a b/{a}", "percent-encoded"),
            ("https://hr.example/%2e%2e/{a}", "without `.` and `..`"),
            ("http://hr.example/{a}", "use https"),
            ("https://127.0.0.1/{a}", "no public address"),
            ("https://me:pw@hr.example/{a}", "credentials"),
        ] {
            let found = UrlTemplate::read(template, false);
            assert!(
                found.as_ref().is_err_and(|help| help.contains(expected)),
                "{template}: {found:?}"
            );
        }
        let many = format!("https://hr.example/{}", "{a}".repeat(17));
        assert!(UrlTemplate::read(&many, false).is_err());
        assert!(UrlTemplate::read("http://127.0.0.1:1/{a}", true).is_ok());
        assert!(UrlTemplate::read("https://hr.example?id={a}", false).is_ok());
    }
}
