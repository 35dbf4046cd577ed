//! One directory: its settings, and what the service makes of them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use url::Url;

use super::{
    directory_url::{self, Directory},
    kind::{Choice, Count, Custom, Kind as _, Rate, SWITCH, Span, Text, any, name},
    rates::{MOST, api_rates},
    raw::Raw,
    section::Section,
    setting::Setting,
    table::settings,
    token::{self, FirstToken, OtherToken, TokenContext},
};
use crate::{
    mapper::{Direction, Mapper, MapperFile, MapperStore},
    policy::{Adopt, DisableAbsent, Policy, ProfileId},
    scim::{Connection, Dialect, Proxy, Rates, Target},
};

/// The name that the integration gives its first instance.
pub(super) const DEFAULT_NAME: &str = "AWS-ILM_instance_1";
const SHORTEST: Duration = Duration::from_millis(100);
const MINUTE: Duration = Duration::from_secs(60);
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

/// The tables of an instance's settings, in the order of the reference.
pub(super) const TABLES: &[&[&Setting]] = &[
    DirectoryTable::SETTINGS,
    FirstToken::SETTINGS,
    OtherToken::SETTINGS,
    PolicyTable::SETTINGS,
    MapperTable::SETTINGS,
    ConnectionTable::SETTINGS,
    RequestTable::SETTINGS,
    RateTable::SETTINGS,
];

settings! {
    /// What an instance is called, and where its directory is.
    pub(super) struct DirectoryTable: Instance {
        /// The instance's name, in answers and for `?instance=`; `name` for short in the file. In
        /// the environment it names the one instance that the variables of this table change;
        /// without it they are refused beside a file with several.
        instance_name: String = Text("1 to 128 printable characters, unique without regard to letter case", name),
            default "AWS-ILM_instance_1";
        /// The `brand` in answers.
        brand: String = Text("1 to 128 printable characters", name), default "AWS-ILM";
        /// The directory's SCIM endpoint, with or without the tenant and `/scim/v2`.
        url: Option<String> = Text("the SCIM endpoint, like \"https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/\"", any);
        /// The tenant, where it is not already in `url`.
        tenant_id: Option<String> = Text("letters, digits and hyphens", any);
    }
}

settings! {
    /// The integration's switches.
    pub(super) struct PolicyTable: Instance => Policy {
        /// Whether users are created.
        create_user_enabled = SWITCH, default "true";
        /// Whether users are updated.
        update_user_enabled = SWITCH, default "true";
        /// Whether inactive users are enabled.
        enable_user_enabled = SWITCH, default "true";
        /// Whether users are disabled.
        disable_user_enabled = SWITCH, default "true";
        /// Whether an update creates the user that it does not find.
        create_if_not_exists = SWITCH, default "true";
        /// The value of `allow-enable` for a create or an update that is sent without it.
        allow_enable_default = SWITCH, default "true";
        /// What a disable of a user that does not exist is: a skip with the reason, or a failure
        /// (404).
        disable_absent = Choice(&[("skip", DisableAbsent::Skip), ("fail", DisableAbsent::Fail)]), default "skip";
        /// What a profile's `id` is: the directory's id (`aws`), or an id of another system
        /// (`foreign`), which is never used to find a user.
        profile_id = Choice(&[("aws", ProfileId::Aws), ("foreign", ProfileId::Foreign)]), default "aws";
        /// Which existing user of the same userName a command may change. `same-person`: one whose
        /// employee id does not differ; where employee ids can't be compared, a disable and a
        /// command by an old name also refuse a user whom e-mail, phone and names all contradict.
        /// `strict`: the same, and creates and updates refuse that user too. `never`: a create
        /// changes no existing user. `always`: any, without a comparison in any command, for
        /// directories whose externalIds are another provider's.
        adopt = Choice(&[
                ("same-person", Adopt::SamePerson),
                ("strict", Adopt::Strict),
                ("always", Adopt::Always),
                ("never", Adopt::Never),
            ]), default "same-person";
    }
}

