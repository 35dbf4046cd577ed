//! Whose user a disable makes inactive that was found by a name (section 4 of the contract).

use serde_json::{Value, json};

use super::{OFF, disable, inactive};
use crate::{commands::testing::*, policy::Adopt};

#[test]
fn employee_ids_say_whose_a_name_is() {
    let numbered = || disable(json!({"username": "test", "employeeid": "E7"}));
    let other = || found(json!({"id": "u-7", "userName": "other", "externalId": "E7"}));
    let goes_on = |row: Row| row.asks(OFF, inactive()).ends("done Disable u-1 inactive");
    hold([
        goes_on(case("equal", numbered()).asks("users named test?", found(json!({"externalId": "E7"})))),
        goes_on(case("missing in the directory", numbered()).asks("users named test?", found(json!({})))),
        goes_on(
            case("missing in the profile", disable(json!({"username": "test"})))
                .asks("users named test?", found(json!({"externalId": "E8"}))),
        ),
        goes_on(
            case(
                "the user's is that of the old data",
                disable(json!({"username": "test", "employeeid": "E7", "olduserdata": {"employeeid": "E6"}})),
            )
            .asks("users named test?", found(json!({"externalId": "E6"}))),
        ),
        goes_on(
            case("differ, where any is adopted", numbered())
                .adopting(Adopt::Always)
                .asks("users named test?", found(json!({"externalId": "E8"}))),
        ),
        case("differ: the other, whom the employee id finds", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", other())
            .asks(
                "patch u-7: active=false",
                shown(json!({"id": "u-7", "userName": "other", "active": false})),
            )
            .ends("done Disable u-7 inactive"),
        case("differ: the other, who is inactive", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks(
                "users of employee E7?",
                found(json!({"id": "u-7", "userName": "other", "externalId": "E7", "active": false})),
            )
            .ends("skipped Disable: User is already disabled. [u-7]"),
        case("differ, and two have the employee id", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", two())
            .ends("failed Disable 409: ambiguous: …"),
        case("differ, and the employee id finds nobody", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", nobody())
            .ends("failed Disable 409: the userName belongs to another person: …"),
        case(
            "differ, found by the old name",
            disable(json!({"employeeid": "E7", "olduserdata": {"username": "test"}})),
        )
        .in_vain(&["users of employee E7?"])
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .asks("users of employee E7?", nobody())
        .ends("failed Disable 409: the userName belongs to another person: …"),
    ]);
}

#[test]
fn signs_say_it_where_employee_ids_cannot() {
    let leaver = |signs: Value| {
        let mut profile = json!({"username": "test"});
        profile
            .as_object_mut()
            .unwrap()
            .extend(signs.as_object().unwrap().clone());
        disable(profile)
    };
    let refused = "failed Disable 409: ambiguous: found user u-1 (userName test) for userName test, but neither \
                   e-mail, phone nor a name is that user's; send olduserdata …";
    let user = || found(json!({"phoneNumbers": [{"value": "+1 555 0100", "type": "work"}]}));
    let stranger = json!({"givenname": "Ann", "surname": "Lee"});
    let strange = || leaver(stranger.clone());
    let mut rows = vec![
        case("two, and none is equal", strange())
            .asks("users named test?", user())
            .ends(refused),
        case(
            "all four, and none is equal",
            leaver(json!({
                "givenname": "Ann", "surname": "Lee", "email": "ann@example.com", "mobilephone": "1",
            })),
        )
        .asks("users named test?", user())
        .ends(refused),
        case(
            "one in the profile, one in its old data, and none is equal",
            leaver(json!({
                "givenname": "Ann", "olduserdata": {"surname": "Lee"},
            })),
        )
        .asks("users named test?", user())
        .ends(refused),
        case("none is equal, and only the user has an employee id", strange())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends(refused),
        case(
            "none is equal, by the old name",
            disable(json!({
                "givenname": "Ann", "surname": "Lee", "olduserdata": {"username": "test"},
            })),
        )
        .asks("users named test?", user())
        .ends(refused),
        case("none is equal, and the user is inactive", strange())
            .asks("users named test?", found(json!({"active": false})))
            .ends(refused),
        case(
            "none is equal, but the employee ids are",
            leaver(json!({
                "givenname": "Ann", "surname": "Lee", "employeeid": "E7",
            })),
        )
        .asks("users named test?", found(json!({"externalId": "E7"})))
        .asks(OFF, inactive())
        .ends("done Disable u-1 inactive"),
        case("none is equal, where any is adopted", strange())
            .adopting(Adopt::Always)
            .asks("users named test?", user())
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
    ];
    let enough = [
        ("one is too few", json!({"surname": "Lee"})),
        (
            "the e-mail is equal",
            json!({"givenname": "Ann", "email": "TEST@example.com"}),
        ),
        (
            "the phone is equal",
            json!({"givenname": "Ann", "mobilephone": "+15550100"}),
        ),
        (
            "the given name is equal",
            json!({"givenname": " tE ", "surname": "Lee"}),
        ),
        ("the family name is equal", json!({"givenname": "Ann", "surname": "ST"})),
        (
            "one of the old data is equal",
            json!({"givenname": "Ann", "surname": "Lee", "olduserdata": {"surname": "St"}}),
        ),
    ];
    rows.extend(enough.into_iter().map(|(name, signs)| {
        case(name, leaver(signs))
            .asks("users named test?", user())
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive")
    }));
    hold(rows);
}
