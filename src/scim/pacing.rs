//! Pacing: requests are spaced to AWS's limits instead of running into its refusals.
//!
//! AWS allows each write API 25 and each read API 40 requests a second a tenant, and counts every
//! membership change against a further limit (User Guide, quotas). A [`Governor`] keeps one lane
//! for each API and one for memberships; a request waits until each of its lanes has its turn. On a
//! 429 the lane slows down at once and heals slowly: with other clients on the same tenant, or with
//! a limit that is not what we think, it finds its share.
//!
//! In a lane, leavers go first. One turn in four is the longest waiting request's, whatever its
//! class, so that none starves.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::request::Api;

/// What a rate is multiplied with on a 429: gentler cuts cause more refusals, harder ones waste the
/// limit. The suite `adaptation` shows both.
const CUT: f64 = 0.85;

/// How often a rate is cut at most: one overrun is answered by several 429s at once.
const CUT_INTERVAL: Duration = Duration::from_secs(1);

/// What a lane wins back, in requests a second, each second.
const HEALING: f64 = 0.5;

/// No rate falls below this, in requests a second: a lane that stood still would never learn that
/// it may go on.
const FLOOR: f64 = 0.5;

/// The longest pause that a `Retry-After` can make. AWS documents none; a wrong one must not stop
/// an instance for hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One turn in so many goes to the longest waiting request.
const FAIR_TURN: u64 = 4;

/// How urgent a request is, by the command that makes it. The first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A command for a leaver: each second of delay is a second of access.
    Disable,
    /// A command that changes a person or a group.
    Update,
    /// A command for a joiner.
    Create,
    /// A command that only reads.
    Read,
}

/// The number of priorities.
const CLASSES: usize = 4;

/// How many requests, and how many membership changes, a second may hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Requests a second for each API that reads.
    pub read_rate: f64,
    /// Requests a second for each API that writes.
    pub write_rate: f64,
    /// Membership changes a second, over all group requests.
    pub membership_rate: f64,
    /// APIs that have a rate of their own.
    pub api_rates: BTreeMap<Api, f64>,
}

impl Default for Rates {
    /// AWS's published limits; for memberships, whose limit AWS keeps to itself, a guess.
    fn default() -> Self {
        Self {
            read_rate: 40.0,
            write_rate: 25.0,
            membership_rate: 250.0,
            api_rates: BTreeMap::new(),
        }
    }
}

impl Rates {
    /// A replica's share, when so many share one tenant.
    pub fn shared_by(mut self, replicas: u32) -> Self {
        let replicas = f64::from(replicas.max(1));
        self.read_rate /= replicas;
        self.write_rate /= replicas;
        self.membership_rate /= replicas;
        self.api_rates.values_mut().for_each(|rate| *rate /= replicas);
        self
    }

    fn rate_of(&self, api: Api) -> f64 {
        let general = if api.writes() { self.write_rate } else { self.read_rate };
        self.api_rates.get(&api).copied().unwrap_or(general)
    }
}

/// The request's turn would come after its deadline: it is refused without having been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CongestedError {
    /// How long until a request with as much time would have its turn.
    pub(super) retry_after: Duration,
}

/// The status of a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneStatus {
    /// The API's name, or `memberships`.
    pub name: &'static str,
    /// Requests, or membership changes, a second at the moment.
    pub rate: f64,
    /// What the rate heals up to.
    pub ceiling: f64,
    /// Requests that wait for their turn.
    pub waiting: usize,
}

/// The pace of one instance.
#[derive(Debug)]
pub(super) struct Governor {
    apis: BTreeMap<Api, Arc<Lane>>,
    memberships: Arc<Lane>,
}

impl Governor {
    /// A governor that starts at these rates, and never exceeds them.
    pub(super) fn new(rates: &Rates) -> Self {
        let lanes = Api::ALL
            .into_iter()
            .map(|api| (api, Arc::new(Lane::new(api.name(), rates.rate_of(api)))));
        Self {
            apis: lanes.collect(),
            memberships: Arc::new(Lane::new("memberships", rates.membership_rate)),
        }
    }

