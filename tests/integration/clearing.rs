//! What an update takes out of a user: the attributes that the fields named by `clear` fill, by
//! whichever mapper.

use serde_json::{Value, json};

use crate::{
    expected::{ENTERPRISE, but, person},
    harness::{Answer, World},
};

/// test, with something in every attribute that a mapper of these tests can fill.
fn full() -> Value {
    but(
        person("u-1", "test"),
        json!({
            "name": {"givenName": "Test", "familyName": "User", "middleName": "M"}, "title": "Clerk", "externalId": "E1",
            "userType": "Staff", "phoneNumbers": [{"value": "1", "type": "work"}],
            ENTERPRISE: {"department": "D", "division": "V", "manager": {"value": "u-9"}},
        }),
    )
}

fn file(name: &str) -> String {
    format!("{}/tests/integration/mappers/{name}", env!("CARGO_MANIFEST_DIR"))
}

async fn world(mapper: Option<&str>) -> World {
    let path = mapper.map(|mapper| {
        if mapper.contains('/') {
            mapper.to_owned()
        } else {
            file(mapper)
        }
    });
    let settings: Vec<_> = path.iter().map(|path| ("AWS_ILM_MAPPER_OUT", path.as_str())).collect();
    World::holding_with(json!({"users": [full()]}), &settings).await
}

/// Clears fields of test, whose profile has only a name unless `more` is said.
async fn clear(world: &World, fields: Value, more: Value) -> Answer {
    let profile = but(json!({"username": "test"}), more);
    let arguments = json!({"user-profile": profile, "clear": fields, "allow-enable": false});
    world.command("iam-update-user", &arguments).await
}

/// test as it was, without these attributes and without what only the directory writes.
fn without(paths: &[&str]) -> Value {
    let mut user = full();
    for path in paths {
        match path.split_once('/') {
            None => drop(user.as_object_mut().unwrap().remove(*path)),
            Some((parent, part)) => drop(user[parent].as_object_mut().unwrap().remove(part)),
        }
    }
    user
}

#[track_caller]
fn assert_left(world: &World, paths: &[&str]) {
    let mut user = world.user("u-1");
    for own in ["meta", "schemas"] {
        user.as_object_mut().unwrap().remove(own);
    }
    assert_eq!(user, without(paths));
}

