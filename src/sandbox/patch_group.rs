//! PatchGroup's dialect (Developer Guide, "PatchGroup" and "Limitations"): members are added and
//! removed by lists of their ids, never replaced, never all removed at once; besides them only
//! `displayName` and `externalId` change.

use serde_json::Value;

use super::{
    filter,
    memberships::{MOST_MEMBERSHIP_CHANGES, member_ids},
    patch::{PatchOperation, Verb, operations, single_attribute},
    schema::{GROUP_ATTRIBUTES, find_attribute},
    wire::ErrorResponse,
};

/// A PatchGroup that was read and found well-formed; what it names is not looked up yet.
#[derive(Debug, PartialEq)]
pub(super) struct GroupPatch {
    pub(super) changes: Vec<Change>,
}

/// One elementary change to a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    AddMember(String),
    RemoveMember(String),
    Set(&'static str, Value),
    Clear(&'static str),
}

impl GroupPatch {
    /// Reads the body. More than a hundred membership changes in one request, over all its
    /// operations, get the generic 400 (slashdevops/idp-scim-sync #62).
    pub(super) fn parse(body: &Value) -> Result<Self, ErrorResponse> {
        let mut changes = Vec::new();
        for operation in operations(body)? {
            changes.extend(read(&operation)?);
        }
        let patch = Self { changes };
        if patch.membership_changes() > MOST_MEMBERSHIP_CHANGES {
            return Err(ErrorResponse::unparsable());
        }
        Ok(patch)
    }

    /// How many memberships it makes and ends; they count against a limit of their own.
    pub(super) fn membership_changes(&self) -> usize {
        self.changes
            .iter()
            .filter(|change| matches!(change, Change::AddMember(_) | Change::RemoveMember(_)))
            .count()
    }
}

fn read(operation: &PatchOperation) -> Result<Vec<Change>, ErrorResponse> {
    match (&operation.path, &operation.value) {
        (Some(path), value) => change(operation.verb, path, value.as_ref()),
        (None, Some(value)) => {
            let (name, value) = single_attribute(value)?;
            change(operation.verb, name, Some(value))
        }
        (None, None) => Err(ErrorResponse::unparsable()),
    }
}

fn change(verb: Verb, path: &str, value: Option<&Value>) -> Result<Vec<Change>, ErrorResponse> {
    if path.eq_ignore_ascii_case("members") {
        return members(verb, value);
    }
    if let Some(id) = single_member(path)? {
        // No capture shows this form, but Okta's generic client sends it and Okta is a supported
        // sender.
        return match verb {
            Verb::Remove => Ok(vec![Change::RemoveMember(id)]),
            Verb::Add | Verb::Replace => Err(ErrorResponse::unparsable()),
        };
    }
    let attribute = find_attribute(GROUP_ATTRIBUTES, path).ok_or_else(ErrorResponse::unparsable)?;
    match (verb, value) {
        (Verb::Add | Verb::Replace, Some(value)) => Ok(vec![Change::Set(attribute.name, value.clone())]),
        (Verb::Add | Verb::Replace, None) => Err(ErrorResponse::unparsable()),
        (Verb::Remove, _) => Ok(vec![Change::Clear(attribute.name)]),
    }
}

fn members(verb: Verb, value: Option<&Value>) -> Result<Vec<Change>, ErrorResponse> {
    let ids = || match value {
        // Without a list, or with an empty one, a removal would mean all members, which is refused.
        Some(Value::Array(items)) if !items.is_empty() => member_ids(items),
        Some(_) | None => Err(ErrorResponse::unparsable()),
    };
    match verb {
        Verb::Add => Ok(ids()?.into_iter().map(Change::AddMember).collect()),
        Verb::Remove => Ok(ids()?.into_iter().map(Change::RemoveMember).collect()),
        // mitodl/keycloak-scim #73, May 2026.
        Verb::Replace => Err(ErrorResponse::invalid("Replacing group memberships is not supported.")),
    }
}

/// The id in `members[value eq "id"]`.
fn single_member(path: &str) -> Result<Option<String>, ErrorResponse> {
    let Some((name, rest)) = path.split_once('[') else {
        return Ok(None);
    };
    let inside = rest.strip_suffix(']').ok_or_else(ErrorResponse::unparsable)?;
    let mut comparisons = filter::comparisons(inside)?;
    match (comparisons.pop(), comparisons.is_empty()) {
        (Some(one), true) if name.eq_ignore_ascii_case("members") && one.attribute == "value" => Ok(Some(one.value)),
        (Some(_) | None, _) => Err(ErrorResponse::unparsable()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(operations: Value) -> Result<GroupPatch, ErrorResponse> {
        GroupPatch::parse(&json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
        }))
    }

    fn people(count: usize) -> Value {
        (0..count)
            .map(|number| json!({"value": format!("u{number}")}))
            .collect()
    }

    #[test]
    fn the_documented_forms_are_read() {
        let rows = [
            (
                json!([{"op": "add", "path": "members", "value": [{"value": "a"}, {"value": "b", "type": "User", "$ref": "../Users/b"}]}]),
                vec![Change::AddMember("a".into()), Change::AddMember("b".into())],
            ),
            (
                json!([{"op": "Add", "value": {"id": "g", "members": [{"value": "a"}]}}]),
                vec![Change::AddMember("a".into())],
            ),
            (
                json!([{"op": "remove", "path": "members", "value": [{"value": "a"}]}, {"op": "add", "path": "members", "value": [{"value": "b"}]}]),
                vec![Change::RemoveMember("a".into()), Change::AddMember("b".into())],
            ),
            (
                json!([{"op": "REMOVE", "path": "members[value eq \"a\"]"}]),
                vec![Change::RemoveMember("a".into())],
            ),
            (
                json!([{"op": "replace", "path": "displayName", "value": "x"}, {"op": "replace", "path": "externalId", "value": "e"}]),
                vec![
                    Change::Set("displayName", json!("x")),
                    Change::Set("externalId", json!("e")),
                ],
            ),
            (
                json!([{"op": "replace", "value": {"id": "g", "displayName": "x"}}]),
                vec![Change::Set("displayName", json!("x"))],
            ),
            (
                json!([{"op": "remove", "path": "externalId"}]),
                vec![Change::Clear("externalId")],
            ),
        ];
        for (operations, expected) in rows {
            assert_eq!(
                parse(operations.clone()),
                Ok(GroupPatch { changes: expected }),
                "{operations}"
            );
        }
    }

    #[test]
    fn the_rest_is_refused() {
        let generic = "Request is unparsable, syntactically incorrect, or violates schema.";
        let replace = "Replacing group memberships is not supported.";
        let pathless = "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations modifying \
                        a single attribute.";
        let rows = [
            (json!([]), generic),
            (json!([{"op": "copy", "path": "members"}]), generic),
            (json!([{"op": "remove"}]), generic),
            (json!([{"op": "remove", "path": "members"}]), generic),
            (json!([{"op": "remove", "path": "members", "value": []}]), generic),
            (json!([{"op": "add", "path": "members", "value": []}]), generic),
            (
                json!([{"op": "add", "path": "members", "value": {"value": "a"}}]),
                generic,
            ),
            (
                json!([{"op": "add", "path": "members", "value": [{"value": "a", "display": "A"}]}]),
                generic,
            ),
            (
                json!([{"op": "add", "path": "members", "value": [{"value": "a", "type": "Group"}]}]),
                generic,
            ),
            (json!([{"op": "add", "path": "members", "value": [{}]}]), generic),
            (json!([{"op": "remove", "path": "members[display eq \"a\"]"}]), generic),
            (
                json!([{"op": "remove", "path": "members[value eq \"a\"].value"}]),
                generic,
            ),
            (json!([{"op": "replace", "path": "displayName"}]), generic),
            (json!([{"op": "replace", "path": "description", "value": "x"}]), generic),
            (
                json!([{"op": "replace", "path": "members", "value": [{"value": "a"}]}]),
                replace,
            ),
            (json!([{"op": "replace", "path": "members", "value": []}]), replace),
            (
                json!([{"op": "replace", "value": {"members": [{"value": "a"}]}}]),
                replace,
            ),
            (
                json!([{"op": "replace", "value": {"displayName": "x", "externalId": "e"}}]),
                pathless,
            ),
            (json!([{"op": "add", "path": "members", "value": people(101)}]), generic),
            (
                json!([{"op": "add", "path": "members", "value": people(60)}, {"op": "remove", "path": "members", "value": people(41)}]),
                generic,
            ),
        ];
        for (operations, detail) in rows {
            assert_eq!(parse(operations.clone()).unwrap_err().detail, detail, "{operations}");
        }
        assert_eq!(
            parse(json!([{"op": "add", "path": "members", "value": people(100)}]))
                .unwrap()
                .membership_changes(),
            100
        );
    }
}
