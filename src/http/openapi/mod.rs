//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

mod security;
mod statuses;

use serde_json::{Value, json};
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Content, Header, Info, License, OpenApi, Ref, RefOr, Required, Response, Schema,
        header::HeaderBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Type},
        tag::TagBuilder,
    },
};

use self::statuses::{
    ENVELOPES, EXPLAIN_PROBLEMS, HEALTH_PROBLEMS, MISDIRECTED, PROBLEMS, PROBLEMS_WITHOUT_DIRECTORY, REFUSALS,
    UNKNOWABLE,
};
use super::{
    guard::OPEN,
    negotiate::Representation,
    problem::{self, FaultyPart, Problem},
    routes::{
        commands::{GROUPS, INSTANCE, USERS},
        health::HEALTH,
        mappers::{self, MAPPERS},
    },
};
use crate::envelope::{
    CreateGroupEnvelope, DeleteGroupEnvelope, GetGroupEnvelope, GroupMember, GroupResult, Iam, MappingFieldsEnvelope,
    PlannedRequest, TestModuleEnvelope, TestResult, UpdateGroupEnvelope, UserEnvelope, Vendor,
};

/// What the document says of the service as a whole.
const ABOUT: &str = "The IAM user lifecycle commands for AWS IAM Identity Center over SCIM 2.0. A command that ran answers with \
    the standard IAM result envelope, whatever came of it; a request that never became a command is told an RFC 9457 problem. The service \
    lets in whom its operator named as a caller; where no caller is named it listens on loopback alone, and credentials are not asked for.";

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
struct Components;

/// The document before any route has been added.
pub(super) fn base() -> OpenApi {
    let mut document = Components::openapi();
    let mut info = Info::new("aws-ilm", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    document.info = info;
    security::declare(&mut document);
    let tag = |name: &str, description: &str| TagBuilder::new().name(name).description(Some(description)).build();
    document.tags = Some(vec![
        tag(USERS, "A person's account: create, change, show, disable."),
        tag(GROUPS, "A group and its members."),
        tag(INSTANCE, "The configured directory itself."),
        tag(MAPPERS, "How profiles become SCIM users and back."),
        tag(HEALTH, "For whoever watches over the service."),
    ]);
    document
}

/// Adds to every operation what holds for all of them: parameters, the forms of its answer, every
/// status, and for each command an example of a request with its real answer.
pub(super) fn complete(document: &mut OpenApi) {
    for (name, example) in EXAMPLES {
        let path = document.paths.paths.get_mut(&format!("/commands/{name}"));
        if let Some(operation) = path.and_then(|path| path.post.as_mut()) {
            let example: Value = serde_json::from_str(example).unwrap_or_default();
            complete_command(name, operation, &example);
        }
    }
    let explain = document.paths.paths.get_mut("/mappers/{name}/explain");
    if let Some(operation) = explain.and_then(|path| path.post.as_mut()) {
        complete_explain(operation);
    }
    for (route, path) in &mut document.paths.paths {
        if let Some(operation) = path.get.as_mut() {
            add_problems(
                operation,
                &HEALTH_PROBLEMS,
                Problem::bad_header("Host", "is given twice"),
            );
        }
        for operation in [path.get.as_mut(), path.post.as_mut()].into_iter().flatten() {
            if OPEN.contains(&route.as_str()) {
                operation.security = Some(Vec::new());
            } else {
                add_problems(operation, &REFUSALS, Problem::unauthorised());
                for problem in [UNKNOWABLE, MISDIRECTED] {
                    if !operation.responses.responses.contains_key(problem.0) {
                        add_problems(operation, &[problem], Problem::unauthorised());
                    }
                }
                security::add_headers(operation);
            }
            add_request_id(operation);
        }
    }
}

fn complete_command(name: &str, operation: &mut Operation, example: &Value) {
    operation.parameters = Some(parameters().into_iter().map(RefOr::T).collect());
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        if WITHOUT_ARGUMENTS.contains(&name) {
            body.required = Some(Required::False);
        }
        if let Some(RefOr::T(content)) = body.content.get_mut("application/json") {
            content.example = Some(example["request"].clone());
        }
    }
    let faulty_query = || Problem::bad_parameter("dryrun", "is not known; there are `instance` and `dryRun`");
    add_problems(operation, &PROBLEMS, faulty_query());
    let Some(envelope) = envelope_of(operation) else { return };
    if name == WITHOUT_DIRECTORY {
        add_problems(operation, &PROBLEMS_WITHOUT_DIRECTORY, faulty_query());
        add_envelopes(operation, &ENVELOPES[..1], &envelope, &example["response"]);
    } else {
        add_problems(operation, &ENVELOPES, faulty_query());
        add_envelopes(operation, &ENVELOPES, &envelope, &example["response"]);
    }
}

