//! The loop of one command: decide, perform, add the answer, decide again.

use std::{
    collections::BTreeSet,
    fmt,
    pin::Pin,
    sync::{Arc, atomic::AtomicUsize},
};

use tokio::time::Instant;

use super::{BehindError, Held, Instance, SubjectClaim};
use crate::{
    commands::{self, Command, Prepared},
    decide::{Answer, Known, Next, Read, Reply, Step},
    outcome::Outcome,
    scim::{self, ErrorKind, Group, Headers, Id, Priority, Request, RequestContext, ScimError, User, apply},
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
    /// The user that it changed, held until this is dropped: what is to be remembered of a change
    /// is, before another command can come to that user.
    #[expect(dead_code, reason = "held for what its end does")]
    held: Option<Held>,
}

impl Completed {
    /// A command that came to this without having been run.
    pub fn without_a_run(command: &'static str, outcome: Outcome, dry_run: bool) -> Self {
        Self {
            command,
            outcome,
            journal: Journal {
                dry_run,
                ..Journal::default()
            },
            held: None,
        }
    }

    /// Whether a disable came to its end: the directory has answered that the user is disabled, or
    /// is not there.
    pub fn has_ended_access(&self) -> bool {
        !self.journal.dry_run && self.journal.calls > 0 && self.outcome.failure().is_none()
    }
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
    /// AWS's ids of the requests that it refused or failed, for its support.
    pub aws_request_ids: Vec<String>,
    /// The keys of the caller's document that do nothing; told in a dry run only.
    pub ignored: Vec<String>,
    /// Whether an answer to a write got lost, so that it may have been made.
    pub write_lost: bool,
}

/// What the service is asked to do.
#[derive(Debug)]
pub struct Run {
    /// The command.
    pub command: Command,
    /// Nothing is to be written.
    pub dry_run: bool,
    /// What is known of it as a stored operation, if it is one.
    pub stored: Option<StoredRun>,
}

impl Run {
    /// A command that is not stored.
    pub fn of(command: Command, dry_run: bool) -> Self {
        Self {
            command,
            dry_run,
            stored: None,
        }
    }
}

/// What a run of a stored operation has to know.
#[derive(Debug)]
pub struct StoredRun {
    /// An attempt before this one may have written.
    pub retried: bool,
    /// Says whom operations that were accepted later have disabled.
    pub newer_disables: Arc<dyn NewerDisables>,
}

/// Says whether a user was disabled by an operation that was accepted later than the one that asks.
pub trait NewerDisables: fmt::Debug + Send + Sync {
    /// The id of that operation, by the directory's id of the user.
    ///
    /// # Errors
    /// When it can't be known now; in words for the log.
    fn of_user(
        &self,
        directory_id: String,
    ) -> Pin<Box<dyn Future<Output = Result<Option<String>, String>> + Send + '_>>;
}

/// Runs a command while no other is at work on its subject. `on_start` is called once it may.
///
/// # Errors
/// When it has to come after another; then it was not started.
pub(super) async fn run(instance: &Instance, run: &Run, on_start: impl FnOnce()) -> Result<Completed, BehindError> {
    let command = &run.command;
    let mut prepared = command.prepare(&instance.options.rules);
    let mut engine = Engine {
        instance,
        stored: run.stored.as_ref(),
        priority: command.priority(),
        deadline: Instant::now() + instance.options.command_timeout,
        names: prepared.subject(),
        held: None,
        journal: Journal {
            dry_run: run.dry_run,
            ..Journal::default()
        },
    };
    // A dry run waits for nothing.
    let held = if run.dry_run {
        None
    } else {
        // Waiting counts against the command's time; when that is over, deciding tells that nothing
        // was done.
        let hold = engine.hold(engine.names.clone());
        tokio::time::timeout_at(engine.deadline, hold).await.ok().transpose()?
    };
    on_start();
    let outcome = engine.decide_and_perform(&mut prepared).await;
    drop(held);
    Ok(Completed {
        command: command.name(),
        outcome,
        journal: engine.journal,
        held: engine.held,
    })
}

/// One command at work.
struct Engine<'a> {
    instance: &'a Instance,
    stored: Option<&'a StoredRun>,
    priority: Priority,
    deadline: Instant,
    /// The names that the command knows its subject by.
    names: BTreeSet<String>,
    /// The user that was found, where the names did not say it.
    held: Option<Held>,
    journal: Journal,
}

