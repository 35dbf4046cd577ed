//! How the service treats a directory: whose user a create takes over, one writer a subject, tokens
//! that change, waits that are asked for, and what an operator sees of it all.

use std::{fs, net::SocketAddr};

use aws_ilm::sandbox::{self, Fault, FaultKind, Sandbox, Seed};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    expected::{but, crowd, done, person, profile, result, user_envelope},
    harness::{Setup, World, caller, service, until},
    process::{File, Running},
};

fn slow(milliseconds: u64) -> FaultKind {
    FaultKind::Slow {
        milliseconds,
        work_late: true,
    }
}

fn about(profile: &Value) -> Value {
    json!({"user-profile": profile})
}

/// The only instance, as `GET /instances` shows it.
async fn instance(world: &World) -> Value {
    let answer = world.get("/instances").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()[0].clone()
}

/// The only instance, once it looks as wanted.
async fn instance_once(world: &World, wanted: impl Fn(&Value) -> bool) -> Value {
    let waited = async {
        loop {
            let instance = instance(world).await;
            if wanted(&instance) {
                return instance;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waited)
        .await
        .unwrap()
}

fn rate(instance: &Value, api: &str) -> Value {
    let rates = instance["rates"].as_array().unwrap();
    rates.iter().find(|rate| rate["api"] == api).unwrap().clone()
}

// Whose user a create takes over.

#[tokio::test]
async fn a_create_takes_over_whom_adopt_allows() {
    const ANOTHER: &str =
        "the userName belongs to another person: user u-1 (userName test) has another externalId (employee id)";
    const NEVER: &str = "user u-1 (userName test) is there, and `adopt` is set to never";
    let none = Value::Null;
    for (adopt, in_directory, in_profile, refused) in [
        ("same-person", json!("E1"), json!("E1"), None),
        ("same-person", json!("E1"), none.clone(), None),
        ("same-person", none.clone(), json!("E1"), None),
        ("same-person", none.clone(), none.clone(), None),
        ("same-person", json!("E1"), json!("E2"), Some(ANOTHER)),
        // Employee ids are compared as they are.
        ("same-person", json!("E1"), json!("e1"), Some(ANOTHER)),
        ("", json!("E1"), json!("E2"), Some(ANOTHER)),
        ("always", json!("E1"), json!("E2"), None),
        ("never", json!("E1"), json!("E2"), Some(ANOTHER)),
        ("never", json!("E1"), json!("E1"), Some(NEVER)),
    ] {
        let case = format!("{adopt} {in_directory} {in_profile}");
        let mut there = person("u-1", "test");
        if in_directory.is_string() {
            there["externalId"] = in_directory;
        }
        let world = World::holding_with(json!({"users": [there]}), &[("AWS_ILM_ADOPT", adopt)]).await;
        let before = world.sandbox.dump();
        let mut asked = but(profile("test"), json!({"title": "Boss"}));
        if in_profile.is_string() {
            asked["employeeid"] = in_profile.clone();
        }
        let answer = world.command("iam-create-user", &about(&asked)).await;
        match refused {
            None => {
                let vendor = done("update", &world.user("u-1"), &json!("test@example.com"));
                assert_eq!(
                    (answer.status, answer.text),
                    (200, user_envelope(&asked, &vendor)),
                    "{case}"
                );
                assert_eq!(world.user("u-1")["title"], "Boss", "{case}");
                if in_profile.is_string() {
                    assert_eq!(world.user("u-1")["externalId"], in_profile, "{case}");
                }
                world.assert_calls(&[("CreateUser", 1), ("ListUsers", 1), ("PatchUser", 1)]);
            }
            Some(message) => {
                let vendor = answer.vendor();
                assert_eq!(
                    (
                        answer.status,
                        &vendor["errorCode"],
                        &vendor["errorMessage"],
                        &vendor["action"]
                    ),
                    (409, &json!(409), &json!(message), &json!("create")),
                    "{case}"
                );
                // The user that was found stands in `details`, not as the command's own user.
                assert_eq!((&vendor["details"]["id"], &vendor["id"]), (&json!("u-1"), &Value::Null));
                assert_eq!(world.sandbox.dump(), before, "{case}");
                // Whose the other employee id is costs one look more.
                let looks = if message == ANOTHER { 2 } else { 1 };
                world.assert_calls(&[("CreateUser", 1), ("ListUsers", looks)]);
            }
        }
    }
}

#[tokio::test]
async fn never_lets_no_create_go_on_as_an_update_and_changes_nothing_for_updates() {
    let there = but(person("u-1", "test"), json!({"externalId": "E1"}));
    let world = World::holding_with(json!({"users": [there]}), &[("AWS_ILM_ADOPT", "never")]).await;
    let update = but(profile("test"), json!({"title": "Boss"}));
    assert_eq!(world.command("iam-update-user", &about(&update)).await.status, 200);
    assert_eq!(world.user("u-1")["title"], "Boss");
    let before = world.sandbox.dump();
    let another = but(profile("test"), json!({"employeeid": "E2"}));
    assert_eq!(world.command("iam-update-user", &about(&another)).await.status, 409);
    let create = but(profile("test"), json!({"id": "u-1", "employeeid": "E1"}));
    let answer = world.command("iam-create-user", &about(&create)).await;
    assert_eq!((answer.status, &answer.vendor()["action"]), (409, &json!("create")));
    assert_eq!(world.sandbox.dump(), before);
}

// One subject, one writer.

/// Hostile input 82, a disable and an update of one person at once: one after the other; disabled
/// in the end.
#[tokio::test]
async fn commands_about_one_person_run_one_after_the_other() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    // While the first one's PATCH is under way the second one comes, which knows the person by
    // another spelling.
    world.sandbox.script(Fault::new(slow(400)).on("PatchUser"));
    let update = about(&json!({"username": "test", "title": "Boss", "displayname": "First"}));
    let disable = about(&json!({"username": "TEST"}));
    let (updated, disabled) = tokio::join!(world.command("iam-update-user", &update), async {
        until(|| world.sandbox.calls().contains_key("PatchUser")).await;
        world.command("iam-disable-user", &disable).await
    });
    assert_eq!(
        (updated.status, disabled.status),
        (200, 200),
        "{} {}",
        updated.text,
        disabled.text
    );
    // The later one has the last word, and saw what the first one did.
    let user = world.user("u-1");
    assert_eq!((&user["active"], &user["title"]), (&json!(false), &json!("Boss")));
    assert_eq!(updated.vendor()["details"]["active"], true);
    assert_eq!(disabled.vendor()["details"]["title"], "Boss");
    let apis: Vec<_> = world
        .sandbox
        .requests()
        .into_iter()
        .map(|request| request.api.to_string())
        .filter(|api| api != "ServiceProviderConfig")
        .collect();
    assert_eq!(apis, ["ListUsers", "PatchUser", "ListUsers", "PatchUser"]);
}

#[tokio::test]
async fn a_rename_holds_the_old_name_and_the_new_one() {
    let world = World::holding(json!({"users": [person("u-1", "before")]})).await;
    world.sandbox.script(Fault::new(slow(400)).on("PatchUser"));
    let rename = about(&json!({"username": "after", "olduserdata": {"username": "before"}}));
    let (renamed, created) = tokio::join!(world.command("iam-update-user", &rename), async {
        until(|| world.sandbox.calls().contains_key("PatchUser")).await;
        world.command("iam-create-user", &about(&profile("after"))).await
    });
    // Had the creation not waited, there were two of them now, or one without the other's name.
    assert_eq!(
        (renamed.status, created.status),
        (200, 200),
        "{} {}",
        renamed.text,
        created.text
    );
    assert_eq!(created.vendor()["action"], "update");
    assert_eq!(world.sandbox.dump()["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn commands_about_one_group_run_one_after_the_other() {
    let world = World::holding(crowd(1, 0)).await;
    world.sandbox.script(Fault::new(slow(400)).on("PatchGroup"));
    let change = |list: &str| json!({"scim": {"id": "g-1"}, list: ["m-0"]});
    let (add, remove) = (change("memberIdsToAdd"), change("memberIdsToDelete"));
    let (added, removed) = tokio::join!(world.command("iam-update-group", &add), async {
        until(|| world.sandbox.calls().contains_key("PatchGroup")).await;
        world.command("iam-update-group", &remove).await
    });
    assert_eq!((added.status, removed.status), (200, 200));
    assert_eq!(
        world.group("g-1")["members"],
        json!([]),
        "the later one has the last word"
    );
}

#[tokio::test]
async fn commands_about_different_people_and_those_that_only_read_run_side_by_side() {
    let world = World::holding(json!({"users": [person("u-1", "one"), person("u-2", "two")]})).await;
    world.sandbox.script(Fault::new(slow(5_000)).on("PatchUser"));
    let titled = |name: &str| about(&json!({"username": name, "title": "Boss"}));
    let first = tokio::spawn(
        world
            .http
            .post(world.url("/commands/iam-update-user"))
            .json(&titled("one"))
            .send(),
    );
    until(|| world.sandbox.calls().contains_key("PatchUser")).await;
    assert_eq!(world.command("iam-update-user", &titled("two")).await.status, 200);
    assert_eq!(world.user("u-2")["title"], "Boss");
    let read = world.command("iam-get-user", &about(&json!({"username": "one"}))).await;
    assert_eq!((read.status, read.vendor()["details"].get("title")), (200, None));
    let dry = world
        .dry_run("iam-disable-user", &about(&json!({"username": "one"})))
        .await;
    assert_eq!(dry.status, 200);
    assert!(!first.is_finished(), "they waited for the first one");
    first.abort();
}

#[tokio::test]
async fn whoever_waits_for_a_subject_longer_than_a_command_may_last_has_changed_nothing() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_COMMAND_TIMEOUT", "400ms")]).await;
    world.sandbox.script(Fault::new(slow(1_500)).on("PatchUser"));
    let update = about(&json!({"username": "test", "title": "Boss"}));
    let (updated, disabled) = tokio::join!(world.command("iam-update-user", &update), async {
        until(|| world.sandbox.calls().contains_key("PatchUser")).await;
        world
            .command("iam-disable-user", &about(&json!({"username": "test"})))
            .await
    });
    assert_eq!((updated.status, disabled.status), (200, 504), "{}", disabled.text);
    let message = disabled.vendor()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("changed before: nothing"), "{message}");
    assert_eq!(world.user("u-1")["active"], true);
    world.assert_calls(&[("ListUsers", 1), ("PatchUser", 1)]);
}

// Tokens that change.

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

// Waits that are asked for, and paces.

#[tokio::test]
async fn a_wait_that_is_asked_for_is_waited_and_the_pace_lowered() {
    let world = World::holding(json!({"users": [person("u-1", "test")]})).await;
    world.sandbox.script(
        Fault::new(FaultKind::Throttle {
            retry_after: Some("1".to_owned()),
        })
        .on("ListUsers"),
    );
    let began = std::time::Instant::now();
    let command = tokio::spawn(
        world
            .http
            .post(world.url("/commands/iam-get-user"))
            .json(&about(&json!({"username": "test"})))
            .send(),
    );
    until(|| world.sandbox.calls().get("ListUsers") == Some(&1)).await;
    let answer = command.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    // Never sooner; how much later is the machine's affair.
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
    world.assert_calls(&[("ListUsers", 2)]);
    let shown = instance(&world).await;
    let listing = rate(&shown, "ListUsers");
    assert!(listing["perSecond"].as_f64() < listing["ceiling"].as_f64(), "{listing}");
    let others = rate(&shown, "PatchUser");
    assert_eq!(others["perSecond"], others["ceiling"], "an API's pace is its own");
    // Being throttled is no failure.
    assert_eq!((&shown["status"], shown.get("lastError")), (&json!("ok"), None));
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_command_may_last_is_told_and_nothing_more_is_sent() {
    let seed = json!({"users": [person("u-1", "test")]});
    let world = World::holding_with(seed, &[("AWS_ILM_COMMAND_TIMEOUT", "1s")]).await;
    world.sandbox.script(
        Fault::new(FaultKind::Throttle {
            retry_after: Some("20".to_owned()),
        })
        .on("ListUsers"),
    );
    let test = about(&json!({"username": "test"}));
    let first = world.command("iam-get-user", &test).await;
    assert_eq!(
        (first.status, &result(&first)["errorCode"], first.header("retry-after")),
        (503, &json!(429), Some("20"))
    );
    world.assert_calls(&[("ListUsers", 1)]);
    // Nothing stands in the way any more, but the wait: the next one is refused without a call, and
    // told how long.
    let next = world.command("iam-get-user", &test).await;
    assert_eq!(
        (next.status, &result(&next)["errorCode"]),
        (503, &json!(503)),
        "{}",
        next.text
    );
    let wait: u64 = next.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    world.assert_calls(&[]);
    // Other APIs are free.
    let by_id = world.command("iam-get-user", &about(&json!({"id": "u-1"}))).await;
    assert_eq!(by_id.status, 200);
}

#[tokio::test]
async fn what_waits_for_its_turn_is_shown_and_what_cant_have_one_in_time_is_refused() {
    let seed = Seed::from_json(&json!({"users": [person("u-1", "test")]}).to_string()).unwrap();
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_READ_RATE", "0.5".to_owned()),
            ("AWS_ILM_COMMAND_TIMEOUT", "5s".to_owned()),
        ],
        sandbox: sandbox::Options {
            seed,
            ..sandbox::Options::default()
        },
    })
    .await;
    let send = || {
        let request = world.http.post(world.url("/commands/iam-get-user"));
        tokio::spawn(request.json(&about(&json!({"username": "test"}))).send())
    };
    // One goes, two wait two seconds each, and for a fourth there is no time.
    let mut commands = vec![send()];
    until(|| world.sandbox.calls().contains_key("ListUsers")).await;
    for waiting in 1..=2 {
        commands.push(send());
        instance_once(&world, |instance| rate(instance, "ListUsers")["waiting"] == waiting).await;
    }
    let refused = world
        .command("iam-get-user", &about(&json!({"username": "test"})))
        .await;
    assert_eq!(
        (refused.status, &result(&refused)["errorCode"]),
        (503, &json!(503)),
        "{}",
        refused.text
    );
    assert!(refused.header("retry-after").is_some());
    for command in commands {
        assert_eq!(command.await.unwrap().unwrap().status(), 200);
    }
    world.assert_calls(&[("ListUsers", 3)]);
    assert_eq!(rate(&instance(&world).await, "ListUsers")["waiting"], 0);
}

