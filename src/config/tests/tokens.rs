//! The tokens of an instance, and that no secret is ever shown.

use super::*;

/// Hostile input 98, a secret file that everybody may read, is missing, is empty: warns or stops;
/// missing and empty stop.
#[test]
fn exactly_one_of_the_three_ways_to_a_token_is_used_and_the_environment_wins() {
    let folder = Folder::new();
    folder.file("token", "from-file\r\n");
    folder.file("empty", "\n");
    let url = "[[instances]]\nurl = \"http://127.0.0.1:1/T\"\n";
    let load_with = |lines: &str, variables: &[(&str, &str)]| {
        let config = Some(folder.file("aws-ilm.toml", &format!("{url}{lines}")));
        let loaded = load(&Sources {
            config,
            environment: environment(variables),
            sandbox: false,
        });
        loaded.map(|settings| settings.instances[0].target.token.clone())
    };
    let absolute = folder.0.join("token").display().to_string();
    let value = "authentication_token = \"from-value\"";
    let path = "authentication_token_file = \"token\"";
    let variable = "authentication_token_env = \"AWS_ILM_PROD_TOKEN\"";
    for (lines, variables, expected) in [
        (value, vec![], "from-value"),
        (path, vec![], "from-file"),
        (variable, vec![("AWS_ILM_PROD_TOKEN", "from-variable")], "from-variable"),
        (
            value,
            vec![("AWS_ILM_AUTHENTICATION_TOKEN_FILE", absolute.as_str())],
            "from-file",
        ),
        (path, vec![("AWS_ILM_AUTHENTICATION_TOKEN", "over")], "over"),
        (
            value,
            vec![("AWS_ILM_AUTHENTICATION_TOKEN_ENV", "X_Y"), ("X_Y", "over")],
            "over",
        ),
    ] {
        let token = load_with(lines, &variables).unwrap_or_else(|faults| panic!("{lines}: {faults}"));
        assert_eq!(token.secret.expose_secret(), expected, "{lines}");
        let read_again = token.reload.map(|reload| reload().unwrap().expose_secret().to_owned());
        assert!(read_again.is_none_or(|again| again == expected), "{lines}");
    }
    let both = format!("{value}\n{path}");
    for (lines, variables, setting, said) in [
        ("", vec![], "authentication_token", "found nothing: set it, "),
        (&both, vec![], "authentication_token", "give exactly one of "),
        (
            "",
            vec![
                ("AWS_ILM_AUTHENTICATION_TOKEN", "x"),
                ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", "x"),
            ],
            "authentication_token",
            "give exactly one of ",
        ),
        (
            variable,
            vec![],
            "authentication_token_env",
            "AWS_ILM_PROD_TOKEN is not set",
        ),
        (
            variable,
            vec![("AWS_ILM_PROD_TOKEN", "")],
            "authentication_token_env",
            "AWS_ILM_PROD_TOKEN: it is empty",
        ),
        (
            "authentication_token_env = \"s3cr3t\"",
            vec![],
            "authentication_token_env",
            "the variable that it names",
        ),
        (
            "authentication_token_env = \"S3CR3T\"",
            vec![],
            "authentication_token_env",
            "the variable that it names",
        ),
        (
            "authentication_token_file = \"./none\"",
            vec![],
            "authentication_token_file",
            "/./none\": no such file",
        ),
        (
            "authentication_token_file = \"s3cr3t\"",
            vec![],
            "authentication_token_file",
            "(masked): no such file: ",
        ),
        (
            "authentication_token_file = \"./empty\"",
            vec![],
            "authentication_token_file",
            "/./empty\": it is empty",
        ),
        (
            "authentication_token_file = \".\"",
            vec![],
            "authentication_token_file",
            "it is not a regular file",
        ),
        (
            "authentication_token_file = \"/dev/zero\"",
            vec![],
            "authentication_token_file",
            "it is not a regular file",
        ),
    ] {
        let faults = load_with(lines, &variables).map(|_| ()).expect_err(lines);
        let shown = faults.to_string();
        assert_eq!(settings_of(&faults), [setting], "{shown}");
        assert!(
            shown.contains(said) && !shown.to_lowercase().contains("s3cr3t"),
            "{shown}"
        );
    }
}

