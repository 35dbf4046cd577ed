//! The directories: which there are, which of them the environment is for, and each one's settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use toml::{Table, Value};
use url::Url;

use super::{
    Adopt, Dialect, DisableAbsent, InstanceSettings, ProfileId, Proxy,
    directory_url::{self, Directory},
    expiry, rates,
    reader::{self, Environment, INSTANCES, Raw, Report, Section},
    reference::{self, Scope, reference},
    token::{self, Token},
    unknown,
};
use crate::mapper::{Direction, Mapper, MapperFile, MapperStore};

/// The name that the integration gives its first instance.
pub(super) const DEFAULT_NAME: &str = "AWS-ILM_instance_1";
const LONGEST_NAME: usize = 128;

/// What the reading of an instance needs from around it.
pub(super) struct LoadContext<'a> {
    /// The file's name, for messages.
    pub(super) file: &'a str,
    /// The file's folder, to which the paths in it are relative.
    pub(super) folder: Option<&'a Path>,
    /// The folder in which mappers are found by name.
    pub(super) mapper_folder: Option<&'a Path>,
    pub(super) environment: &'a Environment,
    pub(super) strict_secret_files: bool,
    /// The commands that all instances together may run at once.
    pub(super) max_concurrent_commands: usize,
    /// Whether the environment's instance is, or is to be replaced by, a sandbox.
    pub(super) sandbox: bool,
    /// The time by which tokens may have expired.
    pub(super) now: Timestamp,
    /// Whether no instance at all is right.
    pub(super) may_be_empty: bool,
}

/// An instance to read: its table in the file, if it has one, and whether the environment is for
/// it.
struct InstanceSource<'a> {
    table: Option<&'a Table>,
    from_environment: bool,
    place: String,
}

/// The file's `[[instances]]` tables, with unknown settings in them reported.
pub(super) fn tables<'a>(file: &'a Table, name: &str, report: &mut Report) -> Vec<&'a Table> {
    let tables: Option<Vec<&Table>> = match file.get(INSTANCES) {
        None => Some(Vec::new()),
        Some(value) => value
            .as_array()
            .and_then(|entries| entries.iter().map(Value::as_table).collect()),
    };
    let Some(tables) = tables else {
        report.fault(
            format!("{INSTANCES} ({name})"),
            "something else",
            "write a table [[instances]] for each directory",
        );
        return Vec::new();
    };
    for (index, table) in tables.iter().enumerate() {
        unknown::refuse_keys(table, Scope::Instance, &place(table, index, name), report);
    }
    tables
}

/// The environment variables that the configuration names as holding a token: ours whatever they
/// are called.
pub(super) fn referred_variables<'a>(tables: &[&'a Table], environment: &'a Environment) -> BTreeSet<&'a str> {
    ["authentication_token_env", "second_authentication_token_env"]
        .iter()
        .filter_map(|name| reference::find(Scope::Instance, name))
        .flat_map(|setting| {
            let in_file = tables.iter().filter_map(|table| table.get(setting.name)?.as_str());
            let variable = setting.variable().and_then(|name| environment.get(&name));
            in_file.chain(variable.map(String::as_str))
        })
        .collect()
}

