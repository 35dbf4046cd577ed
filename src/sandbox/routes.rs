//! From an HTTP request to an operation on the directory and back.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode, header},
};
use serde_json::Value;

use super::{
    ForeignIds, Inside, Sandbox,
    directory::Directory,
    discovery,
    faults::FaultKind,
    groups::{self, NewGroup},
    journal::RecordedRequest,
    operation::Operation,
    patch_group::GroupPatch,
    users,
    wire::{Answer, ErrorResponse, hang_up, respond, respond_raw},
};

/// The largest body taken, in bytes. AWS names no limit; a hundred members are about ten kilobytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// Answers everything that is not a control endpoint.
pub(super) async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |both| both.as_str()).to_owned();
    let (tenant, operation) = Operation::recognise(&parts.method, parts.uri.path());
    let right_tenant = tenant.is_none_or(|tenant| tenant == sandbox.shared.tenant_id);
    let body = to_bytes(body, LARGEST_BODY).await;
    let json = body.as_ref().ok().and_then(|bytes| serde_json::from_slice(bytes).ok());
    let (number, fault) = {
        let mut inside = sandbox.inside();
        let api = operation.name();
        let method = parts.method.to_string();
        let number = inside.journal.arrived(RecordedRequest {
            api,
            method,
            path,
            body: json,
            status: None,
        });
        (number, inside.faults.strike(api))
    };
    let call = Call {
        operation,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.map_err(|_| ()),
        right_tenant,
    };
    let response = answer(sandbox.clone(), call, fault).await;
    if response.extensions().get::<super::wire::HangUp>().is_none() {
        sandbox.inside().journal.answered(number, response.status().as_u16());
    }
    response
}

/// A request taken apart.
struct Call {
    operation: Operation,
    query: String,
    headers: HeaderMap,
    /// An error when it was too large or broke off.
    body: Result<Bytes, ()>,
    right_tenant: bool,
}

/// Answers a call, with or without a fault.
async fn answer(sandbox: Sandbox, call: Call, fault: Option<FaultKind>) -> Response<Body> {
    match fault {
        None => respond(perform(&sandbox, &call)),
        Some(FaultKind::Throttle { retry_after }) => respond(Err(ErrorResponse {
            retry_after,
            ..ErrorResponse::throttled()
        })),
        Some(FaultKind::Status { status }) => respond(Err(scripted(status))),
        Some(FaultKind::Raw {
            status,
            content_type,
            body,
        }) => respond_raw(status_code(status), &content_type, &body),
        Some(FaultKind::Slow {
            milliseconds,
            work_late,
        }) => {
            let delay = Duration::from_millis(milliseconds);
            // In a task of its own: hyper drops this future when the client leaves, and the late
            // work is to be done nevertheless, as it would be behind a real front end.
            let late = tokio::spawn(async move {
                if work_late {
                    tokio::time::sleep(delay).await;
                    perform(&sandbox, &call)
                } else {
                    let result = perform(&sandbox, &call);
                    tokio::time::sleep(delay).await;
                    result
                }
            });
            late.await.map_or_else(|_| hang_up(), respond)
        }
        Some(FaultKind::HangUp) => hang_up(),
        Some(FaultKind::AnswerLost) => {
            // What the work came to is what gets lost.
            let _lost = perform(&sandbox, &call);
            hang_up()
        }
        Some(FaultKind::FailAfterWork { status }) => {
            let _hidden = perform(&sandbox, &call);
            respond(Err(scripted(status)))
        }
    }
}

