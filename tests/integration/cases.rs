//! What the public integration did, replayed: `cases.json` has, for each case, what went in, the
//! directory as it was, and what came out. Every field of the envelope is compared, and the
//! human-readable table; what this service does otherwise on purpose stands in [`DIFFERENCES`] with
//! its reason, and must differ.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    expected::without_request_ids,
    harness::{Answer, World},
};

/// Cases, the field in which they differ, and why.
#[rustfmt::skip]
const DIFFERENCES: &[(&[&str], &str, &str)] = &[
    (&["create-new", "create-existing-updates", "create-existing-disabled-allow", "update-username-only", "update-active-title",
       "update-rename", "get-existing", "disable-active"],
        "human_readable print", "a list in a cell is JSON, not Python's print"),
    (&["create-missing-surname"], "IAM.Vendor.errorMessage", "found before it is sent, and named; no traceback"),
    (&["create-missing-surname"], "IAM.Vendor.details", "an empty or missing field is left out, also inside name"),
    (&["create-no-identifier", "get-no-identifier"], "IAM.Vendor.errorCode", "a number or null, never an empty text"),
    (&["create-no-identifier", "get-no-identifier"], "IAM.Vendor.errorMessage", "says which fields would do; no traceback"),
    (&["create-missing-surname", "create-no-identifier", "get-no-identifier"], "human_readable", "as the fields above"),
    (&["group-get-id", "group-get-name"], "GetGroup.members", "really read: an empty list where the group has none"),
    (&["group-get-missing-id"], "GetGroup.details", "a directory's raw answer is not passed on; errorMessage has what it says"),
    (&["group-delete-missing"], "DeleteGroup.details", "a directory's raw answer is not passed on; errorMessage has what it says"),
    (&["group-get-missing-id", "group-delete-missing"], "human_readable", "as the details"),
    (&["group-get-empty"], "context", "what can't be asked is a failure in the envelope, not an exception without one"),
    (&["group-create-duplicate"], "CreateGroup.errorCode", "read from where the error is, not from keys that AWS never sends"),
    (&["group-create-duplicate"], "CreateGroup.errorMessage", "read from where the error is, not from keys that AWS never sends"),
    (&["group-create-duplicate"], "CreateGroup.details", "a directory's raw answer is not passed on; errorMessage has what it says"),
    (&["group-create-duplicate"], "human_readable", "as the fields above"),
    (&["group-update-add", "group-update-add-del"], "UpdateGroup.details", "the answer's headers are an object, not Python's print"),
    (&["group-delete"], "DeleteGroup.details", "the answer's headers are an object, not Python's print"),
    (&["group-update-add", "group-update-add-del", "group-delete"], "human_readable", "as the details"),
    (&["mapping-fields"], "returned.User Profile", "each field with a description; without password and groups, which AWS refuses"),
];

/// The entry by which a field of a case may differ.
fn reason(case: &str, field: &str) -> Option<usize> {
    DIFFERENCES
        .iter()
        .position(|(cases, name, _)| *name == field && cases.contains(&case))
}

/// Ids and times made during a run become the same text.
fn normalised(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), normalised(value)))
            .collect(),
        Value::Array(list) => list.iter().map(normalised).collect(),
        Value::String(text) => normalised_text(text).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn normalised_text(text: &str) -> String {
    let mut text = without_request_ids(text);
    let shapes = ["dddddddd-dddd-dddd-dddd-dddddddddddd", "nnnn-nn-nnTnn:nn:nnZ"];
    for (shape, name) in shapes.into_iter().zip(["ID", "TIME"]) {
        let fits = |place: &str| {
            place.is_char_boundary(shape.len())
                && place.chars().zip(shape.chars()).all(|(character, kind)| match kind {
                    'd' => character.is_ascii_hexdigit(),
                    'n' => character.is_ascii_digit(),
                    kind => character == kind,
                })
        };
        while let Some((start, _)) = text
            .char_indices()
            .find(|(start, _)| text.len() - start >= shape.len() && fits(&text[*start..]))
        {
            text.replace_range(start..start + shape.len(), name);
        }
    }
    text
}

/// A Markdown table's cells. The entries of `details` stand in the order in which the directory
/// sent them, which is no concern here.
fn table(text: &str) -> Vec<Vec<String>> {
    let text = normalised_text(text);
    let rows = text.lines().map(|line| line.split('|').map(str::trim));
    rows.map(|cells| {
        cells
            .map(|cell| {
                let mut entries: Vec<_> = cell.split("<br>").map(in_one_order).collect();
                entries.sort();
                entries.join("<br>")
            })
            .collect()
    })
    .collect()
}

