//! `aws-ilm source explain`: a delivery that was caught.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::*;

const BODY: &str = r#"{"type": "employee.terminated", "timestamp": "2026-11-28T09:59:00Z",
    "data": {"employeeId": "E-7", "email": "JO@example.com", "lastDay": "2026-11-30"}}"#;

pub(super) const RECEIVED: &str = "2026-11-28T10:00:00Z";

/// Signed here and not by the service: `{id}.{timestamp}.{body}`.
pub(super) fn headers(body: &str) -> String {
    let time: jiff::Timestamp = RECEIVED.parse().unwrap();
    let secret = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = format!("msg_1.{}.{body}", time.as_second());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
    format!(
        "Host: x\r\nContent-Type: application/json\r\nWebhook-Id: msg_1\r\nWebhook-Timestamp: {}\r\nWebhook-Signature: v1,{}\r\n",
        time.as_second(),
        STANDARD.encode(tag)
    )
}

pub(super) fn explain(configured: &Configured, headers: &str, body: &str) -> (Option<i32>, Value) {
    let headers = configured.file("headers", headers);
    let body = configured.file("body", body);
    let arguments = [
        "source",
        "explain",
        "hr",
        "--headers",
        &headers,
        "--body",
        &body,
        "--received",
        RECEIVED,
    ];
    let ended = configured.run(&arguments);
    assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET));
    let found = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended.code, found)
}

#[test]
fn a_delivery_is_told_from_its_signature_to_its_command() {
    let configured = Configured::standard("http://127.0.0.1:1/T/scim/v2/");
    let (code, found) = explain(&configured, &headers(BODY), BODY);
    assert_eq!(code, Some(0), "{found:#}");
    assert_eq!(found["source"], "hr");
    assert_eq!(found["verification"]["accepted"], true);
    assert_eq!(found["verification"]["secret"], 1);
    let event = &found["events"][0];
    assert_eq!(
        (&event["id"], &event["type"]),
        (&"msg_1".into(), &"employee.terminated".into())
    );
    assert_eq!((&event["verdict"], &event["rule"]), (&"commands".into(), &1.into()));
    assert_eq!(event["time"], "2026-11-28T09:59:00Z");
    assert_eq!(event["purpose"], "termination");
    assert_eq!(event["rules"][0]["when"], "body.type == 'employee.terminated'");
    assert_eq!(event["rules"][0]["matches"], true);
    assert_eq!(event["values"][1]["name"], "profile.employeeid");
    assert_eq!(event["values"][1]["expression"], "body.data.employeeId");
    assert_eq!(event["values"][1]["value"], "E-7");
    assert_eq!(event["person"]["username"], "jo@example.com");
    let command = &event["commands"][0];
    assert_eq!(command["instance"], "production");
    assert_eq!(command["command"], "iam-disable-user");
    assert_eq!(command["arguments"]["user-profile"]["employeeid"], "E-7");
    // The end of 30 November in Melbourne.
    assert_eq!(command["notBefore"], "2026-11-30T13:00:00Z");
    assert_eq!(
        (&command["word"], &command["purpose"]),
        (&"inactive".into(), &"termination".into())
    );
    assert_eq!(command["date"], "2026-11-30");
    assert_eq!(command["side"], "end_of_day");
    assert_eq!(command["zone"], "Australia/Melbourne");
    assert_eq!((&command["ahead"], &command["held"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_is_done_ahead_or_held_is_told() {
    let source = "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\n\
                  zone = \"UTC\"\n";
    let configured = Configured::new("http://127.0.0.1:1/T/scim/v2/", source);
    let hire = BODY.replace("terminated", "hired").replace("lastDay", "startDate");
    let (code, found) = explain(&configured, &headers(&hire), &hire);
    assert_eq!(code, Some(0), "{found:#}");
    let [expected, active] = &found["events"][0]["commands"].as_array().unwrap()[..] else {
        panic!("{found:#}");
    };
    assert_eq!(
        (&expected["word"], &expected["ahead"]),
        (&"expected".into(), &"336h".into())
    );
    assert_eq!(expected["notBefore"], Value::Null);
    assert_eq!((&active["word"], &active["ahead"]), (&"active".into(), &Value::Null));
    assert_eq!(active["notBefore"], "2026-11-30T00:00:00Z");

    let late = BODY.replace("2026-11-30", "2026-01-30");
    let (_, found) = explain(&configured, &headers(&late), &late);
    assert_eq!(found["events"][0]["commands"][0]["held"], "back_dated");
}

#[test]
fn what_is_refused_or_missing_is_told_and_the_rest_is_tried() {
    let configured = Configured::standard("http://127.0.0.1:1/T/scim/v2/");
    // One byte of another body.
    let (code, found) = explain(&configured, &headers(BODY), &BODY.replace("E-7", "E-8"));
    assert_eq!(code, Some(1));
    assert_eq!(found["verification"]["accepted"], false);
    assert_eq!(found["events"][0]["commands"][0]["command"], "iam-disable-user");

    let without_date = BODY.replace("lastDay", "lastday");
    let (code, found) = explain(&configured, &headers(&without_date), &without_date);
    assert_eq!(code, Some(1));
    assert_eq!(found["events"][0]["verdict"], "failed");
    assert_eq!(
        found["events"][0]["reason"],
        "at.date is missing: nothing is there for body.data.lastDay"
    );

    let other = BODY.replace("terminated", "promoted");
    let (code, found) = explain(&configured, &headers(&other), &other);
    assert_eq!(code, Some(0), "{found:#}");
    assert_eq!(found["events"][0]["verdict"], "ignored");
    assert_eq!(found["events"][0]["rules"][1]["matches"], false);

    let (code, found) = explain(&configured, &headers("{"), "{");
    assert_eq!(code, Some(1));
    assert!(
        found["fault"].as_str().is_some_and(|fault| !fault.is_empty()),
        "{found:#}"
    );
}

#[test]
fn a_file_that_is_no_headers_is_told_with_its_line() {
    let configured = Configured::standard("http://127.0.0.1:1/T/scim/v2/");
    let headers = configured.file("headers", "Host: x\nnothing\n");
    let body = configured.file("body", BODY);
    let ended = configured.run(&["source", "explain", "hr", "--headers", &headers, "--body", &body]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("line 2: write one `Name: value` a line"),
        "{}",
        ended.stderr
    );
}
