//! What becomes of members that a directory refuses.

use super::*;

#[test]
fn a_refused_chunk_is_split() {
    let three = || change(json!(["u-1", "u-2"]), json!(["u-3"]));
    hold(vec![
        row(
            "400: halves, until the bad one is alone; the group, whose id is none of AWS's, is looked at once",
            three(),
            vec![
                ("patch g-1: add u-1,u-2 remove u-3", status(400)),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", headers()),
                ("patch g-1: add u-2 remove u-3", status(400)),
                ("patch g-1: add u-2", status(400)),
                ("patch g-1: remove u-3", headers()),
            ],
            "failed 400: said; 2 of 3 done; failed: u-2; u-2 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 done, u-2 failed, u-3 done]",
        ),
        row(
            "400, the id being AWS's: the group is there",
            command(
                "iam-update-group",
                json!({"scim": {"id": AWS_ID}, "memberIdsToAdd": ["u-1", "u-2"]}),
            ),
            vec![
                (
                    "patch 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11: add u-1,u-2",
                    status(400),
                ),
                (
                    "patch 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11: add u-1",
                    headers(),
                ),
                (
                    "patch 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11: add u-2",
                    headers(),
                ),
            ],
            "done 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11 -",
        ),
        row(
            "400 of another server",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", status(400)),
                ("patch g-1: add u-1", headers()),
                ("patch g-1: add u-2", headers()),
            ],
            "done g-1 Admins",
        )
        .rfc(),
        row(
            "400: the group's id is what the directory does not know",
            three(),
            vec![
                ("patch g-1: add u-1,u-2 remove u-3", status(400)),
                ("group g-1?", status(400)),
            ],
            "failed 404: Group Not Found; 0 of 3 done; not tried: u-1, u-2, u-3 [u-1 not tried, u-2 not tried, u-3 not tried]",
        ),
        row(
            "404: the group is looked at, once",
            three(),
            vec![
                ("patch g-1: add u-1,u-2 remove u-3", absent()),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", absent()),
                ("patch g-1: add u-2 remove u-3", headers()),
            ],
            "failed 404: said; 2 of 3 done; failed: u-1; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 done, u-3 done]",
        ),
        row(
            "the group is gone",
            three(),
            vec![
                ("patch g-1: add u-1,u-2 remove u-3", absent()),
                ("group g-1?", absent()),
            ],
            "failed 404: Group Not Found; 0 of 3 done; not tried: u-1, u-2, u-3 [u-1 not tried, u-2 not tried, u-3 not tried]",
        ),
        row(
            "looking at the group fails",
            three(),
            vec![
                ("patch g-1: add u-1,u-2 remove u-3", absent()),
                ("group g-1?", status(401)),
            ],
            "failed 401: said; 0 of 3 done; not tried: u-1, u-2, u-3 […",
        ),
        row(
            "one alone is not split",
            change(json!(["u-1"]), json!(null)),
            vec![
                ("patch g-1: add u-1", status(400)),
                ("group g-1?", group_shown(json!({}))),
            ],
            "failed 400: said; 0 of 1 done; failed: u-1; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed]",
        ),
        row(
            "the first refusal counts",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", status(400)),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", absent()),
                ("patch g-1: add u-2", status(400)),
            ],
            "failed 400: said; 0 of 2 done; failed: u-1, u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 failed]",
        ),
        row(
            "404 together, taken alone",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", absent()),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", headers()),
                ("patch g-1: add u-2", headers()),
            ],
            "done g-1 Admins",
        ),
        row(
            "refused together, taken alone",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", status(400)),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", headers()),
                ("patch g-1: add u-2", headers()),
            ],
            "done g-1 Admins",
        ),
    ]);
}

