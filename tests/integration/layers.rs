//! What every request meets before a command runs, tried over real sockets on loopback: limits of
//! time, size and number, `Host`, methods, media types, JSON, request ids, panics, the access line,
//! shutdown.
//!
//! The requests are written by hand, byte for byte, because no client library would send most of
//! them.

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

#[test]
fn a_good_request_reaches_its_handler() {
    let service = Service::start();
    let fields =
        "Content-Type: application/json; charset=UTF-8\r\nAccept: text/markdown\r\nPrefer: handling=lenient\r\n";
    let answer = service.post(
        "/commands/x?instance=a%20b&dryRun=true",
        fields,
        r#"{"user-profile":{"b":1,"a":2},"allow-enable":false}"#,
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "name": "x", "instance": "a b", "dryRun": true, "profile": {"b": 1, "a": 2}, "allowEnable": false,
            "as": "Markdown", "handling": "Lenient",
        })
    );
    assert_eq!(answer.field("cache-control"), "no-store");
    assert_eq!(answer.field("x-frame-options"), "DENY");
    assert_eq!(answer.field("referrer-policy"), "no-referrer");
    assert!(
        answer
            .field("content-security-policy")
            .starts_with("default-src 'none'; frame-ancestors 'none'")
    );
    let docs = service.get("/docs/");
    assert!(docs.field("content-security-policy").contains("script-src 'self'"));
    assert_eq!(docs.field("cache-control"), "");
}

