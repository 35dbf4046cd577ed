//! Doing what commands decide: the only place that knows both a command and the network.
//!
//! Every command runs in a task of its own. A caller who hangs up does not stop it between two writes, and shutdown waits for it.
//! When a command's time is over nothing more is sent; the request in flight is awaited within its own timeout, and the
//! answer says what was done.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::{sync::OnceCell, time::Instant};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::{
    commands::{Command, Rules},
    decide::{Answer, Known, Next, Read, Reply, Step},
    envelope::{self, Envelope, Signature},
    outcome::Outcome,
    scim::{self, Client, Error, ErrorKind, Filter, Group, Headers, Page, Request, User, apply},
};

/// Requests to a directory that one command may make, far beyond what any needs: a stop, should a decision not come to an end.
const MAX_CALLS: usize = 20_000;

/// One configured directory, with all that its commands need.
#[derive(Debug)]
pub struct Instance {
    /// Its name, by which callers pick it.
    pub name: String,
    /// The brand in its answers.
    pub brand: String,
    /// What it makes of commands.
    pub rules: Rules,
    client: Client,
    command_timeout: Duration,
    /// Set once the directory has answered as a SCIM service. Until then nobody is believed to be absent: at a wrong URL
    /// everybody would be.
    proven: OnceCell<()>,
    observed: Mutex<Observed>,
}

/// How an instance's directory was doing when it was last spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Observed {
    /// Not spoken to since start.
    #[default]
    Unknown,
    /// It answered.
    Ok,
    /// It could not be reached, refused the token, or failed. A sentence without secrets and personal data.
    Degraded(String),
}

/// All instances, and the tasks that run their commands.
#[derive(Debug)]
pub struct Service {
    instances: Vec<Arc<Instance>>,
    default: usize,
    tasks: TaskTracker,
}

/// A command that ran.
#[derive(Debug)]
pub struct Ran {
    /// The answer.
    pub told: Told,
    /// The HTTP status that belongs to it.
    pub status: u16,
    /// How long the caller should wait before trying again.
    pub retry_after: Option<Duration>,
    /// What to write down about it.
    pub record: Record,
}

/// What an access log says of a command: no personal data.
#[derive(Clone, Debug)]
pub struct Record {
    /// The command's name.
    pub command: &'static str,
    /// The instance's name.
    pub instance: String,
    /// `done`, `skipped` or `failed`.
    pub outcome: &'static str,
    /// Requests made to the directory.
    pub upstream_calls: usize,
    /// Whether nothing was to be written.
    pub dry_run: bool,
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
    pub method: &'static str,
    /// The path below the instance's SCIM endpoint.
    pub path: String,
    /// The JSON body, null where there is none.
    #[schema(value_type = Option<Object>, required)]
    pub body: Option<Value>,
}

/// Why a command did not run, or did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The command's task panicked: a defect of ours.
    #[error("the command broke off")]
    Broken,
}

impl Instance {
    /// An instance that has not spoken to its directory yet. `command_timeout` is the time after which a command sends nothing more.
    pub fn new(name: String, brand: String, rules: Rules, client: Client, command_timeout: Duration) -> Self {
        let (proven, observed) = (OnceCell::new(), Mutex::default());
        Self {
            name,
            brand,
            rules,
            client,
            command_timeout,
            proven,
            observed,
        }
    }

