//! What may stand in a rule, and what is said of what may not.

use super::*;

const PROFILE: &str = "profile = { employeeid = \"body.id\" }";

const AT: &str = "at = { date = \"body.d\", side = \"start_of_day\", zone = \"UTC\" }";

#[test]
fn a_rule_is_read_or_told_with_its_place_and_the_mend() {
    let rows = [
        ("do = \"ignore\"", ""),
        ("do = \"create\"\nPROFILE", ""),
        ("do = \"update\"\nallow_enable = true\nPROFILE", ""),
        ("do = \"update\"\nallow_enable = false\nPROFILE", ""),
        ("do = \"enable\"\nPROFILE", ""),
        ("do = \"disable\"\npurpose = \"termination\"\nPROFILE", ""),
        ("do = \"disable\"\ninstance = \"STAGING\"\nPROFILE", ""),
        (
            "do = \"disable\"\nat = { date = \"body.d\", side = \"end_of_day\", zone = \"Australia/Melbourne\" }\nPROFILE",
            "",
        ),
        (
            "do = \"disable\"\nat = { date = \"body.d\", side = \"17:30\", zone = \"body.zone\" }\nPROFILE",
            "",
        ),
        ("do = \"create-group\"\nscim = { displayName = \"body.name\" }", ""),
        ("do = \"delete-group\"\nscim = { id = \"body.id\" }", ""),
        (
            "do = \"update-group\"\nscim = { id = \"body.id\" }\nmembers_to_add = \"body.ids\"",
            "",
        ),
        (
            "PROFILE",
            "do of rule 1: found nothing: say what is done: create, update",
        ),
        (
            "do = \"creat\"\nPROFILE",
            "do of rule 1: found \"creat\": did you mean create?",
        ),
        ("do = 7\nPROFILE", "do of rule 1: found integer: write a text in quotes"),
        (
            "do = \"explode\"\nPROFILE",
            "do of rule 1: found \"explode\": use create, update",
        ),
        ("do = \"cancel\"\npurpose = \"termination\"\nPROFILE", ""),
        (
            "do = \"cancel\"\nPROFILE",
            "purpose of rule 1: found nothing: say what is cancelled",
        ),
        (
            "do = \"cancel\"\npurpose = \"x\"",
            "profile of rule 1: found no profile: say who it is",
        ),
        (
            "do = \"cancel\"\npurpose = \"x\"\nat = { date = \"body.d\", side = \"end_of_day\", zone = \"UTC\" }\nPROFILE",
            "at of rule 1: found a value: take it out: what waits is cancelled at once",
        ),
        (
            "do = \"cancel\"\npurpose = \"x\"\nahead = \"1d\"\nPROFILE",
            "ahead of rule 1: found a value: take it out: what waits is cancelled at once",
        ),
        ("do = \"create\"\nAT\nahead = \"14d\"\nPROFILE", ""),
        ("do = \"create\"\nAT\nahead = \"366d\"\nPROFILE", ""),
        (
            "do = \"create\"\nahead = \"14d\"\nPROFILE",
            "at of rule 1: found nothing: write the date as well",
        ),
        (
            "do = \"disable\"\nAT\nahead = \"14d\"\nPROFILE",
            "ahead of rule 1: found a value: take it out: it stands with do = \"create\" alone",
        ),
        (
            "do = \"enable\"\nAT\nahead = \"14d\"\nPROFILE",
            "ahead of rule 1: found a value: take it out: it stands with do = \"create\" alone",
        ),
        (
            "do = \"create\"\nAT\nahead = \"soon\"\nPROFILE",
            "ahead of rule 1: found \"soon\": use a length of time up to \"366d\", like \"14d\"",
        ),
        (
            "do = \"create\"\nAT\nahead = \"-1d\"\nPROFILE",
            "ahead of rule 1: found \"-1d\": use a length of time",
        ),
        (
            "do = \"create\"\nAT\nahead = \"367d\"\nPROFILE",
            "ahead of rule 1: found \"367d\": use a length of time",
        ),
        (
            "do = \"create\"\nAT\nahead = 14\nPROFILE",
            "ahead of rule 1: found integer: write a text in quotes",
        ),
        ("do = \"create\"", "profile of rule 1: found no profile: say who it is"),
        (
            "do = \"create\"\nprofile = \"nobody\"",
            "profile of rule 1: found \"nobody\": there is no [sources.profiles.nobody]",
        ),
        ("do = \"create\"\nprofile = {}", "profile of rule 1: found no field"),
        (
            "do = \"create\"\nprofile = { email = 7 }",
            "profile of rule 1.email: found no text: write an expression in quotes",
        ),
        (
            "do = \"create\"\nprofile = { email = \"boddy.x\" }",
            "profile of rule 1.email: found \"boddy.x\": the name `boddy` is not known",
        ),
        (
            "do = \"create\"\nscim = { id = \"body.id\" }\nPROFILE",
            "scim of rule 1: found a value: take it out",
        ),
        (
            "do = \"ignore\"\nPROFILE",
            "profile of rule 1: found a value: take it out: a rule that does \"ignore\"",
        ),
        ("do = \"create-group\"", "scim of rule 1: found no group"),
        (
            "do = \"create-group\"\nscim = { id = \"body.id\" }\nmembers_to_add = \"body.x\"",
            "members_to_add of rule 1: found a value: take it out",
        ),
        (
            "do = \"create\"\nallow_enable = true\nPROFILE",
            "allow_enable of rule 1: found a value: take it out",
        ),
        (
            "do = \"update\"\nallow_enable = \"yes\"\nPROFILE",
            "allow_enable of rule 1: found string: use true or false",
        ),
        (
            "do = \"disable\"\nwen = \"body.x\"\nPROFILE",
            "wen of rule 1: found an unknown key: did you mean when?",
        ),
        (
            "do = \"disable\"\nwhen = \"body.x = 1\"\nPROFILE",
            "when of rule 1: found \"body.x = 1\": syntax error",
        ),
        (
            "do = \"disable\"\nwhen = true\nPROFILE",
            "when of rule 1: found boolean: write a text in quotes",
        ),
        (
            "do = \"disable\"\nwhen = \"body | nosuch\"\nPROFILE",
            "the filter `nosuch` is not known",
        ),
        (
            "do = \"disable\"\ntime = \"body.\"\nPROFILE",
            "time of rule 1: found \"body.\": syntax error",
        ),
        (
            "do = \"disable\"\npurpose = \"to end it\"\nPROFILE",
            "purpose of rule 1: found \"to end it\": use 1 to 64 letters",
        ),
        (
            "do = \"disable\"\ninstance = \"prod\"\nPROFILE",
            "instance of rule 1: found \"prod\": there is no such instance: use \"production\" or \"staging\"",
        ),
        (
            "do = \"disable\"\nat = \"body.d\"\nPROFILE",
            "at of rule 1: found no table: write { date",
        ),
        (
            "do = \"disable\"\nat = { date = \"body.d\", side = \"noon\", zone = \"UTC\" }\nPROFILE",
            "side in at of rule 1: found \"noon\": use \"start_of_day\"",
        ),
        (
            "do = \"disable\"\nat = { date = \"body.d\", side = \"end_of_day\" }\nPROFILE",
            "zone in at of rule 1: found nothing: set the source's zone",
        ),
        (
            "do = \"disable\"\nat = { date = \"body.d\", side = \"end_of_day\", zone = \"Mars/Olympus\" }\nPROFILE",
            "zone in at of rule 1: found \"Mars/Olympus\": there is no such zone",
        ),
        (
            "do = \"disable\"\nat = { side = \"end_of_day\", zone = \"UTC\" }\nPROFILE",
            "date in at of rule 1: found nothing",
        ),
        (
            "do = \"disable\"\nat = { dat = \"body.d\", side = \"end_of_day\", zone = \"UTC\" }\nPROFILE",
            "dat.at of rule 1: found an unknown key: did you mean date?",
        ),
        (
            "do = \"disable\"\nat = { date = \"body.d\", side = \"end_of_day\", site = \"body.s\" }\nPROFILE",
            "site in at of rule 1: found a site: set the source's zones",
        ),
    ];
    for (rule, expected) in rows {
        let text = format!("[[rules]]\n{}", rule.replace("PROFILE", PROFILE).replace("AT", AT));
        match rules(&text) {
            Ok(_) => assert_eq!(expected, "", "{rule}"),
            Err(faults) => assert!(!expected.is_empty() && faults.contains(expected), "{rule}\n{faults}"),
        }
    }
}

