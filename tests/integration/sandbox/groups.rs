//! Groups and memberships.

use aws_ilm::sandbox::{ForeignIds, Options, UnknownMember};
use serde_json::{Value, json};

use super::{GENERIC, Running, crowd, values};

#[tokio::test]
async fn a_group_never_shows_its_members() {
    let running = Running::demo().await;
    let (status, created) = running
        .post(
            "Groups",
            json!({"displayName": "New", "members": [{"value": "123456", "type": "User", "$ref": "../Users/123456"}]}),
        )
        .await;
    assert_eq!(status, 201, "{created}");
    assert!(created.get("members").is_none());
    let id = created["id"].as_str().unwrap();
    assert!(running.get(&format!("Groups/{id}")).await.1.get("members").is_none());
    let (_, listed) = running.list("Groups", r#"displayName eq "New""#).await;
    assert_eq!(listed["Resources"][0]["members"], json!([]));
    assert_eq!(
        running.walk("Users", Some(&format!(r#"groups.value eq "{id}""#))).await,
        ["123456"]
    );

    let rows = [
        (json!({"displayName": "A", "members": [{"value": "nobody"}]}), 400),
        (
            json!({"displayName": "A", "members": [{"value": "123456", "display": "test"}]}),
            400,
        ),
        (
            json!({"displayName": "A", "members": [{"value": id, "type": "Group"}]}),
            400,
        ),
        (
            json!({"displayName": "A", "members": values((0..101).map(|_| "123456"))}),
            400,
        ),
        (json!({"displayName": "A", "description": "x"}), 400),
        (json!({"displayName": ""}), 400),
        (json!({"externalId": "x"}), 400),
        (json!({"displayName": "AWSAdministrators"}), 400),
        (json!({"displayName": "A", "members": []}), 201),
    ];
    for (body, expected) in rows {
        assert_eq!(running.post("Groups", body.clone()).await.0, expected, "{body}");
    }
    assert_eq!(
        running
            .put(&format!("Groups/{id}"), json!({"displayName": "x"}))
            .await
            .0,
        400
    );
    assert_eq!(running.delete(&format!("Groups/{id}")).await, (204, Value::Null));
    assert_eq!(running.delete(&format!("Groups/{id}")).await.0, 404);
}

#[tokio::test]
async fn memberships_change_by_deltas_all_or_none() {
    let running = Running::start(Options {
        seed: crowd(150),
        ..Options::default()
    })
    .await;
    let members = r#"groups.value eq "g""#;
    let ids: Vec<String> = (0..100).map(|number| format!("u-{number:04}")).collect();
    let add = json!([{"op": "add", "path": "members", "value": values(&ids)}]);
    assert_eq!(running.patch("Groups/g", add.clone()).await, (204, Value::Null));
    assert_eq!(running.patch("Groups/g", add).await.0, 204, "adding again is no fault");
    assert_eq!(running.walk("Users", Some(members)).await, ids);

    let mixed = json!([
        {"op": "remove", "path": "members", "value": values(&ids[..50])},
        {"op": "remove", "path": "members[value eq \"u-0050\"]"},
        {"op": "add", "path": "members", "value": values(["u-0149"])},
    ]);
    assert_eq!(running.patch("Groups/g", mixed).await.0, 204);
    assert_eq!(running.walk("Users", Some(members)).await.len(), 50);
    let stranger = json!([{"op": "remove", "path": "members", "value": values(["u-0000", "nobody"])}]);
    assert_eq!(
        running.patch("Groups/g", stranger).await.0,
        204,
        "removing who is no member is no fault"
    );

    let unknown = json!([{"op": "add", "path": "members", "value": values(["u-0001", "nobody"])}]);
    assert_eq!(running.patch("Groups/g", unknown.clone()).await.0, 404);
    let too_many =
        json!([{"op": "add", "path": "members", "value": values((0..101).map(|number| format!("u-{number:04}")))}]);
    let (status, error) = running.patch("Groups/g", too_many).await;
    assert_eq!((status, error["detail"].as_str()), (400, Some(GENERIC)));
    let replace = json!([{"op": "replace", "path": "members", "value": []}]);
    let (status, error) = running.patch("Groups/g", replace).await;
    assert_eq!(
        (status, error["detail"].as_str()),
        (400, Some("Replacing group memberships is not supported."))
    );
    assert_eq!(
        running
            .patch("Groups/g", json!([{"op": "remove", "path": "members"}]))
            .await
            .0,
        400
    );
    assert_eq!(running.walk("Users", Some(members)).await.len(), 50);

    assert_eq!(running.delete("Users/u-0149").await.0, 204);
    assert_eq!(
        running.walk("Users", Some(members)).await.len(),
        49,
        "who is gone is no member"
    );

    let other = Running::start(Options {
        unknown_member: UnknownMember::BadRequest,
        ..Options::default()
    })
    .await;
    assert_eq!(other.patch("Groups/121212", unknown).await.0, 400);
}

#[tokio::test]
async fn an_id_that_is_not_awss_is_answered_404_or_400_unless_it_is_there() {
    let strange = [
        "123",
        "u-1",
        "90672606ee",
        "9067260gee-b4d8a2c0-60e4-7018-4ca0-bdcf71ae5066",
    ];
    let own = [
        "b4d8a2c0-60e4-7018-4ca0-bdcf71ae5067",
        "90672606ee-b4d8a2c0-60e4-7018-4ca0-bdcf71ae5067",
    ];
    for (foreign_ids, expected) in [(ForeignIds::NotFound, 404), (ForeignIds::BadRequest, 400)] {
        let running = Running::start(Options {
            foreign_ids,
            ..Options::default()
        })
        .await;
        for kind in ["Users", "Groups"] {
            for id in strange {
                assert_eq!(running.get(&format!("{kind}/{id}")).await.0, expected, "{kind} {id}");
            }
            for id in own {
                assert_eq!(running.get(&format!("{kind}/{id}")).await.0, 404, "{kind} {id}");
            }
        }
        assert_eq!(running.get("Users/123456").await.0, 200);
        assert_eq!(running.get("Groups/121212").await.0, 200);
    }
}

#[tokio::test]
async fn membership_is_asked_for_with_filters() {
    let running = Running::demo().await;
    let add = json!([{"op": "add", "path": "members", "value": values(["123456"])}]);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Better"}, {"op": "replace", "path": "externalId", "value": "B"}]);
    assert_eq!(running.patch("Groups/121212", add).await.0, 204);
    assert_eq!(running.patch("Groups/121212", rename).await.0, 204);
    let rows = [
        (r#"members.value eq "123456""#, 200, 1),
        (r#"id eq "121212" and members eq "123456""#, 200, 1),
        (
            r#"members eq "b4d8a2c0-60e4-7018-4ca0-bdcf71ae5066" and id eq "121212""#,
            200,
            0,
        ),
        (r#"displayName eq "better""#, 200, 1),
        (r#"displayName eq "The best group""#, 200, 0),
        (r#"externalId eq "B""#, 200, 1),
        (r#"members.value eq "nobody""#, 404, 0),
        (r#"id eq "121212" and members eq "nobody""#, 404, 0),
        (r#"members eq "123456""#, 400, 0),
        (r#"displayName co "b""#, 400, 0),
    ];
    for (filter, expected, count) in rows {
        let (status, body) = running.list("Groups", filter).await;
        assert_eq!(status, expected, "{filter}");
        if status == 200 {
            assert_eq!(body["totalResults"], count, "{filter}");
        }
    }
    assert_eq!(
        running.list("Users", r#"groups.value eq "nothing""#).await.1["totalResults"],
        0
    );
}