settings! {
    /// How profiles become users and back.
    pub(super) struct MapperTable: Instance {
        /// The incoming mapper instead of the built-in one; a file is relative to the configuration
        /// file.
        mapper_in: Option<MapperName> = Custom("a mapper's file, or the id or name of one in `mapper_folder`", mapper);
        /// The outgoing mapper instead of the built-in one; a file is relative to the configuration
        /// file.
        mapper_out: Option<MapperName> = Custom("a mapper's file, or the id or name of one in `mapper_folder`", mapper);
    }
}

settings! {
    /// How connections to the directory are made.
    pub(super) struct ConnectionTable: Instance => Connection {
        /// Skips the check of the directory's certificate. A listener on the way can then read the
        /// token.
        insecure = SWITCH, default "false";
        /// Whether the directory is reached through a proxy: the one that `HTTPS_PROXY` names
        /// (`true`), or the one that is given.
        proxy = Custom("true, false or the URL of a proxy (http or https)", proxy), default "false";
        /// How long connecting to the directory may take.
        connect_timeout = Span(SHORTEST, MINUTE), default "5s";
    }
}

settings! {
    /// How requests to the directory are made.
    pub(super) struct RequestTable: Instance {
        /// How long one request to the directory may take in all.
        request_timeout: Duration = Span(SHORTEST, FIVE_MINUTES), default "20s";
        /// How the directory speaks SCIM: as IAM Identity Center does, or plainly by RFC 7644.
        scim_dialect: Dialect = Choice(&[("aws", Dialect::Aws), ("rfc7644", Dialect::Rfc7644)]), default "aws";
        /// Commands that may run on this instance at once, so that one slow directory can't take
        /// all places; without it `max_concurrent_commands` divided by the number of instances,
        /// rounded up.
        max_instance_commands: Option<usize> = Count(1, 65_536, "commands");
    }
}

settings! {
    /// How many requests the directory is sent. The defaults are of the Identity Center user guide,
    /// "Quotas": 25 requests a second for each SCIM API that writes and 40 for each that reads, of
    /// one directory.
    pub(super) struct RateTable: Instance => Rates {
        /// Requests a second for each API that reads, of all replicas together; 40 is AWS's
        /// published limit.
        read_rate = Rate(MOST, "requests"), default "40";
        /// Requests a second for each API that writes, of all replicas together; 25 is AWS's
        /// published limit.
        write_rate = Rate(MOST, "requests"), default "25";
        /// Membership changes a second, of all replicas together. AWS has a limit and does not
        /// publish it: 250 is a guess.
        membership_rate = Rate(MOST, "membership changes"), default "250";
        /// Requests a second for single APIs, in place of `read_rate` and `write_rate`: ListUsers,
        /// GetUser, CreateUser, PatchUser, ListGroups, GetGroup, CreateGroup, PatchGroup,
        /// DeleteGroup and ServiceProviderConfig.
        api_rates = Custom("APIs with their requests a second, like \"CreateUser=10, ListUsers=20\" (an array in the file)", api_rates),
            default "";
    }
}

/// One directory, ready to be connected to.
#[derive(Debug, Clone)]
pub struct InstanceSettings {
    /// Unique among the instances without regard to letter case.
    pub name: String,
    /// The `brand` in answers.
    pub brand: String,
    /// The operator's switches.
    pub policy: Policy,
    /// How profiles become SCIM users and back, compiled: the mappers that were named, the built-in
    /// mapping where none was.
    pub mapper: Mapper,
    /// How connections are made.
    pub connection: Connection,
    /// Where the directory is, its tokens, and how it is treated; the rates are those of all
    /// replicas together.
    pub target: Target,
    /// How many commands may run on this instance at once; at least 1.
    pub max_commands: usize,
}

/// What the reading of an instance needs from around it.
pub(super) struct InstanceContext<'a> {
    pub(super) tokens: TokenContext<'a>,
    /// How many commands an instance may run where its operator doesn't say.
    pub(super) share: usize,
}

