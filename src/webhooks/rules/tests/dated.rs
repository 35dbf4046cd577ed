//! What rules say of people, and when: words, purposes, dates with their zones, what is held.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    deciding::{decide, decide_at},
    *,
};
use crate::webhooks::event::{Planned, PlannedCommand};

const PROFILE: &str = "profile = { employeeid = \"body.id\", username = \"body.mail\" }";

fn commands(rules: &Rules, body: &Value) -> Vec<PlannedCommand> {
    commands_of(decide(rules, body).planned)
}

fn commands_of(planned: Planned) -> Vec<PlannedCommand> {
    match planned {
        Planned::Commands { commands, .. } => commands,
        other @ (Planned::Ignored { .. } | Planned::Failed { .. }) => panic!("{other:?}"),
    }
}

fn reason(rules: &Rules, body: &Value) -> String {
    match decide(rules, body).planned {
        Planned::Failed { reason, .. } => reason,
        other @ (Planned::Ignored { .. } | Planned::Commands { .. }) => panic!("{other:?}"),
    }
}

/// What a command says of its person, in short.
fn said(planned: &PlannedCommand) -> String {
    let word = planned.word.map_or("-", |word| word.as_str());
    let purpose = planned.purpose.as_deref().unwrap_or("-");
    format!("{} {word} {purpose}", planned.command.name())
}

/// When a command is carried out, in short.
fn due(planned: &PlannedCommand) -> String {
    let at = planned
        .not_before
        .map_or_else(|| "at once".to_owned(), |time| time.to_string());
    let date = planned.date.as_ref().map_or_else(String::new, |date| {
        let ahead = if date.ahead.is_zero() {
            String::new()
        } else {
            format!(" {:#} ahead", date.ahead)
        };
        let later = if date.later { " later" } else { "" };
        format!(", {} {} {}{ahead}{later}", date.date, date.side, date.zone)
    });
    let held = planned
        .held
        .map_or_else(String::new, |held| format!(", held {}", held.as_str()));
    format!("{at}{date}{held}")
}

#[test]
fn each_action_has_its_word_and_a_purpose() {
    for (rule, expected) in [
        ("do = \"create\"\nPROFILE", "iam-create-user active create"),
        (
            "do = \"create\"\npurpose = \"hire\"\nPROFILE",
            "iam-create-user active hire",
        ),
        ("do = \"enable\"\nPROFILE", "iam-update-user active create"),
        (
            "do = \"enable\"\npurpose = \"leave\"\nPROFILE",
            "iam-update-user back leave",
        ),
        ("do = \"update\"\nPROFILE", "iam-update-user nothing -"),
        (
            "do = \"update\"\nallow_enable = true\npurpose = \"x\"\nPROFILE",
            "iam-update-user nothing x",
        ),
        ("do = \"disable\"\nPROFILE", "iam-disable-user inactive disable"),
        (
            "do = \"cancel\"\npurpose = \"termination\"\nPROFILE",
            "iam-update-user cancelled termination",
        ),
        (
            "do = \"create-group\"\nscim = { displayName = \"body.id\" }",
            "iam-create-group - -",
        ),
        (
            "do = \"delete-group\"\nscim = { id = \"body.id\" }",
            "iam-delete-group - -",
        ),
    ] {
        let text = format!("conversion = \"4h\"\n[[rules]]\n{}", rule.replace("PROFILE", PROFILE));
        let found = commands(&rules(&text).unwrap(), &json!({"id": "7", "mail": "jo"}));
        assert_eq!(found.iter().map(said).collect::<Vec<_>>(), [expected], "{rule}");
        assert_eq!(found[0].conversion, Some(SignedDuration::from_hours(4)));
    }
    let off = format!("[[rules]]\ndo = \"disable\"\n{PROFILE}");
    assert_eq!(commands(&rules(&off).unwrap(), &json!({"id": "7"}))[0].conversion, None);
}

/// What is cancelled may have to be enabled again, and never created.
#[test]
fn a_cancelling_gives_no_new_user_name() {
    let text = format!("[[rules]]\ndo = \"cancel\"\npurpose = \"hire\"\n{PROFILE}");
    let found = commands(&rules(&text).unwrap(), &json!({"id": "7", "mail": "jo"}));
    assert_eq!(
        serde_json::to_value(&found[0].command).unwrap()["arguments"]["user-profile"],
        json!({"employeeid": "7", "olduserdata": {"username": "jo"}})
    );
    assert_eq!((found[0].date.clone(), found[0].not_before), (None, None));
}

