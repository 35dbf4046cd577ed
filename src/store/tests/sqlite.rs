//! The promises of a store in a file, and what only a file can do wrong.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc};

use super::{
    super::{
        Store,
        sqlite::{OpenError, Sqlite},
    },
    backlog, callbacks, events, pruning, random,
};

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("aws-ilm-store-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn random_steps_come_to_what_the_model_says() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.file(), "a test").expect("a store"));
    random::agrees_with_the_model(&store);
}

#[test]
fn events_come_to_what_the_model_says() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.file(), "a test").expect("a store"));
    events::agrees_with_the_model(&store);
}

#[tokio::test]
async fn what_is_past_its_retention_is_deleted() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.file(), "a test").expect("a store"));
    pruning::deletes_what_is_past_its_retention(&store).await;
}

#[tokio::test]
async fn callbacks_are_written_with_every_end() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.file(), "a test").expect("a store"));
    callbacks::are_written_with_every_end(&store).await;
}

#[tokio::test]
async fn callbacks_come_in_their_order() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.file(), "a test").expect("a store"));
    callbacks::come_in_their_order(&store).await;
}

#[tokio::test]
async fn what_waits_is_counted() {
    let folder = Folder::new();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&folder.file(), "a test").expect("a store"));
    backlog::counts_what_waits(&store).await;
}

#[test]
fn one_process_has_a_store_and_the_second_is_told_which() {
    let folder = Folder::new();
    let first = Sqlite::open(&folder.file(), "process 7").expect("a store");
    let second = Sqlite::open(&folder.file(), "process 8").expect_err("it is in use");
    assert!(second.to_string().contains("in use by process 7"), "{second}");
    drop(first);
    Sqlite::open(&folder.file(), "process 8").expect("it is free again");
}

#[test]
fn only_its_owner_reads_a_store() {
    let folder = Folder::new();
    let _store = Sqlite::open(&folder.file(), "a test").expect("a store");
    let mut files = 0;
    for entry in fs::read_dir(&folder.0).expect("a folder") {
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("its mode").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        files += 1;
    }
    assert!(files >= 3, "the database, its journal and its lock");
}

#[test]
fn a_newer_schema_is_refused_by_its_version() {
    let folder = Folder::new();
    drop(Sqlite::open(&folder.file(), "a test").expect("a store"));
    let connection = rusqlite::Connection::open(folder.file()).expect("a database");
    connection.pragma_update(None, "user_version", 99).expect("its version");
    drop(connection);
    let refused = Sqlite::open(&folder.file(), "a test").expect_err("it is newer");
    assert!(
        matches!(refused, OpenError::NewerSchema { version: 99, .. }),
        "{refused}"
    );
}
