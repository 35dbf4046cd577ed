//! The HTTP client for what is not a directory.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect, retry};
use url::{Host, Url};

use super::Guard;

const USER_AGENT: &str = concat!("aws-ilm/", env!("CARGO_PKG_VERSION"));

/// Builds a client whose requests end within `timeout`, connecting included, and whose connections
/// go only to addresses that [`Guard`] lets through.
///
/// # Errors
/// When TLS can't be set up, for example because the system has no certificate authorities.
pub fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    builder(timeout).dns_resolver(Guard::new(Vec::new())).build()
}

/// Begins a client as [`client`] builds it, without the guard: for servers that the user of the
/// command line names.
pub fn builder(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        // Followed, a redirect would let the answer choose where the next request goes.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        // An environment variable must not be able to put a proxy in between, which could answer
        // for an issuer of tokens, and would see keys.
        .no_proxy()
        // What is never unpacked can't be a bomb.
        .no_gzip()
        .referer(false)
        .connect_timeout(timeout)
        .timeout(timeout)
}

/// Recognises loopback by its addresses, and by the one name that always means it (RFC 6761 section
/// 6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
