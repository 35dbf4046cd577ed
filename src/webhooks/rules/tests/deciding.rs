//! Which rule an event meets, and what comes of it.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::*;
use crate::{
    mapper::expressions::Scope,
    webhooks::{
        event::Planned,
        rules::{Decision, Evaluation, budget},
    },
};

/// What becomes of an event on 28 November 2026, 10:00 in UTC.
pub(super) fn decide(rules: &Rules, body: &Value) -> Decision {
    decide_at(rules, body, "2026-11-28T10:00:00Z".parse().unwrap())
}

pub(super) fn decide_at(rules: &Rules, body: &Value, now: Timestamp) -> Decision {
    let (mut scope, mut budget) = (Scope::new(), budget());
    scope.set("body", Some(body), &mut budget).unwrap();
    scope.alias("item", "body");
    rules.decide(
        &TimeZone::UTC,
        now,
        &mut Evaluation {
            scope: &scope,
            budget: &mut budget,
        },
    )
}

/// What becomes of an event, in short: the rule's number and its commands, or the reason.
fn told(rules: &Rules, body: &Value) -> Value {
    match decide(rules, body).planned {
        Planned::Ignored { rule, .. } => json!({"ignored": rule}),
        Planned::Failed { rule, reason } => json!({"failed": rule, "reason": reason}),
        Planned::Commands { rule, commands, .. } => {
            let commands: Vec<_> = commands
                .into_iter()
                .map(|planned| {
                    json!([
                        planned.instance,
                        planned.command,
                        planned.not_before.map(|time| time.to_string())
                    ])
                })
                .collect();
            json!({"rule": rule, "commands": commands})
        }
    }
}

/// A condition that uses what is missing, or null, is false, whichever way it is put.
#[test]
fn a_condition_on_what_is_missing_is_false() {
    let body =
        json!({"type": "hired", "active": false, "none": null, "list": ["a"], "zero": 0, "nested": {"none": null}});
    for (when, expected) in [
        ("body.type == 'hired'", true),
        ("body.type != 'left'", true),
        ("body.type in ['hired', 'rehired']", true),
        ("not body.active", true),
        ("body.active", false),
        ("body.zero", false),
        ("body.missing == 'x'", false),
        ("body.missing != 'x'", false),
        ("body.none != 'x'", false),
        ("body.nested.none != 'x'", false),
        ("body.missing.deeper != 'x'", false),
        ("not body.missing", false),
        ("not body.none", false),
        ("body.missing", false),
        ("body.missing not in ['x']", false),
        ("'x' not in body.missing", false),
        ("body.missing < 3", false),
        ("1 < body.missing < 3", false),
        ("not (body.missing == 'x')", false),
        ("body.missing | lower != 'x'", false),
        ("body.missing is defined", false),
        ("body.missing is not defined", true),
        ("body.none is not defined", true),
        ("body.missing | default('x') == 'x'", true),
        ("body.type == 'left' and body.missing == 'x'", false),
        ("body.type == 'hired' or body.missing == 'x'", true),
        ("type == 'x'", false),
        ("headers['x-event'] != 'y'", false),
        ("item.type == 'hired'", true),
    ] {
        let text = format!("[[rules]]\nwhen = \"{when}\"\ndo = \"ignore\"");
        let rules = rules(&text).unwrap();
        let expected = json!({"ignored": expected.then_some(1)});
        assert_eq!(told(&rules, &body), expected, "{when}");
    }
}

#[test]
fn the_first_rule_that_matches_counts() {
    let rules = rules(
        "zone = \"Australia/Melbourne\"\n\
         [[rules]]\nwhen = \"body.type == 'terminated'\"\ndo = \"disable\"\npurpose = \"termination\"\n\
         at = { date = \"body.lastDay\", side = \"end_of_day\" }\nprofile = { employeeid = \"body.id\" }\n\
         [[rules]]\nwhen = \"body.id\"\ndo = \"update\"\nprofile = \"person\"\n\
         [[rules]]\ndo = \"ignore\"\n\
         [profiles.person]\nfields = { username = \"body.email | lower\", employeeid = \"body.id\", \
         olduserdata = { username = \"body.before.email | lower\" } }",
    )
    .unwrap();
    let update = |profile: Value| {
        json!({"rule": 2, "commands": [["production", {"command": "iam-update-user",
            "arguments": {"user-profile": profile, "allow-enable": false, "clear": []}}, null]]})
    };
    let disable = |time: Option<&str>| {
        json!({"rule": 1, "commands": [["production", {"command": "iam-disable-user",
            "arguments": {"user-profile": {"employeeid": "7"}}}, time]]})
    };
    for (body, expected) in [
        (
            json!({"type": "terminated", "id": "7", "lastDay": "2026-11-30"}),
            disable(Some("2026-11-30T13:00:00Z")),
        ),
        (
            json!({"type": "terminated", "id": "7", "lastDay": "2026-11-01"}),
            disable(None),
        ),
        (
            json!({"type": "terminated", "id": "7"}),
            json!({"failed": 1, "reason": "at.date is missing: nothing is there for body.lastDay"}),
        ),
        (
            json!({"type": "terminated", "id": "7", "lastDay": "2099-01-01"}),
            json!({"failed": 1, "reason": "at.date (body.lastDay) is more than ten years ahead"}),
        ),
        (
            json!({"type": "terminated", "lastDay": "2026-11-30"}),
            json!({"failed": 1, "reason": "profile is empty: nothing is there for profile.employeeid (body.id)"}),
        ),
        (
            json!({"type": "changed", "id": "7", "email": "JO@X"}),
            update(json!({"username": "jo@x", "employeeid": "7"})),
        ),
        (
            json!({"id": "7", "email": null, "before": {"email": "A@X"}}),
            update(json!({"employeeid": "7", "olduserdata": {"username": "a@x"}})),
        ),
        (json!({"type": "changed"}), json!({"ignored": 3})),
        (json!("a text"), json!({"ignored": 3})),
        (json!(null), json!({"ignored": 3})),
    ] {
        assert_eq!(told(&rules, &body), expected, "{body}");
    }
}

