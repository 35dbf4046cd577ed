//! The sources of webhooks, and what one would make of a delivery.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State, rejection::PathRejection},
    http::request::Parts,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::webhooks::intake_of;
use crate::{
    http::{arguments::Arguments, principal::Principal, problem::Problem, state::App},
    webhooks::{Delivery, Headers, Source, explain},
};

pub(in crate::http) const SOURCES: &str = "Sources and events";

/// The sources' routes.
pub(super) fn routes() -> [OpenApiRouter<App>; 2] {
    [
        OpenApiRouter::new().routes(routes!(sources)),
        OpenApiRouter::new().routes(routes!(explain_delivery)),
    ]
}

/// A principal who has the right to sources, which is asked for before anything of the body is
/// read.
pub(super) struct MaySeeSources(pub(super) Principal);

impl FromRequestParts<App> for MaySeeSources {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, app).await?;
        principal.require_sources()?;
        Ok(Self(principal))
    }
}

impl MaySeeSources {
    /// Whether a source is there, for this principal: it may use all of its instances.
    pub(super) fn can_see(&self, source: &Source) -> bool {
        source.instances().iter().all(|instance| self.0.can_see(instance))
    }
}

/// The sources that there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceList {
    /// By their names.
    sources: Vec<SourceView>,
}

/// A source of webhooks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookSource)]
pub struct SourceView {
    /// Its name; it is sent to at `/webhooks/{name}`.
    #[schema(example = "hr")]
    name: String,
    /// Its preset.
    #[schema(example = "standard-webhooks")]
    preset: Option<String>,
    /// What proves its deliveries.
    #[schema(value_type = String, example = "signature")]
    proof: &'static str,
    /// What of its preset has to be compared with the vendor's page; null where nothing has.
    compare: Option<String>,
    /// The instances that its commands go to.
    instances: Vec<String>,
    /// The zone of its dates.
    #[schema(example = "Australia/Melbourne")]
    zone: String,
    /// How many rules it has.
    rules: usize,
}

/// Lists the sources of webhooks
///
/// Those whose instances the caller may use, all of them. Needs the right `sources`.
#[utoipa::path(get, path = "/sources", tag = SOURCES, operation_id = "sources",
    responses((status = 200, description = "The sources.", body = SourceList)))]
async fn sources(State(app): State<App>, may: MaySeeSources) -> Json<SourceList> {
    let all = app
        .intake
        .as_ref()
        .map(|intake| intake.sources().all())
        .unwrap_or_default();
    let seen = all.iter().filter(|source| may.can_see(source));
    let view = |source: &std::sync::Arc<Source>| SourceView {
        name: source.name().to_owned(),
        preset: source.preset().map(str::to_owned),
        proof: source.verifier().settings().proof.name(),
        compare: source.compare().map(str::to_owned),
        instances: source.instances().to_vec(),
        zone: source.zone().to_owned(),
        rules: source.rule_count(),
    };
    Json(SourceList {
        sources: seen.map(view).collect(),
    })
}

/// A delivery to be explained.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = ExplainDelivery)]
pub struct ExplainDelivery {
    /// Its header fields, each a text.
    #[schema(value_type = Object, example = json!({"content-type": "application/json"}))]
    headers: Map<String, Value>,
    /// Its body, byte by byte.
    #[serde(default)]
    #[schema(example = "{\"type\": \"employee.hired\"}")]
    body: Option<String>,
    /// The body in base64, in place of `body`, where it is no text.
    #[serde(default)]
    body_base64: Option<String>,
    /// The type in its path.
    #[serde(default)]
    path_type: Option<String>,
    /// The secret in its path, without the `~`.
    #[serde(default)]
    path_secret: Option<String>,
    /// When it came (RFC 3339); its time is judged by that. Now, when it is left out.
    #[serde(default)]
    #[schema(format = "date-time")]
    received: Option<String>,
}

/// What would become of a delivery: `verification` (whether it is believed, and where it differs),
/// and each of its `events` with the rules that were tried, what their expressions gave, and the
/// commands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct SourceExplanation(Value);

/// Explains what a source makes of a delivery
///
/// One that is not believed is explained to its end as well. Nothing is stored. Needs the right
/// `sources`.
#[utoipa::path(post, path = "/sources/{source}/explain", tag = SOURCES, operation_id = "source-explain",
    params(("source" = String, Path, description = "The source's name.")), request_body = ExplainDelivery,
    responses((status = 200, description = "What would become of it.", body = SourceExplanation)))]
async fn explain_delivery(
    State(app): State<App>,
    may: MaySeeSources,
    name: Result<Path<String>, PathRejection>,
    arguments: Arguments<ExplainDelivery>,
) -> Result<Json<SourceExplanation>, Problem> {
    let Path(name) = name.map_err(|_| Problem::no_such_source())?;
    let source = intake_of(&app)?
        .sources()
        .get(&name)
        .filter(|source| may.can_see(source));
    let source = source.ok_or_else(Problem::no_such_source)?;
    let delivery = delivery(&name, arguments.value)?;
    let explanation = explain::explain(&source, &delivery).await;
    let explanation = serde_json::to_value(explanation).map_err(|_| Problem::internal())?;
    Ok(Json(SourceExplanation(explanation)))
}

fn delivery(name: &str, written: ExplainDelivery) -> Result<Delivery, Problem> {
    let body = match (written.body, written.body_base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => STANDARD
            .decode(text)
            .map_err(|_| Problem::bad_argument("/bodyBase64", "base64 with its padding is needed"))?,
        (_, _) => {
            return Err(Problem::bad_argument(
                "/body",
                "give `body` or `bodyBase64`, one of them",
            ));
        }
    };
    let mut headers = Vec::new();
    for (name, value) in written.headers {
        let Value::String(value) = value else {
            return Err(Problem::bad_argument("/headers", "each header field is a text"));
        };
        headers.push((name, value.into_bytes()));
    }
    let received = match written.received {
        None => jiff::Timestamp::now(),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::bad_argument("/received", "a time with its offset is needed"))?,
    };
    Ok(Delivery {
        method: "POST".to_owned(),
        target: SecretString::from(format!("/webhooks/{name}")),
        host: None,
        path_type: written.path_type,
        path_secret: written.path_secret.map(SecretString::from),
        headers: Headers::new(headers),
        body,
        received,
    })
}
