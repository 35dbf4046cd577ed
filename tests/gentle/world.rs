//! What every suite stands on: a directory that can go away and come back, the service in front of
//! it, and callers. All on loopback.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use aws_ilm::{
    app::Bound,
    config::{self, Sources},
    sandbox::{self, DEFAULT_TENANT, DEFAULT_TOKEN, RecordedRequest, Sandbox, Seed},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Longer than any command may take: a caller that waits this long has found a defect.
const CALLER_TIMEOUT: Duration = Duration::from_secs(180);

/// Shorter than the service keeps an idle connection (`header_timeout`): a command must not meet
/// its closing.
const CALLER_IDLE: Duration = Duration::from_secs(5);

/// A sandbox on a port of its own.
pub(crate) struct Directory {
    pub(crate) sandbox: Sandbox,
    pub(crate) address: SocketAddr,
    served: Option<(oneshot::Sender<()>, JoinHandle<std::io::Result<()>>)>,
}

impl Directory {
    /// A directory that holds this, with or without AWS's limits.
    pub(crate) async fn holding(seed: &Value, limits: bool) -> Self {
        Self::with(sandbox::Options {
            seed: Seed::from_json(&seed.to_string()).unwrap(),
            limits,
            ..sandbox::Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: sandbox::Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut directory = Self {
            sandbox: Sandbox::new(options),
            address: listener.local_addr().unwrap(),
            served: None,
        };
        directory.serve(listener);
        directory
    }

    fn serve(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = self.sandbox.clone().serve(listener, async move { drop(stopped.await) });
        self.served = Some((stop, tokio::spawn(serve)));
    }

    /// Closes the listener and every connection.
    pub(crate) async fn go_away(&mut self) {
        if let Some((stop, served)) = self.served.take() {
            drop(stop);
            served.await.unwrap().unwrap();
        }
    }

    /// Listens again, on the same port, with the same people.
    pub(crate) async fn come_back(&mut self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    pub(crate) fn url(&self) -> String {
        Sandbox::base_url(self.address, DEFAULT_TENANT)
    }

    /// The settings of a service in front of it, as environment variables.
    pub(crate) fn settings(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let url = self.url();
        let own = [
            ("AWS_ILM_LISTEN", "127.0.0.1:0"),
            ("AWS_ILM_URL", &url),
            ("AWS_ILM_TENANT_ID", DEFAULT_TENANT),
            ("AWS_ILM_AUTHENTICATION_TOKEN", DEFAULT_TOKEN),
        ];
        let mut settings: BTreeMap<_, _> = own
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        settings.retain(|_, value| !value.is_empty());
        settings
    }

    /// A service in front of it, in this process.
    pub(crate) fn service(&self, more: &[(&str, &str)]) -> Front {
        Front::start(&Sources {
            environment: self.settings(more),
            ..Sources::default()
        })
    }

    /// Of the remembered requests that `ours` picks: how many there were, and how many were
    /// answered 429.
    pub(crate) fn throttled(&self, ours: impl Fn(&RecordedRequest) -> bool) -> (usize, usize) {
        let requests = self.sandbox.requests();
        let ours = || requests.iter().filter(|request| ours(request));
        (
            ours().count(),
            ours().filter(|request| request.status == Some(429)).count(),
        )
    }

    /// How many users have a userName that begins so.
    pub(crate) fn count_users(&self, start: &str) -> usize {
        let users = self.sandbox.dump()["users"].take();
        let named = |user: &&Value| user["userName"].as_str().is_some_and(|name| name.starts_with(start));
        users.as_array().unwrap().iter().filter(named).count()
    }
}

/// A service in this process. Ends when it is dropped.
pub(crate) struct Front {
    pub(crate) caller: Caller,
    _stop: oneshot::Sender<()>,
}

impl Front {
    pub(crate) fn start(sources: &Sources) -> Self {
        let settings = config::load(sources).unwrap();
        let bound = Bound::new(&settings).unwrap();
        let caller = Caller::of(bound.address());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(bound.serve(async move { drop(stopped.await) }));
        Self { caller, _stop: stop }
    }
}

/// A process of the service. Killed when it is dropped.
pub(crate) struct Process {
    pub(crate) caller: Caller,
    child: Child,
}

impl Process {
    /// Starts the binary and waits until it listens.
    pub(crate) fn start(binary: &Path, settings: &BTreeMap<String, String>) -> Self {
        let mut child = Command::new(binary)
            .arg("serve")
            .env_clear()
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; build it, or say --binary", binary.display()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("address=")?.1.split_whitespace().next()?.parse().ok())
            .expect("the service says where it listens");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self {
            caller: Caller::of(address),
            child,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A client that sends commands.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    address: SocketAddr,
}

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) took: Duration,
    pub(crate) body: Value,
}

impl Answer {
    /// What came of the command: the one object in the envelope that says `success`.
    pub(crate) fn result(&self) -> &Value {
        let outer = self
            .body
            .as_object()
            .and_then(|body| body.values().next())
            .unwrap_or(&Value::Null);
        outer.get("Vendor").unwrap_or(outer)
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.status == 200 && self.result()["success"] == true
    }

    pub(crate) fn message(&self) -> &str {
        self.result()["errorMessage"].as_str().unwrap_or_default()
    }
}

impl Caller {
    fn of(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(CALLER_TIMEOUT)
            .pool_idle_timeout(CALLER_IDLE)
            .build()
            .unwrap();
        Self { http, address }
    }

    /// Sends a command, to the default instance.
    pub(crate) async fn command(&self, name: &str, arguments: &Value) -> Answer {
        self.command_of("", name, arguments).await
    }

    /// Sends a command to an instance.
    pub(crate) async fn command_of(&self, instance: &str, name: &str, arguments: &Value) -> Answer {
        let query = if instance.is_empty() {
            String::new()
        } else {
            format!("?instance={instance}")
        };
        let url = format!("http://{}/commands/{name}{query}", self.address);
        let began = Instant::now();
        let response = self.http.post(url).json(arguments).send().await.unwrap();
        let status = response.status().as_u16();
        let retry_after = response.headers().contains_key("retry-after");
        let body = response.json().await.unwrap();
        Answer {
            status,
            retry_after,
            took: began.elapsed(),
            body,
        }
    }

    /// Sends a command that is to be stored and answered at once; its status.
    pub(crate) async fn defer(&self, name: &str, query: &str, arguments: &Value) -> u16 {
        let url = format!("http://{}/commands/{name}{query}", self.address);
        let request = self.http.post(url).header("prefer", "respond-async").json(arguments);
        request.send().await.unwrap().status().as_u16()
    }

    /// What is read from a path.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.address);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// How long the service takes to say that it lives.
    pub(crate) async fn liveness(&self) -> Duration {
        let began = Instant::now();
        let url = format!("http://{}/health/live", self.address);
        self.http.get(url).send().await.unwrap().bytes().await.unwrap();
        began.elapsed()
    }

    /// The first instance as `/instances` shows it.
    pub(crate) async fn instance(&self) -> Value {
        let url = format!("http://{}/instances", self.address);
        let mut all: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        all[0].take()
    }
}

/// A folder that is removed when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aws-ilm-gentle-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already = fs::remove_dir_all(&self.0);
    }
}

/// The argument for a new person of this name.
pub(crate) fn newcomer(name: &str) -> Value {
    json!({"user-profile": profile(name)})
}

/// A caller's document of a person.
pub(crate) fn profile(name: &str) -> Value {
    json!({
        "username": name, "email": format!("{name}@example.com"), "givenname": "Given", "surname": "Sur",
        "displayname": name, "employeeid": format!("e-{name}"), "title": "Clerk",
    })
}

/// A user as the directory holds it, with the id `id-<name>`.
pub(crate) fn user(name: &str) -> Value {
    json!({
        "id": format!("id-{name}"), "userName": name, "displayName": name, "externalId": format!("e-{name}"), "title": "Clerk",
        "name": {"givenName": "Given", "familyName": "Sur"}, "active": true,
        "emails": [{"value": format!("{name}@example.com"), "type": "work", "primary": true}],
    })
}
