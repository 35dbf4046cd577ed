use std::ops::Range;

use serde_json::{Value, json};

use super::{super::testing::*, *};
use crate::{
    commands::Command,
    decide::{Answer, Known, Read, Step},
    outcome::GroupEnd,
    scim::{ErrorKind, Headers},
};

fn change(add: Value, remove: Value) -> Command {
    command(
        "iam-update-group",
        json!({"scim": {"id": "g-1", "displayName": "Admins"}, "memberIdsToAdd": add, "memberIdsToDelete": remove}),
    )
}

fn rename(group: Value) -> Command {
    command("iam-update-group", json!({"scim": group}))
}

/// The ids `u-0`, `u-1` and so on.
fn ids(range: Range<usize>) -> Vec<String> {
    range.map(|number| format!("u-{number}")).collect()
}

/// A directory that knows the group, and refuses every PATCH that has one of these members in
/// it.
fn refusing(bad: &[&str], kind: ErrorKind) -> impl Fn(&Next) -> Answer {
    move |next| match next {
        Next::Read(Read::GroupById(_)) => group_shown(json!({})),
        Next::Write(Step::PatchGroup(_, changes)) => {
            let body = changes.to_value().to_string();
            if bad.iter().any(|id| body.contains(&format!("\"{id}\""))) {
                failed(kind)
            } else {
                headers()
            }
        }
        Next::Read(_) | Next::Write(_) | Next::Finish(_) => panic!("{}", asked(next)),
    }
}

/// An id of the form that AWS gives.
const AWS_ID: &str = "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11";

const MEMBERS: &str = "members of g-1, First?";

/// Additions and removals in a PATCH.
fn sizes(question: &Next) -> Option<(usize, usize)> {
    let Next::Write(Step::PatchGroup(_, changes)) = question else {
        return None;
    };
    let of = |op| {
        let operations = changes.operations.iter().filter(|operation| operation.op == op);
        operations
            .map(|operation| operation.value.as_ref().and_then(Value::as_array).map_or(1, Vec::len))
            .sum()
    };
    Some((of(Op::Add), of(Op::Remove)))
}

