//! Doing what commands decide: the only place that knows both a command and the network.
//!
//! Every command runs in a task of its own. A caller who hangs up does not stop it between two
//! writes, and shutdown waits for it. When a command's time is over nothing more is sent; the
//! request in flight is awaited within its own timeout, and the answer says what was done.

mod instance;
mod observer;
mod subjects;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::{
    commands::Command,
    decide::{Known, Next, Reply, Step},
    envelope::{self, Envelope, Signature},
    outcome::Outcome,
    scim::{self, ErrorKind, Group, Headers, Request, RequestContext, ScimError, User, apply},
};

pub use instance::{Instance, InstanceOptions};
pub use observer::{CommandObserver, Record};

/// Questions that one command may ask, far beyond what any needs: a stop, should a decision not
/// come to an end.
const MAX_QUESTIONS: usize = 20_000;

/// All instances, and the tasks that run their commands.
#[derive(Debug)]
pub struct Service {
    instances: Vec<Arc<Instance>>,
    default: usize,
    tasks: TaskTracker,
}

/// A command that ran.
#[derive(Debug)]
pub struct CommandRun {
    /// The answer.
    pub told: Told,
    /// The HTTP status that belongs to it.
    pub status: u16,
    /// How long the caller should wait before trying again.
    pub retry_after: Option<Duration>,
    /// What to write down about it.
    pub record: Record,
}

/// The answer to a caller.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Told {
    /// The envelope of what was done.
    Envelope(Envelope),
    /// What a dry run found.
    DryRun {
        /// What it found.
        #[serde(rename = "dryRun")]
        dry_run: DryRun<Envelope>,
    },
}

/// What would be done, having read but not written.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DryRun<E> {
    /// The writes that would be sent, in order.
    pub requests: Vec<PlannedRequest>,
    /// The envelope that would come, the directory's answers assumed.
    pub envelope: E,
}

/// A write that would be sent.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PlannedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path below the instance's SCIM endpoint.
    pub path: String,
    /// The JSON body, null where there is none.
    #[schema(value_type = Option<Object>, required)]
    pub body: Option<Value>,
}

/// Why a command did not run, or did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// As many commands run on the instance already as may.
    #[error("as many commands run on the instance already as may")]
    Busy,
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The command's task panicked: a defect of ours.
    #[error("the command broke off")]
    Broken,
}

impl Service {
    /// A service of these instances, of which the one of this name serves requests that name none.
    pub fn new(instances: Vec<Instance>, default: &str) -> Self {
        let default = instances
            .iter()
            .position(|instance| instance.name() == default)
            .unwrap_or(0);
        Self {
            instances: instances.into_iter().map(Arc::new).collect(),
            default,
            tasks: TaskTracker::new(),
        }
    }

    /// All instances, in the order of the configuration.
    pub fn instances(&self) -> &[Arc<Instance>] {
        &self.instances
    }

    /// The instance of this name, letter case aside; the default one where none is named.
    pub fn instance(&self, name: Option<&str>) -> Option<&Arc<Instance>> {
        match name {
            None => self.instances.get(self.default),
            Some(name) => self
                .instances
                .iter()
                .find(|instance| instance.name().to_lowercase() == name.to_lowercase()),
        }
    }

    /// Runs a command to its end, whether or not the caller waits for it.
    ///
    /// The observer is kept until the command has ended: a caller who hangs up frees nothing
    /// before the work is done. It is told the end even so; where there is none (the command could
    /// not be started, broke off, or was cut off by the process's end) it is dropped.
    ///
    /// # Errors
    /// When it could not be started, or broke off.
    pub async fn run(
        &self,
        instance: Arc<Instance>,
        command: Command,
        dry_run: bool,
        mut observer: impl CommandObserver,
    ) -> Result<CommandRun, RunError> {
        if self.tasks.is_closed() {
            return Err(RunError::Stopping);
        }
        let place_here = Arc::clone(&instance.places)
            .try_acquire_owned()
            .map_err(|_| RunError::Busy)?;
        let task = async move {
            observer.on_start();
            let ran = run(&instance, &command, dry_run).await;
            observer.on_finish(&ran.record);
            drop(place_here);
            ran
        };
        let (answer, answered) = oneshot::channel();
        let task = async move {
            if let Err(CommandRun { record, .. }) = answer.send(task.await) {
                let Record {
                    command,
                    instance,
                    outcome,
                    upstream_calls,
                    dry_run,
                } = record;
                tracing::info!(
                    command,
                    instance,
                    outcome,
                    upstream_calls,
                    dry_run,
                    "a command ended after its caller had hung up"
                );
            }
        };
        self.tasks.spawn(task.in_current_span());
        answered.await.map_err(|_| RunError::Broken)
    }

