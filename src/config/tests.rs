//! What an operator writes, and what comes of it.

use std::path::PathBuf;

use super::{reader::Environment, *};
use crate::mapper::{BUILT_IN, Direction};

pub(super) const SECRET: &str = "s3cr3t-TOKEN-value";

/// A folder that goes when the test ends.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("aws-ilm-config-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) {}

pub(super) fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// One complete instance in the environment, and more.
pub(super) fn one_instance(more: &[(&str, &str)]) -> Environment {
    let mut variables = environment(&[
        ("AWS_ILM_URL", "https://scim.us-east-1.amazonaws.com/"),
        ("AWS_ILM_TENANT_ID", "abc-1"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", SECRET),
    ]);
    variables.extend(environment(more));
    variables
}

fn load_environment(environment: Environment) -> Result<Settings, Faults> {
    load(&Sources {
        environment,
        ..Sources::default()
    })
}

fn load_file(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Faults> {
    let folder = Folder::new();
    load(&Sources {
        config: Some(folder.file("aws-ilm.toml", text)),
        environment: environment(variables),
        sandbox: false,
    })
}

/// Each fault's setting without its place, so that a test says which settings it expects to be
/// complained of.
pub(super) fn settings_of(faults: &Faults) -> Vec<&str> {
    faults
        .0
        .iter()
        .map(|fault| fault.path.split(" (").next().unwrap())
        .collect()
}

#[test]
fn one_instance_needs_three_variables() {
    let settings = load_environment(one_instance(&[])).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert!(!settings.allow_unauthenticated && settings.allowed_hosts.is_empty());
    assert_eq!(
        (settings.log_format, settings.log_filter.as_str()),
        (LogFormat::Text, "info")
    );
    assert_eq!((settings.body_limit, settings.max_concurrent_commands), (1 << 20, 256));
    assert_eq!(settings.expected_replicas, 1);
    let seconds = [
        settings.header_timeout,
        settings.body_timeout,
        settings.command_timeout,
        settings.shutdown_delay,
        settings.shutdown_timeout,
    ];
    assert_eq!(seconds.map(|duration| duration.as_secs()), [10, 20, 60, 0, 90]);
    assert_eq!(settings.default_instance, "AWS-ILM_instance_1");
    assert!(settings.warnings.is_empty() && !settings.strict_secret_files);

    let [instance] = &settings.instances[..] else {
        panic!("{settings:?}")
    };
    assert_eq!(
        (instance.name.as_str(), instance.brand.as_str()),
        ("AWS-ILM_instance_1", "AWS-ILM")
    );
    assert_eq!(
        instance.url.as_str(),
        "https://scim.us-east-1.amazonaws.com/abc-1/scim/v2/"
    );
    assert_eq!(instance.tenant_id, "abc-1");
    assert_eq!(instance.authentication_token.secret().expose_secret(), SECRET);
    assert_eq!(instance.authentication_token.source(), &TokenSource::Value);
    assert!(instance.create_user_enabled && instance.update_user_enabled && instance.enable_user_enabled);
    assert!(instance.disable_user_enabled && instance.create_if_not_exists && !instance.insecure);
    assert!(
        instance.mapper.is_called(BUILT_IN, Direction::Outgoing)
            && instance.mapper.is_called(BUILT_IN, Direction::Incoming)
    );
    assert_eq!((&instance.proxy, instance.scim_dialect), (&Proxy::None, Dialect::Aws));
    assert_eq!(
        (instance.connect_timeout.as_secs(), instance.request_timeout.as_secs()),
        (5, 20)
    );
    assert!(instance.second_authentication_token.is_none() && instance.authentication_token_expires.is_none());
    assert!(instance.second_authentication_token_expires.is_none());
    assert_eq!(
        (instance.read_rate, instance.write_rate, instance.membership_rate),
        (40.0, 25.0, 250.0)
    );
    assert_eq!((instance.adopt, instance.max_commands), (Adopt::SamePerson, 256));
    assert!(instance.allow_enable_default);
    assert_eq!(
        (instance.disable_absent, instance.profile_id),
        (DisableAbsent::Skip, ProfileId::Aws)
    );
    assert!(instance.api_rates.is_empty());
}

#[test]
fn a_file_holds_several_and_the_environment_overrides_the_default_one() {
    let file = r#"
        listen = "127.0.0.2:9000"
        allowed_hosts = ["ILM.example.org", "[::1]"]
        log_format = "json"
        body_limit = 2048
        command_timeout = "1m 30s"
        default_instance = "PROD"
        expected_replicas = 3
        max_concurrent_commands = 101

        [[instances]]
        name = "test"
        url = "http://localhost:9"
        tenant_id = "T"
        authentication_token = "one"
        insecure = true
        proxy = true

        [[instances]]
        instance_name = "Prod"
        brand = "Directory"
        url = "https://scim.example.org/v2"
        scim_dialect = "rfc7644"
        authentication_token_env = "PROD_TOKEN"
        create_user_enabled = false
        proxy = "http://user:pass-word@proxy.example.org:3128"
        connect_timeout = "500ms"
        authentication_token_expires = 2999-01-31
        second_authentication_token = "three"
        second_authentication_token_expires = "2999-01-31T12:00:00+02:00"
        adopt = "never"
        allow_enable_default = false
        disable_absent = "fail"
        read_rate = 12
        write_rate = 12.5
        membership_rate = 1
        api_rates = ["CreateUser=10", "ListUsers = 0.5"]
        max_instance_commands = 7
    "#;
    let variables = [
        ("PROD_TOKEN", "two\n"),
        ("AWS_ILM_LISTEN", "[::1]:9001"),
        ("AWS_ILM_UPDATE_USER_ENABLED", "false"),
        ("AWS_ILM_ADOPT", "strict"),
        ("AWS_ILM_PROFILE_ID", "foreign"),
        ("AWS_ILM_READ_RATE", "20.25"),
        ("AWS_ILM_CONFIG", "ignored"),
        ("AWS_ILM_PORT", "tcp://10.0.0.1:80"),
        ("HTTPS_PROXY", "http://evil.example"),
    ];
    let settings = load_file(file, &variables).unwrap();
    assert_eq!(settings.listen.to_string(), "[::1]:9001");
    assert_eq!(settings.allowed_hosts, ["ilm.example.org", "[::1]"]);
    assert_eq!(settings.log_format, LogFormat::Json);
    assert_eq!((settings.body_limit, settings.command_timeout.as_secs()), (2048, 90));
    assert_eq!(settings.default_instance, "Prod");
    let [test, prod] = &settings.instances[..] else {
        panic!("{settings:?}")
    };
    assert_eq!(
        (test.name.as_str(), test.url.as_str()),
        ("test", "http://localhost:9/T/scim/v2/")
    );
    assert!(test.update_user_enabled && test.insecure);
    assert_eq!(test.proxy, Proxy::System);
    assert_eq!((prod.name.as_str(), prod.brand.as_str()), ("Prod", "Directory"));
    assert_eq!(
        (prod.url.as_str(), prod.tenant_id.as_str()),
        ("https://scim.example.org/v2/", "")
    );
    assert_eq!(prod.authentication_token.secret().expose_secret(), "two");
    assert_eq!(
        prod.authentication_token.source(),
        &TokenSource::Environment("PROD_TOKEN".to_owned())
    );
    assert!(!prod.create_user_enabled && !prod.update_user_enabled);
    assert_eq!(prod.connect_timeout.as_millis(), 500);
    assert_eq!(settings.expected_replicas, 3);
    assert_eq!((test.adopt, test.max_commands), (Adopt::SamePerson, 51));
    assert_eq!((prod.adopt, prod.max_commands), (Adopt::Strict, 7));
    assert!(test.allow_enable_default && !prod.allow_enable_default);
    assert_eq!(
        (prod.disable_absent, prod.profile_id),
        (DisableAbsent::Fail, ProfileId::Foreign)
    );
    assert_eq!(
        (prod.read_rate, prod.write_rate, prod.membership_rate),
        (20.25, 12.5, 1.0)
    );
    assert_eq!(
        prod.api_rates,
        BTreeMap::from([("CreateUser", 10.0), ("ListUsers", 0.5)])
    );
    let second = prod.second_authentication_token.as_ref().unwrap();
    assert_eq!(second.secret().expose_secret(), "three");
    assert_eq!(
        [
            prod.authentication_token_expires,
            prod.second_authentication_token_expires
        ],
        ["2999-01-31T00:00:00Z", "2999-01-31T10:00:00Z"].map(|text| text.parse().ok())
    );
    assert!(matches!(&prod.proxy, Proxy::Url(url) if url.as_str() == "http://user:pass-word@proxy.example.org:3128/"));
    assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
    assert!(
        settings.warnings[0].starts_with("insecure (instance \"test\" in "),
        "{:?}",
        settings.warnings
    );
    assert!(!format!("{settings:?}").contains("pass-word"));
}

#[test]
fn the_environment_goes_to_the_instance_it_names() {
    let file = r#"
        [[instances]]
        name = "a"
        url = "http://127.0.0.1:1/A"
        authentication_token = "x"
        [[instances]]
        name = "b"
        url = "http://127.0.0.1:1/B"
        authentication_token = "x"
    "#;
    let shape = |variables: &[(&str, &str)]| {
        let settings = load_file(file, variables).unwrap();
        let instance = |instance: &InstanceSettings| {
            let switch = if instance.create_user_enabled { "" } else { " off" };
            format!("{} {}{switch}", instance.name, instance.tenant_id)
        };
        let shown: Vec<String> = settings.instances.iter().map(instance).collect();
        format!("{} of {}", settings.default_instance, shown.join(", "))
    };
    let off = ("AWS_ILM_CREATE_USER_ENABLED", "false");
    let token = ("AWS_ILM_AUTHENTICATION_TOKEN", "y");
    assert_eq!(shape(&[]), "a of a A, b B");
    assert_eq!(shape(&[off]), "a of a A off, b B");
    assert_eq!(shape(&[off, ("AWS_ILM_DEFAULT_INSTANCE", "B")]), "b of a A, b B off");
    assert_eq!(shape(&[off, ("AWS_ILM_INSTANCE_NAME", "b")]), "a of a A, b B off");
    let new = [
        off,
        token,
        ("AWS_ILM_INSTANCE_NAME", "c"),
        ("AWS_ILM_URL", "http://127.0.0.1:1/C"),
    ];
    assert_eq!(shape(&new), "a of a A, b B, c C off");

    let faults = load_file(file, &[("AWS_ILM_INSTANCE_NAME", "c")]).unwrap_err();
    assert_eq!(
        faults.to_string(),
        "instance_name (AWS_ILM_INSTANCE_NAME): found \"c\": name an instance that the file has, or set AWS_ILM_URL as \
         well for a new one"
    );
}

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
        let value = if setting.kind == Kind::Date {
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
            Scope::Instance if matches!(setting.kind, Kind::Secret(_)) && !setting.name.starts_with("second_") => {
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
        };
        let faults = load_file(&file, &[]).expect_err(&line);
        assert_eq!(settings_of(&faults), [setting.name], "{faults}");
        assert_eq!(faults.0[0].help, format!("use {}", setting.kind.accepts()));
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
        faults
            .to_string()
            .starts_with("/nowhere/x.toml: found no readable file: "),
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
        loaded.map(|settings| settings.instances[0].authentication_token.clone())
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
        assert_eq!(token.secret().expose_secret(), expected, "{lines}");
        if let TokenSource::File(path) = token.source() {
            assert_eq!(
                Token::from_file(path).unwrap().secret().expose_secret(),
                expected,
                "read again"
            );
        }
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
            "\"./none\": it can't be read (",
        ),
        (
            "authentication_token_file = \"s3cr3t\"",
            vec![],
            "authentication_token_file",
            "(masked): it can't be read (",
        ),
        (
            "authentication_token_file = \"./empty\"",
            vec![],
            "authentication_token_file",
            "\"./empty\": it is empty",
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
        loaded.map(|settings| settings.instances[0].second_authentication_token.clone())
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
            token.as_ref().map(|token| token.secret().expose_secret()),
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
            "(masked): it can't be read (",
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
        assert_eq!(instance.authentication_token_expires.is_some(), is_set(first_expires));
        assert_eq!(
            instance.second_authentication_token_expires.is_some(),
            is_set(second_expires) && is_set(second.0)
        );
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
    assert!(none.instances[0].api_rates.is_empty());
}

#[test]
fn the_places_for_commands_are_shared_out_among_the_instances() {
    let instance = |name: &str| {
        format!("[[instances]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:1/T\"\nauthentication_token = \"x\"\n")
    };
    let three = ["a", "b", "c"].map(instance).concat();
    for (most, own, expected) in [
        ("256", "", [86, 86, 86]),
        ("3", "", [1, 1, 1]),
        ("4", "", [2, 2, 2]),
        ("1", "", [1, 1, 1]),
        ("256", "max_instance_commands = 200", [86, 86, 200]),
    ] {
        let settings = load_file(&format!("{three}{own}"), &[("AWS_ILM_MAX_CONCURRENT_COMMANDS", most)]).unwrap();
        let places: Vec<usize> = settings
            .instances
            .iter()
            .map(|instance| instance.max_commands)
            .collect();
        assert_eq!(places, expected, "{most} {own}");
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
fn the_service_listens_beyond_loopback_only_on_request() {
    for (listen, allow, expected) in [
        ("127.0.0.1:0", "false", true),
        ("127.1.2.3:1", "false", true),
        ("[::1]:1", "false", true),
        ("[::ffff:127.0.0.1]:1", "false", true),
        ("0.0.0.0:1", "false", false),
        ("[::]:1", "false", false),
        ("10.0.0.1:1", "false", false),
        ("0.0.0.0:1", "true", true),
    ] {
        let loaded = load_environment(one_instance(&[
            ("AWS_ILM_LISTEN", listen),
            ("AWS_ILM_ALLOW_UNAUTHENTICATED", allow),
        ]));
        assert_eq!(loaded.is_ok(), expected, "{listen} {allow}");
    }
}

#[test]
fn a_sandbox_needs_no_instance_and_replaces_a_real_one() {
    let settings = load(&Sources {
        sandbox: true,
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(
        (settings.instances.len(), settings.default_instance.as_str()),
        (0, "AWS-ILM_instance_1")
    );

    let url: Url = "http://127.0.0.1:4321/".parse().unwrap();
    let folder = Folder::new();
    let file = folder.file(
        "aws-ilm.toml",
        "[[instances]]\nname = \"real\"\nurl = \"http://localhost:1/R\"\nauthentication_token = \"r\"\n",
    );
    for (config, count) in [(None, 1), (Some(file), 2)] {
        let variables = [
            ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", "/nowhere"),
            ("AWS_ILM_PROXY", "true"),
            ("AWS_ILM_CREATE_USER_ENABLED", "false"),
            ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN", "real"),
            ("AWS_ILM_SECOND_AUTHENTICATION_TOKEN_EXPIRES", "1999-01-31"),
            ("AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES", "1999-01-31"),
        ];
        let mut sources = Sources {
            config,
            environment: one_instance(&variables),
            sandbox: false,
        };
        sources.point_at_sandbox(&url, "sandbox", &SecretString::from("sand"));
        let settings = load(&sources).unwrap();
        assert_eq!(
            (settings.instances.len(), settings.default_instance.as_str()),
            (count, "AWS-ILM_instance_1")
        );
        let sandbox = settings.instances.last().unwrap();
        assert_eq!(sandbox.url.as_str(), "http://127.0.0.1:4321/sandbox/scim/v2/");
        assert_eq!(sandbox.authentication_token.secret().expose_secret(), "sand");
        assert_eq!((sandbox.create_user_enabled, &sandbox.proxy), (false, &Proxy::None));
        assert!(sandbox.second_authentication_token.is_none() && sandbox.authentication_token_expires.is_none());
        assert_eq!(settings.warnings, Vec::<String>::new());
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
