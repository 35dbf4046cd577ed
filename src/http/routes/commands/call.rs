//! A call of a command: from what its header section says to the response.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use super::{
    super::operations::{OperationView, parse_not_before, store_of, unavailable},
    Read,
    audit_guard::AuditGuard,
    response::{answer, answer_again},
};
use crate::{
    commands::{self, Command},
    http::{
        arguments::{Arguments, RefusedArguments},
        body::BUSY_RETRY,
        idempotency::{key_of, tell},
        negotiate::{Handling, PREFER, PREFERENCE_APPLIED, Representation, prefers_async},
        principal::Principal,
        problem::Problem,
        query::CommandQuery,
        state::App,
    },
    operations::{AcceptError, Accepted, Answered, Operations, StoreError, Submission, SubmitError},
    outcome::{Cause, Failure},
    profile::UserProfile,
    service::{CommandObserver, Completed, Instance, Run, RunError, Turn},
};

/// How long a caller whose command is behind others is asked to wait.
const BEHIND_RETRY: Duration = Duration::from_secs(10);

/// What a call to any command says beside its arguments, and who makes it. All of it is checked
/// before anything of the body is kept: here a command is accepted, and nowhere later are rights
/// asked for again, unless the callers are replaced while its body arrives.
pub(super) struct Call {
    app: App,
    principal: Principal,
    /// The command's name.
    command: &'static str,
    instance: Arc<Instance>,
    is_named: bool,
    /// Whether the command changes a directory.
    writes: bool,
    dry_run: bool,
    /// Whether it is to be stored and answered at once.
    is_deferred: bool,
    not_before: Option<Timestamp>,
    purpose: Option<String>,
    /// The key under which it is done once.
    key: Option<String>,
    representation: Representation,
    handling: Handling,
}

impl FromRequestParts<App> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, app).await?;
        let (command, writes) = parts.extensions.get().and_then(named).ok_or_else(Problem::internal)?;
        principal.require_command(command, writes)?;
        let query = CommandQuery::parse(parts.uri.query())?;
        let texts = |name| {
            parts
                .headers
                .get_all(name)
                .iter()
                .filter_map(|value: &HeaderValue| value.to_str().ok())
        };
        let representation = Representation::choose(texts(header::ACCEPT));
        let handling = Handling::choose(texts(PREFER));
        let instance = app.service.instance(query.instance.as_deref()).cloned();
        let name = instance.as_ref().map(|instance| instance.name());
        principal.require_instance(name, query.instance.is_some())?;
        let instance = instance.ok_or_else(Problem::no_such_instance)?;
        // On what reads, or writes nothing, the preference has no meaning (RFC 7240 section 2).
        let is_deferred = writes && !query.dry_run && prefers_async(&parts.headers);
        // What writes nothing may be done as often as it is sent.
        let key = if writes && !query.dry_run {
            key_of(&parts.headers)?
        } else {
            None
        };
        if is_deferred || key.is_some() {
            store_of(app)?;
        }
        let not_before = not_before(&query, is_deferred)?;
        Ok(Self {
            app: app.clone(),
            principal,
            command,
            instance,
            is_named: query.instance.is_some(),
            writes,
            dry_run: query.dry_run,
            is_deferred,
            not_before,
            purpose: query.purpose,
            key,
            representation,
            handling,
        })
    }
}

impl Call {
    /// Asks once more where the callers were replaced while the body arrived.
    async fn reauthenticate(&mut self) -> Result<(), Problem> {
        self.principal.reauthenticate().await?;
        self.principal.require_command(self.command, self.writes)?;
        self.principal
            .require_instance(Some(self.instance.name()), self.is_named)
    }

