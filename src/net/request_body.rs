//! A request's body that reports when it is whole.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

/// Calls `whole` when all of the body has arrived, or when it is dropped before; perhaps more than
/// once.
pub(super) struct TrackedRequestBody<F: Fn()> {
    body: Incoming,
    whole: F,
}

impl<F: Fn()> TrackedRequestBody<F> {
    pub(super) fn new(body: Incoming, whole: F) -> Self {
        Self { body, whole }
    }
}

impl<F: Fn() + Unpin> HttpBody for TrackedRequestBody<F> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        // What came in chunks shows its end only by there being no more.
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            (self.whole)();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<F: Fn()> Drop for TrackedRequestBody<F> {
    fn drop(&mut self) {
        (self.whole)();
    }
}
