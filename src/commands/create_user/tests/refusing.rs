use serde_json::json;

use super::create;
use crate::commands::testing::*;

#[test]
fn nothing_is_asked_for_what_no_user_can_be() {
    let hidden = "failed Create 400: userName: U+200B ZERO WIDTH SPACE at position 3 can't stand in it; take it out, it is invisible (user-profile.username) [-]";
    hold([
        case("invisible character", create(json!({"username": "te\u{200b}st"}))).ends(hidden),
        case("control character", create(json!({"username": "te\u{0}st"}))).ends("failed Create 400: userName: U+0000 NULL at position 3 can't stand in it; take it out, it is a control character (user-profile.username) [-]"),
        case(
            "invisible, to another directory",
            create(json!({"username": "te\u{200b}st"})),
        )
        .ends(hidden)
        .rfc(),
        case("a name that is not text", create(json!({"username": 7})))
            .ends("failed Create 400: user-profile.username: must be text, not a number; send it in quotes [-]"),
        case("white space in the name", create(json!({"username": "te st"})))
            .ends("failed Create 400: userName: U+0020 SPACE at position 3 can't stand in it; take it out, it is a space (user-profile.username) [-]"),
        case(
            "white space in the old name",
            create(json!({"olduserdata": {"username": "te st"}})),
        )
        .ends("failed Create 400: olduserdata.userName: U+0020 SPACE at position 3 can't stand in it; take it out, it is a space (user-profile.olduserdata.username) [-]"),
        case("malformed id", create(json!({"id": "../Groups/g"})))
            .ends("failed Create 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]"),
        case(
            "malformed id, the command switched off",
            create(json!({"id": "../Groups/g"})),
        )
        .with(|policy| policy.create_user_enabled = false)
        .ends("failed Create 400: user-profile.id must be …"),
        case("old data are no document", create(json!({"olduserdata": [1]})))
            .ends("failed Create 400: user-profile.olduserdata must be an object, …"),
        case("id not text", create(json!({"id": 7})))
            .ends("failed Create 400: user-profile.id must be text, not a number; send it in quotes [-]"),
        case("no key", create(json!({"username": null}))).ends(
            "failed Create 400: user-profile needs at least one of: id, username, employeeid, also in olduserdata [-]",
        ),
        case("empty key", create(json!({"username": ""}))).ends(
            "failed Create 400: user-profile needs at least one of: id, username, employeeid, also in olduserdata [-]",
        ),
    ]);
}
