use serde_json::json;

use super::*;
use crate::{
    outcome::{Action, Cause, Lookup, SkipReason},
    profile::UserProfile,
    scim::{ErrorKind, User},
};

const SIGNATURE: Signature<'static> = Signature {
    brand: "AWS-ILM",
    instance_name: "one",
};

const VENDOR: [&str; 13] = [
    "brand",
    "instanceName",
    "action",
    "success",
    "active",
    "id",
    "username",
    "email",
    "errorCode",
    "errorMessage",
    "details",
    "skipped",
    "reason",
];

const GROUP: [&str; 12] = [
    "brand",
    "instanceName",
    "success",
    "active",
    "id",
    "username",
    "email",
    "errorCode",
    "errorMessage",
    "details",
    "displayName",
    "members",
];

fn envelope(outcome: Outcome) -> Value {
    serde_json::to_value(Envelope::new(SIGNATURE, outcome)).unwrap()
}

fn user_outcome(action: Action, profile: Value, end: UserEnd) -> Outcome {
    let profile: UserProfile = serde_json::from_value(profile).unwrap();
    Outcome::User(UserOutcome {
        action,
        profile,
        lookup: Lookup::default(),
        end,
    })
}

fn group_outcome(action: GroupAction, end: GroupEnd) -> Outcome {
    Outcome::Group(GroupOutcome {
        action,
        lookup: Lookup::default(),
        end,
    })
}

fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

fn app_user(emails: Value) -> User {
    User::read(json!({"id": "u-1", "userName": "test", "active": true, "emails": emails})).unwrap()
}

fn done(profile: Value, user: User) -> Outcome {
    user_outcome(Action::Create, profile, UserEnd::Done { user, shown: None })
}

fn skipped(profile: Value) -> Outcome {
    let end = UserEnd::Skipped {
        reason: SkipReason::AlreadyDisabled,
        details: object(json!({"id": "u-1", "userName": "test", "active": false})),
    };
    user_outcome(Action::Disable, profile, end)
}

