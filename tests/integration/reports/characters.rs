//! What stands in a value and can't be seen.

use serde_json::json;

use super::{assert_fails, jane_and_kim, send};
use crate::{
    expected::{but, profile},
    harness::World,
};

#[tokio::test]
async fn a_refused_character_is_told_by_name_place_and_field_on_every_command() {
    let world = World::holding(jane_and_kim()).await;
    let before = world.sandbox.dump();
    let spaced = "it is a space of another width or kind than the plain one";
    for (change, message) in [
        (
            json!({"mobilephone": "\u{202a}+49 30 1"}),
            "phoneNumbers.value: U+202A LEFT-TO-RIGHT EMBEDDING at position 1 can't stand in it; take it out, it is \
             invisible (user-profile.mobilephone)"
                .to_owned(),
        ),
        (
            json!({"surname": "Mey\u{200c}er"}),
            "name.familyName: U+200C ZERO WIDTH NON-JOINER at position 4 can't stand in it; take it out, it is \
             invisible (user-profile.surname)"
                .to_owned(),
        ),
        (
            json!({"title": "A\u{202f}B"}),
            format!(
                "title: U+202F NARROW NO-BREAK SPACE at position 2 can't stand in it; take it out, {spaced} (user-profile.title)"
            ),
        ),
    ] {
        for (command, name) in [("iam-create-user", "new"), ("iam-update-user", "kim")] {
            let answer = send(&world, command, &but(profile(name), change.clone())).await;
            assert_fails(&answer, 400, &message);
        }
    }
    for command in ["iam-get-user", "iam-create-user", "iam-update-user", "iam-disable-user"] {
        let named = |place: &str, attribute: &str| {
            format!(
                "{attribute}: U+200B ZERO WIDTH SPACE at position 2 can't stand in it; take it out, it is invisible \
                 ({place}.username)"
            )
        };
        let answer = send(
            &world,
            command,
            &but(profile("kim"), json!({"username": "k\u{200b}im"})),
        )
        .await;
        assert_fails(&answer, 400, &named("user-profile", "userName"));
        let old = json!({"olduserdata": {"username": "k\u{200b}im"}});
        let answer = send(&world, command, &but(profile("kim"), old)).await;
        assert_fails(&answer, 400, &named("user-profile.olduserdata", "olduserdata.userName"));
    }
    assert_eq!(world.sandbox.dump(), before);
}

#[tokio::test]
async fn white_space_in_a_user_name_is_told_by_the_field_that_fills_it() {
    let folder = format!("{}/tests/integration/mappers", env!("CARGO_MANIFEST_DIR"));
    for (mapper, field) in [
        ("", "username"),
        ("stock-manner.json", "username"),
        ("glued-outgoing.json", "username"),
        ("by-hand.toml", "username"),
    ] {
        let path = format!("{folder}/{mapper}");
        let settings: &[_] = if mapper.is_empty() {
            &[]
        } else {
            &[("AWS_ILM_MAPPER_OUT", path.as_str())]
        };
        let world = World::holding_with(jane_and_kim(), settings).await;
        for (name, character) in [
            ("ki m", "U+0020 SPACE at position 3"),
            ("ki\u{a0}m", "U+00A0 NO-BREAK SPACE at position 3"),
            ("k\u{3000}m", "U+3000 IDEOGRAPHIC SPACE at position 2"),
            ("kim\tx", "U+0009 CHARACTER TABULATION at position 4"),
        ] {
            for command in ["iam-get-user", "iam-create-user", "iam-update-user", "iam-disable-user"] {
                for (place, asked) in [
                    ("user-profile", json!({"username": name})),
                    (
                        "user-profile.olduserdata",
                        json!({"username": "kim", "olduserdata": {"Username": name}}),
                    ),
                ] {
                    let answer = send(&world, command, &asked).await;
                    let message = answer.vendor()["errorMessage"].as_str().unwrap().to_owned();
                    assert_eq!(answer.status, 400, "{command} {name:?}: {}", answer.text);
                    assert!(
                        message.contains(&format!("{character} can't stand in it"))
                            && message.ends_with(&format!("({place}.{field})")),
                        "{command}: {message}"
                    );
                }
            }
        }
        world.assert_calls(&[]);
    }
}
