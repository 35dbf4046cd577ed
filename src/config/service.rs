//! The service's own settings, at the top of the file.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    kind::{Choice, Count, Custom, List, Masked, SWITCH, SecretPath, Span, Text, name, path, secret_path},
    operations::OperationTable,
    section::{ConfigError, Section},
    setting::Setting,
    table::settings,
};
use crate::{
    operations::OperationSettings,
    telemetry::{LogFormat, LogSettings},
};

const SHORTEST: Duration = Duration::from_millis(100);
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);
const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The tables of the service's settings, in the order of the reference.
pub(super) const TABLES: &[&[&Setting]] = &[
    AccessSettings::SETTINGS,
    LogTable::SETTINGS,
    WatchSettings::SETTINGS,
    ServerSettings::SETTINGS,
    CommandSettings::SETTINGS,
    OperationTable::SETTINGS,
    FileSettings::SETTINGS,
];

settings! {
    /// Where the service is reached, and which requests it lets in.
    #[derive(Debug, Clone)]
    pub struct AccessSettings: Service {
        /// Where the service listens. Anything but loopback needs callers, or
        /// `allow_unauthenticated`.
        listen: SocketAddr = Text("an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\"", |text| text.parse::<SocketAddr>().ok()),
            default "127.0.0.1:8080";
        /// Whether the service may listen beyond loopback without callers of its own, because
        /// something in front of it checks them.
        allow_unauthenticated: bool = SWITCH, default "false";
        /// A file with the `[[callers]]` and `[[issuers]]`, which else stand in the configuration
        /// file; in the configuration file relative to it. Read again within two seconds when it
        /// changes.
        callers_file: Option<PathBuf> = Custom("the path of a TOML file", path);
        /// A file with the `[[sources]]` of webhooks, which else stand in the configuration file;
        /// in the configuration file relative to it. Read again within two seconds when it or a
        /// secret's file changes.
        sources_file: Option<PathBuf> = Custom("the path of a TOML file", path);
        /// Proxies whose `X-Forwarded-For` is believed to name the caller's address. A client with
        /// an address in it can claim any other: name the proxies alone, and no network that holds
        /// callers.
        trusted_proxies: Vec<IpNet> = List("addresses and networks like \"10.0.0.7\" or \"10.0.0.0/28\", separated by commas (an array in the file)", network),
            default "";
        /// Whether the OpenAPI document and Swagger UI are open without a credential. If not, a
        /// browser can use Swagger UI only with a client certificate.
        public_docs: bool = SWITCH, default "true";
        /// Web pages' origins from which browsers may call the service.
        cors_origins: Vec<String> = List("origins like \"https://hr.example.com\", separated by commas (an array in the file)", origin),
            default "";
        /// Names other than loopback's that a request's Host may have. With callers and without
        /// this, every name is answered.
        allowed_hosts: Vec<String> = List("host names without scheme, port or path, separated by commas (an array in the file)", host),
            default "";
    }
}

settings! {
    /// How the service logs.
    pub(super) struct LogTable: Service => LogSettings {
        /// How log lines are written to stderr.
        log_format = Choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]), default "text";
        /// What is logged. Libraries never log below `debug`.
        log_filter = Text("a level or `target=level` pairs separated by commas, like \"info,aws_ilm=debug\"", filter),
            default "info";
    }
}

settings! {
    /// How the service is watched from outside.
    #[derive(Debug, Clone)]
    pub struct WatchSettings: Service {
        /// A second address that serves metrics and health and nothing else, without TLS and
        /// without credentials, for a Prometheus that has no key. Let only a network reach it that
        /// may see the names of the instances and how much is done.
        metrics_listen: Option<SocketAddr> = Text("an IP address and a port, like \"127.0.0.1:9464\" or \"[::1]:9464\"", |text| text.parse::<SocketAddr>().ok());
        /// The collector that traces are sent to by OTLP over HTTP, as protobuf. Without it there
        /// are none. What `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and the other
        /// variables of OpenTelemetry say holds too.
        otlp_endpoint: Option<Url> = Text("a URL like \"http://127.0.0.1:4318\", to which `/v1/traces` is added unless it ends so", collector);
    }
}

