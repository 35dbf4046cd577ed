//! What operations have in common, told once and referred to: refusals, header fields, parameters,
//! and the two forms of a command's answer.

use serde_json::Value;
use utoipa::{
    PartialSchema as _, ToSchema as _,
    openapi::{
        Components, Content, Header, Ref, RefOr, Required, Response, Schema,
        header::HeaderBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type},
    },
};

use super::{
    filters, recorded,
    statuses::{REFUSALS, Refusal},
};
use crate::{
    envelope::{
        CreateGroupEnvelope, DeleteGroupEnvelope, DryRun, GetGroupEnvelope, MappingFieldsEnvelope, TestModuleEnvelope,
        UpdateGroupEnvelope, UserEnvelope,
    },
    http::{
        problem::{self, Problem, ProblemType},
        routes::operations::OperationView,
    },
};

/// Header fields of answers: the component, the field, and what it says.
const HEADERS: [(&str, &str, &str); 7] = [
    (
        "RequestId",
        "X-Request-Id",
        "The id under which the request stands in the logs.",
    ),
    (
        "RateLimit",
        "RateLimit",
        "What is left of it: `r` requests, and one more in `t` seconds.",
    ),
    (
        "RateLimitPolicy",
        "RateLimit-Policy",
        "What the caller is given: `q` requests in `w` seconds.",
    ),
    ("RetryAfter", "Retry-After", "Seconds to wait."),
    ("Challenge", "WWW-Authenticate", "How to prove who one is."),
    (
        "KeyExpiresAt",
        "Idempotency-Key-Expires-At",
        "Until when (RFC 3339) the request's key stands for this answer; without it the key is free.",
    ),
    (
        "Replayed",
        "Idempotent-Replayed",
        "`true` where this was answered before, under the same `Idempotency-Key`.",
    ),
];

/// The fields of an answer to a request that may bear a key.
const OF_KEYS: [&str; 2] = ["KeyExpiresAt", "Replayed"];

/// The fields of an answer with this status, by their components.
fn fields_of(status: &str, is_for_callers: bool) -> &'static [&'static str] {
    match (status, is_for_callers) {
        ("200" | "202", true) => &["RequestId", "RateLimit", "RateLimitPolicy"],
        ("401", _) => &["RequestId", "Challenge"],
        ("429", _) => &["RequestId", "RateLimit", "RateLimitPolicy", "RetryAfter"],
        ("503", true) => &["RequestId", "RetryAfter"],
        _ => &["RequestId"],
    }
}

/// Adds all that is referred to.
pub(super) fn declare(components: &mut Components) {
    for (name, _, description) in HEADERS {
        components
            .headers
            .insert(name.to_owned(), header(name, description).into());
    }
    for (name, parameter) in parameters().into_iter().chain(filters::parameters()) {
        components.parameters.insert(name.to_owned(), parameter.into());
    }
    for refusal in &REFUSALS {
        let mut response = Response::new(described(refusal.description, refusal.types));
        response
            .content
            .insert(problem::MEDIA_TYPE.to_owned(), RefOr::T(of_problem(refusal)));
        add_fields(refusal.status().as_str(), true, &mut response);
        components.responses.insert(refusal.name.to_owned(), response.into());
    }
}

/// Adds these refusals to an operation, by reference. What it says of their status itself stays.
pub(super) fn refuse(operation: &mut Operation, names: &[&str]) {
    for refusal in REFUSALS.iter().filter(|refusal| names.contains(&refusal.name)) {
        let status = refusal.status().as_str().to_owned();
        let responses = &mut operation.responses.responses;
        responses
            .entry(status)
            .or_insert_with(|| Ref::from_response_name(refusal.name).into());
    }
}

