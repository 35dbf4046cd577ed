//! What answers are held against: whole envelopes as text, keys in their order, and the people and
//! groups the tests are about.

use serde_json::{Value, json};

use crate::harness::Answer;

/// The enterprise extension's schema.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user command's envelope as text. `vendor` has what differs from an uneventful success.
pub(crate) fn user_envelope(profile: &Value, vendor: &Value) -> String {
    let uneventful = json!({
        "brand": "AWS-ILM", "instanceName": "AWS-ILM_instance_1", "action": null, "success": true, "active": null, "id": null,
        "username": null, "email": null, "errorCode": null, "errorMessage": "", "details": {}, "skipped": false, "reason": "",
    });
    json!({"IAM": {"UserProfile": profile, "Vendor": over(uneventful, vendor)}}).to_string()
}

/// A group command's envelope as text, under its key. `result` has what differs from an uneventful
/// success.
pub(crate) fn group_envelope(key: &str, result: &Value) -> String {
    let uneventful = json!({
        "brand": "AWS-ILM", "instanceName": "AWS-ILM_instance_1", "success": true, "active": null, "id": null, "username": null,
        "email": null, "errorCode": null, "errorMessage": null, "details": null, "displayName": null, "members": null,
    });
    json!({key: over(uneventful, result)}).to_string()
}

/// A user envelope's `Vendor` after success: the app user as the directory has it.
pub(crate) fn done(action: &str, user: &Value, email: &Value) -> Value {
    json!({
        "action": action, "active": user["active"], "id": user["id"], "username": user["userName"], "email": email, "details": user,
    })
}

/// A user envelope's `Vendor` after a skip.
pub(crate) fn skipped(action: &str, reason: &str, email: &Value, details: &Value) -> Value {
    json!({"action": action, "skipped": true, "reason": reason, "email": email, "details": details})
}

/// A user envelope's `Vendor` after a failure.
pub(crate) fn failed(action: &str, code: u16, message: &str, email: &Value, details: &Value) -> Value {
    json!({
        "action": action, "success": false, "errorCode": code, "errorMessage": message, "email": email, "details": details,
    })
}

/// `base` with the values of `changes`, whose keys it must have.
fn over(mut base: Value, changes: &Value) -> Value {
    let object = base.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        assert!(object.contains_key(key), "an envelope has no {key}");
        object.insert(key.clone(), value.clone());
    }
    base
}

/// An active person in a directory, with only what AWS requires and an e-mail.
pub(crate) fn person(id: &str, user_name: &str) -> Value {
    json!({
        "id": id, "userName": user_name, "name": {"givenName": "Test", "familyName": "User"}, "displayName": "Test User",
        "emails": [{"value": format!("{user_name}@example.com"), "type": "work", "primary": true}], "active": true,
    })
}

/// The same person with further or other attributes.
pub(crate) fn but(mut person: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!("attributes are an object")
    };
    person.as_object_mut().unwrap().extend(changes);
    person
}

/// A profile that [`person`] of this name would answer to, complete enough to be created.
pub(crate) fn profile(user_name: &str) -> Value {
    json!({
        "username": user_name, "email": format!("{user_name}@example.com"), "givenname": "Test", "surname": "User",
        "displayname": "Test User",
    })
}

/// What the default outgoing mapping makes of [`profile`].
pub(crate) fn mapped(user_name: &str) -> Value {
    json!({
        "userName": user_name, "displayName": "Test User", "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"value": format!("{user_name}@example.com"), "type": "work", "primary": true}],
    })
}

/// A group without members.
pub(crate) fn group(id: &str, display_name: &str) -> Value {
    json!({"id": id, "displayName": display_name})
}

/// `count` people, `m-0` and so on, and the group `g-1` that holds the first `members` of them.
pub(crate) fn crowd(count: usize, members: usize) -> Value {
    let people: Vec<_> = (0..count)
        .map(|n| person(&format!("m-{n}"), &format!("member{n}")))
        .collect();
    let members: Vec<_> = (0..members).map(|n| json!({"value": format!("m-{n}")})).collect();
    json!({"users": people, "groups": [{"id": "g-1", "displayName": "The best group", "members": members}]})
}

/// The ids of the crowd from one to before another.
pub(crate) fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("m-{n}")).collect()
}

/// A text in which AWS's request ids are `X`.
pub(crate) fn without_request_ids(text: &str) -> String {
    const BEFORE: &str = "(AWS request id ";
    let mut parts = text.split(BEFORE);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(')').unwrap();
        masked.push_str(BEFORE);
        masked.push('X');
        masked.push_str(&part[end..]);
    }
    masked
}

/// What a command's arguments are about, for each of them.
pub(crate) fn every_command() -> [(&'static str, Value); 9] {
    let about = json!({"user-profile": profile("test")});
    [
        ("iam-get-user", about.clone()),
        ("iam-create-user", about.clone()),
        ("iam-update-user", about.clone()),
        ("iam-disable-user", about),
        ("iam-get-group", json!({"scim": {"id": "g-1"}})),
        ("iam-create-group", json!({"scim": {"displayName": "New"}})),
        (
            "iam-update-group",
            json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ["u-1"]}),
        ),
        ("iam-delete-group", json!({"scim": {"id": "g-1"}})),
        ("test-module", json!({})),
    ]
}

/// The part of an answer that says how the command went.
pub(crate) fn result(answer: &Answer) -> Value {
    let document = answer.json();
    let first = document.as_object().unwrap().values().next().unwrap().clone();
    first.get("Vendor").cloned().unwrap_or(first)
}