/// Reads every instance. `default_instance` comes as it was set, or empty, and leaves as the name
/// of an instance.
pub(super) fn read(
    tables: &[&Table],
    default_instance: &mut String,
    context: &LoadContext<'_>,
    report: &mut Report,
) -> Vec<InstanceSettings> {
    let plans = plan(tables, default_instance, context, report);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    // One for all instances: a file that several name is compiled once.
    let mut library = MapperStore::new(context.mapper_folder.map(Path::to_owned));
    let mut first_name = None;
    let mut instances = Vec::new();
    let share = context.max_concurrent_commands.div_ceil(plans.len().max(1));
    for plan in plans {
        let is_sandbox = context.sandbox && plan.from_environment;
        let environment = plan.from_environment.then_some(context.environment);
        let mut section = Section::instance(plan.place, plan.table, environment, report);
        let name = section.text("instance_name", is_name).unwrap_or_default();
        if names.insert(name.to_lowercase(), name.clone()).is_some() {
            section.refuse(
                "instance_name",
                "give each instance a name of its own; letter case makes no difference",
            );
        }
        first_name.get_or_insert_with(|| name.clone());
        instances.extend(read_one(name, &mut section, share, is_sandbox, context, &mut library));
    }
    if default_instance.is_empty() {
        *default_instance = first_name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
    } else if let Some(name) = names.get(&default_instance.to_lowercase()) {
        default_instance.clone_from(name);
    } else if !names.is_empty() {
        let known = names
            .values()
            .map(|name| reader::quoted(name))
            .collect::<Vec<_>>()
            .join(" or ");
        report.fault(
            "default_instance",
            reader::quoted(default_instance),
            format!("use {known}"),
        );
    }
    instances
}

/// Whether a text can be the name of an instance or a caller: 1 to 128 characters that show as what
/// they are, so no control characters, no reordering or invisible ones.
pub fn is_name(text: &str) -> bool {
    let is_hidden = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    (1..=LONGEST_NAME).contains(&text.chars().count()) && text.trim() == text && !text.contains(is_hidden)
}

/// Decides which instances there are. The environment's settings go to the instance that
/// `AWS_ILM_INSTANCE_NAME` names, or to a new one of that name if there is a URL for it; without a
/// name to the default one, or the only one.
fn plan<'a>(
    tables: &[&'a Table],
    default_instance: &str,
    context: &LoadContext<'_>,
    report: &mut Report,
) -> Vec<InstanceSource<'a>> {
    let mut plans: Vec<InstanceSource<'a>> = tables
        .iter()
        .enumerate()
        .map(|(index, table)| InstanceSource {
            table: Some(table),
            from_environment: false,
            place: place(table, index, context.file),
        })
        .collect();
    let is_set = |name: &str| context.environment.contains_key(name);
    let mut for_instances = reference().filter(|setting| setting.scope == Scope::Instance);
    if for_instances.any(|setting| setting.variable().is_some_and(|name| is_set(&name))) {
        let name = context.environment.get("AWS_ILM_INSTANCE_NAME");
        let wanted = name.map_or(default_instance, String::as_str).to_lowercase();
        let named = tables.iter().position(|table| name_in(table).to_lowercase() == wanted);
        let target = if name.is_none() && !tables.is_empty() {
            named.or(Some(0))
        } else {
            named
        };
        match target.and_then(|index| plans.get_mut(index)) {
            Some(plan) => plan.from_environment = true,
            None if tables.is_empty() || is_set("AWS_ILM_URL") => {
                plans.push(InstanceSource {
                    table: None,
                    from_environment: true,
                    place: "environment".to_owned(),
                });
            }
            None => report.fault(
                "instance_name (AWS_ILM_INSTANCE_NAME)",
                reader::quoted(name.map_or("", String::as_str)),
                "name an instance that the file has, or set AWS_ILM_URL as well for a new one",
            ),
        }
    }
    if plans.is_empty() && !context.may_be_empty {
        report.fault(
            "url (AWS_ILM_URL)",
            "nothing",
            "set AWS_ILM_URL, AWS_ILM_TENANT_ID and AWS_ILM_AUTHENTICATION_TOKEN, or give a file with [[instances]] \
             (AWS_ILM_CONFIG)",
        );
    }
    plans
}

