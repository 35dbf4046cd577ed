//! That the OpenAPI document is complete: each thing in it says what it is, and its examples have
//! the form that they are given for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    conforms::{conforms, document, operations, written},
    examples::examples,
};

/// The text of a field that must not be empty.
fn said(value: &Value, name: &str, place: &str) -> String {
    let text = value[name].as_str().unwrap_or_default();
    assert!(!text.trim().is_empty(), "{place} has no {name}: {value}");
    text.to_owned()
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
    let document = written();
    let mut references = 0;
    walk(&document, &document, "#", &mut references);
    assert!(references > 100, "only {references} references");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        said(schema, "description", name);
    }
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
            if path.starts_with("/commands/") {
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