/// Adds the answer to a command that is stored, and its parameters.
pub(super) fn defer(operation: &mut Operation) {
    let mut accepted = Response::new(
        "Stored, as `Prefer: respond-async` asks: it will be carried out in its turn. `Location` is its address, where its state and its answer \
         are to be seen.",
    );
    let schema = Ref::from_schema_name(OperationView::name());
    let mut content = Content::new(Some(schema));
    content.example = recorded::deferred();
    accepted
        .content
        .insert("application/json".to_owned(), RefOr::T(content));
    accepted.headers.insert(
        "Location".to_owned(),
        header("Location", "The address of the operation.").into(),
    );
    operation
        .responses
        .responses
        .insert("202".to_owned(), RefOr::T(accepted));
    refuse(operation, &["NoStore"]);
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend(refer(&["NotBefore", "Purpose"]));
}

/// Adds the parameter of a key, and what answers say of it.
pub(super) fn key(operation: &mut Operation) {
    refuse(operation, &["KeyReused", "NoStore"]);
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend(refer(&["IdempotencyKey"]));
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            add_named(&OF_KEYS, response);
        }
    }
}

/// The refusal of this status among those of these names.
pub(super) fn refusal_of(status: &str, names: &[&str]) -> Option<&'static Refusal> {
    let mut named = REFUSALS.iter().filter(|refusal| names.contains(&refusal.name));
    named.find(|refusal| refusal.status().as_str() == status)
}

/// The body of a refusal, with its example.
pub(super) fn of_problem(refusal: &Refusal) -> Content {
    let mut content = Content::new(Some(Ref::from_schema_name(Problem::name())));
    content.example = refusal.example().and_then(|example| serde_json::to_value(example).ok());
    content
}

/// A description that names the types of problems, each with the address of its page.
pub(super) fn described(description: &str, types: &[ProblemType]) -> String {
    let links = types.iter().map(|each| format!("[{}]({})", each.name(), each.uri()));
    let links: Vec<_> = links.collect();
    format!("{description} See {}.", links.join(", "))
}

/// Adds the header fields of answers to all that the operation does not refer to.
pub(super) fn add_headers(operation: &mut Operation, is_for_callers: bool) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            add_fields(status, is_for_callers, response);
        }
    }
}

fn add_fields(status: &str, is_for_callers: bool, response: &mut Response) {
    add_named(fields_of(status, is_for_callers), response);
}

fn add_named(names: &[&str], response: &mut Response) {
    for (name, field, _) in HEADERS.iter().filter(|(name, ..)| names.contains(name)) {
        let component = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert((*field).to_owned(), RefOr::Ref(component));
    }
}

