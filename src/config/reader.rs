//! Reads settings out of their layers: the environment, over the file, over the default.
//!
//! A derived deserialiser stops at the first fault. This one goes on with the default and notes the
//! fault, so that an operator mends a configuration once and not once for each mistake in it.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::Timestamp;
use toml::{Table, Value};

use super::{
    expiry, rates,
    reference::{self, Kind, Scope, Setting},
};
use crate::diagnostic::Diagnostic;

/// The key of the instances' tables, which is no setting itself.
pub(super) const INSTANCES: &str = "instances";
/// The short form of `instance_name` inside `[[instances]]`.
pub(super) const SHORT_NAME: &str = "name";
/// A value longer than this is cut when it is shown.
const LONGEST_SHOWN: usize = 120;

/// Everything that is wrong with the configuration, one fault a line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Diagnostic>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// What the reading has to say at its end.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) faults: Vec<Diagnostic>,
    pub(super) warnings: Vec<String>,
}

impl Report {
    /// Notes an error. `setting` says where it was set as well: `url (AWS_ILM_URL)`; `found` is in
    /// quotes what was found there, or of a secret only that there was a value.
    pub(super) fn fault(&mut self, setting: impl Into<String>, found: impl Into<String>, help: impl Into<String>) {
        let message = format!("found {}", found.into());
        self.faults.push(Diagnostic::error(setting, message, help));
    }
}

/// The environment, by name.
pub(super) type Environment = BTreeMap<String, String>;

/// The settings of the service or of one instance, with the layers that apply to it.
pub(super) struct Section<'a> {
    scope: Scope,
    /// What the faults call it: the file's name, and the instance in it.
    place: String,
    table: Option<&'a Table>,
    environment: Option<&'a Environment>,
    report: &'a mut Report,
}

/// A value as one layer holds it.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    /// From the environment, or a default.
    Text(&'a str),
    /// From the file.
    Toml(&'a Value),
}

impl<'a> Raw<'a> {
    /// The text, if it is one.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Toml(value) => value.as_str(),
        }
    }

    /// For display: one line, never longer than a line should be, and without the password that any
    /// URL may hold.
    fn shown(self) -> String {
        match self {
            Self::Text(text) => quoted(&without_credentials(text)),
            Self::Toml(Value::String(text)) => quoted(&without_credentials(text)),
            Self::Toml(Value::Array(_)) => "a list".to_owned(),
            Self::Toml(Value::Table(_)) => "a table".to_owned(),
            Self::Toml(value) => value.to_string(),
        }
    }
}

impl<'a> Section<'a> {
    /// The service's own settings.
    pub(super) fn service(
        file: &str,
        table: Option<&'a Table>,
        environment: &'a Environment,
        report: &'a mut Report,
    ) -> Self {
        Self {
            scope: Scope::Service,
            place: file.to_owned(),
            table,
            environment: Some(environment),
            report,
        }
    }

