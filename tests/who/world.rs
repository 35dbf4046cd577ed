//! A sandbox and a service in front of it, both in this process, kept for all cases with the same
//! settings.

use std::collections::BTreeMap;

use aws_ilm::{
    app::Bound,
    config::{self, Sources},
    sandbox::{self, DEFAULT_TENANT, DEFAULT_TOKEN, Fault, FaultKind, Sandbox, Seed},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};

use crate::case::{Case, Person, Settings};

/// A running sandbox, a running service, and a caller. Ends when it is dropped.
pub(crate) struct World {
    sandbox: Sandbox,
    http: reqwest::Client,
    commands: String,
    _stop: oneshot::Sender<()>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    /// `IAM.Vendor`, or the whole body where there is none.
    pub(crate) vendor: Value,
    pub(crate) after: Vec<Person>,
    /// Every request that was to write, even in vain: method and the id in its path.
    pub(crate) writes: Vec<(String, String)>,
}

impl World {
    /// A world with these settings; the faults of those that the service does not take.
    pub(crate) async fn start(settings: Settings) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let directory = listener.local_addr().unwrap();
        let sandbox = Sandbox::new(sandbox::Options {
            seed: Seed::empty(),
            ..sandbox::Options::default()
        });
        tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));
        let url = Sandbox::base_url(directory, DEFAULT_TENANT);
        let own = [
            ("AWS_ILM_LISTEN", "127.0.0.1:0"),
            ("AWS_ILM_URL", url.as_str()),
            ("AWS_ILM_TENANT_ID", DEFAULT_TENANT),
            ("AWS_ILM_AUTHENTICATION_TOKEN", DEFAULT_TOKEN),
            // This directory has no limits.
            ("AWS_ILM_READ_RATE", "5000"),
            ("AWS_ILM_WRITE_RATE", "5000"),
        ];
        let more = settings.environment();
        let environment: BTreeMap<String, String> = own
            .iter()
            .chain(&more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = config::load(&Sources {
            environment,
            ..Sources::default()
        })
        .map_err(|error| error.to_string())?;
        let bound = Bound::new(&settings).map_err(|error| error.to_string())?;
        let commands = format!("http://{}/commands", bound.address());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(bound.serve(async move { drop(stopped.await) }));
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        Ok(Self {
            sandbox,
            http,
            commands,
            _stop: stop,
        })
    }

    /// Puts the case's people into the directory, sends its command, and looks what has become of
    /// them.
    pub(crate) async fn run(&self, case: &Case) -> Got {
        let seed: Seed = serde_json::from_value(case.seed()).unwrap_or_else(|error| panic!("{error}:\n{case}"));
        self.sandbox.load(seed);
        self.sandbox.clear_faults();
        self.sandbox.reset_calls();
        if case.ids_answer_400 {
            self.sandbox
                .script(Fault::new(FaultKind::Status { status: 400 }).on("GetUser").forever());
        }
        let url = format!("{}/{}", self.commands, case.command.path());
        let response = self.http.post(url).json(&case.arguments()).send().await.unwrap();
        let status = response.status().as_u16();
        let mut body: Value = response.json().await.unwrap();
        let vendor = body.pointer_mut("/IAM/Vendor").map(Value::take);
        let users = self.sandbox.dump()["users"].take();
        let requests = self.sandbox.requests().into_iter();
        Got {
            status,
            vendor: vendor.unwrap_or(body),
            after: users.as_array().unwrap().iter().map(Person::of).collect(),
            writes: requests
                .filter(|request| request.method != "GET")
                .map(|request| {
                    (
                        request.method,
                        request.path.rsplit('/').next().unwrap_or_default().to_owned(),
                    )
                })
                .collect(),
        }
    }
}
