//! The OpenAPI document: that the committed one is the served one, that it is complete, and that
//! what is answered is what it says.

use std::collections::{BTreeMap, BTreeSet};

use aws_ilm::{
    commands::{
        create_group, create_user, delete_group, disable_user, get_group, get_mapping_fields, get_user, test_module,
        update_group, update_user,
    },
    envelope::{
        CreateGroupEnvelope, DeleteGroupEnvelope, GetGroupEnvelope, MappingFieldsEnvelope, PlannedRequest,
        TestModuleEnvelope, UpdateGroupEnvelope, UserEnvelope,
    },
    http::{
        self,
        problem::Problem,
        routes::{
            health::{Liveness, Readiness},
            mappers::{ExplainArguments, MappersInUse},
        },
    },
    mapper::Explained,
    sandbox::{Fault, FaultKind},
};
use reqwest::header::HeaderName;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    callers,
    examples::examples,
    harness::{Answer, Setup, World, answer},
    process,
};

const STALE: &str = "openapi/openapi.json is stale: cargo run -- openapi > openapi/openapi.json";

/// The one path beside the commands' that takes POST.
const EXPLAIN: &str = "/mappers/{name}/explain";

/// The method that a path is for, in lower case.
fn method_of(path: &str) -> &'static str {
    if path.starts_with("/commands/") || path == EXPLAIN {
        "post"
    } else {
        "get"
    }
}

fn document() -> Value {
    serde_json::from_str(&http::document()).unwrap()
}

/// Every operation: its path, its method in lower case, and what is said of it.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((path.as_str(), method.as_str(), operation));
        }
    }
    operations
}

/// The text of a field that must not be empty.
fn said(value: &Value, name: &str, place: &str) -> String {
    let text = value[name].as_str().unwrap_or_default();
    assert!(!text.trim().is_empty(), "{place} has no {name}: {value}");
    text.to_owned()
}

#[tokio::test]
async fn the_committed_document_is_the_served_and_the_printed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    // Not assert_eq!, which would print both.
    assert!(committed == http::document(), "{STALE}");
    let world = World::start().await;
    let served = world.get("/openapi.json").await;
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert!(
        committed == served.text,
        "what is served differs from what is committed"
    );
    let printed = process::run(&["openapi"], &[]);
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    assert!(
        committed == printed.stdout,
        "what is printed differs from what is committed"
    );
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for name in ["title", "description", "version"] {
        said(&document["info"], name, "info");
    }
    assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| {
            said(tag, "description", "a tag");
            tag["name"].as_str().unwrap()
        })
        .collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        said(operation, "summary", &place);
        said(operation, "description", &place);
        assert!(
            ids.insert(said(operation, "operationId", &place)),
            "{place}: operationId twice"
        );
        let own = operation["tags"].as_array().unwrap();
        assert!(
            !own.is_empty() && own.iter().all(|tag| tags.contains(tag.as_str().unwrap())),
            "{place}: {own:?}"
        );
        for parameter in operation["parameters"].as_array().unwrap() {
            said(parameter, "description", &format!("a parameter of {place}"));
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let place = format!("{status} of {place}");
            said(response, "description", &place);
            assert!(
                response["content"]
                    .as_object()
                    .is_some_and(|content| !content.is_empty()),
                "{place}"
            );
            for (name, header) in response["headers"].as_object().unwrap() {
                said(header, "description", &format!("{name} of {place}"));
            }
        }
    }
    let expected: BTreeSet<String> = examples()
        .iter()
        .map(|(command, _)| (*command).to_owned())
        .chain(["health-live", "health-ready", "instances", "mappers", "explain-mapper"].map(str::to_owned))
        .collect();
    assert_eq!(ids, expected);
}

