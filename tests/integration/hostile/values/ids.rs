//! Ids and names that pose as a path or a filter.

use serde_json::{Value, json};

use crate::{
    expected::person,
    harness::{World, answer},
    hostile::{closing, raw, status},
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
