//! From a request to a command's arguments: the body within limits of size and time, its declared
//! type, its JSON; and the query.
//!
//! Everything here is refused before a command exists, so it answers in [`Problem`]s. The order in
//! [`Arguments`] matters: what can be refused from the header section alone is refused before a
//! byte of the body is read, and the number of running commands is counted only once the body is
//! there, so that slow senders can't hold the places of those who are done sending.

use std::{borrow::Cow, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{http::problem::Problem, json};

/// What a body may take before it counts against the common budget, in bytes: ordinary commands
/// never meet it.
const FREE_BYTES: usize = 16 * 1024;

/// The unit in which the common budget for bodies is kept, in bytes.
const BUDGET_UNIT: usize = 1024;

/// How much of a refused body is still read and thrown away, in bytes, and for how long. A socket
/// closed with unread bytes in it resets the connection, and the sender would see the reset instead
/// of the 413 (RFC 9112 section 9.6).
const DRAIN_BYTES: usize = 8 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// What callers are told to wait when there is no room, since commands last about a second.
pub(super) const BUSY_RETRY: Duration = Duration::from_secs(1);

/// The limits within which bodies are taken.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// The longest body, in bytes.
    pub max_body: usize,
    /// How long a body may take to arrive whole, however busily its sender drips.
    pub body_timeout: Duration,
    /// How much all bodies beyond 16 KiB may hold together, in bytes, from arrival until their
    /// commands are done.
    pub max_buffered: usize,
    /// How many commands may run at once; more are answered 503.
    pub max_running: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            max_body: 2 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            max_buffered: 64 * 1024 * 1024,
            max_running: 512,
        }
    }
}

/// The gate through which bodies come in; one for the whole service, found in every request's
/// extensions.
#[derive(Debug)]
pub struct BodyReader {
    limits: BodyLimits,
    buffered: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl BodyReader {
    /// A gate with these limits.
    pub fn new(limits: BodyLimits) -> Self {
        let units = (limits.max_buffered / BUDGET_UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            limits,
            buffered: Arc::new(Semaphore::new(units)),
            running: Arc::new(Semaphore::new(limits.max_running.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// A place among the running commands, for as long as the value is kept; a 503 problem when all
    /// are taken.
    pub fn permit(&self) -> Result<Permit, Problem> {
        self.permit_with(None)
    }

    fn permit_with(&self, buffered: Option<OwnedSemaphorePermit>) -> Result<Permit, Problem> {
        let running = Arc::clone(&self.running)
            .try_acquire_owned()
            .map_err(|_| Problem::busy(BUSY_RETRY))?;
        Ok(Permit {
            _running: running,
            _buffered: buffered,
        })
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Document, Problem> {
        check_encoding(headers)?;
        check_media_type(headers)?;
        let limit = self.limits.max_body;
        if body.size_hint().lower() > limit as u64 {
            // Who waits for a 100 (Continue) has sent nothing yet, and reading would ask for all of
            // it.
            if !headers.contains_key(header::EXPECT) {
                drain(body);
            }
            return Err(Problem::body_too_large(limit));
        }
        match tokio::time::timeout(self.limits.body_timeout, self.collect(body)).await {
            Ok(document) => document,
            Err(_) => Err(Problem::request_timeout(self.limits.body_timeout)),
        }
    }

    async fn collect(&self, mut body: Body) -> Result<Document, Problem> {
        let mut document = Document::default();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            // A sender that hung up, or chunks that are none.
            let frame = frame.map_err(|_| Problem::not_json("", "the body did not arrive whole"))?;
            let Ok(bytes) = frame.into_data() else { continue };
            if document.bytes.len() + bytes.len() > self.limits.max_body {
                drain(body);
                return Err(Problem::body_too_large(self.limits.max_body));
            }
            document.bytes.extend_from_slice(&bytes);
            if !document.reserve(&self.buffered) {
                drain(body);
                return Err(Problem::busy(BUSY_RETRY));
            }
        }
        Ok(document)
    }
}

impl Default for BodyReader {
    fn default() -> Self {
        Self::new(BodyLimits::default())
    }
}

/// A place among the running commands. Move it into whatever does the work: dropping it gives the
/// place to another.
#[derive(Debug)]
pub struct Permit {
    _running: OwnedSemaphorePermit,
    _buffered: Option<OwnedSemaphorePermit>,
}

/// A command's arguments from a JSON body, and the place that it was given.
///
/// Refused: 415 for a body that is not declared as JSON in UTF-8 or is compressed, 413 and 408
/// beyond the limits, 400 for what is not exactly one JSON object with the arguments of `T`, 503
/// when too much is going on.
#[derive(Debug)]
pub struct Arguments<T> {
    /// The arguments.
    pub value: T,
    /// The place among the running commands.
    pub admitted: Permit,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Arguments<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body_reader = body_reader_of(&request);
        let (parts, body) = request.into_parts();
        let document = body_reader.read(&parts.headers, body).await?;
        let value = json::from_value(json::parse(&document.bytes)?)?;
        Ok(Self {
            value,
            admitted: body_reader.permit_with(document.reserved)?,
        })
    }
}

/// As [`Arguments`], for commands that need none: no body at all reads as `{}`.
#[derive(Debug)]
pub struct OptionalArguments<T> {
    /// The arguments.
    pub value: T,
    /// The place among the running commands.
    pub admitted: Permit,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalArguments<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // An empty body has no type to declare; one that declares JSON and is empty is a mistake
        // all the same.
        if request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_TYPE) {
            let value = json::from_value(Value::Object(Map::new()))?;
            return Ok(Self {
                value,
                admitted: body_reader_of(&request).permit()?,
            });
        }
        let Arguments { value, admitted } = Arguments::from_request(request, state).await?;
        Ok(Self { value, admitted })
    }
}

/// The query parameters of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandQuery {
    /// `instance`: which directory; the default one when absent.
    pub instance: Option<String>,
    /// `dryRun`: read, but write nothing.
    pub dry_run: bool,
}

impl CommandQuery {
    /// Reads a raw query (`application/x-www-form-urlencoded`). Unknown, doubled and unreadable
    /// parameters are refused by name: a `dryrun` that is passed over would write.
    pub fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut instance = None;
        let mut dry_run = None;
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let unreadable = |name| Problem::bad_parameter(name, "is not percent-encoded UTF-8");
            let name = decoded(name).ok_or_else(|| unreadable(name))?;
            let value = decoded(value).ok_or_else(|| unreadable(&name))?;
            let twice = match &*name {
                "instance" if value.is_empty() => return Err(Problem::bad_parameter(&name, "has no value")),
                "instance" => instance.replace(value.into_owned()).is_some(),
                "dryRun" => match &*value {
                    "true" => dry_run.replace(true).is_some(),
                    "false" => dry_run.replace(false).is_some(),
                    _ => return Err(Problem::bad_parameter(&name, "is either true or false")),
                },
                _ => {
                    return Err(Problem::bad_parameter(
                        &name,
                        "is not known; there are `instance` and `dryRun`",
                    ));
                }
            };
            if twice {
                return Err(Problem::bad_parameter(&name, "is given twice"));
            }
        }
        Ok(Self {
            instance,
            dry_run: dry_run.unwrap_or(false),
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CommandQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query())
    }
}

