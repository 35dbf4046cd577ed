//! A file of the configuration as TOML.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::section::{FileTable, Report};
use crate::files::read_text;

/// A configuration of thousands of callers stays below this many bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The key of the directories' tables.
pub(super) const INSTANCES: &str = "instances";
/// The key of the callers' tables.
pub(super) const CALLERS: &str = "callers";
/// The key of the tables of issuers of their tokens.
pub(super) const ISSUERS: &str = "issuers";
/// The key of the tables of sources of webhooks.
pub(super) const SOURCES: &str = "sources";

/// A configuration file that could be read as TOML.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// For messages.
    pub(super) name: String,
    /// What was read.
    pub(super) text: String,
    pub(super) table: Table,
}

impl ConfigFile {
    /// Reads a file, or notes why it can't be.
    pub(super) fn read(path: &Path, report: &mut Report) -> Option<Self> {
        let name = path.display().to_string().escape_debug().to_string();
        let text = match read_text(path, MOST_BYTES) {
            Ok(text) => text,
            Err(error) => {
                report.error(name, error.to_string(), "give the path of a TOML file in UTF-8");
                return None;
            }
        };
        let table = parse_toml(&name, &text, report)?;
        Some(Self {
            path: path.to_owned(),
            name,
            text,
            table,
        })
    }

    /// Where the path of a setting at its top leads, if it is one.
    pub(super) fn path_of(&self, key: &str) -> Option<PathBuf> {
        let path = self.table.get(key)?.as_str()?;
        Some(
            self.path
                .parent()
                .map_or_else(|| PathBuf::from(path), |folder| folder.join(path)),
        )
    }

    /// The settings at its top.
    pub(super) fn top(&self) -> FileTable<'_> {
        FileTable {
            table: &self.table,
            folder: self.path.parent(),
        }
    }
}

/// Makes a table of a file's text.
pub(super) fn parse_toml(name: &str, text: &str, report: &mut Report) -> Option<Table> {
    match text.parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            // Not its own Display, which quotes the line: there may be a token on it.
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = before.matches('\n').count() + 1;
            let help = error.message().escape_debug().to_string();
            report.error(format!("{name} line {line}"), "invalid TOML", help);
            None
        }
    }
}

/// The tables of an array of them. `help` says how they are written, where the key is something
/// else.
pub(super) fn tables<'a>(
    file: FileTable<'a>,
    key: &str,
    help: &str,
    name: &str,
    report: &mut Report,
) -> Vec<FileTable<'a>> {
    let Some(value) = file.table.get(key) else {
        return Vec::new();
    };
    let folder = file.folder;
    let table = |entry: &'a Value| entry.as_table().map(|table| FileTable { table, folder });
    let tables = value.as_array().and_then(|entries| entries.iter().map(table).collect());
    tables.unwrap_or_else(|| {
        report.error(format!("{key} ({name})"), "something else", help);
        Vec::new()
    })
}
