//! The sockets: HTTP/1.1 and HTTP/2 on one port, within limits of time, number and size.
//!
//! `axum::serve` has no timeout for a header section, so a client that sends half of one holds its
//! connection for ever. Here every phase of a connection ends: the first request and every header
//! section by [`ServerOptions::header_timeout`], a body by the extractors, a command by its own
//! deadline, an answer that is not read by [`ServerOptions::stall_timeout`], an idle HTTP/1
//! connection by the header timeout again, a dead HTTP/2 one by unanswered pings. All of it holds
//! with TLS as without; a handshake ends by the header timeout too.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use socket2::SockRef;

use super::{
    connections::ConnectionLimiter,
    tls::{Current, TlsAcceptor, certificate_fault},
};

/// The longest header section, in bytes: names and values, and four for the `: ` and the line end
/// of each. HTTP/2 holds it here, HTTP/1 where requests are refused.
pub const MAX_HEADERS: usize = 32 * 1024;

/// The most that is buffered of one HTTP/1 connection, in bytes. Above hyper's limit for a target
/// (64 KiB), so that an overlong one gets its 414 and not 431, and low enough for thousands of
/// them.
const MAX_BUFFER: usize = 96 * 1024;

/// What the kernel holds of an answer for a slow reader, in bytes. By itself it takes up to 4 MiB a
/// connection and says that there is room again when a third is free, so that a reader of 40 KB a
/// second would look like one that doesn't read at all.
const SEND_BUFFER: usize = 128 * 1024;

/// Open files that are left to everything else than callers: the directory's connections, files,
/// the listener.
const SPARE_FILES: usize = 128;

/// HTTP/2: requests at once on one connection.
const MAX_STREAMS: u32 = 100;

/// HTTP/2: streams that a client opened and reset before we saw them. A client that resets as fast
/// as it opens ("rapid reset", CVE-2023-44487) is closed beyond this.
const MAX_PENDING_RESETS: usize = 20;

/// HTTP/2: streams that we had to reset for a client's errors, before its connection is closed
/// (CVE-2025-8671).
const MAX_LOCAL_RESETS: usize = 200;

/// HTTP/2: how often a silent client is pinged, and how long it may take to answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits of the sockets.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// How long a header section may take to arrive whole, counted from the connection's start or
    /// the end of the previous answer; so it is also how long an idle HTTP/1 connection is kept.
    pub header_timeout: Duration,
    /// How many connections may be open. Fewer when the process may not open that many files.
    pub max_connections: usize,
    /// How long a client may take nothing of an answer that is being sent.
    pub stall_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(20),
            max_connections: 10_240,
            stall_timeout: Duration::from_secs(60),
        }
    }
}

/// Binds a listener for [`serve`] and [`serve_tls`].
///
/// # Errors
/// When the address is taken, or not this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves plain HTTP until the handle ends it: `shutdown` at once, `graceful_shutdown(limit)` after
/// what is in flight, at the latest after the limit.
///
/// The peer's address is in every request's extensions (`ConnectInfo<SocketAddr>`). Fails only when
/// the listener can't be used.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServerOptions,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let slots = ConnectionLimiter::new(affordable(options.max_connections), options.stall_timeout);
    limited(listener, options, handle, |_, _| {})?
        .acceptor(slots)
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await
}

/// Serves HTTP over TLS with the certificate of the moment; otherwise as [`serve`].
///
/// A client's certificate is in each request's extensions ([`ClientCertificate`]). `on_refused` is
/// called for each client whose certificate did not verify, with the reason, since there is no
/// request to answer. What does not begin with a TLS handshake is closed.
///
/// [`ClientCertificate`]: super::tls::ClientCertificate
pub async fn serve_tls(
    listener: TcpListener,
    router: Router,
    options: ServerOptions,
    current: Current,
    on_refused: impl Fn(IpAddr, &'static str) + Send + Sync + 'static,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let slots = ConnectionLimiter::new(affordable(options.max_connections), options.stall_timeout);
    let note = move |peer: SocketAddr, error: &io::Error| {
        if let Some(reason) = certificate_fault(error) {
            on_refused(peer.ip().to_canonical(), reason);
        }
    };
    limited(listener, options, handle, note)?
        .acceptor(TlsAcceptor::new(slots, current, options.header_timeout))
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await
}

/// A server with every limit but that of connections, which is an acceptor's; `note` gets to see
/// what failed on a connection before HTTP.
fn limited(
    listener: TcpListener,
    options: ServerOptions,
    handle: Handle<SocketAddr>,
    note: impl Fn(SocketAddr, &io::Error) + Send + Sync + 'static,
) -> io::Result<Server<SocketAddr>> {
    // Connections have the listener's. A kernel that can't do it leaves its own, which is larger.
    if let Err(error) = SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER) {
        tracing::debug!("the send buffers stay as they are: {error}");
    }
    let mut server = axum_server::from_tcp(listener)?;
    let builder = server.http_builder();
    builder
        .http1()
        // hyper passes over its timeouts in silence where it has no timer.
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(MAX_BUFFER);
    // At most 100 header fields is hyper's own default, and free; a number set by hand is allocated
    // anew for each request.
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .max_header_list_size(u32::try_from(MAX_HEADERS).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let server = server
        // Covers what no timeout of hyper does: a connection that has not yet shown which protocol
        // it speaks.
        .first_request_timeout(options.header_timeout)
        .accept_error_handler(move |peer, error| match peer {
            Some(peer) => {
                note(*peer, error);
                // One caller's failed handshake is no news, and could be repeated to fill the log.
                tracing::debug!("a connection was not taken: {error}");
            }
            None => tracing::warn!("accepting connections fails: {error}"),
        })
        .handle(handle);
    Ok(server)
}

/// No more connections than the process may open files for: beyond, accepting fails, and with it
/// the health probe.
fn affordable(wanted: usize) -> usize {
    let Some(files) = std::fs::read_to_string("/proc/self/limits")
        .ok()
        .as_deref()
        .and_then(open_files)
    else {
        return wanted;
    };
    let affordable = files.saturating_sub(SPARE_FILES).max(files / 2);
    if affordable < wanted {
        tracing::warn!(
            wanted,
            affordable,
            files,
            "fewer connections than set: the limit of open files is too low for them"
        );
    }
    wanted.min(affordable)
}

/// The soft limit of open files out of `/proc/self/limits` (proc(5)); `None` for unlimited or where
/// there is no such file.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_read() {
        let head = "Limit                     Soft Limit           Hard Limit           Units     \n";
        let line = |soft: &str| {
            format!("{head}Max open files            {soft}                 524288               files     \n")
        };
        assert_eq!(open_files(&line("1024")), Some(1024));
        assert_eq!(open_files(&line("unlimited")), None);
        assert_eq!(open_files(head), None);
    }

    #[test]
    fn never_more_connections_than_wanted() {
        assert!(affordable(5) <= 5);
        assert!(affordable(usize::MAX) > 0);
    }
}
