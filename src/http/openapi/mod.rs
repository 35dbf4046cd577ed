//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

mod components;
mod filters;
mod recorded;
mod security;
mod statuses;

use serde_json::Value;
use utoipa::{
    OpenApi as _,
    openapi::{
        Components, Contact, Info, License, OpenApi, RefOr, Required, Response, Schema, Server, path::Operation,
        tag::TagBuilder,
    },
};

use self::{
    components::Answers,
    statuses::{BESIDE_ENVELOPES, ENVELOPES, OF_ALL, OF_BODIES, OF_CALLERS},
};
use super::{
    guard::{OPEN, WEBHOOKS as WEBHOOK_ROUTES},
    negotiate::Representation,
    problem::{self, FaultyPart, Problem},
    routes::{
        batches::BATCHES,
        commands::{GROUPS, INSTANCE, USERS},
        health::HEALTH,
        mappers::{self, MAPPERS},
        operations::OPERATIONS,
        sources::SOURCES,
        webhooks::WEBHOOKS,
    },
};
use crate::{
    commands,
    envelope::{
        CreateGroupEnvelope, DeleteGroupEnvelope, GetGroupEnvelope, GroupMember, GroupResult, Iam,
        MappingFieldsEnvelope, PlannedRequest, TestModuleEnvelope, TestResult, UpdateGroupEnvelope, UserEnvelope,
        Vendor,
    },
};

/// What the document says of the service as a whole.
const ABOUT: &str = "The IAM user lifecycle commands for AWS IAM Identity Center over SCIM 2.0. A command that ran answers with \
    the standard IAM result envelope, whatever came of it; a request that never became a command is told an RFC 9457 problem, \
    whose `type` is the address of a page about it ([all of them](/problems)). A failed command has `success: false`, and says why in \
    `errorCode` and `errorMessage`. Every answer bears the request's id in `X-Request-Id`. The service lets in whom its operator named as a caller; where no caller is named it listens on loopback alone, and credentials are not asked for.";

/// Each command with an example request and the answer it got from the sandbox. The test `examples`
/// sends them and compares.
const EXAMPLES: [(&str, &str); 10] = [
    (
        "iam-create-user",
        include_str!("../../../openapi/examples/iam-create-user.json"),
    ),
    (
        "iam-update-user",
        include_str!("../../../openapi/examples/iam-update-user.json"),
    ),
    (
        "iam-get-user",
        include_str!("../../../openapi/examples/iam-get-user.json"),
    ),
    (
        "iam-disable-user",
        include_str!("../../../openapi/examples/iam-disable-user.json"),
    ),
    (
        "iam-get-group",
        include_str!("../../../openapi/examples/iam-get-group.json"),
    ),
    (
        "iam-create-group",
        include_str!("../../../openapi/examples/iam-create-group.json"),
    ),
    (
        "iam-update-group",
        include_str!("../../../openapi/examples/iam-update-group.json"),
    ),
    (
        "iam-delete-group",
        include_str!("../../../openapi/examples/iam-delete-group.json"),
    ),
    (
        "test-module",
        include_str!("../../../openapi/examples/test-module.json"),
    ),
    (
        "get-mapping-fields",
        include_str!("../../../openapi/examples/get-mapping-fields.json"),
    ),
];

/// Commands that need no body.
const WITHOUT_ARGUMENTS: [&str; 2] = ["test-module", WITHOUT_DIRECTORY];

/// The command that never asks the directory, so that none of its answers comes of one.
const WITHOUT_DIRECTORY: &str = "get-mapping-fields";

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    Problem,
    FaultyPart,
    UserEnvelope,
    Iam,
    Vendor,
    GetGroupEnvelope,
    CreateGroupEnvelope,
    UpdateGroupEnvelope,
    DeleteGroupEnvelope,
    GroupResult,
    GroupMember,
    TestModuleEnvelope,
    TestResult,
    MappingFieldsEnvelope,
    PlannedRequest,
)))]
struct Named;

