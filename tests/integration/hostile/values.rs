//! Values that pose as a path, a filter, a patch, an attribute, more than there is room for.

use serde_json::{Value, json};

use super::{closing, raw, status};
use crate::{
    expected::{but, crowd, person, profile},
    harness::{Setup, World, answer},
};

/// Ids that a URL's parser or a decoder would make others of. White space at their ends is none of
/// them, and not here.
const IDS: [&str; 22] = [
    "..%2FUsers%2F9067",
    "%2e%2e",
    "..",
    ".",
    "%2e",
    "a%2F..%2F..%2FUsers%2F1",
    "..%5CUsers%5C9067",
    "..\\Users\\9067",
    "9067/../../../../OTHER/scim/v2/Users/1",
    "a%09",
    "a%0a",
    "a%0d%0aX:1",
    "a\tb",
    "a\nb",
    "a\r\nX: 1",
    "%00",
    "\u{0}",
    "a b",
    "a%3Fx=1",
    "a#",
    "%252e%252e",
    "ａ",
];

/// - Hostile input 1, an id that leads from a group to a user by an encoded slash: 400, no call.
/// - Hostile input 2, an id of dots, plain or encoded: 400, no call.
/// - Hostile input 3, an id that climbs by encoded slashes: 400, no call.
/// - Hostile input 4, an id with an encoded backslash: 400, no call.
/// - Hostile input 5, an id that climbs into another tenant: 400, no call.
/// - Hostile input 6, an id with a tab or line ends, plain or encoded: 400, no call.
/// - Hostile input 7, an id of NUL, a space, nothing, too much: 400; a whole megabyte 413; no call.
/// - Hostile input 8, an id with a query or a fragment: 400, no call.
/// - Hostile input 10, an id that is encoded twice: 400, no call.
#[tokio::test]
async fn no_id_becomes_a_path() {
    let world = World::start().await;
    let before = world.sandbox.dump();
    let (long, longer) = ("a".repeat(65), "a".repeat(500_000));
    for id in IDS.iter().copied().chain([long.as_str(), longer.as_str()]) {
        let profile = json!({"user-profile": {"id": id, "username": "bjensen"}});
        let group = json!({"scim": {"id": id}});
        for (command, arguments) in [
            ("iam-delete-group", &group),
            ("iam-get-group", &group),
            ("iam-update-group", &json!({"scim": {"id": id, "displayName": "B"}})),
            (
                "iam-update-group",
                &json!({"scim": {"id": "121212"}, "memberIdsToAdd": [id]}),
            ),
            (
                "iam-update-group",
                &json!({"scim": {"id": "121212"}, "memberIdsToDelete": [id]}),
            ),
            ("iam-get-user", &profile),
            ("iam-disable-user", &profile),
            (
                "iam-update-user",
                &json!({"user-profile": {"username": "bjensen", "olduserdata": {"id": id}}}),
            ),
        ] {
            for query in ["", "?dryRun=true"] {
                let answer = world.post(&format!("/commands/{command}{query}"), arguments).await;
                assert_eq!(answer.status, 400, "{command} {id:.80?}: {:.300}", answer.text);
            }
        }
    }
    // No id at all: a group has nothing else to be deleted by.
    for blank in ["", " "] {
        let answer = world.command("iam-delete-group", &json!({"scim": {"id": blank}})).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    world.assert_calls(&[]);
    assert_eq!(world.sandbox.dump(), before);
}

/// Hostile input 9, an id that is not Unicode: 400 in a body or a query, 404 in a path, no call.
#[tokio::test]
async fn what_is_not_unicode_is_no_id() {
    let world = World::start().await;
    let bodies: [&[u8]; 3] = [
        b"{\"scim\":{\"id\":\"\xff\"}}",
        b"{\"scim\":{\"id\":\"\xed\xa0\x80\"}}",
        b"{\"scim\":{\"\xff\":\"1\"}}",
    ];
    for body in bodies {
        let request = world.http.post(world.url("/commands/iam-delete-group"));
        let answer = answer(request.header("content-type", "application/json").body(body.to_vec())).await;
        assert_eq!(
            (answer.status, &answer.json()["type"]),
            (400, &json!("/problems/not-json"))
        );
    }
    let answer = world
        .post("/commands/iam-delete-group?instance=%ff", &json!({"scim": {"id": "1"}}))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["type"]),
        (400, &json!("/problems/bad-parameter"))
    );
    for target in ["/commands/iam-delete-group/%ff", "/commands/%ff", "/%ff"] {
        assert_eq!(
            status(&raw(world.address, closing("POST", target, "")).await),
            Some(404),
            "{target}"
        );
    }
    world.assert_calls(&[]);
}

/// - Hostile input 7, an id of NUL, a space, nothing, too much: 400; a whole megabyte 413; no call.
/// - Hostile input 28, a body over the limit, declared or in chunks without end: 413, closed.
#[tokio::test]
async fn a_body_that_holds_a_megabyte_is_refused() {
    let world = World::start().await;
    let answer = world
        .command("iam-delete-group", &json!({"scim": {"id": "a".repeat(1 << 20)}}))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["type"]),
        (413, &json!("/problems/body-too-large"))
    );
    assert_eq!(answer.header("connection"), Some("close"));
    world.assert_calls(&[]);
}

