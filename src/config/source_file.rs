//! The sources of webhooks, with the file in which they stand.
//!
//! They stand in the configuration file, or in a file of their own that `sources_file` names, and
//! are read again while the service runs, as callers are.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::Table;

use super::{
    file::{self, ConfigFile, SOURCES, parse_toml},
    raw::{escaped, quoted},
    section::{self, ConfigError, Environment, FileTable, Report, Section},
    service::AccessSettings,
    setting::Scope,
    source::{self, SourceContext, SourceTable},
    source_secrets::{self, SecretContext},
    unknown,
};
use crate::{
    files::{self, Fingerprint},
    webhooks::{Source, TargetInstance},
};

/// A file of hundreds of sources stays below this many bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The most that a secret's file is looked at for, in bytes.
const MOST_SECRET: u64 = 64 * 1024;

/// How many sources there may be.
const MOST_SOURCES: usize = 1_000;

/// The sources, and the file that they were read from.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// As they were read at start.
    pub loaded: LoadedSources,
    /// The state of the files that they were read from.
    pub in_force: SourceText,
    /// Where to read them again.
    pub file: SourceFile,
}

/// Sources, checked and compiled.
#[derive(Debug, Clone, Default)]
pub struct LoadedSources {
    /// The sources, in the file's order.
    pub sources: Vec<Arc<Source>>,
    /// What the operator should know of, one a line, without secrets.
    pub warnings: Vec<String>,
}

/// The text of the file, and what tells its secrets apart.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    text: String,
    secrets: Fingerprint,
}

/// Shows nothing of the text: the sources may stand in the main file, beside its tokens.
impl fmt::Debug for SourceText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SourceText").finish_non_exhaustive()
    }
}

/// The file in which sources stand.
#[derive(Clone)]
pub struct SourceFile {
    path: PathBuf,
    /// For messages.
    name: String,
    /// Whether nothing but sources stands in it.
    is_their_own: bool,
    /// The instances that there are; `None` when that is not known.
    instances: Option<Vec<TargetInstance>>,
    environment: Environment,
    strict_secret_files: bool,
}

/// Shows nothing of the environment.
impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SourceFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What the reading of sources needs from around it.
pub(super) struct LoadContext<'a> {
    /// The configuration file.
    pub(super) file: Option<&'a ConfigFile>,
    /// Where `sources_file` leads, if it is set.
    pub(super) own_file: Option<PathBuf>,
    /// The instances that there are; `None` when that is not known.
    pub(super) instances: Option<Vec<TargetInstance>>,
    pub(super) environment: &'a Environment,
    pub(super) strict_secret_files: bool,
}

impl SourceFile {
    /// What the file is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the file's text, and what its secrets are at the moment.
    ///
    /// # Errors
    /// When it can't be read, or is no regular file of a reasonable size. A secret that can't be
    /// read is none: loading tells of it.
    pub fn text(&self) -> Result<SourceText, files::FileError> {
        let text = files::read_text(&self.path, MOST_BYTES)?;
        Ok(self.with_secrets(text))
    }

    /// Makes sources of what was read, again while the service runs.
    ///
    /// # Errors
    /// Everything that is wrong with them, together.
    pub fn load(&self, text: &SourceText) -> Result<LoadedSources, ConfigError> {
        let mut report = Report::default();
        match parse_toml(&self.name, &text.text, &mut report) {
            Some(table) => self.load_table(&table),
            None => report.finish(LoadedSources::default()).map(|(loaded, _)| loaded),
        }
    }

    fn with_secrets(&self, text: String) -> SourceText {
        let table = text.parse::<Table>().unwrap_or_default();
        let sources = table.get(SOURCES).and_then(toml::Value::as_array).into_iter().flatten();
        let paths = sources
            .filter_map(toml::Value::as_table)
            .flat_map(|table| source_secrets::secret_files(table, self.path.parent()));
        // A file that can't be read is another state than an empty one.
        let contents: Vec<_> = paths
            .take(4 * MOST_SOURCES)
            .map(|path| {
                files::read(&path, MOST_SECRET)
                    .map_or_else(|error| format!("? {error}").into_bytes(), |bytes| bytes.to_vec())
            })
            .collect();
        SourceText {
            text,
            secrets: Fingerprint::of(contents.iter().map(Vec::as_slice)),
        }
    }

