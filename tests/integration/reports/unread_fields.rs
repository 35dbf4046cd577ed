//! Fields that say who is meant and can't be read: no command goes on as if they were not there.
//! A leaver who is known by one would be reported as gone, and the account of a name that was given
//! again written to in another's place.

use serde_json::{Value, json};

use super::{assert_fails, send};
use crate::{
    expected::{but, person},
    harness::World,
};

/// kim, whose employee id is 1001, under a new name; sam, disabled.
fn renamed_and_disabled() -> Value {
    json!({"users": [
        but(person("u-1", "kim.new"), json!({"externalId": "1001"})),
        but(person("u-2", "sam"), json!({"active": false})),
    ]})
}

#[tokio::test]
async fn an_employee_id_that_is_no_text_hides_no_leaver() {
    let world = World::holding(renamed_and_disabled()).await;
    let in_quotes = "must be text, not a number; send it in quotes";
    for (profile, message) in [
        (
            json!({"username": "kim", "employeeid": 1001}),
            format!("user-profile.employeeid: {in_quotes}"),
        ),
        (
            json!({"employeeid": 1001}),
            format!("user-profile.employeeid: {in_quotes}"),
        ),
        (
            json!({"username": "kim", "employeeid": ["1001", "1002"]}),
            "user-profile.employeeid: must be text, not a list of several values; send the one that counts".to_owned(),
        ),
        (
            json!({"username": "kim", "Employee ID": "1001", "EmployeeID": "7"}),
            "user-profile.employeeid: must be text, not two different values; it is there in two spellings: leave one"
                .to_owned(),
        ),
        (
            json!({"username": "kim", "olduserdata": {"employeeid": 1001}}),
            format!("user-profile.olduserdata.employeeid: {in_quotes}"),
        ),
        // Another person's name by now: their account is not the one that is meant.
        (
            json!({"username": "kim.new", "employeeid": 7}),
            format!("user-profile.employeeid: {in_quotes}"),
        ),
    ] {
        for command in ["iam-disable-user", "iam-get-user", "iam-update-user", "iam-create-user"] {
            assert_fails(&send(&world, command, &profile).await, 400, &message);
        }
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn an_invisible_character_in_an_employee_id_hides_no_leaver() {
    let world = World::holding(renamed_and_disabled()).await;
    for (id, found) in [
        ("1001\u{200b}", "U+200B ZERO WIDTH SPACE at position 5"),
        ("\u{feff}1001", "U+FEFF ZERO WIDTH NO-BREAK SPACE at position 1"),
    ] {
        let message = |place: &str, attribute: &str| {
            format!("{attribute}: {found} can't stand in it; take it out, it is invisible ({place}.employeeid)")
        };
        let now = send(
            &world,
            "iam-disable-user",
            &json!({"username": "kim", "employeeid": id}),
        )
        .await;
        assert_fails(&now, 400, &message("user-profile", "externalId"));
        let old = json!({"username": "kim", "olduserdata": {"employeeid": id}});
        let old = send(&world, "iam-disable-user", &old).await;
        assert_fails(
            &old,
            400,
            &message("user-profile.olduserdata", "olduserdata.externalId"),
        );
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn old_data_in_two_spellings_are_none_to_choose_from() {
    let world = World::holding(renamed_and_disabled()).await;
    let profile = json!({
        "username": "kim", "Old User Data": {"username": "kim.new"}, "OldUserData": {"username": "kim.older"},
    });
    assert_fails(
        &send(&world, "iam-disable-user", &profile).await,
        400,
        "user-profile.olduserdata is there in two spellings, with two values: leave one",
    );
}

#[tokio::test]
async fn a_final_sigma_is_the_small_form_of_its_capital() {
    let world = World::holding(json!({"users": [person("u-1", "ΟΔΟΣ")]})).await;
    let answer = send(&world, "iam-disable-user", &json!({"username": "οδος"})).await;
    assert_eq!((answer.status, &answer.vendor()["success"]), (200, &json!(true)));
    assert_eq!(world.user("u-1")["active"], false);
}

#[tokio::test]
async fn active_in_two_spellings_enables_nobody() {
    let world = World::holding(renamed_and_disabled()).await;
    let profile = json!({"username": "sam", "Active": true, "ACTIVE": false});
    assert_fails(
        &send(&world, "iam-update-user", &profile).await,
        400,
        "user-profile.active is there in two spellings, with two values: leave one",
    );
    assert_eq!(world.user("u-2")["active"], false);
}

#[tokio::test]
async fn what_a_mapper_makes_no_text_of_hides_no_leaver() {
    let path = std::env::temp_dir().join(format!("aws-ilm-keys-{}.toml", uuid::Uuid::new_v4()));
    let text =
        "name = \"keys\"\ndirection = \"outgoing\"\n[\"User Profile\"]\nuserName = \"badge\"\nexternalId = \"hr\"\n";
    std::fs::write(&path, text).unwrap();
    let mapper = [("AWS_ILM_MAPPER_OUT", path.to_str().unwrap())];
    let world = World::holding_with(renamed_and_disabled(), &mapper).await;
    for (profile, start) in [
        (json!({"badge": 5}), "userName: "),
        (json!({"badge": ["kim", "sam"], "hr": "7"}), "userName: "),
        (json!({"badge": "kim", "hr": 1001}), "externalId: "),
        (json!({"badge": "kim", "hr": ["1001", "7"]}), "externalId: "),
        (json!({"badge": "kim", "hr": {"id": "1001"}}), "externalId: "),
        (json!({"badge": "kim", "Hr": "1001", "HR": "7"}), "externalId: "),
        (
            json!({"badge": "kim", "olduserdata": {"hr": 1001}}),
            "olduserdata.externalId: ",
        ),
    ] {
        let answer = send(&world, "iam-disable-user", &profile).await;
        let told = answer.vendor()["errorMessage"].clone();
        assert_eq!(answer.status, 400, "{profile} {told}");
        assert!(told.as_str().unwrap().starts_with(start), "{profile} {told}");
    }
    world.assert_calls(&[]);
    let one = send(&world, "iam-disable-user", &json!({"badge": "kim", "hr": ["1001"]})).await;
    assert_eq!((one.status, &one.vendor()["success"]), (200, &json!(true)));
    assert_eq!(world.user("u-1")["active"], false);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_sign_that_is_no_text_speaks_for_nobody() {
    let seed = || json!({"users": [person("u-1", "kim"), but(person("u-2", "jane"), json!({"externalId": "7"}))]});
    let list = "user-profile.email: must be text, not a list of several values; send the one that counts";
    let number = "must be text, not a number; send it in quotes";
    // Two signs, of which one can't be read and none is kim's: the name may have been given again.
    for (profile, message) in [
        (json!({"email": ["a@x", "b@x"], "surname": "Else"}), list.to_owned()),
        (
            json!({"mobilephone": 5551234, "givenname": "Else"}),
            format!("user-profile.mobilephone: {number}"),
        ),
        (
            json!({"email": ["a@x", "b@x"], "mobilephone": 5551234}),
            format!("{list}. user-profile.mobilephone: {number}"),
        ),
        (
            json!({"surname": "Else", "olduserdata": {"email": 7}}),
            format!("user-profile.olduserdata.email: {number}"),
        ),
    ] {
        let world = World::holding(seed()).await;
        let answer = send(&world, "iam-disable-user", &but(json!({"username": "kim"}), profile)).await;
        assert_fails(&answer, 400, &message);
        assert_eq!(world.user("u-1")["active"], true);
    }
    // One sign alone decides nothing, an equal one decides, and so do employee ids.
    for (profile, id) in [
        (json!({"username": "kim", "mobilephone": 5551234}), "u-1"),
        (
            json!({"username": "kim", "mobilephone": 5551234, "email": "kim@example.com"}),
            "u-1",
        ),
        (
            json!({"username": "jane", "employeeid": "7", "mobilephone": 5, "surname": "Else"}),
            "u-2",
        ),
    ] {
        let world = World::holding(seed()).await;
        let answer = send(&world, "iam-disable-user", &profile).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(world.user(id)["active"], false);
    }
}
