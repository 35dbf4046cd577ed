//! What an update does of which no key finds a user.

use serde_json::json;

use super::{boss, update, with_allow_enable};
use crate::{commands::testing::*, policy::Adopt};

#[test]
fn an_absent_user_is_made_or_skipped() {
    hold([
        case("creating what is missing", boss())
            .asks("users named test?", nobody())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case(
            "creating what is missing, inactive",
            with_allow_enable(json!({}), json!("false")),
        )
        .asks("users named test?", nobody())
        .asks("create test inactive", shown(json!({"active": false})))
        .ends("done Create u-1 inactive"),
        case("not creating what is missing", boss())
            .asks("users named test?", nobody())
            .ends("skipped Update: User does not exist [-]")
            .with(|policy| policy.create_if_not_exists = false),
        case("create switch off", boss())
            .asks("users named test?", nobody())
            .ends("skipped Create: Command is disabled. [-]")
            .with(|policy| policy.create_user_enabled = false),
        case("partial", update(json!({"displayname": null})))
            .asks("users named test?", nobody())
            .ends(
                "failed Create 400: displayName: a new user needs it; give it a value (user-profile.displayname) [-]",
            ),
        case("there meanwhile: updated, and never made again", boss())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", absent())
            .ends("failed Update 404: User does not exist [u-1]"),
        case("the creation's answer is lost", boss())
            .asks("users named test?", nobody())
            .asks("create test active", lost())
            .asks("users named test?", found(json!({"title": "Boss"})))
            .ends("done Create u-1 active"),
        case("inactive by default", boss())
            .with(|policy| policy.allow_enable_default = false)
            .asks("users named test?", nobody())
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("the enable switch has no say in a creation", boss())
            .with(|policy| policy.enable_user_enabled = false)
            .asks("users named test?", nobody())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case(
            "without a userName",
            update(json!({"username": null, "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", nobody())
        .ends("failed Update 404: User does not exist [-]"),
        case(
            "without a userName, not creating what is missing",
            update(json!({"username": null, "employeeid": "E7"})),
        )
        .with(|policy| policy.create_if_not_exists = false)
        .asks("users of employee E7?", nobody())
        .ends("skipped Update: User does not exist [-]"),
        case(
            "without a userName, the create switch off",
            update(json!({"username": null, "employeeid": "E7"})),
        )
        .with(|policy| policy.create_user_enabled = false)
        .asks("users of employee E7?", nobody())
        .ends("failed Update 404: User does not exist [-]"),
        case("dry", boss())
            .dry()
            .asks("users named test?", nobody())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
    ]);
}

#[test]
fn a_user_that_is_there_meanwhile_is_one_that_a_create_found() {
    let meanwhile = |name, changes| {
        case(name, update(changes))
            .asks("users named test?", nobody())
            .in_vain(&["users of employee E7?"])
            .asks("create test active", status(409))
    };
    let numbered = || json!({"employeeid": "E7"});
    hold([
        meanwhile("the same person's", numbered())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Update u-1 active"),
        meanwhile("another person's", numbered())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .asks("users of employee E7?", nobody())
            .ends("failed Create 409: the userName belongs to another person: …"),
        meanwhile("where no create adopts", numbered())
            .adopting(Adopt::Never)
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("failed Create 409: user u-1 (userName test) is there, and `adopt` is set to never [u-1]"),
        meanwhile("nobody's: the e-mail is another user's", numbered())
            .in_vain(&["users named test?", "users of employee E7?"])
            .asks_whose(
                "users named test@example.com?",
                found(json!({"id": "u-7", "userName": "test@example.com"})),
            )
            .ends("failed Create 409: said; the e-mail is taken by user u-7 (userName test@example.com) [-]"),
    ]);
}