/// The document before any route has been added.
pub(super) fn base() -> OpenApi {
    let mut document = Named::openapi();
    let mut info = Info::new("aws-ilm", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    let mut contact = Contact::new();
    contact.name = Some(env!("CARGO_PKG_AUTHORS").to_owned());
    info.contact = Some(contact);
    document.info = info;
    // Where the document is, the service is.
    document.servers = Some(vec![Server::new("/")]);
    security::declare(&mut document);
    let tag = |name: &str, description: &str| TagBuilder::new().name(name).description(Some(description)).build();
    document.tags = Some(vec![
        tag(USERS, "A person's account: create, change, show, disable."),
        tag(GROUPS, "A group and its members."),
        tag(
            OPERATIONS,
            "Commands that are stored and carried out in their turn: those sent with `Prefer: respond-async`, and, where there is a store, every \
             command that changes a directory.",
        ),
        tag(
            BATCHES,
            "Many commands in one request, stored all or none and carried out in their turn.",
        ),
        tag(WEBHOOKS, "What HR systems post. The source's verifier guards it."),
        tag(SOURCES, "Who posts webhooks, and what became of what they posted."),
        tag(INSTANCE, "The configured directory itself."),
        tag(MAPPERS, "How profiles become SCIM users and back."),
        tag(HEALTH, "For whoever watches over the service."),
    ]);
    document
}

/// Adds to every operation what holds for all of them: parameters, the forms of its answer, every
/// status, and for each command an example of a request with its real answer.
pub(super) fn complete(document: &mut OpenApi) {
    let OpenApi { paths, components, .. } = document;
    let components = components.get_or_insert_default();
    components::declare(components);
    for (name, example) in EXAMPLES {
        let path = paths.paths.get_mut(&format!("/commands/{name}"));
        if let Some(operation) = path.and_then(|path| path.post.as_mut()) {
            let example: Value = serde_json::from_str(example).unwrap_or_default();
            complete_command(name, operation, components, &example);
        }
    }
    let explain = paths.paths.get_mut("/mappers/{name}/explain");
    if let Some(operation) = explain.and_then(|path| path.post.as_mut()) {
        complete_explain(operation);
    }
    for (route, path) in &mut paths.paths {
        let is_webhook = WEBHOOK_ROUTES.contains(&route.as_str());
        let is_open = is_webhook || OPEN.contains(&route.as_str());
        if let Some(operation) = path.get.as_mut() {
            components::refuse(operation, &["BadHost"]);
        }
        if let Some(operation) = path.post.as_mut() {
            if route == "/batches" {
                components::refuse(operation, &["BadBatch"]);
            }
            components::refuse(operation, &OF_BODIES);
        }
        if let Some(operation) = path.patch.as_mut() {
            components::refuse(operation, &OF_BODIES);
        }
        let all = [path.get.as_mut(), path.post.as_mut(), path.patch.as_mut()];
        for operation in all.into_iter().flatten() {
            if route.starts_with("/operations") {
                complete_operation(route, operation);
            }
            if is_webhook {
                complete_webhook(operation);
            }
            if route.starts_with("/events") || route.starts_with("/sources") {
                complete_event(route, operation);
            }
            if route.starts_with("/batches") {
                complete_batch(route, operation);
            }
            recorded::add_example(operation);
            components::refuse(operation, &OF_ALL);
            if is_open {
                operation.security = Some(Vec::new());
            } else {
                components::refuse(operation, &OF_CALLERS);
                components::refuse(operation, &["Unavailable"]);
            }
            components::add_headers(operation, !is_open);
            let parameters = operation.parameters.get_or_insert_default();
            parameters.extend(components::refer(&["RequestId"]));
        }
    }
}

fn complete_command(name: &str, operation: &mut Operation, components: &mut Components, example: &Value) {
    operation.parameters = Some(components::refer(&["Instance", "DryRun", "Prefer"]).collect());
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        if WITHOUT_ARGUMENTS.contains(&name) {
            body.required = Some(Required::False);
        }
        if let Some(RefOr::T(content)) = body.content.get_mut("application/json") {
            content.example = Some(example["request"].clone());
        }
    }
    let answers = envelope_of(operation).and_then(|envelope| components::answers(components, &envelope));
    let Some(answers) = answers else { return };
    let statuses = if name == WITHOUT_DIRECTORY {
        &ENVELOPES[..1]
    } else {
        &ENVELOPES
    };
    add_envelopes(operation, statuses, &answers, &example["response"]);
    components::refuse(operation, &BESIDE_ENVELOPES);
    if commands::NAMES
        .iter()
        .any(|(command, writes)| command == &name && *writes)
    {
        components::defer(operation);
        components::key(operation);
    }
}