#[tokio::test]
async fn replicas_share_the_rates() {
    let world = World::with(Setup {
        environment: vec![
            ("AWS_ILM_READ_RATE", String::new()),
            ("AWS_ILM_WRITE_RATE", String::new()),
            ("AWS_ILM_MEMBERSHIP_RATE", String::new()),
            ("AWS_ILM_API_RATES", "PatchUser=10".to_owned()),
            ("AWS_ILM_EXPECTED_REPLICAS", "2".to_owned()),
        ],
        ..Setup::default()
    })
    .await;
    let shown = instance(&world).await;
    for (api, expected) in [
        ("ListUsers", 20.0),
        ("CreateUser", 12.5),
        ("PatchUser", 5.0),
        ("memberships", 125.0),
    ] {
        let rate = rate(&shown, api);
        assert_eq!(
            (&rate["perSecond"], &rate["ceiling"]),
            (&json!(expected), &json!(expected)),
            "{api}"
        );
    }
}

// An outage.

/// A service in front of an address on which no directory listens yet.
fn in_front_of(directory: SocketAddr) -> (SocketAddr, oneshot::Sender<()>) {
    let environment = [
        ("AWS_ILM_LISTEN", "127.0.0.1:0".to_owned()),
        ("AWS_ILM_URL", Sandbox::base_url(directory, sandbox::DEFAULT_TENANT)),
        ("AWS_ILM_AUTHENTICATION_TOKEN", sandbox::DEFAULT_TOKEN.to_owned()),
        ("AWS_ILM_COMMAND_TIMEOUT", "300ms".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let (address, stop, _) = service(environment.into());
    (address, stop)
}

#[tokio::test]
async fn an_outage_opens_the_breaker_and_its_end_closes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let directory = listener.local_addr().unwrap();
    drop(listener);
    let (address, _stop) = in_front_of(directory);
    let http = caller();
    let shown = async || {
        let answer = http.get(format!("http://{address}/instances")).send().await.unwrap();
        answer.json::<Value>().await.unwrap()[0].clone()
    };
    let command = async || {
        let request = http.post(format!("http://{address}/commands/test-module"));
        let answer = request.send().await.unwrap();
        let wait = answer.headers().get("retry-after").cloned();
        (
            answer.status().as_u16(),
            wait,
            answer.json::<Value>().await.unwrap()["TestModule"].clone(),
        )
    };
    let opened = async {
        while shown().await["breaker"] != "open" {
            assert_eq!(command().await.0, 503);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), opened)
        .await
        .unwrap();
    let (status, wait, told) = command().await;
    assert_eq!(
        (status, &told["errorCode"], wait.is_some()),
        (503, &json!(503), true),
        "{told}"
    );
    let message = told["errorMessage"].as_str().unwrap();
    assert!(
        message.contains("nothing is sent to it until it answers again"),
        "{message}"
    );
    let instance = shown().await;
    let what = instance["lastError"]["what"].as_str().unwrap();
    assert!(
        instance["status"] == "degraded"
            && what.starts_with(&format!("no connection to the directory at {directory}: ")),
        "{instance}"
    );
    // The directory is back: the probe finds out without a command.
    let listener = TcpListener::bind(directory).await.unwrap();
    tokio::spawn(Sandbox::default().serve(listener, std::future::pending()));
    let closed = async {
        while shown().await["breaker"] != "closed" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), closed)
        .await
        .unwrap();
    let instance = shown().await;
    assert_eq!(instance["status"], "ok", "{instance}");
    assert_eq!(command().await.0, 200);
}