#[test]
fn every_property_is_described_and_every_reference_resolves() {
    fn walk(document: &Value, value: &Value, place: &str, count: &mut usize) {
        match value {
            Value::Object(object) => {
                if let Some(target) = object.get("$ref") {
                    let target = target.as_str().unwrap();
                    assert!(
                        document.pointer(target.strip_prefix('#').unwrap()).is_some(),
                        "{place}: {target} is nowhere"
                    );
                    *count += 1;
                }
                // A property may be called `example`, but an example's keys are no schemas.
                for (key, value) in object.iter().filter(|(key, _)| *key != "example") {
                    let place = format!("{place}/{key}");
                    if key == "properties" {
                        for (name, property) in value.as_object().unwrap() {
                            // What is a named type or null is described beside the name.
                            let described = match property["oneOf"].as_array().map(Vec::as_slice) {
                                Some([named, null]) if *null == json!({"type": "null"}) => named,
                                _ => property,
                            };
                            said(described, "description", &format!("{place}/{name}"));
                        }
                    }
                    walk(document, value, &place, count);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    walk(document, value, &format!("{place}/{index}"), count);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut references = 0;
    walk(&document, &document, "#", &mut references);
    assert!(references > 100, "only {references} references");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        said(schema, "description", name);
    }
}

/// Beside the test in `http`, which compares routes: here each type, and all that it is made of, is
/// held to what stands under its name.
#[test]
fn no_two_types_share_a_schema_name() {
    fn of<T: ToSchema + PartialSchema>() -> Vec<(String, RefOr<Schema>)> {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        schemas
    }
    let types = [
        of::<create_user::Args>(),
        of::<update_user::Args>(),
        of::<get_user::Args>(),
        of::<disable_user::Args>(),
        of::<get_group::Args>(),
        of::<create_group::Args>(),
        of::<update_group::Args>(),
        of::<delete_group::Args>(),
        of::<test_module::Args>(),
        of::<get_mapping_fields::Args>(),
        of::<UserEnvelope>(),
        of::<GetGroupEnvelope>(),
        of::<CreateGroupEnvelope>(),
        of::<UpdateGroupEnvelope>(),
        of::<DeleteGroupEnvelope>(),
        of::<TestModuleEnvelope>(),
        of::<MappingFieldsEnvelope>(),
        of::<PlannedRequest>(),
        of::<Problem>(),
        of::<Liveness>(),
        of::<Readiness>(),
        of::<MappersInUse>(),
        of::<ExplainArguments>(),
        of::<Explained>(),
    ];
    let tops: BTreeSet<&str> = types.iter().map(|schemas| schemas[0].0.as_str()).collect();
    assert_eq!(tops.len(), types.len(), "two of the types have one name");
    let document = document();
    let mut left: BTreeMap<&str, &Value> = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, schema)| (name.as_str(), schema))
        .collect();
    for (name, schema) in types.iter().flatten() {
        let schema = serde_json::to_value(schema).unwrap();
        assert_eq!(document["components"]["schemas"][name], schema, "{name}");
        left.remove(name.as_str());
    }
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "list their types here"
    );
}

#[test]
fn examples_have_the_form_that_is_documented_for_them() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        if method == "post" {
            let body = &operation["requestBody"]["content"]["application/json"];
            conforms(&document, &body["schema"], &body["example"], &place);
            // The one post that is no command makes its example's answer when it is asked for the
            // document.
            if path != EXPLAIN {
                let command = path.strip_prefix("/commands/").unwrap();
                let (_, example) = examples().into_iter().find(|(name, _)| *name == command).unwrap();
                assert_eq!(body["example"], example, "{place}");
            }
            let answer = &operation["responses"]["200"]["content"]["application/json"]["example"];
            assert!(answer.is_object(), "{place} has no example of its answer");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            for (form, content) in response["content"].as_object().unwrap() {
                let place = format!("{place} {status} {form}");
                if let Some(example) = content.get("example") {
                    conforms(&document, &content["schema"], example, &place);
                }
                if form == "application/problem+json" {
                    assert_eq!(content["example"]["status"].to_string(), *status, "{place}");
                }
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            conforms(&document, schema, example, name);
        }
    }
}

#[test]
fn the_envelopes_keys_are_all_promised() {
    let document = document();
    for (name, count) in [("Vendor", 13), ("GroupResult", 12), ("TestResult", 6)] {
        let schema = &document["components"]["schemas"][name];
        let keys: BTreeSet<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let promised: BTreeSet<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap())
            .collect();
        assert_eq!((keys.len(), keys), (count, promised), "{name}");
    }
}

#[tokio::test]
async fn commands_are_posted_health_is_got_and_nothing_else_is_offered() {
    let world = World::start().await;
    let document = document();
    for (path, method, _) in operations(&document) {
        assert_eq!(method, method_of(path), "{path}");
        for other in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if other.to_lowercase() == method {
                continue;
            }
            let other = reqwest::Method::from_bytes(other.as_bytes()).unwrap();
            let answer = answer(world.http.request(other.clone(), world.url(path))).await;
            assert_eq!(answer.status, 405, "{other} {path}");
            let allowed = if method == "post" { "POST" } else { "GET,HEAD" };
            assert_eq!(answer.header("allow"), Some(allowed), "{other} {path}");
            is_documented(&document, path, method, &answer);
        }
    }
}