#[test]
fn faults_in_arguments_are_problems_with_a_pointer() {
    let service = Service::start();
    for (body, kind, pointer) in [
        ("", "not-json", ""),
        ("{", "not-json", ""),
        (r#"{"user-profile":{}} x"#, "not-json", ""),
        (r#"{"user-profile":{"a":1,"a":2}}"#, "not-json", "/user-profile/a"),
        (
            r#"{"user-profile":{"employeenumber":99999999999999999999}}"#,
            "not-json",
            "/user-profile/employeenumber",
        ),
        (r#"["a"]"#, "bad-argument", ""),
        ("null", "bad-argument", ""),
        (
            r#"{"user-profile":{},"allow-enable":"hunter2"}"#,
            "bad-argument",
            "/allow-enable",
        ),
        (
            r#"{"user-profile":{},"allow-enabled":true}"#,
            "unknown-argument",
            "/allow-enabled",
        ),
        ("{}", "missing-argument", "/user-profile"),
    ] {
        let answer = service.post(COMMAND, JSON, body);
        let problem = answer.problem(400, kind);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        assert!(!answer.body.contains("hunter2"));
    }
    let deep = "[".repeat(30_000);
    service.post(COMMAND, JSON, &deep).problem(400, "not-json");
    let problem = service
        .post("/commands/x?dryrun=true", JSON, GOOD)
        .problem(400, "bad-parameter");
    assert_eq!(problem["errors"][0]["parameter"], "dryrun");
}

/// - Hostile input 29, a body of no type, another type, another charset: 415 with Accept.
/// - Hostile input 30, a packed body: 415, not unpacked.
#[test]
fn bodies_that_are_not_declared_as_plain_json_are_refused() {
    let service = Service::start();
    for fields in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json; charset=utf-16\r\n",
    ] {
        let answer = service.post(COMMAND, fields, GOOD);
        answer.problem(415, "unsupported-media-type");
        assert_eq!(answer.field("accept"), "application/json");
    }
    for coding in ["gzip", "deflate", "br", "identity, gzip"] {
        let answer = service.post(COMMAND, &format!("{JSON}Content-Encoding: {coding}\r\n"), GOOD);
        answer.problem(415, "unsupported-encoding");
        assert_eq!(answer.field("accept-encoding"), "identity");
    }
    let unknown = service.post(COMMAND, &format!("{JSON}Accept: text/html\r\n"), GOOD);
    assert_eq!(
        (unknown.status, unknown.field("content-type")),
        (200, "application/json")
    );
}

#[test]
fn a_command_without_needs_takes_no_body_too() {
    let service = Service::start();
    for request in [
        posted("/optional", "", ""),
        posted("/optional", JSON, "{}"),
        "POST /optional HTTP/1.1\r\nHost: localhost\r\n\r\n".into(),
    ] {
        assert_eq!(service.ask(&request).status, 200, "{request}");
    }
    service.post("/optional", JSON, "").problem(400, "not-json");
    service
        .post("/optional", "", "{}")
        .problem(415, "unsupported-media-type");
    service
        .post("/optional", JSON, r#"{"x":1}"#)
        .problem(400, "unknown-argument");
}

/// Hostile input 28, a body over the limit, declared or in chunks without end: 413, closed.
#[test]
fn an_overlong_body_gets_its_413_whole_and_the_connection_ends() {
    let service = Service::start();
    // Declared: answered before anything is sent, and also when all of it is.
    let head = format!(
        "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {}\r\n\r\n",
        3 * 1024 * 1024
    );
    let mut connection = service.connect();
    connection.send(&head);
    let answer = connection.answer().unwrap();
    answer.problem(413, "body-too-large");
    assert_eq!(answer.field("connection"), "close");
    let mut connection = service.connect();
    connection.send(&head);
    connection.send(vec![b' '; 3 * 1024 * 1024]);
    connection.answer().unwrap().problem(413, "body-too-large");
    assert_eq!(connection.until_closed(), "");
    // One byte over.
    service
        .post(
            COMMAND,
            JSON,
            &format!("{GOOD}{}", " ".repeat(BODY_LIMIT + 1 - GOOD.len())),
        )
        .problem(413, "body-too-large");
    assert_eq!(
        service
            .post(COMMAND, JSON, &format!("{GOOD}{}", " ".repeat(BODY_LIMIT - GOOD.len())))
            .status,
        200
    );
    // Chunks without an end.
    let mut connection = service.connect();
    connection.send(format!(
        "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n"
    ));
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..8 {
        connection.send(&chunk);
    }
    connection.answer().unwrap().problem(413, "body-too-large");
    connection.until_closed();
    // A client that sends `Expect: 100-continue` is refused before it sends its body.
    let mut connection = service.connect();
    connection.send(head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    connection.answer().unwrap().problem(413, "body-too-large");
    connection.until_closed();
}

/// Hostile input 37, header sections and bodies that drip: closed, 408.
#[test]
fn a_body_that_drips_ends_at_its_deadline() {
    let intake = BodyLimits {
        body_timeout: Duration::from_millis(200),
        max_body: BODY_LIMIT,
        ..BodyLimits::default()
    };
    let service = Service::with(Options {
        intake,
        ..Options::default()
    });
    let mut connection = service.connect();
    connection.send(format!(
        "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 100\r\n\r\n{{"
    ));
    let answer = connection.answer().unwrap();
    answer.problem(408, "request-timeout");
    assert_eq!(answer.field("connection"), "close");
    connection.until_closed();
    assert_eq!(service.get("/health").body, "up");
}

/// - Hostile input 36, half a header section, then silence: closed at the header timeout.
/// - Hostile input 37, header sections and bodies that drip: closed, 408.
#[test]
fn unfinished_headers_and_silence_end_at_the_header_timeout() {
    let server = ServerOptions {
        header_timeout: Duration::from_millis(200),
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    for begin in [
        "",
        "G",
        "GET /health HTTP/1.1\r\nHost: loc",
        "PRI * HTTP/2.0\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\n",
    ] {
        let mut connection = service.connect();
        connection.send(begin);
        let told = connection.until_closed();
        assert!(!told.contains(" 200 "), "{begin:?}: {told}");
    }
    let mut idle = service.connect();
    idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(idle.answer().unwrap().status, 200);
    idle.until_closed();
}

#[test]
fn an_answer_that_nobody_reads_ends() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        stall_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    let ask = "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut stalled = service.connect();
    stalled.send(ask);
    std::thread::sleep(Duration::from_secs(2));
    // What was under way when it was given up can still be read, and then it ends.
    assert!(stalled.until_closed().len() < 32 * 1024 * 1024);
    let mut slow = service.connect();
    slow.send(ask);
    let mut taken = 0;
    let mut part = vec![0; 4 * 1024 * 1024];
    while let Ok(count @ 1..) = slow.0.read(&mut part) {
        taken += count;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(taken > 32 * 1024 * 1024, "one who reads on is served: {taken}");
    assert_eq!(service.get("/health").body, "up");
}

/// An HTTP/2 client's beginning, by hand: the preface, settings with this window for answers, and
/// `GET /large` on stream 1 (RFC 9113 sections 3.4 and 6.5, RFC 7541).
fn second_with_window(bytes: u32) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length, &[kind, flags][..], &stream.to_be_bytes(), payload].concat()
    };
    let settings = [&[0, 4][..], &bytes.to_be_bytes()].concat();
    let request = [&[0x82, 0x86, 0x04, 6][..], b"/large", &[0x01, 9], b"localhost"].concat();
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &settings),
        frame(1, 5, 1, &request),
    ]
    .concat()
}