    /// Waits for the turn of a request to `api` that makes so many membership changes.
    ///
    /// # Errors
    /// As soon as it is clear that the turn would come after `deadline`.
    pub(super) async fn wait_for_turn(
        &self,
        api: Api,
        memberships: usize,
        priority: Priority,
        deadline: Instant,
    ) -> Result<(), CongestedError> {
        if let Some(lane) = self.apis.get(&api) {
            Lane::wait_for_turn(lane, 1, priority, deadline).await?;
        }
        if memberships > 0 {
            let cost = u32::try_from(memberships).unwrap_or(u32::MAX);
            Lane::wait_for_turn(&self.memberships, cost, priority, deadline).await?;
        }
        Ok(())
    }

    /// Records a 429. AWS does not say which lane was too fast: of a request with many membership
    /// changes, it is taken to be theirs.
    pub(super) fn throttled(&self, api: Api, memberships: usize, retry_after: Option<Duration>) {
        let Some(lane) = self.apis.get(&api) else { return };
        let by_api = 1.0 / lane.inner().ceiling;
        let by_memberships = memberships as f64 / self.memberships.inner().ceiling;
        let lane = if by_memberships >= by_api {
            &self.memberships
        } else {
            lane
        };
        lane.inner().throttled(Instant::now(), retry_after);
    }

    /// The status of each lane.
    pub(super) fn status(&self) -> Vec<LaneStatus> {
        let now = Instant::now();
        self.apis
            .values()
            .chain([&self.memberships])
            .map(|lane| lane.inner().status(lane.name, now))
            .collect()
    }
}

/// One limit, and the requests that wait for it.
#[derive(Debug)]
struct Lane {
    name: &'static str,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    rate: f64,
    ceiling: f64,
    /// When the next request may go.
    next: Instant,
    healed: Instant,
    cut: Option<Instant>,
    waiting: [VecDeque<Waiter>; CLASSES],
    turns: u64,
    /// A task is handing out turns.
    handing_out: bool,
}

#[derive(Debug)]
struct Waiter {
    since: Instant,
    cost: u32,
    turn: oneshot::Sender<()>,
}

impl Lane {
    fn new(name: &'static str, rate: f64) -> Self {
        let now = Instant::now();
        let inner = Inner {
            rate,
            ceiling: rate,
            next: now,
            healed: now,
            cut: None,
            waiting: Default::default(),
            turns: 0,
            handing_out: false,
        };
        Self {
            name,
            inner: Mutex::new(inner),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for_turn(
        lane: &Arc<Self>,
        cost: u32,
        priority: Priority,
        deadline: Instant,
    ) -> Result<(), CongestedError> {
        let turn = {
            let now = Instant::now();
            let mut inner = lane.inner();
            inner.heal(now);
            if inner.is_free(now) {
                inner.take_turn(now, cost);
                return Ok(());
            }
            inner.remove_closed();
            let wait = inner.expected_wait(now, priority);
            if now + wait > deadline {
                return Err(CongestedError {
                    retry_after: now + wait - deadline,
                });
            }
            let (turn, comes) = oneshot::channel();
            inner.waiting[priority as usize].push_back(Waiter { since: now, cost, turn });
            if !inner.handing_out {
                inner.handing_out = true;
                tokio::spawn(hand_out_turns(Arc::clone(lane)));
            }
            comes
        };
        // A later 429, or later leavers, may have made the estimate above too short.
        match tokio::time::timeout_at(deadline, turn).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(CongestedError {
                retry_after: lane.inner().expected_wait(Instant::now(), priority),
            }),
        }
    }
}

/// How late a turn may come because of a timer of milliseconds and a busy machine.
const TIMERS_ARE_LATE: Duration = Duration::from_millis(5);

/// Hands out turns until no request waits.
async fn hand_out_turns(lane: Arc<Lane>) {
    loop {
        let next = {
            let now = Instant::now();
            let mut inner = lane.inner();
            inner.heal(now);
            inner.remove_closed();
            if inner.waiting.iter().all(VecDeque::is_empty) {
                inner.handing_out = false;
                return;
            }
            if inner.next <= now {
                if let Some(Waiter { cost, turn, .. }) = inner.next_waiter()
                    && turn.send(()).is_ok()
                {
                    inner.take_turn(now, cost);
                }
                continue;
            }
            inner.next
        };
        tokio::time::sleep_until(next).await;
    }
}

impl Inner {
    fn is_free(&self, now: Instant) -> bool {
        self.next <= now && self.waiting.iter().all(VecDeque::is_empty)
    }

