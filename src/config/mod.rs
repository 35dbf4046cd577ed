//! What an operator can set, read once at start; callers again while the service runs.
//!
//! Every setting stands in the one table of [`reference()`], and can be set in a TOML file and in
//! the environment, which overrides the file. [`load`] reads them all and reports everything that
//! is wrong together, secrets masked.

mod caller;
mod callers;
mod directory_url;
mod expiry;
mod instances;
mod issuers;
mod rates;
mod reader;
mod reference;
mod service;
mod settings;
mod table;
mod table_callers;
mod tls_files;
mod token;
mod unknown;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use toml::Table;
use url::Url;

pub use self::caller::COMMANDS;
pub use self::callers::{CallerSettings, CallerSource, Loaded};
pub use self::expiry::{REMINDED_DAYS, days_left};
pub use self::instances::is_name;
pub use self::rates::APIS;
pub use self::reader::Faults;
pub use self::reference::{Kind, Scope, Setting, reference, reference_markdown};
pub use self::settings::{Adopt, Dialect, DisableAbsent, InstanceSettings, LogFormat, ProfileId, Proxy, Settings};
pub use self::token::{Token, TokenError, TokenSource};

use self::reader::{Report, Section};

/// Where settings come from. No `Debug`: the environment may hold a token.
#[derive(Clone, Default)]
pub struct Sources {
    /// The TOML file, if there is one.
    pub config: Option<PathBuf>,
    /// The environment. Only what begins with `AWS_ILM_`, and the variables that an
    /// `authentication_token_env` or `second_authentication_token_env` names, are looked at.
    pub environment: BTreeMap<String, String>,
    /// Whether a sandbox will be the directory, so that no instance is needed.
    pub sandbox: bool,
}

impl Sources {
    /// The process's own environment and a file. What is not Unicode gets replacement characters,
    /// which no setting accepts where they would matter.
    #[must_use]
    pub fn from_process(config: Option<PathBuf>, sandbox: bool) -> Self {
        let environment = std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect();
        Self {
            config,
            environment,
            sandbox,
        }
    }

    /// Makes a running sandbox the default instance, over whatever was set: an operator who has a
    /// real directory in the environment and asks for the sandbox must reach the sandbox alone. The
    /// switches stay as they are set. What is set of a second token, and of when tokens expire, is
    /// the real directory's and is not read for the sandbox.
    pub fn point_at_sandbox(&mut self, url: &Url, tenant_id: &str, token: &SecretString) {
        for replaced in ["AWS_ILM_AUTHENTICATION_TOKEN_FILE", "AWS_ILM_AUTHENTICATION_TOKEN_ENV"] {
            self.environment.remove(replaced);
        }
        let name = self
            .environment
            .entry("AWS_ILM_INSTANCE_NAME".to_owned())
            .or_insert_with(|| instances::DEFAULT_NAME.to_owned())
            .clone();
        for (variable, value) in [
            ("AWS_ILM_DEFAULT_INSTANCE", name.as_str()),
            ("AWS_ILM_URL", url.as_str()),
            ("AWS_ILM_TENANT_ID", tenant_id),
            ("AWS_ILM_AUTHENTICATION_TOKEN", token.expose_secret()),
            ("AWS_ILM_SCIM_DIALECT", "aws"),
            ("AWS_ILM_PROXY", "false"),
        ] {
            self.environment.insert(variable.to_owned(), value.to_owned());
        }
        self.sandbox = true;
    }
}

/// Reads all settings.
///
/// # Errors
/// Everything that is wrong with them, together.
pub fn load(sources: &Sources) -> Result<Settings, Faults> {
    let mut report = Report::default();
    let settings = read(sources, &mut report);
    if !report.faults.is_empty() {
        return Err(Faults(report.faults));
    }
    Ok(Settings {
        warnings: report.warnings,
        ..settings
    })
}

/// Where the service is to be reached, by its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The address that is set, which may stand for every address of the machine.
    pub listen: SocketAddr,
    /// Whether TLS is spoken there.
    pub tls: bool,
}

/// Reads just where the service is to be reached, for who asks it: no secret is read, and no fault
/// elsewhere matters.
///
/// # Errors
/// When the file can't be read, or `listen` is wrong.
pub fn endpoint(sources: &Sources) -> Result<Endpoint, Faults> {
    let mut report = Report::default();
    let file = sources.config.as_deref().and_then(|path| read_file(path, &mut report));
    let mut section = service_section(file.as_ref(), &sources.environment, &mut report);
    let endpoint = Endpoint {
        listen: service::listen(&mut section),
        tls: tls_files::are_set(&section),
    };
    if report.faults.is_empty() {
        Ok(endpoint)
    } else {
        Err(Faults(report.faults))
    }
}

