//! Values that a setting does not accept.

use super::*;

#[test]
fn all_faults_are_told_together_with_name_finding_and_mend() {
    let faults = load_environment(environment(&[
        ("AWS_ILM_URL", "http://scim.us-east-1.amazonaws.com"),
        ("AWS_ILM_TENANT_ID", "abc"),
        ("AWS_ILM_LISTEN", "0.0.0.0:8080"),
        ("AWS_ILM_CREATE_USER_ENABLED", "yes"),
        ("AWS_ILM_BODY_TIMEOUT", "20"),
        ("AWS_ILM_TENANTID", "abc"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", "s3cr3t with\nline"),
    ]))
    .unwrap_err();
    let expected = "\
AWS_ILM_TENANTID: found an unknown setting: did you mean AWS_ILM_TENANT_ID?
listen (AWS_ILM_LISTEN): found \"0.0.0.0:8080\": listen on 127.0.0.1 or [::1], or name callers (see `aws-ilm key new`), \
or set allow_unauthenticated \
(AWS_ILM_ALLOW_UNAUTHENTICATED) to true if something in front of the service checks its callers
body_timeout (AWS_ILM_BODY_TIMEOUT): found \"20\": use a duration from 100ms to 10m, like \"10s\"
url (AWS_ILM_URL): found \"http://scim.us-east-1.amazonaws.com\": use https
authentication_token (AWS_ILM_AUTHENTICATION_TOKEN): found a value (masked): there is white space or a line break in it: \
give the access token alone, without \"Bearer\"
create_user_enabled (AWS_ILM_CREATE_USER_ENABLED): found \"yes\": use true or false";
    assert_eq!(faults.to_string(), expected);
}

#[test]
fn each_wrong_variable_is_a_fault_of_its_own() {
    let long = "n".repeat(129);
    let cases: &[(&str, &[&str])] = &[
        (
            "listen",
            &[
                "",
                "8080",
                "localhost:8080",
                "127.0.0.1",
                "127.0.0.1:99999",
                "0.0.0.0:1",
                "[::]:1",
                "192.0.2.1:1",
            ],
        ),
        ("allow_unauthenticated", &["", "1", "yes", "True", " true"]),
        (
            "allowed_hosts",
            &["a,,b", "https://a", "a:80", "a/b", "*", "a b", "[::1", "ä"],
        ),
        ("default_instance", &["", "other", "a\nb"]),
        ("metrics_listen", &["", "9464", "localhost:9464", "127.0.0.1"]),
        (
            "otlp_endpoint",
            &[
                "",
                "127.0.0.1:4318",
                "ftp://collector",
                "https://me@collector",
                "https://collector/?key=1",
            ],
        ),
        ("log_format", &["", "JSON", "pretty"]),
        ("log_filter", &["", " ", "aws_ilm=loudly", "info,[[["]),
        (
            "body_limit",
            &[
                "",
                "0",
                "1023",
                "16777217",
                "-1",
                "+2048",
                "1MiB",
                "2048.0",
                "99999999999999999999",
            ],
        ),
        ("max_concurrent_commands", &["0", "65537", "many"]),
        ("expected_replicas", &["", "0", "1001", "-1", "2.0"]),
        (
            "header_timeout",
            &[
                "",
                "10",
                "0s",
                "99ms",
                "6m",
                "-5s",
                "5s ago",
                "1d",
                "forever",
                "99999999999999999999s",
            ],
        ),
        ("body_timeout", &["0s", "11m"]),
        ("command_timeout", &["0s", "11m"]),
        ("shutdown_delay", &["-1s", "11m"]),
        ("shutdown_timeout", &["61m"]),
        ("mapper_folder", &["", " "]),
        ("strict_secret_files", &["on"]),
        (
            "instance_name",
            &["", " a", "a\n", "a\u{0}b", "a\u{202e}b", "\u{feff}a", &long],
        ),
        ("brand", &["", "a\tb", &long]),
        (
            "url",
            &[
                "",
                "scim.us-east-1.amazonaws.com",
                "https://evil.example/",
                "http://2852039166/",
            ],
        ),
        ("tenant_id", &["", "a/b", "..", "a b", "ä"]),
        ("authentication_token", &["", "\n", "a b", "a\r\nb", "tökén", "a\u{0}"]),
        ("create_user_enabled", &["TRUE"]),
        ("update_user_enabled", &["0"]),
        ("enable_user_enabled", &["no"]),
        ("disable_user_enabled", &["off"]),
        ("create_if_not_exists", &["never"]),
        ("mapper_in", &["", " ", "no-such-mapper", "Cargo.toml"]),
        ("mapper_out", &["", "nor-this", "src"]),
        ("insecure", &["please"]),
        (
            "proxy",
            &[
                "",
                "yes",
                "proxy:3128",
                "socks5://proxy:1",
                "ftp://proxy",
                "http://",
                "http:proxy",
                "http://p/x",
                "http://p?x",
                "http://p#x",
                "http://p\t",
            ],
        ),
        ("connect_timeout", &["0s", "61s"]),
        ("request_timeout", &["0s", "6m"]),
        ("scim_dialect", &["", "AWS", "azure"]),
        (
            "authentication_token_expires",
            &["", "tomorrow", "2027-02-30", "2027-01-31T12:00:00", "31.01.2027", "90"],
        ),
        (
            "second_authentication_token_expires",
            &["", "never", "2027-1-31", "20270131"],
        ),
        (
            "second_authentication_token",
            &["", "a b", "a\r\nb", "tökén", "a\u{0}", SECRET],
        ),
        ("allow_enable_default", &["", "yes", "True", "1"]),
        ("disable_absent", &["", "Skip", "true"]),
        ("profile_id", &["", "AWS", "hr"]),
        ("adopt", &["", "same_person", "Always", "true"]),
        (
            "read_rate",
            &["", "0", "-1", "1e3", "inf", "NaN", "100001", "12,5", "10/s"],
        ),
        ("write_rate", &["0.0", "100000.5"]),
        ("callers_file", &["", "/nowhere/callers.toml", "/", "/dev/zero"]),
        ("sources_file", &["", "/nowhere/sources.toml", "/", "/dev/zero"]),
        (
            "trusted_proxies",
            &[
                "10.0.0.0/33",
                "proxy.example",
                "10.0.0.0/8,",
                "10.0.0.1:80",
                "::ffff:10.0.0.0/104",
            ],
        ),
        ("public_docs", &["", "yes", "TRUE"]),
        (
            "cors_origins",
            &[
                "*",
                "null",
                "hr.example.com",
                "https://hr.example.com/",
                "https://HR.example.com",
                "https://hr.example.com:443",
                "file:///",
            ],
        ),
        ("membership_rate", &["0", "unlimited"]),
        (
            "api_rates",
            &[
                "CreateUser",
                "CreateUser=0",
                "CreateUser=x",
                "CreateUsr=1",
                "colour=1",
                "a\nb=1",
                "CreateUser=1,",
                "CreateUser=1,ListUsers=2,CreateUser=1",
            ],
        ),
        ("max_instance_commands", &["", "0", "65537", "all"]),
        ("store_path", &["", " "]),
        ("store_unavailable", &["", "ignore", "Refuse"]),
        ("retry_schedule", &["5", "5s,,5m", "0s", "-5s", "200h", "soon"]),
        ("disable_retry_schedule", &["5", "0s"]),
        ("after_buried", &["stop", "Block"]),
        ("operation_retention", &["", "0s", "59m", "200000h"]),
        ("idempotency_retention", &["", "0s", "59m", "200000h"]),
        ("event_retention", &["", "0s", "167h", "200000h"]),
        ("quarantine_size", &["", "-1", "1.5", "100001"]),
        ("tls_certificate_file", &["", " "]),
        ("tls_key_file", &["", " "]),
        ("tls_client_ca_file", &["", " "]),
    ];
    for (name, values) in cases {
        for value in *values {
            let variable = format!("AWS_ILM_{}", name.to_ascii_uppercase());
            let faults =
                load_environment(one_instance(&[(&variable, value)])).expect_err(&format!("{variable}={value:?}"));
            assert_eq!(settings_of(&faults), [*name], "{variable}={value:?}: {faults}");
            let shown = faults.to_string();
            assert_eq!(shown.lines().count(), 1, "{shown:?}");
            assert!(shown.chars().all(|character| !character.is_control()), "{shown:?}");
            assert!(*name == "default_instance" || shown.contains(&variable), "{shown:?}");
        }
    }
    let tried: BTreeSet<&str> = cases.iter().map(|(name, _)| *name).collect();
    let left: Vec<&str> = reference()
        .filter(|setting| setting.variable().is_some())
        .map(|setting| setting.name)
        .filter(|name| !tried.contains(name))
        .collect();
    assert_eq!(
        left,
        [
            "authentication_token_file",
            "authentication_token_env",
            "second_authentication_token_file",
            "second_authentication_token_env"
        ],
        "the tokens' own tests have these"
    );
}

/// Also the proof that the reference and the loader agree: what is listed is read, or the wrong
/// value would pass; and what is read is listed, or the loader would panic.
#[test]
fn a_value_of_the_wrong_type_in_the_file_is_told_for_every_setting_of_the_reference() {
    for setting in reference() {
        // No setting but an expiry takes a date, and that takes no time without one.
        let value = if setting.name.ends_with("_expires") {
            "07:32:00"
        } else {
            "1979-05-27"
        };
        let line = format!("{} = {value}", setting.name);
        let complete = "url = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n";
        let drop = |name: &str| {
            complete
                .lines()
                .filter(|line| !line.starts_with(name))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let file = match setting.scope {
            Scope::Service => format!("{line}\n[[instances]]\n{complete}"),
            Scope::Instance if setting.name == "url" => format!("[[instances]]\n{line}\n{}", drop("url")),
            Scope::Instance
                if setting.name.starts_with("authentication_token") && !setting.name.ends_with("_expires") =>
            {
                format!("[[instances]]\n{line}\n{}", drop("authentication_token"))
            }
            Scope::Instance => format!("[[instances]]\n{line}\n{complete}"),
            Scope::Caller if setting.name == "name" => format!("[[instances]]\n{complete}[[callers]]\n{line}\n"),
            Scope::Caller => format!("[[instances]]\n{complete}[[callers]]\nname = \"a\"\n{line}\n"),
            Scope::Issuer => {
                let others = ["issuer = \"https://id.example\"\n", "audiences = [\"a\"]\n"];
                let others: String = others
                    .into_iter()
                    .filter(|other| !other.starts_with(setting.name))
                    .collect();
                format!("[[instances]]\n{complete}[[callers]]\nname = \"a\"\n[[issuers]]\n{others}{line}\n")
            }
            Scope::Source => {
                let others = ["name = \"a\"\n", "verifier = \"none\"\n"];
                let others: String = others
                    .into_iter()
                    .filter(|other| !other.starts_with(setting.name))
                    .collect();
                format!("[[instances]]\n{complete}[[sources]]\n{others}{line}\n")
            }
        };
        let faults = load_file(&file, &[]).expect_err(&line);
        assert_eq!(settings_of(&faults), [setting.name], "{faults}");
        assert_eq!(faults.0[0].help, format!("use {}", setting.accepts()));
    }
    // What the environment can only say as text is not accepted as text in the file.
    for line in [
        "body_limit = \"2048\"",
        "allow_unauthenticated = \"true\"",
        "header_timeout = 10",
        "allowed_hosts = \"a\"",
        "expected_replicas = 1.5",
    ] {
        let file = format!("{line}\n[[instances]]\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n");
        let faults = load_file(&file, &[]).expect_err(line);
        assert_eq!(faults.0.len(), 1, "{faults}");
    }
    for line in [
        "read_rate = \"25\"",
        "write_rate = nan",
        "membership_rate = inf",
        "api_rates = \"CreateUser=10\"",
        "api_rates = [10]",
        "api_rates = { CreateUser = 10 }",
        "max_instance_commands = \"7\"",
        "authentication_token_expires = 2027-01-31T12:00:00",
    ] {
        let file = format!("[[instances]]\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n{line}\n");
        let faults = load_file(&file, &[]).expect_err(line);
        assert_eq!(faults.0.len(), 1, "{faults}");
    }
}

#[test]
fn every_wrong_rate_of_an_api_is_told_with_its_mend() {
    let rates = "CreateUsr=1, ListUsers=0, GetUser=1, GetUser=2";
    let faults = load_environment(one_instance(&[("AWS_ILM_API_RATES", rates)])).unwrap_err();
    let mends: Vec<&str> = faults.0.iter().map(|fault| fault.help.as_str()).collect();
    assert_eq!(
        mends,
        [
            "there is no API \"CreateUsr\": did you mean CreateUser?",
            "for ListUsers use a number of requests a second from 0.001 to 100000, like 25 or 12.5",
            "give GetUser once",
        ]
    );
    let none = load_environment(one_instance(&[("AWS_ILM_API_RATES", "")])).unwrap();
    assert!(none.instances[0].target.rates.api_rates.is_empty());
}

#[test]
fn a_url_is_not_judged_by_a_dialect_that_is_wrong() {
    let file =
        "[[instances]]\nurl = \"https://scim.example.org/v2\"\nscim_dialect = \"rfc\"\nauthentication_token = \"x\"\n";
    let faults = load_file(file, &[]).unwrap_err();
    assert_eq!(settings_of(&faults), ["scim_dialect"], "{faults}");
}

/// As [`Sources::from_process`] has it, with a replacement character for each wrong byte.
#[test]
fn a_variable_that_is_no_utf_8_is_a_fault_of_its_own_whatever_its_kind() {
    for setting in reference().filter(|setting| setting.variable().is_some()) {
        let variable = setting.variable().unwrap();
        let faults = load_environment(one_instance(&[(&variable, "caf\u{fffd}")])).expect_err(&variable);
        assert!(settings_of(&faults).contains(&setting.name), "{faults}");
        let shown = faults.to_string();
        assert!(shown.contains("set it in UTF-8"), "{shown}");
    }
}