settings! {
    /// The limits of connections and bodies, and of stopping.
    #[derive(Debug, Clone)]
    pub struct ServerSettings: Service {
        /// The largest request body that is read.
        body_limit: usize = Count(1024, 16 * 1024 * 1024, "bytes"), default "1048576";
        /// How long a caller may take to send a request's headers; also how long an idle HTTP/1
        /// connection is kept, so set it above the idle time-out of a load balancer in front.
        header_timeout: Duration = Span(SHORTEST, FIVE_MINUTES), default "10s";
        /// How long a caller may take to send a request's body.
        body_timeout: Duration = Span(SHORTEST, TEN_MINUTES), default "20s";
        /// How long the service goes on serving after it has reported itself not ready. Behind a
        /// load balancer or in Kubernetes set the time in which the probe notices (interval times
        /// failures, like `10s`): until then requests are still sent here, and with `0s` their
        /// connections are refused. `0s` is for terminals and `docker stop`.
        shutdown_delay: Duration = Span(Duration::ZERO, TEN_MINUTES), default "0s";
        /// How long commands in flight at shutdown may take to finish.
        shutdown_timeout: Duration = Span(Duration::ZERO, HOUR), default "90s";
    }
}

settings! {
    /// What holds for the commands of all instances.
    #[derive(Debug, Clone)]
    pub struct CommandSettings: Service {
        /// The instance that serves a request which names none; without it the first.
        default_instance: Option<String> = Text("the name of an instance", name);
        /// How many commands run at once; more get 503.
        max_concurrent_commands: usize = Count(1, 65_536, "commands"), default "256";
        /// How many replicas of the service share the limits of the directories, this one included.
        expected_replicas: u32 = Count(1, 1_000, "replicas"), default "1";
        /// The time after which a command starts no new write.
        command_timeout: Duration = Span(SHORTEST, TEN_MINUTES), default "60s";
    }
}

settings! {
    /// The files that the service reads and keeps.
    pub(super) struct FileSettings: Service {
        /// The folder of mappers that `mapper_in` and `mapper_out` may name by id or name; in the
        /// configuration file relative to it.
        mapper_folder: Option<PathBuf> = Custom("the path of a folder", path);
        /// The SQLite file that keeps operations, on a local disk; in the configuration file
        /// relative to it. It is made and brought up to date by itself, readable by its owner
        /// alone, and belongs to one process. Without it the service keeps nothing, and answers
        /// what needs a store with 501.
        store_path: Option<PathBuf> = Custom("the path of a file on a local disk", path);
        /// The service's certificate and its chain, its own first: with it the service speaks TLS
        /// and no plain HTTP. Needs `tls_key_file`. All TLS files are relative to the configuration
        /// file when they are set there, and are read again when they change.
        tls_certificate_file: Option<SecretPath> = Masked("the path of a PEM file", secret_path);
        /// The certificate's private key.
        tls_key_file: Option<SecretPath> = Masked("the path of a PEM file (PKCS#8, PKCS#1 or SEC1)", secret_path);
        /// Authorities of client certificates: with it callers may prove themselves by one. A
        /// caller without one gets a connection; one whose certificate does not verify gets none.
        tls_client_ca_file: Option<SecretPath> = Masked("the path of a PEM file", secret_path);
        /// Refuses to start, instead of warning, when a file that holds a token or the TLS key can
        /// be read by everybody.
        strict_secret_files: bool = SWITCH, default "false";
    }
}

/// Where the service is to be reached, by its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The address that is set, which may stand for every address of the machine.
    pub listen: SocketAddr,
    /// Whether TLS is spoken there.
    pub tls: bool,
}

/// The service's own settings, as they were read.
pub(super) struct Service {
    pub(super) access: AccessSettings,
    pub(super) log: LogSettings,
    pub(super) watch: WatchSettings,
    pub(super) server: ServerSettings,
    pub(super) commands: CommandSettings,
    pub(super) operations: OperationSettings,
    pub(super) files: FileSettings,
}

