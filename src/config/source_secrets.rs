//! The secrets of a source, and where they come from.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use toml::{Table, Value};

use super::{
    kind::{Masked, SecretPath},
    raw::Raw,
    section::{Environment, Section, is_in_quotes},
    setting::Setting,
    source_servers,
    table::settings,
};
use crate::{files, webhooks::verify::Secrets};

/// The longest secret, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

/// What is said of a file that every user of the machine may read.
pub(super) const EXPOSED: &str = "everybody on this machine may read the secret in it: chmod 600";

settings! {
    /// What proves the sender's deliveries.
    pub(super) struct SecretTable: Source {
        /// Files that hold a secret each, without anything else; several, so that one can be
        /// exchanged while the other is in use. Relative to the file that this stands in. Read
        /// again when they change.
        secret_files: Vec<SecretPath> = Masked("an array of paths", secret_paths), default "";
        /// Environment variables that hold a secret each.
        secret_env: Vec<String> = Masked("an array of names of environment variables", names), default "";
        /// Files with a secret that the path has to have as well: `/webhooks/NAME/~SECRET`.
        path_secret_files: Vec<SecretPath> = Masked("an array of paths", secret_paths), default "";
        /// Environment variables with a secret that the path has to have as well.
        path_secret_env: Vec<String> = Masked("an array of names of environment variables", names), default "";
    }
}

/// What the reading of secrets needs from around it.
#[derive(Clone, Copy)]
pub(super) struct SecretContext<'a> {
    pub(super) environment: &'a Environment,
    pub(super) strict_secret_files: bool,
}

/// Reads the secrets of a source; what is wrong with one is noted.
pub(super) fn read(section: &mut Section<'_>, context: SecretContext<'_>) -> Secrets {
    let table = SecretTable::read(section);
    Secrets {
        own: secrets(section, context, Ways::OWN, (&table.secret_files, &table.secret_env)),
        path: secrets(
            section,
            context,
            Ways::PATH,
            (&table.path_secret_files, &table.path_secret_env),
        ),
    }
}

/// The environment variables that a source names, whatever is wrong with it.
pub(super) fn referred_variables(table: &Table) -> BTreeSet<&str> {
    let names = ["secret_env", "path_secret_env"].into_iter();
    let lists = names.filter_map(|name| table.get(name)?.as_array());
    let mut variables: BTreeSet<&str> = lists.flatten().filter_map(Value::as_str).collect();
    variables.append(&mut source_servers::referred_variables(table));
    variables
}

/// What the secrets of a table are read from, so that a change is seen: the bytes of its files.
pub(super) fn secret_files(table: &Table, folder: Option<&Path>) -> Vec<PathBuf> {
    let names = ["secret_files", "path_secret_files"].into_iter();
    let lists = names.filter_map(|name| table.get(name)?.as_array());
    let paths = lists.flatten().filter_map(Value::as_str);
    let paths = paths.map(|path| folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path)));
    paths.chain(source_servers::secret_files(table, folder)).collect()
}

/// The two settings of a list of secrets.
struct Ways {
    files: &'static Setting,
    variables: &'static Setting,
}

impl Ways {
    const OWN: Self = Self {
        files: SecretTable::secret_files,
        variables: SecretTable::secret_env,
    };
    const PATH: Self = Self {
        files: SecretTable::path_secret_files,
        variables: SecretTable::path_secret_env,
    };
}

fn secrets(
    section: &mut Section<'_>,
    context: SecretContext<'_>,
    ways: Ways,
    (paths, names): (&[SecretPath], &[String]),
) -> Vec<SecretString> {
    let mut secrets = Vec::new();
    for path in paths {
        match secret_in(&path.path) {
            Ok(secret) => secrets.push(secret),
            Err(help) => section.refuse_file(ways.files, &path.path, &help),
        }
        if files::readable_by_everybody(&path.path) {
            if context.strict_secret_files {
                section.refuse_file(ways.files, &path.path, EXPOSED);
            } else {
                section.warn(
                    ways.files,
                    &format!("{}: {EXPOSED}", path.path.display().to_string().escape_debug()),
                );
            }
        }
    }
    for (index, name) in names.iter().enumerate() {
        // The name itself may be the secret, put into the wrong setting.
        let refuse = |help: &str| format!("entry {}: {help}", index + 1);
        match secret_of_variable(name, context.environment) {
            Ok(secret) => secrets.push(secret),
            Err(help) => section.refuse(ways.variables, &refuse(help)),
        }
    }
    secrets
}

/// The secret in an environment variable.
pub(super) fn secret_of_variable(name: &str, environment: &Environment) -> Result<SecretString, &'static str> {
    match environment.get(name) {
        None => Err("there is no such variable: give the name of one that holds the secret"),
        Some(text) if is_in_quotes(text) => Err("there are quotes around the secret: take them off"),
        Some(text) => secret(text),
    }
}

/// The secret in a file. One line end after it is none of it.
pub(super) fn secret_in(path: &Path) -> Result<SecretString, String> {
    let bytes = files::read(path, LONGEST_SECRET)
        .map_err(|error| format!("{error}: give the path of a file with the secret alone"))?;
    if files::is_utf_16(&bytes) {
        return Err("it is in UTF-16: save it in UTF-8".to_owned());
    }
    let bytes = bytes.strip_prefix(files::MARK).unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text: put the secret there as text".to_owned())?;
    secret(text).map_err(str::to_owned)
}

fn secret(text: &str) -> Result<SecretString, &'static str> {
    let line = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.trim().is_empty() {
        return Err("it is empty: put the secret there");
    }
    if line.chars().any(char::is_control) {
        return Err("there is a line break or a control character in it: put the secret alone there");
    }
    if line.trim() != line {
        return Err("there is white space around it: put the secret alone there");
    }
    Ok(SecretString::from(line))
}

/// Reads the paths of secrets' files.
fn secret_paths(raw: Raw<'_>, _: &mut Vec<String>) -> Option<Vec<SecretPath>> {
    let texts = raw.texts()?;
    let path = |text: &str| {
        let path = Path::new(text);
        let path = raw.folder().map_or_else(|| path.to_owned(), |folder| folder.join(path));
        (!text.trim().is_empty()).then(|| SecretPath {
            written: text.to_owned(),
            path,
        })
    };
    texts.into_iter().map(path).collect()
}

/// Reads names of variables.
fn names(raw: Raw<'_>, _: &mut Vec<String>) -> Option<Vec<String>> {
    Some(raw.texts()?.into_iter().map(str::to_owned).collect())
}
