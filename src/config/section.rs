//! Reads settings out of their layers: the environment, over the file, over the default.
//!
//! A derived deserialiser stops at the first error. This one goes on with the default and notes the
//! error, so that an operator mends a configuration once and not once for each mistake in it.

use std::{collections::BTreeMap, fmt, path::Path};

use toml::{Table, Value};

use super::{
    kind::Kind,
    raw::{Raw, quoted},
    setting::Setting,
};
use crate::diagnostic::Diagnostic;

/// The short form of `instance_name` inside `[[instances]]`.
pub(super) const SHORT_NAME: &str = "name";
/// What an environment holds in place of bytes that are no UTF-8.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Everything that is wrong with the configuration, one diagnostic a line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Diagnostic>);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// What reading found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Each error with its place in the order of the section that is being read.
    errors: Vec<(usize, Diagnostic)>,
    /// What the operator should know of, though the service can start.
    pub(super) warnings: Vec<String>,
}

impl Report {
    /// Notes an error. `path` says where the setting was set as well: `url (AWS_ILM_URL)`; `found`
    /// is in quotes what was found there, or of a secret only that there was a value.
    pub(super) fn error(&mut self, path: impl Into<String>, found: impl fmt::Display, help: impl Into<String>) {
        self.extend([Diagnostic::error(path, format!("found {found}"), help)]);
    }

    /// Notes errors that another report has.
    pub(super) fn extend(&mut self, errors: impl IntoIterator<Item = Diagnostic>) {
        self.errors.extend(errors.into_iter().map(|error| (usize::MAX, error)));
    }

    /// How much is wrong so far.
    pub(super) fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The value that was read, with the warnings, if nothing is wrong with it.
    pub(super) fn finish<T>(self, value: T) -> Result<(T, Vec<String>), ConfigError> {
        if self.errors.is_empty() {
            return Ok((value, self.warnings));
        }
        let errors = self.errors.into_iter().map(|(_, error)| error);
        Err(ConfigError(errors.collect()))
    }
}

/// The environment, by name.
pub(super) type Environment = BTreeMap<String, String>;

/// A table of a file.
#[derive(Clone, Copy)]
pub(super) struct FileTable<'a> {
    /// Its content.
    pub(super) table: &'a Table,
    /// The file's folder, to which the paths in it are relative.
    pub(super) folder: Option<&'a Path>,
}

impl<'a> FileTable<'a> {
    /// The value of a setting; an instance's name has a short form.
    pub(super) fn value(self, setting: &Setting) -> Option<Raw<'a>> {
        let short = match setting.name {
            "instance_name" => self.table.get(SHORT_NAME),
            _ => None,
        };
        let value: &Value = self.table.get(setting.name).or(short)?;
        let folder = self.folder;
        Some(Raw::Toml { value, folder })
    }
}

/// The settings of the service, an instance, a caller or an issuer, with the layers that apply.
pub(super) struct Section<'a> {
    /// The tables of its settings, in the order of the reference, which is that of its errors.
    tables: &'static [&'static [&'static Setting]],
    /// What the errors call it: the file's name, and the instance or caller in it.
    place: String,
    file: Option<FileTable<'a>>,
    environment: Option<&'a Environment>,
    report: &'a mut Report,
    /// How many errors there were before.
    before: usize,
}

impl<'a> Section<'a> {
    /// A section; without an environment unless it is the one that the environment is for.
    pub(super) fn new(
        tables: &'static [&'static [&'static Setting]],
        place: impl Into<String>,
        file: Option<FileTable<'a>>,
        environment: Option<&'a Environment>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            tables,
            place: place.into(),
            file,
            environment,
            before: report.errors.len(),
            report,
        }
    }

    /// Reads a setting from the first layer that has it. A value that is not accepted is an error,
    /// and the default stands in.
    pub(super) fn read<K: Kind>(&mut self, setting: &'static Setting, kind: &K) -> Option<K::Value> {
        if let Some(raw) = self.lookup(setting) {
            if matches!(raw, Raw::Text(text) if text.contains(REPLACEMENT)) {
                self.refuse(setting, "set it in UTF-8: there are bytes in it that are none");
            } else if matches!(raw, Raw::Text(text) if is_in_quotes(text)) {
                self.refuse(
                    setting,
                    "take the quotes around it off: a file of variables, unlike a shell, keeps them as a part of the value",
                );
            } else {
                let mut complaints = Vec::new();
                let value = kind.parse(raw, &mut complaints);
                if value.is_none() && complaints.is_empty() {
                    complaints.push(format!("use {}", setting.accepts()));
                }
                for help in complaints {
                    self.refuse(setting, &help);
                }
                if value.is_some() {
                    return value;
                }
            }
        }
        kind.parse(Raw::Text(setting.default?), &mut Vec::new())
    }

