use serde_json::json;

use super::{boss, update};
use crate::{commands::testing::*, decide::Reply, outcome::UserEnd, scim::ErrorKind};

#[test]
fn what_became_of_the_patch() {
    let patched = |answer| {
        vec![
            ("users named test?", found(json!({}))),
            ("patch u-1: title=\"Boss\"", answer),
        ]
    };
    let unseen = |then| {
        let mut script = patched(Ok(Reply::NoBody));
        script.push(("user u-1?", then));
        script
    };
    hold([
        case("gone", boss())
            .follows(patched(absent()))
            .ends("failed Update 404: User does not exist [u-1]"),
        case("refused", boss())
            .follows(patched(status(400)))
            .ends("failed Update 400: said [u-1]"),
        case("no right", boss())
            .follows(patched(status(403)))
            .ends("failed Update 403: said [u-1]"),
        case("of somebody else", boss())
            .follows(patched(shown(json!({"id": "u-2"}))))
            .ends("failed Update 502: mismatch: …"),
        case("unseen: read", boss())
            .follows(unseen(shown(json!({"title": "Boss"}))))
            .ends("done Update u-1 active"),
        case("unseen, then gone", boss())
            .follows(unseen(absent()))
            .ends("failed Update 404: User does not exist [u-1]"),
        case("unseen, then failed", boss())
            .follows(unseen(status(403)))
            .ends("failed Update 403: said [u-1]"),
        case("unseen, then lost: read once more", boss())
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", Ok(Reply::NoBody))
            .asks("user u-1?", status(500))
            .asks("user u-1?", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("unseen, then somebody else", boss())
            .follows(unseen(shown(json!({"id": "u-2"}))))
            .ends("failed Update 502: mismatch: …"),
    ]);
}

#[test]
fn what_was_not_sent_was_not_done() {
    for (kind, code) in UNDONE {
        let UserEnd::Failed { failure, details } =
            user_end(outcome(&boss(), &rules(), vec![found(json!({})), failed(kind)]))
        else {
            panic!("{kind:?}: nothing was done")
        };
        assert_eq!((failure.code(), failure.message.as_str()), (code, "said"), "{kind:?}");
        assert_eq!(details["id"], "u-1", "{kind:?}");
    }
}

#[test]
fn a_conflict_is_read_again_and_sent_once_more() {
    let both = || update(json!({"title": "Boss", "department": "D"}));
    let patch = "patch u-1: title=\"Boss\" enterprise:department=\"D\"";
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let conflict = |look| {
        vec![
            ("users named test?", found(json!({}))),
            (patch, status(409)),
            ("user u-1?", look),
        ]
    };
    let again = |question, answer| {
        let mut script = conflict(shown(json!({"title": "Boss"})));
        script.push((question, answer));
        script
    };
    let rest = "patch u-1: enterprise:department=\"D\"";
    let whole = || shown(json!({"title": "Boss", (extension): {"department": "D"}}));
    hold([
        case("nothing is left to change", both())
            .follows(conflict(whole()))
            .ends("done Update u-1 active"),
        case("what is left to change is sent", both())
            .follows(again(rest, whole()))
            .ends("done Update u-1 active"),
        case("all is left to change", both())
            .asks("users named test?", found(json!({})))
            .asks(patch, status(409))
            .asks("user u-1?", shown(json!({})))
            .asks(patch, whole())
            .ends("done Update u-1 active"),
        case("a second conflict", both())
            .follows(again(rest, status(409)))
            .ends("failed Update 409: said [u-1]"),
        case("then refused", both())
            .follows(again(rest, status(400)))
            .ends("failed Update 400: said [u-1]"),
        case("then not sent", both())
            .follows(again(rest, failed(ErrorKind::CircuitOpen)))
            .ends("failed Update 503: said [u-1]"),
        case("then gone", both())
            .follows(again(rest, absent()))
            .ends("failed Update 404: User does not exist [u-1]"),
        case("gone by the look", both())
            .follows(conflict(absent()))
            .ends("failed Update 404: User does not exist [u-1]"),
        case("the look fails", both())
            .follows(conflict(status(500)))
            .ends("failed Update 409: whether the user was changed is not known: said; looking failed too: said [u-1]"),
        case("then lost, and made", both())
            .asks("users named test?", found(json!({})))
            .asks(patch, status(409))
            .asks("user u-1?", shown(json!({"title": "Boss"})))
            .asks(rest, lost())
            .asks("user u-1?", whole())
            .ends("done Update u-1 active"),
        case("then lost, and not made: a third is not sent", both())
            .asks("users named test?", found(json!({})))
            .asks(patch, status(409))
            .asks("user u-1?", shown(json!({"title": "Boss"})))
            .asks(rest, lost())
            .asks("user u-1?", shown(json!({"title": "Boss"})))
            .ends("failed Update 504: said [u-1]"),
        case("enabling goes along", boss())
            .asks("users named test?", found(json!({"active": false})))
            .asks("patch u-1: title=\"Boss\" active=true", status(409))
            .asks("user u-1?", shown(json!({"active": false, "title": "Boss"})))
            .asks("patch u-1: active=true", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn after_a_lost_answer_the_user_is_read() {
    let script = |kind, look| {
        vec![
            ("users named test?", found(json!({}))),
            ("patch u-1: title=\"Boss\"", failed(kind)),
            ("user u-1?", look),
        ]
    };
    for (kind, not_made, not_known) in [
        (
            ErrorKind::Timeout,
            "failed Update 504: said [u-1]",
            "failed Update 504: whether the user was changed is not known: said; looking failed too: said [u-1]",
        ),
        (
            ErrorKind::Broken,
            "failed Update 504: said [u-1]",
            "failed Update 504: whether the user was changed is not known: said; looking failed too: said [u-1]",
        ),
        (
            ErrorKind::Status(500),
            "failed Update 500: said [u-1]",
            "failed Update 500: whether the user was changed is not known: said; looking failed too: said [u-1]",
        ),
        (
            ErrorKind::Unreadable,
            "failed Update 502: said [u-1]",
            "failed Update 502: whether the user was changed is not known: said; looking failed too: said [u-1]",
        ),
    ] {
        hold([
            case("made", boss()).follows(script(kind, shown(json!({"title": "Boss"})))).ends("done Update u-1 active"),
            case("not made", boss()).follows(script(kind, shown(json!({})))).ends(not_made),
            case("the look shows somebody else", boss()).follows(script(kind, shown(json!({"id": "u-2", "title": "Boss"})))).ends("failed Update 502: mismatch: the directory answered with a user of another id [u-1]"),
            case("gone", boss()).follows(script(kind, absent())).ends("failed Update 404: User does not exist [u-1]"),
            case("the look is lost too", boss()).follows(script(kind, lost())).ends(not_known),
            case("no look is sent", boss()).follows(script(kind, failed(ErrorKind::CircuitOpen))).ends(not_known),
            case("no time to look", boss()).follows(script(kind, failed(ErrorKind::Expired))).ends("failed Update 504: whether the user was changed is not known: said; looking failed too: said [u-1]"),
        ]);
    }
}
