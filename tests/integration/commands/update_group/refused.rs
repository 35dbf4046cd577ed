//! Members that the directory refuses.

use super::*;

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