    /// Takes no further commands, and waits until those that run have ended, `limit` at most. How
    /// many have not.
    pub async fn finish(&self, limit: Duration) -> usize {
        self.tasks.close();
        // What counts is who is left, not which of the two came first.
        let _ended = tokio::time::timeout(limit, self.tasks.wait()).await;
        self.tasks.len()
    }
}

/// One command, when nobody else is at work on its subject.
async fn run(instance: &Instance, command: &Command, dry_run: bool) -> CommandRun {
    let deadline = Instant::now() + instance.options.command_timeout;
    let mut journal = Journal::default();
    let keys = if dry_run {
        BTreeSet::new()
    } else {
        command.subject(&instance.options.rules)
    };
    // Waiting counts against the command's time; when that is over, deciding tells that nothing was
    // done.
    let held = tokio::time::timeout_at(deadline, instance.subjects.hold(keys)).await;
    let outcome = decide_and_perform(instance, command, deadline, dry_run, &mut journal).await;
    drop(held);
    told(instance, command, outcome, journal, dry_run)
}

/// The loop: decide, perform, add the answer, decide again.
async fn decide_and_perform(
    instance: &Instance,
    command: &Command,
    deadline: Instant,
    dry_run: bool,
    journal: &mut Journal,
) -> Outcome {
    let (sent, received) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let context = RequestContext {
        priority: command.priority(),
        deadline,
        sent: &sent,
        received: &received,
    };
    let mut known = Known {
        dry_run,
        ..Known::default()
    };
    loop {
        let next = command.decide(&instance.options.rules, &known);
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
                return *outcome;
            }
            Next::Read(_) | Next::Write(_) if let Some(why) = &late => Err(journal.unsent(why)),
            Next::Read(read) => instance.read(&read, context).await,
            Next::Write(step) if dry_run => {
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
            log(error);
        }
        known.answers.push(answer);
        // A rehearsal waits for nothing, and deciding about a hundred thousand members takes its
        // time: others come first in between.
        tokio::task::yield_now().await;
    }
}

/// What a command has done so far.
#[derive(Default)]
struct Journal {
    calls: usize,
    /// The writes that succeeded; in a dry run, those that would be sent.
    written: Vec<Request>,
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

fn told(instance: &Instance, command: &Command, outcome: Outcome, journal: Journal, dry_run: bool) -> CommandRun {
    let status = envelope::status(&outcome);
    let retry_after = envelope::retry_after(&outcome);
    let record = Record {
        command: command.name(),
        instance: instance.name().to_owned(),
        outcome: envelope::label(&outcome),
        upstream_calls: journal.calls,
        dry_run,
    };
    let signature = Signature {
        brand: &instance.options.brand,
        instance_name: instance.name(),
    };
    let envelope = Envelope::new(signature, command, outcome);
    let told = if dry_run {
        let planned = |request: Request| PlannedRequest {
            method: request.method.to_string(),
            path: request.path(),
            body: request.body,
        };
        let requests = journal.written.into_iter().map(planned).collect();
        Told::DryRun {
            dry_run: DryRun { requests, envelope },
        }
    } else {
        Told::Envelope(envelope)
    };
    CommandRun {
        told,
        status,
        retry_after,
        record,
    }
}

/// What the log keeps of a failed request. The directory's own words stay out: they may quote the
/// person.
fn log(error: &scim::ScimError) {
    let request_id = error.request_id.as_deref().unwrap_or("-");
    match error.kind {
        // Ordinary turns of a decision.
        ErrorKind::Absent | ErrorKind::Status(409) => {
            tracing::debug!(aws_request_id = request_id, "{}", error.summary())
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
        | ErrorKind::CircuitOpen => tracing::warn!(aws_request_id = request_id, "{}", error.summary()),
    }
}
