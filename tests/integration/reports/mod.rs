//! What other people's troubles with user directories showed: each fault stands for its kind.

mod characters;
mod unread_fields;

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::{but, person, profile, without_request_ids},
    harness::{Answer, World},
};

/// jane and kim, both active.
fn jane_and_kim() -> Value {
    json!({"users": [person("u-1", "jane"), person("u-2", "kim")]})
}

async fn send(world: &World, command: &str, profile: &Value) -> Answer {
    world.command(command, &json!({"user-profile": profile})).await
}

/// Asserts that a command ended with this status and message, request ids aside.
#[track_caller]
fn assert_fails(answer: &Answer, status: u16, message: &str) {
    let vendor = answer.vendor();
    let told = vendor["errorMessage"].as_str().unwrap();
    assert_eq!((answer.status, without_request_ids(told).as_str()), (status, message));
    assert_eq!(
        (&vendor["errorCode"], &vendor["success"]),
        (&json!(status), &json!(false))
    );
}

// Whom a disable means.

#[tokio::test]
async fn white_space_at_the_ends_of_a_name_hides_no_leaver() {
    for name in ["jane ", " jane", "jane\u{a0}", "\u{2009}jane", "\tjane\r\n"] {
        let world = World::holding(jane_and_kim()).await;
        let answer = send(&world, "iam-disable-user", &json!({"username": name})).await;
        assert_eq!(
            (answer.status, &answer.vendor()["skipped"]),
            (200, &json!(false)),
            "{name:?}"
        );
        assert_eq!(world.user("u-1")["active"], false, "{name:?}");
    }
}

