//! By which keys a get looks, in which order and in which form (section by section the same for
//! every user command; where another command differs, its own tables say so).

use serde_json::json;

use super::{by_name, get};
use crate::{commands::testing::*, scim::ErrorKind};

/// What a get of a profile with every key asks while none finds a user.
const QUESTIONS: [&str; 6] = [
    "user u-1?",
    "users named test?",
    "users of employee E7?",
    "user u-0?",
    "users named old?",
    "users of employee E6?",
];

const UUID: &str = "906790ab-1234-4abc-8def-0123456789ab";

fn by_every_key() -> crate::commands::Command {
    get(json!({
        "id": "u-1", "username": "test", "employeeid": "E7",
        "olduserdata": {"id": "u-0", "username": "old", "employeeid": "E6"},
    }))
}

#[test]
fn keys_are_tried_in_order_until_one_finds_a_user() {
    hold([
        case("id", by_every_key())
            .asks("user u-1?", shown(json!({})))
            .ends("done Get u-1 active"),
        case("userName", by_every_key())
            .in_vain(&QUESTIONS[..1])
            .asks("users named test?", found(json!({"externalId": "E7"})))
            .ends("done Get u-1 active"),
        case("employee id, under another name", by_every_key())
            .in_vain(&QUESTIONS[..2])
            .asks(
                "users of employee E7?",
                found(json!({"userName": "new", "externalId": "E7"})),
            )
            .ends("done Get u-1 active"),
        case("old id", by_every_key())
            .in_vain(&QUESTIONS[..3])
            .asks("user u-0?", shown(json!({"id": "u-0", "userName": "old"})))
            .ends("done Get u-0 active"),
        case("old userName", by_every_key())
            .in_vain(&QUESTIONS[..4])
            .asks(
                "users named old?",
                found(json!({"userName": "old", "externalId": "E6"})),
            )
            .ends("done Get u-1 active"),
        case("old employee id, under another name", by_every_key())
            .in_vain(&QUESTIONS[..5])
            .asks(
                "users of employee E6?",
                found(json!({"userName": "older", "externalId": "E6"})),
            )
            .ends("done Get u-1 active"),
        case("none", by_every_key())
            .in_vain(&QUESTIONS)
            .ends("failed Get 404: User does not exist [-]"),
        case(
            "what is as it was is asked once",
            get(json!({
                "id": "u-1", "username": "test", "employeeid": "E7",
                "olduserdata": {"id": "u-1", "username": "test", "employeeid": "E7"},
            })),
        )
        .in_vain(&QUESTIONS[..3])
        .ends("failed Get 404: User does not exist [-]"),
    ]);
}

#[test]
fn one_key_is_enough_in_any_place() {
    hold([
        case("old id alone", get(json!({"olduserdata": {"id": "u-1"}})))
            .asks("user u-1?", shown(json!({})))
            .ends("done Get u-1 active"),
        case("old userName alone", get(json!({"olduserdata": {"username": "test"}})))
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case(
            "old employee id alone",
            get(json!({"olduserdata": {"employeeid": "E7"}})),
        )
        .asks("users of employee E7?", found(json!({"externalId": "E7"})))
        .ends("done Get u-1 active"),
        case("display names", get(json!({"Employee ID": "E7"})))
            .asks("users of employee E7?", found(json!({"externalId": "E7"})))
            .ends("done Get u-1 active"),
        case(
            "display names in old data that are a text",
            get(json!({"olduserdata": "{\"User Name\": \"test\"}"})),
        )
        .asks("users named test?", found(json!({})))
        .ends("done Get u-1 active"),
        case("a list of one text", get(json!({"username": ["test"]})))
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
    ]);
}

#[test]
fn white_space_at_the_ends_of_a_key_is_taken_off() {
    hold([
        case("userName", get(json!({"username": "\u{a0}test\u{2003}"})))
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("id", get(json!({"id": " u-1\n"})))
            .asks("user u-1?", shown(json!({})))
            .ends("done Get u-1 active"),
        case("employee id", get(json!({"employeeid": "\tE7 "})))
            .asks("users of employee E7?", found(json!({"externalId": "E7"})))
            .ends("done Get u-1 active"),
        case(
            "blank ones are none",
            get(json!({"id": " ", "username": "\u{3000}", "employeeid": "E7"})),
        )
        .asks("users of employee E7?", nobody())
        .ends("failed Get 404: User does not exist [-]"),
        case("blank old data", get(json!({"username": "test", "olduserdata": " "})))
            .asks("users named test?", nobody())
            .ends("failed Get 404: User does not exist [-]"),
    ]);
}

