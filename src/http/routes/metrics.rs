//! The metrics, as Prometheus scrapes them.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::health::HEALTH;
use crate::{
    http::{negotiate::accepts_open_metrics, principal::Principal, problem::Problem, state::App},
    scim::{BreakerState, Status},
    telemetry::metrics,
};

/// The metrics' route.
pub(super) fn routes() -> [OpenApiRouter<App>; 1] {
    [OpenApiRouter::new().routes(routes!(metrics_route))]
}

/// Shows the metrics
///
/// What is counted of the whole service and every instance, for Prometheus: in OpenMetrics where
/// `Accept` names it, else in Prometheus's older text format. Needs the right `metrics`. What each
/// metric means stands in docs/metrics.md; no label holds personal data.
#[utoipa::path(get, path = "/metrics", tag = HEALTH, operation_id = "metrics",
    responses((status = 200, description = "Every metric.", content(
        (String = "text/plain; version=0.0.4; charset=utf-8"),
        (String = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ))))]
async fn metrics_route(State(app): State<App>, principal: Principal, headers: HeaderMap) -> Result<Response, Problem> {
    principal.require_metrics()?;
    look(&app);
    let text = metrics::encode();
    let (media_type, text) = if accepts_open_metrics(&headers) {
        (metrics::OPEN_METRICS, text)
    } else {
        (metrics::PLAIN, metrics::plain(&text))
    };
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}

/// Looks at what is read and not counted. Neither a directory nor the store is asked.
fn look(app: &App) {
    for instance in app.service.instances() {
        let name = instance.name();
        let Status {
            breaker,
            token_expires,
            lanes,
            ..
        } = instance.status();
        metrics::breaker(name, breaker == BreakerState::Open);
        let left = token_expires.map(|expires| expires.duration_since(jiff::Timestamp::now()));
        metrics::token_expires(name, left.map(|left| left.as_secs_f64()));
        for lane in lanes {
            metrics::lane(name, lane.name, lane.waiting, lane.rate, lane.ceiling);
        }
    }
    if let Some(operations) = &app.operations {
        metrics::store_up(!operations.is_store_degraded());
    }
}