fn user_failed(profile: Value, failure: Failure) -> Outcome {
    let end = UserEnd::Failed {
        failure,
        details: object(json!({"id": "u-1", "userName": "test"})),
    };
    user_outcome(Action::Update, profile, end)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn failing(kind: ErrorKind) -> Failure {
    Failure::new(Cause::Directory(kind), "said")
}

#[test]
fn a_user_that_was_made() {
    let profile = json!({"username": "test", "email": "mine@example.com", "shoesize": 43});
    let user = app_user(json!([{"value": "theirs@example.com", "primary": true}]));
    let told = envelope(done(profile, user.clone()));
    assert_eq!(keys(&told["IAM"]), ["UserProfile", "Vendor"]);
    assert_eq!(keys(&told["IAM"]["Vendor"]), VENDOR);
    assert_eq!(
        told,
        json!({"IAM": {
            "UserProfile": {"username": "test", "email": "mine@example.com", "shoesize": 43},
            "Vendor": {
                "brand": "AWS-ILM", "instanceName": "one", "action": "create", "success": true, "active": true, "id": "u-1",
                "username": "test", "email": "mine@example.com", "errorCode": null, "errorMessage": "",
                "details": user.as_object(), "skipped": false, "reason": "",
            },
        }})
    );
}

#[test]
fn a_skip_shows_whom_it_found_in_the_details_only() {
    let told = envelope(skipped(json!({"username": "test", "email": "mine@example.com"})));
    assert_eq!(keys(&told["IAM"]["Vendor"]), VENDOR);
    assert_eq!(
        told["IAM"]["Vendor"],
        json!({
            "brand": "AWS-ILM", "instanceName": "one", "action": "disable", "success": true, "active": null, "id": null,
            "username": null, "email": "mine@example.com", "errorCode": null, "errorMessage": "",
            "details": {"id": "u-1", "userName": "test", "active": false}, "skipped": true,
            "reason": "User is already disabled.",
        })
    );
}

#[test]
fn a_failure_shows_whom_it_found_in_the_details_only() {
    let told = envelope(user_failed(
        json!({"username": "test"}),
        failing(ErrorKind::Status(500)),
    ));
    assert_eq!(keys(&told["IAM"]["Vendor"]), VENDOR);
    assert_eq!(
        told["IAM"],
        json!({
            "UserProfile": {"username": "test"},
            "Vendor": {
                "brand": "AWS-ILM", "instanceName": "one", "action": "update", "success": false, "active": null, "id": null,
                "username": null, "email": null, "errorCode": 500, "errorMessage": "said",
                "details": {"id": "u-1", "userName": "test"}, "skipped": false, "reason": "",
            },
        })
    );
}

#[test]
fn the_email_is_the_profiles_else_the_primary_one() {
    let two = json!([{"value": "first@x"}, {"value": "primary@x", "primary": true}]);
    let rows = [
        (
            "the profile's",
            json!({"email": "mine@x"}),
            two.clone(),
            json!("mine@x"),
        ),
        (
            "by its display name",
            json!({"Email": "mine@x"}),
            two.clone(),
            json!("mine@x"),
        ),
        ("none: the primary one", json!({}), two.clone(), json!("primary@x")),
        ("null", json!({"email": null}), two.clone(), json!("primary@x")),
        ("empty", json!({"email": ""}), two.clone(), json!("primary@x")),
        ("not text", json!({"email": 7}), two, json!("primary@x")),
        (
            "no primary one: the first",
            json!({}),
            json!([{"value": "first@x"}]),
            json!("first@x"),
        ),
        ("neither", json!({}), json!([]), json!(null)),
        (
            "empty, and none to yield to",
            json!({"email": ""}),
            json!([]),
            json!(""),
        ),
    ];
    for (name, profile, emails, expected) in rows {
        let told = envelope(done(profile, app_user(emails)));
        assert_eq!(told["IAM"]["Vendor"]["email"], expected, "{name}");
    }
    // On a skip and a failure it is the profile's only, whether or not a user was found.
    for (profile, expected) in [
        (json!({"email": "mine@x"}), json!("mine@x")),
        (json!({"email": ""}), json!("")),
        (json!({}), json!(null)),
    ] {
        let failed = user_failed(profile.clone(), failing(ErrorKind::Timeout));
        for outcome in [skipped(profile), failed] {
            assert_eq!(envelope(outcome)["IAM"]["Vendor"]["email"], expected);
        }
    }
}

#[test]
fn what_the_directory_did_not_say_is_null() {
    let silent = User::read(json!({"id": "u-1", "userName": "test"})).unwrap();
    let vendor = &envelope(done(json!({}), silent))["IAM"]["Vendor"];
    assert_eq!(vendor["active"], json!(null));
    assert_eq!(vendor["email"], json!(null));
    assert_eq!(vendor["id"], "u-1");
}

#[test]
fn a_get_shows_the_app_user_as_the_profile() {
    let end = UserEnd::Done {
        user: app_user(json!([])),
        shown: Some(object(json!({"Username": "test"}))),
    };
    let told = envelope(user_outcome(Action::Get, json!({"id": "u-1"}), end));
    assert_eq!(told["IAM"]["UserProfile"], json!({"Username": "test"}));
}

#[test]
fn each_group_command_has_a_key_of_its_own() {
    for (action, key) in [
        (GroupAction::Get, "GetGroup"),
        (GroupAction::Create, "CreateGroup"),
        (GroupAction::Update, "UpdateGroup"),
        (GroupAction::Delete, "DeleteGroup"),
    ] {
        let done = GroupEnd::Done {
            id: Some("g-1".to_owned()),
            display_name: None,
            details: Object::new(),
            members: None,
        };
        let failed = GroupEnd::Failed {
            id: None,
            display_name: None,
            failure: failing(ErrorKind::Timeout),
            details: None,
        };
        for end in [done, failed] {
            let told = envelope(group_outcome(action, end));
            assert_eq!(keys(&told), [key]);
            assert_eq!(keys(&told[key]), GROUP);
        }
    }
}

#[test]
fn a_group_that_was_found() {
    let member = |value: &str, display: Option<&str>| Member {
        value: value.to_owned(),
        display: display.map(str::to_owned),
    };
    let end = GroupEnd::Done {
        id: Some("g-1".to_owned()),
        display_name: Some("Admins".to_owned()),
        details: object(json!({"id": "g-1", "displayName": "Admins"})),
        members: Some(vec![member("u-1", Some("One")), member("u-2", None)]),
    };
    assert_eq!(
        envelope(group_outcome(GroupAction::Get, end))["GetGroup"],
        json!({
            "brand": "AWS-ILM", "instanceName": "one", "success": true, "active": null, "id": "g-1", "username": null,
            "email": null, "errorCode": null, "errorMessage": null, "details": {"id": "g-1", "displayName": "Admins"},
            "displayName": "Admins", "members": [{"value": "u-1", "display": "One"}, {"value": "u-2", "display": null}],
        })
    );
}

#[test]
fn a_failed_group_command_tells_what_was_asked_for() {
    let results = json!({"members": [{"value": "u-1", "operation": "add", "result": "failed"}]});
    let end = GroupEnd::Failed {
        id: Some("g-1".to_owned()),
        display_name: Some("Admins".to_owned()),
        failure: Failure::new(Cause::Directory(ErrorKind::Absent), "said"),
        details: Some(results.clone()),
    };
    assert_eq!(
        envelope(group_outcome(GroupAction::Update, end))["UpdateGroup"],
        json!({
            "brand": "AWS-ILM", "instanceName": "one", "success": false, "active": null, "id": "g-1", "username": null,
            "email": null, "errorCode": 404, "errorMessage": "said", "details": results, "displayName": "Admins",
            "members": null,
        })
    );
}

#[test]
fn the_two_commands_without_a_person_or_a_group() {
    assert_eq!(
        envelope(Outcome::Tested(Ok("proved"))),
        json!({"TestModule": {
            "brand": "AWS-ILM", "instanceName": "one", "success": true, "errorCode": null, "errorMessage": "",
            "details": "proved",
        }})
    );
    assert_eq!(
        envelope(Outcome::Tested(Err(failing(ErrorKind::Connect)))),
        json!({"TestModule": {
            "brand": "AWS-ILM", "instanceName": "one", "success": false, "errorCode": 503, "errorMessage": "said",
            "details": "",
        }})
    );
    let fields = vec![("userName".to_owned(), "text".to_owned())];
    assert_eq!(
        envelope(Outcome::MappingFields(fields)),
        json!({"User Profile": {"userName": "text"}})
    );
}