#[test]
fn an_answer_that_gets_no_window_ends() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        stall_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    let mut unread = service.connect();
    unread.send(second_with_window(0));
    // Panics where the connection is left open.
    unread.until_closed();
    assert_eq!(service.get("/health").body, "up");
}

/// - Hostile input 42, no Host, two Hosts: 400.
/// - Hostile input 43, a target with another host: 421, asked nobody.
#[test]
fn host_is_there_once_and_is_ours() {
    let service = Service::start();
    for (head, status, kind) in [
        ("GET /health HTTP/1.1\r\n", 400, "bad-header"),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n",
            400,
            "bad-header",
        ),
        ("GET /health HTTP/1.1\r\nHost:\r\n", 400, "bad-header"),
        ("GET /health HTTP/1.1\r\nHost: evil.example\r\n", 421, "misdirected"),
        (
            "GET http://evil.example/health HTTP/1.1\r\nHost: evil.example\r\n",
            421,
            "misdirected",
        ),
        (
            "GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n",
            421,
            "misdirected",
        ),
        (
            "GET http://localhost/health HTTP/1.1\r\nHost: evil.example\r\n",
            421,
            "misdirected",
        ),
        ("GET http://localhost/health HTTP/1.1\r\n", 400, "bad-header"),
        ("GET /nothing HTTP/1.1\r\nHost: evil.example\r\n", 421, "misdirected"),
    ] {
        service.ask(format!("{head}\r\n")).problem(status, kind);
    }
    for head in [
        "GET /health HTTP/1.1\r\nHost: LOCALHOST:1234\r\n",
        "GET /health HTTP/1.1\r\nHost: [::1]:80\r\n",
        "GET /health HTTP/1.1\r\nHost: Ilm.Example\r\n",
        "GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n",
    ] {
        assert_eq!(service.ask(format!("{head}\r\n")).body, "up", "{head}");
    }
    let open = Service::with(Options {
        check_host: false,
        ..Options::default()
    });
    assert_eq!(
        open.ask("GET /health HTTP/1.1\r\nHost: anything.example\r\n\r\n").body,
        "up"
    );
    open.ask("GET /health HTTP/1.1\r\n\r\n").problem(400, "bad-header");
}

/// - Hostile input 45, methods that are not offered: 405 with Allow; HEAD without a body.
/// - Hostile input 46, a method in a header field: ignored.
/// - Hostile input 47, paths that are nearly ours: 404.
/// - Hostile input 52, an origin: no CORS header.
#[test]
fn methods_and_paths_that_are_not_offered() {
    let service = Service::start();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let answer = service.ask(format!("{method} {COMMAND} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.field("allow"), "POST", "{method}");
    }
    let answer = service.post("/health", JSON, GOOD);
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.field("allow"), "GET,HEAD");
    let answer = service.ask("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n");
    assert_eq!((answer.status, answer.field("allow")), (405, "GET, HEAD, POST"));
    for path in [
        "/",
        "//health",
        "/./health",
        "/Health",
        "/health;x=1",
        "/health/",
        "/health%2f",
        "/%68ealth",
        "/.git/config",
    ] {
        service.get(path).problem(404, "no-such-route");
    }
    service
        .ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .problem(404, "no-such-route");
    // A method can't be smuggled in a header field.
    let answer = service.ask(format!(
        "GET {COMMAND} HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: POST\r\n\r\n"
    ));
    answer.problem(405, "method-not-allowed");
    let answer = service.ask("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n");
    assert!(
        answer
            .fields
            .iter()
            .all(|(name, _)| !name.starts_with("access-control-"))
    );
}