/// The next rule might do what the one that can't be computed was to prevent.
#[test]
fn what_cannot_be_computed_fails_and_nothing_is_tried_instead() {
    let text = "[[rules]]\nwhen = \"body.n + 1 > 3\"\ndo = \"ignore\"\n[[rules]]\ndo = \"disable\"\nprofile = { employeeid = \"body.id\" }";
    let found = told(&rules(text).unwrap(), &json!({"n": ["s3cret"], "id": "7"}));
    assert_eq!(found["failed"], 1, "{found}");
    assert!(!found.to_string().contains("s3cret"), "{found}");
}

#[test]
fn each_instance_gets_its_command() {
    let text = "[[rules]]\nwhen = \"body.one\"\ndo = \"disable\"\ninstance = \"staging\"\nprofile = { id = \"body.id\" }\n\
                [[rules]]\ndo = \"disable\"\nprofile = { id = \"body.id\" }";
    let rules = rules_for(text, &["production", "staging"]).unwrap();
    for (body, expected) in [
        (json!({"id": "7", "one": true}), vec!["staging"]),
        (json!({"id": "7"}), vec!["production", "staging"]),
    ] {
        let found = told(&rules, &body);
        let commands = found["commands"].as_array().unwrap();
        let names: Vec<_> = commands.iter().map(|command| command[0].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{body}");
    }
}

/// An update of a group without members would be a rename.
#[test]
fn members_that_are_missing_fail() {
    let text = "[[rules]]\ndo = \"update-group\"\nscim = { displayName = \"body.group\" }\n\
                members_to_add = \"body.add\"\nmembers_to_delete = \"body.delete\"";
    let rules = rules(text).unwrap();
    let update = |add: Value, delete: Value| {
        json!({"rule": 1, "commands": [["production", {"command": "iam-update-group", "arguments":
            {"scim": {"displayName": "G"}, "memberIdsToAdd": add, "memberIdsToDelete": delete}}, null]]})
    };
    let missing = json!({"failed": 1,
        "reason": "the group's members are missing: members_to_add and members_to_delete give no id"});
    for (body, expected) in [
        (
            json!({"group": "G", "add": ["a", 7]}),
            update(json!(["a", "7"]), json!([])),
        ),
        (
            json!({"group": "G", "add": "a", "delete": ["b"]}),
            update(json!(["a"]), json!(["b"])),
        ),
        (json!({"group": "G"}), missing.clone()),
        (json!({"group": "G", "add": [], "delete": ""}), missing),
    ] {
        assert_eq!(told(&rules, &body), expected, "{body}");
    }
}

#[test]
fn an_events_own_time_is_the_rules() {
    let text = "[[rules]]\ndo = \"disable\"\ntime = \"body.at\"\nprofile = { employeeid = \"body.id\" }";
    let rules = rules(text).unwrap();
    for (at, time, failed) in [
        (json!("2026-11-28T10:00:00+11:00"), Some("2026-11-27T23:00:00Z"), false),
        (json!(null), None, false),
        (json!("soon"), None, true),
    ] {
        let decision = decide(&rules, &json!({"id": "7", "at": at}));
        assert_eq!(decision.time.map(|time| time.to_string()).as_deref(), time, "{at}");
        assert_eq!(matches!(decision.planned, Planned::Failed { .. }), failed, "{at}");
    }
}

#[test]
fn expressions_that_explode_are_stopped() {
    let big = json!({"text": "x,".repeat(400_000), "list": vec![json!({"a": "b"}); 20_000], "id": "7"});
    for expression in [
        "body.text | split(',') | sort | unique | join('-') | upper",
        "body.text ~ body.text ~ body.text ~ body.text",
        "body.list | map(attribute='a') | join(body.text)",
        "body.text | replace(',', body.text)",
        "body.list | groupby('a') | list",
    ] {
        let text =
            format!("[[rules]]\ndo = \"create\"\nprofile = {{ title = \"{expression}\", employeeid = \"body.id\" }}");
        let found = told(&rules(&text).unwrap(), &big);
        assert_eq!(found["failed"], 1, "{expression}: {}", found.to_string().len());
    }
    let many: String = (0..200)
        .map(|_| "[[rules]]\nwhen = \"(body.text | split(',') | length) == 7\"\ndo = \"ignore\"\n")
        .collect();
    let found = told(&rules(&many).unwrap(), &big);
    assert!(found["failed"].is_number(), "{found}");
}