    /// How its directory was doing when last spoken to.
    pub fn observed(&self) -> Observed {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes sure, once, that what answers at the URL is a SCIM service. Callers share one request.
    ///
    /// # Errors
    /// When it does not answer as one.
    pub async fn prove(&self) -> Result<(), Error> {
        let probe = async || {
            let answer = self.client.service_provider_config().await;
            self.observe(answer.as_ref().err());
            answer.map_err(|error| match error.kind {
                ErrorKind::Absent | ErrorKind::WrongUrl | ErrorKind::Unreadable => Error {
                    kind: ErrorKind::WrongUrl,
                    detail: "no SCIM service answers at the configured url; check url and tenant_id".to_owned(),
                    ..error
                },
                ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Broken
                | ErrorKind::Throttled
                | ErrorKind::Status(_)
                | ErrorKind::Expired => error,
            })
        };
        self.proven.get_or_try_init(probe).await.copied()
    }

    async fn read(&self, read: &Read) -> Answer {
        let client = &self.client;
        let answer = match read {
            Read::UserById(id) => client.get_user(id).await.map(Reply::User),
            Read::UsersByName(name) => client
                .list_users(Some(Filter::equal("userName", name)), Page::Only)
                .await
                .map(Reply::Users),
            Read::GroupById(id) => client.get_group(id).await.map(Reply::Group),
            Read::GroupsByName(name) => client
                .list_groups(Filter::equal("displayName", name))
                .await
                .map(Reply::Groups),
            Read::Members(group, page) => {
                let members = Filter::equal("groups.value", group.as_str());
                client.list_users(Some(members), page.clone()).await.map(Reply::Users)
            }
            Read::Sample => client.list_users(None, Page::Sample(1)).await.map(Reply::Users),
        };
        self.believed(answer).await
    }

    async fn write(&self, step: &Step) -> Answer {
        let client = &self.client;
        let answer = match step {
            Step::CreateUser(attributes) => client.create_user(attributes).await.map(Reply::User),
            Step::PatchUser(id, changes) => client
                .patch_user(id, changes)
                .await
                .map(|user| user.map_or(Reply::Unseen, Reply::User)),
            Step::CreateGroup(attributes) => client.create_group(attributes).await.map(Reply::Group),
            Step::PatchGroup(id, changes) => client.patch_group(id, changes).await.map(Reply::Headers),
            Step::DeleteGroup(id) => client.delete_group(id).await.map(Reply::Headers),
        };
        self.believed(answer).await
    }

    /// An answer that says somebody is absent is believed only of a directory that has proven to be one.
    async fn believed(&self, answer: Answer) -> Answer {
        self.observe(answer.as_ref().err());
        let absent = match &answer {
            Ok(Reply::Users(users)) => users.resources.is_empty(),
            Ok(Reply::Groups(groups)) => groups.resources.is_empty(),
            Ok(Reply::User(_) | Reply::Unseen | Reply::Group(_) | Reply::Headers(_)) => false,
            Err(error) => error.kind == ErrorKind::Absent,
        };
        if absent {
            self.prove().await?;
        }
        answer
    }

    fn observe(&self, error: Option<&Error>) {
        let degraded = error.filter(|error| match error.kind {
            ErrorKind::Absent | ErrorKind::Throttled | ErrorKind::Expired => false,
            ErrorKind::Status(status) => matches!(status, 401 | 403 | 500..),
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Broken
            | ErrorKind::WrongUrl
            | ErrorKind::Unreadable => true,
        });
        let now = degraded.map_or(Observed::Ok, |error| Observed::Degraded(summary(error)));
        *self.observed.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Service {
    /// A service of these instances, of which the one of this name serves requests that name none.
    pub fn new(instances: Vec<Instance>, default: &str) -> Self {
        let default = instances
            .iter()
            .position(|instance| instance.name == default)
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
                .find(|instance| instance.name.to_lowercase() == name.to_lowercase()),
        }
    }

    /// Runs a command to its end, whether or not the caller waits for it.
    ///
    /// `place`, whatever it is, is kept until the command has ended: a caller who hangs up frees nothing before the work is done.
    ///
    /// # Errors
    /// When it could not be started, or broke off.
    pub async fn run<P: Send + 'static>(
        &self,
        instance: Arc<Instance>,
        command: Command,
        dry_run: bool,
        place: P,
    ) -> Result<Ran, Refused> {
        if self.tasks.is_closed() {
            return Err(Refused::Stopping);
        }
        let task = async move {
            let ran = run(&instance, &command, dry_run).await;
            drop(place);
            ran
        };
        let task = self.tasks.spawn(task.in_current_span());
        task.await.map_err(|_| Refused::Broken)
    }

    /// Takes no further commands, and waits until those that run have ended, `limit` at most. True if all have.
    pub async fn finish(&self, limit: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}

/// The loop: decide, perform, add the answer, decide again.
async fn run(instance: &Instance, command: &Command, dry_run: bool) -> Ran {
    let deadline = Instant::now() + instance.command_timeout;
    let mut known = Known {
        dry_run,
        ..Known::default()
    };
    let mut journal = Journal::default();
    let outcome = loop {
        let next = command.decide(&instance.rules, &known);
        let late = Instant::now() >= deadline || journal.calls >= MAX_CALLS;
        let answer = match next {
            Next::Finish(outcome) => break *outcome,
            Next::Read(_) | Next::Write(_) if late => Err(journal.expired(instance.command_timeout)),
            Next::Read(read) => {
                journal.calls += 1;
                instance.read(&read).await
            }
            Next::Write(step) if dry_run => {
                journal.written.push(step.request());
                Ok(assumed(&step, &known))
            }
            Next::Write(step) => {
                journal.calls += 1;
                let answer = instance.write(&step).await;
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
    };
    told(instance, command, outcome, journal, dry_run)
}

/// What a command has done so far.
#[derive(Default)]
struct Journal {
    calls: usize,
    /// The writes that succeeded; in a dry run, those that would be sent.
    written: Vec<Request>,
}

impl Journal {
    fn expired(&self, timeout: Duration) -> Error {
        let done: Vec<_> = self
            .written
            .iter()
            .map(|request| format!("{} {}", request.method, request.path()))
            .collect();
        let done = if done.is_empty() {
            "nothing".to_owned()
        } else {
            done.join(", ")
        };
        Error::new(
            ErrorKind::Expired,
            format!("the command's time ({timeout:?}) was over; changed before: {done}"),
        )
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
                Ok(Reply::Unseen | Reply::Group(_) | Reply::Groups(_) | Reply::Headers(_)) | Err(_) => None,
            });
            found.map_or(Reply::Unseen, |user| Reply::User(apply(&changes.operations, user)))
        }
    }
}

fn told(instance: &Instance, command: &Command, outcome: Outcome, journal: Journal, dry_run: bool) -> Ran {
    let status = envelope::status(&outcome);
    let retry_after = envelope::retry_after(&outcome);
    let record = Record {
        command: command.name(),
        instance: instance.name.clone(),
        outcome: envelope::label(&outcome),
        upstream_calls: journal.calls,
        dry_run,
    };
    let signature = Signature {
        brand: &instance.brand,
        instance_name: &instance.name,
    };
    let envelope = Envelope::new(signature, command, outcome);
    let told = if dry_run {
        let planned = |request: Request| PlannedRequest {
            method: request.method,
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
    Ran {
        told,
        status,
        retry_after,
        record,
    }
}

/// An error in our own words: the directory's may quote a person.
fn summary(error: &Error) -> String {
    let what = match error.kind {
        ErrorKind::Connect => "no connection to the directory".to_owned(),
        ErrorKind::Timeout => "the directory did not answer in time".to_owned(),
        ErrorKind::Broken => "the connection to the directory broke".to_owned(),
        ErrorKind::WrongUrl => "no SCIM service answers at the url".to_owned(),
        ErrorKind::Unreadable => "the directory's answer could not be read".to_owned(),
        ErrorKind::Status(status @ (401 | 403)) => format!("the directory refused the token ({status})"),
        ErrorKind::Status(_) | ErrorKind::Throttled | ErrorKind::Absent | ErrorKind::Expired => {
            format!("the directory failed ({})", error.status().unwrap_or_default())
        }
    };
    error
        .request_id
        .as_ref()
        .map_or(what.clone(), |id| format!("{what} (AWS request id {id})"))
}

/// What the log keeps of a failed request. The directory's own words stay out: they may quote the person.
fn log(error: &scim::Error) {
    let request_id = error.request_id.as_deref().unwrap_or("-");
    match error.kind {
        ErrorKind::Absent => tracing::debug!(aws_request_id = request_id, "not there"),
        kind => tracing::warn!(?kind, aws_request_id = request_id, "a request to the directory failed"),
    }
}
