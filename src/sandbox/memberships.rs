//! Members of a group, as requests name them.

use serde_json::Value;

use super::{schema::MEMBER_ATTRIBUTES, validate, wire::ErrorResponse};

/// The most members a CreateGroup may bring, and the most membership changes a PatchGroup
/// (Developer Guide).
pub(super) const MOST_MEMBERSHIP_CHANGES: usize = 100;

/// The ids in a list of members. `display` is refused, and so is any type but `User`: groups don't
/// nest.
pub(super) fn member_ids(items: &[Value]) -> Result<Vec<String>, ErrorResponse> {
    items
        .iter()
        .map(|item| {
            let member = validate::object(
                MEMBER_ATTRIBUTES,
                item.as_object().ok_or_else(ErrorResponse::unparsable)?,
            )?;
            member
                .get("value")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or_else(ErrorResponse::unparsable)
        })
        .collect()
}