    /// An instance's settings; without an environment unless it is the one that the environment is
    /// for.
    pub(super) fn instance(
        place: String,
        table: Option<&'a Table>,
        environment: Option<&'a Environment>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            scope: Scope::Instance,
            place,
            table,
            environment,
            report,
        }
    }

    /// The settings in a table of callers or issuers, for which there is no environment.
    pub(super) fn table(scope: Scope, place: String, table: &'a Table, report: &'a mut Report) -> Self {
        Self {
            scope,
            place,
            table: Some(table),
            environment: None,
            report,
        }
    }

    /// Parses a setting from the first layer that has it. A value that is not accepted is a fault,
    /// and the default stands in.
    pub(super) fn parsed<T>(&mut self, name: &str, parse: impl Fn(Raw<'_>) -> Option<T>) -> Option<T> {
        let setting = self.setting(name);
        if let Some((raw, _)) = self.lookup(setting) {
            if let Some(value) = parse(raw) {
                return Some(value);
            }
            self.refuse(name, &format!("use {}", setting.kind.accepts()));
        }
        setting.default.and_then(|text| parse(Raw::Text(text)))
    }

    /// A switch.
    pub(super) fn boolean(&mut self, name: &str) -> bool {
        self.parsed(name, |raw| match raw {
            Raw::Text(text) => text.parse().ok(),
            Raw::Toml(value) => value.as_bool(),
        })
        .expect("every switch has a default, which a test reads")
    }

    /// A number within the bounds of a setting that has a default.
    pub(super) fn count(&mut self, name: &str) -> usize {
        self.count_if_set(name)
            .expect("every number read this way has a default, which a test reads")
    }

    /// A number within the bounds of a setting that need not be set.
    pub(super) fn count_if_set(&mut self, name: &str) -> Option<usize> {
        let Kind::Count { least, most, .. } = self.setting(name).kind else {
            unreachable!("{name} is read as a number and listed as something else")
        };
        self.parsed(name, |raw| {
            let number = match raw {
                Raw::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
                Raw::Text(_) => return None,
                Raw::Toml(value) => u64::try_from(value.as_integer()?).ok()?,
            };
            if (least..=most).contains(&number) {
                usize::try_from(number).ok()
            } else {
                None
            }
        })
    }

    /// A number a second within the setting's bounds.
    pub(super) fn rate(&mut self, name: &str) -> f64 {
        let Kind::Rate { most, .. } = self.setting(name).kind else {
            unreachable!("{name} is read as a rate and listed as something else")
        };
        self.parsed(name, |raw| rates::parse(raw, most))
            .expect("every rate has a default, which a test reads")
    }

    /// A point in time.
    pub(super) fn timestamp(&mut self, name: &str) -> Option<Timestamp> {
        self.parsed(name, |raw| match raw {
            Raw::Text(text) => expiry::parse(text),
            Raw::Toml(Value::Datetime(datetime)) => expiry::parse(&datetime.to_string()),
            Raw::Toml(value) => expiry::parse(value.as_str()?),
        })
    }

    /// A duration within the setting's bounds.
    pub(super) fn duration(&mut self, name: &str) -> Duration {
        let Kind::Duration { least, most } = self.setting(name).kind else {
            unreachable!("{name} is read as a duration and listed as something else")
        };
        let bounds = Duration::from_millis(least)..=Duration::from_millis(most);
        self.parsed(name, |raw| {
            let duration: jiff::SignedDuration = raw.text()?.parse().ok()?;
            Duration::try_from(duration)
                .ok()
                .filter(|duration| bounds.contains(duration))
        })
        .expect("every duration has a default, which a test reads")
    }

    /// A text that passes a check of its own.
    pub(super) fn text(&mut self, name: &str, check: impl Fn(&str) -> bool) -> Option<String> {
        self.parsed(name, |raw| raw.text().filter(|text| check(text)).map(str::to_owned))
    }

    /// A list, each of its entries passing a check; white space around entries in the environment
    /// is dropped.
    pub(super) fn list(&mut self, name: &str, check: impl Fn(&str) -> bool) -> Vec<String> {
        let entries = self.parsed(name, |raw| {
            let entries: Vec<&str> = match raw {
                Raw::Text("") => Vec::new(),
                Raw::Text(text) => text.split(',').map(str::trim).collect(),
                Raw::Toml(value) => value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?,
            };
            entries
                .iter()
                .all(|entry| check(entry))
                .then(|| entries.into_iter().map(str::to_owned).collect())
        });
        entries.unwrap_or_default()
    }

    /// Whether the setting is set in the environment, and whether in the file.
    pub(super) fn is_set(&self, name: &str) -> (bool, bool) {
        let setting = self.setting(name);
        (self.in_environment(setting).is_some(), self.in_table(setting).is_some())
    }

    /// Whether the setting is set nowhere.
    pub(super) fn is_absent(&self, name: &str) -> bool {
        self.is_set(name) == (false, false)
    }

    /// Where the setting stands, for a message: `url (AWS_ILM_URL)`, or the file and the instance
    /// in it.
    fn label(&self, name: &str) -> String {
        let setting = self.setting(name);
        let from_environment = match self.lookup(setting) {
            Some((_, from_environment)) => from_environment,
            None => self.table.is_none(),
        };
        match setting.variable() {
            Some(variable) if from_environment => format!("{name} ({variable})"),
            Some(_) | None => format!("{name} ({})", self.place),
        }
    }

    /// Notes that what the setting is, or that it is missing, won't do.
    pub(super) fn refuse(&mut self, name: &str, help: &str) {
        let setting = self.setting(name);
        let found = match (self.lookup(setting), setting.kind) {
            (None, _) => "nothing".to_owned(),
            (Some(_), Kind::Secret(_)) => "a value (masked)".to_owned(),
            // A token pasted into the setting beside its own is no reason to print it.
            (Some((raw, _)), Kind::Date) if raw.text().is_some_and(|text| !is_like_a_date(text)) => {
                "a text (masked)".to_owned()
            }
            (Some((raw, _)), _) => raw.shown(),
        };
        let label = self.label(name);
        self.report.fault(label, found, help);
    }

    /// Notes that what the setting names was looked for, and what was found there.
    pub(super) fn refuse_found(&mut self, name: &str, found: &str, help: &str) {
        let setting = self.setting(name);
        let shown = self
            .lookup(setting)
            .map_or_else(String::new, |(raw, _)| format!("{}: ", raw.shown()));
        let label = self.label(name);
        self.report.fault(label, format!("{shown}{found}"), help);
    }

    /// Notes what the operator should know of, though the service can start.
    pub(super) fn warn(&mut self, name: &str, warning: &str) {
        let label = self.label(name);
        self.report.warnings.push(format!("{label}: {warning}"));
    }

    fn setting(&self, name: &str) -> &'static Setting {
        reference::find(self.scope, name).expect("only listed settings are read, which every test of load holds")
    }

    /// The value of the first layer that has one, and whether that is the environment.
    fn lookup(&self, setting: &Setting) -> Option<(Raw<'a>, bool)> {
        let environment = self.in_environment(setting).map(|text| (Raw::Text(text), true));
        environment.or_else(|| self.in_table(setting).map(|value| (Raw::Toml(value), false)))
    }

    fn in_environment(&self, setting: &Setting) -> Option<&'a str> {
        self.environment?.get(&setting.variable()?).map(String::as_str)
    }

    fn in_table(&self, setting: &Setting) -> Option<&'a Value> {
        in_table(self.table?, setting.name)
    }
}

/// A setting in a table of the file; an instance's name has a short form there.
pub(super) fn in_table<'a>(table: &'a Table, name: &str) -> Option<&'a Value> {
    let short = if name == "instance_name" {
        table.get(SHORT_NAME)
    } else {
        None
    };
    table.get(name).or(short)
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

/// Whether there is nothing in a text but what dates and times are written with.
fn is_like_a_date(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_ascii_digit() || "-:./+TtZz ".contains(character))
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
