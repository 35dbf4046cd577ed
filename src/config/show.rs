//! Every setting as it is set, and where.

use std::fmt;

use toml::Value;

use super::{
    Sources,
    caller::{self, CallerTable},
    callers::stand_in,
    file::{self, CALLERS, ConfigFile, ISSUERS},
    instance,
    instances::{self, DirectorySource},
    issuer::{self, IssuerTable},
    raw::{Raw, quoted},
    section::{self, ConfigError, FileTable, Report},
    service::{self, AccessSettings},
    setting::{Scope, Setting},
};
use crate::files::Fingerprint;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// In this environment variable.
    Environment(String),
    /// In this file.
    File(String),
    /// Nowhere: it is the default.
    Default,
    /// Nowhere, and there is no default.
    Nowhere,
}

/// One setting as it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Whose it is: the service's, or an instance, a caller or an issuer by its name.
    pub place: String,
    /// Its name.
    pub name: &'static str,
    /// Its value, masked where it may be a secret; empty where there is none.
    pub value: String,
    /// Where it was set.
    pub layer: Layer,
    scope: Scope,
    /// Tells values apart that are masked.
    fingerprint: Fingerprint,
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => formatter.write_str(variable),
            Self::File(name) => formatter.write_str(name),
            Self::Default => formatter.write_str("default"),
            Self::Nowhere => formatter.write_str("not set"),
        }
    }
}

/// Every setting of the service, its instances, its callers and their issuers, as each is set,
/// rightly or wrongly.
///
/// # Errors
/// When a file can't be read as TOML.
pub fn show(sources: &Sources) -> Result<Vec<Shown>, ConfigError> {
    let mut report = Report::default();
    let file = sources
        .config
        .as_deref()
        .and_then(|path| ConfigFile::read(path, &mut report));
    let own = own_callers(file.as_ref(), sources, &mut report);
    let ((), _) = report.finish(())?;
    let (file, mut shown) = (file.as_ref(), Vec::new());
    let of_file = |file: &ConfigFile| file.name.clone();
    let service = ShownTable {
        place: "the service".to_owned(),
        scope: Scope::Service,
        tables: service::TABLES,
        file: file.map(|file| (file.top(), of_file(file))),
    };
    service.show(Some(sources), &mut shown);
    // What is wrong is told by `load`.
    let mut unheard = Report::default();
    let tables = file.map_or_else(Vec::new, |file| {
        file::tables(file.top(), file::INSTANCES, "", &file.name, &mut unheard)
    });
    for DirectorySource {
        name,
        table,
        from_environment,
    } in instances::named_sources(&tables, &sources.environment)
    {
        let instance = ShownTable {
            place: format!("instance {}", quoted(&name)),
            scope: Scope::Instance,
            tables: instance::TABLES,
            file: table.zip(file.map(of_file)),
        };
        instance.show(from_environment.then_some(sources), &mut shown);
    }
    let callers = own.as_ref().or(file.filter(|file| stand_in(file)));
    if let Some(file) = callers {
        show_callers(file, &mut shown);
    }
    Ok(shown)
}

/// The settings that differ and are read at start alone, each by its name and whose it is.
pub fn needing_restart(before: &[Shown], now: &[Shown]) -> Vec<String> {
    let is_of_start = |shown: &&Shown| matches!(shown.scope, Scope::Service | Scope::Instance);
    let differs = |one: &Shown, others: &[Shown]| {
        !others
            .iter()
            .any(|other| (other.name, &other.place, &other.fingerprint) == (one.name, &one.place, &one.fingerprint))
    };
    let label = |shown: &Shown| format!("{} of {}", shown.name, shown.place);
    let changed = now
        .iter()
        .filter(is_of_start)
        .filter(|one| differs(one, before))
        .map(label);
    let is_gone = |one: &&Shown| !now.iter().any(|other| other.place == one.place);
    let gone = before
        .iter()
        .filter(is_of_start)
        .filter(is_gone)
        .map(|shown| shown.place.clone());
    let mut all: Vec<String> = changed.chain(gone).collect();
    all.dedup();
    all
}

/// The file of callers, where they have one of their own.
fn own_callers(file: Option<&ConfigFile>, sources: &Sources, report: &mut Report) -> Option<ConfigFile> {
    let setting = AccessSettings::callers_file;
    let environment = section::variable(&sources.environment, setting).map(Raw::Text);
    let raw = environment.or_else(|| file?.top().value(setting))?;
    ConfigFile::read(&raw.path()?, report)
}

/// Shows the callers of a file, and the issuers of their tokens.
fn show_callers(file: &ConfigFile, shown: &mut Vec<Shown>) {
    let mut unheard = Report::default();
    for (key, scope, tables, named) in [
        (CALLERS, Scope::Caller, caller::TABLES, CallerTable::name),
        (ISSUERS, Scope::Issuer, issuer::TABLES, IssuerTable::issuer),
    ] {
        for (index, table) in file::tables(file.top(), key, "", &file.name, &mut unheard)
            .into_iter()
            .enumerate()
        {
            let what = key.trim_end_matches('s');
            let place = match section::text_in(table.table, named) {
                Some(name) => format!("{what} {}", quoted(name)),
                None => format!("{what} {}", index + 1),
            };
            let table = ShownTable {
                place,
                scope,
                tables,
                file: Some((table, file.name.clone())),
            };
            table.show(None, shown);
        }
    }
}

/// The settings of one table.
struct ShownTable<'a> {
    place: String,
    scope: Scope,
    tables: &'static [&'static [&'static Setting]],
    /// Where they stand in a file, and how that is called.
    file: Option<(FileTable<'a>, String)>,
}

impl ShownTable<'_> {
    /// Shows each; with the environment of these sources where that is for this table.
    fn show(&self, sources: Option<&Sources>, shown: &mut Vec<Shown>) {
        for setting in self.tables.iter().copied().flatten().copied() {
            let variable = sources.and_then(|sources| section::variable(&sources.environment, setting));
            let in_file = self.file.as_ref().and_then(|(table, _)| table.value(setting));
            let (raw, layer) = match (variable, in_file, setting.default) {
                (Some(text), ..) => (
                    Some(Raw::Text(text)),
                    Layer::Environment(setting.variable().unwrap_or_default()),
                ),
                (None, Some(raw), _) => {
                    let name = self.file.as_ref().map(|(_, name)| name.clone());
                    (Some(raw), Layer::File(name.unwrap_or_default()))
                }
                (None, None, Some(default)) => (Some(Raw::Text(default)), Layer::Default),
                (None, None, None) => (None, Layer::Nowhere),
            };
            let exact = match raw {
                Some(Raw::Text(text)) => format!("{text:?}"),
                Some(Raw::Toml { value, .. }) => value.to_string(),
                None => String::new(),
            };
            shown.push(Shown {
                place: self.place.clone(),
                name: setting.name,
                value: raw.map_or_else(String::new, |raw| value_of(setting, raw)),
                layer,
                scope: self.scope,
                fingerprint: Fingerprint::of([exact.as_bytes()]),
            });
        }
    }
}

/// A value for display; of a list that holds no secrets each entry.
fn value_of(setting: &Setting, raw: Raw<'_>) -> String {
    match raw {
        Raw::Toml {
            value: Value::Array(entries),
            folder,
        } if !setting.kind.is_secret() => {
            let shown = entries
                .iter()
                .map(|value| setting.kind.shown(Raw::Toml { value, folder }));
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        }
        raw @ (Raw::Text(_) | Raw::Toml { .. }) => setting.kind.shown(raw),
    }
}
