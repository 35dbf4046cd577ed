//! What this service can do as it is configured, and what callers may rely on.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    batches::{MAX_BATCH, MAX_ELEMENTS},
    commands::INSTANCE,
};
use crate::{
    http::{principal::Principal, problem::Problem, state::App},
    operations::{AfterBuried, GUARANTEES, Guarantee, OperationSettings, StoreUnavailable},
};

/// The capabilities' route.
pub(super) fn routes() -> [OpenApiRouter<App>; 1] {
    [OpenApiRouter::new().routes(routes!(capabilities))]
}

/// What this service can do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// The service's version.
    #[schema(value_type = String, example = "0.1.0")]
    version: &'static str,
    /// How commands are stored; null where there is no store, and nothing can be deferred.
    store: Option<StoreCapabilities>,
    /// What callers may rely on.
    guarantees: Vec<GuaranteeView>,
}

/// How commands are stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreCapabilities {
    /// What becomes of writes while it can't be written: `refuse` (all but disables), or `go-on`.
    #[schema(value_type = String, example = "refuse")]
    store_unavailable: &'static str,
    /// What becomes of what waits behind a buried operation: `continue` or `block`.
    #[schema(value_type = String, example = "continue")]
    after_buried: &'static str,
    /// The waits between the tries of an operation, in seconds.
    #[schema(example = json!([5, 300]))]
    retry_schedule: Vec<u64>,
    /// The waits between the tries of a disable, in seconds.
    #[schema(example = json!([5, 300]))]
    disable_retry_schedule: Vec<u64>,
    /// How long an operation that has ended is kept, in seconds.
    #[schema(example = 7_776_000)]
    operation_retention: u64,
    /// How long the key of a request is kept, in seconds.
    #[schema(example = 604_800)]
    idempotency_retention: u64,
    /// The most elements of a batch.
    #[schema(example = 10_000)]
    batch_elements: usize,
    /// The most bytes of a batch.
    #[schema(example = 16_777_216)]
    batch_bytes: usize,
}

/// Something that callers may rely on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Guarantee)]
pub struct GuaranteeView {
    /// Its short name.
    #[schema(value_type = String, example = "durable-acceptance")]
    id: &'static str,
    /// Whether it holds in this service: some need a store.
    holds: bool,
    /// What is promised.
    #[schema(value_type = String)]
    statement: &'static str,
    /// The tests of the source that hold it: a file, and a test or a check in it.
    proofs: Vec<String>,
}

/// Shows what this service can do
///
/// Whether commands can be deferred, how long things are kept, and what callers may rely on, each
/// guarantee with the tests that hold it. Every caller may see it.
#[utoipa::path(get, path = "/capabilities", tag = INSTANCE, operation_id = "capabilities",
    responses((status = 200, description = "What this service can do.", body = Capabilities)))]
async fn capabilities(State(app): State<App>, _: Principal) -> Result<Json<Capabilities>, Problem> {
    let store = app.operations.as_ref().map(|operations| operations.settings());
    let guarantees = GUARANTEES
        .iter()
        .map(|guarantee| GuaranteeView::of(guarantee, store.is_some()));
    Ok(Json(Capabilities {
        version: env!("CARGO_PKG_VERSION"),
        store: store.map(StoreCapabilities::of),
        guarantees: guarantees.collect(),
    }))
}

impl StoreCapabilities {
    fn of(settings: &OperationSettings) -> Self {
        let seconds = |waits: &[jiff::SignedDuration]| waits.iter().map(|wait| wait.unsigned_abs().as_secs()).collect();
        Self {
            store_unavailable: match settings.store_unavailable {
                StoreUnavailable::Refuse => "refuse",
                StoreUnavailable::GoOn => "go-on",
            },
            after_buried: match settings.after_buried {
                AfterBuried::Continue => "continue",
                AfterBuried::Block => "block",
            },
            retry_schedule: seconds(&settings.retry_schedule),
            disable_retry_schedule: seconds(&settings.disable_retry_schedule),
            operation_retention: settings.operation_retention.as_secs(),
            idempotency_retention: settings.idempotency_retention.as_secs(),
            batch_elements: MAX_ELEMENTS,
            batch_bytes: MAX_BATCH,
        }
    }
}

impl GuaranteeView {
    fn of(guarantee: &Guarantee, has_store: bool) -> Self {
        Self {
            id: guarantee.id,
            holds: has_store || !guarantee.needs_store,
            statement: guarantee.statement,
            proofs: guarantee
                .proofs
                .iter()
                .map(|(file, name)| format!("{file}: {name}"))
                .collect(),
        }
    }
}