impl Engine<'_> {
    async fn decide_and_perform(&mut self, prepared: &mut Prepared<'_>) -> Outcome {
        let (sent, received) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let context = RequestContext {
            priority: self.priority,
            deadline: self.deadline,
            sent: &sent,
            received: &received,
        };
        let mut known = Known {
            dry_run: self.journal.dry_run,
            retried: self.stored.is_some_and(|stored| stored.retried),
            is_stored: self.stored.is_some(),
            ..Known::default()
        };
        loop {
            let next = prepared.decide(&known);
            let late = self.late(&known);
            let answer = match next {
                Next::Finish(outcome) => {
                    self.journal.calls = sent.into_inner();
                    if self.journal.dry_run {
                        self.journal.ignored = prepared.ignored(&outcome);
                    }
                    return *outcome;
                }
                Next::Read(_) | Next::Write(_) if let Some(why) = &late => Err(self.journal.unsent(why)),
                Next::Read(Read::NewerDisable(id)) => self.newer_disable(&id).await,
                Next::Read(read) => self.instance.read(&read, context).await,
                Next::Write(step) if known.dry_run => {
                    self.journal.written.push(step.request());
                    Ok(assumed(&step, &known))
                }
                Next::Write(step) => self.write(&step, context).await,
            };
            if let Err(error) = &answer {
                log(error, self.instance.name());
                self.journal.aws_request_ids.extend(error.request_id.clone());
            }
            known.answers.push(answer);
            // A dry run waits for nothing, and deciding about a hundred thousand members takes its
            // time: other commands come first in between.
            tokio::task::yield_now().await;
        }
    }

    /// Why nothing more is sent, if that is so.
    fn late(&self, known: &Known) -> Option<String> {
        match known.answers.len() {
            MAX_QUESTIONS.. => Some("the command asked more than any should".to_owned()),
            _ if Instant::now() >= self.deadline => Some(format!(
                "the command's time ({:?}) was over",
                self.instance.options.command_timeout
            )),
            _ => None,
        }
    }

    async fn write(&mut self, step: &Step, context: RequestContext<'_>) -> Answer {
        if let (Step::PatchUser(id, _), Some(_)) = (step, self.stored) {
            self.hold_user(id).await?;
        }
        let answer = self.instance.write(step, context).await;
        match &answer {
            Ok(_) => self.journal.written.push(step.request()),
            Err(error) => self.journal.write_lost |= error.is_answer_lost(),
        }
        answer
    }

    /// Asks whom newer operations have disabled, while none can come to this user.
    async fn newer_disable(&mut self, id: &Id) -> Answer {
        let Some(stored) = self.stored else {
            return Ok(Reply::NewerDisable(None));
        };
        self.hold_user(id).await?;
        let disable = stored.newer_disables.of_user(id.to_string()).await;
        disable
            .map(Reply::NewerDisable)
            .map_err(|error| ScimError::new(ErrorKind::Congested, error))
    }

    /// Holds the user that was found, which another command may know by other names.
    async fn hold_user(&mut self, id: &Id) -> Result<(), ScimError> {
        let names = commands::names_of_user(Some(id.as_str()), None, None);
        if self.journal.dry_run || self.held.is_some() || names.is_subset(&self.names) {
            return Ok(());
        }
        let hold = tokio::time::timeout_at(self.deadline, self.hold(names)).await;
        let expired = |_| {
            ScimError::new(
                ErrorKind::Expired,
                self.journal.unsent("the command's time was over").detail,
            )
        };
        let behind = |error: BehindError| ScimError::new(ErrorKind::Congested, error.to_string());
        self.held = Some(hold.map_err(expired)?.map_err(behind)?);
        Ok(())
    }

    async fn hold(&self, names: BTreeSet<String>) -> Result<Held, BehindError> {
        let claim = SubjectClaim {
            instance: self.instance.name().to_owned(),
            names,
            priority: self.priority,
        };
        self.instance.subjects.hold(claim).await
    }
}

impl Journal {
    /// Whether the directory may be another than before.
    pub fn may_have_written(&self) -> bool {
        !self.dry_run && (self.write_lost || !self.written.is_empty())
    }

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
                Ok(
                    Reply::NoBody
                    | Reply::Members(_)
                    | Reply::Group(_)
                    | Reply::Groups(_)
                    | Reply::Headers(_)
                    | Reply::NewerDisable(_),
                )
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
