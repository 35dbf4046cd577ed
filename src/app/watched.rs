//! The second listener, for metrics and health alone.

use std::net::{SocketAddr, TcpListener};

use axum_server::Handle;
use tokio::task::JoinHandle;

use super::AppError;
use crate::{
    http,
    net::server::{self, ServerOptions},
};

/// Connections that the second listener holds: a few scrapers and probes.
const MAX_CONNECTIONS: usize = 64;

/// Binds the second listener, where one is set.
///
/// # Errors
/// When the address is taken.
pub(super) fn bind(address: Option<SocketAddr>) -> Result<Option<TcpListener>, AppError> {
    let bind = |address| server::bind(address).map_err(|source| AppError::ListenForMetrics { address, source });
    address.map(bind).transpose()
}

/// Serves metrics and health on it until the task is aborted: so long as the service stops, it
/// tells how.
pub(super) fn serve(listener: TcpListener, app: http::App, options: ServerOptions) -> JoinHandle<()> {
    let options = ServerOptions {
        max_connections: MAX_CONNECTIONS,
        ..options
    };
    tokio::spawn(async move {
        let is_on_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        let router = http::watched_router(app, is_on_loopback);
        if let Err(error) = server::serve(listener, router, options, Handle::new()).await {
            tracing::error!("metrics are not served on their own address any more: {error}");
        }
    })
}
