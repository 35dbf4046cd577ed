//! Files that are wrong, and services that can't be asked.

use super::Service;
use crate::{
    callers::{caller, key},
    process::{File, run},
};

/// Runs a file that is to be refused; what is said of it.
async fn refused(name: &str, content: impl AsRef<[u8]>) -> String {
    let service = Service::start();
    let file = service.file(name, content);
    let ended = service.run(&["batch", &file, "--command", "iam-create-user"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.stderr.ends_with("nothing was sent\n"), "{ended:?}");
    assert_eq!(service.operations().await.len(), 0);
    ended.stderr
}

#[tokio::test]
async fn a_column_that_is_none_is_named_with_the_one_that_may_be_meant() {
    let told = refused("people.csv", "username,sirname,email,email\nkim,Lee,a,b\n").await;
    assert!(told.contains("sirname") && told.contains("surname"), "{told}");
    assert!(told.contains("two columns are `email`"), "{told}");
}

#[tokio::test]
async fn rows_that_do_not_fit_their_header_are_named_by_their_line() {
    let table =
        "username,email,surname\n\"kim\nlee\",kim@example.com,Lee\nlou,lou@example.com\nray,ray@example.com,Ray,more\n";
    let told = refused("people.csv", table).await;
    let lines: Vec<&str> = told.lines().collect();
    assert!(
        lines[0].contains("line 4") && lines[0].contains("2 cells, the header 3"),
        "{told}"
    );
    assert!(lines[1].contains("line 5") && lines[1].contains("4 cells"), "{told}");
    let open = refused("people.csv", "username,email\nkim,\"kim@example.com\n").await;
    assert!(open.contains("line 2"), "{open}");
}

#[tokio::test]
async fn what_is_empty_or_no_text_is_refused() {
    for (content, expected) in [
        (&b""[..], "empty"),
        (b"username,email\n", "no rows"),
        (b"username,email\nk\xffim,kim@example.com\n", "UTF-8"),
        (b"{\"command\": \"iam-create-user\"\n", "line 1"),
        (
            b"{\"command\": \"iam-create-user\", \"arguments\": {}, \"befor\": 1}\nno json\n",
            "line 2",
        ),
    ] {
        let told = refused("people", content).await;
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn a_service_that_is_not_there_is_told() {
    let service = Service::start();
    let file = service.file("people.csv", super::people(1));
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let to = format!("http://{free}");
    let ended = run(&["batch", &file, "--command", "iam-create-user", "--to", &to], &[]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains(&to), "{ended:?}");
    for to in [
        "http://ilm.example.com",
        "ftp://127.0.0.1",
        "https://key@ilm.example.com",
    ] {
        let ended = run(&["operations", "list", "--to", to], &[]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[test]
fn a_key_that_is_wrong_or_may_not_is_told() {
    let (right, right_digest) = key();
    let (weak, weak_digest) = key();
    let callers = File::new(
        &(caller("hr", &[&right_digest], "commands = [\"*\"]\ninstances = [\"*\"]")
            + &caller("weak", &[&weak_digest], "")),
    );
    let service = Service::with(&[("AWS_ILM_CALLERS_FILE", callers.path())]);
    let file = service.file("people.csv", super::people(2));
    let key_file = |name: &str, key: &str| {
        let file = service.file(name, format!("{key}\n"));
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        file
    };
    let (right, weak) = (key_file("right", &right), key_file("weak", &weak));
    let wrong = key_file("wrong", &key().0);
    for (key, code, expected) in [
        (Some(&right), 0, ""),
        (Some(&weak), 3, "403"),
        (Some(&wrong), 3, "401"),
        (None, 3, "401"),
    ] {
        let mut arguments = vec!["batch", &file, "--command", "iam-create-user"];
        if let Some(key) = key {
            arguments.extend(["--key-file", key.as_str()]);
        }
        let ended = service.run(&arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(expected), "{ended:?}");
    }
}
