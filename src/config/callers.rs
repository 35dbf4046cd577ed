//! The callers and the issuers of their tokens, with the file in which they stand.
//!
//! They stand in the configuration file, or in a file of their own that `callers_file` names, and
//! are read again while the service runs. So everything that reads them works from a text and can
//! be done twice.

use std::path::PathBuf;

use toml::Table;

use super::{
    caller::{self, CallerTable, KnownInstances},
    file::{self, CALLERS, ConfigFile, ISSUERS, parse_toml},
    issuer::{self, IssuerTable},
    raw::{escaped, quoted},
    section::{self, ConfigError, FileTable, Report, Section},
    service::AccessSettings,
    setting::{Scope, Setting},
    unknown,
};
use crate::{
    auth::{Caller, jwt::Issuer},
    files,
};

/// A file of thousands of callers stays below this many bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The callers, and the file that they were read from.
#[derive(Debug, Clone)]
pub struct CallerSettings {
    /// As they were read at start.
    pub loaded: Loaded,
    /// Where to read them again.
    pub source: CallerSource,
}

/// Callers and issuers, checked.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The callers, in the file's order.
    pub callers: Vec<Caller>,
    /// The issuers whose tokens are verified.
    pub issuers: Vec<Issuer>,
    /// What the operator should know of, one a line, without secrets.
    pub warnings: Vec<String>,
}

/// The file in which callers stand.
#[derive(Debug, Clone)]
pub struct CallerSource {
    path: PathBuf,
    /// For messages.
    name: String,
    /// Whether nothing but callers and issuers stands in it.
    is_their_own: bool,
    /// The instances that there are; `None` when that is not known.
    instances: Option<Vec<String>>,
    /// Whether client certificates are asked for.
    takes_certificates: bool,
}

/// What the reading of callers needs from around it.
pub(super) struct LoadContext<'a> {
    /// The configuration file.
    pub(super) file: Option<&'a ConfigFile>,
    /// Where `callers_file` leads, if it is set.
    pub(super) own_file: Option<PathBuf>,
    /// The instances that there are; `None` when that is not known.
    pub(super) instances: Option<Vec<String>>,
    /// Whether client certificates are asked for.
    pub(super) takes_certificates: bool,
}

impl Loaded {
    /// Whether the callers and issuers are the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.callers == other.callers && self.issuers == other.issuers
    }
}

impl CallerSource {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it can't be read, or is no regular file of a reasonable size.
    pub fn text(&self) -> Result<String, files::FileError> {
        files::read_text(&self.path, MOST_BYTES)
    }

    /// Makes callers and issuers of the file's text, read again while the service runs.
    ///
    /// # Errors
    /// Everything that is wrong with them, together.
    pub fn load(&self, text: &str) -> Result<Loaded, ConfigError> {
        self.load_text(text, true)
    }

    fn load_text(&self, text: &str, are_made: bool) -> Result<Loaded, ConfigError> {
        let mut report = Report::default();
        match parse_toml(&self.name, text, &mut report) {
            Some(table) => self.load_table(&table, are_made),
            None => report.finish(Loaded::default()).map(|(loaded, _)| loaded),
        }
    }

    fn load_table(&self, table: &Table, are_made: bool) -> Result<Loaded, ConfigError> {
        let mut report = Report::default();
        let known_instances = KnownInstances {
            names: self.instances.as_deref(),
            are_made,
        };
        let loaded = self.read(table, known_instances, &mut report);
        if have_all_expired(&loaded.callers) {
            let warning =
                "all keys of all callers have expired, so nobody is let in: make new ones with `aws-ilm key new`";
            report.warnings.push(format!("{CALLERS} ({}): {warning}", self.name));
        }
        let (loaded, warnings) = report.finish(loaded)?;
        Ok(Loaded { warnings, ..loaded })
    }

