//! A made-up company: what its HR system decides, and the events that tell of it.
//!
//! The truth is a list of employments with their days. An event is a word of the HR system about
//! one of them at a time; what HR says at a moment is read off the words that have arrived by then,
//! in the order in which they were said. Nothing here knows how the service decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};
use serde_json::{Map, Value, json};

/// The sites, each in a zone of its own; Almaty has changed its rules, Melbourne and Santiago
/// change their clocks at other ends of the year than Lisbon.
const SITES: [(&str, &str); 5] = [
    ("lisbon", "Europe/Lisbon"),
    ("melbourne", "Australia/Melbourne"),
    ("santiago", "America/Santiago"),
    ("honolulu", "Pacific/Honolulu"),
    ("almaty", "Asia/Almaty"),
];

/// What an event says of an employment or of its person.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    Hired { start: Date },
    Rescinded,
    Terminated { last: Date },
    TerminationCancelled,
    LeaveBegan,
    LeaveEnded,
    Changed,
    Promoted { from: Date },
}

/// One word of the HR system.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) person: usize,
    /// The employment that it is about.
    employment: usize,
    pub(crate) said: Timestamp,
    pub(crate) word: Word,
    /// The attributes that it gives, by their names in an event.
    fields: BTreeMap<&'static str, String>,
    site: usize,
}

/// A person of the company, and everything that HR will say of it.
struct Person {
    site: usize,
    employee_id: String,
    user_name: String,
    first_name: String,
}

/// A year of a company.
pub(crate) struct Company {
    pub(crate) events: Vec<Event>,
    people: usize,
}

/// When each event arrived first, by its id.
pub(crate) type Arrivals<'a> = BTreeMap<&'a str, Timestamp>;

/// How a person of the directory is to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expected {
    pub(crate) user_name: String,
    pub(crate) active: bool,
    pub(crate) title: String,
    pub(crate) department: String,
    pub(crate) last_name: String,
}

impl Event {
    /// The event as it is sent.
    pub(crate) fn body(&self) -> Value {
        let mut data: Map<String, Value> = self
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(value.clone())))
            .collect();
        data.insert("site".to_owned(), SITES[self.site].0.into());
        let kind = match &self.word {
            Word::Hired { start } => {
                data.insert("start".to_owned(), start.to_string().into());
                "hired"
            }
            Word::Rescinded => "rescinded",
            Word::Terminated { last } => {
                data.insert("last".to_owned(), last.to_string().into());
                "terminated"
            }
            Word::TerminationCancelled => "termination-cancelled",
            Word::LeaveBegan => "leave-began",
            Word::LeaveEnded => "leave-ended",
            Word::Changed => "changed",
            Word::Promoted { from } => {
                data.insert("from".to_owned(), from.to_string().into());
                "promoted"
            }
        };
        json!({"type": kind, "timestamp": self.said.to_string(), "data": data})
    }

    /// When a day begins where the person works.
    fn begins(&self, day: Date) -> Timestamp {
        midnight(day, self.site)
    }
}

fn midnight(day: Date, site: usize) -> Timestamp {
    let zone = TimeZone::get(SITES[site].1).unwrap();
    // The first instant of the day, whatever its clock shows then.
    day.to_zoned(zone).unwrap().start_of_day().unwrap().timestamp()
}

/// The local midnights of all sites from one day to another, in their order.
pub(crate) fn midnights(from: Date, until: Date) -> Vec<Timestamp> {
    let mut all = BTreeSet::new();
    let mut day = from;
    while day < until {
        all.extend((0..SITES.len()).map(|site| midnight(day, site)));
        day = day.tomorrow().unwrap();
    }
    all.into_iter().collect()
}

/// Makes words up, one person after the other.
struct Pen<'a> {
    random: &'a mut fastrand::Rng,
    person: Person,
    number: usize,
    employment: usize,
    events: Vec<Event>,
    now: Timestamp,
    /// Whether what it says has days to come; else all of it is so when it is said.
    is_dated: bool,
}

