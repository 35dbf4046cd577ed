//! The program as an operator meets it: a process with arguments, an environment, signals, streams
//! and exit codes.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::{
    harness::{Answer, answer, caller},
    process::{File, Running, run},
};

const TOKEN: &str = "s3cr3t-t0ken-that-nobody-may-see";

/// An address on which no process listens: it was free a moment ago.
fn dead_address() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}

async fn get(url: &str) -> Answer {
    answer(caller().get(url)).await
}

#[tokio::test]
async fn the_demonstration_tells_its_pages_and_a_curl_that_works() {
    let (service, address) = Running::serve(&["--sandbox"], &[]);
    let line = service.stdout.line_with("Swagger UI:");
    let url = line.split_whitespace().last().unwrap();
    assert_eq!(url, format!("http://{address}/docs/"));
    let page = get(url).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);

    service.stdout.line_with("-d '");
    let told = service.stdout.text();
    let curl = &told[told.find("curl ").unwrap()..];
    if Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        eprintln!("no curl here: the printed command has not been tried");
        return;
    }
    let output = Command::new("sh").args(["-c", curl]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(answer["IAM"]["Vendor"]["action"], "create", "{answer}");
    assert_eq!(answer["IAM"]["Vendor"]["success"], true, "{answer}");
    // Once more it is an update, of the same person.
    let output = Command::new("sh").args(["-c", curl]).output().unwrap();
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again["IAM"]["Vendor"]["action"], "update", "{again}");
    assert_eq!(again["IAM"]["Vendor"]["id"], answer["IAM"]["Vendor"]["id"]);
}

#[tokio::test]
async fn sigterm_turns_readiness_and_finishes_what_is_in_flight() {
    let (_directory, directory, url) = Running::sandbox(&[]);
    let settings = [
        ("AWS_ILM_URL", url.as_str()),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "sandbox-token"),
        ("AWS_ILM_SHUTDOWN_DELAY", "3s"),
    ];
    let (service, address) = Running::serve(&[], &settings);
    let http = caller();
    let control = format!("http://{directory}/sandbox");
    // Longer than the delay, so that the command is in flight when the listener closes.
    let slow = json!({"api": "CreateGroup", "kind": {"slow": {"milliseconds": 4500}}});
    assert_eq!(
        answer(http.post(format!("{control}/faults")).json(&slow)).await.status,
        204
    );
    let command = http
        .post(format!("http://{address}/commands/iam-create-group"))
        .json(&json!({"scim": {"displayName": "Late"}}));
    let command = tokio::spawn(answer(command));
    // It is in flight once the directory has been asked.
    loop {
        let calls = get(&format!("{control}/calls")).await.json();
        if calls["calls"]["CreateGroup"] == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let ready = format!("http://{address}/health/ready");
    assert_eq!(get(&ready).await.status, 200);
    service.terminate();
    service.stderr.line_with("stopping");
    let stopping = loop {
        let answer = get(&ready).await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((stopping.status, &stopping.json()["status"]), (503, &json!("stopping")));
    // It lives and still takes commands: a balancer may not have seen its readiness yet.
    assert_eq!(get(&format!("http://{address}/health/live")).await.status, 200);
    let late = http
        .post(format!("http://{address}/commands/iam-get-user"))
        .json(&json!({"user-profile": {"username": "test"}}));
    assert_eq!(answer(late).await.status, 200);

    let finished = command.await.unwrap();
    assert_eq!(
        (finished.status, &finished.json()["CreateGroup"]["success"]),
        (200, &json!(true))
    );
    assert_eq!(service.code(), Some(0));
    service.stderr.line_with("stopped; every command has ended");
    assert!(TcpStream::connect(address).await.is_err());
}

#[test]
fn wrong_settings_are_told_together_and_nothing_starts() {
    let settings = [
        ("AWS_ILM_LISTEN", "0.0.0.0:8080"),
        ("AWS_ILM_URL", "http://scim.example.com"),
        ("AWS_ILM_TENANT_ID", "a/b"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "s3cr3t t0ken with spaces"),
        ("AWS_ILM_CREATE_USER_ENABLED", "yes"),
        ("AWS_ILM_LOG_FROMAT", "json"),
    ];
    for task in ["serve", "check"] {
        let ended = run(&[task], &settings);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stdout, "");
        for name in [
            "AWS_ILM_LISTEN",
            "AWS_ILM_URL",
            "AWS_ILM_AUTHENTICATION_TOKEN",
            "AWS_ILM_CREATE_USER_ENABLED",
            "AWS_ILM_LOG_FROMAT",
        ] {
            let lines: Vec<_> = ended.stderr.lines().filter(|line| line.contains(name)).collect();
            assert_eq!(lines.len(), 1, "{name}: {}", ended.stderr);
            assert!(lines[0].contains("found"), "{}", lines[0]);
        }
        assert!(
            ended.stderr.contains("did you mean AWS_ILM_LOG_FORMAT?"),
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("s3cr3t"), "{}", ended.stderr);
    }
}

