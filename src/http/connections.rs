//! How many connections are open at once, and which of them gives way.
//!
//! At the cap neither turning newcomers away nor letting them wait will do: ten thousand connections that say nothing would shut
//! out a health probe, and the orchestrator would kill a healthy service. So a newcomer takes the place of the connection that has
//! been *idle* longest: nothing is being answered on it, and its client has to be ready for the close at any time anyway (RFC 9112
//! section 9.5). Where none is idle, it takes the place of the one that has been *sending* a request's body longest: nothing has been
//! done for it yet, and ten thousand bodies that come a byte at a time would otherwise do what silence can't. Only when a request is
//! being worked on on every single one is the newcomer closed at once.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use axum_server::accept::Accept;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower::Service;

use crate::http::arrival::Watched;
use crate::http::departure::{Handed, Step};

/// How often at most it is logged that connections are turned away.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

/// An acceptor that seats every connection, and moves one out that nothing is being done for when all seats are taken.
#[derive(Debug, Clone)]
pub struct Seats {
    room: Arc<Room>,
    stall_timeout: Duration,
}

impl Seats {
    /// Room for this many connections, each ended when its client takes nothing of an answer for so long.
    pub fn new(capacity: usize, stall_timeout: Duration) -> Self {
        Self {
            room: Arc::new(Room {
                capacity,
                roll: Mutex::default(),
            }),
            stall_timeout,
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
                stall: None,
                unread: None,
                stall_timeout: self.stall_timeout,
                seat,
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
    /// Runs while the other side takes nothing of what is written.
    stall: Option<Pin<Box<Sleep>>>,
    /// Runs while an answer waits for its reader to make room for it, as HTTP/2 lets a reader do without holding up what is written.
    unread: Option<Pin<Box<Sleep>>>,
    stall_timeout: Duration,
    seat: Arc<Seat>,
}

impl<I> Seated<I> {
    /// Whether to give way; registers the task to be woken when it has to.
    fn has_to_leave(&mut self, context: &mut Context) -> bool {
        self.leave.as_mut().poll(context).is_ready()
    }

    /// Whether an answer has waited for its reader too long; registers the task to be woken when it has.
    fn is_unread(&mut self, context: &mut Context) -> bool {
        let Some(since) = self.seat.waiting_since() else {
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

    /// Passes on what came of writing, but for a reader who has taken nothing for too long: what is kept for it is given up.
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

impl<I: AsyncRead + Unpin> AsyncRead for Seated<I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        if self.has_to_leave(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.is_unread(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Seated<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_to_leave(context) {
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
        if self.has_to_leave(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.unless_stalled(written, context)
    }

    /// Where this is false hyper copies every answer into a buffer of its own, and keeps it for as long as its reader likes: the pages'
    /// script is 1.4 MB, and a thousand readers who never read held as many gigabytes.
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

/// A connection's service: tells its seat what becomes of each request.
#[derive(Debug, Clone)]
pub struct Counted<S> {
    inner: S,
    seat: Arc<Seat>,
}

impl<S> Service<Request<Incoming>> for Counted<S>
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
        let flight = Arc::new(Flight::begin(&self.seat, !request.body().is_end_stream()));
        let arriving = Arc::clone(&flight);
        let whole = move || arriving.received();
        let answer = self
            .inner
            .call(request.map(|body| Body::new(Watched::new(body, whole))));
        let seat = Arc::clone(&self.seat);
        Box::pin(async move {
            let answer = answer.await;
            // Its body may live on somewhere; the request has been answered.
            flight.end();
            let answer = answer?;
            seat.answered();
            Ok(answer.map(|body| Body::new(Handed::new(body, move |step| seat.told(step)))))
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
    /// Who may be asked to leave when nobody is idle, the longest sending first.
    sending: BTreeMap<u64, CancellationToken>,
    /// How many of `open` have been asked and are not gone yet.
    leaving: usize,
    warned: Option<Instant>,
}

/// What is going on on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing.
    Idle,
    /// Requests come in, none is whole.
    Sending,
    /// A request is being worked on.
    Busy,
}

impl Room {
    fn enter(room: &Arc<Self>) -> Option<Seat> {
        let mut roll = room.roll();
        if roll.open - roll.leaving >= room.capacity {
            let Some((_, leave)) = roll.idle.pop_first().or_else(|| roll.sending.pop_first()) else {
                roll.warn(room.capacity);
                return None;
            };
            leave.cancel();
            roll.leaving += 1;
        }
        roll.open += 1;
        let leave = CancellationToken::new();
        let ticket = roll.sit(Place::Idle, &leave);
        let state = SeatState {
            in_flight: 0,
            sending: 0,
            place: Place::Idle,
            ticket,
        };
        Some(Seat {
            room: Arc::clone(room),
            leave,
            state: Mutex::new(state),
            answers: Mutex::new(Answers {
                waiting: 0,
                stepped: Instant::now(),
            }),
        })
    }

    fn roll(&self) -> MutexGuard<'_, Roll> {
        // Nothing inside can panic half-way, so what a poisoned lock holds is still whole.
        self.roll.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roll {
    fn sit(&mut self, place: Place, leave: &CancellationToken) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        if let Some(list) = self.list(place) {
            list.insert(ticket, leave.clone());
        }
        ticket
    }

    fn stand_up(&mut self, place: Place, ticket: u64) {
        if let Some(list) = self.list(place) {
            list.remove(&ticket);
        }
    }

    fn list(&mut self, place: Place) -> Option<&mut BTreeMap<u64, CancellationToken>> {
        match place {
            Place::Idle => Some(&mut self.idle),
            Place::Sending => Some(&mut self.sending),
            Place::Busy => None,
        }
    }

    /// A flood of connections must not become a flood of log lines.
    fn warn(&mut self, capacity: usize) {
        if self.warned.is_none_or(|last| last.elapsed() >= WARN_INTERVAL) {
            self.warned = Some(Instant::now());
            tracing::warn!(
                capacity,
                "connections are turned away: a request is being worked on on every one that may be open"
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
    answers: Mutex<Answers>,
}

/// The answers whose bodies have not been handed over whole.
#[derive(Debug)]
struct Answers {
    waiting: usize,
    /// When the last of them made a step.
    stepped: Instant,
}

#[derive(Debug)]
struct SeatState {
    /// Requests that have begun and are not answered; several at once on HTTP/2.
    in_flight: usize,
    /// How many of them have not arrived whole.
    sending: usize,
    place: Place,
    /// The key in the list of its place, if it still stands there.
    ticket: u64,
}

impl Seat {
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an answer whose body is about to be handed over.
    fn answered(&self) {
        let mut answers = self.answers();
        if answers.waiting == 0 {
            answers.stepped = Instant::now();
        }
        answers.waiting += 1;
    }

    /// Takes down a step of such a body.
    fn told(&self, step: Step) {
        let mut answers = self.answers();
        answers.stepped = Instant::now();
        if step == Step::Gone {
            answers.waiting -= 1;
        }
    }

    /// Since when no body that is to be handed over made a step; `None` when there is none.
    fn waiting_since(&self) -> Option<tokio::time::Instant> {
        let answers = self.answers();
        (answers.waiting > 0).then(|| answers.stepped.into())
    }

    fn state(&self) -> MutexGuard<'_, SeatState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts requests, and moves the seat to where it belongs then.
    fn count(&self, change: impl FnOnce(&mut SeatState)) {
        let mut state = self.state();
        change(&mut state);
        let place = match (state.in_flight, state.sending) {
            (0, _) => Place::Idle,
            (in_flight, sending) if in_flight == sending => Place::Sending,
            (_, _) => Place::Busy,
        };
        if place == state.place {
            return;
        }
        // Who has to leave is decided under this lock, too.
        let mut roll = self.room.roll();
        roll.stand_up(state.place, state.ticket);
        state.place = place;
        // One that has already been asked to leave is not asked again.
        if !self.leave.is_cancelled() {
            state.ticket = roll.sit(place, &self.leave);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (place, ticket) = {
            let state = self.state();
            (state.place, state.ticket)
        };
        let mut roll = self.room.roll();
        roll.open -= 1;
        roll.stand_up(place, ticket);
        if self.leave.is_cancelled() {
            roll.leaving -= 1;
        }
    }
}

/// One request, from its header section to its answer. From when it is whole until it is answered its connection is not asked to leave.
#[derive(Debug)]
struct Flight {
    seat: Arc<Seat>,
    sending: AtomicBool,
    ended: AtomicBool,
}

impl Flight {
    fn begin(seat: &Arc<Seat>, sending: bool) -> Self {
        seat.count(|state| {
            state.in_flight += 1;
            state.sending += usize::from(sending);
        });
        Self {
            seat: Arc::clone(seat),
            sending: AtomicBool::new(sending),
            ended: AtomicBool::new(false),
        }
    }

    /// The request is whole, or nobody waits for the rest of it.
    fn received(&self) {
        if self.sending.swap(false, Ordering::Relaxed) {
            self.seat.count(|state| state.sending -= 1);
        }
    }

    /// It has been answered, or nobody waits for the answer any more.
    fn end(&self) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let sending = self.sending.swap(false, Ordering::Relaxed);
        self.seat.count(|state| {
            state.sending -= usize::from(sending);
            state.in_flight -= 1;
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end();
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
        drop(Flight::begin(&first, false));
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
        let answering: Vec<_> = seats.iter().map(|seat| Flight::begin(seat, false)).collect();
        let twice = Flight::begin(&seats[0], false);
        assert!(enter(&room).is_none());
        drop(answering);
        enter(&room).expect("the one that is done gives way");
        assert!(seats[1].leave.is_cancelled());
        assert!(!seats[0].leave.is_cancelled());
        drop(twice);
        assert_eq!(room.roll().idle.len(), 1);
    }

    #[test]
    fn one_that_is_still_sending_gives_way_after_every_idle_one() {
        let room = Arc::new(Room {
            capacity: 3,
            roll: Mutex::default(),
        });
        let [slow, slower, idle] = [(); 3].map(|()| enter(&room).expect("room"));
        let first = Flight::begin(&slow, true);
        let second = Flight::begin(&slower, true);
        let newcomer = enter(&room).expect("the idle one gives way");
        assert!(idle.leave.is_cancelled() && !slow.leave.is_cancelled());
        // Its request is whole, and worked on.
        first.received();
        let working = Flight::begin(&newcomer, false);
        enter(&room).expect("the one that is still sending gives way");
        assert!(slower.leave.is_cancelled() && !slow.leave.is_cancelled());
        // Another request begins on the connection whose first is worked on: it stays.
        let another = Flight::begin(&slow, true);
        drop(idle);
        drop((second, slower));
        let last = enter(&room).expect("there is room again");
        let _busy = Flight::begin(&last, false);
        assert!(enter(&room).is_none());
        drop((first, another, working));
        let roll = room.roll();
        assert_eq!((roll.idle.len(), roll.sending.len()), (2, 0));
    }

    #[test]
    fn a_request_answered_before_it_was_whole_is_counted_out_once() {
        let room = Arc::new(Room {
            capacity: 1,
            roll: Mutex::default(),
        });
        let seat = enter(&room).expect("room");
        let flight = Flight::begin(&seat, true);
        flight.end();
        flight.received();
        drop(flight);
        let state = seat.state();
        assert_eq!((state.in_flight, state.sending, state.place), (0, 0, Place::Idle));
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
            drop(Flight::begin(&first, false));
            drop(first);
            drop(second);
            let roll = room.roll();
            assert_eq!((roll.open, roll.leaving, roll.idle.len()), (0, 0, 0));
        }
    }
}
