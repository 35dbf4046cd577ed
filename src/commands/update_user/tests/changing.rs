use serde_json::json;

use super::{boss, update, with_allow_enable};
use crate::commands::testing::*;

#[test]
fn only_what_differs_is_patched() {
    hold([
        case("switch off", boss())
            .ends("skipped Update: Command is disabled. [-]")
            .with(|policy| policy.update_user_enabled = false),
        case("nothing differs", update(json!({})))
            .asks("users named test?", found(json!({"title": "Clerk"})))
            .ends("done Update u-1 active"),
        case("one field", boss())
            .asks("users named test?", found(json!({"title": "Clerk"})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case(
            "an empty field removes nothing",
            update(json!({"title": "", "surname": ""})),
        )
        .asks("users named test?", found(json!({"title": "Clerk"})))
        .ends("done Update u-1 active"),
        case(
            "part of the name, sent whole",
            update(json!({"givenname": "Tea", "surname": null})),
        )
        .asks("users named test?", found(json!({})))
        .asks(
            "patch u-1: name={\"givenName\":\"Tea\",\"familyName\":\"St\"}",
            shown(json!({})),
        )
        .ends("done Update u-1 active"),
        case(
            "an attribute of the enterprise extension",
            update(json!({"department": "D"})),
        )
        .asks("users named test?", found(json!({})))
        .asks("patch u-1: enterprise:department=\"D\"", shown(json!({})))
        .ends("done Update u-1 active"),
    ]);
}

#[test]
fn a_user_name_is_not_altered_in_its_spelling_alone() {
    hold([
        case("letter case", update(json!({})))
            .asks("users named test?", found(json!({"userName": "TEST"})))
            .ends("done Update u-1 active"),
        case("letter case, beside a change", boss())
            .asks("users named test?", found(json!({"userName": "TEST"})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"userName": "TEST"})))
            .ends("done Update u-1 active"),
        case("letter case, found by id", update(json!({"id": "u-1"})))
            .asks("user u-1?", shown(json!({"userName": "TEST"})))
            .ends("done Update u-1 active"),
        case("normal form", update(json!({"username": "jos\u{e9}"})))
            .asks("users named jos\u{e9}?", nobody())
            .asks("users named jose\u{301}?", found(json!({"userName": "jose\u{301}"})))
            .ends("done Update u-1 active"),
        case(
            "the old data have the user's spelling",
            update(json!({"olduserdata": {"username": "TEST"}})),
        )
        .asks("users named TEST?", found(json!({"userName": "TEST"})))
        .asks("patch u-1: userName=\"test\"", shown(json!({})))
        .ends("done Update u-1 active"),
        case(
            "the old data have a third spelling",
            update(json!({"olduserdata": {"username": "Test"}})),
        )
        .asks("users named Test?", found(json!({"userName": "TEST"})))
        .ends("done Update u-1 active"),
    ]);
}

#[test]
fn an_inactive_user_is_enabled_in_the_same_patch() {
    let inactive = || found(json!({"active": false}));
    hold([
        case("alone", update(json!({})))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({})))
            .ends("done Update u-1 active"),
        case(
            "with a rename",
            update(json!({"username": "new", "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", inactive())
        .asks(
            "patch u-1: userName=\"new\" active=true",
            shown(json!({"userName": "new"})),
        )
        .ends("done Update u-1 active"),
        case("enable switch off", boss())
            .asks("users named test?", inactive())
            .asks("patch u-1: title=\"Boss\"", shown(json!({"active": false})))
            .ends("done Update u-1 inactive")
            .with(|policy| policy.enable_user_enabled = false),
        case("allow-enable false", with_allow_enable(json!({}), json!(false)))
            .asks("users named test?", inactive())
            .ends("done Update u-1 inactive"),
        case("allow-enable \"false\"", with_allow_enable(json!({}), json!("false")))
            .asks("users named test?", inactive())
            .ends("done Update u-1 inactive"),
        case("allow-enable null is true", with_allow_enable(json!({}), json!(null)))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({})))
            .ends("done Update u-1 active"),
        case("allow-enable empty is true", with_allow_enable(json!({}), json!("")))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({})))
            .ends("done Update u-1 active"),
        case("not given, and false by default", update(json!({})))
            .with(|policy| policy.allow_enable_default = false)
            .asks("users named test?", inactive())
            .ends("done Update u-1 inactive"),
        case(
            "given as true, and false by default",
            with_allow_enable(json!({}), json!(true)),
        )
        .with(|policy| policy.allow_enable_default = false)
        .asks("users named test?", inactive())
        .asks("patch u-1: active=true", shown(json!({})))
        .ends("done Update u-1 active"),
        case("not known to be inactive", update(json!({})))
            .asks("users named test?", found(json!({"active": null})))
            .ends("done Update u-1 unknown"),
        case("the answer shows it inactive", update(json!({})))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({"active": false})))
            .ends("failed Update 502: mismatch: the directory answered without having made the change [u-1]"),
    ]);
}

