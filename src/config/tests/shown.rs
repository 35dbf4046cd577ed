//! What is shown of settings, and the file to begin with.

use super::*;

fn shown(text: &str, variables: &[(&str, &str)]) -> Vec<Shown> {
    let folder = Folder::new();
    show(&Sources {
        config: Some(folder.file("aws-ilm.toml", text)),
        environment: environment(variables),
        sandbox: false,
    })
    .unwrap()
}

fn row<'a>(rows: &'a [Shown], place: &str, name: &str) -> &'a Shown {
    let mut rows = rows.iter().filter(|row| row.place.contains(place) && row.name == name);
    let row = rows.next().unwrap_or_else(|| panic!("no {name} of {place}"));
    assert!(rows.next().is_none(), "{name} of {place} is there once");
    row
}

const FILE: &str = "
    listen = \"127.0.0.1:9000\"
    cors_origins = [\"https://a.example.com\", \"https://b.example.com\"]
    [[instances]]
    name = \"first\"
    url = \"https://user:s3cr3t-TOKEN-value@scim.example.com/\"
    authentication_token = \"s3cr3t-TOKEN-value\"
    proxy = \"http://me:s3cr3t-TOKEN-value@proxy:8080\"
    [[instances]]
    name = \"second\"
    [[callers]]
    name = \"hr\"
    api_keys = [{ sha256 = \"s3cr3t-TOKEN-value\" }]
    commands = [\"read\"]
";

#[test]
fn each_value_is_shown_with_where_it_comes_from() {
    let variables = [
        ("AWS_ILM_LOG_FORMAT", "json"),
        ("AWS_ILM_INSTANCE_NAME", "second"),
        ("AWS_ILM_READ_RATE", "7"),
        ("AWS_ILM_AUTHENTICATION_TOKEN", SECRET),
    ];
    let rows = shown(FILE, &variables);
    let told = |place, name| {
        let row = row(&rows, place, name);
        let from = match &row.layer {
            Layer::File(name) if name.ends_with("aws-ilm.toml") => "file".to_owned(),
            other @ (Layer::File(_) | Layer::Environment(_) | Layer::Default | Layer::Nowhere) => other.to_string(),
        };
        (row.value.clone(), from)
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(told("the service", "listen"), pair("\"127.0.0.1:9000\"", "file"));
    assert_eq!(
        told("the service", "log_format"),
        pair("\"json\"", "AWS_ILM_LOG_FORMAT")
    );
    assert_eq!(told("the service", "body_timeout"), pair("\"20s\"", "default"));
    assert_eq!(told("the service", "store_path"), pair("", "not set"));
    let origins = "[\"https://a.example.com\", \"https://b.example.com\"]";
    assert_eq!(told("the service", "cors_origins"), pair(origins, "file"));
    assert_eq!(told("\"first\"", "read_rate"), pair("\"40\"", "default"));
    assert_eq!(told("\"second\"", "read_rate"), pair("\"7\"", "AWS_ILM_READ_RATE"));
    assert_eq!(
        told("\"first\"", "authentication_token"),
        pair("a value (masked)", "file")
    );
    let masked = pair("a value (masked)", "AWS_ILM_AUTHENTICATION_TOKEN");
    assert_eq!(told("\"second\"", "authentication_token"), masked);
    assert_eq!(told("caller \"hr\"", "api_keys"), pair("a value (masked)", "file"));
    assert_eq!(told("caller \"hr\"", "commands"), pair("[\"read\"]", "file"));
    assert!(rows.iter().all(|row| !row.value.contains(SECRET)), "{rows:?}");
}

#[test]
fn what_is_read_at_start_alone_is_told_apart() {
    let before = shown(FILE, &[]);
    let changed = FILE
        .replace("9000", "9001")
        .replace(
            "authentication_token = \"s3cr3t-TOKEN-value\"",
            "authentication_token = \"another\"",
        )
        .replace("[\"read\"]", "[\"*\"]");
    let expected = ["listen of the service", "authentication_token of instance \"first\""];
    assert_eq!(needing_restart(&before, &shown(&changed, &[])), expected);
    assert_eq!(needing_restart(&before, &before), [""; 0]);
    let fewer = FILE.replace("[[instances]]\n    name = \"second\"", "");
    assert_eq!(needing_restart(&before, &shown(&fewer, &[])), ["instance \"second\""]);
}

#[test]
fn a_second_listener_that_everybody_may_reach_is_told_and_so_is_a_port_that_is_taken() {
    for (address, is_told) in [
        ("127.0.0.1:9464", false),
        ("[::1]:9464", false),
        ("10.1.2.3:9464", false),
        ("192.168.0.1:9464", false),
        ("[fd00::1]:9464", false),
        ("0.0.0.0:9464", true),
        ("[::]:9464", true),
        ("192.0.2.1:9464", true),
        ("[::ffff:192.0.2.1]:9464", true),
    ] {
        let settings = load_environment(one_instance(&[("AWS_ILM_METRICS_LISTEN", address)])).unwrap();
        let told = settings
            .warnings
            .iter()
            .any(|warning| warning.starts_with("metrics_listen ("));
        assert_eq!(told, is_told, "{address}: {:?}", settings.warnings);
    }
    let taken = load_environment(one_instance(&[("AWS_ILM_METRICS_LISTEN", "127.0.0.1:8080")])).unwrap_err();
    assert_eq!(settings_of(&taken), ["metrics_listen"]);
}

#[test]
fn the_example_loads_as_it_is_and_with_every_default_written_out() {
    let example = example();
    let as_it_is = load_file(&example, &[]).unwrap();
    assert_eq!(as_it_is.warnings, [""; 0]);
    assert_eq!(as_it_is.instances.len(), 1);
    // Of callers there would have to be more than defaults.
    let (settings, _) = example.split_once("# ---- A caller").unwrap();
    let is_default = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && !line.ends_with('…');
    let mut defaults = 0;
    let written: String = settings
        .lines()
        .map(|line| match Some(line).filter(is_default) {
            Some(line) => {
                defaults += 1;
                format!("{}\n", line.trim_start_matches('#'))
            }
            None => format!("{line}\n"),
        })
        .collect();
    assert!(defaults > 30, "{defaults}");
    let written = load_file(&written, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(format!("{written:?}"), format!("{as_it_is:?}"));
    for setting in reference() {
        let line = format!("{} = ", setting.name);
        let is_there = example
            .lines()
            .any(|text| text.trim_start_matches('#').starts_with(&line));
        assert!(is_there, "{}", setting.name);
    }
}
