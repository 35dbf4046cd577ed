//! Who may ask, as an operator writes it, and what comes of it.

use super::*;
use crate::auth::{CommandRight, Names, NewKey, OperationRight};

const INSTANCE: &str =
    "[[instances]]\nname = \"Production\"\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n";
const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn load_callers(text: &str) -> Result<Settings, ConfigError> {
    let folder = Folder::new();
    load(&Sources {
        config: Some(folder.file("aws-ilm.toml", &format!("{INSTANCE}{text}"))),
        ..Sources::default()
    })
}

#[test]
fn callers_are_read_with_their_proofs_rights_and_quotas() {
    let text = format!(
        r#"
        [[callers]]
        name = "hr"
        api_keys = [{{ sha256 = "{DIGEST}" }}, {{ sha256 = "{}", expires = 2999-01-31 }}]
        commands = ["iam-*", "read"]
        instances = ["production"]
        requests_per_second = 2.5
        concurrent_requests = 3
        [[callers]]
        name = "people"
        claims = ["groups=ilm-readers", "tid=a=b"]
        commands = ["read"]
        instances = ["*"]
        administration = true
        release = true
        operations = "manage"
        [[issuers]]
        issuer = "https://id.example/realms/x"
        audiences = ["aws-ilm", "api://aws-ilm"]
        clock_skew = "30s"
        "#,
        DIGEST.replace('b', "c")
    );
    let settings = load_callers(&text).unwrap();
    let loaded = settings.callers.unwrap().loaded;
    let [hr, people] = &loaded.callers[..] else {
        panic!("{loaded:?}")
    };
    assert_eq!((hr.name.as_str(), hr.keys.len(), &hr.tokens), ("hr", 2, &None));
    assert_eq!(hr.keys[0].digest.to_string(), DIGEST);
    assert!(hr.keys[0].expires.is_none() && hr.keys[1].expires.is_some());
    assert_eq!(
        hr.rights.commands,
        [CommandRight::Beginning("iam-".into()), CommandRight::Read]
    );
    assert!(hr.rights.instances.include("Production") && !hr.rights.instances.include("other"));
    assert!(!hr.rights.release && people.rights.release);
    assert!(!hr.rights.administration && hr.rights.operations == OperationRight::Own);
    assert_eq!((hr.quota.requests_per_second, hr.quota.concurrent_requests), (2.5, 3));
    let rule = people.tokens.as_ref().unwrap();
    assert_eq!(rule.issuer, "https://id.example/realms/x");
    let claims = [("groups", "ilm-readers"), ("tid", "a=b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(rule.claims, claims);
    assert_eq!(people.rights.instances, Names::Every);
    assert!(people.rights.administration && people.rights.operations == OperationRight::Manage);
    assert_eq!(
        (people.quota.requests_per_second, people.quota.concurrent_requests),
        (50.0, 64)
    );
    assert_eq!(loaded.issuers[0].clock_skew.as_secs(), 30);
    assert_eq!(settings.warnings, Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_callers_is_told_with_its_mend() {
    let key = NewKey::generate().unwrap();
    let key_itself = format!("api_keys = [{{ sha256 = \"{}\" }}]", key.shown_once());
    let caller = |lines: &str| format!("[[callers]]\nname = \"a\"\n{lines}\n");
    let rows: Vec<(String, &str, &str)> = vec![
        (
            "callers = 1".to_owned(),
            "callers",
            "write a table [[callers]] for each",
        ),
        ("callers = []".to_owned(), "callers", "name at least one"),
        ("[[callers]]".to_owned(), "name", "give the caller a name"),
        ("[[callers]]\nname = \" a\"".to_owned(), "name", "1 to 128 printable"),
        (
            format!("{}{}", caller(""), caller("").replace("\"a\"", "\"A\"")),
            "name",
            "a name of its own",
        ),
        (caller("comands = []"), "comands", "did you mean commands?"),
        (caller("listen = \"x\""), "listen", "move it to the top"),
        (caller(&key_itself), "api_keys", "make a new one"),
        (
            caller(&format!("api_keys = [\"{DIGEST}\"]")),
            "api_keys",
            "entry 1: write { sha256",
        ),
        (
            caller("api_keys = [{ sha256 = \"abc\" }]"),
            "api_keys",
            "64 hexadecimal",
        ),
        (
            caller("api_keys = [{ expires = 2027-01-31 }]"),
            "api_keys",
            "give sha256",
        ),
        (
            caller(&format!("api_keys = [{{ sha256 = \"{DIGEST}\", expires = \"soon\" }}]")),
            "api_keys",
            "expires is a date",
        ),
        (
            caller(&format!(
                "api_keys = [{{ sha256 = \"{DIGEST}\", expire = 2027-01-31 }}]"
            )),
            "api_keys",
            "nothing else",
        ),
        (
            caller(&format!(
                "api_keys = [{{ sha256 = \"{DIGEST}\" }}, {{ sha256 = \"{DIGEST}\" }}]"
            )),
            "api_keys",
            "stands there twice",
        ),
        (
            format!(
                "{}{}",
                caller(&format!("api_keys = [{{ sha256 = \"{DIGEST}\" }}]")),
                caller(&format!("api_keys = [{{ sha256 = \"{DIGEST}\" }}]")).replace("\"a\"", "\"b\"")
            ),
            "api_keys",
            "\"a\" has one of these keys",
        ),
        (
            caller("commands = [\"iam-get-usr\"]\ninstances = [\"*\"]"),
            "commands",
            "did you mean iam-get-user?",
        ),
        (
            caller("commands = [\"Write\"]\ninstances = [\"*\"]"),
            "commands",
            "covers no command",
        ),
        (caller("commands = [\"read\"]"), "instances", "name the instances"),
        (
            caller("instances = [\"prod\"]"),
            "instances",
            "use \"Production\" or \"*\"",
        ),
        (caller("requests_per_second = 0"), "requests_per_second", "from 0.001"),
        (caller("concurrent_requests = 0"), "concurrent_requests", "from 1"),
        (caller("claims = [\"groups\"]"), "claims", "as a claim and its value"),
        (caller("claims = [\"sub=a\"]"), "issuer", "whose tokens"),
        (
            caller("issuer = \"https://id.example\"\nclaims = [\"sub=a\"]"),
            "issuer",
            "no such [[issuers]]",
        ),
        (
            format!(
                "{}[[issuers]]\nissuer = \"https://id.example\"\naudiences = [\"a\"]",
                caller("issuer = \"https://id.example\"")
            ),
            "claims",
            "everybody with an account",
        ),
        (
            format!("{}[[issuers]]\naudiences = [\"a\"]", caller("")),
            "issuer",
            "just as its tokens",
        ),
        (
            format!("{}[[issuers]]\nissuer = \"https://id.example\"", caller("")),
            "audiences",
            "stands in aud",
        ),
        (
            format!(
                "{}[[issuers]]\nissuer = \"https://id.example\"\naudiences = [\"a\"]\nalgorithms = [\"HS256\"]",
                caller("")
            ),
            "algorithms",
            "RS256",
        ),
        (
            caller("certificates = [\"dns:hr.example.com\"]"),
            "certificates",
            "set tls_client_ca_file",
        ),
        (
            format!(
                "{}[[issuers]]\nissuer = \"id.example\"\naudiences = [\"a\"]",
                caller("")
            ),
            "issuer",
            "jwks_url or jwks_file",
        ),
        (
            format!(
                "{}[[issuers]]\nissuer = \"https://id.example\"\naudiences = [\"a\"]\njwks_url = \"http://id.example/k\"",
                caller("")
            ),
            "jwks_url",
            "https",
        ),
        (
            format!(
                "{}[[issuers]]\nissuer = \"https://id.example\"\naudiences = [\"a\"]\njwks_url = \"https://a\"\njwks_file = \"b\"",
                caller("")
            ),
            "jwks_file",
            "at most one",
        ),
    ];
    for (text, setting, help) in rows {
        // Keys of the file itself stand before its tables.
        let text = if text.starts_with("callers =") {
            format!("{text}\n{INSTANCE}")
        } else {
            format!("{INSTANCE}{text}")
        };
        let folder = Folder::new();
        let sources = Sources {
            config: Some(folder.file("aws-ilm.toml", &text)),
            ..Sources::default()
        };
        let faults = load(&sources).expect_err(&text);
        assert_eq!(settings_of(&faults), [setting], "{text}\n{faults}");
        assert!(faults.0[0].help.contains(help), "{text}\n{faults}");
        assert!(!format!("{faults} {faults:?}").contains(key.shown_once()));
    }
}

#[test]
fn callers_stand_in_one_file_which_may_be_their_own() {
    let folder = Folder::new();
    let own = "[[callers]]\nname = \"a\"\ninstances = [\"PRODUCTION\"]\n";
    folder.file("callers.toml", own);
    let load_with = |text: &str, variables: &[(&str, &str)]| {
        load(&Sources {
            config: Some(folder.file("aws-ilm.toml", text)),
            environment: environment(variables),
            ..Sources::default()
        })
    };
    let named = format!("callers_file = \"callers.toml\"\n{INSTANCE}");
    let settings = load_with(&named, &[]).unwrap();
    let callers = settings.callers.unwrap();
    assert_eq!(callers.loaded.callers[0].name, "a");
    // A caller without a proof is worth a warning and no error: keys may come later.
    assert!(
        settings
            .warnings
            .iter()
            .any(|warning| warning.contains("nobody can be")),
        "{:?}",
        settings.warnings
    );
    // Read again, as while the service runs.
    assert_eq!(callers.source.text().unwrap(), own);
    assert_eq!(callers.source.load("").unwrap().callers.len(), 0);
    for text in ["[[callers]]", "listen = 1", "[[callers]\n"] {
        callers.source.load(text).expect_err(text);
    }

    let path = folder.0.join("callers.toml").display().to_string();
    let settings = load_with(INSTANCE, &[("AWS_ILM_CALLERS_FILE", &path)]).unwrap();
    assert_eq!(settings.callers.unwrap().loaded.callers.len(), 1);
    for (text, setting) in [
        (format!("{named}{own}"), "callers"),
        (named.replace("callers.toml", "missing.toml"), "callers_file"),
        (format!("callers_file = \"\"\n{INSTANCE}"), "callers_file"),
    ] {
        assert_eq!(settings_of(&load_with(&text, &[]).unwrap_err()), [setting], "{text}");
    }
}

#[test]
fn callers_open_the_service_to_the_network_and_close_it_to_everybody_else() {
    let caller = "[[callers]]\nname = \"a\"\n";
    for (first, expected) in [
        ("listen = \"0.0.0.0:1\"", None),
        ("allow_unauthenticated = true", Some("allow_unauthenticated")),
    ] {
        let folder = Folder::new();
        let loaded = load(&Sources {
            config: Some(folder.file("aws-ilm.toml", &format!("{first}\n{INSTANCE}{caller}"))),
            ..Sources::default()
        });
        match (loaded, expected) {
            (Ok(settings), None) => assert!(settings.callers.is_some()),
            (Err(faults), Some(setting)) => assert_eq!(settings_of(&faults), [setting]),
            (loaded, _) => panic!("{first}: {loaded:?}"),
        }
    }
    let variables = [
        ("AWS_ILM_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1, ::1"),
        ("AWS_ILM_CORS_ORIGINS", "https://a.example"),
    ];
    let settings = load(&Sources {
        environment: one_instance(&variables),
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(settings.access.trusted_proxies.len(), 3);
    assert_eq!(settings.access.cors_origins, ["https://a.example"]);
    assert!(settings.access.public_docs && settings.callers.is_none());
}

#[test]
fn a_key_that_has_expired_is_spoken_of() {
    let text = format!("[[callers]]\nname = \"a\"\napi_keys = [{{ sha256 = \"{DIGEST}\", expires = 1999-01-31 }}]\n");
    let settings = load_callers(&text).unwrap();
    assert!(
        settings
            .warnings
            .iter()
            .any(|warning| warning.contains("entry 1 has expired")),
        "{:?}",
        settings.warnings
    );
    assert!(!format!("{settings:?}").contains(SECRET));
}

#[test]
fn a_right_that_is_gone_is_explained() {
    let error = load_callers("[[callers]]\nname = \"a\"\nwebhooks = [\"workday\"]\n").unwrap_err();
    assert_eq!(settings_of(&error), ["webhooks"]);
    assert!(
        error
            .to_string()
            .ends_with(": found a right that is gone: remove it: nothing ever asked for it"),
        "{error}"
    );
}