    /// Removes the requests that stopped waiting: their deadline passed, or the breaker opened.
    fn remove_closed(&mut self) {
        self.waiting
            .iter_mut()
            .for_each(|class| class.retain(|waiter| !waiter.turn.is_closed()));
    }

    /// Takes a turn. A turn that came late by less than its interval, or than timers are late, is
    /// made up for: it would otherwise cost a twentieth of AWS's limit, and most of a high one.
    fn take_turn(&mut self, now: Instant, cost: u32) {
        let interval = Duration::from_secs_f64(1.0 / self.rate);
        let from = if now.saturating_duration_since(self.next) < interval.max(TIMERS_ARE_LATE) {
            self.next
        } else {
            now
        };
        self.next = from + interval * cost;
    }

    /// Estimates how long a new request of this class would wait for its turn.
    fn expected_wait(&self, now: Instant, priority: Priority) -> Duration {
        let cost = |classes: &[VecDeque<Waiter>]| {
            classes
                .iter()
                .flatten()
                .map(|waiter| f64::from(waiter.cost))
                .sum::<f64>()
        };
        let (before, after) = self.waiting.split_at(priority as usize + 1);
        let ahead = cost(before);
        // The fair turns that others get meanwhile.
        let ahead = ahead + cost(after).min(ahead / (FAIR_TURN - 1) as f64);
        self.next.saturating_duration_since(now) + Duration::from_secs_f64(ahead / self.rate)
    }

    /// Takes the next request out of the queue.
    fn next_waiter(&mut self) -> Option<Waiter> {
        self.turns += 1;
        let class = if self.turns.is_multiple_of(FAIR_TURN) {
            let oldest = |class: &usize| self.waiting[*class].front().map(|waiter| waiter.since);
            (0..CLASSES).filter(|class| oldest(class).is_some()).min_by_key(oldest)
        } else {
            (0..CLASSES).find(|class| !self.waiting[*class].is_empty())
        };
        self.waiting[class?].pop_front()
    }

    fn heal(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.healed).as_secs_f64();
        self.rate = (self.rate + HEALING * seconds).min(self.ceiling);
        self.healed = now;
    }

    fn throttled(&mut self, now: Instant, retry_after: Option<Duration>) {
        self.heal(now);
        if self
            .cut
            .is_none_or(|cut| now.saturating_duration_since(cut) >= CUT_INTERVAL)
        {
            self.rate = (self.rate * CUT).max(FLOOR.min(self.ceiling));
            self.cut = Some(now);
        }
        let pause = retry_after
            .unwrap_or(Duration::from_secs_f64(1.0 / self.rate))
            .min(LONGEST_PAUSE);
        self.next = self.next.max(now + pause);
    }

