use serde_json::json;

use super::{OFF, disable, inactive, leaver};
use crate::{
    commands::testing::*,
    decide::Reply,
    policy::{Adopt, DisableAbsent, Policy},
    scim::ErrorKind,
};

#[test]
fn a_leaver_ends_up_inactive() {
    hold([
        case("switch off", leaver())
            .ends("skipped Disable: Command is disabled. [-]")
            .with(|policy| policy.disable_user_enabled = false),
        case("active", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("active, the other switches off", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive")
            .with(|policy| {
                policy.create_user_enabled = false;
                policy.update_user_enabled = false;
                policy.enable_user_enabled = false;
                policy.create_if_not_exists = false;
            }),
        case("not known whether active", leaver())
            .asks("users named test?", found(json!({"active": null})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("inactive", leaver())
            .asks("users named test?", found(json!({"active": false})))
            .ends("skipped Disable: User is already disabled. [u-1]"),
        case("done unseen", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, Ok(Reply::NoBody))
            .asks("user u-1?", inactive())
            .ends("done Disable u-1 inactive"),
        case("done unseen, then gone", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, Ok(Reply::NoBody))
            .asks("user u-1?", absent())
            .ends("skipped Disable: User does not exist [u-1]"),
        case(
            "a profile that says so",
            disable(json!({"username": "test", "active": false, "title": "Boss"})),
        )
        .asks("users named test?", found(json!({})))
        .asks(OFF, inactive())
        .ends("done Disable u-1 inactive"),
        case("whatever `adopt` says of creates", leaver())
            .adopting(Adopt::Never)
            .asks("users named test?", found(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("dry", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive")
            .dry(),
    ]);
}

#[test]
fn an_absent_user_is_a_skip_or_a_failure() {
    let fail = |policy: &mut Policy| policy.disable_absent = DisableAbsent::Fail;
    let by_all = || {
        disable(json!({
            "id": "hr-7", "username": "test", "employeeid": "E7",
            "olduserdata": {"id": "hr-6", "username": "old", "employeeid": "E6"},
        }))
    };
    hold([
        case("a skip", leaver())
            .asks("users named test?", nobody())
            .ends("skipped Disable: User does not exist [-]"),
        case("a failure, where it is set to that", leaver())
            .with(fail)
            .asks("users named test?", nobody())
            .ends("failed Disable 404: User does not exist; looked by userName [-]"),
        case("which says by which keys was looked", by_all())
            .with(fail)
            .in_vain(&["user hr-7?", "users named test?", "users of employee E7?"])
            .in_vain(&["user hr-6?", "users named old?", "users of employee E6?"])
            .ends(
                "failed Disable 404: User does not exist; looked by id, userName, employee id, old id, \
                 old userName, old employee id [-]",
            ),
        case("gone on the way", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, absent())
            .ends("skipped Disable: User does not exist [u-1]"),
        case("gone on the way, a failure", leaver())
            .with(fail)
            .asks("users named test?", found(json!({})))
            .asks(OFF, absent())
            .ends("failed Disable 404: User does not exist; looked by userName [u-1]"),
        case("inactive already is a skip all the same", leaver())
            .with(fail)
            .asks("users named test?", found(json!({"active": false})))
            .ends("skipped Disable: User is already disabled. [u-1]"),
        case("switched off is a skip all the same", leaver())
            .with(fail)
            .with(|policy| policy.disable_user_enabled = false)
            .ends("skipped Disable: Command is disabled. [-]"),
    ]);
}

#[test]
fn no_user_is_said_to_be_inactive_that_may_not_be() {
    let mismatch = "failed Disable 502: mismatch: the directory answered without having made the change [u-1]";
    hold([
        case("the answer shows an active user", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, shown(json!({})))
            .ends(mismatch),
        case("done unseen, and active afterwards", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, Ok(Reply::NoBody))
            .asks("user u-1?", shown(json!({})))
            .ends(mismatch),
        case("refused", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, status(403))
            .ends("failed Disable 403: said [u-1]"),
        case("a wrong URL, on the way too", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, failed(ErrorKind::WrongUrl))
            .ends("failed Disable 404: said [u-1]"),
        case("a wrong URL", leaver())
            .asks("users named test?", failed(ErrorKind::WrongUrl))
            .ends("failed Disable 404: said [-]"),
    ]);
}
