//! Retrying, cancelling and moving all operations that match a filter: the first request has them
//! counted, the second confirms the count.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    OPERATIONS, parse_not_before,
    query::{FILTER, ListQuery},
    store_of, unavailable,
    view::written,
};
use crate::{
    auth::{Names, OperationRight},
    http::{
        arguments::{Arguments, OptionalArguments},
        principal::Principal,
        problem::Problem,
        state::App,
    },
    operations::{Change, Filter, Selects},
};

/// A count that is confirmed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedChange {
    /// `token` of the answer that had the count; without it, operations are counted and nothing is
    /// changed.
    #[serde(default)]
    token: Option<String>,
}

/// A time, and a count that is confirmed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmedMove {
    /// A time with its offset (RFC 3339), ten years ahead at most.
    #[schema(format = "date-time", example = "2026-01-31T17:00:00+11:00")]
    not_before: String,
    /// `token` of the answer that had the count; without it, operations are counted and nothing is
    /// changed.
    #[serde(default)]
    token: Option<String>,
}

/// How many operations were counted, or changed.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationsChanged {
    /// How many were counted.
    #[schema(example = 12)]
    matched: u64,
    /// Whether more match than are changed at once, 100,000: do the same again afterwards.
    more: bool,
    /// Send it in the same request to change just those, once; null where there are none, and in
    /// the answer to that.
    #[schema(example = "0b9d3f6e-6c7b-4a52-9d4e-2f7a3f1f8f0c")]
    token: Option<String>,
    /// From this time on the token means nothing: 15 minutes ahead.
    #[schema(format = "date-time")]
    expires_at: Option<String>,
    /// How many were changed; null while they are only counted.
    changed: Option<u64>,
    /// How many were left as they are, since their state was another by then; null while they are
    /// only counted.
    left: Option<u64>,
}

/// Tries many operations again
///
/// All that match the query and failed or were buried; with `state`, those in these states, which
/// may be `failed`, `buried`, `cancelled` and `waiting`. Without a `token` they are counted, and
/// the answer has one; the same request with it retries just those that were counted, unless their
/// state has changed. Without `operations = "manage"` only the caller's own are meant.
#[utoipa::path(post, path = "/operations/retry", tag = OPERATIONS, operation_id = "operations-retry",
    request_body = ConfirmedChange,
    responses((status = 200, description = "How many there are, or were changed.", body = OperationsChanged)))]
pub(super) async fn retry_many(
    State(app): State<App>,
    principal: Principal,
    RawQuery(query): RawQuery,
    arguments: OptionalArguments<ConfirmedChange>,
) -> Result<Json<OperationsChanged>, Problem> {
    let requested_by = principal.caller_name().map(str::to_owned);
    let change = Change::Retry { requested_by };
    select_or_change(&app, &principal, query.as_deref(), change, arguments.value.token).await
}

/// Cancels many operations
///
/// All that match the query, have not ended and do not run: nothing more of them will be done.
/// Without a `token` they are counted, and the answer has one; the same request with it cancels
/// just those that were counted, unless their state has changed. Without `operations = "manage"`
/// only the caller's own are meant. With `caller`, the answer to a key that has leaked.
#[utoipa::path(post, path = "/operations/cancel", tag = OPERATIONS, operation_id = "operations-cancel",
    request_body = ConfirmedChange,
    responses((status = 200, description = "How many there are, or were changed.", body = OperationsChanged)))]
pub(super) async fn cancel_many(
    State(app): State<App>,
    principal: Principal,
    RawQuery(query): RawQuery,
    arguments: OptionalArguments<ConfirmedChange>,
) -> Result<Json<OperationsChanged>, Problem> {
    let token = arguments.value.token;
    select_or_change(&app, &principal, query.as_deref(), Change::Cancel, token).await
}

/// Moves many operations
///
/// All that match the query and have not begun, to another time. Without a `token` they are
/// counted, and the answer has one; the same request with it moves just those that were counted,
/// unless their state has changed. Without `operations = "manage"` only the caller's own are meant.
#[utoipa::path(post, path = "/operations/move", tag = OPERATIONS, operation_id = "operations-move",
    request_body = ConfirmedMove,
    responses((status = 200, description = "How many there are, or were changed.", body = OperationsChanged)))]
pub(super) async fn move_many(
    State(app): State<App>,
    principal: Principal,
    RawQuery(query): RawQuery,
    arguments: Arguments<ConfirmedMove>,
) -> Result<Json<OperationsChanged>, Problem> {
    let ConfirmedMove { not_before, token } = arguments.value;
    let to = parse_not_before(&not_before).map_err(|detail| Problem::bad_argument("/notBefore", detail))?;
    select_or_change(&app, &principal, query.as_deref(), Change::Move(to), token).await
}

async fn select_or_change(
    app: &App,
    principal: &Principal,
    query: Option<&str>,
    change: Change,
    token: Option<String>,
) -> Result<Json<OperationsChanged>, Problem> {
    let operations = store_of(app)?;
    let mut filter = ListQuery::parse(query, &FILTER)?.filter;
    let instances = restrict(app, principal, &mut filter)?;
    let selects = Selects {
        caller: principal.caller_name().map(str::to_owned),
        filter,
        change,
    };
    let Some(token) = token else {
        let selection = operations.select(selects, instances).await.map_err(unavailable)?;
        return Ok(Json(OperationsChanged {
            matched: selection.count,
            more: selection.is_cut,
            expires_at: selection.token.is_some().then(|| written(selection.expires_at)),
            token: selection.token,
            ..OperationsChanged::default()
        }));
    };
    let changed = operations.change_selected(token, selects).await.map_err(unavailable)?;
    let changed = changed.ok_or_else(Problem::selection_gone)?;
    Ok(Json(OperationsChanged {
        matched: changed.count,
        changed: Some(changed.changed),
        left: Some(changed.count - changed.changed),
        ..OperationsChanged::default()
    }))
}

/// Restricts a filter to what the caller may change: its own operations, and with the right to
/// manage those of others on the instances that are answered.
fn restrict(app: &App, principal: &Principal, filter: &mut Filter) -> Result<Option<Vec<String>>, Problem> {
    let rights = principal.identity().rights();
    if rights.operations < OperationRight::Manage {
        let own = principal.caller_name().map(str::to_owned);
        if filter.caller.is_some() && filter.caller != own {
            principal.require_operations(OperationRight::Manage)?;
        }
        filter.caller = own;
        return Ok(None);
    }
    // Those of an instance that is not configured any more are everybody's who may use every one.
    if rights.instances == Names::Every {
        return Ok(None);
    }
    let instances = app.service.instances().iter().map(|instance| instance.name());
    let visible = instances.filter(|name| principal.can_see(name));
    Ok(Some(visible.map(str::to_owned).collect()))
}
