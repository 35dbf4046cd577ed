//! Whose user an update changes (section 4 of the contract).

use serde_json::{Value, json};

use super::{NAMED_ANN_LEE, ann_lee, update};
use crate::{commands::testing::*, policy::Adopt};

const ANOTHERS: &str = "failed Update 409: the userName belongs to another person: user u-1 (userName test) has another \
                        externalId (employee id) [u-1]";

#[test]
fn employee_ids_say_whose_the_name_is() {
    let numbered = || update(json!({"employeeid": "E7"}));
    let changed = |row: Row| {
        row.asks("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"})))
            .ends("done Update u-1 active")
    };
    let mut rows = vec![
        case("equal", numbered())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        case("missing in the profile", update(json!({})))
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .ends("done Update u-1 active"),
        changed(case("missing in the directory", numbered()).asks("users named test?", found(json!({})))),
        changed(case("empty in the directory", numbered()).asks("users named test?", found(json!({"externalId": ""})))),
        changed(
            case(
                "the user's is that of the old data",
                update(json!({"employeeid": "E7", "olduserdata": {"employeeid": "E6"}})),
            )
            .asks("users named test?", found(json!({"externalId": "E6"}))),
        ),
        case(
            "differ, found by id, asks for none",
            update(json!({"id": "u-1", "employeeid": "E7"})),
        )
        .asks("user u-1?", shown(json!({"externalId": "E8"})))
        .asks("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"})))
        .ends("done Update u-1 active"),
        changed(
            case("differ, where any is adopted", numbered())
                .adopting(Adopt::Always)
                .asks("users named test?", found(json!({"externalId": "E8"}))),
        ),
    ];
    for adopt in [Adopt::SamePerson, Adopt::Strict, Adopt::Never] {
        rows.extend([
            case("differ, and the employee id finds nobody", numbered())
                .adopting(adopt)
                .asks("users named test?", found(json!({"externalId": "E8"})))
                .asks("users of employee E7?", nobody())
                .ends(ANOTHERS),
            case("differ in letter case alone", numbered())
                .adopting(adopt)
                .asks("users named test?", found(json!({"externalId": "e7"})))
                .asks("users of employee E7?", nobody())
                .ends(ANOTHERS),
        ]);
    }
    hold(rows);
}

