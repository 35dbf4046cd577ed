//! That the document is complete: each operation, property and example.

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
            batches::{BatchAccepted, BatchElement, BatchView},
            capabilities::Capabilities,
            events::{EventDetails, EventList, EventView},
            health::{Liveness, Readiness},
            mappers::{ExplainArguments, MappersInUse},
            operations::{
                ConfirmedChange, ConfirmedMove, OperationList, OperationTime, OperationView, OperationsChanged,
            },
            sources::{ExplainDelivery, SourceExplanation, SourceList},
            webhooks::WebhookAccepted,
        },
    },
    mapper::Explained,
};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{STALE, conforms, document, is_documented, method_of, operations, said, written};
use crate::{
    examples::examples,
    harness::{World, answer},
    process,
};

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
        .chain(
            [
                "health-live",
                "health-ready",
                "instances",
                "capabilities",
                "metrics",
                "mappers",
                "explain-mapper",
            ]
            .map(str::to_owned),
        )
        .chain(["operations", "operation"].map(str::to_owned))
        .chain(["webhook", "webhook-typed", "webhook-secret", "webhook-challenge"].map(str::to_owned))
        .chain(["events", "event", "event-verify-again", "event-replay"].map(str::to_owned))
        .chain(["sources", "source-explain"].map(str::to_owned))
        .chain(["batch", "batch-accept", "batch-operations"].map(str::to_owned))
        .chain(["retry", "cancel", "move"].map(|end| format!("operations-{end}")))
        .chain(["wait", "retry", "release", "cancel", "move"].map(|end| format!("operation-{end}")))
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
    let document = written();
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
        of::<Capabilities>(),
        of::<OperationView>(),
        of::<OperationList>(),
        of::<OperationTime>(),
        of::<OperationsChanged>(),
        of::<ConfirmedChange>(),
        of::<ConfirmedMove>(),
        of::<BatchElement>(),
        of::<BatchAccepted>(),
        of::<BatchView>(),
        of::<WebhookAccepted>(),
        of::<EventView>(),
        of::<EventList>(),
        of::<EventDetails>(),
        of::<SourceList>(),
        of::<ExplainDelivery>(),
        of::<SourceExplanation>(),
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
    // Made of the envelopes; `contract` looks into them.
    left.retain(|name, _| {
        !["Answer", "AnswerOrProblem", "DryRun"]
            .iter()
            .any(|end| name.ends_with(end))
    });
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
        let has_no_body = operation.get("requestBody").is_none();
        if method == "post" && !has_no_body {
            let body = &operation["requestBody"]["content"]["application/json"];
            conforms(&document, &body["schema"], &body["example"], &place);
            // What is no command has its example elsewhere.
            if let Some(command) = path.strip_prefix("/commands/") {
                let (_, example) = examples().into_iter().find(|(name, _)| *name == command).unwrap();
                assert_eq!(body["example"], example, "{place}");
            }
            let is_stored = path == "/batches" || path.starts_with("/webhooks/");
            let status = if is_stored { "202" } else { "200" };
            let answer = &operation["responses"][status]["content"]["application/json"]["example"];
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
        // Two methods, or routes that tell nothing of themselves.
        if path == "/operations/{id}" || path.starts_with("/webhooks/") {
            continue;
        }
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