    fn load_table(&self, table: &Table) -> Result<LoadedSources, ConfigError> {
        let mut report = Report::default();
        let sources = self.read(table, &mut report);
        let (sources, warnings) = report.finish(sources)?;
        Ok(LoadedSources { sources, warnings })
    }

    fn read(&self, table: &Table, report: &mut Report) -> Vec<Arc<Source>> {
        if self.is_their_own {
            for key in table.keys().filter(|key| key.as_str() != SOURCES) {
                let path = format!("{} ({})", escaped(key), self.name);
                report.error(path, "an unknown setting", "leave nothing but [[sources]] in this file");
            }
        }
        let file = FileTable {
            table,
            folder: self.path.parent(),
        };
        let tables = file::tables(file, SOURCES, "write a table [[sources]] for each", &self.name, report);
        if tables.len() > MOST_SOURCES {
            let help = format!("there may be {MOST_SOURCES}");
            report.error(
                format!("{SOURCES} ({})", self.name),
                format!("{} sources", tables.len()),
                help,
            );
            return Vec::new();
        }
        let context = SourceContext {
            secrets: SecretContext {
                environment: &self.environment,
                strict_secret_files: self.strict_secret_files,
            },
            instances: self.instances.as_deref(),
        };
        let mut names: Vec<String> = Vec::new();
        let mut sources = Vec::new();
        for (index, table) in tables.into_iter().enumerate() {
            let name = section::text_in(table.table, SourceTable::name);
            let place = match name {
                Some(name) => format!("source {} in {}", quoted(name), self.name),
                None => format!("source {} in {}", index + 1, self.name),
            };
            unknown::refuse_keys(table.table, Scope::Source, &place, report);
            let mut section = Section::new(source::TABLES, place, Some(table), None, report);
            let source = source::read(&mut section, &context, &names);
            names.extend(name.map(str::to_owned));
            sources.extend(source.map(Arc::new));
        }
        sources
    }
}

/// Whether sources stand in a file.
pub(super) fn stand_in(file: &ConfigFile) -> bool {
    file.table.contains_key(SOURCES)
}

/// The environment variables that the sources of a file name, as far as it can be read.
pub(super) fn referred_variables(file: Option<&ConfigFile>, own_file: Option<&Path>) -> BTreeSet<String> {
    let text = own_file.and_then(|path| files::read_text(path, MOST_BYTES).ok());
    let own = text.and_then(|text| text.parse::<Table>().ok());
    let tables = [file.map(|file| &file.table), own.as_ref()].into_iter().flatten();
    let sources = tables.filter_map(|table| table.get(SOURCES)?.as_array()).flatten();
    sources
        .filter_map(toml::Value::as_table)
        .flat_map(source_secrets::referred_variables)
        .map(str::to_owned)
        .collect()
}

/// Reads the sources at start; `None` where none are configured. `section` is the service's.
pub(super) fn read(context: LoadContext<'_>, section: &mut Section<'_>) -> Option<WebhookSettings> {
    let stand_in_file = context.file.filter(|file| stand_in(file));
    let source_file = |path: PathBuf, name: String, is_their_own: bool| SourceFile {
        path,
        name,
        is_their_own,
        instances: context.instances,
        environment: context.environment.clone(),
        strict_secret_files: context.strict_secret_files,
    };
    let (file, in_force) = match (context.own_file, stand_in_file) {
        (Some(path), None) => {
            let name = path.display().to_string().escape_debug().to_string();
            let file = source_file(path, name, true);
            match file.text() {
                Ok(text) => (file, text),
                Err(error) => {
                    let help = format!("{error}: give the path of a TOML file with [[sources]]");
                    section.refuse(AccessSettings::sources_file, &help);
                    return None;
                }
            }
        }
        (Some(_), Some(file)) => {
            let path = format!("{SOURCES} ({})", file.name);
            section.report().error(
                path,
                "sources_file as well",
                "leave the [[sources]] in one of the two files",
            );
            return None;
        }
        (None, Some(config)) => {
            let file = source_file(config.path.clone(), config.name.clone(), false);
            // The text that was parsed: what changed since is a change.
            let text = file.with_secrets(config.text.clone());
            (file, text)
        }
        // A sources_file that is no path has been told.
        (None, None) => return None,
    };
    let report = section.report();
    match file.load(&in_force) {
        Ok(loaded) => {
            report.warnings.extend(loaded.warnings.iter().cloned());
            Some(WebhookSettings { loaded, in_force, file })
        }
        Err(error) => {
            report.extend(error.0);
            None
        }
    }
}