#[tokio::test]
async fn every_answer_that_can_be_provoked_is_documented() {
    let document = document();
    let mut seen = BTreeSet::new();
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_REQUEST_TIMEOUT", "300ms".to_owned()),
            ("AWS_ILM_BODY_TIMEOUT", "300ms".to_owned()),
            ("AWS_ILM_COMMAND_TIMEOUT", "600ms".to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let world = &world;
    let get_user = "/commands/iam-get-user";
    let test = json!({"user-profile": {"username": "test"}});
    let post = || world.http.post(world.url(get_user)).json(&test);
    let mut check = |status: u16, path: &str, answer: Answer| {
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        is_documented(&document, path, method_of(path), &answer);
        seen.insert(status);
    };

    for (command, arguments) in examples() {
        let path = format!("/commands/{command}");
        check(200, &path, world.post(&format!("{path}?dryRun=true"), &arguments).await);
        check(200, &path, world.post(&path, &arguments).await);
        let request = world.http.post(world.url(&path)).header("accept", "text/markdown");
        let status = if command == "iam-create-group" { 409 } else { 200 };
        // The group is gone, or there, after the first time.
        if command != "iam-delete-group" {
            check(status, &path, answer(request.json(&arguments)).await);
        }
        check(
            404,
            &path,
            world.post(&format!("{path}?instance=none"), &arguments).await,
        );
        check(400, &path, world.post(&format!("{path}?dryrun=true"), &arguments).await);
        check(400, &path, world.post(&path, &json!({"none": 1})).await);
        check(415, &path, answer(world.http.post(world.url(&path)).body("x")).await);
    }
    check(
        404,
        get_user,
        world
            .command("iam-get-user", &json!({"user-profile": {"username": "nobody"}}))
            .await,
    );
    check(
        400,
        get_user,
        world.command("iam-get-user", &json!({"user-profile": {}})).await,
    );
    let amira = json!({"user-profile": {"username": "new", "email": "amira.haddad@example.com", "givenname": "a", "surname": "b",
        "displayname": "c"}});
    check(
        409,
        "/commands/iam-create-user",
        world.command("iam-create-user", &amira).await,
    );
    check(413, get_user, answer(post().body("x".repeat(2 * 1024 * 1024))).await);
    check(421, get_user, answer(post().header("host", "evil.example")).await);
    check(431, get_user, answer(post().header("x", "x".repeat(33 * 1024))).await);
    let long = format!("{get_user}?instance={}", "x".repeat(9_000));
    check(414, get_user, world.post(&long, &test).await);
    check(408, get_user, begin_and_wait(world, get_user).await);

    let fault = |kind| world.sandbox.script(Fault::new(kind).forever());
    let retry_after = Some("7".to_owned());
    fault(FaultKind::Throttle { retry_after });
    // By id: what asks for a wait gets it, for the one API alone.
    let by_id = json!({"user-profile": {"id": "nobody"}});
    let throttled = world.command("iam-get-user", &by_id).await;
    assert_eq!(throttled.header("retry-after"), Some("7"));
    check(503, get_user, throttled);
    world.sandbox.clear_faults();
    fault(FaultKind::Status { status: 500 });
    check(502, get_user, world.command("iam-get-user", &test).await);
    world.sandbox.clear_faults();
    fault(FaultKind::Slow {
        milliseconds: 5_000,
        work_late: false,
    });
    check(504, get_user, world.command("iam-get-user", &test).await);
    world.sandbox.clear_faults();

    for path in ["/health/live", "/health/ready", "/instances", "/mappers"] {
        check(200, path, world.get(path).await);
        let request = || world.http.get(world.url(path));
        if !path.starts_with("/health") {
            check(421, path, answer(request().header("host", "evil.example")).await);
        }
        check(431, path, answer(request().header("x", "x".repeat(33 * 1024))).await);
        check(414, path, world.get(&format!("{path}?{}", "x".repeat(9_000))).await);
    }

    let explain = |name: &str| world.url(&EXPLAIN.replace("{name}", name));
    let profile = json!({"user-profile": {"username": "test"}});
    for (status, name, body) in [
        (200, "built-in", &profile),
        (200, "built-in", &json!({"user": {"userName": "test"}})),
        (400, "built-in", &json!({"none": 1})),
        (404, "none", &profile),
    ] {
        check(status, EXPLAIN, answer(world.http.post(explain(name)).json(body)).await);
    }
    let request = || world.http.post(explain("built-in"));
    check(415, EXPLAIN, answer(request().body("x")).await);
    let large = request().json(&profile).body("x".repeat(2 * 1024 * 1024));
    check(413, EXPLAIN, answer(large).await);
    let crooked = request().json(&profile).header("host", "evil.example");
    check(421, EXPLAIN, answer(crooked).await);

    let (key, digest) = callers::key();
    let nothing = callers::caller("a", &[&digest], "requests_per_second = 0.01");
    let (guarded, _file) = callers::world(&nothing, &[]).await;
    check(401, get_user, guarded.get_user(&[]).await);
    check(403, get_user, guarded.get_user(&[("x-api-key", &key)]).await);
    check(429, get_user, guarded.get_user(&[("x-api-key", &key)]).await);

    // Only a defect of ours gives 500; `layers` has one.
    let documented: BTreeSet<u16> = operations(&document)
        .iter()
        .flat_map(|(_, _, operation)| operation["responses"].as_object().unwrap().keys())
        .map(|status| status.parse().unwrap())
        .collect();
    let never: Vec<_> = documented.difference(&seen).collect();
    assert_eq!(never, [&405, &500], "405 has a test of its own");
}

/// Sends a request without the end of its body, and waits for what is said to that.
async fn begin_and_wait(world: &World, path: &str) -> Answer {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 10";
    stream
        .write_all(format!("POST {path} HTTP/1.1\r\n{head}\r\n\r\n{{").as_bytes())
        .await
        .unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    let (head, text) = told.split_once("\r\n\r\n").unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: fields
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect(),
        text: text.to_owned(),
    }
}

