//! A running service as the command line asks it: at the address, with the key and by the authority
//! that its user chose.
//!
//! A service that restarts, is busy or limits its callers is asked again, for as long as a restart
//! takes. So every request is made in a form in which it can be repeated.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::{files, outbound};

/// For a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For a whole request: the service may wait a minute before it answers, and stores a batch in
/// less.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How long a service is asked again that has not answered yet: its address may be wrong.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);

/// How long one is asked again that has answered before: longer than a restart takes.
const PATIENCE: Duration = Duration::from_secs(300);

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The longest key file, and the longest file of certificates.
const LONGEST_FILE: u64 = 1 << 20;

/// The most of an answer that is read: a page of 500 operations with long envelopes is smaller.
const LONGEST_ANSWER: usize = 256 << 20;

/// The service to ask.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Service")]
pub(super) struct Target {
    /// The service's address; plain http is for this machine alone
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = address)]
    to: Url,
    /// The file with the caller's key or token
    #[arg(long, value_name = "FILE", env = "AWS_ILM_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// The certificates (PEM) of the only authorities that the service's certificate may be from;
    /// else the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

fn address(text: &str) -> Result<Url, &'static str> {
    const FORM: &str = "use an address like https://ilm.example.com or http://127.0.0.1:8080";
    let url: Url = text.parse().map_err(|_| FORM)?;
    let is_web = url.scheme() == "https" || url.scheme() == "http";
    if !is_web || !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err(FORM);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("remove what stands before the @: a key belongs into --key-file");
    }
    if url.scheme() == "http" && !outbound::is_loopback(&url) {
        return Err("use https: on the way, plain http would show the key and the people to others");
    }
    Ok(url)
}

impl Target {
    /// Reads the files and makes the client. `on_trouble` is told why a request is repeated.
    ///
    /// # Errors
    /// What to mend.
    pub(super) fn connect(&self, on_trouble: impl Fn(&str) + Send + Sync + 'static) -> Result<Remote, String> {
        let mut builder = outbound::builder(TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
        if let Some(path) = &self.ca {
            let refused = |why: &dyn fmt::Display| format!("--ca {}: {why}", path.display());
            let pem = files::read(path, LONGEST_FILE).map_err(|error| refused(&error))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refused(&error))?;
            if certificates.is_empty() {
                return Err(refused(&"no certificate in it; it has to be in PEM"));
            }
            builder = builder.tls_certs_only(certificates);
        }
        Ok(Remote {
            client: builder.build().map_err(|error| super::chain(&error))?,
            base: self.to.clone(),
            key: self.key_file.as_deref().map(key).transpose()?,
            has_answered: AtomicBool::new(false),
            on_trouble: Box::new(on_trouble),
        })
    }
}

/// The key in a file.
fn key(path: &Path) -> Result<SecretString, String> {
    let refused = |why: &dyn fmt::Display| format!("--key-file {}: {why}", path.display());
    let text = SecretString::from(files::read_text(path, LONGEST_FILE).map_err(|error| refused(&error))?);
    let key = text.expose_secret().trim_start_matches('\u{feff}').trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused(&"it has to hold one key or token and nothing else"));
    }
    if files::readable_by_everybody(path) {
        eprintln!(
            "warning: --key-file {}: every user of this machine may read it",
            path.display()
        );
    }
    Ok(SecretString::from(key))
}

/// A service that can be asked.
pub(super) struct Remote {
    client: Client,
    base: Url,
    key: Option<SecretString>,
    has_answered: AtomicBool,
    on_trouble: Box<dyn Fn(&str) + Send + Sync>,
}

/// A request. Repeating it has to be safe.
pub(super) struct Ask<'a> {
    method: Method,
    path: &'a [&'a str],
    query: Vec<(&'a str, String)>,
    body: Option<(&'static str, Vec<u8>)>,
    idempotency_key: Option<String>,
}

impl<'a> Ask<'a> {
    /// Asks for what is at this path, of these segments.
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// Asks for something to be done.
    pub(super) fn post(path: &'a [&'a str]) -> Self {
        Self::new(Method::POST, path)
    }

    fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
        }
    }

    /// With these parameters.
    pub(super) fn query(self, query: Vec<(&'a str, String)>) -> Self {
        Self { query, ..self }
    }

    /// With a body of this media type.
    pub(super) fn body(self, media_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            body: Some((media_type, body)),
            ..self
        }
    }

    /// Under a key by which the service knows a repetition.
    pub(super) fn idempotency_key(self, key: String) -> Self {
        Self {
            idempotency_key: Some(key),
            ..self
        }
    }
}

/// What the service answered.
pub(super) struct Answer {
    pub(super) body: Value,
    /// Whether it is the answer to an earlier request under the same idempotency key.
    pub(super) is_replayed: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    /// No connection, or none that holds.
    #[error("no answer from {address}: {why}")]
    Unreachable {
        /// Where it was asked.
        address: String,
        /// What happened.
        why: String,
        /// Whether it is of no use to try again.
        is_final: bool,
    },
    /// The service did not do it.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The answer is not one of this service.
    #[error("what answers at {0} is no aws-ilm: is the address right?")]
    Foreign(String),
}

