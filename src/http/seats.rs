//! Who has a seat, what goes on on each, and which of them gives way: see [`super::connections`]
//! for why.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::http::departure::Step;

/// How often at most it is logged that connections are turned away.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

/// The seats, shared by all connections.
#[derive(Debug)]
pub(super) struct Room {
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
    /// Room for this many connections.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            roll: Mutex::default(),
        }
    }

    /// A seat, if there is one or somebody gives way.
    pub(super) fn enter(room: &Arc<Self>) -> Option<Seat> {
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
pub(super) struct Seat {
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
    /// Cancelled when its connection has to give way.
    pub(super) fn leave(&self) -> CancellationToken {
        self.leave.clone()
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an answer whose body is about to be handed over.
    pub(super) fn answered(&self) {
        let mut answers = self.answers();
        if answers.waiting == 0 {
            answers.stepped = Instant::now();
        }
        answers.waiting += 1;
    }

    /// Takes down a step of such a body.
    pub(super) fn told(&self, step: Step) {
        let mut answers = self.answers();
        answers.stepped = Instant::now();
        if step == Step::Gone {
            answers.waiting -= 1;
        }
    }

    /// Since when no body that is to be handed over made a step; `None` when there is none.
    pub(super) fn waiting_since(&self) -> Option<tokio::time::Instant> {
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

/// One request, from its header section to its answer. From when it is whole until it is answered
/// its connection is not asked to leave.
#[derive(Debug)]
pub(super) struct Flight {
    seat: Arc<Seat>,
    sending: AtomicBool,
    ended: AtomicBool,
}

impl Flight {
    pub(super) fn begin(seat: &Arc<Seat>, sending: bool) -> Self {
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
    pub(super) fn received(&self) {
        if self.sending.swap(false, Ordering::Relaxed) {
            self.seat.count(|state| state.sending -= 1);
        }
    }

    /// It has been answered, or nobody waits for the answer any more.
    pub(super) fn end(&self) {
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
