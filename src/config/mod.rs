//! What an operator can set, read once at start; callers again while the service runs.
//!
//! Every setting stands in one row of a `settings!` table, and can be set in a TOML file and in the
//! environment, which overrides the file; [`reference()`] has them all. [`load`] reads them all and
//! reports everything that is wrong together, secrets masked.
//!
//! Imports among the files here go one way: `load` reads `service`, `tls_files`, `instances` (each
//! `instance` with its `token`s) and `callers` (each `caller` and `issuer`); those read a `section`
//! by the `kind`s of their `setting`s. `unknown` and `reference` know all tables.

mod caller;
mod callers;
mod directory_url;
mod example;
mod expiry;
mod file;
mod instance;
mod instances;
mod issuer;
mod kind;
mod operations;
mod rates;
mod raw;
mod reference;
mod section;
mod service;
mod setting;
mod show;
mod source;
mod source_dates;
mod source_file;
mod source_secrets;
mod source_servers;
mod table;
mod tls_files;
mod token;
mod unknown;

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use self::callers::{CallerSettings, CallerSource, Loaded};
pub use self::example::example;
pub use self::expiry::warning as expiry_warning;
pub use self::instance::InstanceSettings;
pub use self::kind::is_name;
pub use self::reference::{reference, reference_markdown};
pub use self::section::ConfigError;
pub use self::service::{AccessSettings, CommandSettings, Endpoint, ServerSettings, WatchSettings};
pub use self::setting::{Scope, Setting};
pub use self::show::{Layer, Shown, needing_restart, show};
pub use self::source_file::{LoadedSources, SourceFile, SourceText, WebhookSettings};

use self::{
    file::{ConfigFile, INSTANCES},
    instances::Instances,
    section::{FileTable, Report, Section},
    service::{FileSettings, Service},
    token::TokenContext,
};
use crate::{
    files::readable_by_everybody, net::tls, operations::OperationSettings, telemetry::LogSettings,
    webhooks::TargetInstance,
};

/// What is said of callers on a network without TLS.
const CLEAR_TEXT: &str =
    "keys and tokens cross the network in the clear unless a proxy in front encrypts: see tls_certificate_file";

/// Everything that was set, complete and checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the service is reached, and which requests it lets in.
    pub access: AccessSettings,
    /// How it logs.
    pub log: LogSettings,
    /// How it is watched from outside.
    pub watch: WatchSettings,
    /// Its limits of connections and bodies, and of stopping.
    pub server: ServerSettings,
    /// What holds for the commands of all instances.
    pub commands: CommandSettings,
    /// The file that keeps operations, if any is to.
    pub store_path: Option<PathBuf>,
    /// How operations are tried again, and how long they are kept.
    pub operations: OperationSettings,
    /// The files of the service's own TLS; `None` serves plain HTTP.
    pub tls: Option<tls::Files>,
    /// The callers; without them everybody may ask who can reach the service.
    pub callers: Option<CallerSettings>,
    /// The sources of webhooks; `None` where none are configured.
    pub webhooks: Option<WebhookSettings>,
    /// The directories, in the file's order; empty for a sandbox alone.
    pub instances: Vec<InstanceSettings>,
    /// The name of the instance that serves requests which name none, as [`InstanceSettings::name`]
    /// spells it.
    pub default_instance: String,
    /// What the operator should know of, one a line, without secrets.
    pub warnings: Vec<String>,
}

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
    /// The process's own environment and a file. Bytes that are no UTF-8 become replacement
    /// characters, which no setting accepts from the environment.
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

    /// Makes a running sandbox the only instance. The switches stay as they are set.
    ///
    /// # Errors
    /// When a directory is configured as well, in the environment or in the file, which is read for
    /// that: an operator who asks for the sandbox must reach the sandbox alone.
    pub fn point_at_sandbox(&mut self, url: &Url, tenant_id: &str, token: &SecretString) -> Result<(), ConfigError> {
        let mut report = Report::default();
        let file = self.config.as_deref();
        let file = file.and_then(|path| ConfigFile::read(path, &mut report));
        let tables = file
            .as_ref()
            .map_or_else(Vec::new, |file| instance_tables(file, &mut report));
        let name = file.as_ref().map_or("", |file| &file.name);
        instances::refuse_beside_sandbox(&tables, name, &self.environment, &mut report);
        report.finish(())?;
        let name = self
            .environment
            .entry("AWS_ILM_INSTANCE_NAME".to_owned())
            .or_insert_with(|| instance::DEFAULT_NAME.to_owned())
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
        Ok(())
    }
}

