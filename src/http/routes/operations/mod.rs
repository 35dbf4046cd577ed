//! Stored commands: seeing them, waiting for them, and mending what failed.

mod changes;
mod query;
mod selection;
mod view;

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use selection::{ConfirmedChange, ConfirmedMove, OperationsChanged};
pub use view::{AttemptView, DueDateView, OperationList, OperationView};

pub(super) use query::ListQuery;
pub(super) use view::written;

use self::query::{LIST, time, timeout};
use crate::{
    auth::OperationRight,
    http::{arguments::Arguments, principal::Principal, problem::Problem, state::App},
    operations::{self, Attempt, Operation, Operations, StoreError},
};

pub(in crate::http) const OPERATIONS: &str = "Operations";

/// The furthest ahead that an operation may be put off.
const TEN_YEARS: i64 = 3_653 * 24;

/// The operations' routes.
pub(super) fn routes() -> [OpenApiRouter<App>; 10] {
    [
        OpenApiRouter::new().routes(routes!(list)),
        OpenApiRouter::new().routes(routes!(show)),
        OpenApiRouter::new().routes(routes!(wait)),
        OpenApiRouter::new().routes(routes!(changes::retry)),
        OpenApiRouter::new().routes(routes!(changes::release)),
        OpenApiRouter::new().routes(routes!(changes::cancel)),
        OpenApiRouter::new().routes(routes!(reschedule)),
        OpenApiRouter::new().routes(routes!(selection::retry_many)),
        OpenApiRouter::new().routes(routes!(selection::cancel_many)),
        OpenApiRouter::new().routes(routes!(selection::move_many)),
    ]
}

/// Lists operations
///
/// The newest first, those that the caller may see: its own, and with `operations = "read"` those
/// of others on its instances.
#[utoipa::path(get, path = "/operations", tag = OPERATIONS, operation_id = "operations",
    params(
        ("limit" = Option<u32>, Query, description = "How many, 500 at most; 50 by default."),
        ("cursor" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses((status = 200, description = "A page of operations.", body = OperationList)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Json<OperationList>, Problem> {
    let operations = store_of(&app)?;
    let ListQuery {
        mut filter,
        cursor,
        limit,
    } = ListQuery::parse(query.as_deref(), &LIST)?;
    if principal.identity().rights().operations < OperationRight::Read {
        let own = principal.caller_name().map(str::to_owned);
        if filter.caller.is_some() && filter.caller != own {
            return Ok(Json(OperationList::new(Vec::new(), None)));
        }
        filter.caller = own;
    }
    let page = operations.list(filter, cursor, limit).await.map_err(unavailable)?;
    let shown = page
        .operations
        .into_iter()
        .filter(|operation| may_see(&principal, operation));
    let shown = shown.map(|operation| OperationView::new(operation, Vec::new()));
    Ok(Json(OperationList::new(shown.collect(), page.next)))
}

/// Shows an operation
///
/// With each of its attempts. One that the caller may not see is answered like one that is not
/// there.
#[utoipa::path(get, path = "/operations/{id}", tag = OPERATIONS, operation_id = "operation",
    params(("id" = String, Path, description = "The operation's id.")),
    responses((status = 200, description = "The operation.", body = OperationView)))]
async fn show(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OperationView>, Problem> {
    let (operation, attempts) = visible(&app, &principal, &path(id)?).await?;
    Ok(Json(OperationView::new(operation, attempts)))
}

/// Waits for an operation
///
/// Answers once it has ended, or when the time is over; `state` says which.
#[utoipa::path(get, path = "/operations/{id}/wait", tag = OPERATIONS, operation_id = "operation-wait",
    params(
        ("id" = String, Path, description = "The operation's id."),
        ("timeout" = Option<u32>, Query, description = "Seconds to wait, 60 at most and by default."),
    ),
    responses((status = 200, description = "The operation as it is then.", body = OperationView)))]
