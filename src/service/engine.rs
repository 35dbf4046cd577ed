//! The loop of one command: decide, perform, add the answer, decide again.

use std::sync::atomic::AtomicUsize;

use tokio::time::Instant;

use super::{BehindError, Instance, SubjectClaim};
use crate::{
    commands::{Command, Prepared},
    decide::{Known, Next, Reply, Step},
    outcome::Outcome,
    scim::{self, ErrorKind, Group, Headers, Priority, Request, RequestContext, ScimError, User, apply},
};

/// Questions that one command may ask, far beyond what any needs: a stop, should a decision not
/// come to an end.
const MAX_QUESTIONS: usize = 20_000;

/// A command that ran to its end.
#[derive(Debug)]
pub struct Completed {
    /// The command's name.
    pub command: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// What it did.
    pub journal: Journal,
}

/// What a command did, or in a dry run would have done.
#[derive(Debug, Default)]
pub struct Journal {
    /// Requests that were sent to the directory.
    pub calls: usize,
    /// The writes that succeeded; in a dry run, those that would be sent.
    pub written: Vec<Request>,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The keys of the caller's document that do nothing; told in a dry run only.
    pub ignored: Vec<String>,
}

/// Runs a command while no other is at work on its subject. `on_start` is called once it may.
///
/// # Errors
/// When it has to come after another; then it was not started.
pub(super) async fn run(
    instance: &Instance,
    command: &Command,
    dry_run: bool,
    on_start: impl FnOnce(),
) -> Result<Completed, BehindError> {
    let deadline = Instant::now() + instance.options.command_timeout;
    let mut journal = Journal {
        dry_run,
        ..Journal::default()
    };
    let mut prepared = command.prepare(&instance.options.rules);
    let outcome = if dry_run {
        on_start();
        decide_and_perform(instance, &mut prepared, command.priority(), deadline, &mut journal).await
    } else {
        // Waiting counts against the command's time; when that is over, deciding tells that nothing
        // was done.
        let claim = SubjectClaim {
            instance: instance.name().to_owned(),
            names: prepared.subject(),
            priority: command.priority(),
        };
        let held = tokio::time::timeout_at(deadline, instance.subjects.hold(claim)).await;
        let held = held.ok().transpose()?;
        on_start();
        let outcome = decide_and_perform(instance, &mut prepared, command.priority(), deadline, &mut journal).await;
        drop(held);
        outcome
    };
    Ok(Completed {
        command: command.name(),
        outcome,
        journal,
    })
}

async fn decide_and_perform(
    instance: &Instance,
    prepared: &mut Prepared<'_>,
    priority: Priority,
    deadline: Instant,
    journal: &mut Journal,
) -> Outcome {
    let (sent, received) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let context = RequestContext {
        priority,
        deadline,
        sent: &sent,
        received: &received,
    };
    let mut known = Known {
        dry_run: journal.dry_run,
        ..Known::default()
    };
    loop {
        let next = prepared.decide(&known);
        let late = match known.answers.len() {
            MAX_QUESTIONS.. => Some("the command asked more than any should".to_owned()),
            _ if Instant::now() >= deadline => Some(format!(
                "the command's time ({:?}) was over",
                instance.options.command_timeout
            )),
            _ => None,
        };
        let answer = match next {
            Next::Finish(outcome) => {
                journal.calls = sent.into_inner();
                if journal.dry_run {
                    journal.ignored = prepared.ignored(&outcome);
                }
                return *outcome;
            }
            Next::Read(_) | Next::Write(_) if let Some(why) = &late => Err(journal.unsent(why)),
            Next::Read(read) => instance.read(&read, context).await,
            Next::Write(step) if known.dry_run => {
                journal.written.push(step.request());
                Ok(assumed(&step, &known))
            }
            Next::Write(step) => {
                let answer = instance.write(&step, context).await;
                if answer.is_ok() {
                    journal.written.push(step.request());
                }
                answer
            }
        };
        if let Err(error) = &answer {
            log(error, instance.name());
        }
        known.answers.push(answer);
        // A dry run waits for nothing, and deciding about a hundred thousand members takes its
        // time: other commands come first in between.
        tokio::task::yield_now().await;
    }
}

impl Journal {
    /// Stands for the answer to what is not sent any more.
    fn unsent(&self, why: &str) -> ScimError {
        // The 250 PATCHes of one group are said once.
        let mut written: Vec<(String, usize)> = Vec::new();
        for request in &self.written {
            let told = format!("{} {}", request.method, request.path());
            match written.last_mut() {
                Some((last, times)) if *last == told => *times += 1,
                Some(_) | None => written.push((told, 1)),
            }
        }
        let told = |(told, times): &(String, usize)| {
            if *times > 1 {
                format!("{told} ({times} times)")
            } else {
                told.clone()
            }
        };
        let written = match &written[..] {
            [] => "nothing".to_owned(),
            written => written.iter().map(told).collect::<Vec<_>>().join(", "),
        };
        ScimError::new(ErrorKind::Expired, format!("{why}; changed before: {written}"))
    }
}

/// The answer that a dry run assumes: the directory does as it is told.
fn assumed(step: &Step, known: &Known) -> Reply {
    match step {
        Step::CreateUser(attributes) => Reply::User(User::assumed(attributes.clone())),
        Step::CreateGroup(attributes) => Reply::Group(Group::assumed(attributes.clone())),
        Step::PatchGroup(..) | Step::DeleteGroup(_) => Reply::Headers(Headers::default()),
        Step::PatchUser(id, changes) => {
            let has_id = |user: &&User| user.id().as_ref() == Some(id);
            let found = known.answers.iter().rev().find_map(|answer| match answer {
                Ok(Reply::User(user)) => Some(user).filter(has_id),
                Ok(Reply::Users(users)) => users.resources.iter().find(has_id),
                Ok(Reply::NoBody | Reply::Members(_) | Reply::Group(_) | Reply::Groups(_) | Reply::Headers(_))
                | Err(_) => None,
            });
            found.map_or(Reply::NoBody, |user| Reply::User(apply(&changes.operations, user)))
        }
    }
}

/// What the log keeps of a failed request. The directory's own words stay out: they may quote the
/// person.
fn log(error: &scim::ScimError, instance: &str) {
    let request_id = error.request_id.as_deref().unwrap_or("-");
    match error.kind {
        // Ordinary turns of a decision.
        ErrorKind::Absent | ErrorKind::Status(409) => {
            tracing::debug!(instance, aws_request_id = request_id, "{}", error.summary())
        }
        ErrorKind::Connect
        | ErrorKind::Timeout
        | ErrorKind::Broken
        | ErrorKind::Throttled
        | ErrorKind::WrongUrl
        | ErrorKind::Status(_)
        | ErrorKind::Unreadable
        | ErrorKind::Expired
        | ErrorKind::Congested
        | ErrorKind::CircuitOpen => tracing::warn!(instance, aws_request_id = request_id, "{}", error.summary()),
    }
}