#[test]
fn check_tells_each_instance_and_exits_for_scripts() {
    let (_directory, _, url) = Running::sandbox(&[]);
    let dead = format!("http://{}/tenant", dead_address());
    let check = |url: &str, token: &str| {
        run(
            &["check"],
            &[("AWS_ILM_URL", url), ("AWS_ILM_AUTHENTICATION_TOKEN", token)],
        )
    };

    let well = check(&url, "sandbox-token");
    assert_eq!((well.code, well.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = well.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", well.stdout);
    let header: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(header[..2], ["INSTANCE", "RESULT"]);
    assert!(lines[1].starts_with("AWS-ILM_instance_1  ok "), "{}", lines[1]);

    let refused = check(&url, TOKEN);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stdout.contains("FAILED") && refused.stdout.contains("authentication_token"),
        "{refused:?}"
    );
    let nobody = check(&dead, TOKEN);
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(
        nobody.stdout.contains("FAILED") && nobody.stdout.contains("check url"),
        "{nobody:?}"
    );
    for ended in [refused, nobody] {
        assert!(
            !ended.stdout.contains(TOKEN) && !ended.stderr.contains(TOKEN),
            "{ended:?}"
        );
    }

    let file = File::new(&format!(
        "[[instances]]\nname = \"well\"\nurl = \"{url}\"\nauthentication_token = \"sandbox-token\"\n\
         [[instances]]\nname = \"a name that is longer\"\nurl = \"{dead}\"\nauthentication_token = \"{TOKEN}\"\n"
    ));
    let both = run(&["check", "--config", file.path()], &[]);
    assert_eq!(both.code, Some(1), "{both:?}");
    let lines: Vec<&str> = both.stdout.lines().collect();
    assert!(
        lines[1].starts_with("well ") && lines[1].contains("ok"),
        "{}",
        both.stdout
    );
    assert!(lines[2].starts_with("a name that is longer  FAILED"), "{}", both.stdout);
    // The columns stand below each other.
    let columns: Vec<_> = ["RESULT", "ok", "FAILED"]
        .iter()
        .zip(&lines)
        .map(|(word, line)| line.find(word))
        .collect();
    assert!(columns.iter().all(|column| *column == columns[0]), "{}", both.stdout);

    let none = run(&["check"], &[]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(2), ""));
    assert!(none.stderr.contains("AWS_ILM_URL"), "{}", none.stderr);
}

#[test]
fn healthcheck_asks_a_running_service() {
    let (service, address) = Running::serve(&["--sandbox"], &[("AWS_ILM_SHUTDOWN_DELAY", "60s")]);
    let own = ("AWS_ILM_LISTEN", address.to_string());
    let own = [(own.0, own.1.as_str())];
    let url = format!("http://{address}");
    let asked = |arguments: &[&str], settings: &[(&str, &str)]| {
        let ended = run(&[&["healthcheck"], arguments].concat(), settings);
        (ended.code, ended.stdout, ended.stderr)
    };
    let ready = (Some(0), "ready\n".to_owned(), String::new());
    assert_eq!(asked(&["--url", &url], &[]), ready);
    assert_eq!(asked(&[], &own), ready);
    let everywhere = format!("0.0.0.0:{}", address.port());
    assert_eq!(asked(&[], &[("AWS_ILM_LISTEN", &everywhere)]), ready);

    service.terminate();
    service.stderr.line_with("stopping");
    let stopping = loop {
        let told = asked(&[], &own);
        if told.0 != Some(0) {
            break told;
        }
    };
    assert_eq!(
        (stopping.0, stopping.1.as_str()),
        (Some(1), "not ready: 503 Service Unavailable\n")
    );
    let dead = format!("http://{}", dead_address());
    let (code, _, stderr) = asked(&["--url", &dead], &[]);
    assert_eq!(code, Some(1));
    assert!(!stderr.trim().is_empty());
    assert_eq!(asked(&[], &[("AWS_ILM_LISTEN", "nowhere")]).0, Some(2));
}

