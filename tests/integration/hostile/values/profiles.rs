//! Profiles with strange keys and values.

use serde_json::{Value, json};

use crate::{
    expected::{but, person, profile},
    harness::World,
};

/// Hostile input 20, attribute names of patch paths: ignored in a document, 400 as a member; paths
/// are constants.
#[tokio::test]
async fn no_key_becomes_a_patch_path() {
    let paths = [
        "members[value eq \"x\"]",
        "emails[type eq \"work\"].value",
        "members",
        "id",
        "active",
        "userName",
        "groups",
        "schemas",
    ];
    let hostile: Value = paths
        .iter()
        .map(|path| ((*path).to_owned(), json!("zq7")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let world = World::holding(
        json!({"users": [person("u-1", "test")], "groups": [{"id": "g-1", "displayName": "A", "members": [{"value": "u-1"}]}]}),
    )
    .await;
    let profile = but(
        but(hostile.clone(), json!({"id": "u-1"})),
        json!({"username": "test", "title": "Clerk"}),
    );
    let answer = world
        .command("iam-update-user", &json!({"user-profile": profile}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let scim = but(hostile, json!({"id": "g-1", "displayName": "B"}));
    let answer = world.command("iam-update-group", &json!({"scim": scim})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let sent: Vec<_> = world.writes().into_iter().filter_map(|(_, _, body)| body).collect();
    let operations: Vec<_> = sent.iter().map(|body| &body["Operations"]).collect();
    assert_eq!(
        operations,
        [
            &json!([{"op": "replace", "path": "title", "value": "Clerk"}]),
            &json!([{"op": "replace", "path": "displayName", "value": "B"}]),
        ]
    );
    assert_eq!(world.group("g-1")["members"], json!([{"value": "u-1"}]));
}

/// Hostile input 21, a key given twice: 400.
#[tokio::test]
async fn json_within_a_string_is_as_strict() {
    let world = World::start().await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for text in [
        "{\"username\":\"a\",\"username\":\"b\"}",
        "{\"username\":\"a\"} x",
        "{\"employeeid\":99999999999999999999}",
        "{\"username\":\"\\ud800\"}",
        "\u{feff}{}",
        "[\"username\",\"a\"]",
        "null",
        "\"{}\"",
        &deep,
    ] {
        for (command, argument) in [("iam-get-user", "user-profile"), ("iam-get-group", "scim")] {
            let answer = world.command(command, &json!({argument: text})).await;
            assert_eq!(
                (answer.status, &answer.json()["type"]),
                (400, &json!("/problems/bad-argument")),
                "{text:.80}"
            );
            assert_eq!(answer.json()["errors"][0]["pointer"], format!("/{argument}"));
        }
        if text == "null" {
            // The text of old data that are none.
            continue;
        }
        let old = json!({"user-profile": {"username": "a", "olduserdata": text}});
        let answer = world.command("iam-update-user", &old).await;
        assert_eq!(answer.status, 400, "{text:.80}: {:.300}", answer.text);
    }
    world.assert_calls(&[]);
}

/// Hostile input 23, attributes that nobody may set by a profile: unknown arguments 400; in a
/// profile ignored, never sent.
#[tokio::test]
async fn a_profile_sets_only_what_is_mapped() {
    let world = World::holding(json!({})).await;
    let asked = but(
        profile("test"),
        json!({"active": true, "roles": ["admin"], "groups": [{"value": "g-1"}], "password": "hunter2", "meta": {"version": "1"},
            "schemas": ["urn:x"], "__proto__": {"active": false}, "externalId": "someone-else", "allow-enable": false}),
    );
    let arguments = json!({"user-profile": asked, "allow-enable": false});
    let answer = world.command("iam-create-user", &arguments).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let writes = world.writes();
    let body = writes[0].2.as_ref().unwrap().as_object().unwrap();
    let mut keys: Vec<_> = body.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["active", "displayName", "emails", "name", "schemas", "userName"]);
    assert_eq!(body["active"], json!(false), "the argument says so, not the profile");
    assert_eq!(answer.json()["IAM"]["UserProfile"], asked);
}

/// - Hostile input 33, emoji, right to left, many combining characters: kept as given, or 400; one
///   log line.
/// - Hostile input 34, templates, scripts, queries of other systems: plain text everywhere.
/// - Hostile input 35, what a spreadsheet would run: plain in JSON; no CSV is given.
#[tokio::test]
async fn strange_names_are_kept_as_given() {
    let world = World::holding(json!({})).await;
    let names = [
        "😀 👩‍👩‍👧",
        "\u{5d0}\u{5d1} \u{627}\u{644}",
        "z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}",
        "__proto__",
        "constructor",
        "$ref",
        "{{7*7}}",
        "${jndi:ldap://x}",
        "'; drop table users; --",
        "$(id)",
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "[pay](https://evil.example)",
        "a|b`c",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let user_name = format!("strange-{number}");
        let asked = but(profile(&user_name), json!({"displayname": name}));
        let answer = world.command("iam-create-user", &json!({"user-profile": asked})).await;
        if answer.status == 400 {
            // What AWS's alphabet lacks is refused by name, and not sent.
            assert!(
                answer.vendor()["errorMessage"]
                    .as_str()
                    .unwrap()
                    .contains("displayName"),
                "{}",
                answer.text
            );
            assert_eq!(world.user(&user_name), Value::Null);
        } else {
            assert_eq!(
                (answer.status, &world.user(&user_name)["displayName"]),
                (200, &json!(name)),
                "{}",
                answer.text
            );
            let table = world
                .markdown("iam-get-user", &json!({"user-profile": {"username": user_name}}))
                .await;
            assert_eq!(table.text.lines().count(), 4, "{}", table.text);
            assert!(
                !table.text.contains("](") || table.text.contains("\\]("),
                "{}",
                table.text
            );
        }
        let answer = world
            .command("iam-get-user", &json!({"user-profile": {"username": name}}))
            .await;
        assert!([400, 404].contains(&answer.status), "{name}: {}", answer.text);
    }
    assert_eq!(world.user("strange-13")["displayName"], "a|b`c");
}
