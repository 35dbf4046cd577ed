//! The client of one directory: gentle to its limits, patient with its faults, and never in doubt about what was done.
//!
//! A request waits for its turn ([`super::pacing`]), is sent through the pool that the whole process shares, and is sent again where that is
//! safe ([`super::retry`]), unless the directory keeps failing ([`super::breaker`]) or the caller's time is over.

use std::{
    fmt,
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
use url::Url;

use super::{
    Dialect, Error, ErrorKind, Filter, Group, Headers, Id, ListResponse, Malformed, Object, Page, PatchOp, Pool,
    Request, User,
    answer::{Answer, header_text, is_scim_error},
    breaker::{self, Breaker, BreakerState, PROBE_INTERVAL},
    pacing::{Congested, Governor, LaneStatus, Priority, Rates},
    request::Api,
    retry::{self, Budget},
    tokens::{Token, TokenInUse, Tokens},
};

/// The largest answer read, unpacked, in bytes: a page of 100 users is some 100 KiB. Anything larger is not a page.
const MAX_ANSWER: usize = 8 << 20;

/// The longest message passed on from a directory, in characters.
const MAX_DETAIL: usize = 1000;

/// How often a request refused for its rate is sent at most. Each refusal slows the whole lane, and the pauses between them grow to seconds.
const MAX_THROTTLED: u32 = 10;

/// How often a token in a file is read anew.
const TOKEN_POLL: Duration = Duration::from_secs(1);

/// How many further tokens one request tries: the second, and one put in a file's place meanwhile.
const MAX_TOKENS_TRIED: usize = 2;

/// Where a directory is, who we are there, and how we treat it.
#[derive(Debug)]
pub struct Target {
    /// The URL below which its collections stand.
    pub base: Url,
    /// The access token.
    pub token: Token,
    /// A second one, for when the first is refused.
    pub second_token: Option<Token>,
    /// How it speaks.
    pub dialect: Dialect,
    /// How long one request may take.
    pub timeout: Duration,
    /// How many requests it allows.
    pub rates: Rates,
}

/// On whose behalf a request is made.
#[derive(Clone, Copy, Debug)]
pub struct Urgency<'a> {
    /// How urgent it is.
    pub priority: Priority,
    /// After this nothing is sent any more.
    pub deadline: Instant,
    /// Counts what is sent, repetitions included.
    pub sent: &'a AtomicUsize,
}

/// A client of one directory; clones are the same one.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    pool: Pool,
    base: Url,
    tokens: Tokens,
    dialect: Dialect,
    timeout: Duration,
    governor: Governor,
    breaker: Breaker,
    budget: Budget,
    last: Mutex<Last>,
    /// A task probes.
    probing: AtomicBool,
}

/// How the last requests went.
#[derive(Clone, Debug, Default)]
struct Last {
    reached: Option<bool>,
    error: Option<LastError>,
}

/// The last request that failed, in our own words: the directory's may quote a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// When.
    pub at: jiff::Timestamp,
    /// What went wrong.
    pub summary: String,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

/// How a directory and our dealings with it are doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Whether the last request was answered as by a working directory that knows us; `None` before the first.
    pub reached: Option<bool>,
    /// The last failure, if there was any.
    pub last_error: Option<LastError>,
    /// Whether requests go through.
    pub breaker: BreakerState,
    /// Which token is in use.
    pub token_in_use: TokenInUse,
    /// When it expires, as far as is known.
    pub token_expires: Option<jiff::Timestamp>,
    /// The pace of each API, and of memberships.
    pub lanes: Vec<LaneStatus>,
}