    fn status(&mut self, name: &'static str, now: Instant) -> LaneStatus {
        self.heal(now);
        let waiting = self.waiting.iter().map(VecDeque::len).sum();
        LaneStatus {
            name,
            rate: self.rate,
            ceiling: self.ceiling,
            waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn governor(write: f64) -> Arc<Governor> {
        Arc::new(Governor::new(&Rates {
            write_rate: write,
            ..Rates::default()
        }))
    }

    fn in_seconds(seconds: f64) -> Instant {
        Instant::now() + Duration::from_secs_f64(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced_and_use_the_whole_limit() {
        let governor = governor(25.0);
        let began = Instant::now();
        for _ in 0..101 {
            governor
                .wait_for_turn(Api::CreateUser, 0, Priority::Create, in_seconds(60.0))
                .await
                .unwrap();
        }
        let took = began.elapsed().as_secs_f64();
        assert!((3.99..4.1).contains(&took), "100 intervals of 40 ms took {took} s");
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_do_not_wait_for_each_other() {
        let governor = governor(1.0);
        governor
            .wait_for_turn(Api::CreateUser, 0, Priority::Create, in_seconds(1.0))
            .await
            .unwrap();
        let began = Instant::now();
        governor
            .wait_for_turn(Api::PatchUser, 0, Priority::Disable, in_seconds(1.0))
            .await
            .unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_sent_in_time_is_refused_at_once() {
        let governor = governor(1.0);
        let mut waiting = Vec::new();
        for _ in 0..6 {
            let governor = Arc::clone(&governor);
            waiting.push(tokio::spawn(async move {
                governor
                    .wait_for_turn(Api::CreateUser, 0, Priority::Create, in_seconds(60.0))
                    .await
            }));
        }
        tokio::task::yield_now().await;
        let began = Instant::now();
        // One has gone, five wait: a seventh would go after six seconds.
        let refused = governor
            .wait_for_turn(Api::CreateUser, 0, Priority::Create, in_seconds(2.0))
            .await
            .unwrap_err();
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!((3.9..4.1).contains(&refused.retry_after.as_secs_f64()), "{refused:?}");
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn leavers_go_first_and_nobody_starves() {
        let governor = governor(10.0);
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        governor
            .wait_for_turn(Api::PatchUser, 0, Priority::Update, in_seconds(60.0))
            .await
            .unwrap();
        let classes = [(Priority::Read, 2), (Priority::Update, 8), (Priority::Disable, 4)];
        for priority in classes
            .into_iter()
            .flat_map(|(priority, count)| std::iter::repeat_n(priority, count))
        {
            let (governor, order) = (Arc::clone(&governor), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                governor
                    .wait_for_turn(Api::PatchUser, 0, priority, in_seconds(60.0))
                    .await
                    .unwrap();
                order.lock().unwrap().push(priority);
            }));
            // So that they wait in this order, at different times.
            tokio::time::advance(Duration::from_millis(1)).await;
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        let order = order.lock().unwrap();
        use Priority::{Disable, Read, Update};
        assert_eq!(
            order[..8],
            [Disable, Disable, Disable, Read, Disable, Update, Update, Read],
            "{order:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_slows_its_lane_once_a_second_and_it_heals() {
        let governor = governor(20.0);
        let rate = || {
            governor
                .status()
                .into_iter()
                .find(|lane| lane.name == "CreateUser")
                .unwrap()
                .rate
        };
        governor.throttled(Api::CreateUser, 0, None);
        governor.throttled(Api::CreateUser, 0, None);
        assert!((rate() - 17.0).abs() < 0.01, "{}", rate());
        tokio::time::advance(Duration::from_secs(1)).await;
        governor.throttled(Api::CreateUser, 0, None);
        assert!((rate() - 17.5 * CUT).abs() < 0.01, "{}", rate());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!((rate() - 20.0).abs() < 0.01);
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(1)).await;
            governor.throttled(Api::CreateUser, 0, None);
        }
        assert!(rate() >= FLOOR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_is_obeyed_within_bounds() {
        for (asked, waited) in [(2, 2), (999_999_999, LONGEST_PAUSE.as_secs())] {
            let governor = governor(25.0);
            governor.throttled(Api::CreateUser, 0, Some(Duration::from_secs(asked)));
            let began = Instant::now();
            governor
                .wait_for_turn(Api::CreateUser, 0, Priority::Create, in_seconds(120.0))
                .await
                .unwrap();
            assert_eq!(began.elapsed().as_secs(), waited);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memberships_have_a_lane_of_their_own() {
        let governor = Arc::new(Governor::new(&Rates::default()));
        let began = Instant::now();
        for _ in 0..6 {
            governor
                .wait_for_turn(Api::PatchGroup, 100, Priority::Update, in_seconds(60.0))
                .await
                .unwrap();
        }
        let took = began.elapsed().as_secs_f64();
        assert!((1.99..2.1).contains(&took), "500 changes at 250 a second took {took} s");
        governor.throttled(Api::PatchGroup, 100, None);
        let status = governor.status();
        let rate = |name: &str| status.iter().find(|lane| lane.name == name).unwrap().rate;
        assert!(rate("memberships") < 250.0 && rate("PatchGroup") == 25.0);
    }

    #[test]
    fn replicas_share_the_rates() {
        let rates = Rates {
            api_rates: [(Api::CreateUser, 10.0)].into(),
            ..Rates::default()
        }
        .shared_by(2);
        assert_eq!(
            (
                rates.rate_of(Api::ListUsers),
                rates.rate_of(Api::PatchUser),
                rates.rate_of(Api::CreateUser)
            ),
            (20.0, 12.5, 5.0)
        );
    }
}