#[tokio::test]
async fn an_open_breaker_sends_nothing_but_probes() {
    let world = World::start().await;
    // The look at the start has been answered: it counts no more.
    instance_once(&world, |instance| instance["status"] == "ok").await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 503 }).on("ListUsers").forever());
    let test = about(&json!({"username": "test"}));
    for _ in 0..2 {
        assert_eq!(world.command("iam-get-user", &test).await.status, 502);
    }
    assert_eq!(instance(&world).await["breaker"], "open");
    world.calls();
    for _ in 0..20 {
        let answer = world.command("iam-get-user", &about(&json!({"id": "u-1"}))).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    assert_eq!(world.calls().get("GetUser"), None);
    world.sandbox.clear_faults();
    instance_once(&world, |instance| instance["breaker"] == "closed").await;
    assert_eq!(world.command("iam-get-user", &test).await.status, 200);
}

#[tokio::test]
async fn throttling_opens_no_breaker() {
    let world = World::start().await;
    let throttle = FaultKind::Throttle { retry_after: None };
    world.sandbox.script(Fault::new(throttle).on("GetUser").times(12));
    // Twelve refusals in a row, each of which is ridden out.
    let commands = (0..12).map(|_| {
        let request = world.http.post(world.url("/commands/iam-get-user"));
        tokio::spawn(request.json(&about(&json!({"id": "nobody"}))).send())
    });
    for command in commands.collect::<Vec<_>>() {
        assert_eq!(command.await.unwrap().unwrap().status(), 404);
    }
    world.assert_calls(&[("GetUser", 24)]);
    let shown = instance(&world).await;
    assert_eq!((&shown["breaker"], shown.get("lastError")), (&json!("closed"), None));
}