#[tokio::test]
async fn every_optional_field_of_the_built_in_mapping_can_be_cleared() {
    for (field, gone) in [
        (json!("email"), "emails"),
        (json!(["employeeid"]), "externalId"),
        (json!("[\"Mobile Phone\"]"), "phoneNumbers"),
        (json!("Title"), "title"),
        (json!("employeetype"), "userType"),
        (json!("department"), &format!("{ENTERPRISE}/department")),
        (json!("division,"), &format!("{ENTERPRISE}/division")),
    ] {
        let world = world(None).await;
        let answer = clear(&world, field.clone(), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_left(&world, &[gone]);
        world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
        // Nothing is there any more: no PATCH, success.
        let again = clear(&world, field, json!({})).await;
        assert_eq!((again.status, &again.vendor()["success"]), (200, &json!(true)));
        world.assert_calls(&[("ListUsers", 1)]);
    }
}

#[tokio::test]
async fn clearing_and_changing_go_in_one_patch() {
    let world = world(None).await;
    let answer = clear(&world, json!("title, Mobile Phone"), json!({"surname": "Else"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let [(method, path, body)] = &world.writes()[..] else {
        panic!("one write")
    };
    assert_eq!((method.as_str(), path.as_str()), ("PATCH", "/Users/u-1"));
    assert_eq!(
        body.as_ref().unwrap()["Operations"],
        json!([
            {"op": "remove", "path": "phoneNumbers"},
            {"op": "remove", "path": "title"},
            {"op": "replace", "path": "name", "value": {"givenName": "Test", "familyName": "Else"}},
        ])
    );
    let user = world.user("u-1");
    assert_eq!((user.get("title"), user.get("phoneNumbers")), (None, None));
    assert_eq!(user["name"]["familyName"], "Else");
}

#[tokio::test]
async fn an_exported_mapper_says_what_a_field_fills() {
    // Its extension is one glued JSON, of which each field fills a part.
    let world = world(Some("stock-manner.json")).await;
    let answer = clear(&world, json!("Department, mobilephone, email"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_left(&world, &[&format!("{ENTERPRISE}/department"), "phoneNumbers", "emails"]);
    let refused = clear(&world, json!(["countrycodenumber", "givenname"]), json!({})).await;
    assert_eq!(
        (refused.status, &refused.vendor()["errorMessage"]),
        (
            400,
            &json!(
                "clear: countrycodenumber, givenname can't be cleared; fields that can be: email, employeeid, mobilephone, \
                 title, employeenumber, department, division, costcentercode, employeetype"
            )
        )
    );
}

#[tokio::test]
async fn a_mapper_by_hand_says_what_a_field_fills() {
    let toml = format!(
        "name = \"clearing\"\ndirection = \"outgoing\"\n[\"User Profile\"]\nuserName = \"username\"\nname.middleName = \
         \"middle\"\ntitle = 'jobtitle or \"none\"'\nuserType = 'kind ~ \" \" ~ grade'\n\"{ENTERPRISE}\".manager.value = \
         \"bossid\"\nphoneNumbers = '[{{\"value\": phone, \"type\": \"work\"}}]'\n"
    );
    let folder = tempdir();
    let path = folder.join("clearing.toml");
    std::fs::write(&path, toml).unwrap();
    let world = world(Some(path.to_str().unwrap())).await;
    // The mapper fills the title always, with a text of its own.
    let filled = clear(&world, json!("jobtitle"), json!({})).await;
    assert_eq!(
        (filled.status, &filled.vendor()["errorMessage"]),
        (
            400,
            &json!(
                "clear: jobtitle (title) is to be cleared and filled at once; leave it out of clear or of user-profile"
            )
        )
    );
    let refused = clear(&world, json!("kind"), json!({})).await;
    assert_eq!(
        refused.vendor()["errorMessage"],
        "clear: kind can't be cleared; fields that can be: middle, phone, jobtitle, bossid"
    );
    world.assert_calls(&[]);
    let answer = clear(&world, json!("Middle, Boss Id, phone"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let user = world.user("u-1");
    assert_eq!(user["name"], json!({"givenName": "Test", "familyName": "User"}));
    assert_eq!(user[ENTERPRISE], json!({"department": "D", "division": "V"}));
    assert_eq!(user.get("phoneNumbers"), None);
    std::fs::remove_dir_all(folder).unwrap();
}

/// A folder of this test's own.
fn tempdir() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("aws-ilm-clearing-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn what_cannot_be_cleared_fails_before_any_call() {
    let world = world(None).await;
    for (fields, more) in [
        (json!(["userName"]), json!({})),
        (json!(["Display Name"]), json!({})),
        (json!(["Given Name"]), json!({})),
        (json!(["surname"]), json!({})),
        (json!(["id"]), json!({})),
        (json!(["lastName"]), json!({})),
        (json!(["title", "nickname"]), json!({})),
        (json!(["title"]), json!({"Title": "Boss"})),
        (json!(["employeeid"]), json!({"employeeid": "E1"})),
    ] {
        let answer = clear(&world, fields.clone(), more).await;
        let vendor = answer.vendor();
        assert_eq!((answer.status, &vendor["errorCode"]), (400, &json!(400)), "{fields}");
        assert!(
            vendor["errorMessage"].as_str().unwrap().starts_with("clear: "),
            "{}",
            answer.text
        );
    }
    world.assert_calls(&[]);
    assert_left(&world, &[]);
}

#[tokio::test]
async fn a_form_that_is_no_list_of_names_and_another_command_are_refused_by_the_argument() {
    let world = world(None).await;
    for (command, clear) in [
        ("iam-update-user", json!({"title": true})),
        ("iam-update-user", json!([7])),
        ("iam-update-user", json!("[\"title\"")),
        ("iam-create-user", json!(["title"])),
        ("iam-disable-user", json!([])),
    ] {
        let arguments = json!({"user-profile": {"username": "test"}, "clear": clear});
        let answer = world.command(command, &arguments).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, Some("application/problem+json")),
            "{command} {clear}"
        );
        assert!(answer.text.contains("clear"), "{}", answer.text);
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn an_update_that_creates_ignores_what_is_to_be_cleared() {
    let world = world(None).await;
    let arguments = json!({"user-profile": crate::expected::profile("jane"), "clear": "title"});
    let answer = world.command("iam-update-user", &arguments).await;
    assert_eq!((answer.status, &answer.vendor()["action"]), (200, &json!("create")));
    world.assert_calls(&[("ListUsers", 1), ("CreateUser", 1)]);
}
