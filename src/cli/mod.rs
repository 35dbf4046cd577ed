//! The command line. Everything it prints for people and scripts goes to standard output; logs go
//! to standard error.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the part of the program that prints"
)]

mod batch;
mod check;
mod config;
mod fate;
mod key;
mod mapper;
mod operations;
mod remote;
mod serve;
mod signals;
mod source;
mod store;
mod table;

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    config::{Sources, endpoint},
    http, outbound,
    sandbox::{self, Sandbox, Seed},
};

/// The exit code of a task that failed.
const FAILED: u8 = 1;

/// The settings or the arguments are wrong: nothing was started. The same code as clap's own.
const MISUSED: u8 = 2;

/// A service could not be asked, or lets this caller do nothing.
const UNAVAILABLE: u8 = 3;

/// Ended by Ctrl-C, as shells tell it.
const INTERRUPTED: u8 = 130;

/// The IAM user lifecycle commands for AWS IAM Identity Center, as an HTTP service.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Serve the commands over HTTP
    Serve {
        #[command(flatten)]
        configured: Configured,
        /// Where to listen, instead of the setting `listen`
        #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
        listen: Option<SocketAddr>,
        /// Serve an embedded directory as the only instance: nothing to configure, nothing real is
        /// touched
        #[arg(long)]
        sandbox: bool,
    },
    /// Serve a directory alone that behaves like IAM Identity Center's SCIM endpoint
    Sandbox {
        /// Where to listen
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081", value_parser = address)]
        listen: SocketAddr,
        /// Start with the users and groups of this JSON file
        #[arg(long, value_name = "FILE")]
        seed: Option<PathBuf>,
        /// Throttle as AWS does: 25 writes and 40 reads a second and API
        #[arg(long)]
        limits: bool,
    },
    /// Test every configured instance; exits with 1 when one fails
    Check {
        #[command(flatten)]
        configured: Configured,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        format: check::Format,
    },
    /// Show what is configured, or print a file to begin with
    #[command(subcommand)]
    Config(config::Task),
    /// Look into a mapper: an export of Cortex XSOAR (JSON), or one written by hand (TOML)
    #[command(subcommand)]
    Mapper(mapper::Task),
    /// Make the keys of callers
    #[command(subcommand)]
    Key(key::Task),
    /// Copy or check the file that keeps operations
    #[command(subcommand)]
    Store(store::Task),
    Batch(batch::Arguments),
    /// See, wait for and mend the commands that a service has stored
    #[command(subcommand)]
    Operations(operations::Task),
    /// See which senders of webhooks are known and configured, and try what they send
    #[command(subcommand)]
    Source(source::Task),
    /// Print the OpenAPI document
    Openapi,
    /// Ask a running service whether it is ready; exits with 1 when it is not
    Healthcheck {
        #[command(flatten)]
        configured: Configured,
        /// The service's address, instead of the one that `listen` (AWS_ILM_LISTEN) sets
        #[arg(long, value_name = "URL")]
        url: Option<Url>,
    },
}

#[derive(Debug, clap::Args)]
struct Configured {
    /// The TOML file with the settings
    #[arg(long, value_name = "FILE", env = "AWS_ILM_CONFIG")]
    config: Option<PathBuf>,
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(
        |_| "use an IP address and a port, like 127.0.0.1:8080 or [::1]:8080; a name such as localhost is none",
    )
}

/// Runs the program with the process's arguments.
pub async fn main() -> ExitCode {
    // One crypto provider for everything, installed before anything could want one. It fails only
    // if there is one already.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match Line::parse().task {
        Task::Serve {
            configured,
            listen,
            sandbox,
        } => serve::run(configured, listen, sandbox).await,
        Task::Sandbox { listen, seed, limits } => serve_sandbox(listen, seed, limits).await,
        Task::Check { configured, format } => check::run(configured, format).await,
        Task::Config(task) => config::run(task),
        Task::Mapper(task) => mapper::run(task),
        Task::Key(task) => key::run(task),
        Task::Store(task) => store::run(task),
        Task::Batch(arguments) => batch::run(arguments).await,
        Task::Operations(task) => operations::run(task).await,
        Task::Source(task) => source::run(task).await,
        Task::Openapi => {
            print!("{}", http::document());
            ExitCode::SUCCESS
        }
        Task::Healthcheck { configured, url } => healthcheck(configured, url).await,
    }
}

async fn serve_sandbox(listen: SocketAddr, seed: Option<PathBuf>, limits: bool) -> ExitCode {
    let seed = match seed {
        None => Seed::demo(),
        Some(path) => {
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => return misused(&format!("--seed {}: {error}", path.display())),
            };
            match Seed::from_json(&text) {
                Ok(seed) => seed,
                Err(error) => return misused(&format!("--seed {}: {error}", path.display())),
            }
        }
    };
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            // As for `serve`: the argument is right, and another process has the port.
            eprintln!("can't listen on {listen}; choose another with --listen: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let address = listener.local_addr().unwrap_or(listen);
    let shutdown = signals::shutdown();
    println!("SCIM endpoint: {}", Sandbox::base_url(address, sandbox::DEFAULT_TENANT));
    println!("Bearer token:  {}", sandbox::DEFAULT_TOKEN);
    println!("State:         http://{address}/sandbox/state");
    let sandbox = Sandbox::new(sandbox::Options {
        seed,
        limits,
        ..sandbox::Options::default()
    });
    match sandbox.serve(listener, shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn healthcheck(configured: Configured, url: Option<Url>) -> ExitCode {
    let is_own = url.is_none();
    let url = match url {
        Some(url) => url,
        None => match own_address(configured) {
            Ok(url) => url,
            Err(message) => return misused(&message),
        },
    };
    let client = outbound::builder(std::time::Duration::from_secs(3))
        // The service is asked at an address of this machine, for which its certificate is hardly
        // made out. No secret is sent and nothing but a status is believed, so a process that
        // answers in its place gains nothing. A URL that was given is verified.
        .tls_danger_accept_invalid_certs(is_own)
        .build();
    let answer = match (client, url.join("/health/ready")) {
        (Ok(client), Ok(url)) => client.get(url).send().await,
        (Err(error), _) => return failed(&error),
        (_, Err(error)) => return misused(&format!("--url {url}: {error}")),
    };
    match answer {
        Ok(answer) if answer.status().is_success() => {
            println!("ready");
            ExitCode::SUCCESS
        }
        Ok(answer) => {
            println!("not ready: {}", answer.status());
            ExitCode::from(FAILED)
        }
        Err(error) => failed(&error),
    }
}

/// The service's own address as `listen` sets it, on loopback where it listens on every address,
/// and by TLS if it is set to.
fn own_address(configured: Configured) -> Result<Url, String> {
    let endpoint = endpoint(&Sources::from_process(configured.config, false)).map_err(|error| error.to_string())?;
    let ip = match endpoint.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    let scheme = if endpoint.tls { "https" } else { "http" };
    let address = SocketAddr::new(ip, endpoint.listen.port());
    Url::parse(&format!("{scheme}://{address}")).map_err(|error| error.to_string())
}

fn misused(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::from(MISUSED)
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("{}", chain(error));
    ExitCode::from(FAILED)
}

/// The error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(message, ": {cause}");
        source = cause.source();
    }
    message
}
