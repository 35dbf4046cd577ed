//! What a source is told of its operations: signed, in order, tried again, and to nowhere inside
//! unless that is allowed.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_ilm::{
    config::{self, Sources},
    operations::Clock,
    sandbox::{self, Seed},
};
use axum::{
    Router,
    body::Bytes,
    extract::Request,
    http::{HeaderMap, StatusCode, header::LOCATION},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{KEY, hire, signed, write};
use crate::{
    harness::{Setup, World, answer, caller, until},
    operations::{FILE, new_folder},
    process::Running,
};

/// The secret that callbacks are signed with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A part of the receiver's address that no log line may show.
const PATH: &str = "/hooks/a-s3cret-path";

/// A callback as it was received.
#[derive(Clone, Debug)]
struct Received {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    fn time(&self) -> i64 {
        self.headers["webhook-timestamp"].to_str().unwrap().parse().unwrap()
    }

    /// Its operation's state.
    fn state(&self) -> String {
        self.json()["data"]["state"].as_str().unwrap().to_owned()
    }

    /// As the library of Standard Webhooks signs it, at whatever time it was sent.
    fn verify(&self) {
        let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
        let signature = theirs.sign(self.id(), self.time(), &self.body).unwrap();
        assert_eq!(self.headers["webhook-signature"].to_str().unwrap(), signature);
    }
}

/// A receiver, which answers with these statuses in their order, and 204 then.
#[derive(Clone, Default)]
struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    async fn start(&self) -> SocketAddr {
        let receiver = self.clone();
        let app = Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let received = Received {
                path: parts.uri.path().to_owned(),
                headers: parts.headers,
                body: axum::body::to_bytes(body, 1 << 20).await.unwrap(),
            };
            receiver.received.lock().unwrap().push(received);
            let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(204);
            (StatusCode::from_u16(status).unwrap(), [(LOCATION, "/elsewhere")])
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    async fn receives(&self, count: usize) -> Vec<Received> {
        until(|| self.received().len() >= count).await;
        let received = self.received();
        assert_eq!(received.len(), count, "{received:?}");
        received
    }
}

/// A folder with a source that is called back at this address.
fn folder(receiver: SocketAddr) -> PathBuf {
    let folder = new_folder();
    let sources = format!(
        r#"
[[sources]]
name = "hr"
preset = "standard-webhooks"
secret_files = ["hr"]
zone = "UTC"

[sources.callback]
url = "http://{receiver}{PATH}"
secret_file = "callback"
allow_private = true

[[sources.rules]]
when = "type == 'employee.hired'"
do = "create"
purpose = "hire"
at = {{ date = "body.data.day", side = "start_of_day" }}
profile = {{ username = "body.data.email", email = "body.data.email", employeeid = "body.data.employeeId",
    givenname = "body.data.firstName", surname = "body.data.lastName", displayname = "body.data.firstName ~ ' ' ~ body.data.lastName" }}
"#
    );
    write(&folder.join("sources.toml"), &sources);
    write(&folder.join("hr"), &format!("whsec_{}", base64(KEY)));
    write(&folder.join("callback"), SECRET);
    folder
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A service whose source is called back, by a clock that the test sets forward.
struct Called {
    world: World,
    receiver: Receiver,
    ahead: Arc<AtomicI64>,
    folder: PathBuf,
}

impl Drop for Called {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Called {
    async fn start() -> Self {
        let receiver = Receiver::default();
        let folder = folder(receiver.start().await);
        let ahead = Arc::new(AtomicI64::new(0));
        let seconds = Arc::clone(&ahead);
        let clock = Clock::of(move || Timestamp::now() + SignedDuration::from_secs(seconds.load(Ordering::Relaxed)));
        let file = |name: &str| folder.join(name).display().to_string();
        let world = World::with(Setup {
            environment: vec![
                ("AWS_ILM_SOURCES_FILE", file("sources.toml")),
                ("AWS_ILM_STORE_PATH", file(FILE)),
            ],
            sandbox: sandbox::Options {
                seed: Seed::from_json("{\"users\": []}").unwrap(),
                ..sandbox::Options::default()
            },
            clock: Some(clock),
        })
        .await;
        Self {
            world,
            receiver,
            ahead,
            folder,
        }
    }

    fn now(&self) -> i64 {
        Timestamp::now().as_second() + self.ahead.load(Ordering::Relaxed)
    }

    /// Waits until the store has so many callbacks, the first of which failed so often: time that
    /// goes on before would be time from which the next try is reckoned.
    async fn keeps(&self, callbacks: u32, tries: u32) {
        let file = rusqlite::Connection::open(self.folder.join(FILE)).unwrap();
        let sql = "SELECT count(*), coalesce((SELECT attempts FROM callback ORDER BY number LIMIT 1), 0) FROM callback";
        let count = || file.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        until(|| count().is_ok_and(|found: (u32, u32)| found == (callbacks, tries))).await;
    }

    fn pass(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Posts an event, and answers its id.
    async fn post(&self, id: &str, body: &str) -> String {
        post(&format!("http://{}", self.world.address), id, self.now(), body).await
    }

    /// A hire for a day far ahead, which is held. Answers the operation's id.
    async fn held(&self, employee: &str) -> String {
        let mut body: Value = serde_json::from_str(&hire(employee)).unwrap();
        let far = Timestamp::now() + SignedDuration::from_hours(3 * 366 * 24);
        body["data"]["day"] = far.strftime("%Y-%m-%d").to_string().into();
        let event = self.post(&format!("held_{employee}"), &body.to_string()).await;
        let event = self.world.get(&format!("/events/{event}")).await.json();
        assert_eq!(event["operations"][0]["state"], "held", "{event}");
        event["operations"][0]["id"].as_str().unwrap().to_owned()
    }
}

async fn post(service: &str, id: &str, time: i64, body: &str) -> String {
    let mut request = caller().post(format!("{service}/webhooks/hr"));
    for (name, value) in signed(KEY, id, time, body) {
        request = request.header(name, value);
    }
    let taken = answer(request.header("content-type", "application/json").body(body.to_owned())).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    taken.json()["events"][0].as_str().unwrap().to_owned()
}

/// A hire that is due, since a day is not given.
fn due(employee: &str) -> String {
    let mut body: Value = serde_json::from_str(&hire(employee)).unwrap();
    body["data"]["day"] = Timestamp::now().strftime("%Y-%m-%d").to_string().into();
    body.to_string()
}

#[tokio::test]
async fn an_end_is_told_signed_and_without_personal_data() {
    let called = Called::start().await;
    let event = called.post("msg_1", &due("7")).await;
    let received = called.receiver.receives(1).await.remove(0);
    let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
    theirs.verify(&received.body, &received.headers).unwrap();
    let operation = called.world.get(&format!("/events/{event}")).await.json()["operations"][0].clone();
    let ended_at: Timestamp = operation["endedAt"].as_str().unwrap().parse().unwrap();
    let json = received.json();
    assert_eq!(
        json,
        json!({
            "type": "operation.ended",
            "timestamp": ended_at.to_string(),
            "data": {
                "id": operation["id"], "state": "done", "reason": null, "command": "iam-create-user", "instance": operation["instance"],
                "purpose": "hire", "source": "hr", "events": [event],
            },
        })
    );
    assert_eq!(
        (
            received.path.as_str(),
            received.headers["content-type"].to_str().unwrap()
        ),
        (PATH, "application/json")
    );
    for personal in ["Ada", "Okafor", "ada.7", "example.com"] {
        assert!(!json.to_string().contains(personal), "{json}");
    }
    // Told once, and of a caller's command nothing is told.
    let answered = called
        .world
        .command(
            "iam-disable-user",
            &json!({"user-profile": {"username": "ada.7@example.com"}}),
        )
        .await;
    assert_eq!(answered.status, 200, "{}", answered.text);
    called.pass(24 * 60 * 60);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(called.receiver.received().len(), 1);
}

/// Tried again after 5 seconds, a minute and so on, under one id; what is behind it of the same
/// operation waits, and what is of others does not. A redirect is a failure, and not followed.
#[tokio::test]
async fn what_fails_is_tried_again_in_its_order() {
    let called = Called::start().await;
    called.receiver.answers(&[500, 302, 500]);
    let id = called.held("1").await;
    let first = called.receiver.receives(1).await.remove(0);
    assert_eq!(first.json()["type"], "operation.held");
    assert_eq!(
        (first.json()["data"]["reason"].as_str(), first.state()),
        (Some("far_future"), "held".to_owned())
    );
    let cancelled = called.world.post(&format!("/operations/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(called.receiver.received().len(), 1, "the second waits for the first");
    called.keeps(2, 1).await;
    called.pass(6);
    called.receiver.receives(2).await;
    called.keeps(2, 2).await;
    // A minute, a tenth more at the most.
    called.pass(50);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(called.receiver.received().len(), 2);
    called.pass(20);
    called.receiver.receives(3).await;
    called.keeps(2, 3).await;
    // Another operation's is not held up.
    called.held("2").await;
    let all = called.receiver.receives(4).await;
    assert_ne!(all[3].json()["data"]["id"], id.as_str());
    called.pass(6 * 60);
    let all = called.receiver.receives(6).await;
    let of_first = [0, 1, 2, 4].map(|place| &all[place]);
    for received in of_first {
        received.verify();
        assert_eq!(
            (received.id(), &received.body, &*received.path),
            (first.id(), &first.body, PATH)
        );
    }
    assert!(of_first.windows(2).all(|pair| pair[0].time() < pair[1].time()));
    assert_eq!(
        (all[5].state(), &all[5].json()["data"]["id"]),
        ("cancelled".to_owned(), &json!(id))
    );
    assert_ne!(all[5].id(), first.id());
}

#[tokio::test]
async fn a_callback_is_given_up_after_a_day_or_when_its_receiver_is_gone() {
    let called = Called::start().await;
    called.receiver.answers(&[503; 8]);
    called.held("1").await;
    let mut hours = 0.0;
    for (nth, seconds) in [6, 67, 340, 2_000, 8_000, 24_000, 60_000].into_iter().enumerate() {
        called.receiver.receives(nth + 1).await;
        called.keeps(1, u32::try_from(nth + 1).unwrap()).await;
        called.pass(seconds);
        hours += f64::from(u32::try_from(seconds).unwrap()) / 3_600.0;
    }
    called.receiver.receives(8).await;
    println!("given up after {hours:.1} hours of the test's clock");
    called.keeps(0, 0).await;
    called.pass(7 * 24 * 60 * 60);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(called.receiver.received().len(), 8);
    called.receiver.answers(&[410]);
    called.held("2").await;
    called.receiver.receives(9).await;
    called.keeps(0, 0).await;
    called.pass(7 * 24 * 60 * 60);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(called.receiver.received().len(), 9);
}

/// A receiver that is away, a service that is killed: the callback comes after the next start,
/// under the same id. Neither its secret nor its address is in any log line.
#[tokio::test]
async fn a_callback_survives_a_restart_and_shows_no_secret() {
    let receiver = Receiver::default();
    receiver.answers(&[500]);
    let folder = folder(receiver.start().await);
    let file = |name: &str| folder.join(name).display().to_string();
    let (sources, store) = (file("sources.toml"), file(FILE));
    let settings = [
        ("AWS_ILM_SOURCES_FILE", &*sources),
        ("AWS_ILM_STORE_PATH", &*store),
        ("AWS_ILM_LOG_FILTER", "debug"),
    ];
    let (service, address) = Running::serve(&["--sandbox"], &settings);
    let body = due("7");
    let event = post(&format!("http://{address}"), "msg_1", super::now(), &body).await;
    let first = receiver.receives(1).await.remove(0);
    service.stderr.line_with("a callback failed, and is tried again");
    service.kill();
    let before = service.stderr.text();
    drop(service);

    let (service, _address) = Running::serve(&["--sandbox"], &settings);
    let again = receiver.receives(2).await.remove(1);
    again.verify();
    assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    assert_eq!(again.json()["data"]["events"], json!([event]));
    for text in [before, service.stderr.text(), service.stdout.text()] {
        for secret in [SECRET, &SECRET["whsec_".len()..], "a-s3cret-path", "Okafor", "ada.7"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The configuration of a folder's sources.
fn load(folder: &Path) -> Result<(), String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let environment = [
        ("AWS_ILM_URL", "http://127.0.0.1:1/T".to_owned()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "x".to_owned()),
        ("AWS_ILM_SOURCES_FILE", file("sources.toml")),
        ("AWS_ILM_STORE_PATH", file(FILE)),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
    let loaded = config::load(&Sources {
        environment,
        ..Sources::default()
    });
    loaded.map(drop).map_err(|error| error.to_string())
}

#[test]
fn an_address_inside_is_refused_unless_it_is_allowed() {
    let receiver = SocketAddr::from(([127, 0, 0, 1], 8_443));
    let folder = folder(receiver);
    let allowed = std::fs::read_to_string(folder.join("sources.toml")).unwrap();
    load(&folder).unwrap();
    let public = allowed.replace("allow_private = true", "");
    for (address, expected) in [
        ("http://127.0.0.1:8443", "use https"),
        ("https://127.0.0.1:8443", "no public address"),
        ("https://localhost:8443", "no public address"),
        ("https://10.1.2.3", "no public address"),
        ("https://[::ffff:10.1.2.3]", "no public address"),
        ("https://169.254.169.254", "no public address"),
        ("https://2130706433", "no public address"),
        ("ftp://hooks.example.com", "give an https URL"),
    ] {
        let text = public.replace("http://127.0.0.1:8443", address);
        write(&folder.join("sources.toml"), &text);
        let error = load(&folder).unwrap_err();
        assert!(
            error.contains("callback (") && error.contains(expected),
            "{address}: {error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
    write(
        &folder.join("sources.toml"),
        &public.replace("http://127.0.0.1:8443", "https://hooks.example.com"),
    );
    load(&folder).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// The page's own sources load as they stand there.
#[test]
fn the_page_shows_what_is_accepted() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hr.md")).unwrap();
    let folder = new_folder();
    std::fs::create_dir(folder.join("secrets")).unwrap();
    write(&folder.join("secrets/hr"), SECRET);
    write(&folder.join("secrets/callback"), SECRET);
    write(&folder.join("secrets/hr-api"), "a token");
    for name in ["callback", "fetch"] {
        let (_, block) = page.split_once(&format!("```toml {name}\n")).unwrap();
        let (block, _) = block.split_once("```").unwrap();
        write(&folder.join("sources.toml"), block);
        load(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
