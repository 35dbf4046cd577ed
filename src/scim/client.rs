//! The client: one request at a time through the pool that the whole process shares.

use std::{fmt, time::Duration};

use reqwest::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{
    Dialect, Error, ErrorKind, Filter, Group, Headers, Id, ListResponse, Malformed, Object, Page, PatchOp, Request,
    User,
};

/// The largest answer read, unpacked, in bytes: a page of 100 users is some 100 KiB. Anything larger is not a page.
const MAX_ANSWER: usize = 8 << 20;

/// The longest message passed on from a directory, in characters.
const MAX_DETAIL: usize = 1000;

/// Kept under the idle time-outs of load balancers, so that a connection is not closed under a request.
const IDLE: Duration = Duration::from_secs(30);

/// Named on purpose: AWS is reported to refuse PATCH requests that carry no User-Agent (Ping Identity, AWS IAM Identity
/// Center Provisioner changelog, version 1.1.0.3).
const USER_AGENT: &str = concat!("aws-ilm/", env!("CARGO_PKG_VERSION"));

/// How connections are made. Instances whose connections are made alike share one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Accept any TLS certificate. XSOAR's "Trust any certificate (not secure)".
    pub insecure: bool,
    /// Through which proxy.
    pub proxy: Proxy,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
}

/// The proxy between us and a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// None, whatever the environment says.
    None,
    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. XSOAR's "Use system proxy settings".
    System,
    /// This one.
    Url(Url),
}

/// A pool of connections: keep-alive, HTTP/2 where the directory offers it, gzip.
#[derive(Clone, Debug)]
pub struct Pool(reqwest::Client);

impl Pool {
    /// A pool whose connections are made like this.
    ///
    /// # Errors
    /// When TLS can't be set up, for example because the system has no certificate authorities.
    pub fn new(connection: &Connection) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            // A redirect would carry the token elsewhere; no directory needs one.
            .redirect(reqwest::redirect::Policy::none())
            // Sent again only by those who know whether that is safe.
            .retry(reqwest::retry::never())
            .connect_timeout(connection.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(IDLE)
            .gzip(true)
            .referer(false);
        if connection.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        builder = match &connection.proxy {
            Proxy::None => builder.no_proxy(),
            Proxy::System => builder,
            Proxy::Url(url) => builder.no_proxy().proxy(reqwest::Proxy::all(url.clone())?),
        };
        Ok(Self(builder.build()?))
    }
}

