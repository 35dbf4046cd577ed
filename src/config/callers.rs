//! Who may ask: the `[[callers]]`, and the `[[issuers]]` of their tokens.
//!
//! They stand in the configuration file, or in a file of their own that `callers_file` names, and
//! are read again while the service runs. So everything that reads them works from a text and can
//! be done twice.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{
    caller::{self, KnownInstances},
    issuers,
    reader::{self, Environment, Faults, Report, Section},
    reference::Scope,
    unknown,
};
use crate::{
    auth::{Caller, jwt::Issuer},
    files,
};

/// The key of the callers' tables.
pub(super) const CALLERS: &str = "callers";
/// The setting that names a file of their own.
const FILE: &str = "callers_file";
/// The key of the issuers' tables.
pub(super) const ISSUERS: &str = "issuers";
/// A file of thousands of callers stays below this many bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Who may ask, and where that was read.
#[derive(Debug, Clone)]
pub struct CallerSettings {
    /// As it was read at start.
    pub loaded: Loaded,
    /// Where to read it again.
    pub source: CallerSource,
}

/// Callers and issuers, checked.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Who may ask, in the file's order.
    pub callers: Vec<Caller>,
    /// Whose tokens are verified.
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
    /// The configuration file: where it is, what it is called, what it holds.
    pub(super) file: Option<(&'a Path, &'a str, &'a Table)>,
    pub(super) environment: &'a Environment,
    pub(super) instances: Vec<String>,
    /// Whether those are all.
    pub(super) knows_instances: bool,
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
    pub fn load(&self, text: &str) -> Result<Loaded, Faults> {
        self.load_text(text, true)
    }

    fn load_text(&self, text: &str, are_made: bool) -> Result<Loaded, Faults> {
        let mut report = Report::default();
        match super::parse_toml(&self.name, text, &mut report) {
            Some(table) => self.load_table(&table, are_made),
            None => Err(Faults(report.faults)),
        }
    }

    fn load_table(&self, table: &Table, are_made: bool) -> Result<Loaded, Faults> {
        let mut report = Report::default();
        let known_instances = KnownInstances {
            names: self.instances.as_deref(),
            are_made,
        };
        let loaded = self.read(table, known_instances, &mut report);
        if !report.faults.is_empty() {
            return Err(Faults(report.faults));
        }
        Ok(Loaded {
            warnings: report.warnings,
            ..loaded
        })
    }

    /// What the file is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, table: &Table, known_instances: KnownInstances<'_>, report: &mut Report) -> Loaded {
        if self.is_their_own {
            for key in table.keys().filter(|key| ![CALLERS, ISSUERS].contains(&key.as_str())) {
                report.fault(
                    format!("{} ({})", reader::escaped(key), self.name),
                    "an unknown setting",
                    "leave nothing but [[callers]] and [[issuers]] in this file",
                );
            }
        }
        let folder = self.path.parent();
        let issuers = issuers::read(tables(table, ISSUERS, &self.name, report), folder, &self.name, report);
        let mut callers: Vec<Caller> = Vec::new();
        for (index, table) in tables(table, CALLERS, &self.name, report).into_iter().enumerate() {
            let name = table.get("name").and_then(Value::as_str);
            let place = match name {
                Some(name) => format!("caller {} in {}", reader::quoted(name), self.name),
                None => format!("caller {} in {}", index + 1, self.name),
            };
            unknown::refuse_keys(table, Scope::Caller, &place, report);
            let mut section = Section::table(Scope::Caller, place, table, report);
            let caller = caller::read(&mut section, &issuers, known_instances);
            if !caller.certificates.is_empty() && !self.takes_certificates {
                section.refuse(
                    "certificates",
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
}

/// Reads who may ask, at start; `None` when nobody is named.
pub(super) fn read(context: &LoadContext<'_>, report: &mut Report) -> Option<CallerSettings> {
    let (name, table) = context.file.map_or(("", None), |(_, name, table)| (name, Some(table)));
    let mut section = Section::service(name, table, context.environment, report);
    let (in_environment, _) = section.is_set(FILE);
    let written = section.text(FILE, |path| !path.is_empty());
    let stand_in_file = context
        .file
        .filter(|(.., table)| table.contains_key(CALLERS) || table.contains_key(ISSUERS));
    let takes_certificates = context.takes_certificates;
    let instances = context.knows_instances.then(|| context.instances.clone());
    let source = match (written, stand_in_file) {
        (Some(path), None) => {
            let folder = context
                .file
                .and_then(|(file, ..)| file.parent())
                .filter(|_| !in_environment);
            let path = folder.map_or_else(|| PathBuf::from(&path), |folder| folder.join(&path));
            CallerSource {
                name: path.display().to_string().escape_debug().to_string(),
                path,
                is_their_own: true,
                instances,
                takes_certificates,
            }
        }
        (Some(_), Some((_, name, _))) => {
            let help = "leave the [[callers]] and [[issuers]] in one of the two files";
            report.fault(format!("{CALLERS} ({name})"), "callers_file as well", help);
            return None;
        }
        (None, Some((path, name, _))) => CallerSource {
            path: path.to_owned(),
            name: name.to_owned(),
            is_their_own: false,
            instances,
            takes_certificates,
        },
        // A callers_file that is no text has been told.
        (None, None) => return None,
    };
    let loaded = match stand_in_file {
        Some((.., table)) => source.load_table(table, false),
        None => match source.text() {
            Ok(text) => source.load_text(&text, false),
            Err(error) => {
                let help = format!("give the path of a TOML file with [[callers]] ({error})");
                Section::service(name, table, context.environment, report).refuse(FILE, &help);
                return None;
            }
        },
    };
    match loaded {
        Ok(loaded) => {
            if loaded.callers.is_empty() {
                let help = "name at least one: `aws-ilm key new --name NAME` prints what to put there";
                report.fault(format!("{CALLERS} ({})", source.name), "nobody", help);
            }
            report.warnings.extend(loaded.warnings.iter().cloned());
            Some(CallerSettings { loaded, source })
        }
        Err(faults) => {
            report.faults.extend(faults.0);
            None
        }
    }
}

/// The tables of that key.
fn tables<'a>(file: &'a Table, key: &str, name: &str, report: &mut Report) -> Vec<&'a Table> {
    let Some(value) = file.get(key) else {
        return Vec::new();
    };
    let tables = value
        .as_array()
        .and_then(|entries| entries.iter().map(Value::as_table).collect());
    tables.unwrap_or_else(|| {
        report.fault(
            format!("{key} ({name})"),
            "something else",
            format!("write a table [[{key}]] for each"),
        );
        Vec::new()
    })
}
