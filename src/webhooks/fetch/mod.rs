//! Where more is fetched of a person than an event says, and what is taken from the answer.

use std::fmt;

use reqwest::{
    Method, Request, Response,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use toml::Table;

use super::{address, rules::budget, url_template::UrlTemplate};
use crate::{
    json,
    mapper::expressions::{Expression, Scope},
    operations::FetchError,
    outbound::{Outgoing, OutgoingError, Reach, body_within},
    profile::{UserProfile, display_key},
};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// How many fields may be taken from an answer.
const MOST_FIELDS: usize = 200;

/// What expressions see of an answer.
const FETCHED: &str = "fetched";

/// The part of a profile that tells of what was true before.
const OLD: &str = "olduserdata";

/// Header fields that a request needs for itself.
const RESERVED: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// How a source is asked for more of a person, as it is written.
#[derive(Debug)]
pub struct FetchSettings<'a> {
    /// The address, with fields of the person in braces.
    pub url: &'a str,
    /// The header field that the secret goes into.
    pub header: &'a str,
    /// What stands before the secret there.
    pub prefix: &'a str,
    /// The secret; none where the server asks for none.
    pub secret: Option<&'a SecretString>,
    /// Whether the server may be inside.
    pub allow_private: bool,
    /// The fields of the profile, each with an expression over `fetched`.
    pub fields: &'a Table,
}

/// Where more is fetched of a person.
pub struct FetchTarget {
    url: UrlTemplate,
    reach: Reach,
    credential: Option<(HeaderName, HeaderValue)>,
    fields: Vec<(String, Expression)>,
}

impl FetchTarget {
    /// Compiles a target.
    ///
    /// # Errors
    /// All that is wrong: the key, and what to do about it.
    pub fn new(settings: &FetchSettings<'_>) -> Result<Self, Vec<(String, String)>> {
        let mut faults = Vec::new();
        let url = UrlTemplate::read(settings.url, settings.allow_private);
        let url = url.map_err(|help| faults.push(("url".to_owned(), help))).ok();
        let credential = settings.secret.map(|secret| credential(settings, secret));
        let credential = credential.transpose().map_err(|fault| faults.push(fault)).ok();
        let fields = fields(settings.fields, &mut faults);
        match (url, credential) {
            (Some(url), Some(credential)) if faults.is_empty() => Ok(Self {
                url,
                reach: address::reach(settings.allow_private),
                credential,
                fields,
            }),
            _ => Err(faults),
        }
    }

    /// Asks once for a person.
    pub(super) async fn ask(&self, outgoing: &Outgoing, known: &UserProfile) -> Result<Map<String, Value>, FetchError> {
        let url = self.url.fill(known).map_err(FetchError::Lasting)?;
        let mut request = Request::new(Method::GET, url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = &self.credential {
            headers.insert(name, value.clone());
        }
        let answer = outgoing.send(request, self.reach).await.map_err(failed)?;
        check_status(answer.status().as_u16())?;
        if !is_json(&answer) {
            return Err(FetchError::Lasting("the answer is no JSON".to_owned()));
        }
        let body = body_within(answer, LONGEST_ANSWER).await.map_err(failed)?;
        let fetched = json::parse(&body);
        // What is wrong with it may repeat it.
        let fetched = fetched.map_err(|_| FetchError::Lasting("the answer is no JSON that can be read".to_owned()))?;
        self.fields_of(&fetched)
    }

    /// The fields that an answer gives. What uses a missing value is left out, and so is what gives
    /// an empty text.
    fn fields_of(&self, fetched: &Value) -> Result<Map<String, Value>, FetchError> {
        let mut budget = budget();
        let mut scope = Scope::new();
        let set = scope.set(FETCHED, Some(fetched), &mut budget);
        set.map_err(|error| FetchError::Lasting(format!("the answer {error}")))?;
        let mut given = Map::new();
        for (field, expression) in &self.fields {
            let value = expression.evaluate_in(&scope, &mut budget);
            let value = value.map_err(|error| FetchError::Lasting(format!("fields.{field} {error}")))?;
            if let Some(value) = value.filter(|value| !value.is_null() && value.as_str() != Some("")) {
                given.insert(field.clone(), value);
            }
        }
        if given.is_empty() {
            let names: Vec<&str> = self.fields.iter().map(|(field, _)| field.as_str()).collect();
            return Err(FetchError::Lasting(format!(
                "the answer has nothing for {}",
                names.join(", ")
            )));
        }
        Ok(given)
    }
}

/// Shows nothing of the credential.
impl fmt::Debug for FetchTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<&str> = self.fields.iter().map(|(field, _)| field.as_str()).collect();
        formatter
            .debug_struct("FetchTarget")
            .field("fields", &fields)
            .finish_non_exhaustive()
    }
}

