use serde_json::{Value, json};

use crate::commands::testing::*;
use crate::{commands::Command, decide::Reply, outcome::UserEnd, policy::Adopt, scim::ErrorKind};

fn update(changes: Value) -> Command {
    command("iam-update-user", json!({"user-profile": profile(changes)}))
}

fn not_enabling(changes: Value, allow_enable: Value) -> Command {
    command(
        "iam-update-user",
        json!({"user-profile": profile(changes), "allow-enable": allow_enable}),
    )
}

fn boss() -> Command {
    update(json!({"title": "Boss"}))
}

#[test]
fn only_what_differs_is_patched() {
    hold([
        case("switch off", boss())
            .ends("skipped Update: Command is disabled. [-]")
            .with(|policy| policy.update_user_enabled = false),
        case("nothing differs", update(json!({})))
            .asks("users named test?", found(json!({"title": "Clerk"})))
            .ends("done Update u-1 active"),
        case("one field", boss())
            .asks("users named test?", found(json!({"title": "Clerk"})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case(
            "an empty field removes nothing",
            update(json!({"title": "", "surname": ""})),
        )
        .asks("users named test?", found(json!({"title": "Clerk"})))
        .ends("done Update u-1 active"),
        case(
            "part of the name, sent whole",
            update(json!({"givenname": "Tea", "surname": null})),
        )
        .asks("users named test?", found(json!({})))
        .asks(
            "patch u-1: name={\"givenName\":\"Tea\",\"familyName\":\"St\"}",
            shown(json!({})),
        )
        .ends("done Update u-1 active"),
        case(
            "an attribute of the enterprise extension",
            update(json!({"department": "D"})),
        )
        .asks("users named test?", found(json!({})))
        .asks("patch u-1: enterprise:department=\"D\"", shown(json!({})))
        .ends("done Update u-1 active"),
        case("found in another letter case", update(json!({})))
            .asks("users named test?", found(json!({"userName": "TEST"})))
            .asks("patch u-1: userName=\"test\"", shown(json!({})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn an_inactive_user_is_enabled_in_the_same_patch() {
    let inactive = || found(json!({"active": false}));
    hold([
        case("alone", update(json!({})))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({})))
            .ends("done Update u-1 active"),
        case(
            "with a rename",
            update(json!({"username": "new", "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", inactive())
        .asks(
            "patch u-1: userName=\"new\" active=true",
            shown(json!({"userName": "new"})),
        )
        .ends("done Update u-1 active"),
        case("enable switch off", boss())
            .asks("users named test?", inactive())
            .asks("patch u-1: title=\"Boss\"", shown(json!({"active": false})))
            .ends("done Update u-1 inactive")
            .with(|policy| policy.enable_user_enabled = false),
        case("allow-enable false", not_enabling(json!({}), json!(false)))
            .asks("users named test?", inactive())
            .ends("done Update u-1 inactive"),
        case("allow-enable \"false\"", not_enabling(json!({}), json!("false")))
            .asks("users named test?", inactive())
            .ends("done Update u-1 inactive"),
        case("allow-enable null is true", not_enabling(json!({}), json!(null)))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({})))
            .ends("done Update u-1 active"),
        case("not known to be inactive", update(json!({})))
            .asks("users named test?", found(json!({"active": null})))
            .ends("done Update u-1 unknown"),
        case("the answer shows it inactive", update(json!({})))
            .asks("users named test?", inactive())
            .asks("patch u-1: active=true", shown(json!({"active": false})))
            .ends("failed Update 502: mismatch: the directory answered without having made the change [u-1]"),
    ]);
}

#[test]
fn old_id_id_old_name_name() {
    let four = || update(json!({"id": "u-1", "username": "new", "olduserdata": {"id": "u-0", "username": "test"}}));
    let names = || update(json!({"username": "new", "olduserdata": {"username": "test"}}));
    let renamed = || shown(json!({"userName": "new"}));
    let rename = "patch u-1: userName=\"new\"";
    hold([
        case("the old id", four())
            .asks("user u-0?", shown(json!({"id": "u-0", "userName": "new"})))
            .ends("done Update u-0 active"),
        case("nothing under the old id: the id", four())
            .asks("user u-0?", absent())
            .asks("user u-1?", shown(json!({})))
            .asks(rename, renamed())
            .ends("done Update u-1 active"),
        case("nothing under either: no name is looked for", four())
            .asks("user u-0?", absent())
            .asks("user u-1?", absent())
            .ends("failed Update 404: User does not exist [-]"),
        case(
            "the same id, asked once",
            update(json!({"id": "u-1", "olduserdata": {"id": "u-1"}})),
        )
        .asks("user u-1?", shown(json!({})))
        .ends("done Update u-1 active"),
        case(
            "nothing under the old id, and no id: the old name",
            update(json!({"username": "new", "olduserdata": {"id": "u-0", "username": "test"}})),
        )
        .asks("user u-0?", absent())
        .asks("users named test?", found(json!({})))
        .asks(rename, renamed())
        .ends("done Update u-1 active"),
        case("the old name: a rename", names())
            .asks("users named test?", found(json!({})))
            .asks(rename, renamed())
            .ends("done Update u-1 active"),
        case("a rename told twice", names())
            .asks("users named test?", nobody())
            .asks("users named new?", found(json!({"userName": "new"})))
            .ends("done Update u-1 active"),
        case(
            "a rename told twice, with something new",
            update(json!({"username": "new", "title": "Boss", "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", nobody())
        .asks("users named new?", found(json!({"userName": "new"})))
        .asks("patch u-1: title=\"Boss\"", renamed())
        .ends("done Update u-1 active"),
        case(
            "by display names, in a string",
            update(json!({"username": "new", "olduserdata": "{\"User Name\": \"x\"}"})),
        )
        .asks("users named x?", found(json!({"userName": "x"})))
        .asks(rename, renamed())
        .ends("done Update u-1 active"),
        case(
            "the name in another letter case, asked once",
            update(json!({"olduserdata": {"username": "TEST"}})),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Update u-1 active"),
        case(
            "the old name alone",
            update(json!({"username": null, "olduserdata": {"username": "test"}})),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Update u-1 active"),
        case("neither old nor new: made", names())
            .asks("users named test?", nobody())
            .asks("users named new?", nobody())
            .asks("create new active", renamed())
            .ends("done Create u-1 active"),
        case(
            "the id, under another name",
            update(json!({"id": "u-1", "username": "new"})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks(rename, renamed())
        .ends("done Update u-1 active"),
        case("the rename is not shown", names())
            .asks("users named test?", found(json!({})))
            .asks(rename, shown(json!({})))
            .ends("failed Update 502: mismatch: the directory answered without having made the change [u-1]"),
        case("the new name is somebody else's", names())
            .asks("users named test?", found(json!({})))
            .asks(rename, status(409))
            .asks("user u-1?", shown(json!({})))
            .asks(rename, status(409))
            .ends("failed Update 409: said [u-1]"),
        case("the rename's answer is lost", names())
            .asks("users named test?", found(json!({})))
            .asks(rename, lost())
            .asks("user u-1?", renamed())
            .ends("done Update u-1 active"),
        case("the old id fails", four())
            .asks("user u-0?", status(500))
            .ends("failed Update 500: said [-]"),
    ]);
}

#[test]
fn who_must_not_be_taken() {
    hold([
        case("two of the name", boss())
            .asks("users named test?", two())
            .ends("failed Update 409: ambiguous: more than one user has this userName [-]"),
        case("another name", boss())
            .asks("users named test?", found(json!({"userName": "toast"})))
            .ends("failed Update 502: mismatch: the directory answered with a user of another userName [-]"),
        case(
            "another name under the old one",
            update(json!({"olduserdata": {"username": "old"}})),
        )
        .asks("users named old?", found(json!({})))
        .ends("failed Update 502: mismatch: the directory answered with a user of another userName [-]"),
        case("another id", update(json!({"id": "u-2"})))
            .asks("user u-2?", shown(json!({})))
            .ends("failed Update 502: mismatch: the directory answered with a user of another id [-]"),
        case(
            "a letter that only looks the same",
            update(json!({"username": "t\u{435}st"})),
        )
        .asks("users named t\u{435}st?", found(json!({})))
        .ends("failed Update 502: mismatch: …"),
    ]);
}

#[test]
fn nobody_is_made_or_skipped() {
    hold([
        case("creating what is missing", boss()).asks("users named test?", nobody()).asks("create test active", shown(json!({}))).ends("done Create u-1 active"),
        case("creating what is missing, inactive", not_enabling(json!({}), json!("false"))).asks("users named test?", nobody()).asks("create test inactive", shown(json!({"active": false}))).ends("done Create u-1 inactive"),
        case("not creating what is missing", boss()).asks("users named test?", nobody()).ends("skipped Update: User does not exist [-]")
        .with(|policy| policy.create_if_not_exists = false),
        case("create switch off", boss()).asks("users named test?", nobody()).ends("skipped Create: Command is disabled. [-]")
        .with(|policy| policy.create_user_enabled = false),
        case("partial", update(json!({"displayname": null}))).asks("users named test?", nobody()).ends("failed Create 400: displayName: a new user needs it; give it a value (user-profile.displayname) [-]"),
        case("without a name of its own", update(json!({"username": null, "olduserdata": {"username": "test"}}))).asks("users named test?", nobody()).ends("failed Create 400: userName: a new user needs it; …"),
        case("there meanwhile: updated, and never made again", boss()).asks("users named test?", nobody()).asks("create test active", status(409)).asks("users named test?", found(json!({}))).asks("patch u-1: title=\"Boss\"", absent()).ends("failed Update 404: User does not exist [u-1]"),
        case("the e-mail is somebody else's", boss()).asks("users named test?", nobody()).asks("create test active", status(409)).asks("users named test?", nobody()).ends("failed Create 409: said; nobody has this userName, so what clashes is another user's, most likely the e-mail [-]"),
        case("there meanwhile, and another person's: made by a create, so not taken over", update(json!({"employeeid": "E7"}))).asks("users named test?", nobody()).asks("create test active", status(409)).asks("users named test?", found(json!({"externalId": "E8"}))).ends("failed Create 409: the userName belongs to another person: …"),
        case("the creation's answer is lost", boss()).asks("users named test?", nobody()).asks("create test active", lost()).asks("users named test?", found(json!({"title": "Boss"}))).ends("done Create u-1 active"),
        case("an id that is not known is never made", update(json!({"id": "u-1"}))).asks("user u-1?", absent()).ends("failed Update 404: User does not exist [-]"),
        case("a wrong URL is nobody's absence", boss()).asks("users named test?", failed(ErrorKind::WrongUrl)).ends("failed Update 404: said [-]"),
    ]);
}

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

#[test]
fn adopting_is_no_matter_of_an_update() {
    let person = || update(json!({"employeeid": "E7", "olduserdata": {"username": "old"}}));
    let script = || {
        vec![
            ("users named old?", nobody()),
            ("users named test?", found(json!({"externalId": "E8"}))),
            ("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"}))),
        ]
    };
    hold([
        case("another's by default", person())
            .follows(script())
            .ends("done Update u-1 active"),
        case("never", person())
            .follows(script())
            .ends("done Update u-1 active")
            .with(|policy| policy.adopt = Adopt::Never),
        case("always", person())
            .follows(script())
            .ends("done Update u-1 active")
            .with(|policy| policy.adopt = Adopt::Always),
    ]);
}

#[test]
fn only_what_is_changed_has_to_please() {
    hold([
        case(
            "stored before the rule",
            update(json!({"employeeid": "1 2", "title": "Boss"})),
        )
        .asks("users named test?", found(json!({"externalId": "1 2"})))
        .asks("patch u-1: title=\"Boss\"", shown(json!({})))
        .ends("done Update u-1 active"),
        case("a new value breaks the rule", update(json!({"employeeid": "1 2"})))
            .asks("users named test?", found(json!({})))
            .ends(
                "failed Update 400: externalId: U+0020 SPACE at position 2 can't stand in it; take it out, it is a space (user-profile.employeeid) [u-1]",
            ),
        case(
            "a new value, to another directory",
            update(json!({"employeeid": "1 2"})),
        )
        .asks("users named test?", found(json!({})))
        .asks("patch u-1: externalId=\"1 2\"", shown(json!({})))
        .ends("done Update u-1 active")
        .rfc(),
        case("not text", update(json!({"title": 7})))
            .asks("users named test?", found(json!({})))
            .ends("failed Update 400: user-profile.title: must be text, not a number; send it in quotes [u-1]"),
    ]);
}

#[test]
fn nothing_is_asked_for_what_nobody_can_be() {
    hold([
        case("malformed id", update(json!({"id": "a/b"})))
            .ends("failed Update 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]"),
        case("malformed id, the command switched off", update(json!({"id": "a/b"})))
            .ends("failed Update 400: user-profile.id must be …")
            .with(|policy| policy.update_user_enabled = false),
        case(
            "malformed old id, the command switched off",
            update(json!({"olduserdata": {"id": ".."}})),
        )
        .ends("failed Update 400: user-profile.olduserdata.id must be …")
        .with(|policy| policy.update_user_enabled = false),
        case("malformed old id", update(json!({"olduserdata": {"id": ".."}})))
            .ends("failed Update 400: user-profile.olduserdata.id must be 1 to 64 letters, digits, `_` or `-` [-]"),
        case("old id not text", update(json!({"olduserdata": {"id": 7}})))
            .ends("failed Update 400: user-profile.olduserdata.id must be text, not a number; send it in quotes [-]"),
        case(
            "old name not text",
            update(json!({"olduserdata": {"username": ["test"]}})),
        )
        .ends("failed Update 400: user-profile.olduserdata.username: must be text, not a list; send it in quotes [-]"),
        case(
            "invisible character in the old name",
            update(json!({"olduserdata": {"username": "te\u{feff}st"}})),
        )
        .ends(
            "failed Update 400: olduserdata.userName: U+FEFF ZERO WIDTH NO-BREAK SPACE at position 3 can't stand in it; take it out, it is invisible (user-profile.olduserdata.username) [-]",
        ),
        case(
            "invisible character in the name",
            update(json!({"username": "te\u{202e}st"})),
        )
        .ends(
            "failed Update 400: userName: U+202E RIGHT-TO-LEFT OVERRIDE at position 3 can't stand in it; take it out, it is invisible (user-profile.username) [-]",
        ),
        case("old data is no document", update(json!({"olduserdata": [1]})))
            .ends("failed Update 400: user-profile.olduserdata must be an object, or a string that holds one …"),
        case(
            "no key",
            update(json!({"username": null, "olduserdata": {"title": "Boss"}})),
        )
        .ends("failed Update 400: user-profile needs at least one of: id, username, also in olduserdata [-]"),
    ]);
}

#[test]
fn a_dry_run_goes_the_same_way() {
    hold([
        case("found", boss())
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({})))
            .ends("done Update u-1 active")
            .dry(),
        case("nobody", boss())
            .asks("users named test?", nobody())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .dry(),
    ]);
}
