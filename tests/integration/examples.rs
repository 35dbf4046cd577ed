//! The examples of the OpenAPI document: each request with the answer it gets from `serve
//! --sandbox`. They are the integration's own examples, so each gives what the documentation
//! promises, in any order.

use std::{fs, path::PathBuf};

use aws_ilm::sandbox;
use serde_json::{Value, json};

use crate::{
    harness::{Setup, World},
    normalised::normalised,
};

/// Set to 1, it writes the answers into the files instead of comparing them.
const RENEW: &str = "AWS_ILM_RENEW_EXAMPLES";

/// The commands, and the arguments of the examples in the integration's documentation. Two are not
/// shown there and take none; the update is ours: it changes something, and enables nobody.
pub(crate) fn examples() -> [(&'static str, Value); 10] {
    [
        (
            "iam-create-user",
            // The documentation has masked the e-mail in the command and shows it in the answer.
            json!({"user-profile": {"email": "john.doe@example.com", "username": "test", "givenname": "test", "surname": "test",
                "displayname": "test"}}),
        ),
        (
            "iam-update-user",
            json!({"user-profile": {"username": "test", "title": "Engineer"}, "allow-enable": false}),
        ),
        ("iam-get-user", json!({"user-profile": {"username": "test"}})),
        ("iam-disable-user", json!({"user-profile": {"username": "test"}})),
        ("iam-get-group", json!({"scim": {"id": "121212"}})),
        ("iam-create-group", json!({"scim": {"displayName": "The group"}})),
        (
            "iam-update-group",
            json!({"scim": {"id": "121212"}, "memberIdsToAdd": ["123456"]}),
        ),
        ("iam-delete-group", json!({"scim": {"id": "121212"}})),
        ("test-module", json!({})),
        ("get-mapping-fields", json!({})),
    ]
}

/// A world like the one of `serve --sandbox`.
pub(crate) async fn demonstration() -> World {
    World::with(Setup {
        sandbox: sandbox::Options {
            restore_deleted: true,
            ..sandbox::Options::default()
        },
        ..Setup::default()
    })
    .await
}

fn file(command: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("openapi/examples/{command}.json"))
}

fn recorded(command: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(command)).unwrap()).unwrap()
}

#[test]
fn the_requests_are_those_of_the_integrations_documentation() {
    for (command, documented) in examples() {
        assert_eq!(recorded(command)["request"], documented, "{command}");
    }
    let files = fs::read_dir(file("x").parent().unwrap()).unwrap().count();
    assert_eq!(files, examples().len());
}

#[tokio::test]
async fn each_answer_is_the_recorded_one() {
    let renew = std::env::var(RENEW).is_ok_and(|value| value == "1");
    for (command, _) in examples() {
        let example = recorded(command);
        let world = demonstration().await;
        let answer = world.command(command, &example["request"]).await;
        assert_eq!(answer.status, 200, "{command}: {}", answer.text);
        let response = normalised(&answer.json());
        if renew {
            let mut text =
                serde_json::to_string_pretty(&json!({"request": example["request"], "response": response})).unwrap();
            text.push('\n');
            fs::write(file(command), text).unwrap();
            continue;
        }
        // As text, so that the order of the keys is held too.
        assert_eq!(
            serde_json::to_string_pretty(&example["response"]).unwrap(),
            serde_json::to_string_pretty(&response).unwrap(),
            "{command}: the recorded answer is stale; renew them all with {RENEW}=1 cargo test --test integration examples::, then \
             cargo run -- openapi > openapi/openapi.json"
        );
    }
}

#[tokio::test]
async fn all_of_them_work_in_any_order() {
    for seed in 1..=12 {
        let world = demonstration().await;
        let mut order = examples().to_vec();
        shuffle(&mut order, seed);
        let told: Vec<&str> = order.iter().map(|(command, _)| *command).collect();
        for (command, arguments) in &order {
            let answer = world.command(command, arguments).await;
            assert_eq!(answer.status, 200, "{command} in {told:?}: {}", answer.text);
        }
    }
}

/// The documentation's page shows the masked e-mail as an empty string; the copied example works
/// too.
#[tokio::test]
async fn the_example_with_the_masked_email_works_as_well() {
    let world = demonstration().await;
    let mut arguments = examples()[0].1.clone();
    arguments["user-profile"]["email"] = "".into();
    let answer = world.command("iam-create-user", &arguments).await;
    assert_eq!(
        (answer.status, &answer.vendor()["action"]),
        (200, &json!("update")),
        "{}",
        answer.text
    );
}

/// Fisher and Yates's shuffle with Marsaglia's 64-bit xorshift: the same order for the same seed,
/// everywhere.
fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for last in (1..list.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        list.swap(last, usize::try_from(state % (last as u64 + 1)).unwrap());
    }
}
