//! Configured mappers, through the front door: commands that use them, the routes and the
//! subcommands that tell of them.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::harness::{Setup, World};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn file(name: &str) -> String {
    format!("{}/tests/integration/mappers/{name}", env!("CARGO_MANIFEST_DIR"))
}

async fn world() -> World {
    World::with(Setup {
        environment: vec![
            ("AWS_ILM_MAPPER_FOLDER", file("")),
            ("AWS_ILM_MAPPER_OUT", "Glued (Outgoing)".to_owned()),
            ("AWS_ILM_MAPPER_IN", file("plain-incoming.json")),
        ],
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn commands_use_the_configured_mappers() {
    let world = world().await;
    let person = json!({"user-profile": {
        "username": "ohara", "givenname": "Scarlett \"Katie\"", "surname": "O\"Hara\", \"familyName\": \"x", "email": "ohara@example.com",
        "employeeid": "e-77", "employeenumber": "77", "department": "\"}", "badge": "b-1",
    }});
    let created = world.command("iam-create-user", &person).await;
    assert_eq!(created.status, 200, "{}", created.text);
    let details = created.vendor()["details"].clone();
    assert_eq!(
        details["name"],
        json!({"givenName": "Scarlett \"Katie\"", "familyName": "O\"Hara\", \"familyName\": \"x"})
    );
    assert_eq!(
        details["emails"],
        json!([{"type": "work", "primary": true, "value": "ohara@example.com"}])
    );
    assert_eq!(
        details[ENTERPRISE],
        json!({"employeeNumber": "77", "department": "\"}"})
    );

    let got = world
        .command("iam-get-user", &json!({"user-profile": {"username": "ohara"}}))
        .await;
    assert_eq!(
        got.json()["IAM"]["UserProfile"],
        json!({"Username": "ohara", "Email": "ohara@example.com", "Given Name": "Scarlett \"Katie\"", "Employee ID": "e-77",
            "Work Email": ["ohara@example.com"], "Department": "\"}"})
    );
    // The update's mapping has a title, the creation's has none.
    let update = json!({"user-profile": {"username": "ohara", "title": "Boss", "employeeid": "e-77"}});
    let updated = world.command("iam-update-user", &update).await;
    assert_eq!(
        (updated.status, &updated.vendor()["details"]["title"]),
        (200, &json!("Boss")),
        "{}",
        updated.text
    );
    // What can't be mapped is a failure that names attribute and step, and nothing is sent.
    world.calls();
    let crooked = json!({"user-profile": {"username": "ohara", "givenname": {"an": "object"}, "employeeid": "e-77"}});
    let refused = world.command("iam-update-user", &crooked).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let message = refused.vendor()["errorMessage"].as_str().unwrap().to_owned();
    assert!(
        message.contains("name: concat: needs a text and got an object"),
        "{message}"
    );
    assert!(world.calls().keys().all(|call| !call.contains("Patch")));
}

#[tokio::test]
async fn the_mappers_in_use_are_listed_and_explained() {
    let world = world().await;
    let listed = world.get("/mappers").await.json();
    let instance = &listed["instances"][0];
    assert_eq!(instance["outgoing"]["name"], "Glued (Outgoing)");
    assert_eq!(instance["outgoing"]["id"], "glued-outgoing");
    let types: Vec<&Value> = instance["outgoing"]["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["type"])
        .collect();
    assert_eq!(types, ["User Profile - Create", "User Profile - Update"]);
    assert_eq!(instance["incoming"]["types"][0]["fields"][0], "Username");

    let body = json!({"user-profile": {"username": "u", "givenname": "G", "surname": "S"}});
    let told = world.post("/mappers/Glued%20(Outgoing)/explain", &body).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let told = told.json();
    assert_eq!(told["type"], "User Profile - Create");
    assert_eq!(
        told["result"],
        json!({"userName": "u", "displayName": "G S", "name": {"givenName": "G", "familyName": "S"}})
    );
    assert_eq!(told["verdict"], json!({"sendable": true, "violations": []}));
    assert_eq!(told["fields"][3]["leftOut"], "its source is missing");

    let user = json!({"user": {"userName": "u", "name": {"givenName": "G"}}});
    let told = world.post("/mappers/plain-incoming/explain", &user).await;
    assert_eq!(
        (told.status, &told.json()["result"]),
        (200, &json!({"Username": "u", "Given Name": "G"})),
        "{}",
        told.text
    );

    for (path, body, status, kind) in [
        (
            "/mappers/nobody/explain",
            json!({"user-profile": {}}),
            404,
            "/problems/no-such-mapper",
        ),
        (
            "/mappers/%ff/explain",
            json!({"user-profile": {}}),
            404,
            "/problems/no-such-mapper",
        ),
        (
            "/mappers/built-in/explain",
            json!({"user-profile": {}}),
            404,
            "/problems/no-such-mapper",
        ),
        (
            "/mappers/glued-outgoing/explain",
            json!({}),
            400,
            "/problems/missing-argument",
        ),
        (
            "/mappers/glued-outgoing/explain",
            json!({"user-profile": {}, "type": "Phishing"}),
            400,
            "/problems/bad-argument",
        ),
        (
            "/mappers/glued-outgoing/explain",
            json!({"user-profile": {}, "user": {}}),
            400,
            "/problems/bad-argument",
        ),
        (
            "/mappers/glued-outgoing/explain",
            json!({"user-profil": {}}),
            400,
            "/problems/unknown-argument",
        ),
        (
            "/mappers/plain-incoming/explain",
            json!({"user": {}, "type": "User Profile - Create"}),
            400,
            "/problems/bad-argument",
        ),
    ] {
        let answer = world.post(path, &body).await;
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (status, &json!(kind)),
            "{path} {body}: {}",
            answer.text
        );
        if status == 404 {
            assert_eq!(answer.json()["title"], "No such mapper", "{path}");
        }
    }
}

#[tokio::test]
async fn without_mappers_the_built_in_mapping_is_listed_and_explained() {
    let world = World::start().await;
    let listed = world.get("/mappers").await.json();
    assert_eq!(listed["instances"][0]["outgoing"]["name"], "built-in");
    assert_eq!(
        listed["instances"][0]["outgoing"]["types"][0]["fields"]
            .as_array()
            .unwrap()
            .len(),
        14
    );
    let body = json!({"type": "User Profile - Update", "user-profile": {"username": "u u", "Given Name": "G"}});
    let told = world.post("/mappers/built-in/explain", &body).await.json();
    assert_eq!(told["result"], json!({"userName": "u u", "name": {"givenName": "G"}}));
    assert_eq!(told["verdict"]["violations"][0]["attribute"], "userName");
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_aws-ilm"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read is done before the pipe is full.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

#[test]
fn lint_tells_everything_and_exits_accordingly() {
    for (arguments, code, expected) in [
        (&["glued-outgoing.json"][..], 0, "0 errors, 0 warnings"),
        (
            &["dirty.json"],
            0,
            "warning  User Profile › shoeSize: AWS knows no such attribute",
        ),
        (&["dirty.json", "--strict"], 1, "0 errors, 4 warnings"),
        (
            &["refused.json"],
            1,
            "error    User Profile › displayName › transformer 1 (reverse): the operator `reverse` is not known",
        ),
        (&["by-hand.toml"], 0, "0 errors, 0 warnings, 0 notes"),
        (&["no-such-file.json"], 2, ""),
    ] {
        let path = file(arguments[0]);
        let mut line = vec!["mapper", "lint", &path];
        line.extend(&arguments[1..]);
        let output = run(&line, "");
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
}

/// A file that lives as long as the test.
struct Written(std::path::PathBuf);

impl Written {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("aws-ilm-{}-{name}", std::process::id())))
    }

    fn with(name: &str, text: &str) -> Self {
        let written = Self::new(name);
        std::fs::write(&written.0, text).unwrap();
        written
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn lint_names_what_an_expression_may_not_name() {
    let mapper = Written::with(
        "unknown.toml",
        "direction = \"outgoing\"\n[\"User Profile\"]\nuserName = \"'x' if true else (username | shout)\"\ntitle = \"title is shiny\"\nname.givenName = \"cut(givenname)\"\n",
    );
    let output = run(&["mapper", "lint", mapper.path()], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for expected in [
        "error    User Profile › userName: the filter `shout` is not known; known are abs, attr, batch",
        "error    User Profile › title: the test `shiny` is not known; known are boolean, defined",
        "error    User Profile › name.givenName: the function `cut` is not known; known is dict",
        &format!("{}: 3 errors", mapper.path()),
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
}

/// A pipe without a writer: reading it would wait for ever.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_mapper_for_lint_explain_and_the_configuration() {
    let pipe = Written::new("pipe.json");
    let made = Command::new("mkfifo").arg(&pipe.0).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is not at hand");
    for arguments in [["mapper", "lint", pipe.path()], ["mapper", "explain", pipe.path()]] {
        let output = run(&arguments, "{}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("not a regular file"), "{told}");
    }
    let configuration = Written::with(
        "pipe.toml",
        &format!(
            "[[instances]]\nurl = \"http://localhost:9\"\ntenant_id = \"T\"\nauthentication_token = \"x\"\nmapper_out = {:?}\n",
            pipe.path()
        ),
    );
    let output = run(&["check", "--config", configuration.path()], "");
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(
        !output.status.success() && told.contains("which is not a regular file"),
        "{told}"
    );
}

#[test]
fn explain_reads_standard_input() {
    let output = run(
        &[
            "mapper",
            "explain",
            &file("glued-outgoing.json"),
            "--type",
            "User Profile - Update",
        ],
        r#"{"username": "u", "title": "T"}"#,
    );
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["result"], json!({"userName": "u", "title": "T"}));
    let output = run(
        &["mapper", "explain", &file("plain-incoming.json")],
        r#"{"userName": "u"}"#,
    );
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (told["direction"].as_str(), &told["result"]),
        (Some("incoming"), &json!({"Username": "u"}))
    );
    for (arguments, input, code) in [
        (&["refused.json"][..], "{}", 1),
        (&["glued-outgoing.json"], "{", 2),
        (&["glued-outgoing.json"], "[]", 2),
        (&["glued-outgoing.json", "--type", "Phishing"], "{}", 2),
    ] {
        let path = file(arguments[0]);
        let mut line = vec!["mapper", "explain", &path];
        line.extend(&arguments[1..]);
        assert_eq!(run(&line, input).status.code(), Some(code), "{arguments:?}");
    }
}
