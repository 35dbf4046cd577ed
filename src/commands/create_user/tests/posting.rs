//! The creation itself: what is sent, and what an answer to it must show.

use serde_json::{Value, json};

use super::{create, with_allow_enable};
use crate::{
    commands::testing::*,
    decide::{Next, Step},
    scim::ErrorKind,
};

#[test]
fn a_new_person_costs_one_post() {
    hold([
        case("switch off", create(json!({})))
            .ends("skipped Create: Command is disabled. [-]")
            .with(|policy| policy.create_user_enabled = false),
        case("new", create(json!({})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case("update switch off", create(json!({})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .with(|policy| policy.update_user_enabled = false),
        case("allow-enable false", with_allow_enable(json!({}), json!(false)))
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("allow-enable \"false\"", with_allow_enable(json!({}), json!("false")))
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("not given, and false by default", create(json!({})))
            .with(|policy| policy.allow_enable_default = false)
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case(
            "given as \"true\", and false by default",
            with_allow_enable(json!({}), json!("true")),
        )
        .with(|policy| policy.allow_enable_default = false)
        .asks("create test active", shown(json!({})))
        .ends("done Create u-1 active"),
        case("the enable switch has no say", create(json!({})))
            .with(|policy| policy.enable_user_enabled = false)
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case(
            "white space at the ends is taken off",
            create(json!({"username": " test ", "id": " "})),
        )
        .asks("create test active", shown(json!({})))
        .ends("done Create u-1 active"),
        case(
            "a foreign id costs no call",
            create(json!({"id": "hr-7", "olduserdata": {"id": "hr-6"}})),
        )
        .foreign_ids()
        .asks("create test active", shown(json!({})))
        .ends("done Create u-1 active"),
        case("answer without active", create(json!({})))
            .asks("create test active", shown(json!({"active": null})))
            .ends("done Create u-1 unknown"),
        case("answer in another letter case", create(json!({})))
            .asks("create test active", shown(json!({"userName": "TEST"})))
            .ends("done Create u-1 active"),
        case("answer with another name", create(json!({})))
            .asks("create test active", shown(json!({"userName": "toast"})))
            .ends("failed Create 502: mismatch: …"),
        case("answer inactive", create(json!({})))
            .asks("create test active", shown(json!({"active": false})))
            .ends("failed Create 502: mismatch: …"),
    ]);
}

#[test]
fn the_body_has_what_the_profile_has() {
    let command = create(json!({"givenname": "Té", "title": "", "mobilephone": null, "department": "D"}));
    let Next::Write(Step::CreateUser(body)) = first(&command) else {
        panic!("a creation comes first")
    };
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(
        Value::from(body),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", extension],
            "userName": "test", "displayName": "Te St", "name": {"givenName": "Té", "familyName": "St"},
            "emails": [{"value": "test@example.com", "type": "work", "primary": true}],
            extension: {"department": "D"}, "active": true,
        })
    );
}

#[test]
fn a_profile_that_says_inactive_makes_no_active_user() {
    let told = |active: Value| create(json!({"active": active}));
    let refused = "failed Create 400: user-profile.active is false, and allow-enable is true: a leaver? send \
                   iam-disable-user; else allow-enable=false [-]";
    let inactive = [
        json!(false),
        json!(0),
        json!("FALSE"),
        json!("no"),
        json!("0"),
        json!("inactive"),
    ];
    hold(inactive.map(|active| case("told inactive", told(active)).ends(refused)));
    hold([
        case(
            "allow-enable true",
            with_allow_enable(json!({"active": false}), json!(true)),
        )
        .with(|policy| policy.allow_enable_default = false)
        .ends(refused),
        case(
            "allow-enable false",
            with_allow_enable(json!({"active": false}), json!(false)),
        )
        .asks("create test inactive", shown(json!({"active": false})))
        .ends("done Create u-1 inactive"),
        case("allow-enable false by default", told(json!("no")))
            .with(|policy| policy.allow_enable_default = false)
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("told active", told(json!("yes")))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case("the command switched off is a skip", told(json!(false)))
            .with(|policy| policy.create_user_enabled = false)
            .ends("skipped Create: Command is disabled. [-]"),
    ]);
}

#[test]
fn a_refusal_is_final() {
    let kinds = [
        (ErrorKind::Connect, "failed Create 503: said [-]"),
        (ErrorKind::Congested, "failed Create 503: said [-]"),
        (ErrorKind::CircuitOpen, "failed Create 503: said [-]"),
        (ErrorKind::Throttled, "failed Create 429: said [-]"),
        (ErrorKind::WrongUrl, "failed Create 404: said [-]"),
        (ErrorKind::Status(400), "failed Create 400: said [-]"),
        (ErrorKind::Status(401), "failed Create 401: said [-]"),
        (ErrorKind::Status(403), "failed Create 403: said [-]"),
    ];
    hold(kinds.into_iter().map(|(kind, end)| {
        case("refused", create(json!({})))
            .asks("create test active", failed(kind))
            .ends(end)
    }));
}
