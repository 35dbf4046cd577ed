//! The human-readable form of an envelope: a title and a table of one row, as the integration shows
//! it in a war room.

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

/// Text that can't end its cell, its row or its line, become markup, or move what stands around it.
///
/// Escaped is what GitHub's Markdown would act on *there*: names like `AWS-ILM_instance_1`, and
/// JSON, stay as readers and playbooks know them. A bare address is left: a viewer may make a link
/// of it, which then leads where it says.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = None;
    for (at, character) in text.char_indices() {
        let mut following = text[at + character.len_utf8()..].chars();
        let within_word =
            |after: Option<char>| before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        match character {
            '|' | '`' | '\\' | '*' | '~' => escaped.extend(['\\', character]),
            '_' if !within_word(following.next()) => escaped.push_str("\\_"),
            // The end of a link's text; without it brackets are brackets.
            ']' if following.next() == Some('(') => escaped.push_str("\\]"),
            '<' => escaped.push_str("&lt;"),
            '&' if is_entity(following) => escaped.push_str("&amp;"),
            '\n' => escaped.push_str("<br>"),
            moves if moves.is_control() || is_unprintable(moves) => escaped.push(' '),
            other => escaped.push(other),
        }
        before = Some(character);
    }
    escaped
}

/// Whether what follows a `&` makes a character reference of it (CommonMark 0.31.2 section 2.5), a
/// known one or not.
fn is_entity(following: impl Iterator<Item = char>) -> bool {
    const LONGEST: usize = 33;
    let mut name = 0;
    for character in following.take(LONGEST + 1) {
        match character {
            ';' => return name > 0,
            '#' if name == 0 => name += 1,
            letter if letter.is_ascii_alphanumeric() => name += 1,
            _ => return false,
        }
    }
    false
}

/// Line and paragraph separators, and what turns the reading direction of everything after it (UAX
/// #9 section 2).
fn is_unprintable(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    use proptest::prelude::*;
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

    #[test]
    fn no_value_becomes_markup() {
        let rows = [
            ("[pay](https://evil.example)", "[pay\\](https://evil.example)"),
            ("![x](//evil.example/x.png)", "![x\\](//evil.example/x.png)"),
            ("[\"a\", 2] (b)", "[\"a\", 2] (b)"),
            (
                "**bold** ~~gone~~ _it_ __b__",
                "\\*\\*bold\\*\\* \\~\\~gone\\~\\~ \\_it\\_ \\_\\_b\\_\\_",
            ),
            ("AWS-ILM_instance_1", "AWS-ILM_instance_1"),
            (
                "&lt;b&gt; &#124; &#x7c; R&D; R&D",
                "&amp;lt;b&amp;gt; &amp;#124; &amp;#x7c; R&amp;D; R&D",
            ),
            ("a\u{202e}b\u{2028}c\u{2066}d", "a b c d"),
            ("<br>", "&lt;br>"),
        ];
        for (text, expected) in rows {
            assert_eq!(escaped(text), expected);
        }
    }

    /// A row's cells, read as GitHub's tables are: an escaped bar is none.
    fn cells(row: &str) -> Vec<String> {
        let (mut cells, mut escape) = (vec![String::new()], false);
        for character in row.chars() {
            match character {
                '|' if !escape => cells.push(String::new()),
                other => cells.last_mut().unwrap().push(other),
            }
            escape = character == '\\' && !escape;
        }
        cells
    }

    /// A cell's text as a viewer shows it.
    fn read(cell: &str) -> String {
        let mut text = String::new();
        let mut rest = cell;
        while let Some(character) = rest.chars().next() {
            let references = [("<br>", '\n'), ("&lt;", '<'), ("&amp;", '&')];
            if let Some((written, shown)) = references.iter().find(|(written, _)| rest.starts_with(written)) {
                text.push(*shown);
                rest = &rest[written.len()..];
                continue;
            }
            let mut characters = rest.chars();
            characters.next();
            text.push(match (character, characters.clone().next()) {
                ('\\', Some(escaped)) if escaped.is_ascii_punctuation() => {
                    characters.next();
                    escaped
                }
                _ => character,
            });
            rest = characters.as_str();
        }
        text
    }

    /// What Markdown is made of, and anything else.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "|", "`", "\\", "\n", "\r\n", "<", "<br>", "&", "&lt;", "&#124;", "](", "[", "*", "_", "~", "---",
                "\u{0}", "\u{85}", "\u{2028}", "\u{202e}", "\t", "#", " ",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    fn shown(text: &str) -> String {
        let moves = |character: char| character != '\n' && (character.is_control() || is_unprintable(character));
        text.chars()
            .map(|character| if moves(character) { ' ' } else { character })
            .collect()
    }

    proptest! {
        #[test]
        fn a_table_has_the_cells_it_was_given_and_they_say_what_they_said(values in prop::collection::vec(hostile(), 3), key in hostile()) {
            let row = json!({"brand": "b", "errorMessage": values[0], "details": {&*key: values[1], "list": [values[2], 1]}, "email": values[2]});
            let text = table("T", &["brand", "errorMessage", "details", "email"], &row);
            prop_assert!(text.lines().count() == 4 && text.ends_with('\n'), "{text:?}");
            let lines: Vec<&str> = text.lines().collect();
            let rows: Vec<_> = lines[1..].iter().map(|line| cells(line)).collect();
            prop_assert_eq!(rows[0].len(), rows[2].len());
            prop_assert_eq!(rows[1].len(), rows[2].len());
            let message = rows[0].iter().position(|name| name == "errorMessage");
            prop_assert_eq!(message.is_some(), !values[0].is_empty());
            if let Some(place) = message {
                let cell = rows[2][place].strip_prefix(' ').and_then(|cell| cell.strip_suffix(' '));
                prop_assert_eq!(read(cell.unwrap()), shown(&values[0]));
            }
            let place = rows[0].iter().position(|name| name == "details").unwrap();
            let cell = rows[2][place].strip_prefix(' ').and_then(|cell| cell.strip_suffix(' ')).unwrap();
            if key != "list" {
                let json = spaced(&json!([values[2], 1]));
                prop_assert_eq!(read(cell), shown(&format!("{key}: {}\nlist: {json}", values[1])));
            }
        }

        /// Hostile input 34, templates, scripts, queries of other systems: plain text everywhere.
        #[test]
        fn nothing_in_a_cell_is_markup(text in hostile()) {
            let cell = escaped(&text);
            let moves = |character: char| character.is_control() || is_unprintable(character);
            prop_assert!(!cell.contains(moves), "{:?}", cell);
            // Of tags there are our line ends alone, and of links none.
            prop_assert!(!cell.replace("<br>", "").contains('<'), "{:?}", cell);
            prop_assert!(!cell.replace("\\](", "").contains("]("), "{:?}", cell);
            prop_assert_eq!(read(&cell), shown(&text));
        }
    }
}
