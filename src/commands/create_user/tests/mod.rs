use serde_json::{Value, json};

use crate::commands::testing::*;
use crate::{
    commands::Command,
    decide::{Next, Step},
    policy::{Adopt, Policy},
    scim::ErrorKind,
};

fn create(changes: Value) -> Command {
    command("iam-create-user", json!({"user-profile": profile(changes)}))
}

/// A new person with an employee id.
fn numbered() -> Command {
    create(json!({"employeeid": "E7"}))
}

const EMAIL_TAKEN: &str =
    "failed Create 409: said; nobody has this userName, so what clashes is another user's, most likely the e-mail [-]";

fn disabled(changes: Value, allow_enable: Value) -> Command {
    command(
        "iam-create-user",
        json!({"user-profile": profile(changes), "allow-enable": allow_enable}),
    )
}

#[test]
fn a_new_person_costs_one_post() {
    hold([
        case("switch off", create(json!({})))
            .ends("skipped Create: Command is disabled. [-]")
            .with(|policy| policy.create_user_enabled = false),
        case("new", create(json!({})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case("update switch off", create(json!({})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .with(|policy| policy.update_user_enabled = false),
        case("allow-enable false", disabled(json!({}), json!(false)))
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("allow-enable \"false\"", disabled(json!({}), json!("false")))
            .asks("create test inactive", shown(json!({"active": false})))
            .ends("done Create u-1 inactive"),
        case("answer without active", create(json!({})))
            .asks("create test active", shown(json!({"active": null})))
            .ends("done Create u-1 unknown"),
        case("answer in another letter case", create(json!({})))
            .asks("create test active", shown(json!({"userName": "TEST"})))
            .ends("done Create u-1 active"),
        case("answer with another name", create(json!({})))
            .asks("create test active", shown(json!({"userName": "toast"})))
            .ends("failed Create 502: mismatch: …"),
        case("answer inactive", create(json!({})))
            .asks("create test active", shown(json!({"active": false})))
            .ends("failed Create 502: mismatch: …"),
    ]);
}

#[test]
fn the_body_has_what_the_profile_has() {
    let command = create(json!({"givenname": "Té", "title": "", "mobilephone": null, "department": "D"}));
    let Next::Write(Step::CreateUser(body)) = first(&command) else {
        panic!("a creation comes first")
    };
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(
        Value::from(body),
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", extension],
            "userName": "test", "displayName": "Te St", "name": {"givenName": "Té", "familyName": "St"},
            "emails": [{"value": "test@example.com", "type": "work", "primary": true}],
            extension: {"department": "D"}, "active": true,
        })
    );
}

#[test]
fn somebody_who_is_there_is_updated() {
    let boss = || create(json!({"title": "Boss"}));
    hold([
        case("found, differs", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found in another letter case", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"userName": "Test", "title": "Boss"})))
            .asks("patch u-1: userName=\"test\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found, nothing differs", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found, update switch off", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .ends("skipped Update: Command is disabled. [u-1]")
            .with(|policy| policy.update_user_enabled = false),
        case("found inactive", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"active": false})))
            .asks("patch u-1: title=\"Boss\" active=true", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found inactive, enable switch off", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"active": false})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"active": false})))
            .ends("done Update u-1 inactive")
            .with(|policy| policy.enable_user_enabled = false),
        case("found inactive, allow-enable false", disabled(json!({}), json!(false)))
            .asks("create test inactive", status(409))
            .asks("users named test?", found(json!({"active": false})))
            .ends("done Update u-1 inactive"),
        case(
            "found active, allow-enable false does not disable",
            disabled(json!({}), json!(false)),
        )
        .asks("create test inactive", status(409))
        .asks("users named test?", found(json!({})))
        .ends("done Update u-1 active"),
        case("gone before the PATCH: never created again", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", absent())
            .ends("failed Update 404: User does not exist [u-1]"),
        case("the PATCH conflicts twice: never created again", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", status(409))
            .asks("user u-1?", shown(json!({})))
            .asks("patch u-1: title=\"Boss\"", status(409))
            .ends("failed Update 409: said [u-1]"),
        case("the PATCH's answer is lost, and it is made", boss())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", lost())
            .asks("user u-1?", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn a_conflict_is_looked_into() {
    hold([
        case("nobody has the name", create(json!({}))).asks("create test active", status(409)).asks("users named test?", nobody()).ends(EMAIL_TAKEN),
        case("somebody has the employee id", numbered()).asks("create test active", status(409)).asks("users named test?", nobody()).asks("users of employee E7?", found(json!({"id": "u-7", "userName": "other", "externalId": "E7"}))).ends("failed Create 409: said; the externalId (employee id) is taken by user u-7 (userName other) [-]"),
        case("two have the employee id", numbered()).asks("create test active", status(409)).asks("users named test?", nobody()).asks("users of employee E7?", two()).ends("failed Create 409: said; the externalId (employee id) is taken by user u-1 (userName test) and user u-2 (userName test) [-]"),
        case("nobody has the employee id", numbered()).asks("create test active", status(409)).asks("users named test?", nobody()).asks("users of employee E7?", nobody()).ends("failed Create 409: said; nobody has this userName or employee id, so what clashes is another user's, most likely the e-mail [-]"),
        case("looking for the employee id fails: the conflict stays", numbered()).asks("create test active", status(409)).asks("users named test?", nobody()).asks("users of employee E7?", status(500)).ends("failed Create 409: said; looking for whom it clashes with failed: said [-]"),
        case("found, so that the employee id is not looked for", numbered()).asks("create test active", status(409)).asks("users named test?", found(json!({"externalId": "E7"}))).ends("done Update u-1 active"),
        case("two have it", create(json!({}))).asks("create test active", status(409)).asks("users named test?", two()).ends("failed Create 409: ambiguous: …"),
        case("another name answers to it", create(json!({}))).asks("create test active", status(409)).asks("users named test?", found(json!({"userName": "toast"}))).ends("failed Create 502: mismatch: …"),
        case("the look fails", create(json!({}))).asks("create test active", status(409)).asks("users named test?", status(500)).ends("failed Create 500: said [-]"),
        case("the look finds another URL", create(json!({}))).asks("create test active", status(409)).asks("users named test?", failed(ErrorKind::WrongUrl)).ends("failed Create 404: said [-]"),
    ]);
}

#[test]
fn an_id_is_looked_for_first() {
    let known = || create(json!({"id": "u-1", "title": "Boss"}));
    hold([
        case("found", known())
            .asks("user u-1?", shown(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("found under another name: renamed", create(json!({"id": "u-1"})))
            .asks("user u-1?", shown(json!({"userName": "old"})))
            .asks("patch u-1: userName=\"test\"", shown(json!({})))
            .ends("done Update u-1 active"),
        case("absent: no name is looked for, nobody is made", known())
            .asks("user u-1?", absent())
            .ends("failed Create 404: User does not exist [-]"),
        case("another id", known())
            .asks("user u-1?", shown(json!({"id": "u-2"})))
            .ends("failed Create 502: mismatch: …"),
        case("a wrong URL", known())
            .asks("user u-1?", failed(ErrorKind::WrongUrl))
            .ends("failed Create 404: said [-]"),
        case("malformed", create(json!({"id": "../Groups/g"})))
            .ends("failed Create 400: user-profile.id must be 1 to 64 letters, digits, `_` or `-` [-]"),
        case(
            "malformed, the command switched off",
            create(json!({"id": "../Groups/g"})),
        )
        .ends("failed Create 400: user-profile.id must be …")
        .with(|policy| policy.create_user_enabled = false),
        case("not text", create(json!({"id": 7})))
            .ends("failed Create 400: user-profile.id must be text, not a number; send it in quotes [-]"),
        case("empty: none", create(json!({"id": ""})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
    ]);
}

#[test]
fn what_cannot_be_created_may_still_be_updated() {
    let partial = || create(json!({"surname": null, "title": "Boss"}));
    let untextual = || create(json!({"title": 7}));
    hold([
        case("partial, found", partial())
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active"),
        case("partial, nobody", partial())
            .asks("users named test?", nobody())
            .ends(
                "failed Create 400: name.familyName: a new user needs it; give it a value (user-profile.surname) [-]",
            ),
        case("partial, two", partial())
            .asks("users named test?", two())
            .ends("failed Create 409: ambiguous: …"),
        case("partial, another name", partial())
            .asks("users named test?", found(json!({"userName": "toast"})))
            .ends("failed Create 502: mismatch: …"),
        case("partial, for a directory that asks for a name only", partial())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .rfc(),
        case("white space in the name", create(json!({"username": "te st"})))
            .asks("users named te st?", nobody())
            .ends(
                "failed Create 400: userName: U+0020 SPACE at position 3 can't stand in it; take it out, it is a space (user-profile.username) [-]",
            ),
        case("not text, nobody", untextual())
            .asks("users named test?", nobody())
            .ends("failed Create 400: user-profile.title: must be text, not a number; send it in quotes [-]"),
        case("not text, found", untextual())
            .asks("users named test?", found(json!({})))
            .ends("failed Update 400: user-profile.title: must be text, not a number; send it in quotes [u-1]"),
    ]);
}

#[test]
fn nothing_is_asked_for_what_nobody_can_be() {
    let hidden = "failed Create 400: userName: U+200B ZERO WIDTH SPACE at position 3 can't stand in it; take it out, it is invisible (user-profile.username) [-]";
    hold([
        case("invisible character", create(json!({"username": "te\u{200b}st"}))).ends(hidden),
        case("control character", create(json!({"username": "te\u{0}st"}))).ends(
            "failed Create 400: userName: U+0000 NULL at position 3 can't stand in it; take it out, it is a control character (user-profile.username) [-]",
        ),
        case("invisible character in a phone", create(json!({"mobilephone": "\u{202a}+49 30"})))
            .asks("users named test?", nobody())
            .ends(
                "failed Create 400: phoneNumbers.value: U+202A LEFT-TO-RIGHT EMBEDDING at position 1 can't stand in it; take it out, it is invisible (user-profile.mobilephone) [-]",
            ),
        case(
            "invisible, to another directory",
            create(json!({"username": "te\u{200b}st"})),
        )
        .ends(hidden)
        .rfc(),
        case("a name that is not text", create(json!({"username": 7})))
            .ends("failed Create 400: user-profile.username: must be text, not a number; send it in quotes [-]"),
        case("no key", create(json!({"username": null})))
            .ends("failed Create 400: user-profile needs at least one of: id, username [-]"),
        case("empty key", create(json!({"username": ""})))
            .ends("failed Create 400: user-profile needs at least one of: id, username [-]"),
    ]);
}

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
            case("somebody else's: updated", create(json!({})))
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
        case("made inactive, found active", disabled(json!({}), json!(false)))
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
        case("sent again, a conflict with somebody else", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"displayName": "Other"})))
            .asks("patch u-1: displayName=\"Te St\"", shown(json!({})))
            .ends("done Update u-1 active"),
        case("sent again, a conflict with nobody of this name", create(json!({})))
            .asks("create test active", lost())
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", nobody())
            .ends(EMAIL_TAKEN),
        case(
            "sent again, a conflict with somebody of the same employee id",
            numbered(),
        )
        .asks("create test active", lost())
        .asks("users named test?", nobody())
        .asks("create test active", status(409))
        .asks("users named test?", nobody())
        .asks(
            "users of employee E7?",
            found(json!({"userName": "other", "externalId": "E7"})),
        )
        .ends("failed Create 409: said; the externalId (employee id) is taken by user u-1 (userName other) [-]"),
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

#[test]
fn whom_a_create_takes_over() {
    const ANOTHERS: &str = "failed Create 409: the userName belongs to another person: the directory's user has another externalId (employee id) [u-1]";
    const NEVER: &str = "failed Create 409: a user of this userName exists, and `adopt` is set to never [u-1]";
    const DONE: &str = "done Update u-1 active";
    const CHANGED: &str = "patch u-1: externalId=\"E7\"";
    // The employee id of the profile and of the user; what comes of it with each setting, and
    // the change before it.
    let cases = [
        ("equal", Some("E7"), Some("E7"), (DONE, None), (DONE, None)),
        ("none in the profile", None, Some("E7"), (DONE, None), (DONE, None)),
        (
            "empty in the directory",
            Some("E7"),
            Some(""),
            (DONE, Some(CHANGED)),
            (DONE, Some(CHANGED)),
        ),
        (
            "none in the directory",
            Some("E7"),
            None,
            (DONE, Some(CHANGED)),
            (DONE, Some(CHANGED)),
        ),
        ("none at all", None, None, (DONE, None), (DONE, None)),
        (
            "different",
            Some("E7"),
            Some("E8"),
            (ANOTHERS, None),
            (DONE, Some(CHANGED)),
        ),
        (
            "different in letter case",
            Some("E7"),
            Some("e7"),
            (ANOTHERS, None),
            (DONE, Some(CHANGED)),
        ),
    ];
    for (name, wanted, has, same_person, always) in cases {
        for (adopt, (end, change)) in [
            (Adopt::SamePerson, same_person),
            (Adopt::Always, always),
            (Adopt::Never, (NEVER, None)),
        ] {
            let who = || found(json!({"externalId": has}));
            let command = || create(json!({"employeeid": wanted}));
            let end_with = |script: Script| {
                let mut script = script;
                script.extend(change.map(|change| (change, shown(json!({"externalId": wanted})))));
                script
            };
            let set = match adopt {
                Adopt::SamePerson => |policy: &mut Policy| policy.adopt = Adopt::SamePerson,
                Adopt::Always => |policy: &mut Policy| policy.adopt = Adopt::Always,
                Adopt::Never => |policy: &mut Policy| policy.adopt = Adopt::Never,
                Adopt::Strict => |policy: &mut Policy| policy.adopt = Adopt::Strict,
            };
            hold([
                case(name, command())
                    .follows(end_with(vec![
                        ("create test active", status(409)),
                        ("users named test?", who()),
                    ]))
                    .ends(end)
                    .with(set),
                case(name, command())
                    .follows(end_with(vec![("users named test?", who())]))
                    .ends(end)
                    .with(set)
                    .dry(),
                // What can't be created is looked for first.
                case(name, create(json!({"employeeid": wanted, "surname": null})))
                    .follows(end_with(vec![("users named test?", who())]))
                    .ends(end)
                    .with(set),
            ]);
        }
    }
}

#[test]
fn what_is_no_taking_over() {
    hold([
        case(
            "found by the profile's own id",
            create(json!({"id": "u-1", "employeeid": "E7"})),
        )
        .asks("user u-1?", shown(json!({"externalId": "E8"})))
        .asks("patch u-1: externalId=\"E7\"", shown(json!({"externalId": "E7"})))
        .ends("done Update u-1 active"),
        case(
            "found by the profile's own id, with never",
            create(json!({"id": "u-1", "title": "Boss"})),
        )
        .asks("user u-1?", shown(json!({})))
        .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
        .ends("done Update u-1 active")
        .with(|policy| policy.adopt = Adopt::Never),
        case("made by a request whose answer got lost, with never", numbered())
            .asks("create test active", lost())
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Create u-1 active")
            .with(|policy| policy.adopt = Adopt::Never),
        case(
            "made by it, and conflicting with the one after it, with never",
            numbered(),
        )
        .asks("create test active", lost())
        .asks("users named test?", nobody())
        .asks("create test active", status(409))
        .asks("users named test?", found(json!({"externalId": "E7"})))
        .ends("done Create u-1 active")
        .with(|policy| policy.adopt = Adopt::Never),
        case("there after a lost answer, and not as sent: another person", numbered())
            .asks("create test active", lost())
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .ends("failed Create 409: the userName belongs to another person: …"),
        case(
            "there after a lost answer, and not as sent, with never",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", found(json!({"displayName": "Other"})))
        .ends("failed Create 409: a user of this userName exists, …")
        .with(|policy| policy.adopt = Adopt::Never),
        case(
            "there after a lost answer, with an employee id that was not sent, with never",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .ends("failed Create 409: a user of this userName exists, …")
        .with(|policy| policy.adopt = Adopt::Never),
        case(
            "there after a lost answer, with an employee id that was not sent: found, not made",
            create(json!({})),
        )
        .asks("create test active", lost())
        .asks("users named test?", found(json!({"externalId": "E8"})))
        .ends("done Update u-1 active"),
        case("as sent, but nothing was lost", numbered())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("failed Create 409: a user of this userName exists, …")
            .with(|policy| policy.adopt = Adopt::Never),
        case("another person's, updating switched off: said all the same", numbered())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"externalId": "E8"})))
            .ends("failed Create 409: the userName belongs to another person: …")
            .with(|policy| policy.update_user_enabled = false),
    ]);
}

#[test]
fn a_refusal_is_final() {
    let kinds = [
        (ErrorKind::Connect, "failed Create 503: said [-]"),
        (ErrorKind::Congested, "failed Create 503: said [-]"),
        (ErrorKind::CircuitOpen, "failed Create 503: said [-]"),
        (ErrorKind::Throttled, "failed Create 429: said [-]"),
        (ErrorKind::WrongUrl, "failed Create 404: said [-]"),
        (ErrorKind::Status(400), "failed Create 400: said [-]"),
        (ErrorKind::Status(401), "failed Create 401: said [-]"),
        (ErrorKind::Status(403), "failed Create 403: said [-]"),
    ];
    hold(kinds.into_iter().map(|(kind, end)| {
        case("refused", create(json!({})))
            .asks("create test active", failed(kind))
            .ends(end)
    }));
}

#[test]
fn a_dry_run_looks_before_it_would_write() {
    hold([
        case("nobody", create(json!({})))
            .asks("users named test?", nobody())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .dry(),
        case("found", create(json!({"title": "Boss"})))
            .asks("users named test?", found(json!({})))
            .asks("patch u-1: title=\"Boss\"", shown(json!({"title": "Boss"})))
            .ends("done Update u-1 active")
            .dry(),
        case("partial", create(json!({"surname": null})))
            .asks("users named test?", nobody())
            .ends("failed Create 400: name.familyName…")
            .dry(),
    ]);
}

#[test]
fn what_an_attempt_that_died_has_made_is_its_own_work() {
    let made = || found(json!({}));
    let never: fn(&mut Policy) = |policy| policy.adopt = Adopt::Never;
    hold([
        case("made before", create(json!({})))
            .asks("create test active", status(409))
            .asks("users named test?", made())
            .ends("done Create u-1 active")
            .retried(),
        case("made before, where nothing is adopted", create(json!({})))
            .asks("create test active", status(409))
            .asks("users named test?", made())
            .ends("done Create u-1 active")
            .with(never)
            .retried(),
        case("not made before", create(json!({})))
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active")
            .with(never)
            .retried(),
        case("another user has the name", create(json!({})))
            .asks("create test active", status(409))
            .asks(
                "users named test?",
                found(json!({"title": "Other", "externalId": "E9"})),
            )
            .ends("failed Create 409: a user of this userName exists, and `adopt` is set to never [u-1]")
            .with(never)
            .retried(),
    ]);
}
