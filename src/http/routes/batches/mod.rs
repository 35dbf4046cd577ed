//! Batches: many commands in one request, stored all or none.

mod elements;
mod read;
mod view;

use axum::{
    Json,
    extract::{Path, RawQuery, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use view::{BatchAccepted, BatchElement, BatchView};

pub(in crate::http::routes) use read::{MAX_BATCH, MAX_ELEMENTS};

use self::read::{ReadBatch, read};
use super::operations::{ListQuery, OperationList, OperationView, store_of, unavailable};
use crate::{
    audit::{self, AuditTarget},
    auth::OperationRight,
    http::{
        idempotency::{key_of, tell},
        principal::Principal,
        problem::Problem,
        state::App,
    },
    operations::{AcceptError, Batch},
};

pub(in crate::http) const BATCHES: &str = "Batches";

/// The batches' routes.
pub(super) fn routes() -> [OpenApiRouter<App>; 3] {
    [
        OpenApiRouter::new().routes(routes!(accept)),
        OpenApiRouter::new().routes(routes!(show)),
        OpenApiRouter::new().routes(routes!(operations)),
    ]
}

/// Accepts a batch
///
/// Up to 10,000 commands that change a directory, in 16 MiB: a JSON array of them, or one a line
/// (`application/x-ndjson`; blank lines are passed over). Answered once all are stored, in their
/// order; each is then an operation of its own, carried out in its turn. Where one is faulty
/// nothing is stored, and `errors` points at each that is, counted from 0. A right that is missing
/// for one refuses all.
#[utoipa::path(post, path = "/batches", tag = BATCHES, operation_id = "batch-accept",
    request_body(content((Vec<BatchElement> = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 202, description = "Stored, all of it. `Location` is its address.", body = BatchAccepted)))]
async fn accept(State(app): State<App>, mut principal: Principal, request: Request) -> Result<Response, Problem> {
    let operations = store_of(&app)?;
    refuse_query(request.uri().query())?;
    let key = key_of(request.headers())?;
    let ReadBatch {
        submission,
        rights,
        reservation,
    } = read(&app, &principal, key, request).await?;
    // The callers may have been replaced while the body arrived.
    principal.reauthenticate().await?;
    for (command, instance) in &rights {
        principal.require_command(command, true)?;
        principal.require_instance(Some(instance), true)?;
    }
    let accepted = operations.accept_batch(submission).await.map_err(|error| match error {
        AcceptError::Store(error) => unavailable(error),
        AcceptError::KeyReused => Problem::key_reused(),
    })?;
    drop(reservation);
    let key = accepted.key;
    let target = AuditTarget {
        operation: Some(&accepted.id),
        ..AuditTarget::default()
    };
    let is_repeated = key.is_some_and(|key| key.is_repeated);
    let outcome = if is_repeated { "accepted before" } else { "accepted" };
    audit::performed(principal.audit_event(), target, outcome);
    let location = [(header::LOCATION, format!("/batches/{}", accepted.id))];
    let accepted = Json(BatchAccepted::from(accepted));
    let mut response = (StatusCode::ACCEPTED, location, accepted).into_response();
    tell(&mut response, key);
    Ok(response)
}

/// Shows a batch
///
/// How many of its operations are in which state. One that the caller may not see is answered like
/// one that is not there: a batch of others is seen with `operations = "read"` and all of its
/// instances.
#[utoipa::path(get, path = "/batches/{id}", tag = BATCHES, operation_id = "batch",
    params(("id" = String, Path, description = "The batch's id.")),
    responses((status = 200, description = "The batch.", body = BatchView)))]
async fn show(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<BatchView>, Problem> {
    let batch = visible(&app, &principal, id).await?;
    Ok(Json(BatchView::from(batch)))
}

/// Lists the operations of a batch
///
/// In its order, without their attempts.
#[utoipa::path(get, path = "/batches/{id}/operations", tag = BATCHES, operation_id = "batch-operations",
    params(
        ("id" = String, Path, description = "The batch's id."),
        ("state" = Option<String>, Query, description = "Only those in this state, or in one of several separated by commas."),
        ("limit" = Option<u32>, Query, description = "How many, 500 at most; 50 by default."),
        ("cursor" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses((status = 200, description = "A page of its operations, the first ones first.", body = OperationList)))]
async fn operations(
    State(app): State<App>,
    principal: Principal,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<OperationList>, Problem> {
    let ListQuery { filter, cursor, limit } = ListQuery::parse(query.as_deref(), &["state", "limit", "cursor"])?;
    let batch = visible(&app, &principal, id).await?;
    let page = store_of(&app)?
        .batch_operations(&batch.id, filter.states, cursor, limit)
        .await
        .map_err(unavailable)?;
    let operations = page.operations.into_iter();
    let operations = operations.map(|operation| OperationView::new(operation, Vec::new()));
    Ok(Json(OperationList::new(operations.collect(), page.next)))
}

/// Refuses what a batch has in its elements: a `dryRun` that is passed over would write.
fn refuse_query(query: Option<&str>) -> Result<(), Problem> {
    let mut parameters = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match parameters.next() {
        None => Ok(()),
        Some((name, _)) => Err(Problem::bad_parameter(
            &name,
            "is not known; a batch takes none, and its elements have `instance`, `notBefore` and `purpose`",
        )),
    }
}

async fn visible(app: &App, principal: &Principal, id: Result<Path<String>, PathRejection>) -> Result<Batch, Problem> {
    let operations = store_of(app)?;
    let Path(id) = id.map_err(|_| Problem::no_such_batch())?;
    let batch = operations.batch(&id).await.map_err(unavailable)?;
    let batch = batch.filter(|batch| may_see(principal, batch));
    batch.ok_or_else(Problem::no_such_batch)
}

/// Whether the caller may see a batch, and know that it is there.
fn may_see(principal: &Principal, batch: &Batch) -> bool {
    let is_own = batch.caller.as_deref() == principal.caller_name();
    let may_read = principal.identity().rights().operations >= OperationRight::Read;
    is_own || may_read && batch.instances.iter().all(|instance| principal.can_see(instance))
}
