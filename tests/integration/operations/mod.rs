//! Stored commands through the front door: accepted, carried out in order, tried again, mended.

mod buried;
mod deferred;
mod first_release;
mod order;
mod overtaking;
mod patience;
mod reminders;
mod scripts;
mod selection;
mod unavailable;

use std::path::{Path, PathBuf};

use aws_ilm::{
    sandbox::{self, Seed},
    store::sqlite::Sqlite,
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use self::unavailable::{set_away, store_is};
use crate::harness::{Answer, Setup, World, answer, until};

/// The store's name in its folder.
pub(crate) const FILE: &str = "store.db";

/// An empty folder of its own.
pub(crate) fn new_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("aws-ilm-operations-{}", Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// A world with a store of its own, in a folder that goes with it.
pub(crate) struct Stored {
    pub(crate) world: World,
    folder: PathBuf,
}

impl Drop for Stored {
    fn drop(&mut self) {
        // Handed on, it is empty.
        if self.folder != PathBuf::new() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl Stored {
    /// With these people, and these settings.
    pub(crate) async fn holding(people: Value, settings: &[(&'static str, &str)]) -> Self {
        Self::within(new_folder(), people, settings).await
    }

    /// With the store that is in this folder, if there is one.
    pub(crate) async fn within(folder: PathBuf, people: Value, settings: &[(&'static str, &str)]) -> Self {
        let mut environment: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        environment.push(("AWS_ILM_STORE_PATH", folder.join(FILE).display().to_string()));
        let seed = Seed::from_json(&json!({"users": people}).to_string()).unwrap();
        let sandbox = sandbox::Options {
            seed,
            ..sandbox::Options::default()
        };
        let world = World::with(Setup {
            environment,
            sandbox,
            clock: None,
        })
        .await;
        Self { world, folder }
    }

    /// The folder of its store.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends the service, and starts another on the same store, with these people again.
    pub(crate) async fn restarted(self, people: Value) -> Self {
        self.restarted_with(people, &[]).await
    }

    /// As [`Self::restarted`], with these settings.
    pub(crate) async fn restarted_with(mut self, people: Value, settings: &[(&'static str, &str)]) -> Self {
        let folder = std::mem::take(&mut self.folder);
        drop(self);
        // The file is locked until the first has ended.
        let file = folder.join(FILE);
        until(|| Sqlite::open(&file, "a test").is_ok()).await;
        Self::within(folder, people, settings).await
    }

    /// Sends a command that is to be stored and answered at once.
    pub(crate) async fn defer(&self, command: &str, query: &str, arguments: &Value) -> Answer {
        let request = self
            .world
            .http
            .post(self.world.url(&format!("/commands/{command}{query}")));
        answer(request.header("prefer", "respond-async").json(arguments)).await
    }

    /// The id of a deferred command.
    pub(crate) async fn accepted(&self, command: &str, arguments: &Value) -> String {
        let accepted = self.defer(command, "", arguments).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text);
        accepted.json()["id"].as_str().unwrap().to_owned()
    }

    /// An operation once it has ended.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        let operation = self.world.get(&format!("/operations/{id}/wait")).await;
        assert_eq!(operation.status, 200, "{}", operation.text);
        operation.json()
    }

    /// An operation as it is.
    pub(crate) async fn operation(&self, id: &str) -> Value {
        self.world.get(&format!("/operations/{id}")).await.json()
    }
}

pub(crate) fn person(name: &str, active: bool) -> Value {
    json!({"id": format!("u-{name}"), "userName": name, "displayName": name, "name": {"givenName": name, "familyName": name}, "active": active})
}

pub(crate) fn profile(name: &str) -> Value {
    json!({"username": name, "displayname": name, "givenname": name, "surname": name, "email": format!("{name}@example.com")})
}
