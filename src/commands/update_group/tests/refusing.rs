//! What is not sent.

use super::*;

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
