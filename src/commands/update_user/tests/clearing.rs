use serde_json::{Value, json};

use crate::commands::{Command, testing::*};

/// An update that clears these fields.
fn clearing(clear: Value, changes: Value) -> Command {
    command(
        "iam-update-user",
        json!({"user-profile": profile(changes), "clear": clear}),
    )
}

/// What can be cleared by the built-in mapping.
const CLEARABLE: &str = "email, employeeid, mobilephone, title, employeetype, employeenumber, department, division, \
                         costcentercode, organization";

#[test]
fn what_is_named_is_taken_out_where_it_is_there() {
    let full = || {
        found(json!({
            "title": "Clerk", "externalId": "E7", "phoneNumbers": [{"value": "1", "type": "work"}],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "D", "division": "V"},
        }))
    };
    let no_email = || json!({"email": null});
    hold([
        case("an attribute", clearing(json!(["title"]), json!({})))
            .asks("users named test?", full())
            .asks("patch u-1: Remove title", shown(json!({})))
            .ends("done Update u-1 active"),
        case(
            "by its display name, in a text",
            clearing(json!("Mobile Phone"), json!({})),
        )
        .asks("users named test?", full())
        .asks("patch u-1: Remove phoneNumbers", shown(json!({})))
        .ends("done Update u-1 active"),
        case(
            "several, in a text that holds a list, one twice",
            clearing(json!("[\"Title\", \"department\", \"title\"]"), json!({})),
        )
        .asks("users named test?", full())
        .asks("patch u-1: Remove enterprise:department Remove title", shown(json!({})))
        .ends("done Update u-1 active"),
        case("the e-mail", clearing(json!("email"), no_email()))
            .asks("users named test?", full())
            .asks("patch u-1: Remove emails", shown(json!({"emails": null})))
            .ends("done Update u-1 active"),
        case("the employee id", clearing(json!("employeeid"), json!({})))
            .asks("users named test?", full())
            .asks("patch u-1: Remove externalId", shown(json!({})))
            .ends("done Update u-1 active"),
        case(
            "before what changes, and an enabling",
            clearing(json!(["title"]), json!({"surname": "Else"})),
        )
        .asks("users named test?", found(json!({"title": "Clerk", "active": false})))
        .asks(
            "patch u-1: Remove title name={\"givenName\":\"Te\",\"familyName\":\"Else\"} active=true",
            shown(json!({})),
        )
        .ends("done Update u-1 active"),
        case(
            "nothing there to clear",
            clearing(json!(["title", "division"]), json!({})),
        )
        .asks("users named test?", found(json!({"title": ""})))
        .ends("done Update u-1 active"),
        case("nothing to clear", clearing(json!(""), json!({})))
            .asks("users named test?", full())
            .ends("done Update u-1 active"),
        case("dry", clearing(json!("title"), json!({})))
            .dry()
            .asks("users named test?", full())
            .asks("patch u-1: Remove title", shown(json!({})))
            .ends("done Update u-1 active"),
        case("after a lost answer, done", clearing(json!("title"), json!({})))
            .asks("users named test?", full())
            .asks("patch u-1: Remove title", lost())
            .asks("user u-1?", shown(json!({})))
            .ends("done Update u-1 active"),
        case("after a lost answer, not done", clearing(json!("title"), json!({})))
            .asks("users named test?", full())
            .asks("patch u-1: Remove title", lost())
            .asks("user u-1?", shown(json!({"title": "Clerk"})))
            .ends("failed Update 504: said [u-1]"),
    ]);
}

#[test]
fn an_update_that_creates_ignores_it() {
    hold([
        case("nobody there", clearing(json!("title"), json!({})))
            .asks("users named test?", nobody())
            .asks("create test active", shown(json!({})))
            .ends("done Create u-1 active"),
        case("somebody there meanwhile", clearing(json!("title"), json!({})))
            .asks("users named test?", nobody())
            .asks("create test active", status(409))
            .asks("users named test?", found(json!({"title": "Clerk"})))
            .asks("patch u-1: Remove title", shown(json!({})))
            .ends("done Update u-1 active"),
    ]);
}

#[test]
fn what_cannot_be_cleared_is_refused_with_what_can() {
    let refused = |names: &str| {
        format!("failed Update 400: clear: {names} can't be cleared; fields that can be: {CLEARABLE} [-]")
    };
    let both = |told: &str| {
        format!(
            "failed Update 400: clear: {told} is to be cleared and filled at once; leave it out of clear or of \
             user-profile [-]"
        )
    };
    hold([
        case(
            "what every user must have",
            clearing(
                json!(["username", "Display Name", "givenname", "surname"]),
                json!({"displayname": null}),
            ),
        )
        .ends(refused("username, Display Name, givenname, surname")),
        case("what fills nothing", clearing(json!("lastName, title"), json!({}))).ends(refused("lastName")),
        case(
            "what a command reads itself",
            clearing(json!(["id", "active", "olduserdata"]), json!({})),
        )
        .ends(refused("id, active, olduserdata")),
        case("an attribute's name", clearing(json!(["phoneNumbers"]), json!({}))).ends(refused("phoneNumbers")),
        case(
            "cleared and filled",
            clearing(json!(["title", "email"]), json!({"Title": "Boss"})),
        )
        .ends(both("email (emails), title (title)")),
        case(
            "cleared and empty",
            clearing(json!(["title", "email"]), json!({"email": [], "title": ""})),
        )
        .asks("users named test?", found(json!({"emails": null})))
        .ends("done Update u-1 active"),
        case("the command switched off", clearing(json!("lastName"), json!({})))
            .with(|policy| policy.update_user_enabled = false)
            .ends("skipped Update: Command is disabled. [-]"),
        case("of another server", clearing(json!("username"), json!({})))
            .rfc()
            .ends(refused("username")),
    ]);
}
