//! Whose user a create goes on with (section 4 of the contract).

use serde_json::{Value, json};

use super::{ann_lee, create, numbered};
use crate::{commands::testing::*, policy::Adopt, scim::ErrorKind};

const ANN_LEE: &str = "patch u-1: name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"} \
                       emails=[{\"value\":\"ann@example.com\",\"type\":\"work\",\"primary\":true}]";
const ANN_LEE_ENABLED: &str = "patch u-1: name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"} \
                               emails=[{\"value\":\"ann@example.com\",\"type\":\"work\",\"primary\":true}] \
                               active=true";

/// A create of these changes that is refused, because of the name.
fn refused(name: &'static str, changes: Value) -> Row {
    case(name, create(changes)).asks("create test active", status(409))
}

#[test]
fn employee_ids_say_whose_the_name_is() {
    const ANOTHERS: &str = "failed Create 409: the userName belongs to another person: user u-1 (userName test) has \
                            another externalId (employee id) [u-1]";
    let by_name = |name, has: Value| {
        case(name, numbered())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"externalId": has})))
    };
    let changed = |row: Row| {
        row.asks("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active")
    };
    hold([
        by_name("equal", json!("E7")).ends("done Update u-1 active"),
        refused("missing in the profile", json!({}))
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        changed(by_name("missing in the directory", json!(null))),
        changed(by_name("empty in the directory", json!(""))),
        changed(
            case(
                "the user's is that of the old data",
                create(json!({"employeeid": "E7", "olduserdata": {"employeeid": "E6"}})),
            )
            .in_vain(&["users of employee E6?"])
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"externalId": "E6"}))),
        ),
        by_name("differ: nobody", json!("E8"))
            .asks("users of employee E7?", nobody())
            .ends(ANOTHERS),
        by_name("differ in letter case: nobody", json!("e7"))
            .asks("users of employee E7?", nobody())
            .ends(ANOTHERS),
        by_name("differ: another user", json!("E8"))
            .asks(
                "users of employee E7?",
                found(json!({"id": "u-7", "userName": "other", "externalId": "E7"})),
            )
            .ends(
                "failed Create 409: the userName is that of user u-1 (userName test), and the employee id that of \
                 user u-7 (userName other): correct one of them, or send olduserdata with what the person had before \
                 [u-1]",
            ),
        by_name("differ: another user of the same name", json!("E8"))
            .asks("users of employee E7?", found(json!({"id": "u-7", "externalId": "E7"})))
            .ends("done Update u-7 active"),
        by_name("differ: two users", json!("E8"))
            .asks("users of employee E7?", two())
            .ends("failed Create 409: ambiguous: …"),
        by_name(
            "another person's is said although updating is switched off",
            json!("E8"),
        )
        .with(|policy| policy.update_user_enabled = false)
        .asks("users of employee E7?", nobody())
        .ends(ANOTHERS),
        case(
            "another person's, to a create that can't be sent",
            create(json!({"employeeid": "E7", "surname": null})),
        )
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .asks("users of employee E7?", nobody())
        .ends(ANOTHERS),
        case("another person's, dry", numbered())
            .dry()
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", nobody())
            .ends(ANOTHERS),
    ]);
}

