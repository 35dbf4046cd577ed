//! The transport to one directory: makes single attempts and records from each whether the
//! directory works.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;
use url::Url;

use super::{
    Dialect, ErrorKind, ListResponse, Page, Pool, Request, ResourceError, ScimError, User,
    answer::{Answer, header_text, is_scim_error},
    breaker::{self, Breaker, BreakerState, PROBE_INTERVAL},
    observed::ObservedAttempt,
    pacing::{CongestedError, Governor, Priority},
    retry::Budget,
    tokens::Tokens,
    transport_error,
};
use crate::telemetry::{
    metrics,
    traces::{self, TRACEPARENT},
};

/// The largest answer read, unpacked, in bytes: a page of 100 users is some 100 KiB. Anything
/// larger is not a page.
const MAX_ANSWER: usize = 8 << 20;

/// The most that is read for one command, unpacked, in bytes: the 200,000 users that AWS keeps at
/// most, all members of one group, are some 250 MiB. A directory whose pages lead on and on would
/// fill the memory otherwise.
const MAX_RECEIVED: usize = 512 << 20;

/// The longest message passed on from a directory, in characters.
const MAX_DETAIL: usize = 1000;

/// How many further tokens one request tries: the second, and one put in a file's place meanwhile.
const MAX_TOKENS_TRIED: usize = 2;

/// The command's bounds and counters, which go with each of its requests.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// How urgent it is.
    pub priority: Priority,
    /// After this nothing is sent any more.
    pub deadline: Instant,
    /// Counts what is sent, repetitions included.
    pub sent: &'a AtomicUsize,
    /// Counts the bytes of the answers.
    pub received: &'a AtomicUsize,
}

/// The last request that failed, in the service's own words: the directory's may quote a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// When.
    pub at: jiff::Timestamp,
    /// What went wrong.
    pub summary: String,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

impl LastError {
    /// Tells of a new token that is refused while the one before it still serves.
    pub fn of_refused_token(at: jiff::Timestamp) -> Self {
        Self {
            at,
            summary: "the directory refuses the new token (401); the one before it is still in use".to_owned(),
            request_id: None,
        }
    }
}

/// The state that the clones of a client share.
pub(super) struct Transport {
    /// What the log calls the directory.
    pub(super) name: String,
    pub(super) pool: Pool,
    pub(super) base: Url,
    pub(super) tokens: Tokens,
    pub(super) dialect: Dialect,
    pub(super) timeout: Duration,
    pub(super) governor: Governor,
    pub(super) breaker: Breaker,
    pub(super) budget: Budget,
    pub(super) last: Mutex<LastAttempt>,
    /// A task probes.
    pub(super) probing: AtomicBool,
}

/// How the last requests went.
#[derive(Clone, Debug, Default)]
pub(super) struct LastAttempt {
    pub(super) reached: Option<bool>,
    pub(super) error: Option<LastError>,
}

impl Transport {
    /// Waits for the request's turn, as long as the directory works and there is time.
    pub(super) async fn wait_for_turn(&self, request: &Request, context: RequestContext<'_>) -> Result<(), ScimError> {
        let RequestContext { priority, deadline, .. } = context;
        if Instant::now() >= deadline {
            return Err(ScimError::new(
                ErrorKind::Expired,
                "the command's time was over before this was sent",
            ));
        }
        let began = Instant::now();
        tokio::select! {
            biased;
            () = self.breaker.opened() => Err(self.breaker.refusal()),
            turn = self.governor.wait_for_turn(request.api, request.memberships(), priority, deadline) => {
                metrics::paced(&self.name, priority as usize, began.elapsed());
                turn.map_err(|CongestedError { retry_after }| ScimError {
                    retry_after: Some(retry_after),
                    ..ScimError::new(ErrorKind::Congested, "too much is waiting to be sent to the directory within the command's time")
                })
            }
        }
    }