    /// Whether the setting is set, rightly or wrongly.
    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.lookup(setting).is_some()
    }

    /// Whether the setting is set in the environment.
    pub(super) fn is_in_environment(&self, setting: &Setting) -> bool {
        self.in_environment(setting).is_some()
    }

    /// Whether there is an error of this setting already.
    pub(super) fn is_refused(&self, setting: &Setting) -> bool {
        self.errors_of(setting).next().is_some()
    }

    /// The errors of this setting so far.
    pub(super) fn errors_of(&self, setting: &Setting) -> impl Iterator<Item = &Diagnostic> {
        let order = self.order(setting);
        let errors = self.report.errors[self.before..].iter();
        errors.filter(move |(other, _)| *other == order).map(|(_, error)| error)
    }

    /// Notes that the setting, or its absence, won't do.
    pub(super) fn refuse(&mut self, setting: &Setting, help: &str) {
        let found = match self.lookup(setting) {
            Some(raw) => setting.kind.shown(raw),
            None => "nothing".to_owned(),
        };
        self.error(setting, &found, help);
    }

    /// Notes that what the setting names was looked for, and what was found there.
    pub(super) fn refuse_found(&mut self, setting: &Setting, found: &str, help: &str) {
        let shown = self
            .lookup(setting)
            .map_or_else(String::new, |raw| format!("{}: ", setting.kind.shown(raw)));
        self.error(setting, &format!("{shown}{found}"), help);
    }

    /// Notes that the file that the setting names won't do; its path is no secret.
    pub(super) fn refuse_file(&mut self, setting: &Setting, path: &Path, help: &str) {
        self.error(setting, &quoted(&path.display().to_string()), help);
    }

    /// Notes what the operator should know of, though the service can start.
    pub(super) fn warn(&mut self, setting: &Setting, warning: &str) {
        let label = self.label(setting);
        self.report.warnings.push(format!("{label}: {warning}"));
    }

    /// What errors call the section.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The report that the section writes to, for what is no setting's.
    pub(super) fn report(&mut self) -> &mut Report {
        self.report
    }

    /// Puts an error where the reference has its setting, among those of this section, which are in
    /// order because each came in by this way.
    fn error(&mut self, setting: &Setting, found: &str, help: &str) {
        let order = self.order(setting);
        let diagnostic = Diagnostic::error(self.label(setting), format!("found {found}"), help);
        let errors = &mut self.report.errors;
        let at = self.before + errors[self.before..].partition_point(|(other, _)| *other <= order);
        errors.insert(at, (order, diagnostic));
    }

    fn order(&self, setting: &Setting) -> usize {
        let mut settings = self.tables.iter().flat_map(|table| table.iter());
        settings
            .position(|other| other.name == setting.name)
            .unwrap_or(usize::MAX)
    }

    /// Where the setting stands, for a message: `url (AWS_ILM_URL)`, or the file and the instance
    /// in it.
    fn label(&self, setting: &Setting) -> String {
        let is_of_environment = self.is_in_environment(setting) || self.file.is_none();
        match setting.variable() {
            Some(variable) if is_of_environment => format!("{} ({variable})", setting.name),
            Some(_) | None => format!("{} ({})", setting.name, self.place),
        }
    }

    /// The value of the first layer that has one.
    fn lookup(&self, setting: &Setting) -> Option<Raw<'a>> {
        let environment = self.in_environment(setting).map(Raw::Text);
        environment.or_else(|| self.file?.value(setting))
    }

    fn in_environment(&self, setting: &Setting) -> Option<&'a str> {
        self.environment?.get(&setting.variable()?).map(String::as_str)
    }
}

/// Whether quotes stand around a text, as where `docker --env-file` is given what a shell reads.
pub(super) fn is_in_quotes(text: &str) -> bool {
    let inner = |quote| text.strip_prefix(quote).is_some_and(|rest| rest.ends_with(quote));
    inner('"') || inner('\'')
}

/// The text of a setting in the environment.
pub(super) fn variable<'a>(environment: &'a Environment, setting: &Setting) -> Option<&'a str> {
    environment.get(&setting.variable()?).map(String::as_str)
}

/// The text of a setting in a table of a file, if it is one.
pub(super) fn text_in<'a>(table: &'a Table, setting: &Setting) -> Option<&'a str> {
    let folder = None;
    FileTable { table, folder }.value(setting)?.text()
}
