//! Why a request to a directory has no whole answer.

use std::{io::ErrorKind as ErrorClass, time::Duration};

use url::Url;

use super::error::ErrorKind;

/// Classes a request without a whole answer, and tells it in one sentence. The error's URL is left
/// out: its filter names a person.
pub(super) fn classify(error: reqwest::Error, base: &Url, timeout: Duration) -> (ErrorKind, String) {
    let error = error.without_url();
    let chain = || std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let cause = chain().last().map(ToString::to_string).unwrap_or_default();
    // hyper's error comes before those wrapped around it: a body that ends early fails to be
    // unpacked as well.
    let connection = chain().find_map(|error| error.downcast_ref::<hyper::Error>());
    // Malformed chunks: the connection holds, but its bytes are no HTTP.
    let is_nonsense =
        |error: &std::io::Error| matches!(error.kind(), ErrorClass::InvalidData | ErrorClass::InvalidInput);
    let nonsense = chain().filter_map(|error| error.downcast_ref()).any(is_nonsense);
    if error.is_connect() {
        let (host, port) = (base.host_str().unwrap_or("-"), base.port_or_known_default());
        let address = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let reason = reason(&cause, chain().any(is_of_tls));
        (
            ErrorKind::Connect,
            format!("no connection to the directory at {address}: {reason}"),
        )
    } else if error.is_timeout() {
        (
            ErrorKind::Timeout,
            format!("the directory did not answer within {} ms", timeout.as_millis()),
        )
    } else if connection.is_some_and(|error| error.is_parse() || nonsense) {
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
    }
}

/// Why there is no connection, with what failed: the name, TLS, or the connection itself, whose
/// causes speak for themselves.
fn reason(cause: &str, is_tls: bool) -> String {
    if is_tls {
        format!("TLS failed ({cause})")
    } else if cause.contains("failed to lookup address information") {
        format!("its name can't be resolved ({cause})")
    } else {
        cause.to_owned()
    }
}

/// Whether the error is TLS's, which comes wrapped in errors of input and output.
fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let wrapped = error.downcast_ref().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_of_tls(inner))
}
