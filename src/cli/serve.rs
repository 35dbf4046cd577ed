//! `aws-ilm serve`.

use std::{
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use super::{Configured, FAILED, chain, failed, misused, signals::shutdown_of_service};
use crate::{
    app::{Bound, EmbeddedSandbox, watch_settings},
    config::{self, Settings, Sources},
    outbound, sandbox,
    telemetry::{
        self,
        traces::{self, Collector},
    },
};

/// How long sending spans to the collector may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until a signal comes.
pub(super) async fn run(configured: Configured, listen: Option<SocketAddr>, sandbox: bool) -> ExitCode {
    let mut sources = Sources::from_process(configured.config, sandbox);
    if let Some(listen) = listen {
        sources
            .environment
            .insert("AWS_ILM_LISTEN".to_owned(), listen.to_string());
    }
    if sandbox {
        // The examples of the documentation name its people and groups: those come back when they
        // are deleted.
        let options = sandbox::Options {
            restore_deleted: true,
            ..sandbox::Options::default()
        };
        match EmbeddedSandbox::start(options).await {
            Ok(directory) => {
                let token = SecretString::from(directory.token);
                if let Err(error) = sources.point_at_sandbox(&directory.url, directory.tenant_id, &token) {
                    return misused(&error.to_string());
                }
            }
            Err(error) => return failed(&error),
        }
    }
    // Removed when it is dropped, once nothing is served any more.
    let folder = sandbox.then(TemporaryFolder::new);
    let example = folder.as_ref().and_then(|folder| folder.as_ref().ok());
    let has_example = example.is_some_and(|folder| folder.add_source(&mut sources));
    let mut settings = match config::load(&sources) {
        Ok(settings) => settings,
        Err(error) => return misused(&error.to_string()),
    };
    if let Some(Ok(folder)) = &folder
        && settings.store_path.is_none()
    {
        settings.store_path = Some(folder.0.join("store.db"));
    }
    let collector = match collector(&settings) {
        Ok(collector) => collector,
        Err(error) => return failed(&error),
    };
    if let Err(error) = telemetry::init(&settings.log, collector) {
        return misused(&error.to_string());
    }
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(Err(error)) = &folder {
        tracing::warn!(
            "there is no store, for no folder can be made in {}: {error}; set store_path, or TMPDIR to a folder that \
             can be written",
            std::env::temp_dir().display()
        );
    }
    let bound = match Bound::new(&settings) {
        Ok(bound) => bound,
        Err(error) => return failed(&error),
    };
    let url = format!("{}://{}", bound.scheme(), bound.address());
    // Listened for before anything says that it runs: by default a signal ends the process.
    let reload = Arc::new(Notify::new());
    let shutdown = shutdown_of_service(Arc::clone(&reload));
    tokio::spawn(watch_settings(sources, reload));
    tell_start(&settings, &bound, &url);
    if sandbox {
        println!("{}", welcome(&url, settings.callers.is_some()));
        if has_example {
            println!("{}", a_hire(&url));
        }
    }
    let served = bound.serve(shutdown).await;
    // Blocks, and needs the runtime meanwhile.
    drop(tokio::task::spawn_blocking(traces::flush).await);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // As a log line, like every message while it serves.
            tracing::error!("{}", chain(&error));
            ExitCode::from(FAILED)
        }
    }
}

/// The collector of traces, if one is set.
fn collector(settings: &Settings) -> Result<Option<Collector>, reqwest::Error> {
    let collector = |endpoint: &Url| {
        // It stands where the operator says, on this machine or in a private network as a rule.
        let client = outbound::builder(EXPORT_TIMEOUT).build()?;
        Ok(Collector {
            endpoint: endpoint.clone(),
            client,
        })
    };
    settings.watch.otlp_endpoint.as_ref().map(collector).transpose()
}

/// Where the file of the sources is set.
const SOURCES_FILE: &str = "AWS_ILM_SOURCES_FILE";

