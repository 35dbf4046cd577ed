//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use serde_json::{Value, json};
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Content, Info, License, OpenApi, Ref, RefOr, Required, Response, Schema,
        header::HeaderBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, OneOfBuilder, Type},
        tag::TagBuilder,
    },
};

use super::{
    commands::{GROUPS, INSTANCE, USERS},
    health::HEALTH,
    mappers::MAPPERS,
    negotiate::Representation,
    problem::{self, FaultyPart, Problem},
};
use crate::{
    envelope::{
        CreateGroupEnvelope, DeleteGroupEnvelope, GetGroupEnvelope, GroupMember, GroupResult, Iam,
        MappingFieldsEnvelope, TestModuleEnvelope, TestResult, UpdateGroupEnvelope, UserEnvelope, Vendor,
    },
    service::PlannedRequest,
};

/// What the document says of the service as a whole.
const ABOUT: &str = "The IAM user lifecycle commands for AWS IAM Identity Center over SCIM 2.0. A command that ran answers with \
    the standard IAM result envelope, whatever came of it; a request that never became a command is told an RFC 9457 problem.";

/// Each command with an example request and the answer it got from the sandbox. The test `examples` sends them and compares.
const EXAMPLES: [(&str, &str); 10] = [
    (
        "iam-create-user",
        include_str!("../../openapi/examples/iam-create-user.json"),
    ),
    (
        "iam-update-user",
        include_str!("../../openapi/examples/iam-update-user.json"),
    ),
    ("iam-get-user", include_str!("../../openapi/examples/iam-get-user.json")),
    (
        "iam-disable-user",
        include_str!("../../openapi/examples/iam-disable-user.json"),
    ),
    (
        "iam-get-group",
        include_str!("../../openapi/examples/iam-get-group.json"),
    ),
    (
        "iam-create-group",
        include_str!("../../openapi/examples/iam-create-group.json"),
    ),
    (
        "iam-update-group",
        include_str!("../../openapi/examples/iam-update-group.json"),
    ),
    (
        "iam-delete-group",
        include_str!("../../openapi/examples/iam-delete-group.json"),
    ),
    ("test-module", include_str!("../../openapi/examples/test-module.json")),
    (
        "get-mapping-fields",
        include_str!("../../openapi/examples/get-mapping-fields.json"),
    ),
];

/// When a command's envelope comes with which status. The same words stand in the README's table.
const ENVELOPES: [(&str, &str); 7] = [
    ("200", "Done, or skipped because there was nothing to do. Go on."),
    (
        "400",
        "The profile or `scim` holds what can't be sent, or the request itself is faulty (a problem). Mend the data.",
    ),
    (
        "404",
        "The user or the group is not there; or no such instance (a problem).",
    ),
    ("409", "A conflict: a duplicate, or more than one match. Decide."),
    (
        "502",
        "The directory refused our token, failed, or answered what can't be used. Tell the operator, or try later.",
    ),
    (
        "503",
        "The directory throttles or can't be reached, or the service is busy or stopping (a problem). Try again after `Retry-After`.",
    ),
    (
        "504",
        "The directory was too slow, or the command's time was over. Try later: repeating a command is safe.",
    ),
];

/// The statuses of requests that never become a command.
const PROBLEMS: [(&str, &str); 9] = [
    ("405", "The method is not `POST`."),
    (
        "406",
        "Nothing that `Accept` names can be made: there are `application/json` and `text/markdown`.",
    ),
    ("408", "The body did not arrive in time."),
    ("413", "The body is too large."),
    ("414", "The URL is too long."),
    ("415", "The body is not declared as JSON in UTF-8, or it is compressed."),
    ("421", "The `Host` is not one that this service answers to."),
    ("431", "The header fields are too large."),
    ("500", "A defect of the service. Its `requestId` is in the log."),
];

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

/// Adds to every command's operation what holds for all of them: parameters, the forms of its answer, every status, an
/// example of a request with its real answer.
pub(super) fn complete(document: &mut OpenApi) {
    for (name, example) in EXAMPLES {
        let path = document.paths.paths.get_mut(&format!("/commands/{name}"));
        if let Some(operation) = path.and_then(|path| path.post.as_mut()) {
            let example: Value = serde_json::from_str(example).unwrap_or_default();
            complete_operation(operation, &example);
        }
    }
}

fn complete_operation(operation: &mut Operation, example: &Value) {
    operation.parameters = Some(parameters().into_iter().map(RefOr::T).collect());
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && let Some(RefOr::T(content)) = body.content.get_mut("application/json")
    {
        content.example = Some(example["request"].clone());
        // A command that takes no arguments may come without a body.
        let takes_none = example["request"].as_object().is_some_and(|request| request.is_empty());
        body.required = Some(if takes_none { Required::False } else { Required::True });
    }
    let Some(envelope) = envelope_of(operation) else { return };
    let told: Schema = OneOfBuilder::new()
        .item(envelope.clone())
        .item(dry_run(envelope))
        .into();
    let json = |example: Option<Value>| {
        let mut content = Content::new(Some(told.clone()));
        content.example = example;
        content
    };
    let markdown = Content::new(Some(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The envelope as a table.")),
    ));
    for (status, description) in ENVELOPES {
        let mut response = Response::new(description);
        let example = (status == "200").then(|| example["response"].clone());
        response
            .content
            .insert("application/json".to_owned(), RefOr::T(json(example)));
        response.content.insert(
            Representation::Markdown.content_type().to_owned(),
            RefOr::T(markdown.clone()),
        );
        if ["400", "404", "503"].contains(&status) {
            response
                .content
                .insert(problem::MEDIA_TYPE.to_owned(), RefOr::T(problem_content()));
        }
        if status == "503" {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
            let header = HeaderBuilder::new()
                .schema(Some(seconds))
                .description(Some("Seconds to wait."))
                .build();
            response.headers.insert("Retry-After".to_owned(), header.into());
        }
        operation
            .responses
            .responses
            .insert(status.to_owned(), RefOr::T(response));
    }
    for (status, description) in PROBLEMS {
        let mut response = Response::new(description);
        response
            .content
            .insert(problem::MEDIA_TYPE.to_owned(), RefOr::T(problem_content()));
        operation
            .responses
            .responses
            .insert(status.to_owned(), RefOr::T(response));
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

/// The answer of a dry run, with the command's own envelope in it.
fn dry_run(envelope: RefOr<Schema>) -> Schema {
    let requests = utoipa::openapi::schema::ArrayBuilder::new().items(Ref::from_schema_name(PlannedRequest::name()));
    let inner = ObjectBuilder::new()
        .property("requests", requests)
        .required("requests")
        .property("envelope", envelope)
        .required("envelope")
        .description(Some("What would be done, having read but not written: the writes that would be sent, and the envelope that would come."));
    ObjectBuilder::new()
        .property("dryRun", inner)
        .required("dryRun")
        .build()
        .into()
}

fn problem_content() -> Content {
    Content::new(Some(Ref::from_schema_name(Problem::name())))
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
            "`handling=lenient` (RFC 7240) answers a command that failed with 200 and the same envelope, for callers that throw away the body of anything else.",
            text(),
        ),
    ]
}
