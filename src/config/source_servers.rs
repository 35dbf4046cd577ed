//! The servers that a source names: where it is told, and where more is fetched.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::SecretString;
use toml::{Table, Value};

use super::{
    kind::Masked,
    raw::Raw,
    section::Section,
    setting::Setting,
    source_secrets::{self, EXPOSED, SecretContext},
    table::settings,
};
use crate::{
    diagnostic::nearest,
    files,
    webhooks::{CallbackTarget, FetchSettings, FetchTarget},
};

settings! {
    /// Servers of the sender.
    pub(super) struct ServerTable: Source {
        /// Where a signed webhook (Standard Webhooks) goes when an operation of the source has
        /// ended, is held or needs data: `[sources.callback]` with `url`, `secret_file` or
        /// `secret_env` (`whsec_` and base64), and `allow_private = true` for a server inside.
        /// Tried again for a day.
        callback: Option<ServerForm> = Masked("a table with `url`, and `secret_file` or `secret_env`", form);
        /// Where more is fetched of a person than an event says, for rules with `fetch = true`:
        /// `[sources.fetch]` with `url`, in whose path and query names of fields stand in braces,
        /// `fields`, each with an expression over `fetched`, and where the server asks for one
        /// `secret_file` or `secret_env`, which goes into `header` (`"Authorization"`) behind
        /// `prefix` (`"Bearer "` for a token). `allow_private = true` for a server inside.
        fetch: Option<ServerForm> = Masked("a table with `url` and `fields`, like { url = \"https://hr.example.com/people/{employeeid}\", fields = { email = \"fetched.email\" } }", form);
    }
}

/// A table as it is written. No `Debug`, as a secret may have been put into it.
pub(super) struct ServerForm {
    table: Table,
    folder: Option<PathBuf>,
}

/// The servers of a source.
#[derive(Default)]
pub(super) struct Servers {
    pub(super) callback: Option<CallbackTarget>,
    pub(super) fetch: Option<Arc<FetchTarget>>,
}

/// Reads the servers of a source; what is wrong with one is noted.
pub(super) fn read(section: &mut Section<'_>, context: SecretContext<'_>) -> Servers {
    let table = ServerTable::read(section);
    Servers {
        callback: table.callback.and_then(|form| callback(section, context, &form)),
        fetch: table
            .fetch
            .and_then(|form| fetch(section, context, &form))
            .map(Arc::new),
    }
}

/// The environment variables that the servers of a source name.
pub(super) fn referred_variables(source: &Table) -> BTreeSet<&str> {
    named(source, "secret_env").collect()
}

/// The files with the secrets of a source's servers.
pub(super) fn secret_files(source: &Table, folder: Option<&Path>) -> Vec<PathBuf> {
    let paths = named(source, "secret_file");
    paths.map(|path| within(folder, path)).collect()
}

fn named<'a>(source: &'a Table, key: &'a str) -> impl Iterator<Item = &'a str> {
    let tables = ["callback", "fetch"].into_iter();
    let tables = tables.filter_map(|name| source.get(name)?.as_table());
    tables.filter_map(move |table| table.get(key)?.as_str())
}

fn within(folder: Option<&Path>, path: &str) -> PathBuf {
    folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
}

fn callback(section: &mut Section<'_>, context: SecretContext<'_>, form: &ServerForm) -> Option<CallbackTarget> {
    let mut keys = Keys::new(section, ServerTable::callback, form);
    keys.refuse_unknown(&["url", "secret_file", "secret_env", "allow_private"]);
    let url = keys.needed("url");
    let allow_private = keys.flag("allow_private");
    let secret = keys.secret(context);
    if secret.is_none() && !keys.is_refused() {
        keys.refuse(
            "secret_file",
            "name a file with the secret that the receiver knows, or a variable in secret_env",
        );
    }
    let made = CallbackTarget::new(url?, &secret?, allow_private);
    made.map_err(|(key, help)| keys.refuse(key, &help)).ok()
}