impl Pen<'_> {
    fn pass(&mut self, days: std::ops::Range<i64>) {
        let days = if self.is_dated { self.random.i64(days) } else { 0 };
        let seconds = self.random.i64(1..86_000);
        self.now += SignedDuration::from_secs(days * 86_400 + seconds);
    }

    fn today(&self) -> Date {
        self.now
            .to_zoned(TimeZone::get(SITES[self.person.site].1).unwrap())
            .date()
    }

    fn say(&mut self, word: Word, fields: &[(&'static str, String)]) {
        let mut all = BTreeMap::from([("employeeId", self.person.employee_id.clone())]);
        if matches!(word, Word::Terminated { .. }) {
            all.insert("userName", self.person.user_name.clone());
        }
        all.extend(fields.iter().cloned());
        self.events.push(Event {
            id: format!("e-{}-{}", self.number, self.events.len()),
            person: self.number,
            employment: self.employment,
            said: self.now,
            word,
            fields: all,
            site: self.person.site,
        });
    }

    fn everything(&mut self) -> Vec<(&'static str, String)> {
        let name = self.person.user_name.clone();
        let last = format!("Family{}", self.number);
        vec![
            ("email", format!("{name}@example.com")),
            ("userName", name),
            ("firstName", self.person.first_name.clone()),
            ("displayName", format!("{} {last}", self.person.first_name)),
            ("lastName", last),
            ("title", format!("Title {}", self.random.u32(0..1_000))),
            ("department", format!("Department {}", self.random.u32(0..1_000))),
        ]
    }

    fn hire(&mut self) {
        let ahead = if self.is_dated { self.random.i64(-2..40) } else { -1 };
        let start = self.today() + jiff::Span::new().days(ahead);
        let everything = self.everything();
        self.say(Word::Hired { start }, &everything);
        // A date is moved while it waits and no later than that it arrives in time.
        if ahead > 12 && self.random.u32(0..4) == 0 {
            self.pass(1..5);
            let start = start + jiff::Span::new().days(self.random.i64(-2..20));
            let everything = self.everything();
            self.say(Word::Hired { start }, &everything);
            self.now = self.now.max(midnight(start, self.person.site));
        } else {
            self.now = self.now.max(midnight(start, self.person.site));
        }
        self.pass(4..9);
    }

    fn change(&mut self) {
        match self.random.u32(0..5) {
            0 => {
                let last = format!("Married{}", self.random.u32(0..10_000));
                let name = format!(
                    "{}.{}",
                    self.person.user_name.split('.').next().unwrap_or_default(),
                    last.to_lowercase()
                );
                self.person.user_name = name.clone();
                self.say(Word::Changed, &[("userName", name), ("lastName", last)]);
            }
            1 if self.is_dated => {
                let from = self.today() + jiff::Span::new().days(self.random.i64(3..20));
                let title = format!("Promoted {}", self.random.u32(0..1_000));
                self.say(Word::Promoted { from }, &[("title", title)]);
                // Another of the same purpose would take its place while it waits.
                self.now = self.now.max(midnight(from, self.person.site));
            }
            1..=3 => {
                let title = format!("Title {}", self.random.u32(0..1_000));
                self.say(Word::Changed, &[("title", title)]);
            }
            _ => {
                let department = format!("Department {}", self.random.u32(0..1_000));
                self.say(Word::Changed, &[("department", department)]);
            }
        }
    }

    fn leave(&mut self) {
        self.say(Word::LeaveBegan, &[]);
        self.pass(5..30);
        self.say(Word::LeaveEnded, &[]);
    }

    /// Whether the person has left for good.
    fn terminate(&mut self) -> bool {
        let ahead = if self.is_dated { self.random.i64(-8..30) } else { -1 };
        let last = self.today() + jiff::Span::new().days(ahead);
        self.say(Word::Terminated { last }, &[]);
        let mut over = midnight(last.tomorrow().unwrap(), self.person.site);
        if ahead > 10 && self.random.bool() {
            self.pass(1..4);
            let last = last + jiff::Span::new().days(self.random.i64(-3..20));
            self.say(Word::Terminated { last }, &[]);
            over = midnight(last.tomorrow().unwrap(), self.person.site);
        }
        let is_cancelled = self.random.u32(0..4) == 0;
        if !is_cancelled || self.random.bool() {
            self.now = self.now.max(over);
        }
        self.pass(3..9);
        if is_cancelled {
            self.say(Word::TerminationCancelled, &[]);
        }
        !is_cancelled
    }
}

impl Company {
    /// A year of so many people, made up from a seed.
    pub(crate) fn made(people: usize, seed: u64, year: i16) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut events = Vec::new();
        for number in 0..people {
            let person = Person {
                site: random.usize(0..SITES.len()),
                employee_id: format!("{}", 10_000 + number),
                user_name: format!("p{number}"),
                first_name: format!("First{number}"),
            };
            let begin = midnight(date(year, 1, 5), person.site);
            let mut pen = Pen {
                now: begin + SignedDuration::from_secs(random.i64(0..200 * 86_400)),
                random: &mut random,
                person,
                number,
                employment: 0,
                events: Vec::new(),
                is_dated: true,
            };
            pen.live(midnight(date(year, 12, 1), 0));
            events.extend(pen.events);
        }
        Self { events, people }
    }

    /// Three weeks of so many people, in which everything is so when it is said.
    pub(crate) fn undated(people: usize, seed: u64, from: Timestamp) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut events = Vec::new();
        for number in 0..people {
            let person = Person {
                site: random.usize(0..SITES.len()),
                employee_id: format!("{}", 10_000 + number),
                user_name: format!("p{number}"),
                first_name: format!("First{number}"),
            };
            let until = from + SignedDuration::from_hours(random.i64(24..14 * 24));
            let mut pen = Pen {
                now: from + SignedDuration::from_secs(random.i64(0..86_400)),
                random: &mut random,
                person,
                number,
                employment: 0,
                events: Vec::new(),
                is_dated: false,
            };
            pen.live(until);
            events.extend(pen.events);
        }
        Self { events, people }
    }

    /// How the directory is to be at a time, by the events that had arrived.
    pub(crate) fn expected(&self, arrived: &Arrivals<'_>, now: Timestamp) -> BTreeSet<Expected> {
        let mut words: Vec<Vec<(&Event, Timestamp)>> = vec![Vec::new(); self.people];
        for event in &self.events {
            if let Some(at) = arrived.get(&*event.id) {
                words[event.person].push((event, *at));
            }
        }
        words.iter_mut().filter_map(|words| read(words, now)).collect()
    }
}