/// - Hostile input 12, a user name of backslashes and quotes: looked up literally, 404.
/// - Hostile input 19, a group's name of filter syntax: looked up literally, 404.
#[tokio::test]
async fn group_names_are_looked_up_literally() {
    let world = World::holding(json!({"groups": [{"id": "g-1", "displayName": "A"}]})).await;
    for name in [
        "A\" or displayName pr or displayName eq \"B",
        "A\"]",
        "[A",
        "A\\",
        "\"",
        "A) or (id pr",
        "members[value eq \"u-1\"]",
        "A&startIndex=1",
        "A+B%22#",
    ] {
        let answer = world
            .command("iam-get-group", &json!({"scim": {"displayName": name}}))
            .await;
        assert_eq!(answer.status, 404, "{name:?}: {}", answer.text);
        let requests = world.sandbox.requests();
        let asked = requests.iter().find(|request| request.api == "ListGroups").unwrap();
        let url = url::Url::parse(&format!("http://x{}", asked.path)).unwrap();
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let expected = format!("displayName eq {}", Value::from(name));
        assert_eq!(pairs, [("filter".to_owned(), expected)]);
        world.sandbox.reset_calls();
    }
    // What can be looked up can be created, and is found again.
    let name = "A\" or displayName pr [x] (y) \\ &#+%22";
    let answer = world
        .command("iam-create-group", &json!({"scim": {"displayName": name}}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = world
        .command("iam-get-group", &json!({"scim": {"displayName": name}}))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["GetGroup"]["displayName"]),
        (200, &json!(name))
    );
}

/// Hostile input 16, a user name in another letter case: the same person; disabled by the id that
/// was found.
#[tokio::test]
async fn somebody_in_another_letter_case_is_disabled_by_id() {
    let world = World::holding(json!({"users": [person("u-1", "bjensen"), person("u-2", "bjensen2")]})).await;
    let answer = world
        .command("iam-disable-user", &json!({"user-profile": {"username": "BJensen"}}))
        .await;
    assert_eq!(
        (answer.status, &answer.vendor()["id"]),
        (200, &json!("u-1")),
        "{}",
        answer.text
    );
    assert_eq!(
        (&world.user("u-1")["active"], &world.user("u-2")["active"]),
        (&json!(false), &json!(true))
    );
    let writes = world.writes();
    assert_eq!(
        writes.iter().map(|(_, path, _)| path.as_str()).collect::<Vec<_>>(),
        ["/Users/u-1"]
    );
}

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

/// Hostile input 31, 10,000 members: in chunks of 100, none is lost.
#[tokio::test]
async fn ten_thousand_members_are_all_added() {
    let world = World::holding(crowd(10_000, 0)).await;
    let ids: Vec<_> = (0..10_000).map(|number| format!("m-{number}")).collect();
    let answer = world
        .command(
            "iam-update-group",
            &json!({"scim": {"id": "g-1"}, "memberIdsToAdd": ids}),
        )
        .await;
    assert_eq!(answer.status, 200, "{:.300}", answer.text);
    assert_eq!(world.group("g-1")["members"].as_array().unwrap().len(), 10_000);
    world.assert_calls(&[("PatchGroup", 100)]);
}

/// Hostile input 32, a name of half a megabyte, 2,000 e-mails: 400, no call.
#[tokio::test]
async fn values_that_are_too_large_are_refused_without_a_call() {
    let world = World::start().await;
    let large = "x".repeat(500_000);
    let many: Vec<_> = (0..2_000).map(|number| format!("e{number}@example.com")).collect();
    for (command, arguments) in [
        ("iam-create-group", json!({"scim": {"displayName": large}})),
        ("iam-get-group", json!({"scim": {"displayName": large}})),
        (
            "iam-update-group",
            json!({"scim": {"id": "121212", "displayName": large}}),
        ),
        ("iam-get-user", json!({"user-profile": {"username": large}})),
        ("iam-disable-user", json!({"user-profile": {"username": large}})),
    ] {
        let answer = world.command(command, &arguments).await;
        assert_eq!(answer.status, 400, "{command}: {:.300}", answer.text);
    }
    world.assert_calls(&[]);
    // A user that can't be created is looked up, and nothing is written.
    for changes in [json!({"displayname": large}), json!({"email": many})] {
        let asked = but(profile("test"), changes);
        let answer = world.command("iam-create-user", &json!({"user-profile": asked})).await;
        assert_eq!(answer.status, 400, "{:.300}", answer.text);
    }
    assert!(world.writes().is_empty());
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

/// A rehearsal waits for no directory; others are served all the same.
#[tokio::test]
async fn a_large_rehearsal_leaves_others_their_turn() {
    let world = World::with(Setup::default()).await;
    let ids: Vec<_> = (0..10_000).map(|number| format!("m-{number}")).collect();
    let arguments = json!({"scim": {"id": "121212"}, "memberIdsToAdd": ids});
    let rehearsal = world.dry_run("iam-update-group", &arguments);
    let mut served = 0;
    let asking = async {
        loop {
            assert_eq!(world.get("/health/live").await.status, 200);
            served += 1;
        }
    };
    tokio::select! {
        answer = rehearsal => assert_eq!(answer.status, 200, "{:.300}", answer.text),
        () = asking => {}
    }
    // Of one thread, on which everything here runs. Without a turn in between, one or two come
    // before it and none after.
    assert!(served >= 10, "{served}");
}