impl Status {
    /// Whole days until the token in use expires, as far as that is known; negative when it has.
    pub fn token_days_left(&self) -> Option<i64> {
        const DAY: i64 = 24 * 60 * 60;
        let left = |expires: jiff::Timestamp| {
            let left = expires.duration_since(jiff::Timestamp::now());
            // Negative for the past, be it a moment ago.
            (left.as_secs() - i64::from(left.subsec_nanos() < 0)).div_euclid(DAY)
        };
        self.token_expires.map(left)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { base, dialect, .. } = &*self.0;
        f.debug_struct("Client")
            .field("base", &base.as_str())
            .field("dialect", dialect)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of this directory. Needs a running tokio: a token that is kept in a file is read anew every second.
    pub fn new(pool: Pool, target: Target) -> Self {
        let shared = Arc::new(Shared {
            pool,
            base: target.base,
            tokens: Tokens::new(target.token, target.second_token),
            dialect: target.dialect,
            timeout: target.timeout,
            governor: Governor::new(&target.rates),
            breaker: Breaker::new(),
            budget: Budget::new(),
            last: Mutex::default(),
            probing: AtomicBool::new(false),
        });
        if shared.tokens.can_change() {
            tokio::spawn(watch_tokens(Arc::downgrade(&shared)));
        }
        Self(shared)
    }

    /// How the directory speaks.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// How the directory and our dealings with it are doing.
    pub fn status(&self) -> Status {
        let Last { reached, error } = self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Status {
            reached,
            last_error: error,
            breaker: self.0.breaker.state(),
            token_in_use: self.0.tokens.in_use(),
            token_expires: self.0.tokens.expires(),
            lanes: self.0.governor.status(),
        }
    }

    /// A page of the users that match.
    ///
    /// # Errors
    /// See [`ErrorKind`]; the same holds for every method below.
    pub async fn list_users(
        &self,
        filter: Option<Filter>,
        page: Page,
        urgency: Urgency<'_>,
    ) -> Result<ListResponse<User>, Error> {
        let answer = self.send(&Request::list_users(filter, page), urgency).await?;
        self.read(answer, |value| ListResponse::read(value, User::read))
    }

    /// The user of this id.
    pub async fn get_user(&self, id: &Id, urgency: Urgency<'_>) -> Result<User, Error> {
        self.read(self.send(&Request::get_user(id), urgency).await?, User::read)
    }

    /// A new user.
    pub async fn create_user(&self, attributes: &Object, urgency: Urgency<'_>) -> Result<User, Error> {
        self.read(self.send(&Request::create_user(attributes), urgency).await?, User::read)
    }

    /// Changes a user; `None` when the directory did it without showing the result (RFC 7644 section 3.5.2 allows 204).
    pub async fn patch_user(&self, id: &Id, changes: &PatchOp, urgency: Urgency<'_>) -> Result<Option<User>, Error> {
        let answer = self.send(&Request::patch_user(id, changes), urgency).await?;
        if answer.body.is_empty() {
            Ok(None)
        } else {
            self.read(answer, User::read).map(Some)
        }
    }

    /// The groups that match, on one page.
    pub async fn list_groups(&self, filter: Filter, urgency: Urgency<'_>) -> Result<ListResponse<Group>, Error> {
        let answer = self
            .send(&Request::list_groups(Some(filter), Page::Only), urgency)
            .await?;
        self.read(answer, |value| ListResponse::read(value, Group::read))
    }

    /// The group of this id.
    pub async fn get_group(&self, id: &Id, urgency: Urgency<'_>) -> Result<Group, Error> {
        self.read(self.send(&Request::get_group(id), urgency).await?, Group::read)
    }

    /// A new group.
    pub async fn create_group(&self, attributes: &Object, urgency: Urgency<'_>) -> Result<Group, Error> {
        self.read(
            self.send(&Request::create_group(attributes), urgency).await?,
            Group::read,
        )
    }

    /// Changes a group. AWS answers without a body, so the headers are all there is to show.
    pub async fn patch_group(&self, id: &Id, changes: &PatchOp, urgency: Urgency<'_>) -> Result<Headers, Error> {
        Ok(self.send(&Request::patch_group(id, changes), urgency).await?.headers())
    }

    /// Deletes a group. One that is gone after an answer got lost was deleted by us.
    pub async fn delete_group(&self, id: &Id, urgency: Urgency<'_>) -> Result<Headers, Error> {
        Ok(self.send(&Request::delete_group(id), urgency).await?.headers())
    }

    /// Asks for the ServiceProviderConfig: proof that the base URL is a SCIM endpoint's.
    pub async fn service_provider_config(&self, urgency: Urgency<'_>) -> Result<(), Error> {
        let answer = self.send(&Request::service_provider_config(), urgency).await?;
        let is_config = |value: &Value| value.get("patch").is_some();
        self.read(answer, |value| {
            is_config(&value)
                .then_some(())
                .ok_or(Malformed("this is no ServiceProviderConfig"))
        })
    }

    /// Sends a request, in its turn, and again where that is safe and there is time.
    async fn send(&self, request: &Request, urgency: Urgency<'_>) -> Result<Answer, Error> {
        let shared = &self.0;
        let mut lost: Option<Error> = None;
        let mut throttled: Option<Error> = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            if let Err(unsent) = shared.turn(request, urgency).await {
                // What an earlier attempt left in doubt, or was told, matters more than why there was no further one.
                return Err(lost.or(throttled).unwrap_or(unsent));
            }
            if attempt == 1 {
                shared.budget.earn();
            }
            let error = match shared.once(request, urgency).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.kind == ErrorKind::Absent && request.api == Api::DeleteGroup && lost.is_some() {
                return Ok(Answer {
                    status: StatusCode::NO_CONTENT,
                    headers: header::HeaderMap::new(),
                    body: Vec::new(),
                });
            }
            let is_throttled = error.kind == ErrorKind::Throttled;
            if is_throttled {
                shared
                    .governor
                    .throttled(request.api, request.memberships(), error.retry_after);
            }
            let pause = retry::pause(attempt, error.retry_after);
            let again = retry::is_repeatable(request.api, &error)
                && attempt < if is_throttled { MAX_THROTTLED } else { retry::MAX_ATTEMPTS }
                && Instant::now() + pause < urgency.deadline
                // The pace bounds how often a refused request comes again; an outage's repetitions are bounded by the budget.
                && (is_throttled || shared.budget.spend());
            if error.is_answer_lost() {
                lost = Some(error.clone());
            } else if is_throttled {
                throttled = Some(error.clone());
            }
            if !again {
                // An attempt that certainly did nothing does not settle what one before it may have done.
                let did_nothing = matches!(
                    error.kind,
                    ErrorKind::Connect | ErrorKind::Throttled | ErrorKind::Status(401 | 403)
                );
                return Err(if did_nothing { lost.unwrap_or(error) } else { error });
            }
            tracing::debug!(api = request.api.name(), kind = ?error.kind, attempt, "sending again");
            tokio::select! {
                biased;
                () = shared.breaker.opened() => return Err(lost.unwrap_or_else(|| shared.breaker.refusal())),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reads an answer. One that can't be read says that something is wrong, though the directory works.
    fn read<T>(&self, answer: Answer, read: impl Fn(Value) -> Result<T, Malformed>) -> Result<T, Error> {
        let request_id = answer.request_id();
        read_json(&answer, read).map_err(|malformed| {
            let detail = format!("the directory's answer can't be used: {malformed}");
            let error = Error {
                request_id,
                ..Error::new(ErrorKind::Unreadable, detail)
            };
            self.0.remember(Some(&error));
            error
        })
    }
}

impl Shared {
    /// Waits for the request's turn, as long as the directory works and there is time.
    async fn turn(&self, request: &Request, urgency: Urgency<'_>) -> Result<(), Error> {
        let Urgency { priority, deadline, .. } = urgency;
        if Instant::now() >= deadline {
            return Err(Error::new(
                ErrorKind::Expired,
                "the command's time was over before this was sent",
            ));
        }
        tokio::select! {
            biased;
            () = self.breaker.opened() => Err(self.breaker.refusal()),
            turn = self.governor.turn(request.api, request.memberships(), priority, deadline) => {
                turn.map_err(|Congested { retry_after }| Error {
                    retry_after: Some(retry_after),
                    ..Error::new(ErrorKind::Congested, "too much is waiting to be sent to the directory within the command's time")
                })
            }
        }
    }

    /// Sends a request once; again with another token, if there is one, when the first is refused. A 401 says that nothing was done.
    async fn once(self: &Arc<Self>, request: &Request, urgency: Urgency<'_>) -> Result<Answer, Error> {
        let mut tried = Vec::new();
        loop {
            let token = self.tokens.current();
            urgency.sent.fetch_add(1, Ordering::Relaxed);
            let answer = self.attempt(request, &token, self.timeout).await;
            let refused = matches!(&answer, Err(error) if error.kind == ErrorKind::Status(401));
            if !refused {
                self.tokens.accepted(&token);
            } else {
                tried.push(token);
                let may_go_on = tried.len() <= MAX_TOKENS_TRIED && Instant::now() < urgency.deadline;
                if may_go_on && self.tokens.replace(&tried).await {
                    continue;
                }
            }
            self.account(answer.as_ref().err());
            return answer;
        }
    }

    async fn attempt(&self, request: &Request, token: &SecretString, timeout: Duration) -> Result<Answer, Error> {
        let mut outgoing = self
            .pool
            .0
            .request(request.method.clone(), request.url(&self.base))
            .bearer_auth(token.expose_secret())
            .header(header::ACCEPT, "application/scim+json, application/json")
            .timeout(timeout);
        if let Some(body) = &request.body {
            outgoing = outgoing
                .header(header::CONTENT_TYPE, "application/scim+json")
                .body(body.to_string());
        }
        let response = outgoing.send().await.map_err(|error| self.unanswered(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match self.body(response).await {
            Ok(body) => body,
            // What a refusal says is welcome, not needed.
            Err(_) if !status.is_success() => Vec::new(),
            Err(error) => return Err(error),
        };
        let answer = Answer { status, headers, body };
        if status.is_success() {
            Ok(answer)
        } else {
            Err(self.refusal(request, &answer))
        }
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unanswered(error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let detail = format!("the directory's answer is larger than {} MiB", MAX_ANSWER >> 20);
                return Err(Error::new(ErrorKind::Unreadable, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Keeps in mind how a request went, and starts probing when it was one failure too many.
    fn account(self: &Arc<Self>, error: Option<&Error>) {
        match error {
            Some(error) if breaker::is_failure(error) => {
                if self.breaker.failed() {
                    tracing::warn!("the directory keeps failing; nothing is sent to it until it answers again");
                }
                self.probe_if_open();
            }
            // Whatever that was, it proves neither that the directory works nor that it does not.
            Some(Error {
                kind: ErrorKind::Unreadable,
                ..
            }) => {}
            Some(_) | None => self.breaker.succeeded(),
        }
        self.remember(error);
    }

    /// Keeps for whoever watches over the service how the last request went.
    fn remember(&self, error: Option<&Error>) {
        let troubling = |error: &&Error| {
            breaker::is_failure(error)
                || matches!(
                    error.kind,
                    ErrorKind::Status(401 | 403) | ErrorKind::WrongUrl | ErrorKind::Unreadable
                )
        };
        let troubled = error.filter(troubling);
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

    /// Sees to it that one task probes while the breaker is open.
    fn probe_if_open(self: &Arc<Self>) {
        if self.breaker.state() == BreakerState::Open && !self.probing.swap(true, Ordering::SeqCst) {
            tokio::spawn(probe(Arc::downgrade(self)));
        }
    }

    /// No answer, or not a whole one. The error's own text names the URL, and with it whom was asked for: left out.
    fn unanswered(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let chain = || std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let cause = chain().last().map(ToString::to_string).unwrap_or_default();
        // Of the connection, whatever is wrapped around it: a body that ends early fails to be unpacked as well.
        let connection = chain().find_map(|error| error.downcast_ref::<hyper::Error>());
        let (kind, detail) = if error.is_connect() {
            (ErrorKind::Connect, format!("no connection to the directory: {cause}"))
        } else if error.is_timeout() {
            (
                ErrorKind::Timeout,
                format!("the directory did not answer within {} ms", self.timeout.as_millis()),
            )
        } else if connection.is_some_and(hyper::Error::is_parse) {
            (
                ErrorKind::Unreadable,
                format!("the directory's answer is not HTTP as it should be: {cause}"),
            )
        } else if error.is_decode() && connection.is_none() {
            (
                ErrorKind::Unreadable,
                format!("the directory's answer can't be unpacked: {cause}"),
            )
        } else {
            (
                ErrorKind::Broken,
                format!("the connection broke before the directory's answer was whole: {cause}"),
            )
        };
        Error::new(kind, self.plain(&detail))
    }

    fn refusal(&self, request: &Request, answer: &Answer) -> Error {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let body = body.as_ref().and_then(Value::as_object);
        let text = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
        let kind = match answer.status {
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled,
            StatusCode::NOT_FOUND if request.is_about_one() && body.is_some_and(is_scim_error) => ErrorKind::Absent,
            StatusCode::NOT_FOUND => ErrorKind::WrongUrl,
            status => ErrorKind::Status(status.as_u16()),
        };
        let detail = match text("detail").map(|detail| self.plain(detail)) {
            Some(detail) if !detail.is_empty() => detail,
            _ => format!("the directory answered {} and did not say why", answer.status),
        };
        let request_id = answer
            .request_id()
            .or_else(|| text("exceptionRequestId").and_then(header_text));
        Error {
            request_id,
            retry_after: answer.retry_after(),
            ..Error::new(kind, detail)
        }
    }

    /// Somebody else's words as plain text: one line, bounded, without our tokens.
    fn plain(&self, text: &str) -> String {
        let visible: String = text
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        self.tokens.mask(&visible).trim().chars().take(MAX_DETAIL).collect()
    }
}

/// Reads one user every second until the directory answers as one, which closes the breaker.
async fn probe(shared: Weak<Shared>) {
    let sample = Request::list_users(None, Page::Sample(1));
    loop {
        // Replicas that lost a directory together should not all ask at the same moment.
        tokio::time::sleep(PROBE_INTERVAL.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        let Some(shared) = shared.upgrade() else { return };
        let answer = shared.attempt(&sample, &shared.tokens.current(), shared.timeout).await;
        let works = match &answer {
            Ok(answer) => read_json(answer, |value| ListResponse::read(value, User::read)).is_ok(),
            Err(error) => !breaker::is_failure(error) && error.kind != ErrorKind::Unreadable,
        };
        if works {
            shared.breaker.succeeded();
            shared.remember(answer.as_ref().err());
        }
        if shared.breaker.state() == BreakerState::Closed {
            tracing::info!("the directory answers again");
            shared.probing.store(false, Ordering::SeqCst);
            // It may have been opened again before that was written down.
            shared.probe_if_open();
            return;
        }
    }
}

/// Reads the tokens anew for as long as the client lives.
async fn watch_tokens(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(TOKEN_POLL).await;
        let Some(shared) = shared.upgrade() else { return };
        if shared.tokens.reload().await {
            tracing::info!("the authentication token has changed; the new one is in use");
        }
    }
}

fn read_json<T>(answer: &Answer, read: impl Fn(Value) -> Result<T, Malformed>) -> Result<T, Malformed> {
    let value = serde_json::from_slice(&answer.body).map_err(|_| Malformed("it is not JSON"));
    value.and_then(read)
}