/// What of a date does not go with what its source says.
#[test]
fn dates_are_held_against_their_source() {
    for (source, rule, expected) in [
        ("zones.sydney = \"Australia/Sydney\"", "site = \"body.site\"", ""),
        (
            "zones.sydney = \"Australia/Sydney\"",
            "site = \"body.site\", zone = \"body.zone\"",
            "",
        ),
        (
            "zones.sydney = \"Australia/Sydney\"",
            "site = \"body.site\", zone = \"UTC\"",
            "site in at of rule 1: found a site: take it out: the zone is the same for every event",
        ),
        (
            "zones.sydney = \"Australia/Sydney\"",
            "zone = 7",
            "zone in at of rule 1: found no text: write { date",
        ),
        (
            "zones.sydney = \"Australia/Sydney\"",
            "site = \"bdy.site\"",
            "site in at of rule 1: found \"bdy.site\": the name `bdy` is not known",
        ),
        (
            "zones.sydney = \"Australia/Sydney\"",
            "zone = \"body.\"",
            "zone in at of rule 1: found \"body.\": syntax error",
        ),
    ] {
        let text = format!(
            "{source}\n[[rules]]\ndo = \"disable\"\nat = {{ date = \"body.d\", side = \"end_of_day\", {rule} }}\n{PROFILE}"
        );
        match rules(&text) {
            Ok(_) => assert_eq!(expected, "", "{rule}"),
            Err(faults) => assert!(!expected.is_empty() && faults.contains(expected), "{rule}\n{faults}"),
        }
    }
    let text = format!("already_due = true\n[[rules]]\ndo = \"create\"\n{AT}\nahead = \"14d\"\n{PROFILE}");
    let faults = rules(&text).unwrap_err();
    assert_eq!(
        faults,
        "ahead of rule 1: found a value: take it out: the events of a source with already_due come on the day\n"
    );
}

