//! What the events of an HR system mean: a company's life, sent as webhooks, against what its HR
//! system says by a slow reading of its own.

mod bridge;
mod cases;
mod company;
pub(crate) mod held;
mod shuffled;
mod year;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use aws_ilm::{
    operations::Clock,
    sandbox::{self, Seed},
    store::sqlite::Sqlite,
};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    harness::{self, Answer, Setup, World, answer, until},
    operations::{FILE, new_folder},
    webhooks::KEY,
};

/// The rules of the company's HR system.
const SOURCES: &str = r#"
[[sources]]
name = "hr"
preset = "standard-webhooks"
secret_files = ["hr"]
zone = "UTC"
zones = { lisbon = "Europe/Lisbon", melbourne = "Australia/Melbourne", santiago = "America/Santiago", honolulu = "Pacific/Honolulu", almaty = "Asia/Almaty" }

[[sources.rules]]
when = "body.type == 'hired'"
do = "create"
purpose = "hire"
time = "body.timestamp"
at = { date = "body.data.start", side = "start_of_day", site = "body.data.site" }
ahead = "14d"
profile = "person"

[[sources.rules]]
when = "body.type == 'rescinded'"
do = "cancel"
purpose = "hire"
time = "body.timestamp"
profile = { employeeid = "body.data.employeeId" }

[[sources.rules]]
when = "body.type == 'changed'"
do = "update"
time = "body.timestamp"
profile = "person"

[[sources.rules]]
when = "body.type == 'promoted'"
do = "update"
purpose = "promotion"
time = "body.timestamp"
at = { date = "body.data.from", side = "start_of_day", site = "body.data.site" }
profile = "person"

[[sources.rules]]
when = "body.type == 'terminated'"
do = "disable"
purpose = "termination"
time = "body.timestamp"
at = { date = "body.data.last", side = "end_of_day", site = "body.data.site" }
profile = { employeeid = "body.data.employeeId", username = "body.data.userName" }

[[sources.rules]]
when = "body.type == 'left'"
do = "disable"
purpose = "termination"
time = "body.timestamp"
profile = { employeeid = "body.data.employeeId", username = "body.data.userName" }

[[sources.rules]]
when = "body.type == 'termination-cancelled'"
do = "cancel"
purpose = "termination"
time = "body.timestamp"
profile = { employeeid = "body.data.employeeId" }

[[sources.rules]]
when = "body.type == 'leave-began'"
do = "disable"
purpose = "leave"
time = "body.timestamp"
profile = { employeeid = "body.data.employeeId" }

[[sources.rules]]
when = "body.type == 'leave-ended'"
do = "enable"
purpose = "leave"
time = "body.timestamp"
profile = { employeeid = "body.data.employeeId" }

[[sources.rules]]
when = "body.type == 'back'"
do = "create"
purpose = "hire"
time = "body.timestamp"
profile = "person"

[sources.profiles.person]
fields = { employeeid = "body.data.employeeId", username = "body.data.userName", email = "body.data.email", givenname = "body.data.firstName", surname = "body.data.lastName", displayname = "body.data.displayName", title = "body.data.title", department = "body.data.department" }
"#;

/// The file of the callers, where there are any.
const CALLERS: &str = "callers.toml";

/// A service with an HR system's webhooks, whose clock a test drives.
pub(crate) struct Driven {
    pub(crate) world: World,
    now: Arc<AtomicI64>,
    folder: PathBuf,
    ticks: u64,
}

impl Drop for Driven {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Driven {
    /// A service whose time is this, with nobody in its directory.
    pub(crate) async fn at(now: Timestamp) -> Self {
        Self::with_source(now, "").await
    }

    /// As [`Self::at`], with more keys of the source.
    pub(crate) async fn with_source(now: Timestamp, keys: &str) -> Self {
        let folder = new_folder();
        let secret = format!("whsec_{}", STANDARD.encode(KEY));
        crate::webhooks::write(&folder.join("hr"), &secret);
        let sources = SOURCES.replace("zone = \"UTC\"\n", &format!("zone = \"UTC\"\n{keys}"));
        fs::write(folder.join("sources.toml"), sources).unwrap();
        Self::within(folder, Arc::new(AtomicI64::new(now.as_millisecond()))).await
    }

