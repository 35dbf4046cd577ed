//! What start, `check` and `source list` say of sources.

use super::*;
use crate::process::Running;

const DEAD: &str = "http://127.0.0.1:1/T/scim/v2/";

#[test]
fn sources_are_listed_with_their_presets_and_rules() {
    let configured = Configured::standard(DEAD);
    let ended = configured.run(&["source", "list"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = ended.stdout.lines().nth(1).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(
        cells,
        ["hr", "standard-webhooks", "signature", "yes", "2", "production"]
    );
    let ended = run(&["source", "presets"], &[]);
    assert_eq!(ended.code, Some(0));
    for preset in ["standard-webhooks", "bamboohr", "hibob", "okta"] {
        assert!(
            ended.stdout.lines().any(|line| line.starts_with(preset)),
            "{preset}\n{}",
            ended.stdout
        );
    }
}

#[test]
fn a_faulty_source_stops_the_start_and_check_with_the_place_and_the_mend() {
    let source =
        "[[sources]]\nname = \"hr\"\nverifier = \"none\"\n[[sources.rules]]\nwhen = \"bdy.type\"\ndo = \"disabl\"\n";
    let configured = Configured::new(DEAD, source);
    for arguments in [
        &["check"][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["source", "list"],
    ] {
        let ended = configured.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        for expected in [
            "when of rule 1 (source \"hr\" in ",
            "the name `bdy` is not known",
            "do of rule 1 (source \"hr\" in ",
            "did you mean disable?",
        ] {
            assert!(
                ended.stderr.contains(expected),
                "{arguments:?} {expected}\n{}",
                ended.stderr
            );
        }
    }
}

#[test]
fn a_source_that_believes_whatever_comes_is_told_at_start_and_by_check() {
    let source = format!("[[sources]]\nname = \"open\"\nverifier = \"none\"\nzone = \"UTC\"\n{RULES}");
    let configured = Configured::new(DEAD, &source);
    let expected = "verifier (source \\\"open\\\" in ";
    let ended = configured.run(&["check"]);
    assert!(ended.stderr.contains("nothing proves the sender"), "{}", ended.stderr);
    assert!(ended.stderr.contains(&expected.replace('\\', "")), "{}", ended.stderr);
    let path = configured.path();
    let (service, _) = Running::serve(&[], &[("AWS_ILM_CONFIG", &path)]);
    assert!(
        service.stderr.text().contains("nothing proves the sender"),
        "{}",
        service.stderr.text()
    );
}

/// What changes is put into force; a fault changes nothing, and is told.
#[test]
fn sources_are_read_again_while_the_service_runs() {
    let configured = Configured::standard(DEAD);
    let path = configured.path();
    let text = fs::read_to_string(&path).unwrap();
    let (service, _) = Running::serve(&[], &[("AWS_ILM_CONFIG", &path)]);
    fs::write(&path, text.replace("do = \"disable\"", "do = \"disabl\"")).unwrap();
    let line = service.stderr.line_with("the sources stay as they were");
    assert!(
        line.contains("do of rule 1") && line.contains("did you mean disable?"),
        "{line}"
    );
    fs::write(&path, text.replace("name = \"hr\"", "name = \"hr-2\"")).unwrap();
    service.stderr.line_with("the sources were read again");
    configured.file("secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n\n");
    let line = service.stderr.line_with("secret_files");
    assert!(line.contains("the sources stay as they were"), "{line}");
    assert!(!service.stderr.text().contains("C2FVsBQ"), "{}", service.stderr.text());
}
