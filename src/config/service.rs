//! The service's own settings.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use toml::Table;
use tracing_subscriber::EnvFilter;

use super::reader::{Environment, Report, Section};
use super::{LogFormat, Settings, instances};

/// Reads them, leaving the instances and TLS to be filled in.
pub(super) fn read(file: &str, table: Option<&Table>, environment: &Environment, report: &mut Report) -> Settings {
    let mut section = Section::service(file, table, environment, report);
    let listen = listen(&mut section);
    let allow_unauthenticated = section.boolean("allow_unauthenticated");
    if !allow_unauthenticated && !listen.ip().to_canonical().is_loopback() {
        section.refuse(
            "listen",
            "listen on 127.0.0.1 or [::1], or set allow_unauthenticated (AWS_ILM_ALLOW_UNAUTHENTICATED) to true if something \
             in front of the service checks its callers",
        );
    }
    let log_format = section.text("log_format", |word| matches!(word, "text" | "json"));
    Settings {
        listen,
        allow_unauthenticated,
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

fn is_filter(text: &str) -> bool {
    !text.trim().is_empty() && EnvFilter::builder().parse(text).is_ok()
}
