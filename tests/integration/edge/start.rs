//! What is said at start, and what is refused there.

use crate::process::{File, Running, run};

const ALL: &str = "commands = [\"*\"]\ninstances = [\"*\"]\n";

fn callers(more: &str) -> File {
    File::new(&format!(
        "[[callers]]\nname = \"hr\"\napi_keys = [{{ sha256 = \"{}\" }}]\n{ALL}{more}",
        "1".repeat(64)
    ))
}

#[test]
fn the_sandbox_beside_a_directory_is_refused() {
    let file = File::new(
        "[[instances]]\nname = \"production\"\nurl = \"http://127.0.0.1:9/T\"\nauthentication_token = \"t\"\n",
    );
    for (arguments, settings, place) in [
        (
            vec!["serve", "--sandbox", "--config", file.path()],
            vec![],
            "url (instance \"production\" in",
        ),
        (
            vec!["serve", "--sandbox"],
            vec![("AWS_ILM_URL", "http://127.0.0.1:9/T")],
            "url (AWS_ILM_URL)",
        ),
    ] {
        let ended = run(&arguments, &settings);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(
            ended.stderr.starts_with(place) && ended.stderr.contains("--sandbox"),
            "{ended:?}"
        );
    }
}

#[test]
fn a_switch_for_one_of_several_instances_is_refused() {
    let file = File::new(
        &["a", "b"]
            .map(|name| {
                format!(
                    "[[instances]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:9/T\"\nauthentication_token = \"t\"\n"
                )
            })
            .concat(),
    );
    for task in ["serve", "check"] {
        let ended = run(
            &[task, "--config", file.path()],
            &[("AWS_ILM_DISABLE_USER_ENABLED", "false")],
        );
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("AWS_ILM_INSTANCE_NAME"), "{ended:?}");
    }
}

#[test]
fn start_and_check_warn_of_callers_that_can_do_nothing() {
    let file = File::new(&format!(
        "[[callers]]\nname = \"hr\"\napi_keys = [{{ sha256 = \"{}\", expires = 1999-01-31 }}]\ncommands = []\ninstances = []\n",
        "1".repeat(64)
    ));
    let settings = [
        ("AWS_ILM_CALLERS_FILE", file.path()),
        ("AWS_ILM_URL", "http://127.0.0.1:9/T"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "token"),
    ];
    let checked = run(&["check"], &settings);
    let (service, _) = Running::serve(&[], &settings);
    for told in [checked.stderr, service.stderr.text()] {
        assert!(told.contains("without commands and instances"), "{told}");
        assert!(told.contains("all keys of all callers have expired"), "{told}");
    }
}

#[test]
fn the_line_of_the_start_says_what_is_running() {
    let file = callers("");
    let directories = File::new(
        &["first", "second"]
            .map(|name| {
                format!(
                    "[[instances]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:9/T\"\nauthentication_token = \"t\"\ndisable_user_enabled = {}\n",
                    name == "first"
                )
            })
            .concat(),
    );
    let settings = [("AWS_ILM_CALLERS_FILE", file.path()), ("AWS_ILM_LOG_FORMAT", "json")];
    let (service, _) = Running::serve(&["--config", directories.path()], &settings);
    let line: serde_json::Value = serde_json::from_str(&service.stderr.line_with("listening")).unwrap();
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(line["instances"], "first, second");
    assert_eq!(line["callers"], "1");
    assert_eq!(line["switched_off"], "disable_user_enabled of second");
    let (open, _) = Running::serve(&["--sandbox"], &[("AWS_ILM_LOG_FORMAT", "json")]);
    let line: serde_json::Value = serde_json::from_str(&open.stderr.line_with("listening")).unwrap();
    assert_eq!(line["callers"], "none configured");
    assert_eq!(line.get("switched_off"), None);
}

#[test]
fn a_second_signal_ends_the_service_at_once() {
    let (service, _) = Running::serve(&["--sandbox"], &[("AWS_ILM_SHUTDOWN_DELAY", "10m")]);
    service.terminate();
    service.stderr.line_with("stopping");
    service.terminate();
    assert_eq!(service.code(), Some(1));
    service.stderr.line_with("ended at once by a second signal");
}

#[test]
fn an_expired_token_is_told_once_and_as_expired() {
    let settings = [
        ("AWS_ILM_URL", "http://127.0.0.1:9/T"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "token"),
        ("AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES", "1999-01-31"),
    ];
    let (service, _) = Running::serve(&[], &settings);
    // The service has begun its work by then.
    service.stderr.line_with("no connection to the directory");
    let log = service.stderr.text();
    let told: Vec<_> = log.lines().filter(|line| line.contains("expire")).collect();
    assert!(told.len() == 1 && told[0].contains("the token has expired"), "{log}");
}