/// An entry whose nested JSON has its keys sorted.
fn in_one_order(entry: &str) -> String {
    let nested = entry
        .split_once(": ")
        .and_then(|(name, text)| Some((name, serde_json::from_str::<Value>(text).ok()?)));
    nested.map_or_else(
        || entry.to_owned(),
        |(name, mut value)| {
            value.sort_all_objects();
            format!("{name}: {value}")
        },
    )
}

/// The list of one object that Python printed, `{'primary': True, …}`, as JSON.
fn without_python(text: &str) -> String {
    let json = |cell: &str| {
        let entries = cell.split("<br>").map(|entry| match entry.split_once(": {'") {
            Some((name, rest)) => {
                let (object, end) = rest.split_once('}').unwrap();
                format!(
                    "{name}: [{{\"{}}}]{end}",
                    object.replace('\'', "\"").replace("True", "true")
                )
            }
            None => entry.to_owned(),
        });
        entries.collect::<Vec<_>>().join("<br>")
    };
    text.split('|').map(json).collect::<Vec<_>>().join("|")
}

/// Every field in which two answers differ: `Vendor.details`, `UserProfile`, `status` …
fn fields(prefix: &str, was: &Value, is: &Value, differ: &mut Vec<String>) {
    let (Some(was), Some(is)) = (was.as_object(), is.as_object()) else {
        if was != is {
            differ.push(prefix.to_owned());
        }
        return;
    };
    let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
    if keys(was) != keys(is) {
        differ.push(format!("{prefix} keys"));
    }
    differ.extend(
        was.iter()
            .filter(|(key, value)| is.get(*key) != Some(value))
            .map(|(key, _)| format!("{prefix}.{key}")),
    );
}

async fn replay(case: &Value) -> (Answer, Answer, u64) {
    let variable = |name: &String| &*format!("AWS_ILM_{}", name.to_ascii_uppercase()).leak();
    let switches: Vec<_> = case["switches"].as_object().unwrap().iter().collect();
    let switches: Vec<_> = switches
        .iter()
        .map(|(name, value)| (variable(name), value.to_string()))
        .collect();
    let switches: Vec<_> = switches.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let command = case["command"].as_str().unwrap();
    assert_eq!(case["faults"], json!([]));
    let world = World::holding_with(case["directory"].clone(), &switches).await;
    let answer = world.command(command, &case["arguments"]).await;
    let calls = world.calls().values().sum();
    let world = World::holding_with(case["directory"].clone(), &switches).await;
    (answer, world.markdown(command, &case["arguments"]).await, calls)
}

#[tokio::test]
async fn the_integrations_cases_come_out_alike_but_for_what_is_mended_on_purpose() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    let (mut equal, mut differing, mut printed) = (0, 0, 0);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let (answer, markdown, calls) = replay(case).await;
        let document = normalised(&answer.json());
        let mut differ = Vec::new();
        if let Some(context) = case["context"].as_object() {
            for (long, was) in context {
                // `IAM.Vendor(val.instanceName && …)`: a path, and by what XSOAR tells entries
                // apart.
                let path = long.split('(').next().unwrap();
                let is = path.split('.').fold(&document, |value, key| &value[key]);
                fields(path, &normalised(was), is, &mut differ);
            }
        } else if case.get("returned").is_some() {
            fields("returned", &case["returned"], &document, &mut differ);
        } else {
            differ.push("context".to_owned());
        }
        if let Some(was) = case["human_readable"].as_str() {
            let (was, is) = (table(was), table(&markdown.text));
            if was != is {
                let printed = table(&without_python(case["human_readable"].as_str().unwrap()));
                differ.push(
                    if printed == is {
                        "human_readable print"
                    } else {
                        "human_readable"
                    }
                    .to_owned(),
                );
            }
        }
        let theirs: u64 = case["upstream_calls"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert!(calls <= theirs + 1, "{name}: {calls} calls where there were {theirs}");
        if differ.is_empty() {
            equal += 1;
        } else {
            differing += 1;
            printed += usize::from(differ == ["human_readable print"]);
        }
        for field in differ {
            match reason(name, &field) {
                Some(entry) => drop(used.insert((entry, name))),
                None => faults.push(format!(
                    "(\"{name}\", \"{field}\", \"\"),\n   now: {}\n   {}",
                    answer.text, markdown.text
                )),
            }
        }
    }
    let listed = DIFFERENCES
        .iter()
        .enumerate()
        .flat_map(|(entry, (cases, ..))| cases.iter().map(move |case| (entry, *case)));
    let unused: Vec<_> = listed
        .filter(|pair| !used.contains(pair))
        .map(|(entry, case)| (case, DIFFERENCES[entry].1))
        .collect();
    println!(
        "{} cases: {equal} equal, {differing} differ on purpose ({printed} of them in a Python print alone)",
        cases.len()
    );
    assert!(faults.is_empty(), "differ without a reason:\n{}", faults.join("\n"));
    assert!(unused.is_empty(), "no longer differ: {unused:?}");
}
