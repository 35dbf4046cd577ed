//! What is interrupted, killed or restarted in the middle goes on.

use std::{process::Stdio, time::Duration};

use super::{Service, borrowed, people};
use crate::process::{Running, program};

const ROWS: usize = 120;

#[tokio::test]
async fn killed_and_run_again_it_sends_nothing_twice() {
    let service = Service::slow().await;
    let file = service.file("people.csv", people(ROWS));
    let arguments = ["batch", &file, "--command", "iam-create-user"];
    let url = service.url();
    let mut client = program(&[&arguments[..], &["--to", &url]].concat(), &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while service.operations().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client.kill().unwrap();
    client.wait().unwrap();
    let again = service.run(&arguments);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(again.stdout, format!("{ROWS} rows: {ROWS} done\n"));
    assert!(again.stderr.contains("sent before"), "{again:?}");
    assert_eq!(service.operations().await.len(), ROWS);
}

#[tokio::test]
async fn a_service_that_is_killed_and_started_again_is_asked_again() {
    let service = Service::slow().await;
    let file = service.file("people.csv", people(ROWS));
    let (url, listen) = (service.url(), service.address.to_string());
    let client = Running::start(&["batch", &file, "--command", "iam-create-user", "--to", &url], &[]);
    while service.operations().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    service.running.kill();
    let again = Running::start(&["serve", "--listen", &listen], &borrowed(&service.settings));
    again.stderr.line_with("listening");
    assert_eq!(
        client.code(),
        Some(0),
        "{}{}",
        client.stdout.text(),
        client.stderr.text()
    );
    assert!(
        client.stdout.text().ends_with(&format!("{ROWS} rows: {ROWS} done\n")),
        "{}",
        client.stdout.text()
    );
    assert_eq!(service.operations().await.len(), ROWS);
}

#[tokio::test]
async fn interrupted_it_says_how_to_go_on() {
    let service = Service::slow().await;
    let file = service.file("people.csv", people(ROWS));
    let url = service.url();
    let client = Running::start(&["batch", &file, "--command", "iam-create-user", "--to", &url], &[]);
    while service.operations().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client.terminate();
    assert_eq!(client.code(), Some(130));
    assert!(
        client.stderr.text().contains("Run the same line again"),
        "{}",
        client.stderr.text()
    );
}
