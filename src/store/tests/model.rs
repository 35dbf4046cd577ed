//! A store as simple as it can be: a list, looked through from its beginning each time. What is
//! first, due, or known by other names is worked out anew at every question.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::{Learned, State};

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) instance: usize,
    pub(super) class: u8,
    pub(super) subject: BTreeSet<String>,
    pub(super) lanes: BTreeSet<String>,
    pub(super) turn: Option<u64>,
    pub(super) state: State,
    pub(super) run_at: Option<Timestamp>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) attempts: u32,
    /// How many of its last attempts died, one after the other.
    pub(super) deaths: usize,
    pub(super) may_have_written: bool,
    overtakes: bool,
    /// It overtakes, and has not run since it came behind others.
    overtaking: bool,
    pub(super) is_synchronous: bool,
}

impl Row {
    pub(super) fn new(
        instance: usize,
        class: u8,
        subject: BTreeSet<String>,
        not_before: Option<Timestamp>,
        [overtakes, is_synchronous]: [bool; 2],
    ) -> Self {
        Self {
            instance,
            class,
            subject,
            lanes: BTreeSet::new(),
            turn: None,
            state: State::Scheduled,
            run_at: None,
            not_before,
            attempts: 0,
            deaths: 0,
            may_have_written: false,
            overtakes,
            overtaking: false,
            is_synchronous,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) rows: Vec<Row>,
    last_turn: u64,
    aliases: BTreeMap<(usize, String), String>,
    pub(super) disabled: BTreeMap<(usize, String), usize>,
}

impl Model {
    pub(super) fn accept(&mut self, row: Row) -> bool {
        let is_due = row.not_before.is_none();
        self.rows.push(row);
        is_due && self.enter(self.rows.len() - 1)
    }

    fn enter(&mut self, number: usize) -> bool {
        let row = &self.rows[number];
        let mut lanes = row.subject.clone();
        while let Some(more) = lanes.iter().find_map(|name| {
            let id = self.aliases.get(&(row.instance, name.clone()))?;
            let names = self.names_of(row.instance, id);
            (!names.is_subset(&lanes)).then_some(names)
        }) {
            lanes.extend(more);
        }
        self.last_turn += 1;
        let turn = self.last_turn;
        let row = &mut self.rows[number];
        row.lanes = lanes;
        row.turn = Some(turn);
        row.state = State::Waiting;
        let is_behind = !self.before(number).is_empty();
        let row = &mut self.rows[number];
        row.overtaking = row.overtakes && is_behind;
        is_behind
    }

    fn names_of(&self, instance: usize, id: &str) -> BTreeSet<String> {
        let of_person = self
            .aliases
            .iter()
            .filter(|((there, _), known)| *there == instance && *known == id);
        of_person.map(|((_, name), _)| name.clone()).collect()
    }

    fn share_a_lane(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.rows[one], &self.rows[other]);
        one.instance == other.instance && other.turn.is_some() && !one.lanes.is_disjoint(&other.lanes)
    }

    /// What has an earlier turn in a lane of this one.
    fn before(&self, number: usize) -> Vec<usize> {
        let is_before =
            |other: &usize| self.share_a_lane(number, *other) && self.rows[*other].turn < self.rows[number].turn;
        (0..self.rows.len()).filter(is_before).collect()
    }

    fn is_beside_running(&self, number: usize) -> bool {
        (0..self.rows.len()).any(|other| {
            other != number && self.rows[other].state == State::Running && self.share_a_lane(number, other)
        })
    }

    /// Whether nothing is before it, and nothing runs beside it.
    pub(super) fn is_first(&self, number: usize) -> bool {
        self.before(number).is_empty() && !self.is_beside_running(number)
    }

    fn is_ready(&self, number: usize, instance: usize) -> bool {
        let row = &self.rows[number];
        row.instance == instance && row.state == State::Waiting && row.run_at.is_none()
    }

    pub(super) fn next(&self, instance: usize) -> Option<usize> {
        let ready = || (0..self.rows.len()).filter(|number| self.is_ready(*number, instance));
        let overtaking = ready().find(|number| self.rows[*number].overtaking && !self.is_beside_running(*number));
        let in_turn = ready().filter(|number| self.is_first(*number));
        overtaking.or_else(|| in_turn.min_by_key(|number| (self.rows[*number].class, self.rows[*number].turn)))
    }

    pub(super) fn begin(&mut self, number: usize) {
        let row = &mut self.rows[number];
        row.state = State::Running;
        row.run_at = None;
        row.attempts += 1;
    }

