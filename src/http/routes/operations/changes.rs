//! What callers do to one operation: try it again, release it, cancel it.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};

use super::{OPERATIONS, OperationView, changeable, changed, path, store_of, unavailable, visible};
use crate::{
    audit,
    http::{principal::Principal, problem::Problem, state::App},
    operations,
};

/// Tries an operation again
///
/// At once: one that failed, was buried or cancelled, or waits for its next try. What was accepted
/// later and has disabled the person stays: a retried operation enables no account that was
/// disabled since.
#[utoipa::path(post, path = "/operations/{id}/retry", tag = OPERATIONS, operation_id = "operation-retry",
    params(("id" = String, Path, description = "The operation's id.")),
    responses((status = 200, description = "The operation, waiting.", body = OperationView)))]
pub(super) async fn retry(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OperationView>, Problem> {
    let id = path(id)?;
    changeable(&app, &principal, &id).await?;
    let by = principal.caller_name().map(str::to_owned);
    let state = store_of(&app)?.retry(&id, by).await.map_err(unavailable)?;
    changed(
        &app,
        &principal,
        &id,
        state,
        operations::is_retriable,
        "can't be tried again",
    )
    .await
}

/// Releases an operation
///
/// One that is `held` or `needs_data` goes on: at its time (`scheduled`), or at once where that is
/// over. One that needs data is tried again, and may need it still. It takes the right `release`;
/// the next attempt says who asked for it.
#[utoipa::path(post, path = "/operations/{id}/release", tag = OPERATIONS, operation_id = "operation-release",
    params(("id" = String, Path, description = "The operation's id.")),
    responses((status = 200, description = "The operation, scheduled or waiting.", body = OperationView)))]
pub(super) async fn release(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OperationView>, Problem> {
    let id = path(id)?;
    let (operation, _) = visible(&app, &principal, &id).await?;
    principal.require_release()?;
    let by = principal.caller_name().map(str::to_owned);
    let state = store_of(&app)?.release(&id, by).await.map_err(unavailable)?;
    if state.is_some_and(operations::State::is_releasable) {
        audit::decided(principal.audit_event(), &id, &operation.instance, "released");
    }
    changed(
        &app,
        &principal,
        &id,
        state,
        operations::State::is_releasable,
        "can't be released: it is not held",
    )
    .await
}

/// Cancels an operation
///
/// One that has not ended and does not run: nothing more of it will be done. Or one that is buried:
/// it is seen to by that, is no longer told of, and what waited behind it goes on. One that is held
/// or needs data can also be cancelled with the right `release`, by callers who may only see it.
#[utoipa::path(post, path = "/operations/{id}/cancel", tag = OPERATIONS, operation_id = "operation-cancel",
    params(("id" = String, Path, description = "The operation's id.")),
    responses((status = 200, description = "The operation, cancelled.", body = OperationView)))]
pub(super) async fn cancel(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<OperationView>, Problem> {
    let id = path(id)?;
    let (operation, _) = visible(&app, &principal, &id).await?;
    let is_decided = operation.state.is_releasable() && principal.identity().rights().release;
    if !is_decided {
        changeable(&app, &principal, &id).await?;
    }
    let state = store_of(&app)?.cancel(&id).await.map_err(unavailable)?;
    if state.is_some_and(operations::State::is_releasable) {
        audit::decided(principal.audit_event(), &id, &operation.instance, "cancelled");
    }
    changed(
        &app,
        &principal,
        &id,
        state,
        operations::State::is_cancellable,
        "can't be cancelled",
    )
    .await
}
