//! The client of one directory: gentle to its limits, patient with its faults, and never in doubt
//! about what was done.
//!
//! A request waits for its turn ([`super::pacing`]), is sent through the pool that the whole
//! process shares, and is sent again where that is safe ([`super::retry`]), unless the directory
//! keeps failing ([`super::breaker`]) or the caller's time is over.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use reqwest::{StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::{
    Dialect, ErrorKind, Filter, Group, Headers, Id, ListResponse, Object, Page, PatchOp, Pool, Request, ResourceError,
    ScimError, User,
    answer::Answer,
    breaker::{Breaker, BreakerState},
    pacing::{Governor, LaneStatus, Rates},
    request::Api,
    retry::{self, Budget},
    tokens::{Token, TokenInUse, Tokens, days_left},
    transport::{LastAttempt, LastError, RequestContext, Transport, read_json},
};
use crate::telemetry::metrics;

/// How often a request refused for its rate is sent at most. Each refusal slows the whole lane, and
/// the pauses between them grow to seconds.
const MAX_THROTTLED: u32 = 10;

/// A directory's address and tokens, and the bounds of requests to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the log calls it.
    pub name: String,
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

/// A client of one directory; clones are the same one.
#[derive(Clone)]
pub struct Client(Arc<Transport>);

/// The status of a directory and of the requests to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Whether the last request was answered by a working directory that accepts the token; `None`
    /// before the first.
    pub reached: Option<bool>,
    /// The last failure, if there was any.
    pub last_error: Option<LastError>,
    /// Whether requests go through.
    pub breaker: BreakerState,
    /// Since when a new token is refused while the one before it still serves.
    pub token_refused: Option<jiff::Timestamp>,
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
        let now = jiff::Timestamp::now();
        self.token_expires.map(|expires| days_left(expires, now))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transport { base, dialect, .. } = &*self.0;
        f.debug_struct("Client")
            .field("base", &base.as_str())
            .field("dialect", dialect)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of this directory.
    pub fn new(pool: Pool, target: Target) -> Self {
        Self(Arc::new(Transport {
            pool,
            base: target.base,
            tokens: Tokens::new(&target.name, target.token, target.second_token),
            name: target.name,
            dialect: target.dialect,
            timeout: target.timeout,
            governor: Governor::new(&target.rates),
            breaker: Breaker::new(),
            budget: Budget::new(),
            last: Mutex::default(),
            probing: AtomicBool::new(false),
        }))
    }

    /// Reads the tokens anew ([`Token::reload`](super::Token::reload)), to be called when they may
    /// have changed. One that the directory refuses is held back.
    pub async fn reload_tokens(&self) {
        for (place, token) in self.0.tokens.changed().await {
            let answer = self.0.try_token(&token).await;
            if matches!(&answer, Some(Err(error)) if error.kind == ErrorKind::Status(401)) {
                self.0.tokens.hold_back(place, token);
            } else {
                self.0.tokens.renew(place, token);
            }
        }
    }

    /// Asks whether the directory has come to accept the token that is held back; false where none
    /// is.
    pub async fn retry_token(&self) -> bool {
        let Some(held) = self.0.tokens.held_back() else {
            return false;
        };
        if let Some(Ok(_)) = self.0.try_token(&held.token).await {
            self.0.tokens.admit(held);
        }
        true
    }

    /// How the directory speaks.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The status of the directory and of the requests to it.
    pub fn status(&self) -> Status {
        let LastAttempt { reached, error } = self.0.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Status {
            reached,
            last_error: error,
            breaker: self.0.breaker.state(),
            token_refused: self.0.tokens.held_back().map(|held| held.since),
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
        context: RequestContext<'_>,
    ) -> Result<ListResponse<User>, ScimError> {
        let answer = self.send(&Request::list_users(filter, page), context).await?;
        self.read(answer, |value| ListResponse::read(value, User::read))
    }

    /// The user of this id.
    pub async fn get_user(&self, id: &Id, context: RequestContext<'_>) -> Result<User, ScimError> {
        self.read(self.send(&Request::get_user(id), context).await?, User::read)
    }

    /// A new user.
    pub async fn create_user(&self, attributes: &Object, context: RequestContext<'_>) -> Result<User, ScimError> {
        self.read(self.send(&Request::create_user(attributes), context).await?, User::read)
    }

    /// Changes a user; `None` when the directory did it without showing the result (RFC 7644
    /// section 3.5.2 allows 204).
    pub async fn patch_user(
        &self,
        id: &Id,
        changes: &PatchOp,
        context: RequestContext<'_>,
    ) -> Result<Option<User>, ScimError> {
        let answer = self.send(&Request::patch_user(id, changes), context).await?;
        if answer.body.is_empty() {
            Ok(None)
        } else {
            self.read(answer, User::read).map(Some)
        }
    }

    /// The groups that match, on one page.
    pub async fn list_groups(
        &self,
        filter: Filter,
        context: RequestContext<'_>,
    ) -> Result<ListResponse<Group>, ScimError> {
        let answer = self
            .send(&Request::list_groups(Some(filter), Page::Only), context)
            .await?;
        self.read(answer, |value| ListResponse::read(value, Group::read))
    }

    /// The group of this id.
    pub async fn get_group(&self, id: &Id, context: RequestContext<'_>) -> Result<Group, ScimError> {
        self.read(self.send(&Request::get_group(id), context).await?, Group::read)
    }

    /// A new group.
    pub async fn create_group(&self, attributes: &Object, context: RequestContext<'_>) -> Result<Group, ScimError> {
        self.read(
            self.send(&Request::create_group(attributes), context).await?,
            Group::read,
        )
    }

    /// Changes a group. AWS answers without a body, so the headers are all there is to show.
    pub async fn patch_group(
        &self,
        id: &Id,
        changes: &PatchOp,
        context: RequestContext<'_>,
    ) -> Result<Headers, ScimError> {
        self.headers(self.send(&Request::patch_group(id, changes), context).await?)
    }

    /// Deletes a group. One that is gone after an answer got lost was deleted by us.
    pub async fn delete_group(&self, id: &Id, context: RequestContext<'_>) -> Result<Headers, ScimError> {
        self.headers(self.send(&Request::delete_group(id), context).await?)
    }

    /// Asks for the ServiceProviderConfig: proof that the base URL is a SCIM endpoint's.
    pub async fn service_provider_config(&self, context: RequestContext<'_>) -> Result<(), ScimError> {
        let answer = self.send(&Request::service_provider_config(), context).await?;
        let is_config = |value: &Value| value.get("patch").is_some();
        self.read(answer, |value| {
            is_config(&value)
                .then_some(())
                .ok_or(ResourceError("this is no ServiceProviderConfig"))
        })
    }

    /// Sends a request, in its turn, and again where that is safe and there is time.
    async fn send(&self, request: &Request, context: RequestContext<'_>) -> Result<Answer, ScimError> {
        let transport = &self.0;
        let (mut lost, mut throttled): (Option<ScimError>, Option<ScimError>) = (None, None);
        let mut attempt = 0;
        loop {
            attempt += 1;
            if let Err(unsent) = transport.wait_for_turn(request, context).await {
                // An earlier attempt's lost answer, or its 429, matters more than why there was no
                // further attempt.
                return Err(lost.or(throttled).unwrap_or(unsent));
            }
            if attempt == 1 {
                transport.budget.earn();
            }
            let error = match transport.send_once(request, context).await {
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
                transport
                    .governor
                    .throttled(request.api, request.memberships(), error.retry_after);
            }
            let pause = retry::pause(attempt, error.retry_after);
            let again = retry::is_repeatable(request.api, &error)
                && attempt < if is_throttled { MAX_THROTTLED } else { retry::MAX_ATTEMPTS }
                && Instant::now() + pause < context.deadline
                // The pace bounds how often a refused request comes again; an outage's repetitions
                // are bounded by the budget.
                && (is_throttled || transport.budget.spend());
            if error.is_answer_lost() {
                lost = Some(error.clone());
            } else if is_throttled {
                throttled = Some(error.clone());
            }
            if !again {
                // An attempt that certainly did nothing does not settle what one before it may have
                // done.
                let did_nothing = matches!(
                    error.kind,
                    ErrorKind::Connect | ErrorKind::Throttled | ErrorKind::Status(401 | 403)
                );
                return Err(if did_nothing { lost.unwrap_or(error) } else { error });
            }
            metrics::client_retry(&transport.name, request.api.name());
            tracing::debug!(instance = transport.name, api = request.api.name(), kind = ?error.kind, attempt, "sending again");
            tokio::select! {
                biased;
                () = transport.breaker.opened() => return Err(lost.unwrap_or_else(|| transport.breaker.refusal())),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// The headers of an answer that need not have a body. A body that is no JSON shows that
    /// something else answered, such as a proxy with its page for signing in.
    fn headers(&self, answer: Answer) -> Result<Headers, ScimError> {
        let headers = answer.headers();
        if !answer.body.is_empty() {
            self.read(answer, |_| Ok(()))?;
        }
        Ok(headers)
    }

    /// Reads an answer. An unreadable one is recorded as the last error: the breaker counts it as
    /// no failure.
    fn read<T>(&self, answer: Answer, read: impl Fn(Value) -> Result<T, ResourceError>) -> Result<T, ScimError> {
        let request_id = answer.request_id();
        read_json(&answer, read).map_err(|malformed| {
            let detail = format!("the directory's answer can't be used: {malformed}");
            let error = ScimError {
                request_id,
                ..ScimError::new(ErrorKind::Unreadable, detail)
            };
            self.0.record_status(Some(&error));
            error
        })
    }
}
