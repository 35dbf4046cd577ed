//! Which sources of webhooks there are, as an operator writes them, and what comes of it.

use super::*;

const INSTANCES: &str = "store_path = \"store.db\"\n\
    [[instances]]\nname = \"Production\"\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n\
    [[instances]]\nname = \"staging\"\nurl = \"http://127.0.0.1:2/T\"\nauthentication_token = \"y\"\n";

const RULE: &str = "[[sources.rules]]\ndo = \"disable\"\nprofile = { employeeid = \"body.id\" }\n";

fn load_in(folder: &Folder, text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    load(&Sources {
        config: Some(folder.file("aws-ilm.toml", text)),
        environment: environment(variables),
        sandbox: false,
    })
}

fn load_sources(text: &str) -> Result<Settings, ConfigError> {
    let folder = Folder::new();
    folder.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    folder.file("other", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    folder.file("empty", "\n");
    folder.file("lines", "a\nb\n");
    load_in(
        &folder,
        &format!("{INSTANCES}{text}"),
        &[
            ("HR_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            ("AWS_ILM_HR", ""),
        ],
    )
}

/// Sources may stand in the main file, beside what is secret in it.
#[test]
fn nothing_shows_the_text_around_the_sources() {
    let text = INSTANCES.replace("\"y\"", "\"a-t0ken-of-staging\"");
    let folder = Folder::new();
    let settings = load_in(
        &folder,
        &format!("{text}[[sources]]\nname = \"hr\"\nverifier = \"none\"\ninstances = [\"staging\"]\n"),
        &[],
    )
    .unwrap();
    assert!(!format!("{settings:?}").contains("a-t0ken-of-staging"));
}

fn names(settings: &Settings) -> Vec<(String, Vec<String>, usize)> {
    let webhooks = settings.webhooks.as_ref().unwrap();
    let told = |source: &std::sync::Arc<crate::webhooks::Source>| {
        (
            source.name().to_owned(),
            source.instances().to_vec(),
            source.rule_count(),
        )
    };
    webhooks.loaded.sources.iter().map(told).collect()
}

#[test]
fn sources_are_read_with_their_presets_secrets_and_rules() {
    let text = format!(
        "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\", \"other\"]\n\
         instances = [\"production\"]\nzone = \"Australia/Melbourne\"\n{RULE}\
         [[sources]]\nname = \"hr-2\"\npreset = \"standard-webhooks\"\nsecret_env = [\"HR_SECRET\"]\ninstances = [\"STAGING\", \"Production\"]\nzone = \"UTC\"\n\
         [[sources]]\nname = \"by-hand\"\nverifier = \"none\"\ninstances = [\"staging\"]\n{RULE}"
    );
    let settings = load_sources(&text.replace("AWS_ILM_HR", "HR_SECRET"));
    let settings = settings.map_err(|error| error.to_string());
    // A variable of ours that nothing names is refused, so that one is named.
    assert!(settings.is_err_and(|error| error.starts_with("AWS_ILM_HR: found an unknown setting")));
    let folder = Folder::new();
    folder.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    folder.file("other", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let text = format!("{INSTANCES}{}", text.replace("HR_SECRET", "AWS_ILM_HR"));
    let variables = [("AWS_ILM_HR", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    let settings = load_in(&folder, &text, &variables).unwrap_or_else(|error| panic!("{error}"));
    let found = names(&settings);
    assert_eq!(found[0], ("hr".to_owned(), vec!["Production".to_owned()], 1));
    assert_eq!(found[1].1, ["staging", "Production"]);
    assert!(found[1].2 > 1, "the preset's rules");
    assert_eq!(found[2], ("by-hand".to_owned(), vec!["staging".to_owned()], 1));
    let [warning] = &settings.warnings[..] else {
        panic!("{:?}", settings.warnings)
    };
    assert!(
        warning.starts_with("verifier (source \"by-hand\" in ") && warning.contains("nothing proves the sender"),
        "{warning}"
    );
}

#[test]
fn what_is_wrong_with_sources_is_told_with_its_mend() {
    let error = load_file(&format!("sources = 1\n{INSTANCES}"), &[]).unwrap_err();
    assert_eq!(settings_of(&error), ["sources"]);
    assert!(
        error.to_string().contains("write a table [[sources]] for each"),
        "{error}"
    );
    let good = "preset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\ninstances = [\"staging\"]\n";
    let own = |lines: &str| format!("[[sources]]\nname = \"a\"\n{lines}\n");
    let but = |lines: &str| own(&format!("{good}{lines}"));
    let long = "x".repeat(70_000);
    let rows: Vec<(String, &str, &str)> = vec![
        (format!("[[sources]]\n{good}"), "name", "give the source a name"),
        (format!("[[sources]]\nname = \"A b\"\n{good}"), "name", "small letters"),
        (format!("{}{}", but(""), but("")), "name", "a name of its own"),
        (but("prset = \"x\""), "prset", "did you mean preset?"),
        (but("listen = \"x\""), "listen", "move it to the top"),
        (
            own("preset = \"bambohr\"\ninstances = [\"staging\"]"),
            "preset",
            "did you mean bamboohr?",
        ),
        (
            own("preset = \"nothing-like-it\"\ninstances = [\"staging\"]"),
            "preset",
            "`aws-ilm source presets` lists them",
        ),
        (
            own("instances = [\"staging\"]"),
            "verifier",
            "say how the sender proves itself",
        ),
        (
            own("verifier = \"nothing\"\ninstances = [\"staging\"]"),
            "verifier",
            "write \"none\", or a table",
        ),
        (
            own("verifier = { prof = 1 }\ninstances = [\"staging\"]"),
            "verifier",
            "prof",
        ),
        (
            own("preset = \"standard-webhooks\"\ninstances = [\"staging\"]"),
            "secrets",
            "give the one that the sender signs with",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = [\"nowhere\"]\ninstances = [\"staging\"]"),
            "secret_files",
            "no such file",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = [\"empty\"]\ninstances = [\"staging\"]"),
            "secret_files",
            "it is empty",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = [\"lines\"]\ninstances = [\"staging\"]"),
            "secret_files",
            "a line break",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_env = [\"NOPE\"]\ninstances = [\"staging\"]"),
            "secret_env",
            "entry 1: there is no such variable",
        ),
        (
            own(&format!(
                "preset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\nsecret_env = [\"{long}\"]\ninstances = [\"staging\"]"
            )),
            "secret_env",
            "entry 1",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = \"secret\"\ninstances = [\"staging\"]"),
            "secret_files",
            "use an array of paths",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = [\"secret\"]"),
            "instances",
            "name the instances",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\ninstances = [\"prod\"]"),
            "instances",
            "use \"Production\" or \"staging\"",
        ),
        (
            own("preset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\ninstances = [\"staging\", \"Staging\"]"),
            "instances",
            "stands there twice",
        ),
        (but("zone = \"Mars/Olympus\""), "zone", "IANA"),
        (
            but("issuer = { issuer = \"https://x\" }"),
            "issuer",
            "this sender sends no token",
        ),
        (but("each = \"body.\""), "each", "syntax error"),
        (but("type = \"boddy.x\""), "type", "did you mean body?"),
        (but("rules = \"x\""), "rules", "use a table `[[sources.rules]]`"),
        (
            but("[[sources.rules]]\ndo = \"disabl\""),
            "do of rule 1",
            "did you mean disable?",
        ),
        (
            but("[[sources.rules]]\ndo = \"cancel\""),
            "purpose of rule 1",
            "say what is cancelled",
        ),
        (
            but("zones = \"x\""),
            "zones",
            "use a table with the IANA zone of each site",
        ),
        (
            but("zones = {}"),
            "zones",
            "use a table with the IANA zone of each site",
        ),
        (
            but("zones = { mars = \"Mars/Olympus\" }"),
            "zones",
            "\"mars\": use a name of the IANA time zone database",
        ),
        (
            but("zones = { \" \" = \"UTC\" }"),
            "zones",
            "name the site in 1 to 256 bytes",
        ),
        (
            but("zones = { sydney = \"UTC\", Sydney = \"UTC\" }"),
            "zones",
            "stands there twice but for its letters' case",
        ),
        (
            but(&format!(
                "zones = {{ {} }}",
                (0..1_001).map(|n| format!("s{n} = \"UTC\", ")).collect::<String>()
            )),
            "zones",
            "1001 sites: there may be 1000",
        ),
        (but("already_due = \"yes\""), "already_due", "use true or false"),
        (
            but("back_dated_after = \"59m\""),
            "back_dated_after",
            "from 1 hour to 3653 days",
        ),
        (but("back_dated_after = \"3654d\""), "back_dated_after", "like \"30d\""),
        (
            but("far_future_after = \"soon\""),
            "far_future_after",
            "from 1 hour to 3653 days",
        ),
        (
            but("far_future_after = 366"),
            "far_future_after",
            "from 1 hour to 3653 days",
        ),
        (but("conversion = \"0s\""), "conversion", "from 1 minute to 31 days"),
        (but("conversion = \"32d\""), "conversion", "like \"4h\""),
        (
            but(
                "already_due = true\n[[sources.rules]]\ndo = \"create\"\nahead = \"14d\"\n\
                 at = { date = \"body.d\", side = \"start_of_day\", zone = \"UTC\" }\nprofile = \"person\"",
            ),
            "ahead of rule 1",
            "come on the day",
        ),
        (
            but(
                "[[sources.rules]]\ndo = \"disable\"\nat = { date = \"body.d\", side = \"end_of_day\", site = \"body.s\" }\n\
                 profile = \"person\"",
            ),
            "site in at of rule 1",
            "set the source's zones",
        ),
    ];
    for (text, setting, help) in rows {
        let text = text.as_str();
        let error = match load_sources(&format!("{text}\n")) {
            Ok(_) => panic!("{text}"),
            Err(error) => ConfigError(
                error
                    .0
                    .into_iter()
                    .filter(|fault| !fault.path.starts_with("AWS_ILM_HR"))
                    .collect(),
            ),
        };
        assert!(settings_of(&error).contains(&setting), "{text}\n{error}");
        assert!(error.to_string().contains(help), "{text}\n{error}");
        assert!(!error.to_string().contains("whsec_"), "{error}");
        assert!(error.to_string().len() < 4_000, "{text}");
    }
}

#[test]
fn zones_that_no_rule_asks_for_are_told() {
    for (site, is_told) in [("", true), (", site = \"body.site\"", false)] {
        let text = format!(
            "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\ninstances = [\"staging\"]\n\
             zone = \"UTC\"\nzones = {{ Sydney = \"Australia/Sydney\" }}\nback_dated_after = \"4w\"\nfar_future_after = \"9000h\"\n\
             conversion = \"4h\"\n[[sources.rules]]\ndo = \"disable\"\nprofile = \"person\"\n\
             at = {{ date = \"body.d\", side = \"end_of_day\"{site} }}\n"
        );
        let folder = Folder::new();
        folder.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let settings = load_in(&folder, &format!("{INSTANCES}{text}"), &[]).unwrap_or_else(|error| panic!("{error}"));
        let told = settings.warnings.join("\n");
        assert_eq!(told.contains("no rule asks for them"), is_told, "{told}");
    }
}

#[test]
fn sources_without_a_store_are_refused_by_the_settings_name() {
    let text = format!(
        "{}[[sources]]\nname = \"a\"\nverifier = \"none\"\ninstances = [\"staging\"]\n{RULE}",
        INSTANCES.replace("store_path = \"store.db\"\n", "")
    );
    let error = load_file(&text, &[]).unwrap_err();
    assert_eq!(settings_of(&error), ["store_path"]);
    let folder = Folder::new();
    let sandbox = Sources {
        config: Some(folder.file("aws-ilm.toml", &text)),
        sandbox: true,
        ..Sources::default()
    };
    assert!(load(&sandbox).is_ok());
}

#[test]
fn sources_may_stand_in_a_file_of_their_own() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("sub")).unwrap();
    folder.file("sub/secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let source = "[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\ninstances = [\"staging\"]\nzone = \"UTC\"\n";
    folder.file("sub/sources.toml", source);
    let main = format!("sources_file = \"sub/sources.toml\"\n{INSTANCES}");
    let settings = load_in(&folder, &main, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(names(&settings)[0].0, "hr");
    let both = load_in(
        &folder,
        &format!("{main}{}", source.replace("secret\"", "sub/secret\"")),
        &[],
    )
    .unwrap_err();
    assert!(
        both.to_string()
            .contains("leave the [[sources]] in one of the two files"),
        "{both}"
    );
    folder.file("sub/sources.toml", &format!("listen = \"x\"\n{source}"));
    let error = load_in(&folder, &main, &[]).unwrap_err();
    assert!(
        error.to_string().contains("leave nothing but [[sources]] in this file"),
        "{error}"
    );
    let missing = load_in(&folder, &format!("sources_file = \"nowhere\"\n{INSTANCES}"), &[]).unwrap_err();
    assert_eq!(settings_of(&missing), ["sources_file"]);
}

/// What changed since the start is seen, secrets too; and a faulty file is told.
#[test]
fn a_change_of_the_file_or_of_a_secret_is_seen() {
    let folder = Folder::new();
    folder.file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let text = format!(
        "{INSTANCES}[[sources]]\nname = \"hr\"\npreset = \"standard-webhooks\"\nsecret_files = [\"secret\"]\ninstances = [\"staging\"]\nzone = \"UTC\"\n"
    );
    let settings = load_in(&folder, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let webhooks = settings.webhooks.unwrap();
    assert_eq!(webhooks.file.text().unwrap(), webhooks.in_force);
    folder.file("secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let changed = webhooks.file.text().unwrap();
    assert_ne!(changed, webhooks.in_force);
    assert_eq!(webhooks.file.load(&changed).unwrap().sources.len(), 1);
    fs::remove_file(folder.0.join("secret")).unwrap();
    let gone = webhooks.file.text().unwrap();
    assert_ne!(gone, changed);
    assert!(
        webhooks
            .file
            .load(&gone)
            .unwrap_err()
            .to_string()
            .contains("no such file")
    );
    folder.file("aws-ilm.toml", "[[sources]");
    let faulty = webhooks.file.text().unwrap();
    assert!(
        webhooks
            .file
            .load(&faulty)
            .unwrap_err()
            .to_string()
            .contains("invalid TOML")
    );
}

#[test]
fn unverified_presets_and_readable_secrets_are_told_at_start() {
    let unverified =
        crate::webhooks::presets::all().find(|preset| !preset.is_verified() && preset.verifier.proof.takes_secrets());
    let preset = unverified.expect("there is one");
    let folder = Folder::new();
    let secret = folder.file("secret", &preset.example.secret);
    set_mode(&secret, 0o644);
    let text = format!(
        "{INSTANCES}[[sources]]\nname = \"hr\"\npreset = \"{}\"\nsecret_files = [\"secret\"]\ninstances = [\"staging\"]\nzone = \"UTC\"\n",
        preset.name
    );
    let settings = load_in(&folder, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let told = settings.warnings.join("\n");
    assert!(told.contains("is unverified: compare with the vendor's page"), "{told}");
    assert!(
        told.contains("everybody on this machine may read the secret in it"),
        "{told}"
    );
    let strict = load_in(&folder, &format!("strict_secret_files = true\n{text}"), &[]).unwrap_err();
    assert_eq!(settings_of(&strict), ["secret_files"]);
}
