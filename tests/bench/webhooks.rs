//! How many signed webhooks a second are stored and answered, and how long each waits: by 1, 16 and
//! 64 senders that each wait for their answer, and by senders that post 1,000 a second whatever
//! the answers do.
//!
//! `cargo run --release --example bench-webhooks [-- SECONDS]`; prints, asserts nothing. Service,
//! sandbox and senders share this process and its cores, over real HTTP on loopback; the store is a
//! file of the folder for temporary ones. Meanwhile operations are carried out at the pace that AWS
//! allows. No log is written.

#![allow(clippy::print_stdout, reason = "printing figures is what this is for")]

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_ilm::{
    app::Bound,
    config::{self, Sources},
    sandbox::{self, DEFAULT_TENANT, DEFAULT_TOKEN, Sandbox},
};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

/// How many people the events are about.
const PEOPLE: usize = 2_000;

/// Events a second of senders that do not wait.
const PACE: usize = 1_000;

const SECRET: &[u8] = b"the secret of a benchmark, 32 by";

const SOURCES: &str = r#"
[[sources]]
name = "hr"
preset = "standard-webhooks"
secret_files = ["hr"]

[[sources.rules]]
when = "body.type == 'employee.updated'"
do = "update"
time = "body.timestamp"
profile = "person"

[sources.profiles.person.fields]
username = "body.data.email | lower"
email = "body.data.email"
givenname = "body.data.firstName"
surname = "body.data.lastName"
displayname = "body.data.firstName ~ ' ' ~ body.data.lastName"
employeeid = "body.data.employeeId"
title = "body.data.jobTitle"
"#;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An HR system.
struct Sender {
    http: reqwest::Client,
    url: String,
    key: hmac::Key,
    /// How many events there were.
    sent: AtomicUsize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let seconds = std::env::args().nth(1).map_or(Ok(5), |seconds| seconds.parse())?;
    let folder = std::env::temp_dir().join(format!("aws-ilm-bench-webhooks-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let result = measure(&folder, Duration::from_secs(seconds)).await;
    fs::remove_dir_all(&folder)?;
    result
}

async fn measure(folder: &Path, time: Duration) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let directory = listener.local_addr()?;
    let (_running, stopped) = oneshot::channel::<()>();
    tokio::spawn(Sandbox::new(sandbox::Options::default()).serve(listener, async move { drop(stopped.await) }));
    println!("senders   webhooks a second   p50 ms   p99 ms   not stored");
    for senders in [1, 16, 64] {
        let (sender, stop) = start(&folder.join(format!("waiting-{senders}")), directory)?;
        row(&senders.to_string(), waiting(sender, senders, time).await?, time);
        drop(stop);
    }
    let (sender, stop) = start(&folder.join("paced"), directory)?;
    row(&format!("{PACE}/s"), paced(sender, time).await?, time);
    drop(stop);
    Ok(())
}

/// A service with a store of its own in a new folder, which ends with what is answered beside it.
fn start(folder: &Path, directory: SocketAddr) -> Result<(Arc<Sender>, oneshot::Sender<()>), Failure> {
    fs::create_dir(folder)?;
    let (file, secret) = (folder.join("sources.toml"), folder.join("hr"));
    fs::write(&file, SOURCES)?;
    fs::write(&secret, format!("whsec_{}", STANDARD.encode(SECRET)))?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    let store = folder.join("store.db");
    let settings = [
        ("AWS_ILM_LISTEN", "127.0.0.1:0".to_owned()),
        ("AWS_ILM_URL", Sandbox::base_url(directory, DEFAULT_TENANT)),
        ("AWS_ILM_TENANT_ID", DEFAULT_TENANT.to_owned()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", DEFAULT_TOKEN.to_owned()),
        ("AWS_ILM_STORE_PATH", store.display().to_string()),
        ("AWS_ILM_SOURCES_FILE", file.display().to_string()),
    ];
    let settings = config::load(&Sources {
        environment: settings.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Sources::default()
    })
    .map_err(|error| error.to_string())?;
    let bound = Bound::new(&settings)?;
    let sender = Sender {
        http: reqwest::Client::builder().no_proxy().build()?,
        url: format!("http://{}/webhooks/hr", bound.address()),
        key: hmac::Key::new(hmac::HMAC_SHA256, SECRET),
        sent: AtomicUsize::new(0),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(bound.serve(async move { drop(stopped.await) }));
    Ok((Arc::new(sender), stop))
}

impl Sender {
    /// Signs and sends the next event; whether that was answered as stored.
    async fn send(&self) -> bool {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let person = number % PEOPLE;
        let now = jiff::Timestamp::now();
        let body = json!({
            "type": "employee.updated",
            "timestamp": now.to_string(),
            "data": {
                "employeeId": person.to_string(), "firstName": "Ada", "lastName": format!("Okafor {person}"),
                "email": format!("Ada.Okafor.{person}@example.com"), "jobTitle": format!("Engineer {number}"),
                "department": "Engineering", "site": "Melbourne", "startDate": "2024-02-01",
            },
        })
        .to_string();
        let (id, time) = (format!("msg_{number}"), now.as_second());
        let signature = hmac::sign(&self.key, format!("{id}.{time}.{body}").as_bytes());
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", format!("v1,{}", STANDARD.encode(signature)));
        let Ok(response) = request.body(body).send().await else {
            return false;
        };
        response.status() == 202 && response.bytes().await.is_ok()
    }
}

/// How long each webhook took, and how many were not stored.
type Figures = (Vec<Duration>, usize);

/// So many senders, of which each sends its next event when the last is answered.
async fn waiting(sender: Arc<Sender>, senders: usize, time: Duration) -> Result<Figures, Failure> {
    let until = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..senders {
        let sender = Arc::clone(&sender);
        tasks.spawn(async move {
            let (mut times, mut refused) = (Vec::new(), 0);
            while Instant::now() < until {
                let begun = Instant::now();
                if sender.send().await {
                    times.push(begun.elapsed());
                } else {
                    refused += 1;
                }
            }
            (times, refused)
        });
    }
    joined(tasks).await
}

/// Events at their pace; how long one took counts from when it was due.
async fn paced(sender: Arc<Sender>, time: Duration) -> Result<Figures, Failure> {
    let first = Instant::now();
    let count = time.as_secs() as usize * PACE;
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let due = first + time * number as u32 / count as u32;
        tokio::time::sleep_until(due.into()).await;
        let sender = Arc::clone(&sender);
        tasks.spawn(async move {
            let is_stored = sender.send().await;
            let times = is_stored.then(|| due.elapsed());
            (times.into_iter().collect(), usize::from(!is_stored))
        });
    }
    joined(tasks).await
}

async fn joined(mut tasks: JoinSet<Figures>) -> Result<Figures, Failure> {
    let mut all = Figures::default();
    while let Some(figures) = tasks.join_next().await {
        let (times, refused) = figures?;
        all.0.extend(times);
        all.1 += refused;
    }
    Ok(all)
}

fn row(name: &str, (mut times, refused): Figures, time: Duration) {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    println!(
        "{name:>7}{:>20.0}{:>9.2}{:>9.2}{refused:>13}",
        times.len() as f64 / time.as_secs_f64(),
        at(50).as_secs_f64() * 1_000.0,
        at(99).as_secs_f64() * 1_000.0,
    );
}
