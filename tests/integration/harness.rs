//! A world for one test: a sandbox directory, the service in front of it, and a caller. Everything
//! listens on a free port of loopback and ends with the test.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use aws_ilm::{
    app::Bound,
    config::{self, Sources},
    operations::Clock,
    sandbox::{self, Sandbox, Seed},
};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

/// Set to 1, it gives each world a store: every command that writes goes by way of it.
const WITH_STORE: &str = "AWS_ILM_TEST_WITH_STORE";

/// What a world is made with. `..Setup::default()` has the demo people, every switch on, AWS's
/// dialect, and no pace to speak of.
#[derive(Default)]
pub(crate) struct Setup {
    /// Settings as environment variables, over the harness's own.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What the sandbox is.
    pub(crate) sandbox: sandbox::Options,
    /// What tells operations and webhooks the time; none: the system.
    pub(crate) clock: Option<Clock>,
}

/// A running sandbox and a running service in front of it.
pub(crate) struct World {
    /// The directory, to script and to look into.
    pub(crate) sandbox: Sandbox,
    /// Where the directory listens.
    pub(crate) directory: SocketAddr,
    /// Where the service listens.
    pub(crate) address: SocketAddr,
    /// The caller.
    pub(crate) http: reqwest::Client,
    // Dropped with the world, which ends both servers.
    _stop: oneshot::Sender<()>,
}

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// `IAM.Vendor` of a user command's answer.
    pub(crate) fn vendor(&self) -> Value {
        self.json()["IAM"]["Vendor"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl World {
    /// A world with the demo people.
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world whose directory holds just these people and groups.
    pub(crate) async fn holding(seed: Value) -> Self {
        let seed = Seed::from_json(&seed.to_string()).unwrap();
        Self::with(Setup {
            sandbox: sandbox::Options {
                seed,
                ..sandbox::Options::default()
            },
            ..Setup::default()
        })
        .await
    }

    /// A world made like this.
    pub(crate) async fn with(setup: Setup) -> Self {
        // The second test in the process finds it installed.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let directory = listener.local_addr().unwrap();
        let token = setup.sandbox.tokens[0].clone();
        let tenant = setup.sandbox.tenant_id.clone();
        let sandbox = Sandbox::new(setup.sandbox);
        tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));

        let mut environment: BTreeMap<String, String> = [
            ("AWS_ILM_LISTEN", "127.0.0.1:0".to_owned()),
            ("AWS_ILM_URL", Sandbox::base_url(directory, &tenant)),
            ("AWS_ILM_TENANT_ID", tenant),
            ("AWS_ILM_AUTHENTICATION_TOKEN", token),
            // This directory has no limits unless a test says so. An empty value brings back the
            // default.
            ("AWS_ILM_READ_RATE", "5000".to_owned()),
            ("AWS_ILM_WRITE_RATE", "5000".to_owned()),
            ("AWS_ILM_MEMBERSHIP_RATE", "50000".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        environment.extend(
            setup
                .environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        // The whole suite can be run with a store behind every world.
        if std::env::var(WITH_STORE).is_ok_and(|value| value == "1") {
            let path = std::env::temp_dir().join(format!("aws-ilm-test-{}.db", Uuid::new_v4()));
            environment
                .entry("AWS_ILM_STORE_PATH".to_owned())
                .or_insert_with(|| path.display().to_string());
        }
        environment.retain(|_, value| !value.is_empty());
        let settings = config::load(&Sources {
            environment,
            ..Sources::default()
        })
        .unwrap();
        let clock = setup.clock.unwrap_or_else(Clock::system);
        let bound = Bound::by_clock(&settings, clock).unwrap();
        let address = bound.address();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(bound.serve(async move { drop(stopped.await) }));
        Self {
            sandbox,
            directory,
            address,
            http: caller(),
            _stop: stop,
        }
    }

    /// A world whose directory holds just these people and groups, and whose service has these
    /// settings.
    pub(crate) async fn holding_with(seed: Value, environment: &[(&'static str, &str)]) -> Self {
        let seed = Seed::from_json(&seed.to_string()).unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        Self::with(Setup {
            environment,
            sandbox: sandbox::Options {
                seed,
                ..sandbox::Options::default()
            },
            clock: None,
        })
        .await
    }

    /// `path` on the service.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a command.
    pub(crate) async fn command(&self, name: &str, arguments: &Value) -> Answer {
        self.post(&format!("/commands/{name}"), arguments).await
    }

    /// Posts JSON to a path with a query.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.http.post(self.url(path)).json(body)).await
    }

    /// Gets a path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(self.url(path))).await
    }

    /// The user of this id or userName as the directory has it, null when there is none.
    pub(crate) fn user(&self, key: &str) -> Value {
        self.find("users", |user| user["id"] == key || user["userName"] == key)
    }

    /// The group of this id or displayName as the directory has it, with its members.
    pub(crate) fn group(&self, key: &str) -> Value {
        self.find("groups", |group| group["id"] == key || group["displayName"] == key)
    }

    fn find(&self, list: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let dump = self.sandbox.dump();
        let found = dump[list].as_array().unwrap().iter().find(|resource| wanted(resource));
        found.cloned().unwrap_or_default()
    }

    /// The writes that the directory answered with success since the last look at [`World::calls`]:
    /// method, path below the base URL, body.
    pub(crate) fn writes(&self) -> Vec<(String, String, Option<Value>)> {
        let base = format!("/{}/scim/v2", self.sandbox.tenant_id());
        let requests = self.sandbox.requests().into_iter();
        requests
            .filter(|request| request.method != "GET" && request.status.is_some_and(|status| status < 300))
            .map(|request| {
                let path = request.path.strip_prefix(&base).unwrap().to_owned();
                (request.method, path, request.body)
            })
            .collect()
    }

    /// Asserts which calls the directory got since the last look, probe aside.
    #[track_caller]
    pub(crate) fn assert_calls(&self, expected: &[(&str, u64)]) {
        let expected: BTreeMap<String, u64> = expected.iter().map(|(api, n)| ((*api).to_owned(), *n)).collect();
        assert_eq!(self.calls(), expected);
    }

    /// Sends a command that only looks.
    pub(crate) async fn dry_run(&self, name: &str, arguments: &Value) -> Answer {
        self.post(&format!("/commands/{name}?dryRun=true"), arguments).await
    }

    /// Sends a command whose answer is to be a Markdown table.
    pub(crate) async fn markdown(&self, name: &str, arguments: &Value) -> Answer {
        let request = self.http.post(self.url(&format!("/commands/{name}")));
        answer(request.header("accept", "text/markdown").json(arguments)).await
    }

    /// The calls that the directory got since the last look, without the one probe a process makes
    /// (ServiceProviderConfig).
    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        let mut calls = self.sandbox.calls();
        self.sandbox.reset_calls();
        calls.remove("ServiceProviderConfig");
        calls
    }
}

/// A service alone: its address, what stops it, and its end.
pub(crate) fn service(
    environment: BTreeMap<String, String>,
) -> (
    SocketAddr,
    oneshot::Sender<()>,
    JoinHandle<Result<(), aws_ilm::app::AppError>>,
) {
    // The second test in the process finds it installed.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let settings = config::load(&Sources {
        environment,
        ..Sources::default()
    })
    .unwrap();
    let bound = Bound::new(&settings).unwrap();
    let address = bound.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(bound.serve(async move { drop(stopped.await) }));
    (address, stop, served)
}

/// Waits until a condition holds; fails after ten seconds.
#[track_caller]
pub(crate) fn until(mut holds: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..2_000 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("what was waited for at {caller} did not come");
    }
}

/// Sends a request and reads its whole answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        text: response.text().await.unwrap(),
    }
}

/// A caller that neither follows redirects nor uses a proxy.
pub(crate) fn caller() -> reqwest::Client {
    caller_sending(HeaderMap::new())
}

/// The same, which sends this key with each request.
pub(crate) fn caller_with(key: &str) -> reqwest::Client {
    caller_sending(HeaderMap::from_iter([(
        HeaderName::from_static("x-api-key"),
        key.parse().unwrap(),
    )]))
}

fn caller_sending(fields: HeaderMap) -> reqwest::Client {
    // The second test in the process finds it installed.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder()
        .default_headers(fields)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // Everything here is plain HTTP: reading the system's certificates for each world would be
        // most of its cost.
        .tls_certs_only([])
        .build()
        .unwrap()
}
