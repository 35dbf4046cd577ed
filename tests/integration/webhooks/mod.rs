//! Webhooks through the front door: proven, stored, known again, quarantined, read again.

mod callbacks;
mod docs;
mod fetches;
mod intake;
mod processes;
mod quarantine;
pub(crate) mod recorded;

use std::{
    fs,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::PathBuf,
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, answer, until},
    operations::{Stored, new_folder},
};

/// What the sources' secrets say.
pub(crate) const KEY: &str = "a secret of these tests";

/// The sources: one by ids, one by signatures whose rules know no `odd` events.
const SOURCES: &str = r#"
[[sources]]
name = "hr"
preset = "standard-webhooks"
secret_files = ["hr-new", "hr-old"]
zone = "UTC"

[[sources]]
name = "other"
preset = "standard-webhooks"
secret_files = ["hr-other"]
zone = "UTC"

[[sources]]
name = "plain"
secret_files = ["plain"]
type = "body.type"
zone = "UTC"

[sources.verifier]
duplicates = "signature"

[sources.verifier.proof.signature]
signed = "{body}"
at = { header = "x-signature" }
schemes = [{ algorithm = "hmac-sha256", encoding = "base64" }]

[[sources.rules]]
when = "type == 'gone'"
do = "disable"
profile = { username = "body.who" }

[[sources.rules]]
when = "type == 'back'"
do = "create"
profile = { username = "body.who", email = "body.who ~ '@example.com'", givenname = "'A'", surname = "'B'", displayname = "'A B'" }
"#;

/// A service with sources and a store.
pub(crate) struct Hr {
    pub(crate) stored: Stored,
    pub(crate) folder: Folder,
}

/// A folder that goes with what has it.
pub(crate) struct Folder(PathBuf);

impl std::ops::Deref for Folder {
    type Target = PathBuf;

    fn deref(&self) -> &PathBuf {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Hr {
    pub(crate) async fn start(settings: &[(&'static str, &str)]) -> Self {
        Self::within(Folder(sources_folder()), settings).await
    }

    /// With these sources, and the files that they name.
    pub(crate) async fn with(sources: &str, files: &[(&str, &str)], settings: &[(&'static str, &str)]) -> Self {
        let folder = new_folder();
        for (name, text) in files {
            write(&folder.join(name), text);
        }
        write(&folder.join("sources.toml"), sources);
        Self::within(Folder(folder), settings).await
    }

    async fn within(folder: Folder, settings: &[(&'static str, &str)]) -> Self {
        let file = folder.join("sources.toml").display().to_string();
        let mut environment = vec![("AWS_ILM_SOURCES_FILE", &*file)];
        environment.extend(settings);
        let stored = Stored::holding(json!([]), &environment).await;
        Self { stored, folder }
    }

    /// Ends the service, and starts another on the same store and sources, in front of a directory
    /// with these people.
    pub(crate) async fn restarted(self, people: Value) -> Self {
        let Self { stored, folder } = self;
        let file = folder.join("sources.toml").display().to_string();
        let stored = stored.restarted_with(people, &[("AWS_ILM_SOURCES_FILE", &file)]).await;
        Self { stored, folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.stored.world.url(path)
    }

    /// Posts to a source: JSON, where no header says otherwise.
    pub(crate) async fn post(&self, source: &str, headers: &[(String, String)], body: &str) -> Answer {
        let mut request = self.stored.world.http.post(self.url(&format!("/webhooks/{source}")));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if headers.iter().all(|(name, _)| name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        answer(request.body(body.to_owned())).await
    }

    /// Posts a hire under this id, signed now.
    pub(crate) async fn hire(&self, id: &str, employee: &str) -> Answer {
        let body = hire(employee);
        self.post("hr", &signed(KEY, id, now(), &body), &body).await
    }

    /// Posts to the source that knows deliveries by their signature.
    pub(crate) async fn plain(&self, r#type: &str, who: &str) -> Answer {
        let body = json!({"type": r#type, "who": who}).to_string();
        let signature = STANDARD.encode(hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()),
            body.as_bytes(),
        ));
        self.post("plain", &[("x-signature".to_owned(), signature)], &body)
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.stored.world.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// The events of a query, newest first.
    pub(crate) async fn events(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/events{query}")).await["events"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub(crate) async fn wait_for_quarantined(&self, count: usize) -> Vec<Value> {
        for _ in 0..1_000 {
            let events = self.events("?verdict=quarantined").await;
            if events.len() == count {
                return events;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("{count} were to be quarantined");
    }

    /// Waits until the directory has a user as this says.
    pub(crate) async fn user_becomes(&self, name: &str, holds: impl Fn(&Value) -> bool) {
        until(|| holds(&self.stored.world.user(name))).await;
    }
}

/// A folder with the sources' file and their secrets.
pub(crate) fn sources_folder() -> PathBuf {
    let folder = new_folder();
    let whsec = |key: &str| format!("whsec_{}", STANDARD.encode(key));
    write(&folder.join("hr-new"), &whsec(KEY));
    write(&folder.join("hr-old"), &whsec("the old secret of these tests"));
    write(&folder.join("hr-other"), &whsec("the secret of another source"));
    write(&folder.join("plain"), KEY);
    write(&folder.join("sources.toml"), SOURCES);
    folder
}

/// Writes a file that its owner alone may read.
pub(crate) fn write(path: &std::path::Path, text: &str) {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A hire's body.
pub(crate) fn hire(employee: &str) -> String {
    json!({
        "type": "employee.hired",
        "timestamp": jiff::Timestamp::now().to_string(),
        "data": {
            "employeeId": employee, "firstName": "Ada", "lastName": "Okafor", "email": format!("ada.{employee}@example.com"),
        },
    })
    .to_string()
}

/// The header fields of Standard Webhooks.
pub(crate) fn signed(key: &str, id: &str, time: i64, body: &str) -> Vec<(String, String)> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, format!("{id}.{time}.{body}").as_bytes()));
    headers(id, &time.to_string(), &format!("v1,{signature}"))
}

pub(crate) fn headers(id: &str, time: &str, signature: &str) -> Vec<(String, String)> {
    [
        ("webhook-id", id),
        ("webhook-timestamp", time),
        ("webhook-signature", signature),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
