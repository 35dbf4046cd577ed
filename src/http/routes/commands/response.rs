//! The response to a command that ran.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    envelope::{self, CommandResponse, DryRun, Envelope, PlannedRequest, Signature, to_markdown},
    http::{
        negotiate::{Handling, PREFERENCE_APPLIED, Representation},
        observe::AccessRecord,
    },
    service::{Completed, Instance},
};

/// What a response is given beside its body.
struct Particulars {
    status: u16,
    retry_after: Option<Duration>,
    access_record: AccessRecord,
}

/// The response to a command that ran.
pub(super) fn answer(
    completed: Completed,
    instance: &Instance,
    representation: Representation,
    handling: Handling,
) -> Response {
    let Completed {
        command,
        outcome,
        journal,
        ..
    } = completed;
    let particulars = Particulars {
        status: envelope::status(&outcome),
        retry_after: outcome.retry_after(),
        access_record: AccessRecord {
            command: Some(command),
            instance: Some(instance.name().to_owned()),
            outcome: Some(outcome.label()),
            upstream_calls: Some(journal.calls as u64),
            dry_run: Some(journal.dry_run),
        },
    };
    let signature = Signature {
        brand: instance.brand(),
        instance_name: instance.name(),
    };
    let envelope = Envelope::new(signature, outcome);
    let response = if journal.dry_run {
        let dry_run = DryRun {
            changes: !journal.written.is_empty(),
            requests: journal.written.into_iter().map(PlannedRequest::from).collect(),
            envelope,
            ignored: journal.ignored,
        };
        CommandResponse::DryRun { dry_run }
    } else {
        CommandResponse::Envelope(envelope)
    };
    respond(response, particulars, representation, handling)
}

/// The response to a command that was answered before, with this status and envelope.
pub(super) fn answer_again(
    command: &'static str,
    instance: &Instance,
    (status, envelope): (u16, Envelope),
    representation: Representation,
    handling: Handling,
) -> Response {
    let particulars = Particulars {
        status,
        retry_after: None,
        access_record: AccessRecord {
            command: Some(command),
            instance: Some(instance.name().to_owned()),
            outcome: Some("repeated"),
            upstream_calls: Some(0),
            dry_run: Some(false),
        },
    };
    let response = CommandResponse::Envelope(envelope);
    respond(response, particulars, representation, handling)
}

fn respond(
    response: CommandResponse,
    particulars: Particulars,
    representation: Representation,
    handling: Handling,
) -> Response {
    let Particulars {
        status,
        retry_after,
        access_record,
    } = particulars;
    let lenient = handling == Handling::Lenient && status != 200;
    let status = if lenient { 200 } else { status };
    let mut response = body(response, representation);
    // The table of statuses has none that is not one.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if lenient {
        response
            .headers_mut()
            .insert(PREFERENCE_APPLIED, HeaderValue::from_static(Handling::LENIENT_APPLIED));
    }
    if let Some(wait) = retry_after {
        response.headers_mut().insert(
            header::RETRY_AFTER,
            HeaderValue::from(wait.as_millis().div_ceil(1000) as u64),
        );
    }
    response.extensions_mut().insert(access_record);
    response
}

fn body(response: CommandResponse, representation: Representation) -> Response {
    let text = match (representation, &response) {
        (Representation::Json, _) => return Json(&response).into_response(),
        (Representation::Markdown, CommandResponse::Envelope(envelope)) => to_markdown(envelope),
        (Representation::Markdown, CommandResponse::DryRun { dry_run }) => {
            let DryRun { requests, envelope, .. } = dry_run;
            let line = |request: &PlannedRequest| format!("- {} {}\n", request.method, request.path);
            let requests: String = requests.iter().map(line).collect();
            format!("### Dry run\n{requests}\n{}", to_markdown(envelope))
        }
    };
    ([(header::CONTENT_TYPE, representation.content_type())], text).into_response()
}
