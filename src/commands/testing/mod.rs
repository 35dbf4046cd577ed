//! What the tests of the commands share: a script of questions and answers, in words, held against
//! a decision.
//!
//! A row says what the directory is asked, what it answers, and what comes of it. Beside each row,
//! every one of its answers is replaced by "no time left", which has to end the command there and
//! then, as a 504. Only a command that was refused, and asks no more than whose the clash is, stays
//! a 409.

mod answers;
mod words;

pub(super) use self::{answers::*, words::asked};
use serde_json::{Value, json};

use super::{Command, Rules};
use crate::{
    decide::{Answer, Known, Next},
    mapper::Mapper,
    outcome::{GroupEnd, Outcome, UserEnd},
    policy::{Adopt, Policy, ProfileId},
    scim::{Dialect, ErrorKind},
};

/// Questions in the order they must come, each with the answer to give.
pub(super) type Script = Vec<(&'static str, Answer)>;

/// One row of a table.
pub(super) struct Row {
    name: &'static str,
    command: Command,
    rules: Rules,
    dry_run: bool,
    retried: bool,
    script: Script,
    /// Positions of the questions that only ask whose a clash is.
    asks_whose: Vec<usize>,
    end: String,
}

/// The beginning of a row: under the default rules, this command. [`Row::asks`] and [`Row::ends`]
/// say the rest.
pub(super) fn case(name: &'static str, command: Command) -> Row {
    row(name, command, vec![], "")
}

/// A row: under the default rules, this command asks the questions of the script and ends so. An
/// end with `…` at its end is the beginning of one.
pub(super) fn row(name: &'static str, command: Command, script: Script, end: &'static str) -> Row {
    Row {
        name,
        command,
        rules: rules(),
        dry_run: false,
        retried: false,
        script,
        asks_whose: Vec::new(),
        end: end.to_owned(),
    }
}

impl Row {
    /// Next, the directory is asked this, or told to change this, and answers so.
    pub(super) fn asks(mut self, question: &'static str, answer: Answer) -> Self {
        self.script.push((question, answer));
        self
    }

    /// As [`Self::asks`], only to say whose a clash is: the command is refused already.
    pub(super) fn asks_whose(mut self, question: &'static str, answer: Answer) -> Self {
        self.asks_whose.push(self.script.len());
        self.asks(question, answer)
    }

    /// Next, the directory is asked these, and none of them finds a user.
    pub(super) fn in_vain(mut self, questions: &[&'static str]) -> Self {
        let nothing = |question: &&'static str| match question.starts_with("user ") {
            true => (*question, absent()),
            false => (*question, nobody()),
        };
        self.script.extend(questions.iter().map(nothing));
        self
    }

    /// Next, these questions with their answers.
    pub(super) fn follows(mut self, script: Script) -> Self {
        self.script.extend(script);
        self
    }

    /// Ends so; `…` at the end stands for more.
    pub(super) fn ends(mut self, end: impl Into<String>) -> Self {
        self.end = end.into();
        self
    }

    /// With a switch, or several, changed.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.rules.policy);
        self
    }

    /// Where `adopt` is set to this.
    pub(super) fn adopting(self, adopt: Adopt) -> Self {
        self.with(|policy| policy.adopt = adopt)
    }

    /// Where the `id` of a profile is another system's.
    pub(super) fn foreign_ids(self) -> Self {
        self.with(|policy| policy.profile_id = ProfileId::Foreign)
    }

    /// Against a directory that keeps to the RFC.
    pub(super) fn rfc(mut self) -> Self {
        self.rules.dialect = Dialect::Rfc7644;
        self
    }

    /// As a dry run.
    pub(super) fn dry(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// After an attempt that died and may have written.
    pub(super) fn retried(mut self) -> Self {
        self.retried = true;
        self
    }

    fn decide(&self, known: &Known) -> Next {
        self.command.prepare(&self.rules).decide(known)
    }
}

/// Walks every row.
pub(super) fn hold(rows: impl IntoIterator<Item = Row>) {
    for row in rows {
        let name = row.name;
        assert!(!row.end.is_empty(), "{name}: a row says how it ends");
        let mut known = Known {
            dry_run: row.dry_run,
            retried: row.retried,
            ..Known::default()
        };
        for (position, (question, answer)) in row.script.iter().enumerate() {
            assert_eq!(asked(&row.decide(&known)), *question, "{name}: question {position}");
            known.answers.push(failed(ErrorKind::Expired));
            let next = row.decide(&known);
            let Next::Finish(outcome) = &next else {
                panic!("{name}: went on after its time, at {position}, with {}", asked(&next))
            };
            let code = outcome.code();
            let is_refused = row.asks_whose.contains(&position);
            let expected = if is_refused { 409 } else { 504 };
            assert_eq!(code, Some(expected), "{name}: time over at {position}");
            known.answers.pop();
            known.answers.push(answer.clone());
        }
        let end = asked(&row.decide(&known));
        match row.end.strip_suffix('…') {
            Some(beginning) => assert!(end.starts_with(beginning), "{name}: {end}"),
            None => assert_eq!(end, row.end, "{name}"),
        }
    }
}

/// What comes of a command when these are the answers.
pub(super) fn outcome(command: &Command, rules: &Rules, answers: Vec<Answer>) -> Outcome {
    let known = Known {
        answers,
        ..Known::default()
    };
    match command.prepare(rules).decide(&known) {
        Next::Finish(outcome) => *outcome,
        next @ (Next::Read(_) | Next::Write(_)) => panic!("not at its end: {}", asked(&next)),
    }
}

/// Asks `answer` for the answer to every question, until the command ends: the questions, and what
/// came of them.
pub(super) fn drive(command: &Command, rules: &Rules, answer: impl Fn(&Next) -> Answer) -> (Vec<Next>, Outcome) {
    let mut known = Known::default();
    let mut questions = Vec::new();
    let mut prepared = command.prepare(rules);
    loop {
        match prepared.decide(&known) {
            Next::Finish(outcome) => return (questions, *outcome),
            next @ (Next::Read(_) | Next::Write(_)) => {
                known.answers.push(answer(&next));
                questions.push(next);
            }
        }
    }
}

/// What a command does first.
pub(super) fn first(command: &Command) -> Next {
    command.prepare(&rules()).decide(&Known::default())
}

/// How a user command ended.
pub(super) fn user_end(outcome: Outcome) -> UserEnd {
    match outcome {
        Outcome::User(outcome) => outcome.end,
        other @ (Outcome::Group(_) | Outcome::Tested(_) | Outcome::MappingFields(_)) => panic!("{other:?}"),
    }
}

/// How a group command ended.
pub(super) fn group_end(outcome: Outcome) -> GroupEnd {
    match outcome {
        Outcome::Group(outcome) => outcome.end,
        other @ (Outcome::User(_) | Outcome::Tested(_) | Outcome::MappingFields(_)) => panic!("{other:?}"),
    }
}

/// A command in its form on the wire.
pub(super) fn command(name: &str, arguments: Value) -> Command {
    serde_json::from_value(json!({"command": name, "arguments": arguments})).unwrap()
}

/// The default rules: all switches on, the built-in mapping, AWS.
pub(super) fn rules() -> Rules {
    Rules {
        policy: Policy::default(),
        mapper: Mapper::default(),
        dialect: Dialect::Aws,
    }
}