#[test]
fn an_absent_name_is_looked_for_in_its_other_form() {
    let composed = || get(json!({"username": "jos\u{e9}"}));
    let decomposed = || get(json!({"username": "jose\u{301}"}));
    hold([
        case("decomposed in the directory", composed())
            .asks("users named jos\u{e9}?", nobody())
            .asks("users named jose\u{301}?", found(json!({"userName": "jose\u{301}"})))
            .ends("done Get u-1 active"),
        case("composed in the directory", decomposed())
            .asks("users named jose\u{301}?", nobody())
            .asks("users named jos\u{e9}?", found(json!({"userName": "jos\u{e9}"})))
            .ends("done Get u-1 active"),
        case(
            "neither form: NFC, then NFD",
            get(json!({"username": "s\u{307}\u{323}"})),
        )
        .in_vain(&[
            "users named s\u{307}\u{323}?",
            "users named \u{1e69}?",
            "users named s\u{323}\u{307}?",
        ])
        .ends("failed Get 404: User does not exist [-]"),
        case("found as it is: not looked for again", composed())
            .asks("users named jos\u{e9}?", found(json!({"userName": "jos\u{e9}"})))
            .ends("done Get u-1 active"),
        case(
            "the directory folds letter case and form",
            get(json!({"username": "JOS\u{c9}"})),
        )
        .asks("users named JOS\u{c9}?", found(json!({"userName": "jose\u{301}"})))
        .ends("done Get u-1 active"),
        case(
            "the old name's other form",
            get(json!({"olduserdata": {"username": "jos\u{e9}"}})),
        )
        .in_vain(&["users named jos\u{e9}?", "users named jose\u{301}?"])
        .ends("failed Get 404: User does not exist [-]"),
        case("looking for the other form fails", composed())
            .asks("users named jos\u{e9}?", nobody())
            .asks("users named jose\u{301}?", status(500))
            .ends("failed Get 500: said [-]"),
    ]);
}

#[test]
fn what_comes_back_is_what_was_asked_for() {
    const NAME: &str = "failed Get 502: mismatch: the directory answered with a user of another userName [-]";
    const ID: &str = "failed Get 502: mismatch: the directory answered with a user of another id [-]";
    hold([
        case("another name", by_name())
            .asks("users named test?", found(json!({"userName": "test2"})))
            .ends(NAME),
        case("a look-alike", get(json!({"username": "t\u{435}st"})))
            .asks("users named t\u{435}st?", found(json!({})))
            .ends(NAME),
        case("a compatibility form", get(json!({"username": "\u{ff54}est"})))
            .asks("users named \u{ff54}est?", found(json!({})))
            .ends(NAME),
        case("two of the name", by_name())
            .asks("users named test?", two())
            .ends("failed Get 409: ambiguous: more than one user has this userName [-]"),
        case("another id", get(json!({"id": "u-1"})))
            .asks("user u-1?", shown(json!({"id": "u-2"})))
            .ends(ID),
        case("an id in another letter case is another", get(json!({"id": "U-1"})))
            .asks("user U-1?", shown(json!({})))
            .ends(ID),
        case("another employee id", get(json!({"employeeid": "E7"})))
            .asks("users of employee E7?", found(json!({"externalId": "e7"})))
            .ends(
                "failed Get 502: mismatch: the directory answered with a user of another externalId (employee id) [-]",
            ),
        case("two of the employee id", get(json!({"employeeid": "E7"})))
            .asks("users of employee E7?", two())
            .ends("failed Get 409: ambiguous: more than one user has this externalId (employee id) [-]"),
    ]);
}