/// Reads all settings.
///
/// # Errors
/// Everything that is wrong with them, together.
pub fn load(sources: &Sources) -> Result<Settings, ConfigError> {
    let mut report = Report::default();
    let settings = read(sources, &mut report);
    let (settings, warnings) = report.finish(settings)?;
    Ok(Settings { warnings, ..settings })
}

/// Reads just where the service is to be reached: no secret is read, and no error elsewhere
/// matters.
///
/// # Errors
/// When the file can't be read, or `listen` is wrong.
pub fn endpoint(sources: &Sources) -> Result<Endpoint, ConfigError> {
    read_alone(sources, service::read_endpoint)
}

/// Reads just where the store is: no secret is read, and no error elsewhere matters.
///
/// # Errors
/// When the file can't be read, or `store_path` is wrong.
pub fn store_path(sources: &Sources) -> Result<Option<PathBuf>, ConfigError> {
    read_alone(sources, service::read_store_path)
}

/// Reads some of the service's own settings, whatever is wrong with others.
fn read_alone<T>(
    sources: &Sources,
    read: impl FnOnce(&mut Section<'_>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let mut report = Report::default();
    let file = sources
        .config
        .as_deref()
        .and_then(|path| ConfigFile::read(path, &mut report));
    let ((), _) = report.finish(())?;
    let mut report = Report::default();
    read(&mut service_section(file.as_ref(), sources, &mut report))
}

/// The section of the service's own settings.
fn service_section<'a>(file: Option<&'a ConfigFile>, sources: &'a Sources, report: &'a mut Report) -> Section<'a> {
    let name = file.map_or("", |file| &file.name);
    let top = file.map(ConfigFile::top);
    Section::new(service::TABLES, name, top, Some(&sources.environment), report)
}

/// Reads what can be read, with the defaults where there is an error.
fn read(sources: &Sources, report: &mut Report) -> Settings {
    let file = sources
        .config
        .as_deref()
        .and_then(|path| ConfigFile::read(path, report));
    let file = file.as_ref();
    let tables = file.map_or_else(Vec::new, |file| instance_tables(file, report));
    check_variables(file, &tables, sources, report);

    let has_callers = file.is_some_and(|file| file.table.contains_key(file::CALLERS));
    let mut section = service_section(file, sources, report);
    let Service {
        access,
        log,
        watch,
        server,
        commands,
        operations,
        files,
    } = service::read(&mut section, has_callers);
    let strict_secret_files = files.strict_secret_files;
    let (mapper_folder, store_path) = (files.mapper_folder.clone(), files.store_path.clone());
    let tls = tls_files::read(&mut section, files);
    let tokens = TokenContext {
        environment: &sources.environment,
        strict_secret_files,
        now: Timestamp::now(),
    };
    let Instances {
        settings: instances,
        default_instance,
    } = read_instances(file, &tables, sources, &commands, mapper_folder, tokens, report);
    let names = instances.iter().map(|instance| instance.name.clone());
    let context = callers::LoadContext {
        file,
        own_file: access.callers_file.clone(),
        // With an instance that can't be read its name is not known either.
        instances: (instances.len() >= tables.len().max(1)).then(|| names.collect()),
        // With TLS that can't be set up it is not known.
        takes_certificates: tls
            .as_ref()
            .map_or(!report.is_clean(), |files| files.client_ca.is_some()),
    };
    let callers = callers::read(context, &mut service_section(file, sources, report));
    let webhooks = read_webhooks(
        source_file::LoadContext {
            file,
            own_file: access.sources_file.clone(),
            // With an instance that can't be read its name is not known either.
            instances: (instances.len() >= tables.len().max(1)).then(|| targets(&instances)),
            environment: &sources.environment,
            strict_secret_files,
        },
        store_path.is_some() || sources.sandbox,
        &mut service_section(file, sources, report),
    );
    check_clear_text(callers.is_some() && tls.is_none(), &access, report);
    check_mode(file, &tables, strict_secret_files, report);
    Settings {
        access,
        log,
        watch,
        server,
        commands,
        store_path,
        operations,
        tls,
        callers,
        webhooks,
        instances,
        default_instance,
        warnings: Vec::new(),
    }
}