#[test]
fn an_employee_id_alone_goes_on_where_the_signs_identify() {
    let user = || {
        found(json!({
            "userName": "old", "externalId": "E7", "phoneNumbers": [{"value": "+1 555 0100", "type": "work"}],
        }))
    };
    let by_employee_id = |name, changes: Value| {
        refused(name, with(changes, json!({"employeeid": "E7"})))
            .in_vain(&["users named test?"])
            .asks("users of employee E7?", user())
    };
    let ambiguous = "failed Create 409: ambiguous: found user u-1 (userName old) for userName test, but only the \
                     employee id is that user's; send olduserdata with what the person had before, or the right \
                     employee id [u-1]";
    let beginning_of_an_update = "failed Update 504: said [u-1]";
    let goes_on = |row: Row, patch| row.asks(patch, failed(ErrorKind::Expired)).ends(beginning_of_an_update);
    hold([
        by_employee_id("no sign is equal", ann_lee()).ends(ambiguous),
        by_employee_id("the given name is equal", with(ann_lee(), json!({"givenname": "Te"}))).ends(ambiguous),
        by_employee_id("the family name is equal", with(ann_lee(), json!({"surname": "St"}))).ends(ambiguous),
        by_employee_id("no sign is equal, where it is strict", ann_lee())
            .adopting(Adopt::Strict)
            .ends(ambiguous),
        goes_on(
            by_employee_id(
                "both names are equal",
                json!({"email": "ann@example.com", "givenname": " te", "surname": "ST"}),
            ),
            "patch u-1: userName=\"test\" name={\"givenName\":\" te\",\"familyName\":\"ST\"} \
             emails=[{\"value\":\"ann@example.com\",\"type\":\"work\",\"primary\":true}]",
        ),
        goes_on(
            by_employee_id(
                "the e-mail is equal",
                with(ann_lee(), json!({"email": "test@example.com"})),
            ),
            "patch u-1: userName=\"test\" name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"}",
        ),
        goes_on(
            by_employee_id(
                "the phone is equal",
                with(ann_lee(), json!({"mobilephone": "+1 555 0100"})),
            ),
            "patch u-1: userName=\"test\" name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"} \
             emails=[{\"value\":\"ann@example.com\",\"type\":\"work\",\"primary\":true}]",
        ),
        goes_on(
            by_employee_id("no sign is equal, where any is adopted", ann_lee()).adopting(Adopt::Always),
            "patch u-1: userName=\"test\" name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"} \
             emails=[{\"value\":\"ann@example.com\",\"type\":\"work\",\"primary\":true}]",
        ),
    ]);
}

#[test]
fn an_inactive_user_of_the_name_is_not_enabled_where_nothing_is_equal() {
    let inactive = |more| found(with(json!({"active": false}), more));
    let by_name = |name, changes, more| refused(name, changes).asks("users named test?", inactive(more));
    let ambiguous = "failed Create 409: ambiguous: found user u-1 (userName test) for userName test, but that user is \
                     inactive, and neither e-mail, phone nor a name is equal: the name may have been given again; …";
    let number = |id: &str| with(ann_lee(), json!({"employeeid": id}));
    hold([
        by_name("no employee id", ann_lee(), json!({})).ends(ambiguous),
        by_name("none in the directory", number("E7"), json!({})).ends(ambiguous),
        by_name("none in the profile", ann_lee(), json!({"externalId": "E7"})).ends(ambiguous),
        by_name(
            "one sign is equal",
            with(ann_lee(), json!({"givenname": "Te", "email": "test@example.com"})),
            json!({}),
        )
        .asks(
            "patch u-1: name={\"givenName\":\"Te\",\"familyName\":\"Lee\"} active=true",
            shown(json!({})),
        )
        .ends("done Update u-1 active"),
        by_name("the employee ids are equal", number("E7"), json!({"externalId": "E7"}))
            .asks(ANN_LEE_ENABLED, shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        by_name("any is adopted", ann_lee(), json!({}))
            .adopting(Adopt::Always)
            .asks(ANN_LEE_ENABLED, shown(json!({})))
            .ends("done Update u-1 active"),
        refused("an active one", ann_lee())
            .asks("users named test?", found(json!({})))
            .asks(ANN_LEE, shown(json!({})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn signs_are_asked_of_the_name_of_now_where_it_is_strict() {
    let strict = |name, changes| {
        refused(name, changes)
            .adopting(Adopt::Strict)
            .asks("users named test?", found(json!({})))
    };
    hold([
        strict("none is equal", ann_lee()).ends("failed Create 409: ambiguous: found user u-1 (userName test) for …"),
        strict("all are equal", json!({})).ends("done Update u-1 active"),
        refused(
            "none is equal, but the employee ids are",
            with(ann_lee(), json!({"employeeid": "E7"})),
        )
        .adopting(Adopt::Strict)
        .asks("users named test?", found(json!({"externalId": "E7"})))
        .asks(ANN_LEE, shown(json!({"externalId": "E7"})))
        .ends("done Update u-1 active"),
    ]);
}

#[test]
fn signs_are_asked_of_an_old_name() {
    let old = |name, changes: Value| {
        case(name, create(with(changes, json!({"olduserdata": {"username": "old"}}))))
            .asks("users named old?", found(json!({"userName": "old"})))
            .in_vain(&["users named test?"])
    };
    hold([
        old("none is equal", ann_lee())
            .ends("failed Create 409: ambiguous: found user u-1 (userName old) for userName test, but neither …"),
        old("all are equal", json!({}))
            .asks("patch u-1: userName=\"test\"", shown(json!({})))
            .ends("done Update u-1 active"),
    ]);
}
