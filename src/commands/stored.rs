//! The stored form of a command: versioned, and read by later releases.
//!
//! On the wire an argument that is not known is refused, since a typo must not be ignored. A row
//! that an older or newer release stored may have fields that this one does not know any more: they
//! are passed over, or a restart would lose the command.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Command, arguments_of};

/// The version that is written.
const VERSION: u64 = 1;

/// Why a stored command can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredCommandError {
    /// It is no JSON of this form.
    #[error("the stored command is not readable: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A newer release wrote it.
    #[error("the stored command has version {0}, and this release reads up to {VERSION}")]
    Newer(u64),
    /// There is no such command.
    #[error("the stored command is called {0:?}, which this release does not know")]
    UnknownCommand(String),
}

/// A stored row.
#[derive(Debug, Deserialize)]
struct Row {
    v: u64,
    command: StoredCommand,
}

/// The command in it.
#[derive(Debug, Deserialize)]
struct StoredCommand {
    command: String,
    arguments: Map<String, Value>,
}

/// Writes a command as `{"v": 1, "command": {"command": NAME, "arguments": {…}}}`.
pub fn write(command: &Command) -> Value {
    json!({"v": VERSION, "command": command})
}

/// Reads what [`write()`] of this or an earlier release wrote.
///
/// # Errors
/// When it is no such text, when a newer release wrote it in a later version, or when its command
/// is not known.
pub fn read(text: &str) -> Result<Command, StoredCommandError> {
    let Row { v, command } = serde_json::from_str(text)?;
    if v > VERSION {
        return Err(StoredCommandError::Newer(v));
    }
    let StoredCommand { command, mut arguments } = command;
    let Some(known) = arguments_of(&command) else {
        return Err(StoredCommandError::UnknownCommand(command));
    };
    arguments.retain(|name, _| known.contains(&name.as_str()));
    Ok(serde_json::from_value(
        json!({"command": command, "arguments": arguments}),
    )?)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::commands::{FieldNames, NAMES};

    /// What the first release stored: files that are never renewed.
    fn golden(name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/stored/v1");
        fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()
    }

    #[test]
    fn every_command_of_the_first_version_is_read_and_written_alike() {
        for (name, _) in NAMES {
            let text = golden(name);
            let command = read(&text).unwrap();
            assert_eq!(command.name(), name);
            let mut row = write(&command);
            // Arguments that came later are written too.
            let stored: Value = serde_json::from_str(&text).unwrap();
            let before = stored["command"]["arguments"].as_object().unwrap();
            let arguments = row["command"]["arguments"].as_object_mut().unwrap();
            arguments.retain(|argument, _| before.contains_key(argument));
            assert_eq!(row, stored, "{name}");
        }
    }

    #[test]
    fn an_argument_that_came_later_is_as_not_given() {
        let Command::UpdateUser(update) = read(&golden("iam-update-user")).unwrap() else {
            panic!("an update is one");
        };
        assert_eq!(update.clear, FieldNames::default());
    }

    #[test]
    fn an_argument_that_this_release_does_not_know_is_passed_over() {
        for (name, _) in NAMES {
            let mut row: Value = serde_json::from_str(&golden(name)).unwrap();
            row["trace"] = json!("a field beside the command");
            row["command"]["arguments"]["an-argument-of-another-release"] = json!({"deep": [1]});
            assert_eq!(read(&row.to_string()).unwrap(), read(&golden(name)).unwrap(), "{name}");
        }
    }

    #[test]
    fn a_command_has_just_the_arguments_that_it_names() {
        for (name, _) in NAMES {
            let row = write(&read(&golden(name)).unwrap());
            let arguments = row["command"]["arguments"].as_object().unwrap();
            let names: Vec<_> = arguments.keys().map(String::as_str).collect();
            assert_eq!(Some(&names[..]), arguments_of(name), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let rows = [
            ("{}", "the stored command is not readable: missing field"),
            ("nothing", "the stored command is not readable: expected ident"),
            (
                r#"{"v": 2, "command": {"command": "test-module", "arguments": {}}}"#,
                "the stored command has version 2, and this release reads up to 1",
            ),
            (
                r#"{"v": 1, "command": {"command": "iam-delete-user", "arguments": {}}}"#,
                "the stored command is called \"iam-delete-user\", which this release does not know",
            ),
            (
                r#"{"v": 1, "command": {"command": "iam-get-user", "arguments": {}}}"#,
                "the stored command is not readable: missing field `user-profile`",
            ),
        ];
        for (text, message) in rows {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