#[test]
fn a_second_token_is_found_in_one_of_three_ways_and_differs_from_the_first() {
    let folder = Folder::new();
    folder.file("token", "from-file\n");
    let instance = "[[instances]]\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"first-s3cr3t\"\n";
    let load_with = |lines: &str, variables: &[(&str, &str)]| {
        let config = Some(folder.file("aws-ilm.toml", &format!("{instance}{lines}")));
        let loaded = load(&Sources {
            config,
            environment: environment(variables),
            sandbox: false,
        });
        loaded.map(|settings| settings.instances[0].target.second_token.clone())
    };
    let value = "second_authentication_token = \"from-value\"";
    let path = "second_authentication_token_file = \"token\"";
    let variable = "second_authentication_token_env = \"AWS_ILM_NEXT_TOKEN\"";
    let over = ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", "over");
    let over_env = ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN_ENV", "AWS_ILM_NEXT_TOKEN");
    let next = ("AWS_ILM_NEXT_TOKEN", "from-variable");
    for (lines, variables, expected) in [
        ("", vec![], None),
        (value, vec![], Some("from-value")),
        (path, vec![], Some("from-file")),
        (variable, vec![next], Some("from-variable")),
        ("", vec![over_env, next], Some("from-variable")),
        (path, vec![over], Some("over")),
        // The first token's layer has nothing to do with the second's.
        (
            value,
            vec![("AWS_ILM_AUTHENTICATION_TOKEN", "another")],
            Some("from-value"),
        ),
    ] {
        let token = load_with(lines, &variables).unwrap_or_else(|faults| panic!("{lines}: {faults}"));
        assert_eq!(
            token.as_ref().map(|token| token.secret.expose_secret()),
            expected,
            "{lines}"
        );
    }
    let both = format!("{value}\n{path}");
    for (lines, variables, setting, said) in [
        (
            both.as_str(),
            vec![],
            "second_authentication_token",
            "(masked): give at most one of second_authentication_token, second_authentication_token_file and ",
        ),
        (
            "second_authentication_token = \"first-s3cr3t\"",
            vec![],
            "second_authentication_token",
            "(masked): it is the first token: give a second, different token",
        ),
        (
            variable,
            vec![("AWS_ILM_NEXT_TOKEN", "first-s3cr3t\n")],
            "second_authentication_token_env",
            "give a second, different token",
        ),
        (
            variable,
            vec![],
            "second_authentication_token_env",
            "AWS_ILM_NEXT_TOKEN is not set",
        ),
        (
            "second_authentication_token_env = \"s3cr3t\"",
            vec![],
            "second_authentication_token_env",
            "the variable that it names",
        ),
        (
            "second_authentication_token_file = \"s3cr3t\"",
            vec![],
            "second_authentication_token_file",
            "(masked): no such file: ",
        ),
        (
            "second_authentication_token = \"a s3cr3t\"",
            vec![],
            "second_authentication_token",
            "white space",
        ),
    ] {
        let faults = load_with(lines, &variables).map(|_| ()).expect_err(lines);
        let shown = faults.to_string();
        assert_eq!(settings_of(&faults), [setting], "{shown}");
        assert!(shown.contains(said) && !shown.contains("s3cr3t"), "{shown}");
    }
}

#[test]
fn a_token_that_expires_warns_and_starts() {
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(10 * 24 + 12)).to_string();
    let second = ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", "another");
    let first_expires = "AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES";
    let second_expires = "AWS_ILM_SECOND_AUTHENTICATION_TOKEN_EXPIRES";
    let expired = "has expired: generate a new one";
    for (variables, expected) in [
        (vec![(first_expires, "2999-01-31")], vec![]),
        (vec![(first_expires, "1999-01-31")], vec![(first_expires, expired)]),
        (
            vec![(first_expires, &*soon)],
            vec![(first_expires, "expires in 10 days")],
        ),
        (
            vec![
                second,
                (first_expires, &*soon),
                (second_expires, "1999-01-31T00:00:00Z"),
            ],
            vec![(first_expires, "expires in 10 days"), (second_expires, expired)],
        ),
        (vec![second, (second_expires, "2999-01-31")], vec![]),
        (
            vec![(second_expires, "1999-01-31")],
            vec![(second_expires, "there is no second token")],
        ),
    ] {
        let settings = load_environment(one_instance(&variables)).unwrap();
        assert_eq!(settings.warnings.len(), expected.len(), "{:?}", settings.warnings);
        for (warning, (variable, said)) in settings.warnings.iter().zip(expected) {
            assert!(
                warning.contains(&format!("({variable}): ")) && warning.contains(said),
                "{warning}"
            );
        }
        let instance = &settings.instances[0];
        let is_set = |name: &str| variables.iter().any(|(variable, _)| *variable == name);
        assert_eq!(instance.target.token.expires.is_some(), is_set(first_expires));
        let second_token = instance.target.second_token.as_ref();
        assert_eq!(
            second_token.is_some_and(|token| token.expires.is_some()),
            is_set(second_expires) && is_set(second.0)
        );
    }
}

