//! The commands' routes: arguments in, envelope out. Five lines a command, and its documentation.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::audit_guard::AuditGuard;
use crate::{
    commands::{
        self, Command, create_group, create_user, delete_group, disable_user, get_group, get_mapping_fields, get_user,
        test_module, update_group, update_user,
    },
    envelope::{
        self, CommandResponse, CreateGroupEnvelope, DeleteGroupEnvelope, DryRun, Envelope, GetGroupEnvelope,
        MappingFieldsEnvelope, PlannedRequest, Signature, TestModuleEnvelope, UpdateGroupEnvelope, UserEnvelope,
        to_markdown,
    },
    http::{
        arguments::{Arguments, OptionalArguments, RefusedArguments},
        body::BUSY_RETRY,
        negotiate::{Handling, PREFER, PREFERENCE_APPLIED, Representation},
        observe::AccessRecord,
        principal::Principal,
        problem::Problem,
        query::CommandQuery,
        state::App,
    },
    service::{Completed, Instance, Journal, RunError},
};

pub(in crate::http) const USERS: &str = "User commands";
pub(in crate::http) const GROUPS: &str = "Group commands";
pub(in crate::http) const INSTANCE: &str = "Instance commands";

/// Every command's route, one by one.
pub(super) fn routes() -> [OpenApiRouter<App>; 10] {
    [
        OpenApiRouter::new().routes(routes!(iam_create_user)),
        OpenApiRouter::new().routes(routes!(iam_update_user)),
        OpenApiRouter::new().routes(routes!(iam_get_user)),
        OpenApiRouter::new().routes(routes!(iam_disable_user)),
        OpenApiRouter::new().routes(routes!(iam_get_group)),
        OpenApiRouter::new().routes(routes!(iam_create_group)),
        OpenApiRouter::new().routes(routes!(iam_update_group)),
        OpenApiRouter::new().routes(routes!(iam_delete_group)),
        OpenApiRouter::new().routes(routes!(test_module)),
        OpenApiRouter::new().routes(routes!(get_mapping_fields)),
    ]
}

/// Creates a user
///
/// Posts the person as a new app user; a user that is there already is updated instead, and the
/// answer's `action` is then `update`. Skips when creating (or updating, for a user that is there)
/// is switched off. Fails with 400 when the profile lacks what the directory requires and no key
/// finds a user, and when the profile says `active: false` while `allow-enable` is true; with 409
/// when the user that was found may be another person's, and when the e-mail or the employee id is
/// another user's: the message says whose. An `id` that the directory does not know is passed over.
#[utoipa::path(post, path = "/commands/iam-create-user", tag = USERS, operation_id = "iam-create-user",
    request_body = create_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_create_user(call: Call, arguments: Read<Arguments<create_user::Args>>) -> Response {
    call.run(arguments, Command::CreateUser).await
}

/// Updates a user
///
/// Finds the app user by what was true before (`olduserdata`) and then by what is true now, and
/// sends what differs in one PATCH; an inactive user is enabled in it when `allow-enable` and the
/// instance's switch both say so: send `"allow-enable": false` with changes that must not enable a
/// leaver. No user found: creates one when the instance creates what is missing, else skips. Fails
/// with 409 when the user that was found may be another person's.
#[utoipa::path(post, path = "/commands/iam-update-user", tag = USERS, operation_id = "iam-update-user",
    request_body = update_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_update_user(call: Call, arguments: Read<Arguments<update_user::Args>>) -> Response {
    call.run(arguments, Command::UpdateUser).await
}

/// Retrieves a single user
///
/// Shows the app user as the directory has it (`details`) and as a profile by display names
/// (`UserProfile`). A user that no key finds is a failure, 404.
#[utoipa::path(post, path = "/commands/iam-get-user", tag = USERS, operation_id = "iam-get-user",
    request_body = get_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_get_user(call: Call, arguments: Read<Arguments<get_user::Args>>) -> Response {
    call.run(arguments, Command::GetUser).await
}

/// Disables an active user
///
/// Makes the app user inactive. Skips when disabling is switched off, when the user is inactive
/// already, and when no key finds a user (with `disable_absent = "fail"`: a failure, 404). Fails
/// with 409 when the user that was found may be another person's.
#[utoipa::path(post, path = "/commands/iam-disable-user", tag = USERS, operation_id = "iam-disable-user",
    request_body = disable_user::Args, responses((status = 200, description = "", body = UserEnvelope)))]
async fn iam_disable_user(call: Call, arguments: Read<Arguments<disable_user::Args>>) -> Response {
    call.run(arguments, Command::DisableUser).await
}

/// Retrieves a group and its members
///
/// By `id`, else by `displayName`. All members are read, page after page, unless `includeMembers`
/// is false.
#[utoipa::path(post, path = "/commands/iam-get-group", tag = GROUPS, operation_id = "iam-get-group",
    request_body = get_group::Args, responses((status = 200, description = "", body = GetGroupEnvelope)))]
async fn iam_get_group(call: Call, arguments: Read<Arguments<get_group::Args>>) -> Response {
    call.run(arguments, Command::GetGroup).await
}

/// Creates an empty group
///
/// Needs a `displayName`; an `externalId` is kept. A name or an externalId that another group has
/// is a failure, 409.
#[utoipa::path(post, path = "/commands/iam-create-group", tag = GROUPS, operation_id = "iam-create-group",
    request_body = create_group::Args, responses((status = 200, description = "", body = CreateGroupEnvelope)))]
async fn iam_create_group(call: Call, arguments: Read<Arguments<create_group::Args>>) -> Response {
    call.run(arguments, Command::CreateGroup).await
}

