//! What a newcomer's mistakes are told.

use serde_json::{Value, json};

use crate::{
    harness::{World, answer},
    process::{File, Running, run},
};

/// Sends bytes as they are; gives status and problem.
async fn post(world: &World, path: &str, body: &[u8], fields: &[(&str, &str)]) -> (u16, Value) {
    let request = world.http.post(world.url(path)).body(body.to_vec());
    let request = fields
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    let answer = answer(request).await;
    (answer.status, answer.json())
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn what_is_nearly_json_is_told_how_to_be_it() {
    let world = World::start().await;
    let get = "/commands/iam-get-user";
    let utf_16: Vec<u8> = "{\"user-profile\": {}}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (body, said) in [
        (&b"{'user-profile': {'username': 'x'}}"[..], "double quotes"),
        ("{\u{201c}user-profile\u{201d}: {}}".as_bytes(), "double quotes"),
        (b"{\"user-profile\": {\"username\": 'x'}}", "double quotes"),
        (b"{\"user-profile\": {\"active\": True}}", "small letters"),
        (&utf_16, "in UTF-16: send it in UTF-8"),
        (
            b"{\"user-profile\": {\"username\": \"m\xfcller\"}}",
            "not in UTF-8, at line 1",
        ),
    ] {
        let (status, problem) = post(&world, get, body, &[JSON]).await;
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(status, 400, "{problem}");
        assert!(
            detail.starts_with("The body can't be read as JSON") && detail.contains(said),
            "{detail}"
        );
    }
    let ids = json!({"scim": {"id": "g"}, "memberIdsToAdd": "['123456']"}).to_string();
    let (status, problem) = post(&world, "/commands/iam-update-group", ids.as_bytes(), &[JSON]).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        status == 400 && detail.contains("memberIdsToAdd") && detail.contains("double quotes"),
        "{detail}"
    );
}

#[tokio::test]
async fn what_clients_send_as_they_are_is_taken() {
    let world = World::start().await;
    let body = json!({"user-profile": {"username": "test"}}).to_string();
    for (name, value) in [
        ("accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        ("accept", "application/scim+json"),
        ("accept", "image/png"),
        ("content-type", "application/json; charset=utf8"),
    ] {
        let content_type = if name == "accept" { JSON } else { (name, value) };
        let request = world.http.post(world.url("/commands/iam-get-user")).body(body.clone());
        let answer = answer(request.header(content_type.0, content_type.1).header(name, value)).await;
        // A doubled Content-Type is refused; only Accept is added.
        let expected = if name == "accept" { 200 } else { 415 };
        assert_eq!(answer.status, expected, "{name} {value}: {}", answer.text);
    }
    let (status, answer) = post(
        &world,
        "/commands/iam-get-user",
        body.as_bytes(),
        &[("content-type", "application/json; charset=utf8")],
    )
    .await;
    assert_eq!((status, &answer["IAM"]["Vendor"]["success"]), (200, &json!(true)));
}

#[tokio::test]
async fn a_mistyped_command_is_told_its_name() {
    let world = World::start().await;
    for (path, said) in [
        ("/commands/iam-creat-user", "did you mean `/commands/iam-create-user`?"),
        (
            "/commands/IAM-DISABLE-USER",
            "did you mean `/commands/iam-disable-user`?",
        ),
        ("/iam-get-group", "did you mean `/commands/iam-get-group`?"),
        ("/nothing/at/all", "`/openapi.json` lists what there is."),
    ] {
        let (status, problem) = post(&world, path, b"{}", &[JSON]).await;
        assert_eq!((status, &problem["type"]), (404, &json!("/problems/no-such-route")));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.ends_with(said), "{detail}");
    }
}

#[tokio::test]
async fn every_detail_names_what_is_at_fault() {
    let world = World::start().await;
    let get = "/commands/iam-get-user";
    for (path, body, fields, said) in [
        (
            get,
            "{\"user-profil\": {}}",
            vec![JSON],
            "The argument `user-profil` is not known; there are `user-profile`",
        ),
        (get, "{}", vec![JSON], "The argument `user-profile` is missing."),
        (get, "{\"user-profile\": 1}", vec![JSON], "The argument `user-profile` "),
        (
            "/commands/iam-create-user",
            "{\"user-profile\": {}, \"allow-enable\": \"maybe\"}",
            vec![JSON],
            "The argument `allow-enable` must be true or false",
        ),
        (
            "/commands/iam-get-user?dryrun=true",
            "{}",
            vec![JSON],
            "The query parameter `dryrun` is not known",
        ),
        (
            "/commands/iam-get-user?instance=x",
            "{}",
            vec![JSON],
            "The query parameter `instance` names no",
        ),
        (get, "{}", vec![], "The header field `Content-Type` is missing"),
        (
            get,
            "{}",
            vec![("content-type", "text/plain")],
            "The header field `Content-Type` is no type of JSON",
        ),
        (
            get,
            "{}",
            vec![JSON, ("content-encoding", "gzip")],
            "The header field `Content-Encoding` names",
        ),
        (
            get,
            "{}",
            vec![JSON, ("host", "evil.example")],
            "The header field `Host` names a host",
        ),
        (
            get,
            "",
            vec![JSON],
            "The body can't be read as JSON: the document is empty.",
        ),
        (
            "/mappers/built-in/explain",
            "{}",
            vec![JSON],
            "Give `user-profile`, or `user`",
        ),
    ] {
        let (status, problem) = post(&world, path, body.as_bytes(), &fields).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            status >= 400 && detail.starts_with(said) && detail.ends_with('.'),
            "{path} {body}: {detail}"
        );
    }
}

