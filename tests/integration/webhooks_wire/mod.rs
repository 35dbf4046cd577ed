//! What webhooks promise on the wire: secrets of paths, answers by their RFCs, handshakes, many
//! events in one delivery, rights, bodies that are waited for or too large.

mod expected;
mod handshakes;
mod late;
mod many;
mod path_secrets;
mod released;
mod rights;
mod security_events;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    collector::Collector,
    harness::{Answer, answer, caller},
    operations::new_folder,
    process::Running,
    webhooks::write,
};

/// The program with sources of a test, its store, and a collector of its traces.
pub(crate) struct Program {
    pub(crate) service: Running,
    pub(crate) address: SocketAddr,
    collector: Collector,
    folder: PathBuf,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Program {
    /// Starts it with these sources, the files that they name, and these settings, in front of a
    /// sandbox.
    pub(crate) fn start(sources: &str, files: &[(&str, &str)], settings: &[(&str, &str)]) -> Self {
        Self::within(prepared(sources, files), &["--sandbox"], settings)
    }

    /// Starts it with instances of these names, which are never asked, and the callers of the file
    /// `callers.toml`.
    pub(crate) fn with_instances(sources: &str, files: &[(&str, &str)], instances: &[&str]) -> Self {
        let folder = prepared(sources, files);
        let tables = instances.iter().map(|name| {
            format!(
                "[[instances]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"token\"\n"
            )
        });
        let configuration = folder.join("aws-ilm.toml").display().to_string();
        write(Path::new(&configuration), &tables.collect::<String>());
        let callers = folder.join("callers.toml").display().to_string();
        let settings = [("AWS_ILM_CALLERS_FILE", &*callers)];
        Self::within(folder, &["--config", &configuration], &settings)
    }

    fn within(folder: PathBuf, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let collector = Collector::start();
        let path = |name: &str| folder.join(name).display().to_string();
        let (sources, store, endpoint) = (path("sources.toml"), path("store.db"), collector.url());
        let own = [
            ("AWS_ILM_SOURCES_FILE", &*sources),
            ("AWS_ILM_STORE_PATH", &store),
            ("AWS_ILM_OTLP_ENDPOINT", &endpoint),
            ("AWS_ILM_LOG_FILTER", "trace"),
            ("AWS_ILM_LOG_FORMAT", "json"),
        ];
        let settings: Vec<_> = own.into_iter().chain(settings.iter().copied()).collect();
        let (service, address) = Running::serve(arguments, &settings);
        Self {
            service,
            address,
            collector,
            folder,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where its sources and their secrets are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Posts JSON, with these header fields.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let mut request = caller().post(self.url(path)).header("content-type", "application/json");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        answer(request.body(body.to_owned())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(caller().get(self.url(path))).await
    }

    /// Ends it, and gives all that it wrote where operators look: log lines, traces, and the scrape
    /// that was made before.
    pub(crate) async fn told(self) -> Told {
        let metrics = self.get("/metrics").await.text;
        self.service.terminate();
        assert_eq!(self.service.code(), Some(0));
        self.service.stderr.line_with("stopped; every command has ended");
        Told {
            log: self.service.stderr.text(),
            traces: self.collector.text(),
            metrics,
        }
    }
}

/// A folder with these sources, and the files that they name.
fn prepared(sources: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = new_folder();
    for (name, text) in files {
        write(&folder.join(name), text);
    }
    write(&folder.join("sources.toml"), sources);
    folder
}

/// All that a program wrote where operators look.
pub(crate) struct Told {
    pub(crate) log: String,
    pub(crate) traces: String,
    pub(crate) metrics: String,
}

impl Told {
    /// Asserts that none of these words, which are in small letters, is anywhere.
    #[track_caller]
    pub(crate) fn assert_without(&self, words: &[&str]) {
        for word in words {
            for line in self.log.lines().chain(self.metrics.lines()) {
                assert!(!line.to_lowercase().contains(word), "{word}: {line}");
            }
            assert!(!self.traces.to_lowercase().contains(word), "{word} is in a trace");
        }
    }
}

/// The problem of an answer without what differs between two of the same kind.
pub(crate) fn problem(answer: &Answer) -> Value {
    let mut problem = answer.json();
    problem["requestId"] = Value::Null;
    problem
}

/// The names of an answer's header fields.
pub(crate) fn field_names(answer: &Answer) -> BTreeSet<String> {
    answer.headers.keys().map(|name| name.as_str().to_owned()).collect()
}
