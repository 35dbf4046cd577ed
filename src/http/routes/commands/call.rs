//! A call of a command: from what its header section says to the response.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{audit_guard::AuditGuard, response::answer};
use crate::{
    commands::{self, Command},
    http::{
        body::{BUSY_RETRY, BodyReservation},
        negotiate::{Handling, PREFER, Representation},
        principal::Principal,
        problem::Problem,
        query::CommandQuery,
        state::App,
    },
    service::{Instance, Run, RunError, Turn},
};

/// What a call to any command says beside its arguments, and who makes it. All of it is checked
/// before a byte of the body is read: here a command is accepted, and nowhere later are rights
/// asked for again, unless the callers are replaced while its body arrives.
pub(super) struct Call {
    app: App,
    principal: Principal,
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
        let representation = Representation::choose(texts(header::ACCEPT))?;
        let handling = Handling::choose(texts(PREFER));
        let instance = app.service.instance(query.instance.as_deref()).cloned();
        let name = instance.as_ref().map(|instance| instance.name());
        principal.require_instance(name, query.instance.is_some())?;
        let instance = instance.ok_or_else(Problem::no_such_instance)?;
        Ok(Self {
            app: app.clone(),
            principal,
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
    async fn reauthenticate(&mut self, command: &Command) -> Result<(), Problem> {
        self.principal.reauthenticate().await?;
        self.principal.require_command(command.name(), self.writes)?;
        self.principal
            .require_instance(Some(self.instance.name()), self.is_named)
    }

    /// Runs the command, keeping its place until it has ended.
    pub(super) async fn run(mut self, command: Command, reservation: BodyReservation) -> Response {
        if let Err(problem) = self.reauthenticate(&command).await {
            return problem.into_response();
        }
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
        let run = Run::of(command, self.dry_run);
        match app.service.run(permit, run, accepted).await {
            Ok(completed) => answer(completed, &self.instance, self.representation, self.handling),
            // Subjects that are held in memory are behind nothing.
            Err(RunError::Behind(_)) => Problem::busy(BUSY_RETRY).into_response(),
            Err(RunError::Stopping) => Problem::shutting_down(app.stopping_retry).into_response(),
            Err(RunError::Broken) => Problem::internal().into_response(),
        }
    }
}

/// The command of a route, and whether it changes a directory.
fn named(route: &MatchedPath) -> Option<(&'static str, bool)> {
    let name = route.as_str().strip_prefix("/commands/")?;
    commands::NAMES.into_iter().find(|(known, _)| *known == name)
}