fn complete_batch(route: &str, operation: &mut Operation) {
    components::refuse(operation, &["NoStore"]);
    match route {
        "/batches" => components::key(operation),
        "/batches/{id}/operations" => components::refuse(operation, &["NoSuchBatch", "BadRequest"]),
        _ => components::refuse(operation, &["NoSuchBatch"]),
    }
}

fn complete_webhook(operation: &mut Operation) {
    components::refuse(operation, &["WebhookUnproven"]);
    if operation.operation_id.as_deref() != Some("webhook-challenge") {
        components::refuse(operation, &["BadWebhook", "EventReused", "Unavailable"]);
    }
}

fn complete_event(route: &str, operation: &mut Operation) {
    if route.starts_with("/events") {
        components::refuse(operation, &["NoStore"]);
    }
    if route == "/events" {
        components::refuse(operation, &["BadRequest"]);
    }
    if route.starts_with("/events/{id}") {
        components::refuse(operation, &["NoSuchEvent"]);
    }
    if route.starts_with("/events/{id}/") {
        components::refuse(operation, &["NoSuchSource", "EventState"]);
    }
    if route.starts_with("/sources/") {
        components::refuse(operation, &["NoSuchSource", "BadRequest"]);
    }
}

fn complete_operation(route: &str, operation: &mut Operation) {
    components::refuse(operation, &["NoStore"]);
    let filters = filters::of(route);
    let parameters = operation.parameters.get_or_insert_default();
    parameters.splice(0..0, components::refer(&filters));
    if operation
        .operation_id
        .as_deref()
        .is_some_and(|id| id.starts_with("operations-"))
    {
        components::refuse(operation, &["SelectionGone"]);
    }
    if route.contains("{id}") {
        components::refuse(operation, &["NoSuchOperation"]);
        let changes = operation
            .operation_id
            .as_deref()
            .is_some_and(|id| id != "operation" && id != "operation-wait");
        if changes {
            components::refuse(operation, &["OperationState"]);
        }
    } else {
        components::refuse(operation, &["BadRequest"]);
    }
    if route.ends_with("/wait") {
        components::refuse(operation, &["BadRequest"]);
    }
}

fn complete_explain(operation: &mut Operation) {
    let (request, answer) = mappers::example();
    components::refuse(operation, &["NoSuchMapper"]);
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && let Some(RefOr::T(content)) = body.content.get_mut("application/json")
    {
        content.example = Some(request);
    }
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200")
        && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
    {
        content.example = Some(answer);
    }
}

/// Says of these statuses that the envelope comes with them, and the problems that do too. The
/// envelope goes first, since generators take the first form that they know; the table goes last.
/// The example is of the first status.
fn add_envelopes(operation: &mut Operation, statuses: &[(&str, &str)], answers: &Answers, example: &Value) {
    for (index, (status, description)) in statuses.iter().enumerate() {
        let refusal = components::refusal_of(status, &BESIDE_ENVELOPES);
        let example = (index == 0).then_some(example);
        let schema = if refusal.is_some() {
            &answers.or_problem
        } else {
            &answers.answer
        };
        let mut forms = vec![(
            Representation::Json.content_type(),
            components::of_json(schema.clone(), example),
        )];
        forms.extend(refusal.map(|refusal| (problem::MEDIA_TYPE, components::of_problem(refusal))));
        forms.push((Representation::Markdown.content_type(), components::of_table()));
        let mut response = Response::new(match refusal {
            Some(refusal) => components::described(description, refusal.types),
            None => (*description).to_owned(),
        });
        response.content = forms
            .into_iter()
            .map(|(form, content)| (form.to_owned(), RefOr::T(content)))
            .collect();
        operation
            .responses
            .responses
            .insert((*status).to_owned(), RefOr::T(response));
    }
}

fn envelope_of(operation: &Operation) -> Option<RefOr<Schema>> {
    let RefOr::T(response) = operation.responses.responses.get("200")? else {
        return None;
    };
    match response.content.get("application/json")? {
        RefOr::T(content) => content.schema.clone(),
        RefOr::Ref(_) => None,
    }
}