/// Hostile input 45, methods that are not offered: 405 with Allow; HEAD without a body.
#[test]
fn head_has_no_body() {
    let service = Service::start();
    for path in ["/health", "/nothing", COMMAND] {
        let mut connection = service.connect();
        connection.send(format!(
            "HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ));
        let told = connection.until_closed();
        assert!(told.starts_with("HTTP/1.1 "), "{told}");
        assert!(
            told.ends_with("\r\n\r\n") && told.matches("\r\n\r\n").count() == 1,
            "{told}"
        );
    }
}

/// Hostile input 103, a panic in a handler: 500; others go on.
#[test]
fn a_panic_is_told_without_its_message_and_disturbs_nobody() {
    let service = Service::start();
    let mut connection = service.connect();
    for _ in 0..2 {
        connection.send("GET /panic HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: p-1\r\n\r\n");
        let answer = connection.answer().unwrap();
        let problem = answer.problem(500, "internal");
        assert_eq!(problem["requestId"], "p-1");
        assert!(!answer.body.contains("hunter2"));
        connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(connection.answer().unwrap().body, "up");
    }
    assert_eq!(access_line("p-1")["fields"]["status"], 500);
    let logged = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    assert!(!logged.contains("hunter2"));
}

#[test]
fn a_request_id_is_taken_over_or_made() {
    let service = Service::start();
    let with = |id: &str| service.ask(format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{id}\r\n"));
    assert_eq!(with("X-Request-Id: Az-09_.x\r\n").field("x-request-id"), "Az-09_.x");
    for id in [
        "",
        "X-Request-Id: a b\r\n",
        "X-Request-Id: a\r\nX-Request-Id: b\r\n",
        "X-Request-Id: <script>\r\n",
    ] {
        let answer = with(id);
        assert_eq!(answer.field("x-request-id").len(), 36, "{answer:?}");
        assert_eq!(
            answer.fields.iter().filter(|(name, _)| name == "x-request-id").count(),
            1
        );
    }
}

#[test]
fn one_access_line_a_request_and_nobody_named_in_it() {
    let service = Service::start();
    let body = r#"{"user-profile":{"email":"bjensen@example.com"}}"#;
    service.post(
        "/commands/bjensen?instance=bjensen",
        &format!("{JSON}X-Request-Id: line-1\r\n"),
        body,
    );
    let line = access_line("line-1");
    let fields = &line["fields"];
    assert_eq!(fields["route"], "/commands/{name}");
    assert_eq!(fields["method"], "POST");
    assert_eq!(fields["status"], 200);
    assert_eq!(fields["command"], "iam-get-user");
    assert_eq!(fields["instance"], "first");
    assert_eq!(fields["outcome"], "done");
    assert_eq!(fields["upstream_calls"], 3);
    assert_eq!(fields["dry_run"], false);
    assert!(fields["duration_ms"].is_u64());
    service
        .ask("BJENSEN /bjensen HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: line-2\r\n\r\n")
        .problem(404, "no-such-route");
    let line = access_line("line-2");
    assert_eq!(line["fields"]["route"], "-");
    assert_eq!(line["fields"]["method"], "other");
    assert_eq!(line["fields"]["problem"], "/problems/no-such-route");
    let text = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    for id in ["line-1", "line-2"] {
        assert_eq!(
            text.lines()
                .filter(|line| line.contains("\"access\"") && line.contains(id))
                .count(),
            1
        );
    }
    assert!(!text.to_lowercase().contains("bjensen"));
}

#[test]
fn a_caller_who_hangs_up_leaves_a_line_too() {
    let service = Service::start();
    let mut connection = service.connect();
    connection.send("GET /wait HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone-1\r\n\r\n");
    service.until_waiting(1);
    drop(connection);
    let line = access_line("gone-1");
    assert_eq!(line["fields"]["message"], "the caller hung up");
    assert!(line["fields"]["status"].is_null());
}

/// Hostile input 44, too many or too long header fields, too long a target: 431, 414.
#[test]
fn long_targets_and_headers_are_refused() {
    let service = Service::start();
    service
        .get(&format!("/path/{}", "x".repeat(9_000)))
        .problem(414, "target-too-long");
    assert_eq!(service.get(&format!("/path/{}", "x".repeat(70 * 1024))).status, 414);
    assert_eq!(service.get(&format!("/path/{}", "x".repeat(8_000))).status, 200);
    let with = |fields: String| service.ask(format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
    assert_eq!(with(format!("X: {}\r\n", "x".repeat(31 * 1024))).status, 200);
    with(format!("X: {}\r\n", "x".repeat(33 * 1024))).problem(431, "headers-too-large");
    assert_eq!(with(format!("X: {}\r\n", "x".repeat(64 * 1024))).status, 431);
    assert_eq!(with("X: y\r\n".repeat(101)).status, 431);
}

/// - Hostile input 39, a length and chunks: the chunks decide; closed; nothing smuggled.
/// - Hostile input 40, two lengths, a strange coding, a space before a colon, folding, NUL, a
///   strange version, TLS: 400, closed.
#[test]
fn ambiguous_lengths_smuggle_nothing() {
    let service = Service::start();
    let smuggled = "GET /path/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for fields in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 6\r\nContent-Length: 7\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length : 6\r\n",
        "Content-Length: +6\r\n",
        "X: a\r\n folded\r\n",
        "X: a\0b\r\n",
    ] {
        let mut connection = service.connect();
        connection.send(format!(
            "POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}{fields}\r\n0\r\n\r\n{smuggled}"
        ));
        let told = connection.until_closed();
        assert!(!told.contains("smuggled"), "{fields:?}: {told}");
        assert!(!told.contains(" 200 "), "{fields:?}: {told}");
        assert!(told.matches("HTTP/1.1 ").count() <= 1, "{fields:?}: {told}");
    }
}

/// Hostile input 51, 1,000 requests at once on one connection: answered in order.
#[test]
fn pipelined_requests_are_answered_in_order() {
    let service = Service::start();
    let mut connection = service.connect();
    let requests: String = (0..200)
        .map(|n| format!("GET /path/{n} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .collect();
    connection.send(requests);
    for n in 0..200 {
        assert_eq!(connection.answer().unwrap().body, n.to_string());
    }
}

/// Hostile input 38, 10,000 idle connections: give way; the health probe is answered.
#[test]
fn idle_connections_give_way_and_busy_ones_do_not() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        max_connections: 4,
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    // Connections are seated in no certain order, so all have to be before the one that is to live
    // comes.
    let silent: Vec<_> = (0..40).map(|_| service.connect()).collect();
    let deadline = Instant::now() + PATIENCE;
    while silent.iter().filter(|connection| connection.is_closed()).count() < 36 {
        assert!(Instant::now() < deadline, "idle connections don't give way");
        std::thread::yield_now();
    }
    assert_eq!(service.get("/health").body, "up");
    let mut busy: Vec<_> = (0..4).map(|_| service.connect()).collect();
    for connection in &mut busy {
        connection.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    service.until_waiting(4);
    let mut refused = service.connect();
    assert_eq!(refused.until_closed(), "");
    service.gate.add_permits(4);
    for connection in &mut busy {
        assert_eq!(connection.answer().unwrap().body, "waited");
    }
    assert_eq!(service.get("/health").body, "up");
}

/// Hostile input 37, header sections and bodies that drip: closed, 408.
#[test]
fn senders_that_drip_give_way_to_those_who_ask() {
    let server = ServerOptions {
        header_timeout: PATIENCE,
        max_connections: 4,
        ..ServerOptions::default()
    };
    let service = Service::with(Options {
        server,
        ..Options::default()
    });
    let slow: Vec<_> = (0..12)
        .map(|_| {
            let mut connection = service.connect();
            let begin = format!("POST {COMMAND} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 100\r\n\r\n{{");
            // It may have had to give way by now.
            let _sent = connection.0.get_mut().write_all(begin.as_bytes());
            connection
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while slow.iter().filter(|connection| connection.is_closed()).count() < 8 {
        assert!(Instant::now() < deadline, "senders that drip don't give way");
        std::thread::yield_now();
    }
    for _ in 0..20 {
        assert_eq!(service.get("/health").body, "up");
        assert_eq!(service.post(COMMAND, JSON, GOOD).status, 200);
    }
}

#[test]
fn memory_for_bodies_is_bounded() {
    let intake = BodyLimits {
        max_buffered: 1024,
        max_body: BODY_LIMIT,
        ..BodyLimits::default()
    };
    let service = Service::with(Options {
        intake,
        ..Options::default()
    });
    let answer = service.post(COMMAND, JSON, &format!("{GOOD}{}", " ".repeat(20_000)));
    answer.problem(503, "busy");
    assert_eq!(answer.field("retry-after"), "1");
    assert_eq!(service.post(COMMAND, JSON, GOOD).status, 200);
}

#[test]
fn shutdown_finishes_what_is_in_flight() {
    let service = Service::start();
    let mut idle = service.connect();
    idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(idle.answer().unwrap().status, 200);
    let mut busy = service.connect();
    busy.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    service.until_waiting(1);
    service.handle.graceful_shutdown(Some(PATIENCE));
    assert_eq!(idle.until_closed(), "");
    service.gate.add_permits(1);
    assert_eq!(busy.answer().unwrap().body, "waited");
    service.runtime.block_on(service.served).unwrap().unwrap();
    assert!(TcpStream::connect(service.address).is_err());
}

#[test]
fn http_2_meets_the_same_layers() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let service = Service::start();
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let url = format!("http://{}{COMMAND}", service.address);
    service.runtime.block_on(async {
        let send = |body: String| {
            client
                .post(&url)
                .header("content-type", "application/json")
                .body(body)
                .send()
        };
        let answer = send(GOOD.to_owned()).await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.status(), 200);
        let answer = send(format!("{GOOD}{}", " ".repeat(BODY_LIMIT))).await.unwrap();
        assert_eq!(answer.status(), 413);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/body-too-large");
        // The connection lives on.
        assert_eq!(send(GOOD.to_owned()).await.unwrap().status(), 200);
        let answer = client
            .post(&url)
            .header("host", "evil.example")
            .body(GOOD)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 421);
    });
}
