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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day)
    }

    /// What was said on one day and counts from another.
    fn said(number: i64, word: Word, on: i64, from: i64) -> Statement {
        Statement {
            number,
            operation: number.to_string(),
            said_at: day(on),
            effective_at: day(from),
            word,
            purpose: Some(if word == Word::Back { "leave" } else { "work" }.to_owned()),
            names: BTreeSet::new(),
            attributes: BTreeMap::new(),
            conversion: None,
            is_dated: from != on,
            standing: Standing::Holds,
            is_carried_out: false,
            has_changed: false,
            state: Some(State::Waiting),
            reason: None,
        }
    }

    fn hire(on: i64, from: i64) -> Statement {
        said(on, Word::Active, on, from)
    }

    fn termination(on: i64, from: i64) -> Statement {
        said(100 + on, Word::Inactive, on, from)
    }

    fn leave(on: i64) -> Statement {
        Statement {
            purpose: Some("leave".to_owned()),
            ..said(200 + on, Word::Inactive, on, on)
        }
    }

    fn with(statement: Statement, state: State, reason: &str, standing: Standing) -> Statement {
        Statement {
            state: Some(state),
            reason: Some(reason.to_owned()),
            standing,
            ..statement
        }
    }

    /// In whatever order they have come.
    fn is_active(statements: &[Statement], today: i64) -> bool {
        let mut statements = statements.to_vec();
        let active = Said::new(&statements, 0, day(today)).is_active();
        statements.reverse();
        assert_eq!(Said::new(&statements, 0, day(today)).is_active(), active);
        active
    }

    #[test]
    fn a_hire_prevails_only_where_it_is_newer_in_both_times() {
        let back = |on| said(300 + on, Word::Back, on, on);
        let rows: Vec<(&str, Vec<Statement>, i64, bool)> = vec![
            ("nothing is known", vec![], 9, false),
            ("hired", vec![hire(1, 1)], 9, true),
            ("its day has not come", vec![hire(1, 20)], 9, false),
            ("left", vec![hire(1, 1), termination(5, 5)], 9, false),
            ("at the same time", vec![hire(5, 5), termination(5, 5)], 9, false),
            ("a last day ahead", vec![hire(1, 1), termination(5, 20)], 9, true),
            ("and then it has come", vec![hire(1, 1), termination(5, 20)], 20, false),
            ("a rehire", vec![hire(1, 1), termination(5, 5), hire(8, 8)], 9, true),
            (
                "a rehire that was said before a last day",
                vec![hire(4, 4), termination(2, 6)],
                9,
                false,
            ),
            (
                "a last day of the past that is said now",
                vec![hire(4, 4), termination(8, 3)],
                9,
                false,
            ),
            (
                "a hire ahead, older than a termination",
                vec![hire(1, 8), termination(4, 4)],
                9,
                false,
            ),
            ("on leave", vec![hire(1, 1), leave(5)], 9, false),
            ("back from leave", vec![hire(1, 1), leave(5), back(7)], 9, true),
            (
                "left while on leave",
                vec![hire(1, 1), leave(5), termination(6, 6), back(7)],
                9,
                false,
            ),
            (
                "held for a person",
                vec![
                    hire(1, 1),
                    with(termination(5, 5), State::Held, "back_dated", Standing::Holds),
                ],
                9,
                true,
            ),
            (
                "held since nobody was found",
                vec![
                    hire(1, 1),
                    with(termination(5, 5), State::Held, "unknown_person", Standing::Holds),
                ],
                9,
                false,
            ),
            (
                "cancelled by a person",
                vec![
                    hire(1, 1),
                    with(termination(5, 5), State::Cancelled, "", Standing::Holds),
                ],
                9,
                true,
            ),
            (
                "taken back",
                vec![
                    hire(1, 1),
                    with(termination(5, 5), State::Done, "", Standing::Cancelled),
                ],
                9,
                true,
            ),
            (
                "failed, and said all the same",
                vec![hire(1, 1), with(termination(5, 5), State::Failed, "", Standing::Holds)],
                9,
                false,
            ),
        ];
        for (name, statements, today, active) in rows {
            assert_eq!(is_active(&statements, today), active, "{name}");
        }
    }

    #[test]
    fn an_employment_that_begins_as_another_ends_keeps_its_person() {
        let of = |statement: Statement, id: &str| Statement {
            names: BTreeSet::from([format!("employee {id}")]),
            ..statement
        };
        let old = Statement {
            conversion: Some(SignedDuration::from_hours(48)),
            ..of(termination(5, 5), "c-1")
        };
        let near = of(hire(4, 4), "e-1");
        let rows = [
            ("no other", vec![old.clone()], 6, None, false),
            (
                "not carried out yet",
                vec![old.clone(), near.clone()],
                6,
                Some(day(7)),
                false,
            ),
            ("nor later", vec![old.clone(), near.clone()], 8, None, true),
            ("the same id", vec![old.clone(), of(hire(4, 4), "c-1")], 6, None, false),
            ("long ago", vec![old.clone(), of(hire(1, 1), "e-1")], 6, None, false),
            (
                "carried out",
                vec![
                    old.clone(),
                    Statement {
                        is_carried_out: true,
                        ..near
                    },
                ],
                6,
                None,
                true,
            ),
        ];
        for (name, statements, today, until, is_over) in rows {
            let said = Said::new(&statements, old.number, day(today));
            assert_eq!(said.is_over(&statements[0]), is_over, "{name}");
            let waits = said.waits_until(&statements[0]).filter(|_| !is_over);
            assert_eq!(waits, until, "{name}");
        }
    }
}
