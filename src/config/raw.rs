//! A value as one layer holds it, how it is read and how it may be shown.

use std::path::{Path, PathBuf};

use toml::Value;

/// A value longer than this is cut when it is shown, in characters.
const LONGEST_SHOWN: usize = 120;

/// A value as one layer holds it.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    /// From the environment, or a default.
    Text(&'a str),
    /// From a file.
    Toml {
        /// As it stands there.
        value: &'a Value,
        /// The file's folder.
        folder: Option<&'a Path>,
    },
}

impl<'a> Raw<'a> {
    /// The text, if it is one.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Toml { value, .. } => value.as_str(),
        }
    }

    /// The text as a path. Every path goes through here: in a file it is relative to the file, in
    /// the environment to where the process runs.
    pub(super) fn path(self) -> Option<PathBuf> {
        let path = Path::new(self.text()?);
        Some(match self.folder() {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        })
    }

    /// The folder to which paths are relative; `None` for where the process runs.
    pub(super) fn folder(self) -> Option<&'a Path> {
        match self {
            Self::Text(_) => None,
            Self::Toml { folder, .. } => folder,
        }
    }

    /// The texts of a list: an array in the file; separated by commas in the environment, where
    /// white space around them is dropped.
    pub(super) fn texts(self) -> Option<Vec<&'a str>> {
        match self {
            Self::Text("") => Some(Vec::new()),
            Self::Text(text) => Some(text.split(',').map(str::trim).collect()),
            Self::Toml { value, .. } => value.as_array()?.iter().map(Value::as_str).collect(),
        }
    }

    /// The value for display: one line of a bounded length, without the password of a URL.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Text(text) => quoted(&without_credentials(text)),
            Self::Toml { value, .. } => match value {
                Value::String(text) => quoted(&without_credentials(text)),
                Value::Array(_) => "a list".to_owned(),
                Value::Table(_) => "a table".to_owned(),
                Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value.to_string(),
            },
        }
    }
}

/// A value in quotes, escaped, and cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(LONGEST_SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

/// A name from outside without what could break a line, and not longer than a line.
pub(super) fn escaped(name: &str) -> String {
    name.chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect()
}

/// Masks what may be a password in a URL: all between its scheme and its last `@`, and its query.
fn without_credentials(text: &str) -> String {
    let (text, query) = text.split_once('?').map_or((text, ""), |(before, _)| (before, "?***"));
    let start = text.find("://").map_or(0, |at| at + 3);
    match text[start..].rfind('@') {
        Some(at) => format!("{}***{}{query}", &text[..start], &text[start + at..]),
        None => format!("{text}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_url_are_not_shown() {
        for (text, expected) in [
            ("https://user:pw@host/", "https://***@host/"),
            ("https://user:p@w@host/", "https://***@host/"),
            ("user:pw@host", "***@host"),
            ("https://host/?token=abc", "https://host/?***"),
            ("https://u:p@host/?token=a@c", "https://***@host/?***"),
            ("https://host/", "https://host/"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }
}
