//! What a create does after a 409.

use serde_json::json;

use super::{boss, create, numbered, with_allow_enable};
use crate::{commands::testing::*, scim::ErrorKind};

#[test]
fn a_user_that_is_there_is_updated() {
    hold([
        case("found, differs", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found in another letter case, which stays", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"userName": "Test", "title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found, nothing differs", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found, update switch off", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .ends("skipped Update: Command is disabled. [u-1]")
            .with(|policy| policy.update_user_enabled = false),
        case("found inactive", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"active": false})))
            .asks("patch u-1: title=\"Boss\" active=true", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found inactive, enable switch off", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"active": false})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"active": false})))
            .ends("done Update u-1 inactive")
            .with(|policy| policy.enable_user_enabled = false),
        case(
            "found inactive, allow-enable false",
            with_allow_enable(json!({}), json!(false)),
        )
        .asks("create test inactive", status(409))
        .asks("users named test?", found(json!({"active": false})))
        .ends("done Update u-1 inactive"),
        case(
            "found active, allow-enable false does not disable",
            with_allow_enable(json!({}), json!(false)),
        )
        .asks("create test inactive", status(409))
        .asks("users named test?", found(json!({})))
        .ends("done Update u-1 active"),
        case("gone before the PATCH: never created again", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", absent())
            .ends("failed Update 404: User does not exist [u-1]"),
        case("the PATCH conflicts twice: never created again", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", status(409))
            .asks("user u-1?", shown(json!({})))
            .asks("patch u-1: title=\"Boss\"", status(409))
            .ends("failed Update 409: said [u-1]"),
        case("the PATCH's answer is lost, and it is made", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", lost())
            .asks("user u-1?", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn a_conflict_is_looked_into() {
    let by_name = |name| case(name, create(json!({}))).asks("create test active", status(409));
    let by_both = |name| {
        case(name, numbered())
            .asks("create test active", status(409))
            .in_vain(&["users named test?"])
    };
    hold([
        by_both("the same person under another name: a rename")
            .asks(
                "users of employee E7?",
                found(json!({"id": "u-7", "userName": "old", "externalId": "E7"})),
            )
            .asks(
                "patch u-7: userName=\"test\"",
                shown(json!({"id": "u-7", "externalId": "E7"})),
            )
            .ends("done Update u-7 active"),
        by_both("two have the employee id")
            .asks("users of employee E7?", two())
            .ends("failed Create 409: ambiguous: more than one user has this externalId (employee id) [-]"),
        by_both("looking for the employee id fails")
            .asks("users of employee E7?", status(500))
            .ends("failed Create 500: said [-]"),
        by_name("two have the name")
            .asks("users named test?", two())
            .ends("failed Create 409: ambiguous: …"),
        by_name("another name answers to it")
            .asks("users named test?", found(json!({"userName": "toast"})))
            .ends("failed Create 502: mismatch: …"),
        by_name("the look fails")
            .asks("users named test?", status(500))
            .ends("failed Create 500: said [-]"),
        by_name("a wrong URL is no absence")
            .asks("users named test?", failed(ErrorKind::WrongUrl))
            .ends("failed Create 404: said [-]"),
    ]);
}

#[test]
fn a_conflict_with_nobody_found_is_of_the_email() {
    let nobody_found = |name| {
        case(name, create(json!({})))
            .asks("create test active", status(409))
            .in_vain(&["users named test?"])
    };
    let holder = "users named test@example.com?";
    hold([
        nobody_found("a user has it as userName")
            .asks_whose(holder, found(json!({"id": "u-7", "userName": "Test@example.com"})))
            .ends("failed Create 409: said; the e-mail is taken by user u-7 (userName Test@example.com) [-]"),
        nobody_found("no user has it as userName")
            .asks_whose(holder, nobody())
            .ends(
                "failed Create 409: said; no other user has this userName, so what clashes is most likely the e-mail [-]",
            ),
        nobody_found("looking for its holder fails: the conflict stays")
            .asks_whose(holder, status(500))
            .ends("failed Create 409: said; looking for whom it clashes with failed: said [-]"),
        case("nor has a user the employee id", numbered())
            .asks("create test active", status(409))
            .in_vain(&["users named test?", "users of employee E7?"])
            .asks_whose(holder, nobody())
            .ends(
                "failed Create 409: said; no other user has this userName or employee id, so what clashes is most \
                 likely the e-mail [-]",
            ),
        case("the e-mail is the userName, which is free", create(json!({"username": "test@example.com"})))
            .asks("create test@example.com active", status(409))
            .in_vain(&[holder])
            .ends("failed Create 409: said; no other user has this userName, so what clashes …"),
        case("no e-mail was sent", create(json!({"email": null})))
            .rfc()
            .asks("create test active", status(409))
            .in_vain(&["users named test?"])
            .ends("failed Create 409: said; no other user was found that has it [-]"),
    ]);
}