#[test]
fn an_id_is_lower_cased_where_it_has_the_form_of_aws() {
    let upper = || get(json!({"id": UUID.to_uppercase()}));
    let ten = "906790abcd-906790ab-1234-4abc-8def-0123456789ab";
    hold([
        case("a UUID", upper())
            .asks("user 906790ab-1234-4abc-8def-0123456789ab?", shown(json!({"id": UUID})))
            .ends("done Get 906790ab-1234-4abc-8def-0123456789ab active"),
        case("ten digits and a UUID", get(json!({"id": ten.to_uppercase()})))
            .asks(
                "user 906790abcd-906790ab-1234-4abc-8def-0123456789ab?",
                shown(json!({"id": ten})),
            )
            .ends("done Get 906790abcd-906790ab-1234-4abc-8def-0123456789ab active"),
        case("nearly a UUID", get(json!({"id": "906790AB-1234-4ABC-8DEF"})))
            .asks("user 906790AB-1234-4ABC-8DEF?", absent())
            .ends("failed Get 404: User does not exist [-]"),
        case("another server's ids are case-exact", upper())
            .rfc()
            .asks("user 906790AB-1234-4ABC-8DEF-0123456789AB?", absent())
            .ends("failed Get 404: User does not exist [-]"),
    ]);
}

#[test]
fn an_unknown_id_is_a_hint_that_did_not_help() {
    let foreign = || get(json!({"id": "hr-7", "username": "test"}));
    let aws = || get(json!({"id": UUID, "username": "test"}));
    let asked = "user 906790ab-1234-4abc-8def-0123456789ab?";
    hold([
        case("foreign, 404", foreign())
            .asks("user hr-7?", absent())
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("foreign, 400", foreign())
            .asks("user hr-7?", status(400))
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("of AWS's form, 404: a get goes on by name", aws())
            .asks(asked, absent())
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("of AWS's form, 400 is a failure", aws())
            .asks(asked, status(400))
            .ends("failed Get 400: said [-]"),
        case("a wrong URL is no absence", foreign())
            .asks("user hr-7?", failed(ErrorKind::WrongUrl))
            .ends("failed Get 404: said [-]"),
    ]);
}

#[test]
fn foreign_ids_are_no_keys() {
    hold([
        case("neither now nor in old data", by_every_key())
            .foreign_ids()
            .in_vain(&[
                "users named test?",
                "users of employee E7?",
                "users named old?",
                "users of employee E6?",
            ])
            .ends("failed Get 404: User does not exist [-]"),
        case("not even of AWS's form", get(json!({"id": UUID, "username": "test"})))
            .foreign_ids()
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("of any form", get(json!({"id": "HR/7 a", "username": "test"})))
            .foreign_ids()
            .asks("users named test?", found(json!({})))
            .ends("done Get u-1 active"),
        case("an id alone", get(json!({"id": "u-1"})))
            .foreign_ids()
            .ends("failed Get 400: user-profile needs at least one of: username, employeeid, also in olduserdata [-]"),
    ]);
}

#[test]
fn an_id_and_a_name_of_two_users_are_ambiguous() {
    let both = || get(json!({"id": "u-1", "username": "new"}));
    hold([
        case("two users", both())
            .asks("user u-1?", shown(json!({})))
            .asks("users named new?", found(json!({"id": "u-2", "userName": "new"})))
            .ends(
                "failed Get 409: ambiguous: the id is that of user u-1 (userName test), and the userName that of \
                 user u-2 (userName new); send the one that is meant [u-1]",
            ),
        case("the name is free", both())
            .asks("user u-1?", shown(json!({})))
            .asks("users named new?", nobody())
            .ends("done Get u-1 active"),
        case("the name is the same user's", both())
            .asks("user u-1?", shown(json!({})))
            .asks("users named new?", found(json!({"userName": "new"})))
            .ends("done Get u-1 active"),
        case(
            "the name in other letters",
            get(json!({"id": "u-1", "username": "TEST"})),
        )
        .asks("user u-1?", shown(json!({})))
        .ends("done Get u-1 active"),
        case(
            "the old id, after a name that is nobody's",
            get(json!({"username": "new", "olduserdata": {"id": "u-1"}})),
        )
        .asks("users named new?", nobody())
        .asks("user u-1?", shown(json!({})))
        .ends("done Get u-1 active"),
    ]);
}
