//! Tokens that are renewed, refused, and near their end.

use std::fs;

use serde_json::json;

use super::{about, instance};
use crate::{
    expected::result,
    harness::{Setup, World},
    process::File,
};

/// A world whose service reads its token from this file.
async fn with_token_file(file: &File) -> World {
    World::with(Setup {
        environment: vec![
            ("AWS_ILM_AUTHENTICATION_TOKEN", String::new()),
            ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", file.path().to_owned()),
        ],
        ..Setup::default()
    })
    .await
}

/// Hostile input 99, a token renewed in its file: taken up while running.
#[tokio::test]
async fn a_token_renewed_in_its_file_is_taken_though_the_old_one_is_revoked_at_once() {
    let file = File::new("sandbox-token");
    let world = with_token_file(&file).await;
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    for round in 0..20 {
        let token = format!("renewed-token-{round}");
        let url = world.url("/commands/iam-get-user");
        let commands: Vec<_> = (0..8)
            .map(|_| {
                let request = world.http.post(&url).json(&about(&json!({"username": "test"})));
                tokio::spawn(request.send())
            })
            .collect();
        fs::write(file.path(), &token).unwrap();
        world.sandbox.set_tokens(vec![token]);
        for command in commands {
            let answer = command.await.unwrap().unwrap();
            assert_eq!(answer.status(), 200, "round {round}: {}", answer.text().await.unwrap());
        }
        assert_eq!(
            world.command("test-module", &json!({})).await.status,
            200,
            "round {round}"
        );
    }
    let instance = instance(&world).await;
    assert_eq!(
        (&instance["tokenInUse"], &instance["status"]),
        (&json!("first"), &json!("ok"))
    );
    // The refused token is no `lastError`, since the request went through with the other.
    assert_eq!(instance.get("lastError"), None);
}

#[tokio::test]
async fn a_renewed_token_is_taken_before_the_old_one_is_refused() {
    let file = File::new("sandbox-token");
    let world = with_token_file(&file).await;
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    world
        .sandbox
        .set_tokens(vec!["sandbox-token".to_owned(), "next-token".to_owned()]);
    // One that is being written is no token; the one before it stays in use.
    fs::write(file.path(), "").unwrap();
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    fs::write(file.path(), "next-token\n").unwrap();
    let seen = async {
        // What it sends, the sandbox can tell only by what it refuses.
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        world.sandbox.set_tokens(vec!["next-token".to_owned()]);
        world.calls();
        world.command("test-module", &json!({})).await.status
    };
    assert_eq!(seen.await, 200);
    world.assert_calls(&[("ListUsers", 1)]);
}

#[tokio::test]
async fn a_second_token_takes_over_when_the_first_is_refused() {
    let world = World::with(Setup {
        environment: vec![("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", "second-token".to_owned())],
        ..Setup::default()
    })
    .await;
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    assert_eq!(instance(&world).await["tokenInUse"], "first");
    world.sandbox.set_tokens(vec!["second-token".to_owned()]);
    world.calls();
    let commands = (0..8).map(|_| {
        let request = world.http.post(world.url("/commands/iam-get-user"));
        tokio::spawn(request.json(&about(&json!({"username": "test"}))).send())
    });
    for command in commands.collect::<Vec<_>>() {
        assert_eq!(command.await.unwrap().unwrap().status(), 200);
    }
    let shown = instance(&world).await;
    assert_eq!(
        (&shown["tokenInUse"], &shown["status"]),
        (&json!("second"), &json!("ok"))
    );
    world.calls();
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    // The first one is not tried again each time.
    world.assert_calls(&[("ListUsers", 1)]);
    // Back again, the same way.
    world.sandbox.set_tokens(vec!["sandbox-token".to_owned()]);
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    world.assert_calls(&[("ListUsers", 2)]);
    assert_eq!(instance(&world).await["tokenInUse"], "first");
    // Where both are refused, that is told, and neither is shown.
    world.sandbox.set_tokens(vec!["another".to_owned()]);
    let refused = world.command("test-module", &json!({})).await;
    assert_eq!((refused.status, &result(&refused)["errorCode"]), (502, &json!(401)));
    let shown = instance(&world).await.to_string();
    assert!(
        !shown.contains("sandbox-token") && !shown.contains("second-token"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_days_a_token_has_left_are_shown() {
    // A token that expired a minute ago is told from one that is about to.
    for (minutes, days) in [((24 * 30 + 12) * 60, 30), (12 * 60, 0), (-1, -1), (-36 * 60, -2)] {
        let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
        let world = World::with(Setup {
            environment: vec![("AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES", expires.to_string())],
            ..Setup::default()
        })
        .await;
        let shown = instance(&world).await;
        assert_eq!(shown["tokenDaysLeft"], days, "{minutes} minutes: {shown}");
        assert_eq!(
            world.get("/health/ready").await.json()["instances"][0]["tokenDaysLeft"],
            days
        );
    }
}

#[tokio::test]
async fn the_days_shown_are_those_of_the_token_in_use() {
    let in_days = |days: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days + 12)).to_string();
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES", in_days(3)),
            ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", "second-token".to_owned()),
            ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN_EXPIRES", in_days(300)),
        ],
        ..Setup::default()
    })
    .await;
    assert_eq!(instance(&world).await["tokenDaysLeft"], 3);
    world.sandbox.set_tokens(vec!["second-token".to_owned()]);
    assert_eq!(world.command("test-module", &json!({})).await.status, 200);
    assert_eq!(instance(&world).await["tokenDaysLeft"], 300);
}