/// Reads one instance. `name` is told in any case.
pub(super) fn read(
    section: &mut Section<'_>,
    context: &InstanceContext<'_>,
    mappers: &mut MapperStore,
) -> (String, Option<InstanceSettings>) {
    let DirectoryTable {
        instance_name: name,
        brand,
        url,
        tenant_id,
    } = DirectoryTable::read(section);
    let tokens = token::read(section, &context.tokens);
    let policy = PolicyTable::read(section);
    let mapper = MapperTable::read(section);
    let incoming = find_mapper(
        MapperTable::mapper_in,
        mapper.mapper_in,
        Direction::Incoming,
        section,
        mappers,
    );
    let outgoing = find_mapper(
        MapperTable::mapper_out,
        mapper.mapper_out,
        Direction::Outgoing,
        section,
        mappers,
    );
    let connection = ConnectionTable::read(section);
    if connection.insecure {
        section.warn(
            ConnectionTable::insecure,
            "the directory's certificate is not checked; whoever is on the way can read the token",
        );
    }
    let request = RequestTable::read(section);
    let rates = RateTable::read(section);
    let directory = read_directory(section, url.as_deref(), tenant_id.as_deref(), request.scim_dialect);
    let target = directory.zip(tokens).map(|(directory, tokens)| Target {
        name: name.clone(),
        base: directory.url,
        token: tokens.first,
        second_token: tokens.second,
        dialect: request.scim_dialect,
        timeout: request.request_timeout,
        rates,
    });
    let settings = target.map(|target| InstanceSettings {
        name: name.clone(),
        brand,
        policy,
        mapper: Mapper::new(outgoing, incoming),
        connection,
        target,
        max_commands: request.max_instance_commands.unwrap_or(context.share),
    });
    (name, settings)
}

/// Finds the mapper that a setting names, compiled.
fn find_mapper(
    setting: &Setting,
    wanted: Option<MapperName>,
    direction: Direction,
    section: &mut Section<'_>,
    mappers: &mut MapperStore,
) -> Option<Arc<MapperFile>> {
    let MapperName { written, folder } = wanted?;
    match mappers.find(&written, folder.as_deref(), direction) {
        Ok((file, warnings)) => {
            if warnings > 0 {
                let warning = format!("{warnings} warnings; `aws-ilm mapper lint` shows them");
                section.warn(setting, &warning);
            }
            Some(file)
        }
        Err(error) => {
            section.refuse_found(setting, &error.found, &error.help);
            None
        }
    }
}

/// Brings the directory's URL to its one form. Where the tenant or the dialect is wrong, the URL
/// can't be judged: it would be found wanting for the other's sake.
fn read_directory(
    section: &mut Section<'_>,
    url: Option<&str>,
    tenant: Option<&str>,
    dialect: Dialect,
) -> Option<Directory> {
    if !section.is_set(DirectoryTable::url) {
        section.refuse(
            DirectoryTable::url,
            "set the SCIM endpoint, like https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/",
        );
    }
    let others = [DirectoryTable::tenant_id, RequestTable::scim_dialect];
    if others.iter().any(|setting| section.is_refused(setting)) {
        return None;
    }
    match directory_url::normalise(url?, tenant, dialect) {
        Ok(directory) => Some(directory),
        Err(error) => {
            let is_of_tenant = error.setting == DirectoryTable::tenant_id.name;
            let setting = if is_of_tenant {
                DirectoryTable::tenant_id
            } else {
                DirectoryTable::url
            };
            section.refuse(setting, &error.help);
            None
        }
    }
}

/// What names a mapper.
pub(super) struct MapperName {
    written: String,
    /// The folder to which a file is relative.
    folder: Option<PathBuf>,
}

fn mapper(raw: Raw<'_>, _: &mut Vec<String>) -> Option<MapperName> {
    let written = raw.text().filter(|text| !text.trim().is_empty())?.to_owned();
    let folder = raw.folder().map(Path::to_owned);
    Some(MapperName { written, folder })
}

/// Reads a proxy, whose user and password are never shown.
fn proxy(raw: Raw<'_>, complaints: &mut Vec<String>) -> Option<Proxy> {
    if let Some(system) = SWITCH.parse(raw, complaints) {
        return Some(if system { Proxy::System } else { Proxy::None });
    }
    let text = raw.text()?;
    let plain = text
        .chars()
        .all(|character| character.is_ascii_graphic() && character != '\\');
    let url = Url::parse(text).ok()?;
    let is_http = ["http://", "https://"].iter().any(|start| text.starts_with(start));
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    (plain && is_http && bare && url.has_host()).then_some(Proxy::Url(url))
}
