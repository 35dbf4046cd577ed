//! `aws-ilm batch` and `aws-ilm operations`: the program as a process, a service with a store
//! behind it.

mod docs;
mod files;
mod interrupted;
mod operations;
mod rows;

use std::{fs, net::SocketAddr, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    harness::{answer, caller},
    operations::new_folder,
    process::{Ended, Running, run},
};

/// A service on a sandbox, with a store, and a folder for files.
pub(super) struct Service {
    pub(super) running: Running,
    pub(super) address: SocketAddr,
    folder: PathBuf,
    /// How it is started, where the directory is a process of its own.
    pub(super) settings: Vec<(&'static str, String)>,
    _directory: Option<Running>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Service {
    pub(super) fn start() -> Self {
        Self::with(&[])
    }

    pub(super) fn with(settings: &[(&str, &str)]) -> Self {
        let folder = new_folder();
        let store = folder.join("store.db").display().to_string();
        let mut settings = settings.to_vec();
        settings.push(("AWS_ILM_STORE_PATH", &store));
        let (running, address) = Running::serve(&["--sandbox"], &settings);
        Self {
            running,
            address,
            folder,
            settings: Vec::new(),
            _directory: None,
        }
    }

    /// In front of a directory of its own that takes its time, so that something is in the middle.
    pub(super) async fn slow() -> Self {
        let (directory, at, url) = Running::sandbox(&[]);
        let faults = json!([{"times": "forever", "kind": {"slow": {"milliseconds": 40}}}]);
        let sent = answer(caller().post(format!("http://{at}/sandbox/faults")).json(&faults)).await;
        assert!(sent.status < 300, "{}", sent.text);
        let folder = new_folder();
        let settings = vec![
            ("AWS_ILM_URL", url),
            ("AWS_ILM_AUTHENTICATION_TOKEN", "sandbox-token".to_owned()),
            ("AWS_ILM_STORE_PATH", folder.join("store.db").display().to_string()),
            ("AWS_ILM_RETRY_SCHEDULE", "200ms, 200ms, 200ms, 200ms".to_owned()),
        ];
        let (running, address) = Running::serve(&[], &borrowed(&settings));
        Self {
            running,
            address,
            folder,
            settings,
            _directory: Some(directory),
        }
    }

    /// A file with this content; its path.
    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs a subcommand against it.
    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        let url = self.url();
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--to", &url]).collect();
        run(&arguments, &[])
    }

    /// Every operation that it has, the newest first.
    pub(super) async fn operations(&self) -> Vec<Value> {
        let url = format!("{}/operations?limit=500", self.url());
        let list = answer(caller().get(url)).await.json();
        list["operations"].as_array().unwrap().clone()
    }
}

pub(super) fn borrowed<'s>(settings: &'s [(&'static str, String)]) -> Vec<(&'static str, &'s str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A table of so many people to create.
pub(super) fn people(count: usize) -> String {
    let mut table = "username,email,givenname,surname,displayname\n".to_owned();
    for number in 0..count {
        table += &format!("p{number},p{number}@example.com,Given,Sur,Given Sur\n");
    }
    table
}
