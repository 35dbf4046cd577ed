//! What a command's answer tells of other people than the one it is about: id and userName, never
//! more.

use serde_json::{Value, json};

use crate::{
    expected::{ENTERPRISE, but, profile},
    harness::World,
};

/// A mark that stands in everything that nobody need know of a person.
const MARK: &str = "zqx";

/// A person all of whose attributes but id, userName and externalId bear the mark.
fn marked(id: &str, user_name: &str, changes: Value) -> Value {
    let text = |what: &str| format!("{what}{MARK}{id}");
    but(
        json!({
            "id": id, "userName": user_name, "name": {"givenName": text("g"), "familyName": text("f"), "middleName": text("m")},
            "displayName": text("d"), "nickName": text("n"), "title": text("t"), "userType": text("u"), "active": true,
            "emails": [{"value": format!("{MARK}{id}@example.com"), "type": "work", "primary": true}],
            "phoneNumbers": [{"value": text("+"), "type": "work"}],
            ENTERPRISE: {"department": text("D"), "costCenter": text("C"), "employeeNumber": text("N")},
        }),
        changes,
    )
}

fn directory() -> Value {
    json!({"users": [
        marked("u-1", "ann", json!({"externalId": "E1"})),
        marked("u-2", "bob", json!({"externalId": "E2"})),
        marked("u-3", "cleo@example.com", json!({"emails": [{"value": "cleo@example.com", "type": "work", "primary": true}]})),
        marked("u-4", "dan", json!({"active": false})),
        marked("u-5", "eve", json!({})),
    ]})
}

/// Every way to a 409 of a user command, with the beginning of what is said.
fn conflicts() -> Vec<(&'static str, Value, &'static str)> {
    const UNKNOWN: &str = "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11";
    let other = |name: &str, more: Value| but(but(profile("lee"), json!({"username": name})), more);
    vec![
        (
            "iam-get-user",
            json!({"id": "u-1", "username": "bob"}),
            "ambiguous: the id is that of user u-1 (userName ann), and the userName that of user u-2 (userName bob)",
        ),
        (
            "iam-disable-user",
            json!({"id": "u-1", "username": "bob"}),
            "ambiguous: the id is that of user u-1",
        ),
        (
            "iam-update-user",
            json!({"id": "u-1", "username": "bob"}),
            "the userName is taken by user u-2 (userName bob)",
        ),
        (
            "iam-disable-user",
            json!({"id": UNKNOWN, "username": "eve"}),
            "ambiguous: the directory does not know the id, whose account may be deleted",
        ),
        (
            "iam-update-user",
            json!({"username": "ann", "employeeid": "E9"}),
            "the userName belongs to another person: user u-1 (userName ann)",
        ),
        (
            "iam-get-user",
            json!({"username": "ann", "employeeid": "E9"}),
            "the userName belongs to another person: user u-1",
        ),
        (
            "iam-update-user",
            json!({"username": "ann", "employeeid": "E2"}),
            "the userName is that of user u-1 (userName ann), and the employee id that of user u-2 (userName bob)",
        ),
        (
            "iam-create-user",
            other("ann", json!({"employeeid": "E2"})),
            "the userName is that of user u-1",
        ),
        (
            "iam-disable-user",
            other("eve", json!({})),
            "ambiguous: found user u-5 (userName eve) for userName eve, but neither e-mail, phone nor a name",
        ),
        (
            "iam-get-user",
            other("new", json!({"olduserdata": {"username": "eve"}})),
            "ambiguous: found user u-5 (userName eve) for userName new, but neither",
        ),
        (
            "iam-create-user",
            other("dan", json!({})),
            "ambiguous: found user u-4 (userName dan) for userName dan, but that user is inactive",
        ),
        (
            "iam-update-user",
            other("new", json!({"employeeid": "E2"})),
            "ambiguous: found user u-2 (userName bob) for userName new, but only the employee id",
        ),
        (
            "iam-create-user",
            other("new", json!({"employeeid": "E2"})),
            "ambiguous: found user u-2 (userName bob) for userName new, but only the employee id",
        ),
    ]
}

/// Every way to a clash, whose answer shows the person it is about, and of the other one the id and
/// the userName.
fn clashes() -> Vec<(&'static str, Value, &'static str)> {
    let about_eve = |changes: Value| but(json!({"username": "eve"}), changes);
    vec![
        (
            "iam-update-user",
            json!({"username": "bob", "olduserdata": {"username": "eve"}}),
            "the userName is taken by user u-2 (userName bob)",
        ),
        (
            "iam-update-user",
            json!({"id": "u-5", "employeeid": "E1"}),
            "the externalId (employee id) is taken by user u-1 (userName ann)",
        ),
        (
            "iam-update-user",
            about_eve(json!({"email": "cleo@example.com"})),
            "the e-mail is taken by user u-3 (userName cleo@example.com)",
        ),
        (
            "iam-create-user",
            but(profile("lee"), json!({"email": "cleo@example.com"})),
            "the e-mail is taken by user u-3",
        ),
    ]
}

#[tokio::test]
async fn a_conflict_names_other_people_by_id_and_user_name_alone() {
    for (command, asked, message) in conflicts() {
        let world = World::holding(directory()).await;
        let answer = world.command(command, &json!({"user-profile": asked})).await;
        let told = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 409, "{command} {asked}: {}", answer.text);
        assert!(told.starts_with(message), "{command} {asked}: {told}");
        assert!(!told.contains(MARK), "{command} {asked}: {told}");
        // As a table too.
        let table = world.markdown(command, &json!({"user-profile": asked})).await;
        assert!(table.text.contains("|errorMessage|"), "{}", table.text);
    }
}

#[tokio::test]
async fn a_clash_shows_nothing_else_of_the_other_person_anywhere() {
    for (command, asked, message) in clashes() {
        let world = World::holding(directory()).await;
        let answer = world.command(command, &json!({"user-profile": asked})).await;
        assert_eq!(answer.status, 409, "{command} {asked}: {}", answer.text);
        let told = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
        assert!(told.contains(message), "{command} {asked}: {told}");
        assert!(!told.contains(MARK), "{told}");
        // The details are of the person it is about, who is u-5 here.
        for other in ["u-1", "u-2", "u-3", "u-4"] {
            let private = format!("{MARK}{other}");
            assert!(!answer.text.contains(&private), "{command} {asked}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn no_create_that_adopts_nobody_says_more() {
    let world = World::holding_with(directory(), &[("AWS_ILM_ADOPT", "never")]).await;
    let asked = json!({"user-profile": but(profile("lee"), json!({"username": "eve"}))});
    let answer = world.command("iam-create-user", &asked).await;
    assert_eq!(
        (answer.status, answer.vendor()["errorMessage"].as_str().unwrap()),
        (409, "user u-5 (userName eve) is there, and `adopt` is set to never")
    );
}