#[tokio::test]
async fn the_sandbox_alone_takes_a_seed_and_throttles() {
    let seed = File::new(
        r#"{"users": [{"id": "1", "userName": "only", "name": {"givenName": "o", "familyName": "n"}, "displayName": "o"}]}"#,
    );
    let (directory, address, url) = Running::sandbox(&["--seed", seed.path(), "--limits"]);
    assert_eq!(url, format!("http://{address}/sandbox-tenant/scim/v2/"));
    let state = get(&format!("http://{address}/sandbox/state")).await.json();
    assert_eq!(state["users"][0]["userName"], "only");
    let http = caller();
    let mut throttled = 0;
    // AWS answers 40 reads a second; far more than that in a row can't all pass.
    for _ in 0..400 {
        let request = http.get(format!("{url}Users/1")).bearer_auth("sandbox-token");
        throttled += usize::from(answer(request).await.status == 429);
    }
    assert!(throttled > 0);
    directory.terminate();
    assert_eq!(directory.code(), Some(0));

    let broken = File::new("{\"users\": 1}");
    for path in [broken.path(), "/nowhere/seed.json"] {
        let ended = run(&["sandbox", "--listen", "127.0.0.1:0", "--seed", path], &[]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("--seed") && ended.stderr.contains(path),
            "{ended:?}"
        );
    }
}

#[test]
fn a_taken_port_is_told_with_what_to_do() {
    let (_first, address) = Running::serve(&["--sandbox"], &[]);
    let listen = address.to_string();
    let second = run(&["serve", "--sandbox", "--listen", &listen], &[]);
    assert_eq!((second.code, second.stdout.as_str()), (Some(1), ""), "{second:?}");
    let told = second.stderr.lines().last().unwrap();
    assert!(
        told.contains(&listen) && told.contains("AWS_ILM_LISTEN") && told.contains("in use"),
        "{told}"
    );
    let sandbox = run(&["sandbox", "--listen", &listen], &[]);
    assert_eq!(sandbox.code, Some(1), "{sandbox:?}");
    assert!(
        sandbox.stderr.contains(&listen) && sandbox.stderr.contains("in use"),
        "{sandbox:?}"
    );
}

#[test]
fn help_is_readable_and_mistakes_are_told() {
    let help = run(&["--help"], &[]);
    assert_eq!(help.code, Some(0));
    for task in ["serve", "sandbox", "check", "openapi", "healthcheck"] {
        assert!(help.stdout.contains(&format!("  {task} ")), "{}", help.stdout);
        let own = run(&[task, "--help"], &[]);
        assert_eq!(own.code, Some(0));
        let options = own.stdout.lines().skip_while(|line| *line != "Options:").skip(1);
        for line in options.filter(|line| line.trim_start().starts_with("--")) {
            assert!(
                line.split("  ").filter(|part| !part.trim().is_empty()).count() >= 2,
                "no text: {line:?}"
            );
        }
        assert!(
            own.stdout.lines().all(|line| line.chars().count() <= 140),
            "{}",
            own.stdout
        );
    }
    assert_eq!(
        run(&["--version"], &[]).stdout,
        format!("aws-ilm {}\n", env!("CARGO_PKG_VERSION"))
    );
    for arguments in [
        &["serv"][..],
        &[],
        &["serve", "--listen", "nowhere"],
        &["serve", "--nothing"],
    ] {
        let ended = run(arguments, &[]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("Usage:") || ended.stderr.contains("--help"),
            "{ended:?}"
        );
    }
}