async fn wait(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<OperationView>, Problem> {
    let id = path(id)?;
    let timeout = timeout(query.as_deref())?;
    visible(&app, &principal, &id).await?;
    store_of(&app)?.wait(&id, timeout).await.map_err(unavailable)?;
    let (operation, attempts) = visible(&app, &principal, &id).await?;
    Ok(Json(OperationView::new(operation, attempts)))
}

/// When an operation is to be carried out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OperationTime)]
pub struct OperationTime {
    /// A time with its offset (RFC 3339), ten years ahead at most.
    #[schema(format = "date-time", example = "2026-01-31T17:00:00+11:00")]
    not_before: String,
}

/// Moves an operation
///
/// One that has not begun, to another time.
#[utoipa::path(patch, path = "/operations/{id}", tag = OPERATIONS, operation_id = "operation-move",
    params(("id" = String, Path, description = "The operation's id.")), request_body = OperationTime,
    responses((status = 200, description = "The operation at its new time.", body = OperationView)))]
async fn reschedule(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
    arguments: Arguments<OperationTime>,
) -> Result<Json<OperationView>, Problem> {
    let id = path(id)?;
    let not_before =
        parse_not_before(&arguments.value.not_before).map_err(|detail| Problem::bad_argument("/notBefore", detail))?;
    let (operation, _) = changeable(&app, &principal, &id).await?;
    let has_begun = !operation.is_movable();
    let state = store_of(&app)?.reschedule(&id, not_before).await.map_err(unavailable)?;
    changed(
        &app,
        &principal,
        &id,
        state,
        |_| !has_begun,
        "has begun and can't be moved",
    )
    .await
}

/// Reads a time before which nothing is to be done.
///
/// # Errors
/// What would be right, where it is none.
pub(super) fn parse_not_before(text: &str) -> Result<jiff::Timestamp, &'static str> {
    let Some(time) = time(text) else {
        return Err("a time with its offset is needed, like \"2026-01-31T17:00:00+11:00\"");
    };
    let latest = jiff::Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(TEN_YEARS));
    if time < jiff::Timestamp::UNIX_EPOCH || latest.is_ok_and(|latest| time > latest) {
        return Err("a time is at most ten years ahead, and not before 1970");
    }
    Ok(time)
}

/// The operations, or the problem that there is no store.
pub(super) fn store_of(app: &App) -> Result<&Arc<Operations>, Problem> {
    app.operations.as_ref().ok_or_else(Problem::no_store)
}

/// The problem of a store that does not answer.
pub(super) fn unavailable(error: StoreError) -> Problem {
    tracing::error!("the store does not do what it was asked: {error}");
    Problem::store_unavailable()
}

fn path(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    id.map(|Path(id)| id).map_err(|_| Problem::no_such_operation())
}

/// Whether the caller may see an operation, and know that it is there.
fn may_see(principal: &Principal, operation: &Operation) -> bool {
    let is_own = operation.caller.as_deref() == principal.caller_name();
    let may_read = principal.identity().rights().operations >= OperationRight::Read;
    is_own || may_read && principal.can_see(&operation.instance)
}

async fn visible(app: &App, principal: &Principal, id: &str) -> Result<(Operation, Vec<Attempt>), Problem> {
    let found = store_of(app)?.get(id).await.map_err(unavailable)?;
    let found = found.filter(|(operation, _)| may_see(principal, operation));
    found.ok_or_else(Problem::no_such_operation)
}

/// An operation that the caller may change: its own, or with the right to manage.
async fn changeable(app: &App, principal: &Principal, id: &str) -> Result<(Operation, Vec<Attempt>), Problem> {
    let found = visible(app, principal, id).await?;
    if found.0.caller.as_deref() != principal.caller_name() {
        principal.require_operations(OperationRight::Manage)?;
    }
    Ok(found)
}

/// The answer to a change of an operation that was in `state`.
async fn changed(
    app: &App,
    principal: &Principal,
    id: &str,
    state: Option<operations::State>,
    was_possible: impl FnOnce(operations::State) -> bool,
    refusal: &str,
) -> Result<Json<OperationView>, Problem> {
    let state = state.ok_or_else(Problem::no_such_operation)?;
    if !was_possible(state) {
        return Err(Problem::operation_state(state.as_str(), refusal));
    }
    let (operation, attempts) = visible(app, principal, id).await?;
    Ok(Json(OperationView::new(operation, attempts)))
}
