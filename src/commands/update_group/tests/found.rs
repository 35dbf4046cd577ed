//! Which group is meant, and ids that are none.

use serde_json::json;

use super::{AWS_ID, change, ids, refusing, rename, results, sizes};
use crate::{commands::testing::*, outcome::GroupEnd, scim::ErrorKind};

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
