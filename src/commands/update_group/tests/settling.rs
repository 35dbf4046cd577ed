//! What is looked into after a lost answer.

use super::*;

#[test]
fn after_a_lost_answer_the_members_are_read_back() {
    let three = || change(json!(["u-1", "u-2"]), json!(["u-3"]));
    let patch = "patch g-1: add u-1,u-2 remove u-3";
    let half = || members(&["u-1", "u-3", "u-9"], None);
    let whole = || members(&["u-9", "u-2", "u-1"], None);
    let shown = |ids: &[&str]| {
        let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
        group_shown(json!({"members": members}))
    };
    let mut rows = Vec::new();
    for kind in LOST {
        rows.extend([
            row(
                "all in effect",
                three(),
                vec![(patch, failed(kind)), (MEMBERS, whole())],
                "done g-1 Admins",
            ),
            row(
                "half in effect: the same is sent once more",
                three(),
                vec![(patch, failed(kind)), (MEMBERS, half()), (patch, headers())],
                "done g-1 Admins",
            ),
            row(
                "lost again, and in effect",
                three(),
                vec![
                    (patch, failed(kind)),
                    (MEMBERS, half()),
                    (patch, failed(kind)),
                    (MEMBERS, whole()),
                ],
                "done g-1 Admins",
            ),
        ]);
    }
    for (kind, twice, blind) in [
        (
            ErrorKind::Timeout,
            "failed 504: said; 1 of 3 done; not known: u-2, u-3 [u-1 done, u-2 not known, u-3 not known]",
            "failed 504: said; looking failed too: said; 0 of 3 done; not known: u-1, u-2, u-3 [u-1 not known, …",
        ),
        (
            ErrorKind::Broken,
            "failed 504: said; 1 of 3 done; not known: u-2, u-3 [u-1 done, u-2 not known, u-3 not known]",
            "failed 504: said; looking failed too: said; 0 of 3 done; not known: u-1, u-2, u-3 [u-1 not known, …",
        ),
        (
            ErrorKind::Status(503),
            "failed 503: said; 1 of 3 done; not known: u-2, u-3 [u-1 done, u-2 not known, u-3 not known]",
            "failed 503: said; looking failed too: said; 0 of 3 done; not known: u-1, u-2, u-3 [u-1 not known, …",
        ),
        (
            ErrorKind::Unreadable,
            "failed 502: said; 1 of 3 done; not known: u-2, u-3 [u-1 done, u-2 not known, u-3 not known]",
            "failed 502: said; looking failed too: said; 0 of 3 done; not known: u-1, u-2, u-3 [u-1 not known, …",
        ),
    ] {
        rows.extend([
            row(
                "lost again, and half in effect",
                three(),
                vec![
                    (patch, failed(kind)),
                    (MEMBERS, half()),
                    (patch, failed(kind)),
                    (MEMBERS, half()),
                ],
                twice,
            ),
            row(
                "the look fails",
                three(),
                vec![(patch, failed(kind)), (MEMBERS, status(500))],
                blind,
            ),
            row(
                "the look is not sent",
                three(),
                vec![(patch, failed(kind)), (MEMBERS, failed(ErrorKind::CircuitOpen))],
                blind,
            ),
            row(
                "a later page fails",
                three(),
                vec![
                    (patch, failed(kind)),
                    (MEMBERS, members(&["u-1"], Some("a"))),
                    ("members of g-1 from a?", status(403)),
                ],
                blind,
            ),
        ]);
    }
    rows.extend([
        row(
            "all in effect, over several pages",
            three(),
            vec![
                (patch, lost()),
                (MEMBERS, members(&["u-2"], Some("a"))),
                ("members of g-1 from a?", members(&[], Some("b"))),
                ("members of g-1 from b?", members(&["u-1"], None)),
            ],
            "done g-1 Admins",
        ),
        row(
            "pages that do not end prove nothing",
            change(json!(["u-1"]), json!(null)),
            vec![
                ("patch g-1: add u-1", lost()),
                (MEMBERS, members(&["u-1"], Some("a"))),
                ("members of g-1 from a?", members(&["u-1"], Some("a"))),
            ],
            "failed 504: said; looking failed too: the directory's pages of members do not end; 0 of 1 done; not known: u-1 […",
        ),
        row(
            "a directory that keeps to the RFC shows the members with the group",
            change(json!(["u-1"]), json!(["u-3"])),
            vec![
                ("patch g-1: add u-1 Remove members[value eq \"u-3\"]", lost()),
                ("group g-1?", shown(&["u-1", "u-3"])),
                ("patch g-1: add u-1 Remove members[value eq \"u-3\"]", lost()),
                ("group g-1?", shown(&["u-1"])),
            ],
            "done g-1 Admins",
        )
        .rfc(),
        row(
            "sent once more, and refused: split",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", lost()),
                (MEMBERS, members(&["u-1"], None)),
                ("patch g-1: add u-1,u-2", status(400)),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", headers()),
                ("patch g-1: add u-2", status(400)),
            ],
            "failed 400: said; 1 of 2 done; failed: u-2; u-2 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user) [u-1 done, u-2 failed]",
        ),
        row(
            "sent once more, and refused for good",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", lost()),
                (MEMBERS, members(&["u-1"], None)),
                ("patch g-1: add u-1,u-2", status(403)),
            ],
            "failed 403: said; 0 of 2 done; failed: u-1, u-2 [u-1 failed, u-2 failed]",
        ),
        row(
            "not sent once more: what was seen is told",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", lost()),
                (MEMBERS, members(&["u-1"], None)),
                ("patch g-1: add u-1,u-2", failed(ErrorKind::CircuitOpen)),
            ],
            "failed 503: said; 1 of 2 done; not known: u-2 [u-1 done, u-2 not known]",
        ),
        row(
            "a half is lost after its chunk was split",
            change(json!(["u-1", "u-2"]), json!(null)),
            vec![
                ("patch g-1: add u-1,u-2", status(400)),
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", lost()),
                (MEMBERS, members(&["u-1"], None)),
                ("patch g-1: add u-2", headers()),
            ],
            "done g-1 Admins",
        ),
    ]);
    hold(rows);
}

#[test]
fn a_lost_chunk_holds_up_no_other() {
    let all = ids(0..250);
    let in_effect: Vec<_> = all[..200].iter().map(String::as_str).collect();
    // The second of three chunks is lost, and found to be in effect.
    let answers = vec![headers(), lost(), members(&in_effect, None), headers()];
    let done = outcome(&change(json!(all), json!(null)), &rules(), answers);
    assert_eq!(done.label(), "done");
    // Each chunk may be sent once more.
    let before: Vec<_> = in_effect[..100].to_vec();
    let answers = vec![
        lost(),
        members(&[], None),
        headers(),
        lost(),
        members(&before, None),
        headers(),
        headers(),
    ];
    let done = outcome(&change(json!(all), json!(null)), &rules(), answers);
    assert_eq!(done.label(), "done");
    // One that stays unknown ends it: the chunks after it are not tried.
    let answers = vec![
        headers(),
        lost(),
        members(&before, None),
        lost(),
        members(&before, None),
    ];
    let stopped = outcome(&change(json!(all), json!(null)), &rules(), answers);
    let counts = ["done", "not known", "not tried"].map(|result| results(&stopped, result).len());
    assert_eq!(counts, [100, 100, 50]);
}
