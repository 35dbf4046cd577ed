//! What every request meets before a command runs, tried over real sockets on loopback: limits of
//! time, size and number, `Host`, methods, media types, JSON, request ids, panics, the access line,
//! shutdown.
//!
//! The requests are written by hand, byte for byte, because no client library would send most of
//! them.

mod bodies;
mod connections;
mod lines;
mod requests;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use aws_ilm::{
    http::{
        arguments::{Arguments, OptionalArguments},
        body::{BodyLimits, BodyReader},
        guard::Guard,
        host::HostRule,
        layers::{LayerOptions, assemble},
        negotiate::{Handling, Representation},
        observe::AccessRecord,
        problem::Problem,
        query::CommandQuery,
    },
    net::server::{ServerOptions, serve},
};
use axum::{
    Extension, Json, Router,
    extract::Path,
    response::IntoResponse,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{runtime::Runtime, sync::Semaphore, task::JoinHandle};

/// Long enough never to strike where an answer is expected; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const BODY_LIMIT: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Args {
    user_profile: Value,
    allow_enable: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArgs {}

/// A small service behind the real layers and sockets.
struct Service {
    runtime: Runtime,
    address: SocketAddr,
    handle: axum_server::Handle<SocketAddr>,
    served: JoinHandle<std::io::Result<()>>,
    /// `GET /wait` takes one permit before it answers.
    gate: Arc<Semaphore>,
    /// Gets one permit for each request that has reached `GET /wait`.
    waiting: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
struct Options {
    server: ServerOptions,
    intake: BodyLimits,
    check_host: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: ServerOptions {
                header_timeout: PATIENCE,
                ..ServerOptions::default()
            },
            intake: BodyLimits {
                max_body: BODY_LIMIT,
                body_timeout: PATIENCE,
                ..BodyLimits::default()
            },
            check_host: true,
        }
    }
}

impl Service {
    fn start() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        log();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let routes = Router::new()
            .route("/commands/{name}", post(command))
            .route(
                "/optional",
                post(|arguments: OptionalArguments<NoArgs>| async move {
                    Json(json!({"is": format!("{:?}", arguments.value)}))
                }),
            )
            .route("/health", get(|| async { "up" }))
            .route("/large", get(|| async { vec![b'x'; 32 * 1024 * 1024] }))
            .route("/docs/", get(|| async { "docs" }))
            .route(
                "/panic",
                get(|| async {
                    if true {
                        panic!("hunter2")
                    }
                }),
            )
            .route("/wait", get(wait))
            .route("/path/{rest}", get(|Path(rest): Path<String>| async { rest }))
            .layer(Extension((Arc::clone(&gate), Arc::clone(&waiting))));
        let host_rule = if options.check_host {
            HostRule::loopback_and(["ilm.example"])
        } else {
            HostRule::any()
        };
        let body_reader = Arc::new(BodyReader::new(options.intake));
        let router = assemble(
            routes,
            LayerOptions {
                host_rule,
                body_reader,
                cors_origins: Vec::new(),
                guard: Guard::open(),
            },
        );
        let runtime = Runtime::new().unwrap();
        let handle = axum_server::Handle::new();
        let served = runtime.spawn(serve(listener, router, options.server, handle.clone()));
        Self {
            runtime,
            address,
            handle,
            served,
            gate,
            waiting,
        }
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(BufReader::new(stream))
    }

    /// One request on a connection of its own.
    fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut connection = self.connect();
        connection.send(request);
        connection.answer().expect("an answer")
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    fn post(&self, path: &str, fields: &str, body: &str) -> Answer {
        self.ask(posted(path, fields, body))
    }

    fn until_waiting(&self, requests: u32) {
        let waiting = async { tokio::time::timeout(PATIENCE, self.waiting.acquire_many(requests)).await };
        self.runtime
            .block_on(waiting)
            .expect("the requests arrive")
            .unwrap()
            .forget();
    }
}

async fn command(
    Path(name): Path<String>,
    query: CommandQuery,
    representation: Representation,
    handling: Handling,
    Arguments { value, .. }: Arguments<Args>,
) -> impl IntoResponse {
    let record = AccessRecord {
        command: Some("iam-get-user"),
        instance: Some("first".to_owned()),
        outcome: Some("done"),
        upstream_calls: Some(3),
        dry_run: Some(query.dry_run),
    };
    let answer = json!({
        "name": name, "instance": query.instance, "dryRun": query.dry_run, "profile": value.user_profile,
        "allowEnable": value.allow_enable, "as": format!("{representation:?}"), "handling": format!("{handling:?}"),
    });
    (Extension(record), Json(answer))
}

async fn wait(
    Extension((gate, waiting)): Extension<(Arc<Semaphore>, Arc<Semaphore>)>,
) -> Result<&'static str, Problem> {
    waiting.add_permits(1);
    gate.acquire().await.map_err(|_| Problem::internal())?.forget();
    Ok("waited")
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer; `None` when the connection was closed instead.
    fn answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
        let fields: Vec<(String, String)> = head[1..]
            .iter()
            .map(|line| line.split_once(": ").or(line.split_once(':')).unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = fields
            .iter()
            .find(|(name, _)| name == "content-length")
            .map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Some(Answer {
            status,
            fields,
            body: String::from_utf8(body).unwrap(),
        })
    }

    /// Whether the other side has closed by now.
    fn is_closed(&self) -> bool {
        let stream = self.0.get_ref();
        stream.set_nonblocking(true).unwrap();
        match stream.peek(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    /// Waits for the end of the connection and gives what came before it. A reset is an end too.
    fn until_closed(&mut self) -> String {
        let mut rest = Vec::new();
        let mut part = [0; 4096];
        loop {
            match self.0.read(&mut part) {
                Ok(0) => break,
                Ok(count) => rest.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the connection was left open"),
                Err(_) => break,
            }
        }
        String::from_utf8_lossy(&rest).into_owned()
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that this is a whole problem of this status and type, and gives it.
    fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.field("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["requestId"], self.field("x-request-id"));
        assert_eq!(self.field("x-content-type-options"), "nosniff");
        assert_eq!(self.field("cache-control"), "no-store");
        problem
    }
}

fn posted(path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{fields}\r\n{body}")
}

const JSON: &str = "Content-Type: application/json\r\n";

const GOOD: &str = r#"{"user-profile":{}}"#;

const COMMAND: &str = "/commands/iam-get-user";

/// Everything that is logged in this process, as JSON lines.
fn log() -> Arc<Mutex<Vec<u8>>> {
    static LOG: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    Arc::clone(LOG.get_or_init(|| {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&lines);
        tracing_subscriber::fmt()
            .json()
            .with_writer(move || Lines(Arc::clone(&writer)))
            .init();
        lines
    }))
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The access line of a request; waits for it, as it is written around the time when the answer
/// arrives.
fn access_line(id: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let text = String::from_utf8(log().lock().unwrap().clone()).unwrap();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(line) = lines.find(|line| line["target"] == "access" && line["fields"]["request_id"] == id) {
            return line;
        }
        std::thread::yield_now();
    }
    panic!("no access line for {id}");
}
