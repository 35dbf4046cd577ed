//! What HR systems post. The verifier of the source guards these routes, and no caller's
//! credentials are asked for.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts as _, Path, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{events::not_stored, operations::written};
use crate::{
    audit,
    http::{
        body::RawBody,
        observe::{AccessRecord, Unlogged},
        principal::{KEYS_RETRY, Origin},
        problem::Problem,
        state::App,
    },
    webhooks::{Delivery, Headers, Intake, IntakeError, ReceivedEvent, Taken, body::BodyError, verify::Handshake},
};

pub(in crate::http) const WEBHOOKS: &str = "Webhooks";

/// The routes of senders.
pub(super) fn routes() -> [OpenApiRouter<App>; 3] {
    [
        OpenApiRouter::new().routes(routes!(post, challenge)),
        OpenApiRouter::new().routes(routes!(post_typed)),
        OpenApiRouter::new().routes(routes!(post_secret)),
    ]
}

/// The events of a webhook that is stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAccepted {
    /// The ids of its events, in its order; each has its address, `/events/{id}`. What came before
    /// has the id that it had then.
    #[schema(example = json!(["0197f3a2-8f0b-7c3e-9d55-0c4f5f6d7a81"]))]
    events: Vec<String>,
}

impl WebhookAccepted {
    pub(super) fn new(events: Vec<ReceivedEvent>) -> Self {
        Self {
            events: events.into_iter().map(|event| event.id).collect(),
        }
    }
}

/// Takes a webhook
///
/// The body is whatever the source's sender sends, proven as the source is configured, and stored
/// before it is answered. Whatever is wrong with the proof, and if there is no such source, the
/// answer is the same 401. A source of security event tokens is answered as RFC 8935 says: 202
/// without a body, or 400 with `err` and `description`.
#[utoipa::path(post, path = "/webhooks/{source}", tag = WEBHOOKS, operation_id = "webhook",
    params(("source" = String, Path, description = "The source's name.")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, description = "Stored, or stored before.", body = WebhookAccepted)))]
async fn post(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    take(app, request).await
}

/// Takes a webhook whose path has its type
///
/// As `POST /webhooks/{source}`. A type that begins with `~` is the secret of the path.
#[utoipa::path(post, path = "/webhooks/{source}/{type}", tag = WEBHOOKS, operation_id = "webhook-typed",
    params(
        ("source" = String, Path, description = "The source's name."),
        ("type" = String, Path, description = "The type of its events; or `~` and the secret of the path."),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, description = "Stored, or stored before.", body = WebhookAccepted)))]
async fn post_typed(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    take(app, request).await
}

/// Takes a webhook whose path has a secret and its type
///
/// As `POST /webhooks/{source}`.
#[utoipa::path(post, path = "/webhooks/{source}/{secret}/{type}", tag = WEBHOOKS, operation_id = "webhook-secret",
    params(
        ("source" = String, Path, description = "The source's name."),
        ("secret" = String, Path, description = "`~` and the secret of the path."),
        ("type" = String, Path, description = "The type of its events."),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, description = "Stored, or stored before.", body = WebhookAccepted)))]
async fn post_secret(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    take(app, request).await
}

/// Answers a challenge
///
/// As senders ask before they send the first webhook. A source whose sender asks nothing is
/// answered like one that is not there.
#[utoipa::path(get, path = "/webhooks/{source}", tag = WEBHOOKS, operation_id = "webhook-challenge",
    params(("source" = String, Path, description = "The source's name.")),
    responses((status = 200, description = "What the sender wants to hear.", body = ChallengeAnswer)))]
async fn challenge(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (name, delivery, ..) = head(&app, request).await?;
    let source = app.intake.as_ref().and_then(|intake| intake.sources().get(&name));
    match source.and_then(|source| source.verifier().challenge(&delivery)) {
        Some(Handshake::Challenge(value)) => Ok(Json(ChallengeAnswer(value)).into_response()),
        Some(Handshake::Echo { .. } | Handshake::Ping | Handshake::Token(_)) | None => Err(Problem::webhook_unproven()),
    }
}

/// What was said by the challenge, as the sender wants it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct ChallengeAnswer(serde_json::Value);

async fn take(app: App, request: Request) -> Result<Response, Problem> {
    let (name, mut delivery, origin, request) = head(&app, request).await?;
    if request.headers().contains_key(header::EXPECT)
        && let Some(intake) = &app.intake
        && let Err(error) = intake.judge_head(&name, &delivery, origin.address).await
    {
        return Ok(refusal(&origin, error));
    }
    // Reading is what tells a sender that expects a 100 (Continue) to go on.
    delivery.body = RawBody::from_request(request, &app).await?.bytes;
    delivery.received = now(&app);
    let Some(intake) = &app.intake else {
        // Without a source there is none of this name.
        return Err(Problem::webhook_unproven());
    };
    let taken = intake.take(&name, delivery, origin.address).await;
    match taken {
        Ok(taken) => {
            if let Some(Handshake::Token(token)) = &taken.handshake
                && intake.sources().get(&name).is_some_and(|source| source.shows(token))
            {
                show_once(&name, token);
            }
            Ok(answer(&origin, &name, taken))
        }
        Err(error) => Ok(refusal(&origin, error)),
    }
}

