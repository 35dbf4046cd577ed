//! A response's body that reports how far it has been handed over.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// A step of a response's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyProgress {
    /// There was room for some of it.
    Progress,
    /// All of it has been handed over, or it was dropped before.
    Finished,
}

/// Calls `on_progress` at each step of the body.
pub(super) struct TrackedResponseBody<F: Fn(BodyProgress)> {
    body: Body,
    on_progress: F,
}

impl<F: Fn(BodyProgress)> TrackedResponseBody<F> {
    pub(super) fn new(body: Body, on_progress: F) -> Self {
        Self { body, on_progress }
    }
}

impl<F: Fn(BodyProgress) + Unpin> HttpBody for TrackedResponseBody<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            (self.on_progress)(BodyProgress::Progress);
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
        (self.on_progress)(BodyProgress::Finished);
    }
}
