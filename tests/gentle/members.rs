//! A large group: in as few requests as AWS allows, and one unknown member keeps no other out.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    Form,
    report::Report,
    world::{Answer, Directory, user},
};

/// What AWS takes in one PATCH.
const CHUNK: usize = 100;

/// What halving a chunk down to one member costs at most: the chunk, and both halves of what holds
/// the member, seven times.
const SEARCH: usize = 15;

/// What one command came to.
struct Filled {
    answer: Answer,
    calls: usize,
    refused: usize,
    members: BTreeSet<String>,
}

pub(crate) async fn run(form: &Form, report: &mut Report) {
    let count = form.pick(1_000, 5_000);
    let unknown = ["nobody-1", "nobody-2", "nobody-3"];
    // Spread over the group: one at its start, one inside, one at its end.
    let mut mixed = ids(count);
    for (id, place) in unknown.iter().zip([0, count / 2, count - 1]) {
        mixed[place] = (*id).to_owned();
    }
    let (all, some) = tokio::join!(fill(count, ids(count)), fill(count, mixed));
    let seconds = |took: Duration| format!("{:.1}", took.as_secs_f64());

    report.figure(
        "members, s, calls",
        format!("{count}, {}, {}", seconds(all.answer.took), all.calls),
    );
    report.claim(
        all.answer.succeeded() && all.members.len() == count,
        format!("all {count} are in"),
    );
    report.claim(
        all.calls == count.div_ceil(CHUNK),
        format!("in {} member PATCHes", count.div_ceil(CHUNK)),
    );
    report.claim(
        all.refused == 0,
        format!("none was answered 429 ({} were)", all.refused),
    );

    let details = some.answer.result()["details"]["members"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let failed: BTreeSet<_> = details
        .iter()
        .filter(|fate| fate["result"] == "failed")
        .filter_map(|fate| fate["value"].as_str())
        .collect();
    report.figure(
        "with 3 unknown: s, calls, status",
        format!("{}, {}, {}", seconds(some.answer.took), some.calls, some.answer.status),
    );
    report.claim(
        some.members.len() == count - unknown.len(),
        format!("{} are in, {} should be", some.members.len(), count - unknown.len()),
    );
    report.claim(
        !some.answer.succeeded() && failed == unknown.into(),
        "the unknown ones, and they alone, are told as failed",
    );
    report.claim(
        unknown.iter().all(|id| some.answer.message().contains(id)),
        "the message names them",
    );
    report.claim(
        some.calls <= count.div_ceil(CHUNK) + unknown.len() * SEARCH,
        "finding them took at most 15 calls each",
    );
    report.claim(
        some.refused == 0,
        format!("none was answered 429 ({} were)", some.refused),
    );
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("id-m{number}")).collect()
}

/// Adds these to an empty group, in a directory of so many people.
async fn fill(count: usize, add: Vec<String>) -> Filled {
    let people: Vec<Value> = (0..count).map(|number| user(&format!("m{number}"))).collect();
    let group = json!({"id": "g-1", "displayName": "Everybody"});
    let directory = Directory::holding(&json!({"users": people, "groups": [group]}), true).await;
    let front = directory.service(&[]);
    let arguments = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": add});
    let answer = front.caller.command("iam-update-group", &arguments).await;
    let calls = directory.sandbox.calls().get("PatchGroup").copied().unwrap_or_default();
    let (_, refused) = directory.throttled(|request| request.api == "PatchGroup");
    let groups = directory.sandbox.dump()["groups"].take();
    let members = groups[0]["members"].as_array().unwrap().iter();
    Filled {
        answer,
        calls: usize::try_from(calls).unwrap(),
        refused,
        members: members
            .filter_map(|member| member["value"].as_str())
            .map(str::to_owned)
            .collect(),
    }
}