    /// As [`Self::at`], letting in these callers alone. What the test asks for itself is asked with
    /// this key.
    pub(crate) async fn with_callers(now: Timestamp, callers: &str, key: &str) -> Self {
        let mut driven = Self::with_source(now, "").await;
        fs::write(driven.folder.join(CALLERS), callers).unwrap();
        driven = driven.restarted().await;
        driven.world.http = harness::caller_with(key);
        driven
    }

    /// Ends the service, and starts another on the same store, with nobody in its directory.
    pub(crate) async fn restarted(mut self) -> Self {
        let (folder, clock, ticks) = (std::mem::take(&mut self.folder), Arc::clone(&self.now), self.ticks);
        drop(self);
        // The file is locked until the first has ended.
        let file = folder.join(FILE);
        until(|| Sqlite::open(&file, "a test").is_ok()).await;
        let mut driven = Self::within(folder, clock).await;
        driven.ticks = ticks;
        driven
    }

    async fn within(folder: PathBuf, clock: Arc<AtomicI64>) -> Self {
        let told = Arc::clone(&clock);
        let text = |name: &str| folder.join(name).display().to_string();
        let mut environment = vec![
            ("AWS_ILM_STORE_PATH", text(FILE)),
            ("AWS_ILM_SOURCES_FILE", text("sources.toml")),
            ("AWS_ILM_READ_RATE", "50000".to_owned()),
            ("AWS_ILM_WRITE_RATE", "50000".to_owned()),
        ];
        if folder.join(CALLERS).exists() {
            environment.push(("AWS_ILM_CALLERS_FILE", text(CALLERS)));
        }
        let world = World::with(Setup {
            environment,
            sandbox: sandbox::Options {
                seed: Seed::from_json(&json!({"users": []}).to_string()).unwrap(),
                ..sandbox::Options::default()
            },
            clock: Some(Clock::of(move || {
                Timestamp::from_millisecond(told.load(Ordering::SeqCst)).unwrap()
            })),
        })
        .await;
        Self {
            world,
            now: clock,
            folder,
            ticks: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.load(Ordering::SeqCst)).unwrap()
    }

    /// Sets the clock, and lets the service see that it is later.
    pub(crate) async fn set(&mut self, now: Timestamp) {
        self.now.store(now.as_millisecond(), Ordering::SeqCst);
        self.ticks += 1;
        let tick = format!("tick-{}", self.ticks);
        let told = self.post(&tick, &json!({"type": "tick"})).await;
        assert_eq!(told.status, 202, "{}", told.text);
    }

    /// Sets the clock alone: what is posted next is seen at this time.
    pub(crate) fn set_quietly(&self, now: Timestamp) {
        self.now.store(now.as_millisecond(), Ordering::SeqCst);
    }

    /// Posts an event under this id, signed.
    pub(crate) async fn post(&self, id: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let at = self.now().as_second();
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes()));
        let request = self.world.http.post(self.world.url("/webhooks/hr"));
        let request = request
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", format!("v1,{signature}"));
        answer(request.body(body)).await
    }

    /// Posts an event that said this at a time, and answers its operations once nothing waits.
    pub(crate) async fn say(&mut self, kind: &str, said: &str, data: Value) -> Vec<Value> {
        self.ticks += 1;
        let id = format!("event-{}", self.ticks);
        let told = self
            .post(&id, &json!({"type": kind, "timestamp": said, "data": data}))
            .await;
        assert_eq!(told.status, 202, "{}", told.text);
        self.settle().await;
        let event = told.json()["events"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{}", told.text))
            .to_owned();
        let event = self.world.get(&format!("/events/{event}")).await.json();
        event["operations"]
            .as_array()
            .unwrap_or_else(|| panic!("{event}"))
            .clone()
    }

    /// Waits until nothing that is due is left.
    pub(crate) async fn settle(&self) {
        let mut left = Value::Null;
        for _ in 0..2_000 {
            let open = self
                .world
                .get("/operations?state=scheduled,waiting,running&limit=200")
                .await
                .json();
            let is_later = |operation: &Value| {
                let time = operation["notBefore"]
                    .as_str()
                    .and_then(|time| time.parse::<Timestamp>().ok());
                operation["state"] == "scheduled" && time.is_some_and(|time| time > self.now())
            };
            if open["operations"].as_array().unwrap().iter().all(is_later) {
                return;
            }
            left = open;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("operations are left: {left}");
    }

    /// Whether the person of this userName is active in the directory; null where there is none.
    pub(crate) fn active(&self, user_name: &str) -> Value {
        self.world.user(user_name)["active"].clone()
    }
}
