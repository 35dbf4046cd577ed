//! Pools of connections, shared by instances whose connection settings are equal.

use std::{fmt, time::Duration};

use url::Url;

use crate::outbound::Guard;

/// Kept under the idle time-outs of load balancers, so that a connection is not closed under a
/// request.
const IDLE: Duration = Duration::from_secs(30);

/// Named on purpose: AWS is reported to refuse PATCH requests that carry no User-Agent (Ping
/// Identity, AWS IAM Identity Center Provisioner changelog, version 1.1.0.3).
const USER_AGENT: &str = concat!("aws-ilm/", env!("CARGO_PKG_VERSION"));

/// Connection settings. Instances with equal ones share one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Accept any TLS certificate. XSOAR's "Trust any certificate (not secure)".
    pub insecure: bool,
    /// Through which proxy.
    pub proxy: Proxy,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
}

/// The proxy between us and a directory. `Debug` shows its host and port, and never its password.
#[derive(Clone, PartialEq, Eq)]
pub enum Proxy {
    /// None, whatever the environment says.
    None,
    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. XSOAR's "Use system proxy settings".
    System,
    /// This one.
    Url(Url),
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
            Self::System => formatter.write_str("System"),
            Self::Url(url) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port_or_known_default().unwrap_or_default();
                write!(formatter, "Url({}://{host}:{port})", url.scheme())
            }
        }
    }
}

impl Proxy {
    /// The names of the proxies, which the operator may have on this very machine.
    fn hosts(&self) -> Vec<String> {
        let host = |url: &Url| url.host_str().map(str::to_owned);
        match self {
            Self::None => Vec::new(),
            Self::Url(url) => host(url).into_iter().collect(),
            Self::System => {
                let variables = [
                    "https_proxy",
                    "http_proxy",
                    "all_proxy",
                    "HTTPS_PROXY",
                    "HTTP_PROXY",
                    "ALL_PROXY",
                ];
                let set = variables.iter().filter_map(|name| std::env::var(name).ok());
                // Without a scheme it is `http` (as reqwest has it).
                let url = |text: String| {
                    let text = if text.contains("://") {
                        text
                    } else {
                        format!("http://{text}")
                    };
                    Url::parse(&text).ok()
                };
                set.filter_map(url).filter_map(|url| host(&url)).collect()
            }
        }
    }
}

/// A pool of connections: keep-alive, HTTP/2 where the directory offers it, gzip.
#[derive(Clone, Debug)]
pub struct Pool(pub(super) reqwest::Client);

impl Pool {
    /// A pool with these connection settings.
    ///
    /// # Errors
    /// When TLS can't be set up, for example because the system has no certificate authorities.
    pub fn new(connection: &Connection) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            // A redirect would carry the token elsewhere; no directory needs one.
            .redirect(reqwest::redirect::Policy::none())
            // Only `super::retry` sends again: it knows for which operations that is safe.
            .retry(reqwest::retry::never())
            .connect_timeout(connection.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(IDLE)
            .gzip(true)
            .referer(false)
            .dns_resolver(Guard::new(connection.proxy.hosts()));
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
