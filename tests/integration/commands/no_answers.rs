//! A write that something else than the directory answered, such as a proxy with its page for
//! signing in: no success.

use aws_ilm::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::{
    expected::crowd,
    harness::{Answer, World},
};

/// A group command of which each request to this API does nothing, and is answered 200 with this
/// body.
async fn answered(api: &str, content_type: &str, body: &str, command: &str, arguments: Value) -> (World, Answer) {
    let world = World::holding(crowd(2, 0)).await;
    let kind = FaultKind::Raw {
        status: 200,
        content_type: content_type.to_owned(),
        body: body.to_owned(),
    };
    world.sandbox.script(Fault::new(kind).on(api).forever());
    let answer = world.command(command, &arguments).await;
    (world, answer)
}

#[tokio::test]
async fn a_page_of_html_adds_no_member_renames_and_deletes_nothing() {
    let html = |api, command, arguments| answered(api, "text/html", "<html>sign in</html>", command, arguments);
    let add = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": "m-1"});
    let rename = json!({"scim": {"id": "g-1", "displayName": "Other"}});
    for (api, command, key, arguments) in [
        ("PatchGroup", "iam-update-group", "UpdateGroup", add),
        ("PatchGroup", "iam-update-group", "UpdateGroup", rename),
        (
            "DeleteGroup",
            "iam-delete-group",
            "DeleteGroup",
            json!({"scim": {"id": "g-1"}}),
        ),
    ] {
        let (world, answer) = html(api, command, arguments).await;
        let result = answer.json()[key].clone();
        assert_eq!(
            (answer.status, &result["success"], &result["errorCode"]),
            (502, &json!(false), &json!(502)),
            "{}",
            answer.text
        );
        assert!(
            result["errorMessage"]
                .as_str()
                .unwrap()
                .contains("the directory's answer can't be used: it is not JSON"),
            "{}",
            answer.text
        );
        assert!(world.group("g-1").is_object());
    }
}

#[tokio::test]
async fn the_group_that_was_changed_may_be_shown_or_not() {
    for body in ["", "{\"id\": \"g-1\", \"displayName\": \"G\"}"] {
        let add = json!({"scim": {"id": "g-1"}, "memberIdsToAdd": "m-1"});
        let (_, answer) = answered("PatchGroup", "application/scim+json", body, "iam-update-group", add).await;
        assert_eq!(answer.status, 200, "{body} {}", answer.text);
    }
}