/// Reads one instance; `share` is how many commands it may run when the operator doesn't say.
fn read_one(
    name: String,
    section: &mut Section<'_>,
    share: usize,
    is_sandbox: bool,
    context: &LoadContext<'_>,
    library: &mut MapperStore,
) -> Option<InstanceSettings> {
    let dialect = section.text("scim_dialect", |word| matches!(word, "aws" | "rfc7644"));
    let scim_dialect = if dialect.as_deref() == Some("rfc7644") {
        Dialect::Rfc7644
    } else {
        Dialect::Aws
    };
    let directory = read_directory(section, scim_dialect);
    let authentication_token = token::read_first(section, context);
    let beside = if is_sandbox {
        BesideToken::default()
    } else {
        read_beside_token(section, authentication_token.as_ref(), context)
    };
    let brand = section.text("brand", is_name).unwrap_or_default();
    let create_user_enabled = section.boolean("create_user_enabled");
    let update_user_enabled = section.boolean("update_user_enabled");
    let enable_user_enabled = section.boolean("enable_user_enabled");
    let disable_user_enabled = section.boolean("disable_user_enabled");
    let create_if_not_exists = section.boolean("create_if_not_exists");
    let allow_enable_default = section.boolean("allow_enable_default");
    let disable_absent = section
        .parsed("disable_absent", parse_disable_absent)
        .unwrap_or(DisableAbsent::Skip);
    let profile_id = section.parsed("profile_id", parse_profile_id).unwrap_or(ProfileId::Aws);
    let adopt = section.parsed("adopt", parse_adopt).unwrap_or(Adopt::SamePerson);
    let incoming = read_mapper("mapper_in", Direction::Incoming, section, context, library);
    let outgoing = read_mapper("mapper_out", Direction::Outgoing, section, context, library);
    let insecure = section.boolean("insecure");
    if insecure {
        section.warn(
            "insecure",
            "the directory's certificate is not checked; whoever is on the way can read the token",
        );
    }
    let proxy = section.parsed("proxy", parse_proxy).unwrap_or(Proxy::None);
    let connect_timeout = section.duration("connect_timeout");
    let request_timeout = section.duration("request_timeout");
    let read_rate = section.rate("read_rate");
    let write_rate = section.rate("write_rate");
    let membership_rate = section.rate("membership_rate");
    let api_rates = rates::read_api_rates(section);
    let max_commands = section.count_if_set("max_instance_commands").unwrap_or(share);
    let Directory { url, tenant_id } = directory?;
    Some(InstanceSettings {
        name,
        brand,
        url,
        tenant_id,
        authentication_token: authentication_token?,
        authentication_token_expires: beside.expires,
        second_authentication_token: beside.second,
        second_authentication_token_expires: beside.second_expires,
        create_user_enabled,
        update_user_enabled,
        enable_user_enabled,
        disable_user_enabled,
        create_if_not_exists,
        allow_enable_default,
        disable_absent,
        profile_id,
        adopt,
        mapper: Mapper::new(outgoing, incoming),
        insecure,
        proxy,
        connect_timeout,
        request_timeout,
        scim_dialect,
        read_rate,
        write_rate,
        membership_rate,
        api_rates,
        max_commands,
    })
}

/// The mapper that a setting names, compiled.
fn read_mapper(
    setting: &str,
    direction: Direction,
    section: &mut Section<'_>,
    context: &LoadContext<'_>,
    library: &mut MapperStore,
) -> Option<Arc<MapperFile>> {
    let wanted = section.text(setting, |text| !text.trim().is_empty())?;
    let (in_environment, _) = section.is_set(setting);
    let base = context.folder.filter(|_| !in_environment);
    match library.find(&wanted, base, direction) {
        Ok((file, warnings)) => {
            if warnings > 0 {
                section.warn(
                    setting,
                    &format!("{warnings} warnings; `aws-ilm mapper lint` shows them"),
                );
            }
            Some(file)
        }
        Err(unfound) => {
            section.refuse_found(setting, &unfound.found, &unfound.help);
            None
        }
    }
}

