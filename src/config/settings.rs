//! What was set, as the rest of the program sees it.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use jiff::Timestamp;
use url::Url;

use super::{CallerSettings, Token};
use crate::{mapper::Mapper, net::tls};

/// Everything that was set, complete and checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the service listens; loopback unless there are [`Self::callers`] or
    /// [`Self::allow_unauthenticated`].
    pub listen: SocketAddr,
    /// Whether something in front of the service checks its callers; never together with
    /// [`Self::callers`].
    pub allow_unauthenticated: bool,
    /// Who may ask; `None` when everybody may who can reach the service.
    pub callers: Option<CallerSettings>,
    /// The proxies whose word on a caller's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the OpenAPI document and Swagger UI are open to everybody.
    pub public_docs: bool,
    /// The origins of web pages that may call, as browsers write them.
    pub cors_origins: Vec<String>,
    /// Names that a request's Host may have beside loopback's, in lower case, without ports.
    pub allowed_hosts: Vec<String>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is logged, in `tracing`'s filter language; known to be valid.
    pub log_filter: String,
    /// The largest request body that is read, in bytes.
    pub body_limit: usize,
    /// How many commands run at once.
    pub max_concurrent_commands: usize,
    /// How many replicas of the service share the limits of the directories, itself included; at
    /// least 1.
    pub expected_replicas: u32,
    /// How long a caller may take to send a request's headers.
    pub header_timeout: Duration,
    /// How long a caller may take to send a request's body.
    pub body_timeout: Duration,
    /// The time after which a command starts no new write.
    pub command_timeout: Duration,
    /// How long the service goes on serving after it has reported itself not ready.
    pub shutdown_delay: Duration,
    /// How long what is in flight at shutdown may take to finish.
    pub shutdown_timeout: Duration,
    /// The folder in which mappers are found by id or name.
    pub mapper_folder: Option<PathBuf>,
    /// The files of the service's own TLS; `None` serves plain HTTP.
    pub tls: Option<tls::Files>,
    /// Whether a secret's file that everybody may read is refused; also when it is read again.
    pub strict_secret_files: bool,
    /// The directories, in the file's order; empty for a sandbox alone.
    pub instances: Vec<InstanceSettings>,
    /// The name of the instance that serves requests which name none, as [`InstanceSettings::name`]
    /// spells it.
    pub default_instance: String,
    /// What the operator should know of, one a line, without secrets.
    pub warnings: Vec<String>,
}

/// One directory.
#[derive(Debug, Clone)]
pub struct InstanceSettings {
    /// Unique among the instances without regard to letter case.
    pub name: String,
    /// The `brand` in answers.
    pub brand: String,
    /// The SCIM endpoint. It ends in a slash, on AWS in `/{tenant}/scim/v2/`.
    pub url: Url,
    /// The tenant; empty for a plain RFC 7644 server without one.
    pub tenant_id: String,
    /// The access token.
    pub authentication_token: Token,
    /// When the access token expires, if the operator says so; it may have.
    pub authentication_token_expires: Option<Timestamp>,
    /// Another access token of the same directory, different from the first. A directory has up to
    /// two at a time, so that one can be exchanged while the other is in use (Identity Center user
    /// guide, "Rotate an access token").
    pub second_authentication_token: Option<Token>,
    /// When the second access token expires; `None` without a second one.
    pub second_authentication_token_expires: Option<Timestamp>,
    /// Whether users are created.
    pub create_user_enabled: bool,
    /// Whether users are updated.
    pub update_user_enabled: bool,
    /// Whether inactive users are enabled.
    pub enable_user_enabled: bool,
    /// Whether users are disabled.
    pub disable_user_enabled: bool,
    /// Whether an update creates the user whom it does not find.
    pub create_if_not_exists: bool,
    /// `allow-enable` where a create or an update is sent without it.
    pub allow_enable_default: bool,
    /// What a disable makes of a user that is not there.
    pub disable_absent: DisableAbsent,
    /// Whose identifier the `id` of a profile is.
    pub profile_id: ProfileId,
    /// Which user of the same `userName` a create may take over.
    pub adopt: Adopt,
    /// How profiles become SCIM users and back, compiled: the mappers that were named, the built-in
    /// mapping where none was.
    pub mapper: Mapper,
    /// Whether the directory's certificate goes unchecked.
    pub insecure: bool,
    /// How the directory is reached.
    pub proxy: Proxy,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one request to the directory may take in all.
    pub request_timeout: Duration,
    /// How the directory speaks SCIM.
    pub scim_dialect: Dialect,
    /// Requests a second for each API that reads, of all replicas together; above 0.
    pub read_rate: f64,
    /// Requests a second for each API that writes, of all replicas together; above 0.
    pub write_rate: f64,
    /// Membership changes a second, of all replicas together; above 0.
    pub membership_rate: f64,
    /// Requests a second for single APIs, in place of the rates above; the names are of
    /// [`super::APIS`].
    pub api_rates: BTreeMap<&'static str, f64>,
    /// How many commands may run on this instance at once; at least 1.
    pub max_commands: usize,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How a directory speaks SCIM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As IAM Identity Center does, where it departs from the RFC.
    Aws,
    /// Plainly by RFC 7644.
    Rfc7644,
}

/// What `iam-disable-user` makes of a user that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisableAbsent {
    /// It skips.
    Skip,
    /// It fails.
    Fail,
}

/// Whose identifier the `id` of a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileId {
    /// The directory's.
    Aws,
    /// Another system's.
    Foreign,
}

/// Which user, found to have the `userName` of one that is to be created, is taken to be that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// Only one who is the same person by what the directory holds of them.
    SamePerson,
    /// As `SamePerson`; where no employee ids can be compared, e-mail, phone or a name is equal too.
    Strict,
    /// Any.
    Always,
    /// None: the create fails.
    Never,
}

/// How a directory is reached. `Debug` shows a proxy's host and port and never its password.
#[derive(Clone, PartialEq, Eq)]
pub enum Proxy {
    /// Directly, whatever the environment says.
    None,
    /// Through the proxy that the environment names.
    System,
    /// Through this one.
    Url(Url),
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
            Self::System => formatter.write_str("System"),
            Self::Url(url) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port_or_known_default().unwrap_or_default();
                write!(formatter, "Url({}://{host}:{port})", url.scheme())
            }
        }
    }
}