fn complete_explain(operation: &mut Operation) {
    let (request, answer) = mappers::example();
    let faulty = Problem::bad_argument("/user", "give either `user-profile` or `user`");
    add_problems(operation, &EXPLAIN_PROBLEMS, faulty);
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
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("404")
        && let Some(RefOr::T(content)) = response.content.get_mut(problem::MEDIA_TYPE)
    {
        content.example = serde_json::to_value(statuses::no_such_mapper()).ok();
    }
}

/// Adds the envelope, in both its forms, to what is said of these statuses. The example is of the
/// first.
fn add_envelopes(operation: &mut Operation, statuses: &[(&str, &str)], envelope: &RefOr<Schema>, example: &Value) {
    let answer = OneOfBuilder::new()
        .item(envelope.clone())
        .item(dry_run(envelope.clone()));
    let table = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The envelope as a table."));
    let (json, table) = (Content::new(Some(Schema::from(answer))), Content::new(Some(table)));
    for (index, (status, description)) in statuses.iter().enumerate() {
        let mut json = json.clone();
        json.example = (index == 0).then(|| example.clone());
        let responses = &mut operation.responses.responses;
        let found = responses
            .entry((*status).to_owned())
            .or_insert_with(|| Response::new(*description).into());
        if let RefOr::T(response) = found {
            // The route itself says nothing but which envelope it is.
            response.description = (*description).to_owned();
            for (form, content) in [(Representation::Json, json), (Representation::Markdown, table.clone())] {
                response
                    .content
                    .insert(form.content_type().to_owned(), RefOr::T(content));
            }
        }
    }
}

/// Adds the answers that are, or may be, problems. `faulty` is the example of a faulty request.
fn add_problems(operation: &mut Operation, statuses: &[(&str, &str)], faulty: Problem) {
    for (status, description) in statuses {
        let mut response = Response::new(*description);
        if let Some(example) = statuses::example(status, &faulty) {
            let mut content = Content::new(Some(Ref::from_schema_name(Problem::name())));
            content.example = serde_json::to_value(example).ok();
            response
                .content
                .insert(problem::MEDIA_TYPE.to_owned(), RefOr::T(content));
        }
        if ["429", "503"].contains(status) {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
            response
                .headers
                .insert("Retry-After".to_owned(), header("Seconds to wait.", seconds));
        }
        operation
            .responses
            .responses
            .insert((*status).to_owned(), RefOr::T(response));
    }
}

/// Every request may bring an id, and every answer bears one.
fn add_request_id(operation: &mut Operation) {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let given = ParameterBuilder::new()
        .name("X-Request-Id")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "An id to find the request by, 1 to 128 letters, digits, `.`, `_` and `-`. Without one, or with anything else, one is made.",
        ))
        .schema(Some(text()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(given));
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let request_id = header("The id under which the request stands in the logs.", text());
            response.headers.insert("X-Request-Id".to_owned(), request_id);
        }
    }
}

fn header(description: &str, schema: ObjectBuilder) -> RefOr<Header> {
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
        .into()
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

/// The answer of a dry run, with the command's own envelope in it.
fn dry_run(envelope: RefOr<Schema>) -> Schema {
    let requests = ArrayBuilder::new()
        .items(Ref::from_schema_name(PlannedRequest::name()))
        .description(Some("The writes that would be sent, in order."));
    let envelope = match envelope {
        RefOr::Ref(mut named) => {
            named.description = "The envelope that would come, the directory's answers assumed.".to_owned();
            RefOr::Ref(named)
        }
        RefOr::T(schema) => RefOr::T(schema),
    };
    let inner = ObjectBuilder::new()
        .property("requests", requests)
        .required("requests")
        .property("envelope", envelope)
        .required("envelope")
        .description(Some("What would be done, having read but not written: the writes that would be sent, and the envelope that would come."));
    ObjectBuilder::new()
        .property("dryRun", inner)
        .required("dryRun")
        .description(Some("The answer to a dry run."))
        .build()
        .into()
}

fn parameters() -> Vec<Parameter> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let parameter = |name: &str, place: ParameterIn, description: &str, schema: ObjectBuilder| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema))
            .build()
    };
    vec![
        parameter(
            "instance",
            ParameterIn::Query,
            "Which configured instance; the default one when absent.",
            text().min_length(Some(1)),
        ),
        parameter(
            "dryRun",
            ParameterIn::Query,
            "Read, but write nothing, and tell what would be sent.",
            ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .default(Some(json!(false))),
        ),
        parameter(
            "Prefer",
            ParameterIn::Header,
            "`handling=lenient` (RFC 7240) answers a command that failed with 200 and the same envelope, and a refused body (400) with 200 and a failed one, \
             for callers that throw away the body of anything else.",
            text(),
        ),
    ]
}
