mod many;
mod members;
mod refusing;
mod renaming;
mod settling;
mod splitting;

use std::ops::Range;

use serde_json::{Value, json};

use super::{super::testing::*, *};
use crate::{
    commands::Command,
    decide::{Answer, Known, Read, Step},
    outcome::GroupEnd,
    scim::{ErrorKind, Headers},
};

fn change(add: Value, remove: Value) -> Command {
    command(
        "iam-update-group",
        json!({"scim": {"id": "g-1", "displayName": "Admins"}, "memberIdsToAdd": add, "memberIdsToDelete": remove}),
    )
}

fn rename(group: Value) -> Command {
    command("iam-update-group", json!({"scim": group}))
}

/// The ids `u-0`, `u-1` and so on.
fn ids(range: Range<usize>) -> Vec<String> {
    range.map(|number| format!("u-{number}")).collect()
}

/// A directory that knows the group, and refuses every PATCH that has one of these members in
/// it.
fn refusing(bad: &[&str], kind: ErrorKind) -> impl Fn(&Next) -> Answer {
    move |next| match next {
        Next::Read(Read::GroupById(_)) => group_shown(json!({})),
        Next::Write(Step::PatchGroup(_, changes)) => {
            let body = changes.to_value().to_string();
            if bad.iter().any(|id| body.contains(&format!("\"{id}\""))) {
                failed(kind)
            } else {
                headers()
            }
        }
        Next::Read(_) | Next::Write(_) | Next::Finish(_) => panic!("{}", asked(next)),
    }
}

/// An id of the form that AWS gives.
const AWS_ID: &str = "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11";

const MEMBERS: &str = "members of g-1, First?";

/// Additions and removals in a PATCH.
fn sizes(question: &Next) -> Option<(usize, usize)> {
    let Next::Write(Step::PatchGroup(_, changes)) = question else {
        return None;
    };
    let of = |op| {
        let operations = changes.operations.iter().filter(|operation| operation.op == op);
        operations
            .map(|operation| operation.value.as_ref().and_then(Value::as_array).map_or(1, Vec::len))
            .sum()
    };
    Some((of(Op::Add), of(Op::Remove)))
}

/// How many members ended so.
fn results(outcome: &Outcome, result: &str) -> Vec<String> {
    let GroupEnd::Failed {
        details: Some(details), ..
    } = group_end(outcome.clone())
    else {
        panic!("{outcome:?}")
    };
    let members = details["members"].as_array().unwrap().iter();
    members
        .filter(|member| member["result"] == result)
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}
