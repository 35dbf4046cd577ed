//! A call of a command: from what its header section says to the response.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{Read, audit_guard::AuditGuard, response::answer};
use crate::{
    commands::{self, Command},
    http::{
        arguments::{Arguments, RefusedArguments},
        body::BUSY_RETRY,
        negotiate::{Handling, PREFER, Representation},
        principal::Principal,
        problem::Problem,
        query::CommandQuery,
        state::App,
    },
    service::{Completed, Instance, Journal, RunError, Turn},
};

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
        Ok(Self {
            app: app.clone(),
            principal,
            command,
            instance,
            is_named: query.instance.is_some(),
            writes,
            dry_run: query.dry_run,
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

    /// Runs the command, if its arguments could be read, keeping its place until it has ended.
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
        let app = self.app;
        let accepted = AuditGuard {
            principal: self.principal,
            instance: Arc::clone(&self.instance),
            is_told: self.dry_run || !self.writes,
            has_begun: false,
            _reservation: reservation,
        };
        let Ok(permit) = app.service.admit(&self.instance, Turn::Now).await else {
            return Problem::busy(BUSY_RETRY).into_response();
        };
        match app.service.run(permit, command, self.dry_run, accepted).await {
            Ok(completed) => answer(completed, &self.instance, self.representation, self.handling),
            // Subjects that are held in memory are behind nothing.
            Err(RunError::Behind(_)) => Problem::busy(BUSY_RETRY).into_response(),
            Err(RunError::Stopping) => Problem::shutting_down(app.stopping_retry).into_response(),
            Err(RunError::Broken) => Problem::internal().into_response(),
        }
    }
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
        let Some(outcome) = commands::refused(self.command, profile, problem.detail()) else {
            return problem.into_response();
        };
        let journal = Journal {
            dry_run: self.dry_run,
            ..Journal::default()
        };
        let completed = Completed {
            command: self.command,
            outcome,
            journal,
        };
        answer(completed, &self.instance, self.representation, self.handling)
    }
}

/// The command of a route, and whether it changes a directory.
fn named(route: &MatchedPath) -> Option<(&'static str, bool)> {
    let name = route.as_str().strip_prefix("/commands/")?;
    commands::NAMES.into_iter().find(|(known, _)| *known == name)
}