/// Hostile input 98, a secret file that everybody may read, is missing, is empty: warns or stops;
/// missing and empty stop.
#[cfg(unix)]
#[test]
fn secrets_that_everybody_may_read_warn_or_stop() {
    let folder = Folder::new();
    let token = folder.file("token", SECRET);
    let instance = "[[instances]]\nurl = \"http://127.0.0.1:1/T\"\n";
    let first = "authentication_token_env = \"FIRST_TOKEN\"";
    for (line, open) in [
        ("authentication_token_file = \"token\"".to_owned(), "token"),
        (format!("authentication_token = \"{SECRET}\""), "aws-ilm.toml"),
        (
            format!("{first}\nsecond_authentication_token_file = \"token\""),
            "token",
        ),
        (
            format!("{first}\nsecond_authentication_token = \"{SECRET}\""),
            "aws-ilm.toml",
        ),
    ] {
        for strict in [false, true] {
            let text = format!("strict_secret_files = {strict}\n{instance}{line}\n");
            let sources = Sources {
                config: Some(folder.file("aws-ilm.toml", &text)),
                environment: environment(&[("FIRST_TOKEN", "x")]),
                ..Sources::default()
            };
            set_mode(&token, 0o640);
            assert_eq!(load(&sources).unwrap().warnings, Vec::<String>::new());
            set_mode(&folder.0.join(open), 0o644);
            let said = match load(&sources) {
                Ok(settings) => {
                    assert!(!strict && settings.warnings.len() == 1, "{:?}", settings.warnings);
                    settings.warnings[0].clone()
                }
                Err(faults) => {
                    assert!(strict && faults.0.len() == 1, "{faults}");
                    faults.to_string()
                }
            };
            assert!(
                said.contains("everybody on this machine may read the") && !said.contains(SECRET),
                "{said}"
            );
        }
    }
}

#[test]
fn no_output_ever_holds_a_secret() {
    let proxy = format!("http://user:{SECRET}@proxy.example:1");
    let second = format!("{SECRET}-2");
    let good = load_environment(one_instance(&[
        ("AWS_ILM_PROXY", &proxy),
        ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", &second),
    ]))
    .unwrap();
    let shown = format!("{good:?} {good:#?}");
    assert!(
        shown.contains("http://proxy.example:1") && !shown.contains(SECRET),
        "{shown}"
    );

    let pasted = format!("https://user:{SECRET}@scim.us-east-1.amazonaws.com/?access_token={SECRET}");
    let long = format!("http://user:{}{SECRET}@proxy/x", "p".repeat(200));
    let broken = format!("{SECRET} ");
    for variables in [
        vec![("AWS_ILM_URL", pasted.as_str())],
        vec![("AWS_ILM_PROXY", &long)],
        vec![("AWS_ILM_AUTHENTICATION_TOKEN", &broken)],
        vec![("AWS_ILM_AUTHENTICATION_TOKEN_FILE", SECRET)],
        vec![("AWS_ILM_AUTHENTICATION_TOKEN_ENV", SECRET)],
        vec![("AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES", SECRET)],
        vec![("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", SECRET)],
        vec![("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", &broken)],
        vec![("AWS_ILM_SECOND_AUTHENTICATION_TOKEN_FILE", SECRET)],
        vec![("AWS_ILM_SECOND_AUTHENTICATION_TOKEN_ENV", SECRET)],
        vec![("AWS_ILM_SECOND_AUTHENTICATION_TOKEN_EXPIRES", SECRET)],
        vec![("AWS_ILM_TOKEN", SECRET)],
    ] {
        let faults = load_environment(one_instance(&variables)).unwrap_err();
        let shown = format!("{faults} {faults:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("ppp"), "{shown}");
    }
}