/// Carries a call out, in one short stretch under the lock.
fn perform(sandbox: &Sandbox, call: &Call) -> Result<Answer, ErrorResponse> {
    let mut inside = sandbox.inside();
    let inside: &mut Inside = &mut inside;
    if !call.right_tenant || !bears_token(&call.headers, &inside.tokens) {
        return Err(ErrorResponse::unauthorized());
    }
    let now = Instant::now();
    if let Some(limits) = &mut inside.limits {
        limits.request(call.operation.name(), call.operation.writes(), now)?;
    }
    let directory = &mut inside.directory;
    if sandbox.shared.foreign_ids == ForeignIds::BadRequest && names_foreign_id(&call.operation, directory) {
        return Err(ErrorResponse::unparsable());
    }
    let mut count_memberships = |changes| match &mut inside.limits {
        Some(limits) => limits.memberships(changes, now),
        None => Ok(()),
    };
    match &call.operation {
        Operation::ListUsers => users::list(directory, &call.query),
        Operation::GetUser(id) => users::get(directory, id),
        Operation::CreateUser => users::create(directory, &call.json()?),
        Operation::PutUser(id) => users::put(directory, id, &call.json()?),
        Operation::PatchUser(id) => users::patch(directory, id, &call.json()?),
        Operation::DeleteUser(id) => users::delete(directory, id),
        Operation::ListGroups => groups::list(directory, &call.query),
        Operation::GetGroup(id) => groups::get(directory, id),
        Operation::CreateGroup => {
            let group = NewGroup::parse(&call.json()?)?;
            count_memberships(group.membership_changes())?;
            group.create(directory)
        }
        Operation::PatchGroup(id) => {
            let patch = GroupPatch::parse(&call.json()?)?;
            count_memberships(patch.membership_changes())?;
            groups::patch(directory, id, &patch, &sandbox.shared.unknown_member)
        }
        Operation::DeleteGroup(id) => {
            let answer = groups::delete(directory, id)?;
            if let Some(seed) = &inside.restored_from {
                directory.restore_group(seed, id);
            }
            Ok(answer)
        }
        Operation::ServiceProviderConfig => Ok(discovery::service_provider_config()),
        Operation::Schemas(urn) => discovery::schemas(urn.as_deref()),
        Operation::ResourceTypes => Ok(discovery::resource_types()),
        // The guide says that PUT on a group is unsupported and that what is unsupported gets 400;
        // the answer itself was never captured, so this is an assumption, as it is for every other
        // method a path does not have.
        Operation::Unsupported => Err(ErrorResponse::unparsable()),
        Operation::Unknown => Err(ErrorResponse::not_found()),
    }
}

/// Whether an operation is about a user or a group by an id that is neither there nor of the form
/// of AWS's ids.
fn names_foreign_id(operation: &Operation, directory: &Directory) -> bool {
    let (id, is_there) = match operation {
        Operation::GetUser(id) | Operation::PutUser(id) | Operation::PatchUser(id) | Operation::DeleteUser(id) => {
            (id, directory.users.get(id).is_ok())
        }
        Operation::GetGroup(id) | Operation::PatchGroup(id) | Operation::DeleteGroup(id) => {
            (id, directory.groups.get(id).is_ok())
        }
        Operation::ListUsers
        | Operation::CreateUser
        | Operation::ListGroups
        | Operation::CreateGroup
        | Operation::ServiceProviderConfig
        | Operation::Schemas(_)
        | Operation::ResourceTypes
        | Operation::Unsupported
        | Operation::Unknown => return false,
    };
    !is_there && !is_resource_id(id)
}

/// Whether an id has the form of the Identity Store API's `ResourceId`: a UUID, or ten hexadecimal
/// digits, a hyphen and a UUID. The API knows no upper case in the ten digits; this takes both.
fn is_resource_id(id: &str) -> bool {
    let mut groups: Vec<_> = id.split('-').collect();
    if groups.len() == 6 && groups[0].len() == 10 {
        let digits = groups.remove(0);
        if !is_hexadecimal(digits) {
            return false;
        }
    }
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| is_hexadecimal(group))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Call {
    /// The body as JSON.
    ///
    /// Both media types are in use against AWS, and some clients send none at all. The statuses for
    /// another type (400) and for a body too large (413) are assumptions.
    fn json(&self) -> Result<Value, ErrorResponse> {
        let bytes = self.body.as_ref().map_err(|()| {
            ErrorResponse::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request body exceeds the allowed size.",
            )
        })?;
        if let Some(media_type) = self.headers.get(header::CONTENT_TYPE) {
            let essence = media_type
                .to_str()
                .unwrap_or_default()
                .split(';')
                .next()
                .unwrap_or_default()
                .trim();
            if !["application/json", "application/scim+json"]
                .iter()
                .any(|name| essence.eq_ignore_ascii_case(name))
            {
                return Err(ErrorResponse::unparsable());
            }
        }
        serde_json::from_slice(bytes).map_err(|_| ErrorResponse::unparsable())
    }
}

fn bears_token(headers: &HeaderMap, tokens: &[String]) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && tokens.iter().any(|known| known == token)
}

fn scripted(status: u16) -> ErrorResponse {
    ErrorResponse::new(status_code(status), "A scripted fault.")
}

/// A status that hyper can send as a final one; anything else becomes 500.
fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|status| !status.is_informational())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
