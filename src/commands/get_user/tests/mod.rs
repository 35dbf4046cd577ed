mod looking;
mod refusing;
mod whose;

use serde_json::{Value, json};

use crate::{
    commands::{Command, testing::*},
    outcome::UserEnd,
    policy::DisableAbsent,
    scim::ErrorKind,
};

fn get(profile: Value) -> Command {
    command("iam-get-user", json!({"user-profile": profile}))
}

fn by_name() -> Command {
    get(json!({"username": "test"}))
}

#[test]
fn one_question_shows_the_user() {
    hold([
        case("active", by_name())
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("inactive, and every switch is off", by_name())
            .with(|policy| {
                policy.create_user_enabled = false;
                policy.update_user_enabled = false;
                policy.enable_user_enabled = false;
                policy.disable_user_enabled = false;
                policy.create_if_not_exists = false;
            })
            .asks("users named test?", found(json!({"active": false})))
            .ends("done Get u-1 inactive"),
        case("absent, whatever a disable makes of absence", by_name())
            .with(|policy| policy.disable_absent = DisableAbsent::Fail)
            .asks("users named test?", nobody())
            .ends("failed Get 404: User does not exist [-]"),
        case(
            "a field that is not asked for need not be text",
            get(json!({"username": "test", "title": 7})),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Get u-1 active"),
        case(
            "a profile that says inactive",
            get(json!({"username": "test", "active": false})),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Get u-1 active"),
        case("dry", by_name())
            .dry()
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
    ]);
}

#[test]
fn a_failed_question_is_a_failure() {
    let rows = [
        (ErrorKind::Connect, "failed Get 503: said [-]"),
        (ErrorKind::Timeout, "failed Get 504: said [-]"),
        (ErrorKind::Broken, "failed Get 504: said [-]"),
        (ErrorKind::Throttled, "failed Get 429: said [-]"),
        (ErrorKind::Congested, "failed Get 503: said [-]"),
        (ErrorKind::CircuitOpen, "failed Get 503: said [-]"),
        (ErrorKind::WrongUrl, "failed Get 404: said [-]"),
        (ErrorKind::Status(400), "failed Get 400: said [-]"),
        (ErrorKind::Status(401), "failed Get 401: said [-]"),
        (ErrorKind::Status(500), "failed Get 500: said [-]"),
        (ErrorKind::Unreadable, "failed Get 502: said [-]"),
    ];
    for (kind, end) in rows {
        hold([
            case("by name", by_name())
                .asks("users named test?", failed(kind))
                .ends(end),
            case("by employee id", get(json!({"employeeid": "E7"})))
                .asks("users of employee E7?", failed(kind))
                .ends(end),
        ]);
        // 400 to an id that is not of AWS's form says that no user has it: see `looking`.
        if kind != ErrorKind::Status(400) {
            hold([case("by id", get(json!({"id": "u-1"})))
                .asks("user u-1?", failed(kind))
                .ends(end)]);
        }
    }
}

#[test]
fn a_user_is_shown_as_a_profile_by_display_names() {
    let UserEnd::Done { shown, .. } = user_end(outcome(&by_name(), &rules(), vec![found(json!({}))])) else {
        panic!("the user was found")
    };
    assert_eq!(
        shown.map(Value::from),
        Some(json!({"Email": "test@example.com", "Given Name": "Te", "Surname": "St", "Username": "test"}))
    );
}