/// Refuses variables with our prefix that are no settings and that nothing refers to.
fn check_variables(file: Option<&ConfigFile>, tables: &[FileTable<'_>], sources: &Sources, report: &mut Report) {
    let mut referred = instances::referred_variables(tables, &sources.environment);
    let own_file = file.and_then(|file| file.path_of("sources_file"));
    let own_file = own_file.or_else(|| sources.environment.get("AWS_ILM_SOURCES_FILE").map(PathBuf::from));
    let of_sources = source_file::referred_variables(file, own_file.as_deref());
    referred.extend(of_sources.iter().map(String::as_str));
    unknown::refuse_variables(&sources.environment, &referred, report);
}

/// The instances as far as sources need to know them.
fn targets(instances: &[InstanceSettings]) -> Vec<TargetInstance> {
    let target = |instance: &InstanceSettings| TargetInstance {
        name: instance.name.clone(),
        user_name_fields: instance
            .mapper
            .fields_of("userName")
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    instances.iter().map(target).collect()
}

/// Reads the sources of webhooks. What they are sent is kept before it is answered, so they need a
/// store.
fn read_webhooks(
    context: source_file::LoadContext<'_>,
    has_store: bool,
    section: &mut Section<'_>,
) -> Option<WebhookSettings> {
    let webhooks = source_file::read(context, section)?;
    if !has_store && !webhooks.loaded.sources.is_empty() {
        section.refuse(
            FileSettings::store_path,
            "set it: there are sources, and what they send is kept before it is answered",
        );
    }
    Some(webhooks)
}

/// Tells of callers whose keys cross a network as they are.
fn check_clear_text(has_callers_without_tls: bool, access: &AccessSettings, report: &mut Report) {
    if has_callers_without_tls && !access.listen.ip().to_canonical().is_loopback() {
        report.warnings.push(CLEAR_TEXT.to_owned());
    }
}

/// Reads the instances, with what of the service's settings matters to them.
fn read_instances(
    file: Option<&ConfigFile>,
    tables: &[FileTable<'_>],
    sources: &Sources,
    commands: &CommandSettings,
    mapper_folder: Option<PathBuf>,
    tokens: TokenContext<'_>,
    report: &mut Report,
) -> Instances {
    let context = instances::LoadContext {
        file: file.map_or("", |file| &file.name),
        default_instance: commands.default_instance.as_deref(),
        mapper_folder,
        tokens,
        max_concurrent_commands: commands.max_concurrent_commands,
        // With a file that can't be read it is not known whether an instance is missing.
        may_be_empty: sources.sandbox || (sources.config.is_some() && file.is_none()),
    };
    instances::read(tables, context, report)
}

/// The file's `[[instances]]` tables, with unknown settings in them and beside them refused.
fn instance_tables<'a>(file: &'a ConfigFile, report: &mut Report) -> Vec<FileTable<'a>> {
    let help = "write a table [[instances]] for each directory";
    let tables = file::tables(file.top(), INSTANCES, help, &file.name, report);
    for (index, table) in tables.iter().enumerate() {
        let place = instances::place(table.table, index, &file.name);
        unknown::refuse_keys(table.table, Scope::Instance, &place, report);
    }
    unknown::refuse_keys(&file.table, Scope::Service, &file.name, report);
    tables
}

/// Tells of a file with a token in it that every user of the machine may read.
fn check_mode(file: Option<&ConfigFile>, tables: &[FileTable<'_>], strict: bool, report: &mut Report) {
    let Some(file) = file else {
        return;
    };
    let tokens = ["authentication_token", "second_authentication_token"];
    let holds_token = |table: &FileTable<'_>| tokens.iter().any(|name| table.table.contains_key(*name));
    if tables.iter().any(holds_token) && readable_by_everybody(&file.path) {
        let help = "everybody on this machine may read the token in it: chmod 600";
        if strict {
            report.error(&file.name, "a token (masked)", help);
        } else {
            report.warnings.push(format!("{}: {help}", file.name));
        }
    }
}

#[cfg(test)]
mod tests;