    /// Has the command carried out, if its arguments could be read: by way of the store where it
    /// changes a directory and there is one.
    pub(super) async fn run<A, T>(mut self, arguments: Read<A>, command: fn(T) -> Command) -> Response
    where
        Arguments<T>: From<A>,
    {
        if let Err(problem) = self.reauthenticate().await {
            return problem.into_response();
        }
        let (command, reservation) = match arguments.map(Arguments::from) {
            Ok(Arguments { value, reservation }) => (command(value), reservation),
            Err(refused) => return self.refuse(refused),
        };
        let caller = self.principal.caller_name().map(str::to_owned);
        let accepted = AuditGuard {
            principal: self.principal.clone(),
            instance: Arc::clone(&self.instance),
            is_told: self.dry_run || !self.writes,
            has_begun: false,
            _reservation: reservation,
        };
        let operations = self.app.operations.clone().filter(|_| self.writes && !self.dry_run);
        let Some(operations) = operations else {
            return self.run_now(command, accepted).await;
        };
        let submission = Submission {
            instance: Arc::clone(&self.instance),
            command,
            caller,
            not_before: self.not_before,
            purpose: self.purpose.take(),
            key: self.key.clone(),
        };
        if self.is_deferred {
            self.defer(&operations, submission, accepted).await
        } else {
            self.run_stored(&operations, submission, accepted).await
        }
    }

    /// Runs the command, keeping its place until it has ended.
    async fn run_now(self, command: Command, accepted: impl CommandObserver) -> Response {
        let Ok(permit) = self.app.service.admit(&self.instance, Turn::Now).await else {
            return Problem::busy(BUSY_RETRY).into_response();
        };
        let run = Run::of(command, self.dry_run);
        match self.app.service.run(permit, run, accepted).await {
            Ok(completed) => answer(completed, &self.instance, self.representation, self.handling),
            // Subjects that are held in memory are behind nothing.
            Err(RunError::Behind(_)) => Problem::busy(BUSY_RETRY).into_response(),
            Err(RunError::Stopping) => Problem::shutting_down(self.app.stopping_retry).into_response(),
            Err(RunError::Broken) => Problem::internal().into_response(),
        }
    }

    /// Whether the command is carried out though the store can't keep it: never one that is to be
    /// done once, since the store knows whether it was.
    fn goes_on_without(&self, operations: &Operations, command: &Command) -> bool {
        self.key.is_none() && operations.goes_on_without(command)
    }

    /// Stores the command, and waits for its turn and its end.
    async fn run_stored(self, operations: &Arc<Operations>, submission: Submission, accepted: AuditGuard) -> Response {
        let command = submission.command.clone();
        let ran = operations.run(submission, accepted).await;
        match ran {
            Ok(answered) => self.answered(answered),
            Err(SubmitError::Store { observer, error }) if self.goes_on_without(operations, &command) => {
                self.run_without(operations, command, observer, &error).await
            }
            Err(SubmitError::Store { error, .. }) => unavailable(error).into_response(),
            Err(SubmitError::KeyInUse) => {
                let problem = Problem::key_in_use(BUSY_RETRY);
                let message = problem.detail().to_owned();
                self.conflicted(problem, message, command.user_profile().cloned())
            }
            Err(SubmitError::KeyReused) => self.refuse(RefusedArguments {
                problem: Problem::key_reused(),
                profile: command.user_profile().cloned(),
            }),
            Err(SubmitError::Behind { operation, stays }) => {
                let problem = Problem::behind_operation(&operation, stays, BEHIND_RETRY);
                let message = format!("{} (/operations/{operation})", problem.detail());
                self.conflicted(problem, message, command.user_profile().cloned())
            }
            Err(SubmitError::Stopping) => Problem::shutting_down(self.app.stopping_retry).into_response(),
            Err(SubmitError::Broken) => Problem::internal().into_response(),
        }
    }

    /// The answer to a caller that waited for its command.
    fn answered(self, answered: Answered) -> Response {
        let (mut response, key) = match answered {
            Answered::Now { completed, key } => {
                let response = answer(*completed, &self.instance, self.representation, self.handling);
                (response, key)
            }
            Answered::Before { status, envelope, key } => {
                let Ok(envelope) = serde_json::from_str(&envelope) else {
                    tracing::error!("an envelope that is kept can't be read");
                    return Problem::internal().into_response();
                };
                let kept = (status, envelope);
                let response = answer_again(self.command, &self.instance, kept, self.representation, self.handling);
                (response, Some(key))
            }
        };
        tell(&mut response, key);
        response
    }