/// Now is 28 November 2026, 10:00 in UTC.
#[test]
fn a_hire_is_done_ahead_and_enabled_on_its_day() {
    let text = format!(
        "zone = \"Australia/Melbourne\"\n[[rules]]\ndo = \"create\"\nahead = \"14d\"\n\
         at = {{ date = \"body.start\", side = \"start_of_day\" }}\n{PROFILE}"
    );
    let rules = rules_for(&text, &["production", "staging"]).unwrap();
    let date = |date: &str| format!("{date} start_of_day Australia/Melbourne");
    for (start, expected) in [
        (
            "2027-01-04",
            vec![
                format!("2026-12-20T13:00:00Z, {} 336h ahead later", date("2027-01-04")),
                format!("2027-01-03T13:00:00Z, {} later", date("2027-01-04")),
            ],
        ),
        (
            "2026-12-01",
            vec![
                format!("at once, {} 336h ahead later", date("2026-12-01")),
                format!("2026-11-30T13:00:00Z, {} later", date("2026-12-01")),
            ],
        ),
        // The day has come: nothing is expected any more.
        ("2026-11-28", vec![format!("at once, {} later", date("2026-11-28"))]),
        (
            "2026-09-01",
            vec![format!("at once, {} later, held back_dated", date("2026-09-01"))],
        ),
        (
            "2028-01-03",
            vec![
                format!(
                    "2027-12-19T13:00:00Z, {} 336h ahead later, held far_future",
                    date("2028-01-03")
                ),
                format!("2028-01-02T13:00:00Z, {} later, held far_future", date("2028-01-03")),
            ],
        ),
    ] {
        let found = commands(&rules, &json!({"id": "7", "mail": "jo", "start": start}));
        for instance in ["production", "staging"] {
            let own: Vec<_> = found.iter().filter(|planned| planned.instance == instance).collect();
            assert_eq!(own.iter().map(|planned| due(planned)).collect::<Vec<_>>(), expected);
            let last = own.last().unwrap();
            assert_eq!(said(last), "iam-create-user active create");
            if let [first, _] = own[..] {
                assert_eq!(said(first), "iam-create-user expected create");
                let active = |planned: &PlannedCommand| {
                    serde_json::to_value(&planned.command).unwrap()["arguments"]["allow-enable"].clone()
                };
                assert_eq!((active(first), active(last)), (json!(false), json!(true)));
            }
        }
    }
}

#[test]
fn the_zone_of_a_date_is_the_events_its_sites_or_the_sources() {
    let rule = |source: &str, at: &str| {
        let text = format!(
            "{source}\n[[rules]]\ndo = \"disable\"\nat = {{ date = \"body.day\", side = \"end_of_day\"{at} }}\n{PROFILE}"
        );
        rules(&text).unwrap()
    };
    let both = "zone = \"UTC\"\nzones = { sydney = \"Australia/Sydney\", 12 = \"Asia/Kolkata\", \"são paulo\" = \"America/Sao_Paulo\" }";
    let sites = "zones = { sydney = \"Australia/Sydney\" }";
    let (by_site, by_zone) = (", site = \"body.site\"", ", zone = \"body.zone\"");
    let by_either = format!("{by_site}{by_zone}");
    for (source, at, event, expected) in [
        (both, "", json!({}), "UTC"),
        (both, ", zone = \"Europe/Rome\"", json!({}), "Europe/Rome"),
        (both, by_site, json!({"site": "Sydney"}), "Australia/Sydney"),
        (both, by_site, json!({"site": " SYDNEY "}), "Australia/Sydney"),
        (both, by_site, json!({"site": "SÃO PAULO"}), "America/Sao_Paulo"),
        (both, by_site, json!({"site": 12}), "Asia/Kolkata"),
        (both, by_site, json!({"site": "Berlin"}), "UTC"),
        (both, by_site, json!({"site": ["sydney"]}), "UTC"),
        (both, by_site, json!({"site": ""}), "UTC"),
        (both, by_site, json!({}), "UTC"),
        (both, by_zone, json!({"zone": "europe/rome"}), "Europe/Rome"),
        (both, by_zone, json!({"zone": null}), "UTC"),
        (
            both,
            &by_either,
            json!({"zone": "Europe/Rome", "site": "sydney"}),
            "Europe/Rome",
        ),
        (
            both,
            &by_either,
            json!({"zone": "", "site": "sydney"}),
            "Australia/Sydney",
        ),
        (both, &by_either, json!({"site": "sydney"}), "Australia/Sydney"),
        (both, &by_either, json!({}), "UTC"),
        (sites, by_site, json!({"site": "sydney"}), "Australia/Sydney"),
        ("", by_zone, json!({"zone": "Europe/Rome"}), "Europe/Rome"),
    ] {
        let mut body = json!({"id": "7", "day": "2026-12-01"});
        body.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        let found = commands(&rule(source, at), &body);
        assert_eq!(found[0].date.as_ref().unwrap().zone, expected, "{at} {event}");
    }
    let none = ", and the source has no zone of its own";
    for (source, at, event, expected) in [
        (
            sites,
            by_site,
            json!({"site": "s3cret"}),
            format!("at.site (body.site) is none of the source's zones{none}"),
        ),
        (
            sites,
            by_site,
            json!({}),
            format!("at.site is missing: nothing is there for body.site{none}"),
        ),
        (
            "",
            by_zone,
            json!({}),
            format!("at.zone is missing: nothing is there for body.zone{none}"),
        ),
        (
            both,
            by_zone,
            json!({"zone": "s3cret"}),
            "at.zone (body.zone) is no zone like Australia/Melbourne".to_owned(),
        ),
        (
            both,
            &by_either,
            json!({"zone": 7, "site": "sydney"}),
            "at.zone (body.zone) is no zone like Australia/Melbourne".to_owned(),
        ),
    ] {
        let mut body = json!({"id": "7", "day": "2026-12-01"});
        body.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        assert_eq!(reason(&rule(source, at), &body), expected, "{at} {event}");
    }
}

