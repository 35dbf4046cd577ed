//! What an operator wants to see of each instance: how its directory does, and how we deal with it.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::commands::INSTANCE;
use crate::{
    http::{principal::Principal, problem::Problem, state::App},
    scim::{BreakerState, LaneStatus, LastError, TokenInUse},
    service::Instance,
};

/// The instances' route.
pub(super) fn routes() -> [OpenApiRouter<App>; 1] {
    [OpenApiRouter::new().routes(routes!(instances))]
}

/// How one instance is doing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// The instance's name.
    #[schema(example = "AWS-ILM_instance_1")]
    name: String,
    /// `ok` when the last request was answered as by a working directory that knows us, `degraded`
    /// when not, and as long as it refuses a new token of a file while the one before it still
    /// serves; `unknown` before the first.
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
    /// `closed` while requests go through; `open` while the directory keeps failing and callers are
    /// told 503 at once.
    #[schema(value_type = String, example = "closed")]
    breaker: &'static str,
    /// Which access token is in use: `first`, or `second` after the first was refused.
    #[schema(value_type = String, example = "first")]
    token_in_use: &'static str,
    /// Days until the token in use expires, where its date is configured; negative when it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_days_left: Option<i64>,
    /// The last request that failed, if any has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<LastErrorStatus>,
    /// The pace of each API, and of membership changes.
    rates: Vec<RateStatus>,
}

/// The last request that failed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastErrorStatus {
    /// When, in UTC.
    #[schema(format = "date-time", example = "2026-01-15T09:30:00Z")]
    at: String,
    /// What went wrong.
    #[schema(example = "the directory refused the token (401)")]
    what: String,
    /// AWS's id of the request, to quote to its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aws_request_id: Option<String>,
}

/// The pace of one API.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateStatus {
    /// The API by AWS's name, or `memberships`.
    #[schema(value_type = String, example = "CreateUser")]
    api: &'static str,
    /// Requests (or membership changes) a second at the moment.
    #[schema(example = 25.0)]
    per_second: f64,
    /// What it heals up to after the directory has throttled.
    #[schema(example = 25.0)]
    ceiling: f64,
    /// Requests that wait for their turn.
    waiting: usize,
}

/// Shows every instance
///
/// How each directory that the caller may use does, and how the service deals with it: pace,
/// waiting requests, circuit breaker, token in use, last error. Needs the right of administration.
#[utoipa::path(get, path = "/instances", tag = INSTANCE, operation_id = "instances",
    responses((status = 200, description = "Every instance, in the order of the configuration.", body = Vec<InstanceStatus>)))]
async fn instances(State(app): State<App>, principal: Principal) -> Result<Json<Vec<InstanceStatus>>, Problem> {
    principal.require_administration()?;
    Ok(Json(
        all(&app).filter(|instance| principal.can_see(&instance.name)).collect(),
    ))
}

/// Every instance, in the order of the configuration.
pub(super) fn all(app: &App) -> impl Iterator<Item = InstanceStatus> {
    app.service
        .instances()
        .iter()
        .map(|instance| InstanceStatus::of(instance))
}

impl InstanceStatus {
    fn of(instance: &Instance) -> Self {
        let status = instance.status();
        let refused = status.token_refused;
        let last_error = status
            .last_error
            .clone()
            .filter(|error| refused.is_none_or(|since| since < error.at));
        let last_error = last_error.or_else(|| refused.map(LastError::of_refused_token));
        Self {
            name: instance.name().to_owned(),
            status: match (status.reached, refused) {
                (_, Some(_)) | (Some(false), None) => "degraded",
                (None, None) => "unknown",
                (Some(true), None) => "ok",
            },
            breaker: match status.breaker {
                BreakerState::Closed => "closed",
                BreakerState::Open => "open",
            },
            token_in_use: match status.token_in_use {
                TokenInUse::First => "first",
                TokenInUse::Second => "second",
            },
            token_days_left: status.token_days_left(),
            last_error: last_error.map(
                |LastError {
                     at,
                     summary,
                     request_id,
                 }| LastErrorStatus {
                    at: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    what: summary,
                    aws_request_id: request_id,
                },
            ),
            rates: status.lanes.into_iter().map(RateStatus::from).collect(),
        }
    }
}

impl From<LaneStatus> for RateStatus {
    fn from(lane: LaneStatus) -> Self {
        // A tenth is as much as anybody reads.
        let rounded = |rate: f64| (rate * 10.0).round() / 10.0;
        Self {
            api: lane.name,
            per_second: rounded(lane.rate),
            ceiling: rounded(lane.ceiling),
            waiting: lane.waiting,
        }
    }
}