    /// Sends a request once; again with another token, if there is one, when the first is refused.
    /// A 401 says that nothing was done.
    pub(super) async fn send_once(
        self: &Arc<Self>,
        request: &Request,
        context: RequestContext<'_>,
    ) -> Result<Answer, ScimError> {
        let mut tried = Vec::new();
        loop {
            let token = self.tokens.current();
            context.sent.fetch_add(1, Ordering::Relaxed);
            let answer = self.attempt(request, &token, self.timeout).await;
            let refused = matches!(&answer, Err(error) if error.kind == ErrorKind::Status(401));
            if answer.is_ok() {
                self.tokens.accepted(&token);
            } else if refused {
                tried.push(token);
                let may_go_on = tried.len() <= MAX_TOKENS_TRIED && Instant::now() < context.deadline;
                if may_go_on && self.tokens.replace(&tried).await {
                    continue;
                }
            }
            let answer = answer.and_then(|answer| count_received(answer, context.received));
            self.record_result(answer.as_ref().err());
            return answer;
        }
    }

    /// Makes a cheap read with this token; nothing while the breaker is open.
    pub(super) async fn try_token(&self, token: &SecretString) -> Option<Result<Answer, ScimError>> {
        if self.breaker.state() == BreakerState::Open {
            return None;
        }
        let request = Request::list_users(None, Page::Probe(1));
        Some(self.attempt(&request, token, self.timeout).await)
    }

    /// Makes one attempt, and counts it.
    async fn attempt(&self, request: &Request, token: &SecretString, timeout: Duration) -> Result<Answer, ScimError> {
        let observed = ObservedAttempt::begin(self, request);
        let exchange = self.exchange(request, token, timeout);
        let answer = exchange.instrument(observed.span.clone()).await;
        observed.end(&answer);
        answer
    }

    async fn exchange(&self, request: &Request, token: &SecretString, timeout: Duration) -> Result<Answer, ScimError> {
        let mut outgoing = self
            .pool
            .0
            .request(request.method.clone(), request.url(&self.base))
            .bearer_auth(token.expose_secret())
            .header(header::ACCEPT, "application/scim+json, application/json")
            .timeout(timeout);
        if let Some(traceparent) = traces::traceparent() {
            outgoing = outgoing.header(TRACEPARENT, traceparent);
        }
        if let Some(body) = &request.body {
            outgoing = outgoing
                .header(header::CONTENT_TYPE, "application/scim+json")
                .body(body.to_string());
        }
        let response = outgoing.send().await.map_err(|error| self.transport_error(error))?;
        let (status, headers) = (response.status(), self.mask_tokens(response.headers()));
        let body = match self.read_body(response).await {
            Ok(body) => body,
            // A refusal's body is optional: its status says enough.
            Err(_) if !status.is_success() => Vec::new(),
            Err(error) => return Err(error),
        };
        let answer = Answer { status, headers, body };
        if status.is_success() {
            Ok(answer)
        } else {
            Err(self.response_error(request, &answer))
        }
    }

