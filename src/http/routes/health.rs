//! Whether the service lives, and whether it takes requests. Neither ever waits for a directory.

use std::sync::atomic::Ordering;

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::instances::{self, InstanceStatus};
use crate::http::{host::ForeignHost, state::App};

pub(in crate::http) const HEALTH: &str = "Health";

/// The health routes, one by one.
pub(super) fn routes() -> [OpenApiRouter<App>; 2] {
    [
        OpenApiRouter::new().routes(routes!(live)),
        OpenApiRouter::new().routes(routes!(ready)),
    ]
}

/// That the process answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Liveness {
    /// Always `live`.
    #[schema(value_type = String, example = "live")]
    status: &'static str,
}

/// Whether requests are taken, and, where the service has no callers, how each directory was doing
/// when it was last spoken to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` from the loaded configuration until shutdown begins, `stopping` from then on.
    #[schema(value_type = String, example = "ready")]
    status: &'static str,
    /// `degraded` while the store can't be written: then disables and reads go on, and what else
    /// changes a directory is refused, unless `store_unavailable` says otherwise. Not there without
    /// a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, example = "ok")]
    store: Option<&'static str>,
    /// Each instance, in the order of the configuration. Not there when callers are configured, who
    /// find it at `GET /instances`, nor for a `Host` that is not the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    instances: Option<Vec<InstanceStatus>>,
}

/// Liveness
///
/// 200 as long as the process answers at all.
#[utoipa::path(get, path = "/health/live", tag = HEALTH, operation_id = "health-live",
    responses((status = 200, description = "The process answers.", body = Liveness)))]
async fn live() -> Json<Liveness> {
    Json(Liveness { status: "live" })
}

/// Readiness
///
/// 200 from a loaded configuration until shutdown begins. A directory that can't be reached, or
/// that refuses the token, is `degraded` in the body, and so is a store that can't be written:
/// taking the service out of rotation for it would not help.
#[utoipa::path(get, path = "/health/ready", tag = HEALTH, operation_id = "health-ready", responses(
    (status = 200, description = "Requests are taken.", body = Readiness),
    (status = 503, description = "The service is stopping.", body = Readiness),
))]
async fn ready(State(app): State<App>, foreign: Option<Extension<ForeignHost>>) -> Response {
    let stopping = app.stopping.load(Ordering::Relaxed);
    let body = Readiness {
        status: if stopping { "stopping" } else { "ready" },
        store: app.operations.as_ref().map(|operations| {
            if operations.is_store_degraded() {
                "degraded"
            } else {
                "ok"
            }
        }),
        instances: (!app.is_guarded && foreign.is_none()).then(|| instances::all(&app).collect()),
    };
    let status = if stopping {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    (status, Json(body)).into_response()
}
