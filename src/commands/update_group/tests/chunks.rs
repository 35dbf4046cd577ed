//! Chunks: how many changes a PATCH has, and what becomes of one that is refused.

use serde_json::json;

use super::{AWS_ID, change, ids, refusing, results, sizes};
use crate::{
    commands::{testing::*, update_group::*},
    decide::Known,
    scim::ErrorKind,
};

#[test]
fn members_are_added_and_removed() {
    let done = "done g-1 Admins";
    hold(vec![
        row(
            "one",
            change(json!(["u-1"]), json!(null)),
            vec![("patch g-1: add u-1", headers())],
            done,
        ),
        row(
            "both, adds first",
            change(json!("u-1, u-2"), json!("[\"u-3\"]")),
            vec![("patch g-1: add u-1,u-2 remove u-3", headers())],
            done,
        ),
        row(
            "removals",
            change(json!([]), json!(["u-3"])),
            vec![("patch g-1: remove u-3", headers())],
            done,
        ),
        row(
            "told twice, sent once",
            change(json!(["u-1", "u-2", "u-1"]), json!(["u-3", "u-3"])),
            vec![("patch g-1: add u-1,u-2 remove u-3", headers())],
            done,
        ),
        row(
            "a directory that keeps to the RFC",
            change(json!(["u-1", "u-2"]), json!(["u-3", "u-4"])),
            vec![(
                "patch g-1: add u-1,u-2 Remove members[value eq \"u-3\"] Remove members[value eq \"u-4\"]",
                headers(),
            )],
            done,
        )
        .rfc(),
        row(
            "without a name",
            command(
                "iam-update-group",
                json!({"scim": {"id": "g-1"}, "memberIdsToAdd": "u-1"}),
            ),
            vec![("patch g-1: add u-1", headers())],
            "done g-1 -",
        ),
        row(
            "dry",
            change(json!(["u-1"]), json!(null)),
            vec![
                ("group g-1?", group_shown(json!({}))),
                ("patch g-1: add u-1", headers()),
            ],
            done,
        )
        .dry(),
        row(
            "dry, no such group",
            change(json!(["u-1"]), json!(null)),
            vec![("group g-1?", absent())],
            "failed 404: Group Not Found []",
        )
        .dry(),
    ]);
}

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
fn a_patch_has_at_most_a_hundred_changes() {
    let rows = [
        (100, 0, vec![(100, 0)]),
        (101, 0, vec![(100, 0), (1, 0)]),
        (250, 0, vec![(100, 0), (100, 0), (50, 0)]),
        (60, 60, vec![(60, 40), (0, 20)]),
        (100, 1, vec![(100, 0), (0, 1)]),
        (0, 200, vec![(0, 100), (0, 100)]),
    ];
    for dialect in [Dialect::Aws, Dialect::Rfc7644] {
        let rules = Rules { dialect, ..rules() };
        for (adds, removals, expected) in &rows {
            let command = change(json!(ids(0..*adds)), json!(ids(1000..1000 + removals)));
            let (questions, outcome) = drive(&command, &rules, refusing(&[], ErrorKind::Absent));
            let sent: Vec<_> = questions.iter().filter_map(sizes).collect();
            assert_eq!(sent, *expected, "{adds} and {removals}");
            assert_eq!(outcome.label(), "done");
        }
    }
}

#[test]
fn a_directory_that_refuses_everything_costs_two_hundred_calls_a_chunk() {
    let all = ids(0..200);
    let bad: Vec<_> = all.iter().map(String::as_str).collect();
    let (questions, outcome) = drive(
        &change(json!(all), json!(null)),
        &rules(),
        refusing(&bad, ErrorKind::Status(400)),
    );
    // The group itself is looked at once.
    assert!(questions.len() <= 401, "{}", questions.len());
    assert_eq!(results(&outcome, "failed").len(), 200);
    let failure = outcome.failure().unwrap();
    assert_eq!(
        failure.message,
        "said; 0 of 200 done; failed: u-0, u-1, u-2, u-3, u-4, u-5, u-6, u-7, u-8, u-9 and 190 more; u-0 looks like a user name: the directory's id is wanted (IAM.Vendor.id of iam-get-user)"
    );
}

/// Changes this many members; how many answers are told to the decision in all of it.
fn answers_told(members: usize) -> usize {
    let command = change(json!(ids(0..members)), json!(null));
    let rules = rules();
    let mut prepared = command.prepare(&rules);
    let mut known = Known::default();
    let mut told = 0;
    loop {
        let mut replay = known.replay();
        let next = prepared.replay(&mut replay);
        told += replay.told();
        match next {
            Next::Finish(outcome) => {
                assert_eq!(outcome.label(), "done");
                return told;
            }
            Next::Read(_) | Next::Write(_) => known.answers.push(headers()),
        }
    }
}

#[test]
fn many_members_cost_linear_work() {
    for members in [10_000, 100_000] {
        let chunks = members / 100;
        assert_eq!(
            answers_told(members),
            chunks,
            "{members} members: each answer is told once"
        );
    }
}
