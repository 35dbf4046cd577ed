//! Whose it is what an update was refused for.

use serde_json::{Value, json};

use super::update;
use crate::commands::testing::*;

/// A change that is refused.
fn refused(name: &'static str, changes: Value, patch: &'static str) -> Row {
    let by_id = update(with(changes, json!({"id": "u-1"})));
    case(name, by_id)
        .asks("user u-1?", shown(json!({})))
        .asks(patch, status(409))
}

const NUMBER: &str = "patch u-1: externalId=\"E7\"";

const EMAIL: &str = "patch u-1: emails=[{\"value\":\"new@example.com\",\"type\":\"work\",\"primary\":true}]";

const BOTH: &str = "patch u-1: emails=[{\"value\":\"new@example.com\",\"type\":\"work\",\"primary\":true}] \
                    externalId=\"E7\"";

#[test]
fn a_clash_says_which_attribute_and_whose_it_is() {
    let numbered = || refused("employee id", json!({"employeeid": "E7"}), NUMBER);
    let mail = || refused("e-mail", json!({"email": "new@example.com"}), EMAIL);
    hold([
        numbered()
            .asks_whose("users of employee E7?", found(json!({"id": "u-7", "userName": "o", "externalId": "E7"})))
            .ends("failed Update 409: said; the externalId (employee id) is taken by user u-7 (userName o) [u-1]"),
        numbered()
            .asks_whose("users of employee E7?", nobody())
            .asks(NUMBER, status(409))
            .ends("failed Update 409: said; no other user was found that has it [u-1]"),
        numbered()
            .asks_whose("users of employee E7?", found(json!({"externalId": "E7"})))
            .asks(NUMBER, status(409))
            .ends("failed Update 409: said; no other user was found that has it [u-1]"),
        numbered()
            .asks_whose("users of employee E7?", status(500))
            .ends("failed Update 409: said; looking for whom it clashes with failed: said [u-1]"),
        mail()
            .asks_whose("users named new@example.com?", found(json!({"id": "u-7", "userName": "new@example.com"})))
            .ends("failed Update 409: said; the e-mail is taken by user u-7 (userName new@example.com) [u-1]"),
        mail()
            .asks_whose("users named new@example.com?", nobody())
            .asks(EMAIL, status(409))
            .ends("failed Update 409: said; what clashes is most likely the e-mail [u-1]"),
        numbered()
            .asks_whose("users of employee E7?", nobody())
            .asks(NUMBER, shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        numbered()
            .asks_whose("users of employee E7?", nobody())
            .asks(NUMBER, lost())
            .asks("user u-1?", shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        refused("another writer, not a clash", json!({"title": "Boss"}), "patch u-1: title=\"Boss\"")
            .asks("user u-1?", shown(json!({})))
            .asks("patch u-1: title=\"Boss\"", status(409))
            .ends("failed Update 409: said [u-1]"),
        refused(
            "two values: at most two reads",
            json!({"employeeid": "E7", "email": "new@example.com"}),
            BOTH,
        )
        .asks_whose("users of employee E7?", nobody())
        .asks_whose("users named new@example.com?", nobody())
        .asks(BOTH, status(409))
        .ends("failed Update 409: said; no other user has this employee id, so what clashes is most likely the e-mail [u-1]"),
    ]);
}

#[test]
fn a_new_name_that_another_user_has_is_taken() {
    let rename = || update(json!({"username": "new", "olduserdata": {"username": "test"}}));
    let patch = "patch u-1: userName=\"new\"";
    let refused = || {
        case("the new userName", rename())
            .asks("users named test?", found(json!({})))
            .asks(patch, status(409))
    };
    hold([
        refused()
            .asks_whose("users named new?", found(json!({"id": "u-2", "userName": "new"})))
            .ends("failed Update 409: said; the userName is taken by user u-2 (userName new) [u-1]"),
        refused()
            .asks_whose("users named new?", nobody())
            .asks(patch, status(409))
            .ends("failed Update 409: said; no other user was found that has it [u-1]"),
        case(
            "known before the change, by id",
            update(json!({"id": "u-1", "username": "new"})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks("users named new?", found(json!({"id": "u-2", "userName": "new"})))
        .ends("failed Update 409: the userName is taken by user u-2 (userName new) [u-1]"),
        case(
            "known before the change, in its other form",
            update(json!({"id": "u-1", "username": "jos\u{e9}"})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks("users named jos\u{e9}?", nobody())
        .asks(
            "users named jose\u{301}?",
            found(json!({"id": "u-2", "userName": "jose\u{301}"})),
        )
        .ends("failed Update 409: the userName is taken by user u-2 …"),
    ]);
}
