//! The directories: which there are, and which of them the environment is for.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use toml::Table;

use super::{
    instance::{self, DEFAULT_NAME, DirectoryTable, InstanceContext, InstanceSettings},
    raw::quoted,
    section::{self, Environment, FileTable, Report, Section},
    setting::Setting,
    token::{self, FirstToken, OtherToken, TokenContext},
};
use crate::mapper::MapperStore;

/// What the reading of instances needs from around it.
pub(super) struct LoadContext<'a> {
    /// The configuration file's name, for messages.
    pub(super) file: &'a str,
    /// The instance that serves requests which name none, as it was set.
    pub(super) default_instance: Option<&'a str>,
    /// The folder in which mappers are found by name.
    pub(super) mapper_folder: Option<PathBuf>,
    pub(super) tokens: TokenContext<'a>,
    /// The commands that all instances together may run at once.
    pub(super) max_concurrent_commands: usize,
    /// Whether no instance at all is right.
    pub(super) may_be_empty: bool,
}

/// The instances that were read.
pub(super) struct Instances {
    pub(super) settings: Vec<InstanceSettings>,
    /// The name of the default one, as that one spells it.
    pub(super) default_instance: String,
}

/// An instance to read: its table in the file, if it has one, and whether the environment is for
/// it.
struct InstanceSource<'a> {
    table: Option<FileTable<'a>>,
    from_environment: bool,
    place: String,
}

/// The environment variables that the configuration names as holding a token: ours whatever they
/// are called.
pub(super) fn referred_variables<'a>(tables: &[FileTable<'a>], environment: &'a Environment) -> BTreeSet<&'a str> {
    [
        FirstToken::authentication_token_env,
        OtherToken::second_authentication_token_env,
    ]
    .into_iter()
    .flat_map(|setting| {
        let in_file = tables
            .iter()
            .filter_map(|table| table.table.get(setting.name)?.as_str());
        in_file.chain(section::variable(environment, setting))
    })
    .collect()
}

/// Reads every instance.
pub(super) fn read(tables: &[FileTable<'_>], context: LoadContext<'_>, report: &mut Report) -> Instances {
    let sources = sources(
        tables,
        context.file,
        context.tokens.environment,
        context.may_be_empty,
        report,
    );
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    // One store for all instances: a file that several name is compiled once.
    let mut mappers = MapperStore::new(context.mapper_folder);
    let mut first_name = None;
    let mut settings = Vec::new();
    let environment = context.tokens.environment;
    let context_of_each = InstanceContext {
        share: context.max_concurrent_commands.div_ceil(sources.len().max(1)),
        tokens: context.tokens,
    };
    for source in sources {
        let environment = source.from_environment.then_some(environment);
        let mut section = Section::new(instance::TABLES, source.place, source.table, environment, report);
        let (name, instance) = instance::read(&mut section, &context_of_each, &mut mappers);
        if names.insert(name.to_lowercase(), name.clone()).is_some() {
            section.refuse(
                DirectoryTable::instance_name,
                "give each instance a name of its own; letter case makes no difference",
            );
        }
        first_name.get_or_insert(name);
        settings.extend(instance);
    }
    let default_instance = match context.default_instance {
        None => first_name.unwrap_or_else(|| DEFAULT_NAME.to_owned()),
        Some(wanted) => names.get(&wanted.to_lowercase()).cloned().unwrap_or_else(|| {
            if !names.is_empty() {
                let known: Vec<_> = names.values().map(|name| quoted(name)).collect();
                report.error(
                    "default_instance",
                    quoted(wanted),
                    format!("use {}", known.join(" or ")),
                );
            }
            wanted.to_owned()
        }),
    };
    Instances {
        settings,
        default_instance,
    }
}

/// Decides which instances there are. The environment's settings go to the instance that
/// `AWS_ILM_INSTANCE_NAME` names, or to a new one of that name if there is a URL for it; without a
/// name to the only one. With several a switch that reaches one of them by chance would leave the
/// others as they were.
fn sources<'a>(
    tables: &[FileTable<'a>],
    file: &str,
    environment: &Environment,
    may_be_empty: bool,
    report: &mut Report,
) -> Vec<InstanceSource<'a>> {
    let mut sources: Vec<InstanceSource<'a>> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| InstanceSource {
            table: Some(*table),
            from_environment: false,
            place: place(table.table, index, file),
        })
        .collect();
    let variable = |setting| section::variable(environment, setting);
    let mut for_instances = instance::TABLES.iter().copied().flatten().copied();
    if let Some(first) = for_instances.find(|setting| variable(setting).is_some()) {
        let name = variable(DirectoryTable::instance_name);
        if name.is_none() && tables.len() > 1 {
            refuse_for_any(first, tables, file, report);
            return sources;
        }
        let wanted = name.unwrap_or_default().to_lowercase();
        let named = tables
            .iter()
            .position(|table| name_in(table.table).unwrap_or(DEFAULT_NAME).to_lowercase() == wanted);
        let target = if name.is_none() && !tables.is_empty() {
            Some(0)
        } else {
            named
        };
        match target.and_then(|index| sources.get_mut(index)) {
            Some(source) => source.from_environment = true,
            None if tables.is_empty() || variable(DirectoryTable::url).is_some() => {
                sources.push(InstanceSource {
                    table: None,
                    from_environment: true,
                    place: "environment".to_owned(),
                });
            }
            None => report.error(
                "instance_name (AWS_ILM_INSTANCE_NAME)",
                quoted(name.unwrap_or_default()),
                "name an instance that the file has, or set AWS_ILM_URL as well for a new one",
            ),
        }
    }
    if sources.is_empty() && !may_be_empty {
        report.error(
            "url (AWS_ILM_URL)",
            "nothing",
            "set AWS_ILM_URL, AWS_ILM_TENANT_ID and AWS_ILM_AUTHENTICATION_TOKEN, or give a file with [[instances]] \
             (AWS_ILM_CONFIG); `aws-ilm serve --sandbox` needs nothing and reaches nothing real",
        );
    }
    sources
}

