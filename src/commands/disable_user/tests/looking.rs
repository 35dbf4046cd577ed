//! Whom a disable looks for, by which keys, and what it refuses.

use serde_json::json;

use super::{OFF, disable, inactive};
use crate::{
    commands::{Command, testing::*},
    policy::Adopt,
    scim::ErrorKind,
};

const QUESTIONS: [&str; 6] = [
    "user u-1?",
    "users named test?",
    "users of employee E7?",
    "user u-0?",
    "users named old?",
    "users of employee E6?",
];

const AWS_ID: &str = "user 906790ab-1234-4abc-8def-0123456789ab?";

fn by_every_key() -> Command {
    disable(json!({
        "id": "u-1", "username": "test", "employeeid": "E7",
        "olduserdata": {"id": "u-0", "username": "old", "employeeid": "E6"},
    }))
}

#[test]
fn keys_are_tried_in_order_until_one_finds_a_user() {
    hold([
        case("id", by_every_key())
            .asks("user u-1?", shown(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("userName", by_every_key())
            .in_vain(&QUESTIONS[..1])
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("employee id, under another name", by_every_key())
            .in_vain(&QUESTIONS[..2])
            .asks(
                "users of employee E7?",
                found(json!({"userName": "new", "externalId": "E7"})),
            )
            .asks(OFF, shown(json!({"userName": "new", "active": false})))
            .ends("done Disable u-1 inactive"),
        case("old id", by_every_key())
            .in_vain(&QUESTIONS[..3])
            .asks("user u-0?", shown(json!({"id": "u-0"})))
            .asks("patch u-0: active=false", shown(json!({"id": "u-0", "active": false})))
            .ends("done Disable u-0 inactive"),
        case("old userName", by_every_key())
            .in_vain(&QUESTIONS[..4])
            .asks(
                "users named old?",
                found(json!({"userName": "old", "externalId": "E6"})),
            )
            .asks(OFF, shown(json!({"userName": "old", "active": false})))
            .ends("done Disable u-1 inactive"),
        case("old employee id, under another name", by_every_key())
            .in_vain(&QUESTIONS[..5])
            .asks(
                "users of employee E6?",
                found(json!({"userName": "older", "externalId": "E6"})),
            )
            .asks(OFF, shown(json!({"userName": "older", "active": false})))
            .ends("done Disable u-1 inactive"),
        case("none", by_every_key())
            .in_vain(&QUESTIONS)
            .ends("skipped Disable: User does not exist [-]"),
        case("the name's other form", disable(json!({"username": "jos\u{e9}"})))
            .asks("users named jos\u{e9}?", nobody())
            .asks("users named jose\u{301}?", found(json!({"userName": "jose\u{301}"})))
            .asks(OFF, shown(json!({"userName": "jose\u{301}", "active": false})))
            .ends("done Disable u-1 inactive"),
        case("not by a foreign id", by_every_key())
            .foreign_ids()
            .asks("users named test?", found(json!({"active": false})))
            .ends("skipped Disable: User is already disabled. [u-1]"),
    ]);
}

#[test]
fn an_unknown_id_of_aws_does_not_let_a_name_stand_alone() {
    let leaver = |more: serde_json::Value| {
        let mut profile = json!({"id": "906790AB-1234-4ABC-8DEF-0123456789AB", "username": "test"});
        profile
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        disable(profile)
    };
    let refused = "failed Disable 409: ambiguous: the directory does not know the id, whose account may be deleted \
                   and its name given again, and the userName is that of user u-1 (userName test); send …";
    hold([
        case("by name alone", leaver(json!({})))
            .in_vain(&[AWS_ID])
            .asks("users named test?", found(json!({})))
            .ends(refused),
        case("where any is adopted, too", leaver(json!({})))
            .adopting(Adopt::Always)
            .in_vain(&[AWS_ID])
            .asks("users named test?", found(json!({})))
            .ends(refused),
        case("an inactive user, too", leaver(json!({})))
            .in_vain(&[AWS_ID])
            .asks("users named test?", found(json!({"active": false})))
            .ends(refused),
        case("the user has no employee id", leaver(json!({"employeeid": "E7"})))
            .in_vain(&[AWS_ID])
            .asks("users named test?", found(json!({})))
            .ends(refused),
        case("the profile has no employee id", leaver(json!({})))
            .in_vain(&[AWS_ID])
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends(refused),
        case("employee ids agree", leaver(json!({"employeeid": "E7"})))
            .in_vain(&[AWS_ID])
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("found by employee id", leaver(json!({"employeeid": "E7"})))
            .in_vain(&[AWS_ID, "users named test?"])
            .asks("users of employee E7?", found(json!({"externalId": "E7"})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case(
            "the old id of AWS's form, then the old name",
            disable(json!({
                "olduserdata": {"id": "906790ab-1234-4abc-8def-0123456789ab", "username": "test"},
            })),
        )
        .in_vain(&[AWS_ID])
        .asks("users named test?", found(json!({})))
        .ends(refused),
        case("absent by name too", leaver(json!({})))
            .in_vain(&[AWS_ID, "users named test?"])
            .ends("skipped Disable: User does not exist [-]"),
        case(
            "an id of another form is a hint",
            disable(json!({"id": "hr-7", "username": "test"})),
        )
        .asks("user hr-7?", status(400))
        .asks("users named test?", found(json!({})))
        .asks(OFF, inactive())
        .ends("done Disable u-1 inactive"),
    ]);
}

#[test]
fn what_may_be_another_user_is_left_alone() {
    hold([
        case("two of the name", disable(json!({"username": "test"})))
            .asks("users named test?", two())
            .ends("failed Disable 409: ambiguous: …"),
        case("two of the employee id", disable(json!({"employeeid": "E7"})))
            .asks("users of employee E7?", two())
            .ends("failed Disable 409: ambiguous: …"),
        case("another name", disable(json!({"username": "test"})))
            .asks("users named test?", found(json!({"userName": "toast"})))
            .ends("failed Disable 502: mismatch: …"),
        case("another id", disable(json!({"id": "u-2"})))
            .asks("user u-2?", shown(json!({})))
            .ends("failed Disable 502: mismatch: …"),
        case(
            "id and userName of two users",
            disable(json!({"id": "u-1", "username": "new"})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks("users named new?", found(json!({"id": "u-2", "userName": "new"})))
        .ends("failed Disable 409: ambiguous: the id is that of user u-1 (userName test), and the userName …"),
        case(
            "the id's userName is free",
            disable(json!({"id": "u-1", "username": "new", "title": "Boss"})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks("users named new?", nobody())
        .asks(OFF, inactive())
        .ends("done Disable u-1 inactive"),
        case("a wrong URL is no absence", disable(json!({"username": "test"})))
            .asks("users named test?", failed(ErrorKind::WrongUrl))
            .ends("failed Disable 404: said [-]"),
    ]);
}

#[test]
fn a_leaver_is_never_gone_because_of_a_blank() {
    hold([
        case("white space at the ends", disable(json!({"username": " test\u{a0}"})))
            .asks("users named test?", found(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("white space within", disable(json!({"username": "te st"})))
            .ends("failed Disable 400: userName: U+0020 SPACE at position 3 can't stand in it; …"),
        case("an id with white space", disable(json!({"id": "u 1"})))
            .ends("failed Disable 400: user-profile.id must be …"),
        case(
            "an id with white space, the command switched off",
            disable(json!({"id": "u 1"})),
        )
        .with(|policy| policy.disable_user_enabled = false)
        .ends("failed Disable 400: user-profile.id must be …"),
        case("an invisible character", disable(json!({"username": "te\u{200d}st"})))
            .ends("failed Disable 400: userName: U+200D ZERO WIDTH JOINER at position 3 can't stand in it; …"),
        case(
            "nothing but a blank",
            disable(json!({"username": " ", "title": "Boss"})),
        )
        .ends("failed Disable 400: user-profile needs at least one of: id, username, employeeid, …"),
    ]);
}
