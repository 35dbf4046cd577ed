//! Settings that could reach what they were not meant for, or shut all callers out: refused, or
//! warned of.

use super::*;

const TWO: &str = r#"
    [[instances]]
    name = "a"
    url = "http://127.0.0.1:1/A"
    authentication_token = "x"
    [[instances]]
    name = "b"
    url = "http://127.0.0.1:1/B"
    authentication_token = "x"
"#;

#[test]
fn a_variable_for_one_of_several_instances_says_which() {
    let off = ("AWS_ILM_DISABLE_USER_ENABLED", "false");
    for more in [&[][..], &[("AWS_ILM_DEFAULT_INSTANCE", "b")]] {
        let variables: Vec<_> = [off].iter().chain(more).copied().collect();
        let error = load_file(TWO, &variables).unwrap_err().to_string();
        for part in [
            "disable_user_enabled (AWS_ILM_DISABLE_USER_ENABLED): ",
            "set AWS_ILM_INSTANCE_NAME to \"a\" or \"b\" as well",
            "or put disable_user_enabled into the [[instances]] tables",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let named = load_file(TWO, &[off, ("AWS_ILM_INSTANCE_NAME", "b")]).unwrap();
    let switches = named
        .instances
        .iter()
        .map(|instance| instance.policy.disable_user_enabled);
    assert_eq!(switches.collect::<Vec<_>>(), [true, false]);
    // One in the file is the one that is meant.
    let one = "[[instances]]\nname = \"a\"\nurl = \"http://127.0.0.1:1/A\"\nauthentication_token = \"x\"\n";
    assert!(!load_file(one, &[off]).unwrap().instances[0].policy.disable_user_enabled);
}

#[test]
fn nothing_real_stands_beside_the_sandbox() {
    let url: Url = "http://127.0.0.1:4321/".parse().unwrap();
    let token = SecretString::from("sand");
    let folder = Folder::new();
    let beside = |file: &str, variables: &[(&str, &str)]| {
        let mut sources = Sources {
            config: Some(folder.file("aws-ilm.toml", file)),
            environment: environment(variables),
            sandbox: false,
        };
        let told = sources.point_at_sandbox(&url, "sandbox", &token);
        told.map_err(|error| error.to_string())
    };
    let from_file = beside(TWO, &[]).unwrap_err();
    assert!(from_file.starts_with("url (instance \"a\" in "), "{from_file}");
    assert!(
        from_file.contains("found a directory beside --sandbox: start without --sandbox, or"),
        "{from_file}"
    );
    for variable in [
        "AWS_ILM_URL",
        "AWS_ILM_TENANT_ID",
        "AWS_ILM_AUTHENTICATION_TOKEN",
        "AWS_ILM_AUTHENTICATION_TOKEN_FILE",
        "AWS_ILM_AUTHENTICATION_TOKEN_ENV",
        "AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES",
        "AWS_ILM_SECOND_AUTHENTICATION_TOKEN",
    ] {
        let told = beside("", &[(variable, SECRET)]).unwrap_err();
        assert!(told.contains(variable) && !told.contains(SECRET), "{told}");
    }
    let own = "listen = \"127.0.0.1:0\"\n[[instances]]\nname = \"AWS-ILM_instance_1\"\ndisable_user_enabled = false\n";
    assert_eq!(beside(own, &[("AWS_ILM_CREATE_USER_ENABLED", "false")]), Ok(()));
}

#[test]
fn callers_that_may_do_nothing_are_told() {
    let key = |digit: char, more: &str| {
        format!(
            "api_keys = [{{ sha256 = \"{}\"{more} }}]\n",
            digit.to_string().repeat(64)
        )
    };
    let caller = |name: &str, lines: &str| format!("[[callers]]\nname = \"{name}\"\n{lines}");
    let warnings = |callers: &[String]| {
        let file = format!(
            "[[instances]]\nname = \"a\"\nurl = \"http://127.0.0.1:1/A\"\nauthentication_token = \"x\"\n{}",
            callers.concat()
        );
        load_file(&file, &[]).unwrap().warnings.join("\n")
    };
    let all = "commands = [\"*\"]\ninstances = [\"*\"]\n";
    let good = caller("good", &format!("{}{all}", key('1', "")));
    assert_eq!(warnings(std::slice::from_ref(&good)), "");
    for (lines, expected) in [
        ("commands = []\ninstances = []\n", "commands (caller \"empty\" in"),
        (
            "commands = []\ninstances = []\n",
            "without commands and instances every request of this caller's is answered 403",
        ),
        (
            "instances = [\"*\"]\n",
            "without commands every request of this caller's is answered 403",
        ),
        ("administration = true\n", "without instances there is none"),
        ("release = true\n", "release (caller \"empty\" in"),
        (
            "release = true\ninstances = [\"*\"]\n",
            "it sees nothing to release: what is held is what events ask for, which takes operations",
        ),
    ] {
        let told = warnings(&[good.clone(), caller("empty", &format!("{}{lines}", key('2', "")))]);
        assert!(told.contains(expected) && told.lines().count() == 1, "{told}");
    }
    let decides = caller(
        "decides",
        &format!(
            "{}release = true\noperations = \"read\"\ninstances = [\"a\"]\n",
            key('4', "")
        ),
    );
    assert_eq!(warnings(&[decides]), "");
    let old = ", expires = 1999-01-31";
    let expired = caller("old", &format!("{}{all}", key('3', old)));
    let told = warnings(std::slice::from_ref(&expired));
    assert!(
        told.contains("all keys of all callers have expired, so nobody is let in"),
        "{told}"
    );
    assert!(!warnings(&[good, expired]).contains("all keys"));
}
