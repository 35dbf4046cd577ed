//! A request's body, as bytes, within limits of size and time.
//!
//! [`RawBody`] is for routes that verify a body before they parse it; [`Arguments`] is built on it.
//! What can be refused from the header section alone is refused before anything of the body is
//! kept; what is left of it then is thrown away (`unread`).
//!
//! [`Arguments`]: super::arguments::Arguments

use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::problem::Problem;

/// What a body may take before it counts against the common budget, in bytes: ordinary commands
/// never meet it.
const FREE_BYTES: usize = 16 * 1024;

/// The unit in which the common budget for bodies is kept, in bytes.
const BUDGET_UNIT: usize = 1024;

/// The Retry-After when there is no room: commands last about a second.
pub(super) const BUSY_RETRY: Duration = Duration::from_secs(1);

/// The limits within which bodies are taken.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// The longest body, in bytes.
    pub max_body: usize,
    /// How long a body may take to arrive whole, however busily its sender drips.
    pub body_timeout: Duration,
    /// How much all bodies beyond 16 KiB may hold together, in bytes, from arrival until their
    /// commands are done.
    pub max_buffered: usize,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            max_body: 2 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            max_buffered: 64 * 1024 * 1024,
        }
    }
}

/// Reads bodies within their limits; one for the whole service, found in every request's
/// extensions.
#[derive(Debug)]
pub struct BodyReader {
    limits: BodyLimits,
    buffered: Arc<Semaphore>,
}

/// A body as it arrived, whatever its type.
///
/// Refused: 415 for one that is compressed, 413 and 408 beyond the limits, 400 for one that did not
/// arrive whole, 503 when all bodies together hold too much.
#[derive(Debug, Default)]
pub struct RawBody {
    /// The bytes, none of them changed.
    pub bytes: Vec<u8>,
    /// What it holds of the common budget.
    pub reservation: BodyReservation,
}

/// A body's part of the common budget for bodies. Move it into the task that works on what the body
/// said: dropping it frees the part for others.
#[derive(Debug, Default)]
pub struct BodyReservation(Option<OwnedSemaphorePermit>);

impl BodyReader {
    /// A reader with these limits.
    pub fn new(limits: BodyLimits) -> Self {
        let units = (limits.max_buffered / BUDGET_UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            limits,
            buffered: Arc::new(Semaphore::new(units)),
        }
    }

    /// Takes from the budget what a body that is thrown away counts, as if it were kept; `false`
    /// when half of the budget is taken: refusals, which need no credentials, leave the rest to
    /// callers.
    pub(super) fn spare(&self, reservation: &mut BodyReservation, length: usize) -> bool {
        let most = self.limits.max_buffered / BUDGET_UNIT;
        length <= FREE_BYTES
            || (self.buffered.available_permits() > most / 2 && reservation.cover(length, &self.buffered))
    }

    /// Takes a body piece by piece, this long at most; for those that are never kept whole.
    ///
    /// # Errors
    /// When it says itself that it is longer.
    pub(super) fn stream(&self, body: Body, limit: usize) -> Result<BodyStream, Problem> {
        if body.size_hint().lower() > limit as u64 {
            return Err(Problem::body_too_large(limit));
        }
        Ok(BodyStream {
            body,
            limit,
            length: 0,
            timeout: self.limits.body_timeout,
            deadline: Instant::now() + self.limits.body_timeout,
            reservation: BodyReservation::default(),
            buffered: Arc::clone(&self.buffered),
        })
    }

    /// The longest body of a command.
    pub(super) fn max_body(&self) -> usize {
        self.limits.max_body
    }

    async fn read(&self, body: Body) -> Result<RawBody, Problem> {
        let mut stream = self.stream(body, self.limits.max_body)?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(RawBody {
            bytes,
            reservation: stream.reservation,
        })
    }
}

/// A body that arrives piece by piece. What it holds of the common budget grows with it, since what
/// is made of its pieces holds as much.
#[derive(Debug)]
pub(super) struct BodyStream {
    body: Body,
    limit: usize,
    length: usize,
    timeout: Duration,
    deadline: Instant,
    reservation: BodyReservation,
    buffered: Arc<Semaphore>,
}

impl BodyStream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// As of [`RawBody`].
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let next = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
        let Ok(frame) = tokio::time::timeout_at(self.deadline, next).await else {
            return Err(Problem::request_timeout(self.timeout));
        };
        let Some(frame) = frame else { return Ok(None) };
        // A sender that hung up, or chunks that are none.
        let frame = frame.map_err(|_| Problem::not_json("", "the body did not arrive whole"))?;
        // Trailers are no part of the body.
        let bytes = frame.into_data().unwrap_or_default();
        self.length += bytes.len();
        if self.length > self.limit {
            return Err(Problem::body_too_large(self.limit));
        }
        if !self.reservation.cover(self.length, &self.buffered) {
            return Err(Problem::busy(BUSY_RETRY));
        }
        Ok(Some(bytes))
    }

    /// What it holds of the common budget.
    pub(super) fn into_reservation(self) -> BodyReservation {
        self.reservation
    }
}

impl Default for BodyReader {
    fn default() -> Self {
        Self::new(BodyLimits::default())
    }
}

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_encoding(request.headers())?;
        let body_reader: Arc<BodyReader> = request.extensions().get().cloned().unwrap_or_default();
        body_reader.read(request.into_body()).await
    }
}

impl BodyReservation {
    /// Takes from the budget what a body of this length holds beyond the free part; `false` when
    /// there isn't enough left.
    fn cover(&mut self, length: usize, budget: &Arc<Semaphore>) -> bool {
        let needed = length.saturating_sub(FREE_BYTES).div_ceil(BUDGET_UNIT);
        let held = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(missing) = u32::try_from(needed.saturating_sub(held)) else {
            return false;
        };
        if missing == 0 {
            return true;
        }
        let Ok(permit) = Arc::clone(budget).try_acquire_many_owned(missing) else {
            return false;
        };
        match &mut self.0 {
            Some(reserved) => reserved.merge(permit),
            None => self.0 = Some(permit),
        }
        true
    }
}

/// Compressed bodies are not inflated: a few kilobytes could become gigabytes.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain {
        Ok(())
    } else {
        Err(Problem::unsupported_encoding())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_counts_what_is_beyond_the_free_part_and_is_given_back() {
        let budget = Arc::new(Semaphore::new(10));
        let mut small = BodyReservation::default();
        assert!(small.cover(FREE_BYTES, &budget));
        assert_eq!(budget.available_permits(), 10);
        let mut large = BodyReservation::default();
        assert!(large.cover(FREE_BYTES + 4 * BUDGET_UNIT, &budget));
        assert!(large.cover(FREE_BYTES + 5 * BUDGET_UNIT, &budget));
        assert_eq!(budget.available_permits(), 5);
        let mut larger = BodyReservation::default();
        assert!(!larger.cover(FREE_BYTES + 6 * BUDGET_UNIT, &budget));
        drop(large);
        assert!(larger.cover(FREE_BYTES + 6 * BUDGET_UNIT, &budget));
        assert_eq!(budget.available_permits(), 4);
    }
}
