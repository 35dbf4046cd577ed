//! When an answer has been handed over whole.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// What becomes of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyProgress {
    /// There was room for some of it.
    Progress,
    /// All of it has been handed over, or nobody wants the rest.
    Gone,
}

/// An answer's body that tells its steps.
pub(super) struct TrackedResponseBody<F: Fn(BodyProgress)> {
    body: Body,
    tell: F,
}

impl<F: Fn(BodyProgress)> TrackedResponseBody<F> {
    pub(super) fn new(body: Body, tell: F) -> Self {
        Self { body, tell }
    }
}

impl<F: Fn(BodyProgress) + Unpin> HttpBody for TrackedResponseBody<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            (self.tell)(BodyProgress::Progress);
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

impl<F: Fn(BodyProgress)> Drop for TrackedResponseBody<F> {
    fn drop(&mut self) {
        (self.tell)(BodyProgress::Gone);
    }
}