/// A refusal, as the problem of the answer tells it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    detail: String,
    request_id: Option<String>,
    /// The faulty parts of the body: their pointers, and what is wrong.
    pub(super) faults: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "the service refuses it ({}): {}", self.status, self.detail)?;
        match &self.request_id {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl RemoteError {
    /// The refusal, if it is one.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Unreachable { .. } | Self::Foreign(_) => None,
        }
    }

    /// Whether the service could not be asked, or lets this caller do nothing: no fault of what was
    /// asked for.
    pub(super) fn is_of_service(&self) -> bool {
        self.refusal().is_none_or(|refusal| {
            let denied = [
                StatusCode::UNAUTHORIZED,
                StatusCode::FORBIDDEN,
                StatusCode::TOO_MANY_REQUESTS,
            ];
            refusal.status.is_server_error() || denied.contains(&refusal.status)
        })
    }

    /// How long to wait before asking again, where that may help: what the service says, else
    /// `pause`.
    fn retry_in(&self, pause: Duration) -> Option<Duration> {
        match self {
            Self::Unreachable { is_final, .. } => (!is_final).then_some(pause),
            Self::Refused(refusal) => match refusal.status.as_u16() {
                408 | 429 | 502..=504 => Some(refusal.retry_after.unwrap_or(pause)),
                // Another request under the same idempotency key is still at work.
                409 => refusal.retry_after,
                _ => None,
            },
            Self::Foreign(_) => None,
        }
    }
}

impl Remote {
    /// Sends a request, and again while that may help.
    ///
    /// # Errors
    /// The last reason why there is no answer.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Answer, RemoteError> {
        let mut since: Option<Instant> = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.attempt(ask).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // Callers that were turned away together do not come back together.
            let apart = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            let Some(wait) = error.retry_in(apart) else {
                return Err(error);
            };
            let patience = if self.has_answered.load(Ordering::Relaxed) {
                PATIENCE
            } else {
                FIRST_PATIENCE
            };
            if since.get_or_insert_with(Instant::now).elapsed() + wait > patience {
                return Err(error);
            }
            (self.on_trouble)(&format!("{error}; trying again"));
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answer, RemoteError> {
        let response = self
            .request(ask)
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        self.has_answered.store(true, Ordering::Relaxed);
        let status = response.status();
        let retry_after = retry_after(&response);
        let is_replayed = response.headers().contains_key("idempotent-replayed");
        let body = self.body(response).await?;
        if !status.is_success() {
            return Err(refused(status, &body, retry_after));
        }
        match serde_json::from_slice(&body) {
            Ok(body @ Value::Object(_)) => Ok(Answer { body, is_replayed }),
            Ok(_) | Err(_) => Err(self.foreign()),
        }
    }

    fn request(&self, ask: &Ask<'_>) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(ask.path);
        }
        let mut request = self.client.request(ask.method.clone(), url).query(&ask.query);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        if let Some(key) = &ask.idempotency_key {
            request = request.header("idempotency-key", format!("\"{key}\""));
        }
        match &ask.body {
            Some((media_type, body)) => request.header(header::CONTENT_TYPE, *media_type).body(body.clone()),
            None => request,
        }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, RemoteError> {
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + part.len() > LONGEST_ANSWER {
                return Err(self.foreign());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// The error of an answer that this service does not give.
    pub(super) fn foreign(&self) -> RemoteError {
        RemoteError::Foreign(self.base.to_string())
    }

    fn unreachable(&self, error: reqwest::Error) -> RemoteError {
        let error = error.without_url();
        let causes = || std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let tls = causes().find_map(of_tls);
        let why = match (tls, causes().last()) {
            (Some(error), _) => format!("TLS failed ({error}); --ca names the authority of its certificate"),
            (None, _) if error.is_timeout() => "it took too long".to_owned(),
            (None, Some(cause)) => cause.to_string(),
            (None, None) => error.to_string(),
        };
        RemoteError::Unreachable {
            address: self.base.to_string(),
            why,
            is_final: tls.is_some(),
        }
    }
}

/// The error of TLS, which comes wrapped in errors of input and output.
fn of_tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let wrapped = || error.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref();
    error.downcast_ref().or_else(wrapped)
}

/// How many seconds the service asks to wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

/// The refusal that a problem tells.
fn refused(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> RemoteError {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| problem[name].as_str().map(str::to_owned);
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let faults = errors.iter().filter_map(|part| {
        let detail = part["detail"].as_str().unwrap_or_default();
        Some((part["pointer"].as_str()?.to_owned(), detail.to_owned()))
    });
    RemoteError::Refused(Box::new(Refusal {
        status,
        detail: text("detail").unwrap_or_else(|| "it does not say why".to_owned()),
        request_id: text("requestId"),
        faults: faults.collect(),
        retry_after,
    }))
}
