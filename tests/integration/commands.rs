//! The commands, from a request to the directory's state.

use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn a_new_person_is_created_with_one_call() {
    let world = World::start().await;
    let profile = json!({"username": "jane", "email": "jane@example.com", "givenname": "J", "surname": "R", "displayname": "J R"});
    let answer = world
        .command("iam-create-user", &json!({"user-profile": profile}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.vendor()["action"], "create");
    assert_eq!(world.calls(), [("CreateUser".to_owned(), 1)].into());
}
