//! Whom an update looks for, by which keys.

use serde_json::json;

use super::{boss, update};
use crate::{
    commands::{Command, testing::*},
    scim::ErrorKind,
};

const QUESTIONS: [&str; 6] = [
    "user u-0?",
    "user u-1?",
    "users named old?",
    "users named test?",
    "users of employee E7?",
    "users of employee E6?",
];

const RENAME: &str = "patch u-1: userName=\"test\"";

fn by_every_key() -> Command {
    update(json!({
        "id": "u-1", "employeeid": "E7", "olduserdata": {"id": "u-0", "username": "old", "employeeid": "E6"},
    }))
}

#[test]
fn keys_are_tried_in_order_until_one_finds_a_user() {
    let named = |name: &str| json!({"userName": name, "externalId": "E7"});
    let renamed = || shown(json!({"externalId": "E7"}));
    hold([
        case("old id", by_every_key())
            .asks("user u-0?", shown(json!({"id": "u-0", "externalId": "E7"})))
            .ends("done Update u-0 active"),
        case("id", by_every_key())
            .in_vain(&QUESTIONS[..1])
            .asks("user u-1?", shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        case("old userName: a rename", by_every_key())
            .in_vain(&QUESTIONS[..2])
            .asks("users named old?", found(named("old")))
            .asks(RENAME, renamed())
            .ends("done Update u-1 active"),
        case("userName: a rename told twice", by_every_key())
            .in_vain(&QUESTIONS[..3])
            .asks("users named test?", found(named("test")))
            .ends("done Update u-1 active"),
        case("employee id, under another name: a rename", by_every_key())
            .in_vain(&QUESTIONS[..4])
            .asks("users of employee E7?", found(named("older")))
            .asks(RENAME, renamed())
            .ends("done Update u-1 active"),
        case("old employee id, under another name: a rename", by_every_key())
            .in_vain(&QUESTIONS[..5])
            .asks(
                "users of employee E6?",
                found(json!({"userName": "older", "externalId": "E6"})),
            )
            .asks("patch u-1: userName=\"test\" externalId=\"E7\"", renamed())
            .ends("done Update u-1 active"),
        case("none: made", by_every_key())
            .in_vain(&QUESTIONS)
            .asks("create test active", renamed())
            .ends("done Create u-1 active"),
        case(
            "what is as it was is asked once",
            update(json!({
                "id": "u-1", "employeeid": "E7", "olduserdata": {"id": "u-1", "username": "test", "employeeid": "E7"},
            })),
        )
        .in_vain(&["user u-1?", "users named test?", "users of employee E7?"])
        .asks("create test active", renamed())
        .ends("done Create u-1 active"),
        case("no foreign id", by_every_key())
            .foreign_ids()
            .in_vain(&["users named old?"])
            .asks("users named test?", found(named("test")))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn a_rename_goes_by_id_too() {
    let by_id = || update(json!({"id": "u-1", "username": "new"}));
    let rename = "patch u-1: userName=\"new\"";
    let renamed = || shown(json!({"userName": "new"}));
    hold([
        case("the new name is free", by_id())
            .asks("user u-1?", shown(json!({})))
            .asks("users named new?", nobody())
            .asks(rename, renamed())
            .ends("done Update u-1 active"),
        case(
            "the new name is the same user's, the directory just renamed it",
            by_id(),
        )
        .asks("user u-1?", shown(json!({})))
        .asks("users named new?", found(json!({"userName": "new"})))
        .asks(rename, renamed())
        .ends("done Update u-1 active"),
        case(
            "the old id",
            update(json!({"username": "new", "olduserdata": {"id": "u-1"}})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks(rename, renamed())
        .ends("done Update u-1 active"),
        case(
            "the old id, the new name being another user's",
            update(json!({"username": "new", "olduserdata": {"id": "u-1"}})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks(rename, status(409))
        .asks_whose("users named new?", found(json!({"id": "u-2", "userName": "new"})))
        .ends("failed Update 409: said; the userName is taken by user u-2 (userName new) [u-1]"),
        case("told twice", by_id())
            .asks("user u-1?", renamed())
            .ends("done Update u-1 active"),
        case("looking for the new name fails", by_id())
            .asks("user u-1?", shown(json!({})))
            .asks("users named new?", status(500))
            .ends("failed Update 500: said [u-1]"),
    ]);
}

#[test]
fn a_rename_goes_by_the_old_name() {
    let names = || update(json!({"username": "new", "olduserdata": {"username": "test"}}));
    let rename = "patch u-1: userName=\"new\"";
    hold([
        case(
            "by display names, in a text",
            update(json!({"username": "new", "olduserdata": "{\"User Name\": \"test\"}"})),
        )
        .asks("users named test?", found(json!({})))
        .asks(rename, shown(json!({"userName": "new"})))
        .ends("done Update u-1 active"),
        case(
            "told twice, with a change",
            update(json!({"username": "new", "title": "Boss", "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", nobody())
        .asks("users named new?", found(json!({"userName": "new"})))
        .asks("patch u-1: title=\"Boss\"", shown(json!({"userName": "new"})))
        .ends("done Update u-1 active"),
        case(
            "in its other form",
            update(json!({"username": "new", "olduserdata": {"username": "jos\u{e9}"}})),
        )
        .asks("users named jos\u{e9}?", nobody())
        .asks("users named jose\u{301}?", found(json!({"userName": "jose\u{301}"})))
        .asks(rename, shown(json!({"userName": "new"})))
        .ends("done Update u-1 active"),
        case(
            "the old name alone",
            update(json!({"username": null, "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Update u-1 active"),
        case("the rename is not shown", names())
            .asks("users named test?", found(json!({})))
            .asks(rename, shown(json!({})))
            .ends("failed Update 502: mismatch: the directory answered without having made the change [u-1]"),
        case("the rename's answer is lost", names())
            .asks("users named test?", found(json!({})))
            .asks(rename, lost())
            .asks("user u-1?", shown(json!({"userName": "new"})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn an_unknown_id_is_a_hint_that_did_not_help() {
    let aws = || update(json!({"id": "906790AB-1234-4ABC-8DEF-0123456789AB"}));
    let asked = "user 906790ab-1234-4abc-8def-0123456789ab?";
    hold([
        case("foreign, 400", update(json!({"id": "hr-7"})))
            .asks("user hr-7?", status(400))
            .asks("users named test?", found(json!({})))
            .ends("done Update u-1 active"),
        case("of AWS's form: an update goes on by name", aws())
            .in_vain(&[asked])
            .asks("users named test?", found(json!({})))
            .ends("done Update u-1 active"),
        case("of AWS's form, and nobody of the name", aws())
            .in_vain(&[asked, "users named test?"])
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
    ]);
}

#[test]
fn what_comes_back_is_what_was_asked_for() {
    hold([
        case("two of the name", boss())
            .asks("users named test?", two())
            .ends("failed Update 409: ambiguous: more than one user has this userName [-]"),
        case("another name", boss())
            .asks("users named test?", found(json!({"userName": "toast"})))
            .ends("failed Update 502: mismatch: the directory answered with a user of another userName [-]"),
        case(
            "another name under the old one",
            update(json!({"olduserdata": {"username": "old"}})),
        )
        .asks("users named old?", found(json!({})))
        .ends("failed Update 502: mismatch: the directory answered with a user of another userName [-]"),
        case("another id", update(json!({"id": "u-2"})))
            .asks("user u-2?", shown(json!({})))
            .ends("failed Update 502: mismatch: the directory answered with a user of another id [-]"),
        case("a failed question", by_every_key())
            .asks("user u-0?", status(500))
            .ends("failed Update 500: said [-]"),
        case("a wrong URL is no absence", boss())
            .asks("users named test?", failed(ErrorKind::WrongUrl))
            .ends("failed Update 404: said [-]"),
    ]);
}
