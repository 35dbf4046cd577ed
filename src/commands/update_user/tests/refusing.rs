use serde_json::json;

use super::update;
use crate::commands::testing::*;

#[test]
fn nothing_is_asked_for_what_no_user_can_be() {
    hold([
        case("malformed id", update(json!({"id": "a/b"})))
            .ends("failed Update 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]"),
        case("malformed id, the command switched off", update(json!({"id": "a/b"})))
            .ends("failed Update 400: user-profile.id must be …")
            .with(|policy| policy.update_user_enabled = false),
        case(
            "malformed old id, the command switched off",
            update(json!({"olduserdata": {"id": ".."}})),
        )
        .ends("failed Update 400: user-profile.olduserdata.id must be …")
        .with(|policy| policy.update_user_enabled = false),
        case(
            "several faults are told at once",
            update(json!({"id": "x.y", "username": ["a", "b"], "olduserdata": {"id": "a/b"}})),
        )
        .ends(
            "failed Update 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-`. user-profile.username: must be \
             text, not a list of several values; send the one that counts. user-profile.olduserdata.id must be 1 to 64 \
             letters, digits, `_` or `-` [-]",
        ),
        case("malformed old id", update(json!({"olduserdata": {"id": ".."}})))
            .ends("failed Update 400: user-profile.olduserdata.id must be 1 to 64 letters, digits, `_` or `-` [-]"),
        case("old id not text", update(json!({"olduserdata": {"id": 7}})))
            .ends("failed Update 400: user-profile.olduserdata.id must be text, not a number; send it in quotes [-]"),
        case(
            "old name not text",
            update(json!({"olduserdata": {"username": ["test", "toast"]}})),
        )
        .ends("failed Update 400: user-profile.olduserdata.username: must be text, not a list of several values; …"),
        case(
            "invisible character in the old name",
            update(json!({"olduserdata": {"username": "te\u{feff}st"}})),
        )
        .ends("failed Update 400: olduserdata.userName: U+FEFF ZERO WIDTH NO-BREAK SPACE at position 3 can't stand in it; take it out, it is invisible (user-profile.olduserdata.username) [-]"),
        case(
            "invisible character in the name",
            update(json!({"username": "te\u{202e}st"})),
        )
        .ends("failed Update 400: userName: U+202E RIGHT-TO-LEFT OVERRIDE at position 3 can't stand in it; take it out, it is invisible (user-profile.username) [-]"),
        case("old data is no document", update(json!({"olduserdata": [1]})))
            .ends("failed Update 400: user-profile.olduserdata must be an object, or a string that holds one …"),
        case(
            "no key",
            update(json!({"username": null, "olduserdata": {"title": "Boss"}})),
        )
        .ends(
            "failed Update 400: user-profile needs at least one of: id, username, employeeid, also in olduserdata [-]",
        ),
    ]);
}