    async fn read_body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, ScimError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.transport_error(error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let detail = format!("the directory's answer is larger than {} MiB", MAX_ANSWER >> 20);
                return Err(ScimError::new(ErrorKind::Unreadable, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Records a request's result in the breaker, and starts probing when that opens it.
    fn record_result(self: &Arc<Self>, error: Option<&ScimError>) {
        match error {
            Some(error) if breaker::is_failure(error) => {
                if self.breaker.failed() {
                    tracing::warn!(
                        instance = self.name,
                        "the directory keeps failing; nothing is sent to it until it answers again"
                    );
                }
                self.probe_if_open();
            }
            // An unreadable answer proves neither that the directory works nor that it does not.
            Some(ScimError {
                kind: ErrorKind::Unreadable,
                ..
            }) => {}
            Some(_) | None => self.breaker.succeeded(),
        }
        self.record_status(error);
    }

    /// Records the last request's result for [`Client::status`](super::Client::status).
    pub(super) fn record_status(&self, error: Option<&ScimError>) {
        let is_troubling = |error: &&ScimError| {
            breaker::is_failure(error)
                || matches!(
                    error.kind,
                    ErrorKind::Status(401 | 403) | ErrorKind::WrongUrl | ErrorKind::Unreadable
                )
        };
        let troubled = error.filter(is_troubling);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.reached = Some(troubled.is_none());
        if let Some(error) = troubled {
            let (summary, request_id) = (error.summary(), error.request_id.clone());
            last.error = Some(LastError {
                at: jiff::Timestamp::now(),
                summary,
                request_id,
            });
        }
    }

    /// Starts a probing task when the breaker is open and none runs.
    fn probe_if_open(self: &Arc<Self>) {
        if self.breaker.state() == BreakerState::Open && !self.probing.swap(true, Ordering::SeqCst) {
            tokio::spawn(probe(Arc::downgrade(self)));
        }
    }

    fn transport_error(&self, error: reqwest::Error) -> ScimError {
        let (kind, detail) = transport_error::classify(error, &self.base, self.timeout);
        ScimError::new(kind, self.sanitize(&detail))
    }

    fn response_error(&self, request: &Request, answer: &Answer) -> ScimError {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let body = body.as_ref().and_then(Value::as_object);
        let text = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
        let kind = match answer.status {
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled,
            StatusCode::NOT_FOUND if request.is_about_one() && body.is_some_and(is_scim_error) => ErrorKind::Absent,
            StatusCode::NOT_FOUND => ErrorKind::WrongUrl,
            status => ErrorKind::Status(status.as_u16()),
        };
        let detail = match text("detail").map(|detail| self.sanitize(detail)) {
            Some(detail) if !detail.is_empty() => detail,
            _ => format!("the directory answered {} and did not say why", answer.status),
        };
        let request_id = answer
            .request_id()
            .or_else(|| header_text(&self.tokens.mask(text("exceptionRequestId")?)));
        ScimError {
            request_id,
            retry_after: answer.retry_after(),
            ..ScimError::new(kind, detail)
        }
    }

    /// Masks tokens quoted in header fields: callers are shown them, and the log has the request's
    /// id.
    fn mask_tokens(&self, headers: &header::HeaderMap) -> header::HeaderMap {
        let mut headers = headers.clone();
        for value in headers.values_mut() {
            let text = String::from_utf8_lossy(value.as_bytes());
            let masked = self.tokens.mask(&text);
            if masked != text {
                let hidden = header::HeaderValue::from_static("***");
                *value = header::HeaderValue::from_str(&masked).unwrap_or(hidden);
            }
        }
        headers
    }

    /// Sanitizes a directory's text: one line, bounded, without tokens.
    fn sanitize(&self, text: &str) -> String {
        let visible: String = text
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        self.tokens.mask(&visible).trim().chars().take(MAX_DETAIL).collect()
    }
}

/// Counts an answer's bytes for its command; an error when they are too many.
fn count_received(answer: Answer, received: &AtomicUsize) -> Result<Answer, ScimError> {
    let size = answer.body.len();
    if received.fetch_add(size, Ordering::Relaxed) + size > MAX_RECEIVED {
        let detail = format!(
            "the directory's answers to one command are larger than {} MiB",
            MAX_RECEIVED >> 20
        );
        return Err(ScimError::new(ErrorKind::Unreadable, detail));
    }
    Ok(answer)
}

/// Reads one user every second until the directory answers as one, which closes the breaker.
async fn probe(transport: Weak<Transport>) {
    let request = Request::list_users(None, Page::Probe(1));
    loop {
        // Replicas that lost a directory together should not all ask at the same moment.
        tokio::time::sleep(PROBE_INTERVAL.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        let Some(transport) = transport.upgrade() else { return };
        let answer = transport
            .attempt(&request, &transport.tokens.current(), transport.timeout)
            .await;
        let works = match &answer {
            Ok(answer) => read_json(answer, |value| ListResponse::read(value, User::read)).is_ok(),
            Err(error) => !breaker::is_failure(error) && error.kind != ErrorKind::Unreadable,
        };
        if works {
            transport.breaker.succeeded();
            transport.record_status(answer.as_ref().err());
        }
        if transport.breaker.state() == BreakerState::Closed {
            tracing::info!(instance = transport.name, "the directory answers again");
            transport.probing.store(false, Ordering::SeqCst);
            // The breaker may have opened again before `probing` was cleared.
            transport.probe_if_open();
            return;
        }
    }
}

pub(super) fn read_json<T>(
    answer: &Answer,
    read: impl Fn(Value) -> Result<T, ResourceError>,
) -> Result<T, ResourceError> {
    let value = serde_json::from_slice(&answer.body).map_err(|_| ResourceError("it is not JSON"));
    value.and_then(read)
}
