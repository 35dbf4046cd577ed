//! What becomes of a body that its request was answered without.
//!
//! A request that is refused from its header section alone leaves a body that is still being sent.
//! Closing the connection on it (HTTP/1, RFC 9112 section 9.6) or resetting the stream (HTTP/2, RFC
//! 9113 section 8.1) makes clients lose the answer: curl 7.88 shows a stream error in place of a
//! 401. So the beginning of such a body is read and thrown away before the answer goes out, and
//! more of it behind the answer.

use std::{
    future::poll_fn,
    ops::ControlFlow,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};

use super::body::{BodyReader, BodyReservation};

/// The most of an unread body that is thrown away before its request is answered, in bytes, and the
/// longest that an answer waits for it: ordinary bodies are shorter and there by then.
const BEFORE: (usize, Duration) = (64 * 1024, Duration::from_millis(500));

/// The most that is thrown away in all, in bytes, and for how long behind the answer.
const BEHIND: (usize, Duration) = (8 * 1024 * 1024, Duration::from_secs(1));

/// The layer: throws away what no handler read of a request's body.
pub(super) async fn drain_unread(State(reader): State<Arc<BodyReader>>, request: Request, next: Next) -> Response {
    // A sender that waits for a 100 (Continue) has sent nothing yet, and reading would ask for all
    // of it.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let unread = Unread::default();
    let lent = unread.clone();
    let request = request.map(|body| Body::new(LentBody { body: Some(body), lent }));
    let response = next.run(request).await;
    let Some(body) = unread.take() else {
        return response;
    };
    // A body that was waited for in vain is not waited for again.
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        return response;
    }
    let mut drain = Drain {
        body,
        reader,
        reservation: BodyReservation::default(),
        thrown_away: 0,
    };
    let (bytes, time) = BEFORE;
    // A sender that is slow is no different from one that has much to send.
    let done = tokio::time::timeout(time, drain.until(bytes)).await;
    if done.is_ok_and(|done| done.is_break()) {
        return response;
    }
    let (bytes, time) = BEHIND;
    tokio::spawn(async move { tokio::time::timeout(time, drain.until(bytes)).await });
    response
}

/// A body that is being thrown away.
struct Drain {
    body: Body,
    reader: Arc<BodyReader>,
    /// Its part of the budget for bodies: a flood of refusals is drained as long as there is room.
    reservation: BodyReservation,
    thrown_away: usize,
}

impl Drain {
    /// Throws away until this many bytes are gone. Breaks when there is nothing more to throw away,
    /// or no room to do it in.
    async fn until(&mut self, bytes: usize) -> ControlFlow<()> {
        while self.thrown_away < bytes {
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await;
            let Some(Ok(frame)) = frame else {
                return ControlFlow::Break(());
            };
            self.thrown_away += frame.data_ref().map_or(0, Bytes::len);
            let counted = self.thrown_away.min(BEFORE.0);
            if !self.reader.spare(&mut self.reservation, counted) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

/// Where a body that is dropped before its end is found again.
#[derive(Clone, Default)]
struct Unread(Arc<Mutex<Option<Body>>>);

impl Unread {
    fn put(&self, body: Body) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    fn take(&self) -> Option<Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A request's body, lent to the handlers.
struct LentBody {
    /// `None` once it has ended.
    body: Option<Body>,
    lent: Unread,
}

impl HttpBody for LentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for LentBody {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.lent.put(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use axum::Router;
    use tower::ServiceExt as _;

    use super::*;
    use crate::http::{
        body::BodyLimits,
        guard::Guard,
        host::HostRule,
        layers::{LayerOptions, assemble},
    };

    const CHUNK: usize = 4096;

    /// A body that gives as many chunks as it is asked for, then either nothing or its end.
    struct Counted {
        left: usize,
        ends: bool,
        taken: Arc<AtomicUsize>,
    }

    impl HttpBody for Counted {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let Some(left) = self.left.checked_sub(1) else {
                return if self.ends { Poll::Ready(None) } else { Poll::Pending };
            };
            self.left = left;
            self.taken.fetch_add(CHUNK, Ordering::SeqCst);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; CHUNK])))))
        }
    }

    /// How many bytes were taken of a refused body when its answer came, and how many in the end.
    async fn taken(left: usize, ends: bool, max_buffered: usize, expect: bool) -> (usize, usize) {
        let limits = BodyLimits {
            max_buffered,
            ..BodyLimits::default()
        };
        let options = LayerOptions {
            host_rule: HostRule::any(),
            cors_origins: Vec::new(),
            guard: Guard::open(),
            body_reader: Arc::new(BodyReader::new(limits)),
        };
        let taken = Arc::new(AtomicUsize::new(0));
        let body = Body::new(Counted {
            left,
            ends,
            taken: Arc::clone(&taken),
        });
        let mut request = Request::builder()
            .method("POST")
            .uri("/none")
            .header("host", "localhost");
        if expect {
            request = request.header("expect", "100-continue");
        }
        let router = assemble(Router::new(), options);
        let peer = axum::extract::ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
        let request = request.extension(peer).body(body).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 404);
        let before = taken.load(Ordering::SeqCst);
        // The paused clock goes on only when the drain has nothing left to do.
        tokio::time::sleep(2 * BEHIND.1).await;
        (before, taken.load(Ordering::SeqCst))
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_body_is_read_within_its_bounds() {
        const PLENTY: usize = 64 << 20;
        let chunks = |bytes: usize| bytes / CHUNK;
        for (name, left, ends, max_buffered, expected) in [
            ("a small one", 1, true, PLENTY, (CHUNK, CHUNK)),
            ("one that stops", 1, false, PLENTY, (CHUNK, CHUNK)),
            ("one at the bound", chunks(BEFORE.0), true, PLENTY, (BEFORE.0, BEFORE.0)),
            ("a larger one", chunks(1 << 20), true, PLENTY, (BEFORE.0, 1 << 20)),
            ("an endless one", chunks(PLENTY), false, PLENTY, (BEFORE.0, BEHIND.0)),
            ("without room", chunks(1 << 20), true, 0, (20_480, 20_480)),
            ("with little room", chunks(1 << 20), true, 64 << 10, (53_248, 53_248)),
        ] {
            assert_eq!(taken(left, ends, max_buffered, false).await, expected, "{name}");
        }
        assert_eq!(taken(1, true, PLENTY, true).await, (0, 0), "one that waits for leave");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_waits_for_a_slow_body_no_longer_than_half_a_second() {
        let began = tokio::time::Instant::now();
        taken(0, false, 64 << 20, false).await;
        assert_eq!(began.elapsed(), BEFORE.1 + 2 * BEHIND.1);
    }
}