    /// What the file is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, table: &Table, known_instances: KnownInstances<'_>, report: &mut Report) -> Loaded {
        if self.is_their_own {
            for key in table.keys().filter(|key| ![CALLERS, ISSUERS].contains(&key.as_str())) {
                report.error(
                    format!("{} ({})", escaped(key), self.name),
                    "an unknown setting",
                    "leave nothing but [[callers]] and [[issuers]] in this file",
                );
            }
        }
        let file = FileTable {
            table,
            folder: self.path.parent(),
        };
        let tables = |key: &'static str, report: &mut Report| {
            file::tables(
                file,
                key,
                &format!("write a table [[{key}]] for each"),
                &self.name,
                report,
            )
        };
        let mut issuers: Vec<Issuer> = Vec::new();
        for (index, table) in tables(ISSUERS, report).into_iter().enumerate() {
            let place = self.place("issuer", table, IssuerTable::issuer, index);
            unknown::refuse_keys(table.table, Scope::Issuer, &place, report);
            let mut section = Section::new(issuer::TABLES, place, Some(table), None, report);
            let Some(issuer) = issuer::read(&mut section) else {
                continue;
            };
            if issuers.iter().any(|other| other.issuer == issuer.issuer) {
                section.refuse(
                    IssuerTable::issuer,
                    "there is a table for this issuer already: keep one of them",
                );
            }
            issuers.push(issuer);
        }
        let mut callers: Vec<Caller> = Vec::new();
        for (index, table) in tables(CALLERS, report).into_iter().enumerate() {
            let place = self.place("caller", table, CallerTable::name, index);
            unknown::refuse_keys(table.table, Scope::Caller, &place, report);
            let mut section = Section::new(caller::TABLES, place, Some(table), None, report);
            let caller = caller::read(&mut section, &issuers, known_instances);
            if !caller.certificates.is_empty() && !self.takes_certificates {
                section.refuse(
                    CallerTable::certificates,
                    "set tls_client_ca_file: without it no client certificate is asked for",
                );
            }
            caller::refuse_what_is_others(&mut section, &caller, &callers);
            callers.push(caller);
        }
        Loaded {
            callers,
            issuers,
            warnings: Vec::new(),
        }
    }

    /// A table's place in messages, by its name if it has one.
    fn place(&self, what: &str, table: FileTable<'_>, setting: &Setting, index: usize) -> String {
        match section::text_in(table.table, setting) {
            Some(name) => format!("{what} {} in {}", quoted(name), self.name),
            None => format!("{what} {} in {}", index + 1, self.name),
        }
    }
}

/// Whether there are keys, nothing but keys, and none of them is good any more.
fn have_all_expired(callers: &[Caller]) -> bool {
    let now = jiff::Timestamp::now();
    let has_only_keys = |caller: &Caller| caller.tokens.is_none() && caller.certificates.is_empty();
    let mut keys = callers.iter().flat_map(|caller| &caller.keys).peekable();
    callers.iter().all(has_only_keys) && keys.peek().is_some() && keys.all(|key| key.has_expired(now))
}

/// Whether callers or issuers stand in a file.
pub(super) fn stand_in(file: &ConfigFile) -> bool {
    [CALLERS, ISSUERS].iter().any(|key| file.table.contains_key(*key))
}

/// Reads the callers at start; `None` where none are configured. `section` is the service's.
pub(super) fn read(context: LoadContext<'_>, section: &mut Section<'_>) -> Option<CallerSettings> {
    let stand_in_file = context.file.filter(|file| stand_in(file));
    let source = |path: PathBuf, name: String, is_their_own: bool| CallerSource {
        path,
        name,
        is_their_own,
        instances: context.instances,
        takes_certificates: context.takes_certificates,
    };
    let (source, loaded) = match (context.own_file, stand_in_file) {
        (Some(path), None) => {
            let name = path.display().to_string().escape_debug().to_string();
            let source = source(path, name, true);
            let text = match source.text() {
                Ok(text) => text,
                Err(error) => {
                    let help = format!("{error}: give the path of a TOML file with [[callers]]");
                    section.refuse(AccessSettings::callers_file, &help);
                    return None;
                }
            };
            let loaded = source.load_text(&text, false);
            (source, loaded)
        }
        (Some(_), Some(file)) => {
            let help = "leave the [[callers]] and [[issuers]] in one of the two files";
            let path = format!("{CALLERS} ({})", file.name);
            section.report().error(path, "callers_file as well", help);
            return None;
        }
        (None, Some(file)) => {
            let source = source(file.path.clone(), file.name.clone(), false);
            let loaded = source.load_table(&file.table, false);
            (source, loaded)
        }
        // A callers_file that is no path has been told.
        (None, None) => return None,
    };
    let report = section.report();
    match loaded {
        Ok(loaded) => {
            if loaded.callers.is_empty() {
                let help = "name at least one: `aws-ilm key new --name NAME` prints what to put there";
                report.error(format!("{CALLERS} ({})", source.name), "nobody", help);
            }
            report.warnings.extend(loaded.warnings.iter().cloned());
            Some(CallerSettings { loaded, source })
        }
        Err(error) => {
            report.extend(error.0);
            None
        }
    }
}
