//! How many connections are open at once, and which of them gives way.
//!
//! At the cap neither turning newcomers away nor letting them wait will do: ten thousand connections that say nothing would shut
//! out a health probe, and the orchestrator would kill a healthy service. So a newcomer takes the place of the connection that has
//! been *idle* longest: nothing is being answered on it, and its client has to be ready for the close at any time anyway (RFC 9112
//! section 9.5). Only when a request is in flight on every single one is the newcomer closed at once.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower::Service;

/// How often at most it is logged that connections are turned away.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

/// An acceptor that seats every connection, and moves the longest idle one out when all seats are taken.
#[derive(Debug, Clone)]
pub struct Seats {
    room: Arc<Room>,
}

impl Seats {
    /// Room for this many connections.
    pub fn new(capacity: usize) -> Self {
        Self {
            room: Arc::new(Room {
                capacity,
                roll: Mutex::default(),
            }),
        }
    }
}

impl<I, S> Accept<I, S> for Seats {
    type Stream = Seated<I>;
    type Service = Counted<S>;
    type Future = Ready<io::Result<(Seated<I>, Counted<S>)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Some(seat) = Room::enter(&self.room) else {
            return ready(Err(io::Error::other("every connection is busy")));
        };
        let leave = Box::pin(seat.leave.clone().cancelled_owned());
        let seat = Arc::new(seat);
        let service = Counted {
            inner: service,
            seat: Arc::clone(&seat),
        };
        ready(Ok((
            Seated {
                stream,
                leave,
                _seat: seat,
            },
            service,
        )))
    }
}

/// A connection's stream: ends when the connection has to give way.
#[derive(Debug)]
pub struct Seated<I> {
    stream: I,
    leave: Pin<Box<WaitForCancellationFutureOwned>>,
    _seat: Arc<Seat>,
}

impl<I> Seated<I> {
    /// Whether to give way; registers the task to be woken when it has to.
    fn has_to_leave(&mut self, context: &mut Context) -> bool {
        self.leave.as_mut().poll(context).is_ready()
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Seated<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        if self.has_to_leave(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Seated<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_to_leave(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A connection's service: tells its seat while it is answering.
#[derive(Debug, Clone)]
pub struct Counted<S> {
    inner: S,
    seat: Arc<Seat>,
}

impl<S, R> Service<R> for Counted<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let answering = Answering::begin(&self.seat);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let _answering = answering;
            answer.await
        })
    }
}

/// The seats, shared by all connections.
#[derive(Debug)]
struct Room {
    capacity: usize,
    roll: Mutex<Roll>,
}

#[derive(Debug, Default)]
struct Roll {
    open: usize,
    next_ticket: u64,
    /// Who may be asked to leave, the longest idle first.
    idle: BTreeMap<u64, CancellationToken>,
    /// How many of `open` have been asked and are not gone yet.
    leaving: usize,
    warned: Option<Instant>,
}

impl Room {
    fn enter(room: &Arc<Self>) -> Option<Seat> {
        let mut roll = room.roll();
        if roll.open - roll.leaving >= room.capacity {
            let Some((_, leave)) = roll.idle.pop_first() else {
                roll.warn(room.capacity);
                return None;
            };
            leave.cancel();
            roll.leaving += 1;
        }
        roll.open += 1;
        let leave = CancellationToken::new();
        let ticket = roll.sit_idle(&leave);
        Some(Seat {
            room: Arc::clone(room),
            leave,
            state: Mutex::new(SeatState { answering: 0, ticket }),
        })
    }

    fn roll(&self) -> MutexGuard<'_, Roll> {
        // Nothing inside can panic half-way, so what a poisoned lock holds is still whole.
        self.roll.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roll {
    fn sit_idle(&mut self, leave: &CancellationToken) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.idle.insert(ticket, leave.clone());
        ticket
    }

    /// A flood of connections must not become a flood of log lines.
    fn warn(&mut self, capacity: usize) {
        if self.warned.is_none_or(|last| last.elapsed() >= WARN_INTERVAL) {
            self.warned = Some(Instant::now());
            tracing::warn!(
                capacity,
                "connections are turned away: a request is in flight on every one that may be open"
            );
        }
    }
}

/// One open connection; its place is given back when its stream and its service are gone.
#[derive(Debug)]
struct Seat {
    room: Arc<Room>,
    leave: CancellationToken,
    state: Mutex<SeatState>,
}

#[derive(Debug)]
struct SeatState {
    /// Requests in flight; several at once on HTTP/2.
    answering: usize,
    /// The key in `Roll::idle`, if it still stands there.
    ticket: u64,
}

impl Seat {
    fn state(&self) -> MutexGuard<'_, SeatState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let ticket = self.state().ticket;
        let mut roll = self.room.roll();
        roll.open -= 1;
        if roll.idle.remove(&ticket).is_none() && self.leave.is_cancelled() {
            roll.leaving -= 1;
        }
    }
}

/// As long as this lives, its connection is not asked to leave.
struct Answering(Arc<Seat>);

impl Answering {
    fn begin(seat: &Arc<Seat>) -> Self {
        let mut state = seat.state();
        state.answering += 1;
        if state.answering == 1 {
            seat.room.roll().idle.remove(&state.ticket);
        }
        Self(Arc::clone(seat))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let seat = &self.0;
        let mut state = seat.state();
        state.answering -= 1;
        // One that has already been asked to leave is not asked again.
        if state.answering == 0 && !seat.leave.is_cancelled() {
            state.ticket = seat.room.roll().sit_idle(&seat.leave);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(room: &Arc<Room>) -> Option<Arc<Seat>> {
        Room::enter(room).map(Arc::new)
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_longest_idle() {
        let room = Arc::new(Room {
            capacity: 2,
            roll: Mutex::default(),
        });
        let first = enter(&room).expect("there is room");
        let second = enter(&room).expect("there is room");
        // The first answers something, so that the second is now the one idle longest.
        drop(Answering::begin(&first));
        let third = enter(&room).expect("the second gives way");
        assert!(second.leave.is_cancelled());
        assert!(!first.leave.is_cancelled());
        assert!(!third.leave.is_cancelled());
        drop(second);
        let roll = room.roll();
        assert_eq!((roll.open, roll.leaving), (2, 0));
    }

    #[test]
    fn one_that_answers_is_never_asked_to_leave() {
        let room = Arc::new(Room {
            capacity: 2,
            roll: Mutex::default(),
        });
        let seats = [enter(&room).expect("room"), enter(&room).expect("room")];
        let answering: Vec<_> = seats.iter().map(Answering::begin).collect();
        let twice = Answering::begin(&seats[0]);
        assert!(enter(&room).is_none());
        drop(answering);
        enter(&room).expect("the one that is done gives way");
        assert!(seats[1].leave.is_cancelled());
        assert!(!seats[0].leave.is_cancelled());
        drop(twice);
        assert_eq!(room.roll().idle.len(), 1);
    }

    #[test]
    fn a_seat_is_counted_out_once() {
        let room = Arc::new(Room {
            capacity: 1,
            roll: Mutex::default(),
        });
        for _ in 0..3 {
            let first = enter(&room).expect("room");
            let second = enter(&room).expect("the first gives way");
            // A request that came in between being asked and leaving.
            drop(Answering::begin(&first));
            drop(first);
            drop(second);
            let roll = room.roll();
            assert_eq!((roll.open, roll.leaving, roll.idle.len()), (0, 0, 0));
        }
    }
}