/// The delivery that a request is, without its body, which is in the request that is given back.
async fn head(app: &App, request: Request) -> Result<(String, Delivery, Origin, Request), Problem> {
    let (mut parts, body) = request.into_parts();
    let path: Path<HashMap<String, String>> = Path::from_request_parts(&mut parts, app)
        .await
        .map_err(|_| Problem::webhook_unproven())?;
    let (mut secret, mut path_type) = (path.0.get("secret").cloned(), path.0.get("type").cloned());
    if secret.is_none() && path_type.as_ref().is_some_and(|text| text.starts_with('~')) {
        secret = path_type.take();
    }
    let secret = match secret.as_deref().map(|text| text.strip_prefix('~')) {
        None => None,
        Some(Some(secret)) => Some(SecretString::from(secret)),
        Some(None) => return Err(Problem::webhook_unproven()),
    };
    let origin: Origin = parts.extensions.get().cloned().ok_or_else(Problem::internal)?;
    let fields = parts.headers.iter();
    let headers = Headers::new(fields.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())));
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let host = parts.uri.host().map(str::to_owned);
    let host = host.or_else(|| headers.one("host").ok().flatten().map(str::to_owned));
    let (method, target) = (parts.method.to_string(), SecretString::from(target));
    let delivery = Delivery {
        method,
        target,
        host,
        path_type,
        path_secret: secret,
        headers,
        body: Vec::new(),
        received: now(app),
    };
    let name = path.0.get("source").cloned().unwrap_or_default();
    Ok((name, delivery, origin, Request::from_parts(parts, body)))
}

fn now(app: &App) -> Timestamp {
    let operations = app.operations.as_ref();
    operations.map_or_else(Timestamp::now, |operations| operations.now())
}

fn answer(origin: &Origin, name: &str, taken: Taken) -> Response {
    audit::received(
        origin.audit_event(None),
        name,
        taken.events.iter().map(|event| &*event.id),
    );
    if taken.is_security_event {
        return StatusCode::ACCEPTED.into_response();
    }
    let echo = match taken.handshake {
        Some(Handshake::Challenge(value)) => return Json(value).into_response(),
        Some(Handshake::Ping | Handshake::Token(_)) => return StatusCode::OK.into_response(),
        Some(Handshake::Echo { name, value }) => Some((name, value)),
        None => None,
    };
    let mut response = (StatusCode::ACCEPTED, Json(WebhookAccepted::new(taken.events))).into_response();
    if let Some((name, value)) = echo
        && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
    {
        response.headers_mut().insert(name, value);
    }
    response.extensions_mut().insert(AccessRecord {
        outcome: Some("received"),
        ..AccessRecord::default()
    });
    response
}

/// Shows the operator a sender's secret, which comes once. The one place where a secret is written:
/// on the terminal of the service, where its operator needs it, and in no log.
#[expect(clippy::print_stdout, reason = "the operator's terminal, and no log")]
fn show_once(name: &str, token: &SecretString) {
    let at = written(Timestamp::now());
    println!(
        "\nThe source {name} was told its secret at {at}. Compare it with what the sender shows, and put it into the \
         source's secret file:\n\n  {}\n",
        token.expose_secret().escape_debug()
    );
    tracing::warn!(
        source_name = name,
        "a source was told its secret, which is shown on stdout once"
    );
}

fn refusal(origin: &Origin, error: IntakeError) -> Response {
    match error {
        IntakeError::Unproven {
            source_name,
            reason,
            is_reported,
        } => {
            let mut response = Problem::webhook_unproven().into_response();
            if is_reported {
                let of = source_name.map_or_else(String::new, |name| format!(" (source {name})"));
                audit::refused(origin.audit_event(None), &format!("{reason}{of}"));
            } else {
                response.extensions_mut().insert(Unlogged);
            }
            response
        }
        IntakeError::KeysUnavailable => Problem::keys_unavailable(KEYS_RETRY).into_response(),
        IntakeError::Body {
            error: error @ (BodyError::Type(_) | BodyError::Charset),
            is_security_event: false,
        } => Problem::webhook_type(&error.to_string()).into_response(),
        IntakeError::Body {
            error,
            is_security_event,
        } => bad(&error.to_string(), is_security_event),
        IntakeError::Events {
            error,
            is_security_event,
        } => bad(&error.to_string(), is_security_event),
        IntakeError::Reused {
            position,
            is_security_event,
            ..
        } => {
            let detail = format!(
                "The id of event {} is that of another event, which stands.",
                position + 1
            );
            if is_security_event {
                return security_event_error(&detail);
            }
            Problem::event_reused(&detail).into_response()
        }
        IntakeError::Store(error) => not_stored(error).into_response(),
        IntakeError::Gone | IntakeError::Broken => Problem::internal().into_response(),
    }
}

fn bad(detail: &str, is_security_event: bool) -> Response {
    if is_security_event {
        return security_event_error(detail);
    }
    Problem::bad_webhook(detail).into_response()
}

/// RFC 8935 section 2.3.
fn security_event_error(description: &str) -> Response {
    let body = json!({"err": "invalid_request", "description": description});
    let language = (header::CONTENT_LANGUAGE, "en");
    (StatusCode::BAD_REQUEST, [language], Json(body)).into_response()
}

/// The intake, or the problem that there are no sources.
pub(super) fn intake_of(app: &App) -> Result<&Arc<Intake>, Problem> {
    app.intake.as_ref().ok_or_else(Problem::no_such_source)
}