fn read_directory(section: &mut Section<'_>, dialect: Dialect) -> Option<Directory> {
    // Anything passes here: the checks are of the two together.
    let url = section.text("url", |_| true);
    let tenant = section.text("tenant_id", |_| true);
    let is_set = |(in_environment, in_file): (bool, bool)| in_environment || in_file;
    if !is_set(section.is_set("url")) {
        section.refuse(
            "url",
            "set the SCIM endpoint, like https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/",
        );
    }
    if tenant.is_none() && is_set(section.is_set("tenant_id")) {
        // Of a wrong type, which has been noted: without it the URL would be found wanting as well.
        return None;
    }
    let url = url?;
    match directory_url::normalise(&url, tenant.as_deref(), dialect) {
        Ok(directory) => Some(directory),
        Err(refusal) => {
            section.refuse(refusal.setting, &refusal.help);
            None
        }
    }
}

/// What an instance may have beside its first token.
#[derive(Default)]
struct BesideToken {
    expires: Option<Timestamp>,
    second: Option<Token>,
    second_expires: Option<Timestamp>,
}

fn read_beside_token(section: &mut Section<'_>, first: Option<&Token>, context: &LoadContext<'_>) -> BesideToken {
    let expires = read_expiry(section, "authentication_token_expires", context.now);
    let second = token::read_second(section, first, context);
    let second_expires = if token::is_second_given(section) {
        read_expiry(section, "second_authentication_token_expires", context.now)
    } else {
        // Not a fault: a token that is taken away leaves the service able to start.
        if section.timestamp("second_authentication_token_expires").is_some() {
            section.warn("second_authentication_token_expires", "there is no second token");
        }
        None
    };
    BesideToken {
        expires,
        second,
        second_expires,
    }
}

fn read_expiry(section: &mut Section<'_>, name: &str, now: Timestamp) -> Option<Timestamp> {
    let expires = section.timestamp(name)?;
    if let Some(warning) = expiry::warning(expires, now) {
        section.warn(name, &warning);
    }
    Some(expires)
}

fn parse_disable_absent(raw: Raw<'_>) -> Option<DisableAbsent> {
    match raw.text()? {
        "skip" => Some(DisableAbsent::Skip),
        "fail" => Some(DisableAbsent::Fail),
        _ => None,
    }
}

fn parse_profile_id(raw: Raw<'_>) -> Option<ProfileId> {
    match raw.text()? {
        "aws" => Some(ProfileId::Aws),
        "foreign" => Some(ProfileId::Foreign),
        _ => None,
    }
}

fn parse_adopt(raw: Raw<'_>) -> Option<Adopt> {
    match raw.text()? {
        "same-person" => Some(Adopt::SamePerson),
        "strict" => Some(Adopt::Strict),
        "always" => Some(Adopt::Always),
        "never" => Some(Adopt::Never),
        _ => None,
    }
}

fn parse_proxy(raw: Raw<'_>) -> Option<Proxy> {
    let text = match raw {
        Raw::Toml(Value::Boolean(true)) | Raw::Text("true") => return Some(Proxy::System),
        Raw::Toml(Value::Boolean(false)) | Raw::Text("false") => return Some(Proxy::None),
        Raw::Toml(value) => value.as_str()?,
        Raw::Text(text) => text,
    };
    let plain = text
        .chars()
        .all(|character| character.is_ascii_graphic() && character != '\\');
    let url = Url::parse(text).ok()?;
    let is_http = ["http://", "https://"].iter().any(|start| text.starts_with(start));
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    (plain && is_http && bare && url.has_host()).then_some(Proxy::Url(url))
}

/// An instance's place in messages, by its name if it has one.
fn place(table: &Table, index: usize, file: &str) -> String {
    match reader::in_table(table, "instance_name").and_then(Value::as_str) {
        Some(name) => format!("instance {} in {file}", reader::quoted(name)),
        None => format!("instance {} in {file}", index + 1),
    }
}

fn name_in(table: &Table) -> &str {
    reader::in_table(table, "instance_name")
        .and_then(Value::as_str)
        .unwrap_or(DEFAULT_NAME)
}
