//! A creation whose answer got lost.

use serde_json::json;

use super::{create, numbered, with_allow_enable};
use crate::commands::testing::*;

#[test]
fn a_lost_answer_is_looked_for() {
    let mut rows = Vec::new();
    for kind in LOST {
        rows.extend([
            case("done after all", create(json!({})))
                .asks("create test active", failed(kind))
                .asks("users named test?", found(json!({})))
                .ends("done Create u-1 active"),
            case("not done: sent again", create(json!({})))
                .asks("create test active", failed(kind))
                .asks("users named test?", nobody())
                .asks("create test active", shown(json!({})))
                .ends("done Create u-1 active"),
            case("another user: updated", create(json!({})))
                .asks("create test active", failed(kind))
                .asks("users named test?", found(json!({"displayName": "Other"})))
                .asks("patch u-1: displayName=\"Te St\"", shown(json!({})))
                .ends("done Update u-1 active"),
        ]);
    }
    rows.extend([
        case("lost three times", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(500))
            .asks("users named test?", nobody())
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .ends("failed Create 504: said [-]"),
        case("done at the third time", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", lost())
            .asks("users named test?", found(json!({})))
            .ends("done Create u-1 active"),
        case("made inactive, found active", with_allow_enable(json!({}), json!(false)))
            .asks("create test inactive", lost())
            .asks("users named test?", found(json!({})))
            .ends("done Update u-1 active"),
        case("the look fails too", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", status(500))
            .ends("failed Create 504: whether the user was created is not known: said; looking failed too: said [-]"),
        case("two answer to it", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", two())
            .ends("failed Create 409: ambiguous: …"),
        case("sent again, a conflict with what was sent before", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .ends("done Create u-1 active"),
        case("sent again, a conflict with another user", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"displayName": "Other"})))
            .asks("patch u-1: displayName=\"Te St\"", shown(json!({})))
            .ends("done Update u-1 active"),
        case("sent again, a conflict, and the name is free", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", nobody())
            .asks_whose("users named test@example.com?", nobody())
            .ends("failed Create 409: said; no other user has this userName, so what clashes is most likely the e-mail [-]"),
        case("sent again, a conflict with a user of the same employee id", numbered())
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", nobody())
            .asks("users of employee E7?", found(json!({"userName": "old", "externalId": "E7"})))
            .asks("patch u-1: userName=\"test\"", shown(json!({})))
            .ends("done Update u-1 active"),
        case(
            "sent again, a conflict, and the look fails: the lost one counts",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", nobody())
        .asks("create test active", status(409))
        .asks("users named test?", status(403))
        .ends("failed Create 504: whether the user was created is not known: said; looking failed too: said [-]"),
        case("sent again, and refused", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(403))
            .ends("failed Create 403: said [-]"),
        case("another name answers to it", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", found(json!({"userName": "toast"})))
            .ends("failed Create 502: mismatch: …"),
    ]);
    hold(rows);
}