    pub(super) fn end(&mut self, number: usize, state: State, run_at: Option<Timestamp>) {
        let row = &mut self.rows[number];
        row.state = state;
        row.run_at = run_at;
        row.overtaking = row.overtaking && run_at.is_some();
        row.deaths = 0;
        if state.has_ended() {
            row.turn = None;
        }
    }

    /// Buries it in its place, so that all behind it wait.
    pub(super) fn bury(&mut self, number: usize) {
        let turn = self.rows[number].turn;
        self.end(number, State::Buried, None);
        self.rows[number].turn = turn;
    }

    pub(super) fn learn(&mut self, instance: usize, learned: &Learned) {
        let mut is_new = false;
        for name in &learned.lanes {
            let before = self
                .aliases
                .insert((instance, name.clone()), learned.directory_id.clone());
            is_new = is_new || before.as_ref() != Some(&learned.directory_id);
        }
        if !is_new {
            return;
        }
        let names = self.names_of(instance, &learned.directory_id);
        for row in &mut self.rows {
            if row.instance == instance && row.turn.is_some() && !row.lanes.is_disjoint(&names) {
                row.lanes.extend(names.iter().cloned());
            }
        }
    }

    pub(super) fn cancel(&mut self, number: usize) -> State {
        let state = self.rows[number].state;
        if state.is_cancellable() {
            self.end(number, State::Cancelled, None);
        }
        state
    }

    pub(super) fn retry(&mut self, number: usize) -> State {
        let state = self.rows[number].state;
        if matches!(state, State::Failed | State::Buried | State::Cancelled | State::Waiting) {
            self.rows[number].run_at = None;
            self.rows[number].state = State::Waiting;
            if self.rows[number].turn.is_none() {
                self.enter(number);
            }
        }
        state
    }

    pub(super) fn reschedule(&mut self, number: usize, to: Timestamp, now: Timestamp) -> State {
        let row = &mut self.rows[number];
        let state = row.state;
        if state == State::Scheduled || state == State::Waiting && row.attempts == 0 {
            row.state = State::Scheduled;
            row.turn = None;
            row.not_before = Some(to);
            if to <= now {
                self.enter(number);
            }
        }
        state
    }

    pub(super) fn promote(&mut self, now: Timestamp) {
        for row in &mut self.rows {
            row.run_at = row.run_at.filter(|at| *at > now);
        }
        let mut due: Vec<usize> = (0..self.rows.len())
            .filter(|number| {
                let row = &self.rows[*number];
                row.state == State::Scheduled && row.not_before.is_some_and(|at| at <= now)
            })
            .collect();
        due.sort_by_key(|number| (self.rows[*number].not_before, *number));
        for number in due {
            self.enter(number);
        }
    }

    pub(super) fn recover(&mut self, wait: impl Fn(usize) -> Option<Timestamp>) -> usize {
        for number in 0..self.rows.len() {
            let row = &self.rows[number];
            if row.state == State::Waiting && row.is_synchronous && row.attempts == 0 && !row.overtakes {
                self.cancel(number);
            }
        }
        let mut recovered = 0;
        for row in &mut self.rows {
            if row.state == State::Running {
                recovered += 1;
                row.deaths += 1;
                row.state = State::Waiting;
                row.run_at = wait(row.deaths);
                row.may_have_written = true;
            }
        }
        recovered
    }

    /// The names of all lanes that hang together with those of this one.
    pub(super) fn connected(&self, number: usize) -> BTreeSet<String> {
        let mut names = self.rows[number]
            .turn
            .map_or_else(BTreeSet::new, |_| self.rows[number].lanes.clone());
        loop {
            let mut more = names.clone();
            for row in self.rows.iter().filter(|row| self.is_before(row, number)) {
                if !row.lanes.is_disjoint(&names) {
                    more.extend(row.lanes.iter().cloned());
                }
            }
            if more == names {
                return names;
            }
            names = more;
        }
    }

    /// Whether a row waits in its lanes and has its turn before this one, or is this one.
    fn is_before(&self, row: &Row, number: usize) -> bool {
        let own = &self.rows[number];
        row.instance == own.instance && row.turn.is_some() && row.turn <= own.turn
    }

    pub(super) fn expedite(&mut self, number: usize) {
        let (class, names) = (self.rows[number].class, self.connected(number));
        let before: Vec<bool> = self.rows.iter().map(|row| self.is_before(row, number)).collect();
        for (row, is_before) in self.rows.iter_mut().zip(before) {
            if is_before && !row.lanes.is_disjoint(&names) {
                row.class = row.class.min(class);
            }
        }
    }
}
