//! What is answered: one file for each group of routes, each a handler and its documentation.

pub mod batches;
pub mod capabilities;
pub(in crate::http) mod commands;
pub mod events;
pub mod health;
pub mod instances;
pub mod mappers;
pub mod metrics;
pub mod operations;
pub mod problems;
pub mod sources;
pub mod webhooks;

use utoipa_axum::router::OpenApiRouter;

use crate::http::state::App;

/// The routes of the second listener.
pub(super) fn watched() -> impl Iterator<Item = OpenApiRouter<App>> {
    health::routes().into_iter().chain(metrics::routes())
}

/// Every documented route, group by group.
pub(super) fn all() -> impl Iterator<Item = OpenApiRouter<App>> {
    commands::routes()
        .into_iter()
        .chain(operations::routes())
        .chain(batches::routes())
        .chain(webhooks::routes())
        .chain(sources::routes())
        .chain(events::routes())
        .chain(instances::routes())
        .chain(capabilities::routes())
        .chain(mappers::routes())
        .chain(health::routes())
        .chain(metrics::routes())
}
