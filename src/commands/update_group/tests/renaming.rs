//! A group's new name and external id.

use super::*;

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
