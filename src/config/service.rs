//! The service's own settings.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use toml::Table;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    LogFormat, Settings,
    callers::CALLERS,
    instances,
    reader::{Environment, Report, Section},
};

/// Reads them, leaving the instances and TLS to be filled in.
pub(super) fn read(file: &str, table: Option<&Table>, environment: &Environment, report: &mut Report) -> Settings {
    let mut section = Section::service(file, table, environment, report);
    let listen = listen(&mut section);
    let allow_unauthenticated = section.boolean("allow_unauthenticated");
    let has_callers = !section.is_absent("callers_file") || table.is_some_and(|table| table.contains_key(CALLERS));
    if allow_unauthenticated && has_callers {
        section.refuse(
            "allow_unauthenticated",
            "remove it: there are callers, and nobody else is let in",
        );
    }
    if !allow_unauthenticated && !has_callers && !listen.ip().to_canonical().is_loopback() {
        section.refuse(
            "listen",
            "listen on 127.0.0.1 or [::1], or name callers (see `aws-ilm key new`), or set allow_unauthenticated \
             (AWS_ILM_ALLOW_UNAUTHENTICATED) to true if something in front of the service checks its callers",
        );
    }
    let log_format = section.text("log_format", |word| matches!(word, "text" | "json"));
    Settings {
        listen,
        allow_unauthenticated,
        callers: None,
        trusted_proxies: section
            .list("trusted_proxies", |text| network(text).is_some())
            .iter()
            .filter_map(|text| network(text))
            .collect(),
        public_docs: section.boolean("public_docs"),
        cors_origins: section.list("cors_origins", is_origin),
        allowed_hosts: section
            .list("allowed_hosts", is_host)
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect(),
        log_format: if log_format.as_deref() == Some("json") {
            LogFormat::Json
        } else {
            LogFormat::Text
        },
        log_filter: section.text("log_filter", is_filter).unwrap_or_default(),
        body_limit: section.count("body_limit"),
        max_concurrent_commands: section.count("max_concurrent_commands"),
        expected_replicas: u32::try_from(section.count("expected_replicas")).expect("its largest is 1000"),
        header_timeout: section.duration("header_timeout"),
        body_timeout: section.duration("body_timeout"),
        command_timeout: section.duration("command_timeout"),
        shutdown_delay: section.duration("shutdown_delay"),
        shutdown_timeout: section.duration("shutdown_timeout"),
        mapper_folder: section
            .text("mapper_folder", |text| !text.trim().is_empty())
            .map(PathBuf::from),
        tls: None,
        strict_secret_files: section.boolean("strict_secret_files"),
        instances: Vec::new(),
        default_instance: section.text("default_instance", instances::is_name).unwrap_or_default(),
        warnings: Vec::new(),
    }
}

/// Where the service listens.
pub(super) fn listen(section: &mut Section<'_>) -> SocketAddr {
    section
        .parsed("listen", |raw| raw.text()?.parse().ok())
        .expect("where to listen has a default, which a test reads")
}

/// A name or address as a Host header has it, without the port.
fn is_host(text: &str) -> bool {
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = address {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.len() <= 253 && text.split('.').all(is_label)
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
fn is_origin(text: &str) -> bool {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    Url::parse(text).is_ok_and(|url| is_web(&url) && url.origin().ascii_serialization() == text)
}

fn is_filter(text: &str) -> bool {
    !text.trim().is_empty() && EnvFilter::builder().parse(text).is_ok()
}
