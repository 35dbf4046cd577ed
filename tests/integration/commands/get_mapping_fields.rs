//! get-mapping-fields.

use serde_json::json;

use crate::{
    expected::ENTERPRISE,
    harness::{World, answer},
};

#[tokio::test]
async fn every_field_the_directory_accepts_has_its_description_and_nobody_is_asked() {
    let world = World::start().await;
    let told = world.command("get-mapping-fields", &json!({})).await;
    assert_eq!(told.status, 200);
    let document = told.json();
    assert_eq!(
        document.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["User Profile"]
    );
    let fields = document["User Profile"].as_object().unwrap();
    assert!(
        fields
            .values()
            .all(|description| description.as_str().is_some_and(|text| !text.is_empty()))
    );
    let department = format!("{ENTERPRISE}.department");
    for name in [
        "id",
        "userName",
        "displayName",
        "name.givenName",
        "emails",
        "phoneNumbers",
        "addresses",
        "roles",
        &department,
    ] {
        assert!(fields.contains_key(name), "{name}");
    }
    for name in [
        "password",
        "groups",
        "photos",
        "ims",
        "x509Certificates",
        "entitlements",
    ] {
        assert!(!fields.contains_key(name), "{name}");
    }
    assert!(
        fields["userName"]
            .as_str()
            .unwrap()
            .contains("1 to 128 characters, required")
    );
    let without_body = answer(world.http.post(world.url("/commands/get-mapping-fields"))).await;
    assert_eq!(without_body.text, told.text);
    world.assert_calls(&[]);
}
