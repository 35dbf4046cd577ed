//! Faults of every kind while many subjects change side by side: in the end the directory is what
//! the commands said.
//!
//! The commands and their order for each subject, and the faults, repeat with the seed; which
//! request meets which fault is the scheduler's. In a gale the faults are three times as many, so
//! that repetitions run out and commands fail, or don't know: those reports are held against the
//! directory too.
//!
//! Late work stays within a request's time-out here: a write that a directory does after its client
//! has given up on it, and after the next command has changed the same value, can't be told from
//! that command's without ETags.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use aws_ilm::sandbox::{self, Fault, FaultKind, Seed};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Form,
    oracle::{Group, Person, Verdict},
    report::{Report, ms, percentile},
    world::{Caller, Directory, user},
};

/// How many commands about people run side by side; groups have one of their own each.
const CALLERS: usize = 48;

/// Longer than a late answer, shorter than one that never comes.
const REQUEST_TIMEOUT: &str = "2s";

#[derive(Clone, Copy)]
struct Size {
    commands: usize,
    people: usize,
    groups: usize,
    /// What the chances of faults are multiplied with.
    force: f64,
}

/// What one seed came to.
struct Storm {
    is_gale: bool,
    seed: u64,
    took: Duration,
    calls: u64,
    waits: Vec<Duration>,
    verdicts: BTreeMap<Verdict, usize>,
    /// Statuses of the commands that failed or were not sure.
    statuses: BTreeMap<u16, usize>,
    lies: Vec<String>,
}

impl Storm {
    fn name(&self) -> String {
        format!("{} {}", if self.is_gale { "gale" } else { "storm" }, self.seed)
    }
}

pub(crate) async fn run(form: &Form, report: &mut Report) {
    let storm_size = Size {
        commands: form.pick(700, 5_000),
        people: form.pick(70, 500),
        groups: form.pick(6, 20),
        force: 1.0,
    };
    let gale_size = Size {
        commands: 700,
        people: 70,
        groups: 6,
        force: 3.0,
    };
    let mut storms = JoinSet::new();
    // Side by side: refusals slow each of them down to a fraction of what a machine does.
    for (size, count) in [(storm_size, form.pick(2, 10)), (gale_size, form.pick(1, 5))] {
        for seed in (form.seed..).take(count) {
            storms.spawn(storm(seed, size));
        }
    }
    let mut storms = storms.join_all().await;
    storms.sort_by_key(|storm| (storm.is_gale, storm.seed));
    for (name, size) in [("storm", storm_size), ("gale", gale_size)] {
        report.figure(
            &format!("{name}: commands, people, groups"),
            format!("{}, {}, {}", size.commands, size.people, size.groups),
        );
    }
    for storm in storms {
        let of = |verdict| storm.verdicts.get(&verdict).copied().unwrap_or_default();
        report.figure(
            &storm.name(),
            format!(
                "{} done, {} skipped, {} refused, {} failed, {} not known {:?}; {} calls in {:.1} s; p50 {}, p99 {}",
                of(Verdict::Done),
                of(Verdict::Skipped),
                of(Verdict::Refused),
                of(Verdict::Failed),
                of(Verdict::NotKnown),
                storm.statuses,
                storm.calls,
                storm.took.as_secs_f64(),
                ms(percentile(&storm.waits, 0.5)),
                ms(percentile(&storm.waits, 0.99)),
            ),
        );
        for lie in storm.lies.iter().take(10) {
            println!("  lie: {lie}");
        }
        report.claim(
            storm.lies.is_empty(),
            format!(
                "{}: the directory is what the commands said ({} lies)",
                storm.name(),
                storm.lies.len()
            ),
        );
    }
}

async fn storm(seed: u64, size: Size) -> Storm {
    // Half of the people are there from the start; those are never deleted, so that groups can have
    // them.
    let names: Vec<String> = (0..size.people).map(|number| format!("p{number}")).collect();
    let there = size.people / 2;
    let users: Vec<Value> = names[..there].iter().map(|name| user(name)).collect();
    let directory = Directory::with(sandbox::Options {
        seed: Seed::from_json(&json!({"users": users}).to_string()).unwrap(),
        fault_seed: seed,
        ..sandbox::Options::default()
    })
    .await;
    let front = directory.service(&[
        ("AWS_ILM_READ_RATE", "400"),
        ("AWS_ILM_WRITE_RATE", "250"),
        ("AWS_ILM_MEMBERSHIP_RATE", "5000"),
        ("AWS_ILM_REQUEST_TIMEOUT", REQUEST_TIMEOUT),
    ]);
    faults(size.force)
        .into_iter()
        .for_each(|fault| directory.sandbox.script(fault));

    let began = Instant::now();
    let each = size.commands / (size.people + size.groups);
    let extra = size.commands % (size.people + size.groups);
    let ids: Vec<String> = names[..there].iter().map(|name| format!("id-{name}")).collect();
    let mut people: Vec<Vec<Person>> = (0..CALLERS).map(|_| Vec::new()).collect();
    for (number, name) in names.iter().enumerate() {
        people[number % CALLERS].push(Person::new(name.clone(), number < there));
    }
    let mut callers = JoinSet::new();
    for (number, mine) in people.into_iter().enumerate() {
        let random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        callers.spawn(about_people(front.caller.clone(), mine, each, random));
    }
    for number in 0..size.groups {
        let random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000).wrapping_add(500 + number as u64));
        let group = Group::new(format!("Group-{number}"));
        let commands = each + extra / size.groups + usize::from(number < extra % size.groups);
        callers.spawn(about_group(front.caller.clone(), group, ids.clone(), commands, random));
    }
    let mut storm = Storm {
        is_gale: size.force > 1.0,
        seed,
        took: Duration::ZERO,
        calls: 0,
        waits: Vec::new(),
        verdicts: BTreeMap::new(),
        statuses: BTreeMap::new(),
        lies: Vec::new(),
    };
    let (mut people, mut groups) = (Vec::new(), Vec::new());
    for course in callers.join_all().await {
        people.extend(course.people);
        groups.extend(course.group);
        storm.lies.extend(course.lies);
        for (verdict, status, took) in course.reports {
            *storm.verdicts.entry(verdict).or_default() += 1;
            if matches!(verdict, Verdict::Failed | Verdict::NotKnown) {
                *storm.statuses.entry(status).or_default() += 1;
            }
            storm.waits.push(took);
        }
    }
    storm.took = began.elapsed();
    storm.calls = directory.sandbox.calls().values().sum();
    storm
        .lies
        .extend(compare(&directory.sandbox.dump(), &people, &mut groups));
    storm
}

