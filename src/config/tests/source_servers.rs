//! Where a source is told and more is fetched, as an operator writes it.

use super::*;

const INSTANCE: &str = "store_path = \"store.db\"\n\
    [[instances]]\nname = \"a\"\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n\
    [[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\nzone = \"UTC\"\n";

const SIGNING: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const CALLBACK: &str = "[sources.callback]\nurl = \"https://hooks.example.com/x\"\nsecret_file = \"signing\"\n";

const FETCH: &str = "[sources.fetch]\nurl = \"https://hr.example.com/people/{employeeid}\"\nsecret_file = \"token\"\n\
    prefix = \"Bearer \"\nfields = { email = \"fetched.work.email\" }\n";

const RULE: &str =
    "[[sources.rules]]\ndo = \"create\"\nfetch = true\nprofile = { employeeid = \"body.id\", email = \"body.id\" }\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    folder.file("signing", &format!("{SIGNING}\n"));
    folder.file("token", "a-s3cret-token\n");
    folder.file("empty", "\n");
    folder.file("short", "whsec_c2hvcnQ=");
    folder.file("lines", "a\nb\n");
    folder
}

fn load_with(folder: &Folder, text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    load(&Sources {
        config: Some(folder.file("aws-ilm.toml", &format!("{INSTANCE}{text}"))),
        environment: environment(variables),
        sandbox: false,
    })
}

#[test]
fn a_source_has_its_servers_by_files_or_variables() {
    let folder = folder();
    let variables = [("AWS_ILM_SIGNING", SIGNING), ("AWS_ILM_HR_TOKEN", "a-s3cret-token")];
    let by_variables = |text: &str| {
        text.replace("secret_file = \"signing\"", "secret_env = \"AWS_ILM_SIGNING\"")
            .replace("secret_file = \"token\"", "secret_env = \"AWS_ILM_HR_TOKEN\"")
    };
    let both = format!("{CALLBACK}{FETCH}{RULE}");
    for (text, variables) in [(both.clone(), &[][..]), (by_variables(&both), &variables)] {
        let settings = load_with(&folder, &text, variables).unwrap_or_else(|error| panic!("{error}"));
        let source = &settings.webhooks.as_ref().unwrap().loaded.sources[0];
        assert!(source.callback().is_some() && source.fetch().is_some());
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("C2FVsBQ"), "{shown}");
    }
    let settings = load_with(&folder, "", &[]).unwrap_or_else(|error| panic!("{error}"));
    let source = &settings.webhooks.as_ref().unwrap().loaded.sources[0];
    assert!(source.callback().is_none() && source.fetch().is_none());
    let open = FETCH
        .replace("secret_file = \"token\"\n", "")
        .replace("prefix = \"Bearer \"\n", "");
    load_with(&folder, &open, &[]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_is_wrong_with_a_server_is_told_by_its_key_and_shows_nothing() {
    let callback = |from: &str, to: &str| (CALLBACK.replace(from, to), "callback");
    let fetch = |from: &str, to: &str| (format!("{}{RULE}", FETCH.replace(from, to)), "fetch");
    let no_secret = |table: &str| table.replace("secret_file = ", "#");
    let rows: Vec<((String, &str), &str)> = vec![
        (callback("url = ", "ur = "), "ur: it is not known; did you mean url?"),
        (callback("url = ", "#"), "url: give an https URL"),
        (
            callback("\"https://hooks.example.com/x\"", "7"),
            "url: write a text in quotes",
        ),
        (callback("https", "http"), "url: use https"),
        (
            callback("hooks.example.com", "10.0.0.1"),
            "url: its host is no public address",
        ),
        (
            callback("hooks.example.com", "me:a-s3cret@x.example"),
            "url: leave the credentials out",
        ),
        (
            callback("url = ", "allow_private = 1\nurl = "),
            "allow_private: use true or false",
        ),
        (
            (no_secret(CALLBACK), "callback"),
            "secret_file: name a file with the secret",
        ),
        (callback("\"signing\"", "\"nowhere\""), "secret_file: no such file"),
        (callback("\"signing\"", "\"empty\""), "secret_file: it is empty"),
        (
            callback("\"signing\"", "\"lines\""),
            "secret_file: there is a line break",
        ),
        (callback("\"signing\"", "\"short\""), "secret: use whsec_"),
        (callback("\"signing\"", "\"token\""), "secret: use whsec_"),
        (
            callback("secret_file = \"signing\"", "secret_env = \"NOPE\""),
            "secret_env: there is no such variable",
        ),
        (
            callback("secret_file", "secret_env = \"x\"\nsecret_file"),
            "secret_env: give at most one of",
        ),
        (
            fetch("fields = ", "feilds = "),
            "feilds: it is not known; known are url",
        ),
        (
            fetch("fields = { email = \"fetched.work.email\" }", ""),
            "fields: say which fields",
        ),
        (
            fetch("{ email = \"fetched.work.email\" }", "{}"),
            "fields: say which fields",
        ),
        (
            fetch("fetched.work", "body.work"),
            "fields.email: the name `body` is not known",
        ),
        (fetch("{employeeid}", "x"), "url: say whose it is"),
        (
            fetch("hr.example.com", "{employeeid}.example.com"),
            "url: fields can stand in the path",
        ),
        (fetch("https://hr.example.com", "http://127.0.0.1"), "url: use https"),
        (
            fetch("prefix = ", "header = \"Host\"\nprefix = "),
            "header: use the name of a header field",
        ),
        (
            fetch("\"Bearer \"", "\"a\\nb\""),
            "secret: it can't stand in a header field",
        ),
        ((no_secret(FETCH), "fetch"), "header: name a file with its secret"),
        ((RULE.to_owned(), "fetch"), "write [sources.fetch]"),
        (
            (
                format!("{FETCH}{}", RULE.replace("create", "disable")),
                "fetch of rule 1",
            ),
            "take it out",
        ),
        (
            (format!("{FETCH}{}", RULE.replace("true", "\"yes\"")), "fetch of rule 1"),
            "use true or false",
        ),
    ];
    let folder = folder();
    for ((text, setting), help) in rows {
        let error = match load_with(&folder, &text, &[]) {
            Ok(_) => panic!("{text}"),
            Err(error) => error,
        };
        assert_eq!(settings_of(&error), [setting], "{text}\n{error}");
        assert!(error.to_string().contains(help), "{text}\n{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

/// A change of a server's secret is seen, and one that all may read is told.
#[test]
fn the_secrets_of_servers_are_watched_and_looked_at() {
    let folder = folder();
    let text = format!("{CALLBACK}{FETCH}");
    let settings = load_with(&folder, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let webhooks = settings.webhooks.unwrap();
    for file in ["signing", "token"] {
        let before = webhooks.file.text().unwrap();
        folder.file(file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_ne!(webhooks.file.text().unwrap(), before, "{file}");
    }
    set_mode(&folder.file("signing", SIGNING), 0o644);
    let settings = load_with(&folder, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let told = settings.warnings.join("\n");
    assert!(
        told.contains("callback (") && told.contains("everybody on this machine may read"),
        "{told}"
    );
    let mut strict = INSTANCE.to_owned();
    strict.insert_str(0, "strict_secret_files = true\n");
    let file = folder.file("strict.toml", &format!("{strict}{text}"));
    let error = load(&Sources {
        config: Some(file),
        environment: environment(&[]),
        sandbox: false,
    })
    .unwrap_err();
    assert_eq!(settings_of(&error), ["callback"], "{error}");
}
