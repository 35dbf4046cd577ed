//! iam-update-group.

use aws_ilm::sandbox::{Fault, FaultKind, ForeignIds, Options, Seed, UnknownMember};
use serde_json::{Value, json};

use crate::{
    expected::{crowd, group, group_envelope, ids, person, without_request_ids},
    harness::{Answer, Setup, World},
};

async fn update(world: &World, scim: &Value, add: &Value, remove: &Value) -> Answer {
    let arguments = json!({"scim": scim, "memberIdsToAdd": add, "memberIdsToDelete": remove});
    world.command("iam-update-group", &arguments).await
}

fn g1() -> Value {
    json!({"id": "g-1"})
}

fn members(world: &World) -> Vec<String> {
    let group = world.group("g-1");
    let members = group["members"].as_array().unwrap().iter();
    members
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

/// The members in `details` that have this result.
fn with_result(answer: &Answer, result: &str) -> Vec<String> {
    let document = answer.json();
    let told = document["UpdateGroup"]["details"]["members"]
        .as_array()
        .unwrap()
        .clone();
    let wanted = told.iter().filter(|member| member["result"] == result);
    wanted
        .map(|member| member["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn adds_and_removals_go_into_one_patch_and_the_headers_are_told() {
    let world = World::holding(crowd(4, 2)).await;
    let asked = json!({"id": "g-1", "displayName": "only echoed"});
    let answer = update(&world, &asked, &json!(["m-2", "m-3", "m-2"]), &json!(["m-0"])).await;
    let details = answer.json()["UpdateGroup"]["details"].clone();
    assert!(details["x-amzn-RequestId"].is_string(), "{details}");
    let result = json!({"id": "g-1", "displayName": "only echoed", "details": details});
    assert_eq!(
        (answer.status, answer.text),
        (200, group_envelope("UpdateGroup", &result))
    );
    assert_eq!(members(&world), ["m-1", "m-2", "m-3"]);
    assert_eq!(world.group("g-1")["displayName"], "The best group");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            {"op": "add", "path": "members", "value": [{"value": "m-2"}, {"value": "m-3"}]},
            {"op": "remove", "path": "members", "value": [{"value": "m-0"}]},
        ],
    });
    assert_eq!(
        world.writes(),
        [("PATCH".to_owned(), "/Groups/g-1".to_owned(), Some(body))]
    );
    world.assert_calls(&[("PatchGroup", 1)]);
}

#[tokio::test]
async fn a_group_is_found_by_its_name_where_members_change() {
    let mut seed = crowd(2, 0);
    let groups = seed["groups"].as_array_mut().unwrap();
    groups.push(group("g-2", "Réseau"));
    let world = World::holding(seed).await;
    let asked = json!({"displayName": "\u{2009}THE BEST GROUP\u{a0}"});
    let answer = update(&world, &asked, &json!("m-1"), &json!(null)).await;
    let result = &answer.json()["UpdateGroup"];
    assert_eq!(
        (answer.status, &result["id"], &result["displayName"]),
        (200, &json!("g-1"), &json!("THE BEST GROUP"))
    );
    assert_eq!(members(&world), ["m-1"]);
    world.assert_calls(&[("ListGroups", 1), ("PatchGroup", 1)]);
    let answer = update(&world, &json!({"displayName": "No such"}), &json!("m-1"), &json!(null)).await;
    let result = &answer.json()["UpdateGroup"];
    assert_eq!(
        (answer.status, &result["id"], &result["errorMessage"]),
        (404, &Value::Null, &json!("Group Not Found"))
    );
    world.assert_calls(&[("ListGroups", 1)]);
    // A rename needs the id.
    let answer = update(&world, &json!({"displayName": "Réseau"}), &json!([]), &json!(null)).await;
    let message = "scim.id is needed where no members are given: the id of the group to rename";
    assert_eq!(
        (answer.status, &answer.json()["UpdateGroup"]["errorMessage"]),
        (400, &json!(message))
    );
    world.assert_calls(&[]);
}

