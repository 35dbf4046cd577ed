//! Limits how many connections are open at once, and evicts one for a new one.
//!
//! At the cap neither turning new connections away nor letting them wait will do: ten thousand
//! connections that say nothing would shut out a health probe, and the orchestrator would kill a
//! healthy service. So a new connection evicts the one that has been *idle* longest:
//! nothing is being answered on it, and its client has to be ready for the close at any time anyway
//! (RFC 9112 section 9.5). Where none is idle, it evicts the one that has been
//! *sending* a request's body longest: nothing has been done for it yet, and ten thousand bodies
//! that come a byte at a time would otherwise do what silence can't. Only when a request is being
//! worked on on every single one is the new connection closed at once.

use std::{
    future::{Ready, ready},
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    response::Response,
};
use axum_server::accept::Accept;
use hyper::body::Incoming;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep, sleep_until},
};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tower::Service;

use super::{
    request_body::TrackedRequestBody,
    response_body::TrackedResponseBody,
    slots::{InFlightRequest, Slot, Slots},
};

/// An acceptor that gives every connection a slot, and evicts one that has no request at work when
/// all are taken.
#[derive(Debug, Clone)]
pub struct ConnectionLimiter {
    slots: Arc<Slots>,
    stall_timeout: Duration,
}

impl ConnectionLimiter {
    /// Room for this many connections, each ended when its client takes nothing of an answer for so
    /// long.
    pub fn new(capacity: usize, stall_timeout: Duration) -> Self {
        Self {
            slots: Arc::new(Slots::new(capacity)),
            stall_timeout,
        }
    }
}

impl<I, S> Accept<I, S> for ConnectionLimiter {
    type Stream = LimitedStream<I>;
    type Service = LimitedService<S>;
    type Future = Ready<io::Result<(LimitedStream<I>, LimitedService<S>)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Some(slot) = Slots::acquire(&self.slots) else {
            return ready(Err(io::Error::other("every connection is busy")));
        };
        let evicted = Box::pin(slot.evicted().cancelled_owned());
        let slot = Arc::new(slot);
        let service = LimitedService {
            inner: service,
            slot: Arc::clone(&slot),
        };
        ready(Ok((
            LimitedStream {
                stream,
                evicted,
                stall: None,
                unread: None,
                stall_timeout: self.stall_timeout,
                slot,
            },
            service,
        )))
    }
}

/// A connection's stream: ends when the connection is evicted.
#[derive(Debug)]
pub struct LimitedStream<I> {
    stream: I,
    evicted: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Runs while the other side takes nothing of what is written.
    stall: Option<Pin<Box<Sleep>>>,
    /// Runs while an answer waits for its reader to make room for it, as HTTP/2 lets a reader do
    /// without holding up what is written.
    unread: Option<Pin<Box<Sleep>>>,
    stall_timeout: Duration,
    slot: Arc<Slot>,
}

impl<I> LimitedStream<I> {
    /// Whether the connection is evicted; registers the task to be woken when it is.
    fn is_evicted(&mut self, context: &mut Context) -> bool {
        self.evicted.as_mut().poll(context).is_ready()
    }

    /// Whether an answer has waited for its reader too long; registers the task to be woken when it
    /// has.
    fn is_unread(&mut self, context: &mut Context) -> bool {
        let Some(since) = self.slot.waiting_since() else {
            self.unread = None;
            return false;
        };
        let deadline = since + self.stall_timeout;
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if unread.deadline() != deadline {
            unread.as_mut().reset(deadline);
        }
        unread.as_mut().poll(context).is_ready()
    }

    /// Passes on what came of writing, but for a reader that has taken nothing for too long: what
    /// is kept for it is given up.
    fn unless_stalled(&mut self, written: Poll<io::Result<usize>>, context: &mut Context) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let timeout = self.stall_timeout;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(timeout)));
        match stall.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for LimitedStream<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        if self.is_evicted(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.is_unread(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for LimitedStream<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_evicted(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_stalled(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        parts: &[IoSlice],
    ) -> Poll<io::Result<usize>> {
        if self.is_evicted(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.unless_stalled(written, context)
    }

    /// Where this is false hyper copies every answer into a buffer of its own, and keeps it for as
    /// long as its reader likes: the pages' script is 1.4 MB, and a thousand readers that never
    /// read held as many gigabytes.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A connection's service: records in its slot what becomes of each request.
#[derive(Debug, Clone)]
pub struct LimitedService<S> {
    inner: S,
    slot: Arc<Slot>,
}

impl<S> Service<Request<Incoming>> for LimitedService<S>
where
    S: Service<Request<Body>, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let request_in_flight = Arc::new(InFlightRequest::begin(&self.slot, !request.body().is_end_stream()));
        let arriving = Arc::clone(&request_in_flight);
        let whole = move || arriving.received();
        let answer = self
            .inner
            .call(request.map(|body| Body::new(TrackedRequestBody::new(body, whole))));
        let slot = Arc::clone(&self.slot);
        Box::pin(async move {
            let answer = answer.await;
            // Its body may live on somewhere; the request has been answered.
            request_in_flight.end();
            let answer = answer?;
            slot.answered();
            Ok(answer.map(|body| Body::new(TrackedResponseBody::new(body, move |step| slot.record(step)))))
        })
    }
}
