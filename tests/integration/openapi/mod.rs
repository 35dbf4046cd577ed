//! The OpenAPI document: that the committed one is the served one, that it is complete, and that
//! what is answered is what it says.

mod answers;
mod contract;
mod described;
mod recorded;

use aws_ilm::http;
use serde_json::{Value, json};

use crate::harness::Answer;

const STALE: &str = "openapi/openapi.json is stale: cargo run -- openapi > openapi/openapi.json";

/// The one path beside the commands' that takes POST.
const EXPLAIN: &str = "/mappers/{name}/explain";

/// The method that a path is for, in lower case.
/// How paths end that are posted to and are no commands.
const CHANGES: [&str; 4] = ["/retry", "/release", "/cancel", "/move"];

fn method_of(path: &str) -> &'static str {
    if path.starts_with("/commands/")
        || path == EXPLAIN
        || path == "/batches"
        || path == "/sources/{source}/explain"
        || path.starts_with("/events/{id}/")
        || CHANGES.iter().any(|end| path.ends_with(end))
    {
        "post"
    } else {
        "get"
    }
}

/// The document as it is written.
fn written() -> Value {
    serde_json::from_str(&http::document()).unwrap()
}

/// The document with the responses, header fields and parameters that its operations share put
/// where they are referred to. Schemas stay references.
fn document() -> Value {
    fn put(value: &mut Value, written: &Value) {
        let shared = ["responses", "headers", "parameters"].map(|kind| format!("#/components/{kind}/"));
        let target = value.get("$ref").and_then(Value::as_str);
        let target = target.filter(|target| shared.iter().any(|start| target.starts_with(start)));
        if let Some(target) = target {
            *value = written.pointer(&target[1..]).unwrap().clone();
        }
        match value {
            Value::Object(object) => object.values_mut().for_each(|value| put(value, written)),
            Value::Array(list) => list.iter_mut().for_each(|value| put(value, written)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let written = written();
    let mut document = written.clone();
    put(&mut document["paths"], &written);
    document
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
        // These are told to callers, and most of these answers are of a service without any, or
        // of requests that bear no key.
        let is_there = name.starts_with("Idempot") || name.starts_with("RateLimit") || answer.header(name).is_some();
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
            "description" | "example" | "examples" | "default" | "format" | "contentMediaType" | "propertyNames" => {
                true
            }
            other => return Err(format!("{other} is not known here")),
        };
        if !holds {
            return Err(format!("{value} against {keyword} {rule}"));
        }
    }
    Ok(())
}
