//! Members that are added and removed, and the group they are of.

use super::*;

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
fn the_details_are_the_headers_of_the_last_answer() {
    let told = |id: &str| Headers(vec![("x-amzn-RequestId".to_owned(), id.to_owned())]);
    let answers = ["r-1", "r-2"].map(|id| Ok(crate::decide::Reply::Headers(told(id))));
    let command = change(json!(ids(0..101)), json!(null));
    let GroupEnd::Done { details, .. } = group_end(outcome(&command, &rules(), answers.into())) else {
        panic!("both were done")
    };
    assert_eq!(Value::from(details), json!({"x-amzn-RequestId": "r-2"}));
}