#[tokio::test]
async fn a_fault_that_is_none_is_told_its_form() {
    let (_sandbox, address, _) = Running::sandbox(&[]);
    let http = crate::harness::caller();
    for (body, said) in [
        (json!({"kind": "hangup"}), "unknown variant `hangup`"),
        (json!({"api": "CreateUser"}), "missing field `kind`"),
        (
            json!({"kind": "hang_up", "times": "always"}),
            "`times` is a number or \"forever\"",
        ),
        (json!(["hang_up"]), "invalid type"),
    ] {
        let refused = answer(http.post(format!("http://{address}/sandbox/faults")).json(&body)).await;
        assert_eq!(refused.status, 400);
        let told = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(
            told.contains(said) && told.contains("a fault is {\"kind\": KIND}"),
            "{told}"
        );
        assert!(!told.contains("untagged"), "{told}");
    }
}

#[test]
fn arguments_of_the_program_say_what_they_want() {
    for (arguments, said) in [
        (
            &["serve", "--sandbox", "--listen", "localhost:1"][..],
            "use an IP address and a port, like 127.0.0.1:8080",
        ),
        (
            &["key", "new", "--name", "hr", "--expires", "31.12.2027"],
            "use a date like 2027-12-31",
        ),
        (&["check"], "`aws-ilm serve --sandbox` needs nothing"),
    ] {
        let ended = run(arguments, &[]);
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{ended:?}");
    }
    let (_service, address) = Running::serve(&["--sandbox"], &[]);
    let taken = run(&["serve", "--sandbox", "--listen", &address.to_string()], &[]);
    assert!(taken.stderr.contains("choose another with --listen"), "{taken:?}");
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    let url = ("AWS_ILM_URL", "http://127.0.0.1:9/T");
    let token = ("AWS_ILM_AUTHENTICATION_TOKEN", "hush-hush");
    for (settings, said) in [
        (
            vec![("AWS_ILM_URL", "\"https://example.com/\""), token],
            "url (AWS_ILM_URL): found ",
        ),
        (
            vec![("AWS_ILM_URL", "'https://example.com/'"), token],
            "take the quotes around it off",
        ),
        (
            vec![url, ("AWS_ILM_AUTHENTICATION_TOKEN", "\"hush-hush\"")],
            "take the quotes around it off",
        ),
        (
            vec![url, ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", "secrets/nope")],
            "found \"secrets/nope\": no such file",
        ),
        (
            vec![url, token, ("AWS_ILM_CALLERS_FILE", "/nowhere/callers.toml")],
            "no such file",
        ),
        (
            vec![
                url,
                token,
                ("AWS_ILM_TLS_CERTIFICATE_FILE", "/nowhere/a"),
                ("AWS_ILM_TLS_KEY_FILE", "/nowhere/b"),
            ],
            "found \"/nowhere/a\": no such file",
        ),
        (
            vec![("AWS_ILM_CONFIG", "/nowhere/c.toml")],
            "/nowhere/c.toml: found no such file",
        ),
    ] {
        let ended = run(&["check"], &settings);
        assert!(
            ended.code == Some(2) && ended.stderr.contains(said),
            "{said}: {ended:?}"
        );
        assert!(
            !ended.stderr.contains("hush") && !ended.stderr.contains("entity"),
            "{ended:?}"
        );
        let has_path = ended.stderr.contains("/nowhere") || ended.stderr.contains("secrets/");
        assert!(!(has_path && ended.stderr.contains("masked")), "{ended:?}");
    }
}

#[test]
fn marks_and_encodings_of_files_are_passed_over_or_named() {
    let marked = File::new("\u{feff}token-of-mine\n");
    let utf_16 = File::new("");
    let text: Vec<u8> = "\u{feff}listen = \"127.0.0.1:0\""
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(utf_16.path(), text).unwrap();
    let url = ("AWS_ILM_URL", "http://127.0.0.1:9/T");
    let taken = run(&["check"], &[url, ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", marked.path())]);
    assert!(
        taken.code == Some(1) && taken.stdout.contains("no connection to the directory at 127.0.0.1:9"),
        "{taken:?}"
    );
    let marked_toml = File::new("\u{feff}listen = \"nowhere\"\n");
    let read = run(&["check", "--config", marked_toml.path()], &[]);
    assert!(
        read.stderr.contains("listen (") && !read.stderr.contains("TOML"),
        "{read:?}"
    );
    for settings in [
        &[("AWS_ILM_CONFIG", utf_16.path())][..],
        &[url, ("AWS_ILM_AUTHENTICATION_TOKEN_FILE", utf_16.path())],
        &[
            url,
            ("AWS_ILM_AUTHENTICATION_TOKEN", "t"),
            ("AWS_ILM_CALLERS_FILE", utf_16.path()),
        ],
    ] {
        let refused = run(&["check"], settings);
        assert!(
            refused.code == Some(2) && refused.stderr.contains("in UTF-16: save it in UTF-8"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_profile_a_level_too_deep_is_told_by_explain() {
    use std::io::Write as _;
    let fields = json!({"userName": {"simple": "username"}});
    let mapping = json!({"User Profile": {"internalMapping": fields}});
    let mapper = File::new(&json!({"name": "Ours", "type": "mapping-outgoing", "mapping": mapping}).to_string());
    let mut command = crate::process::program(&["mapper", "explain", mapper.path()], &[]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"{\"user-profile\": {\"username\": \"x\"}}")
        .unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(
        ended.status.code() == Some(2) && told.contains("a level deeper"),
        "{told}"
    );
}