/// The source that a sandbox has, unless it is given others.
const EXAMPLE_SOURCE: &str = "[[sources]]
name = \"hr\"
preset = \"standard-webhooks\"
secret_files = [\"hr-secret\"]
zone = \"UTC\"
";

/// Its secret, which is none.
const EXAMPLE_SECRET: &str = "whsec_bm8gc2VjcmV0LCBhbiBleGFtcGxlIG9ubHk=";

/// What the secret says.
const EXAMPLE_KEY: &str = "no secret, an example only";

/// Writes a file that its owner alone may read.
fn private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// A folder of its own that is removed when it is dropped. What a sandbox is asked to do goes with
/// it.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("aws-ilm-{}", Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Adds an example source, unless others are configured, or may be in a file. Tells whether it
    /// did.
    fn add_source(&self, sources: &mut Sources) -> bool {
        if sources.config.is_some() || sources.environment.contains_key(SOURCES_FILE) {
            return false;
        }
        let file = self.0.join("sources.toml");
        let written = private(&self.0.join("hr-secret"), EXAMPLE_SECRET).and_then(|()| private(&file, EXAMPLE_SOURCE));
        if written.is_ok() {
            let file = file.display().to_string();
            sources.environment.insert(SOURCES_FILE.to_owned(), file);
        }
        written.is_ok()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!("the sandbox's store is left in {}: {error}", self.0.display());
        }
    }
}

/// Writes the line that says what is running: who looks into a log first looks for it.
fn tell_start(settings: &Settings, bound: &Bound, url: &str) {
    let names: Vec<&str> = settings
        .instances
        .iter()
        .map(|instance| instance.name.as_str())
        .collect();
    let callers = settings.callers.as_ref().map(|callers| callers.loaded.callers.len());
    let switched_off = switched_off(settings);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        address = %bound.address(),
        url,
        instances = names.join(", "),
        callers = callers.map_or_else(|| "none configured".to_owned(), |count| count.to_string()),
        switched_off = (!switched_off.is_empty()).then(|| switched_off.join(", ")),
        "listening"
    );
}

/// The switches that are off, each with its instance.
fn switched_off(settings: &Settings) -> Vec<String> {
    let of_instance = |instance: &config::InstanceSettings| {
        let policy = &instance.policy;
        let switches = [
            ("create_user_enabled", policy.create_user_enabled),
            ("update_user_enabled", policy.update_user_enabled),
            ("enable_user_enabled", policy.enable_user_enabled),
            ("disable_user_enabled", policy.disable_user_enabled),
            ("create_if_not_exists", policy.create_if_not_exists),
        ];
        let off = switches.into_iter().filter(|(_, is_on)| !is_on);
        let name = instance.name.clone();
        off.map(move |(switch, _)| format!("{switch} of {name}"))
    };
    settings.instances.iter().flat_map(of_instance).collect()
}

fn welcome(url: &str, has_callers: bool) -> String {
    let key = if has_callers { " -H 'X-API-Key: KEY'" } else { "" };
    format!(
        "aws-ilm is serving an embedded sandbox directory.\n\n  Swagger UI:  {url}/docs/\n\n  A first command:\n\n    \
         curl -s {url}/commands/iam-create-user -H 'Content-Type: application/json'{key} \\\n      \
         -d '{{\"user-profile\": {{\"username\": \"jane\", \"email\": \"jane.roe@example.com\", \"givenname\": \"Jane\", \"surname\": \"Roe\", \"displayname\": \"Jane Roe\"}}}}'\n"
    )
}

/// Lines that hire a person by a signed webhook, with openssl and curl alone. The key of the
/// signature is what the secret has behind `whsec_`, decoded.
fn a_hire(url: &str) -> String {
    let key: String = EXAMPLE_KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!(
        r#"  A hire, as an HR system tells of it (source `hr`, Standard Webhooks):

    body='{{"type":"employee.hired","timestamp":"'$(date -u +%FT%TZ)'","data":{{"employeeId":"1042","firstName":"Ada","lastName":"Okafor","email":"ada.okafor@example.com"}}}}'; id=msg_$(date +%s%N); now=$(date +%s); \
      signature=$(printf '%s' "$id.$now.$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:{key} -binary | openssl base64 -A); \
      curl -s {url}/webhooks/hr -H 'Content-Type: application/json' -H "webhook-id: $id" -H "webhook-timestamp: $now" -H "webhook-signature: v1,$signature" -d "$body"
"#
    )
}