/// A body as it arrives, and what it holds of the common budget.
#[derive(Debug, Default)]
struct Document {
    bytes: Vec<u8>,
    reserved: Option<OwnedSemaphorePermit>,
}

impl Document {
    /// Takes from the budget what has arrived beyond the free part; `false` when there isn't enough
    /// left.
    fn reserve(&mut self, budget: &Arc<Semaphore>) -> bool {
        let needed = self.bytes.len().saturating_sub(FREE_BYTES).div_ceil(BUDGET_UNIT);
        let held = self.reserved.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(missing) = u32::try_from(needed.saturating_sub(held)) else {
            return false;
        };
        if missing == 0 {
            return true;
        }
        let Ok(permit) = Arc::clone(budget).try_acquire_many_owned(missing) else {
            return false;
        };
        match &mut self.reserved {
            Some(reserved) => reserved.merge(permit),
            None => self.reserved = Some(permit),
        }
        true
    }
}

fn body_reader_of(request: &Request) -> Arc<BodyReader> {
    request.extensions().get().cloned().unwrap_or_default()
}

/// Reads on for a moment without keeping anything, while the answer is already on its way.
fn drain(mut body: Body) {
    tokio::spawn(tokio::time::timeout(DRAIN_TIME, async move {
        let mut thrown_away = 0;
        while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            thrown_away += frame.data_ref().map_or(0, |bytes| bytes.len());
            if thrown_away > DRAIN_BYTES {
                break;
            }
        }
    }));
}

/// Compressed bodies are not inflated: a few kilobytes could become gigabytes.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain {
        Ok(())
    } else {
        Err(Problem::unsupported_encoding())
    }
}

/// `application/json` or `application/*+json` (RFC 6838 section 4.2.8), in UTF-8 (RFC 8259 section
/// 8.1).
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let refused = |detail| Err(Problem::unsupported_media_type(detail));
    let (field, None) = (fields.next(), fields.next()) else {
        return refused("is given twice");
    };
    let Some(field) = field else {
        return refused("is missing; application/json is taken");
    };
    let Ok(field) = field.to_str() else {
        return refused("is not readable; application/json is taken");
    };
    let mut parts = field.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = match essence.strip_prefix("application/") {
        Some("json") => true,
        Some(subtype) => subtype
            .strip_suffix("+json")
            .is_some_and(|name| !name.is_empty() && !name.contains(' ')),
        None => false,
    };
    if !is_json {
        return refused("is not JSON; application/json is taken");
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("charset") && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        {
            return refused("names another charset than utf-8");
        }
    }
    Ok(())
}