impl Pen<'_> {
    fn live(&mut self, until: Timestamp) {
        self.hire();
        if self.random.u32(0..10) == 0 {
            self.say(Word::Rescinded, &[]);
            return;
        }
        while self.now < until {
            match self.random.u32(0..10) {
                0 => self.leave(),
                1 => {
                    if self.terminate() {
                        if self.random.bool() || self.now >= until {
                            return;
                        }
                        self.pass(5..40);
                        self.employment += 1;
                        self.hire();
                    }
                }
                _ => self.change(),
            }
            self.pass(4..45);
        }
    }
}

/// What HR says of one person: its employments and attributes, by all words in the order in which
/// they were said.
fn read(words: &mut [(&Event, Timestamp)], now: Timestamp) -> Option<Expected> {
    #[derive(Default)]
    struct Employment {
        start: Option<Timestamp>,
        is_rescinded: bool,
        over: Option<Timestamp>,
        away: bool,
    }
    words.sort_by_key(|(event, _)| event.said);
    let mut employments: BTreeMap<usize, Employment> = BTreeMap::new();
    let mut attributes: BTreeMap<&str, (Timestamp, String)> = BTreeMap::new();
    // The account is made two weeks ahead, unless the day was moved or taken back by then.
    let is_made = |(event, arrived): &(&Event, Timestamp)| {
        let Word::Hired { start } = &event.word else {
            return false;
        };
        let made = (event.begins(*start) - SignedDuration::from_hours(14 * 24)).max(*arrived);
        let mut later = words
            .iter()
            .filter(|(other, _)| other.employment == event.employment && other.said > event.said);
        let takes_back = |word: &Word| matches!(word, Word::Hired { .. } | Word::Rescinded);
        made <= now && !later.any(|(other, arrived)| takes_back(&other.word) && *arrived < made)
    };
    let is_there = words.iter().any(is_made);
    for word in words.iter() {
        let event = word.0;
        let employment = employments.entry(event.employment).or_default();
        let mut from = event.said;
        match &event.word {
            Word::Hired { start } => {
                employment.start = Some(event.begins(*start));
                if !is_made(word) {
                    continue;
                }
            }
            Word::Rescinded => employment.is_rescinded = true,
            Word::Terminated { last } => employment.over = Some(event.begins(last.tomorrow().unwrap())),
            Word::TerminationCancelled => employment.over = None,
            Word::LeaveBegan => employment.away = true,
            Word::LeaveEnded => employment.away = false,
            Word::Changed => {}
            Word::Promoted { from: day } => from = event.begins(*day).max(event.said),
        }
        if from > now {
            continue;
        }
        for (name, value) in &event.fields {
            let is_newer = attributes.get(name).is_none_or(|(other, _)| *other <= from);
            if is_newer {
                attributes.insert(name, (from, value.clone()));
            }
        }
    }
    let active = employments.values().any(|employment| {
        let has_begun = employment.start.is_some_and(|start| start <= now);
        let is_over = employment.over.is_some_and(|over| over <= now);
        has_begun && !is_over && !employment.is_rescinded && !employment.away
    });
    let text = |name: &str| attributes.get(name).map(|(_, value)| value.clone()).unwrap_or_default();
    is_there.then(|| Expected {
        user_name: text("userName"),
        active,
        title: text("title"),
        department: text("department"),
        last_name: text("lastName"),
    })
}
