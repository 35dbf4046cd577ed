//! Keys that no user can have: refused before any call.

use serde_json::json;

use super::get;
use crate::commands::testing::*;

#[test]
fn an_id_is_letters_digits_hyphens_and_underscores() {
    let long = "x".repeat(65);
    for id in [".", "..", "a/b", "a\\b", "a b", "a%2fb", "é", &long] {
        hold([
            case("id", get(json!({"id": id, "username": "test"})))
                .ends("failed Get 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-`…"),
            case("old id", get(json!({"username": "test", "olduserdata": {"id": id}})))
                .ends("failed Get 400: user-profile.olduserdata.id must be 1 to 64 letters, digits, `_` or `-`…"),
        ]);
    }
    hold([case("white space is named", get(json!({"id": "a b"})))
        .ends("failed Get 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-`; U+0020 SPACE at position 2 can't stand in it [-]")]);
}

#[test]
fn a_key_is_text_that_a_directory_can_hold() {
    hold([
        case("id not text", get(json!({"id": 7, "username": "test"})))
            .ends("failed Get 400: user-profile.id must be text, not a number; send it in quotes [-]"),
        case("userName not text", get(json!({"username": true})))
            .ends("failed Get 400: user-profile.username: must be text, not a boolean; send it in quotes [-]"),
        case(
            "userName a list of several",
            get(json!({"username": ["test", "toast"]})),
        )
        .ends("failed Get 400: user-profile.username: must be text, …"),
        case("white space in a userName", get(json!({"username": "te st"})))
            .ends("failed Get 400: userName: U+0020 SPACE at position 3 can't stand in it; take it out, it is a space (user-profile.username) [-]"),
        case(
            "white space in an old userName",
            get(json!({"username": "test", "olduserdata": {"username": "te st"}})),
        )
        .ends("failed Get 400: olduserdata.userName: U+0020 SPACE at position 3 can't stand in it; take it out, it is a space (user-profile.olduserdata.username) [-]"),
        case(
            "white space in a userName, to another directory",
            get(json!({"username": "te st"})),
        )
        .rfc()
        .asks("users named te st?", nobody())
        .ends("failed Get 404: User does not exist [-]"),
        case("invisible character", get(json!({"username": "te\u{ad}st"})))
            .ends("failed Get 400: userName: U+00AD SOFT HYPHEN at position 3 can't stand in it; take it out, it is invisible (user-profile.username) [-]"),
        case(
            "old data are no document",
            get(json!({"username": "test", "olduserdata": [1]})),
        )
        .ends("failed Get 400: user-profile.olduserdata must be an object, or a string that holds one [-]"),
        case("no key", get(json!({"email": "test@example.com"}))).ends(
            "failed Get 400: user-profile needs at least one of: id, username, employeeid, also in olduserdata [-]",
        ),
        case(
            "only blank keys",
            get(json!({"id": "", "username": " ", "employeeid": null, "olduserdata": "{}"})),
        )
        .ends("failed Get 400: user-profile needs at least one of: …"),
    ]);
}
