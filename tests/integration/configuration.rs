//! Configuration as a process reads it: a file, the environment over it, and several instances to
//! pick from.

use serde_json::{Value, json};

use crate::{
    harness::{Answer, answer, caller},
    process::{File, Running, run},
};

/// A directory in which one person is, and its URL.
fn directory(user_name: &str) -> (Running, String) {
    let person = json!({"userName": user_name, "name": {"givenName": "g", "familyName": "f"}, "displayName": "d"});
    let seed = File::new(&json!({"users": [person]}).to_string());
    let (running, _, url) = Running::sandbox(&["--seed", seed.path()]);
    (running, url)
}

async fn get_user(address: std::net::SocketAddr, query: &str, user_name: &str) -> Answer {
    let url = format!("http://{address}/commands/iam-get-user{query}");
    answer(
        caller()
            .post(url)
            .json(&json!({"user-profile": {"username": user_name}})),
    )
    .await
}

#[tokio::test]
async fn requests_pick_one_of_two_instances() {
    let ((_one, one), (_two, two)) = (directory("in-one"), directory("in-two"));
    let file = File::new(&format!(
        "default_instance = \"two\"\n\
         [[instances]]\nname = \"One\"\nbrand = \"First\"\nurl = \"{one}\"\nauthentication_token = \"sandbox-token\"\n\
         [[instances]]\nname = \"two\"\nurl = \"{two}\"\nauthentication_token_env = \"TWO_TOKEN\"\ndisable_user_enabled = false\n"
    ));
    let from_argument = Running::serve(&["--config", file.path()], &[("TWO_TOKEN", "sandbox-token")]);
    let variables = [
        ("TWO_TOKEN", "sandbox-token"),
        ("AWS_ILM_CONFIG", file.path()),
        ("AWS_ILM_DEFAULT_INSTANCE", "one"),
    ];
    let from_environment = Running::serve(&[], &variables);
    // The environment overrides the file: there the default is the other one.
    for ((_service, address), default) in [(from_argument, "in-two"), (from_environment, "in-one")] {
        for (query, user_name, instance, brand) in [
            ("?instance=One", "in-one", "One", "First"),
            ("?instance=oNE", "in-one", "One", "First"),
            ("?instance=two", "in-two", "two", "AWS-ILM"),
        ] {
            let told = get_user(address, query, user_name).await;
            assert_eq!(told.status, 200, "{query}: {}", told.text);
            assert_eq!(told.vendor()["instanceName"], instance);
            assert_eq!(told.vendor()["brand"], brand);
            let other = if user_name == "in-one" { "in-two" } else { "in-one" };
            assert_eq!(get_user(address, query, other).await.status, 404);
        }
        assert_eq!(get_user(address, "", default).await.status, 200);

        let none = get_user(address, "?instance=three", "in-one").await;
        assert_eq!(none.status, 404);
        assert_eq!(none.header("content-type"), Some("application/problem+json"));
        let problem = none.json();
        assert_eq!(problem["type"], "/problems/no-such-instance");
        assert_eq!(problem["errors"][0]["parameter"], "instance");
        assert!(
            !none.text.contains("three") && !none.text.contains("One"),
            "{}",
            none.text
        );

        let ready = answer(caller().get(format!("http://{address}/health/ready")))
            .await
            .json();
        let names: Vec<_> = ready["instances"]
            .as_array()
            .unwrap()
            .iter()
            .map(|instance| &instance["name"])
            .collect();
        assert_eq!(names, ["One", "two"]);
        // The switch of the one is not the other's.
        for (query, user_name, skipped) in [("?instance=two", "in-two", true), ("?instance=one", "in-one", false)] {
            let url = format!("http://{address}/commands/iam-disable-user{query}&dryRun=true");
            let told = answer(
                caller()
                    .post(url)
                    .json(&json!({"user-profile": {"username": user_name}})),
            )
            .await;
            assert_eq!(
                told.json()["dryRun"]["envelope"]["IAM"]["Vendor"]["skipped"],
                skipped,
                "{}",
                told.text
            );
        }
    }
}

#[tokio::test]
async fn the_environment_overrides_the_file() {
    let (_directory, url) = directory("somebody");
    let file = File::new(&format!(
        "listen = \"127.0.0.1:1\"\nlog_format = \"text\"\n[[instances]]\nurl = \"{url}\"\nauthentication_token = \"wrong\"\n\
         brand = \"File\"\n"
    ));
    let variables = [
        ("AWS_ILM_CONFIG", file.path()),
        ("AWS_ILM_LOG_FORMAT", "json"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "sandbox-token"),
    ];
    // `--listen` overrides both.
    let (service, address) = Running::serve(&[], &variables);
    let told = get_user(address, "", "somebody").await;
    assert_eq!(
        (told.status, &told.vendor()["brand"]),
        (200, &json!("File")),
        "{}",
        told.text
    );
    let line: Value = serde_json::from_str(&service.stderr.line_with("listening")).unwrap();
    assert_eq!(line["address"], address.to_string());
}

#[tokio::test]
async fn a_mapper_file_is_loaded_and_a_missing_one_is_a_fault() {
    let fields = json!({"Username": {"simple": "userName"}});
    let mapper =
        json!({"name": "Ours", "type": "mapping-incoming", "mapping": {"User Profile": {"internalMapping": fields}}});
    let mapper = File::new(&mapper.to_string());
    let (_directory, url) = directory("somebody");
    let (_service, address) = Running::serve(
        &[],
        &[
            ("AWS_ILM_URL", url.as_str()),
            ("AWS_ILM_AUTHENTICATION_TOKEN", "sandbox-token"),
            ("AWS_ILM_MAPPER_IN", mapper.path()),
        ],
    );
    let told = get_user(address, "", "somebody").await;
    assert_eq!(
        (told.status, &told.json()["IAM"]["UserProfile"]),
        (200, &json!({"Username": "somebody"})),
        "{}",
        told.text
    );
    let missing = [
        ("AWS_ILM_URL", "http://127.0.0.1:9/T"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "token"),
        ("AWS_ILM_MAPPER_IN", "/nowhere/mapper.toml"),
    ];
    let ended = run(&["check"], &missing);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(
        ended
            .stderr
            .starts_with("mapper_in (AWS_ILM_MAPPER_IN): found \"/nowhere/mapper.toml\": ")
            && ended.stderr.lines().count() == 1,
        "{}",
        ended.stderr
    );
}

#[test]
fn a_file_that_is_not_there_or_broken_is_told() {
    let broken = File::new("listen = \"127.0.0.1:0\"\nauthentication_token = \"s3cr3t");
    let missing = run(&["check", "--config", "/nowhere/aws-ilm.toml"], &[]);
    let unreadable = run(&["check", "--config", broken.path()], &[]);
    for (ended, path) in [(missing, "/nowhere/aws-ilm.toml"), (unreadable, broken.path())] {
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains(path) && ended.stderr.lines().count() == 1,
            "{ended:?}"
        );
        assert!(!ended.stderr.contains("s3cr3t"), "{ended:?}");
    }
}
