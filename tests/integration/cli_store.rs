//! `aws-ilm store`, and the store that a demonstration has.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    harness::{answer, caller},
    operations::new_folder,
    process::{Running, run},
};

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(new_folder())
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Sends a creation that is to be stored; its status and body.
async fn defer(address: std::net::SocketAddr, name: &str, query: &str) -> (u16, Value) {
    let url = format!("http://{address}/commands/iam-create-user{query}");
    let profile = json!({"username": name, "email": format!("{name}@example.com"), "givenname": "Kim", "surname": "Lee", "displayname": "Kim Lee"});
    let request = caller()
        .post(url)
        .header("prefer", "respond-async")
        .json(&json!({"user-profile": profile}));
    let answer = answer(request).await;
    (answer.status, answer.json())
}

const NEXT_YEAR: &str = "?notBefore=2034-01-01T00:00:00Z";

#[tokio::test]
async fn a_demonstration_has_a_store_that_goes_with_it() {
    let folder = Folder::new();
    let (service, address) = Running::serve(&["--sandbox"], &[("TMPDIR", &folder.file(""))]);
    let (status, operation) = defer(address, "kim", "").await;
    assert_eq!(status, 202, "{operation}");
    let made: Vec<_> = fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(fs::metadata(&made[0]).unwrap().permissions().mode() & 0o777, 0o700);
    service.terminate();
    assert_eq!(service.code(), Some(0));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn a_demonstration_that_can_write_nowhere_says_so_and_has_no_store() {
    let (service, address) = Running::serve(&["--sandbox"], &[("TMPDIR", "/nowhere/at-all")]);
    let told = service.stderr.text();
    assert!(told.contains("there is no store") && told.contains("TMPDIR"), "{told}");
    let (status, problem) = defer(address, "kim", "").await;
    assert_eq!(
        (status, &problem["type"]),
        (501, &json!("/problems/no-store")),
        "{problem}"
    );
}

#[tokio::test]
async fn a_backup_of_a_store_in_use_has_all_that_was_accepted_before() {
    let folder = Folder::new();
    let (store, copy) = (folder.file("store.db"), folder.file("copy.db"));
    let path = [("AWS_ILM_STORE_PATH", store.as_str())];
    let (service, address) = Running::serve(&["--sandbox"], &path);
    let mut accepted = Vec::new();
    for number in 0..20 {
        let (status, operation) = defer(address, &format!("kim-{number}"), NEXT_YEAR).await;
        assert_eq!(status, 202, "{operation}");
        accepted.push(operation["id"].as_str().unwrap().to_owned());
    }
    // While more is accepted.
    let more = tokio::spawn(async move {
        for number in 0..50 {
            assert_eq!(defer(address, &format!("lou-{number}"), NEXT_YEAR).await.0, 202);
        }
    });
    let arguments: Vec<String> = ["store", "backup", &copy].map(str::to_owned).to_vec();
    let environment = store.clone();
    let backup = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&arguments, &[("AWS_ILM_STORE_PATH", &environment)])
    });
    let backup = backup.await.unwrap();
    assert_eq!(backup.code, Some(0), "{backup:?}");
    more.await.unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let again = run(&["store", "backup", &copy], &path);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.stderr.contains(&copy) && again.stderr.contains("exists"),
        "{again:?}"
    );
    service.terminate();
    assert_eq!(service.code(), Some(0));

    let check = run(&["store", "check", &copy], &[]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(
        check.stdout.contains("schema 4") && check.stdout.contains("scheduled"),
        "{check:?}"
    );
    // Restored: a service on the copy has them all, and can go on.
    let (_restored, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_STORE_PATH", &copy)]);
    for id in accepted {
        let found = answer(caller().get(format!("http://{address}/operations/{id}"))).await;
        assert_eq!((found.status, &found.json()["state"]), (200, &json!("scheduled")));
    }
    assert_eq!(defer(address, "kim", "").await.0, 202);
}

#[test]
fn a_check_tells_what_is_wrong_with_a_file() {
    let folder = Folder::new();
    let file = folder.file("store.db");
    for (content, expected) in [
        (None, "No such file"),
        (
            Some("This is no database, but a text that somebody put here by mistake.".repeat(20)),
            "no store of this program",
        ),
    ] {
        if let Some(content) = &content {
            fs::write(&file, content).unwrap();
        }
        let check = run(&["store", "check", &file], &[]);
        assert_eq!(check.code, Some(1), "{check:?}");
        assert!(
            check.stderr.contains(&file) && check.stderr.contains(expected),
            "{check:?}"
        );
    }
    let nothing = run(&["store", "check"], &[]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    assert!(nothing.stderr.contains("AWS_ILM_STORE_PATH"), "{nothing:?}");
}

#[tokio::test]
async fn a_check_finds_broken_pages_and_what_can_not_be_carried_out() {
    let folder = Folder::new();
    let file = folder.file("store.db");
    let (service, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_STORE_PATH", &file)]);
    for number in 0..200 {
        assert_eq!(defer(address, &format!("kim-{number}"), NEXT_YEAR).await.0, 202);
    }
    service.terminate();
    assert_eq!(service.code(), Some(0));
    // A copy has all in one file, and nothing in a log beside it.
    let copy = folder.file("copy.db");
    let backup = run(&["store", "backup", &copy], &[("AWS_ILM_STORE_PATH", &file)]);
    assert_eq!(backup.code, Some(0), "{backup:?}");
    let file = copy;
    assert_eq!(run(&["store", "check", &file], &[]).code, Some(0));
    break_pages(Path::new(&file));
    let check = run(&["store", "check", &file], &[]);
    assert_eq!(check.code, Some(1), "{check:?}");
    assert!(
        check.stdout.contains("broken:") || check.stderr.contains("malformed"),
        "{check:?}"
    );
}

/// Overwrites what is in the middle of a file.
fn break_pages(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xA5);
    fs::write(file, bytes).unwrap();
}

/// What `serve` says of a store that it can't have.
fn refused(path: &str) -> String {
    let ended = run(
        &["serve", "--sandbox", "--listen", "127.0.0.1:0"],
        &[("AWS_ILM_STORE_PATH", path)],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("AWS_ILM_STORE_PATH"), "{ended:?}");
    ended.stderr
}

#[test]
fn a_path_that_is_no_store_is_refused_with_the_mend_and_left_as_it_is() {
    let folder = Folder::new();
    let foreign = folder.file("foreign.db");
    let other = rusqlite::Connection::open(&foreign).unwrap();
    other
        .execute_batch("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('Kim')")
        .unwrap();
    other.close().unwrap();
    let numbered = folder.file("numbered.db");
    let other = rusqlite::Connection::open(&numbered).unwrap();
    other
        .execute_batch("PRAGMA user_version = 1; CREATE TABLE operation (id TEXT)")
        .unwrap();
    other.close().unwrap();
    let text = folder.file("text");
    fs::write(&text, "no database at all\n".repeat(100)).unwrap();
    for (path, expected) in [
        (folder.file(""), "it is a folder"),
        (folder.file("missing/store.db"), "there is no folder"),
        (foreign.clone(), "no store of this program"),
        (numbered.clone(), "no store of this program"),
        (text.clone(), "no store of this program"),
    ] {
        let before = fs::read(&path).unwrap_or_default();
        let told = refused(&path);
        assert!(told.contains(expected), "{path}: {told}");
        assert_eq!(fs::read(&path).unwrap_or_default(), before, "{path} is as it was");
    }
    assert!(!Path::new(&folder.file("missing")).exists());
}

#[tokio::test]
async fn a_store_under_another_name_is_the_same_store() {
    let folder = Folder::new();
    let (file, link) = (folder.file("store.db"), folder.file("link.db"));
    let (first, _) = Running::serve(&["--sandbox"], &[("AWS_ILM_STORE_PATH", &file)]);
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let told = refused(&link);
    assert!(told.contains("in use by process"), "{told}");
    first.terminate();
    assert_eq!(first.code(), Some(0));
    // A copy that others may read is for its owner alone once it is a store.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (_second, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_STORE_PATH", &link)]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(defer(address, "kim", "").await.0, 202);
}