/// Updates a group's members, or its name
///
/// Takes any number of members and sends them in PATCHes of at most 100 changes, additions first.
/// When the directory refuses one member, the others are changed all the same, and `details` tells
/// each one's fate. Without members, `displayName` and `externalId` are replaced.
#[utoipa::path(post, path = "/commands/iam-update-group", tag = GROUPS, operation_id = "iam-update-group",
    request_body = update_group::Args, responses((status = 200, description = "", body = UpdateGroupEnvelope)))]
async fn iam_update_group(call: Call, arguments: Read<Arguments<update_group::Args>>) -> Response {
    call.run(arguments, Command::UpdateGroup).await
}

/// Permanently removes a group
///
/// By `id`. A group that is not there is a failure, 404.
#[utoipa::path(post, path = "/commands/iam-delete-group", tag = GROUPS, operation_id = "iam-delete-group",
    request_body = delete_group::Args, responses((status = 200, description = "", body = DeleteGroupEnvelope)))]
async fn iam_delete_group(call: Call, arguments: Read<Arguments<delete_group::Args>>) -> Response {
    call.run(arguments, Command::DeleteGroup).await
}

/// Tests an instance
///
/// Reads one user, and says what the answer proves: whether URL, tenant, token and rights are as
/// they should be.
#[utoipa::path(post, path = "/commands/test-module", tag = INSTANCE, operation_id = "test-module",
    request_body = test_module::Args, responses((status = 200, description = "", body = TestModuleEnvelope)))]
async fn test_module(call: Call, arguments: Read<OptionalArguments<test_module::Args>>) -> Response {
    call.run(arguments, Command::TestModule).await
}

/// Lists the fields a mapping can fill
///
/// Each attribute that the directory accepts, with its description. Makes no call.
#[utoipa::path(post, path = "/commands/get-mapping-fields", tag = INSTANCE, operation_id = "get-mapping-fields",
    request_body = get_mapping_fields::Args, responses((status = 200, description = "", body = MappingFieldsEnvelope)))]
async fn get_mapping_fields(call: Call, arguments: Read<OptionalArguments<get_mapping_fields::Args>>) -> Response {
    call.run(arguments, Command::GetMappingFields).await
}

/// Arguments that are read, or refused: a caller may want even that as an envelope.
type Read<A> = Result<A, RefusedArguments>;

/// What a call to any command says beside its arguments, and who makes it. All of it is checked
/// before anything of the body is kept: here a command is accepted, and nowhere later are rights
/// asked for again, unless the callers are replaced while its body arrives.
struct Call {
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
    async fn run<A, T>(mut self, arguments: Read<A>, command: fn(T) -> Command) -> Response
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
        let Some(permit) = app.admission.admit() else {
            return Problem::busy(BUSY_RETRY).into_response();
        };
        let accepted = AuditGuard {
            principal: self.principal,
            instance: Arc::clone(&self.instance),
            is_told: self.dry_run || !self.writes,
            has_begun: false,
            _permit: permit,
            _reservation: reservation,
        };
        match app
            .service
            .run(Arc::clone(&self.instance), command, self.dry_run, accepted)
            .await
        {
            Ok(completed) => answer(completed, &self.instance, self.representation, self.handling),
            Err(RunError::Busy) => Problem::busy(BUSY_RETRY).into_response(),
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

/// The response to a command that ran.
fn answer(completed: Completed, instance: &Instance, representation: Representation, handling: Handling) -> Response {
    let Completed {
        command,
        outcome,
        journal,
    } = completed;
    let access_record = AccessRecord {
        command: Some(command),
        instance: Some(instance.name().to_owned()),
        outcome: Some(outcome.label()),
        upstream_calls: Some(journal.calls as u64),
        dry_run: Some(journal.dry_run),
    };
    let status = envelope::status(&outcome);
    let lenient = handling == Handling::Lenient && status != 200;
    let status = if lenient { 200 } else { status };
    let retry_after = outcome.retry_after();
    let signature = Signature {
        brand: instance.brand(),
        instance_name: instance.name(),
    };
    let envelope = Envelope::new(signature, outcome);
    let mut response = if journal.dry_run {
        let requests = journal.written.into_iter().map(PlannedRequest::from).collect();
        body(
            CommandResponse::DryRun {
                dry_run: DryRun { requests, envelope },
            },
            representation,
        )
    } else {
        body(CommandResponse::Envelope(envelope), representation)
    };
    // The table of statuses has none that is not one.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if lenient {
        response
            .headers_mut()
            .insert(PREFERENCE_APPLIED, HeaderValue::from_static(Handling::LENIENT_APPLIED));
    }
    if let Some(wait) = retry_after {
        response.headers_mut().insert(
            header::RETRY_AFTER,
            HeaderValue::from(wait.as_millis().div_ceil(1000) as u64),
        );
    }
    response.extensions_mut().insert(access_record);
    response
}

fn body(response: CommandResponse, representation: Representation) -> Response {
    let text = match (representation, &response) {
        (Representation::Json, _) => return Json(&response).into_response(),
        (Representation::Markdown, CommandResponse::Envelope(envelope)) => to_markdown(envelope),
        (Representation::Markdown, CommandResponse::DryRun { dry_run }) => {
            let DryRun { requests, envelope } = dry_run;
            let line = |request: &PlannedRequest| format!("- {} {}\n", request.method, request.path);
            let requests: String = requests.iter().map(line).collect();
            format!("### Dry run\n{requests}\n{}", to_markdown(envelope))
        }
    };
    ([(header::CONTENT_TYPE, representation.content_type())], text).into_response()
}
