//! The human-readable form of an envelope: a title and a table of one row, as the integration shows it in a war room.

use std::io;

use serde::Serialize;
use serde_json::{Value, ser::Formatter};

use super::{Envelope, GroupResult};
use crate::outcome::Action;

/// A user result's columns, in the integration's order.
const USER: [&str; 10] = [
    "brand",
    "instanceName",
    "success",
    "active",
    "id",
    "username",
    "email",
    "errorCode",
    "errorMessage",
    "details",
];

/// The columns of a user result that was skipped.
const SKIPPED: [&str; 4] = ["brand", "instanceName", "skipped", "reason"];

/// A group result's columns: its twelve keys in alphabetical order.
const GROUP: [&str; 12] = [
    "active",
    "brand",
    "details",
    "displayName",
    "email",
    "errorCode",
    "errorMessage",
    "id",
    "instanceName",
    "members",
    "success",
    "username",
];

/// A test's columns.
const TEST: [&str; 6] = [
    "brand",
    "instanceName",
    "success",
    "errorCode",
    "errorMessage",
    "details",
];

/// The envelope as a Markdown table. Columns that have no value are left out.
pub fn to_markdown(envelope: &Envelope) -> String {
    match envelope {
        Envelope::User(envelope) => {
            let vendor = &envelope.iam.vendor;
            let action = match vendor.action {
                Action::Get => "Get",
                Action::Create => "Create",
                Action::Update => "Update",
                Action::Disable => "Disable",
            };
            let title = format!("{action} User Results ({})", escaped(&vendor.brand));
            let columns = if vendor.skipped { &SKIPPED[..] } else { &USER[..] };
            table(&title, columns, vendor)
        }
        Envelope::GetGroup(envelope) => group("Get", &envelope.result),
        Envelope::CreateGroup(envelope) => group("Create", &envelope.result),
        Envelope::UpdateGroup(envelope) => group("Update", &envelope.result),
        Envelope::DeleteGroup(envelope) => group("Delete", &envelope.result),
        Envelope::TestModule(envelope) => table("Test Module Results", &TEST, &envelope.result),
        Envelope::MappingFields(envelope) => {
            let mut text = "### User Profile\n|field|description|\n|---|---|\n".to_owned();
            for (field, description) in &envelope.fields {
                text.push_str(&format!("| {} | {} |\n", escaped(field), cell(description)));
            }
            text
        }
    }
}

fn group(action: &str, result: &GroupResult) -> String {
    table(&format!("AWS {action} Group:"), &GROUP, result)
}

fn table(title: &str, columns: &[&str], row: &impl Serialize) -> String {
    let row = serde_json::to_value(row).unwrap_or_default();
    let has_value = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let columns: Vec<_> = columns.iter().filter(|column| has_value(&row[**column])).collect();
    let header: String = columns.iter().map(|column| format!("{column}|")).collect();
    let rule = "---|".repeat(columns.len());
    let cells: String = columns
        .iter()
        .map(|column| format!(" {} |", cell(&row[**column])))
        .collect();
    format!("### {title}\n|{header}\n|{rule}\n|{cells}\n")
}

/// A value in a cell: an object's entries on lines of their own, what is deeper as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let entry = |(name, value): (&String, &Value)| format!("{}: {}", escaped(name), inline(value));
            object.iter().map(entry).collect::<Vec<_>>().join("<br>")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => inline(value),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => escaped(text),
        Value::Array(list) if list.iter().all(Value::is_string) => list
            .iter()
            .filter_map(Value::as_str)
            .map(escaped)
            .collect::<Vec<_>>()
            .join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => escaped(&spaced(value)),
    }
}

/// Text that can't end its cell, its row or its line, nor become markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '`' | '\\' => escaped.extend(['\\', character]),
            '<' => escaped.push_str("&lt;"),
            '\n' => escaped.push_str("<br>"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON with a space after each comma and colon, as the integration writes it.
fn spaced(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    // Writing a value into memory does not fail.
    if value.serialize(&mut serializer).is_err() {
        return String::new();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_value_leaves_its_cell() {
        let rows = [
            (json!("a|b`c\\|d"), "a\\|b\\`c\\\\\\|d"),
            (json!("a\nb\r\u{1b}[2J"), "a<br>b  [2J"),
            (json!("<script>"), "&lt;script>"),
            (
                json!({"meta": {"a": 1, "b": ["x", 2]}, "schemas": ["u"], "n|x": true}),
                "meta: {\"a\": 1, \"b\": [\"x\", 2]}<br>schemas: u<br>n\\|x: true",
            ),
        ];
        for (value, expected) in rows {
            assert_eq!(cell(&value), expected);
        }
    }
}