/// Percent-decoded UTF-8 with `+` for a space; `None` where a `%` lacks its two digits or the bytes
/// are not UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(rest.next()?)? * 16 + digit(rest.next()?)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::Value;

    use super::*;
    use crate::http::problem::ProblemType;

    #[test]
    fn a_query_is_read_or_refused_by_name() {
        let is = |instance: Option<&str>, dry_run| CommandQuery {
            instance: instance.map(str::to_owned),
            dry_run,
        };
        for (query, expected) in [
            (None, is(None, false)),
            (Some(""), is(None, false)),
            (
                Some("instance=AWS-ILM_instance_1"),
                is(Some("AWS-ILM_instance_1"), false),
            ),
            (Some("dryRun=true&instance=a%20b+c%C3%A9"), is(Some("a b cé"), true)),
            (Some("dryRun=false"), is(None, false)),
            (Some("%69nstance=a"), is(Some("a"), false)),
        ] {
            assert_eq!(CommandQuery::parse(query).expect("readable"), expected, "{query:?}");
        }
        for (query, parameter) in [
            ("dryrun=true", "dryrun"),
            ("instance=a&instance=b", "instance"),
            ("instance=a&%69nstance=a", "instance"),
            ("dryRun=true&dryRun=true", "dryRun"),
            ("dryRun", "dryRun"),
            ("dryRun=1", "dryRun"),
            ("dryRun=TRUE", "dryRun"),
            ("instance=", "instance"),
            ("instance=%ff", "instance"),
            ("instance=%4", "instance"),
            ("instance=%zz", "instance"),
            ("%ff=1", "%ff"),
            ("=1", ""),
            ("a%0d%0aX=1", "a\\u{d}\\u{a}X"),
        ] {
            let problem = CommandQuery::parse(Some(query)).expect_err(query);
            assert_eq!(problem.problem_type(), ProblemType::BadParameter);
            let told: Value = serde_json::to_value(problem).unwrap();
            assert_eq!(told["errors"][0]["parameter"], parameter, "{query}");
        }
    }

    #[test]
    fn only_json_in_utf_8_is_a_body() {
        let headers = |fields: &[&'static str]| {
            let fields = fields
                .iter()
                .map(|field| (header::CONTENT_TYPE, HeaderValue::from_static(field)));
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(name, value);
            }
            headers
        };
        for taken in [
            "application/json",
            "Application/JSON; Charset=\"UTF-8\"",
            "application/json;charset=utf-8; x=y",
            "application/vnd.api+json",
        ] {
            assert!(check_media_type(&headers(&[taken])).is_ok(), "{taken}");
        }
        for refused in [
            &[][..],
            &[""],
            &["text/plain"],
            &["text/json"],
            &["application/jsonx"],
            &["application/+json"],
            &["application/json; charset=utf-16"],
            &["application/json; charset=utf-8; charset=latin1"],
            &["application/json, application/json"],
            &["application/json", "application/json"],
        ] {
            let problem = check_media_type(&headers(refused)).expect_err("should be refused");
            assert_eq!(problem.problem_type(), ProblemType::UnsupportedMediaType, "{refused:?}");
        }
    }

    #[test]
    fn the_budget_counts_what_is_beyond_the_free_part_and_is_given_back() {
        let budget = Arc::new(Semaphore::new(10));
        let mut small = Document {
            bytes: vec![0; FREE_BYTES],
            reserved: None,
        };
        assert!(small.reserve(&budget));
        assert_eq!(budget.available_permits(), 10);
        let mut large = Document {
            bytes: vec![0; FREE_BYTES + 4 * BUDGET_UNIT],
            reserved: None,
        };
        assert!(large.reserve(&budget));
        large.bytes.extend_from_slice(&[0; BUDGET_UNIT]);
        assert!(large.reserve(&budget));
        assert_eq!(budget.available_permits(), 5);
        let mut larger = Document {
            bytes: vec![0; FREE_BYTES + 6 * BUDGET_UNIT],
            reserved: None,
        };
        assert!(!larger.reserve(&budget));
        drop(large);
        assert!(larger.reserve(&budget));
        assert_eq!(budget.available_permits(), 4);
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let body_reader = BodyReader::new(BodyLimits {
            max_running: 1,
            ..BodyLimits::default()
        });
        let first = body_reader.permit().expect("there is a place");
        assert_eq!(
            body_reader.permit().expect_err("there is none").problem_type(),
            ProblemType::Busy
        );
        drop(first);
        body_reader.permit().expect("there is a place again");
    }
}
