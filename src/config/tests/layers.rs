//! What the layers come to: the environment over the file over the defaults, and which instance
//! they are for.

use super::*;

#[test]
fn one_instance_needs_three_variables() {
    let settings = load_environment(one_instance(&[])).unwrap();
    assert_eq!(settings.access.listen.to_string(), "127.0.0.1:8080");
    assert!(!settings.access.allow_unauthenticated && settings.access.allowed_hosts.is_empty());
    assert_eq!(
        (settings.log.log_format, settings.log.log_filter.as_str()),
        (LogFormat::Text, "info")
    );
    assert_eq!(
        (settings.server.body_limit, settings.commands.max_concurrent_commands),
        (1 << 20, 256)
    );
    assert_eq!(settings.commands.expected_replicas, 1);
    let seconds = [
        settings.server.header_timeout,
        settings.server.body_timeout,
        settings.commands.command_timeout,
        settings.server.shutdown_delay,
        settings.server.shutdown_timeout,
    ];
    assert_eq!(seconds.map(|duration| duration.as_secs()), [10, 20, 60, 0, 90]);
    assert_eq!(settings.default_instance, "AWS-ILM_instance_1");
    assert!(settings.warnings.is_empty());

    let [instance] = &settings.instances[..] else {
        panic!("{settings:?}")
    };
    assert_eq!(
        (instance.name.as_str(), instance.brand.as_str()),
        ("AWS-ILM_instance_1", "AWS-ILM")
    );
    assert_eq!(
        instance.target.base.as_str(),
        "https://scim.us-east-1.amazonaws.com/abc-1/scim/v2/"
    );
    assert_eq!(instance.target.token.secret.expose_secret(), SECRET);
    assert!(instance.target.token.reload.is_none());
    assert!(
        instance.policy.create_user_enabled
            && instance.policy.update_user_enabled
            && instance.policy.enable_user_enabled
    );
    assert!(
        instance.policy.disable_user_enabled && instance.policy.create_if_not_exists && !instance.connection.insecure
    );
    assert!(
        instance.mapper.is_called(BUILT_IN, Direction::Outgoing)
            && instance.mapper.is_called(BUILT_IN, Direction::Incoming)
    );
    assert_eq!(
        (&instance.connection.proxy, instance.target.dialect),
        (&Proxy::None, Dialect::Aws)
    );
    assert_eq!(
        (
            instance.connection.connect_timeout.as_secs(),
            instance.target.timeout.as_secs()
        ),
        (5, 20)
    );
    assert!(instance.target.second_token.is_none() && instance.target.token.expires.is_none());
    assert_eq!(
        (
            instance.target.rates.read_rate,
            instance.target.rates.write_rate,
            instance.target.rates.membership_rate
        ),
        (40.0, 25.0, 250.0)
    );
    assert_eq!((instance.policy.adopt, instance.max_commands), (Adopt::SamePerson, 256));
    assert!(instance.policy.allow_enable_default);
    assert_eq!(
        (instance.policy.disable_absent, instance.policy.profile_id),
        (DisableAbsent::Skip, ProfileId::Aws)
    );
    assert!(instance.target.rates.api_rates.is_empty());
}

