//! Settings as an operator looks at them: shown, checked as JSON, and read again.

use aws_ilm::sandbox;
use serde_json::Value;

use crate::{
    callers::{caller, key, replace, two_instances},
    harness::{World, answer, caller as client},
    process::{File, Running, run},
};

const TOKEN: &str = "s3cr3t-t0ken-that-nobody-may-see";

#[test]
fn the_example_is_printed_and_loads() {
    let example = run(&["config", "example"], &[]);
    assert_eq!(example.code, Some(0));
    let file = File::new(&example.stdout);
    let shown = run(&["config", "show", "--config", file.path()], &[]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(!shown.stdout.contains("PUT-THE-ACCESS-TOKEN-HERE"), "{}", shown.stdout);
}

#[test]
fn values_are_shown_with_where_they_come_from_and_faults_behind_them() {
    let file = File::new(&format!(
        "listen = \"127.0.0.1:9000\"\n[[instances]]\nname = \"prod\"\nurl = \"https://scim.us-east-1.amazonaws.com/a-b/scim/v2/\"\n\
         authentication_token = \"{TOKEN}\"\n"
    ));
    let settings = [("AWS_ILM_LOG_FORMAT", "json"), ("AWS_ILM_CONFIG", file.path())];
    let shown = run(&["config", "show"], &settings);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let has = |words: &[&str]| {
        let is_row = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(shown.stdout.lines().any(is_row), "{words:?} in {}", shown.stdout);
    };
    has(&["the service", "listen", "aws-ilm-", "127.0.0.1:9000"]);
    has(&["the service", "log_format", "AWS_ILM_LOG_FORMAT", "json"]);
    has(&["the service", "body_timeout", "default", "20s"]);
    has(&["instance \"prod\"", "authentication_token ", "masked"]);
    assert!(!shown.stdout.contains(TOKEN) && !shown.stderr.contains(TOKEN));
    let set = run(&["config", "show", "--set"], &settings);
    assert!(
        set.stdout.contains("listen") && !set.stdout.contains("body_timeout"),
        "{}",
        set.stdout
    );
    let faulty = [settings[0], settings[1], ("AWS_ILM_BODY_TIMEOUT", "soon")];
    let faulty = run(&["config", "show"], &faulty);
    assert_eq!(faulty.code, Some(2));
    assert!(faulty.stdout.contains("soon") && faulty.stderr.contains("body_timeout (AWS_ILM_BODY_TIMEOUT)"));
}

#[tokio::test]
async fn a_check_can_be_read_by_programs() {
    let directory = World::start().await;
    let file = File::new(&two_instances(&directory).replacen(sandbox::DEFAULT_TOKEN, TOKEN, 1));
    let check = |arguments: Vec<String>| {
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&arguments, &[])
        })
    };
    let arguments = |path: &str| {
        ["check", "--format", "json", "--config", path]
            .map(str::to_owned)
            .to_vec()
    };
    let checked = check(arguments(file.path())).await.unwrap();
    assert_eq!(checked.code, Some(1));
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["instances"][0]["ok"], false);
    assert_eq!(report["instances"][1]["ok"], true);
    assert_eq!(report["instances"][1]["name"], "second");
    assert!(!checked.stdout.contains(TOKEN) && !checked.stderr.contains(TOKEN));
    let faulty = File::new("listen = 7\n");
    let checked = check(arguments(faulty.path())).await.unwrap();
    assert_eq!(checked.code, Some(2));
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    let paths: Vec<_> = report["settings"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["path"])
        .collect();
    assert!(paths[0].as_str().unwrap().starts_with("listen ("), "{paths:?}");
    assert_eq!(
        (&report["ok"], report["instances"].as_array().unwrap().len()),
        (&Value::Bool(false), 0)
    );
}

#[tokio::test]
async fn a_service_that_is_hung_up_on_reads_its_settings_again_and_says_what_needs_a_restart() {
    let directory = World::start().await;
    let (known, digest) = key();
    let text = two_instances(&directory) + &caller("first", &[&digest], "commands = [\"*\"]\ninstances = [\"*\"]");
    let file = File::new(&text);
    let (service, address) = Running::serve(&["--config", file.path()], &[]);
    service.hang_up();
    service
        .stderr
        .line_with("no setting that is read at start alone has changed");
    let (other, other_digest) = key();
    let changed = format!("body_timeout = \"7s\"\n{text}").replace(&digest, &other_digest);
    replace(file.path(), &changed);
    let line = service.stderr.line_with("restart the service");
    assert!(line.contains("body_timeout of the service"), "{line}");
    let http = client();
    let url = format!("http://{address}/capabilities");
    let asked = async |key: &str| answer(http.get(&url).header("x-api-key", key)).await.status;
    let mut statuses = (0, 0);
    for _ in 0..500 {
        statuses = (asked(&other).await, asked(&known).await);
        if statuses.0 == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(statuses.0, 200, "callers are put into force without a restart");
    replace(file.path(), &format!("boddy_timeout = \"7s\"\n{text}"));
    service.hang_up();
    let line = service.stderr.line_with("would not start again");
    assert!(line.contains("did you mean body_timeout?"), "{line}");
    service.terminate();
    assert_eq!(service.code(), Some(0));
}