#[test]
fn everything_wrong_is_told_together() {
    let text = "[[rules]]\ndo = \"disabl\"\nwhen = \"bdy.x\"\n[[rules]]\ndo = \"create\"\npurpos = \"x\"\n\
                [profiles.person]\nfeilds = {}\n";
    let faults = rules(text).unwrap_err();
    for expected in [
        "do of rule 1",
        "when of rule 1",
        "purpos of rule 2",
        "profile of rule 2",
        "profiles.person.feilds: found an unknown key: a profile has `fields` alone",
        "profiles.person: found no fields",
    ] {
        assert!(faults.contains(expected), "{expected}\n{faults}");
    }
    // Rule 2 has no condition and is last; rule 1 has one.
    assert!(!faults.contains("never reached"), "{faults}");
}

#[test]
fn what_is_never_reached_is_told() {
    let rule = |when: &str| format!("[[rules]]\n{when}do = \"ignore\"\n");
    let condition = "when = \"body.x == 1\"\n";
    for (list, expected) in [
        (vec![condition, ""], None),
        (
            vec!["", condition],
            Some("rule 2: found a rule that is never reached: give rule 1 a `when`"),
        ),
        (
            vec![condition, "", ""],
            Some("rule 3: found a rule that is never reached: give rule 2 a `when`"),
        ),
    ] {
        let text: String = list.into_iter().map(rule).collect();
        let found = rules(&text).err();
        match expected {
            None => assert!(found.is_none(), "{found:?}"),
            Some(expected) => assert!(found.clone().is_some_and(|found| found.contains(expected)), "{found:?}"),
        }
    }
}

#[test]
fn numbers_are_bounded() {
    let many: String = (0..201)
        .map(|_| "[[rules]]\nwhen = \"body.x\"\ndo = \"ignore\"\n")
        .collect();
    assert!(rules(&many).unwrap_err().contains("a source has at most 200"));
    let fields: String = (0..201).map(|n| format!("f{n} = \"body.x\",")).collect();
    let text = format!(
        "[[rules]]\ndo = \"create\"\nprofile = {{ {} }}",
        fields.trim_end_matches(',')
    );
    assert!(
        rules(&text)
            .unwrap_err()
            .contains("a table has at most 200 expressions")
    );
    let deep = "[[rules]]\ndo = \"create\"\nprofile = { a.b.c.d.e = \"body.x\" }";
    assert!(rules(deep).unwrap_err().contains("tables stand at most 4 deep"));
    let long = format!("[[rules]]\ndo = \"ignore\"\nwhen = \"body{}\"", ".a".repeat(600));
    assert!(rules(&long).unwrap_err().contains("is longer than 1024 bytes"));
}