/// How many members ended so.
fn results(outcome: &Outcome, result: &str) -> Vec<String> {
    let GroupEnd::Failed {
        details: Some(details), ..
    } = group_end(outcome.clone())
    else {
        panic!("{outcome:?}")
    };
    let members = details["members"].as_array().unwrap().iter();
    members
        .filter(|member| member["result"] == result)
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

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
fn a_group_whose_members_change_is_found_by_its_name() {
    let by_name = |name: &str| {
        command(
            "iam-update-group",
            json!({"scim": {"displayName": name}, "memberIdsToAdd": "u-1"}),
        )
    };
    let look = "groups named Admins?";
    hold(vec![
        row(
            "one",
            by_name("\u{2009}Admins\u{a0}"),
            vec![
                (look, groups(vec![group(json!({}))])),
                ("patch g-1: add u-1", headers()),
            ],
            "done g-1 Admins",
        ),
        row(
            "two",
            by_name("Admins"),
            vec![(look, groups(vec![group(json!({})), group(json!({"id": "g-2"}))]))],
            "failed 409: ambiguous: more than one group has this displayName []",
        ),
        row(
            "none",
            by_name("Admins"),
            vec![(look, groups(vec![]))],
            "failed 404: Group Not Found []",
        ),
        row(
            "another",
            by_name("Admins"),
            vec![(look, groups(vec![group(json!({"displayName": "Users"}))]))],
            "failed 502: mismatch: the directory answered with a group of another displayName []",
        ),
        row(
            "beside an id the name is only echoed",
            command(
                "iam-update-group",
                json!({"scim": {"id": " g-1\u{a0}", "displayName": "Users"}, "memberIdsToAdd": "u-1"}),
            ),
            vec![("patch g-1: add u-1", headers())],
            "done g-1 Users",
        ),
        row(
            "dry",
            by_name("Admins"),
            vec![
                (look, groups(vec![group(json!({}))])),
                ("patch g-1: add u-1", headers()),
            ],
            "done g-1 Admins",
        )
        .dry(),
    ]);
    let outcome = outcome(
        &by_name("Admins"),
        &rules(),
        vec![groups(vec![group(json!({}))]), status(403)],
    );
    let GroupEnd::Failed { id, .. } = group_end(outcome) else {
        panic!("nobody may add members")
    };
    assert_eq!(id.as_deref(), Some("g-1"), "the group that was found");
}

#[test]
fn ids_of_awss_form_know_no_letter_case() {
    let upper = || {
        command(
            "iam-update-group",
            json!({
                "scim": {"id": AWS_ID.to_uppercase()},
                "memberIdsToAdd": ["3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11", "\u{a0}3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11", "U-1"],
            }),
        )
    };
    hold(vec![
        row(
            "AWS",
            upper(),
            vec![(
                "patch 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11: add 3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11,U-1",
                headers(),
            )],
            "done 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11 -",
        ),
        row(
            "another server",
            upper(),
            vec![(
                "patch 90672606EE-3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11: add 3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11,3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11,U-1",
                headers(),
            )],
            "done 90672606EE-3FF0B1C5-9E2C-4A6A-A1FF-2C6A3D9B2E11 -",
        )
        .rfc(),
    ]);
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
fn without_members_a_group_is_renamed() {
    let admins = || rename(json!({"id": "g-1", "displayName": "Admins"}));
    let patch = "patch g-1: displayName=\"Admins\"";
    hold(vec![
        row("a name", admins(), vec![(patch, headers())], "done g-1 Admins"),
        row(
            "empty lists are none",
            change(json!([]), json!("")),
            vec![(patch, headers())],
            "done g-1 Admins",
        ),
        row(
            "an external id",
            rename(json!({"id": "g-1", "externalId": "e-1"})),
            vec![("patch g-1: externalId=\"e-1\"", headers())],
            "done g-1 -",
        ),
        row(
            "both",
            rename(json!({"id": "g-1", "externalId": "e-1", "displayName": "Admins"})),
            vec![("patch g-1: displayName=\"Admins\" externalId=\"e-1\"", headers())],
            "done g-1 Admins",
        ),
        row(
            "absent",
            admins(),
            vec![(patch, absent())],
            "failed 404: Group Not Found []",
        ),
        row(
            "a wrong URL",
            admins(),
            vec![(patch, failed(ErrorKind::WrongUrl))],
            "failed 404: said []",
        ),
        row(
            "refused",
            admins(),
            vec![(patch, status(400)), ("group g-1?", group_shown(json!({})))],
            "failed 400: said []",
        ),
        row(
            "refused, the id being none of AWS's",
            admins(),
            vec![(patch, status(400)), ("group g-1?", status(400))],
            "failed 404: Group Not Found []",
        ),
        row(
            "refused, the id being none of AWS's and not there",
            admins(),
            vec![(patch, status(400)), ("group g-1?", absent())],
            "failed 404: Group Not Found []",
        ),
        row(
            "refused, the id being AWS's",
            rename(json!({"id": AWS_ID, "displayName": "Admins"})),
            vec![(
                "patch 90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11: displayName=\"Admins\"",
                status(400),
            )],
            "failed 400: said []",
        ),
        row(
            "refused by another server",
            admins(),
            vec![(patch, status(400))],
            "failed 400: said []",
        )
        .rfc(),
        row(
            "lost, then unknown",
            admins(),
            vec![(patch, lost()), ("group g-1?", status(400))],
            "failed 404: Group Not Found []",
        ),
        row(
            "throttled",
            admins(),
            vec![(patch, failed(ErrorKind::Throttled))],
            "failed 429: said []",
        ),
        row(
            "not sent",
            admins(),
            vec![(patch, failed(ErrorKind::CircuitOpen))],
            "failed 503: said []",
        ),
        row(
            "dry",
            admins(),
            vec![("group g-1?", group_shown(json!({}))), (patch, headers())],
            "done g-1 Admins",
        )
        .dry(),
    ]);
}

#[test]
fn a_rename_in_doubt_is_looked_into() {
    let admins = || rename(json!({"id": "g-1", "displayName": "Admins"}));
    let both = || rename(json!({"id": "g-1", "externalId": "e-1", "displayName": "Admins"}));
    let patch = "patch g-1: displayName=\"Admins\"";
    let patch_both = "patch g-1: displayName=\"Admins\" externalId=\"e-1\"";
    let look = "group g-1?";
    let named = "groups named Admins?";
    let before = || group_shown(json!({"displayName": "Users"}));
    let after = || group_shown(json!({}));
    let another = || group(json!({"id": "g-2"}));
    hold(vec![
        row(
            "conflict, and the same already",
            admins(),
            vec![(patch, status(409)), (named, groups(vec![group(json!({}))]))],
            "done g-1 Admins",
        ),
        row(
            "conflict, and no group's name: another writer, sent once more",
            admins(),
            vec![(patch, status(409)), (named, groups(vec![])), (patch, headers())],
            "done g-1 Admins",
        ),
        row(
            "the name is another group's",
            admins(),
            vec![(patch, status(409)), (named, groups(vec![another()]))],
            "failed 409: said; a group of this displayName exists: g-2 []",
        ),
        row(
            "the name is another group's, and this one's",
            admins(),
            vec![(patch, status(409)), (named, groups(vec![group(json!({})), another()]))],
            "failed 409: said; a group of this displayName exists: g-2 []",
        ),
        row(
            "the external id is another group's, under this name",
            both(),
            vec![
                (patch_both, status(409)),
                (named, groups(vec![group(json!({}))])),
                (patch_both, status(409)),
            ],
            "failed 409: said; another group has this externalId []",
        ),
        row(
            "the external id is another group's",
            rename(json!({"id": "g-1", "externalId": "e-1"})),
            vec![
                ("patch g-1: externalId=\"e-1\"", status(409)),
                (look, after()),
                ("patch g-1: externalId=\"e-1\"", status(409)),
            ],
            "failed 409: said; another group has this externalId []",
        ),
        row(
            "the external id is this group's already",
            rename(json!({"id": "g-1", "externalId": "e-1"})),
            vec![
                ("patch g-1: externalId=\"e-1\"", status(409)),
                (look, group_shown(json!({"externalId": "e-1"}))),
            ],
            "done g-1 -",
        ),
        row(
            "a conflict that stays, with no group's name",
            admins(),
            vec![(patch, status(409)), (named, groups(vec![])), (patch, status(409))],
            "failed 409: said []",
        ),
        row(
            "conflict, and a group of another name answers to it",
            admins(),
            vec![
                (patch, status(409)),
                (named, groups(vec![group(json!({"displayName": "Users"}))])),
            ],
            "failed 502: mismatch: the directory answered with a group of another displayName []",
        ),
        row(
            "conflict, then lost, and made",
            admins(),
            vec![
                (patch, status(409)),
                (named, groups(vec![])),
                (patch, lost()),
                (look, after()),
            ],
            "done g-1 Admins",
        ),
        row(
            "conflict, then lost, and not made",
            admins(),
            vec![
                (patch, status(409)),
                (named, groups(vec![])),
                (patch, lost()),
                (look, before()),
            ],
            "failed 504: said []",
        ),
        row(
            "conflict, and the look fails",
            admins(),
            vec![(patch, status(409)), (named, status(500))],
            "failed 409: whether the group was renamed is not known: said; looking failed too: said []",
        ),
        row(
            "conflict, and gone",
            admins(),
            vec![(patch, status(409)), (named, groups(vec![])), (patch, absent())],
            "failed 404: Group Not Found []",
        ),
        row(
            "lost, and gone",
            admins(),
            vec![(patch, lost()), (look, absent())],
            "failed 404: Group Not Found []",
        ),
        row(
            "lost, and another group is shown",
            admins(),
            vec![(patch, lost()), (look, group_shown(json!({"id": "g-2"})))],
            "failed 502: mismatch: the directory answered with a group of another id []",
        ),
        row(
            "half of it",
            rename(json!({"id": "g-1", "externalId": "e-1", "displayName": "Admins"})),
            vec![
                ("patch g-1: displayName=\"Admins\" externalId=\"e-1\"", status(500)),
                (look, after()),
            ],
            "failed 500: said []",
        ),
        row(
            "lost, and the look is not sent",
            admins(),
            vec![(patch, lost()), (look, failed(ErrorKind::Congested))],
            "failed 504: whether the group was renamed is not known: said; looking failed too: said []",
        ),
    ]);
    for (kind, end) in [
        (ErrorKind::Timeout, "failed 504: said []"),
        (ErrorKind::Broken, "failed 504: said []"),
        (ErrorKind::Status(500), "failed 500: said []"),
        (ErrorKind::Unreadable, "failed 502: said []"),
    ] {
        hold(vec![
            row(
                "lost, and made",
                admins(),
                vec![(patch, failed(kind)), (look, after())],
                "done g-1 Admins",
            ),
            row(
                "lost, and not made",
                admins(),
                vec![(patch, failed(kind)), (look, before())],
                end,
            ),
        ]);
    }
}

#[test]
fn nothing_is_sent_that_cannot_be() {
    hold(vec![
        row(
            "no id",
            rename(json!({"displayName": "Admins"})),
            vec![],
            "failed 400: scim.id is needed where no members are given: the id of the group to rename []",
        ),
        row(
            "malformed id",
            rename(json!({"id": "g/1"})),
            vec![],
            "failed 400: scim.id must be 1 to 64 …",
        ),
        row(
            "nothing to change",
            rename(json!({"id": "g-1"})),
            vec![],
            "failed 400: nothing to change: give …",
        ),
        row(
            "nothing to change, empty",
            rename(json!({"id": "g-1", "displayName": "", "externalId": null})),
            vec![],
            "failed 400: nothing to change: give …",
        ),
        row(
            "a member's id",
            change(json!(["u-1", "../u-2"]), json!(null)),
            vec![],
            "failed 400: memberIdsToAdd[1] must be 1 to 64 letters, digits, `_` or `-`; the directory's id is wanted (IAM.Vendor.id of iam-get-user) []",
        ),
        row(
            "no id",
            rename(json!({"externalId": "e-1"})),
            vec![],
            "failed 400: scim.id is needed where no members are given: the id of the group to rename []",
        ),
        row(
            "members of no group",
            command(
                "iam-update-group",
                json!({"scim": {"displayName": "\u{a0}"}, "memberIdsToAdd": "u-1"}),
            ),
            vec![],
            "failed 400: scim needs an id or a displayName []",
        ),
        row(
            "blank ids of members are none",
            command(
                "iam-update-group",
                json!({"scim": {"id": "g-1"}, "memberIdsToAdd": [" ", "\u{2009}"]}),
            ),
            vec![],
            "failed 400: nothing to change: give …",
        ),
        row(
            "an invisible character in a member's id",
            change(json!("u-1\u{200d}"), json!(null)),
            vec![],
            "failed 400: memberIdsToAdd[0] must be 1 to 64 letters, digits, `_` or `-`; U+200D ZERO WIDTH JOINER at position \
             4 can't stand in it; the directory's id is wanted (IAM.Vendor.id of iam-get-user) []",
        ),
        row(
            "an id in both lists",
            change(json!(["u-1", "u-2"]), json!("u-3,u-2")),
            vec![],
            "failed 400: u-2 is in memberIdsToAdd and in memberIdsToDelete; leave it in one []",
        ),
        row(
            "invisible character",
            rename(json!({"id": "g-1", "displayName": "Ad\u{200b}mins"})),
            vec![],
            "failed 400: scim.displayName: U+200B ZERO WIDTH SPACE at position 3 can't stand in it; take it out, it is invisible []",
        ),
        row(
            "a name that is not text",
            rename(json!({"id": "g-1", "displayName": 7})),
            vec![],
            "failed 400: scim.displayName must be text, not a number; send it in quotes []",
        ),
        row(
            "a name that is not text, found before members are changed",
            command(
                "iam-update-group",
                json!({"scim": {"id": "g-1", "displayName": 7}, "memberIdsToAdd": "u-1"}),
            ),
            vec![],
            "failed 400: scim.displayName must be text, not a number; send it in quotes []",
        ),
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
fn bad_members_are_found_among_many() {
    for kind in [ErrorKind::Absent, ErrorKind::Status(400)] {
        for (bad, calls) in [
            (vec!["u-0"], 16),
            (vec!["u-37"], 16),
            (vec!["u-99"], 16),
            (vec!["u-5", "u-62", "u-63"], 45),
            (vec!["u-99", "u-100"], 32),
            (vec!["u-120", "u-249"], 32),
        ] {
            let command = change(json!(ids(0..125)), json!(ids(125..250)));
            let (questions, outcome) = drive(&command, &rules(), refusing(&bad, kind));
            assert_eq!(results(&outcome, "failed"), bad, "{kind:?}");
            assert_eq!(results(&outcome, "done").len(), 250 - bad.len(), "{kind:?} {bad:?}");
            assert!(questions.len() <= 3 + calls + 1, "{bad:?}: {} calls", questions.len());
            let looks = questions.iter().filter(|question| sizes(question).is_none()).count();
            assert_eq!(looks, 1, "the group is read once, {bad:?}");
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

#[test]
fn the_details_are_the_headers_of_the_last_answer() {
    let told = |id: &str| Headers(vec![("x-amzn-RequestId".to_owned(), id.to_owned())]);
    let answers = ["r-1", "r-2"].map(|id| Ok(crate::decide::Reply::Headers(told(id))));
    let command = change(json!(ids(0..101)), json!(null));
    let GroupEnd::Done { details, .. } = group_end(outcome(&command, &rules(), answers.into())) else {
        panic!("both were done")
    };
    assert_eq!(Value::from(details), json!({"x-amzn-RequestId": "r-2"}));
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
