//! What an operator writes, and what comes of it.

mod callers;
mod doubtful;
mod files;
mod layers;
mod shown;
mod source_servers;
mod sources;
mod tokens;
mod wrong_values;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{section::Environment, *};
use crate::{
    mapper::{BUILT_IN, Direction},
    policy::{Adopt, DisableAbsent, ProfileId},
    scim::{Api, Dialect, Proxy},
    telemetry::LogFormat,
};

const SECRET: &str = "s3cr3t-TOKEN-value";

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("aws-ilm-config-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) {}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// One complete instance in the environment, and more.
fn one_instance(more: &[(&str, &str)]) -> Environment {
    let mut variables = environment(&[
        ("AWS_ILM_URL", "https://scim.us-east-1.amazonaws.com/"),
        ("AWS_ILM_TENANT_ID", "abc-1"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", SECRET),
    ]);
    variables.extend(environment(more));
    variables
}

fn load_environment(environment: Environment) -> Result<Settings, ConfigError> {
    load(&Sources {
        environment,
        ..Sources::default()
    })
}

fn load_file(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let folder = Folder::new();
    load(&Sources {
        config: Some(folder.file("aws-ilm.toml", text)),
        environment: environment(variables),
        sandbox: false,
    })
}

/// Each fault's setting without its place, so that a test says which settings it expects to be
/// complained of.
fn settings_of(faults: &ConfigError) -> Vec<&str> {
    faults
        .0
        .iter()
        .map(|error| error.path.split(" (").next().unwrap())
        .collect()
}
