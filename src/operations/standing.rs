//! Whether a person is active by what events have said of it.
//!
//! Two times decide. An event *said* something at a time of its own, and it *counts* from its date
//! on, or from when it was said where that is later. Of a hire and a termination the hire prevails
//! only if it is newer in both: a hire that comes late must not undo a termination that was said
//! after it, nor one whose day came after it. At equal times the termination prevails. So the
//! outcome hangs on what was said and not on the order in which it arrived.

use jiff::{SignedDuration, Timestamp};

use crate::store::{Standing, State, Statement, Word};

/// What has been said of one person, as far as it counts now.
pub(super) struct Said<'a> {
    statements: &'a [Statement],
    /// The operation for which it is asked: it has begun, so that its own day has come.
    own: i64,
    now: Timestamp,
}

impl<'a> Said<'a> {
    pub(super) fn new(statements: &'a [Statement], own: i64, now: Timestamp) -> Self {
        Self { statements, own, now }
    }

    /// The statement of the operation itself.
    pub(super) fn own(&self) -> Option<&'a Statement> {
        self.statements.iter().find(|said| said.number == self.own)
    }

    /// What counts now, in the order of acceptance.
    pub(super) fn counting(&self) -> impl Iterator<Item = &'a Statement> + '_ {
        self.statements.iter().filter(|said| self.counts(said))
    }

    fn counts(&self, said: &Statement) -> bool {
        let waits_for_release =
            said.state == Some(State::Held) && matches!(said.reason.as_deref(), Some("back_dated" | "far_future"));
        let has_come = said.number == self.own || !said.is_dated || said.effective_at <= self.now;
        said.standing == Standing::Holds && said.state != Some(State::Cancelled) && has_come && !waits_for_release
    }

    /// Whether a hire stands that no termination undoes.
    pub(super) fn is_active(&self) -> bool {
        self.of(Word::Active)
            .any(|hire| self.terminations().all(|termination| prevails(hire, termination)))
    }

    /// Whether a termination stands that no hire undoes.
    pub(super) fn is_terminated(&self) -> bool {
        self.terminations()
            .any(|termination| !self.of(Word::Active).any(|hire| prevails(hire, termination)))
    }

    /// Whether a termination stands that is no older than what this said.
    pub(super) fn is_undone(&self, said: &Statement) -> bool {
        self.terminations()
            .any(|termination| termination.number != said.number && !prevails(said, termination))
    }

    /// Whether a hire was said and taken back, and none stands.
    pub(super) fn is_rescinded(&self) -> bool {
        let is_taken_back = |said: &Statement| said.word == Word::Active && said.standing == Standing::Cancelled;
        self.statements.iter().any(is_taken_back) && !self.is_active()
    }

    /// Whether this termination is over: the person came back from it, or has another employment.
    pub(super) fn is_over(&self, termination: &Statement) -> bool {
        self.has_come_back(termination)
            || self
                .other_employment(termination)
                .is_some_and(|hire| hire.is_carried_out || self.has_waited(termination))
    }

    /// Until when this termination waits for a hire of the same person under another employee id.
    pub(super) fn waits_until(&self, termination: &Statement) -> Option<Timestamp> {
        let length = termination.conversion?;
        let is_open = self.other_employment(termination).is_some() && !self.has_waited(termination);
        is_open.then(|| moment(termination).saturating_add(length).unwrap_or(Timestamp::MAX))
    }

    /// The newest of what this takes back and what had an effect.
    pub(super) fn taken_back(&self, by: &Statement) -> Option<&'a Statement> {
        let had_effect = |said: &Statement| match said.word {
            Word::Inactive => self.was_away(),
            Word::Nothing | Word::Expected | Word::Active | Word::Back | Word::Cancelled => said.has_changed,
        };
        self.statements
            .iter()
            .filter(|said| said.purpose == by.purpose && said.standing == Standing::Cancelled)
            .filter(|said| said.said_at <= by.said_at && had_effect(said))
            .max_by_key(|said| (moment(said), said.number))
    }

    /// Whether a termination has made the person inactive, and nothing that was said has made it
    /// active since.
    pub(super) fn was_away(&self) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|said| said.word == Word::Inactive && said.has_changed)
    }

    /// The accepted numbers of the terminations that stand against the person's being active.
    pub(super) fn against(&self) -> Vec<i64> {
        self.terminations().map(|said| said.number).collect()
    }

    fn of(&self, word: Word) -> impl Iterator<Item = &'a Statement> + '_ {
        self.counting().filter(move |said| said.word == word)
    }

    fn terminations(&self) -> impl Iterator<Item = &'a Statement> + '_ {
        self.of(Word::Inactive).filter(|said| !self.is_over(said))
    }

    fn has_come_back(&self, termination: &Statement) -> bool {
        self.of(Word::Back)
            .any(|back| back.purpose == termination.purpose && prevails(back, termination))
    }

    /// A hire near a termination, of the same names and with another employee id.
    fn other_employment(&self, termination: &Statement) -> Option<&'a Statement> {
        let length = termination.conversion?;
        let is_near = |hire: &&Statement| {
            moment(hire).duration_since(moment(termination)).abs() <= length.max(SignedDuration::ZERO)
        };
        let has_other_id = |hire: &&Statement| {
            let ids = |said: &Statement| -> Vec<String> {
                let names = said.names.iter().filter(|name| name.starts_with("employee "));
                names.cloned().collect()
            };
            let own = ids(termination);
            let other = ids(hire);
            !own.is_empty() && !other.is_empty() && own.iter().all(|id| !other.contains(id))
        };
        self.statements
            .iter()
            .filter(|said| said.word == Word::Active && said.standing == Standing::Holds)
            .filter(|said| said.state != Some(State::Cancelled))
            .filter(is_near)
            .find(has_other_id)
    }

    fn has_waited(&self, termination: &Statement) -> bool {
        let length = termination.conversion.unwrap_or_default();
        let until = moment(termination).saturating_add(length).unwrap_or(Timestamp::MAX);
        self.now >= until
    }
}

/// From when on a statement counts.
pub(super) fn moment(said: &Statement) -> Timestamp {
    said.said_at.max(said.effective_at)
}

/// Whether what was said prevails over a termination: it is newer, and counts from a later time.
fn prevails(said: &Statement, termination: &Statement) -> bool {
    said.said_at > termination.said_at && moment(said) > moment(termination)
}
