//! The slots of open connections, what goes on on each, and which is evicted when all are taken:
//! see [`super::connections`] for why.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::response_body::BodyProgress;

/// How often at most it is logged that connections are turned away.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

/// The slots, shared by all connections.
#[derive(Debug)]
pub(super) struct Slots {
    capacity: usize,
    table: Mutex<SlotTable>,
}

#[derive(Debug, Default)]
struct SlotTable {
    open: usize,
    next_sequence: u64,
    /// Idle connections, the longest idle first: these are evicted first.
    idle: BTreeMap<u64, CancellationToken>,
    /// Connections whose requests are still arriving, the longest sending first: evicted where none
    /// is idle.
    sending: BTreeMap<u64, CancellationToken>,
    /// How many of `open` have been evicted and are not closed yet.
    evicting: usize,
    warned: Option<Instant>,
}

/// What is going on on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    /// Nothing.
    Idle,
    /// Requests come in, none is whole.
    Sending,
    /// A request is being worked on.
    Busy,
}

impl Slots {
    /// Room for this many connections.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            table: Mutex::default(),
        }
    }

    /// Takes a slot; evicts a connection where none is free, and gives `None` where none may be
    /// evicted.
    pub(super) fn acquire(slots: &Arc<Self>) -> Option<Slot> {
        let mut table = slots.table();
        if table.open - table.evicting >= slots.capacity {
            let Some((_, evicted)) = table.idle.pop_first().or_else(|| table.sending.pop_first()) else {
                table.warn(slots.capacity);
                return None;
            };
            evicted.cancel();
            table.evicting += 1;
        }
        table.open += 1;
        let evicted = CancellationToken::new();
        let sequence = table.register(ConnectionState::Idle, &evicted);
        let state = SlotState {
            in_flight: 0,
            sending: 0,
            state_now: ConnectionState::Idle,
            sequence,
        };
        Some(Slot {
            slots: Arc::clone(slots),
            evicted,
            state: Mutex::new(state),
            answers: Mutex::new(Answers {
                waiting: 0,
                stepped: Instant::now(),
            }),
        })
    }

    fn table(&self) -> MutexGuard<'_, SlotTable> {
        // Nothing inside can panic half-way, so what a poisoned lock holds is still whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotTable {
    fn register(&mut self, state_now: ConnectionState, evicted: &CancellationToken) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        if let Some(list) = self.list(state_now) {
            list.insert(sequence, evicted.clone());
        }
        sequence
    }

    fn unregister(&mut self, state_now: ConnectionState, sequence: u64) {
        if let Some(list) = self.list(state_now) {
            list.remove(&sequence);
        }
    }

    fn list(&mut self, state_now: ConnectionState) -> Option<&mut BTreeMap<u64, CancellationToken>> {
        match state_now {
            ConnectionState::Idle => Some(&mut self.idle),
            ConnectionState::Sending => Some(&mut self.sending),
            ConnectionState::Busy => None,
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
pub(super) struct Slot {
    slots: Arc<Slots>,
    evicted: CancellationToken,
    state: Mutex<SlotState>,
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
struct SlotState {
    /// Requests that have begun and are not answered; several at once on HTTP/2.
    in_flight: usize,
    /// How many of them have not arrived whole.
    sending: usize,
    state_now: ConnectionState,
    /// The key in the list of its place, if it still stands there.
    sequence: u64,
}

impl Slot {
    /// Cancelled when the connection is evicted.
    pub(super) fn evicted(&self) -> CancellationToken {
        self.evicted.clone()
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

    /// Records a step of such a body.
    pub(super) fn record(&self, step: BodyProgress) {
        let mut answers = self.answers();
        answers.stepped = Instant::now();
        if step == BodyProgress::Finished {
            answers.waiting -= 1;
        }
    }

    /// Since when no body that is to be handed over made a step; `None` when there is none.
    pub(super) fn waiting_since(&self) -> Option<tokio::time::Instant> {
        let answers = self.answers();
        (answers.waiting > 0).then(|| answers.stepped.into())
    }

    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts requests, and moves the slot to where it belongs then.
    fn count(&self, change: impl FnOnce(&mut SlotState)) {
        let mut state = self.state();
        change(&mut state);
        let state_now = match (state.in_flight, state.sending) {
            (0, _) => ConnectionState::Idle,
            (in_flight, sending) if in_flight == sending => ConnectionState::Sending,
            (_, _) => ConnectionState::Busy,
        };
        if state_now == state.state_now {
            return;
        }
        // Evictions are decided under this lock, too.
        let mut table = self.slots.table();
        table.unregister(state.state_now, state.sequence);
        state.state_now = state_now;
        // A connection that has been evicted is not evicted again.
        if !self.evicted.is_cancelled() {
            state.sequence = table.register(state_now, &self.evicted);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (state_now, sequence) = {
            let state = self.state();
            (state.state_now, state.sequence)
        };
        let mut table = self.slots.table();
        table.open -= 1;
        table.unregister(state_now, sequence);
        if self.evicted.is_cancelled() {
            table.evicting -= 1;
        }
    }
}

/// One request, from its header section to its answer. From when it is whole until it is answered
/// its connection is not evicted.
#[derive(Debug)]
pub(super) struct InFlightRequest {
    slot: Arc<Slot>,
    sending: AtomicBool,
    on_finish: AtomicBool,
}

impl InFlightRequest {
    pub(super) fn begin(slot: &Arc<Slot>, sending: bool) -> Self {
        slot.count(|state| {
            state.in_flight += 1;
            state.sending += usize::from(sending);
        });
        Self {
            slot: Arc::clone(slot),
            sending: AtomicBool::new(sending),
            on_finish: AtomicBool::new(false),
        }
    }

    /// Notes that the request is whole, or that the rest of it is not waited for.
    pub(super) fn received(&self) {
        if self.sending.swap(false, Ordering::Relaxed) {
            self.slot.count(|state| state.sending -= 1);
        }
    }

    /// Notes that it has been answered, or that its connection is gone.
    pub(super) fn end(&self) {
        if self.on_finish.swap(true, Ordering::Relaxed) {
            return;
        }
        let sending = self.sending.swap(false, Ordering::Relaxed);
        self.slot.count(|state| {
            state.sending -= usize::from(sending);
            state.in_flight -= 1;
        });
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(slots: &Arc<Slots>) -> Option<Arc<Slot>> {
        Slots::acquire(slots).map(Arc::new)
    }

    #[test]
    fn a_new_connection_evicts_the_longest_idle() {
        let slots = Arc::new(Slots {
            capacity: 2,
            table: Mutex::default(),
        });
        let first = acquire(&slots).expect("there is room");
        let second = acquire(&slots).expect("there is room");
        // The first answers something, so that the second is now the one idle longest.
        drop(InFlightRequest::begin(&first, false));
        let third = acquire(&slots).expect("the second gives way");
        assert!(second.evicted.is_cancelled());
        assert!(!first.evicted.is_cancelled());
        assert!(!third.evicted.is_cancelled());
        drop(second);
        let table = slots.table();
        assert_eq!((table.open, table.evicting), (2, 0));
    }

    #[test]
    fn a_connection_with_a_request_at_work_is_never_evicted() {
        let slots = Arc::new(Slots {
            capacity: 2,
            table: Mutex::default(),
        });
        let both = [acquire(&slots).expect("room"), acquire(&slots).expect("room")];
        let answering: Vec<_> = both.iter().map(|slot| InFlightRequest::begin(slot, false)).collect();
        let twice = InFlightRequest::begin(&both[0], false);
        assert!(acquire(&slots).is_none());
        drop(answering);
        acquire(&slots).expect("the one that is done gives way");
        assert!(both[1].evicted.is_cancelled());
        assert!(!both[0].evicted.is_cancelled());
        drop(twice);
        assert_eq!(slots.table().idle.len(), 1);
    }

    /// Hostile input 38, 10,000 idle connections: give way; the health probe is answered.
    #[test]
    fn a_connection_that_is_still_sending_is_evicted_after_every_idle_one() {
        let slots = Arc::new(Slots {
            capacity: 3,
            table: Mutex::default(),
        });
        let [slow, slower, idle] = [(); 3].map(|()| acquire(&slots).expect("room"));
        let first = InFlightRequest::begin(&slow, true);
        let second = InFlightRequest::begin(&slower, true);
        let newcomer = acquire(&slots).expect("the idle one gives way");
        assert!(idle.evicted.is_cancelled() && !slow.evicted.is_cancelled());
        // Its request is whole, and worked on.
        first.received();
        let working = InFlightRequest::begin(&newcomer, false);
        acquire(&slots).expect("the one that is still sending gives way");
        assert!(slower.evicted.is_cancelled() && !slow.evicted.is_cancelled());
        // Another request begins on the connection whose first is worked on: it stays.
        let another = InFlightRequest::begin(&slow, true);
        drop(idle);
        drop((second, slower));
        let last = acquire(&slots).expect("there is room again");
        let _busy = InFlightRequest::begin(&last, false);
        assert!(acquire(&slots).is_none());
        drop((first, another, working));
        let table = slots.table();
        assert_eq!((table.idle.len(), table.sending.len()), (2, 0));
    }

    #[test]
    fn a_request_answered_before_it_was_whole_is_counted_out_once() {
        let slots = Arc::new(Slots {
            capacity: 1,
            table: Mutex::default(),
        });
        let slot = acquire(&slots).expect("room");
        let request_in_flight = InFlightRequest::begin(&slot, true);
        request_in_flight.end();
        request_in_flight.received();
        drop(request_in_flight);
        let state = slot.state();
        assert_eq!(
            (state.in_flight, state.sending, state.state_now),
            (0, 0, ConnectionState::Idle)
        );
    }

    #[test]
    fn a_slot_is_given_back_once() {
        let slots = Arc::new(Slots {
            capacity: 1,
            table: Mutex::default(),
        });
        for _ in 0..3 {
            let first = acquire(&slots).expect("room");
            let second = acquire(&slots).expect("the first gives way");
            // A request that came in between the eviction and the close.
            drop(InFlightRequest::begin(&first, false));
            drop(first);
            drop(second);
            let table = slots.table();
            assert_eq!((table.open, table.evicting, table.idle.len()), (0, 0, 0));
        }
    }
}