#[test]
fn other_failures_stop_it() {
    let two = || change(json!(["u-1", "u-2"]), json!(null));
    let patch = "patch g-1: add u-1,u-2";
    let mut rows = Vec::new();
    for (kind, end) in [
        (
            ErrorKind::Status(401),
            "failed 401: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::Status(403),
            "failed 403: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::Status(412),
            "failed 412: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::Throttled,
            "failed 429: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::WrongUrl,
            "failed 404: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::Connect,
            "failed 503: said; 0 of 2 done; not tried: u-1, u-2 [u-1 not tried, u-2 not tried]",
        ),
        (
            ErrorKind::Congested,
            "failed 503: said; 0 of 2 done; not tried: u-1, u-2 [u-1 not tried, u-2 not tried]",
        ),
        (
            ErrorKind::CircuitOpen,
            "failed 503: said; 0 of 2 done; not tried: u-1, u-2 [u-1 not tried, u-2 not tried]",
        ),
        (
            ErrorKind::Expired,
            "failed 504: said; 0 of 2 done; not tried: u-1, u-2 [u-1 not tried, u-2 not tried]",
        ),
    ] {
        rows.push(row("never split", two(), vec![(patch, failed(kind))], end));
    }
    for (name, second, end) in [
        ("somebody else was at work", headers(), "done g-1 Admins"),
        (
            "a conflict that stays",
            status(409),
            "failed 409: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
    ] {
        let look = ("members of g-1, First?", members(&["u-9"], None));
        rows.push(row(name, two(), vec![(patch, status(409)), look, (patch, second)], end));
    }
    rows.push(row(
        "what was done before is told",
        two(),
        vec![
            (patch, status(400)),
            ("group g-1?", group_shown(json!({}))),
            ("patch g-1: add u-1", headers()),
            ("patch g-1: add u-2", status(403)),
        ],
        "failed 400: said; then: said; 1 of 2 done; failed: u-2 [u-1 done, u-2 failed]",
    ));
    hold(rows);
    // A chunk that was taken in parts is not what a later failure is told as.
    let there = group_shown(json!({}));
    let mut answers = vec![status(400), there, headers(), headers(), status(403)];
    let stopped = outcome(&change(json!(ids(0..101)), json!(null)), &rules(), answers.clone());
    assert_eq!(stopped.failure().unwrap().code(), 403);
    answers[4] = headers();
    let done = outcome(&change(json!(ids(0..101)), json!(null)), &rules(), answers);
    assert_eq!(done.label(), "done");
    // The chunks after the refused one are not tried.
    for (kind, refused, untried) in [
        (ErrorKind::Status(403), 100, 50),
        (ErrorKind::Throttled, 100, 50),
        (ErrorKind::CircuitOpen, 0, 150),
    ] {
        let command = change(json!(ids(0..250)), json!(null));
        let outcome = outcome(&command, &rules(), vec![headers(), failed(kind)]);
        let counts = ["done", "failed", "not tried"].map(|result| results(&outcome, result).len());
        assert_eq!(counts, [100, refused, untried], "{kind:?}");
    }
}

#[test]
fn the_first_failure_is_what_it_is_told_as() {
    let two = || change(json!(["u-1", "u-2"]), json!(null));
    let none = || members(&[], None);
    let split = |rest: Script| {
        let mut script = vec![
            ("patch g-1: add u-1,u-2", absent()),
            ("group g-1?", group_shown(json!({}))),
            ("patch g-1: add u-1", absent()),
        ];
        script.extend(rest);
        script
    };
    let last = "patch g-1: add u-2";
    let mut rows = vec![
        row(
            "a 404, then 503 again and again",
            two(),
            split(vec![
                (last, status(503)),
                (MEMBERS, none()),
                (last, status(503)),
                (MEMBERS, none()),
            ]),
            "failed 404: said; then: said; 0 of 2 done; failed: u-1; not known: u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 not known]",
        ),
        row(
            "a 404, then a lost answer, and it was made",
            two(),
            split(vec![(last, lost()), (MEMBERS, members(&["u-2"], None))]),
            "failed 404: said; 1 of 2 done; failed: u-1; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 done]",
        ),
        row(
            "a 404, then a lost answer, and the look fails",
            two(),
            split(vec![(last, status(503)), (MEMBERS, status(403))]),
            "failed 404: said; then: said; looking failed too: said; 0 of 2 done; failed: u-1; not known: u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 not known]",
        ),
        row(
            "a 404, then the time is over",
            two(),
            split(vec![(last, failed(ErrorKind::Expired))]),
            "failed 504: said; then: said; 0 of 2 done; failed: u-1; not tried: u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 not tried]",
        ),
    ];
    for (kind, end) in [
        (
            ErrorKind::Status(403),
            "failed 404: said; then: said; 0 of 2 done; failed: u-1, u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::Throttled,
            "failed 404: said; then: said; 0 of 2 done; failed: u-1, u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 failed]",
        ),
        (
            ErrorKind::Connect,
            "failed 404: said; then: said; 0 of 2 done; failed: u-1; not tried: u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 not tried]",
        ),
        (
            ErrorKind::CircuitOpen,
            "failed 404: said; then: said; 0 of 2 done; failed: u-1; not tried: u-2; u-1 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 failed, u-2 not tried]",
        ),
    ] {
        rows.push(row(
            "a 404, then another",
            two(),
            split(vec![(last, failed(kind))]),
            end,
        ));
    }
    hold(rows);
    // A group that is there, without a member that is not: the status is the member's 404 all
    // the same.
    let answers = vec![absent(), group_shown(json!({})), absent(), status(403)];
    assert_eq!(outcome(&two(), &rules(), answers).code(), Some(404));
}

#[test]
fn only_what_looks_like_a_user_name_is_called_one() {
    let rows = [
        (
            "jane",
            Some("jane looks like a user name: the directory's id is wanted"),
        ),
        ("AD21B", Some("AD21B looks like a user name")),
        ("4711", None),
        ("3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11", None),
    ];
    for (member, said) in rows {
        for refusal in [status(400), absent()] {
            let answers = vec![refusal, group_shown(json!({}))];
            let outcome = outcome(&change(json!([member]), json!(null)), &rules(), answers);
            let message = &outcome.failure().expect("it is unknown").message;
            assert_eq!(message.contains("looks like a user name"), said.is_some(), "{message}");
            assert!(message.contains(said.unwrap_or_default()), "{message}");
        }
    }
}

#[test]
fn a_fate_has_its_operation_and_its_cause() {
    let there = || members(&["u-1", "u-2"], None);
    let group = group_shown(json!({}));
    let answers = vec![status(400), group, headers(), lost(), there(), lost(), there()];
    let command = change(json!(["u-1"]), json!(["u-2"]));
    let GroupEnd::Failed { details, .. } = group_end(outcome(&command, &rules(), answers)) else {
        panic!("a member failed")
    };
    assert_eq!(
        details,
        Some(json!({"members": [
            {"value": "u-1", "operation": "add", "result": "done"},
            {"value": "u-2", "operation": "remove", "result": "not known", "errorCode": null, "errorMessage": "said"},
        ]}))
    );
}