/// The header field that proves to the server who asks.
fn credential(
    settings: &FetchSettings<'_>,
    secret: &SecretString,
) -> Result<(HeaderName, HeaderValue), (String, String)> {
    let fault = |key: &str, help: &str| (key.to_owned(), help.to_owned());
    let name = HeaderName::try_from(settings.header)
        .ok()
        .filter(|name| !RESERVED.contains(&name.as_str()))
        .ok_or_else(|| {
            fault(
                "header",
                "use the name of a header field that holds a credential, like \"Authorization\"",
            )
        })?;
    let text = format!("{}{}", settings.prefix, secret.expose_secret());
    let mut value = HeaderValue::from_str(&text)
        .ok()
        .filter(|_| text.is_ascii())
        .ok_or_else(|| {
            fault(
                "secret",
                "it can't stand in a header field: it has to be printable ASCII",
            )
        })?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Compiles the fields.
fn fields(table: &Table, faults: &mut Vec<(String, String)>) -> Vec<(String, Expression)> {
    let mut fields = Vec::new();
    if table.is_empty() || table.len() > MOST_FIELDS {
        let help =
            format!("say which fields the answer has: 1 to {MOST_FIELDS}, like {{ email = \"fetched.work.email\" }}");
        faults.push(("fields".to_owned(), help));
        return fields;
    }
    for (name, value) in table {
        let key = format!("fields.{}", name.escape_debug());
        let Some(text) = value.as_str() else {
            faults.push((
                key,
                "write an expression in quotes, like \"fetched.work.email\"".to_owned(),
            ));
            continue;
        };
        if display_key(name) == OLD || name.trim().is_empty() {
            faults.push((key, "take it out: it is no field that a person has now".to_owned()));
            continue;
        }
        let compiled = Expression::new(text).map_err(|error| error.to_string());
        let checked = compiled.and_then(
            |expression| match expression.fields().iter().find(|name| *name != FETCHED) {
                Some(other) => Err(format!(
                    "the name `{other}` is not known; known is `{FETCHED}`, the answer"
                )),
                None => Ok(expression),
            },
        );
        match checked {
            Ok(expression) => fields.push((name.clone(), expression)),
            Err(help) => faults.push((key, help)),
        }
    }
    fields
}

/// Judges a status. Whom the server does not know it may know later, but no try would bring that
/// nearer; a credential that is refused, on the other hand, an operator exchanges.
fn check_status(status: u16) -> Result<(), FetchError> {
    let told = format!("the answer is {status}");
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(FetchError::Lasting(format!("{told}, and redirects are not followed"))),
        401 | 403 | 408 | 425 | 429 | 500.. => Err(FetchError::Passing(told)),
        _ => Err(FetchError::Lasting(told)),
    }
}

fn failed(error: OutgoingError) -> FetchError {
    if error.is_passing() {
        FetchError::Passing(error.to_string())
    } else {
        FetchError::Lasting(error.to_string())
    }
}

/// Whether an answer says that it is JSON (RFC 6839 section 3.1 for the suffix).
fn is_json(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

#[cfg(test)]
mod tests;