/// One directory: where it is, and who we are there.
#[derive(Clone)]
pub struct Client {
    pool: Pool,
    base: Url,
    token: SecretString,
    dialect: Dialect,
    timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base.as_str())
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the directory whose collections stand below `base`; `timeout` is for one whole request.
    pub fn new(pool: Pool, base: Url, token: SecretString, dialect: Dialect, timeout: Duration) -> Self {
        Self {
            pool,
            base,
            token,
            dialect,
            timeout,
        }
    }

    /// How the directory speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A page of the users that match.
    ///
    /// # Errors
    /// See [`ErrorKind`]; the same holds for every method below.
    pub async fn list_users(&self, filter: Option<Filter>, page: Page) -> Result<ListResponse<User>, Error> {
        let answer = self.send(&Request::list_users(filter, page)).await?;
        self.read(answer, |value| ListResponse::read(value, User::read))
    }

    /// The user of this id.
    pub async fn get_user(&self, id: &Id) -> Result<User, Error> {
        let answer = self.send(&Request::get_user(id)).await?;
        self.read(answer, User::read)
    }

    /// A new user.
    pub async fn create_user(&self, attributes: &Object) -> Result<User, Error> {
        let answer = self.send(&Request::create_user(attributes)).await?;
        self.read(answer, User::read)
    }

    /// Changes a user; `None` when the directory did it without showing the result (RFC 7644 section 3.5.2 allows 204).
    pub async fn patch_user(&self, id: &Id, changes: &PatchOp) -> Result<Option<User>, Error> {
        let answer = self.send(&Request::patch_user(id, changes)).await?;
        if answer.body.is_empty() {
            Ok(None)
        } else {
            self.read(answer, User::read).map(Some)
        }
    }

    /// The groups that match, on one page.
    pub async fn list_groups(&self, filter: Filter) -> Result<ListResponse<Group>, Error> {
        let answer = self.send(&Request::list_groups(Some(filter), Page::Only)).await?;
        self.read(answer, |value| ListResponse::read(value, Group::read))
    }

    /// The group of this id.
    pub async fn get_group(&self, id: &Id) -> Result<Group, Error> {
        let answer = self.send(&Request::get_group(id)).await?;
        self.read(answer, Group::read)
    }

    /// A new group.
    pub async fn create_group(&self, attributes: &Object) -> Result<Group, Error> {
        let answer = self.send(&Request::create_group(attributes)).await?;
        self.read(answer, Group::read)
    }

    /// Changes a group. AWS answers without a body, so the headers are all there is to show.
    pub async fn patch_group(&self, id: &Id, changes: &PatchOp) -> Result<Headers, Error> {
        Ok(self.send(&Request::patch_group(id, changes)).await?.headers())
    }

    /// Deletes a group.
    pub async fn delete_group(&self, id: &Id) -> Result<Headers, Error> {
        Ok(self.send(&Request::delete_group(id)).await?.headers())
    }

    /// Asks for the ServiceProviderConfig: proof that the base URL is a SCIM endpoint's.
    pub async fn service_provider_config(&self) -> Result<(), Error> {
        let answer = self.send(&Request::service_provider_config()).await?;
        self.read(answer, |value| match value {
            Value::Object(config) if config.contains_key("patch") => Ok(()),
            _ => Err(Malformed("this is no ServiceProviderConfig")),
        })
    }

    async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let method = request.method.parse().unwrap_or(reqwest::Method::GET);
        let mut outgoing = self
            .pool
            .0
            .request(method, request.url(&self.base))
            .bearer_auth(self.token.expose_secret())
            .header(header::ACCEPT, "application/scim+json, application/json")
            .timeout(self.timeout);
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
            Err(self.refusal(&answer))
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

    fn read<T>(&self, answer: Answer, read: impl Fn(Value) -> Result<T, Malformed>) -> Result<T, Error> {
        let value = serde_json::from_slice(&answer.body).map_err(|_| Malformed("it is not JSON"));
        value.and_then(read).map_err(|malformed| Error {
            request_id: answer.request_id(),
            ..Error::new(
                ErrorKind::Unreadable,
                format!("the directory's answer can't be used: {malformed}"),
            )
        })
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

    fn refusal(&self, answer: &Answer) -> Error {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let body = body.as_ref().and_then(Value::as_object);
        let text = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
        let kind = match answer.status {
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled,
            StatusCode::NOT_FOUND if body.is_some_and(is_scim_error) => ErrorKind::Absent,
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

    /// Somebody else's words as plain text: one line, bounded, without the token.
    fn plain(&self, text: &str) -> String {
        let visible: String = text
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        let masked = visible.replace(self.token.expose_secret(), "***");
        masked.trim().chars().take(MAX_DETAIL).collect()
    }
}

/// A whole answer.
struct Answer {
    status: StatusCode,
    headers: header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn request_id(&self) -> Option<String> {
        self.headers
            .get("x-amzn-requestid")
            .and_then(|value| header_text(value.to_str().ok()?))
    }

    /// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
    fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => httpdate::parse_http_date(text)
                .ok()?
                .duration_since(std::time::SystemTime::now())
                .ok(),
        }
    }

    /// The headers by the names AWS's guide spells them with: HTTP/2 has them in lower case, and playbooks read
    /// `x-amzn-RequestId`. Cookies are not shown.
    fn headers(&self) -> Headers {
        let shown = self.headers.iter().filter(|(name, _)| *name != header::SET_COOKIE);
        let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Headers(
            shown
                .map(|(name, value)| (spelled(name.as_str()), text(value)))
                .collect(),
        )
    }
}

fn spelled(name: &str) -> String {
    if name == "x-amzn-requestid" {
        return "x-amzn-RequestId".to_owned();
    }
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-')
        .map(|word| if word.is_empty() { String::new() } else { capital(word) })
        .collect::<Vec<_>>()
        .join("-")
}

/// A request id as text that can stand in a log line; nothing for one that can't be one.
fn header_text(text: &str) -> Option<String> {
    let sound = !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| text.to_owned())
}

/// RFC 7644 section 3.12. AWS writes `schemas`, and older answers only the misspelt `schema`.
fn is_scim_error(body: &Object) -> bool {
    const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
    let named = |key: &str| {
        body.get(key)
            .and_then(Value::as_array)
            .is_some_and(|urns| urns.iter().any(|urn| urn == ERROR))
    };
    named("schemas") || named("schema")
}