#[test]
fn employee_ids_say_whose_the_old_name_is() {
    let rename = || update(json!({"username": "new", "employeeid": "E7", "olduserdata": {"username": "test"}}));
    let given_again = || {
        case("the old name, of another employee id", rename())
            .asks("users named test?", found(json!({"externalId": "E8"})))
    };
    hold([
        given_again()
            .asks(
                "users of employee E7?",
                found(json!({"id": "u-7", "userName": "NEW", "externalId": "E7"})),
            )
            .ends("done Update u-7 active"),
        given_again()
            .asks(
                "users of employee E7?",
                found(json!({"id": "u-7", "userName": "third", "externalId": "E7"})),
            )
            .ends(
                "failed Update 409: the userName is that of user u-1 (userName test), and the employee id that of \
                 user u-7 (userName third): correct one of them, or send olduserdata with what the person had before \
                 [u-1]",
            ),
        given_again().asks("users of employee E7?", nobody()).ends(ANOTHERS),
        given_again()
            .asks("users of employee E7?", two())
            .ends("failed Update 409: ambiguous: …"),
        given_again()
            .asks("users of employee E7?", status(500))
            .ends("failed Update 500: said [u-1]"),
        case("equal", rename())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .asks("patch u-1: userName=\"new\"", shown(json!({"userName": "new"})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn an_employee_id_alone_is_a_rename_where_one_sign_is_equal() {
    let user = || {
        found(json!({
            "userName": "old", "externalId": "E7", "phoneNumbers": [{"value": "+1 555 0100", "type": "work"}],
        }))
    };
    let by_employee_id = |name, changes: Value| {
        case(name, update(with(changes, json!({"employeeid": "E7"}))))
            .in_vain(&["users named test?"])
            .asks("users of employee E7?", user())
    };
    let refused = "failed Update 409: ambiguous: found user u-1 (userName old) for userName test, but only the employee \
                   id is that user's; send olduserdata with what the person had before, or the right employee id [u-1]";
    let name = |given: &str, family: &str| json!({"givenname": given, "surname": family, "email": null});
    let renamed = || shown(json!({}));
    hold([
        by_employee_id("no sign is equal", ann_lee()).ends(refused),
        by_employee_id("no sign is given", name("", "")).ends(refused),
        by_employee_id("no sign is equal, where it is strict", ann_lee())
            .adopting(Adopt::Strict)
            .ends(refused),
        by_employee_id("no sign is equal, where no create adopts", ann_lee())
            .adopting(Adopt::Never)
            .ends(refused),
        by_employee_id("no sign is equal, where any is adopted", ann_lee())
            .adopting(Adopt::Always)
            .asks(
                "patch u-1: userName=\"test\" name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"}",
                renamed(),
            )
            .ends("done Update u-1 active"),
        by_employee_id("the given name is equal", name("te", ""))
            .asks(
                "patch u-1: userName=\"test\" name={\"givenName\":\"te\",\"familyName\":\"St\"}",
                renamed(),
            )
            .ends("done Update u-1 active"),
        by_employee_id("the family name is equal", name("", "St"))
            .asks("patch u-1: userName=\"test\"", renamed())
            .ends("done Update u-1 active"),
        by_employee_id("the e-mail is equal", json!({"givenname": null, "surname": null}))
            .asks("patch u-1: userName=\"test\"", renamed())
            .ends("done Update u-1 active"),
        by_employee_id(
            "the phone is equal",
            with(name("", ""), json!({"mobilephone": "+1 5550100"})),
        )
        .asks(
            "patch u-1: userName=\"test\" phoneNumbers=[{\"value\":\"+1 5550100\",\"type\":\"work\"}]",
            renamed(),
        )
        .ends("done Update u-1 active"),
        case(
            "the profile has no name",
            update(with(ann_lee(), json!({"username": null, "employeeid": "E7"}))),
        )
        .asks("users of employee E7?", user())
        .asks(NAMED_ANN_LEE, shown(json!({"userName": "old"})))
        .ends("done Update u-1 active"),
    ]);
}

#[test]
fn signs_are_asked_of_an_old_name() {
    let rename = |name, changes: Value| {
        let changes = with(changes, json!({"username": "new"}));
        case(
            name,
            update(with(json!({"olduserdata": {"username": "test"}}), changes)),
        )
        .asks("users named test?", found(json!({})))
    };
    let refused = "failed Update 409: ambiguous: found user u-1 (userName test) for userName new, but neither e-mail, phone \
                   nor a name is that user's; …";
    let goes_on = |row: Row, patch| {
        row.asks(patch, shown(json!({"userName": "new"})))
            .ends("done Update u-1 active")
    };
    hold([
        rename("none is equal", ann_lee()).ends(refused),
        rename("none is equal, where no create adopts", ann_lee())
            .adopting(Adopt::Never)
            .ends(refused),
        goes_on(
            rename("none is equal, where any is adopted", ann_lee()).adopting(Adopt::Always),
            "patch u-1: userName=\"new\" name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"}",
        ),
        goes_on(
            rename("one is too few", with(ann_lee(), json!({"surname": null}))),
            "patch u-1: userName=\"new\" name={\"givenName\":\"Ann\",\"familyName\":\"St\"}",
        ),
        goes_on(
            rename(
                "one of the old data is equal",
                with(ann_lee(), json!({"olduserdata": {"username": "test", "surname": "St"}})),
            ),
            "patch u-1: userName=\"new\" name={\"givenName\":\"Ann\",\"familyName\":\"Lee\"}",
        ),
        case(
            "another spelling of the name of now is no old name",
            update(with(ann_lee(), json!({"olduserdata": {"username": "TEST"}}))),
        )
        .asks("users named TEST?", found(json!({})))
        .asks(NAMED_ANN_LEE, shown(json!({})))
        .ends("done Update u-1 active"),
    ]);
}

#[test]
fn signs_are_asked_of_the_name_of_now_where_it_is_strict() {
    let by_name = |name, changes, adopt| {
        case(name, update(changes))
            .adopting(adopt)
            .asks("users named test?", found(json!({})))
    };
    let refused = "failed Update 409: ambiguous: found user u-1 (userName test) for userName test, but neither …";
    let mut rows = vec![
        by_name("none is equal", ann_lee(), Adopt::Strict).ends(refused),
        by_name(
            "none is equal, the employee id is missing in the directory",
            with(ann_lee(), json!({"employeeid": "E7"})),
            Adopt::Strict,
        )
        .ends(refused),
        by_name("all are equal", json!({}), Adopt::Strict).ends("done Update u-1 active"),
        by_name(
            "one is too few",
            with(ann_lee(), json!({"givenname": null})),
            Adopt::Strict,
        )
        .asks(
            "patch u-1: name={\"givenName\":\"Te\",\"familyName\":\"Lee\"}",
            shown(json!({})),
        )
        .ends("done Update u-1 active"),
        case(
            "none is equal, but the employee ids are",
            update(with(ann_lee(), json!({"employeeid": "E7"}))),
        )
        .adopting(Adopt::Strict)
        .asks("users named test?", found(json!({"externalId": "E7"})))
        .asks(NAMED_ANN_LEE, shown(json!({"externalId": "E7"})))
        .ends("done Update u-1 active"),
    ];
    rows.extend([Adopt::SamePerson, Adopt::Always, Adopt::Never].map(|adopt| {
        by_name("none is equal, and none is asked for", ann_lee(), adopt)
            .asks(NAMED_ANN_LEE, shown(json!({})))
            .ends("done Update u-1 active")
    }));
    hold(rows);
}
