//! Questions, changes and ends in words.

use serde_json::Value;

use crate::{
    decide::{Next, Read, Step},
    outcome::{GroupEnd, Outcome, UserEnd},
    scim::{Object, Op, Operation, Page, aws::ENTERPRISE},
};

/// A question, a change or an end, in words.
pub(in crate::commands) fn asked(next: &Next) -> String {
    match next {
        Next::Read(read) => match read {
            Read::UserById(id) => format!("user {id}?"),
            Read::UsersByName(name) => format!("users named {name}?"),
            Read::UsersByExternalId(id) => format!("users of employee {id}?"),
            Read::GroupById(id) => format!("group {id}?"),
            Read::GroupsByName(name) => format!("groups named {name}?"),
            Read::Members(id, Page::Next(cursor)) => format!("members of {id} from {cursor}?"),
            Read::Members(id, page) => format!("members of {id}, {page:?}?"),
            Read::Probe => "anybody?".to_owned(),
        },
        Next::Write(step) => match step {
            Step::CreateUser(user) => {
                let state = if user["active"] == true { "active" } else { "inactive" };
                format!("create {} {state}", text(user, "userName"))
            }
            Step::PatchUser(id, changes) | Step::PatchGroup(id, changes) => {
                let changes: Vec<_> = changes.operations.iter().map(change).collect();
                format!("patch {id}: {}", changes.join(" "))
            }
            Step::CreateGroup(group) => format!("create group {}", text(group, "displayName")),
            Step::DeleteGroup(id) => format!("delete {id}"),
        },
        Next::Finish(outcome) => ended(outcome),
    }
}

fn change(change: &Operation) -> String {
    let path = change.path.replace(ENTERPRISE, "enterprise");
    let value = change.value.clone().unwrap_or_default();
    let ids: Option<Vec<_>> = value
        .as_array()
        .and_then(|list| list.iter().map(|member| member["value"].as_str()).collect());
    match (change.op, ids) {
        (Op::Replace, _) => format!("{path}={value}"),
        (Op::Add, Some(ids)) if path == "members" => format!("add {}", ids.join(",")),
        (Op::Remove, Some(ids)) if path == "members" => format!("remove {}", ids.join(",")),
        (op, _) => format!("{op:?} {path}"),
    }
}

/// An outcome in words; at the end, in brackets, whom the details show.
fn ended(outcome: &Outcome) -> String {
    let whom = |details: &Object| format!("[{}]", text(details, "id"));
    match outcome {
        Outcome::User(outcome) => {
            let action = outcome.action;
            match &outcome.end {
                UserEnd::Done { user, .. } => {
                    let state = match user.active() {
                        Some(true) => "active",
                        Some(false) => "inactive",
                        None => "unknown",
                    };
                    format!("done {action:?} {} {state}", text(user.as_object(), "id"))
                }
                UserEnd::Skipped { reason, details } => {
                    format!("skipped {action:?}: {} {}", reason.as_str(), whom(details))
                }
                UserEnd::Failed { failure, details } => {
                    let (code, message) = (failure.code(), &failure.message);
                    format!("failed {action:?} {code}: {message} {}", whom(details))
                }
            }
        }
        Outcome::Group(outcome) => group_in_words(&outcome.end),
        Outcome::Tested(Ok(proved)) => format!("done: {proved}"),
        Outcome::Tested(Err(failure)) => format!("failed {}: {}", failure.code(), failure.message),
        Outcome::MappingFields(fields) => format!("{} fields", fields.len()),
    }
}

fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn group_in_words(end: &GroupEnd) -> String {
    match end {
        GroupEnd::Done {
            id,
            display_name,
            members,
            ..
        } => {
            let members = members.as_ref().map(|members| {
                let members: Vec<_> = members.iter().map(|member| member.value.as_str()).collect();
                format!(" with {}", members.join(","))
            });
            format!(
                "done {} {}{}",
                id.as_deref().unwrap_or("-"),
                display_name.as_deref().unwrap_or("-"),
                members.unwrap_or_default()
            )
        }
        GroupEnd::Failed { failure, details, .. } => {
            let members = details.iter().flat_map(|details| details["members"].as_array());
            let results: Vec<_> = members
                .flatten()
                .map(|member| {
                    format!(
                        "{} {}",
                        member["value"].as_str().unwrap(),
                        member["result"].as_str().unwrap()
                    )
                })
                .collect();
            format!(
                "failed {}: {} [{}]",
                failure.code(),
                failure.message,
                results.join(", ")
            )
        }
    }
}
