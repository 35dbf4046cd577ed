use serde_json::json;

use super::{OFF, inactive, leaver};
use crate::{commands::testing::*, scim::ErrorKind};

#[test]
fn a_conflict_or_a_lost_answer_is_looked_into() {
    let look = |answer, look| {
        vec![
            ("users named test?", found(json!({}))),
            (OFF, answer),
            ("user u-1?", look),
        ]
    };
    let mut rows = vec![
        case("conflict, and inactive", leaver())
            .follows(look(status(409), inactive()))
            .ends("done Disable u-1 inactive"),
        case("conflict, and active: sent once more", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, status(409))
            .asks("user u-1?", shown(json!({})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("a second conflict", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, status(409))
            .asks("user u-1?", shown(json!({})))
            .asks(OFF, status(409))
            .ends("failed Disable 409: said [u-1]"),
        case("conflict, and gone", leaver())
            .follows(look(status(409), absent()))
            .ends("skipped Disable: User does not exist [u-1]"),
        case("conflict, and not known whether active: sent once more", leaver())
            .asks("users named test?", found(json!({})))
            .asks(OFF, status(409))
            .asks("user u-1?", shown(json!({"active": null})))
            .asks(OFF, inactive())
            .ends("done Disable u-1 inactive"),
        case("lost, and not known whether active", leaver())
            .follows(look(lost(), shown(json!({"active": null}))))
            .ends("failed Disable 504: said [u-1]"),
        case("lost, and the look is refused", leaver())
            .follows(look(status(500), status(401)))
            .ends(
                "failed Disable 500: whether the user was changed is not known: said; looking failed too: said [u-1]",
            ),
        case("lost, and a wrong URL is no absence", leaver())
            .follows(look(lost(), failed(ErrorKind::WrongUrl)))
            .ends("failed Disable 504: whether the user was changed is not known: …"),
    ];
    for kind in LOST {
        rows.extend([
            case("lost, and inactive", leaver())
                .follows(look(failed(kind), inactive()))
                .ends("done Disable u-1 inactive"),
            case("lost, and gone", leaver())
                .follows(look(failed(kind), absent()))
                .ends("skipped Disable: User does not exist [u-1]"),
        ]);
    }
    for (kind, end) in [
        (ErrorKind::Timeout, "failed Disable 504: said [u-1]"),
        (ErrorKind::Broken, "failed Disable 504: said [u-1]"),
        (ErrorKind::Status(500), "failed Disable 500: said [u-1]"),
        (ErrorKind::Unreadable, "failed Disable 502: said [u-1]"),
    ] {
        rows.push(
            case("lost, and active", leaver())
                .follows(look(failed(kind), shown(json!({}))))
                .ends(end),
        );
    }
    hold(rows);
    for (kind, code) in UNDONE {
        let outcome = outcome(&leaver(), &rules(), vec![found(json!({})), failed(kind)]);
        let failure = outcome.failure().expect("no user was disabled");
        assert_eq!((failure.code(), failure.message.as_str()), (code, "said"), "{kind:?}");
    }
}
