//! The OpenAPI document for tests: as it is written, with what it refers to put in place, and a
//! value held to one of its schemas.

use aws_ilm::http;
use serde_json::{Value, json};

/// The document as it is written.
pub(crate) fn written() -> Value {
    serde_json::from_str(&http::document()).unwrap()
}

/// The document with the responses, header fields and parameters that its operations share put
/// where they are referred to. Schemas stay references.
pub(crate) fn document() -> Value {
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
pub(crate) fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((path.as_str(), method.as_str(), operation));
        }
    }
    operations
}

/// Holds a value to a schema, as far as JSON Schema is used in the document; anything else of it
/// fails too.
pub(crate) fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
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
