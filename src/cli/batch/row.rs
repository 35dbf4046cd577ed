//! One row of the file.

use serde_json::{Map, Value};

use super::fault::Fault;

/// What is added to the rows, and which columns there may be.
#[derive(Debug)]
pub(super) struct Options {
    /// The command of rows that name none.
    pub(super) command: Option<String>,
    /// The instance of rows that name none.
    pub(super) instance: Option<String>,
    /// Fields of profiles that only the operator's own mapper knows.
    pub(super) fields: Vec<String>,
}

/// One row.
pub(super) struct Row {
    /// The line at which it begins.
    pub(super) line: u64,
    /// As it stands in the file, with its end.
    pub(super) text: String,
    /// What it stands for.
    pub(super) element: Map<String, Value>,
}

impl Row {
    /// A row with what the options add to it.
    pub(super) fn new(
        line: u64,
        text: String,
        mut element: Map<String, Value>,
        options: &Options,
    ) -> Result<Self, Fault> {
        for (name, value) in [("command", &options.command), ("instance", &options.instance)] {
            if let Some(value) = value
                && !element.contains_key(name)
            {
                element.insert(name.to_owned(), value.as_str().into());
            }
        }
        if !element.contains_key("command") {
            let what = "it names no command: say with --command which one all such rows are for";
            return Err(Fault::at(line, what.to_owned()));
        }
        Ok(Self { line, text, element })
    }

    /// Whom it is about, in the words of the file: the first that is there of what a person or
    /// group goes by.
    pub(super) fn subject(&self) -> &str {
        let arguments = self.element.get("arguments");
        let text = |document: &str, name: &str| arguments?.get(document)?.get(name)?.as_str();
        let names = [
            ("user-profile", "username"),
            ("user-profile", "email"),
            ("user-profile", "employeeid"),
            ("user-profile", "id"),
            ("scim", "displayName"),
            ("scim", "id"),
        ];
        names
            .into_iter()
            .find_map(|(document, name)| text(document, name))
            .unwrap_or("-")
    }
}
