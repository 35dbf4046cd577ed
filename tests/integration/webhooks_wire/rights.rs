//! Who may see sources and events: callers with the right `sources`, of sources all of whose
//! instances they may use.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Program, problem};
use crate::{
    callers::{caller as configured, key},
    harness::{Answer, answer, caller},
    webhooks::{KEY, hire, now, signed},
};

const RULES: &str = r#"
[[sources.rules]]
when = "body.type == 'employee.hired'"
do = "ignore"
"#;

/// One source for each instance, one for both, and what each was sent.
struct Guarded {
    program: Program,
    /// By the name of its source: an event, and what is quarantined.
    events: Vec<(&'static str, String, String)>,
    keys: Vec<(&'static str, String)>,
}

impl Guarded {
    async fn start() -> Self {
        let instances = [
            ("first", r#"["first"]"#),
            ("second", r#"["second"]"#),
            ("both", r#"["first", "second"]"#),
        ];
        let sources = instances.map(|(name, instances)| {
            format!("[[sources]]\nname = \"{name}\"\npreset = \"standard-webhooks\"\nsecret_files = [\"key\"]\nzone = \"UTC\"\ninstances = {instances}\n{RULES}\n")
        });
        let mut keys = Vec::new();
        let mut callers = String::new();
        for (name, rights) in [
            (
                "without",
                "commands = [\"*\"]\ninstances = [\"*\"]\nadministration = true\nmetrics = true\noperations = \"manage\"",
            ),
            ("first", "instances = [\"first\"]\nsources = true"),
            (
                "second",
                "instances = [\"second\"]\nsources = true\noperations = \"manage\"",
            ),
            ("all", "instances = [\"*\"]\nsources = true\nmetrics = true"),
        ] {
            let (key, digest) = key();
            callers += &configured(name, &[&digest], rights);
            keys.push((name, key));
        }
        let whsec = format!("whsec_{}", STANDARD.encode(KEY));
        let files = [("key", &*whsec), ("callers.toml", &*callers)];
        let program = Program::with_instances(&sources.concat(), &files, &["first", "second"]);
        let mut guarded = Self {
            program,
            events: Vec::new(),
            keys,
        };
        for (name, _) in instances {
            let event = guarded.sent(name, KEY, 202).await.json()["events"][0]
                .as_str()
                .unwrap()
                .to_owned();
            guarded.sent(name, "another secret", 401).await;
            let quarantined = guarded.quarantined(name).await;
            guarded.events.push((name, event, quarantined));
        }
        guarded
    }

    async fn sent(&self, source: &str, key: &str, status: u16) -> Answer {
        let body = hire("zq7");
        let fields = signed(key, "msg_1", now(), &body);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = self.program.post(&format!("/webhooks/{source}"), &fields, &body).await;
        assert_eq!(answer.status, status, "{source}: {}", answer.text);
        answer
    }

    async fn quarantined(&self, source: &str) -> String {
        for _ in 0..500 {
            let listed = self
                .ask(
                    "all",
                    "GET",
                    &format!("/events?verdict=quarantined&source={source}"),
                    None,
                )
                .await
                .json();
            if let Some(id) = listed["events"][0]["id"].as_str() {
                return id.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nothing of {source} was quarantined");
    }

    async fn ask(&self, name: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let (_, key) = self.keys.iter().find(|(other, _)| *other == name).unwrap();
        let request = caller()
            .request(method.parse().unwrap(), self.program.url(path))
            .header("x-api-key", key);
        answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }
}

/// What the routes of sources and events are asked, for one source.
fn routes(source: &str, event: &str, quarantined: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let explained = json!({"headers": {}, "body": hire("zq7")});
    vec![
        ("POST", format!("/sources/{source}/explain"), Some(explained)),
        ("GET", format!("/events/{event}"), None),
        ("GET", format!("/events/{quarantined}"), None),
        ("POST", format!("/events/{event}/replay"), None),
        ("POST", format!("/events/{quarantined}/verify-again"), None),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_nothing_of_sources_and_events_is_seen() {
    let guarded = Guarded::start().await;
    let (source, event, quarantined) = &guarded.events[0];
    let mut asked = routes(source, event, quarantined);
    asked.extend(routes("nothing", "nothing", "nothing"));
    // What is no body is not looked at where the right is missing.
    asked.push(("POST", "/sources/first/explain".to_owned(), Some(json!("zq7"))));
    asked.push(("GET", "/sources".to_owned(), None));
    for query in ["", "?source=first", "?verdict=quarantined", "?zq7=1"] {
        asked.push(("GET", format!("/events{query}"), None));
    }
    for (method, path, body) in asked {
        let refused = guarded.ask("without", method, &path, body.as_ref()).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.text);
        let problem = refused.json();
        assert_eq!(problem["type"], "/problems/forbidden", "{path}");
        assert_eq!(problem["detail"], "The caller lacks the right to sources.", "{path}");
        let unknown = answer(caller().request(method.parse().unwrap(), guarded.program.url(&path))).await;
        // Those that fail often are slowed.
        assert!(matches!(unknown.status, 401 | 429), "{path}: {}", unknown.text);
        assert!(!unknown.text.contains("zq7") && !refused.text.contains("zq7"), "{path}");
    }
    // A sender needs no caller's key, and a caller's key proves no sender.
    let fields = [("x-api-key", &*guarded.keys[3].1)];
    let refused = guarded.program.post("/webhooks/first", &fields, &hire("zq7")).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    let log = guarded.program.service.stderr.text();
    let lines = log
        .lines()
        .filter(|line| line.contains("lacks the right to sources"))
        .count();
    assert_eq!(lines, 16, "an audit line of each");
    assert!(!log.contains("zq7"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_of_instances_of_others_are_not_there() {
    let guarded = Guarded::start().await;
    for (name, seen) in [
        ("first", &["first"][..]),
        ("second", &["second"]),
        ("all", &["both", "first", "second"]),
    ] {
        let listed = guarded.ask(name, "GET", "/sources", None).await.json();
        let names: Vec<_> = listed["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|source| source["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, seen, "{name}");
        let listed = guarded.ask(name, "GET", "/events?limit=500", None).await;
        for (source, event, quarantined) in &guarded.events {
            let is_seen = seen.contains(source);
            assert_eq!(listed.text.contains(event), is_seen, "{name}, {source}");
            assert_eq!(listed.text.contains(quarantined), is_seen, "{name}, {source}");
            let own = guarded
                .ask(name, "GET", &format!("/events?source={source}"), None)
                .await
                .json();
            assert_eq!(
                own["events"].as_array().unwrap().len(),
                if is_seen { 2 } else { 0 },
                "{name}, {source}"
            );
            let there = routes(source, event, quarantined).into_iter();
            let not_there = routes("nothing", "nothing", "nothing");
            for ((method, path, body), (_, unknown, _)) in there.zip(not_there) {
                let answer = guarded.ask(name, method, &path, body.as_ref()).await;
                if is_seen {
                    // 409: it is not to be verified again, and can't be.
                    assert!(matches!(answer.status, 200 | 409), "{name}, {path}: {}", answer.text);
                    continue;
                }
                let unknown = guarded.ask(name, method, &unknown, body.as_ref()).await;
                assert_eq!(
                    (answer.status, problem(&answer)),
                    (404, problem(&unknown)),
                    "{name}, {path}"
                );
            }
        }
    }
}
