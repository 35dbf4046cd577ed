//! What the PATCHes of users and groups have in common: the message around the operations (RFC 7644
//! section 3.5.2).

use serde_json::{Map, Value};

use super::{validate, wire::ErrorResponse};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// What an operation does. Entra writes the names with a capital letter and is a supported sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

/// One element of `Operations`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PatchOperation {
    pub(super) verb: Verb,
    pub(super) path: Option<String>,
    pub(super) value: Option<Value>,
}

/// Reads a PATCH body: `schemas` names PatchOp, `Operations` is a list of at least one.
pub(super) fn operations(body: &Value) -> Result<Vec<PatchOperation>, ErrorResponse> {
    let body = body.as_object().ok_or_else(ErrorResponse::unparsable)?;
    validate::check_schemas(body.get("schemas").ok_or_else(ErrorResponse::unparsable)?, &[PATCH_OP])?;
    if body.keys().any(|key| key != "schemas" && key != "Operations") {
        return Err(ErrorResponse::unparsable());
    }
    let list = body
        .get("Operations")
        .and_then(Value::as_array)
        .ok_or_else(ErrorResponse::unparsable)?;
    if list.is_empty() {
        return Err(ErrorResponse::unparsable());
    }
    list.iter().map(operation).collect()
}

/// The one attribute of an operation without a path, in AWS's captured words (goauthentik/authentik
/// #12321). A group's sample in the guide carries the resource's `id` beside it, which does not
/// count.
pub(super) fn single_attribute(value: &Value) -> Result<(&String, &Value), ErrorResponse> {
    let attributes: Vec<_> = value
        .as_object()
        .ok_or_else(ErrorResponse::unparsable)?
        .iter()
        .filter(|(key, _)| *key != "id")
        .collect();
    match attributes[..] {
        [one] => Ok(one),
        _ => Err(ErrorResponse::invalid(
            "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying a \
             single attribute.",
        )),
    }
}

fn operation(item: &Value) -> Result<PatchOperation, ErrorResponse> {
    let item: &Map<String, Value> = item.as_object().ok_or_else(ErrorResponse::unparsable)?;
    if item.keys().any(|key| !["op", "path", "value"].contains(&key.as_str())) {
        return Err(ErrorResponse::unparsable());
    }
    let verb = match item
        .get("op")
        .and_then(Value::as_str)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("add") => Verb::Add,
        Some("replace") => Verb::Replace,
        Some("remove") => Verb::Remove,
        Some(_) | None => return Err(ErrorResponse::unparsable()),
    };
    let path = match item.get("path") {
        None => None,
        Some(Value::String(path)) if !path.is_empty() => Some(path.clone()),
        Some(_) => return Err(ErrorResponse::unparsable()),
    };
    let value = item.get("value").cloned();
    let complete = match verb {
        Verb::Add | Verb::Replace => value.as_ref().is_some_and(|value| !value.is_null()),
        Verb::Remove => path.is_some(),
    };
    if complete {
        Ok(PatchOperation { verb, path, value })
    } else {
        Err(ErrorResponse::unparsable())
    }
}
