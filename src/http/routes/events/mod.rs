//! The events of webhooks: seeing them, and reading them again. Their bodies are personal data, for
//! callers with the right `sources` alone.

mod query;
mod view;

use axum::{
    Json,
    extract::{Path, RawQuery, State, rejection::PathRejection},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use view::{EventDetails, EventList, EventView};

use self::query::EventQuery;
use super::{
    operations::{OperationView, store_of, unavailable},
    sources::{MaySeeSources, SOURCES},
    webhooks::{WebhookAccepted, intake_of},
};
use crate::{
    audit,
    auth::Names,
    http::{problem::Problem, state::App},
    operations::StoreError,
    webhooks::{AgainError, IntakeError, StoredEvent},
};

/// The events' routes.
pub(super) fn routes() -> [OpenApiRouter<App>; 4] {
    [
        OpenApiRouter::new().routes(routes!(list)),
        OpenApiRouter::new().routes(routes!(show)),
        OpenApiRouter::new().routes(routes!(verify_again)),
        OpenApiRouter::new().routes(routes!(replay)),
    ]
}

/// Lists events
///
/// The newest first, of the sources that the caller may see; quarantined deliveries among them.
/// Needs the right `sources`.
#[utoipa::path(get, path = "/events", tag = SOURCES, operation_id = "events",
    params(
        ("source" = Option<String>, Query, description = "Only those of this source."),
        ("verdict" = Option<String>, Query, description = "Only those of this verdict."),
        ("subject" = Option<String>, Query, description = "Only those of this person or group, by a name as `subject` of an operation has it."),
        ("from" = Option<String>, Query, description = "Only those received at this time (RFC 3339) or later."),
        ("before" = Option<String>, Query, description = "Only those received before this time (RFC 3339)."),
        ("limit" = Option<u32>, Query, description = "How many, 500 at most; 50 by default."),
        ("cursor" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses((status = 200, description = "A page of events.", body = EventList)))]
async fn list(
    State(app): State<App>,
    may: MaySeeSources,
    RawQuery(query): RawQuery,
) -> Result<Json<EventList>, Problem> {
    let EventQuery { filter, cursor, limit } = EventQuery::parse(query.as_deref())?;
    let page = store_of(&app)?
        .events(filter, cursor, limit)
        .await
        .map_err(unavailable)?;
    let seen = page.events.into_iter().filter(|event| can_see(&app, &may, event));
    Ok(Json(EventList::new(seen.map(EventView::new).collect(), page.next)))
}

/// Shows an event
///
/// With its body and its operations. Needs the right `sources`.
#[utoipa::path(get, path = "/events/{id}", tag = SOURCES, operation_id = "event",
    params(("id" = String, Path, description = "The event's id.")),
    responses((status = 200, description = "The event.", body = EventDetails)))]
async fn show(
    State(app): State<App>,
    may: MaySeeSources,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<EventDetails>, Problem> {
    let event = visible(&app, &may, id).await?;
    details(&app, event).await
}

/// Verifies a quarantined delivery again
///
/// By the secrets of now, and by the time at which it arrived. One that is proven now is taken as
/// if it had just come, and is gone from quarantine. Needs the right `sources`.
#[utoipa::path(post, path = "/events/{id}/verify-again", tag = SOURCES, operation_id = "event-verify-again",
    params(("id" = String, Path, description = "The quarantined delivery's id.")),
    responses((status = 200, description = "It is proven: its events.", body = WebhookAccepted)))]
async fn verify_again(
    State(app): State<App>,
    may: MaySeeSources,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<WebhookAccepted>, Problem> {
    let event = visible(&app, &may, id).await?;
    let taken = intake_of(&app)?.verify_again(&event.id).await.map_err(again)?;
    let ids = taken.events.iter().map(|event| &*event.id);
    audit::received(may.0.audit_event(), &event.source, ids);
    Ok(Json(WebhookAccepted::new(taken.events)))
}

/// Holds an event against the rules of now
///
/// One that was ignored or failed. Needs the right `sources`.
#[utoipa::path(post, path = "/events/{id}/replay", tag = SOURCES, operation_id = "event-replay",
    params(("id" = String, Path, description = "The event's id.")),
    responses((status = 200, description = "What came of it.", body = EventDetails)))]
async fn replay(
    State(app): State<App>,
    may: MaySeeSources,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<EventDetails>, Problem> {
    let event = visible(&app, &may, id).await?;
    intake_of(&app)?.replay(&event.id).await.map_err(again)?;
    audit::received(may.0.audit_event(), &event.source, std::iter::once(&*event.id));
    let event = store_of(&app)?.event(&event.id).await.map_err(unavailable)?;
    details(&app, event.ok_or_else(Problem::no_such_event)?).await
}

/// The problem of a store that did not take an event.
pub(super) fn not_stored(error: StoreError) -> Problem {
    unavailable(error)
}

fn again(error: AgainError) -> Problem {
    match error {
        AgainError::Gone => Problem::no_such_event(),
        AgainError::Verdict(verdict) => Problem::event_state(&format!("The event is {}.", verdict.as_str())),
        AgainError::NoSource => Problem::event_state("The event's source is not configured any more."),
        AgainError::Unproven(reason) => Problem::event_state(&format!("The delivery is not proven: {reason}.")),
        AgainError::Unreadable(reason) => Problem::event_state(&format!("The delivery can't be read: {reason}.")),
        AgainError::Store(error) | AgainError::Intake(IntakeError::Store(error)) => unavailable(error),
        AgainError::Intake(error) => Problem::event_state(&format!("The delivery can't be taken: {error}.")),
        AgainError::Kept(error) => {
            tracing::error!("{error}");
            Problem::internal()
        }
    }
}

/// Whether an event is there, for this principal. Those of a source that is not configured any more
/// are for principals of all instances.
fn can_see(app: &App, may: &MaySeeSources, event: &StoredEvent) -> bool {
    let source = app
        .intake
        .as_ref()
        .and_then(|intake| intake.sources().get(&event.source));
    match source {
        Some(source) => may.can_see(&source),
        None => may.0.identity().rights().instances == Names::Every,
    }
}

async fn visible(
    app: &App,
    may: &MaySeeSources,
    id: Result<Path<String>, PathRejection>,
) -> Result<StoredEvent, Problem> {
    let Path(id) = id.map_err(|_| Problem::no_such_event())?;
    let event = store_of(app)?.event(&id).await.map_err(unavailable)?;
    let event = event.filter(|event| can_see(app, may, event));
    event.ok_or_else(Problem::no_such_event)
}

async fn details(app: &App, event: StoredEvent) -> Result<Json<EventDetails>, Problem> {
    let store = store_of(app)?;
    let mut operations = Vec::with_capacity(event.operations.len());
    for id in &event.operations {
        if let Some((operation, _)) = store.get(id).await.map_err(unavailable)? {
            operations.push(OperationView::new(operation, Vec::new()));
        }
    }
    Ok(Json(EventDetails::new(event, operations)))
}