fn fetch(section: &mut Section<'_>, context: SecretContext<'_>, form: &ServerForm) -> Option<FetchTarget> {
    let mut keys = Keys::new(section, ServerTable::fetch, form);
    keys.refuse_unknown(&[
        "url",
        "header",
        "prefix",
        "secret_file",
        "secret_env",
        "allow_private",
        "fields",
    ]);
    let url = keys.needed("url");
    let allow_private = keys.flag("allow_private");
    let (header, prefix) = (keys.text("header"), keys.text("prefix"));
    let fields = keys.fields();
    let secret = keys.secret(context);
    if secret.is_none() && (header.is_some() || prefix.is_some()) && !keys.is_refused() {
        keys.refuse(
            "header",
            "name a file with its secret in secret_file, or a variable in secret_env",
        );
    }
    let settings = FetchSettings {
        url: url?,
        header: header.unwrap_or("Authorization"),
        prefix: prefix.unwrap_or_default(),
        secret: secret.as_ref(),
        allow_private,
        fields: fields?,
    };
    if keys.is_refused() {
        return None;
    }
    let faults = match FetchTarget::new(&settings) {
        Ok(target) => return Some(target),
        Err(faults) => faults,
    };
    for (key, help) in faults {
        keys.refuse(&key, &help);
    }
    None
}

/// The keys of a table, each fault told by its key. Nothing of a value is shown.
struct Keys<'a, 's> {
    section: &'a mut Section<'s>,
    setting: &'static Setting,
    form: &'a ServerForm,
}

impl<'a, 's> Keys<'a, 's> {
    fn new(section: &'a mut Section<'s>, setting: &'static Setting, form: &'a ServerForm) -> Self {
        Self { section, setting, form }
    }

    fn refuse(&mut self, key: &str, help: &str) {
        self.section.refuse(self.setting, &format!("{key}: {help}"));
    }

    fn is_refused(&self) -> bool {
        self.section.is_refused(self.setting)
    }

    fn refuse_unknown(&mut self, known: &[&'static str]) {
        let form = self.form;
        for key in form.table.keys().filter(|key| !known.contains(&key.as_str())) {
            let near = nearest(&key.to_ascii_lowercase(), known.iter().copied());
            let help = near.map_or_else(
                || format!("it is not known; known are {}", known.join(", ")),
                |near| format!("it is not known; did you mean {near}?"),
            );
            // A key may be anything, and as long as the file.
            let shown: String = key.chars().take(40).flat_map(char::escape_debug).collect();
            self.refuse(&shown, &help);
        }
    }

    fn text(&mut self, key: &str) -> Option<&'a str> {
        let value = self.form.table.get(key)?;
        if value.as_str().is_none() {
            self.refuse(key, "write a text in quotes");
        }
        value.as_str()
    }

    fn needed(&mut self, key: &str) -> Option<&'a str> {
        // It may be there under the name that was refused.
        if !self.form.table.contains_key(key) && !self.is_refused() {
            self.refuse(key, "give an https URL");
        }
        self.text(key)
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.form.table.get(key) {
            None => false,
            Some(Value::Boolean(flag)) => *flag,
            Some(_) => {
                self.refuse(key, "use true or false");
                false
            }
        }
    }

    fn fields(&mut self) -> Option<&'a Table> {
        let fields = self.form.table.get("fields").and_then(Value::as_table);
        if fields.is_none() && !self.is_refused() {
            self.refuse(
                "fields",
                "say which fields the answer has, like { email = \"fetched.work.email\" }",
            );
        }
        fields
    }

    /// The secret, where one is named.
    fn secret(&mut self, context: SecretContext<'_>) -> Option<SecretString> {
        let (file, variable) = (self.text("secret_file"), self.text("secret_env"));
        match (file, variable) {
            (Some(_), Some(_)) => {
                self.refuse("secret_env", "give at most one of secret_file and secret_env");
                None
            }
            (Some(file), None) => {
                let path = within(self.form.folder.as_deref(), file);
                if files::readable_by_everybody(&path) {
                    if context.strict_secret_files {
                        self.refuse("secret_file", EXPOSED);
                    } else {
                        self.section.warn(self.setting, &format!("secret_file: {EXPOSED}"));
                    }
                }
                let secret = source_secrets::secret_in(&path);
                secret.map_err(|help| self.refuse("secret_file", &help)).ok()
            }
            (None, Some(name)) => {
                let secret = source_secrets::secret_of_variable(name, context.environment);
                secret.map_err(|help| self.refuse("secret_env", help)).ok()
            }
            (None, None) => None,
        }
    }
}

fn form(raw: Raw<'_>, _: &mut Vec<String>) -> Option<ServerForm> {
    let Raw::Toml { value, folder } = raw else {
        return None;
    };
    Some(ServerForm {
        table: value.as_table()?.clone(),
        folder: folder.map(Path::to_owned),
    })
}
