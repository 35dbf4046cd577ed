//! What a directory answers in the tests of the commands, each in a word.

use serde_json::{Value, json};

use crate::{
    decide::{Answer, Reply},
    scim::{self, ErrorKind, Group, Headers, ListResponse, Member, User},
};

/// The profile of the person `test`, with `changes` put over it; null takes a field out.
pub(in crate::commands) fn profile(changes: Value) -> Value {
    let whole = json!({
        "username": "test", "displayname": "Te St", "givenname": "Te", "surname": "St", "email": "test@example.com",
    });
    over(whole, changes)
}

/// The app user `u-1` of that person, active, with `changes` put over it; null takes an attribute
/// out.
pub(in crate::commands) fn user(changes: Value) -> User {
    let whole = json!({
        "id": "u-1", "userName": "test", "displayName": "Te St", "name": {"givenName": "Te", "familyName": "St"},
        "emails": [{"value": "test@example.com", "type": "work", "primary": true}], "active": true,
    });
    User::read(over(whole, changes)).unwrap()
}

/// The group `g-1`, named `Admins`, with `changes` put over it.
pub(in crate::commands) fn group(changes: Value) -> Group {
    Group::read(over(json!({"id": "g-1", "displayName": "Admins"}), changes)).unwrap()
}

/// One user.
pub(in crate::commands) fn shown(changes: Value) -> Answer {
    Ok(Reply::User(user(changes)))
}

/// A list of one user.
pub(in crate::commands) fn found(changes: Value) -> Answer {
    Ok(Reply::Users(page(vec![user(changes)], None)))
}

/// A list without a user.
pub(in crate::commands) fn nobody() -> Answer {
    Ok(Reply::Users(page(Vec::new(), None)))
}

/// A list of two users of the same name.
pub(in crate::commands) fn two() -> Answer {
    Ok(Reply::Users(page(
        vec![user(json!({})), user(json!({"id": "u-2"}))],
        None,
    )))
}

/// One group.
pub(in crate::commands) fn group_shown(changes: Value) -> Answer {
    Ok(Reply::Group(group(changes)))
}

/// A list of groups.
pub(in crate::commands) fn groups(groups: Vec<Group>) -> Answer {
    Ok(Reply::Groups(page(groups, None)))
}

/// A page of a group's members, and where the next one is.
pub(in crate::commands) fn members(ids: &[&str], next: Option<&str>) -> Answer {
    let member = |id: &&str| Member::of(&user(json!({"id": id, "displayName": format!("Name of {id}")})));
    Ok(Reply::Members(page(ids.iter().map(member).collect(), next)))
}

/// The headers of a change of a group.
pub(in crate::commands) fn headers() -> Answer {
    Ok(Reply::Headers(Headers(vec![(
        "x-amzn-RequestId".to_owned(),
        "r-1".to_owned(),
    )])))
}

/// A failure.
pub(in crate::commands) fn failed(kind: ErrorKind) -> Answer {
    Err(scim::ScimError::new(kind, "said"))
}

/// A failure of this status.
pub(in crate::commands) fn status(status: u16) -> Answer {
    failed(ErrorKind::Status(status))
}

/// Nothing is there.
pub(in crate::commands) fn absent() -> Answer {
    failed(ErrorKind::Absent)
}

/// No answer in time.
pub(in crate::commands) fn lost() -> Answer {
    failed(ErrorKind::Timeout)
}

/// The four ways in which an answer gets lost.
pub(in crate::commands) const LOST: [ErrorKind; 4] = [
    ErrorKind::Timeout,
    ErrorKind::Broken,
    ErrorKind::Status(500),
    ErrorKind::Unreadable,
];

/// The five ways in which a request is not sent, or nothing is done by it.
pub(in crate::commands) const UNDONE: [(ErrorKind, u16); 5] = [
    (ErrorKind::Connect, 503),
    (ErrorKind::Congested, 503),
    (ErrorKind::CircuitOpen, 503),
    (ErrorKind::Throttled, 429),
    (ErrorKind::Expired, 504),
];

/// A page of a list.
pub(in crate::commands) fn page<T>(resources: Vec<T>, next: Option<&str>) -> ListResponse<T> {
    ListResponse {
        resources,
        next_cursor: next.map(str::to_owned),
    }
}

/// Fields of a profile, and more of them.
pub(in crate::commands) fn with(mut fields: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut fields, more) else {
        panic!("fields are put beside fields")
    };
    all.extend(more);
    fields
}

fn over(mut whole: Value, changes: Value) -> Value {
    let (Value::Object(object), Value::Object(changes)) = (&mut whole, changes) else {
        panic!("an object is put over an object")
    };
    for (name, value) in changes {
        if value.is_null() {
            object.shift_remove(&name);
        } else {
            object.insert(name, value);
        }
    }
    whole
}
