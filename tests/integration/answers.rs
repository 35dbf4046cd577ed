//! What a caller may say beside the arguments, in the query, in `Prefer` and in `Accept`, and what
//! it makes of the answer.

use serde_json::{Value, json};

use crate::{
    expected::{crowd, person, profile},
    harness::{World, answer},
};

/// Hostile input 48, query parameters that are unknown or doubled: 400.
#[tokio::test]
async fn the_query_picks_an_instance_and_a_dry_run_and_nothing_else() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    let body = json!({"user-profile": {"username": "test"}});
    for query in [
        "?instance=AWS-ILM_instance_1",
        "?instance=aws-ilm_INSTANCE_1",
        "?dryRun=false",
        "?dryRun=true&instance=AWS-ILM_instance_1",
    ] {
        assert_eq!(
            world
                .post(&format!("/commands/iam-get-user{query}"), &body)
                .await
                .status,
            200,
            "{query}"
        );
    }
    let answer = world.post("/commands/iam-get-user?instance=other", &body).await;
    assert_eq!(
        (answer.status, &answer.json()["type"]),
        (404, &json!("/problems/no-such-instance"))
    );
    world.calls();
    for query in [
        "dryrun=true",
        "dryRun=yes",
        "dryRun=true&dryRun=true",
        "instance=",
        "x=1",
        "instance=a&instance=b",
    ] {
        let answer = world.post(&format!("/commands/iam-disable-user?{query}"), &body).await;
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (400, &json!("/problems/bad-parameter")),
            "{query}"
        );
        assert!(answer.json()["errors"][0]["parameter"].is_string());
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn lenient_handling_answers_a_failed_command_with_200_and_the_same_envelope() {
    let world = World::holding(json!({})).await;
    let lenient = async |command: &str, body: Value| {
        let request = world
            .http
            .post(world.url(&format!("/commands/{command}")))
            .header("prefer", "handling=lenient");
        answer(request.json(&body)).await
    };
    let asked = json!({"user-profile": {"username": "nobody"}});
    let strict = world.command("iam-get-user", &asked).await;
    let answer = lenient("iam-get-user", asked).await;
    assert_eq!((strict.status, answer.status, &answer.text), (404, 200, &strict.text));
    assert_eq!(
        (strict.header("preference-applied"), answer.header("preference-applied")),
        (None, Some("handling=lenient"))
    );
    assert_eq!(answer.vendor()["success"], false);
    // A good command needs no leniency.
    let good = lenient("iam-create-user", json!({"user-profile": profile("jane")})).await;
    assert_eq!((good.status, good.header("preference-applied")), (200, None));
}

#[tokio::test]
async fn every_commands_table_is_markdown_on_request() {
    let world = World::holding(crowd(1, 1)).await;
    for (command, arguments, status, text) in [
        ("iam-get-user", json!({"user-profile": {"username": "x|`y"}}), 404,
            "### Get User Results (AWS-ILM)\n|brand|instanceName|success|errorCode|errorMessage|details|\n|---|---|---|---|---|---|\n\
             | AWS-ILM | AWS-ILM_instance_1 | false | 404 | User does not exist | userName: x\\|\\`y |\n".to_owned()),
        ("iam-create-user", json!({"user-profile": {"email": "a@x"}}), 400,
            "### Create User Results (AWS-ILM)\n|brand|instanceName|success|email|errorCode|errorMessage|details|\n\
             |---|---|---|---|---|---|---|\n| AWS-ILM | AWS-ILM_instance_1 | false | a@x | 400 | user-profile needs at least one of: \
             id, username, employeeid, also in olduserdata | emails: [{\"value\": \"a@x\", \"type\": \"work\", \"primary\": true}] |\n".to_owned()),
        ("iam-disable-user", json!({"user-profile": {"username": "nobody"}}), 200,
            "### Disable User Results (AWS-ILM)\n|brand|instanceName|skipped|reason|\n|---|---|---|---|\n\
             | AWS-ILM | AWS-ILM_instance_1 | true | User does not exist |\n".to_owned()),
        ("iam-get-group", json!({"scim": {"id": "g-404"}}), 404,
            "### AWS Get Group:\n|errorCode|".replace("|errorCode|", "|brand|errorCode|errorMessage|id|instanceName|success|\n\
             |---|---|---|---|---|---|\n| AWS-ILM | 404 | Group Not Found | g-404 | AWS-ILM_instance_1 | false |\n")),
        ("iam-create-group", json!({"scim": {}}), 400,
            "### AWS Create Group:\n|brand|errorCode|errorMessage|instanceName|success|\n|---|---|---|---|---|\n| AWS-ILM | 400 | \
             scim.displayName is needed: the name of the new group | AWS-ILM_instance_1 | false |\n".to_owned()),
    ] {
        let answer = world.markdown(command, &arguments).await;
        assert_eq!((answer.status, answer.text), (status, text));
        assert_eq!(answer.headers["content-type"], "text/markdown; charset=utf-8");
    }
    for (command, arguments, title) in [
        (
            "iam-update-user",
            json!({"user-profile": {"username": "member0"}}),
            "### Update User Results (AWS-ILM)\n|brand|",
        ),
        (
            "iam-get-group",
            json!({"scim": {"id": "g-1"}}),
            "### AWS Get Group:\n|brand|details|displayName|id|instanceName|members|success|\n",
        ),
        (
            "iam-update-group",
            json!({"scim": {"id": "g-1"}, "memberIdsToAdd": "m-0"}),
            "### AWS Update Group:\n|brand|details|id|",
        ),
        (
            "iam-delete-group",
            json!({"scim": {"id": "g-1"}}),
            "### AWS Delete Group:\n|brand|details|id|instanceName|success|\n",
        ),
        (
            "test-module",
            json!({}),
            "### Test Module Results\n|brand|instanceName|success|details|\n",
        ),
        (
            "get-mapping-fields",
            json!({}),
            "### User Profile\n|field|description|\n|---|---|\n| id |",
        ),
    ] {
        let answer = world.markdown(command, &arguments).await;
        assert!(
            answer.status == 200 && answer.text.starts_with(title),
            "{}",
            answer.text
        );
    }
    let refused = world.markdown("iam-get-user", &json!({})).await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (400, Some("application/problem+json"))
    );
}

#[tokio::test]
async fn brand_and_name_are_the_instances() {
    let settings = [("AWS_ILM_BRAND", "My Brand"), ("AWS_ILM_INSTANCE_NAME", "first")];
    let world = World::holding_with(json!({"users": [person("u-1", "test")]}), &settings).await;
    let answer = world
        .command("iam-get-user", &json!({"user-profile": {"username": "test"}}))
        .await;
    assert_eq!(
        (&answer.vendor()["brand"], &answer.vendor()["instanceName"]),
        (&json!("My Brand"), &json!("first"))
    );
    let answer = world
        .markdown("iam-get-user", &json!({"user-profile": {"username": "test"}}))
        .await;
    assert!(
        answer.text.starts_with("### Get User Results (My Brand)\n"),
        "{}",
        answer.text
    );
}
