//! The service as a process, and a client that means well.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::json;

/// A request that waits longer counts as not served.
const PATIENCE: Duration = Duration::from_secs(10);

/// Killed when it is dropped.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Service {
    /// Starts the demonstration and waits until it listens.
    pub(crate) fn start(binary: &Path) -> Self {
        let mut child = Command::new(binary)
            .args(["serve", "--sandbox", "--listen", "127.0.0.1:0"])
            .env_clear()
            .env("AWS_ILM_LOG_FILTER", "warn,aws_ilm=info,access=off")
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
        Self { address, child }
    }

    /// How much memory it has in use, in MiB; 0 where the system does not tell.
    pub(crate) fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kilobytes = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse::<usize>()
                .ok()
        });
        kilobytes.unwrap_or(0) / 1024
    }

    /// How many connections it holds, as the system sees it: established, or closed by the other
    /// side alone (proc(5), `net/tcp`).
    pub(crate) fn connections(&self) -> usize {
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let own = format!(":{:04X}", self.address.port());
        let is_held = |line: &&str| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next().is_some_and(|local| local.ends_with(&own)) && matches!(fields.nth(1), Some("01" | "08"))
        };
        table.lines().filter(is_held).count()
    }

    /// A health probe as an orchestrator sends it, on a connection of its own: how long it took,
    /// and whether it was answered.
    pub(crate) async fn liveness(&self) -> (Duration, bool) {
        let began = Instant::now();
        let answer = client()
            .get(format!("http://{}/health/live", self.address))
            .send()
            .await;
        (began.elapsed(), answer.is_ok_and(|answer| answer.status() == 200))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The times of the served requests, and the number of the others.
type Course = (Vec<Duration>, usize);

/// Sends a command again and again for as long as the program runs.
pub(crate) struct Caller(Arc<Mutex<Course>>);

impl Caller {
    pub(crate) fn start(address: SocketAddr, mut random: fastrand::Rng) -> Self {
        let course = Arc::new(Mutex::new(Course::default()));
        let noted = Arc::clone(&course);
        tokio::spawn(async move {
            let http = client();
            loop {
                let began = Instant::now();
                let request = http.post(format!("http://{address}/commands/iam-get-user"));
                let answer = request
                    .json(&json!({"user-profile": {"username": "test"}}))
                    .send()
                    .await;
                {
                    let (served, failed) = &mut *noted.lock().unwrap();
                    if answer.is_ok_and(|answer| answer.status() == 200) {
                        served.push(began.elapsed());
                    } else {
                        *failed += 1;
                    }
                }
                tokio::time::sleep(Duration::from_millis(random.u64(40..80))).await;
            }
        });
        Self(course)
    }

    /// What has happened since the last time.
    pub(crate) fn so_far(&self) -> Course {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

/// How many files this process may have open.
pub(crate) fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(1_024)
}
