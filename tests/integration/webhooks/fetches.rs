//! Events that name a person and say nothing else: their source is asked for more.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header::CONTENT_TYPE},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{KEY, now, signed, write};
use crate::{
    harness::{answer, until},
    operations::{Stored, new_folder},
};

/// What proves to the HR system who asks.
const TOKEN: &str = "a-t0ken-of-these-tests";

/// An HR system's API, which answers with these statuses in their order, and then with the person.
#[derive(Clone, Default)]
struct People {
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl People {
    async fn start(&self) -> SocketAddr {
        let people = self.clone();
        let app = Router::new().fallback(async move |request: Request| {
            let proof = request
                .headers()
                .get("authorization")
                .map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(proof.as_deref(), Some(&*format!("Bearer {TOKEN}")));
            let path = request.uri().to_string();
            let id = path
                .trim_start_matches("/people/")
                .split('?')
                .next()
                .unwrap()
                .to_owned();
            people.asked.lock().unwrap().push(path);
            let status = people.answers.lock().unwrap().pop_front().unwrap_or(200);
            let person =
                json!({"firstName": "Ada", "lastName": "Okafor", "work": {"email": format!("ada.{id}@example.com")}});
            (
                StatusCode::from_u16(status).unwrap(),
                [(CONTENT_TYPE, "application/json")],
                person.to_string(),
            )
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

struct Thin {
    stored: Stored,
    people: People,
    folder: PathBuf,
}

impl Drop for Thin {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Thin {
    async fn start() -> Self {
        let people = People::default();
        let address = people.start().await;
        let folder = new_folder();
        let sources = format!(
            r#"
[[sources]]
name = "hr"
preset = "standard-webhooks"
secret_files = ["hr"]
zone = "UTC"

[sources.fetch]
url = "http://{address}/people/{{employeeid}}?fields=all"
prefix = "Bearer "
secret_file = "token"
allow_private = true

[sources.fetch.fields]
username = "fetched.work.email"
email = "fetched.work.email"
givenname = "fetched.firstName"
surname = "fetched.lastName"
displayname = "fetched.firstName ~ ' ' ~ fetched.lastName"

[[sources.rules]]
when = "type == 'hired'"
do = "create"
fetch = true
profile = {{ employeeid = "body.data.id" }}

[[sources.rules]]
when = "type == 'left'"
do = "disable"
profile = {{ employeeid = "body.data.id" }}
"#
        );
        write(&folder.join("sources.toml"), &sources);
        write(&folder.join("hr"), &format!("whsec_{}", STANDARD.encode(KEY)));
        write(&folder.join("token"), TOKEN);
        let file: &'static str = folder.join("sources.toml").display().to_string().leak();
        let settings = [("AWS_ILM_SOURCES_FILE", file), ("AWS_ILM_RETRY_SCHEDULE", "1s,1s")];
        let stored = Stored::holding(json!([]), &settings).await;
        Self { stored, people, folder }
    }

    /// Posts a thin event, and answers its operation's id.
    async fn post(&self, r#type: &str, id: &str) -> String {
        let world = &self.stored.world;
        let body = json!({"type": r#type, "data": {"id": id}}).to_string();
        let mut request = world.http.post(world.url("/webhooks/hr"));
        let message = format!("{}_{id}", r#type).replace(['.', '/'], "-");
        for (name, value) in signed(KEY, &message, now(), &body) {
            request = request.header(name, value);
        }
        let taken = answer(request.header("content-type", "application/json").body(body)).await;
        assert_eq!(taken.status, 202, "{}", taken.text);
        let event = taken.json()["events"][0].as_str().unwrap().to_owned();
        let event = world.get(&format!("/events/{event}")).await.json();
        let operation = event["operations"][0]["id"].as_str();
        operation.unwrap_or_else(|| panic!("{event}")).to_owned()
    }

    /// An operation once it is in this state.
    async fn becomes(&self, id: &str, state: &str) -> Value {
        for _ in 0..1_000 {
            let operation = self.stored.operation(id).await;
            if operation["state"] == state {
                return operation;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{state} was to be the state of {}", self.stored.operation(id).await);
    }
}

#[tokio::test]
async fn a_thin_hire_is_made_of_what_its_source_says() {
    let thin = Thin::start().await;
    let id = thin.post("hired", "7").await;
    thin.becomes(&id, "done").await;
    let user = thin.stored.world.user("ada.7@example.com");
    assert_eq!(
        (&user["displayName"], &user["active"]),
        (&json!("Ada Okafor"), &json!(true)),
        "{user}"
    );
    assert_eq!(thin.people.asked(), ["/people/7?fields=all"]);
    // A disable needs no more than it knows, and asks nothing.
    let id = thin.post("left", "7").await;
    thin.becomes(&id, "done").await;
    until(|| thin.stored.world.user("ada.7@example.com")["active"] == false).await;
    assert_eq!(thin.people.asked(), Vec::<String>::new());
}

/// What is away is asked again by the schedule of operations; what lacks an answer for good waits
/// for data, and names what is missing without a value.
#[tokio::test]
async fn a_source_that_does_not_answer_is_asked_again_or_waited_for() {
    let thin = Thin::start().await;
    thin.people.answers(&[503, 429]);
    let id = thin.post("hired", "7").await;
    let done = thin.becomes(&id, "done").await;
    assert_eq!(thin.people.asked(), ["/people/7?fields=all"; 3]);
    assert_eq!(done["attempts"].as_array().map(Vec::len), Some(3), "{done}");

    thin.people.answers(&[404]);
    let id = thin.post("hired", "8").await;
    let waits = thin.becomes(&id, "needs_data").await;
    assert_eq!(waits["reason"], "the answer is 404");
    // An id that would lead elsewhere is not asked for.
    thin.people.asked();
    let id = thin.post("hired", "../admin").await;
    let waits = thin.becomes(&id, "needs_data").await;
    assert_eq!(waits["reason"], "employeeid can't stand in the path of an address");
    assert_eq!(thin.people.asked(), Vec::<String>::new());
}
