//! The accept loop. It is our own because a scripted hang-up has to close the connection without a
//! response, which a framework's server does not let a handler do.

use std::{error::Error, io, pin::pin, time::Duration};

use axum::{Router, body::Body, http::Response};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::util::MapResult;

use super::wire::HangUp;

/// How long a client may take to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests under way are awaited at shutdown; after that their connections are cut.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long accepting pauses after it failed, for want of file descriptors most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` resolves, then lets requests under way finish.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let mut shutdown = pin!(shutdown);
    let stop = CancellationToken::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
    drop(listener);
    stop.cancel();
    let drained = async { while connections.join_next().await.is_some() {} };
    // Dropping the set at the end aborts what is left.
    let _cut_short = tokio::time::timeout(DRAIN_TIMEOUT, drained).await;
    Ok(())
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Answers are small and written whole: waiting to fill a segment would only add delay.
    let _best_effort = stream.set_nodelay(true);
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    let service = TowerToHyperService::new(MapResult::new(router, close_on_hang_up));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // An error is a client that left, or our own hanging up.
        _ended = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

/// An error from the service makes hyper drop the connection without writing anything.
fn close_on_hang_up<E>(result: Result<Response<Body>, E>) -> Result<Response<Body>, Box<dyn Error + Send + Sync>> {
    match result {
        Ok(response) if response.extensions().get::<HangUp>().is_none() => Ok(response),
        Ok(_) | Err(_) => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
    }
}
