//! The HTTP client for what is not a directory.

use std::time::Duration;

use reqwest::{Client, redirect, retry};

use super::Guard;

const USER_AGENT: &str = concat!("aws-ilm/", env!("CARGO_PKG_VERSION"));

/// Builds a client whose requests end within `timeout`, connecting included, and whose connections
/// go only to addresses that [`Guard`] lets through.
///
/// # Errors
/// When TLS can't be set up, for example because the system has no certificate authorities.
pub fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(USER_AGENT)
        // Followed, a redirect would let the answer choose where the next request goes.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        // An environment variable must not be able to put a proxy in between, which could answer
        // for an issuer of tokens.
        .no_proxy()
        // What is never unpacked can't be a bomb.
        .no_gzip()
        .referer(false)
        .dns_resolver(Guard::new(Vec::new()))
        .connect_timeout(timeout)
        .timeout(timeout)
        .build()
}