/// Reads them. `has_callers` is whether callers stand in the configuration file itself.
pub(super) fn read(section: &mut Section<'_>, has_callers: bool) -> Service {
    let service = Service {
        access: AccessSettings::read(section),
        log: LogTable::read(section),
        watch: WatchSettings::read(section),
        server: ServerSettings::read(section),
        commands: CommandSettings::read(section),
        operations: OperationTable::read(section),
        files: FileSettings::read(section),
    };
    check_metrics_listen(section, &service);
    let access = &service.access;
    let has_callers = has_callers || section.is_set(AccessSettings::callers_file);
    if access.allow_unauthenticated && has_callers {
        section.refuse(
            AccessSettings::allow_unauthenticated,
            "remove it: there are callers, and nobody else is let in",
        );
    }
    if !access.allow_unauthenticated && !has_callers && !access.listen.ip().to_canonical().is_loopback() {
        section.refuse(
            AccessSettings::listen,
            "listen on 127.0.0.1 or [::1], or name callers (see `aws-ilm key new`), or set allow_unauthenticated \
             (AWS_ILM_ALLOW_UNAUTHENTICATED) to true if something in front of the service checks its callers",
        );
    }
    service
}

/// Holds the second listener to an address of its own, and tells where everybody may reach it.
fn check_metrics_listen(section: &mut Section<'_>, service: &Service) {
    let Some(address) = service.watch.metrics_listen else {
        return;
    };
    let is_taken = address.port() != 0 && address.port() == service.access.listen.port();
    if is_taken {
        section.refuse(
            WatchSettings::metrics_listen,
            "give it a port of its own: the service listens on this one, and serves /metrics there to callers with the right",
        );
    }
    if !is_private(address.ip().to_canonical()) {
        section.warn(
            WatchSettings::metrics_listen,
            "this is neither loopback nor a private address: let nobody but Prometheus reach it, for it asks nobody who they are",
        );
    }
}

/// Whether an address is loopback's, or of a network that is not routed on the internet (RFC 1918,
/// RFC 3927, RFC 4193, RFC 4291).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// Reads where the service listens and whether it speaks TLS there; errors of other settings don't
/// matter.
pub(super) fn read_endpoint(section: &mut Section<'_>) -> Result<Endpoint, ConfigError> {
    let listen = AccessSettings::read(section).listen;
    let errors: Vec<_> = section.errors_of(AccessSettings::listen).cloned().collect();
    if errors.is_empty() {
        let tls = section.is_set(FileSettings::tls_certificate_file);
        Ok(Endpoint { listen, tls })
    } else {
        Err(ConfigError(errors))
    }
}

/// Reads where the store is; errors of other settings don't matter.
pub(super) fn read_store_path(section: &mut Section<'_>) -> Result<Option<PathBuf>, ConfigError> {
    let path = FileSettings::read(section).store_path;
    let errors: Vec<_> = section.errors_of(FileSettings::store_path).cloned().collect();
    if errors.is_empty() {
        Ok(path)
    } else {
        Err(ConfigError(errors))
    }
}

/// A name or address as a Host header has it, without the port, in lower case.
fn host(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let is_host = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => text.len() <= 253 && text.split('.').all(is_label),
    };
    is_host.then(|| text.to_ascii_lowercase())
}

/// A network, or a single address, which is a network of one.
fn network(text: &str) -> Option<IpNet> {
    let alone = || Some(IpNet::from(text.parse::<IpAddr>().ok()?));
    let network = text.parse().ok().or_else(alone)?;
    // Addresses are compared in the form that they are told in, so a network of IPv4 in IPv6's
    // clothes would hold none.
    let is_mapped = matches!(network, IpNet::V6(network) if network.network().to_ipv4_mapped().is_some());
    (!is_mapped).then_some(network)
}

/// An origin just as browsers write it (RFC 6454 section 6.2): anything else would never match.
fn origin(text: &str) -> Option<String> {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let is_origin = Url::parse(text).is_ok_and(|url| is_web(&url) && url.origin().ascii_serialization() == text);
    is_origin.then(|| text.to_owned())
}

/// A collector's address, without what may be a secret.
fn collector(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (is_web && is_bare).then_some(url)
}

/// A filter of `tracing` that has something in it.
fn filter(text: &str) -> Option<String> {
    let is_filter = !text.trim().is_empty() && EnvFilter::builder().parse(text).is_ok();
    is_filter.then(|| text.to_owned())
}
