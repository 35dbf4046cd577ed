//! Metrics: what is counted, and how a scrape reads it.
//!
//! They belong to the process, so that any room counts without being handed anything. What is read
//! rather than counted (rates, breakers, tokens) is set by the route just before it encodes.

mod list;
mod text;

use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub use list::{Description, LIST};
pub use text::{OPEN_METRICS, PLAIN, encode, plain};

use list::{Label, METRICS};

/// The `source` of what came by a command and by no webhook.
pub const BY_COMMAND: &str = "command";

/// What stands for an instance that operations wait for and that is not configured any more.
pub const NOT_CONFIGURED: &str = "(not configured)";

/// The classes of operations and requests, the most urgent first.
pub const CLASSES: [&str; 4] = ["disable", "update", "create", "read"];

/// The name of a class of operations or requests.
pub fn class_name(class: usize) -> &'static str {
    CLASSES.get(class).copied().unwrap_or("read")
}

/// Counts a leaver whose access the directory says is gone. `source` is the configured source of
/// its webhook, if it came by one.
pub fn leaver(instance: &str, source: Option<&str>, took: Duration) {
    let source = owned(source.unwrap_or(BY_COMMAND));
    METRICS.leaver.of([owned(instance), source]).observe(took.as_secs_f64());
}

/// A request to the service that was answered, or whose caller hung up.
#[derive(Debug, Clone, Copy)]
pub struct ServerRequest<'a> {
    /// A method that is known, or `_OTHER`.
    pub method: &'static str,
    /// The route's template; none where no route answers.
    pub route: Option<&'a str>,
    /// None where the caller hung up.
    pub status: Option<u16>,
    /// The type of the problem that it failed with.
    pub error: Option<&'static str>,
    /// From its header section to its answer's.
    pub took: Duration,
}

/// Counts a request to the service.
pub fn server_request(request: ServerRequest<'_>) {
    let error: Label = match (request.error, request.status) {
        (Some(error), _) => error.into(),
        (None, Some(500..)) => status_code(request.status),
        (None, Some(_)) => "".into(),
        (None, None) => "hung_up".into(),
    };
    let labels = [
        request.method.into(),
        owned(request.route.unwrap_or_default()),
        status_code(request.status),
        error,
    ];
    METRICS.http_server.of(labels).observe(request.took.as_secs_f64());
}

/// An attempt of a request to a directory.
#[derive(Debug, Clone, Copy)]
pub struct ClientRequest<'a> {
    /// The configured name of the instance.
    pub instance: &'a str,
    /// AWS's name of the operation.
    pub api: &'static str,
    /// Its method.
    pub method: &'a str,
    /// The configured host of the directory.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The status that came, if one did.
    pub status: Option<u16>,
    /// What went wrong where none came, or its answer could not be read.
    pub error: Option<&'static str>,
    /// From its start to the end of its answer.
    pub took: Duration,
}

/// Counts an attempt of a request to a directory.
pub fn client_request(request: ClientRequest<'_>) {
    let status = status_code(request.status);
    let error: Label = match (request.error, request.status) {
        (Some(error), _) => error.into(),
        (None, Some(400..)) => status.clone(),
        (None, _) => "".into(),
    };
    let took = request.took.as_secs_f64();
    let instance = owned(request.instance);
    let told = if status.is_empty() {
        error.clone()
    } else {
        status.clone()
    };
    let port = request.port.to_string().into();
    let of_http = [owned(request.method), owned(request.host), port, status, error];
    METRICS.http_client.of(of_http).observe(took);
    METRICS
        .scim_requests
        .of([instance.clone(), request.api.into(), told])
        .inc();
    METRICS.scim_duration.of([instance, request.api.into()]).observe(took);
}

/// Counts a request to a directory that is sent again.
pub fn client_retry(instance: &str, api: &'static str) {
    METRICS.scim_retries.of([owned(instance), api.into()]).inc();
}

/// Counts how long a request of this class waited for its turn.
pub fn paced(instance: &str, class: usize, waited: Duration) {
    METRICS
        .scim_pacing
        .of([owned(instance), class_name(class).into()])
        .observe(waited.as_secs_f64());
}

/// Counts a command that ran to its end.
pub fn command(command: &'static str, instance: &str, outcome: &'static str, took: Duration) {
    let instance = owned(instance);
    METRICS
        .commands
        .of([command.into(), instance.clone(), outcome.into()])
        .inc();
    METRICS
        .command_duration
        .of([command.into(), instance])
        .observe(took.as_secs_f64());
}

