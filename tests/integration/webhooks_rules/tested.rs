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
        ] {
            assert!(
                ended.stdout.replace("POST /Users", "POST Users").contains(expected),
                "{expected}\n{}",
                ended.stdout
            );
        }
    }
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
