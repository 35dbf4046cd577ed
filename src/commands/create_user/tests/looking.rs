//! What a create looks for before it posts: what a 409 would not show.

use serde_json::json;

use super::{create, with_allow_enable};
use crate::{
    commands::{Command, testing::*},
    policy::Adopt,
    scim::ErrorKind,
};

/// What a create asks that must look by all keys, while none finds a user.
const QUESTIONS: [&str; 6] = [
    "user u-1?",
    "users named test?",
    "users of employee E7?",
    "user u-0?",
    "users named old?",
    "users of employee E6?",
];

fn by_every_key(surname: Option<&str>) -> Command {
    create(json!({
        "id": "u-1", "employeeid": "E7", "surname": surname,
        "olduserdata": {"id": "u-0", "username": "old", "employeeid": "E6"},
    }))
}

#[test]
fn the_id_is_looked_for_before_the_post() {
    let known = || create(json!({"id": "u-1", "title": "Boss"}));
    hold([
        case("found", known())
            .asks("user u-1?", shown(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found under another name: renamed", create(json!({"id": "u-1"})))
            .asks("user u-1?", shown(json!({"userName": "old"})))
            .asks("users named test?", nobody())
            .asks("patch u-1: userName=\"test\"", shown(json!({})))
            .ends("done Update u-1 active"),
        case("found, and the name is another user's", create(json!({"id": "u-1"})))
            .asks("user u-1?", shown(json!({"userName": "old"})))
            .asks("users named test?", found(json!({"id": "u-2"})))
            .ends("failed Create 409: the userName is taken by user u-2 (userName test) [u-1]"),
        case(
            "another employee id, found by id",
            create(json!({"id": "u-1", "employeeid": "E7"})),
        )
        .asks("user u-1?", shown(json!({"externalId": "E8"})))
        .asks("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"})))
        .ends("done Update u-1 active"),
        case("unknown: posted", known())
            .asks("user u-1?", absent())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case("unknown, of another form, 400: posted", known())
            .asks("user u-1?", status(400))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case(
            "unknown, of AWS's form: posted",
            create(json!({"id": "906790AB-1234-4ABC-8DEF-0123456789AB"})),
        )
        .asks("user 906790ab-1234-4abc-8def-0123456789ab?", absent())
        .asks("create test active", shown(json!({})))
        .ends("done Create u-1 active"),
        case("another id answers to it", known())
            .asks("user u-1?", shown(json!({"id": "u-2"})))
            .ends("failed Create 502: mismatch: …"),
        case("a wrong URL is no absence", known())
            .asks("user u-1?", failed(ErrorKind::WrongUrl))
            .ends("failed Create 404: said [-]"),
    ]);
}

#[test]
fn the_other_form_of_the_name_is_looked_for_before_the_post() {
    let composed = || create(json!({"username": "jos\u{e9}"}));
    let decomposed = || found(json!({"userName": "jose\u{301}"}));
    hold([
        case("neither is there: posted", composed())
            .in_vain(&["users named jose\u{301}?"])
            .asks("create jos\u{e9} active", shown(json!({"userName": "jos\u{e9}"})))
            .ends("done Create u-1 active"),
        case("decomposed is there: updated, and keeps its form", composed())
            .asks("users named jose\u{301}?", decomposed())
            .asks("users named jos\u{e9}?", nobody())
            .ends("done Update u-1 active"),
        case("both are there: the name as it was sent", composed())
            .asks("users named jose\u{301}?", decomposed())
            .asks(
                "users named jos\u{e9}?",
                found(json!({"id": "u-2", "userName": "jos\u{e9}"})),
            )
            .ends("done Update u-2 active"),
        case("decomposed is there, where no create adopts", composed())
            .adopting(Adopt::Never)
            .asks("users named jose\u{301}?", decomposed())
            .asks("users named jos\u{e9}?", nobody())
            .ends("failed Create 409: user u-1 (userName jose\u{301}) is there, and `adopt` is set to never [u-1]"),
    ]);
}