fn service_section<'a>(
    file: Option<&'a ConfigFile>,
    environment: &'a BTreeMap<String, String>,
    report: &'a mut Report,
) -> Section<'a> {
    let name = file.map_or("", |file| &file.name);
    Section::service(name, file.map(|file| &file.table), environment, report)
}

/// A configuration file that could be read as TOML.
struct ConfigFile {
    path: PathBuf,
    /// For messages.
    name: String,
    table: Table,
}

/// Reads what can be read, with the defaults where there is a fault.
fn read(sources: &Sources, report: &mut Report) -> Settings {
    let file = sources.config.as_deref().and_then(|path| read_file(path, report));
    let environment = &sources.environment;
    let tables = file
        .as_ref()
        .map_or_else(Vec::new, |file| instances::tables(&file.table, &file.name, report));
    if let Some(file) = &file {
        unknown::refuse_keys(&file.table, Scope::Service, &file.name, report);
    }
    let referred: BTreeSet<&str> = instances::referred_variables(&tables, environment);
    unknown::refuse_variables(environment, &referred, report);

    let name = file.as_ref().map_or("", |file| &file.name);
    let mut settings = service::read(name, file.as_ref().map(|file| &file.table), environment, report);
    let folder = file.as_ref().and_then(|file| file.path.parent());
    // As for every path: in the file relative to it, in the environment to where the process runs.
    if let (Some(base), Some(mappers), false) = (
        folder,
        &settings.mapper_folder,
        environment.contains_key("AWS_ILM_MAPPER_FOLDER"),
    ) {
        settings.mapper_folder = Some(base.join(mappers));
    }
    let mut section = service_section(file.as_ref(), environment, report);
    settings.tls = tls_files::read(&mut section, folder, settings.strict_secret_files);
    let context = instances::LoadContext {
        file: name,
        folder,
        mapper_folder: settings.mapper_folder.as_deref(),
        environment,
        strict_secret_files: settings.strict_secret_files,
        max_concurrent_commands: settings.max_concurrent_commands,
        sandbox: sources.sandbox,
        now: Timestamp::now(),
        // With a file that can't be read it is not known whether an instance is missing.
        may_be_empty: sources.sandbox || (sources.config.is_some() && file.is_none()),
    };
    settings.instances = instances::read(&tables, &mut settings.default_instance, &context, report);
    let context = callers::LoadContext {
        file: file.as_ref().map(|file| (&*file.path, &*file.name, &file.table)),
        environment,
        instances: settings
            .instances
            .iter()
            .map(|instance| instance.name.clone())
            .collect(),
        // With an instance that can't be read its name is not known either.
        knows_instances: settings.instances.len() >= tables.len().max(1),
        // With TLS that can't be set up it is not known.
        takes_certificates: match &settings.tls {
            Some(files) => files.client_ca.is_some(),
            None => !report.faults.is_empty(),
        },
    };
    settings.callers = callers::read(&context, report);
    if settings.callers.is_some() && settings.tls.is_none() && !settings.listen.ip().to_canonical().is_loopback() {
        report.warnings.push(
            "keys and tokens cross the network in the clear unless a proxy in front encrypts: see tls_certificate_file"
                .to_owned(),
        );
    }
    if let Some(file) = &file {
        let holds_token = tables.iter().any(|table| {
            table.contains_key("authentication_token") || table.contains_key("second_authentication_token")
        });
        if holds_token && crate::files::readable_by_everybody(&file.path) {
            let help = "everybody on this machine may read the token in it: chmod 600";
            if settings.strict_secret_files {
                report.fault(&file.name, "a token (masked)", help);
            } else {
                report.warnings.push(format!("{}: {help}", file.name));
            }
        }
    }
    settings
}

fn read_file(path: &Path, report: &mut Report) -> Option<ConfigFile> {
    let name = path.display().to_string().escape_debug().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            report.fault(
                name,
                "no readable file",
                format!("give the path of a TOML file ({})", error.kind()),
            );
            return None;
        }
    };
    let table = parse_toml(&name, &text, report)?;
    Some(ConfigFile {
        path: path.to_owned(),
        name,
        table,
    })
}

/// Makes a table of a file's text.
fn parse_toml(name: &str, text: &str, report: &mut Report) -> Option<Table> {
    match text.parse::<Table>() {
        Ok(table) => Some(table),
        Err(error) => {
            // Not its own Display, which quotes the line: there may be a token on it.
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = before.matches('\n').count() + 1;
            report.fault(
                format!("{name} line {line}"),
                "invalid TOML",
                error.message().escape_debug().to_string(),
            );
            None
        }
    }
}

#[cfg(test)]
mod callers_tests;

#[cfg(test)]
mod tests;