#[tokio::test]
async fn ids_of_awss_form_know_no_letter_case() {
    const GROUP: &str = "90672606ee-3ff0b1c5-9e2c-4a6a-a1ff-2c6a3d9b2e11";
    const USER: &str = "b4d8a2c0-60e4-7018-4ca0-bdcf71ae5066";
    let world = World::holding(json!({"users": [person(USER, "kim")], "groups": [group(GROUP, "A")]})).await;
    let asked = json!({"id": GROUP.to_uppercase()});
    let answer = update(&world, &asked, &json!([USER.to_uppercase()]), &json!(null)).await;
    assert_eq!(
        (answer.status, &answer.json()["UpdateGroup"]["id"]),
        (200, &json!(GROUP)),
        "{}",
        answer.text
    );
    assert_eq!(world.group(GROUP)["members"], json!([{"value": USER}]));
}

#[tokio::test]
async fn an_id_that_is_not_awss_is_unknown_whatever_the_directory_answers() {
    for foreign_ids in [ForeignIds::NotFound, ForeignIds::BadRequest] {
        let world = World::with(Setup {
            sandbox: Options {
                foreign_ids,
                ..Options::default()
            },
            ..Setup::default()
        })
        .await;
        for (command, arguments) in [
            ("iam-get-group", json!({"scim": {"id": "4711"}})),
            ("iam-delete-group", json!({"scim": {"id": "4711", "displayName": "A"}})),
            (
                "iam-update-group",
                json!({"scim": {"id": "4711"}, "memberIdsToAdd": "123456"}),
            ),
        ] {
            let answer = world.command(command, &arguments).await;
            assert_eq!(answer.status, 404, "{command}: {}", answer.text);
            assert!(answer.text.contains("Group Not Found"), "{}", answer.text);
        }
        // Seeds have ids of their own form: what is there is found.
        let answer = world.command("iam-get-group", &json!({"scim": {"id": "121212"}})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn who_is_in_or_out_already_is_no_fault() {
    let world = World::holding(crowd(2, 1)).await;
    let answer = update(&world, &g1(), &json!(["m-0"]), &json!(["m-1"])).await;
    assert_eq!((answer.status, members(&world)), (200, ids(0..1)));
}

#[tokio::test]
async fn without_members_it_renames() {
    for none in [json!(null), json!([]), json!(""), json!("[]")] {
        let world = World::holding(crowd(1, 1)).await;
        let asked = json!({"id": "g-1", "displayName": "New", "externalId": "G7"});
        let answer = update(&world, &asked, &none, &none).await;
        let details = answer.json()["UpdateGroup"]["details"].clone();
        let result = json!({"id": "g-1", "displayName": "New", "details": details});
        assert_eq!(
            (answer.status, answer.text),
            (200, group_envelope("UpdateGroup", &result))
        );
        let group = world.group("g-1");
        assert_eq!(
            (&group["displayName"], &group["externalId"]),
            (&json!("New"), &json!("G7"))
        );
        assert_eq!(members(&world), ids(0..1));
        world.assert_calls(&[("PatchGroup", 1)]);
    }
}

#[tokio::test]
async fn a_rename_to_a_taken_name_or_of_nothing_fails() {
    let mut seed = crowd(0, 0);
    seed["groups"].as_array_mut().unwrap().push(group("g-2", "Taken"));
    let world = World::holding(seed).await;
    let before = world.sandbox.dump();
    let answer = update(
        &world,
        &json!({"id": "g-1", "displayName": "Taken"}),
        &json!(null),
        &json!(null),
    )
    .await;
    let document = answer.json();
    let result = &document["UpdateGroup"];
    assert_eq!((answer.status, &result["errorCode"]), (409, &json!(409)));
    let message = without_request_ids(result["errorMessage"].as_str().unwrap());
    assert!(
        message.ends_with("(AWS request id X); a group of this displayName exists: g-2"),
        "{message}"
    );
    world.assert_calls(&[("PatchGroup", 1), ("ListGroups", 1)]);
    let answer = update(
        &world,
        &json!({"id": "g-9", "displayName": "New"}),
        &json!(null),
        &json!(null),
    )
    .await;
    let message = "Group Not Found";
    let result =
        json!({"success": false, "id": "g-9", "displayName": "New", "errorCode": 404, "errorMessage": message});
    assert_eq!(
        (answer.status, answer.text),
        (404, group_envelope("UpdateGroup", &result))
    );
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn what_it_cant_do_is_a_400_without_a_call() {
    let world = World::holding(crowd(1, 1)).await;
    let nothing = "nothing to change: give memberIdsToAdd, memberIdsToDelete, scim.displayName or scim.externalId";
    let malformed = "must be 1 to 64 letters, digits, `_` or `-`";
    let wanted = "the directory's id is wanted (IAM.Vendor.id of iam-get-user)";
    let none = json!(null);
    for (scim, add, remove, message) in [
        (
            json!({}),
            json!(["m-0"]),
            none.clone(),
            "scim needs an id or a displayName".to_owned(),
        ),
        (
            json!({"displayName": "The best group"}),
            none.clone(),
            none.clone(),
            "scim.id is needed where no members are given: the id of the group to rename".to_owned(),
        ),
        (g1(), none.clone(), none.clone(), nothing.to_owned()),
        (g1(), json!([]), json!(""), nothing.to_owned()),
        (
            json!({"id": "g/1"}),
            json!(["m-0"]),
            none.clone(),
            format!("scim.id {malformed}"),
        ),
        (
            g1(),
            json!(["m-0", "a b"]),
            none.clone(),
            format!("memberIdsToAdd[1] {malformed}; U+0020 SPACE at position 2 can't stand in it; {wanted}"),
        ),
        (
            g1(),
            none.clone(),
            json!("../x"),
            format!("memberIdsToDelete[0] {malformed}; {wanted}"),
        ),
        (
            g1(),
            json!(["m-0"]),
            json!(["m-0"]),
            "m-0 is in memberIdsToAdd and in memberIdsToDelete; leave it in one".to_owned(),
        ),
        (
            json!({"id": "g-1", "displayName": 7}),
            none.clone(),
            none,
            "scim.displayName must be text, not a number; send it in quotes".to_owned(),
        ),
    ] {
        let answer = update(&world, &scim, &add, &remove).await;
        let result = &answer.json()["UpdateGroup"];
        assert_eq!(
            (answer.status, &result["errorCode"], &result["errorMessage"]),
            (400, &json!(400), &json!(message))
        );
    }
    world.assert_calls(&[]);
}

#[tokio::test]
async fn one_unknown_member_does_not_stop_the_others() {
    for unknown_member in [UnknownMember::NotFound, UnknownMember::BadRequest] {
        let seed = Seed::from_json(&crowd(120, 0).to_string()).unwrap();
        let world = World::with(Setup {
            sandbox: Options {
                seed,
                unknown_member,
                ..Options::default()
            },
            ..Setup::default()
        })
        .await;
        let mut wanted = ids(0..120);
        wanted.insert(37, "nobody".to_owned());
        let answer = update(&world, &g1(), &json!(wanted), &json!(null)).await;
        let (status, code) = match unknown_member {
            UnknownMember::NotFound => (404, 404),
            UnknownMember::BadRequest => (400, 400),
        };
        let document = answer.json();
        let result = &document["UpdateGroup"];
        assert_eq!(
            (answer.status, &result["errorCode"], &result["success"]),
            (status, &json!(code), &json!(false))
        );
        let message = without_request_ids(result["errorMessage"].as_str().unwrap());
        assert!(
            message.contains("(AWS request id X); 120 of 121 done; failed: nobody; nobody looks like a user name"),
            "{message}"
        );
        assert_eq!(
            (with_result(&answer, "failed"), with_result(&answer, "done").len()),
            (vec!["nobody".to_owned()], 120)
        );
        assert_eq!(members(&world), ids(0..120));
        let told = &result["details"]["members"][37];
        assert_eq!(
            (&told["value"], &told["operation"], &told["errorCode"]),
            (&json!("nobody"), &json!("add"), &json!(code))
        );
        assert!(told["errorMessage"].as_str().unwrap().contains("AWS request id"));
        let calls = world.calls();
        // The first chunk of 100, halved down to the one; the second chunk; one look at the group,
        // whose id is none of AWS's, so that either answer may be about it.
        assert_eq!(calls.get("GetGroup").copied(), Some(1));
        assert!(calls["PatchGroup"] <= 1 + 2 * 7 + 1, "{calls:?}");
    }
}

/// Hostile input 31, 10,000 members: in chunks of 100, none is lost.
#[tokio::test]
async fn several_unknown_members_among_adds_and_removals_are_all_found() {
    let world = World::holding(crowd(60, 30)).await;
    let add: Vec<_> = ids(30..60)
        .into_iter()
        .chain(["x-1".to_owned(), "x-2".to_owned()])
        .collect();
    let answer = update(&world, &g1(), &json!(add), &json!(ids(0..10))).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    assert_eq!(with_result(&answer, "failed"), ["x-1", "x-2"]);
    assert_eq!(members(&world), ids(10..60));
}

#[tokio::test]
async fn a_group_that_is_not_there_is_found_out_with_one_look() {
    let world = World::holding(crowd(2, 0)).await;
    let answer = update(&world, &json!({"id": "g-9"}), &json!(["m-0"]), &json!(["m-1"])).await;
    let fate = |id: &str, operation: &str| json!({"value": id, "operation": operation, "result": "not tried"});
    let details = json!({"members": [fate("m-0", "add"), fate("m-1", "remove")]});
    let message = "Group Not Found; 0 of 2 done; not tried: m-0, m-1";
    let result = json!({"success": false, "id": "g-9", "errorCode": 404, "errorMessage": message, "details": details});
    assert_eq!(
        (answer.status, answer.text),
        (404, group_envelope("UpdateGroup", &result))
    );
    world.assert_calls(&[("PatchGroup", 1), ("GetGroup", 1)]);
}

#[tokio::test]
async fn nothing_else_than_400_and_404_is_split() {
    // A 500 is sent again: five times, and after a look at the members five times more.
    for (kind, status, code, calls) in [
        (FaultKind::Status { status: 401 }, 502, 401, &[("PatchGroup", 2)][..]),
        (FaultKind::Status { status: 403 }, 502, 403, &[("PatchGroup", 2)]),
        // Another client may be changing the group: it is read, and the PATCH sent once more.
        (
            FaultKind::Status { status: 409 },
            409,
            409,
            &[("ListUsers", 1), ("PatchGroup", 3)],
        ),
        (
            FaultKind::Status { status: 500 },
            502,
            500,
            &[("ListUsers", 2), ("PatchGroup", 11)],
        ),
        (
            FaultKind::Throttle {
                retry_after: Some("7".into()),
            },
            503,
            429,
            &[("PatchGroup", 2)],
        ),
    ] {
        let world = World::holding_with(crowd(250, 0), &[("AWS_ILM_COMMAND_TIMEOUT", "6s")]).await;
        world
            .sandbox
            .script(Fault::new(kind.clone()).on("PatchGroup").skipping(1).forever());
        let answer = update(&world, &g1(), &json!(ids(0..250)), &json!(null)).await;
        assert_eq!(
            (answer.status, &answer.json()["UpdateGroup"]["errorCode"]),
            (status, &json!(code)),
            "{kind:?}"
        );
        world.assert_calls(calls);
        assert_eq!(with_result(&answer, "done"), ids(0..100));
        // A later read can't tell for good whether a request answered with 5xx did its work; the
        // others did not.
        let unknown = if code == 500 { ids(100..200) } else { Vec::new() };
        let refused = if code == 500 { Vec::new() } else { ids(100..200) };
        assert_eq!(with_result(&answer, "not known"), unknown);
        assert_eq!(with_result(&answer, "failed"), refused);
        assert_eq!(with_result(&answer, "not tried"), ids(200..250));
        assert_eq!(members(&world), ids(0..100));
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("7"));
    }
}

#[tokio::test]
async fn a_directory_that_refuses_everything_costs_at_most_200_calls_a_chunk() {
    let world = World::holding(crowd(101, 0)).await;
    world
        .sandbox
        .script(Fault::new(FaultKind::Status { status: 400 }).on("PatchGroup").forever());
    let answer = update(&world, &g1(), &json!(ids(0..101)), &json!(null)).await;
    assert_eq!((answer.status, with_result(&answer, "failed")), (400, ids(0..101)));
    let message = answer.json()["UpdateGroup"]["errorMessage"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("failed: m-0, m-1,") && message.contains(" and 91 more"),
        "{message}"
    );
    let calls = world.calls()["PatchGroup"];
    assert!(calls <= 201, "{calls}");
}
