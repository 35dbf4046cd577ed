//! `aws-ilm source test`: a signed example as a dry run.

use super::*;
use crate::process::Running;

#[test]
fn an_example_is_signed_believed_and_tried_without_writing() {
    let (_directory, _, url) = Running::sandbox(&[]);
    let configured = Configured::standard(&url);
    let body = r#"{"type": "employee.hired", "timestamp": "2026-11-28T10:00:00Z", "data": {"email": "New.Hire@example.com",
        "firstName": "New", "lastName": "Hire", "employeeId": "E-900"}}"#;
    let body = configured.file("body.json", body);
    for _ in 0..2 {
        let ended = configured.run(&["source", "test", "hr", "--body", &body]);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        for expected in [
            "believed: signature",
            "event 1 (employee.hired): rule 2, commands",
            "production iam-create-user: would send POST Users",
            "    active; purpose create\n",
        ] {
            assert!(
                ended.stdout.replace("POST /Users", "POST Users").contains(expected),
                "{expected}\n{}",
                ended.stdout
            );
        }
    }
    let leaver = r#"{"type": "employee.terminated", "timestamp": "2026-11-28T10:00:00Z",
        "data": {"email": "no.one@example.com", "employeeId": "E-901", "lastDay": "2026-01-30"}}"#;
    let leaver = configured.file("leaver.json", leaver);
    let ended = configured.run(&["source", "test", "hr", "--body", &leaver]);
    let expected =
        "    inactive; purpose termination; 2026-01-30 end_of_day in Australia/Melbourne; held (back_dated)\n";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    // The preset's own example.
    let ended = configured.run(&["source", "test", "hr"]);
    assert!(ended.stdout.contains("believed: signature"), "{}", ended.stdout);
    let ended = configured.run(&["source", "test", "nobody"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("there is no source \"nobody\": there are hr"),
        "{}",
        ended.stderr
    );
}

/// Nothing is asked of the directory: what is taken back hangs on what was done.
#[test]
fn a_cancelling_is_told_and_not_tried() {
    let source =
        "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\nzone = \"UTC\"\n";
    let configured = Configured::new("http://127.0.0.1:1/T/scim/v2/", source);
    let body = r#"{"type": "employee.termination_cancelled", "timestamp": "2026-11-28T10:00:00Z", "data": {"employeeId": "E-1"}}"#;
    let body = configured.file("body.json", body);
    let ended = configured.run(&["source", "test", "hr", "--body", &body]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    for expected in [
        "production iam-update-user: would take back what was said for its purpose\n",
        "    cancelled; purpose termination\n",
    ] {
        assert!(ended.stdout.contains(expected), "{expected}\n{}", ended.stdout);
    }
}