    /// Stores the command and answers that it is accepted (RFC 9110 section 15.3.3). Where the
    /// store can't keep it, the preference is left unheeded (RFC 7240 section 2) by what goes on
    /// without, unless its time has not come.
    async fn defer(self, operations: &Arc<Operations>, submission: Submission, mut accepted: AuditGuard) -> Response {
        let command = submission.command.clone();
        match operations.accept(submission).await {
            Ok(Accepted { operation, key }) => {
                accepted.is_deferred(&operation.id, key.is_some_and(|key| key.is_repeated));
                let location = format!("/operations/{}", operation.id);
                let operation = OperationView::new(operation, Vec::new());
                let fields = [
                    (header::LOCATION, location),
                    (PREFERENCE_APPLIED, "respond-async".to_owned()),
                ];
                let mut response = (StatusCode::ACCEPTED, fields, Json(operation)).into_response();
                tell(&mut response, key);
                response
            }
            Err(AcceptError::Store(error))
                if self.not_before.is_none() && self.goes_on_without(operations, &command) =>
            {
                self.run_without(operations, command, Box::new(accepted), &error).await
            }
            Err(AcceptError::Store(error)) => unavailable(error).into_response(),
            Err(AcceptError::KeyReused) => self.refuse(RefusedArguments {
                problem: Problem::key_reused(),
                profile: command.user_profile().cloned(),
            }),
        }
    }

    /// Runs the command though the store can't keep it.
    async fn run_without(
        self,
        operations: &Arc<Operations>,
        command: Command,
        observer: Box<dyn CommandObserver>,
        error: &StoreError,
    ) -> Response {
        tracing::error!("a command is carried out though the store can't keep it: {error}");
        let observer = operations.without_store(&command, self.instance.name(), observer);
        self.run_now(command, observer).await
    }
}

/// The time before which nothing is to be done.
fn not_before(query: &CommandQuery, is_deferred: bool) -> Result<Option<Timestamp>, Problem> {
    for (name, is_given) in [
        ("notBefore", query.not_before.is_some()),
        ("purpose", query.purpose.is_some()),
    ] {
        if is_given && !is_deferred {
            let detail = "goes with `Prefer: respond-async` on a command that changes a directory";
            return Err(Problem::bad_parameter(name, detail));
        }
    }
    let refused = |detail| Problem::bad_parameter("notBefore", detail);
    query
        .not_before
        .as_deref()
        .map(|text| parse_not_before(text).map_err(refused))
        .transpose()
}

impl Call {
    /// Answers arguments that are refused: with a problem, or to a caller who throws away the body
    /// of anything but 200 with a failed envelope, for what the caller can mend.
    fn refuse(self, refused: RefusedArguments) -> Response {
        let RefusedArguments { problem, profile } = refused;
        let is_mendable = matches!(
            problem.problem_type().status(),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
        );
        if self.handling == Handling::Strict || !is_mendable {
            return problem.into_response();
        }
        let failure = Failure::new(Cause::Invalid, problem.detail());
        self.told_as_envelope(profile, failure)
            .unwrap_or_else(|| problem.into_response())
    }

    /// The failed envelope that stands for a problem; none for a command whose envelope can tell no
    /// failure.
    fn told_as_envelope(&self, profile: Option<UserProfile>, failure: Failure) -> Option<Response> {
        let outcome = commands::refused(self.command, profile, failure)?;
        let completed = Completed::without_a_run(self.command, outcome, self.dry_run);
        Some(answer(completed, &self.instance, self.representation, self.handling))
    }

    /// Answers a command that others came before, or its own first request.
    fn conflicted(&self, problem: Problem, message: String, profile: Option<UserProfile>) -> Response {
        let failure = Failure::new(Cause::Conflict, message);
        let envelope = match self.handling {
            Handling::Lenient => self.told_as_envelope(profile, failure),
            Handling::Strict => None,
        };
        envelope.unwrap_or_else(|| problem.into_response())
    }
}

/// The command of a route, and whether it changes a directory.
fn named(route: &MatchedPath) -> Option<(&'static str, bool)> {
    let name = route.as_str().strip_prefix("/commands/")?;
    commands::NAMES.into_iter().find(|(known, _)| *known == name)
}