#[test]
fn the_old_keys_are_looked_for_before_the_post() {
    let old = ["user u-1?", "user u-0?", "users named old?", "users of employee E6?"];
    let new = ["users named test?", "users of employee E7?"];
    let both = "patch u-1: userName=\"test\" externalId=\"E7\"";
    let renamed = || shown(json!({"externalId": "E7"}));
    hold([
        case("none: posted", by_every_key(Some("St")))
            .in_vain(&old)
            .asks("create test active", renamed())
            .ends("done Create u-1 active"),
        case("old id", by_every_key(Some("St")))
            .in_vain(&old[..1])
            .asks(
                "user u-0?",
                shown(json!({"id": "u-0", "userName": "old", "externalId": "E6"})),
            )
            .in_vain(&new)
            .asks(
                "patch u-0: userName=\"test\" externalId=\"E7\"",
                shown(json!({"id": "u-0", "externalId": "E7"})),
            )
            .ends("done Update u-0 active"),
        case("old userName", by_every_key(Some("St")))
            .in_vain(&old[..2])
            .asks(
                "users named old?",
                found(json!({"userName": "old", "externalId": "E6"})),
            )
            .in_vain(&new)
            .asks(both, renamed())
            .ends("done Update u-1 active"),
        case("old employee id", by_every_key(Some("St")))
            .in_vain(&old[..3])
            .asks(
                "users of employee E6?",
                found(json!({"userName": "older", "externalId": "E6"})),
            )
            .in_vain(&new)
            .asks(both, renamed())
            .ends("done Update u-1 active"),
        case(
            "old userName, given again: the name of now counts",
            by_every_key(Some("St")),
        )
        .in_vain(&old[..2])
        .asks(
            "users named old?",
            found(json!({"id": "u-9", "userName": "old", "externalId": "E9"})),
        )
        .asks("users named test?", found(json!({"externalId": "E7"})))
        .ends("done Update u-1 active"),
        case(
            "old userName, given again: the employee id counts",
            by_every_key(Some("St")),
        )
        .in_vain(&old[..2])
        .asks(
            "users named old?",
            found(json!({"id": "u-9", "userName": "old", "externalId": "E9"})),
        )
        .asks("users named test?", nobody())
        .asks(
            "users of employee E7?",
            found(json!({"userName": "older", "externalId": "E7"})),
        )
        .asks("patch u-1: userName=\"test\"", renamed())
        .ends("done Update u-1 active"),
        case(
            "what is as it was is not old",
            create(json!({"olduserdata": {"username": "test"}})),
        )
        .asks("create test active", shown(json!({})))
        .ends("done Create u-1 active"),
    ]);
}

#[test]
fn what_cannot_be_created_is_looked_for_by_all_keys() {
    let partial = || by_every_key(None);
    let both = "patch u-1: userName=\"test\" externalId=\"E7\"";
    let renamed = || shown(json!({"externalId": "E7"}));
    hold([
        case("id", partial())
            .asks("user u-1?", shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        case("userName", partial())
            .in_vain(&QUESTIONS[..1])
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        case("employee id", partial())
            .in_vain(&QUESTIONS[..2])
            .asks(
                "users of employee E7?",
                found(json!({"userName": "new", "externalId": "E7"})),
            )
            .asks("patch u-1: userName=\"test\"", renamed())
            .ends("done Update u-1 active"),
        case("old userName", partial())
            .in_vain(&QUESTIONS[..4])
            .asks(
                "users named old?",
                found(json!({"userName": "old", "externalId": "E6"})),
            )
            .asks(both, renamed())
            .ends("done Update u-1 active"),
        case("old employee id", partial())
            .in_vain(&QUESTIONS[..5])
            .asks(
                "users of employee E6?",
                found(json!({"userName": "older", "externalId": "E6"})),
            )
            .asks(both, renamed())
            .ends("done Update u-1 active"),
        case("none", partial()).in_vain(&QUESTIONS).ends(
            "failed Create 400: name.familyName: a new user needs it; give it a value (user-profile.surname) [-]",
        ),
        case(
            "without a userName",
            create(json!({"username": null, "employeeid": "E7"})),
        )
        .in_vain(&["users of employee E7?"])
        .ends("failed Create 400: userName: a new user needs it; …"),
        case(
            "partial, for a directory that asks for a name only",
            create(json!({"surname": null})),
        )
        .rfc()
        .asks("create test active", shown(json!({})))
        .ends("done Create u-1 active"),
        case("not text, nobody", create(json!({"title": 7})))
            .in_vain(&["users named test?"])
            .ends("failed Create 400: user-profile.title: must be text, not a number; send it in quotes [-]"),
        case("not text, found", create(json!({"title": 7})))
            .asks("users named test?", found(json!({})))
            .ends("failed Update 400: user-profile.title: must be text, not a number; send it in quotes [u-1]"),
        case("two of the name", create(json!({"surname": null})))
            .asks("users named test?", two())
            .ends("failed Create 409: ambiguous: …"),
    ]);
}

#[test]
fn a_dry_run_looks_by_all_keys_before_it_would_post() {
    hold([
        case("nobody", by_every_key(Some("St")))
            .dry()
            .in_vain(&QUESTIONS)
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case("nobody, inactive", with_allow_enable(json!({}), json!(false)))
            .dry()
            .in_vain(&["users named test?"])
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("found", create(json!({"title": "Boss"})))
            .dry()
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("partial", create(json!({"surname": null})))
            .dry()
            .in_vain(&["users named test?"])
            .ends("failed Create 400: name.familyName…"),
    ]);
}