#[tokio::test]
async fn a_blank_name_is_no_identifier() {
    let world = World::holding(jane_and_kim()).await;
    for name in ["", "  ", "\u{a0}", "\u{3000}\n"] {
        let answer = send(&world, "iam-disable-user", &json!({"username": name})).await;
        assert_fails(
            &answer,
            400,
            "user-profile needs at least one of: id, username, employeeid, also in olduserdata",
        );
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn an_id_of_the_hr_system_hides_no_leaver() {
    let world = World::holding(jane_and_kim()).await;
    let answer = send(&world, "iam-disable-user", &json!({"id": "123", "username": "kim"})).await;
    assert_eq!((answer.status, &answer.vendor()["id"]), (200, &json!("u-2")));
    assert_eq!(world.user("u-2")["active"], false);
}

#[tokio::test]
async fn a_directory_that_calls_a_strange_id_a_bad_request_means_that_it_is_unknown() {
    let world = World::holding(jane_and_kim()).await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 400 }).on("GetUser"));
    let answer = send(&world, "iam-disable-user", &json!({"id": "123", "username": "kim"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(world.user("u-2")["active"], false);
}

#[tokio::test]
async fn a_hire_with_an_id_of_the_hr_system_is_created() {
    let world = World::holding(jane_and_kim()).await;
    let answer = send(&world, "iam-create-user", &but(profile("lee"), json!({"id": "123"}))).await;
    assert_eq!((answer.status, &answer.vendor()["action"]), (200, &json!("create")));
    assert_eq!(world.user("lee")["active"], true);
}

#[tokio::test]
async fn a_leaver_whose_rename_did_not_arrive_is_disabled_by_the_old_name() {
    let world = World::holding(jane_and_kim()).await;
    let asked = json!({"username": "kim.new", "olduserdata": {"username": "kim"}});
    let answer = send(&world, "iam-disable-user", &asked).await;
    assert_eq!((answer.status, &answer.vendor()["id"]), (200, &json!("u-2")));
    assert_eq!(world.user("u-2")["active"], false);
}

#[tokio::test]
async fn a_name_in_either_normal_form_finds_its_leaver() {
    for (has, sent) in [("jos\u{e9}", "jose\u{301}"), ("jose\u{301}", "jos\u{e9}")] {
        let world = World::holding(json!({"users": [person("u-1", has)]})).await;
        let answer = send(&world, "iam-disable-user", &json!({"username": sent})).await;
        assert_eq!(
            (answer.status, &answer.vendor()["id"]),
            (200, &json!("u-1")),
            "{sent:?}"
        );
        assert_eq!(world.user("u-1")["active"], false, "{sent:?}");
        world.assert_calls(&[("ListUsers", 2), ("PatchUser", 1)]);
    }
}

// Whose user an update changes.

#[tokio::test]
async fn an_update_takes_no_account_of_another_employee_id() {
    let sam = but(person("u-3", "sam"), json!({"externalId": "100", "active": false}));
    let world = World::holding(json!({"users": [sam]})).await;
    let before = world.sandbox.dump();
    let asked = json!({"username": "sam", "givenname": "Samuel", "surname": "Other", "employeeid": "200"});
    for command in ["iam-update-user", "iam-create-user"] {
        assert_fails(
            &send(&world, command, &asked).await,
            409,
            "the userName belongs to another person: user u-3 (userName sam) has another externalId (employee id)",
        );
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn a_profile_that_says_inactive_enables_nobody() {
    let kim = but(person("u-2", "kim"), json!({"active": false}));
    let world = World::holding(json!({"users": [kim]})).await;
    let before = world.sandbox.dump();
    for active in [
        json!(false),
        json!(0),
        json!("false"),
        json!("No"),
        json!("0"),
        json!("INACTIVE"),
        json!(["false"]),
    ] {
        for command in ["iam-update-user", "iam-create-user"] {
            assert_fails(
                &send(&world, command, &but(profile("kim"), json!({"active": active}))).await,
                400,
                "user-profile.active is false, and allow-enable is true: a leaver? send iam-disable-user; else \
                 allow-enable=false",
            );
        }
    }
    world.assert_calls(&[]);
    // Told not to enable, it changes the rest.
    let asked = json!({"user-profile": {"username": "kim", "active": false, "title": "Boss"}, "allow-enable": false});
    assert_eq!(world.command("iam-update-user", &asked).await.status, 200);
    assert_eq!(world.user("u-2")["title"], "Boss");
    assert_eq!(world.user("u-2")["active"], false);
    assert_eq!(before["users"][0]["active"], false);
}

// What is empty, and what a list is.

#[tokio::test]
async fn empty_old_data_and_an_empty_switch_are_as_absent() {
    let world = World::holding(jane_and_kim()).await;
    for old in [
        json!(""),
        json!([]),
        json!({}),
        json!(null),
        json!(" "),
        json!("{}"),
        json!("[]"),
        json!("null"),
    ] {
        let asked = but(json!({"username": "kim"}), json!({"olduserdata": old}));
        let answer = send(&world, "iam-update-user", &asked).await;
        assert_eq!((answer.status, &answer.vendor()["id"]), (200, &json!("u-2")), "{old}");
        world.assert_calls(&[("ListUsers", 1)]);
    }
    let asked = json!({"user-profile": profile("lee"), "allow-enable": ""});
    let answer = world.command("iam-create-user", &asked).await;
    assert_eq!((answer.status, &answer.vendor()["active"]), (200, &json!(true)));
}

#[tokio::test]
async fn an_empty_list_or_object_fills_nothing() {
    let kim = but(person("u-2", "kim"), json!({"title": "Clerk"}));
    let world = World::holding(json!({"users": [kim]})).await;
    for empty in [json!([]), json!({}), json!(""), json!(null)] {
        let asked = json!({"username": "kim", "title": empty, "displayname": format!("Kim {empty}")});
        let answer = send(&world, "iam-update-user", &asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let user = world.user("u-2");
        assert_eq!(
            (&user["title"], &user["displayName"]),
            (&json!("Clerk"), &asked["displayname"])
        );
    }
}

#[tokio::test]
async fn a_list_of_one_text_is_that_text_and_one_of_several_is_refused_by_its_field() {
    let world = World::holding(json!({})).await;
    let asked = but(profile("lee"), json!({"email": ["a@example.com"]}));
    let answer = send(&world, "iam-create-user", &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        world.user("lee")["emails"],
        json!([{"value": "a@example.com", "type": "work", "primary": true}])
    );
    let before = world.sandbox.dump();
    let asked = but(profile("lee"), json!({"email": ["a@example.com", "b@example.com"]}));
    let answer = send(&world, "iam-update-user", &asked).await;
    let message = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
    assert!(
        answer.status == 400 && message.starts_with("user-profile.email: must be text, not a list of several values"),
        "{}",
        answer.text
    );
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn an_empty_field_gives_way_to_its_filled_display_name() {
    let world = World::holding(json!({"users": [person("u-1", "hr.person")]})).await;
    let asked = json!({"username": "", "Username": "hr.person"});
    let answer = send(&world, "iam-get-user", &asked).await;
    assert_eq!((answer.status, &answer.vendor()["id"]), (200, &json!("u-1")));
}

// What a clash says.

#[tokio::test]
async fn a_clash_says_which_attribute_and_whose_it_is() {
    let users = json!({"users": [
        but(person("u-1", "jane@example.com"), json!({"externalId": "E1", "emails": [{"value": "jane@example.com", "type": "work", "primary": true}]})),
        but(person("u-2", "kim"), json!({"externalId": "E2"})),
    ]});
    let world = World::holding(users).await;
    let before = world.sandbox.dump();
    let kim = json!({"username": "kim"});
    let refused = |whose: &str| format!("Refused to create a new, duplicate resource. (AWS request id X); {whose}");
    for (command, asked, message) in [
        (
            "iam-update-user",
            json!({"username": "jane@example.com", "olduserdata": kim}),
            refused("the userName is taken by user u-1 (userName jane@example.com)"),
        ),
        (
            "iam-update-user",
            but(kim.clone(), json!({"email": "jane@example.com"})),
            refused("the e-mail is taken by user u-1 (userName jane@example.com)"),
        ),
        (
            "iam-create-user",
            but(profile("lee"), json!({"email": "jane@example.com"})),
            refused("the e-mail is taken by user u-1 (userName jane@example.com)"),
        ),
        (
            "iam-create-user",
            but(profile("lee"), json!({"email": "kim@example.com"})),
            refused("no other user has this userName, so what clashes is most likely the e-mail"),
        ),
        (
            "iam-update-user",
            json!({"id": "u-2", "employeeid": "E1"}),
            refused("the externalId (employee id) is taken by user u-1 (userName jane@example.com)"),
        ),
    ] {
        assert_fails(&send(&world, command, &asked).await, 409, &message);
        assert_eq!(world.sandbox.dump(), before, "{asked}");
    }
}

#[tokio::test]
async fn a_field_that_fills_nothing_changes_nothing_and_fails_nothing() {
    let world = World::holding(jane_and_kim()).await;
    let before = world.sandbox.dump();
    let asked = json!({"username": "kim", "lastName": "X"});
    let answer = send(&world, "iam-update-user", &asked).await;
    assert_eq!((answer.status, &answer.vendor()["id"]), (200, &json!("u-2")));
    assert_eq!(answer.json()["IAM"]["UserProfile"], asked);
    assert_eq!(world.sandbox.dump(), before);
    world.assert_calls(&[("ListUsers", 1)]);
}

// What an instance's operator can set.

#[tokio::test]
async fn where_a_missing_leaver_must_fail_the_failure_says_by_what_was_looked() {
    let world = World::holding_with(jane_and_kim(), &[("AWS_ILM_DISABLE_ABSENT", "fail")]).await;
    let asked = json!({"id": "123", "username": "gone", "employeeid": "E9", "olduserdata": {"username": "went"}});
    assert_fails(
        &send(&world, "iam-disable-user", &asked).await,
        404,
        "User does not exist; looked by id, userName, employee id, old userName",
    );
}

#[tokio::test]
async fn a_foreign_id_is_no_key_and_costs_no_call() {
    let world = World::holding_with(jane_and_kim(), &[("AWS_ILM_PROFILE_ID", "foreign")]).await;
    // The HR system's id happens to be that of jane.
    let asked = json!({"id": "u-1", "username": "kim"});
    assert_eq!(send(&world, "iam-get-user", &asked).await.vendor()["id"], "u-2");
    world.assert_calls(&[("ListUsers", 1)]);
    assert_fails(
        &send(&world, "iam-disable-user", &json!({"id": "u-1"})).await,
        400,
        "user-profile needs at least one of: username, employeeid, also in olduserdata",
    );
    world.assert_calls(&[]);
}

#[tokio::test]
async fn whether_allow_enable_is_the_default_is_the_instances_to_say() {
    let idle = but(person("u-1", "jane"), json!({"active": false}));
    let world = World::holding_with(json!({"users": [idle]}), &[("AWS_ILM_ALLOW_ENABLE_DEFAULT", "false")]).await;
    assert_eq!(
        send(&world, "iam-create-user", &profile("lee")).await.vendor()["active"],
        false
    );
    let asked = but(profile("jane"), json!({"title": "Boss"}));
    assert_eq!(send(&world, "iam-update-user", &asked).await.vendor()["active"], false);
    let told = json!({"user-profile": asked, "allow-enable": true});
    assert_eq!(world.command("iam-update-user", &told).await.vendor()["active"], true);
}

#[tokio::test]
async fn strict_adoption_asks_for_a_sign_where_employee_ids_cant_be_compared() {
    let world = World::holding_with(jane_and_kim(), &[("AWS_ILM_ADOPT", "strict")]).await;
    let before = world.sandbox.dump();
    let other = json!({"email": "k@other.example", "givenname": "Kimberly", "surname": "Roe", "title": "Boss"});
    for command in ["iam-update-user", "iam-create-user"] {
        assert_fails(
            &send(&world, command, &but(profile("kim"), other.clone())).await,
            409,
            "ambiguous: found user u-2 (userName kim) for userName kim, but neither e-mail, phone nor a name is that \
             user's; send olduserdata with what the person had before, or the right employee id",
        );
    }
    assert_eq!(world.sandbox.dump(), before);
    let asked = but(profile("kim"), json!({"email": "kim@other.example"}));
    assert_eq!(send(&world, "iam-update-user", &asked).await.status, 200);
}