/// An instance by its name, with where its settings stand.
pub(super) struct DirectorySource<'a> {
    pub(super) name: String,
    pub(super) table: Option<FileTable<'a>>,
    /// Whether the environment's settings are for it.
    pub(super) from_environment: bool,
}

/// The instances that there are, rightly set or not.
pub(super) fn named_sources<'a>(tables: &[FileTable<'a>], environment: &Environment) -> Vec<DirectorySource<'a>> {
    // What is wrong is told where they are read.
    let sources = sources(tables, "", environment, true, &mut Report::default());
    let named = sources.into_iter().map(|source| {
        let in_environment = source
            .from_environment
            .then(|| section::variable(environment, DirectoryTable::instance_name));
        let name = in_environment.flatten().or_else(|| name_in(source.table?.table));
        DirectorySource {
            name: name.unwrap_or(DEFAULT_NAME).to_owned(),
            table: source.table,
            from_environment: source.from_environment,
        }
    });
    named.collect()
}

/// Refuses a variable that does not say which of several instances it is for.
fn refuse_for_any(setting: &Setting, tables: &[FileTable<'_>], file: &str, report: &mut Report) {
    let names: Vec<_> = tables
        .iter()
        .map(|table| quoted(name_in(table.table).unwrap_or(DEFAULT_NAME)))
        .collect();
    let variable = setting.variable().unwrap_or_default();
    report.error(
        format!("{} ({variable})", setting.name),
        format!("several instances that it could be for in {file}"),
        format!(
            "set AWS_ILM_INSTANCE_NAME to {} as well, or put {} into the [[instances]] tables that it is for",
            names.join(" or "),
            setting.name
        ),
    );
}

/// Refuses what is set of a real directory, in the environment or in one of these tables: beside a
/// sandbox nothing real may be reached.
pub(super) fn refuse_beside_sandbox(
    tables: &[FileTable<'_>],
    file: &str,
    environment: &Environment,
    report: &mut Report,
) {
    let of_real = || {
        [DirectoryTable::url, DirectoryTable::tenant_id]
            .into_iter()
            .chain(token::settings())
    };
    let variables = of_real().filter(|setting| section::variable(environment, setting).is_some());
    let in_environment =
        variables.map(|setting| format!("{} ({})", setting.name, setting.variable().unwrap_or_default()));
    let in_file = tables.iter().enumerate().flat_map(|(index, table)| {
        let set = of_real().filter(|setting| table.value(setting).is_some());
        set.map(move |setting| format!("{} ({})", setting.name, place(table.table, index, file)))
    });
    // One is enough to tell, and to say what to do.
    if let Some(path) = in_environment.chain(in_file).next() {
        report.error(
            path,
            "a directory beside --sandbox",
            "start without --sandbox, or take the settings of the directory (url, tenant_id, tokens) out: the sandbox is the only \
             directory then, so that nothing real is touched",
        );
    }
}

/// An instance's place in messages, by its name if it has one.
pub(super) fn place(table: &Table, index: usize, file: &str) -> String {
    match name_in(table) {
        Some(name) => format!("instance {} in {file}", quoted(name)),
        None => format!("instance {} in {file}", index + 1),
    }
}

fn name_in(table: &Table) -> Option<&str> {
    section::text_in(table, DirectoryTable::instance_name)
}
