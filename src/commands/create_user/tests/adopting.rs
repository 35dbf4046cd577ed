//! Which user that is there a create goes on with by the instance's `adopt`, and what is its own
//! work.

use serde_json::json;

use super::{boss, create, numbered};
use crate::{commands::testing::*, policy::Adopt};

#[test]
fn no_create_goes_on_as_an_update_where_adopt_is_never() {
    const THERE: &str = "failed Create 409: user u-1 (userName test) is there, and `adopt` is set to never [u-1]";
    hold(
        [
            case("by the name", numbered())
                .asks("create test active", status(409))
                .asks("users named test?", found(json!({"externalId": "E7"})))
                .ends(THERE),
            case("by the name, updating switched off", boss())
                .with(|policy| policy.update_user_enabled = false)
                .asks("create test active", status(409))
                .asks("users named test?", found(json!({})))
                .ends(THERE),
            case("by id", create(json!({"id": "u-1"})))
                .asks("user u-1?", shown(json!({})))
                .ends(THERE),
            case("by employee id", numbered())
                .asks("create test active", status(409))
                .in_vain(&["users named test?"])
                .asks(
                    "users of employee E7?",
                    found(json!({"userName": "old", "externalId": "E7"})),
                )
                .ends("failed Create 409: user u-1 (userName old) is there, and …"),
            case("by the old name", create(json!({"olduserdata": {"username": "old"}})))
                .asks("users named old?", found(json!({"userName": "old"})))
                .in_vain(&["users named test?"])
                .ends("failed Create 409: user u-1 (userName old) is there, and …"),
            case("what can't be created", create(json!({"surname": null})))
                .asks("users named test?", found(json!({})))
                .ends(THERE),
            case("dry", boss())
                .dry()
                .asks("users named test?", found(json!({})))
                .ends(THERE),
            case("new", boss())
                .asks("create test active", shown(json!({})))
                .ends("done Create u-1 active"),
        ]
        .map(|row| row.adopting(Adopt::Never)),
    );
}

#[test]
fn any_user_of_the_name_is_adopted_where_adopt_is_always() {
    let change = "patch u-1: externalId=\"E7\"";
    let changed = || shown(json!({"externalId": "E7"}));
    hold(
        [
            case("another employee id", numbered())
                .asks("create test active", status(409))
                .asks("users named test?", found(json!({"externalId": "E8"})))
                .asks(change, changed())
                .ends("done Update u-1 active"),
            case(
                "another employee id, what can't be created",
                create(json!({"employeeid": "E7", "surname": null})),
            )
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks(change, changed())
            .ends("done Update u-1 active"),
            case("another employee id, dry", numbered())
                .dry()
                .asks("users named test?", found(json!({"externalId": "E8"})))
                .asks(change, changed())
                .ends("done Update u-1 active"),
        ]
        .map(|row| row.adopting(Adopt::Always)),
    );
}

#[test]
fn what_a_lost_answer_has_made_is_its_own_work() {
    hold([
        case("made by a request whose answer got lost, with never", numbered())
            .asks("create test active", lost())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Create u-1 active")
            .adopting(Adopt::Never),
        case(
            "made by it, and conflicting with the one after it, with never",
            numbered(),
        )
        .asks("create test active", lost())
        .asks("users named test?", nobody())
        .asks("create test active", status(409))
        .asks("users named test?", found(json!({"externalId": "E7"})))
        .ends("done Create u-1 active")
        .adopting(Adopt::Never),
        case("there after a lost answer, and not as sent: another person", numbered())
            .asks("create test active", lost())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", nobody())
            .ends("failed Create 409: the userName belongs to another person: …"),
        case(
            "there after a lost answer, and not as sent, with never",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", found(json!({"displayName": "Other"})))
        .ends("failed Create 409: user u-1 (userName test) is there, …")
        .adopting(Adopt::Never),
        case(
            "there after a lost answer, with an employee id that was not sent, with never",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .ends("failed Create 409: user u-1 (userName test) is there, …")
        .adopting(Adopt::Never),
        case(
            "there after a lost answer, with an employee id that was not sent: found, not made",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .ends("done Update u-1 active"),
        case("as sent, but nothing was lost", numbered())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("failed Create 409: user u-1 (userName test) is there, …")
            .adopting(Adopt::Never),
    ]);
}

#[test]
fn what_an_attempt_that_died_has_made_is_its_own_work() {
    let made = || found(json!({}));
    hold([
        case("made before", create(json!({})))
            .asks("create test active", status(409))
            .asks("users named test?", made())
            .ends("done Create u-1 active")
            .retried(),
        case("made before, where nothing is adopted", create(json!({})))
            .asks("create test active", status(409))
            .asks("users named test?", made())
            .ends("done Create u-1 active")
            .adopting(Adopt::Never)
            .retried(),
        case("not made before", create(json!({})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .adopting(Adopt::Never)
            .retried(),
        case("another user has the name", create(json!({})))
            .asks("create test active", status(409))
            .asks(
                "users named test?",
                found(json!({"title": "Other", "externalId": "E9"})),
            )
            .ends("failed Create 409: user u-1 (userName test) is there, and `adopt` is set to never [u-1]")
            .adopting(Adopt::Never)
            .retried(),
    ]);
}