/// Hostile input 74, a termination of next year is put off to its day, one of 1970 or beyond the
/// next year is held, and none is carried out now.
#[test]
fn dates_long_ago_and_far_ahead_are_held() {
    let rule = |source: &str| {
        let text = format!(
            "zone = \"UTC\"\n{source}\n[[rules]]\ndo = \"disable\"\n\
             at = {{ date = \"body.day\", side = \"start_of_day\" }}\n{PROFILE}"
        );
        rules(&text).unwrap()
    };
    let own = "back_dated_after = \"7d\"\nfar_future_after = \"60d\"";
    let own_due = format!("already_due = true\n{own}");
    for (source, day, expected) in [
        ("", "2026-11-28", "at once"),
        ("", "2026-11-27", "at once"),
        // Thirty days ago it was 10:00, too.
        ("", "2026-10-30", "at once"),
        ("", "2026-10-29", "at once, held back_dated"),
        ("", "2026-10-28", "at once, held back_dated"),
        ("", "1970-01-01", "at once, held back_dated"),
        ("", "0001-01-01", "at once, held back_dated"),
        ("", "2026-11-29", "2026-11-29T00:00:00Z"),
        ("", "2027-06-30", "2027-06-30T00:00:00Z"),
        ("", "2027-11-29", "2027-11-29T00:00:00Z"),
        ("", "2027-11-30", "2027-11-30T00:00:00Z, held far_future"),
        ("", "2036-11-20", "2036-11-20T00:00:00Z, held far_future"),
        (own, "2026-11-22", "at once"),
        (own, "2026-11-21", "at once, held back_dated"),
        (own, "2027-01-27", "2027-01-27T00:00:00Z"),
        (own, "2027-01-28", "2027-01-28T00:00:00Z, held far_future"),
        ("already_due = true", "2026-11-30", "at once"),
        ("already_due = true", "2028-11-30", "at once"),
        ("already_due = true", "2026-10-28", "at once, held back_dated"),
        (&own_due, "2026-11-21", "at once, held back_dated"),
        (&own_due, "2027-01-28", "at once"),
    ] {
        let found = commands(&rule(source), &json!({"id": "7", "day": day}));
        let (at, held) = expected.split_once(", held").unwrap_or((expected, ""));
        let held = if held.is_empty() {
            String::new()
        } else {
            format!(", held{held}")
        };
        let expected = format!("{at}, {day} start_of_day UTC{held}");
        assert_eq!(found.iter().map(due).collect::<Vec<_>>(), [expected], "{source} {day}");
    }
    for source in ["", "already_due = true", "far_future_after = \"3000d\""] {
        let found = reason(&rule(source), &json!({"id": "7", "day": "2036-12-01"}));
        assert_eq!(found, "at.date (body.day) is more than ten years ahead");
    }
}

/// Access begins late and ends early: Melbourne's clocks show 02:00 to 03:00 twice on 5 April 2026,
/// and skip it on 4 October 2026.
#[test]
fn of_two_instants_a_disable_takes_the_earlier_and_all_else_the_later() {
    let now = "2026-03-30T00:00:00Z".parse().unwrap();
    for (action, twice, skipped) in [
        (
            format!("do = \"disable\"\n{PROFILE}"),
            "2026-04-04T15:30:00Z",
            "2026-10-03T16:30:00Z",
        ),
        (
            format!("do = \"create\"\n{PROFILE}"),
            "2026-04-04T16:30:00Z",
            "2026-10-03T16:30:00Z",
        ),
        (
            format!("do = \"enable\"\n{PROFILE}"),
            "2026-04-04T16:30:00Z",
            "2026-10-03T16:30:00Z",
        ),
        (
            "do = \"create-group\"\nscim = { displayName = \"body.id\" }".to_owned(),
            "2026-04-04T16:30:00Z",
            "2026-10-03T16:30:00Z",
        ),
    ] {
        let text = format!(
            "zone = \"Australia/Melbourne\"\n[[rules]]\nat = {{ date = \"body.day\", side = \"02:30\" }}\n{action}"
        );
        let rules = rules(&text).unwrap();
        for (day, expected) in [("2026-04-05", twice), ("2026-10-04", skipped)] {
            let planned = decide_at(&rules, &json!({"id": "7", "day": day}), now).planned;
            let found = commands_of(planned);
            assert_eq!(found[0].not_before, Some(expected.parse().unwrap()), "{action} {day}");
            let date = found[0].date.as_ref().unwrap();
            assert_eq!(date.later, !action.contains("disable"));
            // What is stored gives the same instant again.
            assert_eq!(crate::operations::due(date), found[0].not_before);
        }
    }
}
