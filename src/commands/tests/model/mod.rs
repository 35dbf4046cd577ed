//! Every answer to every question of every command, and what is true whatever comes of it.

mod allowed;
mod laws;
mod questions;

use self::{
    laws::{holds_at_the_end, holds_for_a_write, leaves_no_leaver},
    questions::answers,
};
use crate::{
    commands::{Command, Rules, testing::*},
    decide::{Known, Next},
    policy::Adopt,
    profile::UserProfile,
    scim::{Dialect, ErrorKind},
};

pub(in crate::commands::tests) use questions::every_command;

/// More questions than any of the small commands below may need.
const MANY: usize = 24;

/// Follows every answer to every question. Returns how many ends there are.
fn follow(command: &Command, rules: &Rules, known: &mut Known, asked_before: &mut Vec<String>) -> usize {
    let next = command.prepare(rules).decide(known);
    let trail = || format!("{} after {asked_before:?}: {}", command.name(), asked(&next));
    if let Next::Finish(outcome) = &next {
        holds_at_the_end(rules, outcome, known, asked_before, &trail);
        leaves_no_leaver(command, rules, outcome, known, asked_before, &trail);
        return 1;
    }
    if let Some(Err(last)) = known.answers.last() {
        let final_kinds = [
            ErrorKind::Expired,
            ErrorKind::Connect,
            ErrorKind::Congested,
            ErrorKind::CircuitOpen,
            ErrorKind::Throttled,
            ErrorKind::WrongUrl,
            ErrorKind::Status(403),
        ];
        assert!(
            !final_kinds.contains(&last.kind),
            "{:?} is the end: {}",
            last.kind,
            trail()
        );
    }
    assert!(asked_before.len() < MANY, "{}", trail());
    if let Next::Write(step) = &next {
        holds_for_a_write(step, command, rules, known, asked_before, &trail);
    }
    let question = asked(&next);
    // The service assumes that a dry run's writes succeed.
    let assumed = known.dry_run && matches!(next, Next::Write(_));
    let mut ends = 0;
    for answer in answers(&next, asked_before.len()) {
        if assumed && answer.is_err() {
            continue;
        }
        known.answers.push(answer);
        asked_before.push(question.clone());
        ends += follow(command, rules, known, asked_before);
        asked_before.pop();
        known.answers.pop();
    }
    ends
}

#[test]
fn every_way_through_every_command_comes_to_an_end() {
    let mut ends = 0;
    for command in every_command() {
        // A group's members are changed and read in each dialect's own way; of a person, only
        // what may be sent differs.
        let dialects: &[Dialect] = if command.user_profile().is_some() {
            &[Dialect::Aws]
        } else {
            &[Dialect::Aws, Dialect::Rfc7644]
        };
        // Only an employee id tells the settings apart.
        let numbered = |profile: &UserProfile| profile.field("employeeid").is_some();
        let settings: &[Adopt] = if command.user_profile().is_some_and(numbered) {
            &[Adopt::SamePerson, Adopt::Strict, Adopt::Always, Adopt::Never]
        } else {
            &[Adopt::SamePerson]
        };
        for (&dialect, &adopt) in dialects
            .iter()
            .flat_map(|dialect| settings.iter().map(move |adopt| (dialect, adopt)))
        {
            for (dry_run, retried) in [(false, false), (true, false), (false, true)] {
                let mut rules = Rules { dialect, ..rules() };
                rules.policy.adopt = adopt;
                let mut known = Known {
                    dry_run,
                    retried,
                    ..Known::default()
                };
                ends += follow(&command, &rules, &mut known, &mut Vec::new());
            }
        }
    }
    assert!(ends > 10_000, "only {ends} ends were reached");
}