/// Each of a few per cent of the requests. Refusals for the rate stay as many: more would only make
/// it longer.
fn faults(force: f64) -> Vec<Fault> {
    let slow = |milliseconds, work_late| FaultKind::Slow {
        milliseconds,
        work_late,
    };
    let kinds = [
        (0.02, FaultKind::Throttle { retry_after: None }),
        (
            0.002,
            FaultKind::Throttle {
                retry_after: Some("1".to_owned()),
            },
        ),
        (0.02 * force, FaultKind::Status { status: 500 }),
        (0.02 * force, FaultKind::Status { status: 503 }),
        (0.02 * force, FaultKind::HangUp),
        (0.03 * force, FaultKind::AnswerLost),
        (0.02 * force, FaultKind::FailAfterWork { status: 500 }),
        (0.02, slow(250, false)),
        (0.02, slow(250, true)),
        // Never comes, the work being done.
        (0.005 * force, slow(4_000, false)),
    ];
    let forever = |(probability, kind)| Fault::new(kind).forever().with_probability(probability);
    kinds.into_iter().map(forever).collect()
}

/// What one caller did.
#[derive(Default)]
struct Course {
    people: Vec<Person>,
    group: Option<Group>,
    reports: Vec<(Verdict, u16, Duration)>,
    lies: Vec<String>,
}

impl Course {
    fn note(&mut self, learnt: Result<Verdict, String>, status: u16, took: Duration) {
        match learnt {
            Ok(verdict) => self.reports.push((verdict, status, took)),
            Err(lie) => self.lies.push(lie),
        }
    }
}

/// Commands about each of these in turn, one at a time.
async fn about_people(caller: Caller, mut mine: Vec<Person>, each: usize, mut random: fastrand::Rng) -> Course {
    let mut course = Course::default();
    for number in 0..each {
        for person in &mut mine {
            let command = person.draw(&mut random, number);
            let (name, arguments) = person.request(&command);
            let answer = caller.command(name, &arguments).await;
            course.note(person.learn(&command, &answer), answer.status, answer.took);
        }
    }
    course.people = mine;
    course
}

async fn about_group(
    caller: Caller,
    mut group: Group,
    people: Vec<String>,
    commands: usize,
    mut random: fastrand::Rng,
) -> Course {
    let mut course = Course::default();
    for _ in 0..commands {
        let command = group.draw(&mut random, &people);
        let (name, arguments) = group.request(&command);
        let answer = caller.command(name, &arguments).await;
        course.note(group.learn(&command, &answer), answer.status, answer.took);
    }
    course.group = Some(group);
    course
}

/// What the directory holds that it should not, and the other way round.
fn compare(directory: &Value, people: &[Person], groups: &mut [Group]) -> Vec<String> {
    let users = directory["users"].as_array().unwrap();
    let mut lies = Vec::new();
    let mut known = 0;
    for person in people {
        let (external_id, renamed) = (format!("e-{}", person.key), format!("{}-", person.key));
        let is_theirs = |user: &&Value| {
            let name = user["userName"].as_str().unwrap_or_default();
            user["externalId"] == external_id.as_str() || name == person.key || name.starts_with(&renamed)
        };
        let theirs: Vec<&Value> = users.iter().filter(is_theirs).collect();
        known += theirs.len();
        lies.extend(person.settle(&theirs).err());
    }
    if known != users.len() {
        lies.push(format!("{} users, of whom {known} are known", users.len()));
    }
    for group in groups {
        let of_name = |other: &&Value| other["displayName"] == group.name.as_str();
        let theirs: Vec<&Value> = directory["groups"].as_array().unwrap().iter().filter(of_name).collect();
        lies.extend(group.settle(&theirs).err());
    }
    lies
}