#[test]
fn a_file_holds_several_and_the_environment_overrides_the_one_it_names() {
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
        ("AWS_ILM_INSTANCE_NAME", "Prod"),
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
    assert_eq!(settings.access.listen.to_string(), "[::1]:9001");
    assert_eq!(settings.access.allowed_hosts, ["ilm.example.org", "[::1]"]);
    assert_eq!(settings.log.log_format, LogFormat::Json);
    assert_eq!(
        (settings.server.body_limit, settings.commands.command_timeout.as_secs()),
        (2048, 90)
    );
    assert_eq!(settings.default_instance, "Prod");
    let [test, prod] = &settings.instances[..] else {
        panic!("{settings:?}")
    };
    assert_eq!(
        (test.name.as_str(), test.target.base.as_str()),
        ("test", "http://localhost:9/T/scim/v2/")
    );
    assert!(test.policy.update_user_enabled && test.connection.insecure);
    assert_eq!(test.connection.proxy, Proxy::System);
    assert_eq!((prod.name.as_str(), prod.brand.as_str()), ("Prod", "Directory"));
    assert_eq!(prod.target.base.as_str(), "https://scim.example.org/v2/");
    assert_eq!(prod.target.token.secret.expose_secret(), "two");
    assert!(!prod.policy.create_user_enabled && !prod.policy.update_user_enabled);
    assert_eq!(prod.connection.connect_timeout.as_millis(), 500);
    assert_eq!(settings.commands.expected_replicas, 3);
    assert_eq!((test.policy.adopt, test.max_commands), (Adopt::SamePerson, 51));
    assert_eq!((prod.policy.adopt, prod.max_commands), (Adopt::Strict, 7));
    assert!(test.policy.allow_enable_default && !prod.policy.allow_enable_default);
    assert_eq!(
        (prod.policy.disable_absent, prod.policy.profile_id),
        (DisableAbsent::Fail, ProfileId::Foreign)
    );
    assert_eq!(
        (
            prod.target.rates.read_rate,
            prod.target.rates.write_rate,
            prod.target.rates.membership_rate
        ),
        (20.25, 12.5, 1.0)
    );
    assert_eq!(
        prod.target.rates.api_rates,
        BTreeMap::from([(Api::CreateUser, 10.0), (Api::ListUsers, 0.5)])
    );
    let second = prod.target.second_token.as_ref().unwrap();
    assert_eq!(second.secret.expose_secret(), "three");
    assert_eq!(
        [prod.target.token.expires, second.expires],
        ["2999-01-31T00:00:00Z", "2999-01-31T10:00:00Z"].map(|text| text.parse().ok())
    );
    assert!(
        matches!(&prod.connection.proxy, Proxy::Url(url) if url.as_str() == "http://user:pass-word@proxy.example.org:3128/")
    );
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
            let switch = if instance.policy.create_user_enabled {
                ""
            } else {
                " off"
            };
            let tenant = instance.target.base.path().split('/').nth(1).unwrap();
            format!("{} {tenant}{switch}", instance.name)
        };
        let shown: Vec<String> = settings.instances.iter().map(instance).collect();
        format!("{} of {}", settings.default_instance, shown.join(", "))
    };
    let off = ("AWS_ILM_CREATE_USER_ENABLED", "false");
    let token = ("AWS_ILM_AUTHENTICATION_TOKEN", "y");
    assert_eq!(shape(&[]), "a of a A, b B");
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
fn a_sandbox_needs_no_instance_and_keeps_the_switches() {
    let settings = load(&Sources {
        sandbox: true,
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(
        (settings.instances.len(), settings.default_instance.as_str()),
        (0, "AWS-ILM_instance_1")
    );

    let mut sources = Sources {
        environment: environment(&[("AWS_ILM_PROXY", "true"), ("AWS_ILM_CREATE_USER_ENABLED", "false")]),
        ..Sources::default()
    };
    let url: Url = "http://127.0.0.1:4321/".parse().unwrap();
    sources
        .point_at_sandbox(&url, "sandbox", &SecretString::from("sand"))
        .unwrap();
    let settings = load(&sources).unwrap();
    let [sandbox] = &settings.instances[..] else {
        panic!("{settings:?}")
    };
    assert_eq!(sandbox.name, "AWS-ILM_instance_1");
    assert_eq!(sandbox.target.base.as_str(), "http://127.0.0.1:4321/sandbox/scim/v2/");
    assert_eq!(sandbox.target.token.secret.expose_secret(), "sand");
    assert_eq!(
        (sandbox.policy.create_user_enabled, &sandbox.connection.proxy),
        (false, &Proxy::None)
    );
    assert!(sandbox.target.second_token.is_none() && sandbox.target.token.expires.is_none());
    assert_eq!(settings.warnings, Vec::<String>::new());
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
