//! One configured directory, and asking it.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};

use super::{HoldSubjects, admission::Limit};
use crate::{
    commands::Rules,
    decide::{Answer, Read, Reply, Step},
    scim::{self, Client, ErrorKind, Filter, Member, Page, Priority, RequestContext, ScimError},
};

/// What an instance is made with, its client aside.
#[derive(Debug)]
pub struct InstanceOptions {
    /// Its name, by which callers pick it.
    pub name: String,
    /// The brand in its answers.
    pub brand: String,
    /// What it makes of commands.
    pub rules: Rules,
    /// The time after which a command sends nothing more.
    pub command_timeout: Duration,
    /// How many commands may run on it at once, so that a dead or slow directory does not take
    /// every place there is.
    pub max_commands: usize,
}

/// One configured directory, with all that its commands need.
#[derive(Debug)]
pub struct Instance {
    pub(super) options: InstanceOptions,
    client: Client,
    /// Set once the directory has answered as a SCIM service. Until then no absence is believed: at
    /// a wrong URL every user would be absent.
    endpoint: OnceCell<()>,
    pub(super) subjects: Arc<dyn HoldSubjects>,
    pub(super) limit: Limit,
}

impl Instance {
    /// An instance that has not spoken to its directory yet.
    pub fn new(options: InstanceOptions, client: Client, subjects: Arc<dyn HoldSubjects>) -> Self {
        let limit = Limit::new(options.max_commands);
        Self {
            options,
            client,
            endpoint: OnceCell::new(),
            subjects,
            limit,
        }
    }

    /// Its name, by which callers pick it.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The brand in its answers.
    pub fn brand(&self) -> &str {
        &self.options.brand
    }

    /// What it makes of commands.
    pub fn rules(&self) -> &Rules {
        &self.options.rules
    }

    /// The time after which a command sends nothing more.
    pub fn command_timeout(&self) -> Duration {
        self.options.command_timeout
    }

    /// How many commands may run on it at once.
    pub fn max_commands(&self) -> usize {
        self.options.max_commands
    }

    /// How its directory and our dealings with it are doing.
    pub fn status(&self) -> scim::Status {
        self.client.status()
    }

    /// Makes sure, once, that what answers at the URL is a SCIM service. Callers share one request.
    ///
    /// # Errors
    /// When it does not answer as one.
    pub async fn verify_endpoint(&self) -> Result<(), ScimError> {
        let (sent, received) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let deadline = Instant::now() + self.options.command_timeout;
        self.endpoint(RequestContext {
            priority: Priority::Read,
            deadline,
            sent: &sent,
            received: &received,
        })
        .await
    }

    async fn endpoint(&self, context: RequestContext<'_>) -> Result<(), ScimError> {
        let probe = async || {
            self.client
                .service_provider_config(context)
                .await
                .map_err(|error| match error.kind {
                    ErrorKind::Absent | ErrorKind::WrongUrl | ErrorKind::Unreadable => ScimError {
                        kind: ErrorKind::WrongUrl,
                        detail: "no SCIM service answers at the configured url; check url and tenant_id".to_owned(),
                        ..error
                    },
                    ErrorKind::Connect
                    | ErrorKind::Timeout
                    | ErrorKind::Broken
                    | ErrorKind::Throttled
                    | ErrorKind::Status(_)
                    | ErrorKind::Expired
                    | ErrorKind::Congested
                    | ErrorKind::CircuitOpen => error,
                })
        };
        // A command that waits for another's probe waits no longer than its own time.
        match tokio::time::timeout_at(context.deadline, self.endpoint.get_or_try_init(probe)).await {
            Ok(endpoint) => endpoint.copied(),
            Err(_) => Err(ScimError::new(
                ErrorKind::Expired,
                "the command's time was over before the directory had proven to be one",
            )),
        }
    }

    pub(super) async fn read(&self, read: &Read, context: RequestContext<'_>) -> Answer {
        let client = &self.client;
        let users = |filter, page| client.list_users(filter, page, context);
        let answer = match read {
            Read::UserById(id) => client.get_user(id, context).await.map(Reply::User),
            Read::UsersByName(name) => users(Some(Filter::equal("userName", name)), Page::Only)
                .await
                .map(Reply::Users),
            Read::UsersByExternalId(id) => users(Some(Filter::equal("externalId", id)), Page::Only)
                .await
                .map(Reply::Users),
            Read::Members(group, page) => {
                let page = users(Some(Filter::equal("groups.value", group.as_str())), page.clone()).await;
                page.map(|page| Reply::Members(page.map(|user| Member::of(&user))))
            }
            // The engine answers it: it is about operations, and no request.
            Read::NewerDisable(_) => return Ok(Reply::NewerDisable(None)),
            Read::Probe => users(None, Page::Probe(1)).await.map(Reply::Users),
            Read::GroupById(id) => client.get_group(id, context).await.map(Reply::Group),
            Read::GroupsByName(name) => client
                .list_groups(Filter::equal("displayName", name), context)
                .await
                .map(Reply::Groups),
        };
        self.confirm_absence(answer, context).await
    }

    pub(super) async fn write(&self, step: &Step, context: RequestContext<'_>) -> Answer {
        let client = &self.client;
        let answer = match step {
            Step::CreateUser(attributes) => client.create_user(attributes, context).await.map(Reply::User),
            Step::PatchUser(id, changes) => {
                let patched = client.patch_user(id, changes, context).await;
                patched.map(|user| user.map_or(Reply::NoBody, Reply::User))
            }
            Step::CreateGroup(attributes) => client.create_group(attributes, context).await.map(Reply::Group),
            Step::PatchGroup(id, changes) => client.patch_group(id, changes, context).await.map(Reply::Headers),
            Step::DeleteGroup(id) => client.delete_group(id, context).await.map(Reply::Headers),
        };
        self.confirm_absence(answer, context).await
    }

    /// Believes an absence only of a directory that has answered as a SCIM service.
    async fn confirm_absence(&self, answer: Answer, context: RequestContext<'_>) -> Answer {
        let absent = match &answer {
            Ok(Reply::Users(users)) => users.resources.is_empty(),
            Ok(Reply::Groups(groups)) => groups.resources.is_empty(),
            Ok(
                Reply::User(_)
                | Reply::NoBody
                | Reply::Members(_)
                | Reply::Group(_)
                | Reply::Headers(_)
                | Reply::NewerDisable(_),
            ) => false,
            Err(error) => error.kind == ErrorKind::Absent,
        };
        if absent {
            self.endpoint(context).await?;
        }
        answer
    }
}
