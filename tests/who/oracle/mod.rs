//! A slow reading of sections 2 to 4 of the commands' text, and of what in section 5 decides who is
//! touched.
//!
//! Written from the text alone, and never from the service: each function has the sentence it reads
//! above it. It sees the whole directory at once and asks nothing of speed or of calls, so it is as
//! plain as the text is. Where the text leaves two readings, `readings` says which one is taken and
//! why.

#![allow(
    clippy::result_large_err,
    reason = "an outcome ends the reading of a case; nothing here has to be quick"
)]

mod act;
mod keys;
mod look;
mod readings;
mod whose;

use crate::{
    case::{Case, Person},
    names,
};

use keys::Said;

/// What has to come of a case.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) end: End,
    /// How it may end as well, where the text does not say which of two comes first; nothing is
    /// written then.
    pub(crate) or: Option<End>,
    /// What stands in `reason` or `errorMessage`: one of these, where the text gives words.
    pub(crate) says: Vec<&'static str>,
    /// The users whom the message names, by id or userName.
    pub(crate) names: Vec<[String; 2]>,
    /// Who is shown as meant: in `id` on success, in `details` on the skip of someone who was
    /// found.
    pub(crate) meant: Meant,
    /// `action`, where the command succeeded: one of these.
    pub(crate) actions: &'static [&'static str],
    /// The directory afterwards. Someone new has an empty id.
    pub(crate) after: Vec<Person>,
    /// The only id that may be patched, even in vain.
    pub(crate) may_patch: Option<String>,
    /// Whether a POST may be tried, even in vain.
    pub(crate) may_post: bool,
    /// The rules that were met on the way.
    pub(crate) rules: Vec<&'static str>,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Done,
    Skipped,
    /// With this `errorCode`.
    Failed(u16),
}

/// Whom a command turned out to be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Nobody, or it does not matter: the command failed.
    Nobody,
    /// The user with this id.
    User(String),
    /// Someone whom the directory did not have.
    New,
}

/// Says what has to come of a case.
pub(crate) fn judge(case: &Case) -> Expected {
    let mut reader = Reader {
        case,
        people: &case.people,
        said: Said::default(),
        rules: Vec::new(),
    };
    let (Ok(outcome) | Err(outcome)) = reader.command();
    Expected {
        end: outcome.end,
        or: outcome.or,
        says: outcome.says,
        names: outcome.names,
        meant: outcome.meant,
        actions: outcome.actions,
        after: outcome.after.unwrap_or_else(|| case.people.clone()),
        may_patch: outcome.may_patch,
        may_post: outcome.may_post,
        rules: reader.rules,
    }
}

/// Reads the text with one case in hand.
struct Reader<'a> {
    case: &'a Case,
    people: &'a [Person],
    said: Said,
    rules: Vec<&'static str>,
}

impl Reader<'_> {
    /// Notes that a rule was met.
    fn met(&mut self, rule: &'static str) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }

    /// Notes that a rule was met, and fails by it.
    fn fails(&mut self, rule: &'static str, code: u16, says: &[&'static str]) -> Outcome {
        self.met(rule);
        Outcome {
            says: says.to_vec(),
            ..Outcome::of(End::Failed(code))
        }
    }

    /// Notes that a rule was met, and skips by it.
    fn skips(&mut self, rule: &'static str, reason: &'static str) -> Outcome {
        self.met(rule);
        Outcome {
            says: vec![reason],
            ..Outcome::of(End::Skipped)
        }
    }

    /// Whether a userName is that user's (section 2).
    fn is_name_of(&self, name: &str, place: usize) -> bool {
        names::are_equal(name, &self.people[place].user_name)
    }
}

/// How reading ended.
struct Outcome {
    end: End,
    or: Option<End>,
    says: Vec<&'static str>,
    names: Vec<[String; 2]>,
    meant: Meant,
    actions: &'static [&'static str],
    /// The directory where it is another than before.
    after: Option<Vec<Person>>,
    may_patch: Option<String>,
    may_post: bool,
}

impl Outcome {
    fn of(end: End) -> Self {
        Self {
            end,
            or: None,
            says: Vec::new(),
            names: Vec::new(),
            meant: Meant::Nobody,
            actions: &[],
            after: None,
            may_patch: None,
            may_post: false,
        }
    }

    /// The same, with a message that names these users.
    fn naming(self, people: &[&Person]) -> Self {
        let names = people
            .iter()
            .map(|person| [person.id.clone(), person.user_name.clone()])
            .collect();
        Self { names, ..self }
    }
}