/// Whether the document tells of this status of this operation, in this form, with these headers
/// and of this shape.
fn is_documented(document: &Value, path: &str, method: &str, answer: &Answer) {
    let place = format!("{} of {method} {path}", answer.status);
    let response = &document["paths"][path][method]["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{place} is not documented: {}", answer.text);
    let form = answer.header("content-type").unwrap_or_default();
    let content = &response["content"][form];
    assert!(
        content.is_object(),
        "{form:?} for {place} is not documented: {}",
        answer.text
    );
    if form.ends_with("json") {
        conforms(document, &content["schema"], &answer.json(), &place);
    }
    for name in response["headers"].as_object().unwrap().keys() {
        // These are told to callers, and most of these answers are of a service without any.
        let is_there = name.starts_with("RateLimit") || answer.header(name).is_some();
        assert!(is_there, "{place} has no {name}");
    }
}

/// Holds a value to a schema, as far as JSON Schema is used in the document; anything else of it
/// fails too.
fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Err(fault) = fits(document, schema, value) {
        panic!("{place}: {fault}");
    }
}

fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let type_of = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    for (keyword, rule) in schema.as_object().ok_or("no schema")? {
        let holds = match keyword.as_str() {
            "$ref" => {
                let target = rule
                    .as_str()
                    .and_then(|target| target.strip_prefix('#'))
                    .unwrap_or_default();
                fits(document, document.pointer(target).ok_or("no target")?, value)?;
                true
            }
            "oneOf" => {
                rule.as_array()
                    .ok_or("no list")?
                    .iter()
                    .filter(|rule| fits(document, rule, value).is_ok())
                    .count()
                    == 1
            }
            "type" => {
                rule == type_of
                    || rule
                        .as_array()
                        .is_some_and(|types| types.iter().any(|name| name == type_of))
            }
            "enum" => rule.as_array().ok_or("no list")?.contains(value),
            "minimum" => value
                .as_f64()
                .zip(rule.as_f64())
                .is_none_or(|(value, least)| value >= least),
            "required" => {
                let object = value.as_object();
                let has =
                    |key: &Value| object.is_none_or(|object| object.contains_key(key.as_str().unwrap_or_default()));
                rule.as_array().ok_or("no list")?.iter().all(has)
            }
            "properties" => {
                for (name, rule) in rule.as_object().ok_or("no object")? {
                    if let Some(value) = value.get(name) {
                        fits(document, rule, value).map_err(|fault| format!("{name}: {fault}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if schema["properties"].get(name).is_none() && *rule != json!(true) {
                        if *rule == json!(false) {
                            return Err(format!("{name} is too much"));
                        }
                        fits(document, rule, value).map_err(|fault| format!("{name}: {fault}"))?;
                    }
                }
                true
            }
            "items" => {
                for value in value.as_array().into_iter().flatten() {
                    fits(document, rule, value)?;
                }
                true
            }
            "description" | "example" | "default" | "format" | "contentMediaType" | "propertyNames" => true,
            other => return Err(format!("{other} is not known here")),
        };
        if !holds {
            return Err(format!("{value} against {keyword} {rule}"));
        }
    }
    Ok(())
}
