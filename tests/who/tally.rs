//! What is counted over the cases, and how it is printed.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    case::{Case, Command},
    compare::{Point, end},
    oracle::{End, Expected},
    rules::Tally,
    shrink::Wrong,
    world::Got,
};

/// How many kinds of disagreement are listed.
const MOST_KINDS: usize = 60;

/// Cases that came out wrong in the same way: the gravest point, what had to come by which rule,
/// and what came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    point: Point,
    expected: End,
    /// The last two rules that decided it.
    rules: Vec<&'static str>,
    got: Option<End>,
}

impl Kind {
    pub(crate) fn of(expected: &Expected, got: &Got, points: &[Point]) -> Self {
        let decides = |rule: &&'static str| {
            let is_refusal = rule.ends_with("400") || rule.ends_with("409");
            is_refusal || rule.starts_with("4 ") || rule.starts_with("5 ") || rule.starts_with("3 unknown id of")
        };
        let mut rules: Vec<_> = expected.rules.iter().copied().filter(decides).collect();
        rules.drain(..rules.len().saturating_sub(2));
        Self {
            point: points[0],
            expected: expected.end,
            rules,
            got: end(got),
        }
    }
}

/// The sum of many cases.
pub(crate) struct Summary {
    pub(crate) rules: Tally,
    /// Cases of a command, and those in which both agree.
    commands: BTreeMap<Command, (usize, usize)>,
    ends: BTreeMap<End, usize>,
    most_people: usize,
    kinds: BTreeMap<Kind, usize>,
    shown: BTreeMap<Kind, Wrong>,
    /// Cases that were not run, by what the service finds wrong with their settings.
    refused: BTreeMap<String, usize>,
}

impl Summary {
    pub(crate) fn new() -> Self {
        Self {
            rules: Tally::new(),
            commands: BTreeMap::new(),
            ends: BTreeMap::new(),
            most_people: 0,
            kinds: BTreeMap::new(),
            shown: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Counts what was to come of a case.
    pub(crate) fn read(&mut self, case: &Case, expected: &Expected) {
        self.rules.read(&expected.rules);
        let (all, _) = self.commands.entry(case.command).or_default();
        *all += 1;
        *self.ends.entry(expected.end).or_default() += 1;
        self.most_people = self.most_people.max(case.people.len());
    }

    /// Counts what came of it.
    pub(crate) fn compare(&mut self, case: &Case, expected: &Expected, got: &Got, points: &[Point]) {
        if points.is_empty() {
            self.rules.agree(&expected.rules);
            let (_, agreed) = self.commands.entry(case.command).or_default();
            *agreed += 1;
        } else {
            *self.kinds.entry(Kind::of(expected, got, points)).or_default() += 1;
        }
    }

    /// Counts cases that could not be run: the service does not know the settings.
    pub(crate) fn refuse(&mut self, cases: usize, faults: String) {
        *self.refused.entry(faults).or_default() += cases;
    }

    /// Whether this would be the first case of its kind, and not too many kinds are kept.
    pub(crate) fn wants_case(&self, expected: &Expected, got: &Got, points: &[Point], show: usize) -> bool {
        self.shown.len() < show && !self.shown.contains_key(&Kind::of(expected, got, points))
    }

    pub(crate) fn keep(&mut self, kind: Kind, wrong: Wrong) {
        self.shown.insert(kind, wrong);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.rules.add(&other.rules);
        for (command, (all, agreed)) in other.commands {
            let sum = self.commands.entry(command).or_default();
            *sum = (sum.0 + all, sum.1 + agreed);
        }
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        self.most_people = self.most_people.max(other.most_people);
        for (faults, cases) in other.refused {
            *self.refused.entry(faults).or_default() += cases;
        }
        self.shown.extend(other.shown);
    }

    pub(crate) fn is_agreed(&self) -> bool {
        self.kinds.is_empty() && self.refused.is_empty()
    }

    /// Prints all of it.
    pub(crate) fn print(&self, seed: u64, took: Duration, show: usize) {
        let all: usize = self.commands.values().map(|(all, _)| all).sum();
        let agreed: usize = self.commands.values().map(|(_, agreed)| agreed).sum();
        println!("How often each rule was met, and in how many of those cases both agree");
        for (rule, count) in self.rules.rows() {
            println!("  {:>7} {:>7}  {rule}", count.met, count.agreed);
        }
        println!("\nWhat had to come");
        for (end, count) in &self.ends {
            println!("  {count:>7}  {end:?}");
        }
        let kinds = self.by_frequency();
        if !kinds.is_empty() {
            println!("\nKinds of disagreement");
        }
        for (kind, count) in kinds.iter().take(MOST_KINDS) {
            let got = kind
                .got
                .map_or_else(|| "no envelope".to_owned(), |end| format!("{end:?}"));
            println!(
                "  {count:>7}  {:?}: {:?} expected by {:?}, got {got}",
                kind.point, kind.expected, kind.rules
            );
        }
        if let Some(more) = kinds.len().checked_sub(MOST_KINDS).filter(|more| *more > 0) {
            println!("          and {more} kinds more");
        }
        let shown = kinds.iter().filter_map(|(kind, _)| self.shown.get(kind)).take(show);
        for Wrong {
            case,
            expected,
            got,
            points,
        } in shown
        {
            println!("\n  {points:?}\n{case}\n    expected   {expected}\n    got        {got}");
        }
        for (faults, cases) in &self.refused {
            println!("\nFAIL {cases} cases not run, their settings are refused:\n{faults}");
        }
        println!(
            "\nseed {seed}: {agreed} of {all} cases agree ({:.3} %)",
            share(agreed, all)
        );
        for command in Command::ALL {
            let (all, agreed) = self.commands.get(&command).copied().unwrap_or_default();
            println!("  {command:<8} {agreed} of {all} ({:.3} %)", share(agreed, all));
        }
        let seconds = took.as_secs_f64();
        println!(
            "  up to {} people; {seconds:.1} s, {:.0} cases a second",
            self.most_people,
            all as f64 / seconds
        );
    }

    fn by_frequency(&self) -> Vec<(&Kind, usize)> {
        let mut kinds: Vec<_> = self.kinds.iter().map(|(kind, count)| (kind, *count)).collect();
        kinds.sort_by_key(|(kind, count)| (kind.point, std::cmp::Reverse(*count)));
        kinds
    }
}

/// `part` of `whole` in per cent; of nothing, zero.
fn share(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}