// Callers that hang up.

#[tokio::test]
async fn a_command_whose_caller_has_hung_up_is_told_to_the_log() {
    let world = World::start().await;
    let url = Sandbox::base_url(world.directory, sandbox::DEFAULT_TENANT);
    let settings = [
        ("AWS_ILM_URL", url.as_str()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", sandbox::DEFAULT_TOKEN),
        ("AWS_ILM_LOG_FORMAT", "json"),
    ];
    let (service, address) = Running::serve(&[], &settings);
    world.calls();
    world.sandbox.script(Fault::new(slow(1_000)).on("ListUsers"));
    let request = caller().post(format!("http://{address}/commands/iam-disable-user"));
    let call = tokio::spawn(request.json(&about(&json!({"username": "nobody"}))).send());
    until(|| world.sandbox.calls().contains_key("ListUsers")).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let stderr = service.stderr.clone();
    let line = tokio::task::spawn_blocking(move || stderr.line_with("a command ended after its caller had hung up"))
        .await
        .unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    let told = |name: &str| event.get(name).unwrap_or(&event["fields"][name]).clone();
    assert_eq!(
        (told("command"), told("instance"), told("outcome")),
        (json!("iam-disable-user"), json!("AWS-ILM_instance_1"), json!("skipped")),
        "{line}"
    );
}
