//! Whose user a get shows that was found by a name (section 4 of the contract).

use serde_json::json;

use super::get;
use crate::{commands::testing::*, policy::Adopt};

#[test]
fn employee_ids_say_whose_a_name_is() {
    let numbered = || get(json!({"username": "test", "employeeid": "E7"}));
    let other = || found(json!({"id": "u-7", "userName": "other", "externalId": "E7"}));
    hold([
        case("equal", numbered())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Get u-1 active"),
        case("missing in the profile", get(json!({"username": "test"})))
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .ends("done Get u-1 active"),
        case("missing in the directory", numbered())
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("empty in the directory", numbered())
            .asks("users named test?", found(json!({"externalId": ""})))
            .ends("done Get u-1 active"),
        case(
            "the user's is that of the old data",
            get(json!({"username": "test", "employeeid": "E7", "olduserdata": {"employeeid": "E6"}})),
        )
        .asks("users named test?", found(json!({"externalId": "E6"})))
        .ends("done Get u-1 active"),
        case("differ: the other, whom the employee id finds", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", other())
            .ends("done Get u-7 active"),
        case(
            "differ, found by the old name",
            get(json!({"employeeid": "E7", "olduserdata": {"username": "test"}})),
        )
        .in_vain(&["users of employee E7?"])
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .asks("users of employee E7?", nobody())
        .ends("failed Get 409: the userName belongs to another person: …"),
        case("differ, and the employee id finds nobody", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", nobody())
            .ends(
                "failed Get 409: the userName belongs to another person: user u-1 (userName test) has another \
                 externalId (employee id) [u-1]",
            ),
        case("differ in letter case alone", numbered())
            .asks("users named test?", found(json!({"externalId": "e7"})))
            .asks("users of employee E7?", nobody())
            .ends("failed Get 409: the userName belongs to another person: …"),
        case("differ, where any is adopted", numbered())
            .adopting(Adopt::Always)
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .ends("done Get u-1 active"),
    ]);
}

#[test]
fn signs_say_whose_an_old_name_is() {
    let now = || get(json!({"username": "test", "givenname": "Ann", "surname": "Lee"}));
    let old = || get(json!({"givenname": "Ann", "surname": "Lee", "olduserdata": {"username": "test"}}));
    hold([
        case("the name of now asks for none", now())
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("not even where `adopt` is strict", now())
            .adopting(Adopt::Strict)
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("an old name, and none is equal", old())
            .asks("users named test?", found(json!({})))
            .ends("failed Get 409: ambiguous: found user u-1 (userName test) for userName test, but neither …"),
        case("an old name, and one is equal", old())
            .asks("users named test?", found(json!({"name": {"givenName": "ANN"}})))
            .ends("done Get u-1 active"),
        case(
            "an old name, and one in the old data is equal",
            get(json!({
                "givenname": "Ann", "surname": "Lee", "olduserdata": {"username": "test", "surname": "St"},
            })),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Get u-1 active"),
        case(
            "an old name, and one sign is too few",
            get(json!({
                "givenname": "Ann", "olduserdata": {"username": "test"},
            })),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Get u-1 active"),
        case("an old name, where any is adopted", old())
            .adopting(Adopt::Always)
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
    ]);
}