fn header(name: &str, description: &str) -> Header {
    let schema = match name {
        "RetryAfter" => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
        _ => ObjectBuilder::new().schema_type(Type::String),
    };
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

/// Parameters by reference.
pub(super) fn refer(names: &[&str]) -> impl Iterator<Item = RefOr<Parameter>> {
    let location = |name: &&str| Ref::new(format!("#/components/parameters/{name}"));
    names.iter().map(location).map(RefOr::Ref)
}

/// The parameters that operations share, by the names of their components. None has a default or an
/// example, which Swagger UI would send without being asked to.
fn parameters() -> [(&'static str, Parameter); 7] {
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
    let instance = "Which configured instance; the default one when absent.";
    let dry_run = "Read, but write nothing, and tell what would be sent. Without it, false.";
    let prefer = "`handling=lenient` (RFC 7240) answers a command that failed with 200 and the same envelope, for callers that throw away \
                  the body of anything else. `respond-async` stores a command that changes a directory, and answers at once with 202.";
    let not_before = "With `Prefer: respond-async`: before this time (RFC 3339, with its offset, ten years ahead at most) the command is not carried out.";
    let purpose =
        "With `Prefer: respond-async`: what the command is for, 1 to 64 letters, digits, `-`, `_`, `.` and `:`.";
    let key = "Does the request once: sent again with the same key, it gets its first answer again. 1 to 255 visible characters of ASCII, in double \
               quotes (RFC 8941) or without, kept for `idempotency_retention`. Needs a store. Passed over where nothing is written.";
    let time = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let request_id = "An id to find the request by, 1 to 128 letters, digits, `.`, `_` and `-`. Without one, or with anything else, one is made.";
    let boolean = ObjectBuilder::new().schema_type(Type::Boolean);
    let name = text().min_length(Some(1));
    [
        ("Instance", parameter("instance", ParameterIn::Query, instance, name)),
        ("DryRun", parameter("dryRun", ParameterIn::Query, dry_run, boolean)),
        ("Prefer", parameter("Prefer", ParameterIn::Header, prefer, text())),
        (
            "NotBefore",
            parameter("notBefore", ParameterIn::Query, not_before, time),
        ),
        ("Purpose", parameter("purpose", ParameterIn::Query, purpose, text())),
        (
            "IdempotencyKey",
            parameter("Idempotency-Key", ParameterIn::Header, key, text()),
        ),
        (
            "RequestId",
            parameter("X-Request-Id", ParameterIn::Header, request_id, text()),
        ),
    ]
}

/// The names of a command's answers in JSON.
pub(super) struct Answers {
    /// What came of the command.
    pub(super) answer: Ref,
    /// That, or a problem, which is answered under the same status.
    pub(super) or_problem: Ref,
}

/// Names a command's answer, which is its envelope or that of a dry run: `UserEnvelope` gives
/// `UserAnswer` and `UserDryRun`. Generators make a type of each name; what has none is a type of
/// its own in every status of every operation.
///
/// Some generators read the first form of a status alone, and their clients break on what is not in
/// it. So that form names the problem too where a status is shared, as `UserAnswerOrProblem`.
pub(super) fn answers(components: &mut Components, envelope: &RefOr<Schema>) -> Option<Answers> {
    let RefOr::Ref(named) = envelope else { return None };
    let name = named.ref_location.rsplit('/').next()?;
    let stem = name.strip_suffix("Envelope")?;
    let (answer, planned) = (format!("{stem}Answer"), format!("{stem}DryRun"));
    let or_problem = format!("{answer}OrProblem");
    let forms = || {
        OneOfBuilder::new()
            .item(envelope.clone())
            .item(Ref::from_schema_name(&planned))
    };
    let either = forms().description(Some(
        "What the command came to; or, asked for a dry run, what it would do.",
    ));
    let any = forms().item(Ref::from_schema_name(Problem::name())).description(Some(
        "What the command came to or would do, or the problem of a request that never became one, which comes as `application/problem+json`.",
    ));
    let schemas = &mut components.schemas;
    let dry_run = ObjectBuilder::new()
        .property("dryRun", dry_run(name)?)
        .required("dryRun")
        .description(Some("The answer to a dry run."));
    schemas.insert(planned.clone(), dry_run.into());
    schemas.insert(answer.clone(), either.into());
    schemas.insert(or_problem.clone(), any.into());
    Some(Answers {
        answer: Ref::from_schema_name(answer),
        or_problem: Ref::from_schema_name(or_problem),
    })
}

/// What a dry run tells beside this envelope.
fn dry_run(envelope: &str) -> Option<RefOr<Schema>> {
    let schema = match envelope {
        "UserEnvelope" => DryRun::<UserEnvelope>::schema(),
        "GetGroupEnvelope" => DryRun::<GetGroupEnvelope>::schema(),
        "CreateGroupEnvelope" => DryRun::<CreateGroupEnvelope>::schema(),
        "UpdateGroupEnvelope" => DryRun::<UpdateGroupEnvelope>::schema(),
        "DeleteGroupEnvelope" => DryRun::<DeleteGroupEnvelope>::schema(),
        "TestModuleEnvelope" => DryRun::<TestModuleEnvelope>::schema(),
        "MappingFieldsEnvelope" => DryRun::<MappingFieldsEnvelope>::schema(),
        _ => return None,
    };
    Some(schema)
}

/// The body of an answer in JSON.
pub(super) fn of_json(schema: Ref, example: Option<&Value>) -> Content {
    let mut content = Content::new(Some(schema));
    content.example = example.cloned();
    content
}

/// The body of an answer in Markdown.
pub(super) fn of_table() -> Content {
    let table = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The envelope as a table."));
    Content::new(Some(table))
}