#[test]
fn a_profile_that_says_inactive_enables_nobody() {
    let told = |active: &serde_json::Value| update(json!({"active": active}));
    let refused = "failed Update 400: user-profile.active is false, and allow-enable is true: a leaver? send \
                   iam-disable-user; else allow-enable=false [-]";
    let inactive = [
        json!(false),
        json!(0),
        json!("false"),
        json!("No"),
        json!(" 0 "),
        json!("INACTIVE"),
    ];
    for active in &inactive {
        hold([
            case("allow-enable by default", told(active)).ends(refused),
            case("allow-enable false by default", told(active))
                .with(|policy| policy.allow_enable_default = false)
                .asks("users named test?", found(json!({})))
                .ends("done Update u-1 active"),
        ]);
    }
    for active in [
        json!(true),
        json!(1),
        json!("yes"),
        json!("active"),
        json!(""),
        json!(null),
    ] {
        hold([case("active, or not said", told(&active))
            .asks("users named test?", found(json!({})))
            .ends("done Update u-1 active")]);
    }
    hold([
        case(
            "allow-enable true",
            with_allow_enable(json!({"active": false}), json!("true")),
        )
        .with(|policy| policy.allow_enable_default = false)
        .ends(refused),
        case(
            "allow-enable false",
            with_allow_enable(json!({"active": false}), json!(false)),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Update u-1 active"),
        case("the command switched off is a skip", told(&json!(false)))
            .with(|policy| policy.update_user_enabled = false)
            .ends("skipped Update: Command is disabled. [-]"),
    ]);
}

#[test]
fn only_what_is_changed_has_to_please() {
    hold([
        case(
            "stored before the rule",
            update(json!({"employeeid": "1 2", "title": "Boss"})),
        )
        .asks("users named test?", found(json!({"externalId": "1 2"})))
        .asks("patch u-1: title=\"Boss\"", shown(json!({})))
        .ends("done Update u-1 active"),
        case("a new value breaks the rule", update(json!({"employeeid": "1 2"})))
            .asks("users named test?", found(json!({})))
            .ends("failed Update 400: externalId: U+0020 SPACE at position 2 can't stand in it; take it out, it is a space (user-profile.employeeid) [u-1]"),
        case(
            "a new value, to another directory",
            update(json!({"employeeid": "1 2"})),
        )
        .asks("users named test?", found(json!({})))
        .asks("patch u-1: externalId=\"1 2\"", shown(json!({})))
        .ends("done Update u-1 active")
        .rfc(),
        case("not text", update(json!({"title": 7})))
            .asks("users named test?", found(json!({})))
            .ends("failed Update 400: user-profile.title: must be text, not a number; send it in quotes [u-1]"),
    ]);
}

#[test]
fn a_dry_run_goes_the_same_way() {
    hold([case("found", boss())
        .asks("users named test?", found(json!({})))
        .asks("patch u-1: title=\"Boss\"", shown(json!({})))
        .ends("done Update u-1 active")
        .dry()]);
}
