//! Files, tables and names that are not there, unknown or clash.

use super::*;

#[test]
fn unknown_settings_are_told_with_what_was_meant() {
    let file = r#"
        lisen = "127.0.0.1:1"
        url = "https://x"
        "a\nb" = 1
        [[instances]]
        name = "a"
        url = "http://127.0.0.1:1/T"
        authentication_token = "x"
        creat_user_enabled = false
        listen = "127.0.0.1:1"
        password = "s3cr3t"
        [other]
    "#;
    let faults = load_file(
        file,
        &[("AWS_ILM_TOKEN", SECRET), ("AWS_ILM_QQQ", SECRET), ("OTHER", "x")],
    )
    .unwrap_err();
    let mends: BTreeMap<&str, &str> = settings_of(&faults)
        .into_iter()
        .zip(faults.0.iter().map(|f| f.help.as_str()))
        .collect();
    let expected = BTreeMap::from([
        ("lisen", "did you mean listen?"),
        ("url", "move it into an [[instances]] table"),
        ("a\\nb", "remove it"),
        ("creat_user_enabled", "did you mean create_user_enabled?"),
        ("listen", "move it to the top of the file"),
        ("password", "remove it"),
        ("other", "remove it"),
        ("AWS_ILM_TOKEN", "did you mean AWS_ILM_AUTHENTICATION_TOKEN?"),
        ("AWS_ILM_QQQ", "remove it"),
    ]);
    assert_eq!(mends, expected);
    assert!(
        !faults.to_string().contains("s3cr3t") && !faults.to_string().contains(SECRET),
        "{faults}"
    );
}

#[test]
fn instances_that_clash_or_are_missing_are_told() {
    let instance =
        |name: &str| format!("[[instances]]\n{name}\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n");
    let twice = format!("{}{}", instance("name = \"Ünit\""), instance("name = \"ünit\""));
    let nameless = format!("{}{}", instance(""), instance(""));
    let both = instance("name = \"a\"\ninstance_name = \"b\"");
    let complete = instance("");
    let no_such_default = format!("default_instance = \"x\"\n{complete}");
    for (file, setting) in [
        (twice.as_str(), "instance_name"),
        (&nameless, "instance_name"),
        (&both, "instance_name"),
        (&no_such_default, "default_instance"),
        ("", "url"),
        ("instances = []", "url"),
        ("[instances]", "instances"),
        ("instances = [1]", "instances"),
        ("instances = \"x\"", "instances"),
    ] {
        let faults = load_file(file, &[]).expect_err(file);
        assert_eq!(settings_of(&faults)[0], setting, "{faults}");
    }
    let faults = load_file("[[instances]]\nname = \"a\"", &[]).unwrap_err();
    assert_eq!(settings_of(&faults), ["url", "authentication_token"]);
    assert!(faults.0[0].path.starts_with("url (instance \"a\" in "), "{faults}");
    let faults = load_environment(environment(&[("AWS_ILM_TENANT_ID", "T")])).unwrap_err();
    assert_eq!(settings_of(&faults), ["url", "authentication_token"]);
    assert_eq!(load_environment(Environment::new()).unwrap_err().0.len(), 1);
}

#[test]
fn a_file_that_cannot_be_read_is_told_once_and_without_its_lines() {
    let faults = load(&Sources {
        config: Some("/nowhere/x.toml".into()),
        ..Sources::default()
    })
    .unwrap_err();
    assert_eq!(faults.0.len(), 1);
    assert!(
        faults.to_string().starts_with("/nowhere/x.toml: found no such file: "),
        "{faults}"
    );
    for text in [
        "a = 1\n[[instances]]\nauthentication_token = s3cr3t\n",
        "a = 1\n[[instances]]\nauthentication_token = \"s3cr3t\n",
        "a = 1\n[[instances]]\nauthentication_token = \"s3cr3t\" x\n",
        "a = 1\nauthentication_token = 1\nauthentication_token = \"s3cr3t\"\n",
    ] {
        let faults = load_file(text, &[("AWS_ILM_LISTEN", "x")]).unwrap_err();
        let shown = faults.to_string();
        assert!(shown.contains("aws-ilm.toml line 3: found invalid TOML: "), "{shown}");
        assert!(shown.contains("\nlisten (AWS_ILM_LISTEN)"), "{shown}");
        assert_eq!((faults.0.len(), shown.contains("s3cr3t")), (2, false), "{shown}");
    }
}

#[test]
fn mappers_are_found_by_file_id_and_name_and_their_faults_are_told_with_the_others() {
    let out = r#"{"id": "out-1", "name": "Out", "type": "mapping-outgoing",
        "mapping": {"User Profile": {"internalMapping": {"userName": {"simple": "username"}}}}}"#;
    let folder = Folder::new();
    fs::create_dir(folder.0.join("mappers")).unwrap();
    folder.file("mappers/out.json", out);
    folder.file(
        "mappers/broken.json",
        &out.replace("\"username\"", "\"=username\"")
            .replace("out-1", "out-2")
            .replace("Out", "Broken"),
    );
    folder.file(
        "mappers/in.toml",
        "name = \"In\"\ndirection = \"incoming\"\n[\"User Profile\"]\nUsername = \"userName\"\n",
    );
    let config = |lines: &str| {
        let text = format!(
            "mapper_folder = \"mappers\"\n[[instances]]\nurl = \"http://localhost:9\"\ntenant_id = \"T\"\nauthentication_token = \"x\"\n{lines}\n"
        );
        load(&Sources {
            config: Some(folder.file("config.toml", &text)),
            ..Sources::default()
        })
    };
    for wanted in ["Out", "out-1", "out.json", "mappers/out.json"] {
        let settings = config(&format!("mapper_out = \"{wanted}\"\nmapper_in = \"In\"")).unwrap();
        let mapper = &settings.instances[0].mapper;
        assert!(
            mapper.is_called("Out", Direction::Outgoing) && mapper.is_called("In", Direction::Incoming),
            "{wanted}"
        );
        // Nothing fills displayName and name.
        assert!(
            settings
                .warnings
                .iter()
                .any(|warning| warning.contains(" warnings; `aws-ilm mapper lint`")),
            "{:?}",
            settings.warnings
        );
    }
    for (wanted, expected) in [
        ("broken.json", "JavaScript"),
        ("In", "maps the other way"),
        ("nobody", "broken.json"),
    ] {
        let faults = config(&format!("mapper_out = \"{wanted}\"\nbrand = \"\"")).unwrap_err();
        assert_eq!(settings_of(&faults), ["brand", "mapper_out"]);
        assert!(faults.0[1].to_string().contains(expected), "{faults}");
    }
}