/// Tells of the pace of a directory's lane: how many requests wait, the rate, and what that heals
/// up to.
pub fn lane(instance: &str, lane: &'static str, waiting: usize, rate: f64, ceiling: f64) {
    let labels = || [owned(instance), Label::from(lane)];
    METRICS.scim_waiting.of(labels()).set(waiting as f64);
    METRICS.scim_rate.of(labels()).set(rate);
    METRICS.scim_rate_ceiling.of(labels()).set(ceiling);
}

/// Tells whether nothing is sent to a directory because it keeps failing.
pub fn breaker(instance: &str, is_open: bool) {
    METRICS
        .breaker_open
        .of([owned(instance)])
        .set(f64::from(u8::from(is_open)));
}

/// Tells how many seconds are left of the token in use, if that is known.
pub fn token_expires(instance: &str, seconds: Option<f64>) {
    match seconds {
        Some(seconds) => {
            METRICS.token_expires.of([owned(instance)]).set(seconds);
        }
        None => METRICS.token_expires.remove([owned(instance)]),
    }
}

/// Counts operations that were stored.
pub fn operations_accepted(instance: &str, source: Option<&str>, count: u64) {
    let source = owned(source.unwrap_or(BY_COMMAND));
    METRICS.operations_accepted.of([owned(instance), source]).inc_by(count);
}

/// Counts a try of an operation that ended so.
pub fn operation_attempt(instance: &str, end: &'static str) {
    METRICS.operations_attempts.of([owned(instance), end.into()]).inc();
}

/// Counts an operation that has ended in this state.
pub fn operation_finished(instance: &str, state: &'static str) {
    METRICS.operations_finished.of([owned(instance), state.into()]).inc();
}

/// Tells how many operations of a class wait on an instance, and for how long the oldest has.
pub fn operations_waiting(instance: &str, class: usize, waiting: u64, oldest: Duration) {
    let labels = || [owned(instance), Label::from(class_name(class))];
    METRICS.operations_waiting.of(labels()).set(waiting as f64);
    METRICS.operations_oldest.of(labels()).set(oldest.as_secs_f64());
}

/// Tells how many operations of an instance are buried, and how many are held.
pub fn operations_kept(instance: &str, buried: u64, held: u64) {
    METRICS.operations_buried.of([owned(instance)]).set(buried as f64);
    METRICS.operations_held.of([owned(instance)]).set(held as f64);
}

/// Counts how long the store took for a group of writes.
pub fn store_commit(took: Duration) {
    METRICS.store_commit.of([]).observe(took.as_secs_f64());
}

/// Counts something that the store could not do.
pub fn store_error() {
    METRICS.store_errors.of([]).inc();
}

/// Tells whether the store can be written.
pub fn store_up(is_up: bool) {
    METRICS.store_up.of([]).set(f64::from(u8::from(is_up)));
    if is_up {
        // A counter that is not there before its first error can't be seen to rise.
        METRICS.store_errors.of([]).inc_by(0);
    }
}

/// Counts an event that came in by webhook: the source's configured name, and what was made of it,
/// a word of a closed list.
pub fn webhook_event(source: &str, verdict: &'static str) {
    METRICS.webhook_events.of([owned(source), verdict.into()]).inc();
}

/// Counts a webhook that was not believed and had no room in quarantine.
pub fn webhook_dropped(source: &str) {
    METRICS.webhook_dropped.of([owned(source)]).inc();
}

/// Counts an event whose sender is proven. What is not proven says nothing of when a source sent
/// its last.
pub fn webhook_proven(source: &str, verdict: &'static str) {
    webhook_event(source, verdict);
    if let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) {
        METRICS.webhook_last.of([owned(source)]).set(now.as_secs_f64());
    }
}

/// A status as a label: those that RFC 9110 and its kin name by their number, so that a peer can't
/// make up series.
fn status_code(status: Option<u16>) -> Label {
    match status {
        None => "".into(),
        Some(200) => "200".into(),
        Some(status @ (100..=103 | 201..=208 | 226 | 300..=308 | 400..=431 | 451 | 500..=511)) => {
            status.to_string().into()
        }
        Some(_) => "other".into(),
    }
}

fn owned(text: &str) -> Label {
    Cow::Owned(text.to_owned())
}
